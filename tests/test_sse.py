# SPDX-License-Identifier: MIT
"""Server-sent events, beside WebSocket on one port: the contracts, and every answer."""

from __future__ import annotations

import re
from typing import Any

import txaio
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from livechat.addresses import network
from livechat.core.clients import Place
from livechat.core.ports import IEncoding, ISubscriber
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.model.error_catalogue import BLOCKED, ENDED, PRIVATE
from livechat.model.errors import ChatError, CloseCode, ErrorCode
from livechat.model.events import ChannelKey
from livechat.transports.client_registry import ClientRegistry, Limits
from livechat.transports.http_or_websocket import PortFactory
from livechat.transports.ping_wheel import PING_INTERVAL
from livechat.transports.sse import END_TIMEOUT, HEAD_TIMEOUT, EventStream, EventStreams
from livechat.transports.sse_encodings import ONE_CHAT, SEVERAL_CHATS, Positions
from livechat.transports.websocket import ClientFactory
from tests.contracts.encoding import EncodingContract
from tests.contracts.subscriber import SubscriberContract
from tests.support.fakes import (
    ScriptedPlatform,
    ScriptedWatcher,
    chat,
    chats,
    happening,
    hub_on,
    unframed,
)
from tests.support.schema import frames
from tests.support.sockets import pair
from tests.test_encodings import SocketSubscriber, StreamCase
from tests.test_websocket import UPGRADE, Wire, masked

ANN = ChannelKey("twitch", "username", "ann")
BOB = ChannelKey("twitch", "username", "bob")


def messages_in(data: bytes) -> list[bytes]:
    """The data of events, one after the other; comments are passed over."""
    *events, rest = data.split(b"\n\n")
    assert rest == b"", rest
    return [
        line.removeprefix(b"data: ")
        for event in events
        for line in event.split(b"\n")
        if line.startswith(b"data: ")
    ]


class OneChatTests(StreamCase, EncodingContract):
    """The encoding for one chat keeps the contract."""

    encoding: IEncoding = ONE_CHAT

    def decoded(self, data: bytes) -> list[bytes]:
        """The data of each event."""
        return messages_in(data)

    def test_bytes(self) -> None:
        """The type names the event; what was published has its place as `id`."""
        message = b'{"type":"chat","data":{}}'
        expected = b"event: chat\ndata: " + message + b"\n"
        self.assertEqual(self.encoding.encode(message), expected + b"\n")
        place = Place(ANN, "e1", 7)
        self.assertEqual(self.encoding.encode(message, place), expected + b"id: e1:7\n\n")


class Stream(SocketSubscriber):
    """A subscriber on a real socket that watches several chats."""

    positions = Positions((ANN, BOB), (b"-", b"-"))

    def write_encoded(self, data: bytes) -> None:
        """Straight to the socket, if there is one."""
        try:
            self.near.send(data) if self.direct >= 0 else None
        except OSError:
            return


class SeveralChatsTests(StreamCase, EncodingContract):
    """The encoding for several chats keeps the contract."""

    encoding: IEncoding = SEVERAL_CHATS

    def make_end(self) -> Stream:
        """See the contract."""
        return Stream(self.encoding, *pair(self))

    def decoded(self, data: bytes) -> list[bytes]:
        """The data of each event."""
        return messages_in(data)


class PositionsTests(SynchronousTestCase):
    """The `id` of somebody who watches several chats."""

    def test_together(self) -> None:
        """Each event moves its own chat, and all are told each time; other messages have none."""
        positions = Positions((ANN, BOB, None), (b"-", b"e2:5", b"-"))
        data = b"".join(
            SEVERAL_CHATS.encode(message, place)
            for message, place in (
                (b'{"type":"chat"}', Place(ANN, "e1", 1)),
                (b'{"type":"stats"}', None),
                (b'{"type":"event"}', Place(BOB, "e2", 6)),
                (b'{"type":"chat"}', Place(ANN, "e1", 2)),
            )
        )
        self.assertEqual(
            positions.marked(data),
            b'event: chat\ndata: {"type":"chat"}\nid: e1:1,e2:5,-\n\n'
            b'event: stats\ndata: {"type":"stats"}\n\n'
            b'event: event\ndata: {"type":"event"}\nid: e1:1,e2:6,-\n\n'
            b'event: chat\ndata: {"type":"chat"}\nid: e1:2,e2:6,-\n\n',
        )

    def test_named_twice(self) -> None:
        """A chat that was asked for twice moves in both places."""
        positions = Positions((ANN, ANN), (b"e1:1", b"-"))
        marked = positions.marked(SEVERAL_CHATS.encode(b"{}", Place(ANN, "e1", 4)))
        self.assertEqual(marked, b"data: {}\nid: e1:4,e1:4\n\n")


