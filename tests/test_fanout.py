# SPDX-License-Identifier: MIT
"""One message to many: who gets it, when, in how many writes, and what is left on the clock."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.fanout import (
    COALESCE,
    ENOUGH,
    GROUP_SIZE,
    TURN,
    Fanout,
)
from livechat.core.options import Options
from livechat.core.publication import Publication
from livechat.core.spread import MAX_PARTS, SMALLEST_PART, SPREAD_INTERVAL
from livechat.core.stats import PUSH_INTERVAL
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.events import ALL_KINDS, CHAT_BIT, EVENT_KINDS, ChannelKey, kind_bit
from tests.support.fakes import LINES, KeptMessages, LineEncoding

bounded = settings(deadline=None, database=None, max_examples=150)

KEY = ChannelKey("twitch", "username", "ann")
OTHER_NAME = ChannelKey("twitch", "username", "ann-by-another-name")

ALL = Options(ALL_KINDS)
CHATS = Options(CHAT_BIT)
RAIDS = Options(CHAT_BIT | kind_bit("raid"))


class Listener(KeptMessages):
    """A subscriber with its subscription.

    :ivar deliveries: what it was given, write by write.
    """

    def __init__(
        self, options: Options = CHATS, encoding: LineEncoding = LINES, key: ChannelKey = KEY
    ) -> None:
        super().__init__(encoding)
        self.subscription = Subscription(key, self, key.identifier, options, lambda _: None)

    @property
    def deliveries(self) -> list[bytes]:
        """The payloads of each write, joined by blanks."""
        return [
            b" ".join(line.split(b'"data":')[1].split(b',"platform"')[0] for line in lines)
            for lines in (write.splitlines() for write in self.writes)
        ]

    @property
    def received(self) -> list[bytes]:
        """All payloads in order."""
        return [payload for write in self.deliveries for payload in write.split(b" ")]


def publication(kind: str, payload: bytes) -> Publication:
    """A publication with a payload that the test can recognise."""
    return Publication("epoch", 1, kind, "item", "", "", "", kind_bit(kind), payload)


def stats(payload: bytes) -> Callable[[ChannelKey], bytes]:
    """Statistics with a payload that the test can recognise."""
    return lambda key: b'{"type":"stats","data":' + payload + b',"platform":"x"}'


class FanoutCase(SynchronousTestCase):
    """A fan-out on a clock."""

    coalesce = COALESCE

    def setUp(self) -> None:
        """A fan-out without subscribers at some time of day."""
        self.clock = Clock()
        self.clock.advance(1000.0)
        self.metrics = Metrics()
        self.fanout = Fanout(self.clock, self.coalesce, self.metrics)

    def listener(
        self, options: Options = CHATS, encoding: LineEncoding = LINES, key: ChannelKey = KEY
    ) -> Listener:
        """A subscriber that was added."""
        made = Listener(options, encoding, key)
        self.fanout.add(made.subscription)
        return made

    def remove(self, listener: Listener) -> None:
        """Take a subscriber out."""
        self.fanout.remove(listener.subscription)

    def publish(self, *publications: tuple[str, bytes]) -> None:
        """Publish a batch."""
        self.fanout.publish([publication(kind, payload) for kind, payload in publications])

    def chat(self, *payloads: bytes) -> None:
        """Publish chat messages, as one batch."""
        self.publish(*(("chat", payload) for payload in payloads))

    def busy(self) -> None:
        """Write something to everybody now, so that what follows is joined."""
        self.chat(b"busy")
        self.clock.advance(0)

    def due_in(self) -> float:
        """Seconds until the one call that is on the clock."""
        (call,) = self.clock.getDelayedCalls()
        return call.getTime() - self.clock.seconds()

    def delivered(self) -> float | None:
        """What the delivery counter says."""
        return self.metrics.registry.get_sample_value("livechat_deliveries_total")

    def costing(self, seconds: float) -> Callable[[], None]:
        """Something that takes so long."""

        def spend() -> None:
            self.clock.rightNow += seconds

        return spend


class RuleTests(FanoutCase):
    """When a group is written to."""

    def test_quiet(self) -> None:
        """A group that has been quiet is written to at once, and nothing stays on the clock."""
        listener = self.listener()
        self.chat(b"1", b"2")
        self.assertEqual(listener.deliveries, [b"1 2"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_joined(self) -> None:
        """After a write the next comes 10 ms later, with all that came meanwhile, in order."""
        listener = self.listener()
        self.chat(b"1")
        for payload in (b"2", b"3", b"4"):
            self.clock.advance(0.003)
            self.chat(payload)
        self.assertEqual(listener.deliveries, [b"1"])
        self.assertAlmostEqual(self.due_in(), COALESCE - 0.009)
        self.clock.advance(0.001)
        self.assertEqual(listener.deliveries, [b"1", b"2 3 4"])
        self.assertEqual(self.delivered(), 4)

    def test_measured(self) -> None:
        """Each write is observed once, with the age of the oldest in it; bytes of all count."""
        listeners = [self.listener() for _ in range(3)]
        self.chat(b"1")
        for payload in (b"2", b"3", b"4"):
            self.clock.advance(0.002)
            self.chat(payload)
        self.clock.advance(0.005)
        self.chat(b"5")
        self.clock.advance(0.011)
        self.assertEqual(listeners[0].deliveries, [b"1", b"2 3 4", b"5"])
        sample = self.metrics.registry.get_sample_value
        name = "livechat_write_latency_seconds"
        self.assertEqual(sample(f"{name}_count"), 3)
        # The first at once, then `2` after 9 ms, then `5`.
        self.assertAlmostEqual(sample(f"{name}_sum") or 0, 0.0 + 0.009 + 0.011)
        written = sum(len(write) for one in listeners for write in one.writes)
        self.assertEqual(sample("livechat_sent_bytes_total"), written)

    def test_quiet_again(self) -> None:
        """Once 10 ms have passed without anything the group is quiet again."""
        listener = self.listener()
        self.chat(b"1")
        self.clock.advance(COALESCE)
        self.chat(b"2")
        self.assertEqual(listener.deliveries, [b"1", b"2"])

    def test_after_the_write(self) -> None:
        """The time counts from the end of the write."""
        listener = self.listener()
        listener.upon = self.costing(0.004)
        self.chat(b"1")
        self.chat(b"2")
        self.assertAlmostEqual(self.due_in(), COALESCE)

    def test_busy(self) -> None:
        """A busy channel is written to 100 times a second and loses nothing."""
        listener = self.listener()
        for number in range(1000):
            self.chat(b"%d" % number)
            self.clock.advance(0.001)
        self.clock.advance(COALESCE)
        self.assertEqual(listener.received, [b"%d" % number for number in range(1000)])
        self.assertLessEqual(len(listener.deliveries), 102)

    def test_enough(self) -> None:
        """What is large enough is written at once: joining more would only make larger pieces."""
        listener = self.listener()
        self.busy()
        self.chat(b"1", b"x" * ENOUGH)
        self.assertEqual(len(listener.deliveries), 2)
        self.chat(b"2")
        self.assertEqual(len(listener.deliveries), 2)
        self.assertAlmostEqual(self.due_in(), COALESCE)

    def test_set_back(self) -> None:
        """A clock that is set back by an hour holds nothing for longer than the rule says."""
        listener = self.listener()
        self.chat(b"1")
        self.clock.rightNow -= 3600.0
        self.chat(b"2")
        self.assertAlmostEqual(self.due_in(), COALESCE)
        self.clock.advance(COALESCE)
        self.assertEqual(listener.deliveries, [b"1", b"2"])

    def test_set_forward(self) -> None:
        """A clock that is set forward makes no wait."""
        listener = self.listener()
        self.chat(b"1")
        self.clock.rightNow += 3600.0
        self.chat(b"2")
        self.assertEqual(listener.deliveries, [b"1", b"2"])

    def test_flush_now(self) -> None:
        """A flush writes at once, and what was due then has nothing left to do."""
        listener = self.listener()
        self.busy()
        self.chat(b"1")
        self.fanout.flush()
        self.fanout.flush()
        self.clock.advance(1)
        self.assertEqual(listener.deliveries, [b"busy", b"1"])
        self.assertEqual(self.delivered(), 2)


class NeverWaitTests(FanoutCase):
    """With `--coalesce 0`."""

    coalesce = 0.0

    def test_each(self) -> None:
        """Each batch is a write of its own, at once."""
        listener = self.listener()
        for payload in (b"1", b"2", b"3"):
            self.chat(payload)
        self.assertEqual(listener.deliveries, [b"1", b"2", b"3"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_publishes(self) -> None:
        """What is published at a delivery comes after it for everybody."""
        publisher, other = self.listener(), self.listener(ALL)

        def publish() -> None:
            publisher.upon = lambda: None
            self.chat(b"2")

        publisher.upon = publish
        self.chat(b"1")
        self.clock.advance(0)
        self.assertEqual((publisher.received, other.received), ([b"1", b"2"],) * 2)


class SharedTests(FanoutCase):
    """What is made once for many."""

    def test_same_bytes(self) -> None:
        """Subscribers who want the same are given the very same bytes: one copy for all."""
        one, other = self.listener(), self.listener()
        self.chat(b"1", b"2")
        self.assertIs(one.writes[0], other.writes[0])

    def test_encoded_once(self) -> None:
        """A message is encoded once for each encoding and identifier, whatever is asked for."""
        encodings = [LineEncoding(b""), LineEncoding(b"packed ")]
        listeners = [
            self.listener(options, encoding, key)
            for options in (CHATS, ALL, RAIDS)
            for encoding in encodings
            for key in (KEY, OTHER_NAME)
            for _ in range(3)
        ]
        self.publish(("chat", b"c"), ("poll", b"p"), ("raid", b"r"))
        for encoding in encodings:
            names = [message.count(b"another-name") for message in encoding.encoded]
            self.assertEqual((len(names), sum(names)), (6, 3))
        self.assertEqual(self.delivered(), len(listeners) / 3 * (1 + 3 + 2))

    def test_identifiers(self) -> None:
        """Who subscribed by another name is given that name, and the same messages."""
        one, other = self.listener(), self.listener(key=OTHER_NAME)
        self.chat(b"1")
        self.assertEqual(one.deliveries, other.deliveries)
        self.assertIn(b'"identifier":"ann","seq":1}', one.writes[0])
        self.assertIn(b'"identifier":"ann-by-another-name","seq":1}', other.writes[0])

    def test_encodings(self) -> None:
        """Each gets the bytes that it reads."""
        plain, packed = LineEncoding(), LineEncoding(b"packed ")
        one, other = self.listener(encoding=plain), self.listener(encoding=packed)
        self.chat(b"1")
        self.assertEqual(other.writes, [b"packed " + one.writes[0]])

    def test_one_client_twice(self) -> None:
        """A client that holds a chat by two names receives each message by both."""
        client = Listener()
        second = Subscription(OTHER_NAME, client, "other", CHATS, lambda _: None)
        self.fanout.add(client.subscription)
        self.fanout.add(second)
        self.chat(b"1")
        self.assertEqual(client.received, [b"1", b"1"])
        self.remove(client)
        self.clock.advance(1)
        self.chat(b"2")
        self.assertEqual(client.received, [b"1", b"1", b"2"])


class OptionsTests(FanoutCase):
    """Who asked for what."""

    def test_kinds(self) -> None:
        """Each receives what it asked for, in the order in which it happened."""
        everything, chats, raids = self.listener(ALL), self.listener(), self.listener(RAIDS)
        self.publish(("poll", b"p"), ("chat", b"c"), ("raid", b"r"), ("chat", b"d"))
        self.assertEqual(everything.deliveries, [b"p c r d"])
        self.assertEqual(chats.deliveries, [b"c d"])
        self.assertEqual(raids.deliveries, [b"c r d"])
        self.assertEqual(self.delivered(), 4 + 2 + 3)

    def test_unlisted(self) -> None:
        """A kind that is not listed reaches those only who asked for everything."""
        everything, raids = self.listener(ALL), self.listener(RAIDS)
        self.publish(("new kind", b"n"))
        self.assertEqual((everything.received, raids.received), ([b"n"], []))

    def test_nobody_asked(self) -> None:
        """An event that nobody asked for is no write, and the group stays quiet."""
        listener = self.listener()
        self.publish(("raid", b"r"))
        self.chat(b"1")
        self.assertEqual(listener.deliveries, [b"1"])
        self.assertEqual(self.delivered(), 1)

    def test_change(self) -> None:
        """What was published before a change is for the old options, what follows for the new."""
        listener, other = self.listener(), self.listener(ALL)
        self.busy()
        self.publish(("raid", b"1"), ("chat", b"2"))
        self.fanout.change(listener.subscription, RAIDS)
        self.publish(("raid", b"3"), ("chat", b"4"))
        self.clock.advance(COALESCE)
        self.assertEqual(listener.received, [b"busy", b"2", b"3", b"4"])
        self.assertEqual(other.received, [b"busy", b"1", b"2", b"3", b"4"])

    def test_change_of_one_who_waits(self) -> None:
        """Options of somebody who is not delivered to yet are only remembered."""
        listener = Listener()
        self.fanout.change(listener.subscription, RAIDS)
        self.assertEqual(listener.subscription.options, RAIDS)
        self.assertEqual(len(self.fanout), 0)

    def test_many_lists(self) -> None:
        """A thousand different lists of kinds stand in as few groups as one list does."""
        kinds = sorted(EVENT_KINDS)
        listeners = []
        for number in range(1000):
            chosen = [kind for index, kind in enumerate(kinds) if number >> index & 1]
            mask = CHAT_BIT | sum(kind_bit(kind) for kind in chosen)
            listeners.append((chosen, self.listener(Options(mask))))
        forms = [form for line in self.fanout._groups.values() for form in line.values()]
        groups = [group for form in forms for group in form]
        self.assertEqual(len(groups), -(-1000 // GROUP_SIZE))
        self.publish(("chat", b"c"), (kinds[0], b"0"), (kinds[5], b"5"))
        for chosen, listener in listeners:
            expected = [b"c"] + [b"0"] * (kinds[0] in chosen) + [b"5"] * (kinds[5] in chosen)
            self.assertEqual(listener.received, expected)
        # There are no more different writes than combinations of what was published.
        self.assertEqual(len({listener.writes[0] for _, listener in listeners}), 4)


class GroupTests(FanoutCase):
    """Channels with more subscribers than are written to at once."""

    def crowd(self, count: int) -> list[Listener]:
        """So many subscribers."""
        return [self.listener() for _ in range(count)]

    def groups(self) -> int:
        """How many groups there are."""
        lines = self.fanout._groups.values()
        return sum(len(groups) for line in lines for groups in line.values())

    def test_one_turn(self) -> None:
        """While writing is quick, one turn serves them all, with the very same messages."""
        listeners = self.crowd(2 * GROUP_SIZE + 1)
        self.chat(b"1", b"2")
        for listener in listeners:
            self.assertEqual(listener.deliveries, [b"1 2"])
        self.assertEqual(self.delivered(), 2 * len(listeners))

    def test_turns(self) -> None:
        """When it takes long, the others wait for the next turn and get what came meanwhile."""
        listeners = self.crowd(2 * GROUP_SIZE)
        first, second = listeners[:GROUP_SIZE], listeners[GROUP_SIZE:]

        def spend() -> None:
            first[0].upon = lambda: None
            self.clock.rightNow += 1.5 * TURN

        first[0].upon = spend
        self.chat(b"1")
        self.assertEqual((first[0].received, second[0].received), ([b"1"], []))
        self.chat(b"2")
        self.clock.advance(0)
        self.assertEqual(second[0].deliveries, [b"1 2"])
        self.clock.advance(COALESCE)
        for listener in first:
            self.assertEqual(listener.deliveries, [b"1", b"2"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_places(self) -> None:
        """Who comes takes the place of one who left."""
        listeners = self.crowd(GROUP_SIZE + 1)
        for number in range(100):
            self.remove(listeners[number])
        self.crowd(100)
        self.chat(b"1")
        self.assertEqual(self.groups(), 2)
        self.assertEqual(self.delivered(), GROUP_SIZE + 1)

    def test_nothing_kept(self) -> None:
        """When all have left, no group is left."""
        for listener in self.crowd(GROUP_SIZE + 1):
            self.remove(listener)
        self.assertEqual((self.groups(), len(self.fanout)), (0, 0))


class SpreadTests(FanoutCase):
    """What is in no hurry: statistics."""

    def through(self) -> None:
        """Time enough for a spread."""
        for _ in range(MAX_PARTS + 1):
            self.clock.advance(SPREAD_INTERVAL)

    def test_few(self) -> None:
        """A few subscribers are told in the next turn, whatever they asked for."""
        listeners = [self.listener(), self.listener(ALL), self.listener(RAIDS)]
        self.fanout.spread(stats(b"s"))
        self.assertEqual(listeners[0].deliveries, [])
        self.clock.advance(0)
        for listener in listeners:
            self.assertEqual(listener.deliveries, [b"s"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.delivered(), 3)

    def test_after_what_it_counts(self) -> None:
        """What was published before, and is not held, comes before it."""
        listener = self.listener()
        self.chat(b"1")
        self.fanout.spread(stats(b"s"))
        self.clock.advance(0)
        self.assertEqual(listener.received, [b"1", b"s"])

    def test_many(self) -> None:
        """Many are told in parts, so that a message waits for one part and not for all."""
        listeners = [self.listener() for _ in range(10 * SMALLEST_PART)]
        self.fanout.spread(stats(b"s"))
        self.clock.advance(0)
        told = [one for one in listeners if one.deliveries]
        self.assertEqual(len(told), SMALLEST_PART)
        self.chat(b"1")
        self.clock.advance(0)
        self.assertEqual(told[0].deliveries, [b"s", b"1"])
        self.through()
        for listener in listeners:
            self.assertEqual(sorted(listener.deliveries), sorted([b"s", b"1"]))
        self.assertEqual(self.delivered(), 2 * len(listeners))

    def test_in_time(self) -> None:
        """However many there are, all are told before the next statistics are due."""
        self.assertLess(MAX_PARTS * SPREAD_INTERVAL, PUSH_INTERVAL)
        listeners = [self.listener() for _ in range(MAX_PARTS * SMALLEST_PART + 1)]
        self.fanout.spread(stats(b"s"))
        self.clock.advance(0)
        for _ in range(MAX_PARTS - 1):
            self.clock.advance(SPREAD_INTERVAL)
        self.assertTrue(all(one.deliveries == [b"s"] for one in listeners))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_turns(self) -> None:
        """Where turns take long the parts are larger; nobody is left out again and again."""
        listeners = [self.listener() for _ in range(MAX_PARTS * SMALLEST_PART + 1)]
        for push in range(5):
            self.fanout.spread(stats(b"%d" % push))
            self.clock.advance(0)
            for _ in range(20):
                self.clock.advance(PUSH_INTERVAL / 20)
        self.assertEqual({len(one.deliveries) for one in listeners}, {5})

    def test_left_over_first(self) -> None:
        """Who was not told the last time is told first this time."""
        listeners = [self.listener() for _ in range(3 * SMALLEST_PART)]
        for push in range(3):
            self.fanout.spread(stats(b"%d" % push))
            self.clock.advance(SPREAD_INTERVAL if push else 0)
        self.assertEqual({len(one.deliveries) for one in listeners}, {1})

    def test_newer(self) -> None:
        """Who was not told the last one is told the newer one only."""
        listeners = [self.listener() for _ in range(3 * SMALLEST_PART)]
        self.fanout.spread(stats(b"old"))
        self.clock.advance(0)
        self.fanout.spread(stats(b"new"))
        self.through()
        told = [b" ".join(one.received) for one in listeners]
        self.assertEqual(told.count(b"old new"), SMALLEST_PART)
        self.assertEqual(told.count(b"new"), 2 * SMALLEST_PART)

    def test_leaver_and_newcomer(self) -> None:
        """Who leaves meanwhile is told nothing more, who comes meanwhile nothing of before."""
        listeners = [self.listener() for _ in range(2 * SMALLEST_PART)]
        self.fanout.spread(stats(b"s"))
        self.clock.advance(0)
        (leaver, *_) = (one for one in listeners if not one.deliveries)
        self.remove(leaver)
        newcomer = self.listener()
        self.through()
        self.assertEqual((leaver.deliveries, newcomer.deliveries), ([], []))
        self.assertEqual(self.delivered(), len(listeners) - 1)

    def test_asked_meanwhile(self) -> None:
        """Who was told newer statistics meanwhile is not told the older ones after them."""
        listeners = [self.listener() for _ in range(2 * SMALLEST_PART)]
        self.busy()
        self.chat(b"1")
        self.fanout.spread(stats(b"s"))
        self.fanout.catch_up(listeners[0].subscription)
        self.assertEqual(listeners[0].deliveries, [b"busy", b"1"])
        self.through()
        self.assertEqual(listeners[0].deliveries, [b"busy", b"1"])
        self.assertEqual(sorted(listeners[1].deliveries), [b"1", b"busy", b"s"])
        self.fanout.catch_up(Listener().subscription)

    def test_encoded_once(self) -> None:
        """It is encoded once for each encoding and identifier."""
        encodings = [LineEncoding(), LineEncoding(b"packed ")]
        for number in range(4 * SMALLEST_PART):
            key = KEY if number % 4 < 2 else OTHER_NAME
            self.listener(encoding=encodings[number % 2], key=key)
        self.fanout.spread(stats(b"s"))
        self.through()
        self.assertEqual([len(encoding.encoded) for encoding in encodings], [2, 2])
        self.assertEqual(self.delivered(), 4 * SMALLEST_PART)

    def test_close(self) -> None:
        """At the end all are told at once, and nothing is left on the clock."""
        listeners = [self.listener() for _ in range(3 * SMALLEST_PART)]
        self.chat(b"1")
        self.fanout.spread(stats(b"s"))
        self.fanout.close()
        for listener in listeners:
            self.assertEqual(listener.received, [b"1", b"s"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody(self) -> None:
        """With nobody there it is nothing."""
        self.fanout.spread(stats(b"s"))
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.delivered(), 0)


class PaceTests(FanoutCase):
    """Statistics as often as each subscriber wants them."""

    def pushed(self, seconds: float, *payloads: bytes) -> None:
        """Statistics that are pushed in such steps of time."""
        for payload in payloads:
            self.fanout.spread(stats(payload))
            self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Let time pass in small steps."""
        for _ in range(round(seconds * 16)):
            self.clock.advance(1 / 16)

    def paced(self, seconds: float) -> Listener:
        """A subscriber that wants statistics so often."""
        return self.listener(Options(stats=seconds))

    def test_never(self) -> None:
        """Who wants none gets none, and nothing stays on the clock for it."""
        silent, other = self.paced(inf), self.listener()
        self.pushed(1, b"1", b"2")
        self.assertEqual((silent.deliveries, other.deliveries), ([], [b"1", b"2"]))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_seldom(self) -> None:
        """After each pause the latest ones come, once; others get every push."""
        seldom, other = self.paced(3), self.listener()
        self.wait(0.5)
        self.pushed(1, *(b"%d" % n for n in range(8)))
        self.assertEqual(seldom.deliveries, [b"2", b"5"])
        self.assertEqual(len(other.deliveries), 8)

    def test_in_between(self) -> None:
        """A pause need not be a multiple of the time between two pushes."""
        seldom = self.paced(1.5)
        self.pushed(1, b"1", b"2")
        self.assertEqual(seldom.deliveries, [b"2"])
        self.pushed(1, b"3")
        self.assertEqual(seldom.deliveries, [b"2", b"3"])

    def test_last_change(self) -> None:
        """When nothing changes any more, the last statistics come all the same."""
        seldom = self.paced(60)
        self.pushed(1, b"1", b"2")
        self.assertEqual(seldom.deliveries, [])
        self.wait(58)
        self.assertEqual(seldom.deliveries, [b"2"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.wait(120)
        self.pushed(1, b"3")
        self.assertEqual(seldom.deliveries, [b"2", b"3"])

    def test_new_pace(self) -> None:
        """A changed pace begins with the change."""
        seldom = self.paced(3600)
        self.pushed(1, b"1")
        self.fanout.change(seldom.subscription, Options(stats=2))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.pushed(1, b"2", b"3", b"4")
        self.assertEqual(seldom.deliveries, [b"3"])
        self.fanout.change(seldom.subscription, Options())
        self.pushed(1, b"5", b"6")
        self.assertEqual(seldom.deliveries, [b"3", b"5", b"6"])

    def test_other_change(self) -> None:
        """A change of other options takes nothing away that is still to come."""
        seldom = self.paced(3)
        self.pushed(1, b"1")
        self.fanout.change(seldom.subscription, Options(ALL_KINDS, stats=3))
        self.wait(2)
        self.assertEqual(seldom.deliveries, [b"1"])

    def test_newer(self) -> None:
        """Who was answered meanwhile is given no older ones."""
        seldom = self.paced(3)
        self.pushed(1, b"1")
        self.fanout.catch_up(seldom.subscription)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.wait(3)
        self.assertEqual(seldom.deliveries, [])

    def test_left(self) -> None:
        """Who has left gets nothing, and the others what is theirs."""
        first, second = self.paced(2), self.paced(3)
        self.pushed(1, b"1")
        self.remove(first)
        self.wait(2)
        self.assertEqual((first.deliveries, second.deliveries), ([], [b"1"]))
        self.fanout.spread(stats(b"2"))
        self.fanout.close()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_clock_set_back(self) -> None:
        """A clock that is set back makes no pause longer."""
        seldom = self.paced(2)
        self.clock.rightNow -= 500
        self.pushed(1, b"1", b"2")
        self.assertEqual(seldom.deliveries, [b"2"])

    def test_encoded_once(self) -> None:
        """However many paces there are, a push is made once for all of them."""
        made: list[ChannelKey] = []
        listeners = [self.paced(1 + n / 10) for n in range(20)]

        def message(key: ChannelKey) -> bytes:
            made.append(key)
            return stats(b"s")(key)

        self.fanout.spread(message)
        self.wait(4)
        self.assertEqual(len(made), 1)
        self.assertTrue(all(one.deliveries == [b"s"] for one in listeners))

    @bounded
    @given(
        st.lists(st.sampled_from([0.0, 1.0, 1.7, 4.0, inf]), min_size=1, max_size=5),
        st.lists(st.integers(1, 60), min_size=1, max_size=12),
    )
    def test_any_times(self, paces: list[float], steps: list[int]) -> None:
        """Whenever pushes come: never sooner than the pause, never twice, at last the latest."""
        self.setUp()
        began = self.clock.seconds()
        given_at: dict[int, list[tuple[float, int]]] = {n: [] for n in range(len(paces))}
        listeners = [self.paced(pace) for pace in paces]

        def look() -> None:
            for number, listener in enumerate(listeners):
                for payload in listener.deliveries[len(given_at[number]) :]:
                    given_at[number].append((self.clock.seconds(), int(payload)))

        for push, step in enumerate(steps):
            self.fanout.spread(stats(b"%d" % push))
            for _ in range(step):
                self.clock.advance(1 / 16)
                look()
        for _ in range(100):
            self.clock.advance(1 / 16)
            look()
        for number, pace in enumerate(paces):
            times = [began, *(time for time, _ in given_at[number])]
            pushes = [push for _, push in given_at[number]]
            self.assertEqual(pushes, sorted(set(pushes)))
            self.assertEqual(pushes[-1:], [] if pace == inf else [len(steps) - 1])
            if pace:
                pauses = [later - earlier for earlier, later in pairwise(times)]
                self.assertTrue(all(pause >= pace for pause in pauses), pauses)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class MembershipTests(FanoutCase):
    """Who is there when."""

    def test_length(self) -> None:
        """The length is the number of subscribers."""
        one, _ = self.listener(), self.listener(ALL)
        self.assertEqual(len(self.fanout), 2)
        self.remove(one)
        self.assertEqual(len(self.fanout), 1)

    def test_newcomer(self) -> None:
        """A newcomer gets nothing of before, and makes nobody be written to early."""
        before = self.listener()
        self.busy()
        self.chat(b"old")
        after = self.listener()
        self.assertEqual(before.deliveries, [b"busy"])
        self.chat(b"new")
        self.clock.advance(COALESCE)
        self.assertEqual(before.deliveries, [b"busy", b"old new"])
        self.assertEqual(after.deliveries, [b"new"])
        self.assertEqual(self.delivered(), 4)

    def test_newcomers_of_one_moment(self) -> None:
        """Newcomers at different places of what is pending each get what is theirs."""
        first = self.listener(ALL)
        self.busy()
        late: list[Listener] = []
        for number in range(5):
            self.publish(("chat", b"c%d" % number), ("raid", b"r%d" % number))
            late += [self.listener(), self.listener(ALL)]
        self.clock.advance(COALESCE)
        self.assertEqual(len(first.received), 11)
        for index, listener in enumerate(late):
            after = range(index // 2 + 1, 5)
            wanted = [(b"c%d", b"r%d")[: 1 + index % 2] for _ in after]
            expected = [kind % n for n, kinds in zip(after, wanted, strict=True) for kind in kinds]
            self.assertEqual(listener.received, expected)
            self.assertLessEqual(len(listener.writes), 1)

    def test_leaver(self) -> None:
        """Who leaves gets what was published so far, at once, and nothing more."""
        leaver, other = self.listener(), self.listener()
        self.busy()
        self.chat(b"old")
        self.remove(leaver)
        self.assertEqual(leaver.deliveries, [b"busy", b"old"])
        self.chat(b"new")
        self.clock.advance(COALESCE)
        self.assertEqual(leaver.deliveries, [b"busy", b"old"])
        self.assertEqual(other.deliveries, [b"busy", b"old new"])
        self.assertEqual(self.delivered(), 5)

    def test_unknown_leaver(self) -> None:
        """Who was never there, or has left, can be removed without harm."""
        leaver, other = self.listener(), self.listener()
        self.remove(leaver)
        self.remove(leaver)
        self.remove(Listener())
        self.assertEqual(len(self.fanout), 1)
        self.chat(b"1")
        self.clock.advance(COALESCE)
        self.assertEqual(other.deliveries, [b"1"])

    def test_back_again(self) -> None:
        """Who left and comes back with another interest has only the new one."""
        listener = self.listener(ALL)
        self.remove(listener)
        listener.subscription.options = CHATS
        self.fanout.add(listener.subscription)
        self.publish(("raid", b"r"), ("chat", b"c"))
        self.clock.advance(COALESCE)
        self.assertEqual(listener.deliveries, [b"c"])


class ReentrancyTests(FanoutCase):
    """Subscribers that change who is there while they are being written to."""

    def test_removes_itself(self) -> None:
        """Who leaves at its delivery gets that one and no more; the others get all."""
        first, leaver, last = self.listener(), self.listener(), self.listener()
        leaver.upon = lambda: self.remove(leaver)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(COALESCE)
        for listener in (first, last):
            self.assertEqual(listener.deliveries, [b"1", b"2"])
        self.assertEqual(leaver.deliveries, [b"1"])
        self.assertEqual(self.delivered(), 5)

    def test_last_one_removes_itself(self) -> None:
        """When the only one leaves at its delivery, nobody is left and nothing is kept."""
        leaver = self.listener(ALL)
        leaver.upon = lambda: self.remove(leaver)
        self.chat(b"1")
        self.clock.advance(COALESCE)
        self.assertEqual(len(self.fanout), 0)
        self.chat(b"2")
        self.clock.advance(COALESCE)
        self.assertEqual(leaver.deliveries, [b"1"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_removes_a_later_one(self) -> None:
        """Who is removed before its turn gets what was published before, once, and no more."""
        remover, removed, other = self.listener(), self.listener(), self.listener(ALL)
        remover.upon = lambda: self.remove(removed)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(COALESCE)
        self.assertEqual(removed.deliveries, [b"1"])
        for listener in (remover, other):
            self.assertEqual(listener.deliveries, [b"1", b"2"])
        self.assertEqual(self.delivered(), 5)

    def test_removes_an_earlier_one(self) -> None:
        """Who was written to before may be removed by a later one."""
        removed, remover = self.listener(), self.listener()
        remover.upon = lambda: self.remove(removed)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(COALESCE)
        self.assertEqual(removed.deliveries, [b"1"])
        self.assertEqual(remover.deliveries, [b"1", b"2"])
        self.assertEqual(self.delivered(), 3)

    def test_removes_one_of_another_interest(self) -> None:
        """It makes no difference whether the other has the same interest."""
        remover, removed = self.listener(CHATS), self.listener(ALL)
        remover.upon = lambda: self.remove(removed)
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(COALESCE)
        self.assertEqual(removed.deliveries, [b"1"])
        self.assertEqual(remover.deliveries, [b"1", b"2"])
        self.assertEqual(self.delivered(), 3)

    def test_adds(self) -> None:
        """Who is added at another's delivery gets what comes after it."""
        adder, other, added = self.listener(), self.listener(ALL), Listener(ALL)

        def add() -> None:
            self.fanout.add(added.subscription)
            adder.upon = lambda: None

        adder.upon = add
        for payload in (b"1", b"2"):
            self.chat(payload)
            self.clock.advance(COALESCE)
        self.assertEqual(added.deliveries, [b"2"])
        for listener in (adder, other):
            self.assertEqual(listener.deliveries, [b"1", b"2"])
        self.assertEqual(self.delivered(), 5)

    def test_publishes(self) -> None:
        """What is published at a delivery reaches all, once and in order."""
        publisher, same, other = self.listener(), self.listener(), self.listener(ALL)

        def publish() -> None:
            publisher.upon = lambda: None
            self.chat(b"2")

        publisher.upon = publish
        self.chat(b"1")
        self.clock.advance(COALESCE)
        self.clock.advance(COALESCE)
        for listener in (publisher, same, other):
            self.assertEqual(listener.received, [b"1", b"2"])
        self.assertEqual(self.delivered(), 6)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flushes(self) -> None:
        """A flush within a flush writes nothing twice."""
        first, second = self.listener(), self.listener(ALL)
        first.upon = self.fanout.flush
        second.upon = self.fanout.flush
        self.chat(b"1")
        self.clock.advance(COALESCE)
        for listener in (first, second):
            self.assertEqual(listener.deliveries, [b"1"])
        self.assertEqual(self.delivered(), 2)


class CloseTests(FanoutCase):
    """The end of a channel."""

    def test_close(self) -> None:
        """What waits is written at once, and nothing is left on the clock."""
        listener = self.listener()
        self.busy()
        self.chat(b"1")
        self.fanout.close()
        self.assertEqual(listener.deliveries, [b"busy", b"1"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_idle(self) -> None:
        """Nothing waits: nothing is written."""
        listener = self.listener()
        self.fanout.close()
        self.assertEqual(listener.deliveries, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close_twice(self) -> None:
        """A second time does nothing."""
        listener = self.listener()
        self.busy()
        self.chat(b"1")
        self.fanout.close()
        self.fanout.close()
        self.assertEqual(listener.deliveries, [b"busy", b"1"])

    def test_goodbyes(self) -> None:
        """After the close subscribers can still be taken out."""
        listener = self.listener()
        self.fanout.close()
        self.remove(listener)
        self.assertEqual(len(self.fanout), 0)


class AnyOrderTests(SynchronousTestCase):
    """Whatever happens in whatever order, everybody gets exactly what was theirs."""

    @bounded
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("toggle"), st.integers(0, 3)),
                st.tuples(st.just("change"), st.integers(0, 3)),
                st.tuples(st.just("catch up"), st.integers(0, 3)),
                st.tuples(st.sampled_from(["chat", "raid", "poll"]), st.integers(1, 3)),
                st.tuples(st.just("time"), st.integers(0, 30)),
                st.tuples(st.just("flush"), st.just(0)),
            ),
            max_size=40,
        ),
        st.sampled_from([0.0, COALESCE]),
    )
    def test_any_order(self, steps: list[tuple[str, int]], coalesce: float) -> None:
        """Deliveries and their count are those of a model that writes each message by itself."""
        clock, metrics = Clock(), Metrics()
        fanout = Fanout(clock, coalesce, metrics)
        wishes = [CHATS, ALL, RAIDS, CHATS]
        listeners = [Listener(wish) for wish in wishes]
        for listener in listeners:
            listener.upon = lambda: setattr(clock, "rightNow", clock.rightNow + 0.003)
        expected: list[list[bytes]] = [[] for _ in wishes]
        present: set[int] = set()
        number = 0
        for action, argument in steps:
            subscription = listeners[argument % len(listeners)].subscription
            if action == "toggle":
                if argument in present:
                    fanout.remove(subscription)
                else:
                    fanout.add(subscription)
                present ^= {argument}
            elif action == "change":
                wishes[argument] = ALL if wishes[argument] == CHATS else CHATS
                fanout.change(subscription, wishes[argument])
            elif action == "catch up":
                fanout.catch_up(subscription)
            elif action == "time":
                clock.advance(argument / 1000)
            elif action == "flush":
                fanout.flush()
            else:
                payloads = [b"%d" % (number + n) for n in range(argument)]
                number += argument
                fanout.publish([publication(action, payload) for payload in payloads])
                for index in present:
                    if wishes[index].kinds & kind_bit(action):
                        expected[index] += payloads
            self.assertEqual(len(fanout), len(present))
            self.assertLessEqual(len(clock.getDelayedCalls()), 1)
        fanout.close()
        self.assertEqual(clock.getDelayedCalls(), [])
        for listener, payloads in zip(listeners, expected, strict=True):
            self.assertEqual(listener.received, payloads)
        self.assertEqual(
            metrics.registry.get_sample_value("livechat_deliveries_total"),
            sum(map(len, expected)),
        )
