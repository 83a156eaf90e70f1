# SPDX-License-Identifier: MIT
"""A Node that has a global WebSocket, for what is written in JavaScript.

Debian's may be too old for that; the one that playwright brings is not.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

#: The first version with a global WebSocket.
OLDEST = 22


@cache
def node() -> str | None:
    """The program: the one on the path if it is new enough, else playwright's, else None."""
    candidates = [shutil.which("node")]
    spec = find_spec("playwright")
    if spec is not None and spec.origin is not None:
        candidates.append(str(Path(spec.origin).with_name("driver") / "node"))
    return next((path for path in candidates if path and _version(path) >= OLDEST), None)


def missing() -> str | None:
    """Why tests that need node must be skipped; None if they can run, or must."""
    if os.environ.get("LIVECHAT_REQUIRE_NODE") == "1" or node():
        return None
    return f"no node of version {OLDEST} or later"


def _version(path: str) -> int:
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.match(r"v(\d+)", answer.stdout)
    return int(found[1]) if found else 0
