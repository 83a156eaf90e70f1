# SPDX-License-Identifier: MIT
"""The simulator lets go of channels that nobody asks for: a demonstration may run for ever."""

from __future__ import annotations

import gc
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.simulator.recent import CHANNELS, NAMES, Recent
from livechat.simulator.scenario import Scenario
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.tiktok_room import LiveRoom
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_channel import Channel
from livechat.simulator.youtube import YouTubeSimulator
from livechat.simulator.youtube_stream import MAX_LAG, Stream

#: Ten minutes, in which this many new names are asked for every second.
SECONDS = 600
NAMES_A_SECOND = 1


class Watcher:
    """Somebody in a channel or room."""

    paused = False

    def deliver(self, chat: Any, joined: bytes) -> None:
        """Twitch's lines."""

    def push(self, written: Any) -> None:
        """TikTok's messages."""


def alive(kind: type) -> int:
    """Objects of a class that are still there."""
    gc.collect()
    return sum(type(thing) is kind for thing in gc.get_objects())


class RecentTests(SynchronousTestCase):
    """A dictionary that forgets."""

    def test_least_recent(self) -> None:
        """What was not used for longest goes; looking at something uses it."""
        some = Recent[str, int](2)
        some["a"], some["b"] = 1, 2
        self.assertEqual((some["a"], some.get("x"), some.get("x", 7)), (1, None, 7))
        some["c"] = 3
        self.assertEqual(dict(some), {"a": 1, "c": 3})
        self.assertEqual(some.setdefault("d", 4), 4)
        self.assertEqual(list(some), ["c", "d"])

    def test_in_use(self) -> None:
        """What is in use stays, and the number comes down when it is not."""
        busy = set(range(10))
        some = Recent[int, int](3, busy.__contains__)
        for number in range(10):
            some[number] = number
        self.assertEqual(len(some), 10)
        busy.clear()
        for number in range(20, 26):
            some[number] = number
        self.assertEqual(list(some), [23, 24, 25])


class ChurnTests(SynchronousTestCase):
    """Ten minutes of new names, each watched for a second; one is watched all the time."""

    def setUp(self) -> None:
        """Simulators on one clock."""
        self.clock = Clock()
        self.clock.advance(1e9)
        self.scenario = Scenario(1, 1.0)

    def names(self) -> Any:
        """The names of each second."""
        for second in range(SECONDS):
            yield [f"some_{second}_{n}" for n in range(NAMES_A_SECOND)]
            self.clock.advance(1)

    def test_twitch(self) -> None:
        """Channels are let go, but for those with somebody in them."""
        before = alive(Channel)
        twitch = TwitchSimulator(self.clock, self.clock.seconds, self.scenario)
        watched = twitch.channel("watched")
        watched.enter(Watcher())
        for names in self.names():
            for name in names:
                watcher = Watcher()
                twitch.channel(name).enter(watcher)
                twitch.channel(f"ending_{name}")
                twitch.channel(name).leave(watcher)
        self.assertIs(twitch.channel("watched"), watched)
        self.assertLessEqual(alive(Channel) - before, CHANNELS + 1)

    def test_tiktok(self) -> None:
        """Rooms, what leads to them, identities and signatures are."""
        before = alive(LiveRoom)
        tiktok = TikTokSimulator(self.clock, self.clock.seconds, self.scenario)
        watched = tiktok.room("watched")
        watched.enter(Watcher())
        number = tiktok.room_id("watched")
        first = tiktok.new_identity()
        for names in self.names():
            self.assertEqual(tiktok.handle_of(number), "watched")
            for name in names:
                watcher = Watcher()
                tiktok.room_id(name)
                tiktok.room(name).enter(watcher)
                tiktok.room(f"ending_{name}")
                tiktok.room(name).leave(watcher)
        self.assertIs(tiktok.room("watched"), watched)
        self.assertTrue(tiktok.knows(first))
        self.assertLessEqual(alive(LiveRoom) - before, CHANNELS + 1)
        for _ in range(NAMES + 10):
            tiktok.new_identity()
            tiktok.new_signature()
        self.assertFalse(tiktok.knows(first))

    def test_an_end_outlives_its_room(self) -> None:
        """A stream that has ended has not begun again because its room was let go."""
        tiktok = TikTokSimulator(self.clock, self.clock.seconds, self.scenario, ending_after=30.0)
        tiktok.room("ending_one")
        self.clock.advance(40)
        for n in range(CHANNELS + 10):
            tiktok.room(f"some_{n}")
        self.assertFalse(tiktok.is_live("ending_one"))

    def test_youtube(self) -> None:
        """Streams are, but for those that were read a moment ago."""
        before = alive(Stream)
        youtube = YouTubeSimulator(self.clock, self.clock.seconds, self.scenario)
        watched = youtube.stream("watched")
        for names in self.names():
            youtube.stream("watched").read(1, -1)
            for name in names:
                youtube.named(youtube.video_id(name))
                youtube.stream(name).read(1, -1)
        self.assertIs(youtube.stream("watched"), watched)
        # Those of the last minute are fewer.
        self.assertLess(MAX_LAG * NAMES_A_SECOND, CHANNELS)
        self.assertLessEqual(alive(Stream) - before, CHANNELS + 1)
