# SPDX-License-Identifier: MIT
"""YouTube from subscribe to the first message, against the simulator, on a fake clock and wire."""

from __future__ import annotations

from functools import partial

from twisted.internet.defer import CancelledError
from zope.interface.verify import verifyObject

from livechat.core.ports import IPlatform, IWatcher, Located, Requester
from livechat.model.chat import ChatMessage
from livechat.model.errors import ErrorCode
from livechat.model.events import ChannelEvent, LiveInfo
from livechat.platforms.youtube.limits import PAGES
from livechat.simulator.youtube import Settings
from livechat.simulator.youtube_faults import YouTubeFault
from tests.support.events import data_of
from tests.support.youtube import KeptEvents, YouTubeCase

NOT_LIVE = ErrorCode.STREAM_NOT_LIVE
NOT_FOUND = ErrorCode.STREAM_NOT_FOUND
UNAVAILABLE = ErrorCode.UPSTREAM_UNAVAILABLE

POLL = "/youtubei/v1/live_chat/get_live_chat"


class PortTests(YouTubeCase):
    """What the platform promises to the core."""

    def test_interfaces(self) -> None:
        """YouTube is an IPlatform, its watchers are IWatchers."""
        self.assertTrue(verifyObject(IPlatform, self.youtube))
        watcher, _, _ = self.start("ann")
        self.assertTrue(verifyObject(IWatcher, watcher))

    def test_stop_before_start_and_twice(self) -> None:
        """stop is idempotent, before and after the start, and nothing is asked after it."""
        ann = Located(self.youtube.key("ann", "username"))
        watcher = self.youtube.watch(ann, KeptEvents(), Requester())  # type: ignore[arg-type]
        self.successResultOf(watcher.stop())
        watcher, sink = self.watched()
        self.say("unheard")
        self.successResultOf(watcher.stop())
        self.successResultOf(watcher.stop())
        self.asked()
        self.run_for(20)
        self.assertEqual((self.asked(), sink.take()), ([], []))

    def test_stop_during_start(self) -> None:
        """A start that is stopped or cancelled fails with CancelledError and leaves nothing."""
        self.simulator.faults.add(YouTubeFault.PAGE_HANG)
        for act in ("stop", "cancel"):
            for wait in (0.0, 16.0):
                watcher, sink, started = self.start("ann")
                self.run_for(wait)
                if act == "stop":
                    watcher.stop()
                else:
                    started.cancel()
                self.failureResultOf(started, CancelledError)
                self.assertEqual(self.clock.getDelayedCalls(), [])
                self.assertEqual(sink.take(), [])

    def stop(self, watcher: IWatcher, _: object) -> None:
        """Stop it."""
        watcher.stop()

    def test_stopped_by_who_is_told(self) -> None:
        """Whoever is told may stop us at that moment, and hears nothing more."""
        for name in ("ann", "ending_ann"):
            watcher, sink, started = self.start(name)
            started.addCallback(partial(self.stop, watcher))
            self.run_for(1)
            self.assertEqual(sink.take(), [])
        for method in ("received", "interrupted", "resumed", "ended"):
            name = f"by_{method}"
            watcher, sink = self.watched(name)
            heard: list[str] = []

            def told(*_: object, heard: list[str] = heard, watcher: IWatcher = watcher) -> None:
                heard.append("told")
                watcher.stop()

            setattr(sink, method, told)
            self.say("one", name)
            if method in ("interrupted", "resumed"):
                self.simulator.faults.add(YouTubeFault.POLL_503)
                self.run_for(10)
                self.simulator.faults.clear()
            elif method == "ended":
                self.simulator.end(name)
            self.run_for(20)
            self.assertEqual(heard, ["told"], method)
            self.assertEqual(self.clock.getDelayedCalls(), [])


