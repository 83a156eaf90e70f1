# SPDX-License-Identifier: MIT
"""A connection to Hermes that comes back, with the channels on it."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall

from livechat.platforms.kept_socket import KeptSocket, Place
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.hermes_counts import HermesCounts
from livechat.platforms.twitch.hermes_socket import HermesSocket
from livechat.platforms.twitch.limits import HERMES_ANSWER, HERMES_SUBSCRIPTIONS
from livechat.platforms.twitch.parse.hermes import Answer, Told, subscription, unsubscription

#: Given whether a channel has gone live, or offline.
Listener = Callable[[bool], None]


class Channel:
    """A channel of which somebody wants to know.

    :ivar channel_id: its number; empty as long as no look-up has told it.
    :ivar line: the connection that tells of it; None: no number, or no room.
    """

    def __init__(self, login: str, channel_id: str) -> None:
        self.login = login
        self.channel_id = channel_id
        self.listeners: list[Listener] = []
        self.line: Line | None = None
        # Its end, when nobody wants to know any more.
        self.leaving: IDelayedCall | None = None


class IHermes(Protocol):
    """What all connections share."""

    counts: HermesCounts
    steps: Steps

    def new_id(self) -> str:
        """An id for a message."""

    def timestamp(self) -> str:
        """Now, as messages write it."""

    def told(self, channel: Channel, kind: str) -> None:
        """Something has happened in a channel."""

    def unreadable(self, what: str) -> None:
        """Something could not be read, or is not known."""

    def lost(self, reason: str) -> None:
        """A connection is gone."""

    def move(self, channel: Channel) -> None:
        """There is no room for a channel where it is."""


class Line:
    """A connection that comes back, with the channels on it: an `Owner` and a `Keeper`.

    :ivar channels: with the id of the subscription to each; empty: there is none at present.
    """

    def __init__(self, hermes: IHermes, place: Place) -> None:
        self.channels: dict[Channel, str] = {}
        self._hermes = hermes
        self._place = place
        self._most = HERMES_SUBSCRIPTIONS
        self._by_id: dict[str, Channel] = {}
        self._accepted: set[str] = set()
        self._refused: set[str] = set()
        # Subscriptions without an answer yet, and until when they must have one.
        self._asked: dict[str, float] = {}
        self._patience: IDelayedCall | None = None
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

    def add(self, channel: Channel) -> None:
        """Tell of this channel, too."""
        self.channels[channel] = ""
        if self._is_ready:
            self._subscribe(channel)

    def remove(self, channel: Channel) -> None:
        """Tell of it no more."""
        subscription_id = self.channels.pop(channel)
        if subscription_id:
            del self._by_id[subscription_id]
            self._asked.pop(subscription_id, None)
            self._refused.discard(subscription_id)
            self._forget(subscription_id)
            if self._socket is not None:
                message_id, timestamp = self._hermes.new_id(), self._hermes.timestamp()
                self._socket.say(unsubscription(message_id, subscription_id, timestamp))

    def _subscribe(self, channel: Channel) -> None:
        assert self._socket is not None
        subscription_id = self._hermes.new_id()
        self.channels[channel] = subscription_id
        self._by_id[subscription_id] = channel
        self._asked[subscription_id] = self._place.clock.seconds() + HERMES_ANSWER
        self._be_patient()
        timestamp = self._hermes.timestamp()
        self._socket.say(subscription(subscription_id, channel.channel_id, timestamp))

    def _be_patient(self) -> None:
        """Wait for the answer that is due next."""
        if self._patience is None and self._asked:
            due = next(iter(self._asked.values())) - self._place.clock.seconds()
            self._patience = self._place.clock.callLater(max(0.0, due), self._look)

    def _look(self) -> None:
        self._patience = None
        due = next(iter(self._asked.values()), inf)
        if due <= self._place.clock.seconds() and self._socket is not None:
            self._socket.drop("a subscription is not answered")
        else:
            self._be_patient()

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
        self._asked.clear()
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
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
        self._asked.pop(subscription_id, None)
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
