# SPDX-License-Identifier: MIT
"""Whether Twitch channels exist and are live, asked of its unofficial GQL (sheet section 7).

Optional by nature: whatever goes wrong here means "not known", never "not live".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from livechat.metrics import Metrics
from livechat.platforms.fetch import FetchError, fetch

_log = Logger()

#: The web player's public client id.
CLIENT_ID: Final = "kimne78kx3ncx6brgo4mv6wki5h1ko"

#: Most logins in one question, and seconds that a question is held for others to join it.
BATCH: Final = 50
GATHER: Final = 0.05

#: Seconds and bytes for one answer.
DEADLINE: Final = 8.0
LIMIT: Final = 1 << 20

_QUERY: Final = "query($logins:[String!]!){users(logins:$logins){id login stream{id createdAt}}}"

# A plain client's User-Agent has been refused before.
_HEADERS: Final = {
    "Client-ID": CLIENT_ID,
    "Content-Type": "application/json",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}


class Standing(Struct, frozen=True):
    """What is known of a channel.

    :ivar exists: None when not known.
    :ivar live: None when not known.
    """

    exists: bool | None = None
    live: bool | None = None


UNKNOWN: Final = Standing()
MISSING: Final = Standing(exists=False, live=False)


def question(logins: Sequence[str]) -> bytes:
    """The body of a question about these logins."""
    return msgspec.json.encode({"query": _QUERY, "variables": {"logins": list(logins)}})


def read_answer(body: bytes, logins: Sequence[str]) -> dict[str, Standing]:
    """The standing of each login asked for.

    A null entry is a channel that does not exist or is suspended; anything that does not look
    like an answer leaves all of them unknown.
    """
    try:
        answer: Any = msgspec.json.decode(body)
        users = answer["data"]["users"]
        known = {
            user["login"].lower(): Standing(True, user["stream"] is not None)
            for user in users
            if user is not None
        }
    except (msgspec.MsgspecError, RecursionError, LookupError, TypeError, AttributeError):
        return dict.fromkeys(logins, UNKNOWN)
    # With `errors` beside the data a null may be a failure rather than an absence.
    complete = not answer.get("errors") and len(users) == len(logins)
    return {login: known.get(login, MISSING if complete else UNKNOWN) for login in logins}


class Lookup:
    """Gathers questions of one moment into one request.

    :param url: where to ask; empty: never, and everything is unknown.
    """

    def __init__(self, url: str, http: HTTPClient, clock: IReactorTime, metrics: Metrics) -> None:
        self._url = url
        self._http = http
        self._clock = clock
        self._metrics = metrics
        self._asked: dict[str, list[Deferred[Standing]]] = {}
        self._call: IDelayedCall | None = None
        self._stories: set[Deferred[None]] = set()

    @property
    def enabled(self) -> bool:
        """Whether anything can be learnt at all."""
        return bool(self._url)

    def ask(self, login: str) -> Deferred[Standing]:
        """The standing of one channel; never fails, may be unknown."""
        answered: Deferred[Standing] = Deferred()
        if not self._url:
            answered.callback(UNKNOWN)
            return answered
        self._asked.setdefault(login, []).append(answered)
        if self._call is None:
            self._call = self._clock.callLater(GATHER, self._send)
        return answered

    def stop(self) -> None:
        """Give up every question."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        for story in list(self._stories):
            story.cancel()
        asked, self._asked = self._asked, {}
        _answer(asked, {})

    def _send(self) -> None:
        self._call = None
        asked, self._asked = self._asked, {}
        logins = list(asked)
        for start in range(0, len(logins), BATCH):
            batch = {login: asked[login] for login in logins[start : start + BATCH]}
            story: Deferred[None] = Deferred.fromCoroutine(self._ask(batch))
            self._stories.add(story)
            story.addBoth(self._told, story)

    def _told(self, _: object, story: Deferred[None]) -> None:
        self._stories.discard(story)

    async def _ask(self, batch: dict[str, list[Deferred[Standing]]]) -> None:
        logins = list(batch)
        standings: dict[str, Standing] = {}
        try:
            answer = await fetch(
                self._http,
                self._clock,
                "POST",
                self._url,
                limit=LIMIT,
                deadline=DEADLINE,
                headers=_HEADERS,
                data=question(logins),
            )
            standings = read_answer(answer.body, logins)
            if UNKNOWN in standings.values():
                self._metrics.count_unparsed("twitch", "gql answer")
                _log.info("Twitch GQL gave no usable answer (HTTP {status})", status=answer.status)
        except FetchError as error:
            _log.info("Twitch GQL could not be asked: {reason}", reason=str(error))
        finally:
            _answer(batch, standings)


def _answer(asked: dict[str, list[Deferred[Standing]]], standings: dict[str, Standing]) -> None:
    for login, waiting in asked.items():
        for answered in waiting:
            answered.callback(standings.get(login, UNKNOWN))
