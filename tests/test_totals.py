# SPDX-License-Identifier: MIT
"""The totals of one channel: estimates against exact counts, rates, money, bounded memory."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import Roles
from livechat.model.events import Tally, UserTally
from livechat.statistics.hyperloglog import REGISTERS, Uniques, register_of
from livechat.statistics.totals import MAX_NAMES, MINUTES, ChannelTotals

bounded = settings(deadline=None, database=None, max_examples=100)

ROOT = Path(__file__).resolve().parents[1]

FIRST = "2026-01-02T03:04:05.678Z"
LAST = "2026-01-02T03:05:00.000Z"


def users(*names: str) -> dict[str, UserTally]:
    """Users who wrote once."""
    return {name: UserTally(name, name, name, Roles(), 1) for name in names}


class UniquesTests(SynchronousTestCase):
    """The estimate of how many different users there are."""

    def counted(self, number: int, salt: str = "") -> Uniques:
        """So many different items."""
        uniques = Uniques()
        for item in range(number):
            uniques.add(f"{salt}{item}")
        return uniques

    def test_nothing(self) -> None:
        """Nothing is none."""
        self.assertEqual(Uniques().estimate(), 0)

    def test_few(self) -> None:
        """A handful is told exactly."""
        for number in range(1, 20):
            self.assertEqual(self.counted(number).estimate(), number)

    def test_any_size(self) -> None:
        """From hundreds to hundreds of thousands it is off by less than three standard errors."""
        for number in (100, 1000, 10_000, 30_000, 50_000, 80_000, 300_000):
            for salt in ("", "user-") if number < 50_000 else ("",):
                estimate = self.counted(number, salt).estimate()
                self.assertLess(abs(estimate / number - 1), 3 * 0.0081, number)

    def test_a_million(self) -> None:
        """A million users are told within three standard errors."""
        self.assertLess(abs(self.counted(1_000_000).estimate() / 1e6 - 1), 3 * 0.0081)

    def test_stable(self) -> None:
        """An item goes to the same register on every machine and in every process."""
        self.assertEqual(register_of("1001"), (4211, 1))
        self.assertEqual(register_of("ü😀\ud800"), (6895, 1))

    @bounded
    @given(st.lists(st.text(max_size=5)), st.lists(st.text(max_size=5)))
    def test_merge(self, some: list[str], others: list[str]) -> None:
        """Merging is as if all had been counted in one place; order and repeats do not matter."""
        one, two, both = Uniques(), Uniques(), Uniques()
        for item in some:
            one.add(item)
            both.add(item)
        for item in others:
            two.add(item)
            both.add(item)
            both.add(item)
        two.merge(one.registers.items())
        self.assertEqual(two.registers, both.registers)
        self.assertEqual(two.estimate(), both.estimate())

    def test_full(self) -> None:
        """Even registers that are all at their end give a number."""
        uniques = Uniques()
        uniques.merge((register, 51) for register in range(REGISTERS))
        self.assertGreater(uniques.estimate(), 10**15)

    def test_no_such_register(self) -> None:
        """What cannot have been counted is refused."""
        for pair in ((-1, 1), (REGISTERS, 1), (0, 52), (0, 0)):
            self.assertRaises(ValueError, Uniques().merge, [pair])


class TotalsTests(SynchronousTestCase):
    """Everything but the users."""

    def test_times(self) -> None:
        """The earliest and the latest time of a message, whatever the order of the counts."""
        totals = ChannelTotals()
        totals.add(Tally(1, first=LAST, last=LAST))
        totals.add(Tally(1, first=FIRST, last=FIRST))
        totals.add(Tally(0, events={"raid": 1}))
        data = totals.snapshot(1, 0.0)
        self.assertEqual((data.first_message_time, data.last_message_time), (FIRST, LAST))

    def test_nothing_to_tell(self) -> None:
        """What was not counted is not told."""
        data = ChannelTotals().snapshot(1, 0.0)
        for name in data.__struct_fields__[3:]:
            self.assertIs(getattr(data, name), UNSET, name)

    def test_money(self) -> None:
        """Money is exact to the cent however much of it there is, and whole units are whole."""
        totals = ChannelTotals()
        for _ in range(1000):
            totals.add(Tally(1, money={"USD": 100_000, "BITS": 7_000_000}))
        data = totals.snapshot(1, 0.0)
        self.assertEqual(data.money, {"USD": 100, "BITS": 7000})
        totals.add(Tally(1, money={"USD": 100_000}))
        self.assertEqual(totals.snapshot(1, 0.0).money, {"USD": 100.1, "BITS": 7000})

    def test_names_are_bounded(self) -> None:
        """An upstream that invents kinds and currencies does not grow the totals without end."""
        totals = ChannelTotals()
        for number in range(1000):
            totals.add(Tally(0, events={f"e{number}": 1}, money={f"m{number}": 1_000_000}))
        self.assertEqual((len(totals.events), len(totals.money)), (MAX_NAMES, MAX_NAMES))

    def test_rate(self) -> None:
        """The rate is of sixty seconds: of the minute before, what is not yet sixty seconds old."""
        totals = ChannelTotals()
        totals.add(Tally(60, minutes={100: 60}, first=FIRST, last=FIRST))
        totals.add(Tally(10, minutes={101: 10}))
        for seconds, rate in ((6000, 60), (6059, 60), (6060, 70), (6090, 40), (6119, 11)):
            self.assertEqual(totals.rate(seconds), rate, seconds)
        self.assertEqual((totals.rate(6150), totals.rate(6180), totals.rate(0)), (5, 0, 0))

    def test_peak(self) -> None:
        """The peak is of the busiest minute, and stays."""
        totals = ChannelTotals()
        for minute in range(100, 200):
            for _ in range(3):
                totals.add(Tally(7 if minute == 150 else 2, minutes={minute: minute % 50 + 1}))
        self.assertEqual(totals.peak, 150)
        self.assertEqual(len(totals.minutes), MINUTES)

    def test_clock_set_back(self) -> None:
        """Minutes of a clock that was wrong make room for those of the right one."""
        totals = ChannelTotals()
        for minute in [*range(5000, 5020), *range(100, 120)]:
            totals.add(Tally(3, minutes={minute: 3}))
        self.assertEqual(totals.rate(119 * 60 + 59), 3)
        self.assertLessEqual(len(totals.minutes), MINUTES)

    @bounded
    @given(
        st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 9)), max_size=12),
        st.integers(0, 12),
        st.integers(2, 9),
    )
    def test_merge(self, stream: list[dict[str, int]], cut: int, places: int) -> None:
        """Totals counted in two parts and merged are the totals of all, but for errors."""
        whole, one, two = (ChannelTotals(places) for _ in range(3))
        truth = Counter[str]()
        for number, counts in enumerate(stream):
            truth.update(counts)
            for totals in (whole, one if number < cut else two):
                tallied = {n: UserTally(n, n, n, Roles(), c) for n, c in counts.items()}
                totals.add(
                    Tally(sum(counts.values()), tallied, {"raid": 1}, {"EUR": 5}, {number: 2})
                )
        one.merge(two)
        self.assertEqual(one.total, whole.total)
        self.assertEqual((one.events, one.money), (whole.events, whole.money))
        self.assertEqual((one.minutes, one.peak), (whole.minutes, whole.peak))
        self.assertEqual(one.uniques.registers, whole.uniques.registers)
        for user in one.users.values():
            self.assertLessEqual(user.message_count - truth[user.id], one.error)
        if len(truth) <= places:
            self.assertEqual({u.id: u.message_count for u in one.users.values()}, truth)
            self.assertEqual(one.error, 0)

    def test_sharing(self) -> None:
        """A user who is in two totals is changed in neither by the other."""
        one, two = ChannelTotals(), ChannelTotals()
        tally = Tally(1, users("a"))
        one.add(tally)
        two.add(tally)
        one.add(Tally(1, users("a")))
        self.assertEqual(one.users["a"].message_count, 2)
        self.assertEqual(two.users["a"].message_count, 1)


class MillionUsersTests(SynchronousTestCase):
    """A million different users in one channel."""

    def test_bounded(self) -> None:
        """They take less than 16 MB; totals are exact, the loyal are found, the number is told."""
        command = [sys.executable, "-m", "tests.support.million_users"]
        run = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=110
        )
        grown, total, unique, right = map(int, run.stdout.split())
        self.assertLess(grown, 16_000_000)
        self.assertEqual(total, 1_300_000)
        self.assertLess(abs(unique / 1_000_100 - 1), 3 * 0.0081)
        self.assertEqual(right, 100)
