# SPDX-License-Identifier: MIT
"""Black box: the real daemon as a process, a foreign client, a simulated Twitch on a port.

The numbers in the docstrings are those of the acceptance list of the original service's behaviour.
"""

from __future__ import annotations

import http.client
import signal
import socket
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import msgspec
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.server import Site

from livechat.core.stats import PUSH_INTERVAL
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import Settings
from livechat.simulator.twitch_faults import Fault
from tests.support.daemon import PATIENCE, Client, Daemon, start_daemon
from tests.test_websocket import UPGRADE


def privmsg(channel: str, text: str, **tags: str) -> bytes:
    """A PRIVMSG line as Twitch sends them; `_` in a tag's name stands for `-`."""
    privmsg.count += 1  # type: ignore[attr-defined]
    n = privmsg.count  # type: ignore[attr-defined]
    given = {
        "id": f"00000000-0000-4000-8000-{n:012d}",
        "display-name": "Ann_Sample",
        "room-id": "4242",
        "user-id": "1001",
        "tmi-sent-ts": "1767323045678",
        **{name.replace("_", "-"): value for name, value in tags.items()},
    }
    head = ";".join(f"{name}={value}" for name, value in given.items())
    user = "ann_sample"
    return f"@{head} :{user}!{user}@{user}.tmi.twitch.tv PRIVMSG #{channel} :{text}".encode()


privmsg.count = 0  # type: ignore[attr-defined]


class DaemonCase(TestCase):
    """A daemon that reads a simulated Twitch in this process."""

    timeout = 240
    options: tuple[str, ...] = ("--linger=0",)

    async def setUp(self) -> None:  # type: ignore[override]
        """Start both; every channel is quiet but for what the test says."""
        quiet = Scenario(1, 0.0)
        self.twitch = TwitchSimulator(reactor, time.time, quiet, Settings(ending_after=3.0))
        irc = self.listen(self.twitch)
        gql = self.listen(Site(resources(self.twitch)))
        self.daemon = start_daemon(
            reactor,
            f"--twitch-irc=tcp:127.0.0.1:{irc}",
            f"--twitch-gql-url=http://127.0.0.1:{gql}/twitch/gql",
            *getattr(getattr(self, self._testMethodName), "options", self.options),
            *self.more_addresses(gql),
        )
        self.addCleanup(self._end, self.daemon)
        await self.daemon.listening

    def more_addresses(self, port: int) -> tuple[str, ...]:
        """Options that name what else the simulator has on its HTTP port."""
        return ()

    def listen(self, factory: Any) -> int:
        """A free loopback port for a simulated server."""
        port: IListeningPort = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        number: int = port.getHost().port  # type: ignore[attr-defined]
        return number

    def _end(self, daemon: Daemon) -> Deferred[int | str]:
        daemon.kill()
        return daemon.ended

    async def client(self, path: str = "/", **options: Any) -> Client:
        """A connected client, closed at the end."""
        client = await Client.open(self.daemon.port, path, **options)
        self.addCleanup(lambda: Deferred.fromCoroutine(client.close()))
        return client

    async def watching(self, channel: str, **more: Any) -> Client:
        """A client that has been greeted on a channel."""
        client = await self.client()
        await client.subscribe(channel, **more)
        await client.until("stats")
        return client

    async def health(self) -> dict[str, Any]:
        """What /health answers."""
        url = f"http://127.0.0.1:{self.daemon.port}/health"
        body = await deferToThread(lambda: urlopen(url, timeout=PATIENCE).read())
        answer: dict[str, Any] = msgspec.json.decode(body)
        return answer

    async def come_true(self, what: Any) -> None:
        """Wait, bounded, for something to become true in another process."""
        for _ in range(int(PATIENCE / 0.02)):
            result = what()
            if hasattr(result, "__await__"):
                result = await result
            if result:
                return
            await deferLater(reactor, 0.02)
        self.fail("it did not come true")

    async def active(self, count: int) -> bool:
        """Whether so many streams are active."""
        return bool((await self.health())["activeStreams"] == count)


