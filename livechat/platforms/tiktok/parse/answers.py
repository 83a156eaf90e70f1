# SPDX-License-Identifier: MIT
"""Is an account live, and in which room: what TikTok's JSON and pages answer.

Four sources, one kind of answer.  Status 2 is live; a room id alone is not, for it survives the end
of the stream.  Whatever is not the expected JSON is a refusal and never "not live"
(docs/wire/tiktok.md#accounts).  Total: nothing here raises.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from livechat.model.errors import ChatError
from livechat.model.text import well_formed
from livechat.platforms.json_values import MAX_VALUES, count_values
from livechat.platforms.tiktok.refusals import Reason, Refused, error_of, not_live, refused

#: Longest answer that is read, in bytes.
MAX_BODY: Final = 4 * 1024 * 1024

_LIVE: Final = 2
_ENDED: Final = 4

# Status codes inside answers.
_USER_NOT_FOUND: Final = 19881007
_PROFILE_NOT_FOUND: Final = frozenset({10221, 10223})
_PROFILE_PRIVATE: Final = 10222
_RESTRICTED: Final = 4003110
_LOGIN: Final = 20003

#: How far from its id a script's tag may begin and end.
_MAX_TAG: Final = 512

_MAX_TITLE: Final = 512
_JSON: Final = json.JSONDecoder()


class Live(Struct, frozen=True):
    """On air.

    :ivar room_id: decimal, below 2^63.
    :ivar owner_id: user id of the streamer, 0 when not said.
    :ivar restriction: what may keep the chat empty, if something may; not an error by itself.
    """

    room_id: str
    owner_id: int = 0
    title: str = ""
    restriction: Reason | None = None


class NotLive(Struct, frozen=True):
    """Known and not on air."""


class Unclear(Struct, frozen=True):
    """Neither on air nor ended by its status; other sources may know.

    :ivar live: what it is if they call it live.
    """

    live: Live


Answer = Live | NotLive | Unclear | Refused


def read_user_room(status: int, body: bytes) -> Answer:
    """The answer of `api-live/user/room` (docs/wire/tiktok.md#user-room).

    :param status: of the HTTP response.
    """
    answer = _json(status, body)
    if isinstance(answer, Refused):
        return answer
    code = _int(answer, "statusCode")
    if code == _USER_NOT_FOUND:
        return refused(Reason.UNCONFIRMED)
    data = _dict(answer, "data")
    if code or not data:
        return refused(Reason.UPSTREAM, f"status {code}" if code else "no data")
    return _answer(_dict(data, "user"), _dict(data, "liveRoom"))


def read_page(status: int, body: bytes) -> Answer:
    """The page of an account's stream, or its profile page (docs/wire/tiktok.md#page).

    :param status: of the HTTP response; a redirect must not have been followed.
    """
    if 300 <= status < 400:
        return refused(Reason.LOGIN_REQUIRED, f"HTTP {status}")
    # A page for an account that does not exist may come as 404.
    if (blocked := _refused_by_status(status)) is not None and status != 404:
        return blocked
    text = body[:MAX_BODY].decode("utf-8", "replace")
    state = _script(text, "SIGI_STATE")
    if state is not None:
        return _stream_page(state)
    state = _script(text, "__UNIVERSAL_DATA_FOR_REHYDRATION__")
    if state is not None:
        return _profile_page(state)
    return refused(Reason.BLOCKED, "no data in the page")


def read_alive(status: int, body: bytes, room_ids: Sequence[str]) -> dict[str, bool] | Refused:
    """The answer of `check_alive`: which rooms are on air (docs/wire/tiktok.md#check-alive).

    Rooms that it says nothing about are left out.  An entry names its room; one that does not
    counts only where there is exactly one entry for each room.

    :param room_ids: in the order in which they were asked for.
    """
    answer = _json(status, body)
    if isinstance(answer, Refused):
        return answer
    rooms = answer.get("data")
    if not isinstance(rooms, list):
        return refused(Reason.UPSTREAM, f"status {_int(answer, 'status_code')}")
    in_order = len(rooms) == len(room_ids)
    alive: dict[str, bool] = {}
    for at, room in enumerate(rooms):
        if isinstance(room, dict) and isinstance(room.get("alive"), bool):
            named = _text(room, "room_id_str") or _text(room, "room_id")
            room_id = named or (room_ids[at] if in_order else "")
            if room_id in room_ids:
                alive[room_id] = room["alive"]
    return alive


def read_info(status: int, body: bytes) -> Answer:
    """The answer of `room/info`; chats do not need it (docs/wire/tiktok.md#room-info)."""
    answer = _json(status, body)
    if isinstance(answer, Refused):
        return answer
    code = _int(answer, "status_code")
    if code == _RESTRICTED:
        return refused(Reason.AGE_RESTRICTED)
    if code == _LOGIN:
        return refused(Reason.LOGIN_REQUIRED)
    data = _dict(answer, "data")
    if code or not data:
        return refused(Reason.UPSTREAM, f"status {code}" if code else "no data")
    owner = _dict(data, "owner")
    owner_id = _int(owner, "id_str") or _int(owner, "id")
    room_id = _text(data, "id_str") or _text(data, "id")
    return _live_or_not(_int(data, "status"), room_id, owner_id, _text(data, "title"))


def merged(first: Answer, second: Answer) -> Answer:
    """What two sources say together: the first decides unless it was refused.

    That one source knows no such account counts only when the other says so too: it is also how an
    account is hidden from us.
    """
    if not isinstance(first, Refused):
        return first
    if isinstance(second, Refused) and second.reason is Reason.UNCONFIRMED:
        return first
    return second


def error_for(answer: NotLive | Unclear | Refused) -> ChatError:
    """What a client is told when there is no stream to watch."""
    if isinstance(answer, NotLive):
        return not_live()
    return error_of(refused(Reason.UNCLEAR) if isinstance(answer, Unclear) else answer)


def _stream_page(state: dict[str, Any]) -> Answer:
    page = _dict(state, "LiveRoom")
    if not page:
        return refused(Reason.NOT_FOUND)
    info = _dict(page, "liveRoomUserInfo")
    restriction = Reason.AGE_RESTRICTED if page.get("isAgeGateRoom") is True else None
    return _answer(_dict(info, "user"), _dict(info, "liveRoom"), restriction)


def _profile_page(state: dict[str, Any]) -> Answer:
    detail = _dict(_dict(state, "__DEFAULT_SCOPE__"), "webapp.user-detail")
    code = _int(detail, "statusCode")
    if code in _PROFILE_NOT_FOUND:
        return refused(Reason.NOT_FOUND)
    if code == _PROFILE_PRIVATE:
        return refused(Reason.PRIVATE)
    if code or not detail:
        return refused(Reason.UPSTREAM, f"status {code}" if code else "no data")
    # A profile gives no status: a room id is a hint and no more.
    user = _dict(_dict(detail, "userInfo"), "user")
    return _answer({"roomId": _text(user, "roomId"), "id": user.get("id")}, {})


def _answer(
    user: dict[str, Any], stream: dict[str, Any], restriction: Reason | None = None
) -> Answer:
    """What a user and a stream object say; the stream's status counts more than the user's."""
    status = _int(stream if "status" in stream else user, "status")
    if status == _ENDED:
        return NotLive()
    # Without the field nothing was said: that is no reason to call somebody offline.
    if "roomId" not in user:
        return refused(Reason.UPSTREAM, "no room id")
    room_id = _text(user, "roomId")
    return _live_or_not(status, room_id, _int(user, "id"), _text(stream, "title"), restriction)


def _live_or_not(
    status: int, room_id: str, owner_id: int, title: str, restriction: Reason | None = None
) -> Answer:
    if status == _ENDED or not _is_room(room_id):
        return NotLive()
    live = Live(room_id, owner_id, well_formed(title[:_MAX_TITLE]), restriction)
    return live if status == _LIVE else Unclear(live)


def _is_room(room_id: str) -> bool:
    return _number(room_id) != 0


def _refused_by_status(status: int) -> Refused | None:
    if status == 200:
        return None
    blocked = status in (401, 403, 429)
    return refused(Reason.BLOCKED if blocked else Reason.UPSTREAM, f"HTTP {status}")


def _json(status: int, body: bytes) -> dict[str, Any] | Refused:
    """A JSON object; anything else with a good status is the page of a firewall."""
    if (refusal := _refused_by_status(status)) is not None:
        return refusal
    if len(body) > MAX_BODY:
        return refused(Reason.UPSTREAM, "answer too large")
    value = _object(body.decode("utf-8", "replace"), 0)
    return value if value is not None else refused(Reason.BLOCKED, "no JSON")


def _script(page: str, script_id: str) -> dict[str, Any] | None:
    """The JSON object in the script with this id, wherever the id stands in its tag."""
    for quote in "\"'":
        at = page.find(f"id={quote}{script_id}{quote}")
        if at < 0:
            continue
        opened = page.rfind("<script", max(0, at - _MAX_TAG), at)
        closed = page.find(">", at, at + _MAX_TAG)
        if opened >= 0 and closed >= 0 and page.find(">", opened, at) < 0:
            return _object(page, closed + 1)
    return None


def _object(text: str, start: int) -> dict[str, Any] | None:
    """The JSON object that begins here, after white space; what follows it does not matter."""
    while text[start : start + 1].isspace():
        start += 1
    if count_values(text[start:]) > MAX_VALUES:
        return None
    # Nesting beyond the interpreter's depth is a RecursionError; a number of thousands of digits is
    # a ValueError, as is everything that is not JSON.
    try:
        value, _ = _JSON.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _dict(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def _text(parent: dict[str, Any], name: str) -> str:
    """A string, or an integer as one."""
    value = parent.get(name)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _int(parent: dict[str, Any], name: str) -> int:
    """A positive integer below 2^63, also one in a string; 0 for anything else."""
    return _number(_text(parent, name))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):
        return 0
    number = int(text)
    return number if number < 1 << 63 else 0
