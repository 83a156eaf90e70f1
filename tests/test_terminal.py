# SPDX-License-Identifier: MIT
"""`livechat watch` and `livechat record`: chats in a terminal and in a file."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from livechat.terminal.arguments import RecordOptions, WatchOptions, source
from livechat.terminal.lines import COLUMNS, csv_line, harmless, line, note, row
from livechat.terminal.watching import Watching
from tests.support.program import COMMAND, Program, run

HOSTS = {"twitch": frozenset({"www.twitch.tv", "twitch.tv"}), "youtube": frozenset({"youtu.be"})}


def chat(text: str = "hello", **metadata: Any) -> dict[str, Any]:
    """A chat as it is on the wire, as far as it is shown."""
    author = {"id": "7", "display_name": "Ann", "color": "#FF0080"}
    inner = {
        "author": author,
        "content": {"raw": text},
        "metadata": {"type": "chat", **metadata},
    }
    data = {"message_id": "m1", "timestamp": "2026-11-26T13:09:46.000Z", "data": inner}
    return {"type": "chat", "platform": "twitch", "identifier": "ann", "seq": 1, "data": data}


def event() -> dict[str, Any]:
    """An event likewise."""
    data = {"type": "raid", "event_id": "e1", "timestamp": "2026-11-26T13:09:47.000Z"}
    return {**chat(), "type": "event", "data": {**data, "data": {"viewers": 7}}}


STARTED = {
    "type": "status",
    "status": "started",
    "platform": "twitch",
    "identifier": "ann",
    "id": 0,
}
OFFLINE = {
    "type": "error",
    "error": "The channel is not live",
    "code": "STREAM_NOT_LIVE",
    "details": "OFFLINE",
    "platform": "twitch",
    "identifier": "ann",
    "id": 0,
}


class LineTests(SynchronousTestCase):
    """What a message is on a line."""

    def test_text(self) -> None:
        """A chat, one that was paid for, an event; everything else is no line."""
        self.assertEqual(line(chat(), colour=False), "13:09:46 twitch:ann Ann: hello")
        paid = chat(type="super_chat", monetary_data={"formatted": "5 EUR"})
        self.assertEqual(line(paid, colour=False), "13:09:46 twitch:ann [5 EUR] Ann: hello")
        self.assertEqual(line(event(), colour=False), '13:09:47 twitch:ann * raid {"viewers":7}')
        self.assertEqual(line(STARTED, colour=False), "")

    def test_colour(self) -> None:
        """The name has the author's colour, where that is one."""
        self.assertIn("\x1b[1;38;2;255;0;128mAnn\x1b[0m: hello", line(chat(), colour=True))
        odd = chat()
        odd["data"]["data"]["author"]["color"] = "1m\x07"
        self.assertIn("\x1b[1mAnn\x1b[0m: hello", line(odd, colour=True))

    def test_harmless(self) -> None:
        """Nothing that a chatter writes is obeyed by the terminal, or makes a line of its own."""
        evil = "a\x1b[2Jb\r\nc\x9bd\u202ee\u2028f\x07"
        self.assertEqual(harmless(evil), "a\ufffd[2Jb\ufffd\ufffdc\ufffdd\ufffde\ufffdf\ufffd")
        for shown in (line(chat(evil), colour=False), csv_line(row(chat(evil)))):
            self.assertTrue(shown.isprintable(), ascii(shown))
        self.assertEqual(harmless("\U0001f600 \u05e9 e\u0301"), "\U0001f600 \u05e9 e\u0301")

    def test_table(self) -> None:
        """A row has a cell for each column, whatever it holds."""
        made = csv_line(row(chat('a, "b"')))
        (cells,) = csv.reader([made])
        named = dict(zip(COLUMNS, cells, strict=True))
        self.assertEqual(named["text"], 'a, "b"')
        self.assertEqual((named["author"], named["type"], named["paid"]), ("Ann", "chat", ""))
        self.assertEqual(len(row(event())), len(COLUMNS))

    def test_notes(self) -> None:
        """What happens to a chat is said in words."""
        self.assertEqual(note(STARTED), "twitch:ann: started")
        said = "twitch:ann: STREAM_NOT_LIVE: The channel is not live (OFFLINE)"
        self.assertEqual(note(OFFLINE), said)
        self.assertEqual(note({"type": "error", "code": "X", "error": "y"}), "X: y")
        self.assertEqual(note(chat()), "")


