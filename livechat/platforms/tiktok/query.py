# SPDX-License-Identifier: MIT
"""What is asked of TikTok: addresses, parameters and headers of each endpoint and of the socket.

Client text reaches an address only as a checked handle or room id, percent-encoded besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from msgspec import Struct

from livechat.platforms.tiktok.parse.webcast import Batch

#: The web player's application id (docs/wire/tiktok.md#user-room).
_WEB_APP: Final = "1988"

#: Cookie that identifies an anonymous viewer (docs/wire/tiktok.md#identity).
IDENTITY_COOKIE: Final = "ttwid"

_SITE: Final = "https://www.tiktok.com"


class Browser(Struct, frozen=True):
    """The browser that we are: what it says in its headers and in the socket's query must agree.

    :ivar user_agent: begins with `Mozilla/`, as those of all browsers do.
    """

    user_agent: str = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
        " (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
    )
    platform: str = "Win32"
    language: str = "en-US"
    timezone: str = "Europe/London"

    @property
    def short_language(self) -> str:
        """The language without its country."""
        return self.language.partition("-")[0]

    def headers(self) -> dict[str, str]:
        """Headers of every request."""
        return {
            "User-Agent": self.user_agent,
            "Accept-Language": f"{self.language},{self.short_language};q=0.9",
            "Referer": f"{_SITE}/",
        }

    def socket_headers(self, cookies: str) -> dict[str, str]:
        """Headers of the socket's upgrade (docs/wire/tiktok.md#upgrade).

        :param cookies: sent exactly as they were received.
        """
        return {**self.headers(), "Origin": _SITE, "Cookie": cookies}


def user_room_url(site: str, handle: str) -> str:
    """Where an account's room and its state are told (docs/wire/tiktok.md#user-room).

    :param site: base of pages and `api-live`, without a slash at its end.
    """
    query = [("aid", _WEB_APP), ("sourceType", "54"), ("uniqueId", handle)]
    return f"{site}/api-live/user/room/?{_encoded(query)}"


def stream_page_url(site: str, handle: str) -> str:
    """The page of an account's stream (docs/wire/tiktok.md#page)."""
    return f"{profile_page_url(site, handle)}/live"


def profile_page_url(site: str, handle: str) -> str:
    """The page of an account."""
    return f"{site}/@{quote(handle, safe='')}"


def identity_url(site: str) -> str:
    """The page that gives an anonymous viewer a cookie (docs/wire/tiktok.md#identity)."""
    return f"{site}/live"


def alive_url(webcast: str, room_ids: Sequence[str]) -> str:
    """Which of these rooms are on air (docs/wire/tiktok.md#check-alive).

    :param webcast: base of `webcast/...`, without a slash at its end.
    """
    query = [("aid", _WEB_APP), ("room_ids", ",".join(room_ids))]
    return f"{webcast}/webcast/room/check_alive/?{_encoded(query)}"


def info_url(webcast: str, room_id: str) -> str:
    """What a room is (docs/wire/tiktok.md#room-info)."""
    query = [("aid", _WEB_APP), ("room_id", room_id)]
    return f"{webcast}/webcast/room/info/?{_encoded(query)}"


def socket_query(room_id: str, browser: Browser, history: int = 6) -> list[tuple[str, str]]:
    """The query of the push socket (docs/wire/tiktok.md#socket).

    :param history: how many past comments are asked for.
    """
    version = browser.user_agent.partition("/")[2]
    return [
        ("version_code", "180800"),
        ("device_platform", "web"),
        ("cookie_enabled", "true"),
        ("screen_width", "1920"),
        ("screen_height", "1080"),
        ("browser_language", browser.language),
        ("browser_platform", browser.platform),
        ("browser_name", "Mozilla"),
        ("browser_version", version),
        ("browser_online", "true"),
        ("tz_name", browser.timezone),
        ("app_name", "tiktok_web"),
        ("sup_ws_ds_opt", "1"),
        ("update_version_code", "2.0.0"),
        ("compress", "gzip"),
        ("webcast_language", browser.short_language),
        ("ws_direct", "1"),
        ("aid", _WEB_APP),
        ("live_id", "12"),
        ("app_language", browser.short_language),
        ("client_enter", "1"),
        ("room_id", room_id),
        ("identity", "audience"),
        ("history_comment_count", str(history)),
        ("last_rtt", "150.000"),
        ("heartbeat_duration", "10000"),
        ("resp_content_type", "protobuf"),
        ("did_rule", "3"),
    ]


def socket_url(base: str, room_id: str, browser: Browser) -> str:
    """The direct socket.

    :param base: `wss://` address with its path.
    """
    return f"{base}?{_encoded(socket_query(room_id, browser))}"


def signed_socket_url(first: Batch, room_id: str, browser: Browser) -> str:
    """The socket that a signer's first answer names (docs/wire/tiktok.md#signer).

    :param first: its `push_server` has been checked.
    """
    query = [(name, value) for name, value in first.route_params.items() if value]
    query += socket_query(room_id, browser)
    query += [
        ("cursor", first.cursor),
        ("internal_ext", first.internal_ext),
        ("version_code", "270000"),
    ]
    return f"{first.push_server}?{_encoded(query)}"


def signer_url(base: str, room_id: str, browser: Browser, cursor: str = "") -> str:
    """The first answer and cookies, from an Euler-compatible signer (docs/wire/tiktok.md#signer).

    :param base: of the signer, without a slash at its end.
    """
    query = [
        ("client", "livechat"),
        ("room_id", room_id),
        ("user_agent", browser.user_agent),
        ("client_enter", "true"),
        ("platform", "web"),
    ]
    if cursor:
        query.append(("cursor", cursor))
    return f"{base}/webcast/fetch?{_encoded(query)}"


def identity_of(set_cookies: Iterable[str]) -> str | None:
    """The identity cookie as `name=value`, its value exactly as received.

    Sometimes a good answer sets none (docs/wire/tiktok.md#identity).

    :param set_cookies: the response's `Set-Cookie` headers.
    """
    for header in set_cookies:
        name, mark, value = header.partition(";")[0].strip().partition("=")
        if mark and name == IDENTITY_COOKIE and _is_cookie_value(value):
            return f"{name}={value}"
    return None


def _is_cookie_value(value: str) -> bool:
    return value != "" and value.isascii() and value.isprintable() and not set(value) & set(' ",\\')


def _encoded(query: Iterable[tuple[str, str]]) -> str:
    return urlencode(list(query), quote_via=quote)
