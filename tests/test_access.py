# SPDX-License-Identifier: MIT
"""Tokens: what each allows, and that nothing of them is ever said."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase
from websockets.exceptions import InvalidStatus

from livechat.access import EVERYTHING, Access, AccessError, Grant
from tests.support.daemon import PATIENCE, Client, Daemon, start_daemon

FILE = """\
# Tokens of the tests.
everything-1234
twitch-12345678 read:twitch   # one platform
ann-12345678901 read:youtube/@Ann read:twitch/bob
scraper-1234567 metrics

operator-123456 read admin
"""


class FileTests(SynchronousTestCase):
    """The file, and what it says of a request."""

    def setUp(self) -> None:
        """A file of tokens."""
        self.path = Path(self.mktemp())
        self.path.write_text(FILE)
        self.access = Access(str(self.path))

    def refused(self, headers: dict[str, str], token: str = "") -> int:
        """The status with which a request is refused."""
        error: AccessError = self.assertRaises(AccessError, self.access.grant, headers, token)
        return error.status

    def test_open(self) -> None:
        """Without a file everybody may do everything that needs no operator."""
        access = Access()
        self.assertTrue(access.is_open)
        self.assertIs(access.grant({}, "whatever"), EVERYTHING)
        access.reload()
        self.assertTrue(EVERYTHING.reads("youtube", "ann"))
        EVERYTHING.check("metrics")
        self.assertRaises(AccessError, EVERYTHING.check, "admin")

    def test_scopes(self) -> None:
        """Each token allows what stands behind it, and one without scopes every chat."""
        chats = [("twitch", "ann"), ("twitch", "bob"), ("youtube", "ann"), ("youtube", "@ANN")]
        for token, reads, scopes in (
            ("everything-1234", [True] * 4, []),
            ("twitch-12345678", [True, True, False, False], []),
            ("ann-12345678901", [False, True, True, True], []),
            ("scraper-1234567", [False] * 4, ["metrics"]),
            ("operator-123456", [True] * 4, ["metrics", "admin"]),
        ):
            grant = self.access.grant({}, token)
            self.assertEqual([grant.reads(*chat) for chat in chats], reads, token)
            self.assertEqual(grant.reads_anything, any(reads), token)
            for scope in ("metrics", "admin"):
                if scope in scopes:
                    grant.check(scope)
                else:
                    error = self.assertRaises(AccessError, grant.check, scope)
                    self.assertEqual(error.status, 403)

    def test_given(self) -> None:
        """A token comes in the header or in the query; the header wins."""
        good = {"authorization": "Bearer everything-1234"}
        self.assertTrue(self.access.grant(good).reads_anything)
        self.assertTrue(self.access.grant({"authorization": "bearer  everything-1234 "}))
        self.assertTrue(self.access.grant({"authorization": "Basic x"}, "everything-1234"))
        wrong = {"authorization": "Bearer wrong-12345"}
        self.assertEqual(self.refused(wrong, "everything-1234"), 401)

    def test_refused(self) -> None:
        """No token, an unknown one, parts of one, and words that are no tokens."""
        near = ("everything-123", "everything-12345")
        for token in ("", "wrong-1234567", *near, "#", "\ud800", "é" * 9):
            self.assertEqual(self.refused({}, token), 401)

    def test_reload(self) -> None:
        """What the file says later holds later; a file that cannot be used changes nothing."""
        self.path.write_text("fresh-12345678\n")
        self.access.reload()
        self.assertEqual(self.refused({}, "everything-1234"), 401)
        self.assertTrue(self.access.grant({}, "fresh-12345678"))
        self.path.write_text("fresh-12345678 reed\n")
        self.assertRaises(ValueError, self.access.reload)
        self.path.unlink()
        self.assertRaises(ValueError, self.access.reload)
        self.assertTrue(self.access.grant({}, "fresh-12345678"))

    def test_wrong_files(self) -> None:
        """What is wrong is said by line, without the token."""
        for text, said in (
            ("short", "line 1: a token has 8 to 1024 printable characters"),
            ("good-1234567890\nhush-1234567890 reed", "line 2: a scope is read, read:PLATFORM"),
            ("hush-1234567890 clients=0", "line 1: a limit is clients=NUMBER or starts=NUMBER"),
            ("hush-1234567890 read clients=1 clients=2", "line 1: a limit is clients=NUMBER"),
            ("hush-1234567890 chats=5", "line 1: a limit is clients=NUMBER"),
            ("hush-1234567890 read:", "line 1: a scope is read, read:PLATFORM"),
            ("hush-1234567890 read:twitch/", "line 1: a scope is read, read:PLATFORM"),
            (b"\xff", "is not text"),
        ):
            self.path.write_bytes(text if isinstance(text, bytes) else text.encode())
            error = str(self.assertRaises(ValueError, Access, str(self.path)))
            self.assertIn(said, error)
            self.assertNotIn("hush", error)

    def test_limits(self) -> None:
        """Limits stand beside the scopes, in any order; a token without scopes still reads."""
        self.path.write_text(
            "both-123456789 starts=30 read:twitch clients=100\nsome-1234 clients=7"
        )
        self.access.reload()
        both = self.access.grant({}, "both-123456789")
        self.assertEqual((both.clients, both.starts), (100, 30))
        self.assertEqual(both.scopes, {"read:twitch"})
        some = self.access.grant({}, "some-1234")
        self.assertEqual((some.clients, some.starts, some.scopes), (7, 0, {"read"}))
        self.assertNotIn(b"some", some.holder)
        self.assertNotEqual(some.holder, both.holder)

    def test_immutable(self) -> None:
        """Grants are shared by connections."""
        self.assertIsInstance(self.access.grant({}, "everything-1234"), Grant)
        self.assertRaises(AttributeError, setattr, EVERYTHING, "scopes", frozenset())


class DaemonTests(TestCase):
    """The whole daemon with tokens."""

    async def start(self, tokens: str = FILE) -> None:
        """Start it."""
        directory = mkdtemp()
        self.addCleanup(shutil.rmtree, directory)
        self.tokens = Path(directory) / "tokens"
        self.tokens.write_text(tokens)
        self.daemon: Daemon = start_daemon(reactor, "--demo", f"--tokens={self.tokens}")
        self.addCleanup(lambda: self.daemon.ended)
        self.addCleanup(self.daemon.kill)
        await self.daemon.listening

    async def status(self, path: str, token: str = "", method: str = "GET", **headers: str) -> int:
        """The status of an answer to a request."""
        if token:
            headers["Authorization"] = f"Bearer {token}"

        def ask() -> int:
            url = f"http://127.0.0.1:{self.daemon.port}{path}"
            request = Request(url, headers=headers, method=method)
            try:
                with urlopen(request, timeout=PATIENCE) as answer:
                    return int(answer.status)
            except HTTPError as error:
                with error:
                    return error.code

        return await deferToThread(ask)

    async def metrics(self, token: str) -> str:
        """What `/metrics` answers."""
        url = f"http://127.0.0.1:{self.daemon.port}/metrics?token={token}"
        body: bytes = await deferToThread(lambda: urlopen(url, timeout=PATIENCE).read())
        return body.decode()

    async def upgrade(self, path: str, **options: Any) -> Client | int:
        """A client, or the status with which it is refused."""
        try:
            return await Client.open(self.daemon.port, path, **options)
        except InvalidStatus as error:
            return error.response.status_code

    async def test_head(self) -> None:
        """HEAD needs the token that GET needs, and then has the same status."""
        await self.start("reader-123456 read\nscraper-12345 metrics\n")
        stream = "/sse?platform=twitch&identifier=ann"
        for path in (stream, "/stats/twitch/nobody", "/history/twitch/nobody"):
            said = [
                await self.status(path, token, method="HEAD")
                for token in ("", "wrong-123456", "scraper-12345")
            ]
            self.assertEqual(said, [401, 401, 403], path)
        self.assertEqual(await self.status(stream, "reader-123456", method="HEAD"), 200)

    async def test_limits(self) -> None:
        """A token's connections of both transports, and its new chats; others are not touched."""
        await self.start("limited-12345 clients=2 starts=1\nother-1234567\nadmin-1234567 admin")
        client = await self.upgrade("/ws?token=limited-12345")
        assert isinstance(client, Client)
        second = await self.upgrade("/ws?token=limited-12345")
        assert isinstance(second, Client)
        stream = "/sse?platform=twitch&identifier=ann&token=limited-12345"
        self.assertEqual(await self.status(stream), 503)
        self.assertEqual(await self.upgrade("/ws?token=limited-12345"), 503)
        self.assertIsInstance(await self.upgrade("/ws?token=other-1234567"), Client)
        await client.subscribe("ann")
        await client.until("started")
        await second.subscribe("bob")
        error = await second.until("RATE_LIMITED")
        self.assertEqual((error["identifier"], error["temporary"]), ("bob", True))
        await second.subscribe("ann")
        await second.until("started")
        counted = await self.metrics("admin-1234567")
        for status, reason, number in (("503", "token_clients", 2),):
            labels = f'{{reason="{reason}",status="{status}"}}'
            self.assertIn(f"livechat_refused_upgrades_total{labels} {number}.0", counted)
        await second.close()
        while not isinstance(await self.upgrade("/ws?token=limited-12345"), Client):
            pass

    async def test_whole(self) -> None:
        """Upgrades, streams, pages, metrics; what needs no token; a reload; nothing in the log."""
        await self.start()
        for path in ("/health", "/ready", "/test", "/overlay", "/web/livechat.js", "/schema.json"):
            self.assertEqual(await self.status(path), 200, path)
        for path in ("/metrics", "/stats/twitch/demo", "/history/twitch/demo"):
            self.assertEqual(await self.status(path), 401, path)
        stream = "/sse?platform=twitch&identifier="
        self.assertEqual(await self.status(f"{stream}demo"), 401)
        self.assertEqual(await self.status("/metrics", "everything-1234"), 403)
        self.assertEqual(await self.status("/metrics", "scraper-1234567"), 200)
        self.assertEqual(await self.status("/metrics?token=operator-123456"), 200)
        self.assertEqual(await self.status("/stats/twitch/demo", "ann-12345678901"), 403)
        self.assertEqual(await self.status("/stats/twitch/demo", "twitch-12345678"), 404)
        self.assertEqual(await self.status(f"{stream}demo", "scraper-1234567"), 403)
        self.assertEqual(await self.status(f"{stream}demo", "ann-12345678901"), 403)
        self.assertEqual(await self.upgrade("/ws"), 401)
        self.assertEqual(await self.upgrade("/ws?token=wrong-12345678"), 401)
        self.assertEqual(await self.upgrade("/ws?token=scraper-1234567"), 403)
        client = await self.upgrade("/ws?token=twitch-12345678")
        assert isinstance(client, Client)
        await client.send(type="subscribe", platform="youtube", identifier="demo", id=1)
        refusal = await client.until("FORBIDDEN")
        self.assertEqual((refusal["identifier"], refusal["id"]), ("demo", 1))
        await client.subscribe("demo")
        await client.until("started")
        self.assertEqual(await self.status("/stats/twitch/demo", "twitch-12345678"), 200)
        self.tokens.write_text("fresh-12345678\n")
        assert self.daemon.transport is not None
        self.daemon.transport.signalProcess("HUP")
        headers = {"additional_headers": {"Authorization": "Bearer fresh-12345678"}}
        while not isinstance(await self.upgrade("/", **headers), Client):
            pass
        self.assertEqual(await self.upgrade("/ws?token=twitch-12345678"), 401)
        # Who was connected stays.
        await client.send(type="ping")
        await client.until("pong")
        for line in (*FILE.splitlines(), "fresh-12345678", "wrong-12345678"):
            token = line.split(" ")[0]
            if len(token) > 3:
                self.assertNotIn(token, self.daemon.log)
