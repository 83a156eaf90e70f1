# SPDX-License-Identifier: MIT
"""The documents of the client protocol, as they are served and as they lie beside the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from msgspec import json

from livechat.contract.asyncapi import asyncapi
from livechat.contract.schema import protocol_schema
from livechat.contract.typescript import declarations

#: What is written by hand of the types: those of the JavaScript client itself.
CLIENT_TYPES: Final = Path(__file__).with_name("client.d.ts")

_HEAD: Final = """\
// SPDX-License-Identifier: MIT
// Types of livechat.js, and of everything that its server sends and takes.
"""


def documents() -> dict[str, bytes]:
    """Each document by the name of its file, with the kinds of event that there are now."""
    schema = protocol_schema()
    types = "\n".join((_HEAD, declarations(schema), CLIENT_TYPES.read_text(encoding="utf-8")))
    return {
        "schema.json": _json(schema),
        "asyncapi.json": _json(asyncapi(schema)),
        "livechat.d.ts": types.encode(),
    }


def _json(document: Any) -> bytes:
    return json.format(json.encode(document), indent=1) + b"\n"
