# SPDX-License-Identifier: MIT
"""Which commands a Redis user may run, learned by trying each of them; pure.

Inside a script Redis does not say which command was forbidden, and only an administrator may ask
for the rights of a user.  So every command is sent once when a connection is made, with arguments
that change nothing of value: whether it is allowed is checked before anything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from livechat.redis.names import Names

#: Stands for a key, or a topic, that is used for nothing else, in the arguments of a probe.
PROBED: Final = "{probe}"

#: What Redis says when the server, and not one key, is the trouble.
_SERVER_TROUBLE: Final = re.compile(
    r"\b(READONLY|OOM|MISCONF|LOADING|NOAUTH|WRONGPASS|NOPERM|MASTERDOWN|NOREPLICAS|BUSY)\b"
    r"|unknown command|The user executing the script"
)


class Probe(Struct, frozen=True):
    """A command that is tried, with its arguments.

    :ivar optional: whether Redis is used without it as well.
    :ivar expected: the answer, where another one shows that the server is of no use.
    """

    command: tuple[str, ...]
    optional: bool = False
    expected: str = ""

    def takes(self, answer: object) -> bool:
        """Whether this answer is one of a server that is of use."""
        return not self.expected or answer in (self.expected, self.expected.encode("latin1"))

    def on(self, key: str) -> Probe:
        """The same on a key of this name."""
        command = tuple(part.replace(PROBED, key) for part in self.command)
        return Probe(command, self.optional, self.expected)


#: What everybody needs.
BASIC_PROBES: Final = (
    Probe(("SET", PROBED, "1", "EX", "60"), expected="OK"),
    Probe(("GET", PROBED)),
    Probe(("DEL", f"{PROBED}:none")),
    Probe(
        ("EVAL", "return cmsgpack.pack(redis.call('GET', KEYS[1]))", "1", PROBED),
        expected="\xa11",
    ),
    Probe(("EVALSHA", "0" * 40, "1", PROBED)),
)


def probes_of(command: Sequence[object]) -> Sequence[Probe]:
    """What shows whether the keys may be used that a command names."""
    if command[0] in ("EVAL", "EVALSHA"):
        keys = command[3 : 3 + int(str(command[2]))]
    else:
        keys = command[1:] if command[0] == "MGET" else command[1:2]
    return [Probe(("TYPE", str(key))) for key in keys]


def is_server_trouble(error: str) -> bool:
    """Whether an error that Redis answered concerns more than the keys that were asked for."""
    return _SERVER_TROUBLE.search(error) is not None


def missing(command: str, error: str, names: Names) -> str:
    """The ACL rule that a refused command needs, the name of an unknown command, or nothing."""
    if "unknown command" in error:
        return command.upper()
    if "NOPERM" not in error:
        return ""
    # "... to access one of the keys used as arguments", "No permissions to access a channel"
    if re.search(r"access .*\bchannels?\b", error):
        return names.topic_rule
    return names.key_rule if re.search(r"access .*\bkeys?\b", error) else f"+{command.lower()}"


def advice(user: str, wanting: Sequence[str]) -> str:
    """What an administrator can do about what `missing` found; empty if it found nothing.

    :param user: who is logged in; empty: the user of everybody who does not log in.
    """
    rules = list(dict.fromkeys(name for name in wanting if name[:1] in "+~&"))
    unknown = list(dict.fromkeys(name for name in wanting if name[:1] not in "+~&"))
    sentences = []
    if rules:
        user = user or "default"
        sentences.append(f"missing rights, allow them by: ACL SETUSER {user} {' '.join(rules)}")
    if unknown:
        sentences.append(
            f"the server does not know {', '.join(unknown)}: it is older than Redis 5, is"
            " something else, or has these commands disabled"
        )
    return "; ".join(sentences)
