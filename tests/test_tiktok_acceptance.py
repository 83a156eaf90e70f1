# SPDX-License-Identifier: MIT
"""Black box: the real daemon as a process reads a simulated TikTok on a port, by every way in."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.server import Site
from websockets.sync.client import connect

from livechat.simulator.actions import Author, Pay
from livechat.simulator.scenario import Scenario
from livechat.simulator.service import resources
from livechat.simulator.tiktok import TikTokSimulator
from livechat.simulator.tiktok_faults import TikTokFault, TikTokMishap, frame, gzipped
from livechat.simulator.tiktok_messages import Room, batch, messages, room_id
from livechat.simulator.twitch import TwitchSimulator
from tests.support.daemon import PATIENCE, Client, start_daemon
from tests.support.sockets import kept_port
from tests.support.tiktok_wire import say
from tests.test_acceptance import DaemonCase

TOKEN = "a-token-of-our-own"


class TikTokDaemonCase(DaemonCase):
    """A daemon that reads a simulated TikTok in this process."""

    transport = "auto"
    signer = False
    more: tuple[str, ...] = ()

    async def setUp(self) -> None:  # type: ignore[override]
        """Start both; every room is quiet but for what the test says."""
        quiet = Scenario(1, 0.0)
        self.tiktok = TikTokSimulator(reactor, time.time, quiet, ending_after=3.0)
        twitch = TwitchSimulator(reactor, time.time, quiet)
        http = self.listen(Site(resources(twitch, self.tiktok)))
        base = f"http://127.0.0.1:{http}/tiktok"
        self.intake = kept_port(self)
        signer = (f"--tiktok-signer-url={base}/signer", "--tiktok-signer-key=hunter2")
        self.daemon = start_daemon(
            reactor,
            "--linger=0",
            f"--tiktok-url={base}",
            f"--tiktok-webcast-url={base}",
            f"--tiktok-socket-url=ws://127.0.0.1:{http}"
            "/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/",
            f"--tiktok-transport={self.transport}",
            *(signer if self.signer else ()),
            *(option.format(intake=self.intake) for option in self.more),
        )
        self.addCleanup(self._end, self.daemon)
        await self.daemon.listening

    async def asked(self, account: str, **more: Any) -> Client:
        """A client that has asked for an account."""
        client = await self.client()
        await client.subscribe(account, platform="tiktok", **more)
        return client

    async def watching(self, channel: str, **more: Any) -> Client:
        """A client that has been greeted."""
        client = await self.asked(channel, **more)
        await client.until("stats")
        return client

    async def refused(self, account: str = "ann") -> tuple[str, str | None]:
        """Code and details of the one error that a subscribe is answered with."""
        client = await self.asked(account)
        # It may have to wait for its turn before.
        error = await client.until("error")
        self.assertEqual((error["platform"], error["identifier"]), ("tiktok", account))
        self.assertEqual(await client.settled(), [])
        return error["code"], error.get("details")

    async def said(self, client: Client, text: str, number: int = 1) -> dict[str, Any]:
        """The chat that a comment becomes."""
        self.tiktok.say("ann", say(text, number))
        message: dict[str, Any] = (await client.until("chat"))["data"]
        return message


class DirectTests(TikTokDaemonCase):
    """The direct way, as everybody has it."""

    async def test_chat(self) -> None:
        """Greeted like on any platform; a comment has all its fields."""
        client = await self.asked("https://www.tiktok.com/@Ann/live")
        first, second = await client.next(), await client.next()
        self.assertEqual(
            first,
            {
                "type": "status",
                "status": "subscribed",
                "identifier": "https://www.tiktok.com/@Ann/live",
                "platform": "tiktok",
                "channel": "ann",
                "storage_type": "memory",
            },
        )
        self.assertEqual(
            (second["status"], second["liveId"], second["receiving"]),
            ("started", str(room_id("ann")), True),
        )
        self.assertNotIn("live", second)
        chat = await self.said(client, "hello <b>world</b>")
        self.assertEqual((chat["type"], chat["platform"]), ("chat", "tiktok"))
        self.assertEqual(chat["room_id"], str(room_id("ann")))
        self.assertEqual(chat["data"]["author"]["username"], "user7")
        self.assertEqual(chat["data"]["content"]["raw"], "hello <b>world</b>")
        self.assertEqual(
            chat["data"]["content"]["rawHtml"],
            '<span class="text">hello &lt;b&gt;world&lt;/b&gt;</span>',
        )
        self.assertTrue(await self.active(1))
        await client.close()
        await self.come_true(lambda: not self.tiktok.sockets)

    async def test_refusals(self) -> None:
        """Each outcome of a subscribe has one error with code and reason, and nothing is held."""
        self.assertEqual(await self.refused("offline_ann"), ("STREAM_NOT_LIVE", None))
        self.assertEqual(await self.refused("missing_ann"), ("STREAM_NOT_FOUND", None))
        self.assertEqual(await self.refused("private_ann"), ("UPSTREAM_UNAVAILABLE", "PRIVATE"))
        for fault, reason in (
            (TikTokFault.CAPTCHA, "BLOCKED"),
            (TikTokFault.FORBIDDEN, "BLOCKED"),
            (TikTokFault.TOO_MANY, "BLOCKED"),
            (TikTokFault.EMPTY, "BLOCKED"),
            (TikTokFault.SOFT_BLOCK, "BLOCKED"),
            (TikTokFault.LOGIN, "LOGIN_REQUIRED"),
            (TikTokFault.BROKEN, "UPSTREAM_ERROR"),
            (TikTokFault.HANG, "UPSTREAM_ERROR"),
            (TikTokFault.SOCKET_403, "BLOCKED"),
            (TikTokFault.SOCKET_HANG, "UPSTREAM_ERROR"),
            (TikTokFault.SOCKET_GARBAGE, "UPSTREAM_ERROR"),
            (TikTokFault.DEVICE_BLOCKED, "SIGNER_REQUIRED"),
            (TikTokFault.ILLEGAL_KEY, "SIGNER_REQUIRED"),
        ):
            self.tiktok.faults = {fault}
            # A failure is remembered for some seconds, so each account is another one.
            name = f"ann_{fault.name.lower()}"
            self.assertEqual(await self.refused(name), ("UPSTREAM_UNAVAILABLE", reason), fault)
        self.tiktok.faults.clear()
        self.assertTrue(await self.active(0))
        await self.watching("ann")
        self.assertNotIn("Traceback", self.daemon.log)
        self.assertNotIn("ttwid", self.daemon.log)

    more = ("--start-timeout=3",)

    async def test_reconnects_without_duplicates(self) -> None:
        """Cut four times while people write: nothing twice, nothing lost, told once each time."""
        client = await self.watching("ann")
        sent: list[str] = []
        seen: list[dict[str, Any]] = []
        for cut in range(4):
            for place in range(5):
                text = f"cut {cut}, comment {place}"
                sent.append(text)
                self.tiktok.say("ann", say(text, 10 * cut + place + 1))
            mishap = TikTokMishap.REVOKE if cut == 1 else TikTokMishap.DROP
            while sent[-1] not in texts(seen):
                seen.append(await client.until("chat"))
            self.tiktok.strike(mishap)
            await client.until("reconnecting")
            # Said while nobody reads: comes as history.
            text = f"between {cut}"
            sent.append(text)
            self.tiktok.say("ann", say(text, 1000 + cut))
            await client.until("started", seen)
            while text not in texts(seen):
                seen.append(await client.until("chat"))
        seen += await client.settled()
        self.assertEqual(texts(seen), sent)
        self.assertEqual(len(sent), 24)

    async def test_gaps(self) -> None:
        """Lost with little and with much said meanwhile, and not watched: each gap says so."""
        client = await self.watching("ann", events=["gap"])
        await self.said(client, "one", 1)
        for missed, filled in ((["two", "three"], True), ([str(n) for n in range(10, 20)], False)):
            self.tiktok.drop()
            # At once: the daemon may be back before a client of it can say anything.
            for number, text in enumerate(missed, 10 * len(missed)):
                self.tiktok.say("ann", say(text, number))
            seen = [await client.until("reconnecting")]
            started = await client.until("started", seen)
            gap, *filling = [message for message in seen[1:] if message["type"] != "stats"]
            self.assertEqual(gap["data"]["data"]["filled"], filled)
            self.assertEqual(gap["data"]["data"]["reason"], "upstream")
            self.assertEqual(texts(filling), missed[-6:])
            self.assertEqual(started["seq"], filling[-1]["seq"])
            self.tiktok.say("ann", say(f"after {missed[-1]}", 500 + len(missed)))
            last = await client.until("chat")
        await client.send(type="unsubscribe", platform="tiktok", identifier="ann")
        await client.until("unsubscribed")
        self.tiktok.say("ann", say("nobody is there", 900))
        since = {"epoch": started["epoch"], "seq": last["seq"]}
        await client.subscribe("ann", platform="tiktok", events=["gap"], since=since)
        self.assertIs((await client.until("started"))["recovered"], True)
        gap, chat = await client.until("event"), await client.until("chat")
        self.assertEqual(gap["data"]["data"]["reason"], "unwatched")
        self.assertIs(gap["data"]["data"]["filled"], True)
        self.assertEqual(texts([chat]), ["nobody is there"])

    async def test_history_of_the_room(self) -> None:
        """Who watches first gets what was said before only if they ask for history."""
        for account in ("ann", "bob"):
            for number in range(3):
                self.tiktok.say(account, say(f"old {number}", number))
        client = await self.asked("ann", history=2)
        seen: list[dict[str, Any]] = []
        await client.until("started")
        stats = await client.until("stats", seen)
        self.assertEqual(texts(seen), ["old 1", "old 2"])
        self.assertEqual(stats["data"]["totalMessages"], 0)
        client = await self.watching("bob")
        self.assertEqual(texts(await client.settled()), [])

    async def test_ends(self) -> None:
        """Exactly one STREAM_ENDED to each, the connection stays, a new subscribe says not live."""
        clients = [await self.watching("ann") for _ in range(2)]
        self.tiktok.room("ann").end()
        for client in clients:
            self.assertEqual((await client.until("STREAM_ENDED"))["identifier"], "ann")
            self.assertEqual(await client.settled(), [])
        self.assertEqual(await self.refused("ann"), ("STREAM_NOT_LIVE", None))
        client = await self.watching("suspended_ann")
        self.assertEqual((await client.until("STREAM_ENDED"))["details"], "SUSPENDED")

    async def test_short_link(self) -> None:
        """A short link is its account: one upstream with those who name the account."""
        await self.watching("ann")
        client = await self.watching("https://vt.tiktok.com/Ann/?x=1")
        chat = await self.said(client, "hello")
        self.assertEqual(chat["data"]["content"]["raw"], "hello")
        self.assertEqual(len(self.tiktok.sockets), 1)
        client = await self.asked("https://vm.tiktok.com/missing1")
        self.assertEqual((await client.next())["code"], "STREAM_NOT_FOUND")

    async def test_false_alive(self) -> None:
        """`check_alive` calls everything alive: an end is told, the next live is found."""
        self.tiktok.faults.add(TikTokFault.FALSE_ALIVE)
        client = await self.watching("ending_ann")
        await client.until("STREAM_ENDED")
        self.assertEqual(await self.refused("ending_ann"), ("STREAM_NOT_LIVE", None))
        client = await self.watching("bob")
        self.tiktok.restart("bob")
        self.tiktok.drop()
        await client.until("reconnecting")
        started = await client.until("started")
        self.assertEqual(started["liveId"], str(room_id("bob") + 1))
        self.tiktok.faults.add(TikTokFault.UNCLEAR)
        self.assertEqual(await self.refused("offline_ann"), ("STREAM_NOT_LIVE", None))
        name = 'livechat_unparsed_total{kind="check_alive impossible room",platform="tiktok"} 1.0'
        self.assertIn(name, await self.daemon.metrics())

    async def test_events_on_request(self) -> None:
        """A gift is an event for who asked, told once, and nothing to others."""
        plain, asker = await self.watching("ann"), await self.watching("ann", events=["gift"])
        self.tiktok.say(
            "ann",
            Pay(
                id="0c5b1a9e-8f37-4b3b-9d57-000000000001",
                author=Author(9, "fan", "Fan"),
                text=(),
                amount=5,
            ),
        )
        event = await asker.until("event")
        gift = event["data"]["data"]
        self.assertEqual((event["data"]["type"], gift["name"]), ("gift", "Rose"))
        price = {"value": 5, "currency": "DIAMONDS", "formatted": None}
        self.assertEqual((gift["count"], gift["price"]), (5, price))
        for client in (plain, asker):
            self.assertEqual(
                [m["type"] for m in await client.settled() if m["type"] != "stats"], []
            )

    async def test_garbage_is_survived(self) -> None:
        """Bad frames cost themselves, the connection stays."""
        client = await self.watching("ann")
        self.tiktok.strike(TikTokMishap.GARBAGE)
        chat = await self.said(client, "after the storm")
        self.assertEqual(chat["data"]["content"]["raw"], "after the storm")
        self.assertEqual(len(self.tiktok.sockets), 1)

    async def test_sigterm(self) -> None:
        """A daemon that watches TikTok ends in time, and tells nobody that the stream has ended."""
        client = await self.watching("ann")
        ended = self.daemon.terminate().addTimeout(PATIENCE, reactor)
        self.assertEqual(await client.closed_with(), 1001)
        self.assertIn(await ended, (0, "SIGTERM"))
        self.assertNotIn("Traceback", self.daemon.log)
        await self.come_true(lambda: not self.tiktok.sockets)


def texts(seen: list[dict[str, Any]]) -> list[str]:
    """What the chats among messages say."""
    return [m["data"]["data"]["content"]["raw"] for m in seen if m["type"] == "chat"]


class BlindTests(TikTokDaemonCase):
    """Rooms that let us in and show nothing."""

    async def test_told_apart(self) -> None:
        """A quiet room is seen, a blind one is not, and `started` says which is which."""
        quiet = await (await self.asked("quiet_ann")).until("started")
        self.assertIs(quiet["receiving"], True)
        blind = await (await self.asked("restricted_ann")).until("started")
        self.assertIs(blind["receiving"], False)


class SignerTests(TikTokDaemonCase):
    """The signed way."""

    transport = "signer"
    signer = True
    more = ("--start-timeout=3",)

    async def test_chat(self) -> None:
        """Entered through the signer, also where the direct way is refused."""
        self.tiktok.faults.add(TikTokFault.DEVICE_BLOCKED)
        client = await self.watching("ann")
        chat = await self.said(client, "signed")
        self.assertEqual(chat["data"]["content"]["raw"], "signed")
        self.tiktok.drop()
        await client.until("reconnecting")
        await client.until("started")
        self.assertNotIn("hunter2", self.daemon.log)
        metrics = await self.daemon.metrics()
        self.assertIn('livechat_tiktok_signer_requests_total{outcome="signed"} 2.0', metrics)

    async def test_refusals(self) -> None:
        """Each refusal of the signer has its reason."""
        for fault, reason in (
            (TikTokFault.SIGNER_500, "SIGNER_DOWN"),
            (TikTokFault.SIGNER_503, "SIGNER_DOWN"),
            (TikTokFault.SIGNER_STUB, "SIGNER_DOWN"),
            (TikTokFault.SIGNER_NO_COOKIES, "SIGNER_DOWN"),
            (TikTokFault.SIGNER_GARBAGE, "SIGNER_DOWN"),
            (TikTokFault.SIGNER_401, "SIGNER_REJECTED"),
            (TikTokFault.SIGNER_403, "SIGNER_REJECTED"),
            (TikTokFault.SIGNER_429, "SIGNER_QUOTA"),
            (TikTokFault.ILLEGAL_KEY, "REFUSED"),
        ):
            self.tiktok.faults = {fault}
            # A failure is remembered for some seconds, so each account is another one.
            name = f"ann_{fault.name.lower()}"
            self.assertEqual(await self.refused(name), ("UPSTREAM_UNAVAILABLE", reason), fault)


class AutoTests(TikTokDaemonCase):
    """Direct first, with a signer behind it."""

    signer = True

    async def test_both(self) -> None:
        """Direct where it works; signed where that is refused."""
        await self.watching("ann")
        self.assertNotIn("signed", self.tiktok.sockets[0].cookie)
        self.tiktok.faults.add(TikTokFault.DEVICE_BLOCKED)
        await self.watching("bob")
        self.assertIn("signed", self.tiktok.sockets[1].cookie)


class IntakeTests(TikTokDaemonCase):
    """Frames that somebody relays."""

    more = (
        "--tiktok-intake=tcp:{intake}:interface=127.0.0.1",
        f"--tiktok-intake-token={TOKEN}",
    )

    async def test_chat(self) -> None:
        """While TikTok refuses the server a browser relays what it sees."""
        self.tiktok.faults.add(TikTokFault.CAPTCHA)
        client = await self.asked("ann")
        url = f"ws://127.0.0.1:{self.intake}/?unique_id=ann&room_id=73000&token="
        with self.assertRaises(Exception) as caught:
            await deferToThread(connect, url + "wrong", open_timeout=PATIENCE)
        self.assertIn("403", str(caught.exception))
        relay = await deferToThread(connect, url + TOKEN, open_timeout=PATIENCE, compression=None)
        self.addCleanup(lambda: deferToThread(relay.close))
        written = messages(say("relayed"), Room("ann", int(time.time() * 1000)))
        await deferToThread(relay.send, frame(gzipped(batch(written))))
        started = await client.until("started")
        self.assertEqual((started["liveId"], started["receiving"]), ("73000", True))
        chat = await client.until("chat")
        self.assertEqual(chat["data"]["data"]["content"]["raw"], "relayed")
        self.assertNotIn(TOKEN, self.daemon.log)


class WrongStartTests(TestCase):
    """Options that cannot be fulfilled: one line and exit code 1."""

    timeout = 60

    async def test_what_is_missing(self) -> None:
        """A way in without its signer, and an intake without its token."""
        for option, needed in (
            ("--tiktok-transport=signer", "--tiktok-signer-url"),
            ("--tiktok-intake=tcp:0:interface=127.0.0.1", "--tiktok-intake-token"),
        ):
            daemon = start_daemon(reactor, option)
            daemon.listening.addErrback(lambda _: None)
            self.assertEqual(await daemon.ended, 1)
            name = option.partition("=")[0]
            self.assertTrue(
                any(
                    line.startswith(f"livechat: {name}") and line.endswith(f" needs {needed}")
                    for line in daemon.log.splitlines()
                ),
                daemon.log,
            )
            self.assertNotIn("Traceback", daemon.log)


class DemoTests(DaemonCase):
    """`--demo` without any network."""

    async def setUp(self) -> None:  # type: ignore[override]
        """Only the demo."""
        self.daemon = start_daemon(reactor, "--demo", "--demo-rate=20")
        self.addCleanup(self._end, self.daemon)
        await self.daemon.listening

    async def test_tiktok(self) -> None:
        """Every name is a live room with moving chat, except those that show an outcome."""
        client = await self.client()
        await client.subscribe("ann", platform="tiktok", events=True)
        await client.until("started")
        for _ in range(20):
            chat = await client.until("chat")
            self.assertEqual(chat["platform"], "tiktok")
        await client.subscribe("offline_ann", platform="tiktok")
        await client.until("STREAM_NOT_LIVE")
        await client.subscribe("missing_ann", platform="tiktok")
        await client.until("STREAM_NOT_FOUND")
