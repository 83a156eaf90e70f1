# SPDX-License-Identifier: MIT
"""The files of the pages, and the headers that restrict what they may do in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from twisted.web.http import CACHED
from twisted.web.iweb import IRequest
from twisted.web.pages import notFound
from twisted.web.resource import IResource
from twisted.web.server import Request
from twisted.web.static import File, getTypeAndEncoding

#: The pages run their own scripts only, show pictures from anywhere over https, and talk to the
#: daemon that served them.
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; connect-src 'self'; frame-src 'self'; "
    b"base-uri 'none'; form-action 'none'; "
)

#: No string ever becomes HTML, styles are our own, and no page of another origin shows ours in a
#: frame.
_STRICT_POLICY: Final = _POLICY + (
    b"style-src 'self'; img-src 'self' https:; frame-ancestors 'self'; "
    b"require-trusted-types-for 'script'; trusted-types 'none'"
)

#: OBS puts what stands in its field "Custom CSS" into the overlay: a `<style>` that it fills by
#: `innerHTML` (until OBS 30) or by a text node (since OBS 31).  Such styles bring fonts and
#: pictures.  Any page may show the overlay in a frame: it is made for that, and nothing can be
#: pressed on it.
_OVERLAY_POLICY: Final = _POLICY + (
    b"style-src 'self' 'unsafe-inline' https:; font-src 'self' https: data:; "
    b"img-src 'self' https: data:"
)

FILE_HEADERS: Final = {
    # Asked for again every time, so that two versions never meet on one page.
    b"cache-control": b"no-cache",
    b"content-security-policy": _STRICT_POLICY,
}

OVERLAY_HEADERS: Final = {**FILE_HEADERS, b"content-security-policy": _OVERLAY_POLICY}


def with_pictures(headers: Mapping[bytes, bytes], base: str) -> Mapping[bytes, bytes]:
    """The headers of a page that may show the pictures below this address, too; empty: none."""
    if not base:
        return headers
    policy = headers[b"content-security-policy"]
    allowed = policy.replace(b"img-src 'self'", b"img-src 'self' " + base.encode())
    return {**headers, b"content-security-policy": allowed}


#: What the files are, whatever the machine's own list of types says or lacks.
_CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
}


def set_headers(request: IRequest, headers: Mapping[bytes, bytes]) -> None:
    """Set several headers of an answer."""
    for name, value in headers.items():
        request.setHeader(name, value)


def page(request: IRequest, path: Path, headers: Mapping[bytes, bytes] = FILE_HEADERS) -> IResource:
    """One file as the answer."""
    set_headers(request, headers)
    file = Files(str(path))
    file.isLeaf = True
    return file


class Files(File):
    """Static files without directory listings; they are small, and each is served whole."""

    contentTypes = _CONTENT_TYPES

    def getChild(self, path: bytes, request: Request) -> IResource:
        # A file's name holds no zero byte, and asking for one raises.
        child: IResource = (
            self.childNotFound if b"\x00" in path else super().getChild(path, request)
        )
        return child

    def render_GET(self, request: Request) -> bytes:
        """twisted.web: the file, whatever part of it is asked for (RFC 9110 section 14.2)."""
        self.restat(False)
        if not self.isfile():
            missing: bytes = self.childNotFound.render(request)
            return missing
        kind, _ = getTypeAndEncoding(self.basename(), self.contentTypes, {}, self.defaultType)
        request.setHeader(b"content-type", kind.encode())
        if self._is_known(request):
            return b""
        content: bytes = self.getContent()
        request.setHeader(b"content-length", str(len(content)).encode())
        return b"" if request.method == b"HEAD" else content

    render_HEAD = render_GET

    def _is_known(self, request: Request) -> bool:
        """Whether the client has the file as it is; the answer says when it was changed."""
        try:
            return request.setLastModified(self.getModificationTime()) is CACHED
        # What stands in If-Modified-Since need not be a date.
        except (ValueError, LookupError, OverflowError):
            return False

    def directoryListing(self) -> IResource:
        return self.childNotFound

    def createSimilarFile(self, path: str) -> Files:
        return Files(path)


class Documents:
    """Documents that the process has made: served like files, but known by what is in them.

    :param contents: each document by the name of its file.
    """

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._contents = contents
        self._tags = {
            name: b'"%s"' % sha256(content).hexdigest()[:32].encode()
            for name, content in contents.items()
        }

    def answer(self, request: Request, name: str) -> bytes:
        """One of them as the answer; nothing where the client has it as it is."""
        if name not in self._contents:
            missing: bytes = notFound().render(request)
            return missing
        set_headers(request, FILE_HEADERS)
        kind, _ = getTypeAndEncoding(name, _CONTENT_TYPES, {}, "text/plain")
        request.setHeader(b"content-type", kind.encode())
        if request.setETag(self._tags[name]) is CACHED:
            return b""
        content = self._contents[name]
        request.setHeader(b"content-length", str(len(content)).encode())
        return content
