# SPDX-License-Identifier: MIT
"""What operators see of each channel of a node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct, json
from msgspec.structs import replace


class ChannelView(Struct, frozen=True, kw_only=True):
    """One channel at this moment.

    :ivar node: the node whose view this is.
    :ivar identifier: in canonical form.
    :ivar names: the other identifiers, in canonical form, by which clients have asked for it.
    :ivar state: `waiting` for its start, `live`, `interrupted`, or `absent`: not live, and waited
        for.
    :ivar since: when it came into this state, ISO 8601 UTC.
    :ivar subscribers: of this node; 0: it lingers.
    :ivar messages: chats that this node was given of it since it holds it.
    :ivar trouble: why nothing is received, for example `QUEUED` or `BLOCKED: HTTP 429`; None while
        messages flow, and as long as nothing is wrong; of an absent channel, why it is not live.
    :ivar role: what part this node has in it: `leading`, `following`, ...; None: none yet.
    :ivar leader: the node that has the upstream; None: none yet, or it is not known.
    :ivar lag: see `IMembership`.
    """

    platform: str
    identifier: str
    names: Sequence[str] = ()
    state: str
    since: str
    subscribers: int
    messages: int = 0
    trouble: str | None = None
    role: str | None = None
    leader: str | None = None
    lag: int = 0
    node: str = ""


#: Reasons for which a platform gives nothing to this server, whichever chat it asks for.
BLOCKS: Final = frozenset({"BLOCKED", "RATE_LIMITED", "REFUSED", "CONSENT"})


def upstream_state(state: str, trouble: str | None) -> str:
    """What becomes of the upstream of a channel, as the metrics have it (`UPSTREAM_STATES`).

    :param state: of the channel.
    :param trouble: see `ChannelView`.
    """
    if state == "live":
        return "connected"
    if trouble is not None and trouble.partition(":")[0] in BLOCKS:
        return "blocked"
    return "reconnecting" if state == "interrupted" else "waiting"


def overview(node: str, channels: Sequence[ChannelView]) -> bytes:
    """All channels of a node as JSON.

    :param node: its name.
    """
    return json.encode({"node": node, "channels": [replace(one, node=node) for one in channels]})
