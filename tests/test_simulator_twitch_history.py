# SPDX-License-Identifier: MIT
"""The simulated service of recent messages: what it keeps, marks and refuses."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.simulator.actions import Author, Clear, Delete, Say, Silence
from livechat.simulator.recent import CHANNELS
from livechat.simulator.scenario import Scenario
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_faults import Fault
from livechat.simulator.twitch_history import RecentMessages

ADA, LIN = Author(2, "ada", "Ada"), Author(3, "lin", "Lin")


def new_id() -> str:
    """An id that no other action has."""
    return str(uuid4())


def said(author: Author, text: str) -> Say:
    """A message."""
    return Say(id=new_id(), author=author, text=(text,))


class ServiceTests(SynchronousTestCase):
    """What it answers."""

    def setUp(self) -> None:
        """Channels in which only the test speaks."""
        self.clock = Clock()
        self.clock.advance(1_767_000_000)
        self.twitch = TwitchSimulator(self.clock, self.clock.seconds, Scenario(1, 0.0))
        self.resource = RecentMessages(self.twitch)
        self.stub: Any = StubTreq(self.resource)

    def tearDown(self) -> None:
        """Nothing of it stays on the clock."""
        self.twitch.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def ask(self, path: str) -> tuple[int, Any]:
        """The status and the answer, decoded where it is JSON."""
        response = self.successResultOf(self.stub.get(f"http://history.invalid/{path}"))
        body = self.successResultOf(response.content())
        try:
            return response.code, json.loads(body)
        except ValueError:
            return response.code, body

    def messages(self, path: str) -> list[str]:
        """The lines of an answer without an error."""
        code, answer = self.ask(path)
        self.assertEqual((code, answer["error"], answer["error_code"]), (200, None, None))
        found: list[str] = answer["messages"]
        return found

    def test_first_question(self) -> None:
        """It listens from the first question on; that one tells nothing."""
        self.twitch.say("ann", said(ADA, "before"))
        code, answer = self.ask("ann?limit=10")
        self.assertEqual(code, 200)
        self.assertEqual((answer["messages"], answer["error_code"]), ([], "channel_not_joined"))
        self.assertEqual(self.messages("ann"), [])
        sent = self.twitch.say("ann", said(ADA, "after")).decode()
        (line,) = self.messages("ann")
        self.assertEqual(line, f"@historical=1;rm-received-ts=1767000000000;{sent[1:]}")

    def test_stretch(self) -> None:
        """`after` and `before` are times in ms, both exclusive; `limit` takes the newest."""
        self.ask("ann")
        for number in range(5):
            self.twitch.say("ann", said(ADA, str(number)))
            self.clock.advance(1)
        first = 1_767_000_000_000

        def told(query: str) -> str:
            return "".join(line[-1] for line in self.messages(f"ann?{query}"))

        self.assertEqual(told(f"after={first}"), "1234")
        self.assertEqual(told(f"after={first - 1}&before={first + 2000}"), "01")
        self.assertEqual(told("limit=2"), "34")
        self.assertEqual(told("limit=x&after="), "01234")
        self.assertEqual(self.resource.asked[1], ("ann", str(first)))

    def test_removed(self) -> None:
        """What was deleted, timed out or cleared is marked, and the line that did it is kept."""

        def marked() -> list[bool]:
            return [";rm-deleted=1;" in line for line in self.messages("ann")]

        self.ask("ann")
        one = said(ADA, "one")
        self.twitch.say("ann", one)
        self.twitch.say("ann", said(LIN, "two"))
        self.twitch.say("ann", Delete(id=new_id(), message=one))
        self.assertEqual(marked(), [True, False, False])
        self.twitch.say("ann", Silence(id=new_id(), author=LIN, seconds=60))
        self.assertEqual(marked(), [True, True, False, False])
        self.twitch.say("ann", said(ADA, "three"))
        self.assertEqual(marked(), [True, True, False, False, False])
        self.twitch.say("ann", Clear(id=new_id()))
        self.assertEqual(marked(), [True, True, False, False, True, False])

    def test_refused(self) -> None:
        """What is no login is a bad request; of a channel that does not exist nothing is told."""
        self.assertEqual(self.ask("no%20login")[0], 400)
        self.assertEqual(self.ask("a/b")[1]["error_code"], "invalid_channel_login")
        for _ in range(2):
            self.assertEqual(self.ask("missing_ann")[1]["error_code"], "channel_not_joined")

    def test_bounded(self) -> None:
        """It listens to so many channels at most; the oldest one is given up."""
        for number in range(CHANNELS + 1):
            self.ask(f"c{number}")
        self.assertEqual(self.ask("c1")[1]["error_code"], None)
        self.assertEqual(self.ask("c0")[1]["error_code"], "channel_not_joined")

    def test_faults(self) -> None:
        """The ways in which it goes wrong, one at a time."""
        for fault, code in (
            (Fault.HISTORY_503, 503),
            (Fault.HISTORY_429, 429),
            (Fault.HISTORY_GARBAGE, 200),
        ):
            self.twitch.faults = {fault}
            found, answer = self.ask("ann")
            self.assertEqual(found, code)
            self.assertNotIn("messages", answer if isinstance(answer, dict) else {})
        self.twitch.faults = {Fault.HISTORY_HANG}
        answered: Deferred[Any] = self.stub.get("http://history.invalid/ann")
        self.stub.flush()
        self.assertNoResult(answered)
