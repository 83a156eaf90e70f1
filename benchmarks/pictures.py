# SPDX-License-Identifier: MIT
"""How many badges, emotes and authors of the recorded chats have a picture: a table by platform.

Twitch's badges are looked up in the built-in table, as if nobody could be asked: what stays without
a picture are badges of single channels, and those that Twitch no longer gives.  The recordings name
no words of other providers, and Twitch's chat names no avatars.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count

from livechat.model.chat import Author, Badge, ChatMessage, Element
from livechat.model.event_data import Person
from livechat.model.events import Event
from livechat.platforms.enrichment.enrich import enriched
from livechat.platforms.twitch.parse.chat import translate
from livechat.platforms.twitch.pictures import BUILT_IN
from tests.support import tiktok_payloads, twitch_lines
from tests.support.corpus import ROOT
from tests.test_youtube_corpus import polls

#: Most names of badges without a picture that are printed.
NAMED = 12


def _twitch() -> Iterator[Event]:
    numbers = count(1)
    for line in twitch_lines.recorded().values():
        translation = translate(twitch_lines.parsed(line), 0, lambda: f"new-{next(numbers)}")
        for event in translation.events:
            yield enriched(event, BUILT_IN)


def _youtube() -> Iterator[Event]:
    for poll in polls().values():
        yield from poll.events


def _tiktok() -> Iterator[Event]:
    for payload in tiktok_payloads.recorded().values():
        yield from tiktok_payloads.translated(payload.method, payload.payload).events


def _person(event: Event) -> Author | Person | None:
    if isinstance(event, ChatMessage):
        return event.data.author
    user = event.data.user
    return user if isinstance(user, Person) else None


def _counted(events: Iterable[Event]) -> tuple[Counter[str], Counter[str]]:
    """How many things have a picture and how many do not; and the badges that have none."""
    counts: Counter[str] = Counter()
    bare: Counter[str] = Counter()

    def note(what: str, is_shown: bool) -> None:
        counts[f"{what} with" if is_shown else f"{what} without"] += 1

    for event in events:
        person = _person(event)
        if person is not None:
            note("avatars", bool(person.avatar_url))
            badges: list[Badge] = person.badges or []
            for badge in badges:
                note("badges", badge.image_url is not None)
                if badge.image_url is None:
                    bare[badge.label] += 1
        if isinstance(event, ChatMessage):
            elements: list[Element] = event.data.content.elements
            for element in elements:
                if element.type == "emote":
                    note("emotes", bool(element.metadata))
    return counts, bare


def main() -> None:
    """Count and print."""
    if not ROOT.is_dir():
        print("pictures: the recorded data is not here")
        return
    print("platform    badges with/without    emotes with/without    avatars with/without")
    for name, events in (("Twitch", _twitch()), ("YouTube", _youtube()), ("TikTok", _tiktok())):
        counts, bare = _counted(events)
        columns = [
            f"{counts[f'{what} with']:>10} / {counts[f'{what} without']:<10}"
            for what in ("badges", "emotes", "avatars")
        ]
        print(f"{name:<9}" + "".join(columns))
        if bare:
            print("  without:", ", ".join(f"{label} {n}" for label, n in bare.most_common(NAMED)))


if __name__ == "__main__":
    main()
