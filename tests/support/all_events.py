# SPDX-License-Identifier: MIT
"""Everything that the translators make of recorded data and of data that we wrote, by platform."""

from __future__ import annotations

from collections.abc import Iterator

from livechat.model.events import Event
from livechat.platforms.tiktok.parse.chat import Translator
from livechat.platforms.tiktok.parse.webcast import Batch, Envelope, Push, read_batch, read_push
from livechat.platforms.youtube.parse.chat import read_poll
from tests.support import golden, tiktok_payloads, twitch_lines
from tests.support.corpus import corpus
from tests.support.tiktok_written import WRITTEN
from tests.test_youtube_corpus import polls
from tests.test_youtube_items import NOW, VIDEO

PLATFORMS = ("youtube", "twitch", "tiktok")


def written_events(platform: str) -> Iterator[Event]:
    """What is made of what we wrote: one of every kind."""
    if platform == "twitch":
        for line in twitch_lines.written().values():
            yield from twitch_lines.translated(line).events
    elif platform == "youtube":
        body = (golden.ROOT / "youtube" / "every_kind.json").read_bytes()
        yield from read_poll(body, VIDEO, NOW).events
    else:
        for method, payload in WRITTEN.values():
            yield from tiktok_payloads.translated(method, payload).events


def recorded_events(platform: str) -> Iterator[Event]:
    """What is made of everything that is recorded.

    :raises SkipTest: the corpus is not here.
    """
    recordings = {"twitch": _twitch, "youtube": _youtube, "tiktok": _tiktok}
    yield from recordings[platform]()


def _twitch() -> Iterator[Event]:
    lines = list(twitch_lines.recorded().values())
    for path in sorted(corpus("reports").glob("*.irc")):
        lines += [line for line in path.read_bytes().splitlines() if line]
    for line in lines:
        yield from twitch_lines.translated(line).events


def _youtube() -> Iterator[Event]:
    for poll in polls().values():
        yield from poll.events
    yield from read_poll(corpus("reports/youtube-own-links.json").read_bytes(), VIDEO, NOW).events


def _tiktok() -> Iterator[Event]:
    streams: dict[str, list[Envelope]] = {}
    for name, one in tiktok_payloads.recorded().items():
        yield from tiktok_payloads.translated(one.method, one.payload).events
        envelope = Envelope(one.method, one.payload)
        streams.setdefault(name.partition("/")[0], []).append(envelope)
    batch = read_batch(corpus("tiktok/recorded/2026-08-10_first_batch.pb").read_bytes())
    push = read_push(corpus("tiktok/recorded/2026-09-17_im_enter_room_resp.frame.bin").read_bytes())
    assert isinstance(batch, Batch)
    assert isinstance(push, Push)
    # Once more as whole streams, for what only comes of several messages: the ends of gifts.
    for stream in (*streams.values(), batch.messages, push.batch.messages):
        translator = Translator(tiktok_payloads.ROOM)
        yield from translator.translate(stream, tiktok_payloads.NOW, 0.0).events
        yield from translator.overdue(float("inf"))
