# SPDX-License-Identifier: MIT
"""The ports of the daemon: where they are described, how they are opened, TLS certificates.

They are opened while the service is being made: at that moment stderr is the user's own and
`twistd` has neither gone to the background nor written a pid file.  So a port that cannot be had
ends the start in the same way however the daemon is started.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

from OpenSSL import SSL, crypto
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IOpenSSLContextFactory,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from livechat.transports.direct import QUEUE, prepare_port

_log = Logger()

#: Both families of a free port are asked for so many times, should another program be quicker.
TRIES: Final = 10

#: What systemd calls a passed socket that is for operators (`FileDescriptorName=`).
ADMIN: Final = "admin"

#: The system, or this machine's configuration, lacks an address family.
_LACKING: Final = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


class ListenError(Exception):
    """A port cannot be opened; the text says where and why."""


@implementer(IOpenSSLContextFactory)
class Certificates:
    """The certificate and key of a TLS port, which can be read again.

    :param read: reads the files; raises if they cannot be used.
    """

    def __init__(self, read: Callable[[], IOpenSSLContextFactory]) -> None:
        self._read = read
        self._current = read()

    def getContext(self) -> SSL.Context:
        """For each new connection: the context of the files that were read last."""
        return self._current.getContext()

    def reload(self) -> None:
        """Read the files again; if that fails the old ones stay in use."""
        self._current = self._read()


class Listening:
    """Opens ports, keeps them, and reads their certificates again.

    :ivar ports: what is open.
    :ivar passed: those for clients that the service manager has opened and keeps open.
    :ivar foreign: all that another process has opened and keeps open.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._certificates: dict[str, Certificates] = {}
        self._lines: list[str] = []
        # Passed sockets that an endpoint string names.
        self._named: set[int] = set()
        self.passed: list[Any] = []
        self.foreign: list[Any] = []
        self.ports: list[IListeningPort] = []

    def open(self, description: str, factory: IProtocolFactory, name: str = "") -> None:
        """Open the port of an endpoint string.

        :param name: what the log calls it; without one it is where clients come.
        :raises ListenError: it cannot be opened.
        """
        outcome: list[IListeningPort | Failure] = []
        try:
            listening: Deferred[IListeningPort] = self._endpoint(description).listen(factory)
            listening.addBoth(outcome.append)
        # What is wrong with a certificate is a class of its own in every library.
        except Exception as error:
            reason = sentence(error)
            if description.startswith("systemd:") and isinstance(error, LookupError):
                reason = "systemd has passed no such socket"
            raise ListenError(f"cannot listen on {description}: {reason}") from None
        # Twisted's server endpoints answer at once.
        opened = outcome[0] if outcome else Failure(ListenError("does not open at once"))
        if isinstance(opened, Failure):
            reason = sentence(opened.value)
            raise ListenError(f"cannot listen on {description}: {reason}")
        self.opened(opened, name, "https" if description.startswith("ssl:") else "http")

    def open_everywhere(
        self,
        number: int,
        factory: IProtocolFactory,
        create: Callable[..., socket.socket] = socket.create_server,
    ) -> None:
        """Open a TCP port on all interfaces, for IPv4 and IPv6, as far as the machine has them.

        :param number: 0 takes any free one, the same for both.
        :raises ListenError: it cannot be opened.
        """
        for listening in everywhere(number, create):
            listening.setblocking(False)
            with listening:
                adopt = self._reactor.adoptStreamPort
                self.opened(adopt(listening.fileno(), listening.family, factory))

    @property
    def has_admin(self) -> bool:
        """Whether systemd has opened a socket for operators."""
        return any(name == ADMIN for _, name in self._passed())

    def open_passed(self, factory: IProtocolFactory) -> bool:
        """Serve clients on the listening sockets that systemd has opened for them, if it has.

        Those that an endpoint string names, and was opened before, are left out.

        :return: whether it has passed any.
        :raises ListenError: one is no listening stream socket.
        """
        for descriptor, name in self._passed():
            if name != ADMIN and descriptor not in self._named:
                self.opened(self._adopt_passed(descriptor, factory))
                self.passed.append(self.ports[-1])
        return bool(self.passed)

    def open_admin(self, factory: IProtocolFactory, what: str) -> None:
        """Serve operators on the sockets that systemd has opened for them, if it has.

        :param what: what the log calls them.
        :raises ListenError: one is no listening stream socket.
        """
        for descriptor, name in self._passed():
            if name == ADMIN and descriptor not in self._named:
                self.opened(self._adopt_passed(descriptor, factory), what)

    def _adopt_passed(self, descriptor: int, factory: IProtocolFactory) -> IListeningPort:
        try:
            with socket.socket(fileno=os.dup(descriptor)) as passed:
                listens = passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if passed.type != socket.SOCK_STREAM or not listens:
                    raise ListenError(f"the passed socket {descriptor} does not listen")
                passed.setblocking(False)
                port: IListeningPort = self._reactor.adoptStreamPort(
                    passed.fileno(), passed.family, factory
                )
                self.foreign.append(port)
                return port
        except OSError as error:
            reason = sentence(error)
            raise ListenError(f"cannot use the passed socket {descriptor}: {reason}") from None

    def _passed(self) -> Iterator[tuple[int, str]]:
        """The sockets that systemd has passed, with their names."""
        # Twisted has taken them out of the environment; its endpoints know them.
        names = os.environ.get("LISTEN_FDNAMES", "").split(":")
        for index, name in enumerate(names):
            try:
                endpoint: Any = serverFromString(
                    self._reactor, f"systemd:domain=INET:index={index}"
                )
            except LookupError:
                return
            yield endpoint.fileno, name

    def reload(self) -> None:
        """Read all certificates again."""
        for description, certificates in self._certificates.items():
            try:
                certificates.reload()
                _log.info("certificates of {where} were read again", where=description)
            except Exception as error:
                _log.error(
                    "certificates of {where} cannot be read, the old ones stay in use: {error}",
                    where=description,
                    error=sentence(error),
                )

    def announce(self) -> None:
        """The process that will serve is running: log where, and own the locks of UNIX sockets."""
        for port in self.ports:
            _own_lock(port)
        for line in self._lines:
            _log.info("{line}", line=line)

    def release_passed(self) -> bool:
        """Accept nothing more on sockets that were passed to us; whether there are any.

        Whoever passed them keeps them open: those who come wait for the process that is next.
        """
        # Not `stopListening`, which drops connections that have not sent their request yet.
        for port in self.passed:
            port.stopReading()
        return bool(self.passed)

    def close(self) -> None:
        """Close all ports; those of another process are only not served any more."""
        for port in self.foreign:
            # Twisted would remove the file of a UNIX socket.
            port.stopReading()
        for port in self.ports:
            if port not in self.foreign:
                port.stopListening()
        self.ports.clear()

    def certificates(self, description: str) -> Certificates:
        """The certificate and key that an endpoint string names; they are read again with the rest.

        Raises whatever is wrong with them: a class of its own in every library.
        """

        def read() -> IOpenSSLContextFactory:
            # Twisted's endpoint holds its context for good; nothing public replaces it.
            fresh: Any = serverFromString(self._reactor, description)
            options: IOpenSSLContextFactory = fresh._sslContextFactory
            # Files that do not belong together show only here.
            options.getContext()
            return options

        made = self._certificates[description] = Certificates(read)
        return made

    def _endpoint(self, description: str) -> IStreamServerEndpoint:
        endpoint: Any = serverFromString(self._reactor, description)
        if description.startswith("ssl:"):
            endpoint._sslContextFactory = self.certificates(description)
        if description.startswith("systemd:"):
            self._named.add(endpoint.fileno)
        described: IStreamServerEndpoint = endpoint
        return described

    def opened(self, port: IListeningPort, name: str = "", scheme: str = "http") -> None:
        """A port is open: it is kept, and the log will say where it is."""
        prepare_port(port)
        self.ports.append(port)
        where = port.getHost()
        number = getattr(where, "port", None)
        page = f"; open {scheme}://localhost:{number}/test" if number and not name else ""
        self.note(f"{name or 'listening'} on {where}{page}")

    def note(self, line: str) -> None:
        """Say this when the process that will serve is running."""
        self._lines.append(line)


