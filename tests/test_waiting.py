# SPDX-License-Identifier: MIT
"""Waiting for a channel: what those who wait are told, and how often the platform is asked."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import msgspec

from livechat.core.hub import Hub
from livechat.core.look_pace import HINT_LASTS, LookPace
from livechat.core.options import Options
from livechat.core.session import Quotas, Session
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey
from livechat.protocol.commands import Since
from tests.support.fakes import KeptMessages, ScriptedPlatform, chat, chats, services_on
from tests.test_hub import HubCase

WAIT = Options(wait=True)

#: Longer than any pause between two looks.
POLL = 62.0


class WaitCase(HubCase):
    """A hub whose looks are answered when the test says so."""

    linger = 0.0

    def setUp(self) -> None:
        """Nothing watched, nothing waited for."""
        super().setUp()
        self.services = services_on(self.clock, self.metrics)
        self.hub = Hub(
            self.services,
            linger=self.linger,
            max_channels=self.max_channels,
            pace=LookPace(Random(1)),
        )

    def waiting(self, name: str = "ann", **options: Any) -> KeptMessages:
        """Somebody who waits for a channel that is not live; what it was told is taken."""
        subscriber, _ = self.subscribe(name, Options(wait=True, **options))
        self.turn()
        self.watcher.fail()
        self.turn()
        self.assertEqual(subscriber.kinds(), ["subscribed", "waiting"])
        return subscriber

    def look(self, code: ErrorCode = ErrorCode.STREAM_NOT_LIVE, **more: Any) -> None:
        """The next look, which finds nothing."""
        self.turn(POLL)
        self.platform.absent(code, **more)
        self.turn()

    def find(self) -> None:
        """The next look, which finds the stream; it is live."""
        self.turn(POLL)
        self.platform.found()
        self.turn()
        self.watcher.live()
        self.turn()

    @property
    def looks(self) -> int:
        """How often the platform was asked."""
        return len(self.platform.looks_made)


class FirstLookTests(WaitCase):
    """What a subscribe is answered with."""

    def test_not_live(self) -> None:
        """Instead of STREAM_NOT_LIVE: `subscribed`, then `waiting` with the reason."""
        subscriber, _ = self.subscribe(sent="@Ann", options=Options(wait=True, id=7))
        self.turn()
        assert self.watcher.started is not None
        self.watcher.started.errback(
            ChatError(
                ErrorCode.STREAM_NOT_LIVE,
                "Soon",
                "UPCOMING",
                scheduled_start="2026-01-02T03:00:00.000Z",
            )
        )
        self.turn()
        names = {"identifier": "@Ann", "platform": "twitch", "channel": "ann", "id": 7}
        self.assertEqual(
            subscriber.taken(),
            [
                {"type": "status", "status": "subscribed", **names, "storage_type": "memory"},
                {
                    "type": "status",
                    "status": "waiting",
                    **names,
                    "details": "UPCOMING",
                    "scheduledStart": "2026-01-02T03:00:00.000Z",
                },
            ],
        )
        self.assertEqual((self.hub.active_streams, self.hub.waiting_streams), (0, 1))
        self.assertEqual(self.lost, [])

    def test_without_details(self) -> None:
        """Where the error says nothing but that it is not live, the reason is `OFFLINE`."""
        subscriber, _ = self.subscribe(options=WAIT)
        self.turn()
        self.watcher.fail()
        self.turn()
        self.assertEqual(subscriber.taken()[-1]["details"], "OFFLINE")

    def test_errors(self) -> None:
        """What does not exist or cannot be reached is refused at the first look."""
        for code in (ErrorCode.STREAM_NOT_FOUND, ErrorCode.UPSTREAM_UNAVAILABLE):
            subscriber, _ = self.subscribe(options=WAIT)
            self.turn()
            self.watcher.fail(code)
            self.turn()
            self.assertEqual(subscriber.kinds(), [code])
        self.assertEqual((self.hub.waiting_streams, len(self.lost)), (0, 2))

    def test_a_stream_that_is_over(self) -> None:
        """A channel whose last stream is over is waited for; a video has one stream only."""
        subscriber, _ = self.subscribe(options=WAIT)
        self.turn()
        self.watcher.fail(ErrorCode.STREAM_ENDED)
        self.turn()
        self.assertEqual(subscriber.taken()[-1]["details"], "ENDED")

    def test_others_are_refused(self) -> None:
        """Somebody who does not wait gets the error, beside one who does."""
        patient, _ = self.subscribe(options=WAIT)
        other, _ = self.subscribe()
        self.turn()
        self.watcher.fail()
        self.turn()
        self.assertEqual(patient.kinds(), ["subscribed", "waiting"])
        self.assertEqual(other.kinds(), ["STREAM_NOT_LIVE"])


class LookTests(WaitCase):
    """Looks while a channel is waited for."""

    def test_started(self) -> None:
        """When it is live: `started` and no second `subscribed`."""
        subscriber = self.waiting()
        self.find()
        self.assertEqual(subscriber.kinds(), ["started", "stats"])
        self.assertEqual((self.hub.active_streams, self.hub.waiting_streams), (1, 0))
        self.watcher.sink.received([chat("m1")])
        self.turn(0.02)
        self.assertEqual(subscriber.kinds()[0], "chat")

    def test_nothing_new(self) -> None:
        """Looks that find the same are not told."""
        subscriber = self.waiting()
        for _ in range(5):
            self.look()
        self.assertEqual((subscriber.kinds(), self.looks), ([], 5))

    def test_news(self) -> None:
        """Another reason or another announced time is told, once."""
        subscriber = self.waiting()
        for start in ("2026-01-02T03:00:00.000Z", "2026-01-02T04:00:00.000Z"):
            for _ in range(2):
                self.look(details="UPCOMING", scheduled_start=start)
            (told,) = subscriber.taken()
            self.assertEqual(
                (told["status"], told["details"], told["scheduledStart"]),
                ("waiting", "UPCOMING", start),
            )

    def test_troubles(self) -> None:
        """A platform that does not answer, or a look of ours that breaks, changes nothing."""
        subscriber = self.waiting()
        self.look(ErrorCode.UPSTREAM_UNAVAILABLE)
        self.turn(POLL)
        self.platform.looks_made[-1][2].errback(ZeroDivisionError())
        self.turn()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.find()
        self.assertEqual(subscriber.kinds(), ["started", "stats"])

    def test_refused(self) -> None:
        """A platform that says it is asked too often is asked half as often."""
        for name in ("ann", "bob", "cem", "dan"):
            self.waiting(name)
        self.turn(POLL)
        self.platform.absent(ErrorCode.UPSTREAM_UNAVAILABLE, details="RATE_LIMITED")
        self.turn(0.1)
        self.platform.absent()
        self.turn(0.15)
        self.assertEqual(self.looks, 2)
        self.turn(0.1)
        self.assertEqual(self.looks, 3)

    def test_from_begin_to_begin(self) -> None:
        """A look that takes long does not make the next one later."""
        self.waiting()
        self.turn(POLL)
        self.turn(20)
        self.platform.absent()
        self.turn(39)
        self.assertEqual(self.looks, 1)
        self.turn(3)
        self.assertEqual(self.looks, 2)

    def test_gone_meanwhile(self) -> None:
        """What is private or gone at a later look is waited for, too."""
        subscriber = self.waiting()
        self.look(ErrorCode.STREAM_NOT_FOUND, details="LOGIN_REQUIRED", temporary=True)
        self.assertEqual([m["details"] for m in subscriber.taken()], ["LOGIN_REQUIRED"])
        self.find()
        self.assertEqual(subscriber.kinds(), ["started", "stats"])

    def test_a_look_without_an_answer(self) -> None:
        """A look that is never answered is given up, and does not keep the others waiting."""
        self.waiting("ann")
        self.waiting("bob")
        self.waiting("cem")
        self.turn(POLL)
        self.turn(1)
        self.assertEqual(self.looks, 2)
        self.turn(60)
        self.turn(1)
        self.assertEqual(self.looks, 3)
        self.turn(POLL)
        self.turn(1)
        self.turn(1)
        self.assertGreater(self.looks, 3)

    def test_redirected(self) -> None:
        """The channel is live under another identity than before: that is what is watched."""
        subscriber = self.waiting()
        self.turn(POLL)
        self.platform.found("another")
        self.turn()
        self.assertEqual(self.watcher.key.identifier, "another")
        self.watcher.live()
        self.turn()
        (started, _) = subscriber.taken()
        self.assertEqual((started["liveId"], started["channel"]), ("live-another", "ann"))

    def test_a_look_that_lies(self) -> None:
        """A look found it live, the start did not: it is waited for again, and nobody is told."""
        subscriber = self.waiting()
        for code in (ErrorCode.STREAM_NOT_LIVE, ErrorCode.UPSTREAM_UNAVAILABLE):
            self.turn(POLL)
            self.platform.found()
            self.turn()
            self.watcher.fail(code)
            self.turn()
            self.assertEqual((subscriber.kinds(), self.hub.waiting_streams), ([], 1))
        self.find()
        self.assertEqual(subscriber.kinds(), ["started", "stats"])

    def test_since_when(self) -> None:
        """A look asks for what was written since the last one that was answered."""
        self.waiting()
        begun = self.clock.seconds()
        self.turn(POLL)
        self.assertEqual(self.platform.looks_made[-1][1], begun)
        self.platform.absent()
        answered = self.clock.seconds()
        self.look(ErrorCode.UPSTREAM_UNAVAILABLE)
        self.turn(POLL)
        self.assertEqual(self.platform.looks_made[-1][1], answered)


class HintTests(WaitCase):
    """A platform that tells when a stream begins: looks come sooner, and nothing else changes."""

    def test_at_once(self) -> None:
        """The look comes at once, and what it finds is told as ever."""
        subscriber = self.waiting()
        self.turn(1)
        self.platform.hint()
        self.turn()
        self.assertEqual((self.looks, subscriber.kinds()), (1, []))
        self.platform.found()
        self.turn()
        self.watcher.live()
        self.turn()
        self.assertEqual(subscriber.kinds(), ["started", "stats"])
        self.assertEqual(self.platform.listeners, [])

    def test_told_before_it_is_seen(self) -> None:
        """Looks may see later what is told: for two minutes they come every 15 s, not oftener."""
        self.waiting()
        began = self.clock.seconds()
        times: list[float] = []
        while self.clock.seconds() < began + 300:
            before = self.looks
            self.platform.hint()
            self.turn(0.5)
            if self.looks > before:
                times.append(self.clock.seconds() - began)
                self.platform.absent()
        gaps = [after - before for before, after in pairwise(times)]
        self.assertLess(times[0], 1)
        self.assertGreaterEqual(min(gaps[:7]), 15)
        self.assertLess(max(gaps[:7]), 17)

    def test_over(self) -> None:
        """A hint that proves wrong is forgotten after two minutes."""
        self.waiting()
        over = self.clock.seconds() + HINT_LASTS
        self.platform.hint()
        self.turn()
        self.assertEqual(self.looks, 1)
        self.platform.absent()
        while self.clock.seconds() < over + 14:
            before = self.looks
            self.turn(1)
            if self.looks > before:
                self.platform.absent()
        before = self.looks
        self.turn(44)
        self.assertEqual(self.looks, before)
        self.turn(20)
        self.assertEqual(self.looks, before + 1)

    def test_during_a_look(self) -> None:
        """What a look sees may be from before the hint: the next one follows at once."""
        self.waiting()
        self.turn(POLL)
        self.assertEqual(self.looks, 1)
        self.platform.hint()
        self.platform.hint()
        self.turn(1)
        self.assertEqual(self.looks, 1)
        self.platform.absent()
        self.turn()
        self.assertEqual(self.looks, 2)
        self.platform.absent()
        self.turn(14)
        self.assertEqual(self.looks, 2)

    def test_within_what_the_platform_bears(self) -> None:
        """A hint takes a turn of the platform's looks, before those that are just due."""
        names = [f"c{number}" for number in range(6)]
        for name in names:
            self.waiting(name)
        self.turn(1)
        for name in names:
            self.platform.hint(name)
        self.turn()
        self.assertEqual(self.looks, 1)
        self.turn(0.1)
        self.turn(0.1)
        self.assertEqual(self.looks, 2)

    def test_without_hints(self) -> None:
        """Looks go on as ever while nothing is told."""
        self.waiting()
        for _ in range(3):
            self.look()
        self.assertEqual(self.looks, 3)

    def test_nobody_waits_any_more(self) -> None:
        """Nothing is listened to any more, also when the last one leaves during a look."""
        for wait in (0.0, POLL):
            subscriber, subscription = self.subscribe(options=WAIT)
            self.turn()
            self.watcher.fail()
            self.turn(wait)
            (_, begun) = self.platform.listeners[0]
            self.hub.unsubscribe(subscription)
            self.assertEqual((self.platform.listeners, len(subscriber.taken())), ([], 2))
            before = self.looks
            begun()
            self.turn(1)
            self.assertEqual(self.looks, before)


