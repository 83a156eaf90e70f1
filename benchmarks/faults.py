# SPDX-License-Identifier: MIT
"""What each fault of a cluster costs those who watch: the table of `tests/test_cluster_faults.py`.

Three nodes, a witness at each, 100 messages a second in one channel, a lease of 3 s.  The tests
decide what is right; this prints what they saw.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

TESTS = "tests.test_cluster_faults"


def main() -> None:
    """Run the tests and print a row for each."""
    with tempfile.TemporaryDirectory() as directory:
        figures = Path(directory, "figures")
        environment = {**os.environ, "LIVECHAT_FIGURES": str(figures)}
        command = [sys.executable, "-m", "twisted.trial", "--temp-directory", directory + "/trial"]
        ran = subprocess.run([*command, TESTS], env=environment, capture_output=True, check=False)
        print(
            "| what happens | due | doubled | missing untold | missing, told | epochs | silent, s |"
        )
        print("|---|---:|---:|---:|---:|---:|---|")
        for line in figures.read_bytes().splitlines() if figures.exists() else []:
            row = msgspec.json.decode(line)
            silences = " / ".join(f"{seconds:.2f}" for seconds in row["silences"])
            print(
                f"| {row['title']} | {row['due']} | {row['doubled'] + row['backwards']}"
                f" | {row['missing']} | {row['covered']} | {row['epochs']} | {silences} |",
                flush=True,
            )
        print(ran.stdout.decode(errors="replace").splitlines()[-1])


if __name__ == "__main__":
    main()
