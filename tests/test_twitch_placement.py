# SPDX-License-Identifier: MIT
"""Where one channel is among our connections: the table, and any order of what moves it."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.ports import Requester
from livechat.metrics import Metrics
from livechat.platforms.budget import Budget, Claim, Deadline, Limit
from livechat.platforms.twitch.placement import TRANSITIONS, Input, Place, Placement
from livechat.platforms.twitch.welcome import Waiting

#: Which of home and target are there in each state.
HELD = {
    Place.OUTSIDE: (False, False),
    Place.JOINING: (False, True),
    Place.INSIDE: (True, False),
    Place.MOVING: (True, True),
}


class FakeConnection:
    """A connection that keeps what is sent, and is welcomed when the test says so."""

    def __init__(self) -> None:
        self.waiting = Waiting()
        self.welcomed = False
        self.silence = 0.0
        self.trouble = ""
        self.sent: list[str] = []

    def welcome(self, claim: Claim) -> Deferred[None]:
        """See `ChatConnection`."""
        return self.waiting.wait(claim)

    def join(self, logins: list[str]) -> None:
        """See `ChatConnection`."""
        self.sent += [f"JOIN {login}" for login in logins]


class FakePool:
    """A pool of three connections, of which the test chooses."""

    def __init__(self) -> None:
        self.connections = [FakeConnection() for _ in range(3)]
        self.left = 0

    def place(self, placement: Placement) -> None:
        """See `IPool`."""
        placement.seek(self.connections[0])  # type: ignore[arg-type]

    def leave(self, placement: Placement) -> None:
        """See `IPool`."""
        self.left += 1

    def settle(self, placement: Placement) -> None:
        """See `IPool`."""

    def place_elsewhere(self, placement: Placement) -> bool:
        """See `IPool`."""
        return False


class Owner:
    """Keeps what it hears, a word each."""

    def __init__(self, clock: Clock) -> None:
        self.claim = Claim(clock)
        self.words: list[str] = []

    def admitted(self) -> None:
        """See `IPlaced`."""
        self.words.append("admitted")

    def lost(self, reason: str, silence: float) -> None:
        """See `IPlaced`."""
        self.words.append("lost")

    def unanswered(self) -> None:
        """See `IPlaced`."""

    def failing(self, reason: str) -> None:
        """See `IPlaced`."""

    def failed(self, reason: Failure) -> None:
        """See `IPlaced`."""
        self.words.append("failed")

    def read(self, connection: Any, lines: Any) -> None:
        """See `IPlaced`."""


class PlacementTests(SynchronousTestCase):
    """The table, by itself and followed in any order."""

    def test_table(self) -> None:
        """Every row leads to what `Placement` can do; whoever is somewhere can leave."""
        self.assertLessEqual(set(TRANSITIONS), set(product(Place, Input)))
        for _, action in TRANSITIONS.values():
            self.assertTrue(callable(getattr(Placement, action)), action)
        for place in set(Place) - {Place.OUTSIDE}:
            self.assertEqual(TRANSITIONS[place, Input.LEAVE][0], Place.OUTSIDE)

    STEPS = ("enter", "seek", "welcome", "admit", "lose home", "lose target", "let out", "refuse")

    @settings(deadline=None, database=None, max_examples=200)
    @given(st.lists(st.sampled_from((*STEPS, "time", "leave")), max_size=30))
    def test_any_order(self, steps: list[str]) -> None:
        """Home and target are as the state says; losses and admissions alternate; all is left."""
        clock = Clock()
        pool, owner = FakePool(), Owner(clock)
        joins = Budget(clock, Limit(9, 5.25), Metrics(), "twitch", "joins")
        placement: Any = Placement("ann", pool, joins, clock, owner)
        for number, step in enumerate(steps):
            target = placement.target
            actions = {
                "enter": placement.enter,
                "seek": lambda n=number: placement.seek(pool.connections[n % 3]),
                "admit": lambda t=target: placement.welcomed(t),
                "lose home": lambda: placement.lost(placement.home, "gone"),
                "lose target": lambda t=target: placement.lost(t, "gone"),
                "let out": lambda: placement.let_out(placement.home),
                "time": lambda: clock.advance(7.0),
                "refuse": lambda: placement.refused("CHANNEL_LIMIT"),
                "leave": placement.leave,
            }
            if step == "welcome":
                for connection in pool.connections:
                    connection.welcomed = True
                    connection.waiting.release()
            elif placement.home is None or pool.connections[number % 3] is not placement.home:
                actions[step]()
            held = (placement.home is not None, placement.target is not None)
            self.assertEqual(held, HELD[placement.state])
        placement.leave()
        changes = [word for word in owner.words if word == "lost"]
        self.assertLessEqual(len(changes), owner.words.count("admitted"))
        self.assertNotIn("failed", owner.words)
        self.assertEqual(clock.getDelayedCalls(), [])


class WaitingTests(SynchronousTestCase):
    """Those who wait for a connection."""

    def test_queued(self) -> None:
        """Deadlines stand still while the connection is queued, for whoever comes and goes."""
        clock = Clock()
        waiting = Waiting()
        late: list[str] = []

        def claim(name: str) -> Claim:
            deadline = Deadline(clock, 10.0, lambda: late.append(name))
            return Claim(clock, Requester(), deadline=deadline)

        first = waiting.wait(claim("first"))
        with waiting.queued():
            gone = waiting.wait(claim("gone"))
            waiting.wait(claim("second"))
            clock.advance(60)
            gone.cancel()
            self.failureResultOf(gone, CancelledError)
            clock.advance(10)
            self.assertEqual(late, ["gone"])
        waiting.release()
        self.successResultOf(first)
        clock.advance(10)
        self.assertEqual(late, ["gone", "first", "second"])