class ArgumentTests(SynchronousTestCase):
    """The command line."""

    def test_chats(self) -> None:
        """A platform and a name, or an address of a platform."""
        for word, found in (
            ("twitch:ann", ("twitch", "ann")),
            ("YouTube:@ann", ("youtube", "@ann")),
            ("twitch.tv/ann", ("twitch", "twitch.tv/ann")),
            ("https://www.twitch.tv/ann", ("twitch", "https://www.twitch.tv/ann")),
            ("youtu.be/x", ("youtube", "youtu.be/x")),
        ):
            self.assertEqual(source(word, HOSTS), found)
        for word in ("ann", "twitch:", "https://evil.example/twitch.tv", "http://[", "x:y", ""):
            self.assertRaises(ValueError, source, word, HOSTS)

    def test_order(self) -> None:
        """Options may stand behind the chats."""
        options = WatchOptions()
        options.parseOptions(["twitch:ann", "--limit", "5", "twitch:bob", "--json"])
        self.assertEqual(tuple(options.words), ("twitch:ann", "twitch:bob"))
        self.assertEqual((options["limit"], bool(options["json"])), (5, True))

    def test_record(self) -> None:
        """A recording needs a file, and holds events, too."""
        options = RecordOptions()
        options.parseOptions(["twitch:ann", "--output", "x.jsonl"])
        self.assertTrue(options["events"])
        error = self.assertRaises(usage.UsageError, RecordOptions().parseOptions, ["twitch:ann"])
        self.assertIn("--output", str(error))

    def test_wrong(self) -> None:
        """What is wrong is named."""
        for words, said in (
            ((), "no chat"),
            (("a:b", "--limit=x"), "--limit must be a whole number"),
            (("a:b", "--for=-1"), "--for must be a number"),
            (("a:b", "--server=http://x"), "--server must be a URL"),
            (("a:b", "--filter=["), "--filter must be a JSON object"),
            (("a:b", "--filter=[]"), "--filter must be a JSON object"),
            (("a:b", "--json", "--csv"), "exclude"),
            (("a:b", "--nope"), "--nope"),
        ):
            error = self.assertRaises(usage.UsageError, WatchOptions().parseOptions, list(words))
            self.assertIn(said, str(error))


class WatchingTests(SynchronousTestCase):
    """What becomes of messages."""

    def watching(self, *words: str) -> Watching:
        """A run with these options, of as many chats as are named."""
        options = WatchOptions()
        options.parseOptions(list(words))
        self.out: list[str] = []
        self.notes: list[str] = []

        def show(text: str, is_note: bool) -> None:
            (self.notes if is_note else self.out).append(text)

        chats = [source(word, HOSTS) for word in options.words]
        return Watching(Clock(), options, chats, show, colour=False)

    def hear(self, watching: Watching, messages: Sequence[Any]) -> None:
        """Messages come."""
        for message in messages:
            watching.heard(json.dumps(message).encode())

    def test_command(self) -> None:
        """Each chat is subscribed to under a number, with what was chosen."""
        watching = self.watching("twitch:ann", "--events", '--filter={"only_words":["a"]}')
        self.assertEqual(
            json.loads(watching.command(0)),
            {
                "type": "subscribe",
                "platform": "twitch",
                "identifier": "ann",
                "id": 0,
                "events": True,
                "stats": False,
                "filter": {"only_words": ["a"]},
            },
        )
        self.assertNotIn("filter", json.loads(self.watching("twitch:ann").command(0)))

    def test_limit(self) -> None:
        """After so many chats nothing more is shown."""
        watching = self.watching("twitch:ann", "--limit=2")
        self.hear(watching, [STARTED, chat("a"), event(), chat("b"), chat("c")])
        self.assertEqual([one[-1] for one in self.out], ["a", "}", "b"])
        self.assertEqual(self.notes, ["twitch:ann: started"])
        self.assertEqual(self.successResultOf(watching.over), 0)

    def test_failures(self) -> None:
        """It ends when no chat is left; with 1 if none has started."""
        watching = self.watching("twitch:ann", "twitch:bob")
        self.hear(watching, [OFFLINE])
        self.assertNoResult(watching.over)
        self.hear(watching, [{**OFFLINE, "id": 1}])
        self.assertEqual(self.successResultOf(watching.over), 1)
        watching = self.watching("twitch:ann")
        self.hear(watching, [STARTED, {**OFFLINE, "code": "STREAM_ENDED"}])
        self.assertEqual(self.successResultOf(watching.over), 0)

    def test_json(self) -> None:
        """With `--json` every message is shown as it came."""
        watching = self.watching("twitch:ann", "--json")
        watching.heard(b'{"type":"stats", "data":{}}')
        self.hear(watching, [STARTED])
        self.assertEqual(self.out, ['{"type":"stats", "data":{}}', json.dumps(STARTED)])


