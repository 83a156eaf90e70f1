# SPDX-License-Identifier: MIT
"""The part of Twitch's GraphQL that says which channels are live, and which pictures they have."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from livechat.simulator.actions import stable_id
from livechat.simulator.twitch import TwitchSimulator
from livechat.simulator.twitch_connection import LOGIN
from livechat.simulator.twitch_faults import Fault
from livechat.simulator.twitch_notices import portrait
from livechat.simulator.twitch_pictures import answer as pictures

_REFUSALS: Final[Mapping[Fault, tuple[int, bytes, bytes]]] = MappingProxyType(
    {
        Fault.GQL_503: (503, b"text/html", b"<html><body>503 Service Unavailable</body></html>"),
        Fault.GQL_429: (429, b"application/json", b'{"error":"Too Many Requests","status":429}'),
        Fault.GQL_GARBAGE: (200, b"application/json", b'{"data": {"users": [\xff\x00'),
        Fault.GQL_ERRORS: (
            200,
            b"application/json",
            b'{"errors":[{"message":"failed integrity check"}]}',
        ),
    }
)


class GraphQL(Resource):
    """Answers POSTs of one operation or an array of them (docs/wire/twitch.md#look-ups).

    Of all queries it knows `users(logins: $logins)`, with the fields id, login, displayName,
    profileImageURL and stream{id createdAt viewersCount}, and those of `twitch_pictures`.

    :ivar asked: the logins of the last questions.
    """

    isLeaf = True

    def __init__(self, twitch: TwitchSimulator) -> None:
        super().__init__()
        self.asked: deque[tuple[str, ...]] = deque(maxlen=1000)
        self._twitch = twitch
        self._began = twitch.now()

    def render_POST(self, request: Request) -> bytes | int:
        """Answer, or with the fault that was chosen."""
        if Fault.GQL_HANG in self._twitch.faults:
            return NOT_DONE_YET
        for fault, (status, kind, body) in _REFUSALS.items():
            if fault in self._twitch.faults:
                return _answered(request, status, body, kind)
        if not request.getHeader(b"client-id"):
            reason = {"error": "Bad Request", "status": 400, "message": "Client-ID is missing"}
            return _answered(request, 400, json.dumps(reason).encode())
        try:
            question = json.loads(request.content.read() if request.content else b"")
        except ValueError:
            return _answered(request, 400, b'{"error":"Bad Request","status":400}')
        many = isinstance(question, list)
        answers = [self._operation(operation) for operation in (question if many else [question])]
        return _answered(request, 200, json.dumps(answers if many else answers[0]).encode())

    def _operation(self, operation: object) -> dict[str, Any]:
        match operation:
            case {"query": str(query), "variables": {"logins": [*logins]}} if "users(" in query:
                names = tuple(str(login) for login in logins)
                self.asked.append(names)
                return {"data": {"users": [self._user(name) for name in names]}}
            case {"query": str(query)} if data := pictures(query, _id_in(operation)):
                return {"data": data}
        return {"errors": [{"message": "service error", "path": []}], "data": None}

    def _user(self, login: str) -> dict[str, Any] | None:
        if not LOGIN.fullmatch(login) or not self._twitch.fate(login).exists:
            return None
        number = stable_id(login)
        stream = {
            "id": str(number * 40 + 1),
            "createdAt": datetime.fromtimestamp(int(self._began) - number % 14400, UTC).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            ),
            "viewersCount": 10 + number % 5000,
        }
        return {
            "id": str(number),
            "login": login,
            "displayName": login.replace("_", " ").title().replace(" ", "_"),
            "profileImageURL": portrait(login, "70x70"),
            "stream": stream if self._twitch.is_live(login) else None,
        }


def _id_in(operation: object) -> str:
    match operation:
        case {"variables": {"id": str(number)}}:
            return number
    return ""


def _answered(
    request: Request, status: int, body: bytes, kind: bytes = b"application/json"
) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", kind)
    return body
