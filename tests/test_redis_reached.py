# SPDX-License-Identifier: MIT
"""Every way to a real redis-server: by TLS, with what may be wrong there, and by a Unix socket."""

from __future__ import annotations

import os
import time
from pathlib import Path
from random import Random
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from livechat.redis.address import RedisAddress
from livechat.redis.connection import endpoint_of
from livechat.redis.link import RedisLink
from livechat.statistics.redis_layout import PROBES
from livechat.statistics.redis_stats import RedisStats
from tests.contracts.stats_store import KEY, tally
from tests.support.redis import RedisServer, settled
from tests.support.sockets import kept_port
from tests.test_tls import certificate


class ReachedCase(TestCase):
    """A server with options of the test, and stores that are told how to reach it."""

    timeout = 60

    async def server(self, *options: str) -> RedisServer:
        """A server, started."""
        server = RedisServer(*options)
        self.addCleanup(server.close)
        await server.start(reactor)
        return server

    def store_on(self, url: str) -> RedisStats:
        """A store of a daemon that was given this address."""
        address = RedisAddress.parse(url)
        link = RedisLink(address, endpoint_of(reactor, address), reactor, Random(1), PROBES)
        store = RedisStats(link, reactor, time.time, "writer")
        store.startService()
        self.addCleanup(store.stopService)
        return store

    async def is_kept(self, server: RedisServer, store: RedisStats, database: int = 0) -> None:
        """What is counted is stored, in the database that was named."""
        await settled(reactor, lambda: store.storage_type == "redis")
        store.add(KEY, tally({"1": 3}))
        asked = ("HGET", "livechat:1:{twitch:ann}:totals", "total")
        await settled(reactor, lambda: server.command(*asked, database=database) == b"3")

    async def is_down(self, store: RedisStats, reason: str) -> None:
        """/health says why."""
        state: Any = store.health
        await settled(reactor, lambda: reason in (store.health["redis"]["reason"] or ""))  # type: ignore[index]
        self.assertFalse(state["redis"]["up"])
        self.assertEqual(store.storage_type, "memory")


class DatabaseTests(ReachedCase):
    """Databases other than 0."""

    async def test_path_and_query(self) -> None:
        """Both ways of naming a database are understood."""
        server = await self.server()
        await self.is_kept(server, self.store_on(f"redis://127.0.0.1:{server.port}?db=3"), 3)
        await self.is_kept(server, self.store_on(f"redis://127.0.0.1:{server.port}/5"), 5)
        self.assertIsNone(server.command("HGET", "livechat:1:{twitch:ann}:totals", "total"))

    async def test_no_such_database(self) -> None:
        """What Redis says of a database that it does not have is the reason."""
        server = await self.server()
        store = self.store_on(f"redis://127.0.0.1:{server.port}/99")
        await self.is_down(store, "DB index is out of range")


class SocketTests(ReachedCase):
    """A Unix socket."""

    async def test_used(self) -> None:
        """Statistics are kept by a Unix socket, in the database of the query."""
        path = Path(self.mktemp()).absolute()
        server = await self.server("--unixsocket", str(path))
        await self.is_kept(server, self.store_on(f"unix://{path}?db=2"), 2)

    async def test_none(self) -> None:
        """A socket that is not there is the reason."""
        await self.is_down(self.store_on("unix:///nowhere/redis.sock"), "No such file")


class TlsTests(ReachedCase):
    """`rediss://`."""

    async def setUp(self) -> None:  # type: ignore[override]
        """A server with a certificate for localhost that it has signed itself."""
        directory = Path(self.mktemp()).absolute()
        directory.mkdir()
        key, self.certificate = certificate(directory)
        self.port = kept_port(self)
        self.redis = await self.server(
            *("--tls-port", str(self.port), "--tls-auth-clients", "no"),
            *("--tls-cert-file", str(self.certificate), "--tls-key-file", str(key)),
            *("--tls-ca-cert-file", str(self.certificate)),
        )

    def trust(self) -> None:
        """Do what an administrator does to trust a certificate."""
        before = os.environ.get("SSL_CERT_FILE")
        os.environ["SSL_CERT_FILE"] = str(self.certificate)
        if before is None:
            self.addCleanup(os.environ.pop, "SSL_CERT_FILE")
        else:
            self.addCleanup(os.environ.__setitem__, "SSL_CERT_FILE", before)

    async def test_self_signed(self) -> None:
        """The reason says that the certificate is not trusted, and what changes that."""
        store = self.store_on(f"rediss://localhost:{self.port}")
        await self.is_down(store, "TLS: the certificate is not trusted; SSL_CERT_FILE names")

    async def test_trusted(self) -> None:
        """With the certificate in `SSL_CERT_FILE` statistics are kept, by name and by address."""
        self.trust()
        for host in ("localhost", "127.0.0.1"):
            await self.is_kept(self.redis, self.store_on(f"rediss://{host}:{self.port}"))
            self.redis.command("FLUSHALL")

    async def test_other_name(self) -> None:
        """A certificate for another name is the reason."""
        self.trust()
        store = self.store_on(f"rediss://127.0.0.2:{self.port}")
        self.redis.command("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2")
        await self.is_down(store, "TLS: the certificate is not for this host name")

    async def test_plain_server(self) -> None:
        """A server that speaks no TLS on that port is the reason."""
        store = self.store_on(f"rediss://localhost:{self.redis.port}")
        await self.is_down(store, "is TLS spoken on this port?")

    async def test_plain_client(self) -> None:
        """A port that speaks TLS only hangs up on a plain client."""
        store = self.store_on(f"redis://localhost:{self.port}")
        await self.is_down(store, "the connection")
