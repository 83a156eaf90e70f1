# SPDX-License-Identifier: MIT
"""What a USERNOTICE reports, kind by kind (docs/wire/twitch.md#notices).

The data of every such event holds `notice` (the platform's own kind), `text` (its ready sentence,
may be empty), `user` (who it is about: `id`, `username`, `display_name`, and `anonymous: true` for
the stand-in account of somebody who hides), `message_id` if the user's own text arrives as a chat
message besides, and `source_room_id`, `source_message_id` if it happened in another room of a
shared chat.  What follows is there only when the platform says it; numbers are numbers, people
have the shape of `user` as far as they are known:

==================  ============================================================================
kind of event       more data
==================  ============================================================================
`subscription`      `months`, `streak_months`, `plan` (`Prime`, `1000`, `2000`, `3000`),
                    `plan_name`, `multimonth_duration`, `multimonth_tenure`, `was_gifted`,
                    `gift_months`, `gift_month`, `end_month`, `gifter`, `recipient`, `promotion`,
                    `promotion_total`
`gift`              `recipient`, `count` (of a community gift), `months` (of the recipient),
                    `gift_months`, `sender_total`, `plan`, `plan_name`, `community_gift_id` and
                    `origin_id` (equal in a community gift and its single gifts, so that these
                    can be collapsed), `name`, `domain`, `total_count`, `trigger_type`,
                    `trigger_amount`.  Of a combo: `gift_type` `virtual`, `name`, `count` and
                    `price` (`value`, `currency` `BITS`, `formatted`; null where not told)
`raid`              `viewers`, `avatar_url`; `user` is who raids
`announcement`      `color`: `PRIMARY`, `BLUE`, `GREEN`, `ORANGE` or `PURPLE`
`milestone`         `category`, `value`, `reward_points`, `milestone_id`, `months`, `threshold`,
                    `level`
`donation`          `charity`, `amount` (decimal), `value` (number), `currency` (ISO 4217)
`notice`            `ritual`, `params`: everything that the line has under `msg-param-`
==================  ============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

from livechat.model.text import https_url
from livechat.platforms.twitch.parse.tags import Tags, display_name, in_bits, number, person, scaled

_Reader = Callable[[str], object]


class _Kind(NamedTuple):
    """How a notice is read: the kind of its event, single values, and people.

    :ivar values: parameter, name in the data, reader.  An earlier one of the same name wins.
    :ivar people: name in the data, then the parameters for id, login and display name.  What
        entries of the same name find is put together.
    """

    event: str
    values: tuple[tuple[str, str, _Reader], ...] = ()
    people: tuple[tuple[str, str, str, str], ...] = ()


def _positive(text: str) -> int | None:
    # Zero stands for "does not apply" in these.
    return number(text) or None


def _flag(text: str) -> bool | None:
    return {"1": True, "true": True, "0": False, "false": False}.get(text)


def _avatar(text: str) -> str | None:
    # `%s` stands for the size; older lines have it filled in.
    return https_url(text.replace("%s", "70x70"))


_PLAN: Final = (("sub-plan", "plan", str), ("sub-plan-name", "plan_name", str))
_ORIGIN: Final = (
    ("community-gift-id", "community_gift_id", str),
    ("origin-id", "origin_id", str),
)
_RECIPIENT: Final = ("recipient", "recipient-id", "recipient-user-name", "recipient-display-name")
# Lines from before 2019 have the login under another name.
_RECIPIENT_BEFORE: Final = ("recipient", "recipient-id", "recipient-name", "recipient-display-name")
_PRIOR: Final = ("gifter", "prior-gifter-id", "prior-gifter-user-name", "prior-gifter-display-name")

_SUBSCRIPTION: Final = _Kind(
    "subscription",
    (
        # Lines from before 2018 have the sum in `months`, later ones a zero.
        ("cumulative-months", "months", _positive),
        ("months", "months", _positive),
        ("streak-months", "streak_months", _positive),
        *_PLAN,
        ("multimonth-duration", "multimonth_duration", _positive),
        ("multimonth-tenure", "multimonth_tenure", _positive),
        ("was-gifted", "was_gifted", _flag),
        ("gift-months", "gift_months", _positive),
        ("gift-month-being-redeemed", "gift_month", _positive),
    ),
    (("gifter", "gifter-id", "gifter-login", "gifter-name"),),
)
_UPGRADE: Final = _Kind(
    "subscription",
    (
        *_PLAN,
        ("promo-name", "promotion", str),
        ("promo-gift-total", "promotion_total", _positive),
    ),
    (("gifter", "sender-id", "sender-login", "sender-name"),),
)
_EXTENSION: Final = _Kind(
    "subscription",
    (
        ("cumulative-months", "months", _positive),
        ("sub-benefit-end-month", "end_month", _positive),
        *_PLAN,
    ),
)
_GIFT: Final = _Kind(
    "gift",
    (
        ("months", "months", _positive),
        ("gift-months", "gift_months", _positive),
        ("sender-count", "sender_total", _positive),
        *_PLAN,
        *_ORIGIN,
    ),
    (_RECIPIENT_BEFORE, _RECIPIENT),
)
_COMMUNITY_GIFT: Final = _Kind(
    "gift",
    (
        ("mass-gift-count", "count", _positive),
        ("sender-count", "sender_total", _positive),
        *_PLAN,
        *_ORIGIN,
    ),
)

#: How the names of a notice's parameters begin.
_PARAMETER: Final = "msg-param-"

#: One gift of a combo.
_COMBO: Final = "onetapgiftredeemed"

_KINDS: Final = {
    "sub": _SUBSCRIPTION,
    "resub": _SUBSCRIPTION,
    "primepaidupgrade": _UPGRADE,
    "giftpaidupgrade": _UPGRADE,
    "anongiftpaidupgrade": _UPGRADE,
    "extendsub": _EXTENSION,
    "standardpayforward": _Kind("subscription", (), (_PRIOR, _RECIPIENT)),
    "communitypayforward": _Kind("subscription", (), (_PRIOR,)),
    "subgift": _GIFT,
    "anonsubgift": _GIFT,
    "submysterygift": _COMMUNITY_GIFT,
    "anonsubmysterygift": _COMMUNITY_GIFT,
    "rewardgift": _Kind(
        "gift",
        (
            ("domain", "domain", str),
            ("selected-count", "count", _positive),
            ("total-reward-count", "total_count", _positive),
            ("trigger-type", "trigger_type", str),
            ("trigger-amount", "trigger_amount", _positive),
        ),
    ),
    "primecommunitygiftreceived": _Kind(
        "gift", (("gift-name", "name", str),), (("recipient", "", "recipient", ""),)
    ),
    "raid": _Kind(
        "raid",
        (("viewerCount", "viewers", number), ("profileImageURL", "avatar_url", _avatar)),
    ),
    "unraid": _Kind("raid"),
    "announcement": _Kind("announcement", (("color", "color", str.upper),)),
    "viewermilestone": _Kind(
        "milestone",
        (
            ("category", "category", str),
            ("value", "value", number),
            ("copoReward", "reward_points", number),
            ("id", "milestone_id", str),
        ),
    ),
    "modiversary": _Kind("milestone", (("months", "months", _positive),)),
    "bitsbadgetier": _Kind("milestone", (("threshold", "threshold", number),)),
    "socialsharingbadge": _Kind("milestone", (("current-badge-level", "level", number),)),
    "charitydonation": _Kind("donation", (("charity-name", "charity", str),)),
    "ritual": _Kind("notice", (("ritual-name", "ritual", str),)),
    _COMBO: _Kind("gift", (("gift-id", "name", str),)),
    "onetapstreakexpired": _Kind("notice"),
    "onetapbreakpointachieved": _Kind("notice"),
}

_UNKNOWN: Final = _Kind("notice")

#: Parameters that are read of every notice, or outside the table.
_READ: Final = frozenset({"anon-gift", "prior-gifter-anonymous"})
_READ_OF: Final = {
    "charitydonation": _READ | {"donation-amount", "donation-currency", "exponent"},
    _COMBO: _READ | {"bits-spent"},
}

_PARAMETERS_READ: Final = {
    name: frozenset(
        _PARAMETER + parameter
        for parameter in (
            *_READ_OF.get(name, _READ),
            *(parameter for parameter, _, _ in kind.values),
            *(parameter for _, *parameters in kind.people for parameter in parameters),
        )
    )
    for name, kind in _KINDS.items()
}


def name_of(tags: Tags) -> str:
    """The platform's kind of a notice; for one mirrored in a shared chat, that of its origin."""
    name = tags.get("msg-id", "")
    return tags.get("source-msg-id") or name if name == "sharedchatnotice" else name


