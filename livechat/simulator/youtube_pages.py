# SPDX-License-Identifier: MIT
"""Pages of the simulated YouTube: watch page, channel page, list of streams, chat page.

They hold what a reader needs at the places where real ones hold it (docs/wire/youtube.md#pages),
and in their titles what misleads one who searches instead of decoding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from html import escape
from typing import Any, Final

from livechat.simulator.youtube_tokens import ALL, STUB_ALL, STUB_TOP, TOP

VERSION: Final = "2.20261101.01.00"
VISITOR: Final = "CgtzaW11bGF0aW9uKLDl4csGMgoKAlVTEgQaAEgx%3D%3D"

#: What every title ends with.
_MISLEADING: Final = ' }; var ytInitialData = {"contents": "</script>'

Json = dict[str, Any]


class Standing(Enum):
    """What a video is."""

    LIVE = 1
    UPCOMING = 2
    ENDED = 3
    MEMBERS = 4
    DISABLED = 5
    PRIVATE = 6
    AGE = 7
    MISSING = 8
    #: Live, but the player is kept from our address.
    DATACENTER = 9


@dataclass(frozen=True, slots=True)
class Video:
    """A video as a page shows it.

    :ivar token: leads to its Top chat.
    :ivar began: when it began or will begin, seconds since 1970.
    """

    id: str
    channel_id: str
    channel: str
    standing: Standing
    token: str = ""
    viewers: int = 0
    began: float = 0.0

    @property
    def title(self) -> str:
        """What it is called."""
        return f"{self.channel} is here{_MISLEADING}"


def watch_page(video: Video) -> str:
    """The page of a video."""
    data: Json = {
        "contents": {"twoColumnWatchNextResults": _columns(video)},
        "currentVideoEndpoint": {"watchEndpoint": {"videoId": video.id}},
    }
    if video.standing is Standing.MISSING:
        data["contents"] = {"twoColumnWatchNextResults": {"results": {}}}
    return _page(video.title, f"/watch?v={video.id}", data, _player(video))


def channel_page(name: str, channel_id: str) -> str:
    """The page of a channel that has nothing on air."""
    return _page(name, f"/channel/{channel_id}", _channel(name, channel_id, "featured", {}))


def streams_page(name: str, channel_id: str, videos: Sequence[Video], modern: bool) -> str:
    """The list of a channel's streams, in either layout."""
    entry = _lockup if modern else _video_renderer
    contents = [{"richItemRenderer": {"content": entry(video)}} for video in videos]
    content = {"richGridRenderer": {"contents": contents}}
    data = _channel(name, channel_id, "streams", content)
    return _page(name, f"/channel/{channel_id}", data)


def chat_page(video: Video, chat: Json) -> str:
    """The page that is nothing but a chat."""
    scripts = [f"ytcfg.set({_json(_config())});"]
    scripts.append(f'window["ytInitialData"] = {_json({"contents": {"liveChatRenderer": chat}})};')
    return _html("Live chat", "", scripts)


def menu(kind: int, top: str, everything: str) -> Json:
    """The choice between Top chat and all messages, which is chosen, and where each leads."""
    items = [
        {
            "title": title,
            "selected": selected,
            "continuation": {"reloadContinuationData": {"continuation": token}},
        }
        for title, selected, token in (
            ("Top chat", kind == TOP, top),
            ("Live chat", kind == ALL, everything),
        )
    ]
    selector = {"sortFilterSubMenuRenderer": {"subMenuItems": items}}
    return {"liveChatHeaderRenderer": {"viewSelector": selector}}


def _columns(video: Video) -> Json:
    live = video.standing in (Standing.LIVE, Standing.DATACENTER)
    bar: Json = {
        "conversationBarRenderer": {"availabilityMessage": {"messageRenderer": {"text": {}}}}
    }
    if video.token:
        chat: Json = {
            "continuations": [{"reloadContinuationData": {"continuation": video.token}}],
            "header": menu(TOP, STUB_TOP, STUB_ALL),
        }
        if video.standing is Standing.ENDED:
            chat["isReplay"] = True
        bar = {"liveChatRenderer": chat}
    counted = live or video.standing is Standing.UPCOMING
    count = {"originalViewCount": str(video.viewers), "isLive": counted}
    info = {
        "title": {"runs": [{"text": video.title}]},
        "viewCount": {"videoViewCountRenderer": count},
        "updatedMetadataEndpoint": {
            "updatedMetadataEndpoint": {"params": "IAE=" if live else "IAA="}
        },
    }
    contents = [{"videoPrimaryInfoRenderer": info}]
    return {"results": {"results": {"contents": contents}}, "conversationBar": bar}


