# SPDX-License-Identifier: MIT
"""What an operator may choose about the daemon itself.

Options of the platforms are declared in their folders; `command_line` reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec import Struct

from livechat.addresses import Network, network
from livechat.choices import (
    Choice,
    endpoint,
    flag,
    number,
    one_of,
    optional,
    origin,
    some_of,
    url,
    whole,
)
from livechat.redis.address import RedisAddress


def _redis_url(text: str) -> str:
    RedisAddress.parse(text)
    return text


def node_name(text: str) -> str:
    """A name that can stand in a log line, a key of Redis and a JSON text.

    :raises ValueError: it is none.
    """
    if len(text) > 64 or not all(one.isalnum() or one in "._:-" for one in text):
        raise ValueError("must be at most 64 letters, digits and . _ : -")
    return text


def _prefix(text: str) -> str:
    if not text:
        raise ValueError("must be a name")
    return node_name(text)


class Unset(int):
    """A number that is the default because nobody has chosen one."""


#: Fields that say where a provider of emotes is, and which one that is.
EMOTE_ADDRESSES: Final[Mapping[str, str]] = {
    "seven_tv_url": "7tv",
    "seven_tv_events_url": "7tv",
    "bttv_url": "bttv",
    "bttv_socket_url": "bttv",
    "ffz_url": "ffz",
}


class Settings(Struct, frozen=True):
    """Every choice about the daemon itself, parsed and checked."""

    port: Annotated[
        int,
        Choice(
            whole(0, 65535),
            "TCP port on all interfaces; 0 takes any free one.",
            variable="PORT",
        ),
    ] = 3000
    listen: Annotated[
        tuple[str, ...],
        Choice(
            endpoint,
            "Endpoint string instead of --port (tcp:3000:interface=127.0.0.1, unix:..., ssl:...).",
        ),
    ] = ()
    admin_listen: Annotated[
        tuple[str, ...],
        Choice(
            endpoint,
            "Endpoint string of a port for operators: /metrics and /channels are served there"
            " only.",
        ),
    ] = ()
    broker: Annotated[
        str,
        Choice(
            one_of("local", "redis"),
            "How nodes share channels: local (this process is alone) or redis (all nodes on one"
            " Redis are one service).",
        ),
    ] = "local"
    node: Annotated[
        str,
        Choice(
            node_name,
            "Name of this node in logs, /health and /channels; empty: host and process.",
        ),
    ] = ""
    workers: Annotated[
        int,
        Choice(
            whole(1, 256),
            "Processes behind one port, each a node; more than one needs --broker redis.",
        ),
    ] = 1
    stats_storage: Annotated[
        str,
        Choice(
            one_of("memory", "redis"),
            "Where statistics are kept: memory or redis.",
            variable="STATS_STORAGE",
        ),
    ] = "memory"
    redis_url: Annotated[
        str,
        Choice(
            _redis_url,
            "redis://[user:password@]host:port/db, rediss://... or unix://PATH?db=0;"
            " needed by redis storage.",
            secret=True,
            variable="REDIS_URL",
        ),
    ] = ""
    redis_prefix: Annotated[
        str, Choice(_prefix, "First part of all names in Redis; services differ by it.")
    ] = "livechat"
    broker_fallback: Annotated[
        str,
        Choice(
            one_of("none", "local"),
            "Without Redis a node waits (none) or watches chats for its own clients (local).",
        ),
    ] = "none"
    lease: Annotated[
        float, Choice(number(1, 60), "Seconds of silence after which a node is replaced.")
    ] = 5.0
    linger: Annotated[
        float, Choice(number(0, 86400), "Seconds an upstream is kept after its last watcher.")
    ] = 10.0
    coalesce: Annotated[
        float,
        Choice(
            number(0, 1000),
            "Least milliseconds from one write to a group of subscribers to the next;"
            " 0: never wait.",
        ),
    ] = 10.0
    start_timeout: Annotated[
        float, Choice(number(1, 600), "Seconds in which a chat must start.")
    ] = 30.0
    wait_poll: Annotated[
        float,
        Choice(
            number(1, 3600),
            "Least seconds between two looks at a channel that is waited for.",
        ),
    ] = 60.0
    stats_top: Annotated[int, Choice(whole(1, 10000), "Users named in a statistics message.")] = 100
    stats_users: Annotated[
        int, Choice(whole(100, 10**6), "Users of one channel that are counted exactly.")
    ] = 10000
    history_size: Annotated[
        int,
        Choice(whole(0, 10**6), "Publications kept per chat for those who come back; 0: none."),
    ] = 500
    history_ttl: Annotated[
        float,
        Choice(
            number(0, 86400),
            "Seconds they are kept, and the order of a chat that nobody watches any more.",
        ),
    ] = 300.0
    history_memory: Annotated[
        int, Choice(whole(0, 1 << 36), "Bytes of what is kept of all chats together.")
    ] = 256 << 20
    max_clients: Annotated[
        int, Choice(whole(0, 10**7), "Connections open at once; 0 for no limit.")
    ] = 0
    max_clients_per_address: Annotated[
        int,
        Choice(whole(0, 10**7), "Connections open at once from one address; 0 for no limit."),
    ] = 0
    max_starts_per_address: Annotated[
        int,
        Choice(
            whole(0, 10**6),
            "New chats that one address may start in a minute; 0 for no limit. The default does"
            " not count loopback and private addresses; a number that is given counts all.",
        ),
    ] = Unset(60)
    trusted_proxies: Annotated[
        tuple[Network, ...],
        Choice(
            network,
            "Address or network of a proxy whose X-Forwarded-For and Forwarded are believed.",
        ),
    ] = ()
    max_channels: Annotated[int, Choice(whole(1, 10**7), "Chats watched at once.")] = 10000
    max_chats: Annotated[int, Choice(whole(1, 10000), "Chats that one connection may hold.")] = 32
    max_message: Annotated[
        int, Choice(whole(1024, 1 << 24), "Bytes of the largest client message.")
    ] = 65536
    max_pending: Annotated[
        int, Choice(whole(65536, 1 << 30), "Bytes held for a client that does not read.")
    ] = 1 << 20
    command_rate: Annotated[
        float, Choice(number(0.1, 10000), "Commands per second of one connection.")
    ] = 10.0
    no_compression: Annotated[bool, Choice(flag, "Do not compress, whatever clients offer.")] = (
        False
    )
    tokens: Annotated[
        str,
        Choice(
            str,
            "File of tokens, one of which every client must give; each line: a token and its"
            " scopes. Empty: none is asked for.",
        ),
    ] = ""
    log_format: Annotated[
        str,
        Choice(one_of("text", "json"), "What lines of the log are: text, or JSON objects."),
    ] = "text"
    log_level: Annotated[
        str,
        Choice(
            one_of("debug", "info", "warn", "error"),
            "The least important lines that are logged: debug, info, warn or error.",
        ),
    ] = "info"
    drain_seconds: Annotated[
        float,
        Choice(
            number(0, 3600),
            "Seconds over which the closes of clients are spread at a stop; 0: all at once.",
        ),
    ] = 0.0
    origins: Annotated[
        tuple[str, ...], Choice(origin, "Allowed Origin header or pattern; * for all.")
    ] = ("*",)
    emotes: Annotated[
        str,
        Choice(
            some_of("7tv", "bttv", "ffz"),
            "Whose emotes are shown beside the platform's own: 7tv, bttv, ffz, with commas between"
            " them; empty: nobody's.",
        ),
    ] = "7tv,bttv,ffz"
    seven_tv_url: Annotated[
        str,
        Choice(
            optional(url("https", "http")),
            "Where 7TV is asked for sets of emotes; empty: never.",
            name="7tv-url",
        ),
    ] = "https://7tv.io"
    seven_tv_events_url: Annotated[
        str,
        Choice(
            optional(url("wss", "ws")),
            "The socket on which 7TV tells of changes; empty: sets are only asked for again.",
            name="7tv-events-url",
        ),
    ] = "wss://events.7tv.io/v3"
    bttv_url: Annotated[
        str,
        Choice(
            optional(url("https", "http")),
            "Where BetterTTV is asked for sets of emotes; empty: never.",
        ),
    ] = "https://api.betterttv.net"
    bttv_socket_url: Annotated[
        str,
        Choice(
            optional(url("wss", "ws")),
            "The socket on which BetterTTV tells of changes; empty: sets are only asked for again.",
        ),
    ] = "wss://sockets.betterttv.net/ws"
    ffz_url: Annotated[
        str,
        Choice(
            optional(url("https", "http")),
            "Where FrankerFaceZ is asked for sets of emotes; empty: never.",
        ),
    ] = "https://api.frankerfacez.com"
    demo: Annotated[
        bool,
        Choice(
            flag, "Start the built-in simulator and watch its platforms instead of the real ones."
        ),
    ] = False
    demo_rate: Annotated[
        float, Choice(number(0.01, 10000), "Messages per second of a simulated channel.")
    ] = 2.0
    demo_seed: Annotated[int, Choice(whole(0, 10**9), "Seed of the simulated chats.")] = 1

    def asks(self, provider: str) -> bool:
        """Whether emotes of a provider are wanted."""
        return provider in self.emotes.split(",")

    @property
    def needs_redis(self) -> bool:
        """Whether anything is kept in Redis; with the broker there statistics are, too."""
        return "redis" in (self.stats_storage, self.broker)

    def problem(self) -> str:
        """Why the choices do not fit together; empty: they do."""
        for option, value in ("--stats-storage", self.stats_storage), ("--broker", self.broker):
            if value == "redis" and not self.redis_url:
                return f"{option}=redis needs --redis-url (REDIS_URL)"
        if self.workers > 1 and self.broker != "redis":
            return "--workers needs --broker=redis"
        return ""

    def why_useless(self, field: str) -> str:
        """Why a choice has no effect beside the others; empty: it has one."""
        if field == "port" and self.listen:
            return "--listen says where to listen"
        if field in ("demo_rate", "demo_seed") and not self.demo:
            return "--demo is not given"
        if field in EMOTE_ADDRESSES and self.demo:
            return "--demo watches the built-in simulator"
        if field in EMOTE_ADDRESSES and not self.asks(EMOTE_ADDRESSES[field]):
            return f"--emotes does not name {EMOTE_ADDRESSES[field]}"
        if field in ("redis_url", "redis_prefix") and not self.needs_redis:
            return "--stats-storage is memory and --broker is local"
        if field in ("broker_fallback", "lease") and self.broker != "redis":
            return "--broker is local"
        return ""


class Chosen(Struct, frozen=True):
    """Everything that was chosen.

    :ivar platforms: by the name of the platform, an instance of the settings that it declares.
    """

    daemon: Settings
    platforms: Mapping[str, Any]

    def of(self, section: str) -> Any:
        """The settings of a section."""
        return self.platforms[section] if section else self.daemon
