# SPDX-License-Identifier: MIT
"""The program node, for what is written in JavaScript."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache


def missing() -> str | None:
    """Why tests that need node must be skipped; None if they can run, or must."""
    if os.environ.get("LIVECHAT_REQUIRE_NODE") == "1" or shutil.which("node"):
        return None
    return "node is not installed"


@cache
def node_command() -> tuple[str, ...]:
    """The program, with a global WebSocket: since version 22 without an option."""
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    version = re.match(r"v(\d+)", answer.stdout)
    assert version, answer
    return ("node",) if int(version[1]) >= 22 else ("node", "--experimental-websocket")
