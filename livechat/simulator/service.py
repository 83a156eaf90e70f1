# SPDX-License-Identifier: MIT
"""The simulator as a service: its command line, its ports, and the addresses to point a reader at.

`twistd livechat-simulator` uses `Options` and `makeService`; the demo mode uses `makeSimulator`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, cast

from twisted.application.service import Service
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorTCP, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import Site

from livechat.simulator.emotes import EmoteSimulator, EmoteSite
from livechat.simulator.options import Options
from livechat.simulator.pictures import Pictures
from livechat.simulator.scenario import Scenario
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.tiktok_faults import TikTokMishap
from livechat.simulator.tiktok_site import TikTokSite
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_faults import Mishap
from livechat.simulator.twitch_gql import GraphQL
from livechat.simulator.twitch_hermes import Hermes
from livechat.simulator.twitch_history import RecentMessages
from livechat.simulator.youtube import YouTubeSimulator
from livechat.simulator.youtube_faults import YouTubeMishap
from livechat.simulator.youtube_site import YouTubeSite

_log: Final = Logger()
_INTERFACE: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the simulated platforms are.

    :ivar twitch_irc: a client endpoint string.
    :ivar twitch_gql_url: an address for POSTs.
    :ivar twitch_history_url: base of the service that keeps recent messages.
    :ivar twitch_hermes_url: Twitch's push service.
    :ivar tiktok_url: base of TikTok's pages, `api-live` and `webcast`; also of the signer, under
        `/signer`.
    :ivar tiktok_socket_url: the push socket.
    :ivar youtube_url: base of YouTube's pages and InnerTube.
    :ivar seven_tv_url: base of 7TV's sets of emotes; the others likewise.
    :ivar seven_tv_events_url: the socket on which 7TV tells of changes.
    :ivar bttv_socket_url: that of BetterTTV.
    :ivar pictures_url: where the picture of `https://HOST/PATH` is, as HOST/PATH.
    """

    twitch_irc: str
    twitch_gql_url: str
    twitch_history_url: str
    twitch_hermes_url: str
    tiktok_url: str
    tiktok_socket_url: str
    youtube_url: str
    seven_tv_url: str
    seven_tv_events_url: str
    bttv_url: str
    bttv_socket_url: str
    ffz_url: str
    pictures_url: str


class SimulatorService(Service):
    """The simulated platforms on loopback ports.

    :ivar twitch: the Twitch server, whose faults can be switched at any time.
    :ivar tiktok: TikTok, likewise.
    :ivar youtube: YouTube, likewise.
    :ivar emotes: the providers of emotes, likewise.

    :param reactor: also the clock.
    :param mishaps: what goes wrong every `mishap_every` seconds.
    """

    name = "livechat-simulator"

    def __init__(
        self,
        reactor: IReactorTCP,
        twitch: TwitchSimulator,
        tiktok: TikTokSimulator,
        youtube: YouTubeSimulator,
        *,
        emotes: EmoteSimulator | None = None,
        twitch_irc_port: int = 0,
        http_port: int = 0,
        mishaps: Iterable[Mishap] = (),
        tiktok_mishaps: Iterable[TikTokMishap] = (),
        youtube_mishaps: Iterable[YouTubeMishap] = (),
        mishap_every: float = 30.0,
    ) -> None:
        self.twitch = twitch
        self.tiktok = tiktok
        self.youtube = youtube
        self.emotes = emotes or EmoteSimulator(cast(IReactorTime, reactor))
        self._reactor = reactor
        self._wanted = (twitch_irc_port, http_port)
        self._ports: list[IListeningPort] = []
        self._mishaps = list(mishaps)
        self._tiktok_mishaps = list(tiktok_mishaps)
        self._youtube_mishaps = list(youtube_mishaps)
        self._mishap_every = mishap_every
        self._striking = LoopingCall(self._strike)
        self._striking.clock = cast(IReactorTime, reactor)

    def listen(self) -> Addresses:
        """Open the ports, unless they are open, and say where they are.

        It may be called before the service is started, so that clients can be built first.

        :raises CannotListenError: a port is taken.
        """
        if not self._ports:
            site = _Site(resources(self.twitch, self.tiktok, self.youtube, self.emotes))
            servers: tuple[ServerFactory[Any], ...] = (self.twitch, site)
            for port, factory in zip(self._wanted, servers, strict=True):
                try:
                    opened = self._reactor.listenTCP(port, factory, interface=_INTERFACE)
                except CannotListenError:
                    self._close()
                    raise
                self._ports.append(opened)
        irc, http = (cast(IPv4Address, port.getHost()).port for port in self._ports)
        return Addresses(
            f"tcp:{_INTERFACE}:{irc}",
            f"http://{_INTERFACE}:{http}/twitch/gql",
            f"http://{_INTERFACE}:{http}/twitch/recent-messages",
            f"ws://{_INTERFACE}:{http}/twitch/hermes",
            f"http://{_INTERFACE}:{http}/tiktok",
            f"ws://{_INTERFACE}:{http}/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/",
            f"http://{_INTERFACE}:{http}/youtube",
            f"http://{_INTERFACE}:{http}/emotes/7tv",
            f"ws://{_INTERFACE}:{http}/emotes/7tv/events",
            f"http://{_INTERFACE}:{http}/emotes/bttv",
            f"ws://{_INTERFACE}:{http}/emotes/bttv/socket",
            f"http://{_INTERFACE}:{http}/emotes/ffz",
            f"http://{_INTERFACE}:{http}/pictures/",
        )

    def startService(self) -> None:
        """Open the ports if that was not done, and begin the faults that were chosen."""
        super().startService()
        where = self.listen()
        _log.info(
            "Twitch IRC at {irc}, GQL at {gql}, recent messages at {history}, Hermes at {hermes}",
            irc=where.twitch_irc,
            gql=where.twitch_gql_url,
            history=where.twitch_history_url,
            hermes=where.twitch_hermes_url,
        )
        _log.info("TikTok at {url}, signer at {url}/signer", url=where.tiktok_url)
        _log.info("YouTube at {url}", url=where.youtube_url)
        _log.info(
            "7TV at {seven_tv}, BetterTTV at {bttv}, FrankerFaceZ at {ffz}",
            seven_tv=where.seven_tv_url,
            bttv=where.bttv_url,
            ffz=where.ffz_url,
        )
        if self._mishaps or self._tiktok_mishaps or self._youtube_mishaps:
            self._striking.start(self._mishap_every, now=False)

    def stopService(self) -> Deferred[None]:
        """Close the ports and every connection."""
        super().stopService()
        if self._striking.running:
            self._striking.stop()
        closed = self._close()
        self.twitch.close()
        self.tiktok.drop()
        self.emotes.drop()
        return closed

    def _close(self) -> Deferred[None]:
        ports, self._ports = self._ports, []
        closed = gatherResults([maybeDeferred(port.stopListening) for port in ports])
        return closed.addCallback(lambda _: None)

    def _strike(self) -> None:
        for mishap in self._mishaps:
            self.twitch.strike(mishap)
        for tiktok_mishap in self._tiktok_mishaps:
            self.tiktok.strike(tiktok_mishap)
        for youtube_mishap in self._youtube_mishaps:
            self.youtube.strike(youtube_mishap)


