# SPDX-License-Identifier: MIT
"""Write the contract files and the tables of the documentation anew, from the structs."""

from __future__ import annotations

from pathlib import Path

from msgspec import json

from livechat.contract.documents import documents
from livechat.contract.tables import protocol_tables, with_tables
from livechat.platforms.description import installed

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "protocol.md"

#: The platforms that come with livechat, in the order of the documentation.
PLATFORMS = ("youtube", "twitch", "tiktok")


def contract_files() -> dict[Path, str]:
    """What each file has to hold, by its path."""
    made = documents()
    sent = {name: installed()[name].event_kinds_sent for name in PLATFORMS}
    tables = protocol_tables(json.decode(made["schema.json"]), sent)
    files = {ROOT / "web" / name: content.decode() for name, content in made.items()}
    return {**files, PAGE: with_tables(PAGE.read_text(), tables)}


if __name__ == "__main__":
    for path, text in contract_files().items():
        path.write_text(text)
