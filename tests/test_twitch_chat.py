# SPDX-License-Identifier: MIT
"""What lines of Twitch chat become: one of every kind, moderation, the rules of a room."""

from __future__ import annotations

from itertools import count

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage, ChatMetadata
from livechat.model.events import EVENT_KINDS, ChannelEvent
from livechat.platforms.twitch.parse.chat import translate
from livechat.platforms.twitch.parse.room import RoomState, room_state
from tests.support.events import data_of
from tests.support.golden import check_whole
from tests.support.twitch_lines import RECEIVED, chat, event, event_of, parsed, translated, written

#: Which kind of event each notice of the platform is.
KINDS = {
    "sub": "subscription",
    "resub": "subscription",
    "primepaidupgrade": "subscription",
    "giftpaidupgrade": "subscription",
    "anongiftpaidupgrade": "subscription",
    "extendsub": "subscription",
    "standardpayforward": "subscription",
    "communitypayforward": "subscription",
    "subgift": "gift",
    "anonsubgift": "gift",
    "submysterygift": "gift",
    "anonsubmysterygift": "gift",
    "rewardgift": "gift",
    "primecommunitygiftreceived": "gift",
    "raid": "raid",
    "unraid": "raid",
    "announcement": "announcement",
    "viewermilestone": "milestone",
    "modiversary": "milestone",
    "bitsbadgetier": "milestone",
    "socialsharingbadge": "milestone",
    "charitydonation": "donation",
    "ritual": "notice",
}


