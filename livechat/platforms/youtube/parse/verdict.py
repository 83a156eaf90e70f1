# SPDX-License-Identifier: MIT
"""What a watch page or `/live` page says about a stream: live, or why there is no chat to read.

Decided by paths in decoded JSON and in the order of docs/wire/youtube.md#verdict; never by words,
which are translated, nor by patterns over the whole page, which match what they should not.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import iso_time
from livechat.platforms.youtube.identifier import CHANNEL_ID, VIDEO_ID
from livechat.platforms.youtube.parse.continuation import all_messages, is_stub, read_continuation
from livechat.platforms.youtube.parse.innertube import (
    Json,
    children,
    dig,
    string,
    text_of,
    whole_number,
)
from livechat.platforms.youtube.parse.page import ClientContext, Page, read_page

_CONSENT_HOST: Final = "consent.youtube.com"
#: Path of the page that only wants to know whether we are human; Google has it on many hosts.
_SORRY: Final = "/sorry/"

#: What that page has in it.
_CAPTCHA: Final = (b"google.com/sorry", b"unusual traffic")

#: The last second of the year 9999.
_LATEST: Final = 253_402_300_799

#: `params` of the metadata poll: the player of a waiting room asks with these
#: (docs/wire/youtube.md#verdict).
_WAITING: Final = "IAA="

#: Statuses of old for what is now LOGIN_REQUIRED with an age gate (unverified).
_AGE_STATUSES: Final = frozenset({"AGE_CHECK_REQUIRED", "AGE_VERIFICATION_REQUIRED"})
_SIGN_IN: Final = _AGE_STATUSES | {"LOGIN_REQUIRED"}


class Reason(StrEnum):
    """Why there is no chat to follow; goes into `details` where the code does not say it all."""

    CONSENT = "CONSENT"
    BLOCKED = "BLOCKED"
    RATE_LIMITED = "RATE_LIMITED"
    SERVER_ERROR = "SERVER_ERROR"
    UNREADABLE = "UNREADABLE"
    NOT_FOUND = "NOT_FOUND"
    OFFLINE = "OFFLINE"
    LOGIN_REQUIRED = "LOGIN_REQUIRED"
    AGE_RESTRICTED = "AGE_RESTRICTED"
    MEMBERS_ONLY = "MEMBERS_ONLY"
    ENDED = "ENDED"
    UPCOMING = "UPCOMING"
    CHAT_DISABLED = "CHAT_DISABLED"
    NOT_A_STREAM = "NOT_A_STREAM"


class LiveStream(Struct, frozen=True):
    """A live stream whose chat can be read.

    :ivar top_token: the page's own token, for Top chat.
    :ivar all_token: the same rewritten for all messages; equal to `top_token` where that failed.
    :ivar viewers: how many watch, where the page says so.
    """

    video_id: str
    channel_id: str
    channel_name: str
    title: str
    viewers: int | None
    top_token: str
    all_token: str
    client: ClientContext


class Refusal(Struct, frozen=True):
    """No chat to follow, and why.

    :ivar video_id: the video it is about; empty where there is none.
    :ivar channel_id: its channel; empty where the page does not say.
    :ivar scheduled_ms: when an upcoming stream is announced to begin.
    """

    reason: Reason
    video_id: str = ""
    channel_id: str = ""
    scheduled_ms: int | None = None

    def error(self) -> ChatError:
        """The error that clients get."""
        scheduled = None if self.scheduled_ms is None else iso_time(self.scheduled_ms)
        return _ERRORS[self.reason].error(scheduled_start=scheduled)


_ERRORS: Final = {
    Reason.CONSENT: error_catalogue.CONSENT,
    Reason.BLOCKED: error_catalogue.BLOCKED,
    Reason.RATE_LIMITED: error_catalogue.RATE_LIMITED,
    Reason.SERVER_ERROR: error_catalogue.SERVER_ERROR,
    Reason.UNREADABLE: error_catalogue.UNREADABLE,
    Reason.NOT_FOUND: error_catalogue.MISSING,
    Reason.OFFLINE: error_catalogue.NOT_LIVE,
    Reason.LOGIN_REQUIRED: error_catalogue.HIDDEN,
    Reason.AGE_RESTRICTED: error_catalogue.AGE_RESTRICTED,
    Reason.MEMBERS_ONLY: error_catalogue.MEMBERS_ONLY,
    Reason.ENDED: error_catalogue.ENDED,
    Reason.UPCOMING: error_catalogue.UPCOMING,
    Reason.CHAT_DISABLED: error_catalogue.CHAT_DISABLED,
    Reason.NOT_A_STREAM: error_catalogue.NOT_A_STREAM,
}

#: Worth asking again soon: nothing was learnt about the stream.  Of a page that asks to sign in we
#: cannot tell a private video from doubts about our address.
TEMPORARY: Final = frozenset(reason for reason, entry in _ERRORS.items() if entry.temporary)


def judge(status: int, url: str, body: bytes) -> LiveStream | Refusal:
    """The verdict on the answer to a request for a watch page or `/live` page.

    :param status: HTTP status, after redirects.
    :param url: where the answer came from in the end.
    :param body: the page, inflated.
    """
    page = opened(status, url, body)
    return page if isinstance(page, Refusal) else verdict(page)


def opened(status: int, url: str, body: bytes) -> Page | Refusal:
    """The page that was answered with, or why it is none."""
    if status == 429:
        return Refusal(Reason.RATE_LIMITED)
    host, path = _place(url)
    if host == _CONSENT_HOST:
        return Refusal(Reason.CONSENT)
    if f"{path}/".startswith(_SORRY):
        return Refusal(Reason.BLOCKED)
    if status == 404:
        return Refusal(Reason.NOT_FOUND)
    if status >= 500:
        return Refusal(Reason.SERVER_ERROR)
    page = read_page(body)
    if page.data:
        return page
    if f"{_CONSENT_HOST}/".encode() in body:
        return Refusal(Reason.CONSENT)
    blocked = status in (401, 403) or any(mark in body for mark in _CAPTCHA)
    return Refusal(Reason.BLOCKED if blocked else Reason.UNREADABLE)


def verdict(page: Page) -> LiveStream | Refusal:
    """The verdict on a page, by the table of the wire facts and in its order."""
    watch = dig(page.data, "contents", "twoColumnWatchNextResults")
    if watch is None and not page.player:
        return _no_watch_page(page)
    facts = _Facts(page, watch)
    reason = facts.refusal()
    if reason is not None:
        scheduled = facts.scheduled_ms() if reason is Reason.UPCOMING else None
        return Refusal(reason, facts.video_id, facts.channel_id, scheduled)
    return LiveStream(
        facts.video_id,
        facts.channel_id,
        string(dig(facts.details, "author")),
        facts.title,
        whole_number(dig(facts.view_count, "originalViewCount")),
        facts.token,
        all_messages(facts.token),
        page.client(),
    )


def _place(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.path
    except ValueError:
        return "", ""


def _no_watch_page(page: Page) -> Refusal:
    channel = string(dig(page.data, "metadata", "channelMetadataRenderer", "externalId"))
    is_channel = isinstance(dig(page.data, "contents", "twoColumnBrowseResultsRenderer"), dict)
    if is_channel:
        return Refusal(Reason.OFFLINE, channel_id=channel if CHANNEL_ID.fullmatch(channel) else "")
    return Refusal(Reason.UNREADABLE)


class _Facts:
    """The nodes of a watch page that decide."""

    def __init__(self, page: Page, watch: Json) -> None:
        player = page.player
        self.details = dig(player, "videoDetails")
        self.playability = dig(player, "playabilityStatus")
        self.status = string(dig(self.playability, "status"))
        microformat = dig(player, "microformat", "playerMicroformatRenderer")
        self.broadcast = dig(microformat, "liveBroadcastDetails")
        self.chat = dig(watch, "conversationBar", "liveChatRenderer")
        continuation = read_continuation(dig(self.chat, "continuations"))
        token = continuation.token if continuation is not None else ""
        self.token = "" if is_stub(token) else token
        primary = _primary_info(watch)
        self.view_count = dig(primary, "viewCount", "videoViewCountRenderer")
        self.metadata = dig(primary, "updatedMetadataEndpoint", "updatedMetadataEndpoint")
        current = dig(page.data, "currentVideoEndpoint", "watchEndpoint")
        video = string(dig(self.details, "videoId")) or string(dig(current, "videoId"))
        self.video_id = video if VIDEO_ID.fullmatch(video) else ""
        channel = string(dig(self.details, "channelId"))
        self.channel_id = channel if CHANNEL_ID.fullmatch(channel) else ""
        self.title = string(dig(self.details, "title")) or text_of(dig(primary, "title"))

    def refusal(self) -> Reason | None:
        """Why the chat cannot be followed, by the rows of the table; None where it can."""
        has_chat = isinstance(self.chat, dict)
        if self.status == "ERROR":
            return Reason.NOT_FOUND
        if not has_chat and self.status in _SIGN_IN:
            return Reason.AGE_RESTRICTED if self._has_age_gate() else Reason.LOGIN_REQUIRED
        # Before the chat is looked at, which such a page calls disabled.
        if self.status == "UNPLAYABLE" and self._is_for_members():
            return Reason.MEMBERS_ONLY
        if dig(self.chat, "isReplay") is True or dig(self.broadcast, "endTimestamp"):
            return Reason.ENDED
        if dig(self.details, "isUpcoming") is True:
            return Reason.UPCOMING
        if not (dig(self.details, "isLive") is True or dig(self.broadcast, "isLiveNow") is True):
            return self._without_live_player()
        return self._without_token()

    def _without_live_player(self) -> Reason | None:
        """The player data says nothing of a live stream, or it is withheld."""
        withheld = not isinstance(self.details, dict) or self.status in _SIGN_IN
        # Addresses of data centres are asked to sign in although the chat works.
        if withheld and isinstance(self.chat, dict) and dig(self.view_count, "isLive") is True:
            # A waiting room counts as live here; only the metadata poll tells it apart.
            waiting = dig(self.metadata, "params") == _WAITING
            return Reason.UPCOMING if waiting else self._without_token()
        if dig(self.details, "isLiveContent") is True:
            return Reason.ENDED
        return Reason.NOT_A_STREAM if self.status else Reason.UNREADABLE

    def _without_token(self) -> Reason | None:
        if self.token and self.video_id:
            return None
        return Reason.UNREADABLE if isinstance(self.chat, dict) else Reason.CHAT_DISABLED

    def _has_age_gate(self) -> bool:
        gate = dig(self.playability, "desktopLegacyAgeGateReason")
        return gate is not None or self.status in _AGE_STATUSES

    def _is_for_members(self) -> bool:
        offer = dig(self.playability, "errorScreen", "playerLegacyDesktopYpcOfferRenderer")
        return string(dig(offer, "offerId")) == "sponsors_only_video"

    def scheduled_ms(self) -> int | None:
        """When the stream is announced to begin."""
        slate = dig(self.playability, "liveStreamability", "liveStreamabilityRenderer")
        slate = dig(slate, "offlineSlate", "liveStreamOfflineSlateRenderer")
        seconds = whole_number(dig(slate, "scheduledStartTime"))
        if seconds is None:
            seconds = _seconds(string(dig(self.broadcast, "startTimestamp")))
        return seconds * 1000 if seconds is not None and seconds <= _LATEST else None


def _primary_info(watch: Json) -> Json:
    parts = children(dig(watch, "results", "results", "contents"))
    found = (dig(part, "videoPrimaryInfoRenderer") for part in parts)
    return next((info for info in found if info is not None), None)


def _seconds(timestamp: str) -> int | None:
    try:
        seconds = int(datetime.fromisoformat(timestamp).timestamp())
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None
