# SPDX-License-Identifier: MIT
"""Short links, as TikTok's app shares them: which one is meant, and where it leads.

They are `https://vt.tiktok.com/CODE`, `https://vm.tiktok.com/CODE` and
`https://www.tiktok.com/t/CODE`, and redirect to the address of an account
(docs/wire/tiktok.md#short-links).  Pure: `Lookup` asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from livechat.model.errors import ChatError
from livechat.platforms.tiktok.identifier import HOSTS, SHORT_HOSTS, address_of, handle_of
from livechat.platforms.tiktok.refusals import Reason, Refused, refused

#: Redirects that are followed, at most.
MAX_REDIRECTS: Final = 3

_CODE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SITE: Final = "www.tiktok.com"


class Next(Struct, frozen=True):
    """The link leads to another address of TikTok."""

    url: str


def link_of(identifier: str) -> str | None:
    """The canonical form of a short link: without scheme and query; None for anything else.

    Its code keeps its case: TikTok tells capital and small letters apart.
    """
    if not identifier.isascii() or len(identifier) > 2048:
        return None
    host, *path = address_of(identifier.strip(" "))
    host = host.lower()
    if host in HOSTS and path and path[0].lower() == "t":
        host, path = f"{_SITE}/t", path[1:]
    elif host not in SHORT_HOSTS:
        return None
    return f"{host}/{path[0]}" if path and _CODE.fullmatch(path[0]) else None


def link_url(site: str, link: str) -> str:
    """Where a short link is asked.

    :param site: base of pages; where it is not TikTok's own, it answers for every short link.
    :param link: in canonical form.
    """
    if urlsplit(site).hostname in HOSTS:
        return f"https://{link}/"
    return f"{site}/t/{link.rpartition('/')[2]}"


def read_link(status: int, headers: Mapping[str, str], url: str, site: str) -> str | Next | Refused:
    """The account to which an answer leads, another address to ask, or why there is neither.

    :param headers: names in lower case.
    :param url: what was asked.
    """
    if status in (404, 410):
        return refused(Reason.NOT_FOUND)
    target = headers.get("location", "")
    if not (300 <= status < 400 and target):
        # Instead of a redirect a firewall answers with a page.
        blocked = status in (200, 401, 403, 429)
        return refused(Reason.BLOCKED if blocked else Reason.UPSTREAM, f"HTTP {status}")
    try:
        url = urljoin(url, target)
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return refused(Reason.UPSTREAM, "broken redirect")
    try:
        return handle_of(url)
    except ChatError:
        pass
    own = parts.scheme == "https" and parts.netloc in HOSTS | SHORT_HOSTS and port is None
    if not own and parts[:2] != urlsplit(site)[:2]:
        return refused(Reason.NOT_FOUND)
    # What leads nowhere is sent to the front page.
    if parts.path.strip("/") in ("", "404", "live"):
        return refused(Reason.NOT_FOUND)
    return refused(Reason.LOGIN_REQUIRED) if parts.path.startswith("/login") else Next(url)
