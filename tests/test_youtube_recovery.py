# SPDX-License-Identifier: MIT
"""A YouTube chat that was started: its pace, what can break it, what mends it, and its end."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

from livechat.model.events import ChannelEvent
from livechat.platforms.youtube.outage import MAX_SIGN_IN_PAGES, RECHECK_AFTER
from livechat.platforms.youtube.settings import YouTubeSettings
from livechat.platforms.youtube.upstream import TOKEN_AGE, TOKEN_SILENCE
from livechat.simulator.youtube import Settings
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_tokens import place
from tests.support.events import fields_of
from tests.support.youtube import KeptEvents, YouTubeCase

POLL = "/youtubei/v1/live_chat/get_live_chat"
ENDED = "ended STREAM_ENDED None"


class RecoveryCase(YouTubeCase):
    """A chat that has started."""

    def setUp(self) -> None:
        """Somebody watches ann."""
        super().setUp()
        self.watcher, self.sink = self.watched()
        self.asked()

    def heard(self, seconds: float) -> list[str]:
        """What is told within some seconds."""
        self.run_for(seconds)
        return self.sink.take()

    def faulty(self, fault: YouTubeFault, seconds: float) -> list[str]:
        """What is told while something is wrong for some seconds."""
        self.simulator.faults.add(fault)
        heard = self.heard(seconds)
        self.simulator.faults.discard(fault)
        return heard


class PaceTests(RecoveryCase):
    """How often is asked."""

    def test_busy(self) -> None:
        """While people write: about once a second, never as seldom as YouTube allows."""
        for _ in range(60):
            self.say("x")
            self.run_for(1)
        polls = len(self.asked(POLL))
        self.assertGreaterEqual(polls, 45)
        self.assertLessEqual(polls, 61)

    def test_idle(self) -> None:
        """While nobody writes: every few seconds, and after minutes as seldom as YouTube allows."""
        self.run_for(60)
        self.assertIn(len(self.asked(POLL)), range(18, 24))
        self.run_for(80)
        self.asked()
        self.run_for(100)
        self.assertIn(len(self.asked(POLL)), range(9, 12))

    def test_awake_again(self) -> None:
        """The first message after a silence brings the quick pace back."""
        self.run_for(200)
        self.say("hello")
        self.run_for(11)
        self.assertEqual(self.sink.take(), ["hello"])
        self.asked()
        self.say("and")
        self.run_for(3)
        self.assertEqual(self.sink.take(), ["and"])


class TroubleTests(RecoveryCase):
    """No usable answers for a while."""

    def test_hiccups(self) -> None:
        """One answer that fails, or is no chat, is nobody's business, and nothing is lost."""
        for mishap in (YouTubeMishap.GARBAGE_ONCE, YouTubeMishap.GONE_ONCE):
            self.simulator.strike(mishap)
            self.say(f"during {mishap.name}")
            self.assertEqual(self.heard(8), [f"during {mishap.name}"])
        self.assertEqual(self.asked("/watch"), [])

    def test_outages(self) -> None:
        """Told once, and once that it is over; what was written meanwhile is delivered then."""
        for fault in (
            YouTubeFault.POLL_503,
            YouTubeFault.POLL_429,
            YouTubeFault.POLL_GARBAGE,
            YouTubeFault.POLL_HANG,
            YouTubeFault.BOMB,
        ):
            self.say("before")
            self.assertEqual(self.heard(12), ["before"])
            self.simulator.faults.add(fault)
            self.say("meanwhile")
            self.assertEqual(self.heard(45), ["interrupted"], fault)
            self.simulator.faults.clear()
            self.assertEqual(self.heard(65), ["meanwhile", "resumed"], fault)

    def test_ten_minutes(self) -> None:
        """However long it lasts the chat is sought again, ever more seldom, and found."""
        self.simulator.faults = {YouTubeFault.POLL_503, YouTubeFault.PAGE_503}
        self.assertEqual(self.heard(600), ["interrupted"])
        self.assertLess(len(self.asked()), 90)
        self.simulator.faults.clear()
        self.say("after")
        heard = self.heard(RECHECK_AFTER)
        self.assertEqual(heard, ["after", "resumed"])

    def test_stale_token(self) -> None:
        """After a long outage the token is refused: a fresh one is had from the page."""
        self.assertEqual(self.faulty(YouTubeFault.POLL_503, RECHECK_AFTER + 40), ["interrupted"])
        self.simulator.strike(YouTubeMishap.EXPIRE)
        self.say("after")
        self.assertEqual(self.heard(60), ["after", "resumed"])

    def test_patience(self) -> None:
        """Asked to wait so long, we do."""
        self.simulator.settings = Settings(retry_after=20)
        self.simulator.faults.add(YouTubeFault.POLL_429)
        self.run_for(4)
        self.asked()
        self.run_for(14)
        self.assertEqual(self.asked(), [])

    def test_expired_token(self) -> None:
        """A token that is refused is replaced without a word; nothing is lost, nothing doubled."""
        self.say("one", item_id="1")
        self.assertEqual(self.heard(4), ["one"])
        self.simulator.strike(YouTubeMishap.EXPIRE)
        self.say("two", item_id="2")
        self.assertEqual(self.heard(8), ["two"])
        self.assertEqual(self.asked("/watch"), ["/watch"])

    def test_refused_though_live(self) -> None:
        """Live, says the page; no chat, say the answers: told, and sought until it is back."""
        for fault in (YouTubeFault.POLL_GONE, YouTubeFault.POLL_REFUSED, YouTubeFault.POLL_403):
            self.assertEqual(self.faulty(fault, 60), ["interrupted"], fault)
            self.say("back")
            self.assertEqual(self.heard(60)[:2], ["back", "resumed"], fault)

    def test_refused_again_and_again(self) -> None:
        """An opened chat whose every next answer is none: pages are not asked for in a circle."""
        ask = self.simulator.chat

        def once(text: str) -> tuple[int, dict[str, Any]]:
            where = place(text)
            return ask(text) if where is None or where.position < 0 else (400, {"error": {}})

        self.patch(self.simulator, "chat", once)
        heard = self.heard(300)
        self.assertLess(len(self.asked("/watch")), 300 / 20 + 2)
        self.assertEqual(heard, ["interrupted", "resumed"] * (len(heard) // 2))

    def test_another_feed(self) -> None:
        """Where only Top chat is left the chat goes on, and who comes later is told the truth."""
        self.simulator.faults.add(YouTubeFault.TOP_ONLY)
        self.run_for(8)
        self.say("hello")
        self.assertEqual(self.heard(4), ["resumed", "hello"])
        self.assertEqual([info.feed for info in self.sink.infos], ["top"])

    def test_fault_of_ours(self) -> None:
        """A step that fails by a fault of ours is logged, and the chat goes on after a while."""
        calls: list[int] = []
        chat = self.youtube._client.chat

        def fails(*arguments: Any) -> Any:
            calls.append(1)
            return chat(*arguments) if len(calls) > 1 else 1 / 0

        self.patch(self.youtube._client, "chat", fails)
        self.say("after")
        self.assertEqual(self.heard(28), [])
        self.assertEqual(self.heard(10), ["after"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_answer_that_we_stumble_over(self) -> None:
        """A fault of ours in an answer costs no message: the chat is opened anew, and goes on."""
        calls: list[int] = []

        def fails(_: object) -> None:
            calls.append(1)
            if len(calls) == 1:
                raise ZeroDivisionError

        (upstream,) = self.youtube._watches
        self.patch(upstream, "_count", fails)
        self.say("in it")
        self.assertEqual(self.heard(10), ["interrupted", "in it", "resumed"])
        self.assertEqual(self.asked("/watch"), ["/watch"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.say("after it")
        self.assertEqual(self.heard(5), ["after it"])

    def test_page_kept_from_us(self) -> None:
        """While the page cannot tell, the chat is asked on, and found when it is back."""
        for fault in (YouTubeFault.CONSENT, YouTubeFault.PAGE_429, YouTubeFault.PAGE_HANG):
            self.simulator.faults = {fault, YouTubeFault.POLL_GONE}
            self.assertEqual(self.heard(40), ["interrupted"], fault)
            self.simulator.faults = {fault}
            self.say("back")
            self.assertEqual(self.heard(70)[:2], ["back", "resumed"], fault)
            self.simulator.faults = set()
            self.run_for(70)
            self.sink.take()


class RenewalTests(RecoveryCase):
    """Tokens that are old, or dead without a word."""

    def test_dead_in_silence(self) -> None:
        """A chat that has gone silent gets a fresh token after some minutes, and what it missed."""
        self.simulator.strike(YouTubeMishap.DEADEN)
        self.say("unheard")
        self.assertEqual(self.heard(TOKEN_SILENCE - 20), [])
        self.assertEqual(self.heard(60), ["unheard"])
        self.assertEqual(self.asked("/live_chat"), ["/live_chat"])
        self.say("heard")
        self.assertEqual(self.heard(15), ["heard"])

    def test_regularly(self) -> None:
        """A busy chat gets one now and then, without a gap and without a word."""
        said: list[str] = []
        for n in range(int(TOKEN_AGE / 5) + 10):
            said.append(f"message {n}")
            self.say(said[-1], item_id=f"id {n}")
            self.run_for(5, 0.5)
        self.assertEqual(self.sink.take(), said)
        self.assertEqual(self.asked("/live_chat"), ["/live_chat"])

    def test_kept_from_us(self) -> None:
        """Where the page cannot be had the old token goes on working."""
        for fault in (YouTubeFault.PAGE_503, YouTubeFault.CONSENT, YouTubeFault.PAGE_GARBAGE):
            self.simulator.faults = {fault}
            self.run_for(TOKEN_SILENCE + 10, 1.0)
            self.assertEqual(self.asked("/live_chat"), ["/live_chat"])
            self.say("still here")
            self.assertEqual(self.heard(12), ["still here"], fault)

    def test_top_stays_top(self) -> None:
        """What was told of the feed stays true."""
        self.simulator.faults.add(YouTubeFault.TOP_ONLY)
        _, sink = self.watched("bob")
        self.run_for(TOKEN_SILENCE + 20, 1.0)
        self.say("hello", "bob")
        self.run_for(12)
        self.assertEqual([word for word in sink.take() if word != "interrupted"], ["hello"])


class EndTests(RecoveryCase):
    """Streams that are over."""

    def test_end(self) -> None:
        """Told once, after the last messages and a look at the page; then nothing is asked."""
        self.say("bye")
        self.run_for(2)
        self.simulator.end("ann")
        self.assertEqual(self.heard(8), ["bye", ENDED])
        pages = [path for path in self.asked() if path != POLL]
        self.assertEqual(pages, ["/watch"])
        self.assertEqual(self.heard(60), [])
        self.assertEqual((self.asked(), self.clock.getDelayedCalls()), ([], []))

    def test_every_watcher(self) -> None:
        """A video's end is told to each of its watchers."""
        sinks = [self.watched(self.simulator.video_id("ann"), "liveId")[1] for _ in range(2)]
        self.simulator.strike(YouTubeMishap.END)
        self.run_for(10)
        self.assertEqual([sink.take() for sink in sinks], [[ENDED]] * 2)

    def test_another_stream(self) -> None:
        """The chat of a video ends with it, also where its channel begins another stream."""
        self.say("in the first")
        self.assertEqual(self.heard(3), ["in the first"])
        _, by_video = self.watched(self.simulator.video_id("ann"), "liveId")
        self.simulator.begin_anew("ann")
        self.say("in the second")
        self.assertEqual(self.heard(8), [ENDED])
        self.assertEqual(by_video.take(), [ENDED])
        # Asking again leads to the second.
        _, again = self.watched("ann")
        self.say("still in the second")
        self.run_for(3)
        self.assertEqual(again.take(), ["still in the second"])

    def test_end_during_trouble(self) -> None:
        """A stream that ends while YouTube is in trouble: interrupted, and then the end."""
        self.simulator.faults = {YouTubeFault.POLL_503, YouTubeFault.PAGE_503}
        self.run_for(30)
        self.simulator.end("ann")
        self.run_for(30)
        self.simulator.faults.clear()
        self.assertEqual(self.heard(90), ["interrupted", ENDED])

    def test_made_private(self) -> None:
        """A video that goes on asking to sign in, its chat gone, is over in the end."""
        self.simulator.faults = {YouTubeFault.SIGN_IN}
        heard = self.heard(60.0 * MAX_SIGN_IN_PAGES)
        self.assertEqual(heard, ["interrupted", "ended STREAM_ENDED LOGIN_REQUIRED"])

    def test_not_for_a_moment(self) -> None:
        """One that asks to sign in for a moment is not."""
        self.assertEqual(self.faulty(YouTubeFault.SIGN_IN, 6), ["interrupted"])
        self.say("still here")
        self.assertEqual(self.heard(60), ["still here", "resumed"])


class HintTests(YouTubeCase):
    """The viewer count as a sign of the end."""

    settings = YouTubeSettings(viewers_every=30.0)

    def viewers(self, sink: KeptEvents) -> list[int]:
        """The viewer counts that were told."""
        events = (event for event in sink.events if isinstance(event, ChannelEvent))
        return [fields_of(event).viewers for event in events if event.type == "viewers"]

    def test_hint(self) -> None:
        """Nobody is said to be watching: the page is asked, and what it says counts."""
        _, sink = self.watched()
        self.patch(self.simulator, "is_live", lambda _: False)
        self.asked()
        self.run_for(150)
        self.assertEqual(self.asked("/watch"), ["/watch"])
        self.assertNotIn(ENDED, sink.take())
        self.say("still here")
        self.run_for(10)
        self.assertEqual(sink.take(), ["still here"])

    def test_of_an_ended_stream(self) -> None:
        """The views of an ended video are not taken for viewers."""
        _, sink = self.watched()
        self.run_for(2)
        viewers = self.viewers(sink)
        self.simulator.end("ann")
        self.run_for(40)
        self.assertEqual([word for word in sink.take() if word.startswith("ended")], [ENDED])
        self.assertEqual(self.viewers(sink), viewers)


class AnyTroubleTests(YouTubeCase):
    """Faults of every kind, in any order, for any time."""

    #: Faults that take nothing from the chat for good.
    FAULTS = tuple(fault for fault in YouTubeFault if fault is not YouTubeFault.SIGN_IN)
    MISHAPS = (
        YouTubeMishap.EXPIRE,
        YouTubeMishap.DEADEN,
        YouTubeMishap.GONE_ONCE,
        YouTubeMishap.GARBAGE_ONCE,
    )

    def test_any_trouble(self) -> None:
        """What was written arrives in order and once, and no interruption is left open."""
        for seed in range(3):
            self.check(Random(seed), f"ann{seed}")

    def check(self, random: Random, name: str) -> None:
        """One chat through an hour of trouble."""
        watcher, sink = self.watched(name)
        said: list[str] = []

        def say() -> None:
            said.append(f"{name} {len(said)}")
            self.say(said[-1], name, item_id=said[-1])

        for _ in range(60):
            self.simulator.faults.clear()
            chance = random.random()
            if chance < 0.35:
                self.simulator.faults.update(random.sample(self.FAULTS, random.randint(1, 2)))
            elif chance < 0.6:
                self.simulator.strike(random.choice(self.MISHAPS))
            for _ in range(random.randint(0, 3)):
                say()
            self.run_for(random.choice((2, 10, 40, 100)), 0.5)
        self.simulator.faults.clear()
        self.run_for(TOKEN_SILENCE + RECHECK_AFTER, 0.5)
        say()
        self.run_for(15)
        heard = sink.take()
        self.assertEqual([word for word in heard if word.startswith(name)], said)
        changes = [word for word in heard if word in ("interrupted", "resumed")]
        self.assertIn("interrupted", changes)
        self.assertNotIn(("interrupted", "interrupted"), pairwise(changes))
        self.assertEqual(changes[-1], "resumed")
        watcher.stop()


class ManyTests(YouTubeCase):
    """A hundred chats through one outage."""

    def test_hundred(self) -> None:
        """All are back by themselves, their attempts spread and few."""
        sinks: list[KeptEvents] = []
        for n in range(100):
            sinks.append(self.start(f"name{n}")[1])
        self.run_for(40, 0.5)
        for sink in sinks:
            sink.take()
        self.asked()
        self.simulator.faults = {YouTubeFault.POLL_503, YouTubeFault.PAGE_503}
        polls: list[int] = []
        for _ in range(300):
            self.run_for(2, 0.5)
            polls.append(len(self.asked(POLL)))
        # Full jitter with a ceiling of 30 s: every 15 s on average, and no chorus after the first.
        self.assertLess(sum(polls), 100 * (600 / 15 * 1.3 + 5))
        self.assertLess(max(polls[30:]), 0.07 * sum(polls[30:]))
        self.assertEqual({tuple(sink.take()) for sink in sinks}, {("interrupted",)})
        self.simulator.faults.clear()
        self.run_for(120, 0.5)
        self.assertEqual({tuple(sink.take()) for sink in sinks}, {("resumed",)})