class StreamingCase(SynchronousTestCase):
    """One port with both transports, one registry, one scripted platform."""

    limits = Limits(pending=1000, connections=3, per_address=2)

    def setUp(self) -> None:
        """No client yet; Autobahn's own timers run on our clock, too."""
        self.clock = Clock()
        self.patch(txaio.config, "loop", self.clock)  # type: ignore[attr-defined]
        self.metrics = Metrics()
        self.platform = ScriptedPlatform()
        self.hub = hub_on(self.clock, self.metrics)

        def session(subscriber: ISubscriber) -> Session:
            platforms = {"twitch": self.platform}
            return Session(subscriber, self.hub, platforms, Quotas(), self.clock, self.metrics)

        self.registry = ClientRegistry(self.clock, self.limits, self.metrics, session)
        self.streams = EventStreams(self.clock, self.registry)
        transports: list[Any] = [ClientFactory(self.clock, self.registry), self.streams]
        self.port = PortFactory(transports, Factory(), self.clock, 10.0)

    def connect(self, request: bytes) -> tuple[Any, Wire]:
        """A connection that has sent its request; its protocol, and what is at the far end."""
        reader, wire = self.port.buildProtocol(None), Wire()
        wire.protocol = reader  # type: ignore[attr-defined]
        reader.makeConnection(wire)
        reader.dataReceived(request)
        self.clock.advance(0)
        return wire.protocol, wire  # type: ignore[attr-defined]

    def ask(self, query: str, *headers: str, method: str = "GET") -> tuple[EventStream, Wire]:
        """A request of a stream."""
        lines = [f"{method} /sse?{query} HTTP/1.1", "Host: x", *headers, "", ""]
        connection, wire = self.connect("\r\n".join(lines).encode())
        assert isinstance(connection, EventStream)
        return connection, wire

    def stream(self, query: str = "platform=twitch&identifier=ann") -> tuple[EventStream, Wire]:
        """A stream of chats that are live; its greeting is taken."""
        connection, wire = self.ask(query)
        for watcher in self.platform.watchers:
            if watcher.started is not None and not watcher.started.called:
                watcher.live()
        self.clock.advance(0)
        head, data = self.answer(wire)
        self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
        self.assertIn(b'"started"', data)
        return connection, wire

    def answer(self, wire: Wire) -> tuple[str, bytes]:
        """Head and body of an answer."""
        head, _, body = wire.take().partition(b"\r\n\r\n")
        return head.decode(), body

    def events(self, wire: Wire) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, `id` and message of the events since the last call."""
        return self.events_of(wire.take())

    def events_of(self, data: bytes) -> list[tuple[str, str, dict[str, Any]]]:
        """The same of these bytes."""
        found = []
        for text in data.decode().replace(":\n\n", "").split("\n\n")[:-1]:
            match = re.fullmatch(r"event: (\w+)\ndata: (.*)(?:\nid: (.*))?", text)
            assert match, text
            message = frames().read(match[2])
            found.append((match[1], match[3] or "", message))
        return found

    def leave(self, connection: EventStream) -> None:
        """The client is gone."""
        connection.connectionLost(Failure(ConnectionDone()))

    def sample(self, name: str, **labels: str) -> float:
        """What a metric says."""
        return self.metrics.registry.get_sample_value(name, labels) or 0


class ContractTests(SubscriberContract, StreamingCase):
    """A stream keeps the contract of subscribers."""

    def make_subscriber(self) -> ISubscriber:
        """See the contract."""
        stream, self.wire = self.stream()
        return stream

    def text_frames(self) -> list[bytes]:
        """See the contract."""
        return messages_in(self.wire.take())


class SeveralContractTests(ContractTests):
    """So does a stream of several chats."""

    def make_subscriber(self) -> ISubscriber:
        """See the contract."""
        stream, self.wire = self.stream("platform=twitch&identifier=ann&identifier=bob")
        return stream


class MessageTests(StreamingCase):
    """What a stream says."""

    def test_head(self) -> None:
        """The head is an event stream's, may be read by every page, and is stored nowhere."""
        _, wire = self.ask("platform=twitch&identifier=ann")
        self.assertEqual(wire.take(), b"")
        self.platform.watchers[-1].live()
        head, _ = self.answer(wire)
        status, *lines = head.split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        self.assertEqual(status, "HTTP/1.1 200 OK")
        for name, value in (
            ("content-type", "text/event-stream"),
            ("cache-control", "no-store"),
            ("connection", "close"),
            ("x-accel-buffering", "no"),
            ("x-content-type-options", "nosniff"),
            ("access-control-allow-origin", "*"),
        ):
            self.assertEqual(headers[name], value)
        self.assertTrue(wire.no_delay)

    def test_events(self) -> None:
        """Every message is an event by its type; chats and events have their place as `id`."""
        _, wire = self.stream("platform=twitch&identifier=Ann&events=raid&stats=1")
        watcher = self.platform.watchers[-1]
        watcher.sink.received([chat("m1"), happening("gift"), happening("raid")])
        for _ in range(20):
            self.clock.advance(0.1)
        told = self.events(wire)
        self.assertEqual([kind for kind, _, _ in told], ["chat", "event", "stats"])
        marks = [mark for _, mark, _ in told]
        self.assertRegex(marks[0], r"^[0-9a-z]{1,16}:1$")
        self.assertEqual(marks[1:], [marks[0][:-1] + "3", ""])
        self.assertEqual(told[0][2]["data"]["message_id"], "m1")
        self.assertEqual((told[0][2]["platform"], told[0][2]["identifier"]), ("twitch", "ann"))
        watcher.sink.interrupted("lost")
        ((kind, _, message),) = self.events(wire)
        self.assertEqual((kind, message["status"]), ("status", "reconnecting"))
        self.assertEqual(message["identifier"], "Ann")

    def test_several(self) -> None:
        """The `id` lists the places in all chats in the order of the query."""
        _, wire = self.stream("platform=twitch&identifier=ann&platform=twitch&identifier=@Bob")
        ann, bob = self.platform.watchers
        bob.sink.received([chat("b1")])
        ((_, mark, message),) = self.events(wire)
        self.assertRegex(mark, r"^-,[0-9a-z]+:1$")
        self.assertEqual(message["identifier"], "bob")
        ann.sink.received([chat("a1"), chat("a2")])
        marks = [mark for _, mark, _ in self.events(wire)]
        epoch, other = mark.removeprefix("-,").partition(":")[0], marks[0].partition(":")[0]
        self.assertEqual(marks, [f"{other}:1,{epoch}:1", f"{other}:2,{epoch}:1"])

    def test_goes_on(self) -> None:
        """Where nothing comes, the `id` keeps what the client said that it has."""
        connection, wire = self.ask(
            "platform=twitch&identifier=ann&identifier=bob", "Last-Event-ID: e1:3,e2:4"
        )
        for watcher in self.platform.watchers:
            watcher.live()
        self.clock.advance(0)
        wire.take()
        self.platform.watchers[0].sink.received([chat("a1")])
        ((_, mark, _),) = self.events(wire)
        self.assertRegex(mark, r"^[0-9a-z]+:1,e2:4$")
        self.assertIs(connection.encoding, SEVERAL_CHATS)

    def test_resumes(self) -> None:
        """After `Last-Event-ID` comes what was missed, once and in order, and then what is new."""
        self.stream("platform=twitch&identifier=ann&stats=false")
        sink = self.platform.watchers[-1].sink
        query = "platform=twitch&identifier=ann&stats=false"
        away, wire = self.ask(query)
        wire.take()
        sink.received(chats(2))
        *_, (_, mark, _) = self.events(wire)
        self.leave(away)
        sink.received(chats(5, 2))
        missed = ["m2", "m3", "m4", "m5", "m6"]
        ways = (("", f"Last-Event-ID: {mark}"), (f"&since={mark}", "X: "))
        for number, (more, header) in enumerate(ways):
            back, wire = self.ask(query + more, header)
            self.clock.advance(0.1)
            sink.received([chat(f"new{number}")])
            self.clock.advance(0.1)
            missed.append(f"new{number}")
            _, started, *told = self.events_of(self.answer(wire)[1])
            self.assertIs(started[2]["recovered"], True)
            self.assertEqual([m["data"]["message_id"] for _, _, m in told], missed)
            self.assertEqual(told[0][1], f"{mark[:-1]}3")
            self.leave(back)

    def test_several_resume(self) -> None:
        """With several chats each goes on from its own place."""
        query = "platform=twitch&identifier=ann&identifier=bob&stats=false"
        self.stream(query)
        ann, bob = self.platform.watchers
        away, wire = self.ask(query)
        wire.take()
        ann.sink.received(chats(1))
        bob.sink.received(chats(2))
        *_, (_, mark, _) = self.events(wire)
        self.leave(away)
        ann.sink.received(chats(1, 1))
        bob.sink.received(chats(2, 2))
        _, wire = self.ask(query, f"Last-Event-ID: {mark}")
        self.clock.advance(0.1)
        events = [e for e in self.events_of(self.answer(wire)[1]) if e[0] == "chat"]
        self.assertEqual(
            [(m["identifier"], m["seq"]) for _, _, m in events],
            [("ann", 2), ("bob", 3), ("bob", 4)],
        )
        epochs = [each.partition(":")[0] for each in mark.split(",")]
        self.assertEqual(
            [place for _, place, _ in events],
            [f"{epochs[0]}:2,{epochs[1]}:{number}" for number in (2, 3, 4)],
        )

    def test_comments(self) -> None:
        """A comment comes each 25 seconds; none while the answer is held back."""
        stream, wire = self.stream("platform=twitch&identifier=ann&stats=false")
        for _ in range(2):
            for _ in range(PING_INTERVAL * 8):
                self.clock.advance(1 / 8)
            self.assertEqual(wire.take(), b":\n\n")
        self.leave(stream)
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_long_start(self) -> None:
        """An answer is held back for ten seconds; then it begins, whatever comes of it."""
        stream, wire = self.ask("platform=twitch&identifier=ann")
        self.clock.advance(HEAD_TIMEOUT - 0.1)
        self.assertEqual(wire.take(), b"")
        self.clock.advance(0.1)
        head, body = self.answer(wire)
        self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
        self.assertEqual(body, b"")
        self.platform.watchers[-1].fail()
        self.clock.advance(0)
        ((kind, _, message),) = self.events(wire)
        self.assertEqual((kind, message["code"]), ("error", "STREAM_NOT_LIVE"))
        self.assertTrue(wire.disconnecting)
        self.leave(stream)
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_queued(self) -> None:
        """A start that waits for its turn says so, and so the answer begins."""
        _, wire = self.ask("platform=twitch&identifier=ann")
        self.platform.watchers[-1].sink.queued()
        head, body = self.answer(wire)
        self.assertTrue(head.startswith("HTTP/1.1 200 OK\r\n"), head)
        self.assertIn(b'"waiting"', body)


