# SPDX-License-Identifier: MIT
"""Times in which a YouTube chat was not received, and what YouTube gave of them afterwards."""

from __future__ import annotations

from typing import Any

from livechat.core.ports import Recovery
from livechat.model.chat import ChatMessage
from livechat.model.events import seconds_of
from livechat.platforms.youtube import upstream
from livechat.platforms.youtube.liveness import refresh_token
from livechat.platforms.youtube.platform import YouTube
from livechat.platforms.youtube.upstream import TOKEN_SILENCE, TRUSTED
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_stream import BACKLOG
from tests.support.context import context_on
from tests.support.youtube import KeptEvents, YouTubeCase

POLL = "/youtubei/v1/live_chat/get_live_chat"


class GapCase(YouTubeCase):
    """A chat in which somebody writes once a second."""

    def setUp(self) -> None:
        """Nobody has written yet."""
        super().setUp()
        self.said: list[str] = []

    def talk(self, seconds: int, per_second: int = 1) -> None:
        """People write for some seconds."""
        for _ in range(seconds):
            for n in range(per_second):
                self.said.append(f"message {len(self.said)}")
                self.say(self.said[-1], ago=-0.9 * n / per_second)
            self.run_for(1)

    def lose(self, fault: YouTubeFault, seconds: int, per_second: int = 1) -> None:
        """People go on writing while something is wrong."""
        self.simulator.faults.add(fault)
        self.talk(seconds, per_second)
        self.simulator.faults.discard(fault)

    def texts(self, sink: KeptEvents) -> list[str]:
        """What was delivered, in order."""
        return [event.data.content.raw for event in sink.events if isinstance(event, ChatMessage)]

    def standing(self, votes: str) -> tuple[dict[str, Any], ...]:
        """A pinned message, an open poll and YouTube's greeting, under another id each time."""
        header = {"pollHeaderRenderer": {"metadataText": {"runs": [{"text": votes}]}}}
        poll = {"liveChatPollId": "p", "header": header, "choices": [{"text": {"simpleText": "a"}}]}
        message = {
            "id": "pinned",
            "authorName": {"simpleText": "@ann"},
            "authorExternalChannelId": "UC1",
            "message": {"simpleText": "read me"},
        }
        banner = {"actionId": "banner", "contents": {"liveChatTextMessageRenderer": message}}
        panel = {"liveChatActionPanelRenderer": {"contents": {"pollRenderer": poll}}}
        greeting = {
            "id": f"greeting {votes}",
            "timestampUsec": str(int((self.clock.seconds() + 1) * 1e6)),
            "icon": {"iconType": "YOUTUBE_ROUND"},
            "message": {"simpleText": "Welcome to live chat!"},
        }
        return (
            {"addBannerToLiveChatCommand": {"bannerRenderer": {"liveChatBannerRenderer": banner}}},
            {"showLiveChatActionPanelAction": {"panelToShow": panel}},
            {"addChatItemAction": {"item": {"liveChatViewerEngagementMessageRenderer": greeting}}},
        )

    def names(self, recovery: Recovery) -> list[str]:
        """The texts of what was given afterwards."""
        return [e.data.content.raw for e in recovery.events if isinstance(e, ChatMessage)]

    def only(self, sink: KeptEvents) -> Recovery:
        """The only recovery that was reported."""
        self.assertEqual(len(sink.recoveries), 1)
        return sink.recoveries[0]


