# SPDX-License-Identifier: MIT
"""The log: its lines, what is never in them, how many there are, and where `twistd` puts them."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from livechat.log_lines import LEVELS, json_form, masker, text_form
from livechat.log_output import BURST, RATE, REPORT_EVERY, TRACEBACK, LogOutput, destination
from tests.support.program import COMMAND, TWIST, TWISTD, Program, get, run

#: What must never stand in a line.
SECRET = "Hush1234567890"


class LogCase(SynchronousTestCase):
    """A logger whose lines are kept."""

    def setUp(self) -> None:
        """JSON, everything."""
        self.clock = Clock()
        self.lines: list[str] = []
        self.left_out = 0
        self.publisher = LogPublisher()
        self.log = Logger("tests.logs", observer=self.publisher)
        self.output("json", "debug")

    def output(self, kind: str, level: str) -> None:
        """Write so from now on."""
        for observer in list(self.publisher._observers):
            self.publisher.removeObserver(observer)
        form = {"json": json_form, "text": text_form}[kind](masker([SECRET, "", "abc"]))

        def count() -> None:
            self.left_out += 1

        def write(line: str, level: str) -> None:
            self.assertIn(level, LEVELS)
            self.lines.append(line)

        self.publisher.addObserver(LogOutput(form, level, write, self.clock.seconds, count))

    def objects(self) -> list[dict[str, Any]]:
        """The lines as objects."""
        return [json.loads(line) for line in self.lines]


class LineTests(LogCase):
    """What a line is."""

    def test_fields(self) -> None:
        """Time, level, namespace and message first, then what the line is about."""
        self.log.warn("{channel}: {what}", channel="twitch:ann", what="live", many=3, odd=object())
        (line,) = self.objects()
        self.assertRegex(line.pop("time"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        said = {"level": "warn", "namespace": "tests.logs", "message": "twitch:ann: live"}
        self.assertEqual(line, {**said, "channel": "twitch:ann", "what": "live", "many": 3})

    def test_one_line(self) -> None:
        """Line ends, control and half characters never break a line or the JSON."""
        for odd in ("a\nb", "\r\n{}", "\x00\x1b[31m\x7f", "\ud800", "\u2028", "é😀"):
            self.log.info("{odd}", odd=odd)
        self.assertTrue(all(len(line.splitlines()) == 1 for line in self.lines[:3]))
        self.assertTrue(all("\n" not in line for line in self.lines))
        self.assertEqual(len(self.objects()), 6)

    def test_exception(self) -> None:
        """Its kind and where it came from; its words only if they quote no input."""
        for text in ('int("what somebody wrote")', '{}["known"]'):
            try:
                eval(text)
            except Exception:
                self.log.failure("a step failed", channel="twitch:ann")
        wrong, missing = self.objects()
        self.assertEqual((wrong["error"], wrong["level"]), ("builtins.ValueError", "critical"))
        self.assertIn("test_logs.py", wrong["traceback"])
        self.assertNotIn("somebody", json.dumps(wrong))
        self.assertIn("KeyError: 'known'", missing["traceback"])
        self.output("text", "info")
        self.log.failure("a step failed", Failure(ValueError("what somebody wrote")))
        self.assertIn("a step failed\n\t", self.lines[-1])
        self.assertNotIn("somebody", self.lines[-1])

    def test_secrets(self) -> None:
        """Passwords in addresses, tokens in queries and headers, chosen words: masked."""
        for text in (
            f"redis://ann:{SECRET}@host/0",
            f"wss://x/ws?a=1&token={SECRET}9&b",
            f"https://x/?api_key={SECRET}9",
            f"Authorization: Bearer {SECRET}9",
            f"it is {SECRET}.",
        ):
            for kind in ("json", "text"):
                self.output(kind, "info")
                self.log.info("{text}", text=text)
                self.assertNotIn(SECRET[:-1], self.lines[-1])
                self.assertIn("***", self.lines[-1])
                self.log.failure("oh", Failure(OSError(text)))
                self.assertNotIn(SECRET[:-1], self.lines[-1])

    def test_levels(self) -> None:
        """What is less important than the chosen level is left out, and is not counted."""
        for level in LEVELS[:-1]:
            self.lines.clear()
            self.output("json", level)
            for said in LEVELS:
                getattr(self.log, said)("x")
            expected = list(LEVELS[LEVELS.index(level) :])
            self.assertEqual([line["level"] for line in self.objects()], expected)
        self.assertEqual(self.left_out, 0)


class RateTests(LogCase):
    """How many lines there are."""

    def test_flood(self) -> None:
        """100,000 bad clients in ten seconds: a bounded number of lines; the rest is counted."""
        for number in range(100_000):
            self.log.info("refused {number}", number=number)
            if not number % 1000:
                self.log.warn("another kind")
            self.clock.advance(0.0001)
        self.clock.advance(REPORT_EVERY)
        self.log.info("quiet again")
        lines = self.objects()
        refused = [line for line in lines if line["message"].startswith("refused")]
        self.assertLessEqual(len(refused), BURST + RATE * 10 + 1)
        counts = [line["count"] for line in lines if "left out" in line["message"]]
        # Said by livechat's own logger where it is installed, counted in any case.
        self.assertEqual(self.left_out + len(refused), 100_000)
        self.assertLessEqual(sum(counts), self.left_out)
        self.assertEqual(sum(line["message"] == "another kind" for line in lines), 100)

    def test_said(self) -> None:
        """Every ten seconds at most a line says how many of a kind are missing."""
        said: list[dict[str, Any]] = []
        self.patch(sys.modules["livechat.log_output"], "_log", Logger("x", observer=self.publisher))
        for _ in range(BURST + 30):
            self.log.info("a {kind}", kind="b")
        self.clock.advance(REPORT_EVERY)
        self.log.info("something else")
        said = [line for line in self.objects() if "left out" in line["message"]]
        self.assertEqual([line["count"] for line in said], [30])
        self.assertIn("tests.logs#info: a {kind}", said[0]["kind"])

    def test_tracebacks(self) -> None:
        """Of those, which are long, there are fewer."""
        for _ in range(1000):
            self.log.failure("oh", Failure(OSError()))
        self.assertEqual(len(self.lines), BURST // TRACEBACK)


class ProcessTests(SynchronousTestCase):
    """The real daemon, in the ways in which it is started."""

    def setUp(self) -> None:
        """An empty directory."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()

    def played(self, *command: str, log: Path | None = None) -> list[str]:
        """Start it, ask it something, stop it; the lines of its log."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            number = probe.getsockname()[1]
        program = Program(
            self, self.directory, *command, f"--listen=tcp:{number}:interface=127.0.0.1"
        )
        if log is None:
            program.until("listening on")
        else:
            while not (log.exists() and "listening on" in log.read_text()):
                self.assertIsNone(program.process.poll(), program.log)
        self.assertIn("ok", get(number))
        program.send(signal.SIGTERM)
        program.ended()
        return (log.read_text() if log else program.log).splitlines()

    def test_json(self) -> None:
        """Every line is an object, whatever starts it; a warning of the start, too."""
        for command in (COMMAND, (*COMMAND, "serve"), TWISTD):
            lines = self.played(*command, "--demo", "--twitch-irc=tcp:x:1", "--log-format=json")
            objects = [json.loads(line) for line in lines]
            self.assertTrue(any("has no effect" in one["message"] for one in objects))
            self.assertTrue(any("starting up" in one["message"] for one in objects))
            for one in objects:
                self.assertLessEqual({"time", "level", "namespace", "message"}, one.keys())

    def test_file(self) -> None:
        """`twistd --logfile` holds for it."""
        log = self.directory / "our.log"
        command = (*TWISTD[:-1], f"--logfile={log.absolute()}", TWISTD[-1], "--log-format=json")
        lines = self.played(*command, log=log)
        self.assertTrue(all(json.loads(line) for line in lines))

    def test_twist(self) -> None:
        """`twist` logs by its own options, and nothing is left behind."""
        lines = self.played(*TWIST, "--log-format=json")
        self.assertTrue(any(re.search(r"listening on", line) for line in lines))
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_file_that_cannot_be(self) -> None:
        """One line that says so."""
        command = (*TWISTD[:-1], "--logfile=/nonexistent/x.log", TWISTD[-1], "--port=0")
        done = run(self.directory, *command)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^livechat: --logfile /nonexistent/x.log: [^\n]*\n$")

    def test_syslog(self) -> None:
        """`twistd --syslog`: each line with its priority."""
        import syslog  # noqa: PLC0415

        said: list[tuple[int, str]] = []
        self.patch(syslog, "openlog", lambda *_: None)
        self.patch(syslog, "syslog", lambda priority, line: said.append((priority, line)))
        write = destination({"syslog": True, "prefix": "livechat"}, None)
        write("one\n\ttwo", "warn")
        self.assertEqual(said, [(syslog.LOG_WARNING, "one"), (syslog.LOG_WARNING, "\ttwo")])
