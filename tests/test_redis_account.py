# SPDX-License-Identifier: MIT
"""What one channel's account asks of Redis, and what it makes of the answers; no server."""

from __future__ import annotations

from itertools import count
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.statistics.redis_account import Account
from livechat.statistics.redis_layout import Reply
from tests.contracts.stats_store import tally


class AccountTests(SynchronousTestCase):
    """Every message is in exactly one batch that Redis takes, whatever Redis answers."""

    def setUp(self) -> None:
        """An account that has been compared with an empty Redis."""
        self.account = Account(100, count(1))
        self.asked(whole=True)
        self.account.learn(Reply("done", 0, 0), whole=True)

    def asked(self, whole: bool = False) -> dict[str, Any]:
        """The next question, by the names of its parts."""
        names = (
            "number",
            "instead",
            "expected",
            "max",
            "named",
            "ttl",
            "span",
            "ears",
            "topic",
            "batch",
        )
        parts = msgspec.msgpack.decode(self.account.question(whole=whole, ears=0))
        return dict(zip(names, parts, strict=True))

    def test_nothing(self) -> None:
        """Where nothing was counted nothing is added; that Redis still has its data is asked."""
        self.assertTrue(self.account.settled)
        question = self.asked()
        self.assertEqual((question["batch"], question["expected"]), (None, 0))

    def test_repeated(self) -> None:
        """A batch is asked for again as it was, until it is answered; then comes the next one."""
        self.account.add(tally({"1": 2}))
        first = self.asked()
        self.account.add(tally({"1": 3}))
        self.assertEqual(self.asked(), first)
        self.assertEqual((first["batch"]["total"], self.account.waiting), (2, 5))
        self.account.learn(Reply("done", 2, 1), whole=False)
        second = self.asked()
        self.assertEqual((second["batch"]["total"], second["expected"]), (3, 2))
        self.assertGreater(second["number"], first["number"])
        self.account.learn(Reply("done", 5, 1), whole=False)
        self.assertTrue(self.account.settled)
        self.assertFalse(self.account.stale)

    def test_others(self) -> None:
        """A total that is not the one expected shows that somebody else adds."""
        self.account.add(tally({"1": 2}))
        self.asked()
        self.account.learn(Reply("done", 7, 2), whole=False)
        self.assertTrue(self.account.stale)
        self.assertEqual(self.asked(whole=True)["named"], 100)
        self.account.add(tally({"1": 1}))
        whole = Reply("done", 7, 2, ["total", "7"], ["2", "5", "1", "2"], ["", ""])
        self.account.learn(whole, whole=True)
        self.assertFalse(self.account.stale)
        self.assertEqual(self.account.totals.total, 8)
        self.assertEqual(self.account.waiting, 1)

    def lost(self) -> dict[str, Any]:
        """Redis lost seven messages while two were on their way and one was waiting."""
        self.account.add(tally({"1": 7}))
        self.asked()
        self.account.learn(Reply("done", 7, 1), whole=False)
        self.account.add(tally({"2": 2}))
        self.asked()
        self.account.add(tally({"3": 1}))
        self.account.learn(Reply("behind", 0, 0), whole=False)
        return self.asked()

    def test_put_back(self) -> None:
        """What Redis lost is put back with everything that was counted since."""
        question = self.lost()
        self.assertEqual((question["instead"], question["expected"]), (True, 7))
        self.assertEqual(question["batch"]["total"], 10)
        self.assertEqual(self.account.waiting, 3)
        self.account.learn(Reply("done", 10, 3), whole=False)
        self.assertTrue(self.account.settled)
        self.assertFalse(self.account.stale)

    def test_put_back_by_another(self) -> None:
        """Where another process was faster only what was not stored yet is added."""
        number = self.lost()["number"]
        self.account.learn(Reply("present", 7, 1), whole=False)
        question = self.asked()
        self.assertEqual((question["instead"], question["batch"]["total"]), (False, 3))
        self.assertGreater(question["number"], number)
        self.assertTrue(self.account.stale)
        self.account.learn(Reply("done", 10, 3), whole=False)
        self.assertTrue(self.account.settled)
        self.assertEqual(self.account.totals.total, 10)

    def test_quiet(self) -> None:
        """A channel in which nobody writes is put back as well."""
        self.account.add(tally({"1": 7}))
        self.asked()
        self.account.learn(Reply("done", 7, 1), whole=False)
        self.assertEqual(self.asked()["batch"], None)
        self.account.learn(Reply("behind", 3, 1), whole=False)
        self.assertEqual((self.asked()["batch"]["total"], self.account.waiting), (7, 0))

    def test_not_ours(self) -> None:
        """What cannot be read changes nothing: the batch is asked for again."""
        self.account.add(tally({"1": 2}))
        question = self.asked()
        bad = Reply("done", 2, 1, ["error", "x"])
        self.assertRaises(ValueError, self.account.learn, bad, whole=True)
        self.assertEqual(self.asked(), question)
