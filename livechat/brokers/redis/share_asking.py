# SPDX-License-Identifier: MIT
"""One node's part in one channel: what it knows, hears, asks and sends.

What it does next stands in `share_states`, and is done in `share_turns`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from msgspec import MsgspecError
from msgspec.structs import replace
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from livechat.brokers.redis.layout import Claimed
from livechat.brokers.redis.messages import (
    Batch,
    Candidate,
    Led,
    Left,
    Message,
    Offer,
    Told,
    read_message,
    read_state,
)
from livechat.brokers.redis.node import Node
from livechat.brokers.redis.offering import Offering
from livechat.brokers.redis.queue import Part
from livechat.brokers.redis.reader import Reader
from livechat.brokers.redis.share_states import TRANSITIONS
from livechat.brokers.redis.tail import Tail
from livechat.core.clients import Place
from livechat.core.ports import (
    ChannelState,
    IMember,
    Start,
)
from livechat.core.publication import Publication
from livechat.model.events import ChannelKey
from livechat.redis.link import RedisDown, RedisRefused
from livechat.redis.names import tag

_log = Logger()

#: What Redis answers, as an input of the table.
_ANSWERS: Final = {
    "ours": "ours",
    "first": "taken",
    "failover": "taken",
    "follow": "theirs",
    "wait": "wait",
}


class AskingShare:
    """One node's part in one channel.

    :param have: the place of what this node has received last of the channel.
    :param promised: see `Offering`.
    :ivar state: as in `share_states`.
    :ivar leader: node and generation of who leads; empty: not known.
    :ivar departed: fires when it has left.
    """

    def __init__(
        self,
        node: Node,
        key: ChannelKey,
        member: IMember,
        have: Place | None,
        promised: dict[str, int],
    ) -> None:
        self.key = key
        self.tag = tag(key)
        self.state = "Outside"
        self.leader = ""
        self.departed: Deferred[None] = Deferred()
        self.offering = Offering(node, key, lambda: self.turn("heir_ready"), promised)
        self._node = node
        self._member = member
        self._topic = node.claims.topic(key)
        self._tail = Tail(node.claims.keys(key), self._topic)
        self._reader = Reader(self, node.heard)
        if have is not None:
            self._reader.place = Start(have.epoch, have.seq)
        self._term = 0
        self._seen = 0
        self._present: ChannelState | None = None
        self._asked = 0
        # By what name it may lead: it has asked, and the answer was lost.
        self._may_lead = ""
        self._asking: Deferred[None] = succeed(None)
        self._emptied: Deferred[None] | None = None
        self._release: Deferred[None] | None = None
        self._release_limit: IDelayedCall | None = None
        self._stop: Callable[[], Deferred[None]] | None = None
        self.has_role = False
        self.is_deaf = False
        self.joined = node.clock.seconds()
        self._leads = False
        self._complained = False

    def turn(self, upon: str, *arguments: object) -> None:
        """Something has happened; see `share_states`."""
        state, action = TRANSITIONS.get((self.state, upon), (self.state, ""))
        self.state = state
        if action:
            getattr(self, f"_{action}")(*arguments)

    # What the queue asks (`Publisher`).

    def parts(self) -> list[Part]:
        """See `Publisher`."""
        return self._tail.parts(self._term, self._reader.place)

    def taken(self, count: int) -> None:
        """See `Publisher`."""
        self._tail.taken(count)
        if len(self._tail):
            self._node.queue.add(self)
        elif self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    def refused(self) -> None:
        """See `Publisher`."""
        self.turn("refused")

    def unusable(self) -> None:
        """See `Publisher`."""
        self._complain("what lies there is not ours")
        self.turn("unusable")

    # What the reader has (`Listener`).

    def deliver(self, publications: Sequence[Publication]) -> None:
        """See `Listener`."""
        self._member.published(publications)

    def hear(self, message: Message) -> None:
        """See `Listener`."""
        match message:
            case Told(state):
                self._present = read_state(state)
                self._member.told(self._present)
            case Led(leader, term, block):
                # The answer to a claim may have come before it.
                if int(term) > self._seen:
                    self._seen = int(term)
                    is_heir = leader == self._node.lease.me
                    self.turn(*(("handed", int(block)) if is_heir else ("led", leader)))
            case Left():
                self.turn("vacant")
            case Offer(leader, wanted):
                if wanted:
                    self._come_forward(leader)
                elif self.state == "Preparing":
                    # It goes on, and needs no heir.
                    self.turn("led", leader)

    def miss(self, start: Start) -> None:
        """See `Listener`."""
        _log.warn("{key}: publications up to {seq} are nowhere", key=self.tag, seq=start.seq)
        self._member.missed(start)
        if self._present is not None and self.has_role:
            self._member.told(self._present)

    def read(self, epoch: str, after: int) -> Deferred[list[Batch]]:
        """See `Listener`."""
        return Deferred.fromCoroutine(self._node.claims.read(self.key, epoch, after))

    def lose_place(self) -> None:
        """See `Listener`."""
        self.turn("vacant")

    def heard(self, payload: bytes) -> None:
        """Something was published under the topic of the channel."""
        self._node.heard.bytes += len(payload)
        try:
            message = read_message(payload)
        except MsgspecError as error:
            self._complain(f"what was published cannot be read: {error}")
            return
        self._reader.hear(message, len(payload))

    def _come_forward(self, leader: str) -> None:
        """Somebody wants to hand the channel over: this node would take it."""
        if self.state == "Following" and not self._node.is_draining():
            led = self._node.leading()
            self._node.say_to(leader, Candidate(self.tag, self._node.lease.me, led))

    # What the table does: asking.

    def _enter(self, *_: object) -> None:
        self._reader.wait()
        self._node.link.listen(self._topic, self.heard)
        self._ask("", listens=True)

    def _enter_again(self, *_: object) -> None:
        """What was asked before could not be answered."""
        if self._asking.called:
            self._enter()

    def _check(self, *_: object) -> None:
        # Who has led alone lets others first put back what Redis has lost.
        self._ask(self.leader or ("" if self._node.patience() else "-"))

    def _check_again(self, *_: object) -> None:
        if self._asking.called:
            self._check()

    def _ask(self, held: str, *, listens: bool = False) -> None:
        self._asked += 1
        self._asking = Deferred.fromCoroutine(self._question(self._asked, held, listens))
        self._asking.addErrback(
            lambda reason: _log.failure("{key}: claiming failed", reason, key=self.tag)
        )

    async def _question(self, number: int, held: str, listens: bool) -> None:
        node = self._node
        try:
            if listens:
                await node.link.heard()
            # Where Redis has lost everything, nothing shows that a node in doubt lives.
            if held or not node.lease.is_held:
                await node.lease.renew()
            if not node.lease.is_held:
                return
            patience = "" if held else node.patience()
            self._may_lead = node.lease.me
            claimed = await node.claims.claim(
                self.key, held, patience, self._reader.place, self._seen
            )
        except RedisDown:
            return
        except (RedisRefused, MsgspecError, ValueError) as error:
            if number == self._asked:
                self._complain(str(error))
                self.turn("unusable")
            return
        self._may_lead = ""
        if claimed.role == "ours" and claimed.block > self._reader.place.seq:
            # It is so since an earlier question, whose answer was lost: another one led before.
            claimed = replace(claimed, role="failover")
        if number == self._asked:
            self._seen = max(self._seen, claimed.term)
            self.turn(_ANSWERS[claimed.role], claimed)
        elif self.state == "Gone" and claimed.role not in ("follow", "wait"):
            # It has left meanwhile.
            await node.claims.leave(self.key, claimed.leader, claimed.term, claimed.given)

    # What all of them need.

    def _begin(self, claimed: Claimed) -> None:
        """Go where the order stands, with what is kept of what was published meanwhile."""
        self.leader, self._term = claimed.leader, claimed.term
        start, entries, reader = claimed.start, claimed.entries, self._reader
        if reader.place.epoch != start.epoch:
            before = entries[0].previous if entries else start.seq
            reader.place = replace(start, seq=before)
        for entry in entries:
            reader.go_to(entry.previous)
            reader.take(entry)
        reader.go_to(start.seq)
        place = reader.place
        until, room_id = max(start.until, place.until), start.room_id or place.room_id
        reader.place = replace(place, until=until, room_id=room_id)

    def _send_what_is_lacking(self, claimed: Claimed, known: int) -> None:
        """Everything that is kept here and not in Redis, and the present state.

        :param known: the number of what this node knows to have been published last.
        """
        history, epoch = self._node.history, self._reader.place.epoch
        top = claimed.top or (0 if self._node.claims.size else claimed.start.seq)
        lacking = history.everything_after(self.key, epoch, top)
        past = history.after(self.key, epoch, top, 0)
        previous = top
        if not lacking:
            # Whoever has less misses something, and finds it nowhere.
            previous = known
        elif past is not None and not past.complete:
            previous = lacking[0].seq - 1
        self._tail.begin(previous, lacking)
        if self._present is not None:
            self._tail.tell(self._present)
        if len(self._tail):
            self._node.queue.add(self)

    def _stop_sending(self) -> None:
        self._node.queue.drop(self)
        self._tail.clear()
        self.offering.end()

    def _released(self, *_: object) -> None:
        """Whoever wanted to go may."""
        released, self._release = self._release, None
        cancel(self._release_limit)
        if released is not None and not released.called:
            released.callback(None)

    def _supervise(self, step: Coroutine[Deferred[Any], Any, None]) -> None:
        Deferred.fromCoroutine(step).addErrback(
            lambda reason: _log.failure("{key}: a step failed", reason, key=self.tag)
        )

    def _complain(self, why: str) -> None:
        if not self._complained:
            self._complained = True
            _log.error("{key}: {why}: it is watched by this node alone", key=self.tag, why=why)


def cancel(call: IDelayedCall | None) -> None:
    if call is not None and call.active():
        call.cancel()