class SharedTests(WaitCase):
    """Several who wait for one channel."""

    def test_shared(self) -> None:
        """All share one look; each is answered by its own identifier."""
        first = self.waiting()
        others = [self.subscribe(sent=f"@Ann{n}", options=WAIT)[0] for n in range(3)]
        for n, other in enumerate(others):
            told = other.taken()
            self.assertEqual([m["status"] for m in told], ["subscribed", "waiting"])
            self.assertEqual(told[1]["identifier"], f"@Ann{n}")
        self.find()
        self.assertEqual((self.looks, len(self.platform.watchers)), (1, 2))
        for each in (first, *others):
            self.assertEqual(each.kinds(), ["started", "stats"])

    def test_somebody_else_finds_it(self) -> None:
        """The start of one who does not wait takes those along who do."""
        patient = self.waiting()
        other, _ = self.subscribe()
        self.turn()
        self.watcher.live()
        self.turn()
        self.assertEqual(other.kinds(), ["subscribed", "started", "stats"])
        self.assertEqual(patient.kinds(), ["started", "stats"])
        self.assertEqual((self.hub.waiting_streams, self.looks), (0, 0))

    def test_somebody_else_finds_it_during_a_look(self) -> None:
        """The look is given up then, and its answer changes nothing."""
        patient = self.waiting()
        self.turn(POLL)
        self.subscribe()
        self.turn()
        self.watcher.live()
        self.turn()
        self.assertEqual(patient.kinds(), ["started", "stats"])
        self.turn(POLL * 10)
        self.assertEqual((self.looks, self.hub.waiting_streams), (1, 0))


