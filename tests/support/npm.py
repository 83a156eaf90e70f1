# SPDX-License-Identifier: MIT
"""The JavaScript packages of `tests/javascript/package.json`, installed when a test first asks."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from functools import cache
from hashlib import sha256
from pathlib import Path
from unittest import SkipTest

from tests.support.node import missing, node

DIRECTORY = Path(__file__).resolve().parents[1] / "javascript"

#: Seconds that an installation, or a program, may take.
PATIENCE = 300


def run(*command: str | Path, text: str = "") -> str:
    """Run a JavaScript program that knows the packages; a path is one in their directory.

    :param text: its standard input.
    :return: what it wrote.
    :raises AssertionError: it failed; the message holds what it wrote.
    :raises SkipTest: there are no packages, or is no node.
    """
    packages()
    program, *arguments = command
    done = subprocess.run(
        [str(node()), str(DIRECTORY / program), *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout


@cache
def packages() -> Path:
    """The directory of the packages.

    :raises SkipTest: they could not be installed, and `LIVECHAT_REQUIRE_NODE` does not say they
        must.
    """
    if reason := missing():
        raise SkipTest(reason)
    target = DIRECTORY / "node_modules"
    wanted = sha256((DIRECTORY / "package-lock.json").read_bytes()).hexdigest()
    made_from = target / ".made-from"
    # Several processes may run tests of one checkout.
    with (DIRECTORY / ".installing").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made_from.exists() or made_from.read_text() != wanted:
            if problem := _install():
                if os.environ.get("LIVECHAT_REQUIRE_NODE") == "1":
                    raise AssertionError(problem)
                raise SkipTest(problem)
            made_from.write_text(wanted)
    return target


def _install() -> str:
    """Install them anew; what went wrong, or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        return "no npm"
    # What packages want to run when they are installed is not needed.
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        command, cwd=DIRECTORY, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    return f"npm ci failed: {done.stderr}" if done.returncode else ""
