# SPDX-License-Identifier: MIT
"""Recorded Twitch chat arrives once and exact, and as others say where they wrote it down."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage, Content
from livechat.platforms.twitch.parse.chat import Translation
from tests.support.events import data_of, fields_of
from tests.support.golden import check_digests
from tests.support.twitch_lines import chat_of, event_of, parsed, recorded, records, translated

_PRIVMSG = re.compile(r"(?:@(\S*) +)?(?::\S* +)?PRIVMSG +#\S+ +:?(.*)", re.DOTALL)
_ACTION = re.compile("\x01ACTION ?(.*?)\x01?", re.DOTALL)
_CDN = "https://static-cdn.jtvnw.net/emoticons/v2/"


def read_otherwise(raw: str) -> tuple[str, list[tuple[int, str, str]]]:
    """Text and emotes (code point, id, code) of a PRIVMSG, without the code under test."""
    match = _PRIVMSG.fullmatch(raw)
    assert match is not None, raw
    text = match[2]
    if action := _ACTION.fullmatch(text):
        text = action[1]
    emotes = []
    tag = re.search(r"(?:^|;)emotes=([^;]*)", match[1] or "")
    for group in tag[1].split("/") if tag else ():
        for first, last in re.findall(r"(\d+)-(\d+)", group.partition(":")[2]):
            code = text[int(first) : int(last) + 1]
            if len(code) == int(last) - int(first) + 1 and not re.search(r"\s", code):
                emotes.append((int(first), group.partition(":")[0], code))
    return text, sorted(emotes)


def utf16_slice(text: str, start: int, end: int) -> str:
    """What `text.slice(start, end)` is in JavaScript."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def emotes_of(content: Content) -> list[tuple[int, str, str]]:
    """Emotes that are no cheermotes: place in code points, id, code."""
    found = []
    for element in content.elements:
        if element.metadata is not UNSET and element.metadata.bits is UNSET:
            place = len(utf16_slice(content.raw, 0, element.position[0]))
            emote_id = element.metadata.url.removeprefix(_CDN).partition("/")[0]
            found.append((place, emote_id, element.value))
    return found


def rules(translation: Translation) -> dict[str, Any]:
    """The rules of a room, by name."""
    return data_of(event_of(translation))


