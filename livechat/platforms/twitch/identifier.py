# SPDX-License-Identifier: MIT
"""Which Twitch channel a client means: a name, `@name` or any address of the channel."""

from __future__ import annotations

from typing import Final

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.platforms.twitch.parse.irc import LOGIN

#: Hosts under which a channel's page is found.
HOSTS: Final = frozenset({"twitch.tv", "www.twitch.tv", "m.twitch.tv", "go.twitch.tv"})

_SCHEMES: Final = ("https:", "http:", "")

#: First path segments after which the channel's name comes.
_WRAPPERS: Final = frozenset({"popout", "embed", "moderator"})

#: First path segments that are pages of the site and not channels.
_PAGES: Final = frozenset({
    "activate", "annual-recap", "bits", "broadcast", "clip", "clips", "collections", "dashboard",
    "directory", "downloads", "drops", "event", "events", "following", "friends", "inventory",
    "jobs", "legal", "login", "messages", "p", "payments", "prime", "privacy", "products",
    "redeem", "search", "settings", "signup", "store", "subs", "subscriptions", "team", "turbo",
    "u", "unsubscribe", "user", "video", "videos", "wallet",
})  # fmt: skip


def login_of(identifier: str) -> str:
    """The canonical login of the channel.

    One leading `@` is taken off and letters are lower-cased.  An address may lack its scheme; query
    and fragment are ignored.

    :raises ChatError: `INVALID_IDENTIFIER`.
    """
    # Before lower-casing: some letters outside ASCII have small forms inside it (KELVIN SIGN).
    if not identifier.isascii() or len(identifier) > 2048:
        raise _invalid()
    if "/" in identifier or "." in identifier:
        login = _login_in_url(identifier.lower())
    else:
        login = identifier.removeprefix("@").lower()
    if not LOGIN.fullmatch(login):
        raise _invalid()
    return login


def _login_in_url(url: str) -> str:
    scheme, separator, rest = url.partition("//")
    address = rest if separator and scheme in _SCHEMES else url
    host, *path = address.partition("#")[0].partition("?")[0].split("/")
    while path and path[0] in _WRAPPERS:
        del path[0]
    if host not in HOSTS or not path or path[0] in _PAGES:
        raise _invalid()
    return path[0]


def _invalid() -> ChatError:
    return error_catalogue.WRONG_IDENTIFIER.error(
        "1 to 25 letters, digits and underscores, or the address of a channel"
    )
