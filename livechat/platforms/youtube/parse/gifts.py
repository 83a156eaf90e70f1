# SPDX-License-Identifier: MIT
"""Items about what viewers give: memberships for others, Jewels, donations.

YouTube has no short names for these, so `platform_kind` is `membership_purchase`,
`membership_redemption` or `jewels`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from livechat.model.event_data import Donation, Gift, Person, Price
from livechat.model.events import Event
from livechat.platforms.youtube.parse.author import name_only, read_person
from livechat.platforms.youtube.parse.innertube import (
    Json,
    bold_runs,
    dig,
    first_number,
    picture,
    text_of,
)
from livechat.platforms.youtube.parse.money import UNKNOWN, read_amount
from livechat.platforms.youtube.parse.origin import Origin, item_event

_WORTH: Final = re.compile(r"([0-9][0-9.,]{0,14}) Jewels?\b")
#: "sent Gold coin for 10 Jewels"; the worth is not always there.
_SENT: Final = re.compile(r"sent (.+?)(?: for [0-9.,]+ Jewels?)?")
_DONATED: Final = re.compile(r"(.+) donated ")
_TO: Final = re.compile(r"to (.+)")
_ANONYMOUS: Final = "Anonymous"


def gift_purchase(item: Json, origin: Origin) -> Sequence[Event]:
    """Memberships were bought for others."""
    # The giver's name, picture and badges lie in the header, the channel id beside it.
    header = dig(item, "header", "liveChatSponsorshipsHeaderRenderer")
    described = header if isinstance(header, dict) else {}
    giver = {"authorExternalChannelId": dig(item, "authorExternalChannelId"), **described}
    text = dig(header, "primaryText")
    data = Gift(
        gift_type="subscription",
        user=read_person(giver),
        text=text_of(text) or UNSET,
        platform_kind="membership_purchase",
        recipient=None,
        count=first_number(text),
        image_url=picture(dig(header, "image")),
        tier=None,
    )
    return item_event(data, item, origin)


def gift_redemption(item: Json, origin: Origin) -> Sequence[Event]:
    """Somebody got one of the memberships that were bought."""
    message = dig(item, "message")
    data = Gift(
        gift_type="subscription",
        # "received a gift membership by ", giver: emphasis marks names in every language.
        user=name_only(next(reversed(bold_runs(message)), "")),
        text=text_of(message) or UNSET,
        platform_kind="membership_redemption",
        recipient=read_person(item),
        count=1,
        image_url=None,
        tier=None,
    )
    return item_event(data, item, origin)


def jewels(item: Json, origin: Origin) -> Sequence[Event]:
    """A gift that costs Jewels."""
    # No channel id and no time; the handle is followed by a space (docs/wire/youtube.md#items).
    name = text_of(dig(item, "authorName")).strip()
    if not name:
        raise ValueError("no author")
    text = text_of(dig(item, "text"))
    sent, worth = _SENT.fullmatch(text), _WORTH.search(text)
    value = int(re.sub("[.,]", "", worth[1])) if worth else None
    data = Gift(
        gift_type="virtual",
        user=name_only(name, picture(dig(item, "authorAvatar", "avatarViewModel", "image"))),
        text=text or UNSET,
        platform_kind="jewels",
        count=1,
        name=sent[1] if sent else None,
        image_url=picture(dig(item, "giftImage")) or picture(dig(item, "image")),
        price=Price(value, "JEWELS", worth[0] if worth else None),
    )
    return item_event(data, item, origin)


def donation(item: Json, origin: Origin) -> Sequence[Event]:
    """A donation to charity."""
    # "Anonymous donated ", "$50.00": the sum is the last run.
    text, subtext = text_of(dig(item, "text")), text_of(dig(item, "subtext"))
    amount = text_of(dig(item, "text", "runs", -1, "text"))
    value, currency = read_amount(amount)
    charity = _TO.fullmatch(subtext)
    data = Donation(
        user=_donor(text.removesuffix(amount)),
        text=" ".join(filter(None, (text, subtext))) or UNSET,
        charity=charity[1] if charity else None,
        # Nobody donates nothing: zero is an amount that cannot be read.
        price=Price(value or None, None if currency == UNKNOWN else currency, amount or None),
    )
    return item_event(data, item, origin)


def _donor(sentence: str) -> Person | None:
    named = _DONATED.fullmatch(sentence)
    return name_only(named[1]) if named and named[1] != _ANONYMOUS else None
