# SPDX-License-Identifier: MIT
"""`GET /history`: what is kept of a channel, for whoever does not watch it."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.defer import Deferred, succeed

from livechat.core.channel_reader import ChannelReader
from livechat.core.options import Options
from livechat.core.ports import Located
from livechat.core.subscription import Subscription
from livechat.history.memory import SWEEP, TTL
from livechat.metrics import Metrics
from livechat.model.event_data.moderation import Deletion
from livechat.model.events import ChannelEvent, ChannelKey, Event
from livechat.protocol.messages import History
from tests.support.fakes import KeptMessages, ScriptedPlatform, chat, chats, happening, hub_on
from tests.support.schema import frames
from tests.test_acceptance import privmsg
from tests.test_http import SiteCase
from tests.test_stats_http import HttpCase

ANN = ChannelKey("twitch", "username", "ann")


class HistoryCase(SiteCase):
    """The site with one scripted platform behind it."""

    def channels(self) -> ChannelReader:
        """See `SiteCase`."""
        self.platform = ScriptedPlatform()
        self.hub = hub_on(self.clock, Metrics())
        return ChannelReader(self.hub, {"twitch": self.platform})

    def setUp(self) -> None:
        """Nobody watches anything."""
        super().setUp()
        self.client = KeptMessages()

    def watch(self, name: str = "ann") -> Subscription:
        """Somebody watches a channel that is live, and takes everything."""
        key = ChannelKey("twitch", "username", name)
        subscription = Subscription(key, self.client, name, Options(-1), lambda _: None)
        self.hub.subscribe(self.platform, subscription)
        self.clock.advance(0)
        self.platform.watchers[-1].live()
        return subscription

    def publish(self, *events: Event) -> None:
        """The channel that was watched last publishes."""
        self.platform.watchers[-1].sink.received(events)

    def history(self, query: str = "", name: str = "ann") -> dict[str, Any]:
        """What is answered."""
        status, headers, body = self.get(f"/history/twitch/{name}{query}")
        self.assertEqual(status, 200, body)
        self.assertEqual(headers["content-type"], "application/json; charset=utf-8")
        self.assertEqual(headers["cache-control"], "no-store")
        return frames().read_history(body)

    def numbers(self, query: str = "") -> list[int]:
        """The numbers of the messages that are answered."""
        return [message["seq"] for message in self.history(query)["messages"]]

    def refused(self, path: str, status: int, code: str, details: str = "") -> None:
        """The path is answered with an error."""
        got, _, body = self.get(path)
        error = frames().read(body)
        self.assertEqual(
            (got, error["type"], error["code"], error.get("details", "")),
            (status, "error", code, details),
            path,
        )


class HistoryTests(HistoryCase):
    """What is answered."""

    def test_whole_frames(self) -> None:
        """Messages are what subscribers were sent, events included, with their numbers."""
        self.watch()
        self.client.taken()
        self.publish(chat("m1"), happening("raid"), chat("m2", source_room_id="other"))
        self.clock.advance(0.1)
        told = [m for m in self.client.taken() if m["type"] in ("chat", "event")]
        answer = self.history()
        self.assertEqual(list(answer), ["epoch", "seq", "messages"])
        self.assertEqual(answer["messages"], told)
        self.assertEqual(answer["seq"], 3)
        self.assertRegex(answer["epoch"], r"^[0-9a-z]{1,16}$")

    def test_names(self) -> None:
        """Any spelling of the name means the channel; messages bear the canonical one."""
        self.watch()
        self.publish(chat("m1"))
        for name in ("ann", "@Ann", "%40ANN", "https://scripted.test/ann"):
            (message,) = self.history(name=name)["messages"]
            self.assertEqual(message["identifier"], "ann")

    def test_quiet(self) -> None:
        """A channel that has published nothing has an epoch and no messages."""
        self.watch()
        answer = self.history()
        self.assertEqual((answer["seq"], answer["messages"]), (0, []))
        self.assertTrue(answer["epoch"])

    def test_limit(self) -> None:
        """The last so many; after a place the first so many."""
        self.watch()
        self.publish(*chats(9))
        epoch = self.history()["epoch"]
        for query, numbers in (
            ("", list(range(1, 10))),
            ("?limit=", list(range(1, 10))),
            ("?limit=1000", list(range(1, 10))),
            ("?limit=2", [8, 9]),
            ("?limit=0", []),
            (f"?since={epoch}:6", [7, 8, 9]),
            (f"?since={epoch}:0&limit=2", [1, 2]),
            (f"?since={epoch}:9", []),
            (f"?since={epoch}:10", list(range(1, 10))),
            ("?since=other:7&limit=3", [1, 2, 3]),
        ):
            self.assertEqual(self.numbers(query), numbers, query)

    def test_recovered(self) -> None:
        """After a place it is said whether anything is missing."""
        self.watch()
        epoch = self.history()["epoch"]
        self.assertTrue(self.history(f"?since={epoch}:0")["recovered"])
        self.assertFalse(self.history(f"?since={epoch}:1")["recovered"])
        self.publish(*chats(600))
        for place, recovered in (
            (f"{epoch}:600", True),
            (f"{epoch}:100", True),
            (f"{epoch}:99", False),
            (f"{epoch}:601", False),
            ("other:600", False),
        ):
            self.assertIs(self.history(f"?since={place}")["recovered"], recovered, place)
        self.assertNotIn("recovered", self.history())

    def test_deleted(self) -> None:
        """What was deleted is not given."""
        self.watch()
        deletion = Deletion(scope="message", message_id="m1")
        time = "2026-01-02T03:04:05.678Z"
        self.publish(*chats(3), ChannelEvent.of(deletion, "twitch", time, "d1", "room"))
        self.assertEqual(self.numbers(), [1, 3, 4])

    def test_recently_watched(self) -> None:
        """A channel that was left is known until what it published has expired."""
        subscription = self.watch()
        self.publish(*chats(2))
        self.clock.advance(1)
        epoch = self.history()["epoch"]
        self.hub.unsubscribe(subscription)
        self.clock.advance(TTL / 2)
        answer = self.history()
        self.assertEqual((answer["epoch"], answer["seq"]), (epoch, 2))
        self.assertEqual(self.numbers(f"?since={epoch}:1"), [2])
        for _ in range(round(TTL / 2 / SWEEP) + 1):
            self.clock.advance(SWEEP)
        self.refused("/history/twitch/ann", 404, "STREAM_NOT_FOUND")

    def test_coming_back(self) -> None:
        """It is known at every moment, also while the upstream that was left still stops."""
        subscription = self.watch()
        self.publish(*chats(2))
        stopping = self.platform.watchers[-1].stopping = Deferred()
        self.hub.unsubscribe(subscription)
        self.hub.subscribe(self.platform, subscription)
        # The broker has not said yet who leads.
        self.assertEqual(self.numbers(), [1, 2])
        self.clock.advance(1)
        self.assertEqual(self.numbers(), [1, 2])
        stopping.callback(None)
        self.clock.advance(0)
        self.assertEqual(self.numbers(), [1, 2])

    def test_by_another_name(self) -> None:
        """So is one that was watched by a name that meant another key."""
        self.platform.resolve = (  # type: ignore[method-assign]
            lambda key, requester, queued: succeed(Located(ANN))
        )
        subscription = self.watch("handle")
        self.publish(*chats(2))
        for _ in range(2):
            (message, *_) = self.history(name="handle")["messages"]
            self.assertEqual(message["identifier"], "handle")
            self.assertEqual(len(self.history(name="ann")["messages"]), 2)
            self.hub.unsubscribe(subscription)
            self.clock.advance(0)

    def test_starts_nothing(self) -> None:
        """A channel that nobody watches is 404, and nobody begins to."""
        self.refused("/history/twitch/ann", 404, "STREAM_NOT_FOUND")
        self.assertEqual((self.platform.watchers, self.hub.active_streams), ([], 0))

    def test_wrong(self) -> None:
        """A wrong query is 400, a platform that there is not 404."""
        self.watch()
        for query, code, details in (
            ("/ann?limit=-1", "INVALID_OPTION", "limit"),
            ("/ann?limit=1001", "INVALID_OPTION", "limit"),
            ("/ann?limit=many", "INVALID_OPTION", "limit"),
            ("/ann?limit=1.5", "INVALID_OPTION", "limit"),
            ("/ann?since=5", "INVALID_OPTION", "since"),
            ("/ann?since=e:-5", "INVALID_OPTION", "since"),
            ("/ann?since=e:x", "INVALID_OPTION", "since"),
            ("/bad", "INVALID_IDENTIFIER", ""),
        ):
            self.refused(f"/history/twitch{query}", 400, code, details)
        self.refused("/history/kick/ann", 404, "UNSUPPORTED_PLATFORM", "twitch")
        for path in ("/history", "/history/", "/history/twitch", "/history/twitch/"):
            self.assertEqual(self.get(path)[0], 404, path)

    def test_described(self) -> None:
        """The answer is the struct that describes it."""
        self.watch()
        self.publish(*chats(2))
        names = {field.encode_name for field in msgspec.structs.fields(History)}
        epoch = self.history()["epoch"]
        self.assertEqual(set(self.history(f"?since={epoch}:1")), names)


class DaemonTests(HttpCase):
    """The real daemon."""

    async def test_history(self) -> None:
        """What subscribers were told, also after they have left; other methods are 405."""
        client = await self.watching("ann", events=True)
        for text in ("one", "two"):
            self.twitch.say("ann", privmsg("ann", text))
        told = [await client.until("chat") for _ in range(2)]
        await client.send(type="unsubscribe")
        await client.until("unsubscribed")
        await self.come_true(lambda: self.active(0))
        status, headers, body = await self.fetch("/history/twitch/@Ann?limit=2")
        self.assertEqual(status, 200)
        self.assertEqual(headers["access-control-allow-origin"], "*")
        self.assertEqual(frames().read_history(body)["messages"], told)
        self.assertEqual((await self.fetch("/history/twitch/ann", "HEAD"))[::2], (200, b""))
        self.assertEqual((await self.fetch("/history/twitch/bob"))[0], 404)
        self.assertEqual((await self.fetch("/history/twitch/ann", "DELETE"))[0], 405)
