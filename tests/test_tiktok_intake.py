# SPDX-License-Identifier: MIT
"""The frame intake: who may relay which room, and what becomes of the frames."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.protocol import Protocol
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure

from livechat.model.events import LiveInfo
from livechat.platforms.tiktok.connection import SILENCE_TIMEOUT
from livechat.platforms.tiktok.intake import MAX_WAITING, OPEN_TIMEOUT, RECENT
from livechat.platforms.tiktok.reception import HISTORY_WAIT
from livechat.simulator.tiktok_faults import TikTokFault, frame, gzipped
from livechat.simulator.tiktok_messages import Room, Written, batch, control, messages
from tests.support.tiktok_wire import SETTINGS, TikTokCase, say
from tests.support.wire import InMemoryEndpoint
from tests.test_websocket import masked

TOKEN = "a-token-of-our-own"
ROOM = "7300000000000000042"


class RelayingClient(Protocol):
    """A WebSocket client of a few lines: upgrade, masked binary frames."""

    def __init__(self, target: str, *headers: str) -> None:
        self.received = b""
        self.lost = False
        self._head = "\r\n".join(
            [
                f"GET {target} HTTP/1.1",
                "Host: 127.0.0.1:3001",
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                "Sec-WebSocket-Version: 13",
                *headers,
                "",
                "",
            ]
        )

    def connectionMade(self) -> None:
        """Ask for the upgrade."""
        assert self.transport is not None
        self.transport.write(self._head.encode())

    def dataReceived(self, data: bytes) -> None:
        """Keep it."""
        self.received += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Remember that."""
        self.lost = True

    def relay(self, payload: bytes, opcode: int = 2) -> None:
        """One message."""
        assert self.transport is not None
        self.transport.write(masked(payload, opcode))


class IntakeCase(TikTokCase):
    """TikTok whose own servers refuse us, and somebody who relays."""

    settings = msgspec.structs.replace(SETTINGS, intake_token=TOKEN)

    def setUp(self) -> None:
        """Blocked."""
        super().setUp()
        self.simulator.faults.add(TikTokFault.CAPTCHA)
        self.door = InMemoryEndpoint(self.tiktok.intake)

    def _carry(self) -> None:
        super()._carry()
        self.door.flush()

    def relay(self, handle: str = "ann", query: str = "", *headers: str) -> RelayingClient:
        """Somebody who relays an account's room."""
        target = query or f"/?token={TOKEN}&unique_id={handle}&room_id={ROOM}&owner_id=5"
        client = RelayingClient(target, *headers)
        self.door.connect(_Once(client))  # type: ignore[arg-type]
        self.run_for(0)
        return client

    def pushed(self, text: str, number: int = 1) -> bytes:
        """A comment in a frame."""
        return self.framed(messages(say(text, number), Room("ann", 1_767_000_000_000)))

    def framed(self, written: list[Written]) -> bytes:
        """Messages in a frame, as the server pushes them."""
        return frame(gzipped(batch(written, need_ack=True)))


