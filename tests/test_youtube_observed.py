# SPDX-License-Identifier: MIT
"""What people observed on YouTube, played by the simulator and read by the daemon's own watcher."""

from __future__ import annotations

from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelEvent
from tests.support.events import fields_of
from tests.support.youtube import YouTubeCase


class ObservedTests(YouTubeCase):
    """Each file comes out right, and nothing in it is unknown."""

    rate = 4.0

    def played(self, name: str) -> tuple[list[ChatMessage], list[ChannelEvent]]:
        """The messages and events of a channel that plays a file for some seconds."""
        _, sink = self.watched(f"observed_{name}")
        self.run_for(10)
        self.assertNotIn("livechat_unparsed_total{", self.metrics.exposition().decode())
        chats = [event for event in sink.events if isinstance(event, ChatMessage)]
        return chats, [event for event in sink.events if isinstance(event, ChannelEvent)]

    def test_own_links(self) -> None:
        """Links to YouTube itself are whole."""
        chats, _ = self.played("own_links")
        self.assertGreater(len(chats), 10)
        self.assertEqual(
            {chat.data.content.raw for chat in chats},
            {
                "watch https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=42s",
                "https://www.youtube.com/playlist?list=PLabcdefghij",
            },
        )

    def test_jewels(self) -> None:
        """Who gave Jewels is known by handle only; the worth is not always told."""
        _, events = self.played("jewels")
        self.assertGreater(len(events), 10)
        self.assertEqual({fields_of(event).user.id for event in events}, {None})
        self.assertEqual({fields_of(event).user.username for event in events}, {"ben"})
        self.assertEqual({fields_of(event).price.value for event in events}, {10, None})
        image = "https://www.gstatic.com/youtube/img/pdg/gift/boat.png"
        self.assertEqual({fields_of(event).image_url for event in events}, {image, None})

    def test_sentences(self) -> None:
        """Numbers and levels are found however a sentence is cut."""
        chats, events = self.played("sentences")
        said = {chat.data.content.raw for chat in chats}
        self.assertEqual(said, {"Member for 1 month Crew", "still here", "Welcome to Crew!"})
        members = [fields_of(event) for event in events if event.type == "subscription"]
        months = {data.months for data in members if data.status == "milestone"}
        self.assertEqual(months, {1, 1001})
        self.assertEqual({data.tier for data in members}, {"Crew"})
        self.assertEqual({fields_of(e).count for e in events if e.type == "gift"}, {20})
