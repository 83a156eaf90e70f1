# SPDX-License-Identifier: MIT
"""What the platforms send fits the published schema, and is what their descriptions say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import to_builtins
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.event_data import Gift, Notice
from livechat.model.events import ChannelEvent, ChannelKey, Event
from livechat.platforms.description import installed
from livechat.protocol.messages import encode_event
from tests.support.all_events import PLATFORMS, recorded_events, written_events
from tests.support.schema import frames

#: Kinds of event that are not read from the messages of a chat: `gap` is told by whoever lost the
#: chat, the others come of looking at the stream from time to time.
ELSEWHERE = {
    "tiktok": {"gap"},
    "twitch": {"gap", "stream"},
    "youtube": {"gap", "stream", "viewers"},
}


#: What every event of these kinds is asked for, on whatever platform; of gifts by their type.
ALWAYS = {
    "raid": {"direction", "user", "viewers"},
    "subscription": {"status", "user", "months", "tier"},
    "subscription gift": {"user", "recipient", "count", "price", "tier"},
    "virtual gift": {"user", "count", "name", "image_url", "price"},
}


class EventTests(SynchronousTestCase):
    """Everything that the translators make."""

    def check(self, platform: str, events: Iterable[Event]) -> Counter[str]:
        """Hold the frames of events to the schema; how many there are of each kind."""
        key = ChannelKey(platform, "username", "ann")
        counts: Counter[str] = Counter()
        for number, event in enumerate(events, 1):
            frames().read(encode_event(key, event, number))
            counts[event.type if isinstance(event, ChannelEvent) else "chat"] += 1
        return counts

    def test_written(self) -> None:
        """Data of our own: all of it fits, and every kind that a platform is said to send comes."""
        for platform in PLATFORMS:
            kinds = set(self.check(platform, written_events(platform)))
            said = installed()[platform].event_kinds_sent
            self.assertEqual(kinds - {"chat"}, said - ELSEWHERE[platform], platform)

    def test_recorded(self) -> None:
        """Recorded data: all of it fits, and no other kinds come."""
        for platform, least in (("youtube", 250), ("twitch", 3000), ("tiktok", 500)):
            counts = self.check(platform, recorded_events(platform))
            self.assertGreater(counts.total(), least, platform)
            kinds = set(counts) - {"chat"}
            self.assertLessEqual(kinds, installed()[platform].event_kinds_sent, platform)

    def test_no_branch_on_the_platform(self) -> None:
        """What applies to a kind everywhere is never absent; it is null where it is not told."""
        for platform, found in everything():
            data = found.data
            kind = f"{data.gift_type} gift" if isinstance(data, Gift) else found.type
            missing = ALWAYS.get(kind, set()) - to_builtins(data).keys()
            self.assertEqual(missing, set(), (platform, kind, found))

    def test_no_empty_sentence(self) -> None:
        """Where the platform says nothing, there is no `text`; a `notice` is nothing but that."""
        for platform, found in everything():
            if not isinstance(found.data, Notice):
                self.assertNotEqual(found.data.text, "", (platform, found))


def everything() -> Iterator[tuple[str, ChannelEvent]]:
    """All events that are made of what we wrote and of what is recorded, with their platform."""
    for platform in PLATFORMS:
        for found in chain(written_events(platform), recorded_events(platform)):
            if isinstance(found, ChannelEvent):
                yield platform, found
