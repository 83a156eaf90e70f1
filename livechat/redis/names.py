# SPDX-License-Identifier: MIT
"""What keys and topics are called; pure.

    livechat:layout              the version of the layout that lies under this prefix
    livechat:1:NAME              a key of the whole service
    livechat:1:{twitch:ann}:KIND   a key of one channel; the braces keep these in one slot
    livechat:1:0:NAME            a topic of the whole service, of database 0
    livechat:1:0:{twitch:ann}:KIND   a topic of one channel

Keys are apart by database because Redis keeps them so.  Topics it does not, so they name theirs.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from livechat.model.events import ChannelKey

#: The version of the layout of all keys and topics.
LAYOUT: Final = "1"

#: What names begin with unless an operator says otherwise.
PREFIX: Final = "livechat"


class Names(Struct, frozen=True):
    """The names under one prefix, for one database.

    :ivar database: its number.
    """

    prefix: str = PREFIX
    database: int = 0

    @property
    def layout(self) -> str:
        """The key that says which layout the others have."""
        return f"{self.prefix}:layout"

    def key(self, name: str) -> str:
        """A key of the whole service."""
        return f"{self.prefix}:{LAYOUT}:{name}"

    def topic(self, name: str) -> str:
        """A topic of the whole service."""
        return f"{self.prefix}:{LAYOUT}:{self.database}:{name}"

    def key_of(self, channel: ChannelKey, kind: str) -> str:
        """A key of one channel."""
        return self.key(f"{{{tag(channel)}}}:{kind}")

    def topic_of(self, channel: ChannelKey, kind: str) -> str:
        """A topic of one channel."""
        return self.topic(f"{{{tag(channel)}}}:{kind}")

    @property
    def key_rule(self) -> str:
        """The ACL rule that allows these keys."""
        return f"~{self.prefix}:*"

    @property
    def topic_rule(self) -> str:
        """The ACL rule that allows these topics."""
        return f"&{self.prefix}:*"


def tag(channel: ChannelKey) -> str:
    """A channel as names have it: without braces, and different for different channels."""
    name = channel.identifier
    if channel.identifier_type != "username":
        name = f"{channel.identifier_type}:{name}"
    for reserved, written in (("%", "%25"), ("{", "%7B"), ("}", "%7D")):
        name = name.replace(reserved, written)
    return f"{channel.platform}:{name}"
