# SPDX-License-Identifier: MIT
"""Who is told instead of a member that has left."""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from livechat.core.ports import ChannelState, IMember, Start
from livechat.core.publication import Publication


@implementer(IMember)
class Nobody:
    """Does nothing with what it is told."""

    def lead(self, start: Start) -> None:
        """See `IMember`."""

    def follow(self, start: Start) -> None:
        """See `IMember`."""

    def prepare(self) -> None:
        """See `IMember`."""

    def hold(self) -> None:
        """See `IMember`."""

    def resume_publishing(self) -> None:
        """See `IMember`."""

    def doubted(self) -> None:
        """See `IMember`."""

    def settled(self) -> None:
        """See `IMember`."""

    def published(self, publications: Sequence[Publication]) -> None:
        """See `IMember`."""

    def missed(self, start: Start) -> None:
        """See `IMember`."""

    def told(self, state: ChannelState) -> None:
        """See `IMember`."""

    def waits(self, reason: str) -> None:
        """See `IMember`."""


NOBODY = Nobody()