class LeavingTests(WaitCase):
    """Who does not wait any more."""

    def test_unsubscribe(self) -> None:
        """The last one who leaves ends the looks; nothing stays on the clock."""
        subscriptions = [self.subscribe(options=WAIT)[1] for _ in range(2)]
        self.turn()
        self.watcher.fail()
        self.turn()
        self.hub.unsubscribe(subscriptions[0])
        self.assertEqual(self.hub.waiting_streams, 1)
        self.hub.unsubscribe(subscriptions[1])
        self.turn(POLL)
        self.assertEqual((self.hub.waiting_streams, self.looks), (0, 0))

    def test_unsubscribe_during_a_look(self) -> None:
        """The look is cancelled."""
        _, subscription = self.subscribe(options=WAIT)
        self.turn()
        self.watcher.fail()
        self.turn(POLL)
        self.assertEqual(self.looks, 1)
        self.hub.unsubscribe(subscription)
        self.turn(POLL)
        self.assertTrue(self.platform.looks_made[0][2].called)
        self.assertEqual((self.hub.waiting_streams, self.looks), (0, 1))

    def test_leaving_when_told(self) -> None:
        """Whoever leaves in the moment in which it is told leaves nothing behind."""
        subscriber, subscription = self.subscribe(options=WAIT)
        subscriber.upon = lambda: self.hub.unsubscribe(subscription)
        self.turn()
        self.watcher.fail()
        self.turn()
        self.assertEqual(self.hub.waiting_streams, 0)

    def test_shutdown(self) -> None:
        """At the end nobody is told anything, and nothing stays on the clock."""
        subscriber = self.waiting()
        self.hub.shutdown()
        self.turn(POLL)
        self.assertEqual(
            (subscriber.kinds(), self.looks, self.clock.getDelayedCalls()), ([], 0, [])
        )

    def test_no_more_wait(self) -> None:
        """A repeated subscribe without `wait` gets the error that it would have got."""
        subscriber, subscription = self.subscribe(options=WAIT)
        self.turn()
        self.watcher.fail()
        self.turn()
        subscriber.taken()
        self.hub.change(subscription, "ann", Options(id="now"))
        (error,) = subscriber.taken()
        self.assertEqual((error["code"], error["id"]), ("STREAM_NOT_LIVE", "now"))
        self.assertEqual((self.hub.waiting_streams, self.lost), (0, [subscription]))

    def test_still_wait(self) -> None:
        """A repeated subscribe with `wait` is answered anew, before the start and during it."""
        subscriber, subscription = self.subscribe(options=WAIT)
        self.turn()
        self.watcher.fail()
        self.turn()
        subscriber.taken()
        self.hub.change(subscription, "@ANN", Options(wait=True, id=1))
        told = subscriber.taken()
        self.assertEqual([m["status"] for m in told], ["subscribed", "waiting"])
        self.assertEqual([(m["identifier"], m["id"]) for m in told], [("@ANN", 1)] * 2)
        self.turn(POLL)
        self.platform.found()
        self.turn()
        self.hub.change(subscription, "ann", Options(wait=True, id=2))
        self.assertEqual(subscriber.kinds(), ["subscribed", "waiting"])
        self.watcher.live()
        self.turn()
        told = subscriber.taken()
        self.assertEqual([m.get("id") for m in told if m["type"] == "status"], [2])


