# SPDX-License-Identifier: MIT
"""The public port and the frame intake over TLS, opened as browsers and OpenSSL's clients do it."""

from __future__ import annotations

import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolNegotiationFactory
from twisted.internet.task import Clock, deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from livechat.platforms.tiktok.intake import Intake
from livechat.transports.http_or_websocket import PortFactory
from tests.support.browser import BrowserCase, Visit, expect
from tests.support.daemon import PATIENCE, Daemon, start_daemon
from tests.test_websocket import UPGRADE

reactor: Any = _reactor

TOKEN = "sixteen-characters"


def certificate(directory: Path) -> tuple[Path, Path]:
    """A new key and a certificate for localhost that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    key_file, certificate_file = directory / "key.pem", directory / "cert.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate_file.write_bytes(signed.public_bytes(Encoding.PEM))
    return key_file, certificate_file


def tls_endpoint(directory: str) -> str:
    """The endpoint string of a free loopback port with a new certificate."""
    where = Path(directory).absolute()
    where.mkdir()
    key, cert = certificate(where)
    return f"ssl:0:privateKey={key}:certKey={cert}:interface=127.0.0.1"


async def ports(daemon: Daemon, count: int) -> list[int]:
    """The ports on which a daemon listens, in the order in which they were opened."""
    for _ in range(1000):
        found = re.findall(r"(?:listening|intake) on .*port=(\d+)", daemon.log)
        if len(found) >= count:
            return [int(port) for port in found]
        await deferLater(reactor, 0.02)
    raise AssertionError(daemon.log)


def answered(port: int, request: bytes, *protocols: str) -> tuple[str | None, bytes]:
    """What a TLS client that offers these protocols agrees on, and the head that it is answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    with (
        socket.create_connection(("127.0.0.1", port), PATIENCE) as plain,
        context.wrap_socket(plain) as connection,
    ):
        connection.sendall(request)
        data = b""
        while b"\r\n\r\n" not in data and (more := connection.recv(4096)):
            data += more
        return connection.selected_alpn_protocol(), data


class NegotiationTests(SynchronousTestCase):
    """Every factory that listens answers a TLS client that asks for a protocol."""

    def test_factories(self) -> None:
        """The public port's and the intake's say HTTP/1.1."""
        public = PortFactory([], None, Clock(), 1.0)
        intake = Intake(TOKEN, Clock(), lambda handle: None)
        for factory in (public, intake):
            self.assertTrue(verifyObject(IProtocolNegotiationFactory, factory))
            self.assertEqual(factory.acceptableProtocols(), [b"http/1.1"])


class EndpointTests(TestCase):
    """A daemon whose public port and intake are `ssl:` endpoints."""

    timeout = 120

    async def setUp(self) -> None:  # type: ignore[override]
        """Start it."""
        self.daemon = start_daemon(
            reactor,
            f"--listen={tls_endpoint(self.mktemp())}",
            f"--tiktok-intake={tls_endpoint(self.mktemp())}",
            f"--tiktok-intake-token={TOKEN}",
            "--twitch-irc=tcp:127.0.0.1:9",
            "--twitch-gql-url=",
        )
        self.addCleanup(self.ended, self.daemon)
        await self.daemon.listening

    def ended(self, daemon: Daemon) -> Deferred[int | str]:
        """Kill a daemon; fires when it is gone."""
        daemon.kill()
        return daemon.ended

    async def test_address_of_the_page(self) -> None:
        """Log lines of public ports say how a page is opened there; the intake's names none."""
        await ports(self.daemon, 3)
        pages = re.findall(r"open (\w+)://localhost:\d+/test", self.daemon.log)
        self.assertEqual(pages, ["http", "https"])

    async def test_clients(self) -> None:
        """With ALPN, with more than one protocol and without any: a page and a WebSocket."""
        _, port, *_ = await ports(self.daemon, 2)
        page = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for offered, agreed in (
            (("http/1.1",), "http/1.1"),
            (("h2", "http/1.1"), "http/1.1"),
            ((), None),
        ):
            for request, status in ((page, b"200"), (UPGRADE + b"\r\n", b"101")):
                protocol, head = await deferToThread(answered, port, request, *offered)
                self.assertEqual((protocol, head[9:12]), (agreed, status))

    async def test_intake(self) -> None:
        """A relay that offers a protocol is let in."""
        path = f"/?token={TOKEN}&unique_id=ann&room_id=1"
        request = UPGRADE.replace(b"GET / ", f"GET {path} ".encode()) + b"\r\n"
        *_, port = await ports(self.daemon, 3)
        protocol, head = await deferToThread(answered, port, request, "http/1.1")
        self.assertEqual((protocol, head[9:12]), ("http/1.1", b"101"))


class BrowserTests(BrowserCase):
    """Chromium on an `ssl:` endpoint."""

    async def setUp(self) -> None:  # type: ignore[override]
        """A daemon with one more port, over TLS."""
        self.options = (*self.options, f"--listen={tls_endpoint(self.mktemp())}")
        await super().setUp()

    async def test_page(self) -> None:
        """The page and its socket work: chats come."""
        _, port, *_ = await ports(self.daemon, 2)

        def work(visit: Visit) -> None:
            page = visit.page
            page.route(f"https://127.0.0.1:{port}/**", lambda route: route.continue_())
            page.goto(f"https://127.0.0.1:{port}/test?platform=twitch&identifier=ann")
            expect(page.locator("#list > li").first).to_be_visible()

        await self.visit(work, ignore_https_errors=True)
