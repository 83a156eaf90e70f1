# SPDX-License-Identifier: MIT
"""TikTok from subscribe to message: real rooms against the simulated TikTok, on a fake clock."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory
from zope.interface.verify import verifyObject

from livechat.core.ports import IPlatform, IWatcher, Located, Requester
from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelEvent, LiveInfo
from livechat.platforms.client_socket import OPEN_TIMEOUT
from livechat.platforms.tiktok.connection import NO_DATA_TIMEOUT, SILENCE_TIMEOUT, STALLED_TIMEOUT
from livechat.platforms.tiktok.identity import BROWSERS, TRIES
from livechat.platforms.tiktok.limits import HANDSHAKES, LOOKUPS
from livechat.platforms.tiktok.lookup import Lookup
from livechat.platforms.tiktok.parse.chat import Translator
from livechat.platforms.tiktok.settings import TikTokSettings
from livechat.platforms.tiktok.transports import REFRESH_PAUSE
from livechat.simulator import observed
from livechat.simulator.actions import Author, Pay
from livechat.simulator.tiktok_faults import TikTokFault, TikTokMishap
from livechat.simulator.tiktok_messages import Room, control, number_of, room_id, viewers
from tests.support.events import fields_of
from tests.support.simulated import Reader
from tests.support.tiktok_wire import SETTINGS, TikTokCase, say
from tests.support.wire import InMemoryEndpoint

UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
ROSES = Pay(
    id="0c5b1a9e-8f37-4b3b-9d57-000000000001", author=Author(9, "fan", "Fan"), text=(), amount=5
)


SOCKET_URL = TikTokSettings().socket_url


class StartTests(TikTokCase):
    """What becomes of a start."""

    def test_live(self) -> None:
        """A live account is found, entered and read; `started` names the room."""
        watcher, sink, started = self.start("Ann")
        verifyObject(IPlatform, self.tiktok)
        verifyObject(IWatcher, watcher)
        self.run_for(1)
        self.assertEqual(
            self.successResultOf(started), LiveInfo(str(room_id("ann")), receiving=True)
        )
        self.simulator.say("ann", say("hello"))
        self.run_for(0)
        self.assertEqual(sink.take(), ["hello"])
        self.assertEqual(self.asked_for, [("tiktok.test", 80, False)])
        self.assertEqual(
            list(self.site.asked), ["api-live/user/room", "live"], "one look-up, one identity"
        )

    def test_what_is_sent(self) -> None:
        """Enter, then heartbeats in order, every ten or so seconds, and an ack for every batch."""
        self.watching("ann")
        (socket,) = self.simulator.watching("ann")
        self.run_for(60)
        self.assertEqual(list(socket.heard)[:2], ["im_enter_room", "hb"])
        self.assertEqual(socket.beats, [1, 2, 3, 4, 5])
        pushed = socket.heard.count("ack")
        self.assertEqual(socket.acknowledged, list(range(2, pushed + 2)))
        self.assertGreaterEqual(pushed, 6)

    def test_messages_of_the_greeting(self) -> None:
        """What the room says on entering comes after the start, then events as they come."""
        _, sink, _ = self.start("ann")
        self.run_for(1)
        self.assertEqual(sink.heard, ["notice", "stream", "viewers"])

    def test_history(self) -> None:
        """Comments made before we came are history, with the time at which they were made."""
        self.simulator.say("ann", say("before", 1))
        self.run_for(5)
        _, sink, _ = self.start("ann")
        self.run_for(1)
        self.assertEqual(sink.take(), [])
        (recovery,) = sink.recoveries
        (chat,) = recovery.events
        assert isinstance(chat, ChatMessage)
        self.assertEqual((chat.data.content.raw, recovery.extent), ("before", "latest"))
        self.assertEqual(chat.message_id, str(number_of(say("", 1).id)))
        self.assertEqual(chat.timestamp, "2025-12-29T09:20:00.000Z")

    def test_not_live(self) -> None:
        """Known and off the air; a room id alone is not live."""
        _, sink, started = self.start("offline_ann")
        self.run_for(1)
        self.assertEqual(self.failed(started), ("STREAM_NOT_LIVE", None))
        self.assertEqual(sink.heard, [])
        self.assertEqual(self.simulator.sockets, [])

    def test_not_found(self) -> None:
        """Unknown to the look-up and to the page."""
        _, _, started = self.start("missing_ann")
        self.run_for(1)
        self.assertEqual(self.failed(started)[0], "STREAM_NOT_FOUND")
        self.assertEqual(list(self.site.asked), ["api-live/user/room", "@missing_ann/live"])

    def test_private(self) -> None:
        """A private account is a verdict, told at once."""
        _, _, started = self.start("private_ann")
        self.run_for(1)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "PRIVATE"))

    def test_unclear(self) -> None:
        """A status that is neither live nor ended is decided by the other sources."""
        self.simulator.faults.add(TikTokFault.UNCLEAR)
        _, _, started = self.start("ann")
        self.run_for(1)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertIn("webcast/room/check_alive", self.site.asked)
        _, _, started = self.start("offline_ann")
        self.run_for(1)
        self.assertEqual(self.failed(started), ("STREAM_NOT_LIVE", None))

    def test_refusals_of_the_pages(self) -> None:
        """Each refusal has its reason, is tried again in time, and is never `not live`."""
        for fault, reason in (
            (TikTokFault.CAPTCHA, "BLOCKED"),
            (TikTokFault.FORBIDDEN, "BLOCKED"),
            (TikTokFault.EMPTY, "BLOCKED"),
            (TikTokFault.SOFT_BLOCK, "BLOCKED"),
            (TikTokFault.BROKEN, "UPSTREAM_ERROR"),
            (TikTokFault.HANG, "UPSTREAM_ERROR"),
        ):
            self.simulator.faults = {fault}
            self.site.asked.clear()
            _, sink, started = self.start("ann")
            self.run_for(29)
            self.assertNoResult(started)
            self.run_for(1.5)
            self.assertEqual(self.failed(started), (UNAVAILABLE, reason), fault)
            self.assertEqual(sink.heard, [])
            asked = self.site.asked.count("api-live/user/room")
            expected = range(2, 3) if fault is TikTokFault.HANG else range(3, 12)
            self.assertIn(asked, expected, fault)
            # Until the failure is forgotten.
            self.run_for(5)

    def test_login(self) -> None:
        """Where viewers must log in, waiting does not help."""
        self.simulator.faults.add(TikTokFault.LOGIN)
        _, _, started = self.start("ann")
        self.run_for(1)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "LOGIN_REQUIRED"))

    def test_passing_trouble(self) -> None:
        """Trouble that passes within the deadline costs nothing but time."""
        self.simulator.faults.add(TikTokFault.CAPTCHA)
        _, _, started = self.start("ann")
        self.run_for(10)
        self.simulator.faults.clear()
        self.run_for(19)
        self.assertIs(self.successResultOf(started).receiving, True)

    def test_retry_after(self) -> None:
        """A 429 that says when to come again is not asked before."""
        self.simulator.faults.add(TikTokFault.TOO_MANY)
        _, _, started = self.start("ann")
        self.run_for(4.5)
        self.assertEqual(self.site.asked.count("api-live/user/room"), 1)
        self.run_for(26)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "BLOCKED"))
        self.assertLessEqual(self.site.asked.count("api-live/user/room"), 6)

    def test_cancel(self) -> None:
        """A start can be cancelled at any moment; the sink hears nothing, nothing is left."""
        for seconds in (0.0, 0.25, 0.5, 1.0):
            for fault in (None, TikTokFault.HANG, TikTokFault.SOCKET_HANG, TikTokFault.CAPTCHA):
                self.simulator.faults = {fault} if fault else set()
                watcher, sink, started = self.start("ann")
                self.run_for(seconds)
                told = list(sink.heard)
                if not started.called:
                    started.cancel()
                    self.failureResultOf(started, CancelledError)
                self.successResultOf(watcher.stop())
                self.run_for(40, 5)
                self.assertEqual(sink.heard, told)
                self.assertEqual(self.simulator.sockets, [])

    def test_stop_twice(self) -> None:
        """A stop is idempotent, also before the start; nothing is heard after it."""
        watcher, sink = self.watching("ann")
        for _ in range(2):
            self.successResultOf(watcher.stop())
        self.simulator.say("ann", say("too late"))
        self.run_for(1)
        self.assertEqual(sink.take(), [])
        sink_of_nothing: Any = sink
        bob = Located(self.tiktok.key("bob", "username"))
        never = self.tiktok.watch(bob, sink_of_nothing, Requester())
        self.successResultOf(never.stop())

    def test_identifiers(self) -> None:
        """Names in all their spellings are one account; nothing else is an account."""
        for name in ("ann", "@Ann", "https://www.tiktok.com/@ANN/live?x=1", "tiktok.com/@ann"):
            self.assertEqual(self.tiktok.key(name, "username").identifier, "ann")
        for name, kind in (("", "username"), ("a b", "username"), ("ann", "liveId")):
            error = self.assertRaises(ChatError, self.tiktok.key, name, kind)
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER)


class UpgradeTests(TikTokCase):
    """Sockets that are refused, and identities."""

    def test_stale_identity(self) -> None:
        """A refused identity is changed once, browser and all, after a pause; nobody is told."""
        self.watching("ann")
        self.simulator._identities.clear()
        _, sink, started = self.start("bob")
        self.run_for(1)
        self.assertNoResult(started)
        self.run_for(REFRESH_PAUSE)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertEqual(self.site.asked.count("live"), 2)
        self.assertEqual(self.tiktok._identity.browser, BROWSERS[1])
        self.assertEqual(sink.take(), [])

    def test_refused(self) -> None:
        """Refused again with a new identity: a verdict; what would help is named."""
        for fault, words in (
            (TikTokFault.DEVICE_BLOCKED, "DEVICE_BLOCKED"),
            (TikTokFault.ILLEGAL_KEY, "illegal secret key"),
        ):
            self.simulator.faults = {fault}
            _, _, started = self.start("ann")
            self.run_for(REFRESH_PAUSE + 1)
            error: Any = self.failureResultOf(started, ChatError).value
            self.assertEqual((error.code, error.details), (UNAVAILABLE, "SIGNER_REQUIRED"))
            self.assertIn(words, error.error)
            # Until the failure is forgotten.
            self.run_for(5)

    def test_forbidden(self) -> None:
        """A 403 to the upgrade is a block, which may pass."""
        self.simulator.faults.add(TikTokFault.SOCKET_403)
        _, _, started = self.start("ann")
        self.run_for(31)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "BLOCKED"))

    def test_no_cookie(self) -> None:
        """A page without a cookie is asked a few times, then that is the reason."""
        self.simulator.faults.add(TikTokFault.NO_COOKIE)
        _, _, started = self.start("ann")
        self.run_for(4)
        self.assertEqual(self.site.asked.count("live"), TRIES)
        self.run_for(27)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "BLOCKED"))

    def test_nobody_answers(self) -> None:
        """Refused connections, silence and garbage are trouble with the upstream."""
        self.endpoint.refusing = True
        _, _, started = self.start("ann")
        self.run_for(31)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "UPSTREAM_ERROR"))
        self.endpoint.refusing = False
        self.endpoint.hanging = True
        _, _, started = self.start("ann")
        self.run_for(31)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "UPSTREAM_ERROR"))
        self.endpoint.hanging = False
        for fault in (TikTokFault.SOCKET_HANG, TikTokFault.SOCKET_GARBAGE):
            self.simulator.faults = {fault}
            _, _, started = self.start("ann")
            self.run_for(31)
            self.assertEqual(self.failed(started), (UNAVAILABLE, "UPSTREAM_ERROR"), fault)

    def test_late_upgrade(self) -> None:
        """An upgrade that is not answered in time is given up, and the next attempt succeeds."""
        self.simulator.faults.add(TikTokFault.SOCKET_HANG)
        _, _, started = self.start("ann")
        self.run_for(OPEN_TIMEOUT - 1)
        self.simulator.faults.clear()
        self.run_for(6)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertEqual(self.endpoint.attempts, 2)

    def test_turns(self) -> None:
        """Many rooms at once take turns, and waiting for it does not count against the deadline."""
        count = HANDSHAKES.count + 40
        started = [self.start(f"room{n}")[2] for n in range(count)]
        self.run_for(1, 0.05)
        self.assertLessEqual(self.endpoint.attempts, HANDSHAKES.count + 1)
        self.run_for(45)
        self.assertEqual([one.called for one in started], [True] * count)
        for one in started:
            self.assertIs(self.successResultOf(one).receiving, True)


class BudgetTests(TikTokCase):
    """What goes out to TikTok stays within its budgets, whatever clients ask for."""

    def test_names_of_many(self) -> None:
        """Twenty clients ask for five names each that are not live; a newcomer is served soon."""
        others = [self.start(f"offline_{n}", Requester("192.0.2.1", n % 20))[2] for n in range(100)]
        self.run_for(3)
        _, sink, started = self.start("ann", Requester("192.0.2.1", 99))
        self.run_for(3)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.assertNotIn("queued", sink.heard)
        self.assertLessEqual(len(self.site.asked), LOOKUPS.count * 4)
        self.run_for(40)
        for other in others:
            self.assertEqual(self.failed(other), ("STREAM_NOT_LIVE", None))

    def test_told(self) -> None:
        """Who waits for its turn to be looked up is told; its deadline stands still."""
        starts = [self.start(f"offline_{n}") for n in range(150)]
        self.run_for(60)
        for *_, started in starts:
            self.assertEqual(self.failed(started), ("STREAM_NOT_LIVE", None))
        told = [sink.heard.count("queued") for _, sink, _ in starts]
        self.assertEqual((min(told), max(told)), (0, 5))

    def test_name_that_does_not_exist(self) -> None:
        """Asked for ten times a second for a minute: looked up once."""
        for _ in range(500):
            started = self.start("missing_ann")[2]
            self.run_for(0.1, 0.1)
            if started.called:
                self.assertEqual(self.failed(started)[0], "STREAM_NOT_FOUND")
        self.assertLessEqual(len(self.site.asked), 2)


class RequestTests(TikTokCase):
    """The upgrade as it stands on the wire."""

    settings = msgspec.structs.replace(SETTINGS, socket_url=SOCKET_URL)

    def serve(self, server: Reader) -> None:
        """From now on this is the other end of every socket."""
        self.endpoint = InMemoryEndpoint(Factory.forProtocol(lambda: server))

    def test_request(self) -> None:
        """A browser's headers, the cookie as it was given, the usual port unsaid, no extension."""
        server = Reader()
        self.serve(server)
        _, _, started = self.start("ann")
        self.run_for(0)
        self.assertEqual(self.asked_for, [("webcast-ws.tiktok.com", 443, True)])
        first, *lines = server.received.decode().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if line)
        key = headers.pop("Sec-WebSocket-Key")
        self.assertEqual(len(key), 24)
        self.assertEqual(
            headers,
            {
                "Host": "webcast-ws.tiktok.com",
                "Upgrade": "WebSocket",
                "Connection": "Upgrade",
                "Pragma": "no-cache",
                "Cache-Control": "no-cache",
                "User-Agent": BROWSERS[0].user_agent,
                "Accept-Language": "en-US,en;q=0.9",
                "Referer": "https://www.tiktok.com/",
                "Origin": "https://www.tiktok.com",
                "Cookie": "ttwid=1%7Csimulated%7C1",
                "Sec-WebSocket-Version": "13",
            },
        )
        method, target, version = first.split(" ")
        self.assertEqual((method, version), ("GET", "HTTP/1.1"))
        self.assertEqual(f"wss://webcast-ws.tiktok.com{target.partition('?')[0]}", SOCKET_URL)
        self.assertIn(f"&room_id={room_id('ann')}&identity=audience", target)
        started.cancel()
        self.failureResultOf(started, CancelledError)
        self.run_for(0)
        self.assertTrue(server.lost)

    def test_endless_head(self) -> None:
        """An answer whose head does not end is cut off; one that is no text, too."""
        for answer in (
            b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
            b"\xff\xfe\r\n\r\n",
            b"1\r\n\r\n",
        ):
            server = Reader()
            self.serve(server)
            watcher, _, started = self.start("ann")
            self.run_for(0)
            assert server.transport is not None
            server.transport.write(answer)
            self.run_for(0)
            self.assertTrue(server.lost)
            self.assertNoResult(started)
            watcher.stop()
            self.failureResultOf(started, CancelledError)