class SubscriptionTests(DaemonCase):
    """Who is told what, and what is shared."""

    async def test_health_counts_streams(self) -> None:
        """1: none before, one during (also for two clients), two for two channels, none after."""
        self.assertEqual(list(await self.health())[:2], ["status", "activeStreams"])
        self.assertTrue(await self.active(0))
        one = await self.watching("ann")
        two = await self.watching("ann")
        self.assertTrue(await self.active(1))
        self.assertEqual(len(self.twitch.joined("ann")), 1)
        three = await self.watching("bob")
        self.assertTrue(await self.active(2))
        self.assertEqual(len(self.twitch.connections), 1)
        for client in (one, two, three):
            await client.close()
        await self.come_true(lambda: self.active(0))
        # 15: the last client left, so the channels are left; the connection is kept for a while.
        await self.come_true(lambda: not any(c.channels for c in self.twitch.connections))

    async def test_greeting_and_late_joiner(self) -> None:
        """2: first and late subscribers get `subscribed`, then `started` with a string liveId."""
        for _ in range(2):
            client = await self.client("/ws")
            await client.subscribe("@Ann")
            first, second = await client.next(), await client.next()
            self.assertEqual(
                first,
                {
                    "type": "status",
                    "status": "subscribed",
                    "identifier": "@Ann",
                    "platform": "twitch",
                    "channel": "ann",
                    "storage_type": "memory",
                },
            )
            self.assertEqual((second["status"], second["liveId"]), ("started", "ann"))
            self.assertIs(second["live"], True)

    async def test_offline_channel_is_joined(self) -> None:
        """A Twitch room works while its streamer is offline; `started` says so."""
        client = await self.client()
        await client.subscribe("offline_ann")
        self.assertIs((await client.until("started"))["live"], False)

    async def test_missing_channel(self) -> None:
        """A channel that the platform does not know: one STREAM_NOT_FOUND, not held."""
        client = await self.client()
        await client.subscribe("missing_ann")
        error = await client.next()
        self.assertEqual(
            (error["code"], error["platform"], error["identifier"]),
            ("STREAM_NOT_FOUND", "twitch", "missing_ann"),
        )
        await client.send(type="get_stats")
        self.assertEqual((await client.next())["code"], "STREAM_NOT_FOUND")

    async def test_suspended_channel(self) -> None:
        """`msg_channel_suspended` is a coded error even where nothing can be looked up."""
        self.twitch.faults.add(Fault.GQL_ERRORS)
        client = await self.client()
        await client.subscribe("suspended_ann")
        error = await client.next()
        self.assertEqual((error["code"], error["details"]), ("STREAM_NOT_FOUND", "SUSPENDED"))

    async def test_bad_input_is_survived(self) -> None:
        """4: fresh get_stats, unknown types, broken JSON, binary: coded errors, same connection."""
        client = await self.client()
        await client.send(type="get_stats")
        self.assertEqual((await client.next())["code"], "NO_ACTIVE_CHAT")
        for raw in ('{"type":"nope"}', "{}", "[]", "null", "not json", b"\x00\x01", "[" * 5000):
            await client.send_raw(raw)
            self.assertEqual((await client.next())["code"], "INVALID_MESSAGE_TYPE")
        await client.subscribe("ann")
        await client.until("started")

    async def test_platforms_and_identifiers(self) -> None:
        """5: unknown platforms are refused; `@`, capitals and URLs mean the same channel."""
        client = await self.client()
        await client.send(type="subscribe", platform="kick", identifier="ann")
        self.assertEqual((await client.next())["code"], "UNSUPPORTED_PLATFORM")
        for name in ("ann,bob", "ann\r\nQUIT", "", "x" * 300, "https://evil.test/ann", "#ann"):
            await client.subscribe(name)
            self.assertEqual((await client.next())["code"], "INVALID_IDENTIFIER", name)
        others = [await self.client() for _ in range(3)]
        for other, name in zip(others, ("ANN", "@ann", "https://www.twitch.tv/Ann"), strict=True):
            await other.subscribe(name)
            self.assertEqual((await other.until("started"))["channel"], "ann")
        self.assertTrue(await self.active(1))

    async def test_two_chats_on_one_connection(self) -> None:
        """14: both arrive; a bare unsubscribe drops the latest, the other goes on."""
        client = await self.watching("one")
        await client.subscribe("two")
        await client.until("stats")
        for name in ("one", "two"):
            self.twitch.say(name, privmsg(name, f"in {name}"))
            chat = await client.until("chat")
            self.assertEqual(chat["identifier"], name)
            self.assertEqual(chat["data"]["data"]["content"]["raw"], f"in {name}")
        await client.send(type="unsubscribe")
        self.assertEqual((await client.until("unsubscribed"))["identifier"], "two")
        await self.come_true(lambda: not self.twitch.joined("two"))
        self.twitch.say("one", privmsg("one", "still here"))
        chat = await client.until("chat")
        self.assertEqual(chat["data"]["data"]["content"]["raw"], "still here")

    async def test_unsubscribe_and_again(self) -> None:
        """Unsubscribed, then nothing; a new subscribe to the same channel works."""
        client = await self.watching("ann")
        await client.send(type="unsubscribe")
        await client.until("unsubscribed")
        await self.come_true(lambda: self.active(0))
        await client.subscribe("ann")
        await client.until("started")


