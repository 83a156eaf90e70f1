# SPDX-License-Identifier: MIT
"""Several real daemons on one real Redis, a simulated Twitch, and what can happen to them.

The simulator runs in the process of the test, which says everything that is said: it knows the
truth.  Each node has a way to Redis of its own that can be cut.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final
from urllib.request import urlopen

import msgspec
from twisted.internet.defer import Deferred, DeferredList, gatherResults, maybeDeferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThread
from twisted.protocols.portforward import ProxyFactory
from twisted.web.server import Site

from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.twitch import TwitchSimulator
from tests.support.daemon import PATIENCE, Daemon, start_daemon
from tests.support.redis import RedisServer
from tests.support.witness import Heard, Truth, Verdict, Witness, judge, unexplained

#: Seconds of a lease in tests.
LEASE: Final = 3

#: Times a second at which the simulator speaks.
STEPS: Final = 50

_LINE: Final = (
    "@badges=;color=#FF0000;display-name=Ann_Sample;emotes=;id={id};room-id=4242;subscriber=0;"
    "tmi-sent-ts={at};user-id={user};user-type= :u{user}!u{user}@u{user}.tmi.twitch.tv "
    "PRIVMSG #{channel} :message {number} of the test, and as long as many are"
)


def time_of(seconds: float) -> str:
    """A time of the real reactor's clock as nodes log it, in milliseconds."""
    whole, part = divmod(round(seconds * 1000), 1000)
    return time.strftime("%H:%M:%S", time.localtime(whole)) + f".{part:03d}"


class Way(ProxyFactory):
    """A way from one node to Redis.

    :ivar is_cut: nothing passes, and nobody is told.
    """

    noisy = False

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.is_cut = False
        self.connections: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        """A connection; while the way is cut nobody answers on it."""
        made = Silent() if self.is_cut else super().buildProtocol(addr)
        self.connections.append(made)
        return made

    def cut(self) -> None:
        """What is sent from now on is not received, in both directions."""
        self.is_cut = True
        for transport in self._transports():
            transport.stopReading()

    def heal(self) -> None:
        """Connections that were cut end, new ones pass."""
        self.is_cut = False
        transports = self._transports()
        self.connections.clear()
        for transport in transports:
            transport.abortConnection()

    def _transports(self) -> list[Any]:
        ends = [end for made in self.connections for end in (made, getattr(made, "peer", None))]
        return [end.transport for end in ends if end is not None and end.transport is not None]


class Silent(Protocol):
    """A connection on which nobody answers."""


class Node:
    """One daemon of the cluster.

    :ivar name: what it calls itself.
    """

    def __init__(self, name: str, daemon: Daemon, way: Way, port: Any) -> None:
        self.name = name
        self.daemon = daemon
        self.way = way
        self._port = port
        self.is_stopped = False

    @property
    def runs(self) -> bool:
        """Whether clients may connect to it."""
        return not self.is_stopped and not self.daemon.ended.called and bool(self.daemon.port)

    async def health(self) -> dict[str, Any]:
        """What its `/health` answers."""
        return await self._get("health")

    async def channels(self) -> dict[str, dict[str, Any]]:
        """What its `/channels` says, by channel."""
        answer = await self._get("channels")
        return {one["identifier"]: one for one in answer["channels"]}

    async def history(self, channel: str) -> dict[str, Any]:
        """What its `/history` says of a channel."""
        return await self._get(f"history/twitch/{channel}")

    async def _get(self, path: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.daemon.port}/{path}"
        body = await deferToThread(lambda: urlopen(url, timeout=PATIENCE).read())
        answer: dict[str, Any] = msgspec.json.decode(body)
        return answer

    def signal(self, name: str) -> None:
        """Send it a signal, by its own pid."""
        transport = self.daemon.transport
        if transport is not None and transport.pid is not None:
            transport.signalProcess(getattr(signal, f"SIG{name}"))

    def pause(self) -> None:
        """Stop it, as a machine does that sleeps."""
        self.is_stopped = True
        self.signal("STOP")

    def resume(self) -> None:
        """It goes on."""
        self.is_stopped = False
        self.signal("CONT")

    async def kill(self) -> None:
        """End it without a farewell."""
        self.is_stopped = True
        self.signal("KILL")
        await self._gone()

    async def stop(self) -> None:
        """Stop it in order."""
        self.is_stopped = True
        self.signal("TERM")
        await self._gone()

    async def _gone(self) -> None:
        if not self.daemon.ended.called:
            waits: Deferred[None] = Deferred()

            def gone(result: Any) -> Any:
                waits.callback(None)
                return result

            self.daemon.ended.addBoth(gone)
            await waits
        self.way.heal()
        await maybeDeferred(self._port.stopListening)


