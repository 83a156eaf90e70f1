# SPDX-License-Identifier: MIT
"""The simulated YouTube over HTTP: pages and InnerTube as resources."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any, Final
from urllib.parse import unquote

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from livechat.simulator.youtube import CHANNEL_ID, SIMULCAST, VIDEO_ID, YouTubeSimulator
from livechat.simulator.youtube_faults import CONSENT_FORM, GARBAGE_PAGE, YouTubeFault
from livechat.simulator.youtube_pages import (
    Standing,
    Video,
    channel_page,
    chat_page,
    streams_page,
    watch_page,
)
from livechat.simulator.youtube_tokens import place

_CONSENT: Final = b"https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2F&gl=DE"
_SORRY: Final = b"https://www.google.com/sorry/index?continue=https%3A%2F%2Fwww.youtube.com%2F"
_ELSEWHERE: Final = b"https://youtube.com.elsewhere.example/watch"

_GONE: Final = {"responseContext": {}, "trackingParams": "x"}
_REFUSED: Final = {
    "contents": {
        "messageRenderer": {"text": {"runs": [{"text": "Chat is disabled for this live stream."}]}}
    }
}

_MIB: Final = bytes(1 << 20)

Answer = tuple[int, bytes, str]


class YouTubeSite(Resource):
    """All requests to YouTube, below one path."""

    isLeaf = True

    def __init__(self, youtube: YouTubeSimulator) -> None:
        super().__init__()
        self._youtube = youtube

    def render_GET(self, request: Request) -> bytes | int:
        """A page, or the fault that was chosen for it."""
        path = self._noted(request)
        faults = self._youtube.faults
        if YouTubeFault.PAGE_HANG in faults:
            return NOT_DONE_YET
        redirects = {
            YouTubeFault.CONSENT: _CONSENT,
            YouTubeFault.CAPTCHA: _SORRY,
            YouTubeFault.ELSEWHERE: _ELSEWHERE,
            YouTubeFault.CIRCLE: request.uri,
        }
        for fault, target in redirects.items():
            if fault in faults:
                request.setHeader(b"location", target)
                return self._answered(request, 302, "", "text/html")
        if YouTubeFault.PAGE_429 in faults:
            return self._limited(request)
        if YouTubeFault.PAGE_503 in faults:
            return self._answered(request, 503, "Service Unavailable", "text/html")
        if YouTubeFault.CONSENT_PAGE in faults:
            return self._answered(request, 200, CONSENT_FORM, "text/html")
        if YouTubeFault.PAGE_GARBAGE in faults:
            return self._answered(request, 200, GARBAGE_PAGE, "text/html")
        page = self._page(path, request)
        if page is None:
            return self._answered(request, 404, "<html>404 Not Found</html>", "text/html")
        return self._answered(request, 200, page, "text/html; charset=utf-8")

    def render_POST(self, request: Request) -> bytes | int:
        """InnerTube, or the fault that was chosen for it."""
        path = self._noted(request)
        try:
            question = json.loads(request.content.read() if request.content else b"")
            client = question["context"]["client"]["clientName"]
        except (ValueError, LookupError, TypeError):
            client = None
        if client != "WEB":
            return self._json(request, 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT"}})
        if path == ["youtubei", "v1", "updated_metadata"]:
            return self._json(request, 200, self._youtube.metadata(question.get("videoId", "")))
        if path != ["youtubei", "v1", "live_chat", "get_live_chat"]:
            return self._json(request, 404, {"error": {"code": 404, "status": "NOT_FOUND"}})
        return self._chat(request, str(question.get("continuation", "")))

    def _chat(self, request: Request, token: str) -> bytes | int:
        faults = self._youtube.faults
        if YouTubeFault.POLL_HANG in faults:
            return NOT_DONE_YET
        if YouTubeFault.POLL_429 in faults:
            return self._limited(request)
        if YouTubeFault.POLL_503 in faults:
            return self._json(request, 503, {"error": {"code": 503, "status": "UNAVAILABLE"}})
        if YouTubeFault.POLL_403 in faults:
            return self._json(request, 403, {"error": {"code": 403, "status": "PERMISSION_DENIED"}})
        if YouTubeFault.POLL_GARBAGE in faults:
            return self._answered(request, 200, '{"continuationContents": {"li', "application/json")
        if YouTubeFault.POLL_GONE in faults:
            return self._json(request, 200, _GONE)
        if YouTubeFault.POLL_REFUSED in faults:
            return self._json(request, 200, _REFUSED)
        if YouTubeFault.BOMB in faults:
            request.setHeader(b"content-encoding", b"gzip")
            return _bomb(300)
        where = place(token)
        if where is not None:
            stream = self._youtube.stream(self._youtube.named(where.video_id))
            if stream.gone_once:
                stream.gone_once = False
                return self._json(request, 200, _GONE)
            if stream.garbage_once:
                stream.garbage_once = False
                return self._answered(request, 200, "<html>oops</html>", "text/html")
        return self._json(request, *self._youtube.chat(token))

    def _page(self, path: list[str], request: Request) -> str | None:
        youtube = self._youtube
        if path in (["watch"], ["live_chat"]):
            (video_id,) = (request.args or {}).get(b"v", [b""])[:1]
            asked = video_id.decode("ascii", "replace")
            if not VIDEO_ID.fullmatch(asked):
                return None
            name = youtube.named(asked)
            video = youtube.video(name, asked)
            if path == ["watch"]:
                return watch_page(video)
            return chat_page(video, youtube.chat_node(video)) if video.token else None
        name, tab = self._channel(path)
        if not name or not youtube.exists(name):
            return None
        if tab == "streams":
            modern = len(name) % 2 == 1
            return streams_page(name, youtube.channel_id(name), self._streams(name), modern)
        video = self._shown(name)
        if name.startswith(SIMULCAST):
            return watch_page(youtube.video(f"upcoming {name}"))
        if tab == "live" and video.standing is not Standing.ENDED:
            return watch_page(video)
        return channel_page(name, youtube.channel_id(name))

    def _channel(self, path: list[str]) -> tuple[str, str]:
        """The name of a channel and which tab of it, by any of its paths."""
        match path:
            case [handle, tab] if handle.startswith("@"):
                # Names that begin so have no handle, but a name of old.
                legacy = handle.lower().startswith(("@legacy", "@user"))
                return "" if legacy else handle[1:].lower(), tab
            case ["c", name, tab] if name.lower().startswith("legacy"):
                return name.lower(), tab
            case ["user", name, tab]:
                return name.lower(), tab
            case ["channel", identifier, tab] if CHANNEL_ID.fullmatch(identifier):
                return self._youtube.named(identifier), tab
        return "", ""

    def _shown(self, name: str) -> Video:
        """What the page of a channel shows: a stream that is on air, if there is one."""
        youtube = self._youtube
        names = [name, *youtube.lineup.beside(name)]
        return youtube.video(next(filter(youtube.is_live, names), name))

    def _streams(self, name: str) -> list[Video]:
        youtube = self._youtube
        older = youtube.video(name, youtube.video_id(f"ended {name}"))
        videos = [youtube.video(f"upcoming {name}"), youtube.video(name), older]
        if name.startswith(SIMULCAST):
            videos.insert(1, youtube.video(f"members {name}"))
        videos += map(youtube.video, youtube.lineup.beside(name))
        return videos

    def _noted(self, request: Request) -> list[str]:
        host = request.requestHeaders.getRawHeaders(b"host", [b""])[0].decode("latin-1")
        postpath = [segment.decode("utf-8", "replace") for segment in request.postpath or ()]
        self._youtube.asked.append(
            ((request.method or b"").decode("ascii"), "/" + "/".join(postpath), host)
        )
        return [unquote(segment) for segment in postpath]

    def _limited(self, request: Request) -> bytes:
        wait = self._youtube.settings.retry_after
        if wait is not None:
            request.setHeader(b"retry-after", str(wait).encode())
        return self._answered(request, 429, "<html>Too Many Requests</html>", "text/html")

    def _json(self, request: Request, status: int, body: dict[str, Any]) -> bytes:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return self._answered(request, status, text, "application/json; charset=UTF-8")

    def _answered(self, request: Request, status: int, text: str, kind: str) -> bytes:
        request.setResponseCode(status)
        request.setHeader(b"content-type", kind.encode())
        body = text.encode("utf-8", "surrogatepass")
        accepted = request.requestHeaders.getRawHeaders(b"accept-encoding", [b""])
        if len(body) > 1000 and any(b"gzip" in value for value in accepted):
            request.setHeader(b"content-encoding", b"gzip")
            return gzip.compress(body, 1)
        return body


def _bomb(size: int) -> bytes:
    """So many MiB of nothing, packed into a thousandth of that."""
    packing = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    first = packing.compress(_MIB) + packing.flush(zlib.Z_FULL_FLUSH)
    other = packing.compress(_MIB) + packing.flush(zlib.Z_FULL_FLUSH)
    return first + other * (size - 1)
