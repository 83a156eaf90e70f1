# SPDX-License-Identifier: MIT
"""A real daemon that reads all three platforms, simulated in this process; all is quiet on them."""

from __future__ import annotations

import re
import time
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.protocols.portforward import ProxyFactory, ProxyServer
from twisted.trial.unittest import TestCase

from livechat.simulator.scenario import Scenario
from livechat.simulator.service import SimulatorService
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.youtube import YouTubeSimulator
from tests.support.daemon import Daemon, start_daemon

reactor: Any = _reactor


class Road(ProxyFactory):
    """The only way to a daemon, which can be cut."""

    noisy = False

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self._travellers: list[Any] = []

    def buildProtocol(self, addr: Any) -> ProxyServer:
        """One connection."""
        traveller = super().buildProtocol(addr)
        assert traveller is not None
        self._travellers.append(traveller)
        return traveller

    def cut(self) -> int:
        """End all connections; how many there were."""
        travellers, self._travellers = self._travellers, []
        for traveller in travellers:
            traveller.transport.abortConnection()
        return len(travellers)


class ThreePlatformsCase(TestCase):
    """Three platforms, a daemon, and a road to it.

    :ivar address: of the WebSocket, by the road.
    """

    timeout = 120

    async def setUp(self) -> None:  # type: ignore[override]
        """Start all of it."""
        quiet = Scenario(1, 0.0)
        self.twitch = TwitchSimulator(reactor, time.time, quiet)
        self.tiktok = TikTokSimulator(reactor, time.time, quiet)
        self.youtube = YouTubeSimulator(reactor, time.time, quiet)
        simulator = SimulatorService(reactor, self.twitch, self.tiktok, self.youtube)
        where = simulator.listen()
        simulator.startService()
        self.addCleanup(simulator.stopService)
        self.daemon = start_daemon(
            reactor,
            f"--twitch-irc={where.twitch_irc}",
            f"--twitch-gql-url={where.twitch_gql_url}",
            f"--youtube-url={where.youtube_url}",
            f"--tiktok-url={where.tiktok_url}",
            f"--tiktok-webcast-url={where.tiktok_url}",
            f"--tiktok-socket-url={where.tiktok_socket_url}",
        )
        self.addCleanup(self._end, self.daemon)
        await self.daemon.listening
        self.road = Road(self.daemon.port)
        port = reactor.listenTCP(0, self.road, interface="127.0.0.1")
        self.addCleanup(self.road.cut)
        self.addCleanup(port.stopListening)
        self.address = f"ws://127.0.0.1:{port.getHost().port}"

    async def started(self, count: int) -> None:
        """Wait, bounded by the test's time, until so many chats have started."""
        while True:
            found = re.findall(
                r'starts_total\{outcome="live".*\} (\d+)', await self.daemon.metrics()
            )
            if sum(map(int, found)) >= count:
                return
            await deferLater(reactor, 0.05)

    def _end(self, daemon: Daemon) -> Deferred[int | str]:
        daemon.kill()
        return daemon.ended
