# SPDX-License-Identifier: MIT
"""The command `livechat`: `twistd --nodaemon livechat` under a shorter name, and other commands."""

from __future__ import annotations

import sys
from typing import Final

USAGE: Final = """Usage: livechat [serve] [options]
       livechat health [options]
       livechat watch [options] CHAT...
       livechat record [options] --output FILE CHAT..."""


def main() -> None:
    """Run the daemon in the foreground with the command's arguments; leaves no pid file.

    `livechat serve` is the same.  `livechat health` asks a running one instead, `livechat watch`
    prints chats, `livechat record` writes them into a file.
    """
    if sys.argv[1:2] == ["health"]:
        # Each command loads what it needs.
        from livechat import health_check  # noqa: PLC0415

        raise SystemExit(health_check.main(sys.argv[2:]))
    if sys.argv[1:2] in (["watch"], ["record"]):
        from livechat.terminal import watch  # noqa: PLC0415

        command = watch.record if sys.argv[1] == "record" else watch.main
        raise SystemExit(command(sys.argv[2:]))
    options = sys.argv[2:] if sys.argv[1:2] == ["serve"] else sys.argv[1:]
    if "--help" in options:
        from livechat.command_line import Options  # noqa: PLC0415

        shown = Options()
        shown.synopsis = USAGE
        print(shown)
        return
    from twisted.scripts.twistd import run  # noqa: PLC0415

    sys.argv = ["twistd", "--nodaemon", "--pidfile=", "livechat", *options]
    run()


if __name__ == "__main__":
    main()
