# SPDX-License-Identifier: MIT
"""Which TikTok account a client means: a handle, `@handle` or any address of the account."""

from __future__ import annotations

import re
from typing import Final

from livechat.model import error_catalogue
from livechat.model.errors import ChatError

#: Hosts under which an account's page is found.
HOSTS: Final = frozenset({"tiktok.com", "www.tiktok.com", "m.tiktok.com"})

#: Hosts of short links (see `links`).
SHORT_HOSTS: Final = frozenset({"vt.tiktok.com", "vm.tiktok.com"})

#: What a handle may look like, in lower case: letters, digits, underscores and dots, no dot at
#: the end (docs/wire/tiktok.md#handles).
HANDLE: Final = re.compile(r"[a-z0-9_.]{0,23}[a-z0-9_]")

_SCHEMES: Final = ("https:", "http:", "")


def handle_of(identifier: str) -> str:
    """The canonical handle of the account: lower case, without `@`.

    Spaces around it and one leading `@` are taken off.  An address may lack its scheme; what comes
    after the handle, query and fragment are ignored.

    :raises ChatError: `INVALID_IDENTIFIER`.
    """
    # Before lower-casing: some letters outside ASCII have small forms inside it (KELVIN SIGN).
    if not identifier.isascii() or len(identifier) > 2048:
        raise _invalid()
    name = identifier.strip(" ").lower()
    handle = _handle_in_url(name) if "/" in name else name.removeprefix("@")
    if not HANDLE.fullmatch(handle) or handle in HOSTS | SHORT_HOSTS:
        raise _invalid()
    return handle


def address_of(url: str) -> list[str]:
    """Host and parts of the path of an address, which may lack its scheme."""
    scheme, separator, rest = url.partition("//")
    address = rest if separator and scheme.lower() in _SCHEMES else url
    return address.partition("#")[0].partition("?")[0].split("/")


def _handle_in_url(url: str) -> str:
    host, *path = address_of(url)
    if host not in HOSTS or not path or not path[0].startswith("@"):
        raise _invalid()
    return path[0][1:]


def _invalid() -> ChatError:
    return error_catalogue.WRONG_IDENTIFIER.error(
        "1 to 24 letters, digits, underscores and dots, or the address of an account"
    )
