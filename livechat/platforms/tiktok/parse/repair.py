# SPDX-License-Identifier: MIT
"""Messages whose texts are not all UTF-8: the bad bytes are replaced, the message stays.

A parser refuses a whole message for one such byte.  So there is a second schema, made from the
first one, in which every text is bytes: with it the message is read, its texts are replaced, and
then it is read as what it is.  Only what could not be read otherwise comes here.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from livechat.platforms.tiktok import webcast_pb2 as schema

#: Longest message that is mended, in bytes; the largest recorded has 50 KB.
MAX_REPAIR: Final = 64 * 1024

_Schema = TypeVar("_Schema", bound=Message)


def repaired(kind: type[_Schema], data: bytes) -> _Schema | None:
    """The bytes as a message of that kind, each byte that is not UTF-8 replaced by U+FFFD.

    None when that does not make them one.
    """
    if len(data) > MAX_REPAIR:
        return None
    twin = _TWINS.FindMessageTypeByName(kind.DESCRIPTOR.full_name)
    try:
        message = GetMessageClass(twin).FromString(data)
        _mend(message, kind.DESCRIPTOR)
        return kind.FromString(message.SerializeToString())
    except DecodeError:
        return None


def _mend(message: Message, kind: Any) -> None:
    """Replace what is no text in a message of the second schema.

    :param kind: descriptor of the same message in the first one.
    """
    for field, value in message.ListFields():
        meant = kind.fields_by_number[field.number]
        several = isinstance(value, list) or hasattr(value, "append")
        if meant.type == FieldDescriptor.TYPE_STRING:
            if several:
                value[:] = [_text(one) for one in value]
            else:
                setattr(message, field.name, _text(value))
        elif meant.message_type is not None:
            for one in value if several else (value,):
                _mend(one, meant.message_type)


def _text(value: bytes) -> bytes:
    return value.decode("utf-8", "replace").encode()


def _twins() -> DescriptorPool:
    file = FileDescriptorProto()
    schema.DESCRIPTOR.CopyToProto(file)
    for message in file.message_type:
        _without_text(message)
    pool = DescriptorPool()
    pool.Add(file)
    return pool


def _without_text(message: DescriptorProto) -> None:
    for field in message.field:
        if field.type == FieldDescriptorProto.TYPE_STRING:
            field.type = FieldDescriptorProto.TYPE_BYTES


_TWINS: Final = _twins()