class ExplicitDirectTests(TikTokCase):
    """With `direct` chosen, not `auto`."""

    settings = msgspec.structs.replace(SETTINGS, transport="direct")

    def test_refused(self) -> None:
        """The reason is the refusal itself."""
        self.simulator.faults.add(TikTokFault.DEVICE_BLOCKED)
        _, _, started = self.start("ann")
        self.run_for(REFRESH_PAUSE + 1)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "REFUSED"))


class WithoutHistoryTests(TikTokCase):
    """With history left out."""

    settings: TikTokSettings = msgspec.structs.replace(SETTINGS, no_history=True)

    def test_history(self) -> None:
        """What was said before we came is left out; what is said then is not."""
        self.simulator.say("ann", say("before", 1))
        _, sink, _ = self.start("ann")
        self.run_for(1)
        self.simulator.say("ann", say("after", 2))
        self.run_for(0)
        self.assertEqual(sink.take(), ["after"])


class DeafServerTests(TikTokCase):
    """A server that sends and does not read."""

    def test_does_not_read(self) -> None:
        """Our answers pile up: the socket is dropped and the room is entered again."""
        _, sink = self.watching("ann")
        self.endpoint.near_transport.producer.pauseProducing()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        self.assertEqual(sink.reasons, ["the server does not read"])


