# SPDX-License-Identifier: MIT
"""The commands `livechat watch` and `livechat record`: print chats, or write them into a file.

They read them as any client does: from a daemon that is started for the command, on a socket in a
directory that only its user can enter, or from one that is named.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import Any, Final

from msgspec.structs import replace
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from twisted.python import usage

from livechat.command_line import Options, exit_with_usage_error
from livechat.descriptors import raise_limit
from livechat.platforms.client_socket import SocketError
from livechat.platforms.description import PlatformDescription, installed
from livechat.service import build, use_monotonic_clock
from livechat.terminal.arguments import ChatOptions, RecordOptions, WatchOptions, source
from livechat.terminal.recording import Recording
from livechat.terminal.watching import Watching

#: The address of a daemon of our own, whose socket is known otherwise.
_OWN: Final = "ws://localhost/"


def main(arguments: Sequence[str]) -> int:
    """`livechat watch`; 0 if anything was watched, else 1 and a line on stderr."""
    options = WatchOptions()
    chats = _parse(options, arguments)
    reactor = _reactor()
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def show(text: str) -> None:
        try:
            print(text, flush=True)
        except BrokenPipeError:
            # Nobody reads any more, as after `| head`: what is left in the buffer goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise

    return _run(reactor, options, chats, show, colour=colour)


def record(arguments: Sequence[str]) -> int:
    """`livechat record`, likewise."""
    options = RecordOptions()
    chats = _parse(options, arguments)
    reactor = _reactor()
    names = [f"{platform}:{identifier}" for platform, identifier in chats]
    try:
        with closing(
            Recording(options["output"], reactor.seconds, time.time(), names)
        ) as recording:
            return _run(reactor, options, chats, recording.write, colour=False)
    except OSError as error:
        exit_with_usage_error(f"{options['output']} cannot be written: {error.strerror}")


def _parse(options: ChatOptions, arguments: Sequence[str]) -> Sequence[tuple[str, str]]:
    """The chats that are meant; what is wrong is one line on stderr and exit code 1."""
    try:
        options.parseOptions(list(arguments))
        hosts = {name: _hosts(platform) for name, platform in installed().items()}
        return [source(word, hosts) for word in options.words]
    except (usage.UsageError, ValueError) as error:
        exit_with_usage_error(str(error))


def _reactor() -> Any:
    """The reactor, with nothing but errors in the log, on stderr."""
    # Importing it installs it.
    from twisted.internet import reactor  # noqa: PLC0415

    use_monotonic_clock(reactor)
    errors = FilteringLogObserver(
        textFileLogObserver(sys.stderr), [LogLevelFilterPredicate(LogLevel.error)]
    )
    globalLogBeginner.beginLoggingTo([errors], redirectStandardIO=False)
    return reactor


def _run(
    reactor: Any,
    options: ChatOptions,
    chats: Sequence[tuple[str, str]],
    out: Callable[[str], None],
    *,
    colour: bool,
) -> int:
    """Watch until it is over.

    :param out: where chats go; an `OSError` ends it.
    :raises OSError: that one, unless it only says that nobody reads any more.
    """
    code = 0
    broken: list[OSError] = []

    def show(text: str, is_note: bool) -> None:
        if is_note:
            print(text, file=sys.stderr, flush=True)
            return
        try:
            out(text)
        except OSError as error:
            broken.append(error)
            watching.stop()

    def ended(result: Any) -> None:
        nonlocal code
        code = result if isinstance(result, int) else 1
        if not isinstance(result, int):
            if not result.check(SocketError):
                result.printTraceback(sys.stderr)
            else:
                show(f"livechat: no answer of the daemon: {result.getErrorMessage()}", True)
        # A signal may have done so already.
        with suppress(ReactorNotRunning):
            reactor.stop()

    watching = Watching(reactor, options, chats, show, colour=colour)
    # Before the daemon closes the connection.
    reactor.addSystemEventTrigger("before", "shutdown", watching.stop)
    with tempfile.TemporaryDirectory(prefix="livechat-") as directory:
        if options["server"]:
            running = watching.run(_connector(reactor), options["server"])
        else:
            path = os.path.join(directory, "socket")
            daemon = _daemon(reactor, path)
            reactor.callWhenRunning(daemon.startService)
            reactor.addSystemEventTrigger("before", "shutdown", daemon.stopService)
            endpoint = clientFromString(reactor, f"unix:{path}")
            running = watching.run(lambda host, port, tls: endpoint, _OWN)
        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(running).addBoth(ended))
        reactor.run()
    if broken and not isinstance(broken[0], BrokenPipeError):
        raise broken[0]
    return code


def _hosts(platform: PlatformDescription) -> frozenset[str]:
    found: frozenset[str] = getattr(platform.make, "hosts", frozenset())
    return found


def _daemon(reactor: Any, path: str) -> Service:
    """A daemon for this command alone: configured as any, but for who may use it."""
    options = Options()
    options.parseOptions([])
    own = replace(
        options.chosen.daemon,
        listen=(f"unix:{path}:mode=600",),
        admin_listen=(),
        tokens="",
        broker="local",
        stats_storage="memory",
        workers=1,
        max_chats=10_000,
        max_clients_per_address=0,
        max_starts_per_address=0,
        command_rate=10_000.0,
    )
    chosen = replace(options.chosen, daemon=own)
    return build(reactor, options.platforms, chosen, raise_limit(reactor))


def _connector(reactor: Any) -> Callable[[str, int, bool], IStreamClientEndpoint]:
    def connect(host: str, port: int, tls: bool) -> IStreamClientEndpoint:
        endpoint = HostnameEndpoint(reactor, host, port)
        return wrapClientTLS(optionsForClientTLS(host), endpoint) if tls else endpoint

    return connect
