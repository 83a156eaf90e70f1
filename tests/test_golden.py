# SPDX-License-Identifier: MIT
"""The golden files' switch must be off."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.support import golden


class RewriteSwitchTests(SynchronousTestCase):
    """A run that rewrites what it should compare with proves nothing, so it fails."""

    def test_off(self) -> None:
        """The run fails while LIVECHAT_REWRITE_GOLDEN is on."""
        self.assertFalse(golden.rewriting(), "golden files were rewritten: look at the difference")
