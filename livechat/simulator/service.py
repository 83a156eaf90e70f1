# SPDX-License-Identifier: MIT
"""The simulator as a service: its command line, its ports, and the addresses to point a reader at.

`twistd livechat-simulator` uses `Options` and `makeService`; the demo mode uses `makeSimulator`.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from random import SystemRandom
from typing import Any, Final, cast

from twisted.application.service import Service
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorTCP, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import Site

from livechat.simulator.playback import Recording, read_lines
from livechat.simulator.scenario import Scenario
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.tiktok_faults import TikTokFault, TikTokMishap
from livechat.simulator.tiktok_playback import TikTokRecording, read_payloads
from livechat.simulator.tiktok_site import TikTokSite
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import LOGIN
from livechat.simulator.twitch_faults import Fault, Mishap
from livechat.simulator.twitch_gql import GraphQL
from livechat.simulator.youtube import YouTubeSimulator
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_playback import YouTubeRecording, read_recording
from livechat.simulator.youtube_site import YouTubeSite

_log: Final = Logger()
_INTERFACE: Final = "127.0.0.1"
_FAULTS: Final = {fault.value: fault for fault in Fault}
_MISHAPS: Final = {mishap.value: mishap for mishap in Mishap}
_TIKTOK_FAULTS: Final = {fault.value: fault for fault in TikTokFault}
_TIKTOK_MISHAPS: Final = {mishap.value: mishap for mishap in TikTokMishap}
_YOUTUBE_FAULTS: Final = {fault.value: fault for fault in YouTubeFault}
_YOUTUBE_MISHAPS: Final = {mishap.value: mishap for mishap in YouTubeMishap}
_LASTING: Final = (*_FAULTS, *_TIKTOK_FAULTS, *_YOUTUBE_FAULTS)
_PASSING: Final = (*_MISHAPS, *_TIKTOK_MISHAPS, *_YOUTUBE_MISHAPS)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the simulated platforms are.

    :ivar twitch_irc: a client endpoint string.
    :ivar twitch_gql_url: an address for POSTs.
    :ivar tiktok_url: base of TikTok's pages, `api-live` and `webcast`; also of the signer, under
        `/signer`.
    :ivar tiktok_socket_url: the push socket.
    :ivar youtube_url: base of YouTube's pages and InnerTube.
    """

    twitch_irc: str
    twitch_gql_url: str
    tiktok_url: str
    tiktok_socket_url: str
    youtube_url: str


