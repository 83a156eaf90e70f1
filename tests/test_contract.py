# SPDX-License-Identifier: MIT
"""The documents of the client protocol: what they allow, and that they are current."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, get_args

from jsonschema_rs import meta
from msgspec import Struct, json
from msgspec.structs import fields
from twisted.trial.unittest import SynchronousTestCase

from livechat.contract.docstrings import field_texts, struct_text
from livechat.contract.schema import protocol_schema
from livechat.contract.tables import with_tables
from livechat.contract.typescript import declarations, type_text
from livechat.model.errors import ErrorCode
from livechat.model.event_data import KINDS, EventData
from livechat.protocol.commands import ClientMessage
from livechat.protocol.messages import ServerMessage
from tests.support import golden
from tests.support.examples import examples
from tests.support.schema import Frames

ROOT = Path(__file__).resolve().parents[1]


def raid(**more: Any) -> dict[str, Any]:
    """An event message."""
    data = {"direction": "incoming", "user": None, "viewers": 7, **more}
    item = {"type": "raid", "platform": "p", "timestamp": "t", "event_id": "e", "room_id": "r"}
    envelope = {"platform": "p", "identifier": "i", "seq": 1}
    return {"type": "event", "data": {**item, "data": data}, **envelope}


class SchemaTests(SynchronousTestCase):
    """What the schema allows."""

    def setUp(self) -> None:
        """The schema as it is now."""
        self.schema = protocol_schema()
        self.frames = Frames(self.schema)

    def allowed(self, message: Any) -> list[str]:
        """Whose message it is, by the schema."""
        found = []
        for side in ("ClientMessage", "ServerMessage"):
            try:
                self.frames.check(message, side)
                found.append(side)
            except AssertionError:
                pass
        return found

    def test_dialect(self) -> None:
        """It is valid by its own dialect."""
        meta.validate(self.schema)
        self.assertEqual(self.schema["$schema"], "https://json-schema.org/draft/2020-12/schema")

    def test_server_messages(self) -> None:
        """Whatever a struct can hold is allowed: each field absent, null, and of each type."""
        seen = 0
        for struct in get_args(ServerMessage):
            for message in examples(struct):
                self.frames.check(json.decode(json.encode(message)))
                seen += 1
        self.assertGreater(seen, 300)

    def test_commands(self) -> None:
        """So it is with commands; what has a default may be left out as well."""
        for struct in get_args(ClientMessage):
            for message in examples(struct):
                self.frames.check(json.decode(json.encode(message)), "ClientMessage")
        for command in (
            {"type": "subscribe", "identifier": "ann"},
            {"type": "unsubscribe"},
            {"type": "get_stats"},
            {"type": "ping", "id": 7},
            {"type": "subscribe", "identifier": "a", "events": ["raid"], "nobody knows": 1},
        ):
            self.assertEqual(self.allowed(command), ["ClientMessage"], command)

    def test_nothing_else(self) -> None:
        """Other values are no messages, and server messages have no other fields."""
        status = {"type": "status", "status": "started"}
        error = {"type": "error", "error": "No", "code": "STREAM_ENDED"}
        for message, fine in (
            (status, True),
            ({**status, "more": 1}, False),
            ({**status, "live": None}, True),
            ({**status, "liveId": None}, False),
            ({"type": "status"}, False),
            (error, True),
            ({**error, "code": "NEVER"}, False),
            ({**error, "temporary": "yes"}, False),
            (raid(), True),
            (raid(viewers=None), True),
            (raid(viewers="7"), False),
            (raid(viewers=7.5), False),
            (raid(n=1), False),
            (raid(direction="sideways"), False),
            ({"type": "subscribe"}, False),
            ({"type": "dance"}, False),
            ({}, False),
            ([], False),
            (None, False),
        ):
            self.assertEqual(bool(self.allowed(message)), fine, message)

    def test_kinds(self) -> None:
        """The type of an event says which struct its data is."""
        for kind in KINDS:
            message = raid()
            message["data"]["type"] = kind
            self.assertEqual(bool(self.allowed(message)), kind == "raid", kind)

    def test_wrong_commands(self) -> None:
        """A value that the server refuses is refused by the schema."""
        for field, value in (
            ("events", ["raids"]),
            ("stats", 0.5),
            ("stats", "often"),
            ("history", -1),
            ("history", True),
            ("since", {"epoch": "e"}),
            ("id", "x" * 65),
            ("identifier", ""),
            ("identifierType", "name"),
        ):
            command = {"type": "subscribe", "identifier": "ann", field: value}
            self.assertEqual(self.allowed(command), [], command)

    def test_codes(self) -> None:
        """An error has one of the codes that there are."""
        codes = self.schema["$defs"]["ErrorMessage"]["properties"]["code"]["enum"]
        self.assertEqual(codes, list(ErrorCode))

    def test_documented(self) -> None:
        """Everything is described, of a known type, and used."""
        self.assertEqual(list(self._undescribed()), [])
        used = set(re.findall(r'"#/\$defs/(\w+)"', json.encode(self.schema).decode()))
        # The answer of an address is not part of a message.
        self.assertEqual(set(self.schema["$defs"]) - used, {"History"})

    def _undescribed(self) -> Iterator[str]:
        for name, definition in self.schema["$defs"].items():
            if not definition["description"]:
                yield name
            for field, of_field in definition.get("properties", {}).items():
                said = of_field.keys() - {"description"}
                constant = said == {"const"}
                data = name.endswith("Event") and field == "data"
                if not said or not (of_field.get("description") or constant or data):
                    yield f"{name}.{field}"

    def test_from_outside(self) -> None:
        """A kind that a platform from outside adds is in the schema of its installation."""

        class Bell(EventData, frozen=True, kw_only=True):
            """The bell rang."""

            kind: ClassVar[str] = "big-bell"

            # Of a type of which the schema says nothing, and without a word about it.
            tone: complex

        KINDS["big-bell"] = Bell
        self.addCleanup(KINDS.pop, "big-bell")
        schema = protocol_schema()
        meta.validate(schema)
        self.assertIn("big-bell", schema["$defs"]["EventKind"]["enum"])
        message = raid()
        message["data"] |= {"type": "big-bell", "data": {"tone": [1]}}
        Frames(schema).check(message)
        self.assertIn("BigBellEvent", declarations(schema))


class DocstringTests(SynchronousTestCase):
    """What is read of the documentation of a struct."""

    def test_names(self) -> None:
        """Fields have the names of the wire; what is inherited is there, too."""

        class Upper(Struct):
            """Above.

            :ivar one: the first.
            """

            one: int

        class Lower(Upper, rename={"two": "zwei"}):
            """Below,
            in two lines.

            More about it.

            :ivar two: the second,
                in two lines.
            """

            two: int

        self.assertEqual(struct_text(Lower), "Below, in two lines. More about it.")
        texts = {"one": "The first.", "zwei": "The second, in two lines."}
        self.assertEqual(field_texts(Lower), texts)
        self.assertEqual([field.encode_name for field in fields(Lower)], list(texts))

    def test_nothing(self) -> None:
        """A struct without documentation has none, and not msgspec's."""

        class Silent(Struct):
            one: int

        self.assertEqual((struct_text(Silent), field_texts(Silent)), ("", {}))