class RefusalTests(StreamingCase):
    """Errors that end everything."""

    def refused(self, query: str, status: int, code: str) -> None:
        """The query is answered with a status, and the error as an event."""
        stream, wire = self.ask(query)
        self.check_refused(wire, status, code)
        self.leave(stream)
        self.assertEqual(len(self.registry), 0)

    def check_refused(self, wire: Wire, status: int, *codes: str) -> None:
        """The answer is nothing but errors."""
        head, body = self.answer(wire)
        self.assertTrue(head.startswith(f"HTTP/1.1 {status} "), head)
        self.assertIn("\r\ncontent-type: text/event-stream\r\n", head)
        self.assertIn("\r\naccess-control-allow-origin: *\r\n", head)
        told = [frames().read(message) for message in messages_in(body)]
        self.assertEqual([message["code"] for message in told], list(codes))
        self.assertEqual(body.count(b"event: error\n"), len(codes))
        self.assertTrue(wire.disconnecting)

    def test_at_once(self) -> None:
        """What is wrong with the query is 400."""
        for query, code in (
            ("", "UNSUPPORTED_PLATFORM"),
            ("platform=twitch", "INVALID_IDENTIFIER"),
            ("platform=kick&identifier=ann", "UNSUPPORTED_PLATFORM"),
            ("platform=twitch&identifier=bad", "INVALID_IDENTIFIER"),
            ("platform=twitch&identifier=ann&identifierType=x", "INVALID_IDENTIFIER"),
            ("platform=twitch&identifier=ann&events=raids", "INVALID_OPTION"),
            ("platform=twitch&identifier=ann&stats=0", "INVALID_OPTION"),
            ("platform=twitch&identifier=ann&since=x", "INVALID_OPTION"),
            (
                "platform=a&platform=b&identifier=1&identifier=2&identifier=3",
                "INVALID_OPTION",
            ),
        ):
            self.refused(query, 400, code)

    def test_later(self) -> None:
        """So are errors of the start: 503 where they may pass, and 403 or 404 where not."""
        for error, status in (
            (ChatError(ErrorCode.STREAM_NOT_LIVE, "Not live"), 503),
            (ChatError(ErrorCode.STREAM_NOT_FOUND, "Missing"), 404),
            (BLOCKED.error(), 503),
            (PRIVATE.error(), 403),
        ):
            stream, wire = self.ask("platform=twitch&identifier=ann")
            self.assertEqual(wire.take(), b"")
            self.fail_with(self.platform.watchers[-1], error)
            self.clock.advance(0)
            self.check_refused(wire, status, error.code)
            self.leave(stream)

    def fail_with(self, watcher: ScriptedWatcher, error: ChatError) -> None:
        """A start fails."""
        assert watcher.started is not None
        watcher.started.errback(error)

    def test_all_of_several(self) -> None:
        """Only when nothing is left to come; whatever may pass makes it 503."""
        query = "platform=twitch&identifier=ann&identifier=bob&identifier=bad"
        stream, wire = self.ask(query)
        ann, bob = self.platform.watchers
        ann.fail(ErrorCode.STREAM_NOT_FOUND)
        self.clock.advance(0)
        self.assertEqual(wire.take(), b"")
        bob.fail()
        self.clock.advance(0)
        codes = ("INVALID_IDENTIFIER", "STREAM_NOT_FOUND", "STREAM_NOT_LIVE")
        self.check_refused(wire, 503, *codes)
        self.leave(stream)

    def test_some_of_several(self) -> None:
        """Where one chat flows, the errors of others are events, in their order."""
        _, wire = self.ask("platform=twitch&identifier=bad&identifier=ann")
        self.platform.watchers[-1].live()
        self.clock.advance(0)
        head, body = self.answer(wire)
        self.assertTrue(head.startswith("HTTP/1.1 200 "))
        told = [frames().read(message) for message in messages_in(body)]
        self.assertEqual([m["type"] for m in told], ["error", "status", "status", "stats"])
        self.assertFalse(wire.disconnecting)

    def test_the_end(self) -> None:
        """The end of the last chat ends the answer."""
        stream, wire = self.stream("platform=twitch&identifier=ann&identifier=bob&identifier=ann")
        ann, bob = self.platform.watchers
        ann.sink.ended(ENDED.error())
        self.clock.advance(0)
        self.assertEqual([kind for kind, _, _ in self.events(wire)], ["error"])
        self.assertFalse(wire.disconnecting)
        bob.sink.received([chat("b1")])
        bob.sink.ended(ENDED.error())
        self.clock.advance(0)
        self.assertEqual([kind for kind, _, _ in self.events(wire)], ["chat", "error"])
        self.assertTrue(wire.disconnecting)
        # Who does not read the end is dropped.
        self.assertFalse(wire.lost)
        self.clock.advance(END_TIMEOUT)
        self.assertTrue(wire.lost)
        self.leave(stream)

    def test_methods(self) -> None:
        """HEAD has the head of a stream; other methods but OPTIONS are 405."""
        stream, wire = self.ask("platform=twitch&identifier=ann", method="HEAD")
        head, body = self.answer(wire)
        self.assertTrue(head.startswith("HTTP/1.1 200 "))
        self.assertIn("content-type: text/event-stream", head)
        self.assertEqual((body, wire.disconnecting), (b"", True))
        self.leave(stream)
        for method in ("POST", "PUT", "DELETE", "BREW"):
            stream, wire = self.ask("platform=twitch&identifier=ann", method=method)
            head, _ = self.answer(wire)
            self.assertTrue(head.startswith("HTTP/1.1 405 Method Not Allowed\r\n"))
            self.assertIn("\r\nallow: GET, HEAD, OPTIONS", head)
            self.leave(stream)
        self.assertEqual((len(self.platform.watchers), self.streams.connections), (0, 0))

    def test_whose_request(self) -> None:
        """Other paths, and what is no request, are the site's."""
        for line, taken in (
            (b"GET /sse HTTP/1.1", True),
            (b"GET /sse?x HTTP/1.0", True),
            (b"OPTIONS /sse HTTP/1.1", False),
            (b"GET /sse/ HTTP/1.1", False),
            (b"GET /ssex HTTP/1.1", False),
            (b"GET /sse", False),
            (b"GET  /sse HTTP/1.1", False),
            (b"", False),
        ):
            self.assertEqual(self.streams.takes(line + b"\r\nHost: x"), taken, line)

    def test_our_failure(self) -> None:
        """A failure of ours is 500, and in the log."""
        self.platform.key = lambda *_: 1 / 0  # type: ignore[method-assign,assignment]
        _, wire = self.ask("platform=twitch&identifier=ann&identifier=bob")
        self.assertTrue(self.answer(wire)[0].startswith("HTTP/1.1 500 "))
        self.assertTrue(wire.disconnecting)
        self.assertGreaterEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class SharedTests(StreamingCase):
    """What holds for clients of every transport."""

    def test_one_chat_for_both(self) -> None:
        """Clients of both transports watch one chat and receive the same messages."""
        _, events = self.stream("platform=twitch&identifier=ann&stats=false")
        socket, frames = self.connect(UPGRADE + b"\r\n")
        frames.take()
        socket.dataReceived(masked(b'{"type":"subscribe","platform":"twitch","identifier":"ann"}'))
        self.clock.advance(0)
        frames.take()
        self.platform.watchers[-1].sink.received(chats(3))
        self.clock.advance(0.1)
        received = messages_in(events.take())
        self.assertEqual(len(received), 3)
        self.assertEqual(unframed(frames.take())[:3], received)

    def test_limits(self) -> None:
        """Connections of all transports count against the same limits and in the same gauge."""
        self.stream()
        self.connect(UPGRADE + b"\r\n")
        self.assertEqual(len(self.registry), 2)
        self.assertEqual(self.sample("livechat_clients"), 2)
        refused, wire = self.ask("platform=twitch&identifier=ann")
        head, body = self.answer(wire)
        self.assertTrue(head.startswith("HTTP/1.1 503 "))
        self.assertEqual(body, b"too many connections from this address\n")
        refusals = {"status": "503", "reason": "address"}
        self.assertEqual(self.sample("livechat_refused_upgrades_total", **refusals), 1)
        self.assertEqual(self.streams.connections, 2)
        self.leave(refused)
        self.assertEqual(self.streams.connections, 1)
        self.assertEqual(len(self.registry), 2)

    def test_left(self) -> None:
        """A client that leaves makes place for another, and its chat is let go of."""
        for _ in range(5):
            stream, _ = self.stream()
            self.leave(stream)
            self.clock.advance(0)
        self.assertEqual(len(self.registry), 0)
        self.assertEqual([watcher.stops for watcher in self.platform.watchers], [1] * 5)

    def test_left_before_the_answer(self) -> None:
        """So does one that leaves while its chat is being started."""
        stream, wire = self.ask("platform=twitch&identifier=ann")
        self.leave(stream)
        self.clock.advance(0)
        self.assertEqual((wire.take(), len(self.registry), self.hub.active_streams), (b"", 0, 0))

    def test_slow_reader(self) -> None:
        """One that does not read is held for up to the bound, then closed and counted."""
        stream, wire = self.stream()
        stream.pauseProducing()
        stream.send(b"x" * 500)
        self.assertEqual((wire.take(), stream.pending), (b"", 508))
        stream.send(b"x" * 500)
        self.assertEqual((wire.disconnecting, stream.pending), (True, 0))
        self.assertEqual(self.sample("livechat_closed_total", reason="slow"), 1)
        stream.send(b"more")
        self.assertEqual(wire.take(), b"")

    def test_drain(self) -> None:
        """A shutdown ends all streams; what waited is sent; nobody comes in."""
        stream, wire = self.stream()
        early, unanswered = self.ask("platform=twitch&identifier=bob")
        stream.pauseProducing()
        stream.send(b"waiting")
        drained = self.registry.drain(5.0)
        self.assertEqual(messages_in(wire.take()), [b"waiting"])
        self.assertTrue(wire.disconnecting)
        self.assertTrue(self.answer(unanswered)[0].startswith("HTTP/1.1 503 "))
        for connection in (stream, early):
            self.assertNoResult(drained)
            self.leave(connection)
        self.successResultOf(drained)
        _, late = self.ask("platform=twitch&identifier=ann")
        self.assertTrue(self.answer(late)[0].startswith("HTTP/1.1 503 "))

    def test_what_nobody_asked_for(self) -> None:
        """What a client sends after its request is not read, and too much of it ends it."""
        stream, wire = self.stream()
        stream.dataReceived(b"GET /sse?identifier=x HTTP/1.1\r\n\r\n")
        self.assertEqual((wire.take(), wire.lost), (b"", False))
        for _ in range(3):
            stream.dataReceived(b"x" * 40_000)
        self.assertTrue(wire.lost)

    def test_close_codes(self) -> None:
        """Whatever a stream is closed for, it ends once."""
        for code in CloseCode:
            stream, wire = self.stream()
            stream.close(code, "bye")
            stream.close(CloseCode.POLICY, "bye")
            self.assertEqual((wire.take(), wire.disconnecting), (b"", True))
            self.leave(stream)