class LostTests(TikTokCase):
    """Feeds that are lost and found again."""

    def test_dropped(self) -> None:
        """Told once, and again when messages come; what was said in between comes as history."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        self.simulator.drop()
        self.run_for(0)
        self.assertEqual(sink.take(), ["one", "interrupted"])
        self.simulator.say("ann", say("two", 2))
        self.run_for(4)
        self.assertEqual(sink.take(), ["resumed"])
        self.assertEqual(sink.given(), [(["two"], "all")])
        self.assertEqual(sink.infos, [LiveInfo(str(room_id("ann")), receiving=True)])
        self.assertEqual(len(self.simulator.watching("ann")), 1)

    def test_closed(self) -> None:
        """A server that closes politely is sought again, too."""
        _, sink = self.watching("ann")
        self.simulator.strike(TikTokMishap.CLOSE)
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        self.assertEqual(sink.reasons, ["closed by the server (1000)"])

    def test_revoked(self) -> None:
        """Cut and the identity refused: another identity, within seconds."""
        _, sink = self.watching("ann")
        self.simulator.strike(TikTokMishap.REVOKE)
        self.run_for(8)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        self.assertEqual(self.site.asked.count("live"), 2)

    def test_end(self) -> None:
        """An end that the room announces and TikTok confirms is told at once."""
        _, sink = self.watching("ann")
        self.simulator.room("ann").end()
        self.run_for(0)
        self.assertEqual(sink.take(), ["ended STREAM_ENDED None"])

    def test_ended_unseen(self) -> None:
        """A stream that ends while the feed is lost has ended, gifts under way included."""
        self.simulator.faults.add(TikTokFault.LOST_GIFT_ENDS)
        _, sink = self.watching("ann")
        self.simulator.say("ann", ROSES)
        self.run_for(0)
        self.simulator.drop()
        self.simulator.room("ann").end()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "gift", "ended STREAM_ENDED None"])

    def test_another_room(self) -> None:
        """A stream that ended and began anew while the feed was lost goes on in its new room."""
        _, sink = self.watching("ann")
        self.simulator.restart("ann")
        self.simulator.drop()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        self.assertEqual(sink.infos, [LiveInfo(str(room_id("ann") + 1), receiving=True)])
        self.simulator.say("ann", say("here"))
        self.run_for(0)
        self.assertEqual(sink.take(), ["here"])

    def test_blocked_meanwhile(self) -> None:
        """When nobody tells whether the stream goes on, the room is tried all the same."""
        _, sink = self.watching("ann")
        self.simulator.faults.add(TikTokFault.CAPTCHA)
        self.simulator.drop()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])

    def test_outage(self) -> None:
        """100 rooms, ten minutes without TikTok: few attempts, evenly spread, and all come back."""
        sinks = [self.start(f"room{n}")[1] for n in range(100)]
        self.run_for(130, 1)
        self.assertEqual(len(self.simulator.sockets), 100)
        for sink in sinks:
            sink.take()
        self.endpoint.refusing = True
        self.simulator.drop()
        seconds: list[int] = []
        for _ in range(600):
            before = self.endpoint.attempts
            self.run_for(1, 1)
            seconds.append(self.endpoint.attempts - before)
        self.assertIn(sum(seconds), range(400, 600 + HANDSHAKES.count + 1))
        self.assertLessEqual(max(seconds), 5)
        self.endpoint.refusing = False
        self.run_for(170, 1)
        self.assertEqual([sink.take() for sink in sinks], [["interrupted", "resumed"]] * 100)

    def test_let_in_and_dropped(self) -> None:
        """A server that lets us in, shows something and drops us at once is not hammered."""
        self.watching("ann")
        for _ in range(600):
            self.simulator.drop()
            self.run_for(1, 1)
        self.assertIn(self.endpoint.attempts, range(12, 40))

    def test_quiet_is_not_blind(self) -> None:
        """A room in which nobody writes tells its viewers: it stays, and nobody is alarmed."""
        _, sink = self.watching("ann")
        self.run_for(2 * STALLED_TIMEOUT, 1)
        self.assertEqual(sink.take(), [])
        self.assertEqual(self.endpoint.attempts, 1)

    def test_blind_from_the_start(self) -> None:
        """Let in and shown nothing: `started` says so, `reconnecting` says why."""
        self.simulator.faults.add(TikTokFault.BLIND)
        _, sink, started = self.start("ann")
        self.run_for(9)
        self.assertNoResult(started)
        self.run_for(2)
        self.assertEqual(
            self.successResultOf(started), LiveInfo(str(room_id("ann")), receiving=False)
        )
        self.run_for(NO_DATA_TIMEOUT + 5)
        self.assertEqual(sink.take(), ["interrupted"])
        self.assertEqual(sink.reasons, ["blind: heartbeats but no message for 60 s"])
        self.run_for(300, 1)
        self.assertEqual(sink.take(), [])
        self.simulator.faults.clear()
        self.run_for(130, 1)
        self.assertEqual(sink.take(), ["resumed"])
        self.assertIs(sink.infos[-1].receiving, True)

    def test_sight_after_all(self) -> None:
        """A room that was blind at first and then shows itself is known to be seen."""
        self.simulator.faults.add(TikTokFault.BLIND)
        _, sink, started = self.start("ann")
        self.run_for(11)
        self.assertIs(self.successResultOf(started).receiving, False)
        (socket,) = self.simulator.sockets
        self.simulator.faults.clear()
        socket.push([viewers(Room("ann", 0), 5, 1)])
        self.run_for(0)
        self.assertEqual(sink.take(), ["resumed"])
        self.assertIs(sink.infos[-1].receiving, True)

    def test_restricted(self) -> None:
        """A room for adults lets us in and stays silent: the reason says what it is."""
        _, sink, started = self.start("restricted_ann")
        self.run_for(11)
        self.assertIs(self.successResultOf(started).receiving, False)
        self.run_for(NO_DATA_TIMEOUT)
        self.assertEqual(
            sink.reasons, ["blind: heartbeats but no message for 60 s (AGE_RESTRICTED)"]
        )

    def test_gone_blind(self) -> None:
        """A room that was seen and then shows nothing for long is entered anew."""
        _, sink = self.watching("ann")
        self.simulator.faults.add(TikTokFault.BLIND)
        self.run_for(STALLED_TIMEOUT - 15, 1)
        self.assertEqual(sink.take(), [])
        self.run_for(30, 1)
        self.assertEqual(sink.take(), ["interrupted"])
        self.assertEqual(sink.reasons, ["blind: heartbeats but no message for 180 s"])

    def test_dead(self) -> None:
        """A socket that answers nothing is given up."""
        _, sink = self.watching("ann")
        self.simulator.faults.add(TikTokFault.DEAD)
        self.run_for(SILENCE_TIMEOUT + 15, 1)
        self.assertEqual(sink.take(), ["interrupted"])
        self.assertEqual(sink.reasons, ["nothing heard for 45 s"])

    def test_dead_from_the_start(self) -> None:
        """A socket that opens and answers nothing is no start."""
        self.simulator.faults.add(TikTokFault.DEAD)
        _, sink, started = self.start("ann")
        self.run_for(31)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "UPSTREAM_ERROR"))
        self.assertEqual(sink.heard, [])


class EndTests(TikTokCase):
    """Streams that end."""

    def test_ends(self) -> None:
        """The last comments, then the end, once."""
        _, sink = self.watching("ending_ann")
        self.simulator.say("ending_ann", say("bye"))
        self.run_for(35)
        self.assertEqual(sink.take(), ["bye", "ended STREAM_ENDED None"])
        self.assertEqual(self.simulator.sockets, [])

    def test_suspended(self) -> None:
        """TikTok itself ends a stream: the details say so."""
        _, sink = self.watching("suspended_ann")
        self.run_for(35)
        self.assertEqual(sink.take(), ["ended STREAM_ENDED SUSPENDED"])

    def test_false_alarm(self) -> None:
        """An end that two sources deny again and again is none: the room is entered anew."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", control(Room("ann", 0), 3, 99))
        self.run_for(10)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])

    def test_end_that_cannot_be_confirmed(self) -> None:
        """Where no source answers, the end that the room announced counts."""
        _, sink = self.watching("ann")
        self.simulator.faults.add(TikTokFault.CAPTCHA)
        self.simulator.say("ann", control(Room("ann", 0), 3, 99))
        self.run_for(1)
        self.assertEqual(sink.take(), ["ended STREAM_ENDED None"])

    def test_one_source_denies(self) -> None:
        """One source that denies an announced end does not outvote the room."""
        for wrong in (TikTokFault.NO_ALIVE, TikTokFault.FALSE_ALIVE):
            self.simulator.faults = {wrong, TikTokFault.NO_INFO}
            handle = wrong.name.lower()
            _, sink = self.watching(handle)
            # `api-live` goes on to say live: it is the one that is wrong.
            self.simulator.say(handle, control(Room(handle, 0), 3, 99))
            self.run_for(10)
            self.assertEqual(sink.take(), ["ended STREAM_ENDED None"], wrong)

    def test_pause(self) -> None:
        """A pause is an event and not an end."""
        _, sink = self.watching("ann")
        for action in (1, 2):
            self.simulator.say("ann", control(Room("ann", 0), action, action))
        self.run_for(1)
        paused = [e for e in sink.events if isinstance(e, ChannelEvent) and e.type == "stream"]
        self.assertEqual([fields_of(e).status for e in paused[-2:]], ["paused", "resumed"])

    def test_subscribe_after_the_end(self) -> None:
        """A new watch of what has ended is told that it is not live."""
        _, sink = self.watching("ending_ann")
        self.run_for(31)
        self.assertEqual(sink.take(), ["ended STREAM_ENDED None"])
        _, _, started = self.start("ending_ann")
        self.run_for(1)
        self.assertEqual(self.failed(started), ("STREAM_NOT_LIVE", None))


