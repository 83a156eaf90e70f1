# SPDX-License-Identifier: MIT
"""What one node does in one channel when something happens, by the names in `share_states`."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace
from twisted.internet.defer import Deferred, TimeoutError, maybeDeferred
from twisted.logger import Logger

from livechat.brokers.redis.layout import Claimed, epoch_name
from livechat.brokers.redis.messages import (
    Ready,
    told_state,
)
from livechat.brokers.redis.node import node_of
from livechat.brokers.redis.share_asking import AskingShare
from livechat.core.ports import (
    HAND_OVER,
    LEAVE_TIMEOUT,
    Interrupted,
    Live,
    Start,
    Why,
)
from livechat.pacing import sleep
from livechat.redis.link import RedisDown, RedisRefused

_log = Logger()

#: Seconds that a hand-over may take once the heir is ready.
PASS_TIMEOUT: Final = 1.0

#: Seconds that the last words of a leader may take to arrive.
LAST_WORDS: Final = 0.5

#: Seconds after which nobody hands a channel any more to a heir that has left.
LATE: Final = 1.0


class TurningShare(AskingShare):
    """The steps of a share."""

    # What the table does: leading and following.

    def _lead(self, claimed: Claimed) -> None:
        """This node leads, and did not before, or not all the time."""
        had_upstream = self._leads
        self._begin(claimed)
        place, start = self._reader.place, claimed.start
        theirs = max(start.seq, claimed.top, claimed.given)
        known = max(theirs, place.seq)
        # Where the answer to an earlier claim was lost, it is not known what that one said.
        why: Why = "first" if claimed.role == "first" else "failover"
        until = place.until
        if had_upstream and theirs and claimed.role != "ours":
            # Another one has led meanwhile: who followed it has missed what was said since it went.
            why, until = "failover", start.until or until
        elif had_upstream:
            why = "again"
        self._reader.place = replace(place, seq=max(known, claimed.block), why=why, node="")
        self._send_what_is_lacking(claimed, known)
        self._node.link.ignore(self._topic)
        self._leads = True
        self.has_role = True
        self._member.lead(replace(self._reader.place, until=until))

    def _lead_as_heir(self, block: int) -> None:
        """The former leader has handed the channel over, after everything that it published.

        :param block: whoever leads gives no number up to this one.
        """
        self.leader, self._term = self._node.lease.me, self._seen
        place = self._reader.place
        self._tail.begin(place.seq, ())
        self._reader.place = replace(place, seq=max(place.seq, block), why="handed", node="")
        self._node.link.ignore(self._topic)
        self._leads = True
        self._member.lead(self._reader.place)

    def _lead_alone(self, *_: object) -> None:
        """Lead for the subscribers of this node, in an order of its own."""
        # Not in the place of whoever has led it until now.
        self.leader = ""
        epoch = epoch_name(self._node.claims.new_epoch())
        why: Why = "failover" if self.has_role else "first"
        self._reader.place = Start(epoch, 0, why=why)
        self._leads = True
        self.has_role = True
        self._member.lead(self._reader.place)

    def _go_on(self, claimed: Claimed) -> None:
        """This node has led all the time: Redis is given what it lacks."""
        self.leader, self._term = claimed.leader, claimed.term
        self._send_what_is_lacking(claimed, self._reader.place.seq)
        self._member.settled()

    def _join_in(self, claimed: Claimed) -> None:
        """The order of this node, which was alone, becomes that of all; or theirs its own."""
        if claimed.role == "ours" and claimed.start.epoch == self._reader.place.epoch:
            self._go_on(claimed)
        else:
            self._lead(claimed)

    def _follow(self, claimed: Claimed) -> None:
        self._present = told_state(claimed.state) if claimed.state else None
        self._begin(claimed)
        self._say_follow()
        if self._present is not None:
            self._member.told(self._present)
        self._reader.begin()
        if claimed.offered:
            self._come_forward(claimed.leader)
        if self.state == "Following" and self._node.was_chosen(self.key):
            self.turn("chosen")

    def _note(self, leader: str) -> None:
        """Yet another node leads."""
        self.leader = leader
        self._say_follow()

    _step_back = _note

    def _step_down(self, *_: object) -> None:
        """Another node leads: the upstream is left at once, and this node enters anew."""
        if self.offering.heir:
            self.leader = self.offering.heir
        self._stop_sending()
        self._say_follow()
        self._released()
        self._enter()

    def _say_follow(self) -> None:
        self._leads = False
        self.has_role = True
        self.is_deaf = False
        self._member.follow(replace(self._reader.place, why="first", node=node_of(self.leader)))

    # What the table does: doubt.

    def _sever(self, *_: object) -> None:
        """Redis takes nothing; what it lacks is found out when it is back."""
        self._stop_sending()

    def _doubt(self, *_: object) -> None:
        self._stop_sending()
        self._member.doubted()
        if self._node.link.up:
            self._check()

    # What the table does: handing over.

    def _announce(self, *_: object) -> None:
        """Say that this node wants to go."""
        self.offering.begin()
        self._supervise(self._say_offer(wanted=True))

    def _recant(self, *_: object) -> None:
        self.offering.end()
        self._supervise(self._say_offer(wanted=False))

    async def _say_offer(self, *, wanted: bool) -> None:
        try:
            answer = await self._node.claims.offer(self.key, self.leader, self._term, wanted=wanted)
        except (RedisDown, RedisRefused):
            return
        if not wanted or not answer or self._node.is_draining():
            # Who drains has asked all nodes.
            return
        if answer == b"0":
            self._released()
            self.turn("stay")
        else:
            self.offering.asked(int(answer))

    def _prepare(self, *_: object) -> None:
        self._member.prepare()

    def _decline(self, *_: object) -> None:
        ready = Ready(self.tag, self._node.lease.me, able=False)
        self._node.say_to(self.leader, ready)

    def _withdraw(self, *_: object) -> None:
        """It is not known any more what the leader does."""
        self._say_follow()

    def _hold(self, *_: object) -> None:
        """The heir is ready: publish nothing more, and hand over when Redis has everything."""
        self._member.hold()
        self._supervise(self._hand())

    async def _hand(self) -> None:
        node, heir = self._node, self.offering.heir
        try:
            if not await self._wait_for_tail(PASS_TIMEOUT):
                self.turn("not_passed")
                return
            if self.state != "Yielding":
                return
            answer = await node.claims.hand(self.key, self.leader, self._term, heir)
        except RedisDown:
            self.turn("unsure")
            return
        except RedisRefused as error:
            self._complain(str(error))
            self.turn("not_passed")
            return
        if answer == b"gone":
            self.turn("not_passed")
        elif answer:
            self._seen = max(self._seen, int(answer))
            self.turn("passed")
        else:
            self.turn("unsure")

    def _resume(self, *_: object) -> None:
        """The heir does not lead: go on, and look for another one."""
        self.offering.end()
        self._member.resume_publishing()
        if self._release is not None or self._node.is_draining():
            self._node.clock.callLater(0, self.turn, "offer")

    async def _wait_for_tail(self, seconds: float) -> bool:
        """Whether Redis takes everything within this time."""
        if not len(self._tail):
            return True
        emptied = self._emptied = Deferred()
        emptied.addTimeout(seconds, self._node.clock)
        try:
            await emptied
        except TimeoutError:
            self._emptied = None
            return False
        return True

    # What the table does: leaving.

    def _depart(self, *_: object) -> None:
        self._asked += 1
        self._supervise(self._disown())
        self._stop_sending()
        self._released()
        self._node.link.ignore(self._topic)
        self.departed.callback(None)

    async def _disown(self) -> None:
        """Nobody is to wait for a node that leads without knowing it."""
        if self._may_lead:
            await self._say_left(self._may_lead, 0)

    async def _say_left(self, leader: str, term: int) -> None:
        """Let another node lead, now or when Redis is back."""
        given = self._reader.place.seq
        try:
            await self._node.claims.leave(self.key, leader, term, given)
        except RedisDown:
            # Where this node ends, others see that.  Where it lives on they would wait for it.
            self._node.farewells[self.key] = leader, term, given
        except RedisRefused as error:
            self._complain(str(error))

    def _depart_as_heir(self, *_: object) -> None:
        self._asked += 1
        self._decline()
        self._supervise(self._leave_as_heir())

    async def _leave_as_heir(self) -> None:
        """Stay for a moment: the leader may have handed the channel over before it hears of it."""
        late = sleep(self._node.clock, 0 if self._node.is_draining() else LATE)
        await self._stop_upstream(LEAVE_TIMEOUT - LATE)
        await late
        self._depart()

    def _give_back(self, block: int) -> None:
        """What was handed to this node, which has left, is led by nobody."""
        given = max(self._reader.place.seq, block)
        answer = self._node.claims.leave(self.key, self._node.lease.me, self._seen, given)
        answer.addErrback(lambda reason: reason.trap(RedisDown, RedisRefused) and None)

    async def _stop_upstream(self, seconds: float) -> None:
        if self._stop is None:
            return
        stopped = maybeDeferred(self._stop).addTimeout(seconds, self._node.clock)
        stopped.addErrback(
            lambda reason: _log.failure("{key}: the upstream did not stop", reason, key=self.tag)
        )
        await stopped

    def _depart_as_leader(self, *_: object) -> None:
        self._asked += 1
        self.offering.end()
        self._released()
        self._supervise(self._leave())

    async def _leave(self) -> None:
        node = self._node
        if self._leads and isinstance(self._present, Live):
            self._tail.tell(Interrupted(HAND_OVER))
            node.queue.add(self)
        if node.link.up:
            await self._wait_for_tail(LAST_WORDS)
        await self._stop_upstream(LEAVE_TIMEOUT)
        if self._leads:
            await self._say_left(self.leader, self._term)
        await self._disown()
        self._stop_sending()
        node.link.ignore(self._topic)
        self.departed.callback(None)