class Options(UsageOptions):
    """The command line of `twistd livechat-simulator`."""

    longdesc = (
        "Simulates chat platforms on this machine. Every Twitch channel is live, except those "
        "whose name begins with offline, missing, suspended, ending (ends after half a minute) or "
        "quiet (live, nobody writes); one that begins with busy has ten times the rate. "
        "TikTok accounts likewise, where suspended is live until TikTok ends the stream, private "
        "is a private account, and restricted a room that stays silent. "
        "YouTube channels likewise, and by the names members, upcoming, disabled (no chat), "
        "private, agelimit, ended, datacenter (live, but the player is kept from us), simulcast "
        "(found in the list of streams only), legacy and user (names without a handle). "
        f"Faults that last: {', '.join(_LASTING)}. "
        f"Faults that come again and again: {', '.join(_PASSING)}."
    )
    optParameters = [  # noqa: RUF012
        ["twitch-irc-port", None, "6667", "TCP port of the IRC server; 0: any free one"],
        ["http-port", None, "8081", "TCP port of everything HTTP; 0: any free one"],
        ["seed", None, "", "What the chats are made of; the log says which one was drawn"],
        ["rate", None, "2", "Messages per second and channel"],
        ["twitch-lines", None, "", "File of recorded IRC lines to play when its channel is joined"],
        ["twitch-channel", None, "", "Play the recorded lines into this channel"],
        ["tiktok-recording", None, "", "File of recorded webcast payloads to play"],
        ["tiktok-account", None, "", "Play the recorded payloads into this account's room"],
        ["youtube-recording", None, "", "Directory of recorded answers to play, one per poll"],
        ["speed", None, "1", "Of the recording; 0: as fast as the reader takes it"],
        ["fault-every", None, "30", "Seconds between faults that come again and again"],
    ]
    optFlags = [["loop", None, "Play the recording again and again"]]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.faults: set[Fault] = set()
        self.mishaps: set[Mishap] = set()
        self.recording: Recording | None = None
        self.tiktok_faults: set[TikTokFault] = set()
        self.tiktok_mishaps: set[TikTokMishap] = set()
        self.tiktok_recording: TikTokRecording | None = None
        self.youtube_faults: set[YouTubeFault] = set()
        self.youtube_mishaps: set[YouTubeMishap] = set()
        self.youtube_recording: YouTubeRecording | None = None

    def opt_fault(self, name: str) -> None:
        """Something that goes wrong (see below); may be given several times."""
        if name in _FAULTS:
            self.faults.add(_FAULTS[name])
        elif name in _MISHAPS:
            self.mishaps.add(_MISHAPS[name])
        elif name in _TIKTOK_FAULTS:
            self.tiktok_faults.add(_TIKTOK_FAULTS[name])
        elif name in _TIKTOK_MISHAPS:
            self.tiktok_mishaps.add(_TIKTOK_MISHAPS[name])
        elif name in _YOUTUBE_FAULTS:
            self.youtube_faults.add(_YOUTUBE_FAULTS[name])
        elif name in _YOUTUBE_MISHAPS:
            self.youtube_mishaps.add(_YOUTUBE_MISHAPS[name])
        else:
            raise UsageError(f"--fault: {name!r} is none of {', '.join((*_LASTING, *_PASSING))}")

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line; a wrong value is one line on stderr and the end (exit code 1)."""
        try:
            super().parseOptions(options)
        except UsageError as error:
            sys.stderr.write(f"livechat-simulator: {error}\n")
            raise SystemExit(1) from None

    def postOptions(self) -> None:
        """Check all values, and turn them into what they stand for.

        :raises UsageError: a value is wrong.
        """
        for name in ("twitch-irc-port", "http-port"):
            self[name] = int(self._number(name, 65535, whole=True))
        for name in ("rate", "speed"):
            self[name] = self._number(name, 1e6)
        self["fault-every"] = self._number("fault-every", inf)
        if not self["fault-every"]:
            raise UsageError("--fault-every: must be more than 0")
        self["seed"] = self["seed"] or str(SystemRandom().randrange(10**6))
        if self["twitch-channel"] and not LOGIN.fullmatch(self["twitch-channel"]):
            raise UsageError(f"--twitch-channel: {self['twitch-channel']!r} is no Twitch login")
        if self["twitch-lines"]:
            self.recording = self._recording(Path(self["twitch-lines"]))
        elif self["twitch-channel"] or (self["loop"] and not self["tiktok-recording"]):
            raise UsageError("--twitch-channel and --loop need --twitch-lines")
        if self["tiktok-recording"]:
            self.tiktok_recording = self._tiktok_recording(Path(self["tiktok-recording"]))
        elif self["tiktok-account"]:
            raise UsageError("--tiktok-account needs --tiktok-recording")
        if self["youtube-recording"]:
            self.youtube_recording = self._youtube_recording(Path(self["youtube-recording"]))

    def _number(self, name: str, most: float, whole: bool = False) -> float:
        given = self[name]
        try:
            value = int(given) if whole else float(given)
        except ValueError:
            raise UsageError(f"--{name}: {given!r} is no number") from None
        if not 0 <= value <= most or value == inf:
            raise UsageError(f"--{name}: {given!r} is out of range")
        return value

    def _recording(self, path: Path) -> Recording:
        try:
            lines = read_lines(path)
            return Recording(lines, self["twitch-channel"], self["speed"], bool(self["loop"]))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--twitch-lines: {path}: {reason}") from None

    def _tiktok_recording(self, path: Path) -> TikTokRecording:
        account = self["tiktok-account"].lower()
        try:
            payloads = read_payloads(path)
            return TikTokRecording(payloads, account, self["speed"], bool(self["loop"]))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--tiktok-recording: {path}: {reason}") from None

    def _youtube_recording(self, path: Path) -> YouTubeRecording:
        try:
            return read_recording(path)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--youtube-recording: {path}: {reason}") from None


class SimulatorService(Service):
    """The simulated platforms on loopback ports.

    :ivar twitch: the Twitch server, whose faults can be switched at any time.
    :ivar tiktok: TikTok, likewise.
    :ivar youtube: YouTube, likewise.

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
            site = _Site(resources(self.twitch, self.tiktok, self.youtube))
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
            f"http://{_INTERFACE}:{http}/tiktok",
            f"ws://{_INTERFACE}:{http}/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/",
            f"http://{_INTERFACE}:{http}/youtube",
        )

    def startService(self) -> None:
        """Open the ports if that was not done, and let things go wrong as asked."""
        super().startService()
        where = self.listen()
        _log.info(
            "Twitch IRC at {irc}, GQL at {gql}", irc=where.twitch_irc, gql=where.twitch_gql_url
        )
        _log.info("TikTok at {url}, signer at {url}/signer", url=where.tiktok_url)
        _log.info("YouTube at {url}", url=where.youtube_url)
        if self._mishaps or self._tiktok_mishaps or self._youtube_mishaps:
            self._striking.start(self._mishap_every, now=False)

    def stopService(self) -> Deferred[None]:
        """Close the ports and every connection."""
        super().stopService()
        if self._striking.running:
            self._striking.stop()
        closed = self._close()
        self.twitch.drop()
        self.tiktok.drop()
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
        """Say nothing."""


def resources(
    twitch: TwitchSimulator,
    tiktok: TikTokSimulator | None = None,
    youtube: YouTubeSimulator | None = None,
) -> Resource:
    """The HTTP side of all platforms, each under its own name."""
    root = Resource()
    on_twitch = Resource()
    root.putChild(b"twitch", on_twitch)
    on_twitch.putChild(b"gql", GraphQL(twitch))
    if tiktok is not None:
        root.putChild(b"tiktok", TikTokSite(tiktok))
    if youtube is not None:
        root.putChild(b"youtube", YouTubeSite(youtube))
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
