# SPDX-License-Identifier: MIT
"""Chats that are held: what comes when, what does not come at all, and who goes on where."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock

from livechat.core import holds
from livechat.core.clients import Place
from livechat.core.filters import ChatFilter, chat_filter
from livechat.core.options import HOLD_STEP, Options, taking_removals, understood
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ALL_KINDS, ChannelEvent, ChannelKey
from livechat.protocol.commands import Since, SubscribeOptions
from livechat.protocol.filters import Filter
from tests.contracts.history import deletion, timeout
from tests.support.fakes import KeptMessages, LineEncoding, chat, happening
from tests.test_replay import CHATS, ReplayCase

KEY = ChannelKey("twitch", "username", "ann")


class Placed(LineEncoding):
    """Remembers with each number the place from which whoever has it goes on."""

    def encode(self, message: bytes, place: Place | None = None) -> bytes:
        """See `IEncoding`."""
        if place is not None:
            message = message[:-1] + b',"place":%d}' % place.seq
        return super().encode(message, place)


class Viewer(KeptMessages):
    """A subscriber with everything that it was given and when, in seconds of the clock.

    :ivar got: the time, and the message.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(Placed())
        self.clock = clock
        self.got: list[tuple[float, dict[str, Any]]] = []

    def write(self, data: bytes) -> None:
        """Bytes of its encoding."""
        for line in data.splitlines():
            self.got.append((self.clock.seconds(), msgspec.json.decode(line)))

    @property
    def names(self) -> list[str]:
        """What it was given: ids of chats, kinds of events, statuses, codes."""
        return [
            one.get("status")
            or one.get("code")
            or one["data"].get("message_id")
            or one["data"]["type"]
            for _, one in self.got
            if one["type"] != "stats"
        ]

    def came(self) -> list[str]:
        """The same since the last call, without the greeting."""
        names, self.got = self.names, []
        return [name for name in names if name not in ("subscribed", "started")]


class HoldCase(ReplayCase):
    """A channel whose subscribers hold chats."""

    size = 100

    def holding(
        self,
        hold: float = 5.0,
        kinds: int = ALL_KINDS,
        chosen: ChatFilter | None = None,
        **more: Any,
    ) -> tuple[Viewer, Subscription]:
        """Somebody subscribes who holds chats."""
        viewer = Viewer(self.clock)
        viewer.reads = more.pop("reads", True)
        options = Options(kinds, stats=inf, filter=chosen, hold=hold, **more)
        subscription = Subscription(KEY, viewer, "ann", taking_removals(options), self.lost.append)
        self.hub.subscribe(self.platform, subscription)
        self.turn()
        return viewer, subscription

    def say(self, *names: str, user: str = "bob") -> None:
        """Messages with these ids, which are their texts, too."""
        self.publish(*(chat(name, name, user) for name in names))

    def change(self, subscription: Subscription, **options: Any) -> None:
        """Somebody asks again."""
        kinds = options.pop("kinds", ALL_KINDS)
        self.hub.change(subscription, "ann", Options(kinds, stats=inf, **options))

    def wait(self, seconds: float) -> None:
        """Let the clock run in small steps."""
        for _ in range(round(seconds * 10)):
            self.turn(0.1)


