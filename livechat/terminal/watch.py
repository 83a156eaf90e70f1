# SPDX-License-Identifier: MIT
"""The command `livechat watch`: prints chats of any number of channels.

It reads them as any client does: from a daemon that it starts for itself, on a socket in a
directory that only its user can enter, or from one that is named.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, clientFromString, wrapClientTLS
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
from livechat.terminal.arguments import WatchOptions, source
from livechat.terminal.watching import Watching

#: The address of a daemon of our own, whose socket is known otherwise.
_OWN: Final = "ws://localhost/"


def main(arguments: Sequence[str]) -> int:
    """Run the command; 0 if anything was watched, else 1 and a line on stderr."""
    options = WatchOptions()
    try:
        options.parseOptions(list(arguments))
        platforms = installed()
        hosts = {name: _hosts(platform) for name, platform in platforms.items()}
        chats = [source(word, hosts) for word in options.words]
    except (usage.UsageError, ValueError) as error:
        exit_with_usage_error(str(error))
    # Importing it installs it.
    from twisted.internet import reactor  # noqa: PLC0415

    use_monotonic_clock(reactor)
    errors = FilteringLogObserver(
        textFileLogObserver(sys.stderr), [LogLevelFilterPredicate(LogLevel.error)]
    )
    globalLogBeginner.beginLoggingTo([errors], redirectStandardIO=False)
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    with tempfile.TemporaryDirectory(prefix="livechat-") as directory:
        return _run(reactor, options, chats, directory, colour=colour)


def _run(
    reactor: Any,
    options: WatchOptions,
    chats: Sequence[tuple[str, str]],
    directory: str,
    *,
    colour: bool,
) -> int:
    code = 0

    def show(text: str, is_note: bool) -> None:
        try:
            print(text, file=sys.stderr if is_note else sys.stdout, flush=True)
        except BrokenPipeError:
            # Nobody reads any more, as after `| head`: what is left in the buffer goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            watching.stop()

    watching = Watching(reactor, options, chats, show, colour=colour)
    if options["server"]:
        running = watching.run(_connector(reactor), options["server"])
    else:
        path = os.path.join(directory, "socket")
        daemon = _daemon(reactor, path)
        reactor.callWhenRunning(daemon.startService)
        reactor.addSystemEventTrigger("before", "shutdown", daemon.stopService)
        endpoint = clientFromString(reactor, f"unix:{path}")
        running = watching.run(lambda host, port, tls: endpoint, _OWN)

    def ended(result: Any) -> None:
        nonlocal code
        code = result if isinstance(result, int) else 1
        if not isinstance(result, int):
            if not result.check(SocketError):
                result.printTraceback(sys.stderr)
            else:
                show(f"livechat: no answer of the daemon: {result.getErrorMessage()}", True)
        if reactor.running:
            reactor.stop()

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(running).addBoth(ended))
    reactor.run()
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
