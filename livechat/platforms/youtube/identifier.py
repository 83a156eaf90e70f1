# SPDX-License-Identifier: MIT
"""Which YouTube channel or video a client means, and the pages to look it up with.

Nothing of what a client wrote ever decides a host: only path segments and the video id, both
percent-encoded, are taken from it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey

PLATFORM: Final = "youtube"

#: The host that all pages come from, whatever host a client's URL names.
HOST: Final = "www.youtube.com"

_STUDIO: Final = "studio.youtube.com"
_SHORT: Final = "youtu.be"

#: Hosts whose URLs are YouTube's (docs/wire/youtube.md#identifiers).
HOSTS: Final = frozenset(
    {
        "youtube.com",
        HOST,
        "m.youtube.com",
        "music.youtube.com",
        "gaming.youtube.com",
        "youtube-nocookie.com",
        "www.youtube-nocookie.com",
        _SHORT,
        f"www.{_SHORT}",
        _STUDIO,
    }
)

#: Longest input that is looked at, in characters; what comes out is far shorter.
MAX_INPUT: Final = 2048

#: A video id: eleven characters of URL-safe base64.
VIDEO_ID: Final = re.compile(r"[A-Za-z0-9_-]{11}")

#: A channel id: 16 bytes in URL-safe base64 after `UC`, so the last character holds two bits only.
CHANNEL_ID: Final = re.compile(r"UC[A-Za-z0-9_-]{21}[AQgw]")

_LONGEST_NAME: Final = 255  # bytes of UTF-8
#: The identifier type of a key that means all lives of a channel; no client can name it.
LIVES: Final = "lives"

_AUTHORITY: Final = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)
_NAME_MARKS: Final = frozenset("_-.·")
_LEGACY: Final = frozenset({"c", "user"})
_VIDEO_FOLDERS: Final = frozenset({"live", "shorts", "embed", "v", "e"})
_VIDEO_PAGES: Final = frozenset({"watch", "watch_popup", "live_chat"})

#: First path segments that are pages of the site and no channel's name.
_SITE_PAGES: Final = frozenset(
    {*_VIDEO_PAGES, *_VIDEO_FOLDERS, *_LEGACY, "about", "account", "ads", "attribution_link"}
    | {"channel", "channels", "feed", "gaming", "hashtag", "howyoutubeworks", "jobs", "kids"}
    | {"logout", "new", "oembed", "playlist", "playlists", "post", "premium", "redirect"}
    | {"reporthistory", "results", "signin", "subscription_center", "t", "trending", "upload", "yt"}
)

Tab = Literal["live", "streams"]


def key_of(identifier: str, identifier_type: str) -> ChannelKey:
    """The channel or video that a client means, in canonical form.

    The result's type is `username`, `channelId` or `liveId`.  A `username` is a handle without its
    `@`, lower-cased and in NFC, or a legacy name as `c/name` or `user/name`.  The canonical form of
    a canonical form is itself.

    :raises ChatError: `INVALID_IDENTIFIER`.
    """
    if len(identifier) > MAX_INPUT:
        raise _invalid()
    text = identifier.strip()
    # `urlsplit` drops line breaks silently, browsers read a backslash as a slash.
    if not text.isprintable() or "\\" in text or " " in text:
        raise _invalid()
    if identifier_type == "liveId":
        found = _video(text) if VIDEO_ID.fullmatch(text) else _in_url(text)
    elif identifier_type == "channelId":
        found = _channel(text) if CHANNEL_ID.fullmatch(text) else _in_url(text)
    elif identifier_type == "username":
        found = _named(text)
    else:
        raise _invalid()
    if found is None:
        raise _invalid()
    return found


def all_lives(key: ChannelKey) -> ChannelKey:
    """The key of all lives of a channel; that of a video as it is, which is one live."""
    if key.identifier_type in ("liveId", LIVES):
        return key
    return ChannelKey(PLATFORM, LIVES, key.identifier)


def channel_of(key: ChannelKey) -> ChannelKey:
    """The channel whose lives a key means; any other key as it is."""
    if key.identifier_type != LIVES:
        return key
    is_id = CHANNEL_ID.fullmatch(key.identifier) is not None
    return ChannelKey(PLATFORM, "channelId" if is_id else "username", key.identifier)


def pages(key: ChannelKey, tab: Tab = "live") -> tuple[str, ...]:
    """Paths to ask for, in this order, the next one only where one is 404.

    A bare word is a handle before it is a legacy name (docs/wire/youtube.md#identifiers).

    :param tab: `live` for the live stream, `streams` for the list of all streams; a video has only
        its own page.
    """
    name = key.identifier
    if key.identifier_type == "liveId":
        return (watch_page(name),)
    if key.identifier_type == "channelId":
        return (f"/channel/{quote(name, safe='')}/{tab}",)
    folder, slash, rest = name.partition("/")
    if slash:
        return (f"/{folder}/{quote(rest, safe='')}/{tab}",)
    word = quote(name, safe="")
    return (f"/@{word}/{tab}", f"/c/{word}/{tab}", f"/user/{word}/{tab}")


def watch_page(video_id: str) -> str:
    """Path of a video's own page."""
    return f"/watch?v={quote(video_id, safe='')}"


def chat_page(video_id: str) -> str:
    """Path of the page that is nothing but a video's chat."""
    return f"/live_chat?is_popout=1&v={quote(video_id, safe='')}"


def _named(text: str) -> ChannelKey | None:
    if CHANNEL_ID.fullmatch(text):
        return _channel(text)
    folder, slash, rest = text.partition("/")
    if folder in _LEGACY and slash:
        return _name(rest, f"{folder}/")
    if slash or "?" in text:
        return _in_url(text)
    # A bare host name; a handle may hold dots too, but not these.
    if text.lower() in HOSTS:
        return None
    return _name(_decoded(text.removeprefix("@")))


def _in_url(text: str) -> ChannelKey | None:
    if text.lstrip("/").startswith("watch?"):
        text = f"{HOST}/{text.lstrip('/')}"
    try:
        parts = urlsplit(text if _AUTHORITY.match(text) else f"//{text}", scheme="https")
        port = parts.port
    except ValueError:
        return None
    host = (parts.hostname or "").removesuffix(".")
    if (
        parts.scheme not in ("http", "https")
        or host not in HOSTS
        or port not in (None, 80, 443)
        or "@" in parts.netloc
    ):
        return None
    path = [_decoded(segment) for segment in parts.path.split("/") if segment]
    if host.endswith(_SHORT):
        return _video(path[0]) if path else None
    if host == _STUDIO:
        return _in_studio(path)
    return _in_site(path, parts.query)


def _in_studio(path: list[str]) -> ChannelKey | None:
    first, second = (*path, "", "")[:2]
    if first == "video":
        return _video(second)
    return _channel(second) if first == "channel" else None


def _in_site(path: list[str], query: str) -> ChannelKey | None:
    first, second = (*path, "", "")[:2]
    if first.startswith("@"):
        return _name(first[1:])
    if first in _VIDEO_PAGES:
        return _video(_parameter(query, "v"))
    if first == "embed" and second == "live_stream":
        return _channel(_parameter(query, "channel"))
    if first in _VIDEO_FOLDERS:
        return _video(second)
    if first == "channel":
        return _channel(second)
    if first in _LEGACY:
        return _name(second, f"{first}/")
    return None if first.lower() in _SITE_PAGES else _name(first)


def _parameter(query: str, name: str) -> str:
    try:
        return parse_qs(query, max_num_fields=64).get(name, [""])[0]
    except ValueError:
        return ""


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        return ""


def _video(text: str) -> ChannelKey | None:
    return ChannelKey(PLATFORM, "liveId", text) if VIDEO_ID.fullmatch(text) else None


def _channel(text: str) -> ChannelKey | None:
    return ChannelKey(PLATFORM, "channelId", text) if CHANNEL_ID.fullmatch(text) else None


def _name(text: str, folder: str = "") -> ChannelKey | None:
    """A handle or legacy name of letters, their marks, digits and `_ - . ·`, else None."""
    name = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    if not all(c in _NAME_MARKS or unicodedata.category(c)[0] in "LMN" for c in name):
        return None
    # At least one letter or digit: `.` and `..` mean other things in a path.
    if len(name.encode()) > _LONGEST_NAME or not any(c.isalnum() for c in name):
        return None
    return ChannelKey(PLATFORM, "username", folder + name)


def _invalid() -> ChatError:
    return error_catalogue.WRONG_IDENTIFIER.error(
        "a handle, a channel id (UC...), a video id, or the address of one of them"
    )
