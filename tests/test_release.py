# SPDX-License-Identifier: MIT
"""A release, made in a copy of the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

from tests.test_packaging import NAME, ROOT, project

VERSION = "99.0.1"
ARCHIVE = f"{NAME.replace('-', '_')}-{VERSION}"


def git(directory: Path, *arguments: str) -> str:
    """What git writes."""
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True
    ).stdout


def release(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the tool of a copy."""
    who = {"NAME": "Ann", "EMAIL": "ann@example.org"}
    names = {f"GIT_{role}_{key}": who[key] for role in ("AUTHOR", "COMMITTER") for key in who}
    return subprocess.run(
        [sys.executable, "tools/release.py", *arguments],
        cwd=directory,
        env=os.environ | names,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@cache
def copy() -> Path:
    """A repository with the files of this one, as they are now, and one commit."""
    top = Path(mkdtemp(dir=Path.cwd())) / "copy"
    files = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).write_bytes((ROOT / name).read_bytes())
    (top / "newsfragments" / "+example.feature.md").write_text("Something that is new.\n")
    git(top, "init", "--quiet", "--initial-branch", "main")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "All")
    return top


@cache
def released() -> Path:
    """A copy in which a release was made."""
    top = copy()
    done = release(top, VERSION)
    assert done.returncode == 0, done.stdout + done.stderr
    return top


class RefusedTests(SynchronousTestCase):
    """What cannot be released is one line and changes nothing."""

    def refused(self, *arguments: str) -> str:
        """What the tool says."""
        done = release(copy(), *arguments)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        return done.stderr

    def test_refused(self) -> None:
        """No version, no number, an older one, and files that are not committed."""
        self.assertIn("VERSION=1.2.3", self.refused())
        self.assertIn("VERSION=1.2.3", self.refused("1.2"))
        self.assertIn("is not above", self.refused(project()["version"]))
        stray = copy() / "stray"
        stray.touch()
        self.addCleanup(stray.unlink)
        self.assertIn("commit or remove", self.refused(VERSION))


class ReleaseTests(SynchronousTestCase):
    """A release is a commit, a tag, a changelog and two archives."""

    def test_changelog(self) -> None:
        """The news stand in the changelog, under the version, and their fragments are gone."""
        log = (released() / "CHANGELOG.md").read_text()
        self.assertIn(f"## {VERSION} (", log)
        self.assertIn("Something that is new.", log)
        left = [path.name for path in (released() / "newsfragments").iterdir()]
        self.assertEqual(left, ["README.md"])

    def test_commit_and_tag(self) -> None:
        """Everything is committed, and the tag names that commit."""
        self.assertEqual(git(released(), "status", "--porcelain"), "")
        tagged = git(released(), "log", "-1", "--format=%s", f"v{VERSION}")
        self.assertEqual(tagged, f"Release {VERSION}\n")

    def test_archives(self) -> None:
        """The wheel says the version; the sources hold what an operator installs from."""
        dist = released() / "dist"
        with ZipFile(dist / f"{ARCHIVE}-py3-none-any.whl") as wheel:
            about = wheel.read(f"{ARCHIVE}.dist-info/METADATA").decode()
            self.assertIn("livechat/web/livechat.js", wheel.namelist())
        self.assertIn(f"\nName: {NAME}\n", about)
        self.assertIn(f"\nVersion: {VERSION}\n", about)
        with tarfile.open(dist / f"{ARCHIVE}.tar.gz") as sources:
            names = set(sources.getnames())
        for name in ("packaging/systemd/livechat.service", "constraints.txt", "CHANGELOG.md"):
            self.assertIn(f"{ARCHIVE}/{name}", names)
