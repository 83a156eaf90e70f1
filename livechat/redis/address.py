# SPDX-License-Identifier: MIT
"""The URL of a Redis server; pure.

    redis://[user:password@]host[:port][/database]      rediss://…  the same over TLS
    unix://[user:password@]/path/to/socket[?db=database]

The number of the database may also be given as `?db=` in the first two forms.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

SCHEMES: Final = ("redis", "rediss", "unix")

_FORMS: Final = f"must be a URL that begins with {' or '.join(f'{s}://' for s in SCHEMES)}"
_PASSWORD: Final = (
    "must be a URL in which #, ? and / in a user name or password are percent-encoded,"
    " as %23, %3F and %2F"
)
_NUMBER: Final = "must be a URL that names the database by its number, as in redis://host:6379/3"


class RedisAddress(Struct, frozen=True):
    """Where Redis is, and how to log in.

    :ivar tls: whether the URL was `rediss://`.
    :ivar path: of a Unix socket; host and port mean nothing then.
    """

    host: str
    port: int
    db: int
    username: str
    password: str
    tls: bool
    path: str = ""

    @classmethod
    def parse(cls, url: str) -> RedisAddress:
        """Take a URL apart.

        :raises ValueError: what the URL must be; nothing of the URL is repeated, it may be secret.
        """
        try:
            parts = urlsplit(url)
        except ValueError:
            raise ValueError(_FORMS) from None
        local = parts.scheme == "unix"
        if parts.scheme not in SCHEMES:
            raise ValueError(_FORMS)
        # A raw `/`, `?` or `#` ends the part of a URL that names user, password and host.
        if parts.fragment or "@" in parts.query or ("@" in parts.path and not local):
            raise ValueError(_PASSWORD)
        try:
            port = parts.port
        except ValueError:
            raise ValueError("must be a URL whose port is a number from 1 to 65535") from None
        if local and (parts.hostname or not re.match("/[^/]", parts.path)):
            raise ValueError("must be a URL with the path of a socket, as in unix:///run/redis")
        if not local and (not parts.hostname or port == 0):
            raise ValueError("must be a URL with a host and, if any, a port from 1 to 65535")
        numbers = [] if local else [parts.path.strip("/")]
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            if name != "db":
                raise ValueError("must be a URL without other parameters than the database: ?db=3")
            numbers.append(value)
        if not all(re.fullmatch(r"[0-9]{0,5}", number) for number in numbers):
            raise ValueError(_NUMBER)
        databases = {int(number) for number in numbers if number}
        if len(databases) > 1:
            raise ValueError("must be a URL with one database, not two")
        return cls(
            "" if local else parts.hostname or "",
            0 if local else port or 6379,
            databases.pop() if databases else 0,
            unquote(parts.username or ""),
            unquote(parts.password or ""),
            parts.scheme == "rediss",
            unquote(parts.path) if local else "",
        )

    def __str__(self) -> str:
        """The address as a log may show it."""
        if self.path:
            return f"unix://{self.path}?db={self.db}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"redis{'s' if self.tls else ''}://{host}:{self.port}/{self.db}"
