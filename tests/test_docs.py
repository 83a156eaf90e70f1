# SPDX-License-Identifier: MIT
"""What the documentation shows is what the daemon does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.command_line import declared_options
from livechat.core.session import Quotas, Session
from livechat.model.errors import CloseCode, ErrorCode
from livechat.model.events import EVENT_KINDS
from livechat.platforms.budget import Limit
from livechat.platforms.description import installed
from livechat.platforms.emotes import limits as emotes
from livechat.platforms.tiktok import limits as tiktok
from livechat.platforms.twitch import limits as twitch
from livechat.platforms.twitch.parse.notice_kinds import KINDS, NOTICES
from livechat.platforms.youtube import limits as youtube
from tests.support.fakes import KeptMessages, hub_on
from tests.test_twitch_watcher import TwitchCase
from tests.test_wire_docs import anchors

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def matches(expected: Any, got: Any) -> bool:
    """Equal, where `*` stands for anything and a key `*` for more keys."""
    if expected == "*":
        return True
    if isinstance(expected, dict) and isinstance(got, dict):
        named = {key: value for key, value in expected.items() if key != "*"}
        if "*" not in expected and named.keys() != got.keys():
            return False
        return all(key in got and matches(value, got[key]) for key, value in named.items())
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(matches, expected, got))
    return bool(expected == got)


def without_pushes(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages without pushed statistics, which the page shows only where they are the point."""
    return [message for message in messages if message["type"] != "stats"]


class ConversationTests(TwitchCase):
    """The conversations of the pages, played against a session on a simulated Twitch.

    Every conversation goes as it is written; fields that are not shown are not sent.
    """

    def test_protocol(self) -> None:
        """Those of the protocol."""
        self.play_all("protocol.md", 6)

    def test_from_the_original(self) -> None:
        """What a client of the original service sends and receives."""
        self.play_all("from-the-original.md", 1)

    def test_continuity(self) -> None:
        """Those of the page about continuity."""
        self.play_all("continuity.md", 2)

    def test_twitch(self) -> None:
        """Those of the page about Twitch."""
        self.play_all("twitch.md", 1)

    def play_all(self, page: str, least: int) -> None:
        """All conversations of a page, of which there are so many at least."""
        blocks = re.findall(r"```conversation\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
        self.assertGreaterEqual(len(blocks), least)
        for block in blocks:
            self.play(block)

    def play(self, block: str) -> None:
        """One conversation."""
        client = KeptMessages()
        hub = hub_on(self.clock, self.metrics, max_channels=10)
        platforms = {"twitch": self.twitch}
        session = Session(client, hub, platforms, Quotas(), self.clock, self.metrics)
        waiting: list[dict[str, Any]] = []
        epoch = ""
        for line in block.splitlines():
            mark, _, rest = line.partition(" ")
            if mark == "<":
                expected = msgspec.json.decode(rest)
                while waiting and waiting[0]["type"] == "stats" != expected["type"]:
                    del waiting[0]
                self.assertTrue(waiting, f"nothing was received for: {line}")
                got = waiting.pop(0)
                epoch = got.get("epoch", epoch)
                self.assertTrue(matches(expected, got), f"{line}\nreceived: {got}")
                continue
            self.assertEqual(without_pushes(waiting), [], f"received before: {line}")
            if mark == ">":
                # Nobody can know it before it was told.
                sent = rest.replace('"epoch": "*"', f'"epoch": "{epoch}"')
                session.received(sent.encode())
            else:
                self.assertEqual(mark, "#", line)
                self.simulator.say("ann", rest.encode())
            # Long enough to start; too short for another push of statistics.
            self.run_for(0.5, 0.05)
            waiting = client.taken()
        self.assertEqual(without_pushes(waiting), [], block)
        session.closed()
        self.run_for(0)


class LinkTests(SynchronousTestCase):
    """Links from page to page."""

    def test_links(self) -> None:
        """Every link within the repository leads to a file, and to a heading in it."""
        pages = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
        links = [
            (page, path, anchor)
            for page in pages
            for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text())
        ]
        self.assertGreater(len(links), 50)
        lost = []
        for page, path, anchor in links:
            target = page.parent / path if path else page
            headings = anchors(target.read_text()) if anchor and target.is_file() else {anchor}
            if not target.exists() or anchor not in headings:
                lost.append(f"{page.relative_to(ROOT)}: {path}#{anchor}")
        self.assertEqual(lost, [])