class EndTests(WaitCase):
    """Streams that end and begin again."""

    def watching(self, **options: Any) -> KeptMessages:
        """Somebody who watches a channel and will wait for it."""
        subscriber, _ = self.subscribe(options=Options(wait=True, **options))
        self.turn()
        self.watcher.live()
        self.turn()
        subscriber.taken()
        return subscriber

    def end(self, details: str | None = None) -> None:
        """The stream ends."""
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over", details))
        self.turn()

    def test_frames(self) -> None:
        """`ended` with the stream's id, then `waiting`, and `started` for the next stream."""
        subscriber = self.watching(id="x")
        self.watcher.sink.received([chat("m1")])
        self.end()
        last, ended, waiting = subscriber.taken()
        names = {"identifier": "ann", "platform": "twitch", "channel": "ann", "id": "x"}
        self.assertEqual(last["data"]["message_id"], "m1")
        self.assertEqual(
            ended, {"type": "status", "status": "ended", "liveId": "live-ann", **names}
        )
        self.assertEqual(
            waiting, {"type": "status", "status": "waiting", **names, "details": "ENDED"}
        )
        self.turn(10)
        self.platform.found("second")
        self.turn()
        self.watcher.live()
        self.turn()
        started, stats = subscriber.taken()
        self.assertEqual((started["status"], started["liveId"]), ("started", "live-second"))
        self.assertEqual(stats["data"]["totalMessages"], 0)

    def test_video(self) -> None:
        """A video that is over is looked at seldom: it has one stream only."""
        subscriber = KeptMessages()
        key = ChannelKey("twitch", "liveId", "video")
        options = Options(wait=True)
        self.hub.subscribe(
            self.platform, Subscription(key, subscriber, "video", options, self.lost.append)
        )
        self.turn()
        self.watcher.live()
        self.turn()
        self.end()
        self.assertEqual(subscriber.kinds()[-2:], ["ended", "waiting"])
        self.turn(10)
        self.platform.absent(ErrorCode.STREAM_ENDED)
        self.turn(9 * POLL)
        self.assertEqual(self.looks, 1)
        self.turn(2 * POLL)
        self.assertEqual(self.looks, 2)

    def test_others(self) -> None:
        """Those who do not wait are told STREAM_ENDED."""
        patient = self.watching()
        other, _ = self.subscribe()
        other.taken()
        self.end("SUSPENDED")
        self.assertEqual(other.kinds(), ["STREAM_ENDED"])
        ended, _ = patient.taken()
        self.assertEqual((ended["status"], ended["details"]), ("ended", "SUSPENDED"))

    def test_soon(self) -> None:
        """The first look after an end comes within ten seconds, the next ones as usual."""
        self.watching()
        self.end()
        self.turn(10)
        self.assertEqual(self.looks, 1)
        self.platform.absent()
        self.turn(59)
        self.assertEqual(self.looks, 1)
        self.turn(3)
        self.assertEqual(self.looks, 2)

    def test_many_lives(self) -> None:
        """So it goes on, life after life."""
        subscriber = self.watching()
        for _ in range(3):
            self.end()
            self.assertEqual(subscriber.kinds(), ["ended", "waiting"])
            self.turn(10)
            self.platform.found()
            self.turn()
            self.watcher.live()
            self.turn()
            self.assertEqual(subscriber.kinds(), ["started", "stats"])

    def test_wait_is_dropped(self) -> None:
        """Whoever has taken `wait` back while the stream ran is told STREAM_ENDED."""
        subscriber, subscription = self.subscribe(options=WAIT)
        self.turn()
        self.watcher.live()
        self.turn()
        self.hub.change(subscription, "ann", Options())
        subscriber.taken()
        self.end()
        self.assertEqual(subscriber.kinds(), ["STREAM_ENDED"])

    def test_wait_is_asked_for_later(self) -> None:
        """And the reverse."""
        subscriber, subscription = self.subscribe()
        self.turn()
        self.watcher.live()
        self.turn()
        self.hub.change(subscription, "ann", WAIT)
        subscriber.taken()
        self.end()
        self.assertEqual(subscriber.kinds(), ["ended", "waiting"])

    def test_history_is_not_repeated(self) -> None:
        """In the next life nobody is given again what they were given in this one."""
        subscriber = self.watching(history=10)
        self.watcher.sink.received(chats(3))
        self.end()
        subscriber.taken()
        self.turn(10)
        self.platform.found()
        self.turn()
        self.watcher.live()
        self.turn()
        started, _ = subscriber.taken()
        # The three, and the gap that says that nobody watched for a while.
        self.assertEqual(started["seq"], 4)
        self.assertNotIn("recovered", started)

    def test_reload_while_waiting(self) -> None:
        """Who comes back while it is waited for goes on where it was, when the stream is live."""
        subscriber = self.watching()
        self.watcher.sink.received(chats(5))
        self.turn(0.02)
        last = self.hub.last(ChannelKey("twitch", "username", "ann"))
        epoch = self.successResultOf(last).epoch  # type: ignore[union-attr]
        self.end()
        subscriber.taken()
        back, _ = self.subscribe(options=Options(wait=True, since=Since(epoch, 3)))
        self.assertEqual(back.kinds(), ["subscribed", "waiting"])
        self.turn(10)
        self.platform.found()
        self.turn()
        self.watcher.live()
        self.turn()
        started, *missed, _ = back.taken()
        self.assertEqual((started["epoch"], started["recovered"]), (epoch, True))
        self.assertEqual([m["seq"] for m in missed], [4, 5])

    def test_end_while_catching_up(self) -> None:
        """An answer that is owed is given with the end."""
        subscriber, subscription = self.subscribe(options=Options(wait=True, history=5, id=1))
        self.turn()
        self.watcher.live()
        self.clock.advance(0)
        self.hub.change(subscription, "ann", Options(wait=True, id=2))
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.turn()
        told = [(m["status"], m.get("id")) for m in subscriber.taken() if m["type"] == "status"]
        self.assertEqual(told[-2:], [("ended", 2), ("waiting", 2)])

    def test_statistics(self) -> None:
        """Statistics can be asked for while it is waited."""
        subscriber, subscription = self.subscribe(options=WAIT)
        self.turn()
        self.watcher.live()
        self.watcher.sink.received(chats(3))
        self.end()
        subscriber.taken()
        stats = msgspec.json.decode(self.successResultOf(self.hub.stats(subscription)))
        self.assertEqual((stats["type"], stats["identifier"]), ("stats", "ann"))


