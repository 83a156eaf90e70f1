# SPDX-License-Identifier: MIT
"""Every recorded page: the verdict on it, by its name."""

from __future__ import annotations

import gzip

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.youtube.identifier import VIDEO_ID
from livechat.platforms.youtube.parse.verdict import LiveStream, Reason, Refusal, judge
from tests.support.corpus import corpus
from tests.test_youtube_continuation import ALL, TOP
from tests.test_youtube_verdict import URL

RECORDED: dict[str, tuple[Reason | None, str, str]] = {
    "live_chat_page/live_chat_page.2023-06-02.html.gz": (Reason.UNREADABLE, "", ""),
    "pytchat/videoinfo__archived_page.txt.gz": (Reason.UNREADABLE, "", ""),
    "pytchat/videoinfo__invalid_video_id_page.txt.gz": (Reason.UNREADABLE, "", ""),
    "pytchat/videoinfo__live_page.txt.gz": (Reason.UNREADABLE, "", ""),
    "pytchat/videoinfo__no_info_page.txt.gz": (Reason.UNREADABLE, "", ""),
    # a browser's dump, reformatted as JavaScript: no server ever sent it
    "youtube-chat/live-page.html.gz": (Reason.UNREADABLE, "", ""),
    "youtube-chat/no_live_page.html.gz": (Reason.OFFLINE, "", "UCxkOLgdNumvVIQqn5ps_bJA"),
    "youtube-chat/replay_page.html.gz": (Reason.ENDED, "dchqdFOW8EI", "UCxkOLgdNumvVIQqn5ps_bJA"),
    "ytlivechat/AiraniIofifteen.live.2026-02-17.html.gz": (
        Reason.UPCOMING,
        "c2lb7tb1SEA",
        "UCAoy6rzhSf4ydcYjJw3WoVg",
    ),
    "ytlivechat/AkiRosenthal.memberlive.qS50yDHZOx4.2026-02-17.html.gz": (
        Reason.MEMBERS_ONLY,
        "qS50yDHZOx4",
        "UCFTLzh12_nrtzqBPsTCqenA",
    ),
    "ytlivechat/AkiRosenthal.streams.2026-02-17.current.html.gz": (
        Reason.OFFLINE,
        "",
        "UCFTLzh12_nrtzqBPsTCqenA",
    ),
    "ytlivechat/HimemoriLuna.live.2026-02-17.html.gz": (
        None,
        "qT5OTDvJK1Q",
        "UCa9Y57gfeY0Zro_noHRVrnw",
    ),
    "ytlivechat/HimemoriLuna.streams.2026-02-17.html.gz": (
        Reason.OFFLINE,
        "",
        "UCa9Y57gfeY0Zro_noHRVrnw",
    ),
}


class RecordedTests(SynchronousTestCase):
    """Every page of the corpus."""

    def test_verdicts(self) -> None:
        """Each recorded page has the verdict that its recorder wrote down, ids included."""
        for file, (reason, video, channel) in RECORDED.items():
            found = judge(200, URL, gzip.decompress(corpus(f"youtube/{file}").read_bytes()))
            told = found.reason if isinstance(found, Refusal) else None
            self.assertEqual(
                (told, found.video_id, found.channel_id), (reason, video, channel), file
            )

    def test_every_page(self) -> None:
        """The table has every recorded page and no other."""
        manifest = msgspec.json.decode(corpus("youtube/manifest.json").read_bytes())
        pages = {entry["file"] for entry in manifest if entry["kind"].endswith("_page")}
        self.assertEqual(pages, RECORDED.keys())

    def test_live(self) -> None:
        """The recorded live page gives viewers, names, the client, and the two tokens."""
        file = "youtube/ytlivechat/HimemoriLuna.live.2026-02-17.html.gz"
        found = judge(200, URL, gzip.decompress(corpus(file).read_bytes()))
        assert isinstance(found, LiveStream)
        self.assertEqual((found.top_token, found.all_token), (TOP, ALL))
        self.assertEqual(found.viewers, 5516)
        self.assertEqual(
            (found.client.version, found.client.language), ("2.20260213.01.00", "en-GB")
        )
        self.assertTrue(found.client.visitor_data.startswith("Cgt"))
        self.assertTrue(found.client.api_key.startswith("AIza"))
        self.assertTrue(VIDEO_ID.fullmatch(found.video_id))

    def test_upcoming(self) -> None:
        """The recorded waiting room gives its start."""
        file = "youtube/ytlivechat/AiraniIofifteen.live.2026-02-17.html.gz"
        found = judge(200, URL, gzip.decompress(corpus(file).read_bytes()))
        assert isinstance(found, Refusal)
        self.assertEqual(found.error().scheduled_start, "2026-02-17T13:00:00.000Z")
