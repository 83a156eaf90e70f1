# SPDX-License-Identifier: MIT
"""One HTTP request with every limit set: time, size of the body, redirects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import treq
from msgspec import Struct
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime


class FetchError(Exception):
    """The request brought no complete answer; the message says why."""


class Fetched(Struct, frozen=True):
    """A complete answer, whatever its status.

    :ivar headers: first value of each header, names in lower case.
    """

    status: int
    headers: dict[str, str]
    body: bytes


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
) -> Fetched:
    """Ask, and read the answer to its end.

    :param limit: most bytes of body, counted after decompression.
    :param deadline: seconds for all of it.
    :raises FetchError: not connected, not in time, too large, or cut off.
    """
    story: Deferred[Fetched] = Deferred.fromCoroutine(
        _ask(http, method, url, limit, headers, json, data, allow_redirects)
    )
    timer = clock.callLater(deadline, story.cancel)
    try:
        return await story
    except CancelledError:
        if timer.active():
            raise
        raise FetchError(f"no complete answer in {deadline:g} s") from None
    except FetchError:
        raise
    except Exception as error:
        # treq, Twisted and the TLS library each have their own; to us all mean the same.
        raise FetchError(_reason(error)) from error
    finally:
        if timer.active():
            timer.cancel()


async def _ask(
    http: HTTPClient,
    method: str,
    url: str,
    limit: int,
    headers: Mapping[str, str] | None,
    json: Any,
    data: bytes | None,
    allow_redirects: bool,
) -> Fetched:
    kwargs: dict[str, Any] = {"headers": dict(headers or {}), "allow_redirects": allow_redirects}
    if json is not None:
        kwargs["json"] = json
    if data is not None:
        kwargs["data"] = data
    # Unbuffered: the body is read once, here, under its cap.
    response = await http.request(method, url, unbuffered=True, **kwargs)
    body: list[bytes] = []
    size = 0

    def collect(chunk: bytes) -> None:
        nonlocal size
        size += len(chunk)
        if size > limit:
            raise FetchError(f"answer larger than {limit} bytes")
        body.append(chunk)

    await treq.collect(response, collect)
    first = {
        name.decode("latin-1").lower(): values[0].decode("latin-1")
        for name, values in response.headers.getAllRawHeaders()
    }
    return Fetched(response.code, first, b"".join(body))


def _reason(error: Exception) -> str:
    # Twisted's ResponseFailed and its kin hold the real reasons in a list.
    reasons = getattr(error, "reasons", None)
    if reasons:
        return "; ".join(_reason(reason.value) for reason in reasons)
    return str(error).strip() or type(error).__name__
