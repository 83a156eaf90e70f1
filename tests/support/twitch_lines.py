# SPDX-License-Identifier: MIT
"""Lines of Twitch chat for tests: the recorded ones, and those that we wrote, one per kind."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from msgspec.structs import replace

from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelEvent
from livechat.platforms.enrichment.dictionary import Dictionary
from livechat.platforms.enrichment.enrich import enriched
from livechat.platforms.twitch.parse.chat import Translation, translate
from livechat.platforms.twitch.parse.irc import Line, parse_line
from livechat.platforms.twitch.pictures import BUILT_IN
from tests.support.corpus import corpus
from tests.support.golden import ROOT

_CHEERMOTES = Dictionary(cheermotes=BUILT_IN.cheermotes)

#: When lines that do not say are received, in ms.
RECEIVED = 1_600_000_000_000


def records(name: str) -> list[dict[str, Any]]:
    """The records of a `.jsonl` file of the corpus."""
    text = corpus(f"twitch/irc/{name}").read_text()
    return [json.loads(line) for line in text.split("\n") if line]


def recorded() -> dict[str, bytes]:
    """Every recorded line, by file and number; empty lines left out."""
    found: dict[str, list[bytes]] = {}
    for file in ("xqcow_2019-09-15_first3000", "minitwitch_lines", "twitchlib_lines"):
        lines = corpus(f"twitch/irc/{file}.txt").read_bytes().split(b"\n")
        found[file.partition("_")[0]] = lines
    answer = json.loads(
        corpus("twitch/irc/recent_messages_nymn_2024-01-06_first500.json").read_bytes()
    )
    found["nymn"] = [line.encode() for line in answer["messages"]]
    cases = records("chatterino_cases.jsonl")
    found["chatterino"] = [case["input"].encode() for case in cases]
    found["chatterino_before"] = [
        line.encode() for case in cases for line in (case["params"] or {}).get("prevMessages", ())
    ]
    found["tmi_js"] = [case["data"].encode() for case in records("tmi_js_events.jsonl")]
    found["issues"] = [
        case["line"].encode() for case in records("usernotice_from_issue_threads.jsonl")
    ]
    return {
        f"{name}/{number}": line
        for name, lines in found.items()
        for number, line in enumerate(lines, 1)
        if line
    }


def written() -> dict[str, bytes]:
    """Lines that we wrote ourselves, by what they show."""
    rows = (ROOT / "twitch" / "kinds.txt").read_bytes().rstrip(b"\n").split(b"\n")
    return {name[2:].decode(): line for name, line in zip(rows[::2], rows[1::2], strict=True)}


def parsed(line: bytes) -> Line:
    """The parts of a line that has some."""
    parts = parse_line(line)
    assert parts is not None, line
    return parts


def translated(line: bytes) -> Translation:
    """What a line becomes, cheermotes too; ids that it lacks are `new-1`, `new-2`, ..."""
    numbers = count(1)
    return with_cheermotes(translate(parsed(line), RECEIVED, lambda: f"new-{next(numbers)}"))


def with_cheermotes(translation: Translation) -> Translation:
    """The translation with the cheermotes that every channel has."""
    return replace(
        translation, events=[enriched(event, _CHEERMOTES) for event in translation.events]
    )


def chat_of(translation: Translation) -> ChatMessage:
    """The one message among the events."""
    (message,) = (event for event in translation.events if isinstance(event, ChatMessage))
    return message


def event_of(translation: Translation) -> ChannelEvent:
    """The one event that is not a message."""
    (event,) = (event for event in translation.events if isinstance(event, ChannelEvent))
    return event


def chat(name: str) -> ChatMessage:
    """The message in one of our own lines."""
    return chat_of(translated(written()[name]))


def event(name: str) -> ChannelEvent:
    """The event in one of our own lines."""
    return event_of(translated(written()[name]))
