# SPDX-License-Identifier: MIT
"""A report on the published schema: every frame of all recorded data, validated by ajv.

The frames are made as the daemon makes them: recorded bytes, translator, encoder.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from livechat.model.events import ChannelEvent, ChannelKey
from livechat.platforms.description import installed
from livechat.protocol.messages import encode_event
from tests.support.all_events import PLATFORMS, recorded_events, written_events
from tests.support.npm import run

WEB = Path(__file__).resolve().parents[1] / "web"


def main() -> None:
    """Validate and print."""
    print("\nThe contract files, in bytes\n")
    for name in ("schema.json", "asyncapi.json", "livechat.d.ts"):
        print(f"{name:20}{(WEB / name).stat().st_size:>10}")
    rows = []
    kinds: dict[str, Counter[str]] = {}
    with TemporaryDirectory() as directory:
        for platform in PLATFORMS:
            counts: Counter[str] = Counter()
            key = ChannelKey(platform, "username", "ann")
            for source, events in (
                ("recorded", recorded_events(platform)),
                ("written by us", written_events(platform)),
            ):
                file = Path(directory) / "frames.jsonl"
                made = list(events)
                file.write_bytes(
                    b"".join(encode_event(key, one, n) + b"\n" for n, one in enumerate(made, 1))
                )
                counts.update(one.type if isinstance(one, ChannelEvent) else "chat" for one in made)
                began = time.monotonic()
                told = json.loads(run("validate.mjs", WEB / "schema.json", file))
                rows.append((platform, source, told, time.monotonic() - began))
            kinds[platform] = counts
    print("\nFrames, validated by ajv against the checked-in schema\n")
    print(f"{'platform':12}{'source':16}{'frames':>8}{'invalid':>9}{'seconds':>9}")
    for platform, source, told, seconds in rows:
        invalid = len(told["invalid"])
        print(f"{platform:12}{source:16}{told['frames']:8}{invalid:9}{seconds:9.1f}")
        for one in told["invalid"][:3]:
            print(f"  {one['line'][:300]}\n  {one['errors'][:2]}")
    print("\nFrames of each kind; - where the platform never sends it\n")
    print(f"{'kind':16}{''.join(f'{name:>10}' for name in PLATFORMS)}")
    for kind in ("chat", *sorted(set().union(*kinds.values()) - {"chat"})):
        cells = (
            kinds[name][kind]
            if kind == "chat" or kind in installed()[name].event_kinds_sent
            else "-"
            for name in PLATFORMS
        )
        print(f"{kind:16}{''.join(f'{cell:>10}' for cell in cells)}")
