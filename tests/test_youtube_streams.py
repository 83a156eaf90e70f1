# SPDX-License-Identifier: MIT
"""The list of a channel's streams, in both layouts."""

from __future__ import annotations

import gzip
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.youtube.parse.page import Page, read_page
from livechat.platforms.youtube.parse.streams import Entry, candidates, read_streams
from tests.support.corpus import corpus


def tab(*contents: Any, url: str = "/@name/streams", selected: bool = True) -> Any:
    """A tab of a channel page with these entries."""
    return {
        "tabRenderer": {
            "selected": selected,
            "endpoint": {"commandMetadata": {"webCommandMetadata": {"url": url}}},
            "content": {
                "richGridRenderer": {
                    "contents": [{"richItemRenderer": {"content": content}} for content in contents]
                }
            },
        }
    }


def page(*tabs: Any) -> Page:
    """A channel page with these tabs."""
    return Page({"contents": {"twoColumnBrowseResultsRenderer": {"tabs": list(tabs)}}})


def video(video_id: str, style: str, viewers: str = "", **more: Any) -> Any:
    """An entry in the older layout."""
    overlay = {"thumbnailOverlayTimeStatusRenderer": {"style": style}}
    renderer = {"videoId": video_id, "thumbnailOverlays": [{"x": {}}, overlay], **more}
    if viewers:
        renderer["viewCountText"] = {"runs": [{"text": viewers}, {"text": " watching"}]}
    return {"videoRenderer": renderer}


def lockup(video_id: str, badge: str, style: str = "DEFAULT", *rows: str, mark: str = "") -> Any:
    """An entry in the newer layout."""
    thumbnail = {"text": badge, "badgeStyle": f"THUMBNAIL_OVERLAY_BADGE_STYLE_{style}"}
    overlay = {
        "thumbnailBottomOverlayViewModel": {"badges": [{"thumbnailBadgeViewModel": thumbnail}]}
    }
    parts = [{"metadataParts": [{"text": {"content": row}}]} for row in rows]
    if mark:
        parts.append({"badges": [{"badgeViewModel": {"badgeStyle": mark}}]})
    details = {
        "title": {"content": "T"},
        "metadata": {"contentMetadataViewModel": {"metadataRows": parts}},
    }
    return {
        "lockupViewModel": {
            "contentId": video_id,
            "contentType": "LOCKUP_CONTENT_TYPE_VIDEO",
            "contentImage": {"thumbnailViewModel": {"overlays": [overlay, {"other": {}}]}},
            "metadata": {"lockupMetadataViewModel": details},
        }
    }


class RecordedTests(SynchronousTestCase):
    """The recorded lists."""

    def read(self, name: str) -> list[Entry]:
        """The entries of a recorded page."""
        body = corpus(f"youtube/ytlivechat/{name}.html.gz").read_bytes()
        return read_streams(read_page(gzip.decompress(body)))

    def test_live(self) -> None:
        """One on air, one announced, twenty-eight over: the one on air is the candidate."""
        entries = self.read("HimemoriLuna.streams.2026-02-17")
        self.assertEqual([entry.state for entry in entries].count("over"), 28)
        self.assertEqual(entries[0], Entry("wPXfKeWU2YE", "upcoming", 32, 1_791_644_100_000))
        self.assertEqual(entries[1], Entry("qT5OTDvJK1Q", "live", 5516))
        self.assertEqual(candidates(entries), ["qT5OTDvJK1Q"])

    def test_members_only(self) -> None:
        """A members' stream on air, in a German page, is no candidate; nor is the waiting room."""
        entries = self.read("AkiRosenthal.streams.2026-02-17.current")
        self.assertEqual(entries[0], Entry("VoWHIX4tp5k", "upcoming", 6, 1_798_123_500_000))
        self.assertEqual(entries[1], Entry("qS50yDHZOx4", "live", members_only=True))
        self.assertEqual([entry.state for entry in entries[2:]], ["over"] * 28)
        self.assertEqual(candidates(entries), [])


class ListTests(SynchronousTestCase):
    """Lists of our own."""

    def test_most_viewers(self) -> None:
        """Of several on air the one with most viewers comes first, one without a number last."""
        entries = read_streams(
            page(
                tab(
                    video("aaaaaaaaaa0", "LIVE", "1"),
                    video("bbbbbbbbbb0", "LIVE"),
                    video("cccccccccc0", "LIVE", "4.536"),
                    video("dddddddddd0", "UPCOMING", "9,999"),
                    video("eeeeeeeeee0", "DEFAULT", "99,999"),
                    lockup("ffffffffff0", "LIVE", "LIVE", "Channel", "1.2K watching"),
                )
            )
        )
        self.assertEqual(
            candidates(entries), ["cccccccccc0", "ffffffffff0", "aaaaaaaaaa0", "bbbbbbbbbb0"]
        )

    def test_lockup(self) -> None:
        """In the newer layout what has a length is over and what has none is looked at."""
        entries = read_streams(
            page(
                tab(
                    lockup(
                        "aaaaaaaaaa0", "Demnächst", "DEFAULT", "1 warten", "Geplant für: morgen"
                    ),
                    lockup("bbbbbbbbbb0", "1:02:03", "DEFAULT", "12.345 Aufrufe"),
                    lockup("cccccccccc0", "56:14"),
                    lockup("dddddddddd0", "LIVE", "LIVE", "5 watching", mark="BADGE_MEMBERS_ONLY"),
                    {"lockupViewModel": {"contentId": "PLxxxxxxxxx", "contentType": "PLAYLIST"}},
                )
            )
        )
        self.assertEqual(
            entries,
            [
                Entry("aaaaaaaaaa0", "unsure", 1),
                Entry("bbbbbbbbbb0", "over", 12_345),
                Entry("cccccccccc0", "over"),
                Entry("dddddddddd0", "live", 5, members_only=True),
            ],
        )
        self.assertEqual(candidates(entries), ["aaaaaaaaaa0"])

    def test_unsure_is_bounded(self) -> None:
        """Only the first few of the unsure are looked at, after those surely on air."""
        unsure = [lockup(f"aaaaaaaaaa{n}", "?") for n in range(9)]
        entries = read_streams(page(tab(*unsure, video("bbbbbbbbbb0", "LIVE", "1"))))
        self.assertEqual(
            candidates(entries), ["bbbbbbbbbb0", "aaaaaaaaaa0", "aaaaaaaaaa1", "aaaaaaaaaa2"]
        )

    def test_another_tab(self) -> None:
        """Where a channel has no such tab another is shown, whose entries do not count."""
        live = video("aaaaaaaaaa0", "LIVE", "1")
        home = tab(live, url="/@name/featured")
        hidden = tab(live, selected=False)
        self.assertEqual(read_streams(page(home, hidden, {"expandableTabRenderer": {}})), [])
        self.assertEqual(len(read_streams(page(home, tab(live, url="/@name/streams?view=2")))), 1)

    def test_bad_nodes(self) -> None:
        """Entries that are none are passed over."""
        entries = read_streams(
            page(
                tab(
                    None,
                    7,
                    {},
                    {"videoRenderer": None},
                    {"lockupViewModel": []},
                    video("../../../..", "LIVE"),
                    {"newThing": {}},
                    video("aaaaaaaaaa0", "LIVE"),
                )
            )
        )
        self.assertEqual(entries, [Entry("aaaaaaaaaa0", "live")])
        self.assertEqual(read_streams(Page()), [])
        self.assertEqual(read_streams(Page({"contents": []})), [])
