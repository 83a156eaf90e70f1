# SPDX-License-Identifier: MIT
"""Who decides that a stream is over: no source alone (docs/wire/tiktok.md#end-of-stream)."""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IReactorTime

from livechat.pacing import sleep
from livechat.platforms.tiktok.lookup import Lookup
from livechat.platforms.tiktok.parse.answers import Live, NotLive
from livechat.platforms.tiktok.parse.chat import StreamState
from livechat.platforms.tiktok.refusals import ended

#: How often an announced end is looked into, and seconds between two looks.
END_LOOKS: Final = 3
END_PAUSE: Final = 2.0


async def find_again(lookup: Lookup, handle: str, known: Live) -> Live | NotLive:
    """Where a stream goes on whose room was lost, or that it does not.

    The account comes first, because the stream may go on in another room.  Where only one source
    says that it is over, or two contradict each other, a third is asked and may keep the room;
    where none says anything the room stays.

    :param known: the room that was lost.
    """
    answer = await lookup.find(handle)
    if isinstance(answer, Live):
        return answer
    alive = await lookup.alive(known.room_id)
    over = [isinstance(answer, NotLive), alive is False]
    if all(over):
        return NotLive()
    if any(over) and not isinstance(await lookup.info(known.room_id), Live):
        return NotLive()
    return known


async def confirm_end(
    lookup: Lookup, clock: IReactorTime, handle: str, room_id: str, announced: StreamState
) -> None:
    """The room has announced the end: that stands unless two sources deny it, again and again.

    :raises ChatError: it is over.
    """
    for look in range(END_LOOKS):
        if look:
            await sleep(clock, END_PAUSE)
        if not await denies_end(lookup, handle, room_id):
            raise ended(suspended=announced is StreamState.SUSPENDED)


async def denies_end(lookup: Lookup, handle: str, room_id: str) -> bool:
    """Whether a stream goes on although its room has announced the end.

    It does if two sources say so and none of those asked before confirms the end.
    """
    denials = 0
    failures = 0
    for ask in (
        lambda: lookup.account(handle),
        lambda: lookup.check_alive(room_id),
        lambda: lookup.info(room_id),
    ):
        answer = await ask()
        if isinstance(answer, Live) and answer.room_id == room_id:
            denials += 1
        elif isinstance(answer, Live | NotLive):
            return False
        else:
            failures += 1
        if denials == 2 or failures == 2:
            break
    return denials == 2
