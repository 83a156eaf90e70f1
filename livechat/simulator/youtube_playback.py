# SPDX-License-Identifier: MIT
"""Recorded answers of YouTube's chat, played again one per poll.

A directory of JSON files, in the order of their names.  A file holds the body of a `get_live_chat`
answer, as it is or within `response` or a list, or a list of actions or items, each by itself or as
the `data` of a record.  Of an answer only the token that leads to the next one is replaced, and
what an archive wraps is played as if it were live.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from itertools import count
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

#: How many recorded actions without an answer around them go into one.
_PER_ANSWER: Final = 20

_CHAT: Final = "continuationContents"


class YouTubeRecording:
    """Answers to play.

    :ivar actions: how many actions they have.
    :ivar left_out: names of files that hold nothing of the kind.

    :raises ValueError: there is nothing to play.
    """

    def __init__(self, answers: Sequence[Json], left_out: Sequence[str] = ()) -> None:
        if not answers:
            raise ValueError("no recorded answer")
        self._answers = answers
        self.left_out = tuple(left_out)
        self.actions = sum(len(_actions(answer)) for answer in answers)

    def __len__(self) -> int:
        """How many answers there are."""
        return len(self._answers)

    def answer(self, number: int, following: str) -> Json:
        """The answer of a number, with the token of the next one; none before and after them."""
        if not 0 <= number < len(self._answers):
            return _around([], following)
        recorded = self._answers[number]
        chat = recorded[_CHAT]["liveChatContinuation"]
        actions = [live for action in _actions(recorded) for live in _as_live(action)]
        played = {**chat, "continuations": [_continuation(following)], "actions": actions}
        return {**recorded, _CHAT: {"liveChatContinuation": played}}


def read_recording(directory: Path) -> YouTubeRecording:
    """The recording in a directory.

    :raises OSError: it cannot be read.
    :raises ValueError: there is nothing to play.
    """
    answers: list[Json] = []
    left_out: list[str] = []
    for path in sorted(directory.iterdir()):
        if path.suffix != ".json":
            continue
        found = list(_answers(_decoded(path.read_bytes())))
        answers += found
        if not found:
            left_out.append(path.name)
    return YouTubeRecording(answers, left_out)


def repeated(answer: bytes, now: Callable[[], float]) -> Iterator[Json]:
    """The actions that an answer has, again and again, each as if it happened now."""
    found = [
        live
        for recorded in _answers(json.loads(answer))
        for action in _actions(recorded)
        for live in _as_live(action)
    ]
    for number in count():
        for action in found:
            yield _renewed(action, number, round(now() * 1e6))


def _renewed(action: Json, number: int, micros: int) -> Json:
    """The same with an id and a time of its own."""
    renewed = deepcopy(action)
    for item in renewed.get("addChatItemAction", {}).get("item", {}).values():
        item["id"] = f"{item['id']}-{number}"
        if "timestampUsec" in item:
            item["timestampUsec"] = str(micros)
    return renewed


def _decoded(data: bytes) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _answers(document: object) -> Iterator[Json]:
    match document:
        case {"response": inner} if isinstance(inner, dict):
            yield from _answers(inner)
        case {"continuationContents": {"liveChatContinuation": dict() as chat}}:
            yield {_CHAT: {"liveChatContinuation": chat}}
        case [*entries]:
            loose: list[Json] = []
            for entry in entries:
                whole = list(_answers(entry)) if isinstance(entry, dict) else []
                yield from whole
                if not whole and isinstance(entry, dict) and (action := _action(entry)):
                    loose.append(action)
            for start in range(0, len(loose), _PER_ANSWER):
                yield _around(loose[start : start + _PER_ANSWER], "")


def _action(entry: Json) -> Json | None:
    """A recorded action, or the one that adds a recorded item."""
    data = entry.get("data", entry)
    if not isinstance(data, dict):
        return None
    name = next((key for key in data if not key.lower().endswith("trackingparams")), "")
    if name.endswith(("Action", "Command")):
        return data
    if name == "item":
        return {"addChatItemAction": data}
    if name.endswith(("Renderer", "ViewModel")):
        return {"addChatItemAction": {"item": data}}
    if "headerSubtext" in data:
        return {"addChatItemAction": {"item": {"liveChatMembershipItemRenderer": data}}}
    return None


def _as_live(action: Json) -> list[Json]:
    """A recorded action; of an archive's, those that it wraps."""
    match action:
        case {"replayChatItemAction": {"actions": [*wrapped]}}:
            return wrapped
    return [action]


def _actions(answer: Json) -> list[Json]:
    found = answer[_CHAT]["liveChatContinuation"].get("actions")
    return found if isinstance(found, list) else []


def _around(actions: list[Json], following: str) -> Json:
    chat = {"continuations": [_continuation(following)], "actions": actions}
    return {"responseContext": {}, _CHAT: {"liveChatContinuation": chat}}


def _continuation(following: str) -> Json:
    return {"timedContinuationData": {"timeoutMs": 5000, "continuation": following}}
