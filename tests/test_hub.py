# SPDX-License-Identifier: MIT
"""Hub and channel together: who shares what, in which order it is told, when upstreams stop."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from math import inf
from random import Random
from unittest.mock import ANY

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.brokers.local import LocalBroker
from livechat.core.hub import Hub
from livechat.core.leader import RESTART_PAUSE
from livechat.core.options import Options
from livechat.core.ports import Located, Requester
from livechat.core.recent_ids import RecentIds
from livechat.core.start_queue import AT_ONCE
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import (
    ALL_KINDS,
    CHAT_BIT,
    ChannelKey,
    Event,
    LiveInfo,
    StatsData,
    kind_bit,
)
from livechat.statistics.memory import MemoryStats
from tests.support.fakes import (
    KeptMessages,
    ScriptedPlatform,
    ScriptedWatcher,
    chat,
    chats,
    happening,
    hub_on,
    services_on,
)


class HubCase(SynchronousTestCase):
    """A hub on a fake clock, with a scripted platform."""

    linger = 10.0
    max_channels = 100

    def setUp(self) -> None:
        """Nothing watched yet."""
        self.clock = Clock()
        self.metrics = Metrics()
        self.platform = ScriptedPlatform()
        self.hub = hub_on(
            self.clock, self.metrics, linger=self.linger, max_channels=self.max_channels
        )
        self.lost: list[Subscription] = []

    def subscribe(
        self, name: str = "ann", options: Options | None = None, sent: str | None = None
    ) -> tuple[KeptMessages, Subscription]:
        """Subscribe a new subscriber to a channel."""
        subscriber = KeptMessages()
        key = ChannelKey(self.platform.name, "username", name)
        subscription = Subscription(
            key, subscriber, sent or name, options or Options(), self.lost.append
        )
        self.hub.subscribe(self.platform, subscription)
        return subscriber, subscription

    def turn(self, seconds: float = 0.0) -> None:
        """Let the clock run, and what follows at once."""
        self.clock.advance(seconds)
        self.clock.advance(0)

    @property
    def watcher(self) -> ScriptedWatcher:
        """The newest upstream."""
        return self.platform.watchers[-1]

    def live(self, name: str = "ann") -> tuple[KeptMessages, Subscription]:
        """A subscriber of a channel that has just gone live, greeting taken."""
        subscriber, subscription = self.subscribe(name)
        self.turn()
        self.watcher.live()
        self.turn()
        self.assertEqual(subscriber.kinds(), ["subscribed", "started", "stats"])
        return subscriber, subscription

    def counter(self, name: str, **labels: str) -> float:
        """The value of one of our counters."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