class LossTests(GapCase):
    """The upstream was lost while somebody watched."""

    def test_asked_on(self) -> None:
        """With the old token everything comes, once, in order, with the times of its writing."""
        _, sink = self.watched()
        self.talk(5)
        self.lose(YouTubeFault.POLL_503, 20)
        self.run_for(20)
        self.talk(5)
        self.run_for(5)
        self.assertEqual(self.texts(sink), self.said)
        recovery = self.only(sink)
        self.assertEqual(recovery.extent, "all")
        times = [event.timestamp for event in sink.events]
        self.assertEqual(times, sorted(set(times)))
        heard = sink.take()
        self.assertLess(heard.index("interrupted"), heard.index("message 20"))
        self.assertLess(heard.index("message 20"), heard.index("resumed"))
        self.assertEqual(self.asked("/watch"), [])

    def test_since(self) -> None:
        """The loss began with the last good answer, not when it was told."""
        _, sink = self.watched()
        self.talk(5)
        last = seconds_of(sink.events[-1].timestamp)
        self.lose(YouTubeFault.POLL_HANG, 30)
        (since,) = sink.losses
        assert since is not None
        self.assertTrue(last <= since <= last + 2.5, since - last)

    def test_reopened(self) -> None:
        """Where the token was refused, what the chat repeats of its past joins on to the rest."""
        _, sink = self.watched()
        self.talk(5)
        self.lose(YouTubeFault.POLL_503, 20)
        self.simulator.strike(YouTubeMishap.EXPIRE)
        self.run_for(40)
        self.talk(5)
        self.run_for(5)
        self.assertEqual(self.texts(sink), self.said)
        self.assertEqual(self.only(sink).extent, "all")
        self.assertEqual(self.asked("/watch"), ["/watch"])

    def test_too_much(self) -> None:
        """Where more was written than YouTube repeats, what it repeats comes, and is not all."""
        _, sink = self.watched()
        self.talk(5)
        self.lose(YouTubeFault.POLL_503, 20, per_second=8)
        self.simulator.strike(YouTubeMishap.EXPIRE)
        self.run_for(40)
        self.assertEqual(self.only(sink).extent, "latest")
        self.assertEqual(self.texts(sink), self.said[:5] + self.said[-BACKLOG:])

    def test_long_outage(self) -> None:
        """What an old token gives after minutes is passed on; nobody knows whether it is all."""
        _, sink = self.watched()
        self.talk(5)
        self.lose(YouTubeFault.POLL_503, int(TRUSTED) + 30)
        self.run_for(60)
        self.assertEqual(self.only(sink).extent, "some")
        self.assertEqual(self.texts(sink), self.said)

    def test_long_outage_of_a_quiet_chat(self) -> None:
        """The past that it repeats when it is opened anew tells that nothing is missing."""
        _, sink = self.watched()
        self.talk(5)
        self.simulator.faults.add(YouTubeFault.POLL_503)
        self.run_for(TRUSTED + 30)
        self.talk(5)
        self.simulator.faults.clear()
        self.simulator.strike(YouTubeMishap.EXPIRE)
        self.run_for(60)
        self.assertEqual(self.only(sink).extent, "all")
        self.assertEqual(self.texts(sink), self.said)

    def test_quiet(self) -> None:
        """A chat in which nobody has ever written misses nothing, whichever way it comes back."""
        _, sink = self.watched()
        for mishap in ((), (YouTubeMishap.EXPIRE,)):
            self.simulator.faults.add(YouTubeFault.POLL_503)
            self.run_for(20)
            self.simulator.faults.clear()
            for one in mishap:
                self.simulator.strike(one)
            self.run_for(40)
        self.assertEqual([list(recovery.events) for recovery in sink.recoveries], [[], []])
        self.assertEqual({recovery.extent for recovery in sink.recoveries}, {"all"})

    def test_hiccup(self) -> None:
        """An answer that fails now and then is no gap."""
        _, sink = self.watched()
        for mishap in (YouTubeMishap.GARBAGE_ONCE, YouTubeMishap.GONE_ONCE, YouTubeMishap.EXPIRE):
            self.simulator.strike(mishap)
            self.talk(10)
        self.run_for(10)
        self.assertEqual((sink.recoveries, sink.losses), ([], []))
        self.assertEqual(self.texts(sink), self.said)

    def test_only_top_chat_is_left(self) -> None:
        """Where YouTube gives only Top chat from now on, nobody says that it gave all."""
        _, sink = self.watched()
        self.talk(3)
        self.lose(YouTubeFault.POLL_503, 20)
        self.simulator.faults.add(YouTubeFault.TOP_ONLY)
        self.run_for(40)
        self.assertEqual(self.only(sink).extent, "some")
        self.assertEqual(sink.infos[-1].feed, "top")

    def test_dead_token(self) -> None:
        """A token was dead in a busy chat: more was written than is repeated, which is told."""
        _, sink = self.watched()
        self.talk(5)
        self.simulator.strike(YouTubeMishap.DEADEN)
        began = self.clock.seconds()
        self.talk(int(TOKEN_SILENCE) + 20)
        self.assertEqual(self.only(sink).extent, "latest")
        (since,) = sink.losses
        assert since is not None
        self.assertTrue(began - 3 <= since <= began + 3, since - began)
        self.assertEqual(self.texts(sink), self.said[:5] + self.texts(sink)[5:])
        self.run_for(3)
        self.assertEqual(self.texts(sink)[-1], self.said[-1])


