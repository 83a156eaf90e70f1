# SPDX-License-Identifier: MIT
"""Which channel a client means by platform, identifier and identifierType."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import UNSET, Struct

from livechat.access import EVERYTHING, Grant
from livechat.core.ports import IPlatform
from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey
from livechat.protocol.commands import MAX_IDENTIFIER


class Meant(Struct, frozen=True):
    """A channel that a client named.

    :ivar identifier: as the client sent it.
    """

    platform: IPlatform
    key: ChannelKey
    identifier: str


class AboutChat(Exception):
    """A `ChatError` about one chat, with what the client called it."""

    def __init__(self, error: ChatError, platform: str, identifier: str | None) -> None:
        super().__init__(error)
        self.error = error
        self.platform = platform
        self.identifier = identifier


class Names:
    """The names by which clients know channels.

    :param platforms: all platforms, by what clients call them.
    """

    __slots__ = ("_platforms",)

    def __init__(self, platforms: Mapping[str, IPlatform]) -> None:
        self._platforms = platforms

    def meant(
        self,
        platform: object,
        identifier: object,
        identifier_type: object,
        grant: Grant = EVERYTHING,
    ) -> Meant:
        """The channel that these JSON values name; UNSET is a field that is not there.

        :param grant: what the client may read.
        :raises ChatError: `UNSUPPORTED_PLATFORM`.
        :raises AboutChat: `INVALID_IDENTIFIER`, or `FORBIDDEN`.
        """
        asked = self._platform(platform, identifier)
        try:
            if not isinstance(identifier, str) or not identifier.strip():
                raise error_catalogue.NO_IDENTIFIER.error()
            if len(identifier) > MAX_IDENTIFIER:
                raise error_catalogue.LONG_IDENTIFIER.error(f"limit {MAX_IDENTIFIER} characters")
            kind = "username" if identifier_type is UNSET else identifier_type
            if not isinstance(kind, str):
                raise error_catalogue.UNKNOWN_IDENTIFIER_TYPE.error()
            key = asked.key(identifier, kind)
            if not grant.reads(key.platform, key.identifier):
                raise error_catalogue.FORBIDDEN.error()
            return Meant(asked, key, identifier)
        except ChatError as error:
            sent = identifier[:MAX_IDENTIFIER] if isinstance(identifier, str) else None
            raise AboutChat(error, asked.name, sent) from None

    def _platform(self, name: object, identifier: object) -> IPlatform:
        if name is UNSET:
            name = self._of_url(identifier) or "youtube"
        platform = self._platforms.get(name) if isinstance(name, str) else None
        if platform is None:
            raise error_catalogue.UNKNOWN_PLATFORM.error(", ".join(sorted(self._platforms)))
        return platform

    def _of_url(self, identifier: object) -> str | None:
        """The platform whose URL the identifier is, so that a pasted address needs no platform."""
        if not isinstance(identifier, str) or len(identifier) > MAX_IDENTIFIER:
            return None
        try:
            host = urlsplit(identifier if "//" in identifier else f"//{identifier}").hostname
        except ValueError:
            return None
        for platform in self._platforms.values():
            if host in platform.hosts:
                return platform.name
        return None
