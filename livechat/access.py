# SPDX-License-Identifier: MIT
"""Tokens: who may read which chats, the metrics, and what only operators see.

A token is a secret word.  A file names the tokens that are good and what each allows:

    Secret1234567890                     # every chat
    Another1234567890 read:twitch        # every chat of one platform
    Third1234567890 read:youtube/ann     # one chat
    Scraper1234567890 metrics
    Operator1234567890 read metrics admin
    Partner1234567890 read clients=100 starts=30     # at most so many

Pure but for reading the file.  A token is never part of an error or a log line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Final

from msgspec import Struct

_TOKEN: Final = re.compile(r"[!-~]{8,1024}")
_LIMIT: Final = re.compile(r"(clients|starts)=([1-9][0-9]{0,6})")
_SCOPE: Final = re.compile(r"read|read:[a-z0-9_-]{1,64}(?:/\S{1,256})?|metrics|admin")


class AccessError(Exception):
    """Something is not allowed.

    :ivar status: 401, no good token was given; 403, the one that was given does not allow it.
    :ivar reason: for people; holds nothing that was sent.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Grant(Struct, frozen=True):
    """What somebody may do.

    :ivar scopes: as in the file of tokens.
    :ivar clients: connections open at once with the same token; 0: no limit.
    :ivar starts: new chats that are asked for with it within a minute; 0: no limit.
    :ivar holder: the same for all who gave the same token, which it does not give away.
    """

    scopes: frozenset[str]
    clients: int = 0
    starts: int = 0
    holder: bytes = b""

    def reads(self, platform: str, identifier: str) -> bool:
        """Whether a chat may be read.

        :param identifier: in canonical form.
        """
        name = identifier.removeprefix("@").casefold()
        wanted = {"read", f"read:{platform}", f"read:{platform}/{name}"}
        return not wanted.isdisjoint(self.scopes)

    @property
    def reads_anything(self) -> bool:
        """Whether there is any chat that may be read."""
        return any(scope.partition(":")[0] == "read" for scope in self.scopes)

    def check(self, scope: str) -> None:
        """Demand a scope; `admin` includes `metrics`.

        :raises AccessError: it is not granted.
        """
        if scope not in self.scopes and not (scope == "metrics" and "admin" in self.scopes):
            raise AccessError(403, f"this token does not have the scope {scope}")


#: Where no tokens are asked for: everything that needs no operator.
EVERYTHING: Final = Grant(frozenset({"read", "metrics"}))


class Access:
    """Knows the tokens.

    :param path: of their file; empty: none is asked for.
    :raises ValueError: the file cannot be used; the text says why.
    """

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._grants: Mapping[bytes, Grant] = {}
        self.reload()

    @property
    def is_open(self) -> bool:
        """Whether no token is asked for."""
        return not self._path

    def reload(self) -> None:
        """Read the file again; if it cannot be used the tokens stay as they are.

        :raises ValueError: it cannot be used.
        """
        if not self._path:
            return
        try:
            lines = Path(self._path).read_text().splitlines()
        except OSError as error:
            raise ValueError(f"{self._path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError(f"{self._path} is not text") from None
        self._grants = dict(_grants(lines, self._path))

    def grant(self, headers: Mapping[str, str], token: str = "") -> Grant:
        """What somebody may do who sent a request.

        :param headers: names in lower case; `authorization` may hold `Bearer TOKEN`.
        :param token: of the query; the header wins.
        :raises AccessError: 401, no good token was given.
        """
        if not self._path:
            return EVERYTHING
        kind, _, sent = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            token = sent.strip()
        if not token:
            raise AccessError(401, "a token is needed")
        digest = _digest(token)
        found: Grant | None = None
        # All are compared, each in constant time: how long it takes says nothing.
        for known, granted in self._grants.items():
            if compare_digest(known, digest):
                found = granted
        if found is None:
            raise AccessError(401, "this token is not known")
        return found


def _grants(lines: Iterable[str], path: str) -> Iterable[tuple[bytes, Grant]]:
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        token, *rest = words
        if not _TOKEN.fullmatch(token):
            raise ValueError(f"{path}, line {number}: a token has 8 to 1024 printable characters")
        scopes: list[str] = []
        limits: dict[str, int] = {}
        for word in rest:
            limit = _LIMIT.fullmatch(word)
            if limit is not None and limit[1] not in limits:
                limits[limit[1]] = int(limit[2])
            elif "=" in word:
                raise ValueError(
                    f"{path}, line {number}: a limit is clients=NUMBER or starts=NUMBER, once each,"
                    " from 1 to 9999999"
                )
            elif _SCOPE.fullmatch(word):
                scopes.append(word)
            else:
                raise ValueError(
                    f"{path}, line {number}: a scope is read, read:PLATFORM,"
                    " read:PLATFORM/CHANNEL, metrics or admin"
                )
        digest = _digest(token)
        granted = frozenset(map(_canonical, scopes or ["read"]))
        yield digest, Grant(granted, holder=digest, **limits)


def _canonical(scope: str) -> str:
    platform, slash, channel = scope.partition("/")
    return f"{platform}{slash}{channel.removeprefix('@').casefold()}"


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "backslashreplace")).digest()
