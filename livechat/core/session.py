# SPDX-License-Identifier: MIT
"""One client's conversation: commands in, answers out, and which chats it holds.

The rules are those of the wire contract (`docs/protocol.md`): several chats per connection, a bare
`unsubscribe` or `get_stats` acts on the chat subscribed last that is still held.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET, Struct
from msgspec.structs import replace
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from livechat.core.hub import Hub
from livechat.core.naming import AboutChat, Meant, Names
from livechat.core.options import Options, taking_removals, understood
from livechat.core.ports import IPlatform, ISubscriber
from livechat.core.subscription import Subscription
from livechat.metrics import Metrics
from livechat.model import error_catalogue
from livechat.model.errors import ChatError, CloseCode, ErrorCode
from livechat.model.events import ChannelKey
from livechat.pacing import TokenBucket
from livechat.protocol.commands import (
    Command,
    Id,
    decode_command,
    read_id,
    read_options,
)
from livechat.protocol.messages import (
    Pong,
    ServerMessage,
    Status,
    encode,
    failure,
    with_id,
)

_log = Logger()

#: Refused commands after which a client is closed; one a second is forgiven.
MAX_REFUSED = 100


class Quotas(Struct, frozen=True):
    """What one client may ask for.

    :ivar chats: chats held at once.
    :ivar commands_per_second: in the long run.
    :ivar commands_burst: at once.
    """

    chats: int = 32
    commands_per_second: float = 10.0
    commands_burst: int = 64


class Session:
    """What one client holds and has asked for."""

    __slots__ = (
        "_asked",
        "_bucket",
        "_held",
        "_hub",
        "_metrics",
        "_names",
        "_patience",
        "_quotas",
        "_subscriber",
    )

    def __init__(
        self,
        subscriber: ISubscriber,
        hub: Hub,
        platforms: Mapping[str, IPlatform],
        quotas: Quotas,
        clock: IReactorTime,
        metrics: Metrics,
    ) -> None:
        self._subscriber = subscriber
        self._hub = hub
        self._names = Names(platforms)
        self._quotas = quotas
        self._metrics = metrics
        self._bucket = TokenBucket(quotas.commands_per_second, quotas.commands_burst, clock.seconds)
        # How many refusals are put up with: a flood that is slowed down goes on being one.
        self._patience = TokenBucket(1.0, MAX_REFUSED, clock.seconds)
        # In order of subscribing; includes chats whose start is still under way.
        self._held: dict[ChannelKey, Subscription] = {}
        # What was asked for last since the last `unsubscribed`, held or not.
        self._asked: Subscription | None = None

    @property
    def holds_nothing(self) -> bool:
        """Whether the client holds no chat, and none is being started for it."""
        return not self._held

    def key_of(
        self, platform: object, identifier: object, identifier_type: object
    ) -> ChannelKey | None:
        """The channel that these fields of a command name; None if they name none."""
        try:
            grant = self._subscriber.grant
            return self._names.meant(platform, identifier, identifier_type, grant).key
        except (ChatError, AboutChat):
            return None

    def received(self, payload: bytes) -> None:
        """Act on one client message and answer it; never raises."""
        if not self._admitted(payload):
            return
        outcome = "ok"
        command_id: Id | None = None
        try:
            command = decode_command(payload)
            command_id = command.id
            self._act(command)
        except ChatError as error:
            outcome = error.code
            self._send(failure(error, command_id=command_id))
        except AboutChat as answered:
            outcome = answered.error.code
            self._send(failure(answered.error, answered.platform, answered.identifier, command_id))
        except Exception:
            outcome = "INTERNAL"
            _log.failure("a client's command failed")
            self._subscriber.close(CloseCode.INTERNAL, "internal error")
        self._metrics.commands.labels(outcome).inc()

    def rejected(self, error: ChatError) -> None:
        """Answer a message that could not even be read as text."""
        if not self._admitted():
            return
        self._metrics.commands.labels(error.code).inc()
        self._send(failure(error))

    def closed(self) -> None:
        """The connection is gone: let go of everything."""
        held, self._held = self._held, {}
        for subscription in held.values():
            self._hub.unsubscribe(subscription)

    def _admitted(self, payload: bytes = b"") -> bool:
        """Whether this message is within the rate; otherwise it is answered here."""
        if self._bucket.take():
            return True
        self._metrics.commands.labels(ErrorCode.RATE_LIMITED).inc()
        if not self._patience.take():
            self._subscriber.close(CloseCode.POLICY, "too many commands")
            return False
        error = error_catalogue.TOO_MANY_COMMANDS.error(
            f"{self._quotas.commands_per_second:g} per second"
        )
        self._send(failure(error, command_id=_id_of(payload)))
        return False

    def _act(self, command: Command) -> None:
        match command.type:
            case "subscribe":
                self._subscribe(command)
            case "unsubscribe":
                self._unsubscribe(command)
            case "get_stats":
                self._get_stats(command)
            case "ping":
                self._ping(command)
            case _:
                raise error_catalogue.UNKNOWN_COMMAND.error()

    def _subscribe(self, command: Command) -> None:
        meant = self._meant(command)
        try:
            options = understood(read_options(command))
            held = self._held.get(meant.key)
            if held is None:
                self._hold(meant, taking_removals(options))
            else:
                # All options are stated anew; but it has begun.
                begun = held.options
                options = replace(options, history=begun.history, since=begun.since)
                self._hub.change(held, meant.identifier, taking_removals(options))
        except ChatError as error:
            raise AboutChat(error, meant.key.platform, meant.identifier) from None

    def _hold(self, meant: Meant, options: Options) -> None:
        key = meant.key
        subscription = Subscription(key, self._subscriber, meant.identifier, options, self._lost)
        self._asked = subscription
        if len(self._held) >= self._quotas.chats:
            raise error_catalogue.TOO_MANY_CHATS.error(f"limit {self._quotas.chats} per connection")
        # First held, then subscribed: it may fail at once.
        self._held[key] = subscription
        try:
            self._hub.subscribe(meant.platform, subscription)
        except ChatError:
            del self._held[key]
            raise

    def _unsubscribe(self, command: Command) -> None:
        command_id = read_id(command)
        subscription = self._named(command)
        if subscription is None:
            if not self._held and self._asked is None:
                raise error_catalogue.NO_ACTIVE_CHAT.error()
            # The chat asked for last has failed or ended: it is let go of, as the client wishes.
            subscription = self._latest() or self._asked
        assert subscription is not None
        self._hub.unsubscribe(subscription)
        self._held.pop(subscription.key, None)
        self._asked = None
        self._send(
            Status(
                "unsubscribed",
                identifier=subscription.identifier,
                platform=subscription.key.platform,
                channel=subscription.key.identifier,
                id=subscription.id if command_id is None else command_id,
            )
        )

    def _get_stats(self, command: Command) -> None:
        command_id = read_id(command)
        subscription = self._named(command) or self._latest()
        if subscription is None:
            missing = (
                error_catalogue.NO_ACTIVE_CHAT if self._asked is None else error_catalogue.NO_DATA
            )
            raise missing.error()
        self._hub.stats(subscription).addCallback(self._tell_stats, subscription, command_id)

    def _tell_stats(
        self, payload: bytes, subscription: Subscription, command_id: Id | None
    ) -> None:
        # A slow store may answer when the chat has been let go of.
        if self._held.get(subscription.key) is subscription:
            self._subscriber.send(with_id(payload, command_id))

    def _ping(self, command: Command) -> None:
        command_id = read_id(command)
        self._send(Pong(UNSET if command_id is None else command_id))

    def _latest(self) -> Subscription | None:
        return next(reversed(self._held.values()), None)

    def _named(self, command: Command) -> Subscription | None:
        """The held chat that a command names, or None if it names none."""
        if command.value("identifier") is UNSET:
            return None
        meant = self._meant(command)
        subscription = self._held.get(meant.key)
        if subscription is None:
            raise AboutChat(error_catalogue.NO_DATA.error(), meant.key.platform, meant.identifier)
        return subscription

    def _meant(self, command: Command) -> Meant:
        """The channel that a command speaks of."""
        return self._names.meant(
            command.value("platform"),
            command.value("identifier"),
            command.value("identifierType"),
            self._subscriber.grant,
        )

    def _lost(self, subscription: Subscription) -> None:
        if self._held.get(subscription.key) is subscription:
            del self._held[subscription.key]

    def _send(self, message: ServerMessage) -> None:
        self._subscriber.send(encode(message))


def _id_of(payload: bytes) -> Id | None:
    """The `id` of a message that is not acted on."""
    try:
        return decode_command(payload).id
    except ChatError:
        return None
