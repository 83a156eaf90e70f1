# SPDX-License-Identifier: MIT
"""What an Euler-compatible signer answers: the first messages, cookies, and the socket to open.

Total: whatever it answers becomes one or the other.  A good status proves nothing: a signer has
answered 200 with addresses that lead nowhere for a whole day (docs/wire/tiktok.md#signer).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from livechat.platforms.tiktok.parse.webcast import Batch, Unread, read_batch
from livechat.platforms.tiktok.refusals import Reason, Refused, refused, seconds_to_wait

#: Hosts whose sockets are trusted without being named.
_OWN_HOST: Final = re.compile(r"(?:[a-z0-9-]+\.)+tiktok\.com")

#: Seconds before a signer that gave nothing useful is asked again for the same room.
PAUSE: Final = 30.0

_REJECTED: Final = frozenset({401, 402, 403})
_ATTRIBUTES: Final = frozenset(
    {"domain", "expires", "httponly", "max-age", "partitioned", "path", "samesite", "secure"}
)


class Signed(Struct, frozen=True):
    """A usable answer.

    :ivar first: its `push_server` is a checked address without query.
    :ivar cookies: as they are sent with the upgrade.
    """

    first: Batch
    room_id: str
    cookies: str
    request_id: str = ""


def read_signed(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    room_id: str,
    hosts: Collection[str],
    now: float,
) -> Signed | Refused:
    """The answer to a request for a room.

    :param headers: names in lower case.
    :param hosts: socket hosts that the operator trusts besides TikTok's own.
    :param now: wall time in seconds.
    """
    if status == 429:
        wait = seconds_to_wait(headers, now) or PAUSE
        return refused(Reason.SIGNER_QUOTA, f"come again in {wait:.0f} s", wait)
    if status in _REJECTED:
        return refused(Reason.SIGNER_REJECTED, f"HTTP {status}: {_message(body)}", PAUSE)
    if status != 200:
        return _useless(f"HTTP {status}: {_message(body)}")
    cookies = _cookies(headers.get("x-set-tt-cookie", ""))
    if not cookies:
        return _useless("no cookies")
    batch = read_batch(body)
    if isinstance(batch, Unread):
        return _useless(batch.name)
    if not batch.cursor or not batch.push_server:
        return _useless("no cursor or socket")
    if not _trusted(batch.push_server, hosts):
        return _useless(f"socket at {batch.push_server[:60]}")
    named = headers.get("x-room-id", "")
    if not (named.isascii() and named.isdigit() and 0 < int(named[:20]) < 1 << 63):
        named = room_id
    return Signed(batch, named, cookies, headers.get("x-request-id", "")[:80])


def _useless(note: str) -> Refused:
    return refused(Reason.SIGNER_DOWN, note, PAUSE)


def _trusted(url: str, hosts: Collection[str]) -> bool:
    """Whether cookies may be sent there: TikTok's own host over TLS, or another that was named."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = not (parts.username or parts.query or parts.fragment or parts.password)
    if not plain or not url.isascii() or any(c <= " " for c in url):
        return False
    if _OWN_HOST.fullmatch(host):
        return parts.scheme == "wss"
    return parts.scheme in ("wss", "ws") and host in hosts


def _cookies(header: str) -> str:
    """The pairs of a header that is a cookie string or, with some servers, has attributes in it."""
    if not (header.isascii() and header.isprintable()) or len(header) > 8192:
        return ""
    pairs = (part.strip() for part in header.split(";"))
    return "; ".join(
        pair for pair in pairs if "=" in pair and pair.partition("=")[0].lower() not in _ATTRIBUTES
    )


def _message(body: bytes) -> str:
    """What the signer says in words, if it does."""
    try:
        answer = msgspec.json.decode(body[:4096])
    except (msgspec.DecodeError, RecursionError):
        return "no JSON"
    said = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
    return said[:60] if isinstance(said, str) else "no message"
