# SPDX-License-Identifier: MIT
"""Hermes, Twitch's push service: told within moments that a channel goes live or offline.

What it tells makes looks come sooner and never takes their place: it is no official interface, and
may refuse us.  Channels share few connections; more of them than these take are not told of.
"""

from __future__ import annotations

import string
from collections import OrderedDict
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from prometheus_client import Gauge
from twisted.logger import Logger

from livechat.metrics import Metrics
from livechat.model.events import iso_time
from livechat.pacing import TokenBucket
from livechat.platforms.budget import Budget
from livechat.platforms.description import PlatformContext
from livechat.platforms.kept_socket import KeptSocket, Place
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.hermes_counts import HermesCounts
from livechat.platforms.twitch.hermes_socket import HermesSocket
from livechat.platforms.twitch.limits import (
    HERMES_CONNECTIONS,
    HERMES_KNOWN,
    HERMES_SUBSCRIPTIONS,
)
from livechat.platforms.twitch.lookup import CLIENT_ID, HEADERS
from livechat.platforms.twitch.parse.hermes import (
    MAX_MESSAGE,
    Answer,
    Told,
    subscription,
    unsubscription,
)

_log = Logger()

#: What is told of a channel, and whether it means that it is live; None: neither.
_KINDS: Final = {"stream-up": True, "stream-down": False, "viewcount": None, "commercial": None}

_ID_LETTERS: Final = string.ascii_letters + string.digits
_ID_LENGTH: Final = 21

#: Given whether a channel has gone live, or offline.
Listener = Callable[[bool], None]


def hermes_place(
    url: str, context: PlatformContext, connections: Gauge, budget: Budget
) -> Place | None:
    """Where Hermes is.

    :param url: empty: nowhere.  Without a query it gets the one that the web player sends.
    """
    if not url:
        return None
    return Place(
        url=url if urlsplit(url).query else f"{url}?clientId={CLIENT_ID}",
        connect=context.connect,
        clock=context.clock,
        random=context.random,
        headers={"User-Agent": HEADERS["User-Agent"]},
        longest=MAX_MESSAGE,
        open=connections,
        budget=budget,
    )


class _Channel:
    """A channel of which somebody wants to know.

    :ivar channel_id: its number; empty as long as no look-up has told it.
    :ivar line: the connection that tells of it; None: no number, or no room.
    """

    def __init__(self, login: str, channel_id: str) -> None:
        self.login = login
        self.channel_id = channel_id
        self.listeners: list[Listener] = []
        self.line: _Line | None = None


class Hermes:
    """Who wants to know of which channel.

    :param place: where it is; None: nowhere, and nothing is ever told.
    :param now: wall time in seconds.
    """

    def __init__(
        self,
        place: Place | None,
        now: Callable[[], float],
        metrics: Metrics,
        counts: HermesCounts,
        steps: Steps,
    ) -> None:
        self.place = place
        self.counts = counts
        self.steps = steps
        self._now = now
        self._metrics = metrics
        self._channels: dict[str, _Channel] = {}
        self._lines: list[_Line] = []
        # Those for which no connection has room, the one that has waited longest first.
        self._homeless: dict[_Channel, None] = {}
        # The numbers of channels by login; the last one to be looked up stands last.
        self._known: OrderedDict[str, str] = OrderedDict()
        self._log_lines = TokenBucket(0.05, 3, place.clock.seconds) if place else None

    def listen(self, login: str, listener: Listener) -> Callable[[], None]:
        """Be told when a channel goes live or offline.

        :return: stops that; called once.
        """
        if self.place is None:
            return lambda: None
        channel = self._channels.get(login)
        if channel is None:
            channel = _Channel(login, self._known.get(login, ""))
            self._channels[login] = channel
            self._settle(channel)
        channel.listeners.append(listener)
        return lambda: self._ignore(channel, listener)

    def learn(self, login: str, channel_id: str) -> None:
        """A look-up has told the number of a channel."""
        if self.place is None:
            return
        self._known[login] = channel_id
        self._known.move_to_end(login)
        if len(self._known) > HERMES_KNOWN:
            self._known.popitem(last=False)
        channel = self._channels.get(login)
        if channel is not None and channel.channel_id != channel_id:
            self._unsettle(channel)
            channel.channel_id = channel_id
            self._settle(channel)

    def stop(self) -> None:
        """Close all connections."""
        lines, self._lines = self._lines, []
        for line in lines:
            line.stop()

    # For connections.

    def new_id(self) -> str:
        """An id for a message, of the form that the web player uses."""
        assert self.place is not None
        return "".join(self.place.random.choices(_ID_LETTERS, k=_ID_LENGTH))

    def timestamp(self) -> str:
        """Now, as messages write it."""
        return iso_time(round(self._now() * 1000))

    def told(self, channel: _Channel, kind: str) -> None:
        """Something has happened in a channel."""
        if kind not in _KINDS:
            self.unreadable(f"hermes {kind}")
            return
        self.counts.pushes.labels(kind).inc()
        is_live = _KINDS[kind]
        if is_live is not None:
            for listener in list(channel.listeners):
                self.steps.run(channel.login, listener, is_live)

    def unreadable(self, what: str) -> None:
        """Something could not be read, or is not known."""
        self._metrics.count_unparsed("twitch", what)

    def lost(self, reason: str) -> None:
        """A connection is gone."""
        if self._log_lines is not None and self._log_lines.take():
            _log.info("Hermes does not tell which channels go live: {reason}", reason=reason)

    def move(self, channel: _Channel) -> None:
        """There is no room for a channel where it is."""
        self._unsettle(channel)
        self._settle(channel)

    # Where channels are.

    def _ignore(self, channel: _Channel, listener: Listener) -> None:
        channel.listeners.remove(listener)
        if not channel.listeners:
            del self._channels[channel.login]
            self._unsettle(channel)

    def _settle(self, channel: _Channel) -> None:
        """Give a channel a place on a connection, if its number is known."""
        if not channel.channel_id:
            return
        line = next((line for line in self._lines if line.has_room), None)
        if line is None and len(self._lines) < HERMES_CONNECTIONS and self.place is not None:
            line = _Line(self, self.place)
            self._lines.append(line)
            line.start()
        if line is None:
            self._homeless[channel] = None
        else:
            channel.line = line
            line.add(channel)

    def _unsettle(self, channel: _Channel) -> None:
        """Take a channel from where it is; whoever waits for the room gets it."""
        self._homeless.pop(channel, None)
        line, channel.line = channel.line, None
        if line is None:
            return
        line.remove(channel)
        while self._homeless and line.has_room:
            waiting = next(iter(self._homeless))
            del self._homeless[waiting]
            waiting.line = line
            line.add(waiting)
        if not line.channels and line in self._lines:
            self._lines.remove(line)
            line.stop()


