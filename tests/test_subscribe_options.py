# SPDX-License-Identifier: MIT
"""Black box: the options of a `subscribe`, and `ping`, with a real daemon."""

from __future__ import annotations

from tests.test_acceptance import DaemonCase, privmsg


class OptionTests(DaemonCase):
    """What clients with different options of one channel are told."""

    async def test_all_together(self) -> None:
        """Each is told what it asked for; a change of options leaves out and repeats nothing."""
        plain = await self.watching("ann")
        chosen = await self.client()
        await chosen.subscribe("ann", id="mine", stats=False, mirrored=False, events=["raid"])
        for status in ("subscribed", "started"):
            self.assertEqual((await chosen.until(status))["id"], "mine")
        await chosen.send(type="ping", id=1)
        self.assertEqual(await chosen.next(), {"type": "pong", "id": 1})
        for number in range(20):
            source = {"source_room_id": "1"} if number % 2 else {}
            self.twitch.say("ann", privmsg("ann", str(number), **source))
        for number in range(20):
            told = await plain.until("chat")
            self.assertEqual(told["data"]["data"]["content"]["raw"], str(number))
            if number % 2 == 0:
                self.assertEqual(await chosen.next(), told)
        await chosen.send(type="get_stats", id=2)
        stats = await chosen.next()
        self.assertEqual((stats["type"], stats["id"]), ("stats", 2))
        self.assertEqual(stats["data"]["totalMessages"], 20)
        await chosen.subscribe("ann", stats=False, mirrored=False, history=2000, id="wrong")
        error = await chosen.next()
        self.assertEqual(
            (error["code"], error["details"], error["id"]), ("INVALID_OPTION", "history", "wrong")
        )
        await chosen.subscribe("ann", stats=False)
        for status in ("subscribed", "started"):
            told = await chosen.next()
            self.assertEqual((told["status"], "id" in told), (status, False))
        self.twitch.say("ann", privmsg("ann", "from next door", source_room_id="1"))
        self.assertEqual(await chosen.next(), await plain.until("chat"))
