# SPDX-License-Identifier: MIT
"""The simulator as a service: its command line, its ports, and a real reader on a real socket."""

from __future__ import annotations

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any, cast

import treq
from twisted.application.service import IService
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers
from twisted.web.resource import Resource, getChildForRequest
from twisted.web.test.requesthelper import DummyRequest
from zope.interface.verify import verifyObject

from livechat.simulator.options import Options
from livechat.simulator.playback import read_lines
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import (
    Addresses,
    SimulatorService,
    makeService,
    makeSimulator,
    resources,
)
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_faults import Fault, Mishap
from livechat.simulator.twitch_gql import GraphQL
from livechat.simulator.youtube import YouTubeSimulator
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_site import YouTubeSite
from tests.support.corpus import corpus
from tests.support.simulated import DAWN, logged_in

LINE = b"@tmi-sent-ts=1 :a!a@a PRIVMSG #somebody :x\n"


def parsed(*arguments: str) -> Options:
    """The options of a command line."""
    options = Options()
    options.parseOptions(arguments)
    return options


class OptionsTests(SynchronousTestCase):
    """The command line."""

    def refused(self, *arguments: str) -> str:
        """What is said on stderr about a wrong command line: one line, and exit code 1."""
        stderr = StringIO()
        self.patch(sys, "stderr", stderr)
        end = self.assertRaises(SystemExit, Options().parseOptions, arguments)
        self.assertEqual(end.code, 1)
        said = stderr.getvalue()
        self.assertEqual(said.count("\n"), 1, said)
        self.assertTrue(said.startswith("livechat-simulator: ") and said.endswith("\n"), said)
        return said.removeprefix("livechat-simulator: ").rstrip("\n")

    def recorded(self, data: bytes = LINE) -> str:
        """The name of a file of recorded lines."""
        path = Path(self.mktemp())
        path.write_bytes(data)
        return str(path)

    def test_defaults(self) -> None:
        """Without options: the usual ports, two messages a second, another chat every time."""
        options = parsed()
        self.assertEqual((options["twitch-irc-port"], options["http-port"]), (6667, 8081))
        self.assertEqual((options["rate"], options["speed"]), (2.0, 1.0))
        self.assertEqual((options.faults, options.mishaps, options.recording), (set(), set(), None))
        self.assertGreater(len({parsed()["seed"] for _ in range(20)} - {""}), 10)

    def test_values(self) -> None:
        """Every option is taken as what it stands for."""
        options = parsed(
            "--twitch-irc-port=0",
            "--http-port=65535",
            "--seed=abc",
            "--rate=0.5",
            "--fault=nak",
            "--fault=gql-429",
            "--fault=drop",
            "--fault-every=1.5",
            f"--twitch-lines={self.recorded()}",
            "--twitch-channel=other",
            "--speed=0",
            "--loop",
        )
        self.assertEqual((options["twitch-irc-port"], options["http-port"]), (0, 65535))
        self.assertEqual(
            (options["seed"], options["rate"], options["fault-every"]), ("abc", 0.5, 1.5)
        )
        self.assertEqual(options.faults, {Fault.NAK, Fault.GQL_429})
        self.assertEqual(options.mishaps, {Mishap.DROP})
        assert options.recording is not None
        self.assertEqual(options.recording.channels, {"other"})

    def test_wrong_values(self) -> None:
        """A wrong value is named, with the option it was given to."""
        for arguments, complaint in (
            (["--rate=fast"], "--rate: 'fast' is no number"),
            (["--rate=-1"], "--rate: '-1' is out of range"),
            (["--rate=nan"], "--rate: 'nan' is out of range"),
            (["--speed=inf"], "--speed: 'inf' is out of range"),
            (["--http-port=65536"], "--http-port: '65536' is out of range"),
            (["--twitch-irc-port=6667.5"], "--twitch-irc-port: '6667.5' is no number"),
            (["--fault-every=0"], "--fault-every: must be more than 0"),
            (["--twitch-channel=Upper"], "--twitch-channel: 'Upper' is no Twitch login"),
            (["--loop"], "--twitch-channel and --loop need --twitch-lines"),
            (["--twitch-channel=a"], "--twitch-channel and --loop need --twitch-lines"),
            (["--nonsense"], "option --nonsense not recognized"),
        ):
            self.assertEqual(self.refused(*arguments), complaint)
        self.assertTrue(
            self.refused("--fault=rain").startswith("--fault: 'rain' is none of refuse, ")
        )

    def test_wrong_files(self) -> None:
        """A file that is not there, is no recording, or has no channel is named."""
        missing = self.mktemp()
        for name, complaint in (
            (missing, "No such file or directory"),
            (self.recorded(b'{"messages": {}}'), "no list of lines under `messages`"),
            (self.recorded(b"PING :x\n"), "no line names a channel"),
            (self.recorded(b""), "no line names a channel"),
        ):
            said = self.refused(f"--twitch-lines={name}")
            self.assertEqual(said, f"--twitch-lines: {name}: {complaint}")

    def test_youtube_recording(self) -> None:
        """A directory of recorded answers is read; one without any is refused, in one line."""
        directory = Path(self.mktemp())
        directory.mkdir()
        complaint = f"--youtube-recording: {directory}: "
        said = self.refused(f"--youtube-recording={directory}")
        self.assertEqual(said, f"{complaint}no recorded answer")
        (directory / "a.json").write_text('[{"removeChatItemAction": {"targetItemId": "x"}}]')
        (directory / "b.json").write_text("[]")
        recording = parsed(f"--youtube-recording={directory}").youtube_recording
        assert recording is not None
        self.assertEqual((recording.actions, recording.left_out), (1, ("b.json",)))
        missing = directory / "none"
        said = self.refused(f"--youtube-recording={missing}")
        self.assertEqual(said, f"--youtube-recording: {missing}: No such file or directory")

    def test_every_fault_has_a_name(self) -> None:
        """Whatever can go wrong can be asked for."""
        names = [fault.value for fault in Fault] + [mishap.value for mishap in Mishap]
        self.assertEqual(len(set(names)), len(names))
        options = parsed(*(f"--fault={name}" for name in names))
        self.assertEqual((options.faults, options.mishaps), (set(Fault), set(Mishap)))
        names = [fault.value for fault in YouTubeFault] + [one.value for one in YouTubeMishap]
        self.assertEqual(len(set(names)), len(names))
        options = parsed(*(f"--fault={name}" for name in names))
        self.assertEqual(options.youtube_faults, set(YouTubeFault))
        self.assertEqual(options.youtube_mishaps, set(YouTubeMishap))


