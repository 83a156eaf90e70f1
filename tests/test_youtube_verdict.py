# SPDX-License-Identifier: MIT
"""The verdict table, every row on pages of our own, and what clients are told."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.errors import ErrorCode
from livechat.platforms.youtube.parse.page import ClientContext
from livechat.platforms.youtube.parse.verdict import TEMPORARY, LiveStream, Reason, Refusal, judge
from tests.test_youtube_continuation import ALL, STUB_TOP, TOP

VIDEO = "abcdefghij0"
CHANNEL = "UCa9Y57gfeY0Zro_noHRVrnw"
URL = "https://www.youtube.com/@name/live"


def html(data: Any = None, player: Any = None, config: Any = None) -> bytes:
    """A page with these values."""
    parts = [
        ("ytcfg.set({});", config),
        ("var ytInitialPlayerResponse = {};", player),
        ("var ytInitialData = {};", data),
    ]
    scripts = [
        f"<script>{statement.replace('{}', json.dumps(value))}</script>"
        for statement, value in parts
        if value is not None
    ]
    return f"<!DOCTYPE html><html><body>{''.join(scripts)}</body></html>".encode()


def watch(chat: Any = None, *, counted_live: bool | None = None, params: str = "IAE=") -> Any:
    """`ytInitialData` of a watch page with this conversation bar."""
    count: dict[str, Any] = {"originalViewCount": "5516"}
    if counted_live is not None:
        count["isLive"] = counted_live
    info = {
        "viewCount": {"videoViewCountRenderer": count},
        "title": {"runs": [{"text": "A "}, {"text": "title"}]},
        "updatedMetadataEndpoint": {"updatedMetadataEndpoint": {"params": params}},
    }
    results = {"results": {"contents": [{"other": {}}, {"videoPrimaryInfoRenderer": info}]}}
    columns: dict[str, Any] = {"results": results}
    if chat is not None:
        columns["conversationBar"] = chat
    return {
        "contents": {"twoColumnWatchNextResults": columns},
        "currentVideoEndpoint": {"watchEndpoint": {"videoId": VIDEO}},
    }


def chat(token: str = TOP, **more: Any) -> Any:
    """A conversation bar with a chat in it."""
    continuations = [{"reloadContinuationData": {"continuation": token}}]
    return {"liveChatRenderer": {"continuations": continuations, **more}}


def player(status: str = "OK", **more: Any) -> Any:
    """`ytInitialPlayerResponse`; of `details`, `broadcast` and `playability` what is given."""
    details = {"videoId": VIDEO, "channelId": CHANNEL, "author": "Name", "title": "T"}
    details.update(more.get("details", {}))
    broadcast = more.get("broadcast", {})
    return {
        "videoDetails": details,
        "playabilityStatus": {"status": status, **more.get("playability", {})},
        "microformat": {"playerMicroformatRenderer": {"liveBroadcastDetails": broadcast}},
    }


DISABLED: Any = {
    "conversationBarRenderer": {"availabilityMessage": {"messageRenderer": {"text": {}}}}
}
EMPTY: Any = {"liveChatRenderer": {}}
MEMBERS = {
    "errorScreen": {"playerLegacyDesktopYpcOfferRenderer": {"offerId": "sponsors_only_video"}}
}
ON_AIR = {"isLive": True, "isLiveContent": True}
SLATE = {"liveStreamOfflineSlateRenderer": {"scheduledStartTime": "1771333200"}}
SCHEDULED = {"liveStreamability": {"liveStreamabilityRenderer": {"offlineSlate": SLATE}}}


class RowTests(SynchronousTestCase):
    """docs/wire/youtube.md#verdict, row by row, and where rows meet."""

    def reason(self, data: Any, response: Any = None) -> Reason | None:
        """The reason of the verdict on a page with these values; None if it is live."""
        found = judge(200, URL, html(data, response))
        return found.reason if isinstance(found, Refusal) else None

    def test_live(self) -> None:
        """On air with a chat, by either of the player's two signs."""
        self.assertIsNone(self.reason(watch(chat()), player(details=ON_AIR)))
        self.assertIsNone(self.reason(watch(chat()), player(broadcast={"isLiveNow": True})))
        premiere = {"isLive": True, "isLiveContent": False}
        self.assertIsNone(self.reason(watch(chat()), player(details=premiere)))

    def test_live_says_all_it_knows(self) -> None:
        """A live verdict has the ids, the names, the viewers, both tokens and who asks."""
        config = {
            "INNERTUBE_CLIENT_VERSION": "2.9",
            "VISITOR_DATA": "v%3D",
            "INNERTUBE_API_KEY": "k",
        }
        page = html(watch(chat(), counted_live=True), player(details=ON_AIR), config)
        self.assertEqual(
            judge(200, URL, page),
            LiveStream(
                VIDEO, CHANNEL, "Name", "T", 5516, TOP, ALL, ClientContext("2.9", "v%3D", "k", "")
            ),
        )

    def test_channel_page(self) -> None:
        """A channel page means that nothing is on air or announced."""
        data = {
            "contents": {"twoColumnBrowseResultsRenderer": {"tabs": []}},
            "metadata": {"channelMetadataRenderer": {"externalId": CHANNEL}},
        }
        self.assertEqual(judge(200, URL, html(data)), Refusal(Reason.OFFLINE, channel_id=CHANNEL))

    def test_no_such_video(self) -> None:
        """A video that is gone, or never was, is not found, whatever else is on the page."""
        self.assertEqual(
            self.reason(watch(), player("ERROR", details={"videoId": None})), Reason.NOT_FOUND
        )
        self.assertEqual(self.reason({"contents": {}, "x": 1}, player("ERROR")), Reason.NOT_FOUND)

    def test_sign_in(self) -> None:
        """Private, age-restricted and doubted: all ask to sign in; an age gate has its key."""
        self.assertEqual(self.reason(watch(), player("LOGIN_REQUIRED")), Reason.LOGIN_REQUIRED)
        gate = {"desktopLegacyAgeGateReason": 1}
        gated = player("LOGIN_REQUIRED", playability=gate)
        self.assertEqual(self.reason(watch(), gated), Reason.AGE_RESTRICTED)
        self.assertEqual(self.reason(watch(), player("AGE_CHECK_REQUIRED")), Reason.AGE_RESTRICTED)

    def test_sign_in_although_live(self) -> None:
        """Where the player is kept from our address the chat still tells that it is live."""
        blocked = player("LOGIN_REQUIRED")
        bare = {"playabilityStatus": {"status": "LOGIN_REQUIRED"}}
        for response in (blocked, bare, None):
            self.assertIsNone(self.reason(watch(chat(), counted_live=True), response))
        found = judge(200, URL, html(watch(chat(), counted_live=True), bare))
        assert isinstance(found, LiveStream)
        self.assertEqual((found.video_id, found.title), (VIDEO, "A title"))
        content = player("LOGIN_REQUIRED", details={"isLiveContent": True})
        self.assertIsNone(self.reason(watch(chat(), counted_live=True), content))
        self.assertEqual(self.reason(watch(chat()), content), Reason.ENDED)

    def test_waiting_room_without_player(self) -> None:
        """A waiting room counts as live; only the metadata poll tells it from a stream."""
        data = watch(chat(), counted_live=True, params="IAA=")
        self.assertEqual(self.reason(data, player("LOGIN_REQUIRED")), Reason.UPCOMING)

    def test_members_only(self) -> None:
        """A members' stream is told before the chat it calls disabled."""
        response = player("UNPLAYABLE", details=ON_AIR, playability=MEMBERS)
        self.assertEqual(self.reason(watch(DISABLED), response), Reason.MEMBERS_ONLY)
        elsewhere = player("UNPLAYABLE", details=ON_AIR)
        self.assertEqual(self.reason(watch(DISABLED), elsewhere), Reason.CHAT_DISABLED)

    def test_ended(self) -> None:
        """A replay, an end time, or a broadcast neither on air nor announced is over."""
        self.assertEqual(self.reason(watch(chat(isReplay=True)), player()), Reason.ENDED)
        ended = {"isLiveNow": False, "endTimestamp": "2021-11-23T09:59:30+00:00"}
        self.assertEqual(self.reason(watch(), player(broadcast=ended)), Reason.ENDED)
        over = player(details={"isLiveContent": True})
        self.assertEqual(self.reason(watch(), over), Reason.ENDED)
        # The page's own count is no sign of life while the player speaks.
        self.assertEqual(self.reason(watch(chat(), counted_live=True), over), Reason.ENDED)

    def test_upcoming(self) -> None:
        """An announced stream is not live, whatever else its page calls live, and says when."""
        waiting = {"isUpcoming": True, "isLiveContent": True}
        trailer = {"errorScreen": {"x": {"playabilityStatus": {"status": "OK"}}}}
        response = player(
            "LIVE_STREAM_OFFLINE", details=waiting, playability={**SCHEDULED, **trailer}
        )
        data = watch(chat(), counted_live=True, params="IAA=")
        self.assertEqual(
            judge(200, URL, html(data, response)),
            Refusal(Reason.UPCOMING, VIDEO, CHANNEL, 1_771_333_200_000),
        )

    def test_upcoming_start(self) -> None:
        """The start is the slate's, else the broadcast's; nonsense is no start."""
        cases: list[tuple[Any, int | None]] = [
            ("2026-02-17T13:00:00+00:00", 1_771_333_200_000),
            ("1960-01-01T00:00:00+00:00", None),
            ("soon", None),
            (None, None),
        ]
        for told, start in cases:
            response = player(details={"isUpcoming": True}, broadcast={"startTimestamp": told})
            found = judge(200, URL, html(watch(), response))
            assert isinstance(found, Refusal)
            self.assertEqual(found.scheduled_ms, start)
        slate = {"liveStreamOfflineSlateRenderer": {"scheduledStartTime": "9" * 18}}
        far = {"liveStreamability": {"liveStreamabilityRenderer": {"offlineSlate": slate}}}
        found = judge(
            200, URL, html(watch(), player(details={"isUpcoming": True}, playability=far))
        )
        assert isinstance(found, Refusal)
        self.assertIsNone(found.scheduled_ms)

    def test_chat_disabled(self) -> None:
        """On air without a chat, said or not."""
        for bar in (DISABLED, None):
            self.assertEqual(self.reason(watch(bar), player(details=ON_AIR)), Reason.CHAT_DISABLED)

    def test_unusable_token(self) -> None:
        """A chat without a token, or with a stub, is a page that we cannot read."""
        for bar in (chat(""), chat(STUB_TOP), EMPTY):
            self.assertEqual(self.reason(watch(bar), player(details=ON_AIR)), Reason.UNREADABLE)

    def test_not_a_stream(self) -> None:
        """A video that never was a live stream."""
        self.assertEqual(
            self.reason(watch(), player(details={"isLiveContent": False})), Reason.NOT_A_STREAM
        )

    def test_unreadable(self) -> None:
        """A page with none of the nodes that we know."""
        self.assertEqual(self.reason({"contents": {"newLayout": {}}}), Reason.UNREADABLE)
        self.assertEqual(self.reason(watch()), Reason.UNREADABLE)
        self.assertEqual(self.reason({"contents": []}, {"x": 1}), Reason.UNREADABLE)

    def test_bad_ids(self) -> None:
        """Ids that are none are not passed on: they would travel into addresses."""
        details = {**ON_AIR, "videoId": "../../etc", "channelId": "UC/../x"}
        data = watch(chat())
        data["currentVideoEndpoint"] = {"watchEndpoint": {"videoId": "?"}}
        found = judge(200, URL, html(data, player(details=details)))
        self.assertEqual(found, Refusal(Reason.UNREADABLE))


