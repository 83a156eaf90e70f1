# SPDX-License-Identifier: MIT
"""Recorded lines played again: byte for byte, once, in order, with the timing they had."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from livechat.simulator.playback import Played, Recording, read_lines
from livechat.simulator.twitch_connection import Settings
from tests.support.corpus import corpus
from tests.support.simulated import logged_in, on_string, simulated

CALM = Settings(ping_every=1e6)


def message(text: str, sent: int | None, channel: str = "somebody") -> bytes:
    """A line that was sent at some time, in ms."""
    time = f"tmi-sent-ts={sent};" if sent is not None else ""
    return f"@id=x;{time}turbo=0 :a!a@a.tmi.twitch.tv PRIVMSG #{channel} :{text}".encode()


class ReadTests(SynchronousTestCase):
    """Files of recorded lines."""

    def read(self, data: bytes) -> list[bytes]:
        """What is in a file."""
        path = Path(self.mktemp())
        path.write_bytes(data)
        return read_lines(path)

    def test_text(self) -> None:
        """One line each, either line end, empty ones left out; no other character ends a line."""
        data = b"one \r\ntwo\xff\x80\n\n\r\nthr\ree\x0b\xe2\x80\xa8\xc2\x85 \nlast"
        self.assertEqual(
            self.read(data),
            [b"one ", b"two\xff\x80", b"thr\ree\x0b\xe2\x80\xa8\xc2\x85 ", b"last"],
        )

    def test_json(self) -> None:
        """The answer of the recent-messages service."""
        answer = {"messages": ["@a=b :c PRIVMSG #d :\u2028é", "", "x"], "error": None}
        self.assertEqual(
            self.read(b" \n" + json.dumps(answer).encode()),
            ["@a=b :c PRIVMSG #d :\u2028é".encode(), b"x"],
        )

    def test_wrong(self) -> None:
        """JSON of another shape, or broken, and a file that is not there are errors."""
        for data in (b'{"messages": 1}', b'{"messages": [1]}', b"{}", b"{"):
            with self.assertRaises(ValueError):
                self.read(data)
        with self.assertRaises(OSError):
            read_lines(Path(self.mktemp()))

    def test_recorded(self) -> None:
        """The recordings are read whole."""
        for name, count in (
            ("xqcow_2019-09-15_first3000.txt", 3000),
            ("recent_messages_nymn_2024-01-06_first500.json", 500),
        ):
            self.assertEqual(len(read_lines(corpus(f"twitch/irc/{name}"))), count)


class RecordingTests(SynchronousTestCase):
    """What is played into which channel, and when."""

    def test_channels(self) -> None:
        """Each line belongs to the channel that it names; what names none is left out."""
        recording = Recording(
            [
                b"PING :tmi.twitch.tv",
                message("1", 1000, "one"),
                b":tmi.twitch.tv 001 justinfan1 :#one",
                b"@a=b :tmi.twitch.tv ROOMSTATE #Two",
                b"CLEARCHAT #one",
                b"\xff",
            ]
        )
        self.assertEqual(recording.channels, {"one", "two"})
        self.assertEqual(recording.left_out, 3)
        self.assertEqual(
            [line for _, line in recording.feed("one")],
            [message("1", 1000, "one"), b"CLEARCHAT #one"],
        )
        self.assertEqual(
            [line for _, line in recording.feed("two")], [b"@a=b :tmi.twitch.tv ROOMSTATE #Two"]
        )

    def test_renamed(self) -> None:
        """All lines can be played into another channel; nothing else in them changes."""
        lines = [
            b"@x=#one;y=\xff :a!a@a PRIVMSG #one :see #one  ",
            b":tmi.twitch.tv CLEARCHAT #two",
        ]
        recording = Recording(lines, "other")
        self.assertEqual(recording.channels, {"other"})
        self.assertEqual(
            [line for _, line in recording.feed("other")],
            [
                b"@x=#one;y=\xff :a!a@a PRIVMSG #other :see #one  ",
                b":tmi.twitch.tv CLEARCHAT #other",
            ],
        )

    def test_timing(self) -> None:
        """Pauses are those of the recording; a line without a time, or a late one, has none."""
        lines = [
            message("a", 5000),
            message("b", 5250),
            message("c", None),
            message("d", 5100),
            message("e", 6250),
        ]
        for speed, pauses in (
            (1.0, [0.0, 0.25, 0.0, 0.0, 1.0]),
            (4.0, [0.0, 0.0625, 0.0, 0.0, 0.25]),
            (0.0, [0.0] * 5),
        ):
            feed = Recording(lines, speed=speed).feed("somebody")
            self.assertEqual([pause for pause, _ in feed], pauses)

    def test_lookalikes(self) -> None:
        """Only the tag itself says when a line was sent."""
        lines = [
            b"@x-tmi-sent-ts=9;rm-received-ts=7 :a!a@a PRIVMSG #b :@tmi-sent-ts=5000;",
            b"@x=1;tmi-sent-ts=1000 PRIVMSG #b :x",
            b"@tmi-sent-ts=3000 PRIVMSG #b :x",
        ]
        self.assertEqual([pause for pause, _ in Recording(lines).feed("b")], [0.0, 0.0, 2.0])

    def test_nothing(self) -> None:
        """A recording without a line for a channel is refused, and a speed that is none."""
        with self.assertRaisesRegex(ValueError, "no line names a channel"):
            Recording([b"PING :x"])
        for speed in (-1.0, float("inf"), float("nan")):
            with self.assertRaisesRegex(ValueError, "not a speed"):
                Recording([message("a", 1)], speed=speed)


class Narrow(StringTransport):
    """Asks for a pause when much is unread, as a TCP connection does."""

    def write(self, data: bytes) -> None:
        """Keep it."""
        super().write(data)
        if len(self.value()) > 65536 and self.producer is not None:
            self.producer.pauseProducing()


class PlaybackTests(SynchronousTestCase):
    """Recordings on the wire."""

    def test_busy_channel(self) -> None:
        """A recorded busy channel arrives byte for byte, as fast as it is read, and is counted."""
        lines = read_lines(corpus("twitch/irc/xqcow_2019-09-15_first3000.txt"))
        recording = Recording(lines, speed=0.0)
        twitch, clock = simulated(recording=recording)
        line = logged_in(twitch, clock)
        with capturedLogs() as logs:
            _, _, *received = [*line.say("JOIN #xqcow"), *line.heard()]
        self.assertEqual([text.encode() for text in received], lines)
        self.assertEqual(recording.played, {"xqcow": Played(3000, 2959)})
        (told,) = (event for event in logs if "PRIVMSG" in str(event["log_format"]))
        self.assertEqual((told["lines"], told["messages"], told["channel"]), (3000, 2959, "xqcow"))

    def test_timing(self) -> None:
        """Lines come when their time has come, counted from the first JOIN."""
        lines = [message("a", 10_000), message("b", 10_500), message("c", 12_000)]
        twitch, clock = simulated(recording=Recording(lines, speed=2.0))
        clock.advance(77.0)
        line = logged_in(twitch, clock, "somebody")
        self.assertEqual(line.received(0.249), [])
        self.assertEqual(line.received(0.001), [lines[1]])
        self.assertEqual(line.received(0.7), [])
        self.assertEqual(line.received(0.1), [lines[2]])
        self.assertEqual(line.received(1000.0), [b"PING :tmi.twitch.tv"])

    def test_late_joiner(self) -> None:
        """Who joins in the middle gets the rest, and nothing is played twice."""
        lines = [message(str(number), 1000 * number) for number in range(6)]
        twitch, clock = simulated(recording=Recording(lines), settings=CALM)
        first = logged_in(twitch, clock)
        first.say("JOIN #somebody")
        first.received(2.0)
        second = logged_in(twitch, clock, "somebody")
        self.assertEqual(first.received(10.0), lines[3:])
        self.assertEqual(second.received(), lines[3:])
        third = logged_in(twitch, clock, "somebody")
        self.assertEqual(third.received(100.0), [])

    def test_waits_for_readers(self) -> None:
        """While nobody is in the channel the recording stands still."""
        lines = [message(str(number), 1000 * number) for number in range(4)]
        twitch, clock = simulated(recording=Recording(lines), settings=CALM)
        received = []
        for _ in range(4):
            line = logged_in(twitch, clock)
            received += line.say("JOIN #somebody")[2:] + line.heard(1.0)
            line.hang_up()
            clock.advance(50.0)
        self.assertEqual([text.encode() for text in received], lines)

    def test_slow_readers(self) -> None:
        """A recording waits for the slowest reader, however slow, and loses nothing."""
        lines = [message("x" * 1000, None) for _ in range(200)]
        twitch, clock = simulated(recording=Recording(lines, speed=0.0), settings=CALM)
        quick, quick_end = on_string(twitch, "somebody")
        slow, slow_end = on_string(twitch, "somebody")
        slow.pauseProducing()
        clock.pump([0.0] * 100)
        self.assertEqual(quick_end.value(), b"")
        for _ in range(50):
            slow.resumeProducing()
            clock.advance(0.0)
            slow.pauseProducing()
            clock.advance(10.0)
        played = b"".join(line + b"\r\n" for line in lines)
        self.assertEqual(quick_end.value(), played)
        self.assertEqual(slow_end.value(), played)
        self.assertFalse(quick.paused)

    def test_back_pressure(self) -> None:
        """As fast as possible is as fast as the transport takes it, and nothing is lost."""
        lines = [message("x" * 1000, None) for _ in range(500)]
        twitch, clock = simulated(recording=Recording(lines, speed=0.0))
        connection, end = on_string(twitch, "somebody", Narrow())
        received = b""
        for _ in range(8):
            clock.advance(0.0)
            self.assertLess(len(end.value()), 100_000)
            received += end.value()
            end.clear()
            connection.resumeProducing()
        self.assertEqual(received, b"".join(line + b"\r\n" for line in lines))

    def test_slow_reader_leaves(self) -> None:
        """When the reader that held up the others has gone, they go on."""
        lines = [message("x", None) for _ in range(3)]
        twitch, clock = simulated(recording=Recording(lines, speed=0.0))
        slow, _ = on_string(twitch, "somebody")
        _, end = on_string(twitch, "somebody")
        slow.pauseProducing()
        clock.advance(0.0)
        self.assertEqual(end.value(), b"")
        slow.drop()
        clock.advance(0.0)
        self.assertEqual(end.value().count(b"\r\n"), 3)

    def test_loop(self) -> None:
        """A recording may begin again at its end, and counts on."""
        lines = [message(str(number), 1000 * number) for number in range(3)]
        recording = Recording(lines, loop=True)
        twitch, clock = simulated(recording=recording, settings=CALM)
        line = logged_in(twitch, clock)
        line.say("JOIN #somebody")
        for _ in range(3):
            line.received(1.0)
        self.assertEqual(recording.played["somebody"], Played(5, 5))
        self.assertEqual(line.received(1.0), [lines[2], lines[0]])

    def test_any_name(self) -> None:
        """A recorded channel is live whatever its name; the others live by the scenario."""
        twitch, clock = simulated(
            5.0, recording=Recording([message("a", 1, "missing_you")]), settings=CALM
        )
        line = logged_in(twitch, clock)
        heard = line.say("JOIN #missing_you")
        self.assertEqual(heard[2:] + line.heard(), [message("a", 1, "missing_you").decode()])
        self.assertTrue(twitch.is_live("missing_you"))
        line.say("JOIN #somebody")
        self.assertGreater(len(line.heard(1.0)), 0)
