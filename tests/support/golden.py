# SPDX-License-Identifier: MIT
"""Golden files: what our code made of an input when somebody last looked at it and agreed.

For inputs that we wrote ourselves the file holds our whole output.  For recorded inputs, which
this repository does not hold, it holds one digest per item.  `LIVECHAT_REWRITE_GOLDEN=1` rewrites
the files; while it is on the run fails (`tests.test_golden`), so it cannot be left on.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from unittest import TestCase

import msgspec

ROOT = Path(__file__).resolve().parents[1] / "golden"


def rewriting() -> bool:
    """Whether the switch is on."""
    return os.environ.get("LIVECHAT_REWRITE_GOLDEN") == "1"


def check_whole(case: TestCase, name: str, output: object) -> None:
    """Compare an output, which msgspec can encode, with `golden/<name>.json`."""
    text = msgspec.json.format(msgspec.json.encode(output), indent=1).decode() + "\n"
    check_file(case, ROOT / f"{name}.json", text)


def check_digests(case: TestCase, name: str, outputs: Mapping[str, object]) -> None:
    """Compare outputs of recorded items, by name, with the digests in `golden/<name>.digests`."""
    path = ROOT / f"{name}.digests"
    lines = {
        item: f"{item} {sha256(msgspec.json.encode(output)).hexdigest()[:16]}"
        for item, output in outputs.items()
    }
    if not rewriting() and path.exists():
        known = {line.rsplit(" ", 1)[0]: line for line in path.read_text().splitlines()}
        changed = [
            item for item in known.keys() | lines.keys() if known.get(item) != lines.get(item)
        ]
        if changed:
            first = sorted(changed)[0]
            shown = msgspec.json.encode(outputs.get(first)).decode()
            case.fail(
                f"{name}: {len(changed)} of {len(lines)} items differ; first {first}: {shown}"
            )
    check_file(case, path, "".join(f"{line}\n" for line in lines.values()))


def check_file(
    case: TestCase, path: Path, text: str, how: str = "make it with LIVECHAT_REWRITE_GOLDEN=1"
) -> None:
    """Compare an output with a file.

    :param how: what makes the file anew.
    """
    if rewriting():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    case.assertTrue(path.exists(), f"{path} is missing: {how}")
    case.assertEqual(path.read_text(), text, f"{path} is not current: {how}")