class LimitTests(WaitCase):
    """How much may be waited for."""

    max_channels = 2

    def test_waiting(self) -> None:
        """As many channels are waited for as may be watched, apart from those."""
        self.waiting("a")
        self.waiting("b")
        self.live("c")
        refused, _ = self.subscribe("d", WAIT)
        self.turn()
        self.watcher.fail()
        self.turn()
        self.assertEqual(refused.kinds(), ["TOO_MANY_CHATS"])
        more, _ = self.subscribe("a", WAIT)
        self.assertEqual(more.kinds(), ["subscribed", "waiting"])

    def test_no_room(self) -> None:
        """A channel that is live while there is no room is waited for until there is."""
        subscriber = self.waiting("a")
        _, one = self.live("b")
        self.live("c")
        self.turn(POLL)
        self.platform.found()
        self.turn()
        self.assertEqual((subscriber.kinds(), self.hub.waiting_streams), ([], 1))
        self.hub.unsubscribe(one)
        self.find()
        self.assertEqual(subscriber.kinds(), ["started", "stats"])


class AllLivesTests(WaitCase):
    """`lives` names another channel of the core."""

    def test_apart(self) -> None:
        """One who wants all lives and one who wants the first have channels of their own."""
        self.subscribe()
        self.subscribe(options=Options(all_lives=True))
        self.turn()
        self.assertEqual(
            [watcher.key.identifier_type for watcher in self.platform.watchers],
            ["username", "lives"],
        )

    def test_changed(self) -> None:
        """A repeated subscribe moves from one to the other and is answered by that."""
        subscriber, subscription = self.live()
        self.hub.change(subscription, "ann", Options(all_lives=True, id=5))
        self.turn()
        self.assertEqual((subscriber.kinds(), self.hub.active_streams), ([], 1))
        self.assertEqual(self.platform.watchers[0].stops, 1)
        self.watcher.live()
        self.turn()
        told = subscriber.taken()
        self.assertEqual([m.get("status") for m in told], ["subscribed", "started", None])
        self.assertEqual(told[0]["id"], 5)

    def test_changed_before_the_start(self) -> None:
        """Both commands are answered by what the last one has asked for."""
        subscriber, subscription = self.subscribe(options=Options(id=1))
        self.turn()
        self.hub.change(subscription, "ann", Options(all_lives=True, id=2))
        self.turn()
        self.watcher.live()
        self.turn()
        told = [(m["status"], m["id"]) for m in subscriber.taken() if m["type"] == "status"]
        self.assertEqual(
            told, [("subscribed", 1), ("started", 1), ("subscribed", 2), ("started", 2)]
        )


