# SPDX-License-Identifier: MIT
"""What the port answers to requests that are not WebSocket upgrades: Klein routes and files.

/            redirect to /test
/ws          426, for it is a WebSocket
/health      the specification's two keys, then ours
/ready       200 while new clients are welcome, 503 while shutting down
/metrics     Prometheus text
/test        the page; its files under /web/
/overlay     chats for a streaming program; without any named, the page that makes its address
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec
from klein import Klein
from twisted.web.iweb import IRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site
from twisted.web.static import File
from werkzeug.exceptions import HTTPException

from livechat.metrics import Metrics

#: Seconds of silence after which an HTTP connection is closed.
HTTP_TIMEOUT: Final = 30

_HEADERS: Final = {
    # The original's CORS headers.
    b"access-control-allow-origin": b"*",
    b"access-control-allow-methods": b"GET,OPTIONS",
    b"access-control-allow-headers": b"*",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}

#: The pages run their own scripts and styles only, show pictures from anywhere over https, and talk
#: to the daemon that served them.  No string ever becomes HTML.
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https:; "
    b"connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)

_FILE_HEADERS: Final = {
    # Asked for again every time, so that two versions never meet on one page.
    b"cache-control": b"no-cache",
    b"content-security-policy": _POLICY,
}

#: What the files are, whatever the machine's own list of types says or lacks.
_CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Pages:
    """The routes.

    :param health: what `/health` answers, key by key.
    :param ready: whether new clients are welcome.
    :param web: directory of the page's files.
    """

    app = Klein()

    def __init__(
        self,
        health: Callable[[], dict[str, object]],
        ready: Callable[[], bool],
        metrics: Metrics,
        web: Path,
    ) -> None:
        self._health = health
        self._ready = ready
        self._metrics = metrics
        self._web = web

    @app.route("/", methods=["GET", "HEAD"])
    def _root(self, request: IRequest) -> bytes:
        request.redirect(b"/test")
        return b""

    @app.route("/ws", methods=["GET", "HEAD"])
    def _plain_ws(self, request: IRequest) -> bytes:
        request.setResponseCode(426)
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
    def _metrics_route(self, request: IRequest) -> bytes:
        request.setHeader(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
        return self._metrics.exposition()

    @app.route("/test", methods=["GET", "HEAD"])
    @app.route("/test/", methods=["GET", "HEAD"])
    def _test(self, request: IRequest) -> IResource:
        return _page(request, self._web / "test.html")

    @app.route("/overlay", methods=["GET", "HEAD"])
    @app.route("/overlay/", methods=["GET", "HEAD"])
    def _overlay(self, request: Request) -> IResource:
        asked = request.args or {}
        is_filled = b"identifier" in asked or b"sample" in asked
        return _page(request, self._web / ("overlay.html" if is_filled else "builder.html"))

    @app.route("/web/", branch=True, methods=["GET", "HEAD"])
    def _files(self, request: IRequest) -> IResource:
        _set_headers(request, _FILE_HEADERS)
        return _Files(str(self._web))

    @app.handle_errors(HTTPException)
    def _error(self, request: IRequest, failure: object) -> bytes:
        error = getattr(failure, "value", None)
        code = error.code if isinstance(error, HTTPException) and error.code else 404
        request.setResponseCode(code)
        return _text(request, b"not found\n" if code == 404 else b"not allowed\n")


def _text(request: IRequest, body: bytes) -> bytes:
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    return body


def _set_headers(request: IRequest, headers: Mapping[bytes, bytes]) -> None:
    for name, value in headers.items():
        request.setHeader(name, value)


def _page(request: IRequest, path: Path) -> IResource:
    _set_headers(request, _FILE_HEADERS)
    page = _Files(str(path))
    page.isLeaf = True
    return page


class _Files(File):
    """Static files without directory listings."""

    contentTypes = _CONTENT_TYPES

    def getChild(self, path: bytes, request: Request) -> IResource:
        # A file's name holds no zero byte, and asking for one raises.
        child: IResource = (
            self.childNotFound if b"\x00" in path else super().getChild(path, request)
        )
        return child

    def directoryListing(self) -> IResource:
        return self.childNotFound

    def createSimilarFile(self, path: str) -> _Files:
        return _Files(path)


class _Preflight(Resource):
    """The answer to a browser that asks whether it may ask: the headers, which are set already."""

    isLeaf = True

    def render(self, request: Request) -> bytes:
        request.setResponseCode(204)
        return b""


class Root(Resource):
    """Sends everything to the pages, with the headers that all answers carry."""

    def __init__(self, pages: Pages) -> None:
        super().__init__()
        self._pages: IResource = pages.app.resource()

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """Called for the first path segment, which is given back where the pages go on with it."""
        _set_headers(request, _HEADERS)
        if request.method == b"OPTIONS":
            return _Preflight()
        assert request.postpath is not None
        assert request.prepath is not None
        request.postpath.insert(0, request.prepath.pop())
        return self._pages


def make_site(pages: Pages) -> Site:
    """The factory for connections that are not upgrades."""
    site = Site(Root(pages), timeout=HTTP_TIMEOUT)
    site.displayTracebacks = False
    return site