class TableTests(SynchronousTestCase):
    """The tables of the documentation are complete and hold nothing else."""

    def first_cells(self, page: str, heading: str) -> list[str]:
        """The names in the first column of the table that follows a heading."""
        text = (DOCS / page).read_text()
        section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        self.assertTrue(section, f"{page} has no section {heading}")
        cells = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
        return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]

    def test_errors(self) -> None:
        """Every error code is explained."""
        self.assertEqual(set(self.first_cells("protocol.md", "Errors")), set(ErrorCode))

    def test_events(self) -> None:
        """Every event kind is named in the table of who sends it."""
        text = (DOCS / "protocol.md").read_text()
        table = text.partition("<!-- table: kinds -->")[2].partition("<!-- end -->")[0]
        named = re.findall(r"^\| \[`(\w+)`\]", table, re.MULTILINE)
        self.assertEqual(named, sorted(EVENT_KINDS))

    def test_notices_of_twitch(self) -> None:
        """Every notice that is known stands in the table of Twitch's page, with what it becomes."""
        text = (DOCS / "twitch.md").read_text().partition("\n## Events\n")[2]
        documented = {
            name: set(re.findall(r"`(\w+)`", becomes))
            for names, becomes in re.findall(r"^\| (.*) \| ([^|]*) \|$", text, re.MULTILINE)
            for name in re.findall(r"`([\w-]+)`", names)
        }
        for name in NOTICES:
            self.assertEqual(documented.get(name), {"notice"}, name)
        for name, kind in KINDS.items():
            # A struct, perhaps with some of its fields.
            struct: Any = getattr(kind.make, "func", kind.make)
            given: dict[str, Any] = getattr(kind.make, "keywords", {})
            words = {given.get(field) for field in ("status", "gift_type", "direction")} - {None}
            self.assertEqual(documented.get(name), {struct.kind, *words}, name)

    def test_close_codes(self) -> None:
        """Every close code of ours is explained."""
        text = (DOCS / "protocol.md").read_text().partition("## Close codes")[2]
        numbers = set(map(int, re.findall(r"\b(\d{4})\b", text)))
        self.assertLessEqual({int(code) for code in CloseCode} - {1013}, numbers)

    def test_budgets(self) -> None:
        """What goes out to each platform is what its budget allows."""
        text = (DOCS / "operating.md").read_text()
        rows = re.findall(
            r"^\| (\w+) \| `(\w+)` \| (\d+) in any ([\d.]+) s[^|]*\| (\d+|\N{EN DASH}) \|",
            text,
            re.MULTILINE,
        )
        documented = {
            (platform.lower(), kind): Limit(
                int(count), float(period), int(at_once) if at_once.isdigit() else 0
            )
            for platform, kind, count, period, at_once in rows
        }
        self.assertEqual(
            documented,
            {
                ("twitch", "logins"): twitch.LOGINS,
                ("twitch", "joins"): twitch.JOINS,
                ("twitch", "lookups"): twitch.LOOKUPS,
                ("twitch", "pictures"): twitch.PICTURES,
                ("twitch", "history"): twitch.HISTORY,
                ("twitch", "pushes"): twitch.PUSHES,
                ("youtube", "pages"): youtube.PAGES,
                ("youtube", "look_pages"): youtube.LOOK_PAGES,
                ("youtube", "searches"): youtube.SEARCHES,
                ("7tv", "emotes"): emotes.REQUESTS,
                ("bttv", "emotes"): emotes.REQUESTS,
                ("ffz", "emotes"): emotes.REQUESTS,
                ("tiktok", "lookups"): tiktok.LOOKUPS,
                ("tiktok", "look_lookups"): tiktok.LOOK_LOOKUPS,
                ("tiktok", "handshakes"): tiktok.HANDSHAKES,
                ("tiktok", "signatures"): tiktok.SIGNATURES,
            },
        )

    def test_options(self) -> None:
        """Every option, with its variable and default, and no other."""
        text = (DOCS / "configuration.md").read_text()
        rows = re.findall(
            r"^\| `--([a-z0-9-]+)` \| `([A-Z0-9_]+)` \| ([^|]*) \|", text, re.MULTILINE
        )
        documented = {name: (variable, default.strip()) for name, variable, default in rows}
        expected = {}
        for option in declared_options(installed()):
            shown = " ".join(option.default) if option.kind == "list" else option.default
            if option.kind == "flag":
                shown = "on" if option.default else "off"
            elif isinstance(shown, float):
                shown = f"{shown:g}"
            expected[option.name] = (
                option.variable,
                f"`{shown}`" if shown != "" else "\N{EN DASH}",
            )
        self.assertEqual(documented, expected)
