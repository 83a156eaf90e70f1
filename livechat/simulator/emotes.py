# SPDX-License-Identifier: MIT
"""7TV, BetterTTV and FrankerFaceZ from the other side: their sets over HTTP, and who changes them.

Every channel is known to all three, unless it is in `absent`.
"""

from __future__ import annotations

import json
from collections import deque
from typing import Any, Final

from twisted.internet.interfaces import IPullProducer, IReactorTime
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from livechat.simulator.actions import stable_id
from livechat.simulator.emote_faults import EmoteFault
from livechat.simulator.emote_sets import (
    EVERYWHERE,
    OF_A_CHANNEL,
    SimulatedEmote,
    bttv_channel,
    bttv_entry,
    ffz_everywhere,
    ffz_room,
    seven_tv_entry,
    seven_tv_set,
    seven_tv_user,
)
from livechat.simulator.emote_sockets import EventConnection, EventSockets
from livechat.simulator.recent import CHANNELS, Recent

#: Where the providers keep their pictures.
PICTURES: Final = {"7tv": "//cdn.7tv.app", "ffz": "//cdn.frankerfacez.com"}

_LARGE: Final = 16 << 20
_CHUNK: Final = bytes(64 << 10).replace(b"\0", b" ")

#: Entries that no reader must show, beside one that it must.
_LIES: Final = (
    {"id": "a", "name": "two words", "flags": 0},
    {"id": "b", "name": "elsewhere", "data": {"host": {"url": "//evil.example/emote/b"}}},
    {"id": 7, "name": None},
    None,
)


