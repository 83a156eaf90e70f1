# SPDX-License-Identifier: MIT
"""Whatever a client or a platform says: no host is asked but those of the platform's own.

All platforms stand on their real addresses here.  Everything that would leave the process (HTTP
requests, sockets, endpoints) is counted by scheme and host at the place where it would, below treq
and above the network, and answered by a stand-in.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import cycle, product
from typing import Any
from urllib.parse import quote

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from treq.client import HTTPClient
from treq.testing import RequestTraversalAgent
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import URI
from twisted.web.http import Request
from twisted.web.iweb import IAgent
from zope.interface import implementer

from livechat.core.ports import Located, Requester
from livechat.metrics import Metrics
from livechat.model.errors import ChatError
from livechat.platforms.description import installed
from livechat.platforms.fetch import FetchError, fetch
from livechat.platforms.tiktok.settings import TikTokSettings
from tests.contracts.platform import Kept
from tests.support.context import context_on
from tests.support.tiktok_payloads import batch
from tests.support.wire import InMemoryEndpoint
from tests.test_fetch import Upstream, whole

#: What each platform may be asked at, as URLs without path; `irc` is Twitch's chat.
OWN = {
    "tiktok": {
        "https://www.tiktok.com",
        "https://m.tiktok.com",
        "https://tiktok.com",
        "https://vm.tiktok.com",
        "https://vt.tiktok.com",
        "https://webcast.tiktok.com",
        "wss://webcast-ws.tiktok.com",
    },
    "twitch": {"https://gql.twitch.tv", "irc tls:irc.chat.twitch.tv:6697"},
    "youtube": {
        "https://gaming.youtube.com",
        "https://m.youtube.com",
        "https://music.youtube.com",
        "https://studio.youtube.com",
        "https://www.youtu.be",
        "https://www.youtube-nocookie.com",
        "https://www.youtube.com",
        "https://youtu.be",
        "https://youtube-nocookie.com",
        "https://youtube.com",
    },
}
TYPES = {
    "tiktok": ("username", "shortLink"),
    "twitch": ("username",),
    "youtube": ("username", "channelId", "liveId"),
}

HOSTS = (
    "evil.test",
    "169.254.169.254",
    "[::1]",
    "[::ffff:169.254.169.254]",
    "127.0.0.1:6379",
    "localhost",
    "0x7f000001",
    "2130706433",
    "xn--80ak6aa92e.test",
    "\uff45vil.test",
    "www.youtube.com.evil.test",
    "evil.test%00.www.tiktok.com",
)
#: `H` is the foreign host.
SHAPES = (
    *("H", "@H", "H@", "ann@H", "//H", "///H", "//H/@ann", "\\\\H", "http:H", "https:/H/@ann"),
    *("http://H/", "https://H/@ann", "https://H/t/abc", "https://H/watch?v=aaaaaaaaaaa"),
    *("ftp://H/ann", "gopher://H/_x", "file://H/etc/passwd", "ws://H/", "unix:/H", "tcp:H:80"),
    *("../H", "../../H", "..%2f..%2fH", "%2e%2e/H", "ann/../../H", "ann/..;/H", "./@H", ".@H"),
    *("?H", "#H", "ann?x=H", "ann#H", "ann%3f@H", "ann%40H", "ann%2f%2fH", "ann\r\nHost: H"),
    *(
        "ann\tH",
        "ann\x00.H",
        "ann H",
        "H\u3002ann",
        "ann,H",
        "ann;tcp:H:6667",
        "#H,#ann",
        "irc://H",
    ),
    *(
        "https://www.youtube.com@H/",
        "https://www.youtube.com:x@H/@ann",
        "https://www.youtube.com.H/",
    ),
    *(
        "https://www.youtube.com\\@H/@ann",
        "https://H\\.youtube.com/@ann",
        "https://www.youtube.com#@H",
    ),
    *("https://www.youtube.com?@H/@ann", "https://www.youtube.com//H/@ann", "youtube.com/..//H"),
    *("https://www.youtube.com/redirect?q=http://H/", "https://www.youtube.com/@ann?x=//H"),
    *("https://www.youtube.com/watch?v=aaaaaaaaaaa&host=H", "https://youtu.be/aaaaaaaaaaa?H"),
    *("https://youtu.be/H", "https://www.youtube.com/channel/H", "https://www.youtube.com/c/H"),
    *("https://www.youtube.com/embed/live_stream?channel=H", "https://youtube.com/@H/live"),
    *("https://www.twitch.tv@H/ann", "https://www.twitch.tv.H/ann", "https://www.twitch.tv/H"),
    *("https://www.twitch.tv/ann?H", "https://www.twitch.tv/ann/../H", "twitch.tv/popout/H/chat"),
    *(
        "https://www.tiktok.com@H/@ann",
        "https://www.tiktok.com.H/@ann",
        "https://www.tiktok.com/@H",
    ),
    *("https://www.tiktok.com/@ann?H", "https://www.tiktok.com/@ann/../../H", "tiktok.com/t/H"),
    *("https://vm.tiktok.com@H/abc", "https://vm.tiktok.com/H", "https://vm.tiktok.com/abc?x=//H"),
    *(
        "https://vt.tiktok.com/abc/../../H",
        "vt.tiktok.com:80@H/abc",
        "https://vt.tiktok.com\\H/abc",
    ),
)
IDENTIFIERS = [
    *("ann", "@ann", "ann.b", "UCaaaaaaaaaaaaaaaaaaaaaaaA", "aaaaaaaaaaa", "vm.tiktok.com/abc"),
    *(shape.replace("H", host) for shape, host in product(SHAPES, HOSTS)),
]

#: Where an answer may want to lead; `H` is the host that was asked.
TARGETS = (
    "https://evil.test/",
    "//evil.test/@ann",
    "///evil.test/@ann",
    "\\\\evil.test/",
    "/\\evil.test/",
    "http://H/",
    "https://H:8443/",
    "https://H.evil.test/",
    "https://H@evil.test/",
    "https://H:443@evil.test/@ann",
    "https://evil.test\\@H/",
    "https://H\\@evil.test/",
    "https://evil.test\t@H/",
    "https://H\t@evil.test/",
    "https://evil.test#@H/",
    "https://evil.test?@H/",
    "https://H%2eevil.test/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]:6379/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://localhost/",
    "http:evil.test/",
    "https:evil.test/",
    "ftp://H/",
    "file:///etc/passwd",
    "gopher://evil.test/",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://consent.youtube.com/m?continue=https://evil.test/",
    "https://accounts.google.com/ServiceLogin?continue=https://evil.test/",
    "/redirect?to=https://evil.test/",
    "https://www.tiktok.com.evil.test/@ann",
    "https://www.tiktok.com@evil.test/@ann",
)


@implementer(IAgent)
class CountingAgent:
    """Counts which hosts are asked over HTTP, and lets a stand-in answer for all of them.

    :ivar asked: how often each was, as `scheme://host`.
    """

    def __init__(self, stand_in: Upstream) -> None:
        self.asked: Counter[str] = Counter()
        self.wire = RequestTraversalAgent(stand_in)

    def request(self, method: bytes, uri: bytes, *more: Any, **named: Any) -> Deferred[Any]:
        """See `IAgent`."""
        # As Twisted's own agent reads the address that it is given.
        parsed = URI.fromBytes(uri)
        usual = {b"https": 443, b"http": 80}.get(parsed.scheme)
        port = "" if parsed.port == usual else f":{parsed.port}"
        self.asked[f"{parsed.scheme.decode()}://{parsed.host.decode()}{port}"] += 1
        answer: Deferred[Any] = self.wire.request(method, uri, *more, **named)
        return answer


class Deaf(Factory):
    """A server that accepts connections and says nothing."""

    protocol = Protocol
    noisy = False


class World:
    """All that a platform could reach, counted.

    :ivar asked: how often each place was.
    """

    def __init__(self, begin: Callable[[Request], None]) -> None:
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.agent = CountingAgent(Upstream(begin))
        self.asked = self.agent.asked
        self._server = InMemoryEndpoint(Deaf())

    def platform(self, name: str, chosen: Any = None) -> Any:
        """A platform on its real addresses, started."""
        description = installed()[name]
        context = context_on(
            self.clock,
            HTTPClient(self.agent),
            Metrics(),
            connect=self._connect,
            start_timeout=5.0,
        )
        context = replace(context, endpoint=self._endpoint)
        platform = description.make(context, chosen or description.settings())
        platform.startService()
        return platform

    def _connect(self, host: str, port: int, tls: bool) -> InMemoryEndpoint:
        usual = ":443" if port == 443 and tls else ":80" if port == 80 and not tls else ""
        name = f"{'wss' if tls else 'ws'}://{host}" + ("" if usual else f":{port}")
        self.asked[name] += 1
        return self._server

    def _endpoint(self, description: str) -> InMemoryEndpoint:
        self.asked[f"irc {description}"] += 1
        return self._server

    def run_for(self, seconds: float) -> None:
        """Let time pass, carrying what is on its way."""
        for _ in range(int(seconds * 4)):
            self.agent.wire.flush()
            self._server.flush()
            self.clock.advance(0.25)


def watch(world: World, platform: Any, key: Any) -> None:
    """Do all that a subscriber makes a platform do, and leave."""
    finding: Deferred[Located] = platform.resolve(key, Requester(), lambda: None)
    watchers: list[Any] = []

    def found(located: Located) -> Deferred[Any]:
        watchers.append(platform.watch(located, Kept(), Requester()))
        started: Deferred[Any] = watchers[0].start()
        return started

    finding.addCallback(found)
    finding.addErrback(lambda reason: reason.trap(ChatError, CancelledError) and None)
    world.run_for(7)
    for watcher in watchers:
        watcher.stop()
    finding.cancel()
    world.run_for(0.5)


def keys(platform: Any) -> set[Any]:
    """The channels that all hostile identifiers together mean."""
    found = set()
    for identifier, kind in product(IDENTIFIERS, TYPES[platform.name]):
        with contextlib.suppress(ChatError):
            found.add(platform.key(identifier, kind))
    return found


class IdentifierTests(SynchronousTestCase):
    """Identifiers that look like addresses, with a platform that leads everybody elsewhere."""

    def check(self, name: str) -> None:
        """None of them makes the platform ask a host that is not its own."""
        targets: Iterator[str] = cycle(TARGETS)

        def begin(request: Request) -> None:
            host = request.requestHeaders.getRawHeaders("Host", ["?"])[0]
            location = next(targets).replace("H", host)
            whole(b"moved", 302, location=location)(request)

        world = World(begin)
        platform = world.platform(name)
        self.assertGreater(len(IDENTIFIERS), 500)
        meant = keys(platform)
        # Otherwise nothing would have been asked at all.
        self.assertGreater(len(meant), 2)
        for key in sorted(meant, key=str):
            self.assertRegex(quote(key.identifier), r"^[\w.%/-]+$")
            watch(world, platform, key)
        platform.stopService()
        world.run_for(1)
        self.assertGreater(world.asked.total(), len(meant) // 2)
        self.assertEqual(set(world.asked) - OWN[name], set(), world.asked)

    def test_tiktok(self) -> None:
        """TikTok: handles and short links."""
        self.check("tiktok")

    def test_twitch(self) -> None:
        """Twitch: what is asked over HTTP, and where its chat is."""
        self.check("twitch")

    def test_youtube(self) -> None:
        """YouTube: names, channels and videos."""
        self.check("youtube")


class NamedAddressTests(SynchronousTestCase):
    """Addresses that stand in what the platforms and a signer send."""

    def test_signer(self) -> None:
        """A signer may name no socket but TikTok's own, over TLS."""
        addresses = (
            "wss://evil.test/x/",
            "ws://webcast-ws.tiktok.com/x/",
            "wss://tiktok.com.evil.test/",
            "wss://webcast-ws.tiktok.com@evil.test/",
            "wss://evil.test\\.tiktok.com/",
            "wss://evil.test#.tiktok.com/",
            "wss://169.254.169.254/",
            "https://webcast-ws.tiktok.com/",
        )
        named = cycle(addresses)

        def begin(request: Request) -> None:
            if b"/webcast/fetch" in request.uri:
                body = batch([("WebcastChatMessage", b"")], (2, "cursor"), (10, next(named)))
                whole(body, 200, x_set_tt_cookie="ttwid=1%7Ca")(request)
            else:
                room = b'{"data":{"user":{"roomId":"7300000000000000001","status":2}}}'
                whole(room, 200)(request)

        world = World(begin)
        chosen = TikTokSettings(transport="signer", signer_url="https://signer.example")
        platform = world.platform("tiktok", chosen)
        for number in range(2 * len(addresses)):
            watch(world, platform, platform.key(f"ann{number}", "username"))
        platform.stopService()
        self.assertGreater(world.asked["https://signer.example"], len(addresses))
        self.assertEqual(set(world.asked) - OWN["tiktok"], {"https://signer.example"})


