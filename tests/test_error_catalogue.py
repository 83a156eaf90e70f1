# SPDX-License-Identifier: MIT
"""One list of all errors: the code raises from it, the documentation and the pages know it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from livechat.model import error_catalogue as errors
from livechat.model.error_catalogue import CATALOGUE, ErrorEntry, unavailable
from livechat.model.errors import ErrorCode
from livechat.platforms.description import installed
from livechat.protocol.messages import failure

ROOT = Path(__file__).parent.parent

#: Where errors may be made: the list, and the copy of one that was made from it.
MAKERS = {
    "livechat/model/error_catalogue.py",
    "livechat/platforms/failures.py",
    # What another node has made.
    "livechat/brokers/redis/messages.py",
}


class EntryTests(SynchronousTestCase):
    """An error made from an entry."""

    def test_plain(self) -> None:
        """It has everything that the entry says."""
        error = errors.PRIVATE.error()
        self.assertEqual(
            (error.code, error.error, error.details, error.temporary, error.scheduled_start),
            (ErrorCode.UPSTREAM_UNAVAILABLE, "The account is private", "PRIVATE", False, None),
        )

    def test_variable(self) -> None:
        """Details, a note and the announced start are those of the one error."""
        error = errors.TOO_MANY_COMMANDS.error("3 per second", note="for now")
        self.assertEqual(error.details, "3 per second")
        self.assertEqual(error.error, "Too many commands; slow down (for now)")
        error = errors.UPCOMING.error(scheduled_start="2026-01-02T03:04:05.000Z")
        self.assertEqual(error.scheduled_start, "2026-01-02T03:04:05.000Z")

    def test_reason(self) -> None:
        """An upstream's reason finds its entry; one that is not listed is given as it is."""
        for reason, sentence, temporary in (
            ("SIGNER_DOWN", errors.SIGNER_DOWN.sentence, True),
            ("BLOCKED", errors.BLOCKED.sentence, True),
            ("PRIVATE", errors.PRIVATE.sentence, False),
            ("HTTP 418", errors.UNREACHABLE.sentence, True),
        ):
            error = unavailable(reason)
            self.assertEqual(
                (error.code, error.error, error.details, error.temporary),
                (ErrorCode.UPSTREAM_UNAVAILABLE, sentence, reason, temporary),
            )
        self.assertIs(unavailable("BLOCKED", temporary=False).temporary, False)

    def test_ended(self) -> None:
        """So does the reason of an end, which may have none."""
        for reason, entry in (
            (None, errors.ENDED),
            ("OFFLINE", errors.ENDED),
            ("SUSPENDED", errors.STREAM_SUSPENDED),
        ):
            error = errors.ended(reason)
            self.assertEqual(
                (error.code, error.error, error.details),
                (ErrorCode.STREAM_ENDED, entry.sentence, reason),
            )


class CatalogueTests(SynchronousTestCase):
    """The list, and that nothing stands beside it."""

    def test_complete(self) -> None:
        """Every code has an entry; no two entries are alike; a sentence has no full stop."""
        self.assertEqual({entry.code for entry in CATALOGUE.values()}, set(ErrorCode))
        self.assertEqual(len(set(CATALOGUE.values())), len(CATALOGUE))
        for name, entry in CATALOGUE.items():
            self.assertRegex(entry.sentence, r"^[A-Za-z].*[^.]$", name)
            if entry.details:
                self.assertFalse(entry.variable, name)

    def test_one_sentence(self) -> None:
        """What is the same for a program is the same for people, but for the command's errors."""
        sentences: dict[tuple[str, str | None, bool], set[str]] = {}
        for entry in CATALOGUE.values():
            if failure(entry.error()).temporary in (True, False) and not entry.variable:
                key = (entry.code, entry.details, entry.temporary)
                sentences.setdefault(key, set()).add(entry.sentence)
        # A chat that is not held, and a channel that does not exist.
        del sentences[ErrorCode.STREAM_NOT_FOUND, None, False]
        self.assertEqual([found for found in sentences.values() if len(found) > 1], [])

    def test_nothing_beside_it(self) -> None:
        """No other module makes an error from words of its own."""
        found = set()
        for path in (ROOT / "livechat").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                call = node.func if isinstance(node, ast.Call) else None
                if isinstance(call, ast.Name) and call.id in ("ChatError", "ErrorEntry"):
                    found.add(path.relative_to(ROOT).as_posix())
        self.assertEqual(found - MAKERS, set())

    def test_documented(self) -> None:
        """The table of `docs/protocol.md` is the list."""
        text = (ROOT / "docs" / "protocol.md").read_text()
        section = text.partition("\n### All errors\n")[2].partition("\n## ")[0]
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        expected = [row(entry) for entry in CATALOGUE.values()]
        self.assertEqual(rows, expected, "the table should be:\n" + "\n".join(expected))

    def test_documented_by_platform(self) -> None:
        """The pages about the platforms name no reason that does not exist."""
        known: dict[str, set[str]] = {}
        for entry in CATALOGUE.values():
            known.setdefault(entry.code, set()).add(entry.details or "")
        # A stream ends for what a start would fail for.
        known[ErrorCode.STREAM_ENDED] = set().union(*known.values())
        for page in ("tiktok", "twitch", "youtube"):
            text = (ROOT / "docs" / f"{page}.md").read_text()
            section = text.partition("\n## Errors\n")[2].partition("\n## ")[0]
            rows = re.findall(r"^\| [^|]+ \| `([A-Z_]+)` \| ([^|]*)\|$", section, re.MULTILINE)
            self.assertGreater(len(rows), 8)
            for code, details in rows:
                self.assertLessEqual(set(re.findall(r"`(\w+)`", details)), known[code], page)

    def test_words_of_the_pages(self) -> None:
        """The pages have words for every code and every reason, or the platforms have them."""
        words = (ROOT / "web" / "js" / "words.js").read_text()
        errors_of = set(re.findall(r"^  ([A-Z_]+): \[", words, re.MULTILINE))
        self.assertEqual(errors_of, set(ErrorCode))
        details = set(re.findall(r"^  ([A-Z_]+): \"", words, re.MULTILINE)) | {"UPCOMING"}
        for description in installed().values():
            details |= set(getattr(description.page, "words", {}))
        about_chats = {
            entry.details
            for entry in CATALOGUE.values()
            if entry.details and entry.details.isupper() and entry.details != "JSON"
        }
        self.assertEqual(about_chats - details, set())


def row(entry: ErrorEntry) -> str:
    """An entry's row in the documentation."""
    details = entry.variable or (f"`{entry.details}`" if entry.details else "")
    temporary = failure(entry.error()).temporary
    passes = "" if not isinstance(temporary, bool) else "`true`" if temporary else "`false`"
    return f"| `{entry.code}` | {details} | {passes} | {entry.sentence} |"