class Cluster:
    """Nodes, Redis, the platform and those who watch.

    :ivar truth: what was said, by channel.
    :ivar twitch: the platform.
    :ivar irc: the port of its chat.
    :param rate: messages per second and channel.
    """

    def __init__(
        self, reactor: Any, channels: Sequence[str], rate: float = 100.0, *options: str
    ) -> None:
        self.reactor = reactor
        self.channels = channels
        self.truth = {channel: Truth() for channel in channels}
        self.redis = RedisServer()
        self.twitch = TwitchSimulator(reactor, time.time, Scenario(1, 0.0))
        self.nodes: list[Node] = []
        self.witnesses: list[Witness] = []
        self._options = options
        self._rate = rate
        self._speaking = LoopingCall.withCount(self._speak)
        self._speaking.clock = reactor
        self._owed = 0.0
        self._names = count(1)
        self._numbers = count(1)
        self._users = Random(1)
        self._ports: list[Any] = []
        self.irc = self._gql = 0

    async def start(self, nodes: int = 3) -> None:
        """Start Redis, the platform and so many nodes."""
        await self.redis.start(self.reactor)
        self.irc = self._listen(self.twitch)
        self._gql = self._listen(Site(resources(self.twitch)))
        self._speaking.start(1 / STEPS, now=False)
        await gatherResults([Deferred.fromCoroutine(self.add()) for _ in range(nodes)])

    async def add(self, name: str = "", *options: str) -> Node:
        """Start one more node."""
        name = name or f"node{next(self._names)}"
        way = Way(self.redis.port)
        port = self.reactor.listenTCP(0, way, interface="127.0.0.1")
        daemon = start_daemon(
            self.reactor,
            "--broker=redis",
            f"--redis-url=redis://127.0.0.1:{port.getHost().port}/0",
            f"--node={name}",
            f"--lease={LEASE}",
            f"--twitch-irc=tcp:127.0.0.1:{self.irc}",
            f"--twitch-gql-url=http://127.0.0.1:{self._gql}/twitch/gql",
            "--emotes=",
            "--command-rate=1000",
            "--max-starts-per-address=100000",
            *self._options,
            *options,
        )
        node = Node(name, daemon, way, port)
        self.nodes.append(node)
        await daemon.listening
        return node

    async def close(self) -> None:
        """End everything."""
        for witness in self.witnesses:
            witness.close()
        if self._speaking.running:
            self._speaking.stop()
        for node in self.nodes:
            if node.is_stopped and not node.daemon.ended.called:
                node.resume()
        # All at once.
        await gatherResults([Deferred.fromCoroutine(node.kill()) for node in self.nodes])
        self.twitch.close()
        await DeferredList([maybeDeferred(port.stopListening) for port in self._ports])
        self.redis.close()

    def ports(self) -> list[int]:
        """Where clients may connect."""
        return [node.daemon.port for node in self.nodes if node.runs]

    def watch(self, node: Node | None = None, **options: Any) -> Witness:
        """Somebody watches all channels: at one node, or wherever it can.

        :param node: None: anywhere, and at another node after each loss.
        """
        if node is None:
            random = Random(len(self.witnesses))
            witness = Witness(self.reactor, self.ports, self.channels, random=random, **options)
        else:
            port = [node.daemon.port]
            witness = Witness(self.reactor, lambda: port, self.channels, **options)
        self.witnesses.append(witness)
        witness.connect()
        return witness

    def dismiss(self, witness: Witness) -> None:
        """Somebody watches no more, and is not asked what it was given."""
        witness.close()
        self.witnesses.remove(witness)

    async def come_true(self, what: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Wait, bounded, until something is true."""
        until = self.reactor.seconds() + seconds
        while True:
            result = what()
            if hasattr(result, "__await__"):
                result = await result
            if result:
                return
            if self.reactor.seconds() > until:
                raise AssertionError("it did not come true")
            await self.pass_time(0.05)

    async def pass_time(self, seconds: float) -> None:
        """Let the world go on."""
        await deferLater(self.reactor, seconds)

    async def arrived(self) -> None:
        """Wait, bounded, until everybody has what was said last; what lacks is for the judge."""
        until = self.reactor.seconds() + PATIENCE
        while self.reactor.seconds() < until and not all(
            self.truth[channel].ids[-1] in heard.given
            for witness in self.witnesses
            for channel, heard in witness.heard.items()
        ):
            await self.pass_time(0.05)

    async def greeted(self) -> None:
        """Wait until everybody watches everything."""
        await self.come_true(
            lambda: all(heard.begun for one in self.witnesses for heard in one.heard.values()),
            3 * PATIENCE,
        )

    async def leader(self, channel: str) -> Node:
        """Who leads a channel."""
        for node in self.nodes:
            if node.runs and (await node.channels()).get(channel, {}).get("role") == "leading":
                return node
        raise AssertionError(f"nobody leads {channel}")

    def upstreams(self, channel: str) -> int:
        """How many connections are in a channel."""
        return len(self.twitch.joined(channel))

    def judge(self, begin: float, end: float) -> Verdict:
        """What all witnesses were given of what was said in this time."""
        verdict = Verdict()
        for witness in self.witnesses:
            for channel, heard in witness.heard.items():
                verdict += judge(heard, self.truth[channel], begin, end)
        return verdict

    def complaints(self, begin: float, end: float) -> list[str]:
        """A line for everybody who has something to complain about."""
        lines: list[str] = []
        for number, witness in enumerate(self.witnesses):
            for channel, heard in witness.heard.items():
                verdict = judge(heard, self.truth[channel], begin, end)
                if not verdict.is_good:
                    lines.append(f"{number} {channel}: {verdict} {heard.errors} {heard.statuses}")
        return lines

    def keep(self, directory: Path, begin: float, end: float) -> None:
        """Write what each node logged, and what those were told to whom something is missing.

        All times are of this machine's clock.
        """
        directory.mkdir(parents=True, exist_ok=True)
        for node in self.nodes:
            Path(directory, f"{node.name}.log").write_text(node.daemon.log)
        for number, witness in enumerate(self.witnesses):
            for channel, heard in witness.heard.items():
                if not judge(heard, self.truth[channel], begin, end).is_good:
                    absent = unexplained(heard, self.truth[channel], begin, end)
                    lines = [(at, "said, and not given") for at in absent]
                    lines += [(at, f"{status} {more}") for at, status, more in heard.statuses]
                    pairs = zip(heard.times, heard.given, strict=True)
                    lines += [(at, f"given {one}") for at, one in pairs]
                    text = "".join(f"{time_of(at)} {what}\n" for at, what in sorted(lines))
                    Path(directory, f"witness{number}-{channel}").write_text(text)

    def all_heard(self) -> list[Heard]:
        """What everybody was given, of every channel."""
        return [heard for witness in self.witnesses for heard in witness.heard.values()]

    def say(self, channel: str) -> str:
        """Somebody says something; the id of the message."""
        number = next(self._numbers)
        message_id = f"00000000-0000-4000-8000-{number:012d}"
        line = _LINE.format(
            id=message_id,
            at=round(time.time() * 1000),
            user=self._users.randrange(1, 500),
            channel=channel,
            number=number,
        )
        self.truth[channel].said(message_id, self.reactor.seconds())
        self.twitch.say(channel, line.encode())
        return message_id

    def silence(self) -> None:
        """Nobody says anything any more."""
        self._speaking.stop()

    def _speak(self, steps: int) -> None:
        self._owed += min(steps, STEPS) * self._rate / STEPS
        while self._owed >= 1:
            self._owed -= 1
            for channel in self.channels:
                self.say(channel)

    def _listen(self, factory: Any) -> int:
        port = self.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._ports.append(port)
        number: int = port.getHost().port
        return number