class RenewalTests(GapCase):
    """A fresh token for a chat in which more is written at once than YouTube repeats."""

    def test_busy(self) -> None:
        """What was written while the page was fetched is asked for with the old token first."""
        _, sink = self.watched()
        self.talk(3)

        async def slow(*arguments: Any) -> Any:
            fresh = await refresh_token(*arguments)
            for _ in range(2 * BACKLOG):
                self.said.append(f"message {len(self.said)}")
                self.say(self.said[-1], ago=0.01)
            return fresh

        self.patch(upstream, "refresh_token", slow)
        self.patch(upstream, "TOKEN_AGE", 5.0)
        self.talk(4)
        self.patch(upstream, "TOKEN_AGE", 500.0)
        self.talk(4)
        self.run_for(3)
        self.assertEqual(len(self.asked("/live_chat")), 1)
        self.assertEqual((sink.losses, sink.recoveries), ([], []))
        self.assertEqual(self.texts(sink), self.said)

    def test_dead(self) -> None:
        """An old token that gives nothing any more does not hinder the fresh one."""
        _, sink = self.watched()
        self.talk(3)
        self.patch(upstream, "TOKEN_AGE", 5.0)
        for mishap in (YouTubeMishap.DEADEN, YouTubeMishap.EXPIRE):
            self.simulator.strike(mishap)
            self.talk(8)
        self.run_for(3)
        self.assertEqual((sink.losses, sink.recoveries), ([], []))
        self.assertEqual(self.texts(sink), self.said)


class StandingTests(GapCase):
    """What every answer begins with that repeats the past."""

    def test_not_doubled(self) -> None:
        """Pins, polls and greetings are told once, whatever happens to the chat."""
        for action in self.standing("1 vote"):
            self.simulator.say("ann", action)
        _, sink, started = self.start("ann")
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(sorted(sink.take()), ["notice", "pin", "poll"])
        self.talk(3)
        self.lose(YouTubeFault.POLL_503, 20)
        self.simulator.strike(YouTubeMishap.EXPIRE)
        for action in self.standing("2 votes"):
            self.simulator.say("ann", action)
        self.run_for(40)
        self.assertLessEqual(
            set(sink.take()), {*self.said, "interrupted", "resumed"}, self.texts(sink)
        )
        self.assertEqual(self.texts(sink), self.said)

    def test_prove_nothing(self) -> None:
        """They do not prove that what came reaches back to what was known."""
        _, sink = self.watched()
        for action in self.standing("1 vote"):
            self.simulator.say("ann", action)
        self.talk(3)
        self.lose(YouTubeFault.POLL_503, 20, per_second=8)
        self.simulator.strike(YouTubeMishap.EXPIRE)
        for action in self.standing("2 votes"):
            self.simulator.say("ann", action)
        self.run_for(40)
        recovery = self.only(sink)
        self.assertEqual(recovery.extent, "latest")
        self.assertEqual({type(event) for event in recovery.events}, {ChatMessage})


