# SPDX-License-Identifier: MIT
"""Which addresses of pictures may be passed on."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: Longest image address that is passed on.
MAX_URL: Final = 2048


def https_url(url: object) -> str | None:
    """The address if it may be passed on as an image: https, a public host, no odd characters.

    A scheme-less address (`//host/path`), as platforms like to give them, counts as https.
    """
    return _https_url(url) if isinstance(url, str) and 0 < len(url) <= MAX_URL else None


#: A public host by name: labels with a dot between them.  The last one begins and ends with a
#: letter, for browsers read one that begins with a digit as part of an IPv4 address.
_HOST: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)+[a-z](?:[a-z0-9-]{0,61}[a-z])?")

#: Last labels of names that mean a machine of an internal network.
_INTERNAL_TLDS: Final = frozenset({"internal", "local", "localhost"})


@lru_cache(maxsize=2048)
def _https_url(url: str) -> str | None:
    if url.startswith("//"):
        url = "https:" + url
    if not url.startswith("https://") or len(url) > MAX_URL:
        return None
    if not url.isascii() or not url.isprintable() or any(c in url for c in " \"'<>\\`"):
        return None
    netloc = re.split("[/?#]", url[len("https://") :], maxsplit=1)[0]
    host = netloc.removesuffix(":443").lower()
    if len(host) > 253 or not _HOST.fullmatch(host) or host.rpartition(".")[2] in _INTERNAL_TLDS:
        return None
    return url
