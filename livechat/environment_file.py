# SPDX-License-Identifier: MIT
"""The environment file of a service: every variable with its default, commented out.

Pure: the file in `packaging/systemd` is made from the declared options; a test checks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from livechat.choices import Option

_HEAD = """\
# Environment of livechat.service: copy it to /etc/livechat/livechat.env.
#
# Each variable stands here with its default.  Take the `#` away to change one, then
#   systemctl restart livechat
# Lists are separated by spaces.  Flags are 1 or 0.  Full meanings: docs/configuration.md
"""


def environment_file(options: Iterable[Option]) -> str:
    """The text of the file."""
    parts = [_HEAD]
    for option in options:
        about = wrap(option.choice.help, 96, initial_indent="# ", subsequent_indent="# ")
        parts.append("\n".join([*about, f"#{option.variable}={_default(option)}"]) + "\n")
    return "\n".join(parts)


def _default(option: Option) -> str:
    default = option.default
    if option.kind == "list":
        return " ".join(map(str, default))
    if option.kind == "flag":
        return "1" if default else "0"
    return f"{default:g}" if isinstance(default, float) else str(default)
