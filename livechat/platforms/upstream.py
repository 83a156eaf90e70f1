# SPDX-License-Identifier: MIT
"""What a platform provides for one watched chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from livechat.platforms.watch import Watch


class Upstream(Protocol):
    """What a platform provides for one watched chat."""

    async def follow(self, watch: Watch) -> None:
        """Find the chat, enter it, and report to `watch` until it is lost.

        It returns, or raises an `UpstreamError`, when the chat was lost or could not be had; the
        loop then calls it again.  Any other exception costs this one attempt: it is logged with the
        channel, counted, and the loop goes on.

        :raises ChatError: there is nothing to watch any more.
        """

    def close(self) -> None:
        """Nobody watches any more: let go of everything; called once, after `follow` has ended.

        A sink that stops the watch while `follow` reports to it does not end `follow` at once: it
        is cancelled where it waits next.  What it reports until then reaches nobody.
        """
