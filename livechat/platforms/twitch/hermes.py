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
from livechat.platforms.kept_socket import Place
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.hermes_counts import HermesCounts
from livechat.platforms.twitch.hermes_line import Channel, Line, Listener
from livechat.platforms.twitch.limits import EMPTY_KEPT, HERMES_CONNECTIONS, HERMES_KNOWN
from livechat.platforms.twitch.lookup import CLIENT_ID, HEADERS
from livechat.platforms.twitch.parse.hermes import MAX_MESSAGE

_log = Logger()

#: What is told of a channel, and whether it means that it is live; None: neither.
_KINDS: Final = {"stream-up": True, "stream-down": False, "viewcount": None, "commercial": None}

_ID_LETTERS: Final = string.ascii_letters + string.digits
_ID_LENGTH: Final = 21


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
        self._channels: dict[str, Channel] = {}
        self._lines: list[Line] = []
        # Those for which no connection has room, the one that has waited longest first.
        self._homeless: dict[Channel, None] = {}
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
            channel = Channel(login, self._known.get(login, ""))
            self._channels[login] = channel
            self._settle(channel)
        elif channel.leaving is not None:
            channel.leaving.cancel()
            channel.leaving = None
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
        for channel in list(self._channels.values()):
            if channel.leaving is not None:
                channel.leaving.cancel()
                self._leave(channel)
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

    def told(self, channel: Channel, kind: str) -> None:
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

    def move(self, channel: Channel) -> None:
        """There is no room for a channel where it is."""
        self._unsettle(channel)
        self._settle(channel)

    # Where channels are.

    def _ignore(self, channel: Channel, listener: Listener) -> None:
        channel.listeners.remove(listener)
        if channel.listeners:
            return
        if channel.line is None or self.place is None or not self._lines:
            self._leave(channel)
        else:
            # Who has waited for a channel watches it a moment later.
            channel.leaving = self.place.clock.callLater(EMPTY_KEPT, self._leave, channel)

    def _leave(self, channel: Channel) -> None:
        del self._channels[channel.login]
        self._unsettle(channel)

    def _settle(self, channel: Channel) -> None:
        """Give a channel a place on a connection, if its number is known."""
        if not channel.channel_id:
            return
        line = next((line for line in self._lines if line.has_room), None)
        if line is None and len(self._lines) < HERMES_CONNECTIONS and self.place is not None:
            line = Line(self, self.place)
            self._lines.append(line)
            line.start()
        if line is None:
            self._homeless[channel] = None
        else:
            channel.line = line
            line.add(channel)

    def _unsettle(self, channel: Channel) -> None:
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
