# SPDX-License-Identifier: MIT
"""The items of a chat, which stand in it one below the other, to messages and events.

One reader per renderer (docs/wire/youtube.md#items).  A reader answers with what the item
amounts to and raises `ValueError` for an item without what makes it one.

The `data` of events; `user` is an author as in a chat message unless said otherwise:

========== ====================================================================================
membership `status` (`new`, `upgrade` or `milestone`), `message_id` of the chat message that says
           the same, `user`, `tier` (null if not known), `months` (milestone), `text` as shown
gift       `gift` (`membership_purchase`, `membership_redemption` or `jewels`), `user` who gave,
           `text`, `image_url`; of a purchase `count`; of a redemption `recipient`, the giver
           being known by `username` and `display_name` only, or null; of jewels `value` (null if
           not known) and `currency` (`JEWELS`)
donation   `text`, `subtext`, `amount` as shown, `value`, `currency`
room       `mode` as YouTube names its icon (`SLOW_MODE`, ...), `text`, `subtext`
notice     `notice` (`engagement` or `purchase`), `text`; of an engagement notice `icon`
poll       `status` `result`, `question` (null if not known), `choices` (`text`, `ratio`), `text`
========== ====================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from livechat.model.chat import ChatData, ChatMessage, ChatMetadata, Money, Sticker
from livechat.model.events import ChannelEvent, Event, iso_time
from livechat.model.text import Piece, content
from livechat.platforms.youtube.identifier import PLATFORM
from livechat.platforms.youtube.parse.author import name_only, read_author, read_person
from livechat.platforms.youtube.parse.innertube import (
    Json,
    bold_runs,
    children,
    dig,
    picture,
    pieces,
    string,
    text_of,
    whole_number,
)
from livechat.platforms.youtube.parse.money import read_amount

#: Older than YouTube itself: no time of an item, but a mistake or another unit.
_OLDEST: Final = 1_104_537_600_000
_DAY: Final = 86_400_000

#: Colour of the lowest tier, for an amount that comes without one.
_PLAIN_COLOR: Final = "#1E88E5"

_CHAT: Final = ChatMetadata()
_JEWELS: Final = re.compile(r"([0-9][0-9.,]{0,14}) Jewels?\b")
_TIER: Final = re.compile(r"(?:Welcome to|Upgraded membership to) (.+)!")
_YEARS: Final = re.compile(r"\byears?\b")
_NUMBER: Final = re.compile(r"(?<![^\s])(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(?![^\s])")
_POLL_CHOICE: Final = re.compile(r"(.+) \(([0-9]{1,3})\s?%\)")


class Origin(Struct, frozen=True):
    """What an item does not say of itself: the video it belongs to and when it arrived (ms)."""

    video_id: str
    received_ms: int


Reader = Callable[[Json, Origin], Sequence[Event]]


def event(
    kind: str, event_id: str, origin: Origin, data: dict[str, Any], timestamp: str | None = None
) -> ChannelEvent:
    """An event; the time of one without a time is when it arrived."""
    timestamp = timestamp or iso_time(origin.received_ms)
    return ChannelEvent(kind, PLATFORM, timestamp, event_id, origin.video_id, data)


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


def color(argb: Json) -> str | None:
    """An ARGB number as `#RRGGBB` (docs/wire/youtube.md#colours)."""
    return f"#{argb & 0xFFFFFF:06X}" if type(argb) is int else None


def _chat(
    item: Json, origin: Origin, said: Sequence[Piece], metadata: ChatMetadata = _CHAT
) -> ChatMessage:
    return ChatMessage(
        PLATFORM,
        item_time(item, origin),
        item_id(item),
        origin.video_id,
        ChatData(read_author(item), content(said), metadata),
    )


def _text(item: Json, origin: Origin) -> Sequence[Event]:
    return [_chat(item, origin, pieces(item.get("message")))]


def _paid_message(item: Json, origin: Origin) -> Sequence[Event]:
    shade = dig(item, "bodyBackgroundColor"), dig(item, "headerBackgroundColor")
    metadata = ChatMetadata("super_chat", _money(item, *shade))
    return [_chat(item, origin, pieces(dig(item, "message")), metadata)]


def _paid_sticker(item: Json, origin: Origin) -> Sequence[Event]:
    shade = dig(item, "backgroundColor"), dig(item, "moneyChipBackgroundColor")
    metadata = ChatMetadata("super_chat", _money(item, *shade), _sticker(dig(item, "sticker")))
    return [_chat(item, origin, [], metadata)]


def _money(item: Json, *shades: Json) -> Money:
    amount = text_of(dig(item, "purchaseAmountText"))
    shade = next((shown for argb in shades if (shown := color(argb))), _PLAIN_COLOR)
    value, currency = read_amount(amount)
    return Money(amount, amount, shade, value, currency)


def _sticker(sticker: Json) -> Sticker | UnsetType:
    url = picture(sticker)
    if url is None:
        return UNSET
    return Sticker(url, string(dig(sticker, "accessibility", "accessibilityData", "label")))


def _membership(item: Json, origin: Origin) -> Sequence[Event]:
    header = text_of(dig(item, "headerPrimaryText"))
    subtext = text_of(dig(item, "headerSubtext"))
    if header:
        months = _first_number(dig(item, "headerPrimaryText"))
        if months is not None and _YEARS.search(header):
            months *= 12
        said = pieces(dig(item, "message")) or [" ".join(filter(None, (header, subtext)))]
        return _member(
            item, origin, "milestone", said, text=header, tier=subtext or None, months=months
        )
    # The sentence is the only thing that tells the two apart; it is asked for in English.
    status = "upgrade" if subtext.startswith("Upgraded ") else "new"
    named = _TIER.fullmatch(subtext)
    tier = named[1] if named else None
    return _member(
        item, origin, status, pieces(dig(item, "headerSubtext")), text=subtext, tier=tier
    )


def _legacy_membership(item: Json, origin: Origin) -> Sequence[Event]:
    parts = text_of(dig(item, "eventText")), text_of(dig(item, "detailText"))
    text = " ".join(filter(None, parts))
    return _member(item, origin, "new", [text], text=text)


def _member(
    item: Json,
    origin: Origin,
    status: str,
    said: Sequence[Piece],
    *,
    text: str,
    tier: str | None = None,
    months: int | None = None,
) -> Sequence[Event]:
    chat = _chat(item, origin, said, ChatMetadata(notice=f"membership_{status}"))
    data: dict[str, Any] = {
        "status": status,
        "message_id": chat.message_id,
        "user": read_person(item),
        "tier": tier,
        "text": text,
    }
    if months is not None:
        data["months"] = months
    return [chat, event("membership", chat.message_id, origin, data, chat.timestamp)]


def _gift_purchase(item: Json, origin: Origin) -> Sequence[Event]:
    # The giver's name, picture and badges lie in the header, the channel id beside it.
    header = dig(item, "header", "liveChatSponsorshipsHeaderRenderer")
    giver = {"authorExternalChannelId": dig(item, "authorExternalChannelId"), **_object(header)}
    text = dig(header, "primaryText")
    return _happened(
        "gift",
        item,
        origin,
        gift="membership_purchase",
        user=read_person(giver),
        text=text_of(text),
        image_url=picture(dig(header, "image")),
        count=_first_number(text),
    )


def _gift_redemption(item: Json, origin: Origin) -> Sequence[Event]:
    message = dig(item, "message")
    return _happened(
        "gift",
        item,
        origin,
        gift="membership_redemption",
        # "received a gift membership by ", giver: emphasis marks names in every language.
        user=name_only(next(reversed(bold_runs(message)), "")),
        text=text_of(message),
        image_url=None,
        recipient=read_person(item),
    )


def _jewels(item: Json, origin: Origin) -> Sequence[Event]:
    # No channel id and no time; the handle is followed by a space (docs/wire/youtube.md#items).
    name = text_of(dig(item, "authorName")).strip()
    if not name:
        raise ValueError("no author")
    text = text_of(dig(item, "text"))
    worth = _JEWELS.search(text)
    return _happened(
        "gift",
        item,
        origin,
        gift="jewels",
        user=name_only(name, picture(dig(item, "authorAvatar", "avatarViewModel", "image"))),
        text=text,
        image_url=picture(dig(item, "giftImage")) or picture(dig(item, "image")),
        value=int(re.sub("[.,]", "", worth[1])) if worth else None,
        currency="JEWELS",
    )


def _donation(item: Json, origin: Origin) -> Sequence[Event]:
    # "Anonymous donated ", "$50.00": the sum is the last run.
    amount = text_of(dig(item, "text", "runs", -1, "text"))
    value, currency = read_amount(amount)
    return _happened(
        "donation",
        item,
        origin,
        text=text_of(dig(item, "text")),
        subtext=text_of(dig(item, "subtext")),
        amount=amount,
        value=value,
        currency=currency,
    )


def _engagement(item: Json, origin: Origin) -> Sequence[Event]:
    icon = string(dig(item, "icon", "iconType"))
    message = dig(item, "message")
    text = text_of(message)
    if icon != "POLL":
        return _happened("notice", item, origin, notice="engagement", icon=icon, text=text)
    choices = [match for line in text.split("\n") if (match := _POLL_CHOICE.fullmatch(line))]
    return _happened(
        "poll",
        item,
        origin,
        status="result",
        question=next(iter(bold_runs(message)), None),
        choices=[{"text": choice[1], "ratio": int(choice[2]) / 100} for choice in choices],
        text=text,
    )


def _mode_change(item: Json, origin: Origin) -> Sequence[Event]:
    return _happened(
        "room",
        item,
        origin,
        mode=string(dig(item, "icon", "iconType")),
        text=text_of(dig(item, "text")),
        subtext=text_of(dig(item, "subtext")),
    )


def _purchase(item: Json, origin: Origin) -> Sequence[Event]:
    text = text_of(dig(item, "message"))
    return _happened("notice", item, origin, notice="purchase", text=text)


def _happened(kind: str, item: Json, origin: Origin, **data: object) -> Sequence[Event]:
    return [event(kind, item_id(item), origin, data, item_time(item, origin))]


def _object(node: Json) -> dict[str, Json]:
    return node if isinstance(node, dict) else {}


def _first_number(text: Json) -> int | None:
    """The first run that is nothing but a number, else the first number of the whole sentence."""
    runs = [text_of(dig(run, "text")).strip() for run in children(dig(text, "runs"))]
    alone = next((match for run in runs if (match := _NUMBER.fullmatch(run))), None)
    found = alone or _NUMBER.search(text_of(text))
    return int(found[0].replace(",", "")) if found else None


#: Readers by the key that an `item` or `replacementItem` has.
ITEMS: Final[Mapping[str, Reader]] = {
    "liveChatTextMessageRenderer": _text,
    "liveChatPaidMessageRenderer": _paid_message,
    "liveChatPaidStickerRenderer": _paid_sticker,
    "liveChatMembershipItemRenderer": _membership,
    "liveChatLegacyPaidMessageRenderer": _legacy_membership,
    "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer": _gift_purchase,
    "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer": _gift_redemption,
    "giftMessageViewModel": _jewels,
    "liveChatDonationAnnouncementRenderer": _donation,
    "liveChatViewerEngagementMessageRenderer": _engagement,
    "liveChatModeChangeMessageRenderer": _mode_change,
    "liveChatPurchasedProductMessageRenderer": _purchase,
}
