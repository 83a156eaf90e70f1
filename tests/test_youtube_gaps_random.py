# SPDX-License-Identifier: MIT
"""Whatever happens to a YouTube chat: all comes once and in order, or lies in an unfilled gap."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from twisted.internet.task import Clock

from livechat.core.ports import IWatcher, Recovery
from livechat.model.chat import ChatMessage
from livechat.model.events import Event, seconds_of
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from tests.support.youtube import KeptEvents, YouTubeCase

FAULTS = (
    YouTubeFault.POLL_503,
    YouTubeFault.POLL_429,
    YouTubeFault.POLL_HANG,
    YouTubeFault.POLL_GONE,
    YouTubeFault.POLL_GARBAGE,
)
MISHAPS = (
    YouTubeMishap.EXPIRE,
    YouTubeMishap.GONE_ONCE,
    YouTubeMishap.GARBAGE_ONCE,
    YouTubeMishap.EXPIRE,
)

#: How many stories are told, and of how many chapters.
STORIES = 30
CHAPTERS = 12


class Witness(KeptEvents):
    """A sink that remembers when the chat was not received and not made up for.

    :ivar holes: beginning and end of each such time, in seconds since 1970.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.holes: list[tuple[float, float]] = []
        self.gaps = 0
        self._clock = clock

    def recovered(self, recovery: Recovery) -> None:
        """Remember whether that was everything, as the core finds out."""
        super().recovered(recovery)
        since = self.losses[-1] if self.losses else self.received_until
        assert since is not None
        self.gaps += 1
        if not self.is_filled(recovery):
            self.holes.append((since, self._clock.seconds()))

    def is_filled(self, recovery: Recovery) -> bool:
        """Whether it is all, or reaches back to what is known."""
        known = any(self.knew(event) for event in recovery.events)
        return recovery.extent == "all" or (recovery.extent == "latest" and known)


class StoryTests(YouTubeCase):
    """Chats to which things happen by chance."""

    random: Random
    watcher: IWatcher
    sink: Witness

    def test_stories(self) -> None:
        """Nothing comes twice or out of order, and nothing is missing outside of a told gap."""
        gaps = holes = missing = 0
        for seed in range(STORIES):
            self.random = Random(seed)
            self.said: dict[str, float] = {}
            self.heard: list[Event] = []
            self.holes: list[tuple[float, float]] = []
            self.gaps = 0
            name = f"ann{seed}"
            self.tell(name)
            missing += self.check(seed)
            gaps += self.gaps
            holes += len(self.holes)
        # The stories are worth something only if all of this happened.
        self.assertGreater(gaps, STORIES)
        self.assertGreater(holes, STORIES // 10)
        self.assertGreater(missing, STORIES)

    def tell(self, name: str) -> None:
        """One story."""
        self.come(name, None)
        for _ in range(CHAPTERS):
            chapter = self.random.choice((self.lose, self.lose, self.mishap, self.leave, self.talk))
            chapter(name)
        self.run_for(150, 1.0)
        self.talk(name)
        self.run_for(15)
        self.go()

    def come(self, name: str, before: Witness | None) -> None:
        """Somebody begins to watch."""
        self.sink = Witness(self.clock)
        if before is not None and self.heard:
            self.sink.knows(before, self.heard)
        else:
            # Nothing was published yet, so that this is the first time.
            self.said.clear()
        self.watcher, started = self.begin_for(self.sink, name)
        self.run_for(2)
        self.successResultOf(started)

    def go(self) -> None:
        """Nobody watches any more."""
        self.watcher.stop()
        self.heard += self.sink.events
        self.holes += self.sink.holes
        self.gaps += self.sink.gaps

    def talk(self, name: str) -> None:
        """People write for some seconds, at some pace."""
        pace = self.random.choice((0, 1, 1, 3, 9))
        for _ in range(self.random.randint(1, 20)):
            for n in range(pace):
                text = f"message {len(self.said)}"
                ago = 0.9 - 0.9 * n / pace
                self.said[text] = self.clock.seconds() - ago
                self.say(text, name, ago=ago)
            self.run_for(1)

    def lose(self, name: str) -> None:
        """YouTube does not answer for some time."""
        fault = self.random.choice(FAULTS)
        self.simulator.faults.add(fault)
        self.talk(name)
        if self.random.random() < 0.3:
            self.run_for(self.random.choice((30, 150)), 1.0)
        self.simulator.faults.discard(fault)

    def mishap(self, name: str) -> None:
        """Something happens once."""
        self.simulator.strike(self.random.choice(MISHAPS))
        self.talk(name)

    def leave(self, name: str) -> None:
        """Nobody watches for a while."""
        before = self.sink
        self.go()
        self.talk(name)
        self.come(name, before)

    def check(self, seed: int) -> int:
        """How many are missing, all of them in gaps; everything else came once and in order."""
        heard = texts(self.heard)
        places = {text: place for place, text in enumerate(self.said)}
        order = [places[text] for text in heard]
        self.assertEqual(order, sorted(set(order)), seed)
        for event in self.heard:
            if isinstance(event, ChatMessage):
                written = self.said[event.data.content.raw]
                self.assertAlmostEqual(seconds_of(event.timestamp), written, 2)
        missing = [text for text in self.said if text not in set(heard)]
        for text in missing:
            written = self.said[text]
            covered = any(since <= written <= until for since, until in self.holes)
            self.assertTrue(covered, (seed, text, written, self.holes))
        return len(missing)


def texts(events: Sequence[Event]) -> list[str]:
    """What was written."""
    return [event.data.content.raw for event in events if isinstance(event, ChatMessage)]
