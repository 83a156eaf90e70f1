# SPDX-License-Identifier: MIT
"""What the documentation of a struct says about it and about each of its fields."""

from __future__ import annotations

import re
from inspect import cleandoc
from typing import Final

from msgspec import Struct
from msgspec.structs import fields

_FIELD: Final = re.compile(r"^:ivar (\w+): (.*?)(?=^:|\Z)", re.MULTILINE | re.DOTALL)


def struct_text(struct: type[Struct]) -> str:
    """What a struct is: everything before its fields, in one line."""
    return _line(cleandoc(vars(struct).get("__doc__") or "").partition("\n:ivar ")[0])


def field_texts(struct: type[Struct]) -> dict[str, str]:
    """What each documented field is, by its name on the wire; those of the struct's bases, too."""
    found: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        text = cleandoc(vars(base).get("__doc__") or "")
        if issubclass(base, Struct) and base is not Struct:
            found |= {name: _line(said) for name, said in _FIELD.findall(text)}
    wire_names = {field.name: field.encode_name for field in fields(struct)}
    return {wire_names.get(name, name): text for name, text in found.items()}


def _line(text: str) -> str:
    """The text in one line; a sentence begins with a capital letter."""
    line = " ".join(text.split())
    return line[:1].upper() + line[1:]