class TypeScriptTests(SynchronousTestCase):
    """JSON Schema as TypeScript."""

    def test_types(self) -> None:
        """One type for each sort of schema."""
        for schema, text in (
            ({"type": "string", "maxLength": 3}, "string"),
            ({"type": ["integer", "null"]}, "number | null"),
            ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "number"),
            ({"$ref": "#/$defs/Person"}, "Person"),
            ({"const": 'a "b"'}, '"a \\"b\\""'),
            ({"enum": ["a", None]}, '"a" | null'),
            ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a" | "b")[]'),
            ({"type": "array", "prefixItems": [{"type": "string"}], "items": False}, "[string]"),
            ({"type": "object", "additionalProperties": {}}, "Record<string, unknown>"),
            ({"description": "Anything."}, "unknown"),
        ):
            self.assertEqual(type_text(schema), text)

    def test_comments(self) -> None:
        """A description is a comment and never ends it; a long one has several lines."""
        schema = {"description": "Ends */ here. " + "word " * 30, "properties": {}}
        text = declarations({"$defs": {"Odd": schema}})
        self.assertEqual(text.count("*/"), 1)
        self.assertTrue(all(len(line) <= 100 for line in text.splitlines()))


class CurrentTests(SynchronousTestCase):
    """The files of the sources are what the structs make of them."""

    def test_files(self) -> None:
        """`make contract` would change no file."""
        tool = runpy.run_path(str(ROOT / "tools" / "write_contract.py"))
        files = tool["contract_files"]()
        self.assertGreaterEqual(len(files), 4)
        for path, text in files.items():
            golden.check_file(self, path, text, "make it with: make contract")

    def test_tables(self) -> None:
        """A table stands between its marks; a page that wants an unknown one is wrong."""
        page = "a\n<!-- table: x -->\nold\n<!-- end -->\nb\n"
        made = with_tables(page, {"x": "| new |\n"})
        self.assertEqual(made, "a\n<!-- table: x -->\n\n| new |\n\n<!-- end -->\nb\n")
        self.assertEqual(with_tables(made, {"x": "| new |\n"}), made)
        self.assertRaises(KeyError, with_tables, page, {})
