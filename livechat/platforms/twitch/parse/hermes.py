# SPDX-License-Identifier: MIT
"""Hermes: what is sent to Twitch's push service, and what it says (docs/wire/twitch.md#hermes).

Each message is an object with its `type`, and what belongs to that under the same name.
"""

from __future__ import annotations

from math import isfinite
from typing import Final, TypeAlias

from msgspec import Struct, json

#: Bytes of the longest message.
MAX_MESSAGE: Final = 64 * 1024

#: What tells that a channel goes live and offline; its number follows.
_TOPIC: Final = "video-playback-by-id."

#: Seconds between signs of life if the server does not say, and within which it may choose.
KEEPALIVE: Final = 15.0
_LEAST_KEEPALIVE, _MOST_KEEPALIVE = 5.0, 300.0

#: An error of this text says that the connection takes no more subscriptions.
_FULL: Final = "too many"


class Unreadable(ValueError):
    """It is not what it should be."""


class Welcome(Struct, frozen=True):
    """It takes subscriptions.

    :ivar keepalive: seconds between two signs of life.
    """

    keepalive: float


class Answer(Struct, frozen=True):
    """What became of a subscription.

    :ivar subscription: its id.
    :ivar refusal: why it was refused; empty: it was not.
    """

    subscription: str
    refusal: str = ""

    @property
    def is_full(self) -> bool:
        """Whether it was refused because the connection has as many as it takes."""
        return _FULL in self.refusal.lower()


class Told(Struct, frozen=True):
    """Something has happened in a channel.

    :ivar subscription: the id of the subscription to it.
    :ivar kind: as Twitch names it: `stream-up`, `stream-down`, `viewcount`, ...
    """

    subscription: str
    kind: str


class Goodbye(Struct, frozen=True):
    """The connection is of no use any more."""

    reason: str


class Alive(Struct, frozen=True):
    """Nothing but a sign of life."""


class Unknown(Struct, frozen=True):
    """A type that we do not know."""

    name: str


Message: TypeAlias = Welcome | Answer | Told | Goodbye | Alive | Unknown


class _Welcome(Struct, frozen=True, rename={"keepalive": "keepaliveSec"}):
    keepalive: float | None = None


class _Subscription(Struct, frozen=True):
    id: str = ""


class _Answer(Struct, frozen=True):
    result: str = ""
    error: str | None = None
    subscription: _Subscription = _Subscription()


class _Notification(Struct, frozen=True):
    subscription: _Subscription = _Subscription()
    pubsub: str = "{}"


class _Frame(Struct, rename="camel"):
    type: str
    parent_id: str | None = None
    welcome: _Welcome = _Welcome()
    subscribe_response: _Answer = _Answer()
    notification: _Notification = _Notification()


class _Payload(Struct):
    type: str = ""


_read_frame: Final = json.Decoder(_Frame)
_read_payload: Final = json.Decoder(_Payload)


class _PubSub(Struct):
    topic: str


class _Wanted(Struct, omit_defaults=True):
    id: str
    type: str = ""
    pubsub: _PubSub | None = None


class _Request(Struct, omit_defaults=True):
    type: str
    id: str
    timestamp: str
    subscribe: _Wanted | None = None
    unsubscribe: _Wanted | None = None


def subscription(subscription_id: str, channel_id: str, timestamp: str) -> bytes:
    """Ask to be told when a channel goes live and offline.

    :param subscription_id: ours, not used before on the connection; answers and notifications name
        it, so the message has the same id.
    :param timestamp: now, ISO 8601.
    """
    wanted = _Wanted(subscription_id, "pubsub", _PubSub(_TOPIC + channel_id))
    return json.encode(_Request("subscribe", subscription_id, timestamp, subscribe=wanted))


def unsubscription(message_id: str, subscription_id: str, timestamp: str) -> bytes:
    """Ask to be told no more."""
    wanted = _Wanted(subscription_id)
    return json.encode(_Request("unsubscribe", message_id, timestamp, unsubscribe=wanted))


def read_message(payload: bytes) -> Message:
    """What the server says.

    :raises Unreadable: it makes no sense.
    """
    try:
        frame = _read_frame.decode(payload)
        match frame.type:
            case "welcome":
                return Welcome(_keepalive(frame.welcome.keepalive))
            case "keepalive" | "unsubscribeResponse":
                return Alive()
            case "subscribeResponse":
                return _answer(frame)
            case "notification":
                told = frame.notification
                return Told(told.subscription.id, _read_payload.decode(told.pubsub).type)
            case "reconnect" | "subscriptionRevocation":
                return Goodbye(f"the server says {frame.type}")
    except (ValueError, RecursionError):
        raise Unreadable from None
    return Unknown(frame.type)


def _answer(frame: _Frame) -> Answer:
    answer = frame.subscribe_response
    named = answer.subscription.id or frame.parent_id or ""
    refusal = "" if answer.result == "ok" else answer.error or answer.result or "no result"
    return Answer(named, refusal)


def _keepalive(told: float | None) -> float:
    if told is None or not isfinite(told) or told <= 0:
        return KEEPALIVE
    return min(max(told, _LEAST_KEEPALIVE), _MOST_KEEPALIVE)
