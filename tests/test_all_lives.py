# SPDX-License-Identifier: MIT
"""A channel with several lives at once, as its subscribers see it: statuses and statistics."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from livechat.core.options import Options
from livechat.core.subscription import Subscription
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import LiveInfo
from tests.support.fakes import KeptMessages, chat
from tests.test_hub import HubCase

ALL = Options(all_lives=True)


class LivesCase(HubCase):
    """A channel whose lives are `a` and `b`."""

    def on_air(self, *lives: str) -> LiveInfo:
        """What the platform says while these are on air."""
        return LiveInfo(lives[0], feed="all", lives=lives)

    def begun(self, *lives: str, **options: Any) -> tuple[KeptMessages, Subscription]:
        """Somebody who watches all of them."""
        subscriber, subscription = self.subscribe(options=replace(ALL, **options))
        self.turn()
        assert self.watcher.started is not None
        self.watcher.started.callback(self.on_air(*lives))
        self.turn()
        return subscriber, subscription

    def told(self, subscriber: KeptMessages) -> list[tuple[str, str | None]]:
        """Statuses since the last call, with the live that each is about."""
        return [
            (message["status"], message.get("liveId"))
            for message in subscriber.taken()
            if message["type"] == "status"
        ]


class StatusTests(LivesCase):
    """`started` and `ended`, each with its live."""

    def test_greeting(self) -> None:
        """One `started` for each live, all with the same place in the one order."""
        subscriber, _ = self.begun("a", "b")
        messages = [m for m in subscriber.taken() if m.get("status") == "started"]
        self.assertEqual([m["liveId"] for m in messages], ["a", "b"])
        self.assertEqual(len({(m["epoch"], m["seq"]) for m in messages}), 1)
        late, _ = self.subscribe(options=ALL)
        self.turn()
        self.assertEqual(
            self.told(late), [("subscribed", None), ("started", "a"), ("started", "b")]
        )

    def test_one_more(self) -> None:
        """A live that is found is told alone."""
        subscriber, _ = self.begun("a")
        subscriber.taken()
        self.watcher.sink.resumed(self.on_air("a", "b"))
        self.assertEqual(self.told(subscriber), [("started", "b")])

    def test_one_less(self) -> None:
        """A live that ends while others go on is told by `ended`, also without `wait`."""
        subscriber, _ = self.begun("a", "b")
        subscriber.taken()
        self.watcher.sink.received([chat("m1")])
        self.watcher.sink.resumed(self.on_air("b"))
        messages = subscriber.taken()
        self.assertEqual([m.get("status", m["type"]) for m in messages], ["chat", "ended"])
        self.assertEqual(
            messages[-1],
            {
                "type": "status",
                "status": "ended",
                "liveId": "a",
                "identifier": "ann",
                "platform": "twitch",
                "channel": "ann",
            },
        )

    def test_one_for_another(self) -> None:
        """The end comes before the beginning."""
        subscriber, _ = self.begun("a")
        subscriber.taken()
        self.watcher.sink.resumed(self.on_air("b"))
        self.assertEqual(self.told(subscriber), [("ended", "a"), ("started", "b")])

    def test_the_last(self) -> None:
        """The end of the last one is the end of all."""
        subscriber, _ = self.begun("a")
        patient, _ = self.subscribe(options=replace(ALL, wait=True))
        self.turn()
        subscriber.taken()
        patient.taken()
        self.watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.assertEqual(subscriber.kinds(), ["STREAM_ENDED"])
        self.assertEqual(self.told(patient), [("ended", "a"), ("waiting", None)])

    def test_after_a_loss(self) -> None:
        """After `reconnecting` every live is told anew, and what has ended meanwhile."""
        subscriber, _ = self.begun("a", "b")
        subscriber.taken()
        self.watcher.sink.interrupted("LOST")
        self.watcher.sink.resumed(self.on_air("b", "c"))
        self.assertEqual(
            self.told(subscriber),
            [("reconnecting", None), ("ended", "a"), ("started", "b"), ("started", "c")],
        )

    def test_changed_while_catching_up(self) -> None:
        """Who is given the past hears afterwards what has changed."""
        first, _ = self.begun("a")
        self.watcher.sink.received([chat(f"m{n}") for n in range(5)])
        first.taken()
        subscriber, _ = self.subscribe(options=replace(ALL, history=5))
        self.watcher.sink.resumed(self.on_air("a", "b"))
        self.turn()
        self.assertEqual(
            self.told(subscriber), [("subscribed", None), ("started", "a"), ("started", "b")]
        )


class StatisticsTests(LivesCase):
    """Statistics together, and of each live."""

    def stats(self, subscription: Subscription) -> dict[str, Any]:
        """What `get_stats` is answered with."""
        answer = self.successResultOf(self.hub.stats(subscription))
        data: dict[str, Any] = msgspec.json.decode(answer)["data"]
        return data

    def test_lives(self) -> None:
        """Each live has its numbers beside those of all; one that has ended keeps them."""
        _, subscription = self.begun("a", "b")
        written = [chat(f"m{n}", user="bob") for n in range(5)]
        rooms = ["a", "a", "b", "a", "elsewhere"]
        self.watcher.sink.received(
            [replace(one, room_id=room) for one, room in zip(written, rooms, strict=True)]
        )
        data = self.stats(subscription)
        self.assertEqual(data["totalMessages"], 5)
        self.assertEqual(
            data["lives"],
            {
                "a": {"totalMessages": 3, "uniqueUserCount": 1},
                "b": {"totalMessages": 1, "uniqueUserCount": 1},
            },
        )
        self.watcher.sink.resumed(self.on_air("a", "c"))
        self.watcher.sink.received([replace(chat("m9"), room_id="c")])
        self.turn(2)
        lives = self.stats(subscription)["lives"]
        self.assertEqual(
            {one: lives[one]["totalMessages"] for one in lives}, {"a": 3, "b": 1, "c": 1}
        )

    def test_one_chat(self) -> None:
        """A chat that is one live has none of that."""
        _, subscription = self.live()
        self.assertNotIn("lives", self.stats(subscription))