class DeliveryTests(HoldCase):
    """What is published while somebody who holds chats watches."""

    def test_later(self) -> None:
        """A chat comes so long after it came here; events come at once, before older chats."""
        self.begin()
        viewer, _ = self.holding(5.0)
        self.assertEqual(viewer.names, ["subscribed", "started"])
        self.say("1")
        at = self.clock.seconds()
        self.publish(happening("raid", "r"))
        self.assertEqual(viewer.came(), ["raid"])
        self.wait(4.8)
        self.assertEqual(viewer.came(), [])
        self.wait(0.3)
        self.assertEqual(viewer.names, ["1"])
        self.assertGreaterEqual(viewer.got[0][0], at - 0.02 + 5.0)

    def test_removed_meanwhile(self) -> None:
        """What is deleted, or whose author is timed out, while it is held never comes."""
        self.begin()
        viewer, _ = self.holding(5.0, CHATS)
        self.say("1", "2")
        self.say("3", user="eve")
        self.wait(2)
        self.publish(deletion("1"), timeout("eve"))
        self.say("4", user="eve")
        self.wait(10)
        self.assertEqual(viewer.came(), ["2", "4"])
        self.publish(deletion("2"))
        self.wait(1)
        self.assertEqual(viewer.came(), [])

    def test_cleared(self) -> None:
        """A cleared chat takes everything that is held; next door's takes what is mirrored."""
        self.begin()
        viewer, _ = self.holding(5.0, CHATS)
        self.publish(chat("m", source_room_id="next door"), chat("1"))
        self.publish(deletion(source="next door"))
        self.wait(6)
        self.assertEqual(viewer.came(), ["1"])
        self.say("2", "3")
        self.publish(deletion())
        self.say("4")
        self.wait(6)
        self.assertEqual(viewer.came(), ["4"])

    def test_each_by_its_own(self) -> None:
        """Some hold for longer, some not at all; each filters for itself and is asked once."""
        self.begin()
        at_once, _ = self.holding(0.0, CHATS)
        short, _ = self.holding(2.0, CHATS)
        long, _ = self.holding(4.0, CHATS, chat_filter(Filter(only_words=["a"])))
        self.say("a", "b")
        self.assertEqual((at_once.came(), short.came(), long.came()), (["a", "b"], [], []))
        self.wait(2.1)
        self.assertEqual((at_once.came(), short.came(), long.came()), ([], ["a", "b"], []))
        self.wait(2.1)
        self.assertEqual((at_once.came(), short.came(), long.came()), ([], [], ["a"]))

    def test_who_comes(self) -> None:
        """Whoever comes without asking for the past is given nothing that came before, ever."""
        self.begin()
        first, _ = self.holding(5.0)
        self.say("1")
        self.wait(1)
        second, _ = self.holding(5.0)
        self.say("2")
        self.publish(happening("raid", "r"))
        self.wait(10)
        self.assertEqual(first.came(), ["raid", "1", "2"])
        self.assertEqual(second.came(), ["raid", "2"])
        self.say("3")
        self.wait(6)
        self.assertEqual((first.came(), second.came()), (["3"], ["3"]))

    def test_a_longer_line_later(self) -> None:
        """Whoever comes and holds for longer brings nothing back for those who are there."""
        self.begin()
        self.say("1", "2")
        self.wait(1)
        self.say("3")
        short, _ = self.holding(1.0, CHATS, history=1)
        long, _ = self.holding(5.0, CHATS, history=3)
        self.wait(10)
        self.assertEqual((short.came(), long.came()), (["3"], ["1", "2", "3"]))

    def test_leaves(self) -> None:
        """What is held for whoever lets go of the chat never comes, nor for who comes again."""
        self.begin()
        viewer, subscription = self.holding(5.0)
        self.say("1")
        self.hub.unsubscribe(subscription)
        again, _ = self.holding(5.0)
        self.wait(10)
        self.assertEqual((viewer.came(), again.came()), ([], []))

    def test_no_timer_for_each(self) -> None:
        """However many messages and subscribers there are, one call waits on the clock for them."""
        self.begin()
        for number in range(30):
            self.holding(1.0 + number % 3)
        for number in range(30):
            self.say(str(number))
        self.turn(0.1)
        # The other one pushes statistics.
        self.assertEqual(len(self.clock.getDelayedCalls()), 2)

    def test_steps(self) -> None:
        """There are not more lines than steps: any hold is rounded up a little."""
        for asked, held in ((0, 0), (0.001, HOLD_STEP), (5, 5), (5.01, 5 + HOLD_STEP), (60, 60)):
            self.assertEqual(understood(SubscribeOptions(hold=asked)).hold, held)

    def test_bounded(self) -> None:
        """More than a channel may hold is delivered before its time, the oldest first."""
        self.patch(holds, "MEMORY", 100_000)
        self.begin()
        viewer, _ = self.holding(60.0, CHATS)
        for number in range(100):
            self.publish(chat(str(number), "x" * 1000))
        came = viewer.came()
        self.assertEqual(came, [str(number) for number in range(len(came))])
        self.assertGreater(len(came), 50)
        self.assertLess(len(came), 95)
        self.wait(61)
        self.assertEqual(viewer.came(), [str(number) for number in range(len(came), 100)])


