# SPDX-License-Identifier: MIT
"""What every `IBroker` does: one leader per channel, and what it publishes reaches every member."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import TestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from livechat.core.ports import (
    ChannelState,
    Ended,
    Failed,
    IBroker,
    IMember,
    IMembership,
    Interrupted,
    Live,
    Start,
)
from livechat.core.publication import Publication
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, LiveInfo, kind_bit
from tests.support.fakes import chat

if TYPE_CHECKING:
    _Case = TestCase
else:
    _Case = object

KEY = ChannelKey("twitch", "username", "ann")
OTHER = ChannelKey("tiktok", "username", "ann")

Publications = list[tuple[str, bytes]]

INFO = LiveInfo("live id")
GONE = ChatError(ErrorCode.STREAM_ENDED, "Over")


def stopped() -> Deferred[None]:
    """An upstream that stops at once."""
    return succeed(None)


#: Where a member stands, by its membership: from there it numbers on.
places: WeakKeyDictionary[IMembership, Member] = WeakKeyDictionary()


def publish(membership: IMembership, publications: Publications) -> None:
    """Publish these kinds and payloads, numbered on from what the member was told."""
    member = places.get(membership)
    epoch, seq = ("epoch", 0) if member is None else member.place
    event = chat()
    membership.publish(
        [
            Publication(
                epoch,
                number,
                kind,
                f"item {number}",
                event.data.author.id,
                event.timestamp,
                event.room_id,
                kind_bit(kind),
                payload,
            )
            for number, (kind, payload) in enumerate(publications, start=seq + 1)
        ]
    )


@implementer(IMember)
class Member:
    """A member that keeps what it was told.

    :ivar roles: `lead` and `follow`, as they were said.
    :ivar starts: where it was told to begin to number.
    :ivar states: what the leader told.
    :ivar before: what it was given before it was told a role, in batches.
    :ivar batches: what was published since.
    :ivar asked: what else the broker said, in order: `prepare`, `hold`, ...
    :ivar missed_until: the places up to which something is missing.
    :ivar place: epoch and number of what it knows to have been published last.
    :ivar upon: called with `lead`, `follow`, `published` or `told` each time it was told something.
    """

    def __init__(self) -> None:
        self.roles: list[str] = []
        self.starts: list[Start] = []
        self.states: list[ChannelState] = []
        self.asked: list[str] = []
        self.missed_until: list[Start] = []
        self.place = ("epoch", 0)
        self.before: list[Publications] = []
        self.batches: list[Publications] = []
        self.upon: Callable[[str], object] = lambda said: None

    @property
    def before_and_since(self) -> Publications:
        """All publications, also those before it was told a role."""
        return [publication for batch in self.before for publication in batch] + self.received

    @property
    def received(self) -> Publications:
        """All publications since it was told a role, in order."""
        return [publication for batch in self.batches for publication in batch]

    def lead(self, start: Start) -> None:
        """See `IMember`."""
        self.roles.append("lead")
        self.starts.append(start)
        self.place = (start.epoch, start.seq)
        self.upon("lead")

    def follow(self, start: Start) -> None:
        """See `IMember`."""
        # That another one leads may be said again.
        if self.roles[-1:] != ["follow"]:
            self.roles.append("follow")
        self.starts.append(start)
        self.place = (start.epoch, start.seq)
        self.upon("follow")

    def published(self, publications: Sequence[Publication]) -> None:
        """See `IMember`."""
        batch = [(one.kind, one.payload) for one in publications]
        # Before it is told its role it is given what was published before.
        (self.batches if self.roles else self.before).append(batch)
        self.place = (publications[-1].epoch, publications[-1].seq)
        self.upon("published")

    def told(self, state: ChannelState) -> None:
        """See `IMember`."""
        self.states.append(state)
        self.upon("told")

    def prepare(self) -> None:
        """See `IMember`."""
        self._ask("prepare")

    def hold(self) -> None:
        """See `IMember`."""
        self._ask("hold")

    def resume_publishing(self) -> None:
        """See `IMember`."""
        self._ask("resume_publishing")

    def doubted(self) -> None:
        """See `IMember`."""
        self._ask("doubted")

    def settled(self) -> None:
        """See `IMember`."""
        self._ask("settled")

    def missed(self, start: Start) -> None:
        """See `IMember`."""
        self.missed_until.append(start)
        self._ask("missed")

    def waits(self, reason: str) -> None:
        """See `IMember`."""
        self._ask(f"waits {reason}")

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        self.upon(what)


class BrokerContract(_Case):
    """Mixin for a `TestCase` of one broker, or of several that know each other."""

    def broker(self) -> IBroker:
        """The broker that the next member joins: always the same, or one of several in turn."""
        raise NotImplementedError

    def settle(self) -> Deferred[None]:
        """Let time pass until everything that is on its way has arrived."""
        raise NotImplementedError

    def forget(self) -> Deferred[None]:
        """Let so much time pass that the order of a channel is forgotten that all have left."""
        raise NotImplementedError

    def joined(self, key: ChannelKey = KEY) -> tuple[Member, IMembership]:
        """A member that has just joined, and its membership."""
        member = Member()
        membership = self.broker().join(key, member)
        places[membership] = member
        return member, membership

    async def settled(self, count: int) -> list[tuple[Member, IMembership]]:
        """So many members that joined one after the other and know their roles."""
        members = [self.joined() for _ in range(count)]
        await self.settle()
        return members

    def test_interfaces(self) -> None:
        """Broker and membership are what they are by their interfaces."""
        broker = self.broker()
        self.assertTrue(verifyObject(IBroker, broker))
        member = Member()
        self.assertTrue(verifyObject(IMember, member))
        membership = broker.join(KEY, member)
        self.assertTrue(verifyObject(IMembership, membership))
        membership.leave(stopped)

    async def test_told_later(self) -> None:
        """A member is told its role after the joining, never during it."""
        members = []
        for _ in range(3):
            member, _ = self.joined()
            self.assertEqual(member.roles, [])
            members.append(member)
        await self.settle()
        self.assertEqual([len(member.roles) for member in members], [1, 1, 1])

    async def test_one_leader(self) -> None:
        """The first leads, the others follow; nobody is told anything twice."""
        members = await self.settled(5)
        roles = [member.roles for member, _ in members]
        self.assertEqual(roles, [["lead"]] + [["follow"]] * 4)
        await self.settle()
        self.assertEqual([member.roles for member, _ in members], roles)

    async def test_late_joiner(self) -> None:
        """Who joins while another leads follows."""
        ((leader, _),) = await self.settled(1)
        late, _ = self.joined()
        await self.settle()
        self.assertEqual((leader.roles, late.roles), (["lead"], ["follow"]))

    async def test_channels_apart(self) -> None:
        """Each channel has a leader of its own, and hears nothing of the other."""
        one, its = self.joined(KEY)
        other, others = self.joined(OTHER)
        await self.settle()
        self.assertEqual((one.roles, other.roles), (["lead"], ["lead"]))
        publish(its, [("chat", b"1")])
        publish(others, [("chat", b"2")])
        await self.settle()
        self.assertEqual(one.received, [("chat", b"1")])
        self.assertEqual(other.received, [("chat", b"2")])

    async def test_a_leader_is_certain(self) -> None:
        """Who leads knows that it does, and needs no look; a follower that wants to go may."""
        (_, leading), (_, following) = await self.settled(2)
        self.assertTrue(leading.certain)
        following.look()
        released = following.release()
        await self.settle()
        self.assertTrue(released.called)

    async def test_publish(self) -> None:
        """What the leader publishes reaches every member, itself included, in order."""
        members = await self.settled(4)
        _, leading = members[0]
        expected: Publications = []
        for number in range(50):
            batch = [("chat", b"%d" % number), ("raid", b"\xff\x00\r\n" * number)]
            expected += batch
            publish(leading, batch)
        await self.settle()
        for member, _ in members:
            self.assertEqual(member.received, expected)

    async def test_publish_alone(self) -> None:
        """A leader without followers still hears itself."""
        ((leader, leading),) = await self.settled(1)
        publish(leading, [("chat", b"{}")])
        await self.settle()
        self.assertEqual(leader.received, [("chat", b"{}")])

    async def test_late_joiner_hears_what_follows(self) -> None:
        """Who joins later hears what is published from then on, and nothing of before."""
        ((_, leading),) = await self.settled(1)
        publish(leading, [("chat", b"old")])
        await self.settle()
        late, _ = self.joined()
        await self.settle()
        publish(leading, [("chat", b"new")])
        await self.settle()
        self.assertEqual(late.received, [("chat", b"new")])

    async def test_follower_leaves(self) -> None:
        """A follower that leaves hears nothing more; the others notice nothing."""
        (leader, leading), (gone, going), (other, _) = await self.settled(3)
        going.leave(stopped)
        publish(leading, [("chat", b"1")])
        await self.settle()
        self.assertEqual((gone.roles, gone.received), (["follow"], []))
        for member, role in ((leader, "lead"), (other, "follow")):
            self.assertEqual((member.roles, member.received), ([role], [("chat", b"1")]))

    async def test_successor(self) -> None:
        """When the leader has left, one of the others leads, later, and is heard by all."""
        (gone, going), *rest = await self.settled(3)
        going.leave(stopped)
        self.assertEqual([member.roles for member, _ in rest], [["follow"], ["follow"]])
        await self.settle()
        leaders = [(member, its) for member, its in rest if member.roles == ["follow", "lead"]]
        ((_, leading),) = leaders
        self.assertEqual(sorted(len(member.roles) for member, _ in rest), [1, 2])
        publish(leading, [("chat", b"1")])
        await self.settle()
        for member, _ in rest:
            self.assertEqual(member.received, [("chat", b"1")])
        self.assertEqual((gone.roles, gone.received), (["lead"], []))

    async def test_leave_twice(self) -> None:
        """Leaving again does nothing: there is one successor, and it stays."""
        (_, going), *rest = await self.settled(3)
        going.leave(stopped)
        going.leave(stopped)
        await self.settle()
        going.leave(stopped)
        await self.settle()
        self.assertEqual(sorted(len(member.roles) for member, _ in rest), [1, 2])

    async def test_leader_and_heir_leave(self) -> None:
        """When the leader and the next in line leave at once, a third one leads."""
        members = await self.settled(4)
        for _, membership in members[:2]:
            membership.leave(stopped)
        await self.settle()
        leaders = [member for member, _ in members[2:] if member.roles[-1] == "lead"]
        self.assertEqual(len(leaders), 1)

    async def test_all_but_the_last_leave(self) -> None:
        """Whoever remains leads."""
        members = await self.settled(5)
        for _, membership in members[:4]:
            membership.leave(stopped)
        await self.settle()
        self.assertEqual(members[4][0].roles, ["follow", "lead"])

    async def test_leaves_before_it_is_told(self) -> None:
        """Who leaves before it was told its role is told nothing, and stands in nobody's way."""
        gone, going = self.joined()
        stays, _ = self.joined()
        going.leave(stopped)
        await self.settle()
        self.assertEqual(gone.roles, [])
        self.assertEqual(stays.roles[-1:], ["lead"])

    async def test_leader_leaves_as_another_joins(self) -> None:
        """A member that joins in the moment the leader leaves ends up led by somebody."""
        (_, going), (second, _) = await self.settled(2)
        going.leave(stopped)
        third, _ = self.joined()
        await self.settle()
        self.assertEqual([second.roles[-1], third.roles[-1]].count("lead"), 1)
        self.assertLessEqual(second.roles.count("lead") + third.roles.count("lead"), 1)

    async def test_leaves_when_told_to_lead(self) -> None:
        """A member that cannot lead and leaves at once is succeeded, also by one like it."""

        def leaves(member: Member, membership: IMembership) -> None:
            member.upon = lambda said: said == "lead" and membership.leave(stopped)

        members = [self.joined(), self.joined()]
        for member, membership in members:
            leaves(member, membership)
        await self.settle()
        last, _ = self.joined()
        await self.settle()
        for member, _ in members:
            self.assertEqual(member.roles[-1:], ["lead"])
        self.assertEqual(last.roles[-1:], ["lead"])

    async def test_leaves_at_a_publication(self) -> None:
        """A member that another one takes out while a publication goes round hears no more."""
        members = await self.settled(3)
        (leader, leading), (first, firsts), (last, lasts) = members
        # Whichever of the two hears it first takes the other one out.
        first.upon = lambda said: lasts.leave(stopped)
        last.upon = lambda said: firsts.leave(stopped)
        publish(leading, [("chat", b"1"), ("chat", b"2")])
        await self.settle()
        self.assertEqual(len(leader.batches), 1)
        self.assertEqual(len(first.batches) + len(last.batches), 1)

    async def test_channel_begins_anew(self) -> None:
        """When all have left, the next to join leads."""
        for _, membership in await self.settled(3):
            membership.leave(stopped)
        await self.settle()
        again, _ = self.joined()
        await self.settle()
        self.assertEqual(again.roles, ["lead"])

    async def test_joins_behind(self) -> None:
        """Who joins while its predecessor still stops follows it, and leads when that has left."""
        ((_, going),) = await self.settled(1)
        heir, _ = self.joined()
        await self.settle()
        self.assertEqual(heir.roles, ["follow"])
        going.leave(stopped)
        await self.settle()
        self.assertEqual(heir.roles, ["follow", "lead"])

    async def test_states(self) -> None:
        """What the leader tells reaches every member, itself included, in order with the rest."""
        members = await self.settled(3)
        _, leading = members[0]
        order: list[list[str]] = [[] for _ in members]
        for (member, _), heard in zip(members, order, strict=True):
            member.upon = heard.append
        leading.tell(Live(INFO))
        publish(leading, [("chat", b"1")])
        leading.tell(Interrupted("LOST"))
        leading.tell(Ended(GONE))
        await self.settle()
        for (member, _), heard in zip(members, order, strict=True):
            *before, over = member.states
            self.assertEqual(before, [Live(INFO), Interrupted("LOST")])
            # An exception is equal to nothing but itself.
            assert isinstance(over, Ended)
            self.assertEqual(vars(over.error), vars(GONE))
            self.assertEqual(heard, ["told", "published", "told", "told"])

    async def test_late_joiner_knows_the_state(self) -> None:
        """Who joins later is told the present state, after its role."""
        for state in (Live(INFO), Interrupted("LOST")):
            key = ChannelKey("twitch", "username", type(state).__name__)
            _, leading = self.joined(key)
            await self.settle()
            leading.tell(Live(INFO))
            leading.tell(state)
            await self.settle()
            late, _ = self.joined(key)
            await self.settle()
            self.assertEqual((late.roles, late.states), (["follow"], [state]))

    async def test_only_the_leader_is_heard(self) -> None:
        """What a follower, or one that has left, publishes or tells reaches nobody."""
        (leader, leading), (follower, following) = await self.settled(2)
        publish(following, [("chat", b"1")])
        following.tell(Failed(GONE))
        leading.leave(stopped)
        publish(leading, [("chat", b"2")])
        leading.tell(Failed(GONE))
        await self.settle()
        for member in (leader, follower):
            self.assertEqual((member.received, member.states), ([], []))

    async def test_order_goes_on(self) -> None:
        """A successor numbers on in the same epoch, above everything that was published."""
        (leader, leading), (heir, _) = await self.settled(2)
        publish(leading, [("chat", b"1"), ("chat", b"2")])
        await self.settle()
        leading.leave(stopped)
        await self.settle()
        (first,), second = leader.starts, heir.starts[-1]
        self.assertRegex(first.epoch, "^[0-9a-z]{1,16}$")
        self.assertEqual((first.seq, second.epoch), (0, first.epoch))
        self.assertGreaterEqual(second.seq, 2)

    async def test_who_comes_back_goes_on(self) -> None:
        """A channel that all have left a moment ago goes on in its order; none leads it yet."""
        ((first, its),) = await self.settled(1)
        its.tell(Live(INFO))
        publish(its, [("chat", b"1"), ("chat", b"2")])
        await self.settle()
        its.leave(stopped)
        await self.settle()
        ((second, _),) = await self.settled(1)
        (begun,), (gone_on,) = first.starts, second.starts
        self.assertEqual((gone_on.epoch, gone_on.seq), (begun.epoch, 2))
        self.assertEqual(gone_on.until, chat().timestamp)
        self.assertEqual(gone_on.room_id, chat().room_id)
        self.assertEqual((second.roles, second.states), (["lead"], []))

    async def test_quiet_channel(self) -> None:
        """Whether a chat was received before is known, though nothing was published in it."""
        for states, is_known in (((), False), ((Live(INFO),), True)):
            ((_, its),) = await self.settled(1)
            for state in states:
                its.tell(state)
            await self.settle()
            its.leave(stopped)
            await self.settle()
            ((second, back),) = await self.settled(1)
            self.assertEqual(bool(second.starts[0].until), is_known)
            back.leave(stopped)
            await self.settle()

    async def test_new_epoch(self) -> None:
        """A channel that all have left long ago begins a new epoch."""
        ((first, its),) = await self.settled(1)
        its.leave(stopped)
        await self.settle()
        await self.forget()
        ((second, _),) = await self.settled(1)
        self.assertNotEqual(first.starts[0].epoch, second.starts[0].epoch)

    async def test_interrupted_by_hand_over(self) -> None:
        """When the leader of a chat that flows leaves, the others know that it does not flow."""
        (_, leading), (heir, _) = await self.settled(2)
        leading.tell(Live(INFO))
        leading.leave(stopped)
        await self.settle()
        self.assertEqual(heir.states[0], Live(INFO))
        self.assertEqual([type(state) for state in heir.states[1:]], [Interrupted])

    async def test_leader_stops_first(self) -> None:
        """Another one leads when the upstream of the one that leaves has stopped, not before."""
        stopping: Deferred[None] = Deferred()
        (_, leading), (heir, _) = await self.settled(2)
        left = leading.leave(lambda: stopping)
        again = leading.leave(lambda: self.fail("stopped twice"))
        await self.settle()
        self.assertEqual(heir.roles, ["follow"])
        self.assertFalse(left.called or again.called)
        stopping.callback(None)
        await self.settle()
        self.assertEqual(heir.roles, ["follow", "lead"])
        self.assertTrue(left.called and again.called)

    async def test_followers_stop_nothing(self) -> None:
        """A follower has no upstream: nothing is stopped when it leaves."""
        _, (_, following) = await self.settled(2)
        left = following.leave(lambda: self.fail("there is nothing to stop"))
        await self.settle()
        self.assertTrue(left.called)

    async def test_any_order(self) -> None:
        """Joining and leaving at random: one leader whenever things have settled, never two."""
        random = Random(7)
        present: list[tuple[Member, IMembership]] = []
        gone: list[tuple[Member, list[str], int]] = []
        heard = 0
        for number in range(60):
            for _ in range(random.randrange(5)):
                if present and random.random() < 0.5:
                    # Rather an old one, who leads or is next in line, than a new one.
                    index = min(random.randrange(len(present)) for _ in range(2))
                    member, membership = present.pop(index)
                    membership.leave(stopped)
                    gone.append((member, list(member.roles), len(member.batches)))
                else:
                    present.append(self.joined())
            await self.settle()
            leaders = [its for member, its in present if member.roles[-1] == "lead"]
            self.assertEqual(len(leaders), min(1, len(present)))
            for membership in leaders:
                publish(membership, [("chat", b"%d" % number)])
            await self.settle()
            for member, _ in present:
                self.assertEqual(member.received[-1], ("chat", b"%d" % number))
                self.assertIn(member.roles, (["lead"], ["follow"], ["follow", "lead"]))
                heard += 1
        for member, roles, batches in gone:
            self.assertEqual((member.roles, len(member.batches)), (roles, batches))
        self.assertGreater(min(heard, len(gone)), 20)
