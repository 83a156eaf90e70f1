# SPDX-License-Identifier: MIT
"""How choices of an operator are declared: once, as annotated fields of a settings struct.

    class TwitchSettings(Struct, frozen=True):
        irc: Annotated[str, Choice(endpoint, "Client endpoint string of the chat.")] = "tls:..."

In the section `twitch` that is the option `--twitch-irc` with the variable `LIVECHAT_TWITCH_IRC`.
A field of type `bool` is a flag, a tuple is an option that may be repeated.  Name, default, help
and type stand nowhere else: the command line, the environment and the table of the documentation
are made from, or held to, these fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import fields


class Choice(Struct, frozen=True):
    """What is said about a field, beside its name, type and default.

    :ivar parse: from text to the value (of one entry of a list); raises ValueError with a sentence
        that follows the option's name: `must be a number from 1 to 60`.
    :ivar secret: the value is never shown.
    :ivar variable: its environment variable, where that is not built in the usual way.
    :ivar name: its name, where that is no name of a field.
    """

    parse: Callable[[str], Any]
    help: str
    secret: bool = False
    variable: str = ""
    name: str = ""


class Option(Struct, frozen=True):
    """One option, as read off its field.

    :ivar section: the platform that it belongs to; empty: the daemon itself.
    :ivar field: its name in the settings of its section.
    :ivar kind: `value`, `flag` (takes none) or `list` (may be repeated).
    """

    section: str
    field: str
    default: Any
    kind: str
    choice: Choice

    @property
    def name(self) -> str:
        """Its name on the command line, without dashes before it."""
        return self._joined.replace("_", "-")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return self.choice.variable or f"LIVECHAT_{self._joined.upper()}"

    @property
    def _joined(self) -> str:
        if self.choice.name:
            return self.choice.name.replace("-", "_")
        return f"{self.section}_{self.field}" if self.section else self.field


def options_of(settings: type[Struct], section: str = "") -> Iterator[Option]:
    """The options that a settings struct declares, in the order of its fields.

    :raises TypeError: a field has no `Choice` or no default.
    """
    hints = get_type_hints(settings, include_extras=True)
    for field in fields(settings):
        found = [said for said in get_args(hints[field.name])[1:] if isinstance(said, Choice)]
        if len(found) != 1 or field.required:
            raise TypeError(f"{settings.__name__}.{field.name} needs one Choice and a default")
        kind = get_args(hints[field.name])[0]
        yield Option(
            section,
            field.name,
            field.default,
            "flag" if kind is bool else "list" if get_origin(kind) is tuple else "value",
            found[0],
        )


# What values may be.


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def number(least: float, most: float) -> Callable[[str], float]:
    """A number within bounds."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return value

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """One of a few words."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {', '.join(words[:-1])} or {words[-1]}")
        return text

    return parse


def url(*schemes: str) -> Callable[[str], str]:
    """A URL with one of these schemes and a host."""

    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError(
                f"must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}"
            )
        return text

    return parse


def some_of(*words: str) -> Callable[[str], str]:
    """Any of a few words with commas between them, or nothing."""

    def parse(text: str) -> str:
        given = [word.strip() for word in text.split(",")] if text.strip() else []
        if not set(given) <= set(words):
            raise ValueError(f"must be of {', '.join(words)}, with commas between them, or empty")
        return ",".join(dict.fromkeys(given))

    return parse


def optional(parse: Callable[[str], str]) -> Callable[[str], str]:
    """The same, or nothing."""
    return lambda text: parse(text) if text else ""


def endpoint(text: str) -> str:
    """A Twisted endpoint string, client or server."""
    if not re.match(r"[a-zA-Z0-9]+:.", text):
        raise ValueError("must be an endpoint string such as tcp:3000:interface=127.0.0.1")
    return text


def host(text: str) -> str:
    """A host name."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", text):
        raise ValueError("must be a host name in lower case, without port")
    return text


def key(least: int) -> Callable[[str], str]:
    """A secret word with at least so many characters, or nothing."""

    def parse(text: str) -> str:
        if text and (not re.fullmatch(r"[!-~]{1,1024}", text) or len(text) < least):
            raise ValueError(f"must be {least} to 1024 printable characters without spaces")
        return text

    return parse


def flag(text: str) -> bool:
    """Yes or no, in the environment."""
    known = {"": False, "0": False, "false": False, "no": False, "off": False}
    known |= {"1": True, "true": True, "yes": True, "on": True}
    if text.lower() not in known:
        raise ValueError("must be 1 or 0")
    return known[text.lower()]


def origin(text: str) -> str:
    """An `Origin` header, or a pattern of some."""
    if not text or any(c.isspace() for c in text):
        raise ValueError("must be an origin such as https://example.org, a pattern, null or *")
    return text
