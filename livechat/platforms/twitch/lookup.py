# SPDX-License-Identifier: MIT
"""Whether Twitch channels exist and are live (docs/wire/twitch.md#look-ups).

Optional by nature: whatever goes wrong here means "not known", never "not live".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from livechat.fair import FairQueue
from livechat.metrics import Metrics
from livechat.platforms.budget import Budget, Claim
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

#: The number of a channel.
_NUMBER: Final = re.compile("[0-9]{1,20}")

#: A plain client's User-Agent has been refused before.
HEADERS: Final = {
    "Client-ID": CLIENT_ID,
    "Content-Type": "application/json",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}


class ChannelStatus(Struct, frozen=True):
    """What is known of a channel.

    :ivar exists: None when not known.
    :ivar live: None when not known.
    :ivar stream_id: of the stream that is on, where told.
    :ivar started_at: when that began, as Twitch writes it.
    :ivar channel_id: the channel's number, where told.
    """

    exists: bool | None = None
    live: bool | None = None
    stream_id: str = ""
    started_at: str = ""
    channel_id: str = ""


UNKNOWN: Final = ChannelStatus()
MISSING: Final = ChannelStatus(exists=False, live=False)


def question(logins: Sequence[str]) -> bytes:
    """The body of a question about these logins."""
    return msgspec.json.encode({"query": _QUERY, "variables": {"logins": list(logins)}})


def read_answer(body: bytes, logins: Sequence[str]) -> dict[str, ChannelStatus]:
    """The status of each login asked for.

    A null entry is a channel that does not exist or is suspended; anything that does not look
    like an answer leaves all of them unknown.
    """
    try:
        answer: Any = msgspec.json.decode(body)
        users = answer["data"]["users"]
        known = {user["login"].lower(): _status(user) for user in users if user is not None}
    except (msgspec.MsgspecError, RecursionError, LookupError, TypeError, AttributeError):
        return dict.fromkeys(logins, UNKNOWN)
    # With `errors` beside the data a null may be a failure rather than an absence.
    complete = not answer.get("errors") and len(users) == len(logins)
    return {login: known.get(login, MISSING if complete else UNKNOWN) for login in logins}


def _status(user: dict[str, Any]) -> ChannelStatus:
    """Of a channel that exists."""
    stream, number = user["stream"], _text(user.get("id"))
    channel_id = number if _NUMBER.fullmatch(number) else ""
    if not isinstance(stream, dict):
        return ChannelStatus(True, stream is not None, channel_id=channel_id)
    stream_id, started_at = (_text(stream.get(name)) for name in ("id", "createdAt"))
    return ChannelStatus(True, True, stream_id, started_at, channel_id)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


class _Question(NamedTuple):
    """Somebody who wants to know.

    :ivar claim: in whose name it waits until it is sent.
    """

    answered: Deferred[ChannelStatus]
    claim: Claim


class Lookup:
    """Gathers questions into few requests, and sends these within their budget.

    :param url: where to ask; empty: never, and everything is unknown.
    :param budget: turns for requests.
    :param learnt: given the login of each channel and its number, where an answer tells it.
    """

    def __init__(
        self,
        url: str,
        http: HTTPClient,
        clock: IReactorTime,
        metrics: Metrics,
        budget: Budget,
        learnt: Callable[[str, str], None] = lambda login, channel_id: None,
    ) -> None:
        self._url = url
        self._http = http
        self._clock = clock
        self._metrics = metrics
        self._budget = budget
        self._learnt = learnt
        # Logins to ask about, and who wants to know.
        self._queue: FairQueue[str] = FairQueue(budget.demand)
        self._asked: dict[str, list[_Question]] = {}
        self._call: IDelayedCall | None = None
        # Whether a request will be sent for those who wait.
        self._is_coming = False
        self._requests: set[Deferred[None]] = set()

    @property
    def enabled(self) -> bool:
        """Whether anything can be learnt at all."""
        return bool(self._url)

    def ask(self, login: str, claim: Claim) -> Deferred[ChannelStatus]:
        """The status of one channel; may be unknown.  Never fails unless it is cancelled."""
        answered: Deferred[ChannelStatus] = Deferred(lambda _: self._withdraw(login, asked))
        asked = _Question(answered, claim)
        if not self._url:
            answered.callback(UNKNOWN)
            return answered
        claim.begin()
        if login not in self._asked or claim.first:
            self._queue.remove(login)
            self._queue.put(login, claim.requester, first=claim.first)
        self._asked.setdefault(login, []).append(asked)
        self._send_soon()
        return answered

    def stop(self) -> None:
        """Give up every question."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        for request in list(self._requests):
            request.cancel()
        _answer(self._taken(len(self._queue)), {})

    def _withdraw(self, login: str, asked: _Question) -> None:
        questions = self._asked.get(login, [])
        if asked not in questions:
            # It has been sent; the answer will find nobody.
            return
        questions.remove(asked)
        asked.claim.end()
        if not questions:
            del self._asked[login]
            self._queue.remove(login)

    def _send_soon(self) -> None:
        if not self._is_coming and self._asked:
            self._is_coming = True
            self._call = self._clock.callLater(GATHER, self._send)

    def _send(self) -> None:
        self._call = None
        request: Deferred[None] = Deferred.fromCoroutine(self._request())
        self._requests.add(request)
        request.addBoth(self._sent, request)

    def _sent(self, result: object, request: Deferred[None]) -> None:
        self._requests.discard(request)
        if isinstance(result, Failure) and not result.check(CancelledError):
            _log.failure("a Twitch look-up failed", result)

    async def _request(self) -> None:
        """One request, when it is its turn, about those who have waited until then."""
        async with self._budget.turn(Claim(self._clock)):
            self._is_coming = False
            batch = self._taken(min(BATCH, len(self._queue)))
            self._send_soon()
            if batch:
                await self._ask(batch)

    def _taken(self, amount: int) -> dict[str, list[_Question]]:
        """The next questions, which no longer wait."""
        batch: dict[str, list[_Question]] = {}
        for _ in range(amount):
            login = self._queue.take()
            batch[login] = self._asked.pop(login)
        for questions in batch.values():
            for _, claim in questions:
                claim.end()
        return batch

    async def _ask(self, batch: dict[str, list[_Question]]) -> None:
        logins = list(batch)
        statuses: dict[str, ChannelStatus] = {}
        try:
            answer = await fetch(
                self._http,
                self._clock,
                "POST",
                self._url,
                limit=LIMIT,
                deadline=DEADLINE,
                headers=HEADERS,
                data=question(logins),
            )
            statuses = read_answer(answer.body, logins)
            for login, status in statuses.items():
                if status.channel_id:
                    self._learnt(login, status.channel_id)
            if UNKNOWN in statuses.values():
                self._metrics.count_unparsed("twitch", "gql answer")
                _log.info("Twitch GQL gave no usable answer (HTTP {status})", status=answer.status)
        except FetchError as error:
            _log.info("Twitch GQL could not be asked: {reason}", reason=str(error))
        finally:
            _answer(batch, statuses)


def _answer(asked: dict[str, list[_Question]], statuses: dict[str, ChannelStatus]) -> None:
    for login, questions in asked.items():
        for answered, _ in questions:
            # Whoever asked may have left meanwhile.
            if not answered.called:
                answered.callback(statuses.get(login, UNKNOWN))
