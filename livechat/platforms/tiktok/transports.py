# SPDX-License-Identifier: MIT
"""The ways into a room: direct, signed, or whichever works (docs/wire/tiktok.md#ways-in)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.pacing import sleep
from livechat.platforms.budget import Budget, Claim
from livechat.platforms.client_socket import Connect
from livechat.platforms.tiktok.connection import (
    FrameReceiver,
    Opening,
    PushSocket,
    open_socket,
)
from livechat.platforms.tiktok.identity import Identity
from livechat.platforms.tiktok.query import socket_url
from livechat.platforms.tiktok.refusals import Reason, refused, upstream_error
from livechat.platforms.tiktok.signer import Signer
from livechat.platforms.upstream_error import UpstreamError

_log = Logger()

#: Seconds between a refused identity and the use of a new one (docs/wire/tiktok.md#identity).
REFRESH_PAUSE: Final = 2.0

#: Seconds for which the signer is asked first after the direct way was refused.
DETOUR: Final = 600.0

#: What makes another way worth trying.
_SHUT: Final = frozenset({Reason.REFUSED, Reason.BLOCKED})


class Transports:
    """Opens sockets into rooms.

    :param mode: `direct`; `signer`; or `auto`: direct, and signed where that is refused.
    :param url: of the direct socket.
    :param count: told of every connection that is opened.
    :param budget: turns for upgrades.
    """

    def __init__(
        self,
        mode: str,
        url: str,
        signer: Signer | None,
        identity: Identity,
        connect: Connect,
        clock: IReactorTime,
        count: Callable[[], None],
        budget: Budget,
    ) -> None:
        self._mode = mode
        self._url = url
        self._signer = signer
        self._identity = identity
        self._connect = connect
        self._clock = clock
        self._count = count
        self._budget = budget
        self._detour = 0.0

    async def open(self, room_id: str, room: FrameReceiver, claim: Claim) -> PushSocket:
        """A socket that is open and has asked to be let into the room.

        :raises UpstreamError: there is no way in.
        """
        if self._mode == "direct":
            return await self._direct(room_id, room, claim)
        if self._mode == "signer" or (self._signer and self._clock.seconds() < self._detour):
            return await self._signed(room_id, room, claim)
        try:
            return await self._direct(room_id, room, claim)
        except UpstreamError as error:
            if error.reason not in _SHUT:
                raise
            if self._signer is None:
                if error.reason == Reason.BLOCKED:
                    raise
                raise upstream_error(refused(Reason.SIGNER_REQUIRED, error.note)) from error
            _log.info(
                "TikTok room {room}: the direct socket was refused: {note}",
                room=room_id,
                note=error.note,
            )
        self._detour = self._clock.seconds() + DETOUR
        return await self._signed(room_id, room, claim)

    async def _direct(self, room_id: str, room: FrameReceiver, claim: Claim) -> PushSocket:
        """Without a signature; a refused identity is changed once."""
        cookie = await self._identity.cookie()
        try:
            return await self._enter(self._unsigned(room_id, cookie), room, claim)
        except UpstreamError as error:
            if error.reason != Reason.REFUSED:
                raise
        self._identity.discard(cookie)
        await sleep(self._clock, REFRESH_PAUSE)
        cookie = await self._identity.cookie()
        try:
            return await self._enter(self._unsigned(room_id, cookie), room, claim)
        except UpstreamError as error:
            if error.reason == Reason.REFUSED:
                # The next attempt, whenever it comes, is somebody else's.
                self._identity.discard(cookie)
            raise

    def _unsigned(self, room_id: str, cookie: str) -> Opening:
        browser = self._identity.browser
        return Opening(
            room_id, socket_url(self._url, room_id, browser), browser.socket_headers(cookie)
        )

    async def _signed(self, room_id: str, room: FrameReceiver, claim: Claim) -> PushSocket:
        """With the address and the cookies that a signer gives; new ones for every attempt."""
        if self._signer is None:
            raise upstream_error(refused(Reason.SIGNER_REQUIRED))
        # The turn first: a signature is good for some 30 s.
        async with self._budget.turn(claim):
            opening = await self._signer.opening(room_id, self._identity.browser, claim)
            socket = await self._open(opening, room)
        if opening.first is not None:
            room.batch_received(opening.first)
        return socket

    async def _enter(self, opening: Opening, room: FrameReceiver, claim: Claim) -> PushSocket:
        async with self._budget.turn(claim):
            return await self._open(opening, room)

    async def _open(self, opening: Opening, room: FrameReceiver) -> PushSocket:
        self._count()
        return await open_socket(self._connect, self._clock, opening, room)
