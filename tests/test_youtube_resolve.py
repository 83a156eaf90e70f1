# SPDX-License-Identifier: MIT
"""From an identifier to the video that is live: one key for one chat, one page for one start."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from livechat.core.ports import IWatcher, Located, Requester
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, LiveInfo
from livechat.platforms.youtube.locate import FRESH
from livechat.simulator.youtube_faults import YouTubeFault
from tests.support.youtube import KeptEvents, YouTubeCase

POLL = "/youtubei/v1/live_chat/get_live_chat"
ENDED = "ended STREAM_ENDED None"


class ResolveCase(YouTubeCase):
    """YouTube as the core uses it: first the chat is found, then it is watched."""

    def resolving(self, identifier: str, kind: str = "username") -> Deferred[Located]:
        """Ask which chat an identifier means."""
        key = self.youtube.key(identifier, kind)
        return self.youtube.resolve(key, Requester(), lambda: None)

    def located(self, identifier: str, kind: str = "username") -> Located:
        """The chat that an identifier means."""
        located = self.resolving(identifier, kind)
        self.run_for(2)
        return self.successResultOf(located)

    def watching(self, located: Located) -> tuple[IWatcher, KeptEvents, Deferred[LiveInfo]]:
        """Begin to watch what was found."""
        sink = KeptEvents()
        watcher = self.youtube.watch(located, sink, Requester())  # type: ignore[arg-type]
        started = watcher.start()
        self.starts.append(started)
        return watcher, sink, started

    def refusal(self, located: Deferred[Located]) -> ChatError:
        """The coded error that nothing was found with."""
        error = self.failureResultOf(located, ChatError).value
        assert isinstance(error, ChatError)
        return error


class OneChatTests(ResolveCase):
    """Whatever leads to a video leads to one chat."""

    def test_one_key(self) -> None:
        """Handle, channel id and video id of one video have one key, its id."""
        video = self.simulator.video_id("ann")
        channel = self.simulator.channel_id("ann")
        for identifier, kind in (
            ("ann", "username"),
            ("@Ann", "username"),
            (f"https://youtu.be/{video}", "username"),
            (channel, "channelId"),
            (video, "liveId"),
        ):
            found = self.located(identifier, kind)
            self.assertEqual(found.key, ChannelKey("youtube", "liveId", video))

    def test_list_of_streams(self) -> None:
        """The stream that is found in the channel's list is the chat, not the one of its page."""
        found = self.located("simulcast_ann")
        self.assertEqual(found.key.identifier, self.simulator.video_id("simulcast_ann"))

    def test_video_at_once(self) -> None:
        """A video id is a chat: nothing is asked for to know that."""
        self.assertEqual(
            self.successResultOf(self.resolving("AAAAAAAAAAA", "liveId")),
            Located(ChannelKey("youtube", "liveId", "AAAAAAAAAAA")),
        )
        self.run_for(1)
        self.assertEqual(self.asked(), [])


class OnePageTests(ResolveCase):
    """A start loads one page, whichever step needs it."""

    def test_handle(self) -> None:
        """The page that told the video also told how to ask its chat."""
        _, sink, started = self.watching(self.located("ann"))
        self.run_for(1)
        self.assertEqual(self.successResultOf(started).feed, "all")
        self.assertEqual(self.asked(), ["/@ann/live", POLL])
        self.say("hello")
        self.run_for(3)
        self.assertEqual(sink.take(), ["hello"])

    def test_video(self) -> None:
        """The page of a video is loaded when it is watched."""
        video = self.simulator.video_id("ann")
        _, _, started = self.watching(self.located(video, "liveId"))
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(self.asked(), ["/watch", POLL])

    def test_since_the_first_step(self) -> None:
        """What is written while a channel is looked for is delivered; what was before is not."""
        self.say("before", ago=1)
        resolving = self.resolving("ann")
        self.say("meanwhile", ago=-0.25)
        self.run_for(1)
        _, sink, started = self.watching(self.successResultOf(resolving))
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(sink.take(), ["meanwhile"])

    def test_found_long_ago(self) -> None:
        """What was found a while ago is looked at anew, by the video's own page."""
        found = self.located("ann")
        self.run_for(FRESH + 1, 1.0)
        self.asked()
        _, _, started = self.watching(found)
        self.run_for(1)
        self.successResultOf(started)
        self.assertEqual(self.asked(), ["/watch", POLL])

    def test_without_what_was_learnt(self) -> None:
        """The key alone is enough to watch: another node may have found it."""
        _, _, started = self.watching(Located(self.located("ann").key))
        self.run_for(1)
        self.assertEqual(self.successResultOf(started).live_id, self.simulator.video_id("ann"))


