# SPDX-License-Identifier: MIT
"""What every `ISubscriber` does, whatever carries its messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.core.ports import ISubscriber
from livechat.model.errors import CloseCode
from tests.support.fakes import unframed

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    _Case = object


class SubscriberContract(_Case):
    """The contract; a test case beside it says how to make one and how to read what it was sent."""

    def make_subscriber(self) -> ISubscriber:
        """A subscriber that is ready to be sent messages."""
        raise NotImplementedError

    def text_frames(self) -> list[bytes]:
        """Payloads that have reached its far end since the last call, without control frames."""
        raise NotImplementedError

    def test_provides(self) -> None:
        """It provides the port."""
        self.assertTrue(verifyObject(ISubscriber, self.make_subscriber()))

    def test_order(self) -> None:
        """Messages arrive whole and in order, alone or many to a write of the encoding."""
        subscriber = self.make_subscriber()
        encoding = subscriber.encoding
        subscriber.send(b"one")
        encoding.write([subscriber], encoding.encode(b"two") + encoding.encode(b"three"))
        subscriber.send(b"four")
        self.assertEqual(self.text_frames(), [b"one", b"two", b"three", b"four"])

    def test_hashable(self) -> None:
        """Two subscribers are two, whatever they hold: channels keep them as keys."""
        one, two = self.make_subscriber(), self.make_subscriber()
        self.assertEqual(len({one: 1, two: 2}), 2)

    def test_below(self) -> None:
        """To whom nothing waits is below any bound at once."""
        subscriber = self.make_subscriber()
        subscriber.send(b"one")
        self.assertIsNone(self.successResultOf(subscriber.when_below(0)))

    def test_close(self) -> None:
        """Closing twice is closing once, and raises nothing."""
        subscriber = self.make_subscriber()
        subscriber.send(b"before")
        subscriber.close(CloseCode.GOING_AWAY, "bye")
        subscriber.close(CloseCode.POLICY, "bye again")
        subscriber.send(b"after")
        self.assertEqual(self.text_frames()[:1], [b"before"])


def only_text(data: bytes) -> list[bytes]:
    """Payloads of the text frames before the first control frame."""
    for opcode in (0x88, 0x89):
        at = data.find(bytes((opcode,)))
        if at >= 0:
            data = data[:at]
    return unframed(data)