class CommandTests(SynchronousTestCase):
    """The command itself, with a demonstration."""

    def setUp(self) -> None:
        """A directory."""
        self.directory = Path(self.mktemp()).resolve()
        self.directory.mkdir()

    def test_own_daemon(self) -> None:
        """It starts a daemon for itself, which opens no port, and leaves nothing behind."""
        # The address of a socket may not be long.
        temporary = Path(tempfile.mkdtemp(dir="/tmp"))
        self.addCleanup(shutil.rmtree, temporary)
        done = run(
            self.directory,
            *(*COMMAND, "watch", "twitch:ann", "youtube:bob", "--limit=3", "--json"),
            LIVECHAT_DEMO="1",
            LIVECHAT_TOKENS="/nonexistent",
            PORT="1",
            TMPDIR=str(temporary),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        kinds = [json.loads(text)["type"] for text in done.stdout.splitlines()]
        self.assertEqual((kinds.count("chat"), kinds[-1]), (3, "chat"))
        self.assertIn("twitch:ann: started", done.stderr)
        self.assertEqual([*self.directory.iterdir(), *temporary.iterdir()], [])

    def test_record(self) -> None:
        """A signal ends a recording, which is whole: a head, and every message with its time."""
        path = self.directory / "chats.jsonl.gz"
        temporary = tempfile.mkdtemp(dir="/tmp")
        self.addCleanup(shutil.rmtree, temporary)
        program = Program(
            self,
            self.directory,
            *(*COMMAND, "record", "twitch:ann", f"--output={path}"),
            LIVECHAT_DEMO="1",
            TMPDIR=temporary,
        )
        program.until("twitch:ann: started")
        program.send(signal.SIGINT)
        self.assertEqual((program.ended(), program.log.count("\n")), (0, 2), program.log)
        head, *lines = map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
        self.assertEqual(head["chats"], ["twitch:ann"])
        self.assertEqual([*lines[0]], ["t", "message"])
        said = [one["message"].get("status") for one in lines]
        self.assertEqual(said[:2], ["subscribed", "started"])
        done = run(self.directory, *COMMAND, "record", "twitch:ann", "--output=/nonexistent/x")
        refused = "livechat: /nonexistent/x cannot be written: No such file or directory\n"
        self.assertEqual((done.returncode, done.stderr), (1, refused))

    def test_server(self) -> None:
        """It reads from a daemon that runs; without one, or with a wrong word, a line says so."""
        daemon = Program(
            self, self.directory, *COMMAND, "--demo", "--listen=tcp:0:interface=127.0.0.1"
        )
        found = daemon.until("listening on").partition("port=")[2]
        address = f"ws://127.0.0.1:{int(found.partition(')')[0])}/ws"
        watch = (*COMMAND, "watch", "twitch:ann", "--limit=2", f"--server={address}")
        done = run(self.directory, *watch)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\A(\d\d:\d\d:\d\d twitch:ann .+: .*\n){2}\Z")
        daemon.process.kill()
        daemon.ended()
        done = run(self.directory, *watch)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Alivechat: no answer of the daemon: .+\n\Z")
        done = run(self.directory, *COMMAND, "watch", "ann")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"\Alivechat: 'ann' is no chat: .+\n\Z")
