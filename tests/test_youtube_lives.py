# SPDX-License-Identifier: MIT
"""All lives of a YouTube channel in one, against the simulator, on a fake clock and wire."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from livechat.core.ports import Located, Requester
from livechat.model.chat import ChatMessage
from livechat.model.errors import ErrorCode
from livechat.model.event_data import Gap
from livechat.model.events import ChannelEvent, ChannelKey, LiveInfo
from livechat.platforms.youtube.lives import Lives
from livechat.simulator.youtube import Settings
from livechat.simulator.youtube_faults import YouTubeFault
from livechat.simulator.youtube_pages import Standing
from tests.support.youtube import KeptEvents, YouTubeCase, text_item

POLL = "/youtubei/v1/live_chat/get_live_chat"


class LivesCase(YouTubeCase):
    """A channel `ann`, whose further lives are called `two` and `three`."""

    simulated = Settings(past=0.0)

    def setUp(self) -> None:
        """One live on air; its channel has room for two more."""
        super().setUp()
        for other in ("two", "three"):
            self.simulator.lineup.put_beside("ann", other)
            self.simulator.lineup.set(other, Standing.ENDED)

    def begin(self, identifier: str = "ann", kind: str = "username") -> Deferred[Located]:
        """Ask for all lives of a channel."""
        key = self.youtube.all_lives(self.youtube.key(identifier, kind))
        return self.youtube.resolve(key, Requester(), lambda: None)

    def watched(  # type: ignore[override]
        self, sink: KeptEvents | None = None
    ) -> KeptEvents:
        """All lives of the channel, started."""
        located = self.begin()
        self.run_for(1)
        sink = sink or KeptEvents()
        found = self.successResultOf(located)
        self.watcher = self.youtube.watch(found, sink, Requester())  # type: ignore[arg-type]
        started = self.watcher.start().addCallback(sink.started)
        started.addCallback(sink.infos.append)
        self.starts.append(started)
        self.run_for(2)
        return sink

    def air(self, name: str) -> None:
        """A live begins."""
        self.simulator.lineup.clear(name)

    def write(self, text: str, name: str) -> None:
        """Somebody writes in one of the lives."""
        self.simulator.say(name, text_item(text, int(self.clock.seconds() * 1e6)))

    def lives(self, sink: KeptEvents) -> list[str]:
        """The names of the lives that were told last."""
        return [self.simulator.named(one) for one in sink.infos[-1].lives]


class KeyTests(LivesCase):
    """Which chat is meant."""

    def test_one_key(self) -> None:
        """Handle and channel id mean the same channel; a video is one live."""
        channel, video = self.simulator.channel_id("ann"), self.simulator.video_id("ann")
        found = [self.begin(), self.begin(channel, "channelId"), self.begin(video, "liveId")]
        self.run_for(2)
        keys = [self.successResultOf(located).key for located in found]
        self.assertEqual(keys[:2], [ChannelKey("youtube", "lives", channel)] * 2)
        self.assertEqual(keys[2], ChannelKey("youtube", "liveId", video))

    def test_not_live(self) -> None:
        """A channel without any live is refused like any other."""
        self.simulator.lineup.set("ann", Standing.ENDED)
        located = self.begin()
        self.run_for(2)
        error = self.failureResultOf(located).value
        self.assertEqual(getattr(error, "code", None), ErrorCode.STREAM_NOT_LIVE)

    def test_look(self) -> None:
        """A look for all lives of a channel finds the same key as its start."""
        key = self.youtube.all_lives(self.youtube.key("ann", "username"))
        located = self.youtube.look(key, Requester(), self.clock.seconds())
        self.run_for(2)
        self.assertEqual(
            self.successResultOf(located).key,
            ChannelKey("youtube", "lives", self.simulator.channel_id("ann")),
        )


class FindingTests(LivesCase):
    """Which lives are watched."""

    def test_one(self) -> None:
        """A channel with one live is watched like that live."""
        sink = self.watched()
        self.assertEqual(self.lives(sink), ["ann"])
        self.write("hello", "ann")
        self.run_for(5)
        self.assertEqual(sink.take(), ["hello"])

    def test_two_at_the_start(self) -> None:
        """Lives that are on air at the start are found within seconds."""
        self.air("two")
        sink = self.watched()
        self.assertEqual(set(self.lives(sink)), {"ann", "two"})
        for name in ("ann", "two"):
            self.write(f"in {name}", name)
        self.run_for(5)
        self.assertEqual(set(sink.take()) - {"resumed"}, {"in ann", "in two"})
        rooms = {e.room_id for e in sink.events if isinstance(e, ChatMessage)}
        self.assertEqual(rooms, set(map(self.simulator.video_id, ("ann", "two"))))

    def test_both_layouts(self) -> None:
        """In the layout of the list that does not say what is live, too."""
        self.simulator.lineup.put_beside("anna", "further")
        key = self.youtube.all_lives(self.youtube.key("anna", "username"))
        located = self.youtube.resolve(key, Requester(), lambda: None)
        self.run_for(1)
        sink = KeptEvents()
        watcher = self.youtube.watch(
            self.successResultOf(located),
            sink,  # type: ignore[arg-type]
            Requester(),
        )
        watcher.start()
        self.run_for(5)
        self.assertEqual(set(self.lives(sink)), {"anna", "further"})

    def test_a_new_one(self) -> None:
        """A live that begins later is found within two minutes, with what was written in it."""
        sink = self.watched()
        self.run_for(20)
        sink.take()
        self.air("two")
        self.write("first words", "two")
        self.run_for(62)
        self.assertEqual(set(self.lives(sink)), {"ann", "two"})
        self.run_for(3)
        self.assertEqual(sink.take(), ["resumed", "first words"])

    def test_searches(self) -> None:
        """The list is read once a minute, and an entry that is not live is not asked for again."""
        self.watched()
        self.asked()
        self.run_for(600, step=1.0)
        lists = [path for path in self.asked() if path.endswith("/streams")]
        self.assertIn(len(lists), (9, 10))

    def test_the_chat_tells(self) -> None:
        """A chat that tells of another stream leads to a search at once."""
        sink = self.watched()
        self.run_for(15)
        self.air("two")
        banner = {
            "addBannerToLiveChatCommand": {
                "bannerRenderer": {
                    "liveChatBannerRenderer": {
                        "actionId": "redirect",
                        "bannerType": "LIVE_CHAT_BANNER_TYPE_CROSS_CHANNEL_REDIRECT",
                        "contents": {
                            "liveChatBannerRedirectRenderer": {
                                "bannerMessage": {
                                    "runs": [{"text": "@ann"}, {"text": " has another stream"}]
                                },
                                "inlineActionButton": {
                                    "buttonRenderer": {
                                        "command": {"watchEndpoint": {"videoId": "x" * 11}}
                                    }
                                },
                            }
                        },
                    }
                }
            }
        }
        self.simulator.say("ann", banner)
        self.run_for(8)
        self.assertEqual(set(self.lives(sink)), {"ann", "two"})

    def test_announced(self) -> None:
        """An announced stream is not a live; it is one when it has begun."""
        begins = self.clock.seconds() + 900
        self.simulator.lineup.set("two", Standing.UPCOMING, begins)
        sink = self.watched()
        self.run_for(900, step=1.0)
        self.assertEqual(self.lives(sink), ["ann"])
        self.air("two")
        self.run_for(62)
        self.assertEqual(set(self.lives(sink)), {"ann", "two"})

    def test_no_list(self) -> None:
        """A list that cannot be read changes nothing."""
        sink = self.watched()
        sink.take()
        self.simulator.faults.add(YouTubeFault.PAGE_503)
        self.run_for(150, step=1.0)
        self.simulator.faults.clear()
        self.air("two")
        self.run_for(62)
        self.assertEqual((sink.take(), set(self.lives(sink))), (["resumed"], {"ann", "two"}))


class EndTests(LivesCase):
    """Lives that end."""

    def two(self) -> KeptEvents:
        """Both lives on air."""
        self.air("two")
        sink = self.watched()
        self.run_for(5)
        sink.take()
        return sink

    def test_one_of_two(self) -> None:
        """One ends: the other goes on, and what is on air is told."""
        sink = self.two()
        self.simulator.end("two")
        self.run_for(30)
        self.assertEqual((sink.take(), self.lives(sink)), (["resumed"], ["ann"]))
        self.assertEqual(sink.infos[-1].live_id, self.simulator.video_id("ann"))
        self.write("still here", "ann")
        self.run_for(5)
        self.assertEqual(sink.take(), ["still here"])

    def test_the_first_of_two(self) -> None:
        """The one that was found first is no other."""
        sink = self.two()
        self.simulator.end("ann")
        self.run_for(30)
        self.assertEqual((sink.take(), self.lives(sink)), (["resumed"], ["two"]))

    def test_the_last(self) -> None:
        """When the last one has ended, all is over, and nothing is asked any more."""
        sink = self.two()
        self.simulator.end("ann")
        self.simulator.end("two")
        self.run_for(60)
        self.assertEqual(sink.take()[-1], "ended STREAM_ENDED None")
        self.asked()
        self.run_for(200, step=1.0)
        self.assertEqual(self.asked(), [])

    def test_the_next(self) -> None:
        """The last one ends and another has begun: it goes on without an end."""
        sink = self.watched()
        self.air("two")
        self.simulator.end("ann")
        self.run_for(40)
        self.assertEqual((sink.take()[-1], self.lives(sink)), ("resumed", ["two"]))

    def test_begun_anew(self) -> None:
        """A live that is begun anew under another id is another one."""
        sink = self.two()
        before = self.simulator.video_id("ann")
        self.simulator.begin_anew("ann")
        self.run_for(62)
        after = self.simulator.video_id("ann")
        self.assertNotEqual(before, after)
        self.assertEqual(set(sink.infos[-1].lives), {after, self.simulator.video_id("two")})

    def test_stop(self) -> None:
        """A stop ends all of them."""
        sink = self.two()
        self.successResultOf(self.watcher.stop())
        self.asked()
        self.run_for(100, step=1.0)
        self.assertEqual((self.asked(), sink.take()), ([], []))


class LossTests(LivesCase):
    """Chats that cannot be read for a while."""

    def setUp(self) -> None:
        """Both lives on air."""
        super().setUp()
        self.air("two")
        self.sink = self.watched()
        self.run_for(5)
        for name in ("ann", "two"):
            self.write(f"before {name}", name)
        self.run_for(5)
        self.sink.take()

    def test_all(self) -> None:
        """All are lost: that is told, and what was missed comes in the end."""
        self.simulator.faults.add(YouTubeFault.POLL_503)
        self.run_for(10)
        self.assertEqual(self.sink.take(), ["interrupted"])
        for name in ("ann", "two"):
            self.write(f"missed {name}", name)
        self.simulator.faults.clear()
        self.run_for(60)
        heard = self.sink.take()
        self.assertEqual(
            sorted(name for name in heard if name.startswith("missed")),
            ["missed ann", "missed two"],
        )
        self.assertIn("resumed", heard)
        self.assertEqual(set(self.lives(self.sink)), {"ann", "two"})

    def test_one(self) -> None:
        """One is lost while the other goes on: a gap in its room, then what was missed."""
        watch = next(iter(self.youtube._lives))
        assert isinstance(watch, Lives)
        video = self.simulator.video_id("two")
        live = watch._lives[video]
        live.interrupted("HTTP 503", self.clock.seconds() - 5)
        self.write("goes on", "ann")
        self.run_for(5)
        self.assertEqual(self.sink.take(), ["goes on"])
        live.resumed(LiveInfo(video, feed="all"))
        self.assertEqual(self.sink.take()[0], "gap")
        gap = self.sink.events[-1]
        assert isinstance(gap, ChannelEvent)
        assert isinstance(gap.data, Gap)
        self.assertEqual(
            (gap.room_id, gap.data.reason, gap.data.filled), (video, "upstream", False)
        )
