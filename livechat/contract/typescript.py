# SPDX-License-Identifier: MIT
"""The TypeScript types of the client protocol, made from its JSON Schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap
from typing import Any, Final

Schema = dict[str, Any]

_WIDTH: Final = 100
_SIMPLE: Final = {
    "boolean": "boolean",
    "integer": "number",
    "null": "null",
    "number": "number",
    "string": "string",
}
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*")


def declarations(schema: Schema) -> str:
    """One exported type for each definition of the schema."""
    return "\n".join(
        "\n".join(_declaration(name, definition)) + "\n"
        for name, definition in schema["$defs"].items()
    )


def type_text(schema: Schema) -> str:
    """The type of a value, in one line."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(map(type_text, schema[several])))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(type_text({**schema, "type": one}) for one in kind)
    if kind == "array":
        return _array(schema)
    if kind == "object":
        return f"Record<string, {type_text(schema['additionalProperties'])}>"
    return _SIMPLE.get(kind or "", "unknown")


def _array(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(map(type_text, schema['prefixItems']))}]"
    item = type_text(schema["items"])
    return f"({item})[]" if " | " in item else f"{item}[]"


def _declaration(name: str, schema: Schema) -> Iterator[str]:
    yield from _comment(schema, "")
    if "properties" not in schema:
        yield f"export type {name} ="
        options = type_text(schema).split(" | ")
        yield from (f"  | {option}" for option in options[:-1])
        yield f"  | {options[-1]};"
        return
    yield f"export interface {name} {{"
    for field, of_field in schema["properties"].items():
        yield from _comment(of_field, "  ")
        key = field if _WORD.fullmatch(field) else json.dumps(field)
        absent = "" if field in schema["required"] else "?"
        yield f"  {key}{absent}: {type_text(of_field)};"
    yield "}"


def _comment(schema: Schema, indent: str) -> Iterator[str]:
    """The description as a comment, of several lines where one is too narrow for it."""
    text = schema.get("description", "").replace("*/", "*\\/")
    if not text:
        return
    if len(indent) + len(text) + 7 <= _WIDTH:
        yield f"{indent}/** {text} */"
        return
    yield f"{indent}/**"
    yield from (f"{indent} * {line}" for line in wrap(text, _WIDTH - len(indent) - 3))
    yield f"{indent} */"
