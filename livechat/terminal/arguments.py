# SPDX-License-Identifier: MIT
"""The command lines of `livechat watch` and `livechat record`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from getopt import GetoptError, gnu_getopt
from typing import Any
from urllib.parse import urlsplit

import msgspec
from twisted.python import usage

from livechat.choices import number, url, whole


class ChatOptions(usage.Options):
    """What both have in common.

    :ivar words: the chats.
    """

    longdesc = (
        "A CHAT is the address of a channel or video, or a platform and a name: twitch:ann. Without"
        " --server the variables and the file that configure the daemon count here, too."
    )
    optParameters: Sequence[Sequence[Any]] = (
        ("server", None, "", "ws:// or wss:// address of a daemon that runs already."),
        ("filter", None, "", "Which chats are taken: a JSON object as in a subscribe."),
        ("limit", None, "0", "End after so many chats, of all channels together."),
        ("for", None, "0", "End after so many seconds."),
    )
    words: Sequence[str] = ()

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse; options may stand behind the chats, too.

        :raises usage.UsageError: one is wrong.
        """
        try:
            found, words = gnu_getopt(list(options or ()), self.shortOpt, self.longOpt)
        except GetoptError as error:
            raise usage.UsageError(error.msg) from None
        given = [
            f"{name}={value}" if f"{name[2:]}=" in self.longOpt else name for name, value in found
        ]
        super().parseOptions([*given, "--", *words])

    def parseArgs(self, *words: str) -> None:
        """Which chats.

        :raises usage.UsageError: none.
        """
        if not words:
            raise usage.UsageError("no chat is named, for example twitch:ann")
        self.words = words

    def postOptions(self) -> None:
        """Check the values.

        :raises usage.UsageError: one is wrong.
        """
        for name, parse in ("limit", whole(0, 10**9)), ("for", number(0, 1e9)):
            try:
                self[name] = parse(self[name])
            except ValueError as error:
                raise usage.UsageError(f"--{name} {error}") from None
        try:
            if self["server"]:
                url("ws", "wss")(self["server"])
        except ValueError as error:
            raise usage.UsageError(f"--server {error}") from None
        try:
            wanted = msgspec.json.decode(self["filter"] or "{}")
        except msgspec.DecodeError as error:
            raise usage.UsageError(f"--filter must be a JSON object: {error}") from None
        if not isinstance(wanted, dict):
            raise usage.UsageError("--filter must be a JSON object")


class WatchOptions(ChatOptions):
    """Of `livechat watch`, which prints chats."""

    synopsis = "Usage: livechat watch [options] CHAT..."
    optFlags: Sequence[Sequence[Any]] = (
        ("json", None, "Print the messages of the protocol, one on each line."),
        ("csv", None, "Print a table, with commas."),
        ("events", None, "Print other events, too."),
    )

    def postOptions(self) -> None:
        """See `ChatOptions`."""
        super().postOptions()
        if self["json"] and self["csv"]:
            raise usage.UsageError("--json and --csv exclude each other")


class RecordOptions(ChatOptions):
    """Of `livechat record`, which writes all messages into a file."""

    synopsis = "Usage: livechat record [options] --output FILE CHAT..."
    optParameters: Sequence[Sequence[Any]] = (
        ("output", None, "", "File, compressed if its name ends in .gz; overwritten."),
    )

    def postOptions(self) -> None:
        """See `ChatOptions`."""
        super().postOptions()
        if not self["output"]:
            raise usage.UsageError("--output must name a file")
        self.update({"json": 1, "csv": 0, "events": 1})


def source(word: str, hosts: Mapping[str, frozenset[str]]) -> tuple[str, str]:
    """The platform and the identifier that a word names.

    :param hosts: by platform, the host names of its addresses.
    :raises ValueError: it names none.
    """
    platform, colon, name = word.partition(":")
    if colon and name and not name.startswith("//") and platform.lower() in hosts:
        return platform.lower(), name
    host = urlsplit(word if "//" in word else f"//{word}").hostname or ""
    for platform, names in hosts.items():
        if host in names:
            return platform, word
    known = ", ".join(f"{platform}:NAME" for platform in hosts)
    raise ValueError(f"{word!r} is no chat: give an address, or {known}")
