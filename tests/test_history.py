# SPDX-License-Identifier: MIT
"""What is kept in memory: the contract, and its bounds by number, age and bytes."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.history.memory import CHANNEL_MEMORY, COST, SWEEP, MemoryHistory
from livechat.model.events import ALL_KINDS, ChannelKey
from tests.contracts.history import EPOCH, KEY, OTHER, HistoryContract, numbers, publications, texts
from tests.support.fakes import chat


class MemoryHistoryTests(HistoryContract, SynchronousTestCase):
    """The contract, kept in memory."""

    def setUp(self) -> None:
        """Room for twenty publications, for ever."""
        self.history = MemoryHistory(Clock(), size=20, ttl=1e9)


class BoundsTests(SynchronousTestCase):
    """What is dropped, and when."""

    def setUp(self) -> None:
        """A clock at some time of day."""
        self.clock = Clock()
        self.clock.advance(1000.0)

    def kept(self, history: MemoryHistory, key: ChannelKey = KEY) -> list[int]:
        """The numbers of what is kept."""
        return numbers(history.last(key, EPOCH, 10**6, ALL_KINDS))

    def test_age(self) -> None:
        """What is older than the ttl is not given, though nobody has dropped it yet."""
        history = MemoryHistory(self.clock, ttl=4.0)
        for number in (1, 2, 3):
            history.append(KEY, publications(texts(1, number), number))
            self.clock.advance(1.5)
        self.assertEqual(self.kept(history), [2, 3])
        past = history.after(KEY, EPOCH, 1, ALL_KINDS)
        self.assertTrue(past is not None and past.complete)
        past = history.after(KEY, EPOCH, 0, ALL_KINDS)
        self.assertFalse(past is None or past.complete)
        self.clock.advance(2.5)
        self.assertEqual(self.kept(history), [])

    def test_all_have_expired(self) -> None:
        """Who is told that nothing is kept may go on anywhere: what lies between is missing."""
        history = MemoryHistory(self.clock, ttl=4.0)
        history.append(KEY, publications(texts(3)))
        self.clock.advance(5)
        self.assertIsNone(history.latest(KEY))
        history.append(KEY, publications(texts(2, 8), 8))
        complete = [history.after(KEY, EPOCH, seq, ALL_KINDS) for seq in (3, 7)]
        self.assertEqual([past and past.complete for past in complete], [False, True])

    def test_sweep(self) -> None:
        """A running history drops what has expired although nobody publishes or reads."""
        history = MemoryHistory(self.clock, ttl=4.0)
        history.startService()
        history.append(KEY, publications(texts(3)))
        self.assertGreater(history.size, 3 * COST)
        self.clock.pump([SWEEP])
        self.assertEqual((history.size, history.channels), (0, 0))
        history.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothing_is_kept(self) -> None:
        """With room for none nothing is kept, and that is known."""
        for history in (MemoryHistory(self.clock, size=0), MemoryHistory(self.clock, ttl=0.0)):
            history.append(KEY, publications(texts(3)))
            self.assertEqual((self.kept(history), history.size), ([], 0))
            past = history.after(KEY, EPOCH, 2, ALL_KINDS)
            self.assertFalse(past is None or past.complete)
            past = history.after(KEY, EPOCH, 3, ALL_KINDS)
            self.assertTrue(past is not None and past.complete)

    def test_bytes_of_a_channel(self) -> None:
        """A channel with large messages keeps as many as have room."""
        history = MemoryHistory(self.clock, size=10**6)
        for number in range(1, 201):
            history.append(KEY, publications([chat(f"m{number}", "x" * 2000)], number))
        self.assertLessEqual(history.size, CHANNEL_MEMORY)
        self.assertGreater(history.size, CHANNEL_MEMORY * 0.9)
        kept = self.kept(history)
        self.assertEqual(kept, list(range(201 - len(kept), 201)))

    def test_bytes_of_all(self) -> None:
        """Too much in all: the channel that published nothing for longest shrinks first."""
        history = MemoryHistory(self.clock)
        history.append(KEY, publications(texts(400)))
        one = history.size
        history = MemoryHistory(self.clock, memory=int(one * 1.5))
        history.append(OTHER, publications(texts(400)))
        history.append(KEY, publications(texts(400)))
        self.assertLessEqual(history.size, one * 1.5)
        self.assertEqual(len(self.kept(history)), 400)
        rest = self.kept(history, OTHER)
        self.assertTrue(0 < len(rest) < 220, len(rest))
        self.assertEqual(rest, list(range(401 - len(rest), 401)))
        past = history.after(OTHER, EPOCH, rest[0] - 2, ALL_KINDS)
        self.assertFalse(past is None or past.complete)

    def test_one_that_is_too_large_for_all(self) -> None:
        """What alone is more than may be kept in all is not kept."""
        history = MemoryHistory(self.clock, memory=1000)
        history.append(OTHER, publications(texts(1)))
        history.append(KEY, publications([chat("m1", "x" * 5000)]))
        self.assertEqual((history.size, history.channels), (0, 0))

    def test_new_epoch_frees(self) -> None:
        """What a new epoch replaces is not counted any more."""
        history = MemoryHistory(self.clock)
        history.append(KEY, publications(texts(3)))
        size = history.size
        history.append(KEY, publications(texts(3), epoch="e2"))
        self.assertEqual(history.size, size)