class MessageTests(DaemonCase):
    """What a message becomes."""

    async def said(self, client: Client, line: bytes) -> dict[str, Any]:
        """The chat that a line becomes."""
        self.twitch.say("ann", line)
        message: dict[str, Any] = (await client.until("chat"))["data"]
        return message

    async def test_fields(self) -> None:
        """7: emotes with positions and pictures, colons and URLs, /me, roles, times, login."""
        client = await self.watching("ann")
        emote = await self.said(client, privmsg("ann", "a👏 Kappa: b", emotes="25:3-7"))
        content = emote["data"]["content"]
        self.assertEqual(content["raw"], "a👏 Kappa: b")
        element = content["elements"][1]
        self.assertEqual((element["value"], element["position"]), ("Kappa", [4, 9]))
        self.assertEqual(
            element["metadata"]["url"],
            "https://static-cdn.jtvnw.net/emoticons/v2/25/default/dark/2.0",
        )
        self.assertEqual(content["formatted"], "a👏 :Kappa:: b")
        self.assertEqual(content["sanitized"], "a👏 : b")
        text = "see https://example.com ok: yes :) "
        link = await self.said(client, privmsg("ann", text))
        self.assertEqual(link["data"]["content"]["raw"], text)
        me = await self.said(client, privmsg("ann", "\x01ACTION waves\x01"))
        self.assertEqual(me["data"]["content"]["raw"], "waves")
        host = await self.said(client, privmsg("ann", "hi", badges="broadcaster/1", mod="0"))
        roles = host["data"]["author"]["roles"]
        self.assertEqual((roles["broadcaster"], roles["moderator"]), (True, False))
        self.assertEqual(host["timestamp"], "2026-01-02T03:04:05.678Z")
        self.assertEqual(host["room_id"], "4242")
        self.assertEqual(host["data"]["author"]["username"], "ann_sample")
        self.assertNotIn("monetary_data", host["data"]["metadata"])

    async def test_hostile_text(self) -> None:
        """9: hostile text and names are text; no markup but ours."""
        client = await self.watching("ann")
        hostile = "<img src=x onerror=alert(1)> \"&'</span><script>"
        chat = await self.said(client, privmsg("ann", hostile, display_name="<b>Ann</b>"))
        html = chat["data"]["content"]["rawHtml"]
        self.assertEqual(
            html,
            '<span class="text">&lt;img src=x onerror=alert(1)&gt; &quot;&amp;&#x27;'
            "&lt;/span&gt;&lt;script&gt;</span>",
        )
        self.assertEqual(chat["data"]["content"]["raw"], hostile)
        self.assertEqual(chat["data"]["author"]["display_name"], "<b>Ann</b>")

    async def test_bits_are_the_users_own_text(self) -> None:
        """A cheer is a chat with monetary data; the cheermote is an element with its picture."""
        client = await self.watching("ann")
        chat = await self.said(client, privmsg("ann", "Cheer100 nice", bits="100"))
        metadata = chat["data"]["metadata"]
        self.assertEqual(metadata["type"], "super_chat")
        self.assertEqual(metadata["monetary_data"]["amount"], "100")
        self.assertEqual(metadata["monetary_data"]["currency"], "BITS")
        self.assertEqual(chat["data"]["content"]["elements"][0]["metadata"]["bits"], 100)

    async def test_events_on_request(self) -> None:
        """A raid reaches who asked for it, and nobody else."""
        plain = await self.watching("ann")
        asker = await self.watching("ann", events=["raid"])
        self.twitch.say(
            "ann",
            b"@msg-id=raid;login=bob;display-name=Bob;user-id=7;room-id=4242;id=r1;"
            b"msg-param-displayName=Bob;msg-param-login=bob;msg-param-viewerCount=55;"
            b"system-msg=55\\sraiders;tmi-sent-ts=1767323045678 :tmi.twitch.tv USERNOTICE #ann",
        )
        event = await asker.until("event")
        self.assertEqual((event["data"]["type"], event["data"]["data"]["viewers"]), ("raid", 55))
        self.assertEqual([m["type"] for m in await plain.settled() if m["type"] != "stats"], [])

    async def test_bad_lines_cost_themselves(self) -> None:
        """16: garbage, oversized lines and unknown commands are dropped, counted, survived."""
        client = await self.watching("ann")
        for connection in self.twitch.joined("ann"):
            assert connection.transport is not None
            connection.transport.write(b"\xff\xfe\x00 garbage\r\n:\r\n@;;=;\r\n" + b"x" * 200_000)
            connection.transport.write(b"\r\nNEWCOMMAND #ann :what\r\n@emotes=x PRIVMSG #ann :\r\n")
        chat = await self.said(client, privmsg("ann", "after the storm"))
        while chat["data"]["content"]["raw"] == "":
            chat = (await client.until("chat"))["data"]
        self.assertEqual(chat["data"]["content"]["raw"], "after the storm")
        metrics = await self.daemon.metrics()
        for kind in ("line", "overlong line", "NEWCOMMAND"):
            self.assertIn(f'livechat_unparsed_total{{kind="{kind}",platform="twitch"}} ', metrics)

    async def test_statistics(self) -> None:
        """10: N messages of K users: totals exact, few pushes, get_stats equals the last push."""
        client = await self.watching("ann")
        for n in range(200):
            user = str(n % 7)
            self.twitch.say("ann", privmsg("ann", f"number {n}", user_id=user))
        self.twitch.say("ann", privmsg("ann", "twice", id="same"))
        self.twitch.say("ann", privmsg("ann", "twice", id="same"))
        self.twitch.say("ann", privmsg("ann", "the end", id="last"))
        began = time.monotonic()
        seen: list[dict[str, Any]] = []
        while True:
            message = await client.next()
            seen.append(message)
            if message["type"] == "stats" and message["data"]["totalMessages"] == 202:
                break
        pushes = (time.monotonic() - began) / PUSH_INTERVAL
        chats = [m for m in seen if m["type"] == "chat"]
        self.assertEqual(len(chats), 202)
        self.assertLessEqual(len([m for m in seen if m["type"] == "stats"]), pushes + 4)
        stats = seen[-1]
        self.assertEqual(stats["data"]["uniqueUserCount"], 8)
        counts = [user["messageCount"] for user in stats["data"]["uniqueUsers"]]
        self.assertEqual(counts, sorted(counts, reverse=True))
        await client.send(type="get_stats")
        self.assertEqual(await client.until("stats"), stats)


