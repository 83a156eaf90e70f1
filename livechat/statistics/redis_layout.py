# SPDX-License-Identifier: MIT
"""How statistics lie in Redis, and the one script that adds and reads them; pure.

    livechat:1:{twitch:ann}:totals     hash    total, error, peak, first, last, event:*, money:*,
                                                place: epoch and number up to which everything
                                                that was published is counted; sealed: the same,
                                                up to which no former leader's count is taken
    livechat:1:{twitch:ann}:users      zset    user id -> messages
    livechat:1:{twitch:ann}:profiles   hash    user id -> [username, display name, roles] as JSON
    livechat:1:{twitch:ann}:minutes    hash    minute since 1970 -> messages
    livechat:1:{twitch:ann}:uniques    string  registers of `uniques`, one byte each
    livechat:1:{twitch:ann}:writer:ID  string  number of the last batch applied from one process
    livechat:1:0:{twitch:ann}:changed  topic   told the writer's key at each batch; 0: the database

The braces put a channel's keys into one slot of a cluster.  The script is what makes a batch count
once: it runs whole or not at all, and does nothing with a batch whose number it has seen, so a
batch whose answer was lost may simply be sent again.

Requests and answers are MessagePack in one argument and one reply: a client that parses a reply
line by line takes one turn for each element.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from livechat.model.chat import Roles
from livechat.model.events import ChannelKey, UserTally
from livechat.redis.names import Names
from livechat.redis.rights import BASIC_PROBES, PROBED, Probe
from livechat.redis.script import Script
from livechat.statistics.totals import MINUTES, ChannelTotals

#: Adds a batch, and answers what is stored.
SCRIPT: Final = Script.of(files(__package__).joinpath("redis.lua").read_text("utf-8"))

#: Lets nobody count any more what another node has published, and answers what is counted.
SEAL: Final = Script.of(files(__package__).joinpath("seal.lua").read_text("utf-8"))

#: Commands that are tried when a connection is made: all that the script does, and how it is run.
#: Inside a script Redis would not name what is forbidden.  The key holds a text, so most of these
#: fail without harm once access control has let them pass.
PROBES: Final = (
    *BASIC_PROBES,
    *(
        Probe((command, PROBED, *arguments))
        for command, *arguments in (
            ("TYPE",),
            ("GETRANGE", "0", "0"),
            ("SETRANGE", "0", "1"),
            ("EXPIRE", "60"),
            ("HGET", "total"),
            ("HMGET", "1"),
            ("HGETALL",),
            ("HKEYS",),
            ("HLEN",),
            ("HSET", "total", "1"),
            ("HINCRBY", "total", "1"),
            ("HDEL", "total"),
            ("ZADD", "1", "1"),
            ("ZINCRBY", "1", "1"),
            ("ZSCORE", "1"),
            ("ZCARD",),
            ("ZREVRANGE", "0", "0"),
            ("ZPOPMIN",),
        )
    ),
    Probe(("PUBLISH", PROBED, ""), optional=True),
    Probe(("PUBSUB", "NUMSUB", PROBED), optional=True),
)

#: Seconds after the last write at which the statistics of a channel are gone.
TTL: Final = 86_400

#: MessagePack for nil.
_NOTHING: Final = b"\xc0"


def keys_of(names: Names, key: ChannelKey, writer: str) -> list[str]:
    """The keys of one channel, in the script's order.

    :param writer: identifies this process.
    """
    kinds = ("totals", "users", "profiles", "minutes", "uniques", f"writer:{writer}")
    return [names.key_of(key, kind) for kind in kinds]


def topic_of(names: Names, key: ChannelKey) -> str:
    """Under which topic it is said that a channel's statistics have changed."""
    return names.topic_of(key, "changed")


def longest_reply(max_users: int) -> int:
    """Bytes that an answer with so many users has at most, unless something is not as it should."""
    return (4 << 20) + 1024 * max_users


class Reply(Struct, array_like=True):
    """What the script answers.

    :ivar outcome: `done`: what was asked is so, now or since an earlier try; `behind`: nothing was
        added because less is stored than should be; `present`: nothing was put in place of what is
        stored because enough is.
    :ivar total: messages of the channel, now.
    :ivar held: users of the channel, now.
    :ivar totals: the hash of totals, names and values by turns; empty unless asked for, as all
        that follows.
    :ivar ranked: user ids and counts by turns, most active first.
    :ivar profiles: of these users; an empty text where there is none.
    """

    outcome: Literal["done", "behind", "present"]
    total: int
    held: int
    totals: list[str] = []
    ranked: list[str] = []
    profiles: list[str] = []
    minutes: list[str] = []
    uniques: str = ""