class UnwatchedTests(GapCase):
    """Nobody watched for a while, and somebody has come back in time."""

    def away(self, seconds: int, per_second: int = 1) -> KeptEvents:
        """Somebody watches, leaves, people go on, and somebody comes."""
        watcher, first = self.watched()
        self.talk(10)
        watcher.stop()
        self.before = self.texts(first)
        self.talk(seconds, per_second)
        second = KeptEvents()
        second.knows(first)
        self.again, _ = self.begin_for(second, "ann")
        self.run_for(1)
        return second

    def test_all(self) -> None:
        """What was written meanwhile comes once, in order, and is known to be all."""
        for seconds in (40, 3, 30):
            sink = self.away(seconds)
            self.assertEqual(self.only(sink).extent, "all")
            self.assertEqual(self.before + self.texts(sink), self.said)
            self.talk(3)
            self.run_for(3)
            self.assertEqual(self.before + self.texts(sink), self.said)
            self.again.stop()
            self.said.clear()
            self.run_for(1000)

    def test_too_much(self) -> None:
        """Where more was written than YouTube repeats, it is not all."""
        sink = self.away(40, per_second=4)
        self.assertEqual(self.only(sink).extent, "latest")
        self.assertEqual(self.texts(sink), self.said[-BACKLOG:])

    def test_quiet(self) -> None:
        """A chat is quiet whose last message is older than what the core remembers."""
        self.talk(3)
        watcher, first = self.watched()
        self.talk(3)
        self.run_for(500)
        watcher.stop()
        self.run_for(100)
        second = KeptEvents()
        second.received_until = seconds_of(first.events[-1].timestamp)
        self.begin_for(second, "ann")
        self.run_for(3)
        self.assertEqual(self.only(second), Recovery([], "all"))
        self.assertEqual(second.take(), [])

    def test_standing(self) -> None:
        """Pins and polls are not told again."""
        standing = self.standing("1 vote")
        watcher, first = self.watched()
        for action in standing:
            self.simulator.say("ann", action)
        self.talk(3)
        watcher.stop()
        self.assertLessEqual({"pin", "poll"}, set(first.take()))
        for action in standing:
            self.simulator.say("ann", action)
        second = KeptEvents()
        second.received_until = self.clock.seconds()
        self.begin_for(second, "ann")
        self.run_for(3)
        self.assertLessEqual(set(second.take()), set(self.said))

    def test_start_that_fails(self) -> None:
        """A start that fails in between forgets nothing."""
        watcher, first = self.watched()
        self.talk(5)
        self.run_for(2)
        watcher.stop()
        self.simulator.faults.add(YouTubeFault.PAGE_503)
        failing = KeptEvents()
        failing.knows(first)
        _, started = self.begin_for(failing, "ann")
        self.run_for(60)
        self.failed(started)
        self.simulator.faults.clear()
        self.talk(5)
        second = KeptEvents()
        second.knows(first)
        self.begin_for(second, "ann")
        self.run_for(1)
        self.assertEqual(self.only(second).extent, "all")
        self.assertEqual(self.texts(first) + self.texts(second), self.said)

    def test_first(self) -> None:
        """Nobody ever watched before: the past is nobody's business, and there is no gap."""
        self.talk(20)
        watcher, sink = self.watched()
        self.run_for(3)
        self.assertEqual((self.texts(sink), sink.recoveries), ([], []))
        # So it is when that was so long ago that the order has ended.
        watcher.stop()
        self.talk(5)
        _, sink = self.watched()
        self.run_for(3)
        self.assertEqual((self.texts(sink), sink.recoveries), ([], []))

    def test_another_node(self) -> None:
        """A node that knows only when something was published last goes on from there."""
        watcher, first = self.watched()
        self.talk(30)
        watcher.stop()
        self.talk(10)
        context = context_on(self.clock, self.http, self.metrics)
        self.youtube = YouTube(context, self.settings)
        second = KeptEvents()
        second.knows(first)
        self.begin_for(second, "ann")
        self.run_for(1)
        self.assertEqual(self.only(second).extent, "all")
        self.assertEqual(self.texts(first) + self.texts(second), self.said)
