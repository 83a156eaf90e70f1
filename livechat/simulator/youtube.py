# SPDX-License-Identifier: MIT
"""YouTube from the other side: channels and videos, what becomes of them, and their chats.

Knows no HTTP; `youtube_site` does.  The beginning of a channel's name, or of an id that belongs to
no known name, says what becomes of it.  A channel named after a file of
`livechat.simulator.observed` plays its actions, again and again.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.interfaces import IReactorTime

from livechat.simulator import observed
from livechat.simulator.actions import Action, stable_id
from livechat.simulator.recent import CHANNELS, NAMES, Recent
from livechat.simulator.scenario import Fate, Scenario, fate
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_ids import channel_id, letters
from livechat.simulator.youtube_lineup import Lineup
from livechat.simulator.youtube_pages import Standing, Video, menu
from livechat.simulator.youtube_playback import YouTubeRecording, repeated
from livechat.simulator.youtube_stream import Stream
from livechat.simulator.youtube_tokens import ALL, TOP, Place, place, token

VIDEO_ID: Final = re.compile(r"[A-Za-z0-9_-]{11}")
CHANNEL_ID: Final = re.compile(r"UC[A-Za-z0-9_-]{22}")

#: What is said of videos by the beginning of their channel's name, beside `Fate`.
_STANDINGS: Final = {
    "members": Standing.MEMBERS,
    "upcoming": Standing.UPCOMING,
    "disabled": Standing.DISABLED,
    "private": Standing.PRIVATE,
    "agelimit": Standing.AGE,
    "ended": Standing.ENDED,
    "datacenter": Standing.DATACENTER,
}

#: `/live` of such a channel shows an announced stream although two others are on air.
SIMULCAST: Final = "simulcast"

#: How long before an `upcoming...` stream begins, in seconds.
_AHEAD: Final = 3600.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """How the simulated YouTube behaves when nothing is wrong.

    :ivar ending_after: seconds until an `ending...` stream ends.
    :ivar past: seconds of chat that are there when somebody comes first.
    :ivar timeout_ms: how long a reader may wait at most, says each answer.
    :ivar retry_after: seconds, with every 429; None: it does not say.
    """

    ending_after: float = 30.0
    past: float = 40.0
    timeout_ms: int = 10_000
    retry_after: int | None = None


class YouTubeSimulator:
    """Channels, videos and chats.

    :ivar lineup: what is said of single channels.
    :ivar faults: what is wrong at present; change it at any time.
    :ivar asked: method, path and host of the last requests.

    :param now: the time of day, seconds since 1970.
    :param recording: answers to play instead of the scenario, on every stream.
    """

    def __init__(
        self,
        clock: IReactorTime,
        now: Callable[[], float],
        scenario: Scenario,
        settings: Settings | None = None,
        recording: YouTubeRecording | None = None,
    ) -> None:
        self.clock = clock
        self.now = now
        self.settings = settings or Settings()
        self.recording = recording
        self.faults: set[YouTubeFault] = set()
        self.lineup = Lineup()
        self.asked: deque[tuple[str, str, str]] = deque(maxlen=5000)
        self._scenario = scenario
        self._names = Recent[str, str](NAMES)
        self._ids = Recent[str, str](NAMES)
        self._streams = Recent[str, Stream](CHANNELS, lambda stream: stream.is_read)
        self._begun = Recent[str, float](NAMES)
        self._titles: dict[str, str] = {}
        self._generation = 0
        self._void: tuple[int, int] = (0, 0)

    # Who is who.

    def channel_id(self, name: str) -> str:
        """The id of the channel of a name."""
        name = self.lineup.owner(name)
        found = self._ids.get(f"channel {name}") or channel_id(name)
        self._names[found] = name
        return found

    def video_id(self, name: str) -> str:
        """The id of a channel's present or last stream."""
        stream = self._streams.get(name)
        number = stream.number if stream else 0
        found = self._ids.get(f"video {name}") or letters(f"video {name} {number}", 11)
        self._names[found] = name
        return found

    def named(self, identifier: str) -> str:
        """The name that belongs to an id; an unknown id is a name itself."""
        if identifier not in self._names:
            is_channel = CHANNEL_ID.fullmatch(identifier) is not None
            name = identifier[2:].lower() if is_channel else identifier
            self._names[identifier] = name
            self._ids[f"{'channel' if is_channel else 'video'} {name}"] = identifier
        return self._names[identifier]

    def exists(self, name: str) -> bool:
        """Whether there is such a channel."""
        return fate(name).exists

    # What is on air.

    def video(self, name: str, video_id: str = "") -> Video:
        """A channel's present or last stream, or an older one of it by its id."""
        present = self.video_id(name)
        number = stable_id(name)
        standing = self._standing(name)
        if video_id and video_id != present and standing is Standing.LIVE:
            standing = Standing.ENDED
        ahead = _AHEAD if standing is Standing.UPCOMING else -number % 14400
        began = self.lineup.begins(name, self.now() + ahead)
        shown = video_id or present
        leads = standing in (Standing.LIVE, Standing.UPCOMING, Standing.ENDED, Standing.DATACENTER)
        where = Place(self.channel_id(name), shown, generation=self._generation)
        return Video(
            shown,
            where.channel_id,
            name,
            standing,
            token(where) if leads else "",
            self.viewers(name),
            began,
        )

    def viewers(self, name: str) -> int:
        """How many watch: a number that moves every few seconds."""
        number = stable_id(name)
        return 100 + number % 5000 + int(self.now() / 10) * 7 % 31

    def title(self, name: str) -> str:
        """What a stream is called."""
        return self._titles.get(name, f"{name} is here")

    def rename(self, name: str, title: str) -> None:
        """A stream gets another title."""
        self._titles[name] = title

    def _standing(self, name: str) -> Standing:
        if YouTubeFault.SIGN_IN in self.faults:
            return Standing.PRIVATE
        if (said := self.lineup.standing(name)) is not None:
            return said
        for beginning, standing in _STANDINGS.items():
            if name.startswith(beginning):
                return standing
        found = fate(name)
        if not found.exists:
            return Standing.MISSING
        return Standing.ENDED if found is Fate.OFFLINE or self.has_ended(name) else Standing.LIVE

    def is_live(self, name: str) -> bool:
        """Whether a channel's stream is on air and its chat is public."""
        return self._standing(name) in (Standing.LIVE, Standing.DATACENTER)

    def has_ended(self, name: str) -> bool:
        """Whether a stream was on air and is over."""
        if fate(name) is Fate.ENDING:
            began = self._begun.setdefault(name, self.clock.seconds())
            if self.clock.seconds() >= began + self.settings.ending_after:
                return True
        stream = self._streams.get(name)
        return stream is not None and stream.ended

    def end(self, name: str) -> None:
        """A stream ends."""
        self.stream(name).ended = True

    def begin_anew(self, name: str) -> None:
        """A channel begins another stream, under another id; the old one is over."""
        number = self.stream(name).number + 1
        self._ids.pop(f"video {name}", None)
        self._streams[name] = self._begin(name, number)

    def stream(self, name: str) -> Stream:
        """The chat of a channel's stream, begun when it is first asked for."""
        if name not in self._streams:
            self._streams[name] = self._begin(name, 0)
        return self._streams[name]

    def _begin(self, name: str, number: int) -> Stream:
        if self.recording is not None:
            return Stream(name, number, iter(()), self.clock, self.now, 0.0)
        script = self._script(name, number)
        return Stream(name, number, script, self.clock, self.now, self.settings.past)

    def _script(self, name: str, number: int) -> Iterator[tuple[float, Action | list[Json]]]:
        observation = observed.played_by("youtube", name)
        if observation is not None and self._scenario.rate:
            for seen in repeated(observed.read(observation), self.now):
                yield 1 / self._scenario.rate, [seen]
        pace = fate(name).pace
        channel = f"{name}/{number}" if number else name
        for pause, action in self._scenario.script(channel, frozenset({"7tv"})) if pace else ():
            yield pause / pace, action

    def say(self, name: str, what: Action | Json) -> None:
        """Something happens in a channel's chat now: an action, or InnerTube's own."""
        self.stream(name).say(what)

    # What InnerTube says.

    def chat(self, text: str) -> tuple[int, Json]:
        """Status and body of the answer to a poll with a token."""
        where = place(text)
        if where is None and self.recording is not None:
            # A token of the recorded page.
            where = Place("", "")
        if where is None or where.generation < self._void[0]:
            return 400, _error(400, "Request contains an invalid argument.", "INVALID_ARGUMENT")
        refused = YouTubeFault.TOP_ONLY in self.faults
        refused |= YouTubeFault.REWRITTEN in self.faults and not where.offered
        if where.kind == ALL and refused:
            return 400, _error(400, "Request contains an invalid argument.", "INVALID_ARGUMENT")
        if self.recording is not None:
            return 200, self._recorded(self.recording, where)
        name = self.named(where.video_id)
        video = self.video(name, where.video_id)
        if video.standing not in (Standing.LIVE, Standing.DATACENTER):
            return 200, {"responseContext": {}, "trackingParams": "x"}
        return 200, {
            "responseContext": {},
            "continuationContents": {"liveChatContinuation": self._answer(name, where)},
        }

    def chat_node(self, video: Video) -> Json:
        """What a chat page holds: the past, and tokens for Top chat and for all messages."""
        where = Place(video.channel_id, video.id, generation=self._generation)
        answer = self._answer(video.channel, where)
        answer["continuations"] = [{"reloadContinuationData": {"continuation": video.token}}]
        return answer

    def _answer(self, name: str, where: Place) -> Json:
        kind = TOP if YouTubeFault.TOP_ALWAYS in self.faults else where.kind
        stream = self.stream(name)
        position = where.position
        if position >= 0 and YouTubeFault.REPEATS in self.faults:
            position = max(0, position - 5)
        actions = stream.read(kind, position)
        if where.position >= 0 and where.generation < self._void[1]:
            actions = []
        answer: Json = {"continuations": [self._next(where, kind, stream.written)]}
        if actions:
            answer["actions"] = actions
        if where.position < 0:
            fresh = [
                token(Place(where.channel_id, where.video_id, choice, -1, self._generation, 1))
                for choice in (TOP, ALL)
            ]
            answer["header"] = menu(kind, *fresh)
            answer["isReplay"] = False
        return answer

    def _next(self, where: Place, kind: int, written: int) -> Json:
        generation = where.generation if where.position >= 0 else self._generation
        ids = (where.channel_id, where.video_id)
        following = Place(*ids, kind, written, generation, where.offered)
        return {
            "invalidationContinuationData": {
                "invalidationId": {"topic": f"chat~{where.video_id}~1"},
                "timeoutMs": self.settings.timeout_ms,
                "continuation": token(following),
            }
        }

    def _recorded(self, recording: YouTubeRecording, where: Place) -> Json:
        """The recorded answer at a place; the first one is empty, because the past is not sent."""
        number = where.position
        following = Place(where.channel_id, where.video_id, where.kind, number + 1)
        return recording.answer(number, token(following))

    def metadata(self, video_id: str) -> Json:
        """The answer to a question for a video's viewers and title."""
        name = self.named(video_id)
        live = self.is_live(name) and video_id == self.video_id(name)
        watching = self.viewers(name)
        count = {
            "viewCount": {"simpleText": f"{watching:,} watching now"},
            "originalViewCount": str(watching if live else watching * 100),
            "isLive": live,
        }
        viewership = {"viewCount": {"videoViewCountRenderer": count}}
        title = {"title": {"runs": [{"text": self.title(name)}]}}
        return {
            "continuation": {"timedContinuationData": {"timeoutMs": 5000, "continuation": "m"}},
            "actions": [{"updateViewershipAction": viewership}, {"updateTitleAction": title}],
        }

    # What goes wrong once.

    def strike(self, mishap: YouTubeMishap) -> None:
        """Cause a fault in every stream."""
        streams = list(self._streams.values())
        match mishap:
            case YouTubeMishap.END:
                for stream in streams:
                    stream.ended = True
            case YouTubeMishap.EXPIRE:
                self._generation += 1
                self._void = (self._generation, self._void[1])
            case YouTubeMishap.DEADEN:
                self._generation += 1
                self._void = (self._void[0], self._generation)
            case YouTubeMishap.GONE_ONCE:
                for stream in streams:
                    stream.gone_once = True
            case YouTubeMishap.GARBAGE_ONCE:
                for stream in streams:
                    stream.garbage_once = True

    def recover(self) -> None:
        """Nothing is wrong any more."""
        self.faults.clear()


def _error(code: int, message: str, status: str) -> Json:
    return {"error": {"code": code, "message": message, "status": status}}