class ProxyTests(StreamingCase):
    """Behind a proxy that is trusted."""

    limits = Limits(per_address=1, trusted_proxies=(network("192.168.0.0/16"),))

    def test_address(self) -> None:
        """A client counts for the address that the proxy names."""
        for address, status in (("203.0.113.1", ""), ("203.0.113.1", "503"), ("203.0.113.2", "")):
            connection, wire = self.ask(
                "platform=twitch&identifier=ann", f"X-Forwarded-For: {address}"
            )
            self.assertEqual(self.answer(wire)[0][9:12], status)
            if not status:
                self.assertEqual(connection.requester.address, address)


class OriginTests(StreamingCase):
    """Pages of other origins."""

    limits = Limits(origins=("https://good.example",))

    def test_origins(self) -> None:
        """A page that is not allowed is 403, one that is may read, and what is no page too."""
        _, wire = self.ask("platform=twitch&identifier=ann", "Origin: https://bad.example")
        head, _ = self.answer(wire)
        self.assertTrue(head.startswith("HTTP/1.1 403 "))
        self.assertNotIn("access-control-allow-origin", head)
        for headers in (("Origin: https://good.example",), ()):
            _, wire = self.ask("platform=twitch&identifier=ann", *headers)
            for watcher in self.platform.watchers:
                if watcher.started is not None and not watcher.started.called:
                    watcher.live()
            self.clock.advance(0)
            head, _ = self.answer(wire)
            self.assertTrue(head.startswith("HTTP/1.1 200 "), head)
            self.assertEqual("access-control-allow-origin" in head, bool(headers))
            self.assertIn("\r\nvary: Origin\r\n", head)
