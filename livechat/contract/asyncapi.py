# SPDX-License-Identifier: MIT
"""The client protocol as an AsyncAPI 3 document, made from its JSON Schema.

AsyncAPI's own tools read JSON Schema as it was in draft 7, so the definitions are written in what
both drafts have in common.
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

#: Of the protocol, not of the program.  Additions do not change it.
VERSION: Final = "1.0.0"

_GET: Final = {"http": {"method": "GET", "bindingVersion": "0.3.0"}}


def asyncapi(schema: Schema) -> Schema:
    """The document.

    :param schema: the JSON Schema of the protocol.
    """
    definitions = schema["$defs"]
    sides = {
        side: [_last(option["$ref"]) for option in definitions[side]["oneOf"]]
        for side in ("ClientMessage", "ServerMessage")
    }
    names = [*sides["ClientMessage"], *sides["ServerMessage"], "History"]
    # Nobody can ask for a pong there.
    streamed = [name for name in sides["ServerMessage"] if name != "PongMessage"]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": schema["title"],
            "version": VERSION,
            "description": schema["description"]
            + " Every message is one JSON object in one text frame.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "websocket": _server("ws", "A daemon. With TLS the protocol is wss."),
            "http": _server("http", "The same daemon. With TLS the protocol is https."),
        },
        "channels": {
            "websocket": {
                "address": "/ws",
                "title": "WebSocket",
                "description": "One connection holds any number of chats. The address / does the "
                "same.",
                "servers": [_pointer("servers", "websocket")],
                "messages": {
                    name: _pointer("components/messages", name)
                    for side in sides.values()
                    for name in side
                },
                "bindings": {"ws": {"method": "GET"}},
            },
            "sse": {
                "address": "/sse",
                "title": "Server-sent events",
                "description": "The query is a subscribe: its fields are the parameters, and lists "
                "are joined by commas. Each message is the data of one event.",
                "servers": [_pointer("servers", "http")],
                "messages": {name: _pointer("components/messages", name) for name in streamed},
            },
            "history": {
                "address": "/history/{platform}/{identifier}",
                "title": "History",
                "description": "What is kept of a channel: the last limit messages, or those after "
                "since (epoch and seq with a colon between them).",
                "servers": [_pointer("servers", "http")],
                "parameters": {
                    "platform": {"description": "The platform."},
                    "identifier": {"description": "The channel, as in a subscribe."},
                },
                "messages": {"History": _pointer("components/messages", "History")},
            },
        },
        "operations": {
            "receive": _operation(
                "receive", "websocket", "Commands of a client.", sides["ClientMessage"]
            ),
            "send": _operation(
                "send", "websocket", "Messages to a client.", sides["ServerMessage"]
            ),
            "stream": {
                **_operation("send", "sse", "Messages to a client.", streamed),
                "bindings": _GET,
            },
            "read": {
                **_operation("send", "history", "What is kept of a channel.", ["History"]),
                "bindings": _GET,
            },
        },
        "components": {
            "messages": {
                name: {
                    "name": definitions[name]["properties"].get("type", {}).get("const", "history"),
                    "title": name,
                    "summary": definitions[name]["description"],
                    "contentType": "application/json",
                    "payload": _pointer("components/schemas", name),
                }
                for name in names
            },
            "schemas": {
                name: _draft_7(definition)
                for name, definition in definitions.items()
                if name not in sides
            },
        },
    }


def _server(protocol: str, text: str) -> Schema:
    return {
        "host": "{host}",
        "protocol": protocol,
        "description": text,
        "variables": {"host": {"default": "localhost:3000"}},
    }


def _operation(action: str, channel: str, summary: str, names: list[str]) -> Schema:
    return {
        "action": action,
        "channel": _pointer("channels", channel),
        "summary": summary,
        "messages": [_pointer(f"channels/{channel}/messages", name) for name in names],
    }


def _pointer(place: str, name: str) -> Schema:
    return {"$ref": f"#/{place}/{name}"}


def _last(pointer: str) -> str:
    return pointer.rpartition("/")[2]


def _draft_7(schema: Any) -> Any:
    """A schema as draft 7 writes it, with references to where the definitions are here."""
    if isinstance(schema, list):
        return [_draft_7(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        reference = _pointer("components/schemas", _last(schema["$ref"]))
        # Beside a reference draft 7 reads nothing else.
        rest = {name: value for name, value in schema.items() if name != "$ref"}
        return {**rest, "allOf": [reference]} if rest else reference
    written = {name: _draft_7(value) for name, value in schema.items()}
    if "prefixItems" in written:
        written["additionalItems"] = written.pop("items")
        written["items"] = written.pop("prefixItems")
    return written
