# SPDX-License-Identifier: MIT
"""What the nodes of a service say to one another, as bytes; pure.

MessagePack throughout.  Redis passes these on unread, but for `Led`, which its scripts write: their
MessagePack knows texts and no bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec import Struct

from livechat.core.history import Kept
from livechat.core.ports import ChannelState, Ended, Failed, Interrupted, Live
from livechat.core.publication import Publication
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey, LiveInfo, kind_bit, with_mirrored, without_mirrored


class Item(Struct, array_like=True, gc=False):
    """One publication on its way; see `Publication`."""

    seq: int
    kind: str
    item: str
    author: str
    mirrored: bool
    payload: bytes


class Batch(Struct, array_like=True, tag="b"):
    """What a leader published in one go.

    :ivar previous: the number of what it published before; a follower that has less misses some.
    :ivar until: the latest time that a publication of the order bears so far, ISO 8601 UTC.
    :ivar room_id: the room that the newest one names.
    """

    epoch: str
    previous: int
    until: str
    room_id: str
    items: list[Item]

    def publications(self, after: int) -> list[Publication]:
        """What of it has a higher number than this."""
        epoch, until, room_id = self.epoch, self.until, self.room_id
        return [
            Publication(
                epoch,
                one.seq,
                one.kind,
                one.item,
                one.author,
                until,
                room_id,
                _bit(one.kind, one.mirrored),
                one.payload,
            )
            for one in self.items
            if one.seq > after
        ]


class Told(Struct, array_like=True, tag="s"):
    """What a leader tells of its upstream, as `state_bytes` makes it."""

    state: bytes


class Led(Struct, array_like=True, tag="l"):
    """Somebody leads from now on; numbers are texts.

    :ivar block: an heir gives no number up to this one.
    """

    leader: str
    term: str
    block: str = "0"


class Left(Struct, array_like=True, tag="v"):
    """The leader has left."""


class Offer(Struct, array_like=True, tag="o"):
    """The leader wants to go; or, if not wanted, goes on after all."""

    leader: str
    wanted: bool


#: What is published under the topic of a channel.
Message = Batch | Told | Led | Left | Offer


class Candidate(Struct, array_like=True, tag="c"):
    """A node would lead a channel, or, where none is named, any channel.

    :ivar led: how many it leads now.
    """

    channel: str
    leader: str
    led: int


class Prepare(Struct, array_like=True, tag="p"):
    """The leader of a channel has chosen the node that this is said to."""

    platform: str
    identifier_type: str
    identifier: str
    leader: str

    @property
    def key(self) -> ChannelKey:
        """The channel."""
        return ChannelKey(self.platform, self.identifier_type, self.identifier)


class Ready(Struct, array_like=True, tag="r"):
    """The chosen node has an upstream; or, if not able, has none and will have none."""

    channel: str
    leader: str
    able: bool


class Draining(Struct, array_like=True, tag="d"):
    """A node wants to hand over everything it leads."""

    node: str


class Echo(Struct, array_like=True, tag="e"):
    """A node says something to itself, to learn whether it would hear.

    :ivar process: names the process, as another one may have the name of the node by mistake.
    :ivar since: when it was started, in milliseconds since 1970.
    """

    number: int
    process: str = ""
    since: int = 0


#: What is published under the topic of a node, and under that of all nodes.
NodeMessage = Candidate | Prepare | Ready | Draining | Echo

encode: Final = msgspec.msgpack.Encoder().encode
read_message: Final = msgspec.msgpack.Decoder(Message).decode
read_node_message: Final = msgspec.msgpack.Decoder(NodeMessage).decode
read_batch: Final = msgspec.msgpack.Decoder(Batch).decode


class _State(Struct, array_like=True):
    """A `ChannelState`."""

    what: Literal["live", "interrupted", "failed", "ended"]
    info: LiveInfo | None = None
    reason: str = ""
    code: ErrorCode | None = None
    details: str | None = None
    temporary: bool = False
    scheduled_start: str | None = None


_decode_told: Final = msgspec.msgpack.Decoder(Told).decode
_decode_state: Final = msgspec.msgpack.Decoder(_State).decode


def state_bytes(state: ChannelState) -> bytes:
    """A state on its way."""
    match state:
        case Live(info):
            return encode(_State("live", info))
        case Interrupted(reason):
            return encode(_State("interrupted", reason=reason))
        case Failed(error) | Ended(error):
            what: Literal["failed", "ended"] = "failed" if isinstance(state, Failed) else "ended"
            return encode(
                _State(
                    what,
                    None,
                    error.error,
                    error.code,
                    error.details,
                    error.temporary,
                    error.scheduled_start,
                )
            )


def read_state(data: bytes) -> ChannelState:
    """The state that this is.

    :raises msgspec.MsgspecError: it is none.
    """
    state = _decode_state(data)
    if state.what == "live":
        return Live(state.info or LiveInfo(""))
    if state.what == "interrupted":
        return Interrupted(state.reason)
    error = ChatError(
        state.code or ErrorCode.UPSTREAM_UNAVAILABLE,
        state.reason,
        state.details,
        temporary=state.temporary,
        scheduled_start=state.scheduled_start,
    )
    return Failed(error) if state.what == "failed" else Ended(error)


def told_state(told: bytes) -> ChannelState:
    """The state that a `Told` tells.

    :raises msgspec.MsgspecError: it is none.
    """
    return read_state(_decode_told(told).state)


def items_of(publications: Sequence[Publication | Kept]) -> list[Item]:
    """Publications on their way."""
    return [
        Item(one.seq, one.kind, one.item, one.author, without_mirrored(one.bit) == 0, one.payload)
        for one in publications
    ]


def _bit(kind: str, mirrored: bool) -> int:
    bit = kind_bit(kind)
    return with_mirrored(bit) & ~bit if mirrored else bit
