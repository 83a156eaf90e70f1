# SPDX-License-Identifier: MIT
"""A recording: a file of JSON Lines, a head and then each message with its time."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from typing import BinaryIO

import msgspec

from livechat.command_line import own_version
from livechat.model.events import iso_time


class Recording:
    """A file that is written.

    :param path: compressed if it ends in `.gz`; what was there is overwritten.
    :param seconds: the clock.
    :param now: seconds since 1970.
    :param chats: what is recorded, as `platform:identifier`.
    :raises OSError: it cannot be written; `write` and `close` raise it, too.
    """

    def __init__(
        self, path: str, seconds: Callable[[], float], now: float, chats: Sequence[str]
    ) -> None:
        self._seconds = seconds
        self._begun = seconds()
        if path.endswith(".gz"):
            self._file: BinaryIO | gzip.GzipFile = gzip.open(path, "wb")  # noqa: SIM115
        else:
            # Each line stands in the file at once.
            self._file = open(path, "wb", 0)  # noqa: SIM115
        started = iso_time(round(now * 1000))
        head = {"livechat": own_version(), "started": started, "chats": chats}
        self._file.write(msgspec.json.encode(head) + b"\n")

    def write(self, message: str) -> None:
        """A message of the protocol, as it came."""
        passed = self._seconds() - self._begun
        line = f'{{"t":{passed:.3f},"message":{message}}}\n'
        self._file.write(line.encode())

    def close(self) -> None:
        """It is over."""
        self._file.close()
