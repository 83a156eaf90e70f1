# SPDX-License-Identifier: MIT
"""What only operators see: `/channels`, and the port that is theirs alone."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from livechat.access import Access
from livechat.addresses import Addresses, network
from livechat.core.channel_reader import ChannelReader
from livechat.core.options import Options
from livechat.core.ports import Located
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, LiveInfo
from livechat.transports.http import Pages
from livechat.transports.origins import Origins
from livechat.transports.site import ADMIN_PATHS, OPERATORS_PATHS, make_site
from livechat.web_files import web_directory
from tests.support.certificates import Authority
from tests.support.daemon import PATIENCE, Client, Daemon, start_daemon
from tests.support.fakes import KeptMessages, ScriptedPlatform, chats, happening, hub_on
from tests.support.sockets import kept_port
from tests.test_http import Wire


class Searching(ScriptedPlatform):
    """A platform that has to look for chats: the test says when one was found."""

    def resolve(self, *arguments: Any) -> Deferred[Located]:
        """See `IPlatform`."""
        self.resolving: Deferred[Located] = Deferred()
        return self.resolving


class OverviewTests(SynchronousTestCase):
    """What is said of each channel."""

    def setUp(self) -> None:
        """A hub on a fake clock, at noon."""
        self.clock = Clock()
        self.clock.advance(1_764_158_400)
        self.platform = ScriptedPlatform()
        self.hub = hub_on(self.clock, Metrics(), linger=10.0)

    def subscribe(self, name: str = "ann", kind: str = "username") -> Subscription:
        """Somebody who watches, or wants to."""
        key = ChannelKey("twitch", kind, name)
        made = Subscription(key, KeptMessages(), name, Options(), lambda _: None)
        self.hub.subscribe(self.platform, made)
        return made

    def seen(self) -> dict[str, Any]:
        """The one channel there is."""
        said = json.loads(self.hub.overview())
        self.assertEqual(said["node"], "test:1")
        (channel,) = said["channels"]
        assert isinstance(channel, dict)
        return channel

    def test_nothing(self) -> None:
        """Without channels there is an empty list."""
        self.assertEqual(json.loads(self.hub.overview()), {"node": "test:1", "channels": []})

    def test_life(self) -> None:
        """Waiting, live, interrupted and live again, each with its time; then it lingers."""
        first = self.subscribe()
        self.clock.advance(0)
        (watcher,) = self.platform.watchers
        expected = {
            "platform": "twitch",
            "identifier": "ann",
            "names": [],
            "state": "waiting",
            "since": "2025-11-26T12:00:00.000Z",
            "subscribers": 1,
            "messages": 0,
            "trouble": None,
            "role": "leading",
            "leader": "test:1",
            "lag": 0,
            "node": "test:1",
        }
        self.assertEqual(self.seen(), expected)
        watcher.trouble = "QUEUED"
        self.assertEqual(self.seen(), {**expected, "trouble": "QUEUED"})
        watcher.trouble = ""
        self.clock.advance(5)
        watcher.live()
        expected |= {"state": "live", "since": "2025-11-26T12:00:05.000Z"}
        self.assertEqual(self.seen(), expected)
        second = self.subscribe()
        watcher.sink.received([*chats(3), happening()])
        watcher.sink.received(chats(3))
        expected |= {"subscribers": 2, "messages": 3}
        self.assertEqual(self.seen(), expected)
        self.clock.advance(5)
        watcher.sink.interrupted("CONNECTION")
        since = {"state": "interrupted", "since": "2025-11-26T12:00:10.000Z"}
        self.assertEqual(self.seen(), {**expected, **since, "trouble": "CONNECTION"})
        watcher.trouble = "BLOCKED: HTTP 429"
        self.assertEqual(self.seen(), {**expected, **since, "trouble": "BLOCKED: HTTP 429"})
        watcher.trouble = ""
        self.clock.advance(5)
        watcher.sink.resumed(LiveInfo("live-ann"))
        expected |= {"since": "2025-11-26T12:00:15.000Z", "state": "live"}
        self.hub.unsubscribe(first)
        self.hub.unsubscribe(second)
        # A `gap` is no chat.
        self.assertEqual(self.seen(), {**expected, "subscribers": 0})
        self.clock.advance(10)
        self.assertEqual(json.loads(self.hub.overview())["channels"], [])

    def test_upstreams(self) -> None:
        """What the metrics say of upstreams: one state for each."""
        states: list[Any] = []

        def look() -> None:
            states.append(dict(self.hub.upstreams()))

        look()
        self.subscribe()
        look()
        self.clock.advance(0)
        (watcher,) = self.platform.watchers
        look()
        watcher.trouble = "CONSENT"
        look()
        watcher.trouble = ""
        watcher.live()
        look()
        watcher.sink.interrupted("CONNECTION")
        look()
        watcher.trouble = "BLOCKED: HTTP 429"
        look()
        watcher.trouble = ""
        watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "over"))
        look()
        self.assertEqual(
            [next(iter(one), None) for one in states],
            [
                None,
                None,
                ("twitch", "waiting"),
                ("twitch", "blocked"),
                ("twitch", "connected"),
                ("twitch", "reconnecting"),
                ("twitch", "blocked"),
                None,
            ],
        )

    def test_search(self) -> None:
        """A chat that is still looked for is there, too, and later by all of its names."""
        self.platform = searching = Searching()
        self.subscribe("handle")
        waiting = self.seen()
        self.assertEqual(self.hub.upstreams(), {("twitch", "waiting"): 1})
        self.assertEqual((waiting["identifier"], waiting["state"]), ("handle", "waiting"))
        self.assertEqual((waiting["subscribers"], waiting["leader"]), (1, None))
        self.assertIsNone(waiting["role"])
        searching.resolving.callback(Located(ChannelKey("twitch", "video", "x1")))
        self.subscribe("other")
        searching.resolving.callback(Located(ChannelKey("twitch", "video", "x1")))
        found = self.seen()
        self.assertEqual((found["identifier"], found["names"]), ("x1", ["handle", "other"]))
        self.assertEqual(found["subscribers"], 2)


class PlaceTests(SynchronousTestCase):
    """Who asks from this machine."""

    def test_plain(self) -> None:
        """Loopback in every spelling, and a UNIX socket; nobody else."""
        for peer, local in (
            ("127.0.0.1", True),
            ("127.8.8.8", True),
            ("::1", True),
            ("::ffff:127.0.0.1", True),
            ("", True),
            ("10.0.0.1", False),
            ("198.51.100.7", False),
            ("::ffff:10.0.0.1", False),
            ("?", False),
        ):
            self.assertIs(Addresses().is_local(peer, {"host": "x"}), local, peer)

    def test_behind_a_proxy(self) -> None:
        """What a proxy on this machine passes on is not from here, unless it can be believed."""
        trusting = Addresses([network("127.0.0.1"), network("10.0.0.0/8")])
        for peer in ("127.0.0.1", "::1", ""):
            for name in ("x-forwarded-for", "forwarded", "x-real-ip", "via"):
                self.assertFalse(Addresses().is_local(peer, {name: "127.0.0.1"}), name)
        for sent, local in (("127.0.0.1", True), ("198.51.100.7", False), ("what?", False)):
            self.assertIs(trusting.is_local("127.0.0.1", {"x-forwarded-for": sent}), local)
            self.assertIs(trusting.is_local("10.0.0.1", {"x-forwarded-for": sent}), local)
        # Headers that name nobody, and headers of somebody who is not trusted.
        self.assertFalse(trusting.is_local("127.0.0.1", {"via": "1.1 proxy"}))
        self.assertFalse(trusting.is_local("198.51.100.7", {"x-forwarded-for": "127.0.0.1"}))


class AnswerTests(SynchronousTestCase):
    """The answers, on an in-memory wire."""

    def site(self, tokens: str = "", **more: Any) -> Any:
        """A site with these tokens."""
        path = ""
        if tokens:
            path = self.mktemp()
            Path(path).write_text(tokens)
        clock = Clock()
        hub = hub_on(clock, Metrics())
        pages = Pages(
            lambda: {"status": "ok"},
            lambda: True,
            Metrics().exposition,
            web_directory(),
            ChannelReader(hub, {}),
            access=Access(path),
        )
        site: Any = make_site(pages.app.resource(), Origins(more.pop("origins", ("*",))), **more)
        site.reactor = clock
        return site

    def status(
        self,
        site: Any,
        path: str,
        *headers: str,
        peer: Any = None,
        verb: str = "GET",
        host: str = "localhost",
    ) -> int:
        """The status that a request of somebody is answered with."""
        own = IPv4Address("TCP", "192.0.2.1", 3000)
        peer = peer or IPv4Address("TCP", "127.0.0.1", 1)
        wire = Wire(peerAddress=peer, hostAddress=own)
        channel = site.buildProtocol(None)
        channel.makeConnection(wire)
        lines = [f"{verb} {path} HTTP/1.0", f"Host: {host}", *headers, "", ""]
        channel.dataReceived("\r\n".join(lines).encode())
        answer = wire.value()
        channel.connectionLost(Failure(ConnectionError()))
        self.body = answer.partition(b"\r\n\r\n")[2]
        self.head = answer.partition(b"\r\n\r\n")[0].lower()
        return int(answer.split(b" ")[1])

    def test_without_tokens(self) -> None:
        """This machine only: no other, none behind a proxy, no page of another site."""
        site = self.site()
        self.assertEqual(self.status(site, "/channels"), 200)
        self.assertEqual(json.loads(self.body), {"node": "test:1", "channels": []})
        self.assertIn(b"no-store", self.head)
        self.assertEqual(self.status(site, "/channels", peer=UNIXAddress(b"/run/x")), 200)
        self.assertEqual(self.status(site, "/channels", verb="HEAD"), 200)
        far = IPv4Address("TCP", "198.51.100.7", 1)
        self.assertEqual(self.status(site, "/channels", peer=far), 403)
        self.assertEqual(self.status(site, "/channels", "X-Forwarded-For: 127.0.0.1"), 403)
        self.assertEqual(self.status(site, "/channels", "Origin: https://evil.test"), 403)
        self.assertEqual(self.status(site, "/channels", verb="POST"), 405)
        # The metrics stay as open as they were.
        self.assertEqual(self.status(site, "/metrics", peer=far), 200)

    def test_rebinding(self) -> None:
        """A page that gives its own name our address is refused by that name."""
        site = self.site()
        good = ["localhost", "LOCALHOST:3000", "localhost.", "127.0.0.1:3000", "127.8.8.8"]
        good += ["[::1]", "[::1]:3000", "[::ffff:127.0.0.1]:1", "192.0.2.1", "192.0.2.1:3000", ""]
        for host in good:
            self.assertEqual(self.status(site, "/channels", host=host), 200, host)
        bad = ["evil.test", "evil.test:3000", "localhost.evil.test", "127.0.0.1.evil.test"]
        bad += ["192.0.2.2", "[2001:db8::1]:3000", "evillocalhost", "0.0.0.0", "localhost:evil"]
        for host in bad:
            self.assertEqual(self.status(site, "/channels", host=host), 403, host)
        # No page reaches a UNIX socket; and what needs no operator goes by any name.
        self.assertEqual(self.status(site, "/channels", peer=UNIXAddress(b"/x"), host="x"), 200)
        self.assertEqual(self.status(site, "/health", host="chat.example.org"), 200)
        tokens = self.site("operator-1234 admin")
        path = "/channels?token=operator-1234"
        self.assertEqual(self.status(tokens, path, host="chat.example.org"), 200)

    def test_with_tokens(self) -> None:
        """The scope `admin`, from anywhere; this machine is nothing special then."""
        site = self.site("operator-1234 admin\nscraper-12345 metrics\nreader-123456\n")
        far = IPv4Address("TCP", "198.51.100.7", 1)
        expected = {"operator-1234": 200, "scraper-12345": 403, "reader-123456": 403}
        for token, status in expected.items():
            sent = f"Authorization: Bearer {token}"
            self.assertEqual(self.status(site, "/channels", sent, peer=far), status)
            self.assertEqual(self.status(site, f"/channels?token={token}"), status)
        for path in ("/channels", "/channels?token=wrong-123456"):
            self.assertEqual(self.status(site, path), 401)

    def test_apart(self) -> None:
        """With a port of their own nothing of it is found on the public one, in no spelling."""
        public = self.site("operator-1234 admin", serves=lambda path: path not in OPERATORS_PATHS)
        token = "Authorization: Bearer operator-1234"
        for path in ("metrics", "channels"):
            for spelling in (
                f"/{path}",
                f"/{path}/",
                f"//{path}",
                f"/%2f/{path}",
                f"/%2f{path}",
                f"/./{path}",
                f"/web/../{path}",
                f"/%{ord(path[0]):x}{path[1:]}",
                f"/{path}?token=operator-1234",
                f"/{path};x",
                f"/health/../{path}",
                f"/health/{path}",
                f"/{path.upper()}",
            ):
                for verb in ("GET", "HEAD", "POST"):
                    said = self.status(public, spelling, token, verb=verb)
                    self.assertIn(said, (404, 405) if verb == "POST" else (404,), spelling)
            self.assertEqual(self.status(public, f"/{path}", verb="OPTIONS"), 404)
        self.assertEqual(self.status(public, "/health"), 200)

    def test_operators_port(self) -> None:
        """There are health, metrics and channels, and nothing else; no page may read them."""
        admin = self.site(serves=ADMIN_PATHS.__contains__, origins=())
        for path in ("/metrics", "/channels", "/health", "/ready"):
            self.assertEqual(self.status(admin, path), 200, path)
            self.assertNotIn(b"access-control-allow-origin", self.head)
        for path in ("/", "/test", "/ws", "/sse", "/web/livechat.js", "/stats/twitch/ann", "/x"):
            self.assertEqual(self.status(admin, path), 404, path)


class DaemonTests(TestCase):
    """The whole daemon with a port for operators."""

    def setUp(self) -> None:
        """A directory."""
        self.directory = Path(mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)

    async def start(self, *options: str) -> Daemon:
        """Start it."""
        daemon = start_daemon(reactor, "--demo", *options)
        self.addCleanup(lambda: daemon.ended)
        self.addCleanup(daemon.kill)
        await daemon.listening
        return daemon

    async def ask(self, connect: Any, path: str, **headers: str) -> tuple[int, bytes]:
        """Status and body that a request on a connection is answered with."""

        def asked() -> tuple[int, bytes]:
            connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
            connection.sock = connect()
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()

        return await deferToThread(asked)

    def unix(self, path: Path) -> Any:
        """Connects to a UNIX socket."""

        def connect() -> socket.socket:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            made.settimeout(PATIENCE)
            made.connect(str(path))
            return made

        return connect

    async def test_without(self) -> None:
        """Without the option `/channels` is on the public port, for this machine."""
        daemon = await self.start("--no-compression")
        client = await Client.open(daemon.port)
        await client.subscribe("Ann", events=True)
        await client.until("chat")

        def public() -> socket.socket:
            return socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)

        status, body = await self.ask(public, "/channels")
        self.assertEqual(status, 200)
        said = json.loads(body)
        (channel,) = said["channels"]
        self.assertEqual(channel["identifier"], "ann")
        self.assertEqual((channel["state"], channel["subscribers"]), ("live", 1))
        self.assertGreaterEqual(channel["messages"], 1)
        assert daemon.transport is not None
        self.assertEqual(said["node"], f"{socket.gethostname()}:{daemon.transport.pid}")
        self.assertEqual(channel["leader"], said["node"])
        self.assertEqual((await self.ask(public, "/metrics"))[0], 200)

    async def test_unix_and_tls(self) -> None:
        """With a UNIX socket and a TLS port; the public port has neither page, nor they chats."""
        authority = Authority(self.directory)
        authority.give_out()
        path = self.directory / "admin.sock"
        number = kept_port(self)
        files = f"privateKey={authority.key}:certKey={authority.certificate}"
        daemon = await self.start(
            f"--admin-listen=unix:{path}",
            f"--admin-listen=ssl:{number}:interface=127.0.0.1:{files}",
        )
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

        def tls() -> socket.socket:
            return context.wrap_socket(socket.create_connection(("127.0.0.1", number), PATIENCE))

        def public() -> socket.socket:
            return socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)

        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        for connect in (self.unix(path), tls):
            for page in ("/metrics", "/channels", "/health", "/ready"):
                self.assertEqual((await self.ask(connect, page))[0], 200, page)
            for page in ("/test", "/ws", "/sse?platform=twitch&identifier=ann"):
                self.assertEqual((await self.ask(connect, page, **upgrade))[0], 404, page)
        for page in ("/metrics", "/channels"):
            self.assertEqual((await self.ask(public, page))[0], 404, page)
        self.assertEqual((await self.ask(public, "/health"))[0], 200)
        self.assertIn("port for operators on", daemon.log)
        self.assertNotIn("Traceback", daemon.log)
        await daemon.terminate()
        self.assertFalse(path.exists())
