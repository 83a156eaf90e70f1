# SPDX-License-Identifier: MIT
"""What lies in Redis, and how the scripts are called and answer; pure.

    livechat:1:{twitch:ann}:order    hash    leader (node/generation), term, epoch (a number),
                                             place (seq, until, room), state (a `Told`), offer,
                                             given, block; 24 h after the last write
    livechat:1:{twitch:ann}:log      stream  id epoch-seq, field d: a `Batch`; --history-ttl
    livechat:1:0:{twitch:ann}:out    topic   `messages.Message`
    livechat:1:node:NAME             string  generation of the node; 0.8 of the lease
    livechat:1:0:node:NAME           topic   what is for one node: `messages.NodeMessage`
    livechat:1:0:nodes               topic   what is for all nodes
    livechat:1:marker                string  the lease in seconds: Redis still has its data

The term rises at each change of leader; what a leader writes is taken only with the term that was
given to it.  A leader that dies may have given numbers that Redis does not know, so its successor
begins in a later block of 2^20 numbers, and `block` says where.  An entry's id is the number of the
last publication in it, and Redis takes no id that is not above the last one: a batch may be sent
again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Final, Literal

from msgspec import Struct

from livechat.brokers.redis.messages import Batch, read_batch
from livechat.core.ports import Start
from livechat.redis.rights import BASIC_PROBES, PROBED, Probe
from livechat.redis.script import Script

CLAIM: Final = Script.of(files(__package__).joinpath("claim.lua").read_text("utf-8"))
PUBLISH: Final = Script.of(files(__package__).joinpath("publish.lua").read_text("utf-8"))
OFFER: Final = Script.of(files(__package__).joinpath("offer.lua").read_text("utf-8"))
PASS: Final = Script.of(files(__package__).joinpath("pass.lua").read_text("utf-8"))
LEAVE: Final = Script.of(files(__package__).joinpath("leave.lua").read_text("utf-8"))
READ: Final = Script.of(files(__package__).joinpath("read.lua").read_text("utf-8"))

#: Commands that are tried when a connection is made: all that the broker uses.
PROBES: Final = (
    *BASIC_PROBES,
    *(
        Probe((command, PROBED, *arguments))
        for command, *arguments in (
            ("MGET",),
            ("HGET", "1"),
            ("HMGET", "1"),
            ("HSET", "1", "1"),
            ("HDEL", "1"),
            ("XADD", "*", "d", "1"),
            ("XRANGE", "-", "+", "COUNT", "1"),
            ("XREVRANGE", "+", "-", "COUNT", "1"),
            ("PEXPIRE", "60000"),
        )
    ),
    Probe(("TIME",)),
    Probe(("PUBLISH", PROBED, "")),
)

#: Milliseconds after the last write at which a channel's order is gone.
ORDER_TTL: Final = 86_400_000

#: Most entries and bytes of a log in one answer.
MAX_BYTES: Final = 1 << 20

#: Bytes that an answer of ours has at most, unless something is not as it should be.
LONGEST_REPLY: Final = 8 << 20

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def epoch_number(epoch: str) -> int:
    """The number by which Redis knows an epoch."""
    return int(epoch, 36)


def epoch_name(number: int) -> str:
    """The epoch of which this is the number."""
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


Role = Literal["ours", "first", "failover", "follow", "wait"]


_ROLES: Final[Mapping[bytes, Role]] = {
    b"ours": "ours",
    b"first": "first",
    b"failover": "failover",
    b"follow": "follow",
    b"wait": "wait",
}


class Claimed(Struct):
    """The answer to a claim.

    :ivar role: `ours`: we lead, and nobody else did meanwhile; `first`: we lead, and nobody did;
        `failover`: we lead, after one that is gone; `follow`: another one leads; `wait`: nobody
        leads, and we were told to be patient.
    :ivar leader: node and generation of who leads.
    :ivar start: what was published last, as Redis knows.
    :ivar state: what the leader told last, as `Told`; empty for nothing.
    :ivar offered: the leader wants to go.
    :ivar top: number of what the log holds last; 0 for nothing of this epoch.
    :ivar given: a number that has been given, though Redis may not have what it was given to.
    :ivar block: whoever leads gives no number up to this one.
    """

    role: Role
    leader: str
    term: int
    start: Start
    state: bytes
    offered: bool
    top: int
    given: int
    block: int
    entries: list[Batch]


def frames(reply: bytes) -> list[bytes]:
    """The parts of an answer.

    :raises ValueError: it is none of ours.
    """
    found = []
    at = 0
    while at < len(reply):
        end = at + 4 + int.from_bytes(reply[at : at + 4])
        if end > len(reply):
            raise ValueError("an answer that is cut off")
        found.append(reply[at + 4 : end])
        at = end
    return found


def read_entries(reply: Sequence[bytes]) -> list[Batch]:
    """Entries of a log.

    :raises msgspec.MsgspecError: one is none.
    """
    return [read_batch(entry) for entry in reply]


def read_claim(reply: bytes) -> Claimed:
    """The answer of `CLAIM`.

    :raises ValueError, msgspec.MsgspecError: it is none of ours.
    """
    role, leader, term, epoch, place, state, offer, top, given, block, *entries = frames(reply)
    said = _ROLES.get(role)
    if said is None:
        raise ValueError(f"an unknown role: {role!r}")
    newest_epoch, _, newest = top.decode().partition("-")
    name = epoch_name(int(epoch)) if epoch else ""
    why: Literal["first", "failover"] = "failover" if said == "failover" else "first"
    seq, until, room_id = place.decode().split(" ", 2)
    start = Start(name, int(seq), until, room_id, why)
    return Claimed(
        said,
        leader.decode(),
        int(term),
        start,
        state,
        bool(offer),
        int(newest) if newest and newest_epoch == epoch.decode() else 0,
        int(given),
        int(block),
        read_entries(entries),
    )