class ResolveTests(YouTubeCase):
    """Every way to name a stream, and every reason why there is none."""

    def test_identifiers(self) -> None:
        """Handle, channel id, video id, legacy names and URLs lead to the stream on air."""
        video = self.simulator.video_id("ann")
        channel = self.simulator.channel_id("ann")
        for identifier, kind, expected in (
            ("ann", "username", video),
            ("@Ann", "username", video),
            ("https://www.youtube.com/@ann/live", "username", video),
            (channel, "channelId", video),
            (channel, "username", video),
            (f"https://youtube.com/channel/{channel}", "channelId", video),
            (video, "liveId", video),
            (f"https://youtu.be/{video}?si=x", "liveId", video),
            ("legacy_ann", "username", self.simulator.video_id("legacy_ann")),
            ("c/legacy_ann", "username", self.simulator.video_id("legacy_ann")),
            (
                "https://www.youtube.com/user/user_ann",
                "username",
                self.simulator.video_id("user_ann"),
            ),
        ):
            watcher, _, started = self.start(identifier, kind)
            self.run_for(2)
            self.assertEqual(self.successResultOf(started), LiveInfo(expected, feed="all"))
            watcher.stop()

    def test_refusals(self) -> None:
        """Each reason has its code and details; an announced stream says when it begins."""
        for name, code, details in (
            ("missing_ann", NOT_FOUND, None),
            ("suspended_ann", NOT_FOUND, None),
            ("offline_ann", NOT_LIVE, None),
            ("offline_a", NOT_LIVE, None),
            ("ended_ann", NOT_LIVE, None),
            ("members_ann", NOT_LIVE, "MEMBERS_ONLY"),
            ("disabled_ann", NOT_LIVE, "CHAT_DISABLED"),
            ("agelimit_ann", ErrorCode.UPSTREAM_UNAVAILABLE, "AGE_RESTRICTED"),
            ("private_ann", NOT_FOUND, "LOGIN_REQUIRED"),
            ("upcoming_ann", NOT_LIVE, "UPCOMING"),
        ):
            _, sink, started = self.start(name)
            self.run_for(8)
            error = self.failed(started)
            self.assertEqual((name, error.code, error.details), (name, code, details))
            self.assertEqual(error.scheduled_start is not None, details == "UPCOMING")
            self.assertEqual(sink.take(), [])
        for name, code in (("missing0000", NOT_FOUND), ("ended000000", ErrorCode.STREAM_ENDED)):
            _, _, started = self.start(name, "liveId")
            self.run_for(2)
            self.assertEqual(self.failed(started).code, code)

    def test_list_of_streams(self) -> None:
        """`/live` shows an announced stream; the one on air is in the list, not members'."""
        for name in ("simulcast_ann", "simulcast_a"):
            _, _, started = self.start(name)
            self.run_for(2)
            self.assertEqual(self.successResultOf(started).live_id, self.simulator.video_id(name))

    def test_player_kept_from_us(self) -> None:
        """Where the player asks to sign in but the chat is there, the chat is followed."""
        _, sink = self.watched("datacenter_ann")
        self.say("hello", "datacenter_ann")
        self.run_for(3)
        self.assertEqual(sink.take(), ["hello"])


