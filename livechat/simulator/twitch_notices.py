# SPDX-License-Identifier: MIT
"""What Twitch's notices say: subscriptions, gifts, raids and the like.

Pure.  Parameters follow the recorded lines (docs/wire/twitch.md#notices).
"""

from __future__ import annotations

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from livechat.simulator.actions import (
    Action,
    Announce,
    Author,
    Donate,
    Gift,
    GiftShower,
    Oddity,
    Raid,
    Subscribe,
    WatchStreak,
    stable_id,
)


def notice(action: Action, author: Author, channel: str) -> tuple[str, str, dict[str, object]]:
    """A notice's `msg-id`, its English sentence, and its `msg-param-*` (section 4.1)."""
    who = author.shown
    match action:
        case Subscribe(months=months, streak=streak, tier=tier):
            with_what = f"at Tier {tier}" if tier else "with Prime"
            sentence = f"{who} subscribed {with_what}."
            params: dict[str, object] = {
                "cumulative-months": months,
                "months": 0,
                "multimonth-duration": 1,
                "multimonth-tenure": 0,
                "should-share-streak": int(streak > 0),
                **_plan(tier, channel),
                "was-gifted": "false",
            }
            if months == 1:
                return "sub", sentence, params
            sentence += f" They've subscribed for {months} months"
            if streak:
                params["streak-months"] = streak
                sentence += f", currently on a {streak} month streak"
            return "resub", f"{sentence}!", params
        case Gift(recipient=recipient, total=total, tier=tier, shower=shower):
            origin = shower or action.id
            params = {
                "gift-months": 1,
                "months": 1,
                "origin-id": _hexadecimal(origin),
                "recipient-display-name": recipient.shown,
                "recipient-id": recipient.id,
                "recipient-user-name": recipient.login,
                "sender-count": 0 if shower else total,
                **_plan(tier, channel),
            }
            if shower:
                params["community-gift-id"] = stable_id(shower)
            return "subgift", f"{who} gifted a Tier {tier} sub to {recipient.shown}!", params
        case GiftShower(count=count, total=total, tier=tier):
            params = {
                "community-gift-id": stable_id(action.id),
                "mass-gift-count": count,
                "origin-id": _hexadecimal(action.id),
                "sender-count": total,
                "sub-plan": tier * 1000,
            }
            sentence = f"{who} is gifting {count} Tier {tier} Subs to {channel}'s community!"
            return "submysterygift", sentence, params
        case Raid(viewers=viewers):
            params = {
                "displayName": who,
                "login": author.login,
                "profileImageURL": portrait(author.login, "%s"),
                "viewerCount": viewers,
            }
            return "raid", f"{viewers} raiders from {who} have joined!", params
        case Announce(color=color):
            return "announcement", "", {"color": color}
        case WatchStreak(streams=streams):
            params = {
                "category": "watch-streak",
                "copoReward": 450 if streams >= 5 else 350,
                "id": str(uuid5(NAMESPACE_URL, action.id)),
                "value": streams,
            }
            sentence = f"{who} watched {streams} consecutive streams and sparked a watch streak!"
            return "viewermilestone", sentence, params
        case Donate(charity=charity, amount=amount, currency=currency):
            params = {
                "charity-name": charity,
                "donation-amount": amount,
                "donation-currency": currency,
                "exponent": 2,
            }
            sentence = f"{who}: Donated {currency} {amount / 100:.2f} to support {charity}"
            return "charitydonation", sentence, params
        case Oddity(kind=kind, sentence=sentence):
            return kind, f"{who} {sentence}", {}
    raise TypeError(f"no notice for {action!r}")


def _plan(tier: int, channel: str) -> dict[str, object]:
    name = f"Channel Subscription ({channel})"
    return {"sub-plan": tier * 1000 if tier else "Prime", "sub-plan-name": name}


def _hexadecimal(value: str) -> str:
    """Twenty bytes in hexadecimal with spaces between, as an `origin-id` looks."""
    return uuid5(NAMESPACE_URL, value).bytes.hex(" ") + " 00 00 00 00"


#: Pictures of accounts that have none of their own; not verified against the live service.
_PORTRAITS: Final = (
    "13e5fa74-defa-11e9-809c-784f43822e80",
    "41780b5a-def8-11e9-94d9-784f43822e80",
    "75305d54-c7cc-40d1-bb9c-91fbe85943c7",
    "ebe4cd89-b4f4-4cd9-adac-2f30151b4209",
)


def portrait(login: str, size: str) -> str:
    """The address of an account's picture; the size is `70x70`, or `%s` where it is left open."""
    name = _PORTRAITS[stable_id(login) % len(_PORTRAITS)]
    host = "https://static-cdn.jtvnw.net"
    return f"{host}/user-default-pictures-uv/{name}-profile_image-{size}.png"