class _Once:
    """A factory for one protocol."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: object) -> Protocol:
        """The one."""
        return self._protocol

    def doStart(self) -> None:
        """Nothing to do."""

    def doStop(self) -> None:
        """Nothing to do."""


class AdmissionTests(IntakeCase):
    """Who may relay."""

    def test_log(self) -> None:
        """The log names the account that is relayed, and the one whose look-up failed."""
        with capturedLogs() as events:
            self.relay()
        self.assertIn("tiktok:ann: a relay has connected", map(formatEvent, events))
        with capturedLogs() as events:
            _, _, started = self.start("bob")
            self.run_for(5)
        lines = [formatEvent(event) for event in events]
        self.assertTrue(any(line.startswith("tiktok:bob: no answer") for line in lines), lines)
        started.cancel()
        self.failureResultOf(started)

    def test_admitted(self) -> None:
        """Who knows the token and names a room, in the address or in a header."""
        for client in (
            self.relay(),
            self.relay("", f"/?unique_id=@Ann&room_id={ROOM}", f"Authorization: Bearer {TOKEN}"),
        ):
            self.assertIn(b" 101 ", client.received.splitlines()[0])
        self.assertEqual(self.tiktok.intake.count, 2)

    def test_refused(self) -> None:
        """Nobody else; an empty token is no token."""
        for query, status in (
            ("/", b" 403 "),
            (f"/?token=&unique_id=ann&room_id={ROOM}", b" 403 "),
            (f"/?token={TOKEN}x&unique_id=ann&room_id={ROOM}", b" 403 "),
            (f"/?token=%C3%A9&unique_id=ann&room_id={ROOM}", b" 403 "),
            (f"/?token={TOKEN}&room_id={ROOM}", b" 400 "),
            (f"/?token={TOKEN}&unique_id=a%20b&room_id={ROOM}", b" 400 "),
            (f"/?token={TOKEN}&unique_id=ann", b" 400 "),
            (f"/?token={TOKEN}&unique_id=ann&room_id=0", b" 400 "),
            (f"/?token={TOKEN}&unique_id=ann&room_id={'9' * 20}", b" 400 "),
            (f"/?token={TOKEN}&unique_id=ann&room_id={ROOM}&owner_id=x", b" 400 "),
        ):
            client = self.relay("", query)
            self.assertIn(status, client.received.splitlines()[0], query)
            self.run_for(0)
            self.assertTrue(client.lost)
        self.assertEqual(self.tiktok.intake.count, 0)

    def test_no_token_is_no_intake(self) -> None:
        """Where no token is set, none is right."""
        platform = self.platform(SETTINGS)
        self.assertFalse(platform.intake.admits(""))

    def test_relay_that_does_not_read(self) -> None:
        """A relay that asks for answers and does not read them is dropped."""
        client = self.relay()
        self.door.far_transport.producer.pauseProducing()
        self.run_for(0)
        self.assertTrue(client.lost)
        self.assertEqual(self.tiktok.intake.count, 0)

    def test_silent_visitor(self) -> None:
        """Who connects and says nothing is sent away."""
        client = RelayingClient("/")
        client.connectionMade = lambda: None  # type: ignore[method-assign]
        self.door.connect(_Once(client))  # type: ignore[arg-type]
        self.run_for(OPEN_TIMEOUT + 0.5)
        self.assertTrue(client.lost)


class RelayTests(IntakeCase):
    """What becomes of relayed frames."""

    def test_relay_before_the_subscribe(self) -> None:
        """A relayed room starts with its first frame, and TikTok is not asked at all."""
        client = self.relay()
        _, sink, started = self.start("ann")
        self.assertNoResult(started)
        client.relay(self.pushed("hello"))
        self.run_for(0)
        self.assertEqual(self.successResultOf(started), LiveInfo(ROOM, receiving=True))
        self.assertEqual(sink.take(), ["hello"])
        self.assertEqual(list(self.site.asked), [])
        # Nothing is answered: the page that the frames are from acknowledges them itself.
        self.assertEqual(client.received.partition(b"\r\n\r\n")[2], b"")

    def test_relay_while_starting(self) -> None:
        """A relay that comes while TikTok refuses us ends the waiting."""
        _, sink, started = self.start("ann")
        self.run_for(5)
        self.assertNoResult(started)
        client = self.relay()
        client.relay(self.pushed("hello"))
        self.run_for(0)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertEqual(sink.take(), ["hello"])

    def test_relay_for_a_blind_room(self) -> None:
        """A room that we have entered and cannot see is taken from the relay."""
        self.simulator.faults = {TikTokFault.BLIND}
        _, sink, started = self.start("ann")
        self.run_for(11)
        self.assertIs(self.successResultOf(started).receiving, False)
        client = self.relay()
        self.run_for(3)
        client.relay(self.pushed("hello"))
        self.run_for(HISTORY_WAIT)
        self.assertEqual(sink.take(), ["interrupted", "resumed", "hello"])

    def test_relay_for_another(self) -> None:
        """A relay of one account is nothing to another."""
        client = self.relay("bob")
        _, sink, started = self.start("ann")
        client.relay(self.pushed("hello"))
        self.run_for(1)
        self.assertNoResult(started)
        self.assertEqual(sink.take(), [])

    def test_relay_that_goes(self) -> None:
        """When the relay is gone we are reconnecting, by ourselves or with the next one."""
        client = self.relay()
        _, sink, _ = self.start("ann")
        client.relay(self.pushed("one", 1))
        self.run_for(0)
        assert client.transport is not None
        client.transport.loseConnection()
        self.run_for(5)
        self.assertEqual(sink.take(), ["one", "interrupted"])
        self.assertEqual(sink.reasons, ["the relay is gone"])
        again = self.relay()
        again.relay(self.pushed("two", 2))
        self.run_for(HISTORY_WAIT)
        self.assertEqual(sink.take(), ["resumed", "two"])

    def test_silent_relay(self) -> None:
        """A relay that relays nothing for long is sent away."""
        client = self.relay()
        _, sink, _ = self.start("ann")
        client.relay(self.pushed("one"))
        self.run_for(SILENCE_TIMEOUT + 1, 1)
        self.assertTrue(client.lost)
        self.assertEqual(sink.take(), ["one", "interrupted"])

    def test_end(self) -> None:
        """A relayed end is believed where TikTok does not answer us."""
        client = self.relay()
        _, sink, _ = self.start("ann")
        client.relay(self.pushed("one"))
        client.relay(self.framed([control(Room("ann", 0), 3, 9)]))
        self.run_for(1)
        self.assertEqual(sink.take(), ["one", "ended STREAM_ENDED None"])

    def test_garbage(self) -> None:
        """Bad frames cost themselves; one that is too large costs the relay."""
        client = self.relay()
        _, sink, _ = self.start("ann")
        for payload, opcode in ((b"\xff" * 9, 2), (b"text", 1), (frame(b"\x1f\x8b\x08x"), 2)):
            client.relay(payload, opcode)
        client.relay(self.pushed("after"))
        self.run_for(0)
        self.assertEqual(sink.take(), ["after"])
        self.assertEqual(
            self.unparsed(), {"frame unreadable": 1, "text frame": 1, "gzip unreadable": 1}
        )
        client.relay(bytes(2 << 20))
        self.run_for(0)
        self.assertTrue(client.lost)

    def test_unwatched(self) -> None:
        """Of a room that nobody watches the frames of the last moments are kept, and no others."""
        client = self.relay()
        client.relay(self.pushed("too old", 1))
        self.run_for(RECENT + 1)
        for number in range(2, MAX_WAITING + 4):
            client.relay(self.pushed(f"{number}", number))
        client.relay(b"\xff" * 9)
        self.run_for(1)
        self.assertFalse(client.lost)
        _, sink, started = self.start("ann")
        self.assertIs(self.successResultOf(started).receiving, True)
        # Whoever started it must have heard of the start before.
        self.run_for(0)
        self.assertEqual(sink.take(), [f"{number}" for number in range(4, MAX_WAITING + 4)])

    def test_relay_during_a_look_up(self) -> None:
        """A relay that comes while TikTok is being asked is taken as soon as that fails."""
        self.simulator.faults = {TikTokFault.HANG}
        _, sink, started = self.start("ann")
        self.run_for(5)
        client = self.relay()
        self.run_for(14.5)
        self.assertNoResult(started)
        client.relay(self.pushed("hello"))
        self.run_for(1)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertEqual(sink.take(), ["hello"])

    def test_stop(self) -> None:
        """A platform that stops sends its relays away."""
        client: Any = self.relay()
        self.tiktok.stopService()
        self.run_for(0)
        self.assertTrue(client.lost)

    def tearDown(self) -> None:
        """Relays are no sockets of the simulator's."""
        self.tiktok.stopService()
        self.run_for(0)
        super().tearDown()
