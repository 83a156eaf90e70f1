# SPDX-License-Identifier: MIT
"""What a listening factory answers where a TLS client asks for a protocol (ALPN, RFC 7301).

Twisted ends the handshake of every client that asks, as browsers, OBS and curl do, if the factory
behind an `ssl:` endpoint has no answer.  So every factory that we listen with has this one.
"""

from __future__ import annotations

from twisted.internet.interfaces import IProtocolNegotiationFactory
from zope.interface import implementer


@implementer(IProtocolNegotiationFactory)
class SpeaksHttp:
    """A factory of connections that begin with an HTTP/1.1 request, WebSocket or not."""

    def acceptableProtocols(self) -> list[bytes]:
        """See `IProtocolNegotiationFactory`."""
        return [b"http/1.1"]
