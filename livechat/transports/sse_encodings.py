# SPDX-License-Identifier: MIT
"""Messages as server-sent events, and the `id` by which a client says how far it has come.

Pure, but for the writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, cast

from livechat.core.clients import ISubscriber, Place
from livechat.model.events import ChannelKey
from livechat.transports.encodings import StreamEncoding

_TYPE: Final = b'{"type":"'
_ID: Final = b"\nid: "
_END: Final = b"\n\n"


def event(message: bytes, mark: bytes = b"") -> bytes:
    """A message as one event; JSON has no line ends.

    :param mark: its `id`, if it has one.
    """
    kind = b""
    if message.startswith(_TYPE):
        kind = b"event: " + message[len(_TYPE) : message.index(b'"', len(_TYPE))] + b"\n"
    return kind + b"data: " + message + (_ID + mark if mark else b"") + _END


class Positions:
    """How far a client has come in each of its chats.

    :param keys: its chats; None for one that cannot be named.
    :param begin: where it goes on in each: `epoch:seq`, or `-`.
    """

    def __init__(self, keys: Sequence[ChannelKey | None], begin: Sequence[bytes]) -> None:
        self._names = [b"" if key is None else name_of(key) for key in keys]
        self._at = dict(zip(self._names, begin, strict=True))

    def marked(self, data: bytes) -> bytes:
        """Events as `_SeveralChats` encodes them, with the `id` that this client gets."""
        *events, rest = data.split(_END)
        return b"".join([self._marked(each) + _END for each in events]) + rest

    def _marked(self, data: bytes) -> bytes:
        before, found, mark = data.rpartition(_ID)
        if not found:
            return data
        name, _, position = mark.rpartition(b" ")
        self._at[name] = position
        return before + _ID + b",".join([self._at[each] for each in self._names])


class WatchesSeveral(Protocol):
    """A connection that watches several chats, as this module sees it."""

    positions: Positions

    def write_encoded(self, data: bytes) -> None:
        """See `Writable`."""


class _OneChat(StreamEncoding):
    """Events for those who watch one chat: they all receive the same."""

    def __init__(self) -> None:
        super().__init__(event)

    def encode(self, message: bytes, place: Place | None = None) -> bytes:
        """See `IEncoding`."""
        return event(message, b"" if place is None else _position(place))


class _SeveralChats(StreamEncoding):
    """Events for those who watch several chats.

    The `id` of an event lists the positions in all chats that its client watches.  It is put
    together for each client; until then it names the channel and the position in that.
    """

    def __init__(self) -> None:
        super().__init__(event)

    def encode(self, message: bytes, place: Place | None = None) -> bytes:
        """See `IEncoding`."""
        if place is None:
            return event(message)
        return event(message, name_of(place.key) + b" " + _position(place))

    def write(self, subscribers: Sequence[ISubscriber], data: bytes) -> None:
        """See `IEncoding`."""
        for stream in cast("Sequence[WatchesSeveral]", subscribers):
            stream.write_encoded(stream.positions.marked(data))


ONE_CHAT: Final = _OneChat()
SEVERAL_CHATS: Final = _SeveralChats()


def name_of(key: ChannelKey) -> bytes:
    """What stands for a channel until the `id` is put together; it has no blanks."""
    return f"{key.identifier_type}:{key}".encode()


def _position(place: Place) -> bytes:
    return f"{place.epoch}:{place.seq}".encode()
