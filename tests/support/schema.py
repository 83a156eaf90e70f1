# SPDX-License-Identifier: MIT
"""The published schema, to which every frame that a test sees is held."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from jsonschema_rs import Draft202012Validator

from livechat.contract.schema import protocol_schema


class Frames:
    """Reads frames of a server and holds them to a schema.

    :param schema: what the server publishes.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._validators: dict[str, Draft202012Validator] = {}

    def read(self, frame: bytes | str) -> dict[str, Any]:
        """The message in a frame of a server.

        :raises AssertionError: the schema does not allow it; says where.
        """
        message: dict[str, Any] = msgspec.json.decode(frame)
        self.check(message)
        return message

    def read_history(self, body: bytes) -> dict[str, Any]:
        """What `GET /history` answers, whose messages are messages like others.

        :raises AssertionError: the schema does not allow it.
        """
        history: dict[str, Any] = msgspec.json.decode(body)
        for message in history.get("messages", ()):
            self.check(message)
        problems = [problem.message for problem in self._validator("History").iter_errors(history)]
        assert not problems, problems
        return history

    def check(self, message: Any, side: str = "ServerMessage") -> None:
        """Fail where a message is none of a side, or the root of the schema does not allow it."""
        if self._validator("").is_valid(message) and self._validator(side).is_valid(message):
            return
        problems = [
            f"{name}: {'/'.join(map(str, problem.instance_path))}: {problem.message}"
            for name, part in self._closest(message)
            for problem in self._validator(name).iter_errors(part)
        ]
        raise AssertionError(f"no {side}: {problems or 'unknown'} in {message}")

    def _validator(self, name: str) -> Draft202012Validator:
        """What validates a definition; empty: the whole schema."""
        if name not in self._validators:
            whole = {"$defs": self._schema["$defs"], "$ref": f"#/$defs/{name}"}
            self._validators[name] = Draft202012Validator(whole if name else self._schema)
        return self._validators[name]

    def _closest(self, message: Any) -> Iterator[tuple[str, Any]]:
        """The definitions that a message, and an event in it, are meant to fit: they tell why."""
        if not isinstance(message, dict):
            return
        for suffix, part in (("Message", message), ("Event", message.get("data"))):
            kind = part.get("type") if isinstance(part, dict) else None
            for name, definition in self._schema["$defs"].items():
                constant = definition.get("properties", {}).get("type", {}).get("const")
                if name.endswith(suffix) and constant is not None and constant == kind:
                    yield name, part


@cache
def frames() -> Frames:
    """Those of the kinds of event that come with livechat."""
    return Frames(protocol_schema())
