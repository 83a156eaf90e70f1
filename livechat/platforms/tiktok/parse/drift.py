# SPDX-License-Identifier: MIT
"""What TikTok has added to its messages: fields and values that our schema does not know.

A field is known if the schema has it or reserves its number.  Looking through a whole message costs
more than reading it, so only a sample is looked at (see `Translator`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice
from typing import Final

from google.protobuf.descriptor_pb2 import DescriptorProto
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from livechat.platforms.tiktok import webcast_pb2 as schema

#: The values of enumerations that only pictures and labels depend on (docs/wire/tiktok.md#values).
#: Those that decide what a message means are looked at where that is decided.
_VALUES: Final[Mapping[str, Mapping[str, range | frozenset[int]]]] = {
    "UserBadge": {"scene_type": range(15), "display_type": range(5)},
    "Gift": {"type": frozenset({0, 1, 2, 4})},
}

#: Longest message that is looked at, in bytes: a list of all its unknown fields is made at once.
MAX_LOOK: Final = 128 * 1024

#: Most unknown fields of one message, most parts of one field, most names and levels of nesting.
_MAX_FIELDS: Final = 32
_MAX_PARTS: Final = 8
_MAX_NAMES: Final = 64
_MAX_DEPTH: Final = 8


def unknown_parts(message: Message, name: str) -> set[str]:
    """Names of what is unknown in a message: `MESSAGE.FIELDNUMBER` and `MESSAGE.FIELD=VALUE`.

    :param name: of the message; the parts of it have the names of the schema.
    """
    found: set[str] = set()
    _look(message, name, found, _MAX_DEPTH)
    return found


def unknown_fields(message: Message, name: str, size: int = 0) -> list[str]:
    """The same without what is inside its parts: cheap enough for every message.

    :param size: bytes of the message; nothing is found in one that is too long.
    """
    if size > MAX_LOOK:
        return []
    fields = UnknownFieldSet(message)
    if not len(fields):
        return []
    reserved = _reserved(message.DESCRIPTOR.full_name)
    numbers = (fields[at].field_number for at in range(min(len(fields), _MAX_FIELDS)))
    return [f"{name}.{number}" for number in numbers if number not in reserved]


def _look(message: Message, name: str, found: set[str], depth: int) -> None:
    if len(found) >= _MAX_NAMES:
        return
    found.update(unknown_fields(message, name))
    values = _VALUES.get(message.DESCRIPTOR.name, {})
    for field, value in message.ListFields():
        if field.name in values and value not in values[field.name]:
            found.add(f"{name}.{field.name}={value}")
        if depth and field.message_type is not None:
            parts = islice(value, _MAX_PARTS) if hasattr(value, "append") else (value,)
            for part in parts:
                _look(part, part.DESCRIPTOR.name, found, depth - 1)


@cache
def _reserved(message: str) -> frozenset[int]:
    written = DescriptorProto()
    schema.DESCRIPTOR.pool.FindMessageTypeByName(message).CopyToProto(written)
    return frozenset(
        number for one in written.reserved_range for number in range(one.start, one.end)
    )
