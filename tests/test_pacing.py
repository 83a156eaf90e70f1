# SPDX-License-Identifier: MIT
"""How fast and how often, on a clock that the test turns."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.pacing import Backoff, TokenBucket, sleep

bounded = settings(deadline=None, database=None, max_examples=150)

DAY = 86_400.0


class Fixed(Random):
    """Always draws the same share of a range."""

    def __init__(self, share: float) -> None:
        super().__init__(0)
        self._share = share

    def random(self) -> float:
        """The share."""
        return self._share


class BackoffTests(SynchronousTestCase):
    """Each delay is drawn from zero to a doubling ceiling."""

    def test_ceilings(self) -> None:
        """The ceiling doubles from the first to the cap and stays there."""
        backoff = Backoff(Fixed(1.0))
        self.assertEqual(
            [backoff.delay(failures) for failures in (-1, 0, 1, 2, 3, 4, 5, 6, 7, 33, 10**6)],
            [1.0, 1.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0],
        )

    def test_other_ceilings(self) -> None:
        """First ceiling and cap are the caller's; a cap below the first ceiling holds."""
        backoff = Backoff(Fixed(1.0), initial=0.25, cap=1.5)
        self.assertEqual([backoff.delay(n) for n in range(1, 6)], [0.25, 0.5, 1.0, 1.5, 1.5])
        self.assertEqual(Backoff(Fixed(1.0), initial=5.0, cap=2.0).delay(1), 2.0)

    def test_full_jitter(self) -> None:
        """The delay is a share of the whole range, down to nothing."""
        for failures, ceiling in ((1, 1.0), (4, 8.0), (9, 30.0)):
            for share in (0.0, 0.25, 0.5, 0.75):
                self.assertEqual(Backoff(Fixed(share)).delay(failures), share * ceiling)

    def test_keeps_no_count(self) -> None:
        """The caller counts failures: asking changes nothing."""
        backoff = Backoff(Fixed(1.0))
        self.assertEqual([backoff.delay(9), backoff.delay(1)], [30.0, 1.0])

    def test_spread(self) -> None:
        """Ten thousand that lost the same server come back spread over the whole ceiling."""
        backoff = Backoff(Random(1))
        seconds = Counter(int(backoff.delay(9)) for _ in range(10_000))
        self.assertEqual(sorted(seconds), list(range(30)))
        self.assertLess(max(seconds.values()), 500)

    @bounded
    @given(st.integers(0, 2**32), st.integers(0, 100), st.floats(0.01, 10), st.floats(0.01, 100))
    def test_bounds(self, seed: int, failures: int, initial: float, cap: float) -> None:
        """Whatever is drawn lies between nothing and the cap."""
        delay = Backoff(Random(seed), initial, cap).delay(failures)
        self.assertTrue(0.0 <= delay <= cap, delay)


