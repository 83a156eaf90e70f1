# SPDX-License-Identifier: MIT
"""What the port answers to requests that are not WebSocket upgrades: Klein routes and files.

/            redirect to the page /test
/ws          426, for it is a WebSocket; /ws/ too
/health      the specification's two keys, then ours
/ready       200 while new clients are welcome, 503 while shutting down
/metrics     Prometheus text
/channels    what operators see of each channel
/platforms.json  what the pages say about the platforms that are installed
/schema.json, /asyncapi.json  the client protocol, for machines
/stats/P/I   the statistics of channel I on platform P, as a `stats` message has them
/history/P/I  what is kept of that channel
/test        the page; its files under /web/
/overlay     chats for a streaming program; without any named, the page that makes its address
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from klein import Klein
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from livechat.access import Access, AccessError, Grant
from livechat.addresses import Addresses, names_this_machine
from livechat.core.channel_reader import ChannelReader
from livechat.model.errors import ChatError, ErrorCode
from livechat.protocol.messages import encode, failure
from livechat.transports.files import (
    FILE_HEADERS,
    OVERLAY_HEADERS,
    Documents,
    Files,
    page,
    set_headers,
    with_pictures,
)

#: Codes that say that the request itself is wrong.
_STATUSES: Final = {
    ErrorCode.INVALID_IDENTIFIER: 400,
    ErrorCode.INVALID_OPTION: 400,
    ErrorCode.FORBIDDEN: 403,
}

_REDIRECTS: Final = frozenset({301, 302, 307, 308})


class Pages:
    """The routes.

    :param health: what `/health` answers, key by key.
    :param ready: whether new clients are welcome.
    :param web: directory of the page's files.
    :param channels: what can be read of channels.
    :param platforms: what pages are told about the platforms, as JSON.
    :param contract: the client protocol for machines: each document by the name of its file.
    :param access: who may see what; left out: everybody everything.
    :param addresses: tell whose a request is; left out: no proxy is trusted.
    :param pictures: base address of pictures that are not https; empty: there are none.
    :param overview: what `/channels` answers; left out: the channels of this process.
    """

    app = Klein()

    def __init__(
        self,
        health: Callable[[], dict[str, object]],
        ready: Callable[[], bool],
        exposition: Callable[[], bytes | Deferred[bytes]],
        web: Path,
        channels: ChannelReader,
        platforms: bytes = b"{}",
        contract: Mapping[str, bytes] = {},
        access: Access | None = None,
        addresses: Addresses | None = None,
        pictures: str = "",
        overview: Callable[[], bytes | Deferred[bytes]] | None = None,
    ) -> None:
        self._access = access or Access()
        self._addresses = addresses or Addresses()
        self._platforms = platforms
        self._contract = Documents(contract)
        self._channels = channels
        self._health = health
        self._ready = ready
        self._exposition = exposition
        self._overview = overview or channels.overview
        self._web = web
        self._page_headers = with_pictures(FILE_HEADERS, pictures)
        self._overlay_headers = with_pictures(OVERLAY_HEADERS, pictures)

    @app.route("/", methods=["GET", "HEAD"])
    def _root(self, request: IRequest) -> bytes:
        # Relative, like every address on the pages: a proxy may serve all of this under a path.
        request.redirect(b"test")
        return b""

    @app.route("/ws", methods=["GET", "HEAD"])
    @app.route("/ws/", methods=["GET", "HEAD"])
    def _plain_ws(self, request: IRequest) -> bytes:
        request.setResponseCode(426, b"Upgrade Required")
        request.setHeader(b"upgrade", b"websocket")
        return _text(request, b"Upgrade to WebSocket required\n")

    @app.route("/health", methods=["GET", "HEAD"])
    def _health_route(self, request: IRequest) -> bytes:
        request.setHeader(b"content-type", b"application/json; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        return msgspec.json.encode(self._health())

    @app.route("/ready", methods=["GET", "HEAD"])
    def _ready_route(self, request: IRequest) -> bytes:
        if self._ready():
            return _text(request, b"ready\n")
        request.setResponseCode(503)
        return _text(request, b"shutting down\n")

    @app.route("/metrics", methods=["GET", "HEAD"])
    def _metrics_route(self, request: Request) -> bytes | Deferred[bytes]:
        self._grant(request).check("metrics")
        request.setHeader(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return self._exposition()

    @app.route("/channels", methods=["GET", "HEAD"])
    def _channels_route(self, request: Request) -> bytes | Deferred[bytes]:
        self._check_operator(request)
        request.setHeader(b"content-type", b"application/json; charset=utf-8")
        request.setHeader(b"cache-control", b"no-store")
        return self._overview()

    @app.route("/platforms.json", methods=["GET", "HEAD"])
    def _platforms_route(self, request: IRequest) -> bytes:
        request.setHeader(b"content-type", b"application/json; charset=utf-8")
        # It changes only when the daemon is started anew.
        request.setHeader(b"cache-control", b"max-age=60")
        return self._platforms

    @app.route("/stats/<platform>/<path:identifier>", methods=["GET", "HEAD"])
    def _stats_route(self, request: Request, platform: str, identifier: str) -> Deferred[bytes]:
        return _read(self._channels.stats, request, platform, identifier, self._grant(request))

    @app.route("/history/<platform>/<path:identifier>", methods=["GET", "HEAD"])
    def _history_route(self, request: Request, platform: str, identifier: str) -> Deferred[bytes]:
        return _read(self._channels.history, request, platform, identifier, self._grant(request))

    @app.route("/test", methods=["GET", "HEAD"])
    def _test(self, request: IRequest) -> IResource:
        return page(request, self._web / "test.html", self._page_headers)

    @app.route("/overlay", methods=["GET", "HEAD"])
    def _overlay(self, request: Request) -> IResource:
        asked = request.args or {}
        if b"identifier" in asked or b"sample" in asked:
            return page(request, self._web / "overlay.html", self._overlay_headers)
        return page(request, self._web / "builder.html", self._page_headers)

    @app.route("/<any(test, overlay):page>/", methods=["GET", "HEAD"])
    def _without_slash(self, request: Request, page: str) -> bytes:
        # The pages' addresses are relative to a page that lies beside `/web/`.
        query = request.uri.partition(b"?")[2]
        request.redirect(f"../{page}".encode() + (b"?" + query if query else b""))
        return b""

    @app.route("/favicon.ico", methods=["GET", "HEAD"])
    def _icon(self, request: IRequest) -> IResource:
        return page(request, self._web / "icon.svg")

    # They lie among the files, too; but only the process knows which kinds of event it has.
    @app.route("/<any('schema.json', 'asyncapi.json'):name>", methods=["GET", "HEAD"])
    @app.route(
        "/web/<any('schema.json', 'asyncapi.json', 'livechat.d.ts'):name>", methods=["GET", "HEAD"]
    )
    def _documents(self, request: Request, name: str) -> bytes:
        return self._contract.answer(request, name)

    @app.route("/web/", branch=True, methods=["GET", "HEAD"])
    def _files(self, request: IRequest) -> IResource:
        set_headers(request, FILE_HEADERS)
        return Files(str(self._web))

    def _grant(self, request: Request) -> Grant:
        """What the client may do.

        :raises AccessError: it has given no good token.
        """
        sent = request.requestHeaders.getRawHeaders(b"authorization", [b""])[0].decode("latin-1")
        token = (request.args or {}).get(b"token", [b""])[0].decode("utf-8", "replace")
        return self._access.grant({"authorization": sent}, token)

    def _check_operator(self, request: Request) -> None:
        """Refuse whoever is no operator: the scope `admin`, or this machine where no tokens are.

        :raises AccessError: the client is none.
        """
        if not self._access.is_open:
            self._grant(request).check("admin")
            return
        headers = {
            name.decode("latin-1").lower(): b",".join(values).decode("latin-1")
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        peer = str(getattr(request.getClientAddress(), "host", ""))
        # A page of another site, in a browser on this machine, names its origin.
        if "origin" in headers or not self._addresses.is_local(peer, headers):
            raise AccessError(403, "only this machine may ask, unless there are tokens")
        # No page can reach a UNIX socket, so it does not matter what it is called there.
        host = getattr(request, "host_asked", b"").decode("latin-1")
        if peer and not names_this_machine(host, str(getattr(request.getHost(), "host", ""))):
            raise AccessError(403, "this machine must be asked by its address or as localhost")

    @app.handle_errors(AccessError)
    def _refused(self, request: IRequest, failure: Failure) -> bytes:
        error = failure.value
        assert isinstance(error, AccessError)
        request.setResponseCode(error.status)
        if error.status == 401:
            request.setHeader(b"www-authenticate", b"Bearer")
        return _text(request, f"{error.reason}\n".encode())

    @app.handle_errors(HTTPException)
    def _error(self, request: IRequest, failure: object) -> bytes:
        error = getattr(failure, "value", None)
        code = error.code if isinstance(error, HTTPException) and error.code else 404
        # A path that would do with a slash more is another path.
        code = 404 if code in _REDIRECTS else code
        request.setResponseCode(code)
        if isinstance(error, MethodNotAllowed):
            # OPTIONS is answered before any route is asked.
            request.setHeader(b"allow", b"GET, HEAD, OPTIONS")
        return _text(request, b"not found\n" if code == 404 else b"not allowed\n")


def _read(
    read: Callable[[str, str, Mapping[str, str], Grant], Deferred[bytes]],
    request: Request,
    platform: str,
    identifier: str,
    grant: Grant,
) -> Deferred[bytes]:
    """Answer with what is read of a channel, or with the error that says why nothing is."""
    request.setHeader(b"content-type", b"application/json; charset=utf-8")
    request.setHeader(b"cache-control", b"no-store")
    query = {
        name.decode("utf-8", "replace"): values[-1].decode("utf-8", "replace")
        for name, values in (request.args or {}).items()
    }

    def refused(reason: Failure) -> bytes:
        error = reason.value
        if not isinstance(error, ChatError):
            reason.raiseException()
        assert isinstance(error, ChatError)
        request.setResponseCode(_STATUSES.get(error.code, 404))
        return encode(failure(error, platform, identifier))

    return maybeDeferred(read, platform, identifier, query, grant).addErrback(refused)


def _text(request: IRequest, body: bytes) -> bytes:
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    return body
