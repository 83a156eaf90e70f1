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
from typing import Any, ClassVar, Final, NoReturn

from twisted.python import usage

from livechat.options import OPTIONS, Option, Settings


class Options(usage.Options):
    """Options of `twistd livechat`; `settings` holds the outcome."""

    synopsis = "[options]"
    longdesc = (
        "Reads the public live chats of streaming platforms without their APIs and serves them"
        " over WebSocket. Every option has an environment variable: PORT, REDIS_URL and"
        " STATS_STORAGE, otherwise LIVECHAT_ and the option's name in capitals."
    )
    optParameters: ClassVar = [
        [option.name, None, None, f"{option.help} [{option.variable}, default: {option.default}]"]
        for option in OPTIONS
        if option.kind == "value"
    ]
    optFlags: ClassVar = [
        [option.name, None, f"{option.help} [{option.variable}]"]
        for option in OPTIONS
        if option.kind == "flag"
    ]

    settings: Settings

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._environ = os.environ if environ is None else environ
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
            wrong(str(error))

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
        values = {option.field: self._value(option) for option in OPTIONS}
        self.settings = Settings(**values)
        if self.settings.stats_storage == "redis" and not self.settings.redis_url:
            raise usage.UsageError("--stats-storage=redis needs --redis-url (REDIS_URL)")

    def warnings(self) -> Iterator[str]:
        """What was chosen and has no effect, one line each."""
        for option in OPTIONS:
            given = self._given(option)
            reason = given and _why_useless(option, self.settings)
            if reason:
                yield f"{given} has no effect: {reason}"
        yield from _unknown(self._environ)

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
                return option.parse("")
            except ValueError:
                return option.default
        return self._parsed(option, name, given)

    def _parsed(self, option: Option, name: str, text: str) -> Any:
        try:
            return option.parse(text)
        except ValueError as error:
            shown = "" if option.secret else f", not {_shown(text)}"
            raise usage.UsageError(f"{name} {error}{shown}") from None


def _adder(option: Option) -> Callable[[Options, str], None]:
    """The method by which `usage.Options` finds an option that may be repeated."""

    def add(self: Options, value: str) -> None:
        self._lists.setdefault(option.name, []).append(value)

    add.__doc__ = f"{option.help} May be repeated. [{option.variable}]"
    return add


for _option in OPTIONS:
    if _option.kind == "list":
        setattr(Options, f"opt_{_option.field}", _adder(_option))


#: Options that the demonstration replaces by its own platforms and pace.
_REPLACED_BY_DEMO: Final = (
    "twitch-irc",
    "twitch-gql-url",
    "twitch-require-live",
    "twitch-live-poll",
    "twitch-offline-grace",
    "youtube-url",
    "tiktok-url",
    "tiktok-webcast-url",
    "tiktok-socket-url",
    "tiktok-transport",
    "tiktok-signer-url",
    "tiktok-signer-key",
    "tiktok-signer-budget",
    "tiktok-socket-hosts",
)


def _why_useless(option: Option, settings: Settings) -> str:
    """Why an option that was chosen has no effect beside the others; empty if it has one."""
    if option.name == "port" and settings.listen:
        return "--listen says where to listen"
    if option.name in _REPLACED_BY_DEMO and settings.demo:
        return "--demo watches the built-in simulator"
    if option.name in ("demo-rate", "demo-seed") and not settings.demo:
        return "--demo is not given"
    if option.name == "redis-url" and settings.stats_storage != "redis":
        return "--stats-storage is memory"
    if option.name == "tiktok-intake-token" and not settings.tiktok_intake:
        return "--tiktok-intake is not given"
    signer = ("tiktok-signer-key", "tiktok-signer-budget", "tiktok-socket-hosts")
    if option.name in signer and not settings.tiktok_signer_url:
        return "--tiktok-signer-url is not given"
    return ""


def _unknown(environ: Mapping[str, str]) -> Iterator[str]:
    """Variables that look like ours and are not."""
    known = {option.variable for option in OPTIONS}
    names = {option.field.upper(): option.variable for option in OPTIONS}
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


def wrong(sentence: str) -> NoReturn:
    """End the process because of a wrong choice: one line, exit code 1.

    :raises SystemExit: always.
    """
    line = " ".join(sentence.split())
    sys.stderr.write(f"livechat: {line}\n")
    raise SystemExit(1)