#: Pieces of addresses, honest and not.
PIECES = st.sampled_from(
    (
        *("https", "http", ":", "/", "//", "@", "\\", "?", "#", "%2f", "%40", ".", ":443", ":80"),
        *("www.upstream.example", "upstream.example", "evil.test", "::1", "[", "]"),
        *("\t", " ", "\xa0", "\xad"),
    )
)


class RedirectTests(SynchronousTestCase):
    """What decides about a redirect reads its address as what follows it does."""

    @given(st.lists(PIECES, min_size=1, max_size=9).map("".join))
    @settings(max_examples=1500, deadline=None)
    def test_any_target(self, target: str) -> None:
        """Whatever the target is made of, no third host is asked."""
        agent = CountingAgent(Upstream(whole(b"", 302, location=target)))
        hosts = frozenset({"www.upstream.example"})
        asking = Deferred.fromCoroutine(
            fetch(
                HTTPClient(agent),
                Clock(),
                "GET",
                "https://upstream.example/a/b",
                limit=100,
                deadline=5.0,
                hosts=hosts,
            )
        )
        agent.wire.flush()
        asking.addErrback(lambda reason: reason.trap(FetchError) and None)
        self.successResultOf(asking)
        allowed = {"https://upstream.example", "https://www.upstream.example"}
        self.assertEqual(set(agent.asked) - allowed, set(), target)
