# SPDX-License-Identifier: MIT
"""One HTTP request with every limit set: time, size packed and unpacked, redirects and their hosts.

treq unpacks gzip by itself, and all of a read at once: a few kilobytes may become many megabytes
before anybody can count them.  So its decoder is taken off, and the body unpacked here in pieces
that never exceed what is still allowed.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from typing import Any, BinaryIO, Final
from urllib.parse import urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import GzipDecoder, ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import IBodyProducer
from zope.interface import implementer

#: Redirects that are followed, at most.
MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class FetchError(Exception):
    """The request brought no complete answer; the message says why."""


class Fetched(Struct, frozen=True):
    """A complete answer, whatever its status.

    :ivar headers: first value of each header, names in lower case.
    :ivar set_cookies: every `Set-Cookie`, in order.
    :ivar url: where the answer came from; of a redirect that was not followed, where it leads;
        empty where nobody asked to follow any.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    set_cookies: tuple[str, ...] = ()
    url: str = ""


async def fetch(
    http: HTTPClient,
    clock: IReactorTime,
    method: str,
    url: str,
    *,
    limit: int,
    deadline: float,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    data: bytes | None = None,
    allow_redirects: bool = False,
    hosts: Collection[str] | None = None,
) -> Fetched:
    """Ask, and read the answer to its end.

    :param limit: most bytes of body, as they come and again after unpacking.
    :param deadline: seconds for all of it.
    :param allow_redirects: follow redirects, wherever they lead.
    :param hosts: follow redirects, at most `MAX_REDIRECTS`, within the place that was asked and to
        these hosts over https; any other host is never contacted.
    :raises FetchError: not connected, not in time, too large, cut off, or redirected too often.
    """
    options: dict[str, Any] = {"headers": dict(headers or {}), "allow_redirects": allow_redirects}
    if json is not None:
        options["json"] = json
    if data is not None:
        options["data"] = data
    if hosts is None:
        asking = _ask(http, method, url, limit, options)
    else:
        asking = _follow(http, method, url, limit, options, hosts)
    story: Deferred[Fetched] = Deferred.fromCoroutine(asking)
    timer = clock.callLater(deadline, story.cancel)
    try:
        return await story
    except FetchError:
        raise
    except (CancelledError, Exception) as error:
        # treq, Twisted and the TLS library each have their own; to us all mean the same.
        if not _is_cancellation(error):
            raise FetchError(_reason(error)) from error
        if timer.active():
            raise CancelledError from None
        raise FetchError(f"no complete answer in {deadline:g} s") from None
    finally:
        if timer.active():
            timer.cancel()


async def _follow(
    http: HTTPClient,
    method: str,
    url: str,
    limit: int,
    options: dict[str, Any],
    hosts: Collection[str],
) -> Fetched:
    home = urlsplit(url)[:2]
    for _ in range(MAX_REDIRECTS + 1):
        answer = await _ask(http, method, url, limit, options)
        target = answer.headers.get("location") if answer.status in _REDIRECTS else None
        if target is None:
            return replace(answer, url=url)
        url = urljoin(url, target)
        if not _is_within(url, home, hosts):
            return replace(answer, url=url)
    raise FetchError(f"redirected more than {MAX_REDIRECTS} times")


def _is_within(url: str, home: tuple[str, str], hosts: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if parts[:2] == home:
        return True
    plain = parts.scheme == "https" and port in (None, 443) and "@" not in parts.netloc
    return plain and parts.hostname in hosts


async def _ask(
    http: HTTPClient, method: str, url: str, limit: int, options: dict[str, Any]
) -> Fetched:
    # Unbuffered: the body is read once, here, under its cap.
    response = await http.request(method, url, unbuffered=True, **options)
    source: Any = response
    layers = 0
    while hasattr(source, "original"):
        layers += isinstance(source, GzipDecoder)
        source = source.original
    body = _Body(limit, layers > 0)
    source.deliverBody(body)
    if layers > 1:
        # Nobody packs twice in earnest, and Twisted's own unpacking knows no cap.
        body.complete.cancel()
        body.complete.addErrback(lambda _: None)
        raise FetchError("the answer is packed more than once")
    received = await body.complete
    first = {
        name.decode("latin-1").lower(): values[0].decode("latin-1")
        for name, values in response.headers.getAllRawHeaders()
    }
    cookies = response.headers.getRawHeaders(b"set-cookie", [])
    set_cookies = tuple(cookie.decode("latin-1") for cookie in cookies)
    return Fetched(response.code, first, received, set_cookies)


@implementer(IBodyProducer)
class WholeBody:
    """A body that is written at once with the head of its request, instead of a turn later.

    For `HTTPClient(data_to_body_producer=...)`: one segment for each request instead of two.
    """

    def __init__(self, body: bytes | BinaryIO) -> None:
        self._body = body if isinstance(body, bytes) else body.read()
        self.length = len(self._body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Write all of it."""
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """There is nothing left that could wait."""

    def resumeProducing(self) -> None:
        """There is nothing left that could go on."""

    def stopProducing(self) -> None:
        """There is nothing left that could stop."""


class _Body(Protocol):
    """Gathers a body, unpacking it where it is packed; lets go of it as soon as it is too large."""

    def __init__(self, limit: int, unpack: bool) -> None:
        #: Fires with the body, unpacked.
        self.complete: Deferred[bytes] = Deferred(lambda _: self._let_go())
        self._limit = limit
        self._packed = 0
        self._unpacked = 0
        self._chunks: list[bytes] = []
        self._unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS) if unpack else None

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        """Some more of it."""
        if self.complete.called:
            return
        try:
            self._packed += len(data)
            self._check(self._packed)
            if self._unpacking is None:
                self._chunks.append(data)
            else:
                self._unpack(self._unpacking, data)
        except (FetchError, zlib.error) as error:
            self._let_go()
            self.complete.errback(error)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """That was all, or it broke off."""
        if self.complete.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss) is None:
            self.complete.errback(reason)
        elif self._packed and self._unpacking is not None and not self._unpacking.eof:
            self.complete.errback(FetchError("the packed answer is cut off"))
        else:
            self.complete.callback(b"".join(self._chunks))

    def _unpack(self, unpacking: Any, data: bytes) -> None:
        while data and not unpacking.eof:
            # One byte more than is allowed is enough to know.
            chunk = unpacking.decompress(data, self._limit - self._unpacked + 1)
            self._unpacked += len(chunk)
            self._check(self._unpacked)
            self._chunks.append(chunk)
            data = unpacking.unconsumed_tail

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise FetchError(f"answer larger than {self._limit} bytes")

    def _let_go(self) -> None:
        self._chunks.clear()
        # Not `loseConnection`: through TLS that waits for the peer's consent.
        self.transport.stopProducing()


def _is_cancellation(error: BaseException) -> bool:
    """Whether it is one, or Twisted's wrapping around one."""
    reasons = getattr(error, "reasons", None) or ()
    # Twisted's endpoints have a cancellation of their own.
    if isinstance(error, CancelledError | ConnectingCancelledError):
        return True
    return any(_is_cancellation(reason.value) for reason in reasons)


def _reason(error: Exception) -> str:
    # Twisted's ResponseFailed and its kin hold the real reasons in a list.
    reasons = getattr(error, "reasons", None)
    if reasons:
        return "; ".join(_reason(reason.value) for reason in reasons)
    return str(error).strip() or type(error).__name__
