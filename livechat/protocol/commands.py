# SPDX-License-Identifier: MIT
"""The commands of a client: what each may hold, and how it is read.

The structs are the description of the commands: the contract files and the tables of the
documentation are made from them.  They are read field by field, because a wrong value is answered
with a code of its own or with the field's name.

Pure: decodes, and knows no connection.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import fields as fields_of

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.protocol.filters import UNDECODABLE, Filter, read_filter

#: Longest identifier that is looked at, in characters; a URL may be this long.
MAX_IDENTIFIER: Final = 2048

#: Longest `id` in characters, as text or as the digits of a number.
MAX_ID: Final = 64

#: Most publications that a subscriber may ask for.
MAX_HISTORY: Final = 1000

#: Most seconds for which chats are held.
MAX_HOLD: Final = 60

#: What a client calls one of its commands.
Id = Annotated[str, Meta(max_length=MAX_ID)] | int | float

#: A kind of event; which kinds there are, the schema says where it defines them.
EventKind = Annotated[str, Meta(extra_json_schema={"$ref": "#/$defs/EventKind"})]

#: Which lives of a channel are meant that has several at once.
Lives = Literal["first", "all"]

Identifier = Annotated[str, Meta(min_length=1, max_length=MAX_IDENTIFIER)]
IdentifierType = Literal["username", "channelId", "liveId"]


class Since(Struct, frozen=True):
    """A place in the order of a channel.

    :ivar epoch: which order, as `started` named it.
    :ivar seq: the number of the last publication that the client has.
    """

    epoch: Annotated[str, Meta(max_length=64)]
    seq: Annotated[int, Meta(ge=0)]


class SubscribeOptions(Struct, frozen=True, kw_only=True):
    """How a chat is delivered.  An option that is null is as if it were absent.

    :ivar id: echoed in every status and error that answers the command or later concerns the chat.
    :ivar events: `true` for all kinds of event, or a list of kinds; none if absent.
    :ivar stats: whether statistics are pushed, or how often: every so many seconds.
    :ivar mirrored: `false` leaves out what is mirrored from another room of a shared chat.
    :ivar history: so many of the last publications are sent after `started`, oldest first.
    :ivar since: every publication after this place is sent after `started`, as far as it is kept.
    :ivar wait: `true`: a channel that is not live is waited for, and so is the next stream after an
        end; `status` messages say where that stands.
    :ivar lives: `first`: the live that the channel shows; `all`: every one of a YouTube channel
        that has several at once.
    :ivar filter: which chats are delivered; all if absent.
    :ivar hold: so many seconds after they came chats are delivered, unless they are deleted or
        their authors timed out meanwhile.
    """

    id: Id | None = None
    events: bool | list[EventKind] | None = None
    stats: bool | Annotated[float, Meta(ge=1, le=3600)] | None = True
    mirrored: bool | None = True
    history: Annotated[int, Meta(ge=0, le=MAX_HISTORY)] | None = 0
    since: Since | None = None
    wait: bool | None = False
    lives: Lives | None = "first"
    filter: Filter | None = None
    hold: Annotated[float, Meta(ge=0, le=MAX_HOLD)] | None = 0


class Subscribe(SubscribeOptions, frozen=True, kw_only=True, tag_field="type", tag="subscribe"):
    """Asks for a chat; for one that is held, states all its options anew.

    :ivar platform: `youtube` if absent, or the platform whose URL the identifier is.
    :ivar identifier: the channel: a name with or without `@`, an id or a URL.
    :ivar identifier_type: what kind of identifier it is.
    """

    platform: str | UnsetType = UNSET
    identifier: Identifier
    identifier_type: IdentifierType = msgspec.field(default="username", name="identifierType")


class Unsubscribe(Struct, frozen=True, kw_only=True, tag_field="type", tag="unsubscribe"):
    """Lets go of a chat: of the one named, or of the one subscribed last that is still held.

    :ivar platform: as in `subscribe`.
    :ivar identifier: as in `subscribe`.
    :ivar identifier_type: as in `subscribe`.
    :ivar id: echoed in the answer.
    """

    platform: str | UnsetType = UNSET
    identifier: Identifier | UnsetType = UNSET
    identifier_type: IdentifierType = msgspec.field(default="username", name="identifierType")
    id: Id | None = None


class GetStats(Struct, frozen=True, kw_only=True, tag_field="type", tag="get_stats"):
    """Asks for the statistics of a chat: of the one named, or of the one subscribed last.

    :ivar platform: as in `subscribe`.
    :ivar identifier: as in `subscribe`.
    :ivar identifier_type: as in `subscribe`.
    :ivar id: echoed in the answer.
    """

    platform: str | UnsetType = UNSET
    identifier: Identifier | UnsetType = UNSET
    identifier_type: IdentifierType = msgspec.field(default="username", name="identifierType")
    id: Id | None = None


class Ping(Struct, frozen=True, kw_only=True, tag_field="type", tag="ping"):
    """Asks for a `pong`: a heartbeat that a program in a browser can see.

    :ivar id: echoed in the answer.
    """

    id: Id | None = None


ClientMessage = Subscribe | Unsubscribe | GetStats | Ping


class Command(Struct, frozen=True):
    """What a client sent, before anybody asked whether it makes sense.

    :ivar type: any JSON value; UNSET means the field was not there.
    :ivar fields: the JSON of every field; what nobody reads is not decoded.
    """

    type: object
    fields: dict[str, Raw]

    def value(self, name: str) -> object:
        """Any JSON value; UNSET means the field is not there.

        A value that cannot be held, such as a number out of range, is None.
        """
        raw = self.fields.get(name)
        if raw is None:
            return UNSET
        try:
            return _value_decoder.decode(raw)
        except UNDECODABLE:
            return None

    @property
    def id(self) -> Id | None:
        """The `id` for the answer, or None if there is none that can be echoed."""
        try:
            return read_id(self)
        except ChatError:
            return None


def decode_command(payload: bytes) -> Command:
    """One client message.

    :raises ChatError: `INVALID_MESSAGE_TYPE`, the payload is not a JSON object.
    """
    try:
        fields = _fields_decoder.decode(payload)
        kind = fields.get("type")
        return Command(UNSET if kind is None else _value_decoder.decode(kind), fields)
    # Nesting beyond the interpreter's depth is a RecursionError; bad UTF-8 inside a string is
    # reported as such.
    except UNDECODABLE:
        raise error_catalogue.NOT_A_COMMAND.error() from None


def read_id(command: Command) -> Id | None:
    """The `id` of a command, or None if it has none.

    :raises ChatError: `INVALID_OPTION`.
    """
    found: Id | None = _option(command, "id")
    if not isinstance(found, str) and len(str(found)) > MAX_ID:
        raise error_catalogue.WRONG_ID.error()
    return found


def read_options(command: Command) -> SubscribeOptions:
    """The options of a `subscribe`.

    :raises ChatError: `INVALID_OPTION`, with the option's name in `details`.
    """
    read_id(command)
    return SubscribeOptions(
        **{name: value for name in _OPTIONS if (value := _option(command, name)) is not None}
    )


def _option(command: Command, name: str) -> Any:
    """The value of an option; None if it has none."""
    raw = command.fields.get(name)
    if raw is None:
        return None
    if name == "filter":
        return read_filter(raw)
    decoder, wrong = _OPTIONS[name]
    try:
        return decoder.decode(raw)
    except UNDECODABLE:
        raise wrong.error() from None


_fields_decoder: Final = msgspec.json.Decoder(dict[str, Raw])
_value_decoder: Final = msgspec.json.Decoder()

_WRONG: Final = {
    "id": error_catalogue.WRONG_ID,
    "events": error_catalogue.EVENTS_NOT_A_LIST,
    "stats": error_catalogue.WRONG_STATS,
    "mirrored": error_catalogue.WRONG_MIRRORED,
    "history": error_catalogue.WRONG_HISTORY,
    "since": error_catalogue.WRONG_SINCE,
    "wait": error_catalogue.WRONG_WAIT,
    "lives": error_catalogue.WRONG_LIVES,
    "filter": error_catalogue.WRONG_FILTER,
    "hold": error_catalogue.WRONG_HOLD,
}

#: How each option is read, and what is wrong where it cannot be.
_OPTIONS: Final = {
    option.encode_name: (msgspec.json.Decoder(option.type), _WRONG[option.encode_name])
    for option in fields_of(SubscribeOptions)
}