class KindTests(SynchronousTestCase):
    """One line of every kind, and the whole of what becomes of it."""

    def test_output(self) -> None:
        """The output for each of our own lines is the one that was looked at."""
        check_whole(
            self, "twitch/kinds", {name: translated(raw) for name, raw in written().items()}
        )

    def test_kinds_of_notices(self) -> None:
        """Every notice of the platform has its kind of event, and ours are documented kinds."""
        for notice, kind in KINDS.items():
            found = event(notice)
            self.assertEqual((found.type, found.data.platform_kind), (kind, notice))
            self.assertIn(kind, EVENT_KINDS)
            self.assertEqual(list(translated(written()[notice]).unknown), [])

    def test_unknown_names(self) -> None:
        """What is unknown is named, by what it is."""
        unknown = {name: translated(raw).unknown for name, raw in written().items()}
        self.assertEqual(
            {name: ", ".join(what) for name, what in unknown.items() if what},
            {
                "bad emote ranges": "emote range",
                "no text": "PRIVMSG without text",
                "brandnewkind": "NOTICE brandnewkind",
                "notice without anything": "NOTICE",
                "deletion without target": "CLEARMSG without target",
                "command never seen": "HOLOGRAM",
            },
        )

    def test_unknown_parts(self) -> None:
        """Unknown parts of known lines are named, what is known and useless apart from them."""
        for line, unknown, ignored in (
            (
                "@sparkle=1;id=x;turbo=1;vip=0;flags= :a!a@a PRIVMSG #a :x",
                "tag sparkle",
                "tag turbo",
            ),
            ("@msg-id=glitter-message :a!a@a PRIVMSG #a :x", "PRIVMSG.msg-id=glitter-message", ""),
            ("@badges=mod/1,vip/1,subscriber/3 :a!a@a PRIVMSG #a :x", "", "badge mod, badge vip"),
            ("@badges=campaign-1-2-mw/1 :a!a@a PRIVMSG #a :x", "", "badge campaign"),
            (
                "@msg-id=raid;msg-param-login=a;msg-param-glow=1 :x USERNOTICE #a",
                "tag msg-param-glow",
                "tag msg-param-login",
            ),
            ("@msg-id=never_seen;msg-param-a=1 :x USERNOTICE #a", "NOTICE never_seen", ""),
            (
                "@msg-id=announcement;msg-param-color=teal :x USERNOTICE #a",
                "USERNOTICE.msg-param-color=teal",
                "",
            ),
            ("@msg-id=announcement;msg-param-color=blue :x USERNOTICE #a", "", ""),
            ("@user-type=owner :a!a@a PRIVMSG #a :x", "PRIVMSG.user-type=owner", ""),
            ("@slow=many;emote-only=0 :x ROOMSTATE #a", "ROOMSTATE.slow=many", ""),
            ("@msg-id=never_seen :x NOTICE #a :x", "NOTICE never_seen", ""),
            ("@msg-id=msg_ratelimit :x NOTICE #a :x", "", "NOTICE msg_ratelimit"),
            ("@ban-scope=all;target-user-id=1 :x CLEARCHAT #a :b", "tag ban-scope", ""),
            ("@a=1;b=2 :x USERSTATE #a", "", "USERSTATE"),
        ):
            found = translated(line.encode())
            self.assertEqual(", ".join(found.unknown), unknown, line)
            self.assertEqual(", ".join(found.ignored), ignored, line)

    def test_unknown_parts_are_bounded(self) -> None:
        """A line of thousands of unknown tags does not make thousands of names."""
        tags = ";".join(f"tag-{n}=1" for n in range(5000))
        found = translated(f"@{tags} :a!a@a PRIVMSG #a :x".encode())
        self.assertEqual(len(found.unknown), 10)

    def test_silent(self) -> None:
        """Lines about the connection and lines of no use carry no event."""
        for name in ("welcome", "own join", "command never seen", "notice of a failed join"):
            self.assertEqual(translated(written()[name]).events, [], name)

    def test_unknown_notice_is_shown(self) -> None:
        """A notice of a kind that is new to us still brings its sentence and the user's text."""
        found = event("brandnewkind")
        self.assertEqual((found.type, found.data.platform_kind), ("notice", "brandnewkind"))
        self.assertEqual(found.data.text, "Ada did something new; and good!")
        self.assertEqual(chat("brandnewkind").data.content.raw, "what is it")

    def test_text_of_a_notice(self) -> None:
        """The user's own text is a message besides, marked, and the event names it."""
        message, found = chat("resub"), event("resub")
        self.assertEqual(found.data.message_id, message.message_id)
        self.assertEqual(message.data.metadata, ChatMetadata(notice="resub"))
        self.assertEqual(
            [(e.type, e.value, e.position) for e in message.data.content.elements],
            [("text", "three years ", (0, 12)), ("emote", "Kappa", (12, 17))],
        )
        self.assertNotIn("message_id", data_of(event("sub")))

    def test_text_without_id(self) -> None:
        """Without an id the message gets a new one and the event a lasting one."""
        line = parsed(written()["announcement"])
        del line.tags["id"]
        first = translate(line, RECEIVED, lambda: "new").events
        again = translate(line, RECEIVED + 5, lambda: "newer").events
        assert isinstance(first[0], ChatMessage)
        assert isinstance(first[1], ChannelEvent)
        assert isinstance(again[1], ChannelEvent)
        self.assertEqual((first[0].message_id, first[1].data.message_id), ("new", "new"))
        self.assertEqual(first[1].event_id, "1700000000123-announcement-2002")
        self.assertEqual(again[1].event_id, first[1].event_id)

    def test_community_gift(self) -> None:
        """A community gift and its single gifts carry the same id, by which to collapse them."""
        many, single = data_of(event("submysterygift")), data_of(event("subgift"))
        self.assertEqual(many["gift_id"], single["gift_id"])
        self.assertEqual((many["count"], single["recipient"]["username"]), (5, "linus"))
        self.assertEqual((many["recipient"], single["count"]), (None, 1))

    def test_anonymous(self) -> None:
        """Stand-in accounts are marked as writers, and nobody in the data of events."""
        self.assertIs(chat("anonymous cheer").data.metadata.anonymous, True)
        self.assertIsNone(data_of(event("anonsubgift"))["user"])
        self.assertIsNone(data_of(event("communitypayforward"))["gifter"])
        self.assertEqual(data_of(event("subgift"))["user"]["username"], "ada")
        line = parsed(written()["giftpaidupgrade"])
        line.tags["msg-param-sender-login"] = "ananonymousgifter"
        self.assertIsNone(data_of(event_of(translate(line, RECEIVED, str)))["gifter"])

    def test_shared_chat(self) -> None:
        """What was written in another room is marked; what was written here is not."""
        mirrored = chat("shared chat, mirrored").data.metadata
        self.assertEqual(
            (mirrored.source_room_id, mirrored.source_message_id), ("9009", "origin-1")
        )
        self.assertEqual(chat("shared chat, native").data.metadata, ChatMetadata())
        found = event("sharedchatnotice of a raid")
        self.assertEqual((found.type, found.data.platform_kind), ("raid", "raid"))
        self.assertEqual(found.data.source_room_id, "9009")
        self.assertEqual(found.data.source_message_id, "origin-4")
        self.assertEqual(
            chat("sharedchatnotice of an announcement").data.metadata.notice, "announcement"
        )


