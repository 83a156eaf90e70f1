# SPDX-License-Identifier: MIT
"""Part G: restarts, signals, a process that stands still, a clock that is set, no descriptors."""

from __future__ import annotations

import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final

from twisted.internet.defer import gatherResults
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThread

from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import PONG, Closed, Raw, address, connected, reset
from benchmarks.campaign.scene import Scene, pause, reactor
from benchmarks.witness import Speaker, Witness
from tests.support.daemon import start_daemon
from tests.support.program import environment
from tests.support.redis import RedisServer
from tests.support.systemd import Activation

# Restarts through socket activation.


def come_and_go(port: int, stop: str) -> tuple[int, list[str]]:
    """Connect again and again; how often that worked, and why it did not."""
    opened, failed = 0, []
    while not os.path.exists(stop):
        try:
            client = Raw(port, address(opened % 1000))
            if client.status != 101:
                failed.append(f"HTTP {client.status}")
            client.say(type="ping")
            client.message()
            client.close()
            opened += 1
        except (OSError, Closed) as error:
            failed.append(repr(error))
    return opened, failed


def come_back(port: int, count: int) -> list[list[tuple[str, bool, list[tuple[int, str]], int]]]:
    """Clients that resume whenever they are closed, until somebody says `end`.

    :return: for each client its connections: epoch, whether nothing was missing, the numbers and
        texts that came, and the code of the close.
    """
    stories: list[list[Any]] = [[] for _ in range(count)]
    threads = [
        Thread(target=_resume, args=(port, number, stories[number])) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return stories


def _resume(port: int, number: int, story: list[Any]) -> None:
    epoch, last = "", 0
    while True:
        given: list[tuple[int, str]] = []
        recovered, code, ended = True, 0, False
        try:
            client = Raw(port, address(2000 + number))
            since: dict[str, Any] = {}
            if epoch:
                since = {"since": {"epoch": epoch, "seq": last}, "history": 1000}
            client.subscribe("restarts", stats=False, events=True, **since)
            while not ended:
                one = client.message()
                if one.get("status") == "started":
                    recovered = one.get("recovered", True)
                    if one["epoch"] != epoch:
                        epoch, last = one["epoch"], 0 if since else one["seq"]
                elif one["type"] in ("chat", "event"):
                    last = one["seq"]
                    content = one["data"]["data"].get("content", {})
                    given.append((last, content.get("raw", "")))
                    ended = content.get("raw") == "end"
            client.close()
        except Closed as end:
            code = end.code
            # As honest clients do: the daemon need not wait for them.
            client.close()
        except OSError:
            code = -1
        story.append((epoch, recovered, given, code))
        if ended:
            return


async def restarts(scene: Scene, amount: int) -> Count:
    """G5: restarts under load: nobody is refused, and nothing is lost that a process published.

    With the history in one process's memory the next one begins a new epoch and tells whoever comes
    back `recovered: false`.  Then everything that it has published follows.  With `--broker=redis`
    among the options of the case the epoch must go on, and nothing be missing.
    """
    systemd = Activation()
    stop = Path(tempfile.mkdtemp()) / "stop"
    daemon = systemd.start(reactor, *scene.options)
    await systemd.until("READY=1")
    said = 0
    heard: set[str] = set()

    def speak() -> None:
        nonlocal said
        said += 1
        if scene.twitch.joined("restarts"):
            heard.add(str(said))
        scene.say("restarts", str(said))

    going = [scene.begin(come_and_go, systemd.number, str(stop)) for _ in range(2)]
    resuming = scene.begin(come_back, systemd.number, 8)
    await scene.until(lambda: scene.twitch.joined("restarts"))
    speaking = LoopingCall(speak)
    speaking.start(0.05)
    for _ in range(amount):
        await pause(1.5)
        daemon = await systemd.restart(reactor, daemon, *scene.options)
    await scene.until(lambda: scene.twitch.joined("restarts"))
    await pause(2.0)
    speaking.stop()
    stop.touch()
    gone = await gatherResults(going)
    scene.say("restarts", "end")
    stories = await resuming
    daemon.kill()
    await daemon.ended
    systemd.close()
    opened, failed = sum(one[0] for one in gone), [why for one in gone for why in one[1]]
    codes = Counter(code for story in stories for *_, code in story)
    holes = sum(map(_holes, stories))
    ends = _different_ends(stories)
    texts = [{text for *_, given, _ in story for _, text in given} for story in stories]
    unheard = [len(heard - some) for some in texts]
    good = not failed and not holes and not ends and set(codes) <= {1001, 0}
    # What is said in the moment of a signal may be read by nobody; that moment is as long as a
    # process waits for its turn on a busy machine.
    good = good and max(unheard) <= amount * (20 if scene.bounds.is_busy else 1)
    if "--broker=redis" in scene.options:
        good = good and len({epoch for story in stories for epoch, *_ in story}) == 1
        good = good and all(recovered for story in stories for _, recovered, *_ in story)
    note = f"{opened} connects, {len(failed)} failed {failed[:2]}; closes {dict(codes)}"
    note += f"; in 8 histories {holes} holes, {ends} different ends; {said} said,"
    note += f" {said - len(heard)} while no process was in the chat,"
    note += f" {max(unheard)} others not delivered"
    return Count(amount, amount if good else 0, note)


async def restarts_with_redis(scene: Scene, amount: int) -> Count:
    """G5: the same with `--broker=redis`: the order of the chat goes on through all restarts."""
    redis = RedisServer()
    await redis.start(reactor)
    own = scene.options
    scene.options = (*own, "--broker=redis", f"--redis-url={redis.url}", "--node=restarted")
    try:
        return await restarts(scene, amount)
    finally:
        scene.options = own
        redis.close()


def _holes(story: list[tuple[str, bool, list[tuple[int, str]], int]]) -> int:
    """Numbers that one client was not given, or twice, within the epochs that it saw."""
    numbers: dict[str, list[int]] = {}
    for epoch, _, given, _ in story:
        numbers.setdefault(epoch, []).extend(number for number, _ in given)
    holes = 0
    for place, some in enumerate(numbers.values()):
        if some:
            first = some[0] if place == 0 else 1
            holes += some != list(range(first, first + len(some)))
    return holes


def _different_ends(stories: list[list[tuple[str, bool, list[tuple[int, str]], int]]]) -> int:
    """In how many epochs some client was given less than others at the end."""
    lasts: dict[str, set[int]] = {}
    for story in stories:
        of_epoch: dict[str, int] = {}
        for epoch, _, given, _ in story:
            if given:
                of_epoch[epoch] = given[-1][0]
        for epoch, last in of_epoch.items():
            lasts.setdefault(epoch, set()).add(last)
    return sum(len(some) > 1 for some in lasts.values())


# A stop with many clients.


def crowd(port: int, count: int) -> tuple[list[float], dict[int, int]]:
    """Clients that stay until they are closed; when each was (since the first), and codes."""
    clients: list[Raw] = []
    alive = time.monotonic()
    for number in range(count):
        clients.append(Raw(port, address(number)))
        clients[-1].subscribe("crowd", stats=False)
        # Those who are there must not be taken for gone while the others come.
        if time.monotonic() > alive + 3:
            alive = time.monotonic()
            for client in clients:
                client.send(b"", PONG)
    by_number = {client.socket.fileno(): client for client in clients}
    poll = select.poll()
    for client in clients:
        client.socket.setblocking(False)
        poll.register(client.socket, select.POLLIN)
    rest = dict.fromkeys(by_number, b"")
    closes: list[float] = []
    codes: Counter[int] = Counter()
    began = alive = time.monotonic()
    while by_number and time.monotonic() - began < 600:
        for number, _ in poll.poll(1000):
            client = by_number[number]
            data = b""
            with suppress(OSError):
                data = client.socket.recv(1 << 16)
            rest[number] = rest[number][-200:] + data
            found = re.search(rb"\x88.(..)server is shutting down", rest[number], re.DOTALL)
            if found or not data:
                closes.append(time.monotonic())
                codes[int.from_bytes(found[1], "big") if found else 0] += 1
                poll.unregister(number)
                with suppress(OSError):
                    client.send(b"\x03\xe9", 8)
                by_number.pop(number).close()
        # Before a ping is taken for unanswered, and not so often that it is a flood.
        if time.monotonic() > alive + 3:
            alive = time.monotonic()
            for client in by_number.values():
                with suppress(OSError):
                    client.send(b"", PONG)
    return [when - closes[0] for when in closes], dict(codes)


async def drain(scene: Scene, amount: int) -> Count:
    """G1: the closes of a stop are spread over `--drain-seconds`."""
    seconds = 30 if amount > 1000 else 4
    daemon = start_daemon(reactor, *scene.options, f"--drain-seconds={seconds}")
    await daemon.listening
    crowding = scene.begin(crowd, daemon.port, amount)

    async def all_there() -> bool:
        return f"livechat_clients {amount}.0" in await daemon.metrics()

    there = await scene.until(all_there, 120)
    begun = time.monotonic()
    ended = daemon.terminate()
    closes, codes = await crowding
    await ended
    took = time.monotonic() - begun
    seen = Counter(int(when) for when in closes)
    histogram = [seen[second] for second in range(max(seen) + 1)]
    # On a busy machine closes are seen late, but never all at once.
    most = (3.5 if scene.bounds.is_busy else 2.5) * amount / seconds
    spread = len(histogram) >= seconds - 1 and max(histogram) <= most
    good = codes.get(1001, 0) if there and spread and took < seconds + scene.bounds.late else 0
    return Count(amount, good, f"closes per second {histogram}; ended after {took:.1f} s")


# The process and the machine.


async def signals(scene: Scene, amount: int) -> Count:
    """G2: signals that must not end it."""
    process: Any = scene.daemon.transport
    harmless = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
    for number in range(amount):
        os.kill(process.pid, harmless[number % 3])
        await pause(0.05)
    return Count(amount, amount if "ok" in (await scene.health())["status"] else 0)


async def stopped(scene: Scene, amount: int) -> Count:
    """SIGSTOP for so many seconds: whatever was said meanwhile comes afterwards."""
    process: Any = scene.daemon.transport
    os.kill(process.pid, signal.SIGSTOP)
    await pause(float(amount))
    os.kill(process.pid, signal.SIGCONT)
    return Count(1, 1, f"{amount} s")


def hoard(port: int, count: int, seconds: float) -> int:
    """Open more connections than there are descriptors, and hold them for a while."""
    held = []
    for number in range(count):
        with suppress(OSError):
            held.append(connected(port, address(number), 2.0))
    time.sleep(seconds)
    for one in held:
        reset(one)
    return len(held)


async def no_descriptors(scene: Scene, amount: int) -> Count:
    """G4: three descriptors are left; when they are free again, whoever comes is served."""
    process: Any = scene.daemon.transport
    survived = 0
    for _ in range(amount):
        few = scene.descriptors() + 3
        _, hard = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (few, hard))
        await scene.apart(hoard, scene.port, 200, 3.0)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        survived += await scene.until(lambda: scene.apart(_is_served, scene.port), 20)
    return Count(amount, survived, "200 connections for 3 descriptors")


