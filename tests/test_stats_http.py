# SPDX-License-Identifier: MIT
"""Black box: a channel's statistics over HTTP, for dashboards that do not speak WebSocket."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from twisted.internet.threads import deferToThread

from tests.support.daemon import PATIENCE
from tests.support.schema import frames
from tests.test_acceptance import DaemonCase, privmsg


class HttpCase(DaemonCase):
    """A daemon that is asked over HTTP."""

    async def fetch(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """Status, headers by lower-case name, and body."""
        request = Request(f"http://127.0.0.1:{self.daemon.port}{path}", method=method)

        def ask() -> tuple[int, dict[str, str], bytes]:
            try:
                with urlopen(request, timeout=PATIENCE) as answer:
                    return answer.status, _lowered(answer.headers), answer.read()
            except HTTPError as error:
                with error:
                    return error.code, _lowered(error.headers), error.read()

        answered: tuple[int, dict[str, str], bytes] = await deferToThread(ask)
        return answered


class StatsOverHttpTests(HttpCase):
    """`GET /stats/{platform}/{identifier}` with statistics in memory."""

    async def test_same_as_told(self) -> None:
        """The answer is byte for byte what subscribers are told; any spelling of the name does."""
        client = await self.watching("ann")
        for text in ("one", "two"):
            self.twitch.say("ann", privmsg("ann", text, bits="100"))
            await client.until("chat")
        await client.settled()
        await client.send(type="get_stats")
        told = await client.until("stats")
        for name in ("ann", "@Ann", "%40ANN", "https://www.twitch.tv/ann"):
            status, headers, body = await self.fetch(f"/stats/twitch/{name}")
            self.assertEqual(status, 200, name)
            self.assertEqual(frames().read(body), told, name)
        self.assertEqual(told["data"]["totalMessages"], 2)
        self.assertEqual(told["data"]["money"], {"BITS": 200})
        self.assertEqual(headers["content-type"], "application/json; charset=utf-8")
        self.assertEqual(headers["cache-control"], "no-store")
        self.assertEqual(headers["access-control-allow-origin"], "*")
        status, _, body = await self.fetch("/stats/twitch/ann", "HEAD")
        self.assertEqual((status, body), (200, b""))

    async def test_nothing_known(self) -> None:
        """A channel that nobody watches and a platform that there is not are coded errors."""
        for path, status, code in (
            ("/stats/twitch/nobody", 404, "STREAM_NOT_FOUND"),
            ("/stats/kick/ann", 404, "UNSUPPORTED_PLATFORM"),
            ("/stats/twitch/no%20spaces%20please", 400, "INVALID_IDENTIFIER"),
            ("/stats/twitch/ann?identifierType=%ff", 400, "INVALID_IDENTIFIER"),
            ("/stats/twitch/%00", 400, "INVALID_IDENTIFIER"),
        ):
            got, headers, body = await self.fetch(path)
            self.assertEqual(got, status, path)
            message = frames().read(body)
            self.assertEqual((message["type"], message["code"]), ("error", code), path)
            self.assertEqual(headers["content-type"], "application/json; charset=utf-8")
        self.assertTrue(await self.active(0))

    async def test_no_route(self) -> None:
        """Half an address is no route, and nothing can be written there."""
        for path in ("/stats", "/stats/", "/stats/twitch", "/stats/twitch/"):
            self.assertEqual((await self.fetch(path))[0], 404, path)
        self.assertEqual((await self.fetch("/stats/twitch/ann", "DELETE"))[0], 405)


def _lowered(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
