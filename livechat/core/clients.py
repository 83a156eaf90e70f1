# SPDX-License-Identifier: MIT
"""The ports of the core to client connections."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from twisted.internet.defer import Deferred
from zope.interface import Attribute, Interface

from livechat.access import Grant
from livechat.model.errors import CloseCode
from livechat.model.events import ChannelKey

# zope.interface methods have no self, and the plugin reads them as such.
# mypy: disable-error-code="no-untyped-def"


class Requester(Struct, frozen=True):
    """Whose turn a start takes: a platform's budgets are shared by address, then by connection.

    :ivar address: the client's IP address as text; empty where it has none.
    :ivar connection: a number of its own for each client connection.
    """

    address: str = ""
    connection: int = 0


class Place(Struct, frozen=True):
    """Where a publication stands: in which channel's order, and where there.

    :ivar key: the channel, as those named it who are sent the message.
    """

    key: ChannelKey
    epoch: str
    seq: int


class IEncoding(Interface):
    """How messages become bytes for one kind of connection, and how those get to many of them.

    One object serves all connections of its kind: subscribers with the same encoding receive the
    same bytes.
    """

    def encode(message: bytes, place: Place | None = None) -> bytes:
        """The bytes of one JSON message as they are sent; several may be joined.

        :param place: where the message stands if it is a publication.
        """

    def write(subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """Send the same encoded bytes to each of several subscribers of this encoding.

        Never blocks and never raises.  What a slow subscriber cannot take is held, bounded.
        """


class ISubscriber(Interface):
    """The far end of a delivery: one client connection."""

    encoding: IEncoding = Attribute("How the messages that are published become bytes for it.")
    pending: int = Attribute("Bytes held for a client that does not read fast enough.")
    requester: Requester = Attribute("Whose share of a platform's budgets its starts take.")
    grant: Grant = Attribute("Which chats it may read.")

    def send(message: bytes) -> None:
        """Send one JSON message to this subscriber alone, in order; never blocks, never raises.

        Holds it, bounded, for a slow client; closes the connection beyond the bound.
        """

    def when_below(size: int) -> Deferred[None]:
        """Fires when at most so many bytes wait for the client, at once if that is so now.

        Never fires when the connection has ended.
        """

    def close(code: CloseCode, reason: str) -> None:
        """Close the connection; idempotent."""
