# SPDX-License-Identifier: MIT
"""One run of `livechat watch`: a client that subscribes, and shows what comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint

from livechat.platforms.client_socket import ClientSocket, connected
from livechat.terminal.lines import COLUMNS, csv_line, line, note, row

#: Bytes of the longest message that is taken.
LONGEST: Final = 16 << 20


class _Socket(ClientSocket):
    """The connection to the daemon."""

    def __init__(self, clock: Any, heard: Callable[[bytes], None]) -> None:
        super().__init__(clock)
        self._heard = heard

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A message."""
        self._heard(payload)


class Watching:
    """One run of the command, on a connection.

    :param chats: platforms and identifiers.
    :param show: prints a line on stdout, or on stderr.
    :param colour: whether colours are shown.
    :ivar over: fires with the exit code when there is nothing more to be seen.
    """

    def __init__(
        self,
        clock: Any,
        options: Mapping[str, Any],
        chats: Sequence[tuple[str, str]],
        show: Callable[[str, bool], None],
        *,
        colour: bool,
    ) -> None:
        self._clock = clock
        self._options = options
        self._chats = chats
        self._show = show
        self._colour = colour
        self._open = set(range(len(chats)))
        self._has_started = False
        self._count = 0
        self.over: Deferred[int] = Deferred()

    async def run(
        self, connect: Callable[[str, int, bool], IStreamClientEndpoint], address: str
    ) -> int:
        """Watch until there is nothing more to be seen; the exit code.

        :raises SocketError: there is no connection.
        """
        made = _Socket(self._clock, self.heard)
        socket = await connected(connect, self._clock, address, made, headers={}, longest=LONGEST)
        socket.lost.addCallback(self._lost)
        if self._options["csv"]:
            self._show(csv_line(COLUMNS), False)
        for place in range(len(self._chats)):
            socket.sendMessage(self.command(place))
        timer = None
        if self._options["for"]:
            timer = self._clock.callLater(self._options["for"], self._end, 0)
        try:
            return await self.over
        finally:
            if timer is not None and timer.active():
                timer.cancel()
            socket.drop("done")

    def command(self, place: int) -> bytes:
        """The subscribe of a chat."""
        platform, identifier = self._chats[place]
        more = {"filter": msgspec.json.decode(self._options["filter"] or "{}")}
        asked = {
            "type": "subscribe",
            "platform": platform,
            "identifier": identifier,
            "id": place,
            "events": bool(self._options["events"]),
            "stats": False,
        }
        return msgspec.json.encode({**asked, **(more if more["filter"] else {})})

    def heard(self, payload: bytes) -> None:
        """A message: show it, count it, and see whether it was the last."""
        if self.over.called:
            return
        message = msgspec.json.decode(payload)
        kind = message["type"]
        if self._options["json"]:
            self._show(payload.decode(), False)
        elif kind in ("chat", "event"):
            shown = (
                csv_line(row(message))
                if self._options["csv"]
                else line(message, colour=self._colour)
            )
            self._show(shown, False)
        if said := note(message):
            self._show(said, True)
        if kind == "chat":
            self._count += 1
            if self._count == self._options["limit"]:
                self._end(0)
        elif kind == "status":
            self._has_started = self._has_started or message["status"] == "started"
        elif kind == "error":
            self._open.discard(message.get("id"))
            if not self._open:
                self._end(0 if self._has_started else 1)

    def stop(self) -> None:
        """Nobody reads what is shown."""
        self._end(0)

    def _lost(self, reason: str) -> None:
        if not self.over.called:
            self._show(f"the connection is lost: {reason}", True)
            self._end(1)

    def _end(self, code: int) -> None:
        if not self.over.called:
            self.over.callback(code)
