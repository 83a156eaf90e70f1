# SPDX-License-Identifier: MIT
"""What an operator may choose: options, their environment variables, their defaults.

Declared once, in `OPTIONS`; the documentation's table is held to it by a test.  They are read by
`command_line`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from livechat.addresses import Network, network
from livechat.redis.address import RedisAddress


class Settings(Struct, frozen=True):
    """Every choice, parsed and checked; the field names are the option names."""

    port: int
    listen: tuple[str, ...]
    stats_storage: str
    redis_url: str
    twitch_irc: str
    twitch_gql_url: str
    twitch_require_live: bool
    twitch_live_poll: float
    twitch_offline_grace: float
    youtube_url: str
    youtube_viewers_every: float
    tiktok_url: str
    tiktok_webcast_url: str
    tiktok_socket_url: str
    tiktok_transport: str
    tiktok_signer_url: str
    tiktok_signer_key: str
    tiktok_signer_budget: int
    tiktok_socket_hosts: tuple[str, ...]
    tiktok_no_history: bool
    tiktok_intake: str
    tiktok_intake_token: str
    start_timeout: float
    linger: float
    coalesce: float
    stats_top: int
    stats_users: int
    max_clients: int
    max_clients_per_address: int
    max_starts_per_address: int
    trusted_proxies: tuple[Network, ...]
    max_channels: int
    max_chats: int
    max_message: int
    max_pending: int
    command_rate: float
    no_compression: bool
    origins: tuple[str, ...]
    demo: bool
    demo_rate: float
    demo_seed: int


class Unset(int):
    """A number that is the default because nobody has chosen one."""


class Option(Struct, frozen=True):
    """One option.

    :ivar parse: from text to the value; raises ValueError with a sentence.
    :ivar kind: `value`, `flag` (takes none) or `list` (may be repeated).
    :ivar secret: its value is never shown.
    """

    name: str
    default: Any
    parse: Callable[[str], Any]
    help: str
    kind: str = "value"
    secret: bool = False

    @property
    def field(self) -> str:
        """Its name in `Settings`."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """Its environment variable."""
        if self.name in ("port", "redis-url", "stats-storage"):
            return self.field.upper()
        return f"LIVECHAT_{self.field.upper()}"


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(text)

    return parse


def _seconds(least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return value

    return parse


def _storage(text: str) -> str:
    if text not in ("memory", "redis"):
        raise ValueError("must be memory or redis")
    return text


def _redis_url(text: str) -> str:
    RedisAddress.parse(text)
    return text


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError(
                f"must be a URL that begins with {' or '.join(f'{s}://' for s in schemes)}"
            )
        return text

    return parse


def _optional_url(text: str) -> str:
    return _url("https", "http")(text) if text else ""


def _endpoint(text: str) -> str:
    if not re.match(r"[a-zA-Z0-9]+:.", text):
        raise ValueError("must be an endpoint string such as tcp:3000:interface=127.0.0.1")
    return text


def _optional_endpoint(text: str) -> str:
    return _endpoint(text) if text else ""


def _transport(text: str) -> str:
    if text not in ("auto", "direct", "signer"):
        raise ValueError("must be auto, direct or signer")
    return text


def _host(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", text):
        raise ValueError("must be a host name in lower case, without port")
    return text


def _key(least: int) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and (not re.fullmatch(r"[!-~]{1,1024}", text) or len(text) < least):
            raise ValueError(f"must be {least} to 1024 printable characters without spaces")
        return text

    return parse


def _flag(text: str) -> bool:
    known = {"": False, "0": False, "false": False, "no": False, "off": False}
    known |= {"1": True, "true": True, "yes": True, "on": True}
    if text.lower() not in known:
        raise ValueError("must be 1 or 0")
    return known[text.lower()]


def _origin(text: str) -> str:
    if not text or any(c.isspace() for c in text):
        raise ValueError("must be an origin such as https://example.org, a pattern, null or *")
    return text


OPTIONS: Sequence[Option] = (
    Option("port", 3000, _whole(0, 65535), "TCP port on all interfaces; 0 takes any free one."),
    Option(
        "listen",
        (),
        _endpoint,
        "Endpoint string instead of --port (tcp:3000:interface=127.0.0.1, unix:..., ssl:...).",
        kind="list",
    ),
    Option("stats-storage", "memory", _storage, "Where statistics are kept: memory or redis."),
    Option(
        "redis-url",
        "",
        _redis_url,
        "redis://[user:password@]host:port/db, rediss://... or unix://PATH?db=0;"
        " needed by redis storage.",
        secret=True,
    ),
    Option(
        "linger", 10.0, _seconds(0, 86400), "Seconds an upstream is kept after its last watcher."
    ),
    Option(
        "coalesce",
        10.0,
        _seconds(0, 1000),
        "Least milliseconds from one write to a group of subscribers to the next; 0: never wait.",
    ),
    Option("start-timeout", 30.0, _seconds(1, 600), "Seconds in which a chat must start."),
    Option("stats-top", 100, _whole(1, 10000), "Users named in a statistics message."),
    Option(
        "stats-users", 10000, _whole(100, 10**6), "Users of one channel that are counted exactly."
    ),
    Option(
        "max-clients",
        0,
        _whole(0, 10**7),
        "Clients at once; 0: as many as the limit of open files lets in.",
    ),
    Option(
        "max-clients-per-address",
        0,
        _whole(0, 10**7),
        "Connections open at once from one address; 0 for no limit.",
    ),
    Option(
        "max-starts-per-address",
        Unset(60),
        _whole(0, 10**6),
        "New chats that one address may start in a minute; 0 for no limit. The default does not"
        " count loopback and private addresses; a number that is given counts all.",
    ),
    Option(
        "trusted-proxies",
        (),
        network,
        "Address or network of a proxy whose X-Forwarded-For and Forwarded are believed.",
        kind="list",
    ),
    Option("max-channels", 10000, _whole(1, 10**7), "Chats watched at once."),
    Option("max-chats", 32, _whole(1, 10000), "Chats that one connection may hold."),
    Option("max-message", 65536, _whole(1024, 1 << 24), "Bytes of the largest client message."),
    Option(
        "max-pending",
        1 << 20,
        _whole(65536, 1 << 30),
        "Bytes held for a client that does not read.",
    ),
    Option("command-rate", 10.0, _seconds(0.1, 10000), "Commands per second of one connection."),
    Option("no-compression", False, _flag, "Do not compress, whatever clients offer.", kind="flag"),
    Option("origins", ("*",), _origin, "Allowed Origin header or pattern; * for all.", kind="list"),
    Option(
        "twitch-irc",
        "tls:irc.chat.twitch.tv:6697",
        _endpoint,
        "Client endpoint string of Twitch's chat.",
    ),
    Option(
        "twitch-gql-url",
        "https://gql.twitch.tv/gql",
        _optional_url,
        "Where to ask whether a Twitch channel exists and is live; empty: never.",
    ),
    Option(
        "twitch-require-live",
        False,
        _flag,
        "An offline Twitch channel is STREAM_NOT_LIVE, and going offline is STREAM_ENDED.",
        kind="flag",
    ),
    Option(
        "twitch-live-poll", 60.0, _seconds(1, 3600), "Seconds between two looks at who is live."
    ),
    Option(
        "twitch-offline-grace",
        240.0,
        _seconds(0, 86400),
        "Seconds a Twitch channel may be offline before its stream has ended.",
    ),
    Option(
        "youtube-url",
        "https://www.youtube.com",
        _url("https", "http"),
        "Base of YouTube's pages and of InnerTube.",
    ),
    Option(
        "youtube-viewers-every",
        30.0,
        _seconds(0, 3600),
        "Seconds between two looks at a YouTube stream's viewers and title; 0: never.",
    ),
    Option(
        "tiktok-url",
        "https://www.tiktok.com",
        _url("https", "http"),
        "Base of TikTok's pages and of api-live.",
    ),
    Option(
        "tiktok-webcast-url",
        "https://webcast.tiktok.com",
        _url("https", "http"),
        "Base of TikTok's webcast look-ups.",
    ),
    Option(
        "tiktok-socket-url",
        "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/",
        _url("wss", "ws"),
        "TikTok's direct push socket, without query.",
    ),
    Option(
        "tiktok-transport",
        "auto",
        _transport,
        "Way into TikTok rooms: direct, signer, or auto: direct first.",
    ),
    Option(
        "tiktok-signer-url",
        "",
        _optional_url,
        "Base of an Euler-compatible signer for TikTok sockets; empty: none.",
    ),
    Option("tiktok-signer-key", "", _key(1), "Key for the signer.", secret=True),
    Option(
        "tiktok-signer-budget",
        0,
        _whole(0, 10**9),
        "Requests to the signer in one day (UTC); 0 for no limit of ours.",
    ),
    Option(
        "tiktok-socket-hosts",
        (),
        _host,
        "Host, besides TikTok's own, whose sockets a signer may name.",
        kind="list",
    ),
    Option(
        "tiktok-no-history",
        False,
        _flag,
        "Leave out the few comments that were made just before we came into a TikTok room.",
        kind="flag",
    ),
    Option(
        "tiktok-intake",
        "",
        _optional_endpoint,
        "Endpoint string on which TikTok frames may be relayed to us; empty: nowhere.",
    ),
    Option(
        "tiktok-intake-token",
        "",
        _key(16),
        "What a relay must know; needed by --tiktok-intake.",
        secret=True,
    ),
    Option(
        "demo",
        False,
        _flag,
        "Start the built-in simulator and watch its platforms instead of the real ones.",
        kind="flag",
    ),
    Option("demo-rate", 2.0, _seconds(0.01, 10000), "Messages per second of a simulated channel."),
    Option("demo-seed", 1, _whole(0, 10**9), "Seed of the simulated chats."),
)