class CommandTests(WaitCase):
    """The same by commands of a client."""

    def setUp(self) -> None:
        """A session."""
        super().setUp()
        self.client = KeptMessages()
        self.youtube = ScriptedPlatform("youtube")
        self.session = Session(
            self.client, self.hub, {"twitch": self.platform}, Quotas(), self.clock, self.metrics
        )

    def say(self, **command: Any) -> list[str]:
        """Send a command; what comes back."""
        self.session.received(msgspec.json.encode({"platform": "twitch", **command}))
        self.turn()
        return self.client.kinds()

    def test_commands(self) -> None:
        """While it is waited for, a chat is held: statistics, again, and unsubscribe."""
        self.say(type="subscribe", identifier="Ann", wait=True)
        self.watcher.fail()
        self.turn()
        self.assertEqual(self.client.kinds(), ["subscribed", "waiting"])
        self.assertEqual(self.say(type="get_stats"), ["stats"])
        again = self.say(type="subscribe", identifier="Ann", wait=True)
        self.assertEqual(again, ["subscribed", "waiting"])
        self.assertEqual(self.say(type="unsubscribe", identifier="ann"), ["unsubscribed"])
        self.assertEqual(self.hub.waiting_streams, 0)
        self.assertEqual(self.say(type="get_stats"), ["NO_ACTIVE_CHAT"])

    def test_closed(self) -> None:
        """A connection that is gone waits for nothing."""
        self.say(type="subscribe", identifier="Ann", wait=True)
        self.watcher.fail()
        self.turn()
        self.session.closed()
        self.assertEqual(self.hub.waiting_streams, 0)

    def test_without_wait(self) -> None:
        """A repeated subscribe without it while waiting: the error, and nothing is held."""
        self.say(type="subscribe", identifier="Ann", wait=True)
        self.watcher.fail()
        self.turn()
        self.client.taken()
        self.assertEqual(self.say(type="subscribe", identifier="Ann"), ["STREAM_NOT_LIVE"])
        self.assertTrue(self.session.holds_nothing)
