# SPDX-License-Identifier: MIT
"""The command `livechat health`: asks a running daemon for `/health`.

It takes the daemon's options and environment and so finds the daemon wherever those make it listen.
Without options, in a container, it takes those of the process that the container was started with.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from msgspec import Struct

from livechat.command_line import Options, exit_with_usage_error

#: Seconds for the answer.
TIMEOUT: Final = 4.0

#: The arguments of a container's first process.
FIRST_PROCESS: Final = Path("/proc/1/cmdline")

_ANY: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}


class Target(Struct, frozen=True):
    """Where to ask.

    :ivar path: of a UNIX socket; empty: host and port.
    """

    host: str = ""
    port: int = 0
    path: str = ""
    tls: bool = False


def main(arguments: Sequence[str], first_process: Path = FIRST_PROCESS) -> int:
    """Ask; 0 if the daemon is healthy, else 1 and a line on stderr."""
    if not arguments:
        with suppress(OSError):
            arguments = daemon_arguments(first_process.read_bytes())
    options = Options()
    options.parseOptions(arguments)
    listen = options.chosen.daemon.listen or (f"tcp:{options.chosen.daemon.port}",)
    for description in listen:
        where = target(description)
        if where is not None:
            return _ask(where, description)
    exit_with_usage_error(f"no address for a request in {' '.join(listen)}")


def daemon_arguments(line: bytes) -> list[str]:
    """The options of a daemon from its process's arguments, as the system keeps them.

    :return: what follows the word `livechat`; empty if that is another program.
    """
    words = [word.decode("utf-8", "surrogateescape") for word in line.split(b"\0")[:-1]]
    for at, word in enumerate(words):
        if word.rpartition("/")[2] == "livechat":
            return words[at + 1 :]
    return []


def target(description: str) -> Target | None:
    """Where a server that listens on an endpoint string can be asked; None: unknown."""
    kind, *given = (
        re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", description, maxsplit=20)
    )
    named = dict(part.split("=", 1) for part in given if "=" in part)
    first = given[0] if given and "=" not in given[0] else ""
    if kind == "unix":
        path = named.get("address", first)
        return Target(path=path) if path else None
    number = named.get("port", first)
    if kind not in ("tcp", "tcp6", "ssl") or not number.isdecimal() or not int(number):
        return None
    interface = named.get("interface", "::" if kind == "tcp6" else "")
    return Target(_ANY.get(interface, interface), int(number), tls=kind == "ssl")


def _ask(where: Target, description: str) -> int:
    connection = HTTPConnection("localhost", timeout=TIMEOUT)
    try:
        with closing(_connect(where)) as connection.sock:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        exit_with_usage_error(f"no answer on {description}: {str(error) or type(error).__name__}")
    if answer.status != 200:
        exit_with_usage_error(f"{description} answers {answer.status}")
    sys.stdout.write(f"{text}\n")
    return 0


def _connect(where: Target) -> socket.socket:
    if where.path:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(TIMEOUT)
        made.connect(where.path)
        return made
    made = socket.create_connection((where.host, where.port), TIMEOUT)
    if not where.tls:
        return made
    # It is this machine, under a name for which the certificate was not made.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(made)
