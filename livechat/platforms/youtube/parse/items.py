# SPDX-License-Identifier: MIT
"""The items of a chat, which stand in it one below the other, to messages and events.

One reader per renderer (docs/wire/youtube.md#items).  Those of messages are here; gifts and notices
have modules of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from livechat.model.chat import ChatData, ChatMessage, ChatMetadata, Money, Sticker
from livechat.model.event_data import Subscription
from livechat.model.events import Event
from livechat.model.text import Piece, content
from livechat.platforms.youtube.identifier import PLATFORM
from livechat.platforms.youtube.parse.author import read_author, read_person
from livechat.platforms.youtube.parse.gifts import donation, gift_purchase, gift_redemption, jewels
from livechat.platforms.youtube.parse.innertube import (
    Json,
    dig,
    first_number,
    picture,
    pieces,
    string,
    text_of,
)
from livechat.platforms.youtube.parse.money import read_amount
from livechat.platforms.youtube.parse.notices import engagement, mode_change, purchase
from livechat.platforms.youtube.parse.origin import Origin, Reader, event, item_id, item_time

#: Colour of the lowest tier, for an amount that comes without one.
_PLAIN_COLOR: Final = "#1E88E5"

_CHAT: Final = ChatMetadata()
_TIER: Final = re.compile(r"(?:Welcome to|Upgraded membership to) (.+)!")
_YEARS: Final = re.compile(r"\byears?\b")


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
        said = pieces(dig(item, "message")) or [" ".join(filter(None, (header, subtext)))]
        data = Subscription(
            status="milestone",
            user=read_person(item),
            text=header,
            tier=subtext or None,
            months=_months(item, header),
        )
        return _member(item, origin, "milestone", said, data)
    # The sentence is the only thing that tells the two apart; it is asked for in English.
    upgraded = subtext.startswith("Upgraded ")
    named = _TIER.fullmatch(subtext)
    data = Subscription(
        status="upgraded" if upgraded else "new",
        user=read_person(item),
        text=subtext or UNSET,
        tier=named[1] if named else None,
    )
    notice = "upgrade" if upgraded else "new"
    return _member(item, origin, notice, pieces(dig(item, "headerSubtext")), data)


def _months(item: Json, header: str) -> int | None:
    number = first_number(dig(item, "headerPrimaryText"))
    return number * 12 if number is not None and _YEARS.search(header) else number


def _legacy_membership(item: Json, origin: Origin) -> Sequence[Event]:
    parts = text_of(dig(item, "eventText")), text_of(dig(item, "detailText"))
    text = " ".join(filter(None, parts))
    data = Subscription(status="new", user=read_person(item), text=text or UNSET)
    return _member(item, origin, "new", [text], data)


def _member(
    item: Json, origin: Origin, notice: str, said: Sequence[Piece], data: Subscription
) -> Sequence[Event]:
    chat = _chat(item, origin, said, ChatMetadata(notice=f"membership_{notice}"))
    data = replace(data, message_id=chat.message_id)
    return [chat, event(data, chat.message_id, origin, chat.timestamp)]


#: Readers by the key that an `item` or `replacementItem` has.
ITEMS: Final[Mapping[str, Reader]] = {
    "liveChatTextMessageRenderer": _text,
    "liveChatPaidMessageRenderer": _paid_message,
    "liveChatPaidStickerRenderer": _paid_sticker,
    "liveChatMembershipItemRenderer": _membership,
    "liveChatLegacyPaidMessageRenderer": _legacy_membership,
    "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer": gift_purchase,
    "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer": gift_redemption,
    "giftMessageViewModel": jewels,
    "liveChatDonationAnnouncementRenderer": donation,
    "liveChatViewerEngagementMessageRenderer": engagement,
    "liveChatModeChangeMessageRenderer": mode_change,
    "liveChatPurchasedProductMessageRenderer": purchase,
}