class _Line:
    """A connection that comes back, with the channels on it: an `Owner` and a `Keeper`.

    :ivar channels: with the id of the subscription to each; empty: there is none at present.
    """

    def __init__(self, hermes: Hermes, place: Place) -> None:
        self.channels: dict[_Channel, str] = {}
        self._hermes = hermes
        self._place = place
        self._most = HERMES_SUBSCRIPTIONS
        self._by_id: dict[str, _Channel] = {}
        self._accepted: set[str] = set()
        self._refused: set[str] = set()
        self._kept: KeptSocket[HermesSocket] = KeptSocket(place, self)
        self._socket: HermesSocket | None = None
        self._is_ready = False

    @property
    def has_room(self) -> bool:
        """Whether it takes another channel."""
        return len(self.channels) < self._most

    def start(self) -> None:
        """Connect."""
        self._kept.start()

    def stop(self) -> None:
        """Close it for good."""
        self._kept.stop()

    def add(self, channel: _Channel) -> None:
        """Tell of this channel, too."""
        self.channels[channel] = ""
        if self._is_ready:
            self._subscribe(channel)

    def remove(self, channel: _Channel) -> None:
        """Tell of it no more."""
        subscription_id = self.channels.pop(channel)
        if subscription_id:
            del self._by_id[subscription_id]
            self._refused.discard(subscription_id)
            self._forget(subscription_id)
            if self._socket is not None:
                message_id, timestamp = self._hermes.new_id(), self._hermes.timestamp()
                self._socket.say(unsubscription(message_id, subscription_id, timestamp))

    def _subscribe(self, channel: _Channel) -> None:
        assert self._socket is not None
        subscription_id = self._hermes.new_id()
        self.channels[channel] = subscription_id
        self._by_id[subscription_id] = channel
        timestamp = self._hermes.timestamp()
        self._socket.say(subscription(subscription_id, channel.channel_id, timestamp))

    def _forget(self, subscription_id: str) -> None:
        if subscription_id in self._accepted:
            self._accepted.discard(subscription_id)
            self._hermes.counts.subscriptions.dec()

    # Keeper

    def made(self) -> HermesSocket:
        """See `Keeper`."""
        self._socket = HermesSocket(self._place.clock, self)
        return self._socket

    def closed(self) -> None:
        """See `Keeper`."""
        self._socket = None
        self._is_ready = False
        for subscription_id in list(self._accepted):
            self._forget(subscription_id)
        self._refused.clear()
        self._by_id.clear()
        for channel in self.channels:
            self.channels[channel] = ""

    def lost(self, reason: str) -> None:
        """See `Keeper`."""
        self._hermes.lost(reason)

    def failed(self) -> None:
        """See `Keeper`."""
        self._hermes.steps.failed("hermes")

    # Owner

    def ready(self) -> None:
        """See `Owner`."""
        self._is_ready = True
        for channel in self.channels:
            self._subscribe(channel)

    def answered(self, answer: Answer) -> None:
        """See `Owner`: one that was refused is asked for again on the next connection."""
        subscription_id = answer.subscription
        channel = self._by_id.get(subscription_id)
        if channel is None or subscription_id in self._accepted:
            return
        if not answer.refusal:
            self._accepted.add(subscription_id)
            self._hermes.counts.subscriptions.inc()
        elif answer.is_full and self._accepted:
            self._most = len(self._accepted)
            self._hermes.move(channel)
        else:
            self._refused.add(subscription_id)
            self._hermes.counts.refused.inc()
            if len(self._refused) == len(self.channels) and self._socket is not None:
                self._socket.refuse(f"every subscription is refused: {answer.refusal[:100]}")

    def told(self, told: Told) -> None:
        """See `Owner`."""
        channel = self._by_id.get(told.subscription)
        if channel is not None:
            self._hermes.told(channel, told.kind)

    def unreadable(self, what: str) -> None:
        """See `Owner`."""
        self._hermes.unreadable(what)