class AnswerTests(SynchronousTestCase):
    """Answers that are no page of a channel or video."""

    def test_statuses(self) -> None:
        """A status that says it all is believed, even over a page that looks right."""
        live = html(watch(chat()), player(details=ON_AIR))
        for status, reason in (
            (429, Reason.RATE_LIMITED),
            (404, Reason.NOT_FOUND),
            (500, Reason.SERVER_ERROR),
            (503, Reason.SERVER_ERROR),
        ):
            self.assertEqual(judge(status, URL, live), Refusal(reason))
        self.assertEqual(judge(403, URL, b"no"), Refusal(Reason.BLOCKED))
        self.assertIsInstance(judge(403, URL, live), LiveStream)

    def test_consent(self) -> None:
        """The consent page, by its address or by its form, is never taken for `not live`."""
        form = b'<form action="https://consent.youtube.com/save"></form>'
        self.assertEqual(judge(200, URL, form), Refusal(Reason.CONSENT))
        at = "https://consent.youtube.com/m?continue=x"
        self.assertEqual(judge(200, at, b"Before you continue"), Refusal(Reason.CONSENT))
        # A page that only links there is a page.
        data = {**watch(chat()), "footer": "https://consent.youtube.com/d"}
        self.assertIsInstance(judge(200, URL, html(data, player(details=ON_AIR))), LiveStream)

    def test_captcha(self) -> None:
        """The captcha, by its path on whatever host or by its words, is a block."""
        for at in (
            "https://www.google.com/sorry/index?continue=x",
            "https://www.google.de/sorry/?continue=x",
            "https://www.youtube.com/sorry/index",
            "http://127.0.0.1:8081/sorry",
        ):
            self.assertEqual(judge(200, at, b""), Refusal(Reason.BLOCKED))
        # A channel of that name is none.
        for at in (f"{URL}&sorry/", "https://www.youtube.com/@sorry/live", f"{URL}/sorryish"):
            self.assertEqual(judge(200, at, b""), Refusal(Reason.UNREADABLE))
        words = b"Our systems have detected unusual traffic from your computer network."
        self.assertEqual(judge(200, URL, words), Refusal(Reason.BLOCKED))

    def test_nothing(self) -> None:
        """An empty or foreign answer is unreadable; a broken address is no reason to raise."""
        for body in (b"", b"\xff\xfe\x00", b"<html></html>", b"{}", b"<script>ytInitialData = {}"):
            for url in (URL, "", "https://[broken", "//"):
                self.assertEqual(judge(200, url, body), Refusal(Reason.UNREADABLE))
        self.assertEqual(judge(204, URL, b""), Refusal(Reason.UNREADABLE))