class MemoryReactor(MemoryReactorClock):
    """Has ports that are free, and ports that are taken."""

    taken = frozenset({7})

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """Open a port, or do not."""
        if port in self.taken:
            raise CannotListenError(interface, port, OSError(98, "Address already in use"))
        return super().listenTCP(port or 40000 + len(self.tcpServers), factory, backlog, interface)


class ServiceTests(TestCase):
    """The ports, in memory."""

    def setUp(self) -> None:
        """A reactor in memory."""
        self.memory = MemoryReactor()
        self.reactor = cast(IReactorTCP, self.memory)

    def simulator(self, **settings: Any) -> SimulatorService:
        """A simulator on it."""
        twitch = TwitchSimulator(self.memory, lambda: DAWN, Scenario(1, 0.0))
        tiktok = TikTokSimulator(self.memory, lambda: DAWN, Scenario(1, 0.0))
        youtube = YouTubeSimulator(self.memory, lambda: DAWN, Scenario(1, 0.0))
        return SimulatorService(self.reactor, twitch, tiktok, youtube, **settings)

    def test_addresses(self) -> None:
        """The ports are opened by `listen`, once and on loopback, and it says where they are."""
        simulator = makeSimulator(self.reactor, lambda: DAWN, 1, 2.0)
        self.assertEqual(self.memory.tcpServers, [])
        addresses = simulator.listen()
        self.assertEqual(
            addresses,
            Addresses(
                "tcp:127.0.0.1:40000",
                "http://127.0.0.1:40001/twitch/gql",
                "http://127.0.0.1:40001/twitch/recent-messages",
                "ws://127.0.0.1:40001/twitch/hermes",
                "http://127.0.0.1:40001/tiktok",
                "ws://127.0.0.1:40001/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/",
                "http://127.0.0.1:40001/youtube",
                "http://127.0.0.1:40001/emotes/7tv",
                "ws://127.0.0.1:40001/emotes/7tv/events",
                "http://127.0.0.1:40001/emotes/bttv",
                "ws://127.0.0.1:40001/emotes/bttv/socket",
                "http://127.0.0.1:40001/emotes/ffz",
                "http://127.0.0.1:40001/pictures/",
            ),
        )
        simulator.privilegedStartService()
        simulator.startService()
        self.assertEqual(simulator.listen(), addresses)
        self.assertEqual([server[3] for server in self.memory.tcpServers], ["127.0.0.1"] * 2)
        self.assertIs(self.memory.tcpServers[0][1], simulator.twitch)

    def test_is_a_service(self) -> None:
        """It is what an application can hold."""
        verifyObject(IService, self.simulator())

    def test_given_ports(self) -> None:
        """Ports that are asked for are used; the start alone opens them, too."""
        simulator = self.simulator(twitch_irc_port=6667, http_port=8081)
        simulator.startService()
        self.assertEqual([server[0] for server in self.memory.tcpServers], [6667, 8081])

    def test_taken_port(self) -> None:
        """A taken port leaves none open."""
        simulator = self.simulator(twitch_irc_port=6667, http_port=7)
        self.assertRaises(CannotListenError, simulator.listen)

    def test_stop(self) -> None:
        """A stop closes connections and leaves nothing on the clock."""
        simulator = self.simulator(mishaps=[Mishap.GARBAGE], mishap_every=5.0)
        simulator.startService()
        line = logged_in(simulator.twitch, self.memory, "somebody")
        stopped = simulator.stopService()
        self.successResultOf(stopped)
        line.heard()
        self.assertTrue(line.reader.lost)
        self.assertEqual(self.memory.getDelayedCalls(), [])

    def test_mishaps(self) -> None:
        """What was asked for goes wrong again and again, not at once."""
        simulator = self.simulator(mishaps=[Mishap.RECONNECT], mishap_every=5.0)
        simulator.startService()
        line = logged_in(simulator.twitch, self.memory, "somebody")
        self.assertEqual(line.heard(4.9), [])
        self.assertEqual(line.heard(0.2), [":tmi.twitch.tv RECONNECT"])
        self.assertEqual(line.heard(5.0), [":tmi.twitch.tv RECONNECT"])

    def test_paths(self) -> None:
        """Each platform has a path of its own; Twitch has its GQL, YouTube is all below one."""
        simulator = self.simulator()
        root = resources(simulator.twitch, simulator.tiktok, simulator.youtube)

        def at(*path: bytes) -> Resource:
            found = getChildForRequest(root, DummyRequest(list(path)))
            assert isinstance(found, Resource)
            return found

        self.assertIsInstance(at(b"twitch", b"gql"), GraphQL)
        self.assertNotIsInstance(at(b"twitch", b"other"), GraphQL)
        self.assertNotIsInstance(at(b"gql"), GraphQL)
        for path in ([b"@ann", b"live"], [b"youtubei", b"v1", b"x"], []):
            self.assertIsInstance(at(b"youtube", *path), YouTubeSite)

    def test_make_service(self) -> None:
        """The program's service plays what the command line says, with its faults."""
        path = Path(self.mktemp())
        path.write_bytes(LINE + b"PING :x\n")
        options = parsed(
            "--fault=nak",
            "--seed=7",
            f"--twitch-lines={path}",
            "--twitch-irc-port=0",
            "--http-port=0",
        )
        with capturedLogs() as logs:
            simulator = makeService(options)
        self.addCleanup(simulator.stopService)
        self.assertEqual(simulator.twitch.faults, {Fault.NAK})
        self.assertEqual(simulator.youtube.faults, set())
        told = [event["log_format"].format(**event) for event in logs]
        self.assertEqual(
            told[:3],
            [
                "seed 7",
                "recorded lines wait for a reader of #somebody",
                "1 lines name no channel: left out",
            ],
        )