class MessageTests(SynchronousTestCase):
    """Every recorded PRIVMSG is delivered once, its text and emotes exact."""

    def test_all(self) -> None:
        """One message per line; texts, emotes and positions are as computed by other means."""
        seen = emotes_seen = 0
        for name, raw in recorded().items():
            if parsed(raw).command != "PRIVMSG":
                continue
            translation = translated(raw)
            content = chat_of(translation).data.content
            if translation.events[1:]:
                bought = event_of(translation)
                self.assertEqual(
                    (bought.type, fields_of(bought).gift_type), ("gift", "virtual"), name
                )
            text, emotes = read_otherwise(raw.decode())
            self.assertEqual(content.raw, text, name)
            at = 0
            for element in content.elements:
                start, end = element.position
                self.assertEqual(start, at, name)
                self.assertEqual(utf16_slice(text, start, end), element.value, name)
                self.assertTrue(element.value, name)
                at = end
            self.assertEqual(at, len(text.encode("utf-16-le")) // 2, name)
            self.assertEqual(emotes_of(content), emotes, name)
            seen += 1
            emotes_seen += len(emotes)
        self.assertEqual(seen, 3537)
        self.assertEqual(emotes_seen, 1451)

    def test_unknown(self) -> None:
        """What is unknown or unusable is a few made-up lines: no more than one message in 700."""
        found: dict[str, list[str]] = {}
        for name, raw in recorded().items():
            for what in translated(raw).unknown:
                found.setdefault(what, []).append(name)
        self.assertEqual(
            found,
            {
                # Ranges that the authors of other programs' tests made up.
                "emote range": [
                    "minitwitch/4", "twitchlib/2", "chatterino/6", "chatterino/7", "tmi_js/1",
                ],
            },
        )  # fmt: skip

    def test_ignored(self) -> None:
        """What is left out on purpose is named too, apart from what is unknown."""
        ignored = Counter(what for raw in recorded().values() for what in translated(raw).ignored)
        badges = {name: n for name, n in ignored.items() if name.startswith("badge ")}
        self.assertEqual((len(badges), sum(badges.values())), (28, 1518))
        self.assertEqual(
            {name: n for name, n in ignored.items() if name not in badges},
            {
                "GLOBALUSERSTATE": 2, "HOSTTARGET": 2, "MODE": 2, "USERSTATE": 4, "WHISPER": 3,
                "NOTICE msg_rejected": 1, "NOTICE msg_rejected_mandatory": 1, "NOTICE no_mods": 1,
                "NOTICE room_mods": 3,
                "tag client-nonce": 375, "tag flags": 84, "tag historical": 526,
                "tag msg-param-displayName": 4, "tag msg-param-login": 4,
                "tag msg-param-should-share-streak": 6,
                "tag pinned-chat-paid-canonical-amount": 1,
                "tag reply-thread-parent-display-name": 8, "tag reply-thread-parent-msg-id": 10,
                "tag reply-thread-parent-user-id": 8, "tag reply-thread-parent-user-login": 10,
                "tag rm-deleted": 13, "tag turbo": 91, "tag vip": 23,
            },
        )  # fmt: skip

    def test_output(self) -> None:
        """The output for every recorded line is the one that was looked at."""
        outputs = {name: translated(raw).events for name, raw in recorded().items()}
        check_digests(self, "twitch/recorded", outputs)


class ChatterinoTests(SynchronousTestCase):
    """What Chatterino expects of its own recorded lines: ids, names, badges, emotes, flags."""

    #: Cases in which Chatterino was told to change the text.
    REWRITTEN = frozenset({"ignore-infinite", "ignore-replace"})

    def test_messages(self) -> None:
        """Who wrote what, with which badges and emotes."""
        compared = Counter[str]()
        for case in records("chatterino_cases.jsonl"):
            raw = case["input"].encode()
            shown = [
                rendering
                for rendering in case["rendered_by_chatterino"]
                if "System" not in rendering["flags"]
                and rendering.get("id") == parsed(raw).tags.get("id")
            ]
            if not shown:
                continue
            tags = parsed(raw).tags
            source = tags.get("source-badges")
            if source and tags.get("source-room-id") != tags.get("room-id"):
                # Chatterino shows those of the room that mirrors the message.
                shown[0]["twitchBadges"] = [one.partition("/")[0] for one in source.split(",")]
            self._compare(case["name"], chat_of(translated(raw)), shown[0])
            compared[parsed(raw).command] += 1
        self.assertEqual(compared, {"PRIVMSG": 40, "USERNOTICE": 6})

    def _compare(self, name: str, message: ChatMessage, shown: dict[str, Any]) -> None:
        author, content, metadata = message.data.author, message.data.content, message.data.metadata
        flags = shown["flags"].split("|")
        login = shown.get("loginName", "")
        display = shown.get("localizedName") or shown.get("displayName") or login
        self.assertEqual(author.username, login, name)
        self.assertEqual(author.display_name, display, name)
        self.assertEqual(author.id, shown.get("userID", login), name)
        self.assertEqual(message.timestamp[:19] + "Z", shown["serverReceivedTime"], name)
        badges = [badge.label.partition("/")[0] for badge in author.badges]
        self.assertEqual(badges, shown.get("twitchBadges", []), name)
        if name not in self.REWRITTEN:
            text = content.raw
            if metadata.reply is not UNSET and shown["messageText"] != text:
                text = text.removeprefix(f"@{metadata.reply.display_name} ")
            self.assertEqual(text, shown["messageText"], name)
        emotes = [
            (e["image"].removeprefix(_CDN).partition("/")[0], e["name"])
            for e in shown.get("emotes", ())
            if e["image"].startswith(_CDN)
        ]
        self.assertEqual([(i, code) for _, i, code in emotes_of(content)], emotes, name)
        self.assertEqual(metadata.action is True, "Action" in flags, name)
        self.assertEqual(metadata.first_message is True, "FirstMessage" in flags, name)
        self.assertEqual(metadata.highlighted is True, "RedeemedHighlight" in flags, name)
        self.assertEqual(metadata.source_room_id is not UNSET, "SharedMessage" in flags, name)
        self.assertEqual(
            metadata.reward_id is not UNSET, "RedeemedChannelPointReward" in flags, name
        )
        money = metadata.monetary_data
        if "bits" in shown:
            assert money is not UNSET
            self.assertEqual(money.value, shown["bits"], name)
        if "replyParent" in shown:
            assert metadata.reply is not UNSET
            self.assertEqual(metadata.reply.message_id, shown["replyParent"], name)

    def test_cheermotes(self) -> None:
        """Five cheers of one bit each are five pictures, as Chatterino shows them."""
        (case,) = (c for c in records("chatterino_cases.jsonl") if c["name"] == "cheer1")
        content = chat_of(translated(case["input"].encode())).data.content
        cheers = [e for e in content.elements if e.metadata is not UNSET]
        self.assertEqual([e.value for e in cheers], ["Cheer1"] * 5)
        (shown,) = case["rendered_by_chatterino"]
        self.assertEqual(len([e for e in shown["emotes"] if e["flags"] == "BitsAnimated"]), 5)

    def test_system_texts(self) -> None:
        """The sentence of a notice is what Chatterino shows, where that is the platform's."""
        compared = []
        for case in records("chatterino_cases.jsonl"):
            raw = case["input"].encode()
            shown = [r["messageText"] for r in case["rendered_by_chatterino"]]
            if parsed(raw).command == "USERNOTICE" and shown:
                event = event_of(translated(raw))
                if event.type != "announcement" and case["name"] != "bitsbadge":
                    self.assertEqual(event.data.text, shown[-1], case["name"])
                    compared.append(case["name"])
        self.assertEqual(len(compared), 8)


class TmiTests(SynchronousTestCase):
    """What tmi.js expects of its test lines, as far as we report the same things."""

    def test_all(self) -> None:
        """Each case agrees with ours; cases about what we do not report give nothing."""
        compared = 0
        cases = records("tmi_js_events.jsonl")
        for case in cases:
            translation = translated(case["data"].encode())
            compare = getattr(self, f"_{case['name']}", None)
            if compare is None:
                self.assertEqual(translation.events, [], case)
            else:
                compare(translation, *case.get("expected", ()))
                compared += 1
        self.assertEqual((compared, len(cases)), (25, 43))

    def _chat(self, translation: Translation, _: str, tags: dict[str, Any], text: str) -> None:
        message = chat_of(translation)
        author = message.data.author
        self.assertEqual(message.data.content.raw, text)
        self.assertEqual(author.username, tags["username"])
        self.assertEqual(author.display_name, tags["display-name"])
        self.assertEqual(author.id, tags.get("user-id", tags["username"]))
        self.assertEqual(author.color, tags["color"])
        badges = dict(badge.label.split("/", 1) for badge in author.badges)
        self.assertEqual(badges, tags.get("badges") or {})
        self.assertEqual(author.roles.subscriber, tags["subscriber"])
        self.assertEqual(message.data.metadata.action is True, tags["message-type"] == "action")
        if "id" in tags:
            self.assertEqual(message.message_id, tags["id"])
            self.assertEqual(message.room_id, tags["room-id"])

    _action = _chat

    def _cheer(self, translation: Translation, _: str, tags: dict[str, Any], text: str) -> None:
        self._chat(translation, _, tags, text)
        money = chat_of(translation).data.metadata.monetary_data
        assert money is not UNSET
        self.assertEqual(money.amount, tags["bits"])

    def _redeem(
        self, translation: Translation, channel: str, _: str, reward: str, *rest: Any
    ) -> None:
        self._chat(translation, channel, *rest)
        metadata = chat_of(translation).data.metadata
        if reward == "highlighted-message":
            self.assertIs(metadata.highlighted, True)
        elif reward != "skip-subs-mode-message":
            self.assertEqual(metadata.reward_id, reward)

    def _hosted(self, translation: Translation, *_: Any) -> None:
        # Host mode is gone; what announced it was a message, and stays one.
        self.assertEqual(chat_of(translation).data.author.username, "jtv")

    def _ban(self, translation: Translation, _: str, login: str, __: None, *rest: Any) -> None:
        event = event_of(translation)
        seconds = rest[0] if len(rest) == 2 else None
        user = {"id": rest[-1]["target-user-id"], "username": login, "display_name": None}
        self.assertEqual((event.type, event.room_id), ("timeout", rest[-1]["room-id"]))
        self.assertEqual(data_of(event), {"user": user, "seconds": seconds})

    _timeout = _ban

    def _clearchat(self, translation: Translation, _: str) -> None:
        event = event_of(translation)
        self.assertEqual((event.type, data_of(event)), ("deletion", {"scope": "chat"}))

    def _subscribers(self, translation: Translation, _: str, on: bool) -> None:
        event = event_of(translation)
        self.assertEqual(event.type, "notice")
        self.assertEqual(fields_of(event).platform_kind.endswith("_on"), on)

    _r9kbeta = _subscribers

    def _roomstate(self, translation: Translation, _: str, tags: dict[str, Any]) -> None:
        expected = {"slow": 0, "subscribers_only": tags["subs-only"], "unique": tags["r9k"]}
        self.assertEqual(event_of(translation).type, "room")
        told = {rule: value for rule, value in rules(translation).items() if value is not None}
        self.assertEqual(told, expected)

    def _slowmode(self, translation: Translation, _: str, __: bool, seconds: int) -> None:
        told = {rule: value for rule, value in rules(translation).items() if value is not None}
        self.assertEqual(told, {"slow": seconds})

    def _subscription(
        self, translation: Translation, _: str, name: str, plan: dict[str, Any], *rest: Any
    ) -> None:
        event = event_of(translation)
        self.assertEqual(event.type, "subscription")
        data = data_of(event)
        self.assertEqual(data["user"]["display_name"], name)
        self.assertEqual(data["tier"], plan["plan"])
        self.assertEqual(data.get("tier_name"), plan["planName"])
        self.assertEqual(data["text"], rest[-1]["system-msg"])
        if len(rest) > 1:
            self.assertEqual(chat_of(translation).data.content.raw, rest[0])

    _primepaidupgrade = _subscription

    def _resub(self, translation: Translation, _: str, name: str, streak: int, *rest: Any) -> None:
        text, tags, plan = rest
        self._subscription(translation, _, name, plan, text, tags)
        data = data_of(event_of(translation))
        self.assertEqual(data.get("streak_months", 0), streak)
        self.assertEqual(data["months"], int(tags["msg-param-cumulative-months"]))

    _subanniversary = _resub

    def _giftpaidupgrade(
        self, translation: Translation, _: str, name: str, sender: str, tags: dict[str, Any]
    ) -> None:
        data = data_of(event_of(translation))
        self.assertEqual(data["user"]["display_name"], name)
        self.assertEqual(
            data["gifter"],
            {"id": None, "username": tags["msg-param-sender-login"], "display_name": sender},
        )

    def _anongiftpaidupgrade(
        self, translation: Translation, _: str, name: str, __: dict[str, Any]
    ) -> None:
        data = data_of(event_of(translation))
        self.assertEqual(data["user"]["display_name"], name)
        self.assertIsNone(data["gifter"])

    def _raided(
        self, translation: Translation, _: str, name: str, viewers: int, tags: dict[str, Any]
    ) -> None:
        event = event_of(translation)
        self.assertEqual(event.type, "raid")
        data = data_of(event)
        self.assertEqual(data["direction"], "incoming")
        self.assertEqual(data["user"]["display_name"], name)
        self.assertEqual(data["viewers"], viewers)
        self.assertEqual(data["user"]["avatar_url"], tags["msg-param-profileImageURL"])
