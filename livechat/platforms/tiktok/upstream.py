# SPDX-License-Identifier: MIT
"""One watched account as an `Upstream`: find its room, enter it, read it until it is lost."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from msgspec import Struct
from twisted.internet.interfaces import IReactorTime

from livechat.metrics import Metrics
from livechat.model.errors import ChatError
from livechat.platforms.steps import Steps
from livechat.platforms.tiktok.connection import FrameSource
from livechat.platforms.tiktok.gift_timer import GiftTimer
from livechat.platforms.tiktok.intake import Intake
from livechat.platforms.tiktok.last_comments import LastComments
from livechat.platforms.tiktok.liveness import confirm_end, find_again
from livechat.platforms.tiktok.lookup import Lookup
from livechat.platforms.tiktok.parse.answers import Answer, Live, NotLive
from livechat.platforms.tiktok.parse.chat import Translator
from livechat.platforms.tiktok.parse.message_context import Room
from livechat.platforms.tiktok.reception import Reception
from livechat.platforms.tiktok.refusals import (
    Reason,
    Refused,
    ended,
    not_live,
    refused,
    upstream_error,
)
from livechat.platforms.tiktok.transports import Transports
from livechat.platforms.upstream_error import UpstreamError
from livechat.platforms.watch import Watch


class Shared(Struct, frozen=True):
    """What all watched accounts use together.

    :ivar now: wall time in seconds.
    :ivar tap: given each frame as it came: platform, handle, bytes.
    :ivar history: whether messages that were said before we came are passed on.
    :ivar comments: the last ones of each room.
    """

    clock: IReactorTime
    now: Callable[[], float]
    metrics: Metrics
    steps: Steps
    lookup: Lookup
    transports: Transports
    intake: Intake
    tap: Callable[[str, str, bytes], None]
    history: bool
    comments: LastComments


class _Room(Struct, frozen=True):
    """The room in which an account is live."""

    live: Live
    translator: Translator


class RoomUpstream:
    """The room of one account, entered again and again by its `Watch`.

    :ivar handle: of the account.
    :param forget: called when nobody watches the account any more.
    """

    def __init__(self, handle: str, shared: Shared, forget: Callable[[RoomUpstream], None]) -> None:
        self.handle = handle
        self._shared = shared
        self._forget = forget
        self._room: _Room | None = None
        self._reception: Reception | None = None
        self._gifts = GiftTimer(shared.clock, shared.steps, handle)

    async def follow(self, watch: Watch) -> None:
        """See `Upstream`."""
        try:
            await self._follow(watch)
        except ChatError:
            # Gifts under way come before the end.
            self._finish_gifts(watch)
            raise

    def close(self) -> None:
        """See `Upstream`."""
        self._gifts.stop()
        self._forget(self)

    def relay_came(self, watch: Watch) -> None:
        """Somebody relays our room now: use that, unless we see already."""
        if self._reception is None:
            watch.wake()
        elif not self._reception.is_seeing:
            self._reception.drop("a relay has come")

    # One attempt.

    async def _follow(self, watch: Watch) -> None:
        self._gifts.start(lambda: self._look_for_gifts(watch))
        reception, feed = await self._enter(watch)
        self._reception = reception
        try:
            why = await reception.listen(feed)
        finally:
            self._reception = None
        live = reception.live
        lookup = self._shared.lookup.claimed_by(watch.claim)
        if reception.announced is not None:
            clock, announced = self._shared.clock, reception.announced
            await confirm_end(lookup, clock, self.handle, live.room_id, announced)
        restriction = None
        if not reception.is_seeing:
            # What keeps the room silent, if TikTok says so.
            restriction = live.restriction or await lookup.restriction(live.room_id)
        watch.lost(f"{why} ({restriction})" if restriction else why, reception.heard)
        raise upstream_error(refused(restriction or Reason.UPSTREAM, why))

    async def _enter(self, watch: Watch) -> tuple[Reception, FrameSource]:
        """A feed of the room, and what takes its messages.

        :raises UpstreamError: not at the moment.
        :raises ChatError: there is nothing to watch.
        """
        try:
            return self._relayed(watch) or await self._connect(watch)
        except UpstreamError:
            # Somebody may have begun to relay the room while we were asking.
            relayed = self._relayed(watch)
            if relayed is None:
                raise
            return relayed

    def _relayed(self, watch: Watch) -> tuple[Reception, FrameSource] | None:
        intake = self._shared.intake
        live = intake.relayed(self.handle)
        if live is None:
            return None
        reception = self._receive(watch, live)
        feed = intake.relay(self.handle, reception)
        return None if feed is None else (reception, feed)

    async def _connect(self, watch: Watch) -> tuple[Reception, FrameSource]:
        live = await self._find(watch)
        reception = self._receive(watch, live)
        feed = await self._shared.transports.open(live.room_id, reception, watch.claim)
        return reception, feed

    async def _find(self, watch: Watch) -> Live:
        """The room to enter.

        :raises UpstreamError: nobody says at the moment.
        :raises ChatError: there is nothing to watch.
        """
        lookup = self._shared.lookup.claimed_by(watch.claim)
        answer: Answer
        if watch.has_started and self._room is not None:
            answer = await find_again(lookup, self.handle, self._room.live)
        else:
            answer = await lookup.find(self.handle)
        if isinstance(answer, Live):
            return answer
        if isinstance(answer, NotLive):
            raise ended(suspended=False) if watch.has_started else not_live()
        raise upstream_error(answer if isinstance(answer, Refused) else refused(Reason.UNCLEAR))

    def _receive(self, watch: Watch, live: Live) -> Reception:
        """This is the room from now on; gifts and likes of another are not its own."""
        shared, room = self._shared, self._room
        if room is not None and room.live.room_id == live.room_id:
            translator = room.translator
        else:
            self._finish_gifts(watch)
            translator = Translator(Room(live.room_id, live.owner_id))
        self._room = _Room(live, translator)
        return Reception(
            watch,
            live,
            translator,
            shared.comments.of(live.room_id),
            clock=shared.clock,
            now=shared.now,
            metrics=shared.metrics,
            tap=self._tap,
            history=shared.history,
        )

    def _tap(self, data: bytes) -> None:
        self._shared.steps.run(self.handle, self._shared.tap, "tiktok", self.handle, data)

    # Gifts whose end was lost.

    def _look_for_gifts(self, watch: Watch) -> None:
        if self._room is not None:
            watch.received(self._room.translator.overdue(self._shared.clock.seconds()))

    def _finish_gifts(self, watch: Watch) -> None:
        """Pass on all gifts under way: nothing more will come of them."""
        if self._room is not None:
            watch.received(self._room.translator.overdue(inf))
