# SPDX-License-Identifier: MIT
"""The upstream of one Twitch channel: look it up, be in its chat, report what it brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from livechat.metrics import Metrics
from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import Event, LiveInfo
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.catch_up import CatchUp
from livechat.platforms.twitch.connection import ChatConnection
from livechat.platforms.twitch.live_poll import LivePoll
from livechat.platforms.twitch.liveness import Liveness
from livechat.platforms.twitch.lookup import ChannelStatus, Lookup
from livechat.platforms.twitch.parse.chat import Translation, translate
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.parse.replies import is_join_echo, is_part_echo, join_failure
from livechat.platforms.twitch.parse.room import NOTHING_KNOWN, RoomState, room_state
from livechat.platforms.twitch.placement import IPool, Placement
from livechat.platforms.twitch.recent_messages import History
from livechat.platforms.twitch.settings import TwitchSettings
from livechat.platforms.upstream_error import UpstreamError
from livechat.platforms.watch import State, Watch

#: Seconds for the look-up, before the channel is joined without its answer.
LOOKUP_PATIENCE: Final = 2.0

#: Lines after which we may not be in the channel any more.
_LEAVING: Final = frozenset({"NOTICE", "PART"})


class Shared(Struct, frozen=True):
    """What all channels share.

    :ivar now: wall time in seconds.
    :ivar new_id: makes ids for messages that came without one.
    """

    clock: IReactorTime
    now: Callable[[], float]
    new_id: Callable[[], str]
    metrics: Metrics
    steps: Steps
    settings: TwitchSettings
    lookup: Lookup
    joins: Budget
    history: History

    def translate(self, line: Line, room: RoomState = NOTHING_KNOWN) -> Translation:
        """The events of a line; what is unknown is counted; a line that we fail at costs itself."""
        try:
            translation = translate(line, int(self.now() * 1000), self.new_id, room)
        except Exception:
            self.steps.failed(line.channel)
            return Translation([])
        for name in translation.unknown:
            self.metrics.count_unparsed("twitch", name)
        for name in translation.ignored:
            self.metrics.count_ignored("twitch", name)
        return translation


class ChannelUpstream:
    """See `livechat.platforms.watch.Upstream`; also an `IPlaced` and an `ILooked`.

    The connections come back by themselves, so one attempt lasts until the chat is over.

    :param closed: called once, when nobody watches any more.
    """

    def __init__(
        self,
        login: str,
        shared: Shared,
        pool: IPool,
        poll: LivePoll,
        closed: Callable[[ChannelUpstream], None],
    ) -> None:
        self.login = login
        self._shared = shared
        self._poll = poll
        self._closed = closed
        settings = shared.settings
        self._require_live = settings.require_live
        self._liveness = Liveness(
            require_live=settings.require_live,
            grace=settings.offline_grace,
            new_id=shared.new_id,
        )
        self._placement = Placement(login, pool, shared.joins, shared.clock, self)
        self._catch_up = CatchUp(login, shared.history, self._events, shared.clock, shared.steps)
        self._room = RoomState()
        self._watch: Watch
        self._status: ChannelStatus | None = None
        self._over: Deferred[None] = Deferred()

    @property
    def live(self) -> bool | None:
        """See `ILooked`."""
        return self._liveness.live

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`."""
        self._watch = watch
        self._over = over = Deferred[None]()
        question = None
        try:
            if self._status is None:
                question = self._shared.lookup.ask(self.login, watch.claim)
                question.addCallbacks(self._learnt, _cancelled)
                await self._be_patient(watch)
            if not over.called:
                self._poll.add(self)
                self._placement.enter()
            await over
        finally:
            if question is not None:
                question.cancel()
            self._poll.remove(self)
            self._catch_up.cancel()
            self._placement.leave()

    def close(self) -> None:
        """See `Upstream`."""
        self._closed(self)

    async def _be_patient(self, watch: Watch) -> None:
        """Wait for the look-up, but not for long after it has been sent."""
        while self._status is None:
            await watch.pause(LOOKUP_PATIENCE)
            if not watch.claim.is_waiting:
                return

    # What look-ups say.

    def _learnt(self, status: ChannelStatus) -> None:
        """The first look-up has answered, perhaps after the start."""
        self._status = status
        if self._watch.has_started:
            self.seen(status)
            return
        self._liveness.learn(status, self._shared.clock.seconds())
        if status.exists is False:
            self._end(error_catalogue.NOT_FOUND.error())
        elif self._require_live and status.live is False:
            self._end(error_catalogue.OFFLINE.error())
        elif self._placement.home is not None:
            self.admitted()
        self._watch.wake()

    def seen(self, status: ChannelStatus) -> None:
        """What a later look-up said."""
        if not self._watch.has_started:
            return
        now = self._shared.clock.seconds()
        before = self._liveness.live
        if self._liveness.learn(status, now) is not None:
            # What happened comes first, then what is the case from now on.
            received_ms = int(self._shared.now() * 1000)
            self._watch.received([self._liveness.event(received_ms, self._room.room_id)])
        if self._liveness.live is not before and self._placement.home is not None:
            self.admitted()
        if status.live is False and self._liveness.is_over(now):
            self._end(error_catalogue.ended("OFFLINE"))

    # What the placement says (`IPlaced`).

    @property
    def claim(self) -> Claim:
        """See `IPlaced`."""
        return self._watch.claim

    def admitted(self) -> None:
        """See `IPlaced`: messages flow, unless it must be known first whether the channel is live.

        What was missed comes before them.
        """
        if self._require_live and self._status is None:
            return
        if self._watch.state is State.FLOWING or not self._shared.history.enabled:
            self._flow()
        elif not self._catch_up.is_asking:
            self._catch_up.before(self._watch, self._flow)

    def _flow(self) -> None:
        """Messages flow; what is told again and has not changed reaches nobody."""
        self._watch.flows(LiveInfo(self.login, self._liveness.live))

    def lost(self, reason: str, silence: float) -> None:
        """See `IPlaced`."""
        self._catch_up.cancel()
        self._watch.lost(reason, self._shared.now() - silence)

    def failing(self, reason: str) -> None:
        """See `IPlaced`."""
        self._watch.failing(UpstreamError(reason))

    def unanswered(self) -> None:
        """See `IPlaced`: a channel that does not answer from the start may not exist."""
        if not self._watch.has_started and self._placement.home is None:
            exists = self._status is not None and self._status.exists
            answer = error_catalogue.JOIN_UNANSWERED if exists else error_catalogue.NO_ANSWER
            raise answer.error()

    def failed(self, reason: Failure) -> None:
        """See `IPlaced`: the start fails, or it costs this attempt."""
        if not self._over.called:
            self._over.errback(reason)

    def read(self, connection: ChatConnection, lines: Sequence[Line]) -> None:
        """See `IPlaced`."""
        events: list[Event] = []
        for line in lines:
            if line.command in _LEAVING:
                # It may interrupt or end: what was said before it goes out before it.
                self._watch.received(events)
                events = []
            self._notice(connection, line)
            events += self._events(line)
        self._watch.received(events)
        self._catch_up.heard(lines)

    def _events(self, line: Line) -> Sequence[Event]:
        return self._shared.translate(line, self._room).events

    def _notice(self, connection: ChatConnection, line: Line) -> None:
        """Everything in a line that is about our being in the channel."""
        match line.command:
            case "ROOMSTATE":
                self._room = room_state(self._room, line.tags)
                self._placement.welcomed(connection)
            case "JOIN" if is_join_echo(line, connection.nick):
                self._placement.welcomed(connection)
            case "PART" if is_part_echo(line, connection.nick):
                self._placement.let_out(connection)
            case "NOTICE":
                error = join_failure(line)
                if error is not None:
                    self._refused(error)

    def _refused(self, error: ChatError) -> None:
        if error.temporary:
            self._placement.refused(error.details or "")
        elif self._watch.has_started:
            self._end(error_catalogue.ended(error.details))
        else:
            self._end(error)

    def _end(self, error: ChatError) -> None:
        if not self._over.called:
            self._over.errback(error)


def _cancelled(reason: Failure) -> None:
    reason.trap(CancelledError)
