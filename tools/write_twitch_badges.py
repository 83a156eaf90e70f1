# SPDX-License-Identifier: MIT
"""Write the table of Twitch's global badges anew, from a recorded list of them.

The list names for each set its versions with title and address; the table keeps what cannot be
worked out: of each badge the id of its picture, and its title.

    tools/write_twitch_badges.py ../shared/corpus/twitch/badges/twitch_global_badges.json
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "livechat" / "platforms" / "twitch" / "global_badges.json"

_ADDRESS = re.compile(r"https://static-cdn\.jtvnw\.net/badges/v1/([0-9a-f-]{36})/")


def table(recorded: str) -> str:
    """The table, one badge in a line: `set/version` to id and title.

    :raises ValueError: an address does not look like those of Twitch.
    """
    found: dict[str, tuple[str, str]] = {}
    for name, versions in json.loads(recorded).items():
        for version in versions:
            match = _ADDRESS.fullmatch(version["image"])
            if match is None:
                raise ValueError(f"the address of {name} is {version['image']}")
            found[f"{name}/{version['id']}"] = match[1], version["title"]
    lines = (f"{json.dumps(label)}: {json.dumps(found[label])}" for label in sorted(found))
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(table(Path(sys.argv[1]).read_text()))
