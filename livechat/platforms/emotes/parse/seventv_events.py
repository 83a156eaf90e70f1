# SPDX-License-Identifier: MIT
"""7TV's events: what is sent to its socket, and what it says (docs/wire/emotes.md#seven-tv-events).

A topic is the kind of an event and the id of what it is about: `emote_set.update:<set>`, or
`user.update:<user>`, which tells that a channel uses another set.
"""

from __future__ import annotations

from typing import Final

from msgspec import DecodeError, Raw, Struct, json

from livechat.model.text import Image
from livechat.platforms.emotes.parse.emote_set import (
    Change,
    Renamed,
    Unreadable,
    decoded,
    is_id,
    is_word,
)
from livechat.platforms.emotes.parse.messages import Alive, Goodbye, Hello, Message, Stale
from livechat.platforms.emotes.parse.seventv import read_entry

#: Bytes of the longest message: hundreds of emotes may be added in one.
MAX_MESSAGE: Final = 2 << 20

_SET: Final = "emote_set.update"
_USER: Final = "user.update"

_SUBSCRIBE, _UNSUBSCRIBE = 35, 36

#: Subscriptions of one connection; a server that allows fewer says so.  Clients in use take as
#: many, although 7TV has allowed more.
MOST: Final = 100

#: Seconds between heartbeats within which a server may choose.
_LEAST_INTERVAL, _MOST_INTERVAL = 5.0, 120.0

#: Ends after which a server wants to be left alone, with the seconds: it does maintenance.
_MAINTENANCE: Final = 4007
_MAINTENANCE_PAUSE: Final = 300.0
#: Ends that are our own mistake: the same again would bring the same end.
_OUR_MISTAKES: Final = frozenset({4001, 4002, 4003, 4004, 4005, 4009, 4010, 4011})


class _Frame(Struct):
    op: int
    d: Raw = Raw(b"null")


class _Greeting(Struct):
    heartbeat_interval: float = 45_000
    subscription_limit: int = MOST


class _End(Struct):
    code: int = 0


class _Item(Struct):
    key: str
    value: Raw = Raw(b"null")
    old_value: Raw = Raw(b"null")


class _Body(Struct):
    id: str
    pushed: list[_Item] | None = None
    pulled: list[_Item] | None = None
    updated: list[_Item] | None = None


class _Dispatch(Struct):
    type: str
    body: Raw


class _Known(Struct):
    id: str
    name: str = ""


_read_frame: Final = json.Decoder(_Frame)
_read_greeting: Final = json.Decoder(_Greeting)
_read_end: Final = json.Decoder(_End)
_read_dispatch: Final = json.Decoder(_Dispatch)
_read_body: Final = json.Decoder(_Body)
_read_known: Final = json.Decoder(_Known)


def set_topic(set_id: str) -> str:
    """What tells of changes within a set."""
    return f"{_SET}:{set_id}"


def user_topic(user_id: str) -> str:
    """What tells that a channel uses another set."""
    return f"{_USER}:{user_id}"


def subscription(topic: str) -> bytes:
    """Ask to be told."""
    return _request(_SUBSCRIBE, topic)


def unsubscription(topic: str) -> bytes:
    """Ask to be told no more."""
    return _request(_UNSUBSCRIBE, topic)


def pause_after(code: int | None) -> float:
    """Least seconds until the next connection, after one that was closed with this code."""
    return _MAINTENANCE_PAUSE if code == _MAINTENANCE or code in _OUR_MISTAKES else 0.0


def read_message(payload: bytes) -> Message:
    """What the server says.

    :raises Unreadable: nothing that is known.
    """
    frame = decoded(_read_frame, payload)
    match frame.op:
        case 0:  # dispatch
            return _dispatched(decoded(_read_dispatch, frame.d))
        case 1:  # hello
            hello = decoded(_read_greeting, frame.d)
            interval = min(max(hello.heartbeat_interval / 1000, _LEAST_INTERVAL), _MOST_INTERVAL)
            return Hello(interval, min(max(hello.subscription_limit, 1), MOST))
        case 4:  # reconnect
            return Goodbye("the server asks to reconnect")
        case 7:  # end
            code = decoded(_read_end, frame.d).code
            return Goodbye(f"ended by the server ({code})", pause_after(code))
    return Alive()


def _request(op: int, topic: str) -> bytes:
    kind, _, object_id = topic.partition(":")
    return json.encode({"op": op, "d": {"type": kind, "condition": {"object_id": object_id}}})


def _dispatched(event: _Dispatch) -> Message:
    if event.type not in (_SET, _USER):
        return Alive()
    body = decoded(_read_body, event.body)
    if event.type == _USER:
        return Stale(user_topic(body.id))
    try:
        return _change(body)
    except (DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(str(error)[:200]) from None


def _change(body: _Body) -> Change:
    """What was done to a set; an emote whose flags have changed is taken out and added again."""
    removed: set[str] = set()
    renamed: list[Renamed] = []
    added: list[Image] = []
    for item in _of_emotes(body.pulled):
        removed.add(_read_known.decode(item.old_value).id)
    for item in _of_emotes(body.pushed):
        emote = read_entry(item.value)
        if emote is not None:
            added.append(emote)
    for item in _of_emotes(body.updated):
        known = _read_known.decode(item.value)
        try:
            emote = read_entry(item.value)
        except (DecodeError, UnicodeDecodeError):
            # Often no more than the name is told.
            if is_word(known.name):
                renamed.append(Renamed(known.id, known.name))
            continue
        removed.add(known.id)
        if emote is not None:
            added.append(emote)
    return Change(set_topic(body.id), {*filter(is_id, removed)}, renamed, added)


def _of_emotes(items: list[_Item] | None) -> list[_Item]:
    return [item for item in items or () if item.key == "emotes"]