def is_known(name: str) -> bool:
    """Whether notices of this name have a kind of event of their own."""
    return name in _KINDS


def parameters_read(tags: Tags, name: str) -> Collection[str]:
    """Tags of a notice that `read` uses: of one that it passes on whole, all its parameters."""
    if _KINDS.get(name, _UNKNOWN).event == "notice":
        return [tag for tag in tags if tag.startswith(_PARAMETER)]
    return _PARAMETERS_READ[name]


def read(tags: Tags, name: str, login: str) -> tuple[str, dict[str, Any]]:
    """The kind of event and its data, without what is known only beside the tags.

    A notice of an unknown name is a `notice` with the platform's sentence and all parameters.
    """
    kind = _KINDS.get(name, _UNKNOWN)
    data: dict[str, Any] = {
        "notice": name,
        "text": _sentence(tags, name, login),
        "user": person(tags.get("user-id"), login, tags.get("display-name")),
    }
    for parameter, field, reader in kind.values:
        text = tags.get(_PARAMETER + parameter)
        if text and field not in data and (value := reader(text)) is not None:
            data[field] = value
    for field, *parameters in kind.people:
        if found := person(*(tags.get(_PARAMETER + parameter) for parameter in parameters)):
            data[field] = data.get(field, {}) | found
    if _gifter_hides(tags, name):
        data["gifter"] = data.get("gifter", {}) | {"anonymous": True}
    if kind.event == "donation":
        data |= _donation(tags)
    elif kind.event == "announcement":
        data.setdefault("color", "PRIMARY")
    elif kind.event == "notice":
        data["platform_kind"] = name
        data["params"] = {
            tag.removeprefix(_PARAMETER): value
            for tag, value in tags.items()
            if tag.startswith(_PARAMETER)
        }
    elif name == _COMBO:
        data |= _combo(tags)
    return kind.event, data


def _sentence(tags: Tags, name: str, login: str) -> str:
    text = tags.get("system-msg", "").strip()
    who = display_name(tags.get("display-name", ""), login)
    # The platform leaves the name out of this one.
    if name == "modiversary" and not text.startswith(who):
        return f"{who} {text}"
    return text


def _gifter_hides(tags: Tags, name: str) -> bool:
    return name == "anongiftpaidupgrade" or "true" in (
        tags.get("msg-param-anon-gift"),
        tags.get("msg-param-prior-gifter-anonymous"),
    )


def _combo(tags: Tags) -> dict[str, Any]:
    bits = number(tags.get("msg-param-bits-spent"))
    return {
        "platform_kind": _COMBO,
        "gift_type": "virtual",
        "count": 1,
        "price": {"value": bits, "currency": "BITS", "formatted": in_bits(bits)} if bits else None,
    }


def _donation(tags: Tags) -> dict[str, Any]:
    money = scaled(tags.get("msg-param-donation-amount"), tags.get("msg-param-exponent"))
    if money is None:
        return {}
    amount, value = money
    return {
        "amount": amount,
        "value": value,
        "currency": tags.get("msg-param-donation-currency", ""),
    }
