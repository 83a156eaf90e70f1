# SPDX-License-Identifier: MIT
"""The tables of the protocol's page, made from its JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

Schema = dict[str, Any]

#: Where a table of that name stands in a page of the documentation.
_PLACE: Final = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

_FIELDS: Final = "| field | type | present | null | meaning |\n|---|---|---|---|---|\n"

#: Definitions that have a table of their own, to which fields of their type refer.
_LINKED: Final = {
    "ChatMessage": "[chat](#fields-of-a-chat)",
    "Content": "[as in a chat](#fields-of-a-chat)",
    "EventItem": "[event](#fields-of-an-event)",
    "EventMessage": "[event](#fields-of-an-event)",
    "GiftData": "[data of a `gift`](#gift)",
    "Person": "[person](#person)",
    "Price": "[price](#price)",
}

#: What every kind of event may have, in one table for all of them.
_COMMON: Final = (
    "user", "text", "message_id", "platform_kind", "source_room_id", "source_message_id",
)  # fmt: skip


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """A page of the documentation with its tables as they are now.

    :raises KeyError: the page wants a table that there is not.
    """
    return _PLACE.sub(lambda place: f"{place[1]}\n{tables[place[2]]}\n{place[3]}", page)


def protocol_tables(schema: Schema, sent: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Every table, by name.

    :param schema: the JSON Schema of the protocol.
    :param sent: by platform, the kinds of event that it sends.
    """
    definitions = schema["$defs"]
    whole = _Tables(definitions, {})
    tables = _Tables(definitions, _LINKED)
    commands = _Tables(definitions, {}, "may be left out")
    item = _last(definitions["EventItem"]["oneOf"][0]["$ref"])
    kinds = definitions["EventKind"]["enum"]
    data = {kind: _data_of(definitions, kind) for kind in kinds}
    return {
        "kinds": _kinds(data, sent),
        "subscribe": commands.fields(definitions["Subscribe"]),
        "unsubscribe": commands.fields(definitions["Unsubscribe"]),
        "get-stats": commands.fields(definitions["GetStats"]),
        "ping": commands.fields(definitions["Ping"]),
        "chat": whole.fields(definitions["ChatMessage"]),
        "status": tables.fields(definitions["StatusMessage"]),
        "error": tables.fields(definitions["ErrorMessage"]),
        "stats": tables.fields(definitions["StatsMessage"]),
        "history": tables.fields(definitions["History"]),
        "pong": tables.fields(definitions["PongMessage"]),
        "event": tables.fields(definitions["EventMessage"]),
        "event-item": tables.fields(definitions[item], leave_out=("type", "data")),
        "event-common": tables.fields(definitions["NoticeData"], only=_COMMON),
        "person": tables.fields(definitions["Person"]),
        "price": tables.fields(definitions["Price"]),
        "events": "\n".join(
            f"#### `{kind}`\n\n{of_kind['description']}\n\n"
            + (tables.fields(of_kind, leave_out=_COMMON) or "It has no fields of its own.\n")
            for kind, of_kind in data.items()
        ),
    }


class _Tables:
    """Writes tables of fields.

    :param definitions: what the schema's references mean.
    :param links: definitions that are not written out, and what stands in their place.
    :param absent: what is said of a field that need not be there.
    """

    def __init__(
        self,
        definitions: Mapping[str, Schema],
        links: Mapping[str, str],
        absent: str = "if it applies",
    ) -> None:
        self._definitions = definitions
        self._links = links
        self._absent = absent

    def fields(
        self, schema: Schema, only: Collection[str] = (), leave_out: Collection[str] = ()
    ) -> str:
        """The table of an object's fields and of those inside of them; empty if it has none.

        :param only: these fields alone; all, where none is named.
        :param leave_out: fields that are not in the table.
        """
        rows = "".join(
            f"{row}\n"
            for name in only or schema["properties"]
            if name not in leave_out
            for row in self._rows(name, schema["properties"][name], name in schema["required"])
        )
        return rows and _FIELDS + rows

    def _rows(self, path: str, schema: Schema, always: bool) -> Iterator[str]:
        options = schema.get("anyOf", [schema])
        nullable = {"type": "null"} in options or None in schema.get("enum", ())
        nullable |= "null" in _types(schema)
        cells = (
            f"`{path}`",
            self._type(schema),
            "always" if always else self._absent,
            "yes" if nullable else "",
            schema.get("description", ""),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        for option in options:
            below, inside = f"{path}.", option
            if "items" in option and "prefixItems" not in option:
                below, inside = f"{path}[].", option["items"]
            name = _last(inside.get("$ref", ""))
            if name and name not in self._links:
                definition = self._definitions[name]
                for field, of_field in definition.get("properties", {}).items():
                    required = field in definition["required"]
                    yield from self._rows(below + field, of_field, required)

    def _type(self, schema: Schema) -> str:
        """The type of a value, in words; empty for null."""
        if "$ref" in schema:
            name = _last(schema["$ref"])
            definition = self._definitions[name]
            return self._links.get(name) or ("object" if "properties" in definition else "string")
        if "anyOf" in schema:
            return " or ".join(filter(None, map(self._type, schema["anyOf"])))
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return ", ".join(f"`{value}`" for value in schema["enum"] if value is not None)
        if "prefixItems" in schema:
            return "list of " + " and ".join(map(self._type, schema["prefixItems"]))
        if "items" in schema:
            return f"list of {self._type(schema['items'])}"
        if "additionalProperties" in schema:
            return f"object, each value {self._type(schema['additionalProperties'])}"
        return " or ".join(name for name in _types(schema) if name != "null")


def _kinds(data: Mapping[str, Schema], sent: Mapping[str, Collection[str]]) -> str:
    """Which platform sends which kind of event."""
    lines = [
        f"| kind | what happened | {' | '.join(sent)} |",
        f"|---|---|{'---|' * len(sent)}",
    ]
    for kind, of_kind in data.items():
        told = " | ".join("yes" if kind in kinds else "" for kinds in sent.values())
        lines.append(f"| [`{kind}`](#{kind}) | {of_kind['description']} | {told} |")
    return "\n".join(lines) + "\n"


def _data_of(definitions: Mapping[str, Schema], kind: str) -> Schema:
    """The definition of the data of a kind of event."""
    for option in definitions["EventItem"]["oneOf"]:
        of_kind = definitions[_last(option["$ref"])]["properties"]
        if of_kind["type"]["const"] == kind:
            data: Schema = definitions[_last(of_kind["data"]["$ref"])]
            return data
    raise KeyError(kind)


def _types(schema: Schema) -> list[str]:
    """The JSON types that a schema names."""
    named = schema.get("type", [])
    return [named] if isinstance(named, str) else named


def _last(pointer: str) -> str:
    return pointer.rpartition("/")[2]