_encode_json: Final = msgspec.json.Encoder().encode
_encode: Final = msgspec.msgpack.Encoder().encode
_decode_reply: Final = msgspec.msgpack.Decoder(Reply).decode
_decode_profile: Final = msgspec.json.Decoder(tuple[str, str, int]).decode


def batch_of(counts: ChannelTotals) -> bytes:
    """Counts as the script takes them."""
    batch: dict[str, object] = {
        "total": counts.total,
        "error": counts.error,
        "peak": counts.peak,
        "first": counts.first,
        "last": counts.last,
        "users": [
            (
                user.id,
                user.message_count,
                _encode_json((user.username, user.display_name, _bits(user.roles))).decode(),
            )
            for user in counts.users.values()
        ],
        "events": list(counts.events.items()),
        # As text: more than a number of the script's language holds.
        "money": [(name, str(amount)) for name, amount in counts.money.items()],
        "minutes": list(counts.minutes.items()),
        "registers": list(counts.uniques.registers.items()),
        "epoch": counts.epoch,
        "since": counts.since,
        "to": counts.until,
    }
    return _encode(batch)


def request(
    number: int = 0,
    batch: bytes = b"",
    *,
    instead: bool = False,
    expected: int = 0,
    max_users: int,
    named: int = 0,
    ears: int = 0,
    topic: str = "",
) -> bytes:
    """What to ask of the script.

    :param number: of the batch; rises from one batch of a process to the next.
    :param batch: what to add; empty: nothing.
    :param instead: put the batch in place of what is stored, if that is less than expected.
    :param expected: messages that should be stored already: fewer mean that Redis lost some.
    :param named: answer what is stored, with so many users; 0: the numbers only.
    :param ears: how many of the connections that listen to the channel's topic are this process's.
    :param topic: where it is said that the statistics have changed.
    """
    content = msgspec.Raw(batch or _NOTHING)
    return _encode(
        (number, instead, expected, max_users, named, TTL, MINUTES, ears, topic, content)
    )


def read_reply(payload: bytes) -> Reply:
    """An answer of the script.

    :raises msgspec.MsgspecError: it is none.
    """
    return _decode_reply(payload)


def read_totals(reply: Reply, max_users: int) -> ChannelTotals:
    """The totals that a whole answer holds.

    :raises ValueError: something that is not ours stands where ours should.
    """
    totals = ChannelTotals(max_users)
    numbers = dict(_pairs(reply.totals))
    totals.total = reply.total
    totals.error = int(numbers.get("error", 0))
    totals.peak = int(numbers.get("peak", 0))
    totals.first = numbers.get("first", "")
    totals.last = numbers.get("last", "")
    totals.epoch, totals.until = read_place(numbers.get("place", ""))
    for name, value in numbers.items():
        kind, colon, rest = name.partition(":")
        if colon and kind in ("event", "money"):
            (totals.events if kind == "event" else totals.money)[rest] = int(value)
    totals.minutes = {int(minute): int(count) for minute, count in _pairs(reply.minutes)}
    totals.uniques.merge(
        (register, ord(rank)) for register, rank in enumerate(reply.uniques) if rank != "\0"
    )
    for (user_id, count), profile in zip(_pairs(reply.ranked), reply.profiles, strict=True):
        username, display_name, roles = _decode_profile(profile or '["","",0]')
        totals.users[user_id] = UserTally(
            user_id, username, display_name, _roles(roles), int(float(count))
        )
    totals.unnamed = max(0, reply.held - len(totals.users))
    return totals


def read_place(place: str) -> tuple[str, int]:
    """Epoch and number of a place; an empty epoch for none.

    :raises ValueError: it is none.
    """
    epoch, _, number = place.partition(" ")
    return epoch, int(number or 0)


def _pairs(flat: Sequence[str]) -> Any:
    return zip(flat[::2], flat[1::2], strict=True)


def _bits(roles: Roles) -> int:
    return roles.broadcaster | roles.moderator << 1 | roles.subscriber << 2 | roles.verified << 3


def _roles(bits: int) -> Roles:
    return Roles(bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8))