class ErrorTests(SynchronousTestCase):
    """What clients are told."""

    def test_codes(self) -> None:
        """Each reason has its code of the table and its detail; passing ones are temporary."""
        unavailable = ErrorCode.UPSTREAM_UNAVAILABLE
        expected = {
            Reason.CONSENT: (unavailable, "CONSENT", True),
            Reason.BLOCKED: (unavailable, "BLOCKED", True),
            Reason.RATE_LIMITED: (unavailable, "RATE_LIMITED", True),
            Reason.SERVER_ERROR: (unavailable, "SERVER_ERROR", True),
            Reason.UNREADABLE: (unavailable, "UNREADABLE", True),
            Reason.NOT_FOUND: (ErrorCode.STREAM_NOT_FOUND, None, False),
            Reason.LOGIN_REQUIRED: (ErrorCode.STREAM_NOT_FOUND, "LOGIN_REQUIRED", True),
            Reason.AGE_RESTRICTED: (ErrorCode.UPSTREAM_UNAVAILABLE, "AGE_RESTRICTED", False),
            Reason.OFFLINE: (ErrorCode.STREAM_NOT_LIVE, None, False),
            Reason.MEMBERS_ONLY: (ErrorCode.STREAM_NOT_LIVE, "MEMBERS_ONLY", False),
            Reason.CHAT_DISABLED: (ErrorCode.STREAM_NOT_LIVE, "CHAT_DISABLED", False),
            Reason.UPCOMING: (ErrorCode.STREAM_NOT_LIVE, "UPCOMING", False),
            Reason.NOT_A_STREAM: (ErrorCode.STREAM_NOT_LIVE, "NOT_A_STREAM", False),
            Reason.ENDED: (ErrorCode.STREAM_ENDED, None, False),
        }
        self.assertEqual(set(expected), set(Reason))
        for reason, (code, details, temporary) in expected.items():
            error = Refusal(reason).error()
            self.assertEqual(
                (error.code, error.details, error.temporary), (code, details, temporary)
            )
            self.assertEqual(temporary, reason in TEMPORARY)
            self.assertTrue(error.error)
            self.assertIsNone(error.scheduled_start)

    def test_scheduled(self) -> None:
        """An upcoming stream's error says when it begins."""
        error = Refusal(Reason.UPCOMING, VIDEO, CHANNEL, 1_771_333_200_000).error()
        self.assertEqual(error.scheduled_start, "2026-02-17T13:00:00.000Z")