class ModerationTests(SynchronousTestCase):
    """What moderators do, and the rules of a room."""

    def test_timeout(self) -> None:
        """A time-out has its seconds, a ban has none."""
        user = {"id": "2002", "username": "ada", "display_name": None}
        found = event("timeout")
        self.assertEqual((found.type, data_of(found)), ("timeout", {"user": user, "seconds": 600}))
        self.assertEqual(data_of(event("ban")), {"user": user, "seconds": None})
        self.assertEqual(found.event_id, "1700000000123-2002-600")

    def test_never_the_whole_chat_by_mistake(self) -> None:
        """A line that names a user by id only does not clear the chat."""
        line = parsed(written()["ban"])
        line.params.pop()
        found = event_of(translate(line, RECEIVED, str))
        user = {"id": "2002", "username": None, "display_name": None}
        self.assertEqual((found.type, data_of(found)["user"]), ("timeout", user))

    def test_deletions(self) -> None:
        """One message or all of them."""
        found = event("chat cleared")
        self.assertEqual((found.type, data_of(found)), ("deletion", {"scope": "chat"}))
        found = event("message deleted")
        self.assertEqual(found.type, "deletion")
        self.assertEqual(
            data_of(found),
            {
                "scope": "message",
                "message_id": "m-9",
                "author": {"id": None, "username": "ada", "display_name": None},
                "removed_text": "said something",
            },
        )

    def test_repeats(self) -> None:
        """The same line heard twice has the same event id, whenever it was heard."""
        for name in ("timeout", "ban", "chat cleared", "message deleted", "raid"):
            line = parsed(written()[name])
            first, again = (translate(line, at, str).events[-1] for at in (RECEIVED, RECEIVED + 99))
            self.assertEqual(first, again, name)

    def test_modes(self) -> None:
        """What a line does not name stays as it was; merging twice changes nothing."""
        joined = room_state(RoomState(), parsed(written()["room on join"]).tags)
        self.assertEqual(joined, RoomState("1001", False, None, 0, False, False))
        line = parsed(written()["room changed"])
        later = room_state(joined, line.tags)
        self.assertEqual(later, RoomState("1001", False, 10, 0, False, False))
        self.assertEqual(room_state(later, line.tags), later)
        for known in (joined, later):
            self.assertEqual(
                data_of(event_of(translate(line, RECEIVED, str, known))),
                {
                    "emote_only": False,
                    "followers_only": 10,
                    "slow": 0,
                    "subscribers_only": False,
                    "unique": False,
                },
            )

    def test_states_of_one_read(self) -> None:
        """Changes of the rules that come together are different events, back and forth."""
        lines = [parsed(f"@room-id=1;slow={n} :x ROOMSTATE #a".encode()) for n in (5, 0, 5)]
        numbers = count(1)
        ids = {
            event_of(translate(line, RECEIVED, lambda: f"new-{next(numbers)}")).event_id
            for line in lines
        }
        self.assertEqual(len(ids), 3)
        dated = [
            parsed(f"@room-id=1;rm-received-ts=5;slow={n} :x ROOMSTATE #a".encode()) for n in (5, 0)
        ]
        first, second, again = (
            event_of(translate(line, RECEIVED, str)).event_id for line in (*dated, dated[0])
        )
        self.assertNotEqual(first, second)
        self.assertEqual(first, again)

    def test_modes_that_cannot_be_read(self) -> None:
        """Unreadable values and an empty room id are passed over."""
        before = RoomState("1001", False, None, 0, False, False)
        tags = {"slow": "x", "followers-only": "-2", "subs-only": "", "r9k": "2", "room-id": ""}
        self.assertEqual(room_state(before, tags), before)
