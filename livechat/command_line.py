# SPDX-License-Identifier: MIT
"""Reads the options from the command line and the environment, and says what is wrong with them.

The command line wins over the environment, the environment over the default.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from twisted.python import usage

from livechat.choices import Option, options_of
from livechat.options import Chosen, Settings
from livechat.platforms.description import PlatformDescription, installed


def Options(
    environ: Mapping[str, str] | None = None,
    platforms: Mapping[str, PlatformDescription] | None = None,
) -> DaemonOptions:
    """Options of `twistd livechat`, those of the installed platforms among them.

    :raises SystemExit: a platform that is installed cannot be used; one line on stderr.
    """
    if platforms is None:
        try:
            platforms = installed()
        except ValueError as error:
            exit_with_usage_error(str(error))
    declared = declared_options(platforms)
    # `usage.Options` reads its options off the class.
    attributes: dict[str, Any] = {
        "platforms": platforms,
        "declared": declared,
        "optParameters": [
            [option.name, None, None, f"{_help(option)}, default: {option.default}]"]
            for option in declared
            if option.kind == "value"
        ],
        "optFlags": [
            [option.name, None, f"{_help(option)}]"] for option in declared if option.kind == "flag"
        ],
    }
    attributes |= {
        f"opt_{option.name.replace('-', '_')}": _adder(option)
        for option in declared
        if option.kind == "list"
    }
    made: type[DaemonOptions] = type("Options", (DaemonOptions,), attributes)
    return made(os.environ if environ is None else environ)


def declared_options(platforms: Mapping[str, PlatformDescription]) -> Sequence[Option]:
    """Every option there is: those of the daemon, then those of each platform."""
    options = [*options_of(Settings)]
    for description in platforms.values():
        options += options_of(description.settings, description.name)
    return options


def _help(option: Option) -> str:
    return f"{option.choice.help} [{option.variable}"


class DaemonOptions(usage.Options):
    """Reads options; `chosen` holds the outcome.

    :ivar platforms: the platforms that are installed.
    :ivar declared: every option there is.
    """

    synopsis = "[options]"
    longdesc = (
        "Reads the public live chats of streaming platforms without their APIs and serves them"
        " over WebSocket. Every option has an environment variable: PORT, REDIS_URL and"
        " STATS_STORAGE, otherwise LIVECHAT_ and the option's name in capitals."
    )

    platforms: Mapping[str, PlatformDescription]
    declared: Sequence[Option]
    chosen: Chosen

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._environ = environ
        self._lists: dict[str, list[str]] = {}

    def opt_version(self) -> NoReturn:
        """Print the version of livechat and exit."""
        print(f"livechat {own_version()}")
        raise SystemExit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse; a wrong value is one line on stderr and exit code 1."""
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            exit_with_usage_error(str(error))

    def parseArgs(self, *words: str) -> None:
        """Words that are no options.

        :raises usage.UsageError: there is one; none has a meaning.
        """
        if words:
            raise usage.UsageError(f"{_shown(words[0])} is one word too many")

    def postOptions(self) -> None:
        """Bring command line, environment and defaults together.

        :raises usage.UsageError: a value is wrong.
        """
        values: dict[str, dict[str, Any]] = {"": {}, **{name: {} for name in self.platforms}}
        for option in self.declared:
            values[option.section][option.field] = self._value(option)
        daemon = Settings(**values.pop(""))
        platforms = {
            name: description.settings(**values[name])
            for name, description in self.platforms.items()
        }
        self.chosen = Chosen(daemon, platforms)
        problems = [
            daemon.problem(),
            *(one.problem(platforms[name]) for name, one in self.platforms.items()),
        ]
        for problem in problems:
            if problem:
                raise usage.UsageError(problem)

    def warnings(self) -> Iterator[str]:
        """What was chosen and has no effect, one line each."""
        for option in self.declared:
            given = self._given(option)
            reason = given and self._why_useless(option)
            if reason:
                yield f"{given} has no effect: {reason}"
        yield from _unknown(self.declared, self._environ)

    def _why_useless(self, option: Option) -> str:
        """Why an option that was chosen has no effect beside the others; empty if it has one."""
        if not option.section:
            return self.chosen.daemon.why_useless(option.field)
        description = self.platforms[option.section]
        if self.chosen.daemon.demo and option.field in description.replaced_by_demo:
            return "--demo watches the built-in simulator"
        return description.why_useless(self.chosen.of(option.section), option.field)

    def _given(self, option: Option) -> str:
        """How an option was chosen: its name, its variable, or empty if it was not."""
        if self._lists.get(option.name) if option.kind == "list" else self[option.name]:
            return f"--{option.name}"
        return option.variable if self._environ.get(option.variable) else ""

    def _value(self, option: Option) -> Any:
        name = f"--{option.name}"
        if option.kind == "list":
            texts = self._lists.get(option.name)
            if texts is None:
                name = option.variable
                texts = self._environ.get(option.variable, "").split()
            return tuple(self._parsed(option, name, text) for text in texts) or option.default
        given = self[option.name]
        if option.kind == "flag" and given:
            return True
        if given is None or option.kind == "flag":
            given = self._environ.get(option.variable)
            name = option.variable
        if given is None:
            return option.default
        if given == "" and name == option.variable:
            # Compose files like to set variables to nothing: not set, unless nothing is a choice.
            try:
                return option.choice.parse("")
            except ValueError:
                return option.default
        return self._parsed(option, name, given)

    def _parsed(self, option: Option, name: str, text: str) -> Any:
        try:
            return option.choice.parse(text)
        except ValueError as error:
            shown = "" if option.choice.secret else f", not {_shown(text)}"
            raise usage.UsageError(f"{name} {error}{shown}") from None


def _adder(option: Option) -> Callable[[DaemonOptions, str], None]:
    """The method by which `usage.Options` finds an option that may be repeated."""

    def add(self: DaemonOptions, value: str) -> None:
        self._lists.setdefault(option.name, []).append(value)

    add.__doc__ = f"{option.choice.help} May be repeated. [{option.variable}]"
    return add


def _unknown(declared: Sequence[Option], environ: Mapping[str, str]) -> Iterator[str]:
    """Variables that look like ours and are not."""
    known = {option.variable for option in declared}
    names = {option.name.upper().replace("-", "_"): option.variable for option in declared}
    # Kubernetes describes a service that is called livechat in variables like these.
    foreign = ("LIVECHAT_PORT", "LIVECHAT_SERVICE_") if "LIVECHAT_SERVICE_HOST" in environ else ()
    for name in sorted(environ):
        if name.startswith("LIVECHAT_") and name not in known and not name.startswith(foreign):
            near = get_close_matches(name.removeprefix("LIVECHAT_"), names, 1, 0.75)
            hint = f"; did you mean {names[near[0]]}?" if near else ""
            yield f"{_shown(name)} is no variable of livechat{hint}"


def _shown(text: str) -> str:
    """A word as an error may show it: an address may hold a password where none is expected."""
    _, at, end = text.rpartition("@")
    return repr((f"***@{end}" if at else text)[:100])


def own_version() -> str:
    """The version of the installed package."""
    try:
        return version("livechat")
    except PackageNotFoundError:
        return "unknown"


def exit_with_usage_error(message: str) -> NoReturn:
    """End the process because an option cannot be used: one line on stderr, exit code 1.

    :raises SystemExit: always.
    """
    line = " ".join(message.split())
    sys.stderr.write(f"livechat: {line}\n")
    raise SystemExit(1)
