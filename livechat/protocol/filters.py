# SPDX-License-Identifier: MIT
"""The `filter` of a `subscribe`: which chats are delivered, and how it is read.

Pure: decodes.  What the conditions mean is in `livechat.core.filters`.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import fields as fields_of

from livechat.model import error_catalogue

#: Most entries of a list, and the longest entry in characters.
MAX_ENTRIES: Final = 100
MAX_ENTRY: Final = 100

_Entry = Annotated[str, Meta(min_length=1, max_length=MAX_ENTRY)]
_Entries = Annotated[list[_Entry], Meta(max_length=MAX_ENTRIES)]
_Type = Literal["chat", "super_chat"]
_Role = Literal["broadcaster", "moderator", "subscriber", "verified"]


class Filter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which chats are delivered: those for which all given conditions hold.

    :ivar only_types: types of message; others are left out.
    :ivar only_roles: roles; who has none of them is left out.
    :ivar only_users: logins, handles or display names, with or without `@`; others are left out.
    :ivar exclude_users: the same; who is named is left out.
    :ivar only_words: whole words, or emote codes; what has none of them is left out.
    :ivar exclude_words: the same; what has any of them is left out.
    :ivar exclude_prefixes: what begins with any of them is left out.
    :ivar max_length: of `raw` in Unicode code points; what is longer is left out.
    """

    only_types: Annotated[list[_Type], Meta(max_length=MAX_ENTRIES)] | None = None
    only_roles: Annotated[list[_Role], Meta(max_length=MAX_ENTRIES)] | None = None
    only_users: _Entries | None = None
    exclude_users: _Entries | None = None
    only_words: _Entries | None = None
    exclude_words: _Entries | None = None
    exclude_prefixes: _Entries | None = None
    max_length: Annotated[int, Meta(ge=0)] | None = None


def read_filter(raw: Raw) -> Filter | None:
    """The filter that a command carries; None for `null`.

    :raises ChatError: `INVALID_OPTION`, with `filter` or `filter.` and a key in `details`.
    """
    try:
        given = _keys_decoder.decode(raw)
    except UNDECODABLE:
        raise error_catalogue.WRONG_FILTER.error() from None
    if given is None:
        return None
    for name in given:
        if name not in _CONDITIONS:
            shown = name[:MAX_ENTRY]
            raise error_catalogue.UNKNOWN_CONDITION.error(f"filter.{shown}")
    return Filter(**{name: _condition(name, value) for name, value in given.items()})


def _condition(name: str, raw: Raw) -> Any:
    try:
        return _CONDITIONS[name].decode(raw)
    except UNDECODABLE:
        raise error_catalogue.WRONG_CONDITION.error(f"filter.{name}") from None


#: What decoding raises: nesting beyond the interpreter's depth is a RecursionError.
UNDECODABLE: Final = (msgspec.MsgspecError, RecursionError, UnicodeError)
_keys_decoder: Final = msgspec.json.Decoder(dict[str, Raw] | None)
_CONDITIONS: Final = {
    condition.encode_name: msgspec.json.Decoder(condition.type) for condition in fields_of(Filter)
}
