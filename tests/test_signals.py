# SPDX-License-Identifier: MIT
"""What signals do to the daemon as a process: nothing that an operator would not expect."""

from __future__ import annotations

import re
import signal
import socket
import ssl
from pathlib import Path

from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from tests.support.certificates import Authority
from tests.support.program import COMMAND, PATIENCE, Program, get

UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class SignalCase(SynchronousTestCase):
    """A daemon in the foreground."""

    def setUp(self) -> None:
        """An empty directory."""
        self.directory = Path(self.mktemp()).resolve()
        self.directory.mkdir()

    def start(self, listen: str, *options: str) -> tuple[Program, int]:
        """The program and its port."""
        program = Program(self, self.directory, *COMMAND, f"--listen={listen}", *options)
        found = re.search(r"port=(\d+)", program.until("listening on"))
        assert found
        # Handlers are installed before this line.
        return program, int(found[1])


class StoppingTests(SignalCase):
    """Being told to stop twice."""

    def stop_twice(self, first: signal.Signals, second: signal.Signals, *options: str) -> None:
        """Stop a daemon that waits for a client that does not read its close frame."""
        program, port = self.start("tcp:0:interface=127.0.0.1", *options)
        deaf = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.addCleanup(deaf.close)
        deaf.sendall(UPGRADE)
        self.assertIn(b" 101 ", deaf.recv(1 << 16))
        program.send(first)
        program.until("Received SIG")
        # The close frame: the stop has begun.
        deaf.recv(1 << 16)
        program.send(second)
        program.until("stopping at once")
        self.assertEqual(program.ended(), -first)
        self.assertNotIn("Traceback", program.log)

    def test_twice(self) -> None:
        """A second SIGTERM ends the stop at once, without a traceback."""
        self.stop_twice(signal.SIGTERM, signal.SIGTERM)

    def test_simulator(self) -> None:
        """So it is with the simulator, whose ports the reactor closes then."""
        self.stop_twice(signal.SIGTERM, signal.SIGTERM, "--demo")

    def test_another(self) -> None:
        """So does Ctrl-C after it, and the other way round."""
        self.stop_twice(signal.SIGINT, signal.SIGTERM)


class HarmlessTests(SignalCase):
    """Signals that never end the daemon."""

    def test_all(self) -> None:
        """After SIGHUP, SIGUSR1 and SIGUSR2 it serves as before."""
        program, port = self.start("tcp:0:interface=127.0.0.1")
        get(port)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            program.send(number)
            self.assertIn('"status":"ok"', get(port))
        program.send(signal.SIGTERM)
        self.assertEqual(program.ended(), -signal.SIGTERM)
        self.assertIn("] stopped", program.log)


class CertificateTests(SignalCase):
    """TLS as the documentation sets it up."""

    def serial(self, port: int, authority: Authority) -> int:
        """The serial number that a client sees, which knows nothing but the root."""
        context = ssl.create_default_context(cafile=str(authority.root))
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            der = wrapped.getpeercert(binary_form=True)
            assert der
            return x509.load_der_x509_certificate(der).serial_number

    def test_chain_and_renewal(self) -> None:
        """The chain is sent along; SIGHUP reads renewed files, and keeps the old if they are bad.

        A connection that is open stays open.
        """
        authority = Authority(self.directory)
        first = authority.give_out()
        files = (
            f"privateKey={authority.key}:certKey={authority.certificate}"
            f":extraCertChain={authority.chain}"
        )
        program, port = self.start(f"ssl:0:interface=127.0.0.1:{files}")
        self.assertEqual(self.serial(port, authority), first)
        second = authority.give_out()
        self.assertEqual(self.serial(port, authority), first)
        program.send(signal.SIGHUP)
        program.until("were read again")
        self.assertEqual(self.serial(port, authority), second)
        authority.certificate.write_text("not a certificate")
        program.send(signal.SIGHUP)
        program.until("cannot be read, the old ones stay in use")
        self.assertEqual(self.serial(port, authority), second)
        program.send(signal.SIGTERM)
        self.assertEqual(program.ended(), -signal.SIGTERM)
        self.assertNotIn("Traceback", program.log)