class _Site(Site):
    """A site that does not log every request."""

    noisy = False

    def log(self, request: Request) -> None:
        """Log nothing."""


def resources(
    twitch: TwitchSimulator,
    tiktok: TikTokSimulator | None = None,
    youtube: YouTubeSimulator | None = None,
    emotes: EmoteSimulator | None = None,
) -> Resource:
    """The HTTP side of all platforms, each under its own name."""
    root = Resource()
    on_twitch = Resource()
    root.putChild(b"twitch", on_twitch)
    on_twitch.putChild(b"gql", GraphQL(twitch))
    on_twitch.putChild(b"recent-messages", RecentMessages(twitch))
    on_twitch.putChild(b"hermes", Hermes(twitch))
    root.putChild(b"pictures", Pictures())
    if tiktok is not None:
        root.putChild(b"tiktok", TikTokSite(tiktok))
    if youtube is not None:
        root.putChild(b"youtube", YouTubeSite(youtube))
    if emotes is not None:
        root.putChild(b"emotes", EmoteSite(emotes))
    return root


def makeSimulator(
    reactor: IReactorTCP, now: Callable[[], float], seed: int | str, rate: float
) -> SimulatorService:
    """A simulator for the same process, on free ports.

    Call `listen` for its addresses, and start and stop it like any service.

    :param reactor: also the clock.
    :param now: the time of day, seconds since 1970.
    :param rate: messages per second and channel.
    """
    clock = cast(IReactorTime, reactor)
    scenario = Scenario(seed, rate)
    return SimulatorService(
        reactor,
        TwitchSimulator(clock, now, scenario),
        TikTokSimulator(clock, now, scenario),
        YouTubeSimulator(clock, now, scenario),
    )


def makeService(options: Options) -> SimulatorService:
    """The service of `twistd livechat-simulator`, with its ports open.

    Later `twistd` may be in the background, where nobody learns what is wrong.

    :raises SystemExit: a port is taken; one line on stderr.
    """
    # Importing it installs it, so that is left to the one who runs the service.
    from twisted.internet import reactor  # noqa: PLC0415

    # Twisted's timers follow the wall clock, which may be set back.
    cast(Any, reactor).seconds = time.monotonic
    scenario = Scenario(options["seed"], options["rate"])
    clock = cast(IReactorTime, reactor)
    twitch = TwitchSimulator(clock, time.time, scenario, recording=options.recording)
    twitch.faults |= options.faults
    tiktok = TikTokSimulator(clock, time.time, scenario, options.tiktok_recording)
    tiktok.faults |= options.tiktok_faults
    youtube = YouTubeSimulator(clock, time.time, scenario, recording=options.youtube_recording)
    youtube.faults |= options.youtube_faults
    emotes = EmoteSimulator(clock)
    emotes.faults |= options.emote_faults
    _log.info("seed {seed}", seed=options["seed"])
    if options.recording:
        for login in sorted(options.recording.channels):
            _log.info("recorded lines wait for a reader of #{login}", login=login)
        if options.recording.left_out:
            _log.info("{n} lines name no channel: left out", n=options.recording.left_out)
    if options.youtube_recording:
        _log.info("{n} recorded actions wait", n=options.youtube_recording.actions)
        for name in options.youtube_recording.left_out:
            _log.info("{name} holds no answer of a chat: left out", name=name)
    service = SimulatorService(
        cast(IReactorTCP, reactor),
        twitch,
        tiktok,
        youtube,
        emotes=emotes,
        twitch_irc_port=options["twitch-irc-port"],
        http_port=options["http-port"],
        mishaps=options.mishaps,
        tiktok_mishaps=options.tiktok_mishaps,
        youtube_mishaps=options.youtube_mishaps,
        mishap_every=options["fault-every"],
    )
    try:
        service.listen()
    except CannotListenError as error:
        reason = os.strerror(error.socketError.errno or 0)
        sys.stderr.write(f"livechat-simulator: cannot listen on port {error.port}: {reason}\n")
        raise SystemExit(1) from None
    return service
