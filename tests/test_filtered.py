# SPDX-License-Identifier: MIT
"""Filters on their way through a channel: who is given what, how often it is asked, how many."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.filter_limit import MAX_FILTERS, FilterLimit
from livechat.core.filters import ChatFilter, Facts, chat_filter
from livechat.core.options import Options, taking_removals
from livechat.core.ports import Located
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError
from livechat.model.events import ALL_KINDS, ChannelKey
from livechat.protocol.commands import Since
from livechat.protocol.filters import Filter
from tests.contracts.history import deletion
from tests.support.fakes import KeptMessages, chat, happening
from tests.test_replay import CHATS, ReplayCase, numbers
from tests.test_session import SessionCase


def only(word: str) -> ChatFilter | None:
    """A filter that lets messages with this word through."""
    return chat_filter(Filter(only_words=[word]))


class FilteredCase(ReplayCase):
    """A channel whose subscribers have filters."""

    def filtered(
        self, chosen: ChatFilter | None, kinds: int = CHATS, **more: Any
    ) -> tuple[KeptMessages, Subscription]:
        """Somebody subscribes with a filter; the greeting is taken."""
        subscriber = KeptMessages()
        key = ChannelKey("twitch", "username", "ann")
        options = taking_removals(Options(kinds, filter=chosen, **more))
        subscription = Subscription(key, subscriber, "ann", options, self.lost.append)
        self.hub.subscribe(self.platform, subscription)
        self.turn()
        return subscriber, subscription

    def say(self, *texts: str) -> None:
        """So many messages, each with its text as its id."""
        self.publish(*(chat(text, text) for text in texts))

    def texts(self, subscriber: KeptMessages) -> list[str]:
        """The texts of the chats since the last call."""
        told = [one for one in subscriber.taken() if one["type"] == "chat"]
        return [one["data"]["data"]["content"]["raw"] for one in told]


class DeliveryTests(FilteredCase):
    """What is published while somebody with a filter watches."""

    def test_each_by_its_filter(self) -> None:
        """Each is given what its filter lets through; who has none is given everything."""
        self.begin()
        everything, _ = self.filtered(None)
        a, _ = self.filtered(only("a"))
        b, _ = self.filtered(only("b"))
        self.say("a 1", "b 2", "a b 3", "c 4")
        self.say("a 5")
        self.assertEqual(self.texts(everything), ["a 1", "b 2", "a b 3", "c 4", "a 5"])
        self.assertEqual(self.texts(a), ["a 1", "a b 3", "a 5"])
        self.assertEqual(self.texts(b), ["b 2", "a b 3"])

    def test_events_are_not_filtered(self) -> None:
        """Events come whatever the filter says of chats; statistics count everything."""
        self.begin()
        subscriber, subscription = self.filtered(only("nothing"), ALL_KINDS)
        subscriber.taken()
        self.publish(chat("1", "x"), happening("raid", "r"), deletion("1"))
        self.assertEqual(
            [one["data"]["type"] for one in subscriber.taken() if one["type"] == "event"],
            ["raid", "deletion"],
        )
        answers = self.hub.stats(subscription)
        self.assertIn(b'"totalMessages":1', self.successResultOf(answers))

    def test_asked_once(self) -> None:
        """A filter judges a message once, however many have it, and however they are connected."""
        self.begin()
        asked: list[tuple[ChatFilter, str]] = []
        passes = ChatFilter.passes

        def counted(chosen: ChatFilter, facts: Facts) -> bool:
            asked.append((chosen, facts.text))
            return passes(chosen, facts)

        for number in range(30):
            self.filtered(only(f"word{number % 3}"), CHATS if number % 2 else ALL_KINDS)
        with patch.object(ChatFilter, "passes", counted):
            self.say("word1 here", "word2 there")
        self.assertEqual(len(asked), 6)
        self.assertEqual(len(set(asked)), 6)

    def test_nobody_filters(self) -> None:
        """Where nobody has a filter, nothing is looked at."""
        self.begin()
        self.filtered(None)
        with patch.object(Facts, "__init__", side_effect=AssertionError):
            self.say("a")

    def test_change(self) -> None:
        """What was published before comes by the old filter, what follows by the new one."""
        self.begin()
        subscriber, subscription = self.filtered(only("a"))
        self.watcher.sink.received([chat("1", "a"), chat("2", "b")])
        self.hub.change(subscription, "ann", Options(filter=only("b")))
        self.watcher.sink.received([chat("3", "a"), chat("4", "b")])
        self.hub.change(subscription, "ann", Options())
        self.say("c")
        self.assertEqual(self.texts(subscriber), ["a", "b", "c"])


class PastTests(FilteredCase):
    """History and resuming with a filter."""

    def test_history_counts_what_comes_through(self) -> None:
        """The last so many that the filter lets through, and the events that were asked for."""
        self.begin(*(chat(str(n), "even" if n % 2 == 0 else "odd") for n in range(10)))
        self.publish(happening("raid", "r"))
        subscriber, _ = self.filtered(only("even"), history=3)
        self.assertEqual(numbers(subscriber.taken()), [5, 7, 9])
        subscriber, _ = self.filtered(only("even"), ALL_KINDS, history=3)
        self.assertEqual(numbers(subscriber.taken()), [7, 9, 11])
        subscriber, _ = self.filtered(only("nothing"), history=3)
        self.assertEqual(numbers(subscriber.taken()), [])
        self.say("even")
        self.assertEqual(self.texts(subscriber), [])

    def test_resume(self) -> None:
        """What was missed is filtered, nothing of it counts as missing, and so is what follows."""
        epoch = self.begin(*(chat(str(n), "even" if n % 2 == 0 else "odd") for n in range(10)))
        subscriber, _ = self.filtered(only("odd"), since=Since(epoch, 3))
        told = subscriber.taken()
        self.assertIs(self.started(told)["recovered"], True)
        self.assertEqual(numbers(told), [4, 6, 8, 10])
        self.say("odd", "even")
        self.assertEqual(self.texts(subscriber), ["odd"])

    def test_published_meanwhile(self) -> None:
        """What is published during a replay is filtered like everything else."""
        epoch = self.begin(chat("0", "a"))
        subscriber = KeptMessages()
        subscriber.reads = False
        key = ChannelKey("twitch", "username", "ann")
        options = taking_removals(Options(filter=only("a"), since=Since(epoch, 0)))
        options = replace(options, stats=float("inf"))
        self.hub.subscribe(
            self.platform, Subscription(key, subscriber, "ann", options, self.lost.append)
        )
        self.say("b", "a b", "c")
        self.turn()
        self.assertEqual(self.texts(subscriber), ["a", "a b"])

    def test_many_come_back(self) -> None:
        """Of many who come back with few filters each kept message is judged once by each."""
        epoch = self.begin(*(chat(str(n), f"word{n}") for n in range(10)))
        asked: list[str] = []
        passes = ChatFilter.passes

        def counted(chosen: ChatFilter, facts: Facts) -> bool:
            asked.append(facts.text)
            return passes(chosen, facts)

        with patch.object(ChatFilter, "passes", counted):
            for number in range(20):
                self.filtered(only(f"word{number % 2}"), since=Since(epoch, 0))
        self.assertEqual(len(asked), 20)


class LimitTests(FilteredCase):
    """How many different filters there may be."""

    def filters(self, count: int) -> list[tuple[KeptMessages, Subscription]]:
        """So many subscribers with different filters."""
        return [self.filtered(chat_filter(Filter(max_length=n))) for n in range(count)]

    def refused(self, chosen: ChatFilter | None) -> None:
        """One more subscriber with this filter is refused, and nothing is held."""
        subscriber, subscription = self.filtered(chosen)
        (error,) = subscriber.taken()
        self.assertEqual((error["code"], error["temporary"]), ("TOO_MANY_FILTERS", True))
        self.assertEqual(self.lost.pop(), subscription)

    def test_limit(self) -> None:
        """Equal ones and none at all always find a place; one that is let go of makes room."""
        self.begin()
        everybody = self.filters(MAX_FILTERS)
        self.refused(only("one"))
        self.filtered(chat_filter(Filter(max_length=3)))
        self.filtered(None)
        self.hub.unsubscribe(everybody[3][1])
        self.refused(only("one"))
        self.hub.unsubscribe(everybody[4][1])
        one, subscription = self.filtered(only("one"))
        self.refused(only("two"))
        # Its own place is its own.
        self.hub.change(subscription, "ann", Options(filter=only("two")))
        other = everybody[7][1]
        self.refused(only("one"))
        self.hub.change(other, "ann", Options(filter=only("two")))
        self.filtered(only("one"))
        one.taken()
        self.say("two")
        self.assertEqual(self.texts(one), ["two"])

    def test_before_the_start(self) -> None:
        """Who waits for a channel to start is counted, too."""
        self.filters(MAX_FILTERS)
        self.refused(only("one"))

    def test_while_the_chat_is_found(self) -> None:
        """Who asked before it was known which chat is meant is told when it is."""
        key = ChannelKey("twitch", "username", "ann")
        everybody = []
        resolved: Deferred[Located] = Deferred()
        self.patch(self.platform, "resolve", lambda *_: resolved)
        for number in range(MAX_FILTERS + 2):
            subscriber = KeptMessages()
            chosen = chat_filter(Filter(max_length=number))
            everybody.append(subscriber)
            subscription = Subscription(
                key, subscriber, "ann", Options(filter=chosen), self.lost.append
            )
            self.hub.subscribe(self.platform, subscription)
        resolved.callback(Located(key))
        self.turn()
        self.watcher.live()
        self.turn()
        told = [subscriber.kinds()[0] for subscriber in everybody]
        self.assertEqual(told[:-2], ["subscribed"] * MAX_FILTERS)
        self.assertEqual(told[-2:], ["TOO_MANY_FILTERS"] * 2)

    @settings(deadline=None, database=None)
    @given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5) | st.just(9))))
    def test_any_order(self, steps: list[tuple[int, int | None]]) -> None:
        """Never more than the limit, and refused only where it would be more."""
        limit = FilterLimit(3)
        holds: dict[int, int] = {}
        for holder, wanted in steps:
            if wanted == 9:
                limit.leave(holder)
                holds.pop(holder, None)
                continue
            after = {**holds, holder: wanted}
            try:
                limit.take(holder, None if wanted is None else ChatFilter(max_length=wanted))
                accepted = True
            except ChatError:
                accepted = False
            different = {value for value in after.values() if value is not None}
            self.assertEqual(accepted, len(different) <= 3 or wanted in holds.values())
            if accepted:
                holds = {key: value for key, value in after.items() if value is not None}


class CommandTests(SessionCase):
    """What a client is told."""

    def test_too_many(self) -> None:
        """A refused subscribe holds nothing; a refused change leaves the chat as it was."""
        mine = {"only_words": ["a"]}
        watcher = self.held("ann", filter=mine)
        ask = {"type": "subscribe", "platform": "twitch", "identifier": "ann"}
        for number in range(MAX_FILTERS - 1):
            other = self.new_session(KeptMessages())
            other.received(msgspec.json.encode({**ask, "filter": {"max_length": number}}))
        late = KeptMessages()
        session = self.new_session(late)
        session.received(msgspec.json.encode({**ask, "filter": {"only_words": ["b"]}}))
        (error,) = late.taken()
        self.assertEqual(
            (error["code"], error["temporary"], error["identifier"]),
            ("TOO_MANY_FILTERS", True, "ann"),
        )
        self.assertTrue(session.holds_nothing)
        session.received(msgspec.json.encode({**ask, "filter": mine}))
        self.session.received(msgspec.json.encode({**ask, "filter": {"max_length": 999}, "id": 7}))
        (error,) = self.client.taken()
        self.assertEqual((error["code"], error["id"]), ("TOO_MANY_FILTERS", 7))
        watcher.sink.received([chat("1", "a"), chat("2", "b")])
        self.clock.advance(0.1)
        self.assertEqual(self.client.kinds(), ["chat"])


class LimitRuleTests(SynchronousTestCase):
    """The counting by itself."""

    def test_unknown(self) -> None:
        """Who has none may leave."""
        FilterLimit().leave(object())
