# SPDX-License-Identifier: MIT
"""From which pages a browser may use the server (the `Origin` header, RFC 6454)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

ANY: Final = "*"

#: One character of a host name; whoever is no browser may send any.
_IN_HOSTS: Final = r"[^/:?#@\\\s]"


class Origins:
    """The origins that an operator allows.

    :param allowed: `*` alone for every origin, `null` included; inside a pattern `*` is a part of
        a host name.
    """

    def __init__(self, allowed: Sequence[str] = (ANY,)) -> None:
        self._any = ANY in allowed
        self._patterns = [_pattern(origin) for origin in allowed]

    def allows(self, origin: str | None) -> bool:
        """Whether a page of this origin may use the server; what is no browser sends none."""
        if origin is None or self._any:
            return True
        origin = origin.strip().lower()
        return any(pattern.fullmatch(origin) for pattern in self._patterns)

    def cors(self, origin: bytes | None) -> dict[bytes, bytes]:
        """The CORS headers of an answer to a request of this origin."""
        if self._any:
            return {b"access-control-allow-origin": b"*"}
        # A cache must not give the answer for one origin to another.
        headers = {b"vary": b"Origin"}
        if origin is not None and self.allows(origin.decode("latin-1")):
            headers[b"access-control-allow-origin"] = origin
        return headers


def _pattern(origin: str) -> re.Pattern[str]:
    """The expression of one pattern.

    What stands between two `*` is looked for once, from the left: where it is found first, the rest
    has the most room.  Without that each `*` would multiply the time that a long header takes.
    """
    first, *rest = (re.escape(part) for part in origin.lower().split("*"))
    if not rest:
        return re.compile(first)
    between = "".join(f"(?>{_IN_HOSTS}*?{part})" for part in rest[:-1])
    return re.compile(f"{first}{between}{_IN_HOSTS}*{rest[-1]}")
