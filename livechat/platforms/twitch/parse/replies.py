# SPDX-License-Identifier: MIT
"""What the server's answers mean for a connection: logged in or not, joined or not.

See docs/wire/twitch.md#connection and docs/wire/twitch.md#join.
"""

from __future__ import annotations

from typing import Final

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.platforms.twitch.parse.irc import Line

#: Refused JOINs by `msg-id`.
_JOIN_FAILURES: Final = {
    "msg_channel_suspended": error_catalogue.CHANNEL_SUSPENDED,
    "msg_room_not_found": error_catalogue.NOT_FOUND,
    "tos_ban": error_catalogue.CHANNEL_SUSPENDED,
    "msg_banned": error_catalogue.BARRED,
    "msg_concurrent_channel_limit_reached": error_catalogue.CHANNEL_LIMIT,
}

#: How the notices of a failed login begin; they carry no `msg-id`.
_LOGIN_FAILURES: Final = (
    "login authentication failed",
    "login unsuccessful",
    "improperly formatted auth",
    "invalid nick",
)


def join_failure(line: Line) -> ChatError | None:
    """Why the JOIN of `line.channel` failed, or None if the line does not say that.

    `CHANNEL_LIMIT` is temporary: another connection may join.
    """
    if line.command != "NOTICE":
        return None
    failure = _JOIN_FAILURES.get(line.tags.get("msg-id", ""))
    return None if failure is None else failure.error()


def login_failed(line: Line) -> bool:
    """Whether the server refuses our nick; try another one, later."""
    return (
        line.command == "NOTICE"
        and not line.channel
        and len(line.params) > 1
        and line.params[-1].lower().startswith(_LOGIN_FAILURES)
    )


def is_welcome(line: Line) -> bool:
    """Whether the line says that we are logged in."""
    return line.command == "001"


def capabilities_refused(line: Line) -> bool:
    """Whether lines will come without tags, which makes the connection useless."""
    return line.command == "CAP" and "NAK" in line.params


def is_join_echo(line: Line, nick: str) -> bool:
    """Whether the line confirms that we, `nick`, joined `line.channel`."""
    return line.command == "JOIN" and line.nick == nick and line.channel != ""


def is_part_echo(line: Line, nick: str) -> bool:
    """Whether we, `nick`, are out of `line.channel`; unasked it means that we were dropped."""
    return line.command == "PART" and line.nick == nick and line.channel != ""
