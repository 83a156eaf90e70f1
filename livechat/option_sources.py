# SPDX-License-Identifier: MIT
"""Where values of options stand besides the command line: the environment, a configuration file.

A source finds what was given for an option, as text; the option itself reads the text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from livechat.choices import Option


class Given(Struct, frozen=True):
    """What was given for an option.

    :ivar texts: one for each entry of a list; exactly one for every other kind.
    :ivar name: what errors and warnings call it.
    :ivar where: where it stands, for people.
    """

    texts: Sequence[str]
    name: str
    where: str


class Source(Protocol):
    """A place where values may stand."""

    def find(self, option: Option) -> Given | None:
        """What was given for an option; None: nothing."""


class Environment:
    """The environment.  Lists are separated by spaces."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def find(self, option: Option) -> Given | None:
        """See `Source`."""
        text = self._environ.get(option.variable)
        if text is None:
            return None
        texts = text.split() if option.kind == "list" else [text]
        # Compose files like to set variables to nothing: not set, unless nothing is a choice.
        if not text and not _may_be_empty(option):
            return None
        if not texts:
            return None
        return Given(texts, option.variable, f"environment, {option.variable}")


class ConfigurationFile:
    """A TOML file whose keys are the names of options.

    Those of a platform may stand in a table of its name: `gql-url` in `[twitch]` is
    `twitch-gql-url`.

    :param options: every option there is.
    :param sections: the names of tables: the platforms.
    :raises ValueError: it cannot be read, or has a key that no option has.
    """

    def __init__(self, path: str, options: Sequence[Option], sections: Sequence[str]) -> None:
        self._path = path
        self._values: dict[str, Any] = {}
        try:
            read = tomllib.loads(Path(path).read_text())
        except OSError as error:
            raise ValueError(f"{path} cannot be read: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is not TOML: {error}") from None
        for key, value in read.items():
            if key in sections and isinstance(value, dict):
                self._values |= {f"{key}-{name}": inner for name, inner in value.items()}
            else:
                self._values[key] = value
        names = [option.name for option in options]
        for key in self._values:
            if key not in names:
                near = get_close_matches(key, names, 1, 0.75)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"{path}: {key} is no option{hint}")

    def find(self, option: Option) -> Given | None:
        """See `Source`.

        :raises ValueError: the value is of a type that no option has.
        """
        if option.name not in self._values:
            return None
        value = self._values[option.name]
        entries = value if isinstance(value, list) and option.kind == "list" else [value]
        if value == "" and not _may_be_empty(option):
            return None
        name = f"{option.name} in {self._path}"
        return Given([_text(entry, name) for entry in entries], name, self._path)


def _may_be_empty(option: Option) -> bool:
    if option.kind == "list":
        return False
    try:
        option.choice.parse("")
    except ValueError:
        return False
    return True


def _text(value: object, name: str) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{name} must be text, a number, true or false, or a list of such")
