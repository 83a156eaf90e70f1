# SPDX-License-Identifier: MIT
"""Values of structs, made from their fields alone: with as little and with as much as there can be.

What msgspec makes of them is what a server may send; a schema that is right takes all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar

from msgspec import UNSET, Struct, inspect
from msgspec.structs import fields

from livechat.model.event_data import KINDS, EventData
from livechat.model.events import ChannelEvent

S = TypeVar("S", bound=Struct)


def examples(struct: type[Struct]) -> Iterator[Struct]:
    """One value with the fields that must be there, and one for each value that a field may have.

    Parts are as full as they can be.
    """
    if struct is ChannelEvent:
        for data in KINDS.values():
            for one in examples(data):
                assert isinstance(one, EventData)
                yield ChannelEvent.of(one, "p", "t", "e", "r")
        return
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    absent = {field.name: UNSET for field in fields(struct) if field.default is UNSET}
    values = {field.name: list(_values(field.type)) for field in described.fields}
    usual = {name: several[0] for name, several in values.items()}
    yield struct(**{**usual, **absent})
    for name, several in values.items():
        yield from (struct(**{**usual, name: value}) for value in several)


def least(struct: type[S]) -> S:
    """A value with the fields that must be there, and no other."""
    made = _least(struct)
    assert isinstance(made, struct)
    return made


@cache
def _least(struct: type[Struct]) -> Struct:
    return next(examples(struct))


def _values(type_: inspect.Type) -> Iterator[Any]:
    """Some values of a type, of each sort that it has."""
    match type_:
        case inspect.Metadata(extra_json_schema={"$ref": "#/$defs/EventKind"}):
            yield from KINDS
        case inspect.UnionType(types):
            for option in types:
                yield from _values(option)
        case inspect.StructType(struct):
            yield from examples(struct)
        case inspect.ListType(item):
            yield list(_values(item))
            yield []
        case inspect.TupleType(items):
            yield tuple(next(_values(item)) for item in items)
        case inspect.DictType(value_type=value):
            yield {f"k{number}": one for number, one in enumerate(_values(value))}
            yield {}
        case inspect.LiteralType(values):
            yield from values
        case inspect.EnumType(enum):
            yield from enum
        case inspect.StrType():
            yield "x"
        case inspect.IntType():
            yield 1
        case inspect.FloatType():
            yield 1.5
        case inspect.BoolType():
            yield True
        case inspect.NoneType():
            yield None
        case _:
            raise TypeError(f"no values of {type_}")