class TroubleTests(DaemonCase):
    """Upstreams that break, and the end of the daemon."""

    async def test_dropped_upstream(self) -> None:
        """12: told once, reconnected, told again; one upstream; nothing twice or lost after."""
        client = await self.watching("ann")
        self.twitch.say("ann", privmsg("ann", "before", id="before"))
        await client.until("chat")
        self.twitch.drop()
        await client.until("reconnecting")
        seen: list[dict[str, Any]] = []
        await client.until("started", seen)
        self.assertEqual([m["type"] for m in seen if m["type"] != "stats"], [])
        self.assertEqual(len(self.twitch.joined("ann")), 1)
        self.twitch.say("ann", privmsg("ann", "before", id="before"))
        self.twitch.say("ann", privmsg("ann", "after", id="after"))
        self.assertEqual((await client.until("chat"))["data"]["message_id"], "after")

    async def test_reconnect_request(self) -> None:
        """RECONNECT: a new connection before the old one closes; no status, no duplicate."""
        client = await self.watching("ann")
        old = self.twitch.connections[0]
        self.twitch.reconnect()
        await self.come_true(
            lambda: self.twitch.joined("ann") and old not in self.twitch.joined("ann")
        )
        self.twitch.say("ann", privmsg("ann", "hello", id="x"))
        seen: list[dict[str, Any]] = []
        await client.until("chat", seen)
        self.assertEqual([m for m in seen if m["type"] != "stats"], [])

    async def test_unreachable_at_the_start(self) -> None:
        """Twitch refuses everybody: UPSTREAM_UNAVAILABLE with the reason after the deadline."""
        self.twitch.faults.add(Fault.REFUSE)
        client = await self.client()
        await client.subscribe("ann")
        error = await client.next()
        self.assertEqual(error["code"], "UPSTREAM_UNAVAILABLE")
        self.assertTrue(error["details"])
        self.assertTrue(await self.active(0))

    test_unreachable_at_the_start.options = ("--start-timeout=2",)  # type: ignore[attr-defined]

    async def test_sigterm(self) -> None:
        """15: every client is closed with 1001, none told STREAM_ENDED; the end comes in time."""
        clients = [await self.watching("ann") for _ in range(5)]
        self.twitch.say("ann", privmsg("ann", "last words"))
        chats = [await client.until("chat") for client in clients]
        self.assertEqual(len(chats), 5)
        ended = self.daemon.terminate().addTimeout(PATIENCE, reactor)
        codes = [await client.closed_with() for client in clients]
        self.assertEqual(codes, [1001] * 5)
        self.assertIn(await ended, (0, signal.SIGTERM.name))
        self.assertNotIn("Traceback", self.daemon.log)

    async def test_sigterm_with_a_deaf_client(self) -> None:
        """A client that does not answer the close frame does not keep the daemon from ending."""
        deaf = socket.create_connection(("127.0.0.1", self.daemon.port))
        self.addCleanup(deaf.close)
        deaf.sendall(
            b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        head = await deferToThread(deaf.recv, 1000)
        self.assertIn(b" 101 ", head.splitlines()[0])
        ended = self.daemon.terminate().addTimeout(PATIENCE, reactor)
        self.assertIn(await ended, (0, signal.SIGTERM.name))


class RequireLiveTests(DaemonCase):
    """With --twitch-require-live an offline channel is an error and going offline the end."""

    options = (
        "--linger=0",
        "--twitch-require-live",
        "--twitch-live-poll=1",
        "--twitch-offline-grace=0",
    )

    async def test_not_live(self) -> None:
        """3, 6: every concurrent subscriber gets exactly one STREAM_NOT_LIVE and nothing else."""
        clients = [await self.client() for _ in range(2)]
        for client in clients:
            await client.subscribe("offline_ann")
        for client in clients:
            self.assertEqual((await client.next())["code"], "STREAM_NOT_LIVE")
            self.assertEqual(await client.settled(), [])
            await client.send(type="get_stats")
            self.assertEqual((await client.next())["code"], "STREAM_NOT_FOUND")
            await client.send(type="unsubscribe")
            self.assertEqual((await client.next())["status"], "unsubscribed")

    async def test_stream_ends(self) -> None:
        """13: exactly one STREAM_ENDED to each, the connection stays, a new subscribe works."""
        clients = [await self.watching("ann") for _ in range(2)]
        self.twitch.put_on_air("ann", False)
        for client in clients:
            self.assertEqual((await client.until("STREAM_ENDED"))["identifier"], "ann")
            self.assertEqual(await client.settled(), [])
        self.assertTrue(await self.active(0))
        await clients[0].subscribe("bob")
        await clients[0].until("started")


class PageTests(DaemonCase):
    """The other things on the same port."""

    async def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, redirects not followed."""

        def ask() -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, PATIENCE)
            connection.request(method, path)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            result = (answer.status, headers, answer.read())
            connection.close()
            return result

        answered: tuple[int, dict[str, str], bytes] = await deferToThread(ask)
        return answered

    async def test_routes(self) -> None:
        """/health, /test, /ready and /metrics answer; / redirects; /ws asks for an upgrade."""
        status, headers, body = await self.get("/health")
        self.assertEqual(
            (status, headers["content-type"]), (200, "application/json; charset=utf-8")
        )
        self.assertTrue(body.startswith(b'{"status":"ok","activeStreams":0'), body)
        self.assertEqual(headers["access-control-allow-origin"], "*")
        self.assertEqual(headers["access-control-allow-methods"], "GET,OPTIONS")
        self.assertEqual(headers["access-control-allow-headers"], "*")
        status, headers, body = await self.get("/test")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("script-src 'self'", headers["content-security-policy"])
        # Only a demonstration has pictures of its own address.
        self.assertIn("img-src 'self' https:", headers["content-security-policy"])
        self.assertNotIn("http:", headers["content-security-policy"])
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertIn(b"<title>", body)
        # Relative, so that a proxy may serve the daemon under a path.
        for path, place in (
            ("/", "test"),
            ("/test/", "../test"),
            (
                "/overlay/?platform=twitch&identifier=ann",
                "../overlay?platform=twitch&identifier=ann",
            ),
        ):
            status, headers, _ = await self.get(path)
            self.assertEqual((status, headers["location"]), (302, place))
        self.assertEqual((await self.get("/ws"))[0], 426)
        self.assertEqual((await self.get("/ready"))[0], 200)
        self.assertIn(b"livechat_clients", (await self.get("/metrics"))[2])
        self.assertEqual((await self.get("/test", "OPTIONS"))[0], 204)
        self.assertEqual((await self.get("/health", "HEAD"))[2], b"")

    async def test_nothing_outside_the_pages(self) -> None:
        """Paths that try to leave web/, odd methods, unknown paths: no file, no traceback."""
        for path in (
            "/nope", "/web/", "/web", "/web/../pyproject.toml", "/web/%2e%2e/pyproject.toml",
            "/web/..%2fpyproject.toml", "/web//etc/passwd", "/web/%00", "/test/../../etc/passwd",
            "//etc/passwd", "/web/..\\..\\x", "/test/x", "/health/x", "/web/js/../../../LICENSE",
        ):  # fmt: skip
            status, _, body = await self.get(path)
            self.assertIn(status, (301, 308, 400, 403, 404), path)
            for secret in (b"Traceback", b"root:", b"[project]", b"Permission is hereby"):
                self.assertNotIn(secret, body)
        self.assertEqual((await self.get("/health", "POST"))[0], 405)

    async def exchange(self, data: bytes, wait: float = PATIENCE) -> bytes:
        """What a connection answers to these bytes until it is closed or nothing more comes."""

        def talk() -> bytes:
            with socket.create_connection(("127.0.0.1", self.daemon.port), wait) as connection:
                answer = b""
                try:
                    connection.sendall(data)
                    while chunk := connection.recv(65536):
                        answer += chunk
                except OSError:
                    pass
                return answer

        answered: bytes = await deferToThread(talk)
        return answered

    async def test_bodies_are_refused(self) -> None:
        """No request brings a body: 413 at once, nothing is kept, the daemon goes on."""
        before = self.daemon.rss()
        for head in (b"Content-Length: 120000000", b"Transfer-Encoding: chunked"):
            request = b"POST /health HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n"
            answer = await self.exchange(request + b"5\r\nhello\r\n" + bytes(1_000_000))
            self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:100])
        self.assertLess(self.daemon.rss() - before, 10_000_000)
        self.assertTrue(await self.active(0))

    async def test_one_request_per_connection(self) -> None:
        """The answer says that the connection closes, and it does; a second request is not read."""
        request = b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n"
        answer = await self.exchange(request + request)
        self.assertEqual(answer.count(b"HTTP/1.1 200 OK"), 1)
        self.assertIn(b"connection: close", answer.lower())

    async def test_odd_paths(self) -> None:
        """A path that is not text, or lacks a slash: 404, and nothing in the log."""
        for path in ("/%ff", "/web", "/%C3%28"):
            self.assertEqual((await self.get(path))[0], 404, path)
        self.assertNotIn("Traceback", self.daemon.log)
        self.assertNotIn("GET", self.daemon.log)

    async def test_unix_socket(self) -> None:
        """The daemon serves a UNIX socket just as well."""
        path = str(Path(self.mktemp()).absolute())
        second = start_daemon(reactor, f"--listen=unix:{path}")
        self.addCleanup(self._end, second)
        await second.listening
        await self.come_true(lambda: Path(path).exists())

        def talk() -> bytes:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                connection.sendall(UPGRADE + b"\r\n")
                return connection.recv(1000)

        answer = await deferToThread(talk)
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)

    async def test_ready_while_stopping(self) -> None:
        """While clients are being closed new ones are refused and /ready answers 503."""
        # One is closed every tenth of a second: there is time to look, also on a busy machine.
        for _ in range(150):
            deaf = socket.create_connection(("127.0.0.1", self.daemon.port))
            self.addCleanup(deaf.close)
            deaf.sendall(UPGRADE + b"\r\n")
            await deferToThread(deaf.recv, 1000)
        self.daemon.terminate()
        await self.come_true(self._not_ready)
        answer = await self.exchange(UPGRADE + b"\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)

    test_ready_while_stopping.options = (  # type: ignore[attr-defined]
        "--linger=0",
        "--drain-seconds=60",
    )

    async def _not_ready(self) -> bool:
        return (await self.get("/ready"))[0] == 503

    async def test_wrong_port_is_one_line(self) -> None:
        """A taken port: one clear line, exit code 1, no traceback."""
        second = start_daemon(reactor, f"--listen=tcp:{self.daemon.port}:interface=127.0.0.1")
        second.listening.addErrback(lambda _: None)
        self.assertEqual(await second.ended, 1)
        self.assertNotIn("Traceback", second.log)
        self.assertIn(f"livechat: cannot listen on tcp:{self.daemon.port}", second.log)

    async def test_upgrade_only_where_it_belongs(self) -> None:
        """An upgrade elsewhere than / and /ws is not taken."""
        request = Request(f"http://127.0.0.1:{self.daemon.port}/other")
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade")):
            request.add_header(name, value)

        def ask() -> int:
            try:
                return int(urlopen(request, timeout=PATIENCE).status)
            except OSError as error:
                return int(getattr(error, "code", 0))

        self.assertEqual(await deferToThread(ask), 404)
