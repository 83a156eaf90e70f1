# SPDX-License-Identifier: MIT
"""The platform's kinds of notices: which event each is, and which parameter is which field of it.

See docs/wire/twitch.md#notices.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from livechat.model.event_data import (
    Announcement,
    Donation,
    EventData,
    Gift,
    Milestone,
    Price,
    Raid,
    Subscription,
)
from livechat.model.image_address import https_url
from livechat.platforms.twitch.parse.tags import Tags, in_bits, number, person, scaled

_Reader = Callable[[str], object]


class Kind(NamedTuple):
    """How a notice is read.

    :ivar make: the event, from its fields.
    :ivar values: parameter, field, reader.  An earlier one of the same field wins.
    :ivar people: field, then the parameters for id, login (the first that is there) and display
        name.  Null if nothing is told, or they hide.
    :ivar more: fields that several parameters or the user are needed for.
    :ivar more_read: the parameters that `more` reads.
    """

    make: Callable[..., EventData]
    values: tuple[tuple[str, str, _Reader], ...] = ()
    people: tuple[tuple[str, str, tuple[str, ...], str], ...] = ()
    more: Callable[[Tags, dict[str, Any]], None] | None = None
    more_read: tuple[str, ...] = ()


#: The origin of a single gift in lines of 2019 to 2022: the SHA-1 of nothing.
_NO_ORIGIN: Final = "da 39 a3 ee 5e 6b 4b 0d 32 55 bf ef 95 60 18 90 af d8 07 09"

#: Names of the milestones that are told by a notice of their own sort, in ours.
MILESTONES: Final = {"watch-streak": "watch_streak"}


def _positive(text: str) -> int | None:
    # Zero stands for "does not apply" in these.
    return number(text) or None


def _flag(text: str) -> bool | None:
    return {"1": True, "true": True, "0": False, "false": False}.get(text)


def _gifter(tags: Tags, fields: dict[str, Any]) -> None:
    """Who gave a subscription, where it was given; null where they hide."""
    if tags.get("msg-param-anon-gift") == "true":
        fields["gifter"] = None
    elif fields["gifter"] is None and not fields.get("gifted"):
        del fields["gifter"]


def _prior_gifter(tags: Tags, fields: dict[str, Any]) -> None:
    """Who gave the subscription that is passed on; null where they hide."""
    if tags.get("msg-param-prior-gifter-anonymous") == "true":
        fields["gifter"] = None


def _origin(tags: Tags, fields: dict[str, Any]) -> None:
    """What ties the parts of a large gift together: two ids that say the same."""
    found = tags.get("msg-param-community-gift-id") or tags.get("msg-param-origin-id")
    if found and found != _NO_ORIGIN:
        fields["gift_id"] = found


def _combo(tags: Tags, fields: dict[str, Any]) -> None:
    """What one gift of a combo cost."""
    bits = number(tags.get("msg-param-bits-spent"))
    fields["price"] = Price(bits, "BITS", in_bits(bits)) if bits else None


def _donation(tags: Tags, fields: dict[str, Any]) -> None:
    """What was given; null if it cannot be read."""
    currency = tags.get("msg-param-donation-currency")
    money = scaled(tags.get("msg-param-donation-amount"), tags.get("msg-param-exponent"))
    if money is not None:
        amount, value = money
        fields["price"] = Price(value, currency or None, f"{amount} {currency or ''}".strip())


def _raider(tags: Tags, fields: dict[str, Any]) -> None:
    """The channel that the viewers come from: its picture, and its chat."""
    raider = fields["user"] or person(
        None, tags.get("msg-param-login"), tags.get("msg-param-displayName")
    )
    if raider is None:
        return
    fields["user"] = raider
    if raider.id:
        # On Twitch a chat has the number of its broadcaster.
        fields["room_id"] = raider.id
    # `%s` stands for the size; older lines have it filled in.
    picture = tags.get("msg-param-profileImageURL", "").replace("%s", "70x70")
    if shown := https_url(picture):
        fields["user"] = replace(raider, avatar_url=shown)


def _unraid(_: Tags, fields: dict[str, Any]) -> None:
    """Who speaks is our own broadcaster; whom the raid was for is not told."""
    fields["user"] = None


_TIER: Final = (("sub-plan", "tier", str), ("sub-plan-name", "tier_name", str))
_RECIPIENT: Final = (
    "recipient",
    "recipient-id",
    # Lines from before 2019 have the login under the second name.
    ("recipient-user-name", "recipient-name"),
    "recipient-display-name",
)
_PRIOR: Final = (
    "gifter",
    "prior-gifter-id",
    ("prior-gifter-user-name",),
    "prior-gifter-display-name",
)

_renewed: Final = partial(Subscription, status="renewed")
_sub: Final = partial(
    Kind,
    values=(
        # Lines from before 2018 have the sum in `months`, later ones a zero.
        ("cumulative-months", "months", _positive),
        ("months", "months", _positive),
        ("streak-months", "streak_months", _positive),
        *_TIER,
        ("multimonth-duration", "duration_months", _positive),
        ("multimonth-tenure", "tenure_months", _positive),
        ("was-gifted", "gifted", _flag),
        ("gift-months", "gift_months", _positive),
        ("gift-month-being-redeemed", "gift_month", _positive),
    ),
    people=(("gifter", "gifter-id", ("gifter-login",), "gifter-name"),),
    more=_gifter,
    more_read=("anon-gift",),
)
_UPGRADE: Final = Kind(
    partial(Subscription, status="upgraded"),
    (
        *_TIER,
        ("promo-name", "promotion", str),
        ("promo-gift-total", "promotion_total", _positive),
    ),
)
_GIFT_UPGRADE: Final = _UPGRADE._replace(
    people=(("gifter", "sender-id", ("sender-login",), "sender-name"),)
)
_GIFT: Final = Kind(
    partial(Gift, gift_type="subscription", count=1, tier=None),
    (
        ("months", "recipient_months", _positive),
        ("gift-months", "months", _positive),
        ("sender-count", "total", _positive),
        *_TIER,
    ),
    (_RECIPIENT,),
    _origin,
    ("community-gift-id", "origin-id"),
)
_COMMUNITY_GIFT: Final = Kind(
    partial(Gift, gift_type="subscription", recipient=None, tier=None),
    (
        ("mass-gift-count", "count", _positive),
        ("gift-months", "months", _positive),
        ("sender-count", "total", _positive),
        *_TIER,
    ),
    (),
    _origin,
    ("community-gift-id", "origin-id"),
)
_virtual: Final = partial(Gift, gift_type="virtual", name=None, image_url=None)

#: By the platform's names.
KINDS: Final = {
    "sub": _sub(partial(Subscription, status="new")),
    "resub": _sub(_renewed),
    "primepaidupgrade": _UPGRADE,
    "giftpaidupgrade": _GIFT_UPGRADE,
    "anongiftpaidupgrade": _GIFT_UPGRADE,
    "extendsub": Kind(
        _renewed,
        (
            ("cumulative-months", "months", _positive),
            ("sub-benefit-end-month", "end_month", _positive),
            *_TIER,
        ),
    ),
    "standardpayforward": Kind(
        _renewed, (), (_PRIOR, _RECIPIENT), _prior_gifter, ("prior-gifter-anonymous",)
    ),
    "communitypayforward": Kind(
        _renewed, (), (_PRIOR,), _prior_gifter, ("prior-gifter-anonymous",)
    ),
    "subgift": _GIFT,
    "anonsubgift": _GIFT,
    "submysterygift": _COMMUNITY_GIFT,
    "anonsubmysterygift": _COMMUNITY_GIFT,
    "rewardgift": Kind(
        partial(_virtual, recipient=None),
        (
            ("domain", "domain", str),
            ("selected-count", "count", _positive),
            ("total-reward-count", "total_count", _positive),
            ("trigger-type", "trigger", str),
            ("trigger-amount", "trigger_amount", _positive),
        ),
    ),
    "primecommunitygiftreceived": Kind(
        partial(_virtual, count=1),
        (("gift-name", "name", str),),
        (("recipient", "", ("recipient",), ""),),
    ),
    "raid": Kind(
        partial(Raid, direction="incoming"),
        (("viewerCount", "viewers", number),),
        (),
        _raider,
        ("profileImageURL",),
    ),
    "unraid": Kind(partial(Raid, direction="cancelled"), more=_unraid),
    "announcement": Kind(partial(Announcement, color="PRIMARY"), (("color", "color", str.upper),)),
    "viewermilestone": Kind(
        Milestone,
        (
            ("category", "category", MILESTONES.__getitem__),
            ("value", "value", number),
            ("copoReward", "reward_points", number),
            ("id", "milestone_id", str),
        ),
    ),
    "modiversary": Kind(
        partial(Milestone, category="moderator_anniversary"), (("months", "value", _positive),)
    ),
    "bitsbadgetier": Kind(
        partial(Milestone, category="bits_badge"), (("threshold", "value", number),)
    ),
    "socialsharingbadge": Kind(
        partial(Milestone, category="sharing"), (("current-badge-level", "value", number),)
    ),
    "charitydonation": Kind(
        partial(Donation, charity=None),
        (("charity-name", "charity", str),),
        (),
        _donation,
        ("donation-amount", "donation-currency", "exponent"),
    ),
    "onetapgiftredeemed": Kind(
        partial(_virtual, count=1),
        (("gift-id", "name", str),),
        (),
        _combo,
        ("bits-spent",),
    ),
}

#: Notices that have no kind of their own, and are known.
NOTICES: Final = frozenset({"ritual", "onetapstreakexpired", "onetapbreakpointachieved"})
