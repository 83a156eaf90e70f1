# SPDX-License-Identifier: MIT
"""What can go wrong with the simulated Twitch, by the names of the command line."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Fault(Enum):
    """What is wrong for as long as it is in `TwitchSimulator.faults`."""

    REFUSE = "refuse"
    STALL = "stall"
    NAK = "nak"
    LOGIN_FAILURE = "login-failure"
    SLOW_WELCOME = "slow-welcome"
    UNANSWERED_JOIN = "unanswered-join"
    DUPLICATES = "duplicates"
    RECONNECT_LOOP = "reconnect-loop"
    GQL_ERRORS = "gql-errors"
    GQL_503 = "gql-503"
    GQL_429 = "gql-429"
    GQL_GARBAGE = "gql-garbage"
    GQL_HANG = "gql-hang"
    HISTORY_503 = "history-503"
    HISTORY_429 = "history-429"
    HISTORY_GARBAGE = "history-garbage"
    HISTORY_HANG = "history-hang"
    HERMES_DOWN = "hermes-503"
    HERMES_FORBIDDEN = "hermes-403"
    HERMES_MUTE = "hermes-mute"
    HERMES_REFUSES = "hermes-refuses"
    HERMES_GARBAGE = "hermes-garbage"
    HERMES_FLOOD = "hermes-flood"


class Mishap(Enum):
    """Faults that happen once, on every open connection."""

    DROP = "drop"
    RECONNECT = "reconnect"
    GARBAGE = "garbage"
    OVERSIZED = "oversized"


#: Lines that are no IRC, or nearly.
GARBAGE: Final = (
    b"\r\n@\r\n:\r\n@;;=;=a;b= :\r\n@id \r\n@emotes=25:0-4294967296,-1-2/x PRIVMSG\r\n"
    b"\xff\xfe\x00\x80\r\n\x00PRIVMSG #a :\xc3\x28\r\n@id=\xed\xa0\x80 :a!a@a PRIVMSG\r\n"
    b":tmi.twitch.tv USERNOTICE\r\nPRIVMSG #\xf0\x9f :x\r\n@room-id=1 :tmi.twitch.tv ROOMSTATE\r\n"
)

#: One line that is longer than any reader should take.
OVERSIZED: Final = b"@flags=" + b"0-1:A.6," * 32768 + b" :a!a@a.tmi.twitch.tv PRIVMSG #a :hi\r\n"
