# SPDX-License-Identifier: MIT
"""What people observed on the real platforms, as small files that the simulator plays.

The scenario and the readers of the daemon are written from one description of each platform, so a
mistake of the description does not show between them.  These files are written after public
reports of what a platform really sent: the shape is the reported one, names and texts are invented.

A file is called `<platform>-<name>.<extension>` and is known as `<platform>-<name>`.  A channel
whose name is `observed_<name>`, with `_` for each `-`, plays the file of its platform.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

#: How the name of a channel begins that plays a file.
PREFIX: Final = "observed_"

_FILES: Final = {
    file.name.rpartition(".")[0]: file
    for file in (files("livechat.simulator") / "observed").iterdir()
}


def names() -> list[str]:
    """What there is, in alphabetical order."""
    return sorted(_FILES)


def read(name: str) -> bytes:
    """The content of a file.

    :raises KeyError: there is none of this name.
    """
    return _FILES[name].read_bytes()


def played_by(platform: str, channel: str) -> str | None:
    """The name of the file that a channel plays; None if it plays none."""
    if not channel.startswith(PREFIX):
        return None
    name = f"{platform}-{channel.removeprefix(PREFIX).replace('_', '-')}"
    return name if name in _FILES else None
