# SPDX-License-Identifier: MIT
"""What can go wrong with the simulated providers of emotes, by the names of the command line."""

from __future__ import annotations

from enum import Enum


class EmoteFault(Enum):
    """What is wrong for as long as it is in `EmoteSimulator.faults`."""

    #: Sets.
    HANG = "emotes-hang"
    LIMITED = "emotes-429"
    DOWN = "emotes-503"
    GARBAGE = "emotes-garbage"
    LARGE = "emotes-large"
    ENDLESS = "emotes-endless"
    ELSEWHERE = "emotes-elsewhere"
    CUT_OFF = "emotes-cut-off"
    OTHER_FORMAT = "emotes-other-format"
    LIES = "emotes-lies"
    #: Sockets.
    SOCKET_DOWN = "emotes-socket-down"
    SOCKET_MUTE = "emotes-socket-mute"
    SOCKET_FLOOD = "emotes-socket-flood"
    SOCKET_GARBAGE = "emotes-socket-garbage"
