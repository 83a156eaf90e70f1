# SPDX-License-Identifier: MIT
"""The JSON Schema (2020-12) of every client command and every server message.

Server messages are closed: a field that is not in a struct cannot reach a client.  Client commands
are open, because the server ignores fields that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args

from msgspec import UNSET, Struct, inspect
from msgspec.structs import fields

from livechat.contract.docstrings import field_texts, struct_text
from livechat.model.chat import ChatMessage, Element, Money
from livechat.model.event_data import KINDS, Choice, EventData
from livechat.model.events import ChannelEvent, UserTally
from livechat.protocol import messages
from livechat.protocol.commands import ClientMessage
from livechat.protocol.messages import ServerMessage

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

#: Structs that have another name in the schema.  A client sees whole messages, so these have the
#: plain names there, and what is inside of them is an item.
_NAMES: Final[Mapping[type[Struct], str]] = {
    messages.Chat: "ChatMessage",
    messages.Failure: "ErrorMessage",
    messages.Pong: "PongMessage",
    messages.Stats: "StatsMessage",
    messages.Status: "StatusMessage",
    ChatMessage: "ChatItem",
    Choice: "PollChoice",
    Element: "ContentElement",
    Money: "MonetaryData",
    UserTally: "StatsUser",
}


def protocol_schema() -> Schema:
    """The schema of the protocol, with the kinds of event that there are now."""
    found: dict[str, Schema] = {
        "EventKind": {"description": "A kind of event.", "type": "string", "enum": sorted(KINDS)}
    }
    client, server = (_Definitions(found, closed=closed) for closed in (False, True))
    client.one_of("ClientMessage", "Every message of a client.", get_args(ClientMessage))
    server.one_of("ServerMessage", "Every message of the server.", get_args(ServerMessage))
    # No message, but made of messages.
    server.struct(messages.History)
    return {
        "$schema": DIALECT,
        "title": "livechat",
        "description": "Every message of the client protocol of livechat, in both directions.",
        "oneOf": [_reference("ClientMessage"), _reference("ServerMessage")],
        "$defs": dict(sorted(found.items())),
    }


class _Definitions:
    """Adds definitions to those that there are.

    :param found: the schema of each definition, by name.
    :param closed: for what the server sends: there are no other fields, and all that are not UNSET
        are there.  Otherwise for what clients send: what has a default may be left out.
    """

    def __init__(self, found: dict[str, Schema], *, closed: bool) -> None:
        self._found = found
        self._closed = closed

    def one_of(self, name: str, text: str, structs: Iterable[type[Struct]]) -> None:
        """Define what is one of several structs."""
        options = [self.struct(struct) for struct in structs]
        self._found[name] = {"description": text, "oneOf": options}

    def struct(self, struct: type[Struct]) -> Schema:
        """The reference to a struct, which is defined where it is not yet."""
        if struct is ChannelEvent:
            return self._event()
        if struct is EventData:
            # Each kind of event has its own.
            return {}
        name = _NAMES.get(struct, struct.__name__)
        if issubclass(struct, EventData):
            name = f"{_title(struct.kind)}Data"
        if name not in self._found:
            # It stands there before its fields are looked at, as they may refer to it.
            self._found[name] = {}
            self._found[name] |= self._object(struct)
        return _reference(name)

    def _object(self, struct: type[Struct]) -> Schema:
        described = inspect.type_info(struct)
        assert isinstance(described, inspect.StructType)
        texts = field_texts(struct)
        default = {field.encode_name: field.default for field in fields(struct)}
        properties: Schema = {}
        required = []
        if described.tag_field is not None:
            properties[described.tag_field] = {"const": described.tag}
            required.append(described.tag_field)
        for field in described.fields:
            name = field.encode_name
            text = {"description": texts[name]} if name in texts else {}
            properties[name] = text | self._type(field.type)
            if default[name] is not UNSET if self._closed else field.required:
                required.append(name)
        schema = {
            "description": struct_text(struct),
            "type": "object",
            "properties": properties,
            "required": required,
        }
        is_closed = self._closed or described.forbid_unknown_fields
        return schema | ({"additionalProperties": False} if is_closed else {})

    def _event(self) -> Schema:
        """The reference to an event of any kind: one definition for each."""
        if "EventItem" not in self._found:
            item = self._object(ChannelEvent)
            options = []
            for kind, data in sorted(KINDS.items()):
                name = f"{_title(kind)}Event"
                properties = item["properties"] | {"type": {"const": kind}}
                properties["data"] = self.struct(data)
                text = {"description": struct_text(data)}
                self._found[name] = item | text | {"properties": properties}
                options.append(_reference(name))
            self._found["EventItem"] = {"description": item["description"], "oneOf": options}
        return _reference("EventItem")

    def _type(self, type_: inspect.Type) -> Schema:
        """The schema of a field's type."""
        match type_:
            case inspect.Metadata(extra_json_schema=extra) if extra is not None:
                return extra
            case inspect.NoneType():
                return {"type": "null"}
            case inspect.BoolType():
                return {"type": "boolean"}
            case inspect.StrType(low, high, pattern):
                return _typed("string", minLength=low, maxLength=high, pattern=pattern)
            case inspect.IntType(ge=low, le=high):
                return _typed("integer", minimum=low, maximum=high)
            case inspect.FloatType(ge=low, le=high):
                return _typed("number", minimum=low, maximum=high)
            case inspect.LiteralType(values):
                return {"enum": list(values)}
            case inspect.EnumType(enum):
                return {"enum": [member.value for member in enum]}
            case inspect.ListType(item, low, high):
                items = {"items": self._type(item)}
                return _typed("array", minItems=low, maxItems=high) | items
            case inspect.TupleType(items):
                return {
                    "type": "array",
                    "prefixItems": [self._type(item) for item in items],
                    "items": False,
                    "minItems": len(items),
                }
            case inspect.DictType(value_type=value):
                return {"type": "object", "additionalProperties": self._type(value)}
            case inspect.StructType(struct):
                return self.struct(struct)
            case inspect.UnionType(types):
                return _any_of([self._type(option) for option in types])
        # Of what a platform from outside has made up nothing more can be said.
        return {}


def _typed(name: str, **limits: object) -> Schema:
    given = {limit: value for limit, value in limits.items() if value is not None}
    return {"type": name, **given}


def _any_of(options: list[Schema]) -> Schema:
    """What fits one of several schemas, as short as JSON Schema can say it."""
    # Every integer is a number.
    if {"type": "number"} in options:
        options = [option for option in options if option != {"type": "integer"}]
    null = {"type": "null"}
    others = [option for option in options if option != null]
    if len(others) == 1 and null in options:
        (other,) = others
        if "enum" in other:
            return {**other, "enum": [*other["enum"], None]}
        if "type" in other:
            return {**other, "type": [other["type"], "null"]}
    return others[0] if len(options) == 1 else {"anyOf": options}


def _title(kind: str) -> str:
    """`watch_streak` as `WatchStreak`."""
    return "".join(word[:1].upper() + word[1:] for word in kind.replace("-", "_").split("_"))


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
