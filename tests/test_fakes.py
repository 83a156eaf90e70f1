# SPDX-License-Identifier: MIT
"""The fakes that tests use provide the ports they stand for."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.core.ports import IPlatform, ISubscriber, IWatcher, Located, Requester
from livechat.model.events import ChannelKey
from tests.contracts.subscriber import SubscriberContract
from tests.support.fakes import KeptMessages, ScriptedPlatform, ScriptedWatcher


class KeptMessagesContractTests(SubscriberContract, SynchronousTestCase):
    """The fake subscriber keeps the same promises as a real one."""

    kept: KeptMessages

    def make_subscriber(self) -> Any:
        """A fake."""
        self.kept = KeptMessages()
        return self.kept

    def text_frames(self) -> list[bytes]:
        """What it kept."""
        data, self.kept.writes = b"".join(self.kept.writes), []
        return data.splitlines()


class FakeTests(SynchronousTestCase):
    """A fake that drifts from its port would prove nothing."""

    def test_subscriber(self) -> None:
        """KeptMessages is an ISubscriber."""
        self.assertTrue(verifyObject(ISubscriber, KeptMessages()))

    def test_platform_and_watcher(self) -> None:
        """ScriptedPlatform is an IPlatform and makes IWatchers."""
        platform = ScriptedPlatform()
        self.assertTrue(verifyObject(IPlatform, platform))
        located = Located(ChannelKey("twitch", "username", "a"))
        watcher = platform.watch(located, object(), Requester())  # type: ignore[arg-type]
        self.assertTrue(verifyObject(IWatcher, watcher))
        self.assertIsInstance(watcher, ScriptedWatcher)
