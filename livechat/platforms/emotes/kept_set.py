# SPDX-License-Identifier: MIT
"""One set of emotes that is kept fresh for as long as somebody uses it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from random import Random
from typing import Any, Protocol

from msgspec import Struct
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from livechat.platforms.budget import Claim
from livechat.platforms.emotes.client import Trouble
from livechat.platforms.emotes.limits import ABSENT, CATCH_UP, JITTER, LEAST, TOLD, UNTOLD
from livechat.platforms.emotes.parse.emote_set import Change, EmoteSet
from livechat.platforms.emotes.provider import Loaded
from livechat.platforms.steps import Steps


class Listener(Protocol):
    """Who wants to know what changes in a set."""

    def changed(self, change: Change) -> None:
        """This was changed."""

    def stale(self) -> None:
        """Something else was changed: what is known is to be asked for anew."""

    def lost(self) -> None:
        """Changes are not told for a while."""

    def missed(self) -> None:
        """They are told again; some of the time before now may have been missed."""


class Updates(Protocol):
    """What tells of changes."""

    def listen(self, topic: str, listener: Listener) -> None:
        """Tell this one, too."""

    def ignore(self, topic: str, listener: Listener) -> None:
        """Do not tell this one any more."""

    def tells(self, topic: str) -> bool:
        """Whether changes are told at present."""


class Shared(Struct, frozen=True):
    """What all sets of one provider share.

    :ivar updates: None: nobody tells of changes.
    :ivar loaded: told by how many the emotes in use have become more.
    """

    clock: IReactorTime
    random: Random
    steps: Steps
    updates: Updates | None
    loaded: Callable[[float], None]


class KeptSet:
    """A set, asked for again and again; what is known stays while it cannot be had.

    :ivar emotes: what is known.

    :param where: for logs.
    :param ask: asks the provider once.
    :param show: given every new state.
    """

    def __init__(
        self,
        where: str,
        ask: Callable[[Claim], Coroutine[Any, Any, Loaded]],
        show: Callable[[EmoteSet], None],
        shared: Shared,
    ) -> None:
        self.emotes: EmoteSet = {}
        self._where = where
        self._ask = ask
        self._show = show
        self._shared = shared
        self._topics: Sequence[str] = ()
        self._is_wanted = False
        self._is_loaded = False
        self._timer: IDelayedCall | None = None
        self._asking: Deferred[None] | None = None
        self._asked = self._due = -LEAST
        # What was changed while an answer was on its way: it may be older or newer than that.
        self._meanwhile: list[Change] = []
        self._is_stale = False

    def want(self) -> None:
        """Somebody uses it from now on."""
        self._is_wanted = True
        self._shared.loaded(len(self.emotes))
        if self._is_loaded:
            self._show(self.emotes)
        self._listen(self._topics, ())
        self._wait(self._due - self._shared.clock.seconds())

    def leave(self) -> None:
        """Nobody uses it any more; what is known is kept."""
        self._is_wanted = False
        self._shared.loaded(-len(self.emotes))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()
        self._listen((), self._topics)
        if self._topics:
            # What is told from now on is not heard.
            self._due = min(self._due, self._shared.clock.seconds())

    # Listener

    def changed(self, change: Change) -> None:
        """See `Listener`."""
        if self._asking is not None:
            self._meanwhile.append(change)
        if self._is_loaded:
            self._set(change.applied(self.emotes))

    def stale(self) -> None:
        """See `Listener`."""
        self._is_stale = self._asking is not None
        self._wait(0.0)

    def lost(self) -> None:
        """See `Listener`."""
        self._wait(self._jittered(UNTOLD))

    def missed(self) -> None:
        """See `Listener`."""
        self._wait(self._shared.random.uniform(0.0, CATCH_UP))

    def _wait(self, seconds: float) -> None:
        """Ask in so many seconds at the latest."""
        if not self._is_wanted or self._asking is not None:
            return
        now = self._shared.clock.seconds()
        due = max(now + seconds, self._asked + LEAST)
        if self._timer is not None:
            if self._timer.getTime() <= due:
                return
            self._timer.cancel()
        self._timer = self._shared.clock.callLater(max(0.0, due - now), self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._asked = self._shared.clock.seconds()
        self._meanwhile = []
        self._is_stale = False
        self._asking = asking = Deferred.fromCoroutine(self._load())
        asking.addErrback(_cancelled)
        if asking.called:
            self._asking = None

    async def _load(self) -> None:
        claim = Claim(self._shared.clock, first=not self._is_loaded)
        pause = 0.0
        try:
            loaded = await self._ask(claim)
            pause = self._learnt(loaded)
        except Trouble as trouble:
            # Not all of them at once when the provider is to be asked again.
            pause = trouble.rest + self._shared.random.uniform(0.0, max(trouble.rest, LEAST))
        except CancelledError:
            raise
        except Exception:
            self._shared.steps.failed(self._where)
            pause = self._jittered(UNTOLD)
        self._asking = None
        if self._is_stale:
            pause = 0.0
        self._due = self._shared.clock.seconds() + pause
        self._wait(pause)

    def _learnt(self, loaded: Loaded) -> float:
        """What the provider has told; seconds until it is asked again."""
        self._is_loaded = True
        before, self._topics = self._topics, loaded.topics
        self._listen(loaded.topics, before)
        emotes = loaded.emotes
        for change in self._meanwhile:
            emotes = change.applied(emotes)
        self._set(emotes)
        if not loaded.is_known:
            return self._jittered(ABSENT)
        updates = self._shared.updates
        if updates is None or not loaded.topics or not all(map(updates.tells, loaded.topics)):
            return self._jittered(UNTOLD)
        return self._jittered(TOLD)

    def _set(self, emotes: EmoteSet) -> None:
        if emotes == self.emotes and self.emotes:
            # Whoever shows it need not join it with others again.
            return
        self._shared.loaded(len(emotes) - len(self.emotes))
        self.emotes = emotes
        self._show(emotes)

    def _listen(self, topics: Sequence[str], before: Sequence[str]) -> None:
        updates = self._shared.updates
        if updates is None:
            return
        for topic in topics:
            if topic not in before:
                updates.listen(topic, self)
        for topic in before:
            if topic not in topics:
                updates.ignore(topic, self)

    def _jittered(self, seconds: float) -> float:
        return seconds * self._shared.random.uniform(1 - JITTER, 1 + JITTER)


def _cancelled(reason: Failure) -> None:
    reason.trap(CancelledError)
