# SPDX-License-Identifier: MIT
"""The options of Autobahn's server, none left to its default, and how compression is agreed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept

from livechat.transports.client_registry import Limits
from livechat.transports.frames import WINDOW_BITS

#: Seconds for a client to answer our close frame; then the connection is dropped.
CLOSE_TIMEOUT: Final = 3.0


class _SharedFrames(PerMessageDeflateOfferAccept):
    """Says that we keep no context also to clients that did not ask (RFC 7692 section 7.1.1.1)."""

    def get_extension_string(self) -> str:
        """The answer to the offer."""
        said: str = super().get_extension_string()
        ours = "; server_no_context_takeover"
        return said if ours in said else said + ours


def _accept_compression(
    offers: Sequence[PerMessageDeflateOffer],
) -> PerMessageDeflateOfferAccept | None:
    """Permessage-deflate without context on our side, so that one compressed frame serves all.

    An offer that wants a smaller window than the one with which all are compressed is passed over.
    """
    for offer in offers:
        if not 0 < offer.request_max_window_bits < WINDOW_BITS:
            return _SharedFrames(
                offer,
                request_no_context_takeover=offer.accept_no_context_takeover,
                no_context_takeover=True,
            )
    return None


def _decline(offers: Sequence[PerMessageDeflateOffer]) -> None:
    """No compression."""


def protocol_options(limits: Limits) -> dict[str, Any]:
    """Every option that Autobahn's server knows, none left to its default."""
    return {
        "versions": [13],
        "webStatus": False,
        "utf8validateIncoming": True,
        "maskServerFrames": False,
        "requireMaskedClientFrames": True,
        "applyMask": True,
        "maxFramePayloadSize": limits.message,
        "maxMessagePayloadSize": limits.message,
        "autoFragmentSize": 0,
        # Tell the peer why, rather than dropping it.
        "failByDrop": False,
        "echoCloseCodeReason": False,
        # The request has been read, under a deadline, before Autobahn sees the connection.
        "openHandshakeTimeout": 0,
        "closeHandshakeTimeout": CLOSE_TIMEOUT,
        "tcpNoDelay": True,
        "perMessageCompressionAccept": _accept_compression if limits.compression else _decline,
        # The ping wheel does it for all with one timer.
        "autoPingInterval": 0,
        "autoPingTimeout": 0,
        "autoPingSize": 12,
        "autoPingRestartOnAnyTraffic": False,
        "serveFlashSocketPolicy": False,
        "flashSocketPolicy": "",
        # `ClientRegistry.admit` decides: Autobahn compares an origin with a port that browsers do
        # not send, answers 400, and counts connections that it has refused.
        "allowedOrigins": ["*"],
        "allowNullOrigin": True,
        "maxConnections": 0,
        "trustXForwardedFor": 0,
    }
