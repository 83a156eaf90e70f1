# SPDX-License-Identifier: MIT
"""The facts about the platforms' wires stand in `docs/wire`, and code refers to them by anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parents[1]
WIRE = ROOT / "docs" / "wire"

_REFERENCE = re.compile(r"docs/wire/([\w-]+)\.md(?:#([\w-]+))?")
_HEADING = re.compile(r'(?:<a id="([\w-]+)"></a>\n+)?^#{1,6} (.+)$', re.MULTILINE)


def anchors(page: str) -> set[str]:
    """What a reference into a page may name: the anchor before a heading, and that of its text."""
    found = set()
    for anchor, heading in _HEADING.findall(page):
        found |= {anchor, re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")}
    return found - {""}


def references(text: str) -> list[tuple[str, str]]:
    """The references in a text: name of the page, and anchor, which may be missing."""
    return _REFERENCE.findall(text)


def sources(*directories: str) -> Iterator[Path]:
    """Source files below some directories."""
    for directory in directories:
        files = (ROOT / directory).rglob("*")
        yield from (path for path in sorted(files) if path.suffix in (".py", ".proto", ".js"))


class WireDocsTests(SynchronousTestCase):
    """References from code to the pages."""

    def test_readers(self) -> None:
        """The test sees anchors and references as they are written."""
        page = '# Chat\n\n<a id="end-of-it"></a>\n## 2. The end of `it`\n\n### 2.1. More\n'
        self.assertEqual(anchors(page), {"chat", "end-of-it", "2-the-end-of-it", "21-more"})
        self.assertEqual(
            references("(docs/wire/youtube.md#pace), docs/wire/twitch.md"),
            [("youtube", "pace"), ("twitch", "")],
        )

    def test_references(self) -> None:
        """Every reference in the code leads to a heading."""
        pages = {path.stem: anchors(path.read_text()) for path in WIRE.glob("*.md")}
        wrong = [
            f"{path.relative_to(ROOT)}: {page}.md#{anchor}"
            for path in sources("livechat", "benchmarks", "tools")
            for page, anchor in references(path.read_text())
            if anchor not in pages.get(page, set())
        ]
        self.assertEqual(wrong, [])

    def test_no_other_references(self) -> None:
        """A platform that has a page refers to nothing that a reader of the repository lacks."""
        for page in WIRE.glob("*.md"):
            folder = f"livechat/platforms/{page.stem}"
            files = list(sources(folder))
            self.assertTrue(files, f"{page.name} is about no platform")
            left = [
                f"{path.relative_to(ROOT)}:{number}"
                for path in files
                for number, line in enumerate(path.read_text().splitlines(), 1)
                if re.search(r"\bsheet", line)
            ]
            self.assertEqual(left, [])

    def test_grades(self) -> None:
        """Every row of a table of facts ends with a grade that the page's head explains."""
        for page in WIRE.glob("*.md"):
            text = page.read_text()
            grades = set(re.findall(r"^\* \*\*([\w ]+)\*\*", text, re.MULTILINE))
            for table in re.findall(
                r"^\|.*\| grade \|\n\|[-|]+\n((?:\|.+\n)+)", text, re.MULTILINE
            ):
                for row in table.splitlines():
                    self.assertIn(row.rstrip("| ").rpartition("| ")[2], grades, row)
