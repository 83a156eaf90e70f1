# SPDX-License-Identifier: MIT
"""The URL of a Redis server, as operators write it."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.redis.address import RedisAddress


class AddressTests(SynchronousTestCase):
    """What an operator writes."""

    def test_parts(self) -> None:
        """Everything a URL may name, and what it leaves out."""
        for url, parts in (
            ("redis://h", ("h", 6379, 0, "", "", False)),
            ("redis://h:1/", ("h", 1, 0, "", "", False)),
            ("rediss://h:1/15", ("h", 1, 15, "", "", True)),
            ("redis://:p@h", ("h", 6379, 0, "", "p", False)),
            ("redis://u%40x:p%2F%3A@h/2", ("h", 6379, 2, "u@x", "p/:", False)),
            ("redis://[::1]:7/0", ("::1", 7, 0, "", "", False)),
        ):
            self.assertEqual(msgspec.structs.astuple(RedisAddress.parse(url)), parts)

    def test_shown(self) -> None:
        """A log shows where, and never how to log in."""
        for url, shown in (
            ("redis://user:secret@h:1/2", "redis://h:1/2"),
            ("rediss://:secret@[::1]", "rediss://[::1]:6379/0"),
        ):
            self.assertEqual(str(RedisAddress.parse(url)), shown)

    def test_wrong_database(self) -> None:
        """A database that is no number is said to be one, without the secrets of the URL."""
        for path in ("x", "1/2", "-1", "999999", "1x"):
            error = self.assertRaises(ValueError, RedisAddress.parse, f"redis://u:secret@h/{path}")
            self.assertNotIn("secret", str(error))
