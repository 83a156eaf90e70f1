# SPDX-License-Identifier: MIT
"""What every reader of an item or an action works with: where it came from, its id, its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from livechat.model.event_data import EventData
from livechat.model.events import ChannelEvent, Event, iso_time
from livechat.platforms.youtube.identifier import PLATFORM
from livechat.platforms.youtube.parse.innertube import Json, whole_number

#: Older than YouTube itself: no time of an item, but a mistake or another unit.
_OLDEST: Final = 1_104_537_600_000
_DAY: Final = 86_400_000


class Origin(Struct, frozen=True):
    """What an item does not say of itself: the video it belongs to and when it arrived (ms)."""

    video_id: str
    received_ms: int


#: Answers with what an item or action amounts to; raises `ValueError` for one without what makes
#: it one.
Reader = Callable[[Json, Origin], Sequence[Event]]


def event(
    data: EventData, event_id: str, origin: Origin, timestamp: str | None = None
) -> ChannelEvent:
    """An event; the time of one without a time is when it arrived."""
    timestamp = timestamp or iso_time(origin.received_ms)
    return ChannelEvent.of(data, PLATFORM, timestamp, event_id, origin.video_id)


def item_event(data: EventData, item: Json, origin: Origin) -> Sequence[Event]:
    """What an item amounts to that is an event only, under the item's own id."""
    return [event(data, item_id(item), origin, item_time(item, origin))]


def item_id(item: Json) -> str:
    """The item's id.

    :raises LookupError, TypeError, ValueError: it has none.
    """
    found = item["id"]
    if not found or not isinstance(found, str):
        raise ValueError("no id")
    return found


def item_time(item: Json, origin: Origin) -> str:
    """When the item was written; when it arrived if it tells no believable time."""
    micros = whole_number(item.get("timestampUsec")) or 0
    millis = micros // 1000
    if not _OLDEST <= millis <= origin.received_ms + _DAY:
        millis = origin.received_ms
    return iso_time(millis)