class EndTests(HoldCase):
    """When nothing more can be removed."""

    def test_end(self) -> None:
        """What is held comes before the error, also to those who are being given the past."""
        epoch = self.begin()
        viewer, _ = self.holding(5.0)
        self.say("1", "2")
        back, _ = self.holding(5.0, since=Since(epoch, 0), reads=False)
        self.say("3")
        self.publish(deletion("2"))
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.turn()
        self.assertEqual(viewer.came(), ["deletion", "1", "3", "STREAM_ENDED"])
        self.assertEqual(back.came(), ["deletion", "1", "3", "STREAM_ENDED"])
        self.wait(10)
        self.assertEqual(viewer.came(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """A daemon that stops delivers nothing that is held: it comes to who resumes elsewhere."""
        self.begin()
        viewer, _ = self.holding(5.0)
        self.say("1")
        self.hub.shutdown()
        self.wait(10)
        self.assertEqual(viewer.came(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost_upstream(self) -> None:
        """While the upstream is lost, what is held goes on being held."""
        self.begin()
        viewer, _ = self.holding(5.0, CHATS)
        self.say("1")
        self.watcher.sink.interrupted("gone")
        self.turn()
        self.assertEqual(viewer.came(), ["reconnecting"])
        self.wait(5)
        self.assertEqual(viewer.came(), ["1"])


class PastTests(HoldCase):
    """History and resuming with held chats."""

    def test_history(self) -> None:
        """Young chats of the past are among those that were asked for, and come when due."""
        self.begin(chat("1"), chat("2"))
        self.wait(10)
        self.say("3", "4")
        viewer, _ = self.holding(5.0, CHATS, history=3)
        self.assertEqual(viewer.came(), ["2"])
        self.publish(deletion("4"))
        self.say("5")
        self.wait(4)
        self.assertEqual(viewer.came(), ["deletion"])
        self.wait(2)
        self.assertEqual(viewer.came(), ["3", "5"])

    def test_history_without_old_ones(self) -> None:
        """Of young ones, too, only so many come."""
        self.begin(chat("1"), chat("2"), chat("3"))
        viewer, _ = self.holding(5.0, CHATS, history=2)
        other, _ = self.holding(5.0, CHATS, history=1)
        self.assertEqual(viewer.came(), [])
        self.wait(6)
        self.assertEqual(viewer.came(), ["2", "3"])
        self.assertEqual(other.came(), ["3"])

    def test_resume(self) -> None:
        """From the number of the last chat: what was missed, each chat once, none too soon."""
        epoch = self.begin()
        viewer, subscription = self.holding(5.0)
        self.say("1")
        self.wait(5)
        self.say("2")
        self.publish(happening("raid", "r"))
        self.assertEqual(viewer.came(), ["1", "raid"])
        self.hub.unsubscribe(subscription)
        self.wait(3)
        self.say("3")
        back, _ = self.holding(5.0, since=Since(epoch, 1))
        self.assertEqual(back.came(), ["raid"])
        self.wait(2.2)
        self.assertEqual(back.came(), ["2"])
        self.wait(3)
        self.assertEqual(back.came(), ["3"])

    def test_nothing_is_missed_by_slow_readers(self) -> None:
        """Chats that become due while the past is read come when it has been read."""
        epoch = self.begin(*(chat(str(n), "x" * 20_000) for n in range(4)))
        self.wait(10)
        viewer, _ = self.holding(2.0, since=Since(epoch, 0), reads=False)
        self.say("young")
        self.wait(1)
        self.say("younger")
        self.wait(10)
        self.say("new")
        self.assertNotIn("young", viewer.names)
        viewer.reads = True
        viewer.read()
        self.wait(1)
        self.assertEqual(viewer.came(), ["0", "1", "2", "3", "young", "younger"])
        self.wait(2)
        self.assertEqual(viewer.came(), ["new"])


class ChangeTests(HoldCase):
    """Another `hold` for a held chat."""

    def test_all_ways(self) -> None:
        """From each to each other: every chat once, in order, and none too soon."""
        for before in (0.0, 2.0, 5.0):
            for after in (0.0, 2.0, 5.0):
                self.setUp()
                self.begin()
                self.holding(5.0)
                viewer, subscription = self.holding(before, CHATS)
                for number in range(60):
                    self.say(str(number))
                    self.wait(0.1)
                    if number == 30:
                        self.change(subscription, kinds=CHATS, hold=after)
                self.wait(10)
                given = [one for one in viewer.got if one[1]["type"] == "chat"]
                names = [one["data"]["message_id"] for _, one in given]
                self.assertEqual(names, [str(n) for n in range(60)], (before, after))
                changed = next(at for at, one in viewer.got[2:] if one["type"] == "status")
                late = [at for at, _ in given if changed < at <= changed + after - before - 0.2]
                self.assertEqual(late, [], (before, after))

    def test_longer_after_quiet(self) -> None:
        """Who holds for longer is not given again what came before it did, or before it came."""
        epoch = self.begin()
        self.say("1", "2")
        self.wait(1.5)
        fresh, one = self.holding(1.0, CHATS)
        back, two = self.holding(1.0, CHATS, since=Since(epoch, 0))
        self.assertEqual((fresh.came(), back.came()), ([], ["1", "2"]))
        self.change(one, kinds=CHATS, hold=5.0)
        self.change(two, kinds=CHATS, hold=5.0)
        self.wait(10)
        self.assertEqual((fresh.came(), back.came()), ([], []))

    def test_at_once(self) -> None:
        """Who holds nothing any more is given at once what was held, but for what was removed."""
        self.begin()
        viewer, subscription = self.holding(5.0, CHATS)
        self.say("1", "2")
        self.publish(deletion("1"))
        self.change(subscription, kinds=CHATS)
        self.assertEqual(viewer.came(), ["2"])
        self.say("3")
        self.assertEqual(viewer.came(), ["3"])
        self.wait(6)
        self.assertEqual(viewer.came(), [])

    def test_filter(self) -> None:
        """What is held when the filter changes comes by the new one."""
        self.begin()
        viewer, subscription = self.holding(5.0, CHATS, chat_filter(Filter(only_words=["1"])))
        self.say("1", "2")
        self.change(
            subscription, kinds=CHATS, hold=5.0, filter=chat_filter(Filter(only_words=["2"]))
        )
        self.wait(6)
        self.assertEqual(viewer.came(), ["2"])

    def test_while_the_past_is_read(self) -> None:
        """Also before the past was read, each way."""
        for before, after in ((0.0, 5.0), (5.0, 0.0), (5.0, 2.0), (2.0, 5.0)):
            self.setUp()
            epoch = self.begin(*(chat(str(n), "x" * 20_000) for n in range(4)))
            self.wait(10)
            viewer, subscription = self.holding(before, CHATS, since=Since(epoch, 0), reads=False)
            self.say("4")
            self.wait(1)
            self.change(subscription, kinds=CHATS, hold=after)
            self.say("5")
            viewer.reads = True
            viewer.read()
            self.wait(10)
            self.assertEqual(viewer.came(), ["0", "1", "2", "3", "4", "5"], (before, after))


class OrderTests(HoldCase):
    """Another order begins."""

    def test_another_epoch(self) -> None:
        """What is held of the old order comes before anybody is told of the new one."""
        self.begin()
        viewer, _ = self.holding(5.0)
        self.say("1")
        (channel,) = self.hub._channels.values()
        channel.follow(msgspec.structs.replace(channel.last, epoch="another", seq=0))
        self.turn()
        self.assertEqual(viewer.came(), ["1"])


_STEP = st.one_of(
    st.tuples(st.just("chat"), st.integers(0, 2)),
    st.tuples(st.just("event"), st.none()),
    st.tuples(st.just("delete"), st.integers(0, 8)),
    st.tuples(st.just("timeout"), st.integers(0, 2)),
    st.tuples(st.just("clear"), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.25, 1.0, 3.0])),
    st.tuples(
        st.just("come"),
        st.tuples(
            st.sampled_from([0.0, 1.0, 2.5, 4.0]),
            st.sampled_from(["fresh", "history", "resume"]),
            st.integers(0, 5),
            st.booleans(),
        ),
    ),
    st.tuples(st.just("change"), st.tuples(st.integers(0, 5), st.sampled_from([0.0, 1.0, 4.0]))),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("read"), st.integers(0, 5)),
)


class Story:
    """What was published, and what each subscriber should have been given."""

    def __init__(self, case: HoldCase) -> None:
        self.case = case
        self.clock = case.clock
        self.count = 0
        # Of each chat: its number, when it came, its author, and when it was removed.
        self.chats: list[tuple[int, float, str]] = []
        self.removed: dict[int, float] = {}
        # Who watches: how long it has held chats, since when, and after which number it began.
        self.viewers: list[tuple[Viewer, Subscription, list[tuple[float, float]], int]] = []
        self.seq = 0
        self.epoch = case.begin()

    def publish(self, event: Any) -> None:
        """The platform brings it, as something new."""
        self.seq += 1
        if isinstance(event, ChannelEvent):
            event = msgspec.structs.replace(event, event_id=str(self.seq))
        self.case.publish(event)

    def remove(self, numbers: Sequence[int]) -> None:
        """These chats are gone from now on."""
        for number in numbers:
            self.removed.setdefault(number, self.clock.seconds())

    def act(self, what: str, value: Any) -> None:
        """One step."""
        getattr(self, f"do_{what}")(value)
        self.case.turn()

    def do_chat(self, user: int) -> None:
        """Somebody writes."""
        self.chats.append((self.seq + 1, self.clock.seconds(), f"user{user}"))
        self.publish(chat(str(self.seq + 1), "text", f"user{user}"))

    def do_event(self, _: None) -> None:
        """Something happens."""
        self.publish(happening("raid", str(self.seq)))

    def do_delete(self, back: int) -> None:
        """A message is deleted."""
        if back < len(self.chats):
            number = self.chats[-1 - back][0]
            self.remove([number])
            self.publish(deletion(str(number)))

    def do_timeout(self, user: int) -> None:
        """A user is timed out."""
        self.remove([number for number, _, author in self.chats if author == f"user{user}"])
        self.publish(timeout(f"user{user}"))

    def do_clear(self, _: None) -> None:
        """The chat is cleared."""
        self.remove([number for number, _, _ in self.chats])
        self.publish(deletion())

    def do_wait(self, seconds: float) -> None:
        """Time passes."""
        self.case.wait(seconds)

    def do_come(self, how: tuple[float, str, int, bool]) -> None:
        """Somebody comes."""
        hold, kind, number, reads = how
        after = self.seq
        asked: dict[str, Any] = {}
        if kind == "resume":
            after = min(number, self.seq)
            asked = {"since": Since(self.epoch, after)}
        elif kind == "history" and number:
            kept = [one for one, _, _ in self.chats if one not in self.removed][-number:]
            after = kept[0] - 1 if kept else self.seq
            asked = {"history": number}
        kinds = CHATS if kind == "history" else ALL_KINDS
        viewer, subscription = self.case.holding(hold, kinds, reads=reads, **asked)
        self.viewers.append((viewer, subscription, [(self.clock.seconds(), hold)], after))

    def do_change(self, how: tuple[int, float]) -> None:
        """Somebody holds for another time."""
        index, hold = how
        if index < len(self.viewers):
            _, subscription, held, _ = self.viewers[index]
            held.append((self.clock.seconds(), hold))
            self.case.hub.change(
                subscription,
                "ann",
                msgspec.structs.replace(subscription.options, hold=hold),
            )

    def do_leave(self, index: int) -> None:
        """Somebody leaves, and what it was given so far is right."""
        if index < len(self.viewers):
            viewer, subscription, held, after = self.viewers.pop(index)
            self.case.hub.unsubscribe(subscription)
            self.check(viewer, held, after)

    def do_read(self, index: int) -> None:
        """Somebody who did not read does."""
        if index < len(self.viewers):
            viewer = self.viewers[index][0]
            viewer.reads = True
            viewer.read()

    def check(self, viewer: Viewer, held: list[tuple[float, float]], after: int) -> list[int]:
        """Each chat at most once, in order, none too soon, none that was gone when it was due.

        :return: what it was given.
        """
        came = {number: at for number, at, _ in self.chats}
        given = [(at, one["seq"]) for at, one in viewer.got if one["type"] == "chat"]
        numbers = [number for _, number in given]
        assert numbers == sorted(set(numbers)), numbers
        shortest = min(hold for _, hold in held)
        for at, number in given:
            assert number > after, (number, after)
            assert at - came[number] >= shortest - 1e-6, (at, number)
            gone = self.removed.get(number, inf)
            assert gone > came[number] + shortest - 1e-6 or gone >= at - 1e-6, (number, gone)
        self.check_places(viewer, numbers, after)
        return numbers

    def check_places(self, viewer: Viewer, numbers: list[int], after: int) -> None:
        """Whoever goes on after the place of a message misses no chat that is still to come."""
        later = set(numbers)
        for _, one in viewer.got:
            if one["type"] == "chat":
                later.discard(one["seq"])
            if "place" in one:
                assert one["place"] <= one["seq"]
                assert not [n for n in later if n <= one["place"]], (one["place"], later)

    def end(self) -> None:
        """Everybody has been given everything that was not removed in time."""
        for index in range(len(self.viewers)):
            self.do_read(index)
        self.case.wait(10)
        for viewer, _, held, after in self.viewers:
            numbers = self.check(viewer, held, after)
            longest = max(hold for _, hold in held)
            for number, at, _ in self.chats:
                if number > after and self.removed.get(number, inf) == inf:
                    assert number in numbers, (number, numbers, at, longest)


class AnyStoryTests(HoldCase):
    """Whatever happens in whatever order."""

    @settings(deadline=None, database=None, max_examples=400)
    @given(st.lists(_STEP, min_size=5, max_size=50))
    def test_any_story(self, steps: list[tuple[str, Any]]) -> None:
        """Each chat that nobody removes comes once, in order, in time; none that was removed."""
        self.setUp()
        story = Story(self)
        for what, value in steps:
            story.act(what, value)
        story.end()
        self.hub.shutdown()
        self.turn()
