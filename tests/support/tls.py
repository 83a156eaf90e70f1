# SPDX-License-Identifier: MIT
"""TLS without anybody who vouches for anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from OpenSSL import SSL
from OpenSSL.crypto import X509, PKey
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.ssl import CertificateOptions
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.web.client import URI
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer


def self_signed() -> CertificateOptions:
    """A server's certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "upstream.example")])
    now = datetime.now(UTC)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), 1, now, now + timedelta(days=1)
    ).sign(key, SHA256())
    return CertificateOptions(PKey.from_cryptography_key(key), X509.from_cryptography(certificate))


@implementer(IOpenSSLClientConnectionCreator)
class Trusting:
    """A TLS client that believes any certificate."""

    def clientConnectionForTLS(self, tls: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See `IOpenSSLClientConnectionCreator`."""
        connection = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
        connection.set_connect_state()
        return connection


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class SecureWire:
    """Connections through TLS that stay in memory, whatever the address."""

    def __init__(self, reactor: MemoryReactorClock) -> None:
        self._reactor = reactor

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        """See `IAgentEndpointFactory`."""
        return self

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See `IStreamClientEndpoint`."""
        secure = TLSMemoryBIOFactory(Trusting(), True, factory, self._reactor)
        wire = TCP4ClientEndpoint(self._reactor, "192.0.2.1", 443)

        async def connected() -> IProtocol:
            tls: Any = await wire.connect(secure)
            protocol: IProtocol = tls.wrappedProtocol
            return protocol

        return Deferred.fromCoroutine(connected())
