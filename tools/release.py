# SPDX-License-Identifier: MIT
"""Make a release: gather the news, set the version, commit, tag, and build what is given away.

    python tools/release.py 1.2.3

The version stands in `pyproject.toml` and nowhere else.  Nothing is pushed or uploaded.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = ROOT / "pyproject.toml"
VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")


def run(*command: str) -> str:
    """Run a command at the top of the checkout; what it wrote.

    :raises SystemExit: it failed; what it wrote to stderr stands above.
    """
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"release: {' '.join(command)} ended with {done.returncode}")
    return done.stdout


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared."""
    return tuple(map(int, version.split(".")))


def check(version: str) -> None:
    """See whether this can be released now.

    :raises SystemExit: it cannot; says why.
    """
    if not VERSION.fullmatch(version):
        sys.exit("release: say which version, three numbers: make release VERSION=1.2.3")
    present = tomllib.loads(PROJECT.read_text())["project"]["version"]
    if numbers(version) <= numbers(present):
        sys.exit(f"release: {version} is not above {present}")
    if run("git", "status", "--porcelain"):
        sys.exit("release: commit or remove what has changed first")
    if run("git", "tag", "--list", f"v{version}"):
        sys.exit(f"release: there is a tag v{version}")


def main(arguments: list[str]) -> None:
    """Make the release that the command line names."""
    version = arguments[0] if len(arguments) == 1 else ""
    check(version)
    run(sys.executable, "-m", "towncrier", "build", "--yes", "--version", version)
    text = PROJECT.read_text()
    PROJECT.write_text(re.sub(r'(?m)^version = ".*"$', f'version = "{version}"', text, count=1))
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--message", f"Release {version}")
    run("git", "tag", "--annotate", "--message", f"Release {version}", f"v{version}")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(ROOT / "dist"))
    print(f"Released {version}: commit, tag v{version}, and in dist/ the wheel and the sources.")


if __name__ == "__main__":
    main(sys.argv[1:])
