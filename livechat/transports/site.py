# SPDX-License-Identifier: MIT
"""The site: one request for each connection, its limits, and the headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HttpRequest
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from livechat.transports.files import set_headers
from livechat.transports.origins import Origins

#: Seconds of silence after which an HTTP connection is closed.
HTTP_TIMEOUT: Final = 30

#: Seconds for an answer to be read.
ANSWER_TIMEOUT: Final = 60

_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

_TOO_LARGE: Final = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)

#: A host and perhaps a port (RFC 9110 section 7.2).
_HOST: Final = re.compile(rb"[!-.0-;=A-Z_\[\]a-z~]{0,300}")

HEADERS: Final = {
    # The original's CORS headers, but for the one that depends on the request.
    b"access-control-allow-methods": b"GET,OPTIONS",
    b"access-control-allow-headers": b"*",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
}


def _is_text(path: bytes) -> bool:
    """Whether a path, unquoted, is UTF-8; routes are found by text."""
    try:
        unquote_to_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class _Preflight(Resource):
    """The answer to a CORS preflight request: the headers, which are set already."""

    isLeaf = True

    def render(self, request: Request) -> bytes:
        request.setResponseCode(204)
        return b""


class _BadRequest(Resource):
    """The answer to a request that cannot be valid."""

    isLeaf = True

    def render(self, request: Request) -> bytes:
        request.setResponseCode(400)
        request.setHeader(b"content-type", b"text/plain; charset=utf-8")
        return b"bad request\n"


#: First words of the paths that an operator may have served on a port of their own, and of all
#: that are served there.
OPERATORS_PATHS: Final = frozenset({b"metrics", b"channels"})
ADMIN_PATHS: Final = OPERATORS_PATHS | {b"health", b"ready"}


def _all(path: bytes) -> bool:
    """Everything is served."""
    return True


class Root(Resource):
    """Sends everything to the pages, with the headers that all answers carry.

    :param serves: whether paths are served here that begin with a word.
    """

    def __init__(
        self, pages: IResource, origins: Origins, serves: Callable[[bytes], bool] = _all
    ) -> None:
        super().__init__()
        self._pages = pages
        self._origins = origins
        self._serves = serves

    def getChildWithDefault(self, path: bytes, request: Request) -> IResource:
        """Called for the first path segment, which is given back where the pages go on with it."""
        set_headers(request, HEADERS)
        set_headers(request, self._origins.cors(request.getHeader(b"origin")))
        if not _HOST.fullmatch(request.getHeader(b"host") or b""):
            return _BadRequest()
        # No route depends on it, and werkzeug raises where it is no name.
        cast("_BodylessRequest", request).host_asked = request.getHeader(b"host") or b""
        request.requestHeaders.setRawHeaders(b"host", [b"localhost"])
        # As the routes are found: slashes in front, quoted ones too, make no difference.
        if not self._serves(unquote_to_bytes(request.path).lstrip(b"/").partition(b"/")[0]):
            return notFound()
        if request.method == b"OPTIONS":
            return _Preflight()
        if not _is_text(request.path):
            return notFound()
        assert request.postpath is not None
        assert request.prepath is not None
        request.postpath.insert(0, request.prepath.pop())
        return self._pages


class _BodylessRequest(Request):
    """A request without a body: no page takes one, and one may be of any size.

    :ivar host_asked: its `Host` header, of which `Root` hides the name from the routes.
    """

    channel: Any
    host_asked = b""

    def gotLength(self, length: int | None) -> None:
        """twisted.web: the length of the body (None: unknown)."""
        super().gotLength(0)
        if length != 0:
            self.channel.transport.write(_TOO_LARGE)
            self.channel.loseConnection()

    def handleContentChunk(self, data: bytes) -> None:
        """twisted.web: a part of the body came."""


class _OneRequest(HTTPChannel):
    """A connection for one request, whose answer must be read in time.

    A second request could take its time, and an upgrade that came second would meet the pages; a
    proxy that is told so uses another connection.
    """

    transport: Any
    site: Any
    callLater: Any
    _deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """twisted.web: the connection is there."""
        super().connectionMade()
        self.site.open[self] = None

    def headerReceived(self, line: bytes) -> bool:
        """twisted.web: a line of the head; a length of thousands of digits raises."""
        try:
            received: bool = super().headerReceived(line)
        except ValueError:
            self.transport.write(_BAD_REQUEST)
            self.loseConnection()
            return False
        return received

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        """twisted.web: whether the connection is kept for more; the request has been read."""
        self._deadline = self.callLater(ANSWER_TIMEOUT, self.forceAbortClient)
        request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        return False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """twisted.web: the connection is gone."""
        self.site.open.pop(self, None)
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        super().connectionLost(reason)


class _QuietSite(Site):
    """A site that writes no line for every request: it would hold the request's headers.

    :ivar open: its connections, in order of arrival.
    """

    def __init__(self, resource: Resource, **more: Any) -> None:
        super().__init__(resource, **more)
        self.open: dict[_OneRequest, None] = {}

    def log(self, request: HttpRequest) -> None:
        """twisted.web: a request was answered."""


def make_site(pages: IResource, origins: Origins, serves: Callable[[bytes], bool] = _all) -> Site:
    """The factory for connections that no transport takes.

    :param pages: all routes.
    :param origins: whose pages may read the answers.
    :param serves: whether paths are served here that begin with a word.
    """
    root = Root(pages, origins, serves)
    site = _QuietSite(root, requestFactory=_BodylessRequest, timeout=HTTP_TIMEOUT)
    site.protocol = _OneRequest  # type: ignore[method-assign,assignment]
    site.displayTracebacks = False
    return site