class EmoteSimulator:
    """The three providers.

    :ivar faults: what is wrong at present; change it at any time.
    :ivar absent: ids of channels that no provider knows.
    :ivar asked: paths of the last requests.
    :ivar sockets: the open connections.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self.clock = clock
        self.faults: set[EmoteFault] = set()
        self.absent: set[str] = set()
        self.asked: deque[str] = deque(maxlen=10_000)
        self.sockets: list[EventConnection] = []
        self.retry_after: str | None = "30"
        self._sets = Recent[tuple[str, str], dict[str, SimulatedEmote]](3 * CHANNELS)
        self._switched = Recent[str, int](CHANNELS)

    def emotes(self, provider: str, channel_id: str) -> dict[str, SimulatedEmote]:
        """The set of a channel, by words; it may be changed, without anybody being told."""
        key = (provider, channel_id)
        if key not in self._sets:
            self._sets[key] = {emote.word: emote for emote in OF_A_CHANNEL[provider]}
        return self._sets[key]

    def set_id(self, channel_id: str) -> str:
        """The set at 7TV that a channel uses."""
        return f"{stable_id(f'set {channel_id}')}{self._switched.get(channel_id, 0):02}"

    def user_id(self, channel_id: str) -> str:
        """Whose channel it is, at 7TV."""
        return f"{stable_id(f'user {channel_id}')}"

    # What happens, with those told who listen.

    def add(self, provider: str, channel_id: str, emote: SimulatedEmote) -> None:
        """A channel gets an emote."""
        self.emotes(provider, channel_id)[emote.word] = emote
        if provider == "7tv":
            value = seven_tv_entry(emote, PICTURES["7tv"])
            self._tell_set(channel_id, pushed=[{"key": "emotes", "value": value}])
        else:
            self._tell_bttv("emote_create", channel_id, emote=bttv_entry(emote))

    def remove(self, provider: str, channel_id: str, word: str) -> None:
        """A channel has an emote no more."""
        emote = self.emotes(provider, channel_id).pop(word)
        if provider == "7tv":
            old = {"id": emote.id, "name": word}
            item = {"key": "emotes", "value": None, "old_value": old}
            self._tell_set(channel_id, pulled=[item])
        else:
            self._tell_bttv("emote_delete", channel_id, emoteId=emote.id)

    def switch(self, channel_id: str, *emotes: SimulatedEmote) -> None:
        """A channel uses another set at 7TV."""
        old = self.set_id(channel_id)
        self._switched[channel_id] = self._switched.get(channel_id, 0) + 1
        self._sets["7tv", channel_id] = {emote.word: emote for emote in emotes}
        user = self.user_id(channel_id)
        new = {
            "key": "emote_set",
            "old_value": {"id": old},
            "value": {"id": self.set_id(channel_id)},
        }
        item = {"key": "connections", "index": 0, "nested": True, "value": [new]}
        self._tell_7tv("user.update", user, {"id": user, "kind": 1, "updated": [item]})

    def drop(self) -> None:
        """Every socket is cut."""
        for socket in list(self.sockets):
            socket.drop()

    def _tell_set(self, channel_id: str, **changes: Any) -> None:
        set_id = self.set_id(channel_id)
        self._tell_7tv("emote_set.update", set_id, {"id": set_id, "kind": 3, **changes})

    def _tell_7tv(self, kind: str, object_id: str, body: dict[str, Any]) -> None:
        for socket in list(self.sockets):
            if f"{kind}:{object_id}" in socket.topics:
                socket.say({"op": 0, "t": 1, "s": 1, "d": {"type": kind, "body": body}})

    def _tell_bttv(self, name: str, channel_id: str, **data: Any) -> None:
        channel = f"twitch:{channel_id}"
        for socket in list(self.sockets):
            if channel in socket.topics:
                socket.say({"name": name, "data": {"channel": channel, **data}})

    # What is asked.

    def answer(self, path: list[str]) -> dict[str, Any] | list[Any] | None:
        """The answer to a path; None: there is nothing."""
        match path:
            case ["7tv", "v3", "emote-sets", "global"]:
                return seven_tv_set("global", EVERYWHERE["7tv"], PICTURES["7tv"])
            case ["7tv", "v3", "emote-sets", set_id]:
                owner = next((one for _, one in self._sets if self.set_id(one) == set_id), None)
                if owner is None:
                    return None
                emotes = self.emotes("7tv", owner).values()
                return seven_tv_set(set_id, emotes, PICTURES["7tv"])
            case ["7tv", "v3", "users", platform, channel_id] if channel_id not in self.absent:
                self.emotes("7tv", channel_id)
                ids = self.user_id(channel_id), self.set_id(channel_id)
                return seven_tv_user(platform, channel_id, *ids)
            case ["bttv", "3", "cached", "emotes", "global"]:
                return [bttv_entry(emote) for emote in EVERYWHERE["bttv"]]
            case ["bttv", "3", "cached", "users", "twitch", channel_id] if self._knows(channel_id):
                return bttv_channel(channel_id, self.emotes("bttv", channel_id).values())
            case ["ffz", "v1", "set", "global"]:
                return ffz_everywhere(EVERYWHERE["ffz"], PICTURES["ffz"])
            case ["ffz", "v1", "room", "id", channel_id] if self._knows(channel_id):
                emotes = self.emotes("ffz", channel_id).values()
                return ffz_room(channel_id, emotes, PICTURES["ffz"])
        return None

    def _knows(self, channel_id: str) -> bool:
        return channel_id.isdecimal() and channel_id not in self.absent


class EmoteSite(Resource):
    """All three over HTTP, each below its own name, with `7tv/events` and `bttv/socket`."""

    isLeaf = True

    def __init__(self, emotes: EmoteSimulator) -> None:
        super().__init__()
        self._emotes = emotes
        self._sockets = EventSockets(emotes)

    def render_GET(self, request: Request) -> bytes | int:
        """A set, an upgrade, or the fault that was chosen."""
        path = [segment.decode("utf-8", "replace") for segment in request.postpath or ()]
        if path in (["7tv", "events"], ["bttv", "socket"]):
            return self._sockets.render(path[0], request)
        self._emotes.asked.append("/".join(path))
        faults = self._emotes.faults
        if EmoteFault.HANG in faults:
            return NOT_DONE_YET
        if EmoteFault.ENDLESS in faults:
            request.registerProducer(_Endless(request), False)
            return NOT_DONE_YET
        if EmoteFault.CUT_OFF in faults:
            request.setHeader(b"content-length", b"100000")
            request.write(b'{"emotes":[')
            request.loseConnection()
            return NOT_DONE_YET
        if EmoteFault.LARGE in faults:
            return b'{"emotes":[' + b" " * _LARGE + b"]}"
        if EmoteFault.ELSEWHERE in faults:
            request.setHeader(b"location", b"https://elsewhere.example/v3/emote-sets/global")
            return _answered(request, 302, b"")
        if EmoteFault.LIMITED in faults:
            if self._emotes.retry_after is not None:
                request.setHeader(b"retry-after", self._emotes.retry_after.encode())
            return _answered(request, 429, b'{"message":"Too Many Requests"}')
        if EmoteFault.DOWN in faults:
            return _answered(request, 503, b"<html>503</html>")
        if EmoteFault.GARBAGE in faults:
            return _answered(request, 200, b'{"emotes":[{"id":"\xff')
        if EmoteFault.OTHER_FORMAT in faults:
            return _answered(request, 200, b'{"version":4,"data":{"items":[]}}')
        answer = self._emotes.answer(path)
        if answer is None:
            return _answered(request, 404, b'{"error":"Not Found","status_code":404}')
        if EmoteFault.LIES in faults:
            _spoil(answer)
        return _answered(request, 200, json.dumps(answer).encode())


@implementer(IPullProducer)
class _Endless:
    """A body that has no end."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def resumeProducing(self) -> None:
        """Some more of it."""
        self._request.write(_CHUNK)

    def stopProducing(self) -> None:
        """Nobody listens."""


def _spoil(answer: dict[str, Any] | list[Any]) -> None:
    """Put lies among the emotes of an answer."""
    if isinstance(answer, list):
        answer.extend(_LIES)
        return
    for key in ("emotes", "channelEmotes"):
        answer.setdefault(key, []).extend(_LIES)
    for one in answer.get("sets", {}).values():
        one["emoticons"].extend(_LIES)


def _answered(request: Request, status: int, body: bytes) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"application/json")
    return body
