# SPDX-License-Identifier: MIT
"""Puts pictures into messages and events: a pure function of an event and a dictionary.

Twitch's own emotes and GIFs come with a message and are in it already.  Of its other words, those
that stand for bits come first, as long as their sum does not exceed what was paid; then the
emotes of the dictionary.  A badge that is not in the dictionary keeps `null` as its picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from livechat.model.chat import Author, Badge, ChatData, ChatMessage, ChatMetadata, Content, Money
from livechat.model.event_data import Person, Pin
from livechat.model.events import ChannelEvent, Event
from livechat.model.text import Emote, Image, image, with_emotes, with_images
from livechat.platforms.enrichment.dictionary import BadgePicture, Dictionary

#: A word that may stand for bits.
_CHEER: Final = re.compile(r"([!-~]*[!-/:-~])([1-9][0-9]{0,14})")

#: A subscriber's badge of a higher tier; without a picture of its own it looks like that of tier 1.
_HIGHER_TIER: Final = re.compile(r"(subscriber|founder)/[23]([0-9]{3})")


def enriched(event: Event, dictionary: Dictionary) -> Event:
    """The event with the pictures that the dictionary has for it; the same object for none."""
    if not isinstance(event, ChatMessage):
        return _event(event, dictionary)
    data = event.data
    author, content, metadata = data.author, data.content, data.metadata
    money = metadata.monetary_data
    if money is not UNSET and money.currency == "BITS":
        content = with_images(content, _cheers(int(money.value), dictionary))
        metadata = _coloured(metadata, money, dictionary)
    else:
        content = _content(content, dictionary)
    if dictionary.badges and author.badges:
        author = _author(author, dictionary)
    if content is data.content and author is data.author and metadata is data.metadata:
        return event
    return ChatMessage(
        event.platform,
        event.timestamp,
        event.message_id,
        event.room_id,
        ChatData(author, content, metadata),
    )


def _content(content: Content, dictionary: Dictionary) -> Content:
    # Most messages hold none of these words, and this is done for every message.
    words = content.raw.split()
    if dictionary.emotes.keys().isdisjoint(words):
        return content
    return with_emotes(content, dictionary.emotes, words)


def _event(event: ChannelEvent, dictionary: Dictionary) -> ChannelEvent:
    data = event.data
    user = data.user
    if isinstance(user, Person) and user.badges and dictionary.badges:
        badges = _badges(user.badges, dictionary)
        if badges is not user.badges:
            data = replace(data, user=replace(user, badges=badges))
    if isinstance(data, Pin) and isinstance(data.content, Content):
        content = _content(data.content, dictionary)
        if content is not data.content:
            data = replace(data, content=content)
    return event if data is event.data else replace(event, data=data)


def _author(author: Author, dictionary: Dictionary) -> Author:
    badges = _badges(author.badges, dictionary)
    if badges is author.badges:
        return author
    return Author(
        author.id,
        author.username,
        author.display_name,
        author.avatar_url,
        author.roles,
        badges,
        author.color,
    )


def _badges(badges: list[Badge], dictionary: Dictionary) -> list[Badge]:
    """The badges with their pictures; the same list if there are none."""
    shown: list[Badge] | None = None
    for index, badge in enumerate(badges):
        if badge.image_url is not None:
            continue
        picture = _picture(badge.label, dictionary) or _of_lower_tier(badge.label, dictionary)
        if picture is not None:
            if shown is None:
                shown = badges[:]
            shown[index] = Badge(
                badge.type,
                badge.label,
                picture.url,
                badge.months,
                badge.tier,
                picture.title or badge.title,
            )
    return badges if shown is None else shown


def _picture(label: str, dictionary: Dictionary) -> BadgePicture | None:
    for known in dictionary.badges:
        if label in known:
            return known[label]
    return None


def _of_lower_tier(label: str, dictionary: Dictionary) -> BadgePicture | None:
    match = _HIGHER_TIER.fullmatch(label)
    return None if match is None else _picture(f"{match[1]}/{int(match[2])}", dictionary)


def _cheers(bits: int, dictionary: Dictionary) -> Callable[[str], Image | None]:
    """Finds the pictures of a message's words, in their order, for which so many bits were paid."""
    left = bits

    def find(word: str) -> Image | None:
        nonlocal left
        match = _CHEER.fullmatch(word) if left > 0 else None
        if match is not None and (kind := dictionary.cheermotes.get(match[1].lower())):
            amount = int(match[2])
            left -= amount
            # Beyond what was paid nothing counts any more.
            if left >= 0 and (url := _of_tier(kind.tiers, amount)):
                return image(Emote(word, url, word, word, kind.is_custom, amount))
        return dictionary.emotes.get(word)

    return find


def _of_tier(tiers: Sequence[tuple[int, str]], bits: int) -> str:
    """What belongs to the highest tier that so many bits reach; empty for none."""
    return next((value for least, value in tiers if bits >= least), "")


def _coloured(metadata: ChatMetadata, money: Money, dictionary: Dictionary) -> ChatMetadata:
    color = _of_tier(dictionary.colors, int(money.value)) or money.color
    if color == money.color:
        return metadata
    return replace(metadata, monetary_data=replace(money, color=color))