class FalseAliveTests(TikTokCase):
    """`check_alive` calls every room alive, also an impossible one, as reported in July 2026."""

    def setUp(self) -> None:
        """The answer that people quoted, whatever is asked."""
        super().setUp()
        self.observed()

    def observed(self) -> None:
        """`check_alive` gives the quoted answer from now on."""
        answer = observed.read("tiktok-check-alive-lies")
        self.simulator.answers["webcast/room/check_alive"] = answer

    def asked_alive(self) -> int:
        """How often `check_alive` has been asked."""
        return self.site.asked.count("webcast/room/check_alive")

    def test_announced_end(self) -> None:
        """The end that a room announces is told at once."""
        _, sink = self.watching("ann")
        self.simulator.room("ann").end()
        self.run_for(0)
        self.assertEqual(sink.take(), ["ended STREAM_ENDED None"])

    def test_next_live(self) -> None:
        """After a loss the next live of the account is found in its new room, within seconds."""
        _, sink = self.watching("ann")
        self.simulator.restart("ann")
        self.simulator.drop()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        self.assertEqual(sink.infos[-1], LiveInfo(str(room_id("ann") + 1), receiving=True))

    def test_ended_unseen(self) -> None:
        """A stream that ends while its room is lost has ended."""
        _, sink = self.watching("ann")
        self.simulator.drop()
        self.simulator.room("ann").end()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "ended STREAM_ENDED None"])

    def test_stale_room(self) -> None:
        """The old room id of an account without a clear status is never told as `started`."""
        self.simulator.faults |= {TikTokFault.UNCLEAR, TikTokFault.NO_INFO}
        answer = b'{"statusCode":0,"data":{"user":{"id":"9","roomId":"7300000000000000009"}}}'
        self.simulator.answers["api-live/user/room"] = answer
        self.simulator.answers["@ann/live"] = b"<html>Please wait</html>"
        _, sink, started = self.start("ann")
        self.run_for(40)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "UNCLEAR"))
        self.assertEqual(sink.heard, [])
        self.assertEqual(self.simulator.sockets, [])

    def test_stale_room_of_an_offline_account(self) -> None:
        """Where another source knows the room to be off the air, the account is not live."""
        self.simulator.faults.add(TikTokFault.UNCLEAR)
        _, _, started = self.start("offline_ann")
        self.run_for(1)
        self.assertEqual(self.failed(started), ("STREAM_NOT_LIVE", None))

    def test_ignored_from_then_on(self) -> None:
        """Found out once, it is counted and never asked again, also when it answers well again."""
        self.simulator.faults.add(TikTokFault.UNCLEAR)
        self.watching("ann")
        self.simulator.answers.clear()
        self.watching("bob")
        self.assertEqual(self.asked_alive(), 1)
        self.assertEqual(self.unparsed(), {"check_alive impossible room": 1})

    def test_only_this_room(self) -> None:
        """A lie about one room alone, which nothing gives away, does not outvote `api-live`."""
        room = room_id("ann")
        lie = {"data": [{"alive": True, "room_id_str": str(room)}, {"alive": False}]}
        self.simulator.answers["webcast/room/check_alive"] = json.dumps(lie).encode()
        _, sink = self.watching("ann")
        self.simulator.drop()
        self.simulator.room("ann").end()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "ended STREAM_ENDED None"])

    def test_api_live_alone(self) -> None:
        """After a loss `api-live` alone does not end a stream that `room/info` calls live."""
        answer = b'{"statusCode":0,"data":{"user":{"id":"9","roomId":"1"},"liveRoom":{"status":4}}}'
        self.simulator.faults.add(TikTokFault.UNCLEAR)
        _, sink = self.watching("ann")
        self.assertEqual(self.asked_alive(), 1, "it is not believed any more")
        self.simulator.answers["api-live/user/room"] = answer
        self.simulator.drop()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])

    def test_check_alive_alone(self) -> None:
        """Nor does `check_alive` alone, where `api-live` says nothing."""
        dead = {"data": [{"alive": False, "room_id_str": str(room_id("ann"))}, {"alive": False}]}
        self.simulator.answers["webcast/room/check_alive"] = json.dumps(dead).encode()
        _, sink = self.watching("ann")
        self.simulator.answers["api-live/user/room"] = b"<html>Please wait</html>"
        self.simulator.answers["@ann/live"] = b"<html>Please wait</html>"
        self.simulator.drop()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        # With a second source that says so it is over.
        self.simulator.drop()
        self.simulator.room("ann").end()
        self.run_for(5)
        self.assertEqual(sink.take(), ["interrupted", "ended STREAM_ENDED None"])


