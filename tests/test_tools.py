# SPDX-License-Identifier: MIT
"""The scripts in `tools/` that decide whether a run of the tests counts as a success."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

TOOLS = Path(__file__).resolve().parents[1] / "tools"

SOME_TESTS = """
from unittest import SkipTest
from twisted.trial.unittest import SynchronousTestCase

class Tests(SynchronousTestCase):
    def test_good(self): pass
    def test_better(self): pass
    def test_bad(self): self.fail("bad")
    def test_broken(self): raise ValueError("broken")
    def test_elsewhere(self): raise SkipTest("recorded corpus not present at /nowhere")
    def test_other(self): raise SkipTest("no such program")
"""


class RunTestsTests(SynchronousTestCase):
    """`run_tests.py` on tests whose outcome is known."""

    def setUp(self) -> None:
        """A directory with a module of tests."""
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        (self.directory / "some_tests.py").write_text(SOME_TESTS)

    def closing(self, *names: str, workers: int = 1, require_corpus: str = "0") -> tuple[int, str]:
        """The exit code and the last line of a run of some of the tests."""
        tests = [f"some_tests.Tests.{name}" for name in names]
        parallel = [f"-j{workers}"] if workers > 1 else []
        done = subprocess.run(
            [sys.executable, TOOLS / "run_tests.py", *parallel, *tests],
            cwd=self.directory,
            env={
                **os.environ,
                "PYTHONPATH": str(self.directory.resolve()),
                "LIVECHAT_REQUIRE_CORPUS": require_corpus,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.splitlines()[-1]

    def test_success(self) -> None:
        """A run in which all passes says so and succeeds."""
        self.assertEqual(
            self.closing("test_good", "test_better"), (0, "Tests: 2 passed, 0 failed, 0 skipped.")
        )

    def test_failure(self) -> None:
        """Failures and errors are counted together, also with two processes, and fail the run."""
        everything = ("test_good", "test_bad", "test_broken", "test_other")
        said = (1, "Tests: 1 passed, 2 failed, 1 skipped.")
        self.assertEqual(self.closing(*everything), said)
        self.assertEqual(self.closing(*everything, workers=2), said)

    def test_skips(self) -> None:
        """A skipped test is counted and does not fail the run."""
        self.assertEqual(
            self.closing("test_good", "test_elsewhere", "test_other"),
            (0, "Tests: 1 passed, 0 failed, 2 skipped."),
        )

    def test_required_corpus(self) -> None:
        """Where the corpus is required, a skip for want of it fails the run; other skips do not."""
        for workers in (1, 2):
            self.assertEqual(
                self.closing("test_good", "test_elsewhere", workers=workers, require_corpus="1"),
                (1, "Tests: 1 passed, 0 failed, 1 skipped."),
            )
        self.assertEqual(self.closing("test_good", "test_other", require_corpus="1")[0], 0)

    def test_nothing(self) -> None:
        """A run without tests is not a success."""
        (self.directory / "some_tests.py").write_text("")
        done = subprocess.run(
            [sys.executable, TOOLS / "run_tests.py", "some_tests"],
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": str(self.directory.resolve())},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("No test was run.\n", done.stdout)


class ScriptCase(SynchronousTestCase):
    """A shell script on a path where every command only writes down what it is asked."""

    def setUp(self) -> None:
        """An empty path of commands."""
        self.directory = Path(self.mktemp()).resolve()
        self.directory.mkdir()

    def command(self, name: str, script: str) -> None:
        """Put a command on the path."""
        path = self.directory / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def script(self, name: str, *arguments: str) -> tuple[int, str]:
        """The exit code and all output of a script of ours."""
        done = subprocess.run(
            ["/bin/sh", TOOLS / name, *arguments],
            env={"PATH": str(self.directory)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=30,
            check=False,
        )
        return done.returncode, done.stdout


class InstallDebianTests(ScriptCase):
    """`install-debian` installs what is missing, or says what to install."""

    def setUp(self) -> None:
        """One program that is there."""
        super().setUp()
        self.command("present", "true")

    def install(self, *wanted: str) -> tuple[int, str]:
        """The exit code and all output of asking for packages."""
        return self.script("install-debian", *wanted)

    def test_nothing_missing(self) -> None:
        """What is there is not installed, and needs neither root nor apt-get."""
        self.assertEqual(self.install(), (0, ""))
        self.assertEqual(self.install("present:present-package"), (0, ""))

    def test_as_root(self) -> None:
        """Root gets what is missing, and only that."""
        self.command("id", "echo 0")
        self.command("apt-get", 'echo "apt-get $*"')
        self.assertEqual(
            self.install("present:present-package", "absent:absent-package", "library"),
            (
                0,
                "Installing: absent-package library\n"
                "apt-get install -qq -y --no-install-recommends absent-package library\n",
            ),
        )

    def test_stale_lists(self) -> None:
        """When a package is not known, the lists are fetched and it is tried again, once."""
        self.command("id", "echo 0")
        self.command("apt-get", 'echo "$1"; [ "$1" = update ]')
        status, written = self.install("library")
        self.assertEqual(written, "Installing: library\ninstall\nupdate\ninstall\n")
        self.assertEqual(status, 1)

    def test_not_root(self) -> None:
        """Everybody else is told what to install, and it counts as a failure."""
        self.command("id", "echo 1000")
        self.command("apt-get", "echo never")
        said = "Please install as root: apt-get install absent-package\n"
        self.assertEqual(self.install("absent:absent-package"), (1, said))

    def test_not_debian(self) -> None:
        """Without apt-get the names are all that can be said."""
        status, written = self.install("absent:absent-package")
        self.assertEqual(status, 1)
        self.assertEqual(written, "Please install, by their names on your system: absent-package\n")


class MakeVenvTests(ScriptCase):
    """`make-venv` finds an interpreter and sees to it that it can make an environment."""

    def python(self, name: str, new: bool, complete: str = "true") -> None:
        """Put an interpreter on the path: new enough or not, and when it has all its modules."""
        self.command(
            name,
            'case "$*" in\n'
            f'*"sys.exit(sys.version_info <"*) {str(new).lower()} ;;\n'
            f'*"import ensurepip"*) {complete} ;;\n'
            "*sys.version_info*) echo 3.12 ;;\n"
            "--version) echo Python 3.12.1 ;;\n"
            f'*) echo "{name} $*" ;;\n'
            "esac",
        )

    def test_first_suitable(self) -> None:
        """An interpreter that is too old is passed over."""
        self.python("python3", new=False)
        self.python("python3.12", new=True)
        self.assertEqual(
            self.script("make-venv", "there"),
            (0, "Making there with Python 3.12.1\npython3.12 -m venv --clear there\n"),
        )

    def test_named(self) -> None:
        """The interpreter that is named is taken, and no other in its place."""
        self.python("python3", new=True)
        self.python("mine", new=True)
        self.python("old", new=False)
        self.assertIn("mine -m venv", self.script("make-venv", "there", "mine")[1])
        status, written = self.script("make-venv", "there", "old")
        self.assertEqual(status, 1)
        self.assertIn("needs Python 3.11 or newer; not suitable or not found: old\n", written)

    def test_without_ensurepip(self) -> None:
        """On a fresh Debian the package that completes the interpreter is installed first."""
        installed = self.directory / "installed"
        self.python("python3", new=True, complete=f"[ -e {installed} ]")
        self.command("id", "echo 0")
        self.command("apt-get", f'echo "$*"; : > {installed}')
        status, written = self.script("make-venv", "there")
        self.assertEqual(status, 0)
        self.assertIn("--no-install-recommends python3.12-venv\n", written)
        self.assertIn("python3 -m venv --clear there\n", written)

    def test_without_ensurepip_or_root(self) -> None:
        """Who may not install is told what is missing, and no environment is half made."""
        self.python("python3", new=True, complete="false")
        self.command("id", "echo 1000")
        self.command("apt-get", "echo never")
        self.assertEqual(
            self.script("make-venv", "there"),
            (1, "Please install as root: apt-get install python3.12-venv\n"),
        )