class TokenBucketTests(SynchronousTestCase):
    """So many at once, so many per second in the long run."""

    def setUp(self) -> None:
        """A clock at zero."""
        self.clock = Clock()

    def bucket(self, rate: float, burst: float) -> TokenBucket:
        """A full bucket on the clock."""
        return TokenBucket(rate, burst, self.clock.seconds)

    def taken(self, bucket: TokenBucket) -> int:
        """How many tokens the bucket gives until it gives none."""
        given_out = 0
        while bucket.take():
            given_out += 1
        return given_out

    def test_burst(self) -> None:
        """A rested bucket gives its burst and not one more, however long it rested."""
        bucket = self.bucket(2.0, 5)
        self.assertEqual(self.taken(bucket), 5)
        self.assertFalse(bucket.take())
        self.clock.advance(1000)
        self.assertEqual(self.taken(bucket), 5)

    def test_refill(self) -> None:
        """Tokens come back at the rate, also in parts."""
        bucket = self.bucket(2.0, 5)
        self.taken(bucket)
        for seconds, tokens in ((0.25, 0), (0.25, 1), (0.5, 1), (1.0, 2), (1.75, 3), (0.25, 1)):
            self.clock.advance(seconds)
            self.assertEqual(self.taken(bucket), tokens)

    def test_exact_over_time(self) -> None:
        """Asked fifty times a second for ten minutes, it gives burst and rate, to the token."""
        bucket = self.bucket(10.0, 20)
        given_out = self.taken(bucket)
        for _ in range(600 * 50):
            self.clock.advance(0.02)
            given_out += bucket.take()
        self.assertEqual(given_out, 20 + 10 * 600)

    def test_float_time(self) -> None:
        """Ten tenths of a second, which as floats are less than one, give the token of a second."""
        bucket = self.bucket(1.0, 1)
        self.assertTrue(bucket.take())
        for _ in range(9):
            self.clock.advance(0.1)
            self.assertFalse(bucket.take())
        self.clock.advance(0.1)
        self.assertLess(self.clock.seconds(), 1.0)
        self.assertTrue(bucket.take())

    def test_several_at_once(self) -> None:
        """All the tokens asked for or none of them; parts of tokens, too."""
        bucket = self.bucket(1.0, 5)
        self.assertTrue(bucket.take(3))
        self.assertFalse(bucket.take(3))
        self.assertTrue(bucket.take(2))
        self.clock.advance(1)
        self.assertTrue(bucket.take(0.5))
        self.assertFalse(bucket.take(0.75))
        self.assertTrue(bucket.take(0.5))
        self.clock.advance(100)
        self.assertFalse(bucket.take(6))
        self.assertTrue(bucket.take(5))

    def test_wait(self) -> None:
        """The wait is as long as the missing tokens take, and asking for it takes none."""
        bucket = self.bucket(2.0, 4)
        self.assertEqual(bucket.wait(), 0.0)
        self.assertEqual(self.taken(bucket), 4)
        self.assertEqual(bucket.wait(), 0.5)
        self.assertEqual(bucket.wait(3), 1.5)
        self.clock.advance(0.25)
        self.assertEqual(bucket.wait(), 0.25)
        self.clock.advance(0.25)
        self.assertEqual(bucket.wait(), 0.0)
        self.assertEqual(bucket.wait(2), 0.5)
        self.clock.advance(1000)
        self.assertEqual(bucket.wait(4), 0.0)
        self.assertEqual(self.taken(bucket), 4)

    def test_wait_is_enough(self) -> None:
        """Who waits as told and then asks is given: at zero, and at times of this century."""
        for start in (0.0, 1_800_000_000.0):
            self.clock.rightNow = start
            bucket = self.bucket(2.0, 1)
            self.assertTrue(bucket.take())
            for _ in range(1000):
                self.clock.advance(bucket.wait())
                self.assertTrue(bucket.take())

    def test_clock_set_back(self) -> None:
        """A clock that is set back by a day costs no day: tokens come at the rate."""
        bucket = self.bucket(2.0, 4)
        self.clock.advance(DAY)
        self.taken(bucket)
        self.clock.rightNow -= DAY
        self.assertFalse(bucket.take())
        self.clock.advance(0.5)
        self.assertTrue(bucket.take())
        self.assertFalse(bucket.take())

    def test_full_bucket_and_clock_set_back(self) -> None:
        """A clock that is set back takes no tokens away."""
        bucket = self.bucket(2.0, 4)
        self.clock.rightNow -= DAY
        self.assertEqual(self.taken(bucket), 4)

    def test_wait_with_clock_set_back(self) -> None:
        """The wait is never longer than the missing tokens take, and long enough for them."""
        bucket = self.bucket(2.0, 4)
        self.taken(bucket)
        self.clock.rightNow -= DAY
        self.assertEqual(bucket.wait(), 0.5)
        self.clock.advance(0.5)
        self.assertTrue(bucket.take())

    def test_clock_set_forward(self) -> None:
        """A clock that is set forward gives no more than the burst."""
        bucket = self.bucket(2.0, 4)
        self.taken(bucket)
        self.clock.advance(DAY)
        self.assertEqual(self.taken(bucket), 4)

    @bounded
    @given(
        st.integers(1, 20),
        st.integers(1, 20),
        st.lists(st.tuples(st.integers(0, 64), st.integers(1, 4)), max_size=60),
    )
    def test_against_exact_arithmetic(
        self, rate: int, burst: int, story: list[tuple[int, int]]
    ) -> None:
        """At any times and for any amounts it decides as a bucket of exact fractions does."""
        clock = Clock()
        bucket = TokenBucket(rate, burst, clock.seconds)
        held = Fraction(burst)
        for sixteenths, tokens in story:
            clock.advance(sixteenths / 16)
            held = min(Fraction(burst), held + Fraction(sixteenths, 16) * rate)
            self.assertAlmostEqual(bucket.wait(tokens), max(0.0, float(tokens - held) / rate))
            granted = held >= tokens
            self.assertIs(bucket.take(tokens), granted)
            if granted:
                held -= tokens


class SleepTests(SynchronousTestCase):
    """Waiting on a handed-in clock."""

    def test_fires(self) -> None:
        """It fires when the time has come and not before, and leaves nothing on the clock."""
        clock = Clock()
        waiting = sleep(clock, 1.5)
        clock.advance(1.25)
        self.assertNoResult(waiting)
        clock.advance(0.25)
        self.assertIsNone(self.successResultOf(waiting))
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_no_time(self) -> None:
        """No time at all is the next turn, not this one."""
        clock = Clock()
        waiting = sleep(clock, 0)
        self.assertNoResult(waiting)
        clock.advance(0)
        self.assertIsNone(self.successResultOf(waiting))

    def test_cancelled(self) -> None:
        """Cancelled, it fails as cancelled things do and leaves nothing on the clock."""
        clock = Clock()
        waiting = sleep(clock, 1.5)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertEqual(clock.getDelayedCalls(), [])
        clock.advance(2)

    def test_cancelled_late(self) -> None:
        """Cancelling what has fired does nothing."""
        clock = Clock()
        waiting = sleep(clock, 1)
        clock.advance(1)
        waiting.cancel()
        self.assertIsNone(self.successResultOf(waiting))

    def test_apart(self) -> None:
        """Each sleeper has a timer of its own."""
        clock = Clock()
        short, long = sleep(clock, 1), sleep(clock, 2)
        short.cancel()
        self.failureResultOf(short, CancelledError)
        clock.advance(2)
        self.assertIsNone(self.successResultOf(long))