class FrameTests(TikTokCase):
    """Frames good and bad."""

    def test_garbage(self) -> None:
        """Bad frames cost themselves: counted by name, the connection stays, good ones arrive."""
        _, sink = self.watching("ann")
        self.simulator.strike(TikTokMishap.GARBAGE)
        self.simulator.say("ann", say("after"))
        self.run_for(0)
        self.assertEqual(sink.take(), ["after"])
        self.assertEqual(self.endpoint.attempts, 1)
        self.assertEqual(
            self.unparsed(),
            {
                "frame ": 1,
                "frame unreadable": 2,
                "gzip unreadable": 2,
                "batch too large": 1,
                "frame something_new": 1,
                "envelope unreadable": 2,
                "WebcastChatMessage unreadable": 1,
                "": 1,
                "text frame": 1,
            },
        )

    def test_oversized(self) -> None:
        """A frame beyond the limit ends the connection, and another one is made."""
        _, sink = self.watching("ann")
        self.simulator.strike(TikTokMishap.OVERSIZED)
        self.run_for(8)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])

    def test_uncompressed(self) -> None:
        """Frames need not be compressed."""
        self.simulator.faults.add(TikTokFault.UNCOMPRESSED)
        _, sink = self.watching("ann")
        self.simulator.say("ann", say("plain"))
        self.run_for(0)
        self.assertEqual(sink.take(), ["plain"])

    def test_gifts(self) -> None:
        """A streak is told once, when it ends; also when its end is lost, in a quiet room."""
        _, sink = self.watching("ann")
        self.simulator.say("ann", ROSES)
        self.run_for(0)
        self.assertEqual(sink.take(), ["gift"])
        self.simulator.faults.add(TikTokFault.LOST_GIFT_ENDS)
        self.run_for(1)
        self.simulator.say("ann", ROSES)
        self.run_for(14)
        self.assertEqual(sink.take(), [])
        self.run_for(7)
        self.assertEqual(sink.take(), ["gift"])
        gifts = [e for e in sink.events if isinstance(e, ChannelEvent) and e.type == "gift"]
        self.assertEqual(
            [(fields_of(e).count, fields_of(e).price.value) for e in gifts], [(5, 5), (5, 5)]
        )

    def test_message_that_fails(self) -> None:
        """A mistake of ours in a message costs its frame, is counted, and the connection stays."""
        _, sink = self.watching("ann")

        def mistake(*given: object) -> None:
            raise ZeroDivisionError

        broken = self.patch(Translator, "translate", mistake)
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        broken.restore()
        self.simulator.say("ann", say("two", 2))
        self.run_for(0)
        self.assertEqual(sink.take(), ["two"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.unparsed(), {"frame failed": 1})
        self.assertEqual(self.endpoint.attempts, 1)


class MistakeTests(TikTokCase):
    """Mistakes of ours cost a step: it is logged, counted, and the watch goes on."""

    def broken(self, where: object, name: str) -> Any:
        """A part that makes a mistake until it is restored."""

        def mistake(*given: object) -> None:
            raise ZeroDivisionError

        return self.patch(where, name, mistake)

    def failures(self) -> int:
        """How many steps have failed: as many as are counted."""
        value = self.metrics.registry.get_sample_value(
            "livechat_failures_total", {"part": "tiktok"}
        )
        # Of many that fail within a short time not all have a traceback.
        self.assertLessEqual(len(self.flushLoggedErrors(ZeroDivisionError)), value or 0)
        return int(value or 0)

    def test_sink(self) -> None:
        """What a sink raises, whenever it is called, costs what it was given."""
        _, sink = self.watching("ann")
        received = self.broken(sink, "received")
        self.simulator.say("ann", say("one", 1))
        self.run_for(0)
        received.restore()
        interrupted, resumed = self.broken(sink, "interrupted"), self.broken(sink, "resumed")
        self.simulator.drop()
        self.run_for(5)
        interrupted.restore()
        resumed.restore()
        self.assertEqual(len(self.simulator.watching("ann")), 1)
        sink.take()
        self.simulator.say("ann", say("two", 2))
        self.run_for(0)
        self.assertEqual(sink.take(), ["two"])
        self.assertEqual(self.failures(), 3)

    def test_attempt(self) -> None:
        """An attempt that fails by a mistake is followed by another one."""
        _, sink = self.watching("ann")
        look = self.broken(Lookup, "find")
        self.simulator.drop()
        self.run_for(2.5)
        look.restore()
        self.run_for(30)
        self.assertEqual(sink.take(), ["interrupted", "resumed"])
        self.assertGreaterEqual(self.failures(), 1)

    def test_start(self) -> None:
        """A start is tried again until its deadline, and then says that something is wrong."""
        look = self.broken(Lookup, "find")
        _, sink, started = self.start("ann")
        self.run_for(5)
        self.assertNoResult(started)
        look.restore()
        self.run_for(20)
        self.assertIs(self.successResultOf(started).receiving, True)
        self.broken(Lookup, "find")
        _, sink, started = self.start("bob")
        self.run_for(31)
        self.assertEqual(self.failed(started), (UNAVAILABLE, "UPSTREAM_ERROR"))
        self.assertEqual(sink.heard, [])
        self.assertGreater(self.failures(), 1)


class ServiceTests(TikTokCase):
    """The platform as a service."""

    def test_stop_leaves_everything(self) -> None:
        """A stopped platform has no socket, no timer and no request; `tearDown` looks."""
        started: list[Deferred[LiveInfo]] = []
        for name, fault in (("a", None), ("b", TikTokFault.HANG), ("c", TikTokFault.CAPTCHA)):
            self.simulator.faults = {fault} if fault else set()
            started.append(self.start(name)[2])
            self.run_for(1)
        self.tiktok.stopService()
        self.successResultOf(started[0])
        for one in started[1:]:
            self.failureResultOf(one, CancelledError)

    def test_connections_are_counted(self) -> None:
        """Every connection is counted."""
        self.watching("ann")
        self.simulator.drop()
        self.run_for(5)
        self.assertIn(
            b'livechat_upstream_connects_total{platform="tiktok"} 2.0', self.metrics.exposition()
        )