class StartTests(HubCase):
    """From the first subscriber to the first message."""

    def test_order_of_the_first_words(self) -> None:
        """Nothing is said before the upstream flows; then subscribed, started, stats."""
        subscriber, _ = self.subscribe(sent="@Ann")
        self.turn()
        self.assertEqual(subscriber.taken(), [])
        self.watcher.live(live=None)
        self.turn()
        self.assertEqual(
            subscriber.taken(),
            [
                {
                    "type": "status",
                    "status": "subscribed",
                    "identifier": "@Ann",
                    "platform": "twitch",
                    "channel": "ann",
                    "storage_type": "memory",
                },
                {
                    "type": "status",
                    "status": "started",
                    "liveId": "live-ann",
                    "identifier": "@Ann",
                    "platform": "twitch",
                    "channel": "ann",
                    "live": None,
                    "epoch": ANY,
                    "seq": 0,
                },
                {
                    "type": "stats",
                    "data": {"uniqueUsers": [], "totalMessages": 0, "uniqueUserCount": 0},
                    "platform": "twitch",
                    "identifier": "ann",
                },
            ],
        )

    def test_late_joiner_is_greeted_the_same(self) -> None:
        """Who joins a running chat gets both statuses, and only messages that come after."""
        first, _ = self.live()
        self.watcher.sink.received([chat("m1")])
        late, _ = self.subscribe()
        self.turn()
        self.assertEqual(late.kinds()[:3], ["subscribed", "started", "stats"])
        self.watcher.sink.received([chat("m2")])
        self.turn(0.02)
        self.assertEqual([m["data"]["message_id"] for m in late.taken()], ["m2"])
        self.assertEqual(first.kinds()[0], "chat")
        self.assertEqual(len(self.platform.watchers), 1)

    def test_failed_start_is_one_error_for_each_who_waits(self) -> None:
        """Two who asked during a slow failing start get one coded error each and nothing else."""
        first, _ = self.subscribe(sent="Ann")
        self.turn()
        second, _ = self.subscribe()
        self.watcher.fail(ErrorCode.STREAM_NOT_LIVE)
        self.turn()
        self.assertEqual(
            first.taken(),
            [
                {
                    "type": "error",
                    "error": "No",
                    "code": "STREAM_NOT_LIVE",
                    "platform": "twitch",
                    "identifier": "Ann",
                    "temporary": True,
                }
            ],
        )
        self.assertEqual(second.kinds(), ["STREAM_NOT_LIVE"])
        self.assertEqual(len(self.lost), 2)
        self.assertEqual(self.hub.active_streams, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(
            self.counter("livechat_starts_total", platform="twitch", outcome="STREAM_NOT_LIVE"), 1
        )

    def test_uncoded_failure_becomes_a_coded_one(self) -> None:
        """A watcher fails with something else: UPSTREAM_UNAVAILABLE, and it is logged."""
        subscriber, _ = self.subscribe()
        self.turn()
        assert self.watcher.started is not None
        self.watcher.started.errback(RuntimeError("a bug"))
        self.assertEqual(subscriber.kinds(), ["UPSTREAM_UNAVAILABLE"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_start_again_after_failure(self) -> None:
        """A failed channel leaves no trace: the next subscribe starts anew and succeeds."""
        self.subscribe()
        self.turn()
        self.watcher.fail()
        second, _ = self.subscribe()
        self.turn()
        self.watcher.live()
        self.turn()
        self.assertEqual(second.kinds(), ["subscribed", "started", "stats"])
        self.assertEqual(len(self.platform.watchers), 2)

    def test_platforms_do_not_mix(self) -> None:
        """One name on two platforms is two channels."""
        twitch, _ = self.live("same")
        self.platform = ScriptedPlatform("youtube")
        self.subscribe("same")
        self.turn()
        self.assertEqual(self.hub.active_streams, 2)
        self.watcher.live()
        self.watcher.sink.received([chat("m1", platform="youtube")])
        self.turn(0.02)
        self.assertEqual(twitch.taken(), [])

    def test_full_node_refuses_another_channel(self) -> None:
        """Beyond the limit of channels a new one is refused; a shared one is not."""
        self.max_channels = 1
        self.setUp()
        self.live("one")
        error = self.assertRaises(ChatError, self.subscribe, "two")
        self.assertEqual(error.code, ErrorCode.TOO_MANY_CHATS)
        second, _ = self.subscribe("one")
        self.turn()
        self.assertEqual(second.kinds()[0], "subscribed")


class MessageTests(HubCase):
    """What subscribers of a running channel receive."""

    def test_everything_once_in_order(self) -> None:
        """A hundred messages in batches reach each subscriber once, in order, whole."""
        first, _ = self.live()
        second, _ = self.subscribe()
        self.turn()
        second.taken()
        for start in range(0, 100, 7):
            self.watcher.sink.received(chats(min(7, 100 - start), start))
            self.turn(0.001)
        self.turn(0.02)
        for subscriber in (first, second):
            got = [m["data"]["message_id"] for m in subscriber.taken() if m["type"] == "chat"]
            self.assertEqual(got, [f"m{n}" for n in range(100)])

    def test_duplicates_are_dropped_and_counted(self) -> None:
        """An id that was seen is not delivered, not counted in statistics, but counted as such."""
        subscriber, subscription = self.live()
        self.watcher.sink.received([chat("m1"), chat("m2"), chat("m1")])
        self.watcher.sink.received([chat("m2"), chat("m3")])
        self.turn(0.02)
        got = [m["data"]["message_id"] for m in subscriber.taken() if m["type"] == "chat"]
        self.assertEqual(got, ["m1", "m2", "m3"])
        stats = self.successResultOf(self.hub.stats(subscription))
        self.assertIn(b'"totalMessages":3', stats)
        self.assertEqual(self.counter("livechat_duplicates_total", platform="twitch"), 2)

    def test_a_chat_and_its_event_share_an_id(self) -> None:
        """The id of a message does not hide the event that carries the same id."""
        asker, _ = self.subscribe(options=Options(ALL_KINDS))
        self.turn()
        self.watcher.live()
        self.turn()
        asker.taken()
        twice = [happening("subscription", "x"), happening("subscription", "x")]
        both: list[Event] = [chat("x"), *twice]
        self.watcher.sink.received(both)
        self.turn(0.02)
        self.assertEqual(
            [m["type"] for m in asker.taken() if m["type"] != "stats"], ["chat", "event"]
        )

    def test_events_only_for_who_asked(self) -> None:
        """Without `events` a client sees what the specification describes and nothing else."""
        plain, _ = self.live()
        raids, _ = self.subscribe(options=Options(CHAT_BIT | kind_bit("raid")))
        everything, _ = self.subscribe(options=Options(ALL_KINDS))
        self.turn()
        raids.taken()
        everything.taken()
        self.watcher.sink.received([happening("raid"), happening("gift", "e2"), chat("m1")])
        self.turn(0.02)
        kinds = lambda s: [m["data"]["type"] for m in s.taken() if m["type"] != "stats"]  # noqa: E731
        self.assertEqual(kinds(plain), ["chat"])
        self.assertEqual(kinds(raids), ["raid", "chat"])
        self.assertEqual(kinds(everything), ["raid", "gift", "chat"])

    def test_one_unencodable_item_costs_itself_only(self) -> None:
        """A lone surrogate that got through costs its message; the others arrive; it is counted."""
        subscriber, _ = self.live()
        bad = chat("m2")
        bad = type(bad)(bad.platform, bad.timestamp, "m2\ud800", bad.room_id, bad.data)
        self.watcher.sink.received([chat("m1"), bad, chat("m3")])
        self.turn(0.02)
        got = [m["data"]["message_id"] for m in subscriber.taken() if m["type"] == "chat"]
        self.assertEqual(got, ["m1", "m3"])
        self.assertEqual(
            self.counter("livechat_unparsed_total", platform="twitch", kind="unencodable"), 1
        )

    def test_nothing_after_unsubscribe(self) -> None:
        """What was published before is delivered, what comes after is not."""
        first, subscription = self.live()
        self.watcher.sink.received([chat("m1")])
        self.hub.unsubscribe(subscription)
        self.watcher.sink.received([chat("m2")])
        self.turn(0.02)
        self.assertEqual([m["data"]["message_id"] for m in first.taken()], ["m1"])

    def test_remembered_ids_are_bounded(self) -> None:
        """The window of ids holds at least its size and at most twice that."""
        recent = RecentIds(100)
        self.assertFalse(any(recent.seen(str(n)) for n in range(1000)))
        self.assertTrue(all(recent.seen(str(n)) for n in range(900, 1000)))
        self.assertFalse(recent.seen("1"))
        self.assertLessEqual(len(recent._new) + len(recent._old), 200)


class InterruptionTests(HubCase):
    """An upstream that is lost and comes back."""

    def test_told_once_and_again_when_back(self) -> None:
        """`reconnecting` once, however often it is said; `started` when messages can flow."""
        subscriber, _ = self.live()
        self.watcher.sink.interrupted("connection lost")
        self.watcher.sink.interrupted("still lost")
        self.assertEqual(
            subscriber.taken(),
            [
                {
                    "type": "status",
                    "status": "reconnecting",
                    "identifier": "ann",
                    "platform": "twitch",
                    "channel": "ann",
                    "reason": "connection lost",
                }
            ],
        )
        self.watcher.sink.resumed(LiveInfo("live-ann"))
        self.watcher.sink.resumed(LiveInfo("live-ann"))
        self.assertEqual(subscriber.kinds(), ["started"])
        self.assertEqual(self.counter("livechat_interruptions_total", platform="twitch"), 2)

    def test_joiner_during_an_interruption_hears_the_truth(self) -> None:
        """Who joins meanwhile is told that it is being sought, and started once it is back."""
        self.live()
        self.watcher.sink.interrupted("connection lost")
        late, _ = self.subscribe()
        self.turn()
        self.assertEqual(late.kinds(), ["subscribed", "reconnecting", "stats"])
        self.watcher.sink.resumed(LiveInfo("live-ann"))
        self.assertEqual(late.kinds(), ["started"])

    def test_asking_again_is_answered_with_the_standing(self) -> None:
        """A repeated subscribe greets again, in either state, and adds no second delivery."""
        subscriber, subscription = self.live()
        self.hub.change(subscription, "ann", Options())
        self.assertEqual(subscriber.kinds(), ["subscribed", "started"])
        self.watcher.sink.interrupted("lost")
        subscriber.taken()
        self.hub.change(subscription, "ann", Options())
        self.assertEqual(subscriber.kinds(), ["subscribed", "reconnecting"])
        self.watcher.sink.resumed(LiveInfo("x"))
        subscriber.taken()
        self.watcher.sink.received([chat("m1")])
        self.turn(0.02)
        self.assertEqual(subscriber.kinds().count("chat"), 1)

    def test_messages_before_the_status(self) -> None:
        """What was received before the loss is delivered before `reconnecting`."""
        subscriber, _ = self.live()
        self.watcher.sink.received([chat("m1")])
        self.watcher.sink.interrupted("lost")
        self.assertEqual(subscriber.kinds(), ["chat", "reconnecting"])


class EndTests(HubCase):
    """A stream that ends, and subscribers that leave."""

    def test_end_is_told_once_to_each(self) -> None:
        """Pending messages, then exactly one STREAM_ENDED each; the channel is gone."""
        first, _ = self.live()
        second, _ = self.subscribe()
        self.turn()
        second.taken()
        self.watcher.sink.received([chat("m1")])
        ended = ChatError(ErrorCode.STREAM_ENDED, "The stream has ended")
        self.watcher.sink.ended(ended)
        self.watcher.sink.ended(ended)
        self.turn(0.02)
        self.assertEqual(first.kinds(), ["chat", "STREAM_ENDED"])
        self.assertEqual(second.kinds(), ["chat", "STREAM_ENDED"])
        self.assertEqual(len(self.lost), 2)
        self.assertEqual(self.hub.active_streams, 0)
        self.assertEqual(self.watcher.stops, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_end_while_interrupted(self) -> None:
        """A chat that ends while it is sought ends the same way."""
        subscriber, _ = self.live()
        self.watcher.sink.interrupted("lost")
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.assertEqual(subscriber.kinds(), ["reconnecting", "STREAM_ENDED"])

    def test_linger(self) -> None:
        """The upstream outlives its last subscriber by the linger, and is stopped then."""
        _, subscription = self.live()
        self.hub.unsubscribe(subscription)
        self.turn(9.9)
        self.assertEqual((self.hub.active_streams, self.watcher.stops), (1, 0))
        self.turn(0.2)
        self.assertEqual((self.hub.active_streams, self.watcher.stops), (0, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_return_within_the_linger(self) -> None:
        """Who comes back in time finds the same upstream, and it stays."""
        _, subscription = self.live()
        self.hub.unsubscribe(subscription)
        self.turn(9.0)
        again, _ = self.subscribe()
        self.turn(60.0)
        self.assertEqual(again.kinds()[:2], ["subscribed", "started"])
        self.assertEqual((len(self.platform.watchers), self.watcher.stops), (1, 0))

    def test_no_linger(self) -> None:
        """With a linger of 0 the upstream stops with the last subscriber, at once."""
        self.linger = 0.0
        self.setUp()
        _, one = self.live()
        _, two = self.subscribe()
        self.turn()
        self.hub.unsubscribe(one)
        self.assertEqual(self.watcher.stops, 0)
        self.hub.unsubscribe(two)
        self.assertEqual((self.hub.active_streams, self.watcher.stops), (0, 1))

    def test_leaving_during_the_start_stops_it(self) -> None:
        """The last one leaves while it starts: the start is cancelled and nobody hears of it."""
        self.linger = 0.0
        self.setUp()
        subscriber, subscription = self.subscribe()
        self.turn()
        self.hub.unsubscribe(subscription)
        self.turn(1.0)
        self.assertEqual((self.hub.active_streams, self.watcher.stops), (0, 1))
        self.assertEqual(subscriber.taken(), [])
        outcomes = ("cancelled", "INTERNAL", "UPSTREAM_UNAVAILABLE")
        counted = [
            self.counter("livechat_starts_total", platform="twitch", outcome=outcome)
            for outcome in outcomes
        ]
        self.assertEqual([number or 0 for number in counted], [1, 0, 0])

    def test_subscribe_while_the_old_upstream_stops(self) -> None:
        """A new life waits until the old upstream is left: never two at once."""
        self.linger = 0.0
        self.setUp()
        _, subscription = self.live()
        old = self.watcher
        old.stopping = Deferred()
        self.hub.unsubscribe(subscription)
        again, _ = self.subscribe()
        self.turn(1.0)
        self.assertEqual(len(self.platform.watchers), 1)
        old.stopping.callback(None)
        self.turn()
        self.assertEqual(len(self.platform.watchers), 2)
        self.watcher.live()
        self.turn()
        self.assertEqual(again.kinds(), ["subscribed", "started", "stats"])

    def test_statistics_end_with_the_channel(self) -> None:
        """In memory a channel that nobody watched starts counting anew."""
        self.linger = 0.0
        self.setUp()
        _, subscription = self.live()
        self.watcher.sink.received(chats(3))
        self.hub.unsubscribe(subscription)
        _, again = self.live()
        self.assertIn(b'"totalMessages":0', self.successResultOf(self.hub.stats(again)))

    def test_shutdown(self) -> None:
        """Every upstream is left, nobody is told STREAM_ENDED, nothing stays on the clock."""
        one, _ = self.live("one")
        self.live("two")
        watchers = list(self.platform.watchers)
        watchers[0].stopping = Deferred()
        done = self.hub.shutdown()
        self.assertNoResult(done)
        watchers[0].stopping.callback(None)
        self.successResultOf(done)
        self.assertEqual([w.stops for w in watchers], [1, 1])
        self.assertEqual(one.taken(), [])
        self.assertEqual(self.hub.active_streams, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failing_stop_is_logged_and_harmless(self) -> None:
        """A watcher whose stop fails does not keep the channel from being left."""
        self.linger = 0.0
        self.setUp()
        _, subscription = self.live()
        self.watcher.stopping = Deferred()
        self.watcher.stopping.errback(RuntimeError("a bug"))
        self.hub.unsubscribe(subscription)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
        again, _ = self.subscribe()
        self.turn()
        self.watcher.live()
        self.turn()
        self.assertEqual(again.kinds()[:2], ["subscribed", "started"])


class RaceTests(HubCase):
    """Every order in which four things can happen to one channel."""

    linger = 0.0

    def test_all_orders(self) -> None:
        """Subscribe, another subscribe, the upstream's answer, the first leaves: in all 24 orders
        one upstream at most at a time, who stays is greeted, and nothing is left at the end."""
        for order in permutations(("one", "two", "live", "leave")):
            self.setUp()
            held: dict[str, tuple[KeptMessages, Subscription]] = {}
            for step in order:
                if step in ("one", "two"):
                    held[step] = self.subscribe()
                elif step == "live" and self.platform.watchers:
                    started = self.watcher.started
                    if started is not None and not started.called:
                        self.watcher.live()
                elif step == "leave" and "one" in held:
                    self.hub.unsubscribe(held.pop("one")[1])
                self.turn()
            if self.hub.active_streams and not self.watcher.started.called:  # type: ignore[union-attr]
                self.watcher.live()
            self.turn()
            self.assertEqual(held["two"][0].kinds(), ["subscribed", "started", "stats"], order)
            running = [w for w in self.platform.watchers if not w.stops]
            self.assertEqual(len(running), 1, order)
            for _, subscription in held.values():
                self.hub.unsubscribe(subscription)
            self.turn()
            self.assertEqual(self.hub.active_streams, 0, order)
            self.assertEqual(
                [w.stops for w in self.platform.watchers], [1] * len(self.platform.watchers)
            )
            self.assertEqual(self.clock.getDelayedCalls(), [], order)


class ChangingTests(HubCase):
    """What becomes known of a stream while it is watched, and options that somebody changes."""

    def test_live_changes(self) -> None:
        """Whether the stream is live is told to everybody when it changes, and only then."""
        subscriber, _ = self.live()
        for live in (None, True, True, False, True):
            self.watcher.sink.resumed(LiveInfo("live-ann", live=live))
        self.assertEqual(
            [(m["status"], m["live"]) for m in subscriber.taken()],
            [("started", None), ("started", True), ("started", False), ("started", True)],
        )
        late, _ = self.subscribe()
        self.turn()
        self.assertEqual([m.get("live") for m in late.taken()[:2]], [None, True])

    def test_options_of_a_held_chat(self) -> None:
        """Who asks again with other options gets by these from that moment on, without a gap."""
        subscriber, subscription = self.live()
        batch: list[Event] = [chat("m1"), happening("raid", "r1")]
        self.watcher.sink.received(batch)
        self.hub.change(subscription, "Ann", Options(ALL_KINDS))
        self.watcher.sink.received([happening("raid", "r2"), chat("m2")])
        self.turn(0.02)
        told = [m for m in subscriber.taken() if m["type"] != "stats"]
        self.assertEqual(
            [m.get("status") or m["data"]["type"] for m in told],
            ["chat", "subscribed", "started", "raid", "chat"],
        )
        self.assertEqual(told[1]["identifier"], "Ann")

    def test_options_of_one_who_waits(self) -> None:
        """Who asks again before the start is answered each time; the last options hold."""
        subscriber, subscription = self.subscribe()
        self.hub.change(subscription, "Ann", Options(ALL_KINDS))
        self.turn()
        self.hub.change(subscription, "ANN", Options(ALL_KINDS))
        self.watcher.live()
        self.turn()
        told = [(m["identifier"], m["status"]) for m in subscriber.taken() if m["type"] == "status"]
        names = ("ann", "Ann", "ANN")
        self.assertEqual(told, [(name, s) for name in names for s in ("subscribed", "started")])
        self.watcher.sink.received([happening("raid", "r1")])
        self.assertEqual(subscriber.kinds(), ["event"])

    def test_slow_statistics(self) -> None:
        """Who wants none any more is not given those that a slow store was asked for before."""
        store, answer = MemoryStats(), Deferred[StatsData]()
        self.patch(store, "snapshot", lambda key, limit: answer)
        self.hub = Hub(
            services_on(self.clock, self.metrics, store=store), linger=0.0, max_channels=1
        )
        subscriber, subscription = self.subscribe()
        self.turn()
        self.watcher.live()
        self.hub.change(subscription, "ann", Options(stats=inf))
        answer.callback(StatsData([], 0, 0))
        self.turn()
        self.assertNotIn("stats", subscriber.kinds())


class ResolvingTests(HubCase):
    """From what a client asked for to the one chat that it means."""

    def setUp(self) -> None:
        """A platform on which the test says what a name means."""
        super().setUp()
        self.asked: list[tuple[str, Deferred[Located]]] = []
        self.queued: list[Callable[[], None]] = []
        self.patch(self.platform, "resolve", self.resolve)

    def resolve(
        self, key: ChannelKey, requester: Requester, queued: Callable[[], None]
    ) -> Deferred[Located]:
        """See `IPlatform`."""
        answer: Deferred[Located] = Deferred()
        self.asked.append((key.identifier, answer))
        self.queued.append(queued)
        return answer

    def video(self, name: str = "video") -> Located:
        """A chat that is none of the names."""
        return Located(ChannelKey("twitch", "liveId", name), opening="learnt on the way")

    def resolved(self, name: str) -> tuple[KeptMessages, Subscription]:
        """A subscriber by a name that means the one video."""
        subscriber, subscription = self.subscribe(name)
        self.asked[-1][1].callback(self.video())
        self.turn()
        return subscriber, subscription

    def test_one_chat_by_many_names(self) -> None:
        """Whatever they asked by: one upstream, one order, one statistic; each by its own name."""
        names = ("handle", "channel", "video-by-link")
        subscribers = [self.resolved(name)[0] for name in names]
        self.assertEqual([name for name, _ in self.asked], list(names))
        (watcher,) = self.platform.watchers
        self.assertEqual(watcher.key, self.video().key)
        watcher.live()
        watcher.sink.received([chat("m1")])
        self.turn(1)
        for name, subscriber in zip(names, subscribers, strict=True):
            messages = subscriber.taken()
            self.assertEqual(
                [m.get("status") or m["type"] for m in messages],
                ["subscribed", "started", "stats", "chat", "stats"],
            )
            self.assertEqual({m["identifier"] for m in messages}, {name})
            self.assertEqual({m.get("channel", name) for m in messages}, {name})
            self.assertEqual(messages[-1]["data"]["totalMessages"], 1)
        self.assertEqual(self.hub.active_streams, 1)

    def test_asked_once(self) -> None:
        """A name that is being looked for, or is watched, is not looked for again."""
        first, _ = self.subscribe("handle")
        second, _ = self.subscribe("handle")
        self.assertEqual(len(self.asked), 1)
        self.asked[0][1].callback(self.video())
        self.turn()
        self.watcher.live()
        third, _ = self.subscribe("handle")
        self.turn()
        self.assertEqual(len(self.asked), 1)
        for subscriber in (first, second, third):
            self.assertEqual(subscriber.kinds(), ["subscribed", "started", "stats"])

    def test_not_found(self) -> None:
        """Everybody who waits is told why there is no chat, and nothing is kept of it."""
        subscribers = [self.subscribe("handle")[0] for _ in range(2)]
        self.assertEqual(self.hub.active_streams, 1)
        self.asked[0][1].errback(ChatError(ErrorCode.STREAM_NOT_FOUND, "No"))
        for subscriber in subscribers:
            self.assertEqual(subscriber.kinds(), ["STREAM_NOT_FOUND"])
        self.assertEqual((self.hub.active_streams, len(self.lost)), (0, 2))
        outcome = {"platform": "twitch", "outcome": "STREAM_NOT_FOUND"}
        self.assertEqual(self.counter("livechat_starts_total", **outcome), 1)

    def test_all_give_up(self) -> None:
        """When nobody waits any more, the look-up is cancelled and nothing is started or logged."""
        _, first = self.subscribe("handle")
        _, second = self.subscribe("handle")
        self.hub.unsubscribe(first)
        self.assertFalse(self.asked[0][1].called)
        self.hub.unsubscribe(second)
        self.assertTrue(self.asked[0][1].called)
        self.turn()
        self.assertEqual((self.platform.watchers, self.hub.active_streams), ([], 0))
        self.subscribe("handle")
        self.assertEqual(len(self.asked), 2)

    def test_queued(self) -> None:
        """A look-up that waits for its turn says so to those who wait for it."""
        subscriber, _ = self.subscribe("handle")
        self.queued[0]()
        (status,) = subscriber.taken()
        self.assertEqual((status["status"], status["details"]), ("waiting", "QUEUED"))

    def test_statistics_meanwhile(self) -> None:
        """Who asks for statistics while the chat is looked for is answered."""
        _, subscription = self.subscribe("handle")
        stats = self.successResultOf(self.hub.stats(subscription))
        self.assertIn(b'"totalMessages":0', stats)

    def test_learnt_on_the_way(self) -> None:
        """What the look-up learnt is handed to the watcher."""
        self.resolved("handle")
        self.assertEqual(self.watcher.located.opening, "learnt on the way")

    def test_shutdown(self) -> None:
        """A shutdown gives up every look-up."""
        subscriber, _ = self.subscribe("handle")
        self.successResultOf(self.hub.shutdown())
        self.assertTrue(self.asked[0][1].called)
        self.assertEqual((subscriber.taken(), self.hub.active_streams), ([], 0))

    def test_next_video(self) -> None:
        """When a chat is over, its names may mean another one."""
        _, subscription = self.resolved("handle")
        self.watcher.live()
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.assertEqual(self.lost, [subscription])
        self.subscribe("handle")
        self.asked[1][1].callback(self.video("next"))
        self.turn()
        self.assertEqual(self.watcher.key.identifier, "next")


class ManyStartsTests(HubCase):
    """More starts than may be under way."""

    max_channels = 1000
    linger = 0.0

    def test_one_after_another(self) -> None:
        """A start waits without a watcher until another one is live, fails or is given up."""
        for number in range(AT_ONCE + 3):
            self.subscribe(f"n{number}")
        self.turn()
        self.assertEqual(len(self.platform.watchers), AT_ONCE)
        self.assertEqual(self.hub.active_streams, AT_ONCE + 3)
        self.platform.watchers[0].live()
        self.platform.watchers[1].fail()
        self.turn()
        self.assertEqual(len(self.platform.watchers), AT_ONCE + 2)
        self.assertEqual(self.metrics_waiting(), 1)

    def test_told(self) -> None:
        """Who waits for its turn is told so."""
        subscribers = [self.subscribe(f"n{number}")[0] for number in range(AT_ONCE + 1)]
        self.turn(2.0)
        (status,) = subscribers[-1].taken()
        self.assertEqual((status["status"], status["details"]), ("waiting", "QUEUED"))

    def test_told_once_in_ten_seconds(self) -> None:
        """A start that waits for one turn after the other is told so no more often than that."""
        subscriber = [self.subscribe(f"n{number}")[0] for number in range(AT_ONCE + 1)][-1]
        for _ in range(24):
            self.turn(0.5)
        self.assertEqual(len(subscriber.taken()), 2)
        self.platform.watchers[0].live()
        self.turn(3.0)
        waiting = self.platform.watchers[-1].sink
        waiting.queued()
        self.assertEqual(subscriber.taken(), [])
        self.turn(7.0)
        waiting.queued()
        self.assertEqual([one["details"] for one in subscriber.taken()], ["QUEUED"])

    def test_all_leave(self) -> None:
        """When all have left, whether their starts waited or not, nothing is left of them."""
        held = [self.subscribe(f"n{number}")[1] for number in range(2 * AT_ONCE)]
        self.turn()
        for subscription in held:
            self.hub.unsubscribe(subscription)
        self.turn()
        self.assertEqual((self.hub.active_streams, self.metrics_waiting()), (0, 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.platform.watchers), AT_ONCE)

    def metrics_waiting(self) -> float | None:
        """Starts that wait for their turn."""
        labels = {"platform": "twitch", "kind": "starts"}
        return self.metrics.registry.get_sample_value("livechat_budget_waiting", labels)


class TwoNodesTests(SynchronousTestCase):
    """Two hubs on one broker: one upstream serves the clients of both."""

    def setUp(self) -> None:
        """Two hubs that share a broker and a store, and one platform."""
        self.clock = Clock()
        self.metrics = Metrics()
        self.platform = ScriptedPlatform()
        broker, store = LocalBroker(self.clock, self.clock.seconds, Random(1)), MemoryStats()
        services = services_on(self.clock, self.metrics, broker, store)
        self.hubs = [Hub(services, linger=0.0, max_channels=10) for _ in range(2)]
        self.lost: list[Subscription] = []

    def subscribe(self, hub: Hub) -> tuple[KeptMessages, Subscription]:
        """A subscriber at one of the hubs."""
        subscriber = KeptMessages()
        key = ChannelKey("twitch", "username", "ann")
        subscription = Subscription(key, subscriber, "ann", Options(ALL_KINDS), self.lost.append)
        hub.subscribe(self.platform, subscription)
        self.turn()
        return subscriber, subscription

    def turn(self, seconds: float = 0.0) -> None:
        """Let the clock run, and what follows at once."""
        for _ in range(3):
            self.clock.advance(seconds / 3)

    def both(self) -> list[KeptMessages]:
        """A greeted subscriber at each hub."""
        subscribers = [self.subscribe(hub)[0] for hub in self.hubs]
        self.assertEqual(len(self.platform.watchers), 1)
        self.platform.watchers[0].live()
        self.turn()
        for subscriber in subscribers:
            self.assertEqual(subscriber.kinds(), ["subscribed", "started", "stats"])
        return subscribers

    def test_messages_and_statistics(self) -> None:
        """Both hear every message in order, and the same statistics within two seconds."""
        subscribers = self.both()
        sink = self.platform.watchers[0].sink
        for number in range(10):
            sink.received([chat(f"m{number}"), happening("raid", f"r{number}")])
            self.turn(0.05)
        self.turn(2.0)
        received = [subscriber.taken() for subscriber in subscribers]
        for messages in received:
            ids = [m["data"]["message_id"] for m in messages if m["type"] == "chat"]
            self.assertEqual(ids, [f"m{number}" for number in range(10)])
            totals = [m["data"]["totalMessages"] for m in messages if m["type"] == "stats"]
            self.assertEqual(totals[-1], 10)
        published = [[m for m in messages if m["type"] != "stats"] for messages in received]
        self.assertEqual(published[0], published[1])

    def test_statuses_and_end(self) -> None:
        """Both are told of losses, of what changes, and of the end, with the same error."""
        subscribers = self.both()
        sink = self.platform.watchers[0].sink
        sink.interrupted("lost")
        sink.resumed(LiveInfo("live-ann", live=True))
        sink.resumed(LiveInfo("live-ann", live=False))
        sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        for subscriber in subscribers:
            self.assertEqual(
                subscriber.kinds(), ["reconnecting", "event", "started", "started", "STREAM_ENDED"]
            )
        self.assertEqual([hub.active_streams for hub in self.hubs], [0, 0])

    def test_failure(self) -> None:
        """A start that fails is one error for the clients of both."""
        subscribers = [self.subscribe(hub)[0] for hub in self.hubs]
        self.platform.watchers[0].fail()
        for subscriber in subscribers:
            self.assertEqual(subscriber.kinds(), ["STREAM_NOT_LIVE"])

    def test_late_joiner(self) -> None:
        """Who joins at the other hub later is greeted from what that one has been told."""
        first, _ = self.subscribe(self.hubs[0])
        self.platform.watchers[0].live(live=True)
        self.turn()
        late, _ = self.subscribe(self.hubs[1])
        self.assertEqual(late.kinds(), ["subscribed", "started", "stats"])
        self.platform.watchers[0].sink.interrupted("lost")
        later, _ = self.subscribe(self.hubs[1])
        self.assertEqual(later.kinds(), ["subscribed", "reconnecting", "stats"])
        first.taken()
        self.assertEqual(len(self.platform.watchers), 1)

    def test_hand_over(self) -> None:
        """When the last client of the leader leaves, the other hub watches on, without an end."""
        _, leaver = self.subscribe(self.hubs[0])
        other, _ = self.subscribe(self.hubs[1])
        first = self.platform.watchers[0]
        first.live()
        self.turn()
        other.taken()
        first.sink.received([chat("m1"), chat("m2")])
        self.hubs[0].unsubscribe(leaver)
        self.turn()
        self.assertEqual((first.stops, len(self.platform.watchers)), (1, 2))
        second = self.platform.watchers[1]
        second.live()
        # What both upstreams brought comes once.
        second.sink.received([chat("m2"), chat("m3")])
        self.turn(0.1)
        told = [m for m in other.taken() if m["type"] != "stats"]
        self.assertEqual(
            [m.get("status") or m["data"].get("message_id", "gap") for m in told],
            ["m1", "m2", "reconnecting", "gap", "started", "m3"],
        )

    def test_successor_cannot_start(self) -> None:
        """A chat that has flowed is sought on by the successor while its trouble may pass."""
        _, leaver = self.subscribe(self.hubs[0])
        other, _ = self.subscribe(self.hubs[1])
        self.platform.watchers[0].live()
        self.turn()
        self.hubs[0].unsubscribe(leaver)
        self.turn()
        other.taken()
        trouble = ChatError(ErrorCode.UPSTREAM_UNAVAILABLE, "No", temporary=True)
        started = self.platform.watchers[1].started
        assert started is not None
        started.errback(trouble)
        self.clock.advance(RESTART_PAUSE)
        self.platform.watchers[2].live()
        # The time of the trouble is told, too.
        self.assertEqual(other.kinds(), ["event", "started"])
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ShutdownTests(HubCase):
    """What is left when a hub stops in the middle of something."""

    def test_shutdown_during_a_take_over(self) -> None:
        """A start that is cancelled by the shutdown is not begun again."""
        subscriber, _ = self.live()
        channel = self.hub._channels[ChannelKey("twitch", "username", "ann")]
        channel._leader._start()
        self.successResultOf(self.hub.shutdown())
        self.turn(10)
        self.assertEqual(subscriber.kinds(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