def everywhere(
    number: int, create: Callable[..., socket.socket] = socket.create_server
) -> list[socket.socket]:
    """A TCP port on all interfaces, for IPv4 and IPv6, as far as the machine has them.

    :param number: 0 takes any free one, the same for both.
    :raises ListenError: it cannot be opened.
    """
    for attempt in range(TRIES):
        try:
            return _sockets(number, create)
        except OSError as error:
            if number or error.errno != errno.EADDRINUSE or attempt == TRIES - 1:
                reason = sentence(error)
                raise ListenError(f"cannot listen on port {number}: {reason}") from None
    raise AssertionError


def _sockets(number: int, create: Callable[..., socket.socket]) -> list[socket.socket]:
    """A listening socket for each address family: two, so that each sees plain addresses.

    :raises OSError: one family refuses, or the machine has neither.
    """
    opened: list[socket.socket] = []
    lacking: OSError | None = None
    for family, host in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
        try:
            made = create((host, number), family=family, backlog=QUEUE)
        except OSError as error:
            if error.errno in _LACKING:
                lacking = error
                continue
            for earlier in opened:
                earlier.close()
            raise
        opened.append(made)
        number = made.getsockname()[1]
    if not opened and lacking is not None:
        raise lacking
    return opened


def _own_lock(port: Any) -> None:
    """Put our process number into the lock beside a UNIX socket.

    Twisted locks when the socket is opened.  `twistd` goes to the background after that, and the
    number of a process that has ended is no lock: the next daemon would take the socket away.
    """
    lock = getattr(port, "lockFile", None)
    if lock is not None:
        name = os.fsdecode(lock.name)  # Bytes for `unix:` endpoints.
        fresh = f"{name}.{os.getpid()}"
        os.symlink(str(os.getpid()), fresh)
        os.replace(fresh, name)


def sentence(error: object) -> str:
    """What an error says, without the addresses that some repeat and without its errno."""
    reason = getattr(error, "socketError", error)
    if isinstance(reason, OSError) and reason.errno:
        sentence = os.strerror(reason.errno)
        # The lock of a UNIX socket is a link that "from" a process's number leads "to" the file.
        file = reason.filename2 or reason.filename
        return f"{sentence}: {os.fsdecode(file)}" if file else sentence
    if isinstance(reason, SSL.Error | crypto.Error):
        words = " ".join(str(word) for entry in reason.args[0] for word in entry if word)
        return f"not a certificate and its key in PEM format ({words})"
    return str(reason) or type(reason).__name__