class RetryTests(YouTubeCase):
    """Passing troubles of a start: tried again, and never told as `not live`."""

    BLOCKED = (
        (YouTubeFault.CONSENT, "CONSENT"),
        (YouTubeFault.CONSENT_PAGE, "CONSENT"),
        (YouTubeFault.CAPTCHA, "BLOCKED"),
        (YouTubeFault.PAGE_429, "RATE_LIMITED"),
        (YouTubeFault.PAGE_503, "SERVER_ERROR"),
        (YouTubeFault.PAGE_GARBAGE, "UNREADABLE"),
        (YouTubeFault.ELSEWHERE, "UNREADABLE"),
        (YouTubeFault.CIRCLE, "redirected more than 5 times"),
        (YouTubeFault.POLL_429, "RATE_LIMITED"),
        (YouTubeFault.POLL_503, "HTTP 503"),
        (YouTubeFault.POLL_403, "HTTP 403 403 PERMISSION_DENIED"),
        (YouTubeFault.POLL_GONE, "gone"),
        (YouTubeFault.POLL_GARBAGE, "the answer cannot be read"),
        (YouTubeFault.BOMB, f"answer larger than {8 << 20} bytes"),
    )

    def test_trouble_that_lasts(self) -> None:
        """Each is UPSTREAM_UNAVAILABLE with its reason, within the deadline, and no other code."""
        for fault, details in self.BLOCKED:
            self.simulator.faults = {fault}
            _, sink, started = self.start("ann")
            self.run_for(31)
            error = self.failed(started)
            self.assertEqual((fault, error.code, error.details), (fault, UNAVAILABLE, details))
            self.assertTrue(error.temporary)
            self.assertEqual((sink.take(), self.clock.getDelayedCalls()), ([], []))
            self.simulator.faults = set()
            # Whoever was refused pages is not asked for some more at once.
            self.run_for(60)

    def test_hanging(self) -> None:
        """A page or a chat that never comes ends with the deadline, too."""
        for fault in (YouTubeFault.PAGE_HANG, YouTubeFault.POLL_HANG):
            self.simulator.faults = {fault}
            _, _, started = self.start("ann")
            self.run_for(29.5)
            self.assertNoResult(started)
            self.run_for(1)
            self.assertEqual(self.failed(started).code, UNAVAILABLE)
            # Until the failure is forgotten.
            self.run_for(5)

    def test_trouble_that_passes(self) -> None:
        """What is over within the deadline is no trouble: the chat starts."""
        for fault, _ in self.BLOCKED:
            if fault in (YouTubeFault.POLL_GONE, YouTubeFault.POLL_403):
                continue
            self.simulator.faults = {fault}
            watcher, _, started = self.start("ann")
            self.run_for(6)
            self.assertNoResult(started)
            self.simulator.faults = set()
            self.run_for(20)
            self.assertEqual(self.successResultOf(started).feed, "all", fault)
            watcher.stop()
            self.run_for(60)

    def test_asks_to_sign_in(self) -> None:
        """Tried once more, for YouTube may only doubt our address; a private video is told soon."""
        self.simulator.faults.add(YouTubeFault.SIGN_IN)
        _, _, started = self.start("AAAAAAAAAAA", "liveId")
        self.run_for(0.25)
        self.simulator.faults.clear()
        self.run_for(5)
        self.assertEqual(self.successResultOf(started).live_id, "AAAAAAAAAAA")
        self.asked()
        _, _, started = self.start("private0000", "liveId")
        self.run_for(5)
        error = self.failed(started)
        self.assertEqual((error.code, error.details), (NOT_FOUND, "LOGIN_REQUIRED"))
        self.assertEqual(self.asked("/watch"), ["/watch"] * 2)

    def test_chat_that_refuses(self) -> None:
        """Live, says the page; a sentence instead of a chat, say the answers: there is no chat."""
        self.simulator.faults.add(YouTubeFault.POLL_REFUSED)
        _, _, started = self.start("ann")
        self.run_for(2)
        error = self.failed(started)
        self.assertEqual((error.code, error.details), (NOT_LIVE, "CHAT_DISABLED"))

    def test_blocked_pages_are_left_alone(self) -> None:
        """While pages are refused, many starts together ask for few of them."""
        self.simulator.faults.add(YouTubeFault.PAGE_429)
        starts = [self.start(f"name{n}")[2] for n in range(40)]
        self.run_for(31)
        self.assertLess(len(self.asked()), 25)
        self.assertEqual({self.failed(started).details for started in starts}, {"RATE_LIMITED"})

    def test_many_starts_take_turns(self) -> None:
        """A hundred starts at once are spread over time, and none fails for waiting its turn."""
        starts = [self.start(f"name{n}")[2] for n in range(100)]
        seconds = 0
        while seconds < 60:
            self.run_for(1)
            seconds += 1
            pages = len([1 for method, _, _ in self.simulator.asked if method == "GET"])
            self.assertLessEqual(pages, PAGES.count * (seconds / PAGES.period + 1))
            if pages == 100:
                break
        self.run_for(1)
        self.assertLess(seconds, 30)
        self.assertEqual(len([self.successResultOf(started) for started in starts]), 100)


