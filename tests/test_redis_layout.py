# SPDX-License-Identifier: MIT
"""How statistics lie in Redis: keys, requests and answers; no server is needed."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import Roles
from livechat.model.events import ChannelKey, Tally, UserTally
from livechat.redis.names import Names
from livechat.statistics.redis_layout import (
    Reply,
    batch_of,
    keys_of,
    read_reply,
    read_totals,
    request,
)
from livechat.statistics.totals import ChannelTotals

bounded = settings(deadline=None, database=None, max_examples=200)


class KeyTests(SynchronousTestCase):
    """Names of keys."""

    @bounded
    @given(
        st.sampled_from(("youtube", "twitch", "tiktok")),
        st.sampled_from(("username", "channelId", "liveId")),
        st.text(min_size=1, max_size=12),
    )
    def test_one_slot(self, platform: str, kind: str, identifier: str) -> None:
        """Whatever a channel is called, its six keys have one hash tag, which names it."""
        keys = keys_of(Names(), ChannelKey(platform, kind, identifier), "w")
        self.assertEqual(len(set(keys)), 6)
        tags = {key[key.index("{") + 1 : key.index("}")] for key in keys}
        self.assertEqual(len(tags), 1)
        for key in keys:
            self.assertTrue(key.startswith(f"livechat:1:{{{platform}:"))
            self.assertEqual((key.count("{"), key.count("}")), (1, 1))

    def test_written(self) -> None:
        """The layout as it is documented."""
        self.assertEqual(
            keys_of(Names(), ChannelKey("twitch", "username", "ann"), "ff"),
            [
                "livechat:1:{twitch:ann}:totals",
                "livechat:1:{twitch:ann}:users",
                "livechat:1:{twitch:ann}:profiles",
                "livechat:1:{twitch:ann}:minutes",
                "livechat:1:{twitch:ann}:uniques",
                "livechat:1:{twitch:ann}:writer:ff",
            ],
        )


class AnswerTests(SynchronousTestCase):
    """What Redis answers, and what it may not."""

    def test_whole(self) -> None:
        """Totals come out of an answer as they went into a batch."""
        reply = Reply(
            "done",
            9,
            3,
            ["total", "9", "error", "2", "event:raid", "1", "money:EUR", "5", "first", "F"],
            ["7", "4", "8", "3e0"],
            ['["bob","Böb",2]', ""],
            ["29000000", "9"],
            "\0\x05",
        )
        totals = read_totals(read_reply(msgspec.msgpack.encode(reply)), 100)
        self.assertEqual((totals.total, totals.error, totals.first), (9, 2, "F"))
        self.assertEqual((totals.events, totals.money), ({"raid": 1}, {"EUR": 5}))
        self.assertEqual(
            list(totals.users.values()),
            [
                UserTally("7", "bob", "Böb", Roles(moderator=True), 4),
                UserTally("8", "", "", Roles(), 3),
            ],
        )
        self.assertEqual((totals.unnamed, totals.uniques.registers), (1, {1: 5}))

    def test_not_ours(self) -> None:
        """What is not as ours would be is a ValueError or a MsgspecError, never anything else."""
        for reply in (
            Reply("done", 1, 0, ["error", "x"]),
            Reply("done", 1, 0, ["error"]),
            Reply("done", 1, 1, [], ["a", "1"], []),
            Reply("done", 1, 1, [], ["a", "1"], ["{}"]),
            Reply("done", 1, 1, [], ["a", "one"], ['["a","b",1]']),
            Reply("done", 1, 0, [], [], [], ["x", "1"]),
            Reply("done", 1, 0, [], [], [], [], "\x40"),
            Reply("done", 1, 0, [], [], [], [], "\x01" * 16385),
        ):
            self.assertRaises(ValueError, read_totals, reply, 10)

    @bounded
    @given(st.binary(max_size=60))
    def test_any_bytes(self, payload: bytes) -> None:
        """Any bytes are an answer or a ValueError."""
        try:
            read_totals(read_reply(payload), 10)
        except (msgspec.MsgspecError, ValueError):
            return
        self.assertIsInstance(read_reply(payload), Reply)

    def test_batch(self) -> None:
        """A batch holds what was counted, and a request holds it as it is."""
        counts = ChannelTotals()
        tallied = {"7": UserTally("7", "bob", "Bob", Roles(verified=True), 2)}
        counts.add(Tally(2, tallied, {"raid": 1}, {"EUR": 10**18}, {5: 2}, "a", "b"))
        question = request(4, batch_of(counts), expected=3, max_users=10, named=1)
        *asked, _, _, ears, _, batch = msgspec.msgpack.decode(question)
        self.assertEqual((asked, ears), ([4, False, 3, 10, 1], 0))
        self.assertEqual(batch["users"], [["7", 2, '["bob","Bob",8]']])
        self.assertEqual(batch["money"], [["EUR", "1000000000000000000"]])
        self.assertEqual((batch["total"], batch["first"], batch["last"]), (2, "a", "b"))