def _is_served(port: int) -> bool:
    try:
        client = Raw(port)
        client.say(type="ping")
        return bool(client.message()["type"] == "pong")
    except (OSError, Closed):
        return False


_FAKETIME: Final = "usr/lib/*/faketime/libfaketime.so.1"


async def clock(scene: Scene, amount: int) -> Count:
    """D7: the wall clock is set back and forth; messages come as before."""
    (library, *_) = Path("/").glob(_FAKETIME)
    directory = Path(tempfile.mkdtemp())
    control, log = directory / "clock", directory / "log"
    control.write_text("+0s\n")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "livechat",
                "--listen=tcp:0:interface=127.0.0.1",
                *scene.options,
            ],
            env=environment(
                {
                    "LD_PRELOAD": str(library),
                    "FAKETIME_TIMESTAMP_FILE": str(control),
                    "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                }
            ),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        await scene.until(lambda: re.search(r"port=\d+", log.read_text()))
        found = re.search(r"listening on .*port=(\d+)", log.read_text())
        assert found
        witness = await deferToThread(Witness, int(found[1]), "twitch", "clocks")
        await deferToThread(witness.subscribe)
        listening = Thread(target=witness.listen, daemon=True)
        listening.start()
        speaker = Speaker.on_twitch(scene.twitch, 20, "clocks")
        speaker.start()
        for number in range(amount):
            hours = (-1, 24, -24, 1, 0, 8760)[number % 6]
            control.write_text(f"{hours * 3600:+d}s\n")
            await pause(2.0)
        speaker.stop()
        whole = list(range(1, speaker.said + 1))
        came = await scene.until(lambda: witness.order == whole, 20)
        witness.close()
    finally:
        process.send_signal(signal.SIGTERM)
        await deferToThread(process.wait)
    clean = "Traceback" not in log.read_text()
    note = f"{len(witness.order)} of {speaker.said} messages in order, while it was set"
    return Count(amount, amount if came and clean else 0, note)


CASES: Final = (
    Case("G2 signals that do not end it", signals, 60, 9),
    Case("G5 restarts through socket activation", restarts, 20, 1, alone=True, waits=True),
    Case("G5 restarts with --broker=redis", restarts_with_redis, 20, 0, alone=True, waits=True),
    Case("G1 a stop with many clients", drain, 10_000, 100, alone=True, waits=True),
    Case("G4 three descriptors left", no_descriptors, 5, 1, alone=True, waits=True, halted=30.0),
    Case("G7 the process stands still", stopped, 60, 2, alone=True, waits=True, halted=60.0),
    Case("D7 the clock is set back and forth", clock, 30, 2, waits=True),
)  # fmt: skip