class RefusalTests(ResolveCase):
    """Why there is no chat: whichever step finds out says so."""

    def test_reasons(self) -> None:
        """Each reason has its code and details, as in a start."""
        for name, code, details in (
            ("missing_ann", ErrorCode.STREAM_NOT_FOUND, None),
            ("offline_ann", ErrorCode.STREAM_NOT_LIVE, None),
            ("members_ann", ErrorCode.STREAM_NOT_LIVE, "MEMBERS_ONLY"),
            ("disabled_ann", ErrorCode.STREAM_NOT_LIVE, "CHAT_DISABLED"),
            ("upcoming_ann", ErrorCode.STREAM_NOT_LIVE, "UPCOMING"),
        ):
            located = self.resolving(name)
            self.run_for(8)
            error = self.refusal(located)
            self.assertEqual((name, error.code, error.details), (name, code, details))
            self.assertEqual(error.scheduled_start is not None, details == "UPCOMING")

    def test_video_not_live(self) -> None:
        """Of a video the watcher says it."""
        _, _, started = self.watching(self.located("ended000000", "liveId"))
        self.run_for(2)
        self.assertEqual(self.failed(started).code, ErrorCode.STREAM_ENDED)

    def test_passing_trouble(self) -> None:
        """Trouble that passes is waited for."""
        self.simulator.faults = {YouTubeFault.PAGE_503}
        located = self.resolving("ann")
        self.run_for(6)
        self.assertNoResult(located)
        self.simulator.faults.clear()
        self.run_for(20)
        self.assertEqual(self.successResultOf(located).key.identifier_type, "liveId")

    def test_one_deadline(self) -> None:
        """The start deadline holds for both steps together."""
        self.simulator.faults = {YouTubeFault.PAGE_HANG}
        located = self.resolving("ann")
        self.run_for(14)
        self.simulator.faults.clear()
        self.run_for(6)
        found = self.successResultOf(located)
        self.simulator.faults = {YouTubeFault.POLL_503, YouTubeFault.PAGE_503}
        _, _, started = self.watching(found)
        self.run_for(16)
        self.assertEqual(self.failed(started).code, ErrorCode.UPSTREAM_UNAVAILABLE)

    def test_given_up(self) -> None:
        """Whoever asked may give up, and so may the whole platform; nothing is asked any more."""
        for give_up in (Deferred[Located].cancel, lambda _: self.youtube.stopService()):
            self.simulator.faults = {YouTubeFault.PAGE_HANG}
            located = self.resolving("ann")
            self.run_for(1)
            give_up(located)
            self.failureResultOf(located, CancelledError)
            self.assertEqual(self.clock.getDelayedCalls(), [])


class AnotherStreamTests(ResolveCase):
    """A channel that begins another stream."""

    def test_ends_and_is_found_again(self) -> None:
        """The chat of the first video ends; the channel then means the second."""
        first = self.located("ann")
        _, sink, started = self.watching(first)
        self.run_for(1)
        self.successResultOf(started)
        self.simulator.begin_anew("ann")
        self.say("in the second")
        self.run_for(8)
        self.assertEqual(sink.take(), [ENDED])
        second = self.located("ann")
        self.assertEqual(second.key.identifier, self.simulator.video_id("ann"))
        self.assertNotEqual(second.key, first.key)
        _, _, started = self.watching(second)
        self.run_for(1)
        self.successResultOf(started)

    def test_during_an_outage(self) -> None:
        """So it is when the channel moves on while YouTube cannot be read."""
        _, sink, started = self.watching(self.located("ann"))
        self.run_for(1)
        self.successResultOf(started)
        self.simulator.faults = {YouTubeFault.POLL_503, YouTubeFault.PAGE_503}
        self.run_for(60)
        self.simulator.begin_anew("ann")
        self.simulator.faults.clear()
        self.run_for(90)
        self.assertEqual(sink.take(), ["interrupted", ENDED])