class Collector(Protocol):
    """Keeps lines until so many PRIVMSG have come."""

    def __init__(self, messages: int) -> None:
        self._missing = messages
        self._data = b""
        self.complete: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        """Keep it, and see whether that is all."""
        self._data += data
        if self._data.endswith(b"\r\n") and self._data.count(b" PRIVMSG ") >= self._missing:
            complete, self._missing = self.complete, sys.maxsize
            complete.callback(self._data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Too early, or after all has come."""
        if not self.complete.called:
            assert reason is not None
            self.complete.errback(reason)


class SocketTests(TestCase):
    """The real thing, on loopback."""

    timeout = 120

    async def _start(self, simulator: SimulatorService) -> Addresses:
        simulator.privilegedStartService()
        simulator.startService()
        self.addCleanup(simulator.stopService)
        return simulator.listen()

    async def _read(self, address: str, channel: str, messages: int) -> bytes:
        """What a reader of a channel receives up to so many messages."""
        collector = await connectProtocol(clientFromString(reactor, address), Collector(messages))
        assert collector.transport is not None
        collector.transport.write(
            b"CAP REQ :twitch.tv/tags twitch.tv/commands\r\nNICK justinfan1\r\n"
            + f"JOIN #{channel}\r\n".encode()
        )
        received: bytes = await collector.complete
        collector.transport.loseConnection()
        return received

    async def test_demo(self) -> None:
        """A reader gets chat, and GQL says that the channel is live."""
        simulator = makeSimulator(cast(IReactorTCP, reactor), lambda: DAWN, 1, 200.0)
        addresses = await self._start(simulator)
        received = await self._read(addresses.twitch_irc, "somebody", 20)
        self.assertIn(b" JOIN #somebody\r\n", received)
        pool = HTTPConnectionPool(reactor, persistent=False)
        client = treq.client.HTTPClient(Agent(reactor, pool=pool))
        query = {"query": "{ users(logins: $l) { id } }", "variables": {"logins": ["somebody"]}}
        response = await client.post(
            addresses.twitch_gql_url,
            data=json.dumps(query).encode(),
            headers=Headers({"Client-ID": ["x"], "Content-Type": ["application/json"]}),
        )
        (user,) = (await response.json())["data"]["users"]
        self.assertEqual(user["login"], "somebody")
        self.assertIsNotNone(user["stream"])

    async def test_recording(self) -> None:
        """A recorded busy channel comes through a socket byte for byte, as fast as it is read."""
        path = corpus("twitch/irc/xqcow_2019-09-15_first3000.txt")
        options = parsed(
            "--twitch-irc-port=0", "--http-port=0", f"--twitch-lines={path}", "--speed=0"
        )
        addresses = await self._start(makeService(options))
        received = await self._read(addresses.twitch_irc, "xqcow", 2959)
        lines = [line for line in received.split(b"\r\n") if line]
        start = next(i for i, line in enumerate(lines) if b" ROOMSTATE " in line) + 1
        recorded = read_lines(path)
        played = lines[start:]
        # The last of the recording may not have come with the last message.
        self.assertEqual(played, recorded[: len(played)])
        self.assertGreaterEqual(sum(b" PRIVMSG " in line for line in played), 2959)
