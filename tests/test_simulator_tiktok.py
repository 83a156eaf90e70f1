# SPDX-License-Identifier: MIT
"""The simulated TikTok as its readers meet it: answers, refusals, messages, recordings."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.simulator.actions import Author, Role, Say, Style
from livechat.simulator.options import Options
from livechat.simulator.phrases import Mood
from livechat.simulator.scenario import Scenario
from livechat.simulator.tiktok_faults import GARBAGE, TikTokFault, TikTokMishap
from livechat.simulator.tiktok_messages import Room, batch, messages, number_of
from livechat.simulator.tiktok_playback import TikTokRecording, read_payloads
from tests.support.corpus import corpus
from tests.support.tiktok_wire import BASE, TikTokCase, say

ROOM = Room("ann", 1_767_000_000_000)


class AnswerTests(TikTokCase):
    """What is answered over HTTP."""

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        response = self.successResultOf(
            self.http.get(f"{BASE}/{path}", headers=headers, allow_redirects=False)
        )
        body: bytes = self.successResultOf(response.content())
        named = {
            name.decode().lower(): values[-1].decode()
            for name, values in response.headers.getAllRawHeaders()
        }
        return response.code, named, body

    def json(self, path: str) -> Any:
        """The answer as JSON."""
        return json.loads(self.get(path)[2])

    def test_user_room(self) -> None:
        """Status 2 is live, 4 is not; the room id is there in both cases."""
        for handle, status in (("ann", 2), ("offline_ann", 4)):
            data = self.json(f"api-live/user/room/?uniqueId={handle}")["data"]
            self.assertEqual(data["liveRoom"]["status"], status)
            self.assertEqual(data["user"]["roomId"], str(self.simulator.room_id(handle)))
        missing = self.json("api-live/user/room/?uniqueId=missing_ann")
        self.assertEqual(missing["statusCode"], 19881007)

    def test_alive_and_info(self) -> None:
        """Rooms that somebody has asked for are known, in the order asked; others are not alive."""
        live, off = self.simulator.room_id("ann"), self.simulator.room_id("offline_ann")
        answer = self.json(f"webcast/room/check_alive/?room_ids={off},{live},7")
        self.assertEqual([one["alive"] for one in answer["data"]], [False, True, False])
        self.assertEqual(self.json(f"webcast/room/info/?room_id={live}")["data"]["status"], 2)
        self.assertEqual(self.json("webcast/room/info/?room_id=7")["status_code"], 10011)
        restricted = self.simulator.room_id("restricted_ann")
        answer = self.json(f"webcast/room/info/?room_id={restricted}")
        self.assertEqual(answer["status_code"], 4003110)

    def test_identity(self) -> None:
        """Every visit of `/live` gives another cookie, whose percent signs are to come back."""
        first, second = (self.get("live")[1]["set-cookie"] for _ in range(2))
        self.assertTrue(first.startswith("ttwid=1%7Csimulated%7C1; "), first)
        self.assertNotEqual(first, second)

    def test_unknown_paths(self) -> None:
        """What is not there is not found."""
        self.assertEqual(self.get("webcast/nothing")[0], 404)

    def upgrade(self, query: str = "aid=1988&room_id=1", **headers: str) -> str | None:
        """With which words an upgrade is refused; None when only the upgrade itself is missing."""
        path = f"webcast/im/ws_proxy/ws_reuse_supplement/?{query}"
        status, answered, body = self.get(path, **headers)
        self.assertEqual(body, b"")
        self.assertIn(status, (200, 426))
        return answered.get("handshake-msg")

    def test_upgrade(self) -> None:
        """Refused without an identity, with one that was not given, and of another app."""
        good = {"User-Agent": "Mozilla/5.0", "Cookie": f"ttwid={self.simulator.new_identity()}"}
        self.assertIsNone(self.upgrade(**good))
        self.assertEqual(self.upgrade(**{**good, "Cookie": "a=b"}), "DEVICE_BLOCKED")
        self.assertEqual(self.upgrade(**{**good, "Cookie": "ttwid=x"}), "DEVICE_BLOCKED")
        self.assertEqual(self.upgrade("aid=1&room_id=1", **good), "illegal app_id")
        signed = {**good, "Cookie": f"ttwid={self.simulator.new_signature()}"}
        self.assertIsNone(self.upgrade(**signed))
        self.assertEqual(self.upgrade(**signed), "illegal secret key", "good for one attempt")


class MessageTests(SynchronousTestCase):
    """What actions become."""

    def test_comment(self) -> None:
        """Text with emotes at places in UTF-16, roles, badges, and the id of the action."""
        author = Author(7, "ann", "Ann", "", frozenset({Role.MODERATOR}), 3)
        action = Say(id=say("").id, author=author, text=("a🙂", Mood.LAUGH, " b"))
        (written,) = messages(action, ROOM)
        self.assertEqual(
            (written.method, written.message_id), ("WebcastChatMessage", number_of(action.id))
        )
        chat = schema.ChatMessage.FromString(written.payload)
        self.assertEqual(chat.content, "a🙂\ufffc b")
        self.assertEqual([emote.index for emote in chat.emotes], [3])
        self.assertTrue(chat.user_identity.is_moderator_of_anchor)
        self.assertEqual([badge.scene_type for badge in chat.user.badge_list], [1, 4])
        self.assertEqual(chat.common.create_time, ROOM.now)

    def test_stickers_and_questions(self) -> None:
        """Nothing but emotes is a sticker; what is highlighted is a question."""
        author = Author(7, "ann", "Ann")
        sticker = Say(id=say("").id, author=author, text=(Mood.LOVE, " ", Mood.LOVE))
        question = Say(id=say("").id, author=author, text=("Why?",), style=Style.HIGHLIGHTED)
        methods = [messages(action, ROOM)[0].method for action in (sticker, question)]
        self.assertEqual(methods, ["WebcastEmoteChatMessage", "WebcastQuestionNewMessage"])

    def test_whole_scenario(self) -> None:
        """A long script has every kind of message, ids of 63 bits, and no id twice."""
        script = islice(Scenario(1, 1.0).script("ann"), 6000)
        written = [one for _, action in script for one in messages(action, ROOM)]
        methods = Counter(one.method for one in written)
        self.assertGreaterEqual(
            methods.keys(),
            {
                "WebcastBarrageMessage",
                "WebcastChatMessage",
                "WebcastEmoteChatMessage",
                "WebcastGiftMessage",
                "WebcastImDeleteMessage",
                "WebcastLikeMessage",
                "WebcastMemberMessage",
                "WebcastQuestionNewMessage",
                "WebcastRoomMessage",
                "WebcastRoomPinMessage",
                "WebcastSocialMessage",
                "WebcastSubNotifyMessage",
            },
        )
        ids = [one.message_id for one in written]
        self.assertEqual(len(set(ids)), len(ids))
        self.assertTrue(all(0 < number < 1 << 63 for number in ids))
        again = islice(Scenario(1, 1.0).script("ann"), 6000)
        self.assertEqual([one for _, a in again for one in messages(a, ROOM)], written)

    def test_garbage_is_no_good(self) -> None:
        """No frame of the garbage is a good one, and they all differ."""
        self.assertEqual(len(set(GARBAGE)), len(GARBAGE))


class RecordingTests(SynchronousTestCase):
    """Recorded payloads."""

    def test_json(self) -> None:
        """In order of time, each with the pause before it, by account; the ids are read."""
        path = corpus("tiktok/recorded/2023-11-13_small_room_pause_resume.json")
        payloads = read_payloads(path)
        recording = TikTokRecording(payloads)
        self.assertEqual(recording.accounts, {"dostawcavideo"})
        fed = list(recording.feed("dostawcavideo"))
        self.assertEqual(len(fed), 50)
        self.assertTrue(all(0 <= pause <= 10 for pause, _ in fed))
        self.assertGreater(sum(pause for pause, _ in fed), 60)
        comments = [one for _, one in fed if one.method == "WebcastChatMessage"]
        self.assertGreater(len(comments), 0)
        self.assertTrue(all(one.message_id for one in comments))
        fast = TikTokRecording(payloads, "other", 0.0)
        self.assertEqual(fast.accounts, {"other"})
        self.assertEqual({pause for pause, _ in fast.feed("other")}, {0.0})

    def test_frame_and_batch(self) -> None:
        """A whole push frame and a whole batch are played, too."""
        for name, count in (
            ("2026-09-17_im_enter_room_resp.frame.bin", None),
            ("2026-08-10_first_batch.pb", 13),
        ):
            payloads = read_payloads(corpus(f"tiktok/recorded/{name}"))
            self.assertEqual({handle for handle, _, _ in payloads}, {"recorded"})
            self.assertGreater(len(payloads), 0)
            if count:
                self.assertEqual(len(payloads), count)

    def test_loop(self) -> None:
        """Again and again, if asked."""
        path = Path(self.mktemp())
        path.write_bytes(batch(messages(say("hello"), ROOM)))
        recording = TikTokRecording(read_payloads(path), "ann", loop=True)
        self.assertEqual(len(list(islice(recording.feed("ann"), 5))), 5)

    def test_wrong_files(self) -> None:
        """What is no recording is refused."""
        for data in (b'{"a": [{}]}', b'{"a": 1}', b"{", b"[]", b"\xff\xff", b"", b'{"a": []}'):
            path = Path(self.mktemp())
            path.write_bytes(data)
            with self.assertRaises(ValueError, msg=repr(data)):
                TikTokRecording(read_payloads(path))

    def test_options(self) -> None:
        """The command line reads it, and names every fault."""
        path = corpus("tiktok/recorded/2023-11-13_small_room_pause_resume.json")
        names = [one.value for one in (*TikTokFault, *TikTokMishap)]
        options = Options()
        options.parseOptions(
            [
                f"--tiktok-recording={path}",
                "--tiktok-account=Ann",
                "--loop",
                *(f"--fault={name}" for name in names),
            ]
        )
        assert options.tiktok_recording is not None
        self.assertEqual(options.tiktok_recording.accounts, {"ann"})
        self.assertEqual(options.tiktok_faults, set(TikTokFault))
        self.assertEqual(options.tiktok_mishaps, set(TikTokMishap))
        self.assertEqual(len(set(names)), len(names))


class PlayedTests(TikTokCase):
    """Recorded rooms, read through the real watcher."""

    def setUp(self) -> None:
        """The busy room of December 2023."""
        path = corpus("tiktok/recorded/2023-12-05_one_room_link.json")
        self.recording = TikTokRecording(read_payloads(path), "played")
        super().setUp()

    def test_played(self) -> None:
        """Every recorded comment arrives, once per payload; nothing of the room is unknown."""
        _, sink = self.watching("played")
        self.run_for(120, 0.5)
        chats = [event for event in sink.events if isinstance(event, ChatMessage)]
        self.assertEqual(len(chats), 21)
        self.assertEqual(self.unparsed(), {})
