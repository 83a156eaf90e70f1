# SPDX-License-Identifier: MIT
"""The command `livechat`: `twistd --nodaemon livechat` under a shorter name; `livechat health`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the daemon in the foreground with the command's arguments; leaves no pid file.

    `livechat serve` is the same; `livechat health` asks a running one instead.
    """
    if sys.argv[1:2] == ["health"]:
        # Each command loads what it needs.
        from livechat import health_check  # noqa: PLC0415

        raise SystemExit(health_check.main(sys.argv[2:]))
    from twisted.scripts.twistd import run  # noqa: PLC0415

    options = sys.argv[2:] if sys.argv[1:2] == ["serve"] else sys.argv[1:]
    sys.argv = ["twistd", "--nodaemon", "--pidfile=", "livechat", *options]
    run()


if __name__ == "__main__":
    main()