def _player(video: Video) -> Json:
    standing = video.standing
    if standing is Standing.MISSING:
        return {"playabilityStatus": {"status": "ERROR", "reason": "Video unavailable"}}
    if standing in (Standing.PRIVATE, Standing.DATACENTER):
        return {"playabilityStatus": {"status": "LOGIN_REQUIRED", "reason": "Sign in"}}
    if standing is Standing.AGE:
        gate = {"desktopLegacyAgeGateReason": 1}
        return {"playabilityStatus": {"status": "LOGIN_REQUIRED", **gate}}
    on_air = standing in (Standing.LIVE, Standing.DISABLED, Standing.MEMBERS)
    details: Json = {
        "videoId": video.id,
        "title": video.title,
        "channelId": video.channel_id,
        "author": video.channel,
        "isLiveContent": True,
        "viewCount": str(video.viewers),
    }
    when = datetime.fromtimestamp(int(video.began), UTC).isoformat()
    broadcast: Json = {"isLiveNow": on_air, "startTimestamp": when}
    playability: Json = {"status": "OK"}
    if on_air:
        details["isLive"] = True
    elif standing is Standing.UPCOMING:
        details["isUpcoming"] = True
        slate = {"liveStreamOfflineSlateRenderer": {"scheduledStartTime": str(int(video.began))}}
        playability = {
            "status": "LIVE_STREAM_OFFLINE",
            "liveStreamability": {"liveStreamabilityRenderer": {"offlineSlate": slate}},
        }
    else:
        broadcast["endTimestamp"] = when
    if standing is Standing.MEMBERS:
        offer = {"offerId": "sponsors_only_video"}
        trailer = {"unserializedPlayerResponse": {"playabilityStatus": {"status": "OK"}}}
        playability = {
            "status": "UNPLAYABLE",
            "errorScreen": {
                "playerLegacyDesktopYpcOfferRenderer": offer,
                "ypcTrailerRenderer": trailer,
            },
        }
    return {
        "playabilityStatus": playability,
        "videoDetails": details,
        "microformat": {"playerMicroformatRenderer": {"liveBroadcastDetails": broadcast}},
    }


def _channel(name: str, channel_id: str, tab: str, content: Json) -> Json:
    url = f"/channel/{channel_id}/{tab}"
    endpoint = {"commandMetadata": {"webCommandMetadata": {"url": url}}}
    renderer = {"endpoint": endpoint, "title": tab, "selected": True, "content": content}
    return {
        "contents": {"twoColumnBrowseResultsRenderer": {"tabs": [{"tabRenderer": renderer}]}},
        "metadata": {"channelMetadataRenderer": {"externalId": channel_id, "title": name}},
    }


def _video_renderer(video: Video) -> Json:
    style = {Standing.UPCOMING: "UPCOMING", Standing.ENDED: "DEFAULT"}.get(video.standing, "LIVE")
    node: Json = {
        "videoId": video.id,
        "title": {"runs": [{"text": video.title}]},
        "thumbnailOverlays": [{"thumbnailOverlayTimeStatusRenderer": {"style": style}}],
    }
    if video.standing is Standing.MEMBERS:
        badge = {"style": "BADGE_STYLE_TYPE_MEMBERS_ONLY"}
        node["badges"] = [{"metadataBadgeRenderer": badge}]
    else:
        node["viewCountText"] = {"runs": [{"text": f"{video.viewers:,}"}, {"text": " watching"}]}
    return {"videoRenderer": node}


def _lockup(video: Video) -> Json:
    text, style = {
        Standing.UPCOMING: ("Upcoming", "DEFAULT"),
        Standing.ENDED: ("2:03:04", "DEFAULT"),
    }.get(video.standing, ("LIVE", "LIVE"))
    badge = {"text": text, "badgeStyle": f"THUMBNAIL_OVERLAY_BADGE_STYLE_{style}"}
    overlay = {"badges": [{"thumbnailBadgeViewModel": badge}]}
    row: Json = {"metadataParts": [{"text": {"content": f"{video.viewers:,} watching"}}]}
    if video.standing is Standing.MEMBERS:
        row["badges"] = [{"badgeViewModel": {"badgeStyle": "BADGE_MEMBERS_ONLY"}}]
    metadata = {
        "title": {"content": video.title},
        "metadata": {"contentMetadataViewModel": {"metadataRows": [row]}},
    }
    image = {"thumbnailViewModel": {"overlays": [{"thumbnailBottomOverlayViewModel": overlay}]}}
    lockup = {
        "contentId": video.id,
        "contentType": "LOCKUP_CONTENT_TYPE_VIDEO",
        "contentImage": image,
        "metadata": {"lockupMetadataViewModel": metadata},
    }
    return {"lockupViewModel": lockup}


def _config() -> Json:
    client = {"clientName": "WEB", "clientVersion": VERSION, "hl": "en", "gl": "US"}
    return {
        "INNERTUBE_API_KEY": "simulated",
        "INNERTUBE_CLIENT_VERSION": VERSION,
        "INNERTUBE_CONTEXT": {"client": {**client, "visitorData": VISITOR}},
    }


def _page(title: str, canonical: str, data: Json, player: Json | None = None) -> str:
    scripts = [
        'ytcfg.set("EMERGENCY_BASE_URL", "/error_204?level=ERROR");',
        f"ytcfg.set({_json(_config())});",
    ]
    if player is not None:
        scripts.append(f"var ytInitialPlayerResponse = {_json(player)};var meta = 1;")
    scripts.append(f"var ytInitialData = {_json(data)};")
    return _html(title, canonical, scripts)


def _html(title: str, canonical: str, scripts: Sequence[str]) -> str:
    return "".join(_parts(title, canonical, scripts))


def _parts(title: str, canonical: str, scripts: Sequence[str]) -> Iterator[str]:
    yield f"<!DOCTYPE html><html lang=en><head><title>{escape(title)} - YouTube</title>"
    if canonical:
        yield f'<link rel="canonical" href="https://www.youtube.com{canonical}">'
    yield "</head><body>"
    for script in scripts:
        yield f'<script nonce="simulated">{script}</script>'
    yield "</body></html>"


def _json(value: Json) -> str:
    # As on the real pages, so that no text can end a script.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