class BudgetTests(YouTubeCase):
    """Pages are few, whatever clients ask for, and shared fairly."""

    def pages(self) -> int:
        """Pages asked for so far."""
        return len([1 for method, _, _ in self.simulator.asked if method == "GET"])

    def test_newcomer_behind_three_greedy_ones(self) -> None:
        """Three connections ask for 32 chats each; somebody who comes then is served soon."""
        self.check_newcomer(3, 32)

    def test_newcomer_behind_fifty_greedy_ones(self) -> None:
        """The same behind fifty connections with three chats each."""
        self.check_newcomer(50, 3)

    def check_newcomer(self, connections: int, chats: int) -> None:
        """A newcomer is served within ten seconds, and YouTube is asked no more often for it."""
        for connection in range(connections):
            for n in range(chats):
                self.start(f"n{connection}x{n}", requester=Requester("192.0.2.1", connection))
        self.run_for(2)
        for newcomer in range(1000, 1003):
            _, sink, started = self.start(f"new{newcomer}", requester=Requester("::1", newcomer))
            self.run_for(5)
            self.successResultOf(started)
            self.assertNotIn("queued", sink.heard)
        self.assertLessEqual(self.pages(), PAGES.count * (17 / PAGES.period + 1))

    def test_told(self) -> None:
        """Who waits for a page is told after two seconds, and then every ten."""
        starts = [self.start(f"name{n}") for n in range(80)]
        self.run_for(25)
        told = [sink.heard.count("queued") for _, sink, _ in starts]
        self.assertEqual((min(told), max(told)), (0, 2))

    def test_name_that_does_not_exist(self) -> None:
        """Asked for again and again within a minute: no further page."""
        _, _, started = self.start("missing_ann")
        self.run_for(5)
        pages = self.pages()
        self.assertEqual(self.failed(started).code, NOT_FOUND)
        for _ in range(50):
            _, _, started = self.start("missing_ann")
            self.assertEqual(self.failed(started).code, NOT_FOUND)
            self.run_for(1)
        self.assertEqual(self.pages(), pages)
        self.assertEqual(len(self.youtube._watches), 0, "watchers that were not started are held")


class PatienceTests(YouTubeCase):
    """Where YouTube says how long it wants to be left alone."""

    simulated = Settings(retry_after=300)

    def test_longer_than_the_deadline(self) -> None:
        """There is no use in waiting: the client is told at once, and YouTube left alone."""
        self.simulator.faults.add(YouTubeFault.PAGE_429)
        _, _, started = self.start("ann")
        self.run_for(3)
        self.assertEqual(self.failed(started).details, "RATE_LIMITED")
        self.assertEqual(self.asked(), ["/@ann/live"])
        _, _, started = self.start("bob")
        self.run_for(3)
        self.assertEqual(self.failed(started).details, "RATE_LIMITED")
        self.assertEqual(self.asked(), [])
        self.simulator.faults.clear()
        self.run_for(300)
        self.watched("bob")


class FeedTests(YouTubeCase):
    """All messages rather than Top chat, and the truth about it."""

    def started(self) -> tuple[LiveInfo, KeptEvents]:
        """What a start tells."""
        _, sink, started = self.start("ann")
        self.run_for(1)
        return self.successResultOf(started), sink

    def test_all(self) -> None:
        """The page's token is rewritten; it takes one request."""
        info, _ = self.started()
        self.assertEqual(info.feed, "all")
        self.assertEqual(self.asked(POLL), [POLL])

    def test_offered(self) -> None:
        """Where the rewritten token is refused, the answer's own one for all messages is taken."""
        self.simulator.faults.add(YouTubeFault.REWRITTEN)
        info, sink = self.started()
        self.assertEqual(info.feed, "all")
        self.say("hello")
        self.run_for(3)
        self.assertEqual(sink.take(), ["hello"])

    def test_top(self) -> None:
        """Where no token for all messages works, Top chat is followed, and `started` says so."""
        for fault in (YouTubeFault.TOP_ONLY, YouTubeFault.TOP_ALWAYS):
            self.simulator.faults = {fault}
            info, sink = self.started()
            self.assertEqual(info.feed, "top", fault)
            self.say(f"hello {fault.name}")
            self.run_for(3)
            self.assertEqual(sink.take(), [f"hello {fault.name}"])


