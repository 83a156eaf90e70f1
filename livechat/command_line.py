# SPDX-License-Identifier: MIT
"""Reads the options, and says what is wrong with them.

The command line wins over the environment, that over the configuration file, that over the default.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, NoReturn

from twisted.python import usage

from livechat.choices import Option, options_of
from livechat.option_sources import ConfigurationFile, Environment, Given, Source
from livechat.options import Chosen, Settings, Unset
from livechat.platforms.description import PlatformDescription, installed

#: Names a configuration file, as `--config` does.
CONFIG_VARIABLE: Final = "LIVECHAT_CONFIG"


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
        ]
        + [["config", None, None, f"TOML file with options, by their names. [{CONFIG_VARIABLE}]"]],
        "optFlags": [
            [option.name, None, f"{_help(option)}]"] for option in declared if option.kind == "flag"
        ]
        + [["check-config", None, "Print the options as they are, start nothing, and exit."]],
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
    :ivar words: what was parsed.
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
    words: Sequence[str]

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__()
        self._environ = environ
        self._lists: dict[str, list[str]] = {}
        self._sources: list[Source] = [self, Environment(environ)]

    def opt_version(self) -> NoReturn:
        """Print the version of livechat and exit."""
        print(f"livechat {own_version()}")
        raise SystemExit(0)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse; a wrong value is one line on stderr and exit code 1."""
        self.words = tuple(options or ())
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
        config = self["config"] or self._environ.get(CONFIG_VARIABLE)
        if config:
            self._sources.append(self._read(config))
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
        if self["check-config"]:
            for line in self.warnings():
                sys.stderr.write(f"livechat: warning: {line}\n")
            sys.stdout.write(self._effective())
            raise SystemExit(0)

    def _read(self, path: str) -> ConfigurationFile:
        try:
            return ConfigurationFile(path, self.declared, list(self.platforms))
        except ValueError as error:
            raise usage.UsageError(f"--config {error}") from None

    def _effective(self) -> str:
        """Every option with its value and where that stands, as a configuration file."""
        lines = []
        for option in self.declared:
            given = self._given(option)
            value = getattr(self.chosen.of(option.section), option.field)
            shown = '"***"' if option.choice.secret and value else _toml(value)
            # A default that counts otherwise than the same value that was given.
            mark = "#" if isinstance(value, Unset) else ""
            lines.append((f"{mark}{option.name} = {shown}", given.where if given else "default"))
        width = min(60, max(len(line) for line, _ in lines))
        return "".join(f"{line:{width}}  # {where}\n" for line, where in lines)

    def secrets(self) -> Iterator[str]:
        """The secret words that were chosen, and the passwords in addresses."""
        for option in self.declared:
            value = getattr(self.chosen.of(option.section), option.field)
            if option.choice.secret and isinstance(value, str):
                # Where an address leads to is no secret.
                if "://" not in value:
                    yield value
                yield from re.findall(r"(?<=[:/])([^:/@\s]+)@", value)

    def warnings(self) -> Iterator[str]:
        """What was chosen and has no effect, one line each."""
        for option in self.declared:
            given = self._given(option)
            reason = given and any(given.texts) and self._why_useless(option)
            if given and reason:
                yield f"{given.name} has no effect: {reason}"
        yield from _unknown(self.declared, self._environ)

    def _why_useless(self, option: Option) -> str:
        """Why an option that was chosen has no effect beside the others; empty if it has one."""
        if not option.section:
            return self.chosen.daemon.why_useless(option.field)
        description = self.platforms[option.section]
        if self.chosen.daemon.demo and option.field in description.replaced_by_demo:
            return "--demo watches the built-in simulator"
        return description.why_useless(self.chosen.of(option.section), option.field)

    def find(self, option: Option) -> Given | None:
        """See `Source`: what stands on the command line."""
        given: str | None = None
        if option.kind == "flag":
            given = "1" if self[option.name] else None
        elif option.kind == "value":
            given = self[option.name]
        texts = self._lists.get(option.name) if option.kind == "list" else given and [given]
        if given == "":
            texts = [""]
        return Given(texts, f"--{option.name}", "command line") if texts else None

    def _given(self, option: Option) -> Given | None:
        """What was given for an option, by the first source that says anything."""
        try:
            return next(filter(None, (source.find(option) for source in self._sources)), None)
        except ValueError as error:
            raise usage.UsageError(str(error)) from None

    def _value(self, option: Option) -> Any:
        given = self._given(option)
        if given is None:
            return option.default
        values = tuple(self._parsed(option, given.name, text) for text in given.texts)
        return (values or option.default) if option.kind == "list" else values[0]

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
    known = {option.variable for option in declared} | {CONFIG_VARIABLE}
    names = {option.name.upper().replace("-", "_"): option.variable for option in declared}
    # Kubernetes describes a service that is called livechat in variables like these.
    foreign = ("LIVECHAT_PORT", "LIVECHAT_SERVICE_") if "LIVECHAT_SERVICE_HOST" in environ else ()
    for name in sorted(environ):
        if name.startswith("LIVECHAT_") and name not in known and not name.startswith(foreign):
            near = get_close_matches(name.removeprefix("LIVECHAT_"), names, 1, 0.75)
            hint = f"; did you mean {names[near[0]]}?" if near else ""
            yield f"{_shown(name)} is no variable of livechat{hint}"


def _toml(value: object) -> str:
    """A value of an option as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(int(value))
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # A password may stand in an address.  What TOML escapes in a string JSON escapes alike.
    shown = re.sub(r"(?<=://)[^/@\s]*@", "***@", str(value))
    return json.dumps(shown, ensure_ascii=False)


def _shown(text: str) -> str:
    """A word as an error may show it: an address may hold a password where none is expected."""
    _, at, end = text.rpartition("@")
    return repr((f"***@{end}" if at else text)[:100])


def own_version() -> str:
    """The version of the installed package."""
    try:
        return version("microservice-livechat")
    except PackageNotFoundError:
        return "unknown"


def exit_with_usage_error(message: str) -> NoReturn:
    """End the process because an option cannot be used: one line on stderr, exit code 1.

    :raises SystemExit: always.
    """
    line = " ".join(message.split())
    sys.stderr.write(f"livechat: {line}\n")
    raise SystemExit(1)
