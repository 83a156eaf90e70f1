# SPDX-License-Identifier: MIT
"""What the simulated TikTok answers over HTTP: its JSON, its pages, and a signer beside it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.simulator.actions import stable_id
from livechat.simulator.tiktok import Guise, TikTokSimulator
from livechat.simulator.tiktok_faults import TikTokFault
from livechat.simulator.tiktok_messages import Room, batch, greeting
from livechat.simulator.tiktok_socket import PushSocket

_SHELL: Final = b"<!doctype html><html><head><title>Please wait...</title></head></html>"
_HTML: Final = b"text/html; charset=utf-8"
_JSON: Final = b"application/json; charset=utf-8"

#: What goes wrong with everything but the socket and the signer.
_REFUSALS: Final[Mapping[TikTokFault, tuple[int, bytes]]] = MappingProxyType(
    {
        TikTokFault.CAPTCHA: (200, _SHELL),
        TikTokFault.FORBIDDEN: (403, b""),
        TikTokFault.TOO_MANY: (429, b""),
        TikTokFault.BROKEN: (500, b"<html>500</html>"),
        TikTokFault.EMPTY: (200, b""),
    }
)

#: What the signer refuses with (docs/wire/tiktok.md#signer).
_UNSIGNED: Final[Mapping[TikTokFault, tuple[int, dict[str, Any]]]] = MappingProxyType(
    {
        TikTokFault.SIGNER_500: (
            500,
            {"message": "Empty response payload received! (Internal Code: 200)", "code": 500},
        ),
        TikTokFault.SIGNER_503: (
            503,
            {"code": 503, "error": "API is not ready for connections yet."},
        ),
        TikTokFault.SIGNER_401: (401, {"code": 401, "message": "The provided API Key is invalid."}),
        TikTokFault.SIGNER_403: (
            403,
            {"code": 403, "error": "This ISP is blocked from accessing the signature service."},
        ),
        TikTokFault.SIGNER_429: (
            429,
            {"message": "Too many requests", "limit_label": "day"},
        ),
    }
)

_RETRY_AFTER: Final = "1800"
_LIVE, _ENDED = 2, 4


class TikTokSite(Resource):
    """Everything under `/tiktok`: pages, `api-live`, `webcast/...` with the socket, `signer/...`.

    :ivar asked: paths of the last requests, without what was asked of the socket.
    :ivar key: with which the signer was asked last; None: without.
    """

    isLeaf = True

    def __init__(self, tiktok: TikTokSimulator) -> None:
        super().__init__()
        self.asked: deque[str] = deque(maxlen=1000)
        self.key: str | None = None
        self._tiktok = tiktok
        self._socket = PushSocket(tiktok)

    def render_GET(self, request: Request) -> bytes | int:
        """Answer, or with the fault that was chosen."""
        path = "/".join(part.decode("latin-1") for part in request.postpath or () if part)
        if path.startswith("webcast/im/ws_proxy/"):
            return self._socket.render(request)
        self.asked.append(path)
        if path == "signer/webcast/fetch":
            return self._sign(request)
        faults = self._tiktok.faults
        if TikTokFault.HANG in faults:
            return NOT_DONE_YET
        for fault, (status, body) in _REFUSALS.items():
            if fault in faults:
                if status == 429:
                    request.setHeader("retry-after", "5")
                return _answered(request, status, body, _HTML)
        if path in self._tiktok.answers:
            return _answered(request, 200, self._tiktok.answers[path])
        match path.split("/"):
            case ["api-live", "user", "room"]:
                return self._user_room(request, _arg(request, b"uniqueId"))
            case ["webcast", "room", "check_alive"]:
                return self._alive(request)
            case ["webcast", "room", "info"]:
                return self._info(request)
            case ["t", code]:
                return self._short_link(request, code)
            case ["live"]:
                return self._identity(request)
            case [name] | [name, "live"] if name.startswith("@"):
                return self._page(request, name[1:].lower())
        return _answered(request, 404, b"", _HTML)

    def _user_room(self, request: Request, handle: str) -> bytes:
        tiktok = self._tiktok
        guise = tiktok.guise(handle)
        faults = tiktok.faults
        if TikTokFault.LOGIN in faults:
            return _answered(request, 200, _SHELL, _HTML)
        if guise is Guise.MISSING or TikTokFault.SOFT_BLOCK in faults:
            return _json(request, {"statusCode": 19881007, "message": "user_not_found"})
        if guise is Guise.PRIVATE:
            return _json(request, {"statusCode": 10222, "message": "private"})
        status = _LIVE if tiktok.is_live(handle) else _ENDED
        if TikTokFault.UNCLEAR in faults:
            status = 1
        user = {
            "id": str(6_800_000_000_000_000_000 + stable_id(handle)),
            "uniqueId": handle,
            "nickname": handle.title(),
            # It survives the end of the stream (docs/wire/tiktok.md#user-room).
            "roomId": str(tiktok.room_id(handle)),
            "status": status,
        }
        stream = {"status": status, "title": f"Simulated: {handle}"}
        data = {"user": user, "liveRoom": stream}
        return _json(request, {"statusCode": 0, "message": "", "data": data})

    def _page(self, request: Request, handle: str) -> bytes:
        tiktok = self._tiktok
        if TikTokFault.LOGIN in tiktok.faults:
            request.setHeader("location", "/login")
            return _answered(request, 302, b"", _HTML)
        if TikTokFault.SOFT_BLOCK in tiktok.faults:
            return _answered(request, 200, _SHELL, _HTML)
        guise = tiktok.guise(handle)
        if guise is Guise.PRIVATE:
            scope = {"__DEFAULT_SCOPE__": {"webapp.user-detail": {"statusCode": 10222}}}
            return _script(request, "__UNIVERSAL_DATA_FOR_REHYDRATION__", scope)
        if guise is Guise.MISSING:
            return _script(request, "SIGI_STATE", {"CurrentRoom": {"roomId": ""}})
        live = tiktok.is_live(handle)
        status = _LIVE if live else _ENDED
        user = {"roomId": str(tiktok.room_id(handle)), "status": status, "uniqueId": handle}
        page = {
            "liveRoomUserInfo": {"user": user, "liveRoom": {"status": status, "title": ""}},
            "liveRoomStatus": _LIVE if live else 0,
            "isAgeGateRoom": guise is Guise.RESTRICTED,
        }
        return _script(request, "SIGI_STATE", {"LiveRoom": page})

    def _alive(self, request: Request) -> bytes:
        if TikTokFault.NO_ALIVE in self._tiktok.faults:
            return _answered(request, 500, b"", _HTML)
        answers = []
        for number in _numbers(request, b"room_ids"):
            handle = self._tiktok.handle_of(number)
            alive = bool(handle) and self._tiktok.is_live(handle)
            if TikTokFault.FALSE_ALIVE in self._tiktok.faults:
                alive = True
            answers.append({"alive": alive, "room_id": number, "room_id_str": str(number)})
        return _json(request, {"data": answers, "status_code": 0})

    def _info(self, request: Request) -> bytes:
        (number, *_) = _numbers(request, b"room_id") or [0]
        handle = self._tiktok.handle_of(number)
        if not handle or TikTokFault.NO_INFO in self._tiktok.faults:
            return _json(
                request, {"data": {"message": "Request params error"}, "status_code": 10011}
            )
        if self._tiktok.guise(handle) is Guise.RESTRICTED:
            return _json(request, {"data": {"prompts": ""}, "status_code": 4003110})
        status = _LIVE if self._tiktok.is_live(handle) else _ENDED
        return _json(request, {"data": {"id_str": str(number), "status": status}, "status_code": 0})

    def _short_link(self, request: Request, code: str) -> bytes:
        """A short link: its code is the handle of the account to which it leads."""
        handle = code.lower()
        if self._tiktok.guise(handle) is Guise.MISSING:
            return _answered(request, 404, b"", _HTML)
        request.setHeader("location", f"https://www.tiktok.com/@{handle}/live?_r=1&_t={code}")
        return _answered(request, 301, b"", _HTML)

    def _identity(self, request: Request) -> bytes:
        if TikTokFault.NO_COOKIE not in self._tiktok.faults:
            request.responseHeaders.addRawHeader("Set-Cookie", "tt_csrf_token=x; Path=/; Secure")
            cookie = f"ttwid={self._tiktok.new_identity()}; Path=/; Domain=tiktok.com; HttpOnly"
            request.responseHeaders.addRawHeader("Set-Cookie", cookie)
        return _answered(request, 200, b"<html>LIVE</html>", _HTML)

    def _sign(self, request: Request) -> bytes | int:
        """A signer that speaks as the hosted one does (docs/wire/tiktok.md#signer)."""
        self.key = request.getHeader("x-api-key")
        faults = self._tiktok.faults
        if TikTokFault.SIGNER_HANG in faults:
            return NOT_DONE_YET
        for fault, (status, said) in _UNSIGNED.items():
            if fault in faults:
                if status == 429:
                    request.setHeader("retry-after", _RETRY_AFTER)
                return _answered(request, status, json.dumps(said).encode())
        if TikTokFault.SIGNER_GARBAGE in faults:
            request.setHeader("X-Set-TT-Cookie", "ttwid=garbage")
            return _answered(request, 200, b"\xff\xfe garbage", b"application/protobuf")
        (number, *_) = _numbers(request, b"room_id") or [0]
        handle = self._tiktok.handle_of(number)
        if TikTokFault.SIGNER_NO_COOKIES not in faults:
            request.setHeader("X-Set-TT-Cookie", f"ttwid={self._tiktok.new_signature()}")
        request.setHeader("X-Room-Id", str(number))
        request.setHeader("X-Request-Id", "simulated")
        host = request.getHeader("host") or "localhost"
        socket = f"ws://{host}/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/"
        if TikTokFault.SIGNER_STUB in faults:
            socket = "wss://ws-fallback.signer.example/webcast/im/"
        room = self._tiktok.room(handle) if handle else None
        now = Room(handle, round(self._tiktok.now() * 1000))
        first = batch(
            greeting(now, number & 0xFFFFFFFF) if handle else [],
            list(room.history) if room else [],
            cursor=b"1-simulated",
            push_server=socket.encode(),
            route_params=[schema.RouteParam(name=b"wrss", value=b"simulated")],
        )
        return _answered(request, 200, first, b"application/protobuf")


def _arg(request: Request, name: bytes) -> str:
    value: bytes = (request.args or {}).get(name, [b""])[0]
    return value.decode("latin-1").lower()


def _numbers(request: Request, name: bytes) -> list[int]:
    texts = _arg(request, name).split(",")
    return [int(text) if text.isdigit() and len(text) < 20 else 0 for text in texts]


def _json(request: Request, value: object) -> bytes:
    return _answered(request, 200, json.dumps(value).encode())


def _script(request: Request, name: str, value: object) -> bytes:
    text = f'<html><script id="{name}" type="application/json">{json.dumps(value)}</script></html>'
    return _answered(request, 200, text.encode(), _HTML)


def _answered(request: Request, status: int, body: bytes, kind: bytes = _JSON) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", kind)
    return body
