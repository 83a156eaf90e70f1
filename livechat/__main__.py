# SPDX-License-Identifier: MIT
"""The command `livechat`: `twistd --nodaemon livechat` under a shorter name."""

from __future__ import annotations

import sys

from twisted.scripts.twistd import run


def main() -> None:
    """Run the daemon in the foreground with the command's arguments; leaves no pid file."""
    sys.argv = ["twistd", "--nodaemon", "--pidfile=", "livechat", *sys.argv[1:]]
    run()


if __name__ == "__main__":
    main()
