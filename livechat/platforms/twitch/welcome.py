# SPDX-License-Identifier: MIT
"""Who waits for a connection to be welcomed.

While the connection waits for its turn to log in, those who wait for it wait for a turn, too: their
start deadlines stand still and they are told that they are queued.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.internet.defer import Deferred

from livechat.platforms.budget import Claim


class Waiting:
    """Those who wait for one connection."""

    def __init__(self) -> None:
        self._claims: dict[Deferred[None], Claim] = {}
        self.is_queued = False

    def wait(self, claim: Claim) -> Deferred[None]:
        """Fires with the welcome; it can be cancelled."""
        welcome: Deferred[None] = Deferred(self._give_up)
        self._claims[welcome] = claim
        if self.is_queued:
            claim.begin()
        return welcome

    @property
    def first(self) -> Claim | None:
        """The claim of the first who waits to start, if anybody does."""
        return next((claim for claim in self._claims.values() if claim.first), None)

    @contextmanager
    def queued(self) -> Iterator[None]:
        """The connection waits for its turn within."""
        self.is_queued = True
        for claim in self._claims.values():
            claim.begin()
        try:
            yield
        finally:
            self.is_queued = False
            for claim in self._claims.values():
                claim.end()

    def release(self) -> None:
        """The connection was welcomed."""
        waiting, self._claims = self._claims, {}
        for welcome in waiting:
            if not welcome.called:
                welcome.callback(None)

    def _give_up(self, welcome: Deferred[None]) -> None:
        claim = self._claims.pop(welcome, None)
        if claim is not None and self.is_queued:
            claim.end()