class BacklogTests(YouTubeCase):
    """The first answer holds the past."""

    def test_past_is_not_delivered(self) -> None:
        """What was written before the subscribe is not delivered, also not later."""
        for n in range(20):
            self.say(f"old {n}", ago=100 - n)
        _, sink, started = self.start("ann")
        self.say("new, while it starts", ago=-0.25)
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(sink.take(), ["new, while it starts"])
        self.say("newer")
        self.run_for(3)
        self.assertEqual(sink.take(), ["newer"])

    def test_untimed(self) -> None:
        """What has no time of its own is as old as its place; what tells the present is told."""
        jewels = {
            "text": {"content": "sent Gold coin for 10 Jewels"},
            "authorName": {"content": "@a "},
        }
        poll = {"liveChatPollId": "p", "choices": [{"text": {"runs": [{"text": "yes"}]}}]}
        panel = {"contents": {"pollRenderer": poll}}
        for n, wait in (("1", 0.0), ("2", 0.25)):
            gift = {"giftMessageViewModel": {"id": f"gift {n}", **jewels}}
            self.say(f"text {n}", ago=10 - 60 * wait)
            self.simulator.say("ann", {"addChatItemAction": {"item": gift}})
        renderer = {"liveChatActionPanelRenderer": panel}
        self.simulator.say("ann", {"showLiveChatActionPanelAction": {"panelToShow": renderer}})
        _, sink, started = self.start("ann")
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(sink.take(), ["text 2", "gift", "poll"])


class BusyTests(YouTubeCase):
    """A chat in which everything happens."""

    rate = 20.0

    def test_everything(self) -> None:
        """Three minutes of the scenario arrive once each, in order; the unknown is counted."""
        self.simulator.faults.add(YouTubeFault.REPEATS)
        _, sink = self.watched("ann")
        self.run_for(180)
        first = {e.message_id: e for e in reversed(sink.events) if isinstance(e, ChatMessage)}
        chats = [
            event for event in sink.events if event is first.get(getattr(event, "message_id", ""))
        ]
        times = [event.timestamp for event in chats]
        self.assertEqual(times, sorted(times))
        self.assertGreater(len(chats), 700)
        kinds = {event.type for event in sink.events if not isinstance(event, ChatMessage)}
        self.assertLessEqual(
            {"subscription", "deletion", "timeout", "pin", "gift", "donation"}, kinds
        )
        counted = self.metrics.exposition().decode()
        self.assertIn("livechat_unparsed_total", counted)
        for line in counted.splitlines():
            if line.startswith("livechat_unparsed_total"):
                self.assertRegex(
                    line, r'kind="liveChat(CouchUpgrade|CloudHighFive|SparkleParade)Renderer"'
                )


class ViewersTests(YouTubeCase):
    """Viewers and title, asked beside the chat."""

    settings = YouTubeCase.settings.__class__(viewers_every=30.0)

    def test_changes(self) -> None:
        """Told at first, and then when they change."""
        _, sink = self.watched()
        self.run_for(2)
        self.assertEqual(sink.take(), ["viewers", "stream"])
        self.simulator.rename("ann", "Another title")
        self.run_for(35)
        self.assertIn("stream", sink.take())
        events = [event for event in sink.events if isinstance(event, ChannelEvent)]
        told = [data_of(event) for event in events if event.type == "stream"]
        stream = {"status": "changed", "live_id": self.simulator.video_id("ann")}
        titles = ("ann is here", "Another title")
        self.assertEqual(told, [{**stream, "title": title} for title in titles])

    def test_trouble_is_silent(self) -> None:
        """That they cannot be had says nothing about the chat."""
        watcher, sink = self.watched()
        self.run_for(2)
        sink.take()
        client = self.youtube._client

        async def fails(*_: object) -> None:
            raise ZeroDivisionError

        self.patch(client, "metadata", fails)
        self.run_for(40)
        self.say("still here")
        self.run_for(10)
        self.assertEqual(sink.take(), ["still here"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        watcher.stop()

    def test_fault_of_ours(self) -> None:
        """A look that fails by a fault of ours is logged and counted, and the next one is made."""
        _, sink = self.watched()
        self.run_for(2)
        sink.take()
        metadata = self.youtube._client.metadata

        async def fails(*_: object) -> None:
            raise ZeroDivisionError

        self.patch(self.youtube._client, "metadata", fails)
        self.run_for(35)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        failures = self.metrics.registry.get_sample_value(
            "livechat_failures_total", {"part": "youtube"}
        )
        self.assertEqual(failures, 1)
        self.patch(self.youtube._client, "metadata", metadata)
        self.simulator.rename("ann", "Another title")
        self.run_for(35)
        self.assertIn("stream", sink.take())
