# SPDX-License-Identifier: MIT
"""The lines of the simulated Twitch: of the shape of the recorded ones, and exact in every tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.text import utf16_length
from livechat.simulator.actions import (
    Announce,
    Author,
    Clear,
    Delete,
    Gift,
    Oddity,
    Pay,
    Role,
    Rule,
    Say,
    Silence,
    Style,
    Subscribe,
    stable_id,
)
from livechat.simulator.phrases import ODDITIES, Mood
from livechat.simulator.scenario import WEIGHTS, Scenario
from livechat.simulator.twitch_lines import EMOTES, Room, escaped, lines, room_state, suspended
from tests.support.twitch_lines import recorded, translated

ROOM = Room("somebody")
NOW = 1_700_000_000_123
MESSAGE = "0c5b1a9e-8f37-4b3b-9d57-000000000001"
ZOE = Author(77, "zoe", "Zoë", "#FF0000", frozenset({Role.MODERATOR, Role.VIP}), 8)
TOM = Author(78, "tom", "")

# Tags that no recording has, but the sheet names (section 4.1).
KNOWN_UNRECORDED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "subgift": frozenset({"msg-param-community-gift-id"}),
        "submysterygift": frozenset({"msg-param-community-gift-id"}),
        "charitydonation": frozenset(
            {
                "msg-param-charity-name",
                "msg-param-donation-amount",
                "msg-param-donation-currency",
                "msg-param-exponent",
            }
        ),
    }
)
# Added by the service that keeps recent messages, never by Twitch (sheet section 8).
HISTORY = frozenset({"historical", "rm-received-ts", "rm-deleted"})

LINE = re.compile(r"(?:@(\S*) )?(?::(\S+) )?(\S+) (\S+)(?: :?(.*))?", re.DOTALL)


def cut(line: bytes) -> tuple[dict[str, str], str, str, str, str | None]:
    """Tags as written, prefix, command, channel and text of a line."""
    match = LINE.fullmatch(line.decode())
    assert match is not None, line
    tags = dict(tag.partition("=")[::2] for tag in match[1].split(";")) if match[1] else {}
    return tags, match[2] or "", match[3], match[4], match[5]


def kind_of(tags: Mapping[str, str], command: str) -> str:
    """The command, of a notice also what it is about."""
    if command != "USERNOTICE":
        return command
    told = tags["msg-id"]
    return tags["source-msg-id"] if told == "sharedchatnotice" else told


def keys_by_kind(wire: Iterable[bytes]) -> dict[str, list[frozenset[str]]]:
    """The tag names of every line, by kind."""
    found: dict[str, list[frozenset[str]]] = {}
    for line in wire:
        tags, _, command, _, _ = cut(line)
        if tags:
            found.setdefault(kind_of(tags, command), []).append(frozenset(tags) - HISTORY)
    return found


def simulated(count: int = 4000) -> list[bytes]:
    """Lines of all kinds of a scenario."""
    script = Scenario(1, weights=dict.fromkeys(WEIGHTS, 1.0), limit=count).script("somebody")
    return [line for beat in script for line in lines(beat.action, ROOM, NOW)]


def of_recordings() -> dict[str, list[frozenset[str]]]:
    """What tags recorded lines have."""
    return keys_by_kind(
        line for line in recorded().values() if LINE.fullmatch(line.decode(errors="replace"))
    )


class ShapeTests(SynchronousTestCase):
    """What the simulator sends has the shape of what was recorded."""

    def test_no_tag_is_invented(self) -> None:
        """Every tag of every kind of line was recorded with that kind, or the sheet names it."""
        known = of_recordings()
        notices = frozenset(
            chain.from_iterable(chain.from_iterable(known[k]) for k in known if k.islower())
        )
        shared = frozenset(key for key in notices if not key.startswith("msg-param-"))
        invented = {}
        for kind, found in keys_by_kind(simulated()).items():
            allowed = frozenset(chain.from_iterable(known.get(kind, ())))
            if kind == "PRIVMSG":
                # Since September 2026, reported only.
                allowed |= {"gifs"}
            if kind.islower() or "-" in kind:
                allowed |= shared | KNOWN_UNRECORDED.get(kind, frozenset())
            if extra := frozenset(chain.from_iterable(found)) - allowed:
                invented[kind] = extra
        self.assertEqual(invented, {})

    def test_no_tag_is_left_out(self) -> None:
        """Tags that all recorded lines of 2024 have stand in every simulated line, too."""
        recent = [line for name, line in recorded().items() if name.startswith("nymn/")]
        known, found = keys_by_kind(recent), keys_by_kind(simulated())
        always = frozenset.intersection(*known["PRIVMSG"])
        self.assertGreater(len(always), 14)
        self.assertEqual([keys for keys in found["PRIVMSG"] if not always <= keys], [])

    def test_notices_are_whole(self) -> None:
        """Tags that every recorded notice of a kind has stand in every simulated one, too."""
        known, found = of_recordings(), keys_by_kind(simulated())
        for kind in (
            "sub",
            "resub",
            "subgift",
            "submysterygift",
            "raid",
            "announcement",
            "viewermilestone",
        ):
            # Turbo has gone from newer notices.
            always = frozenset.intersection(*known[kind]) - {"turbo"}
            self.assertGreater(len(always), 12)
            self.assertEqual([keys for keys in found[kind] if not always <= keys], [], kind)

    def test_every_kind_comes(self) -> None:
        """All that a reader must understand occurs."""
        found = keys_by_kind(simulated())
        expected = {
            "PRIVMSG",
            "CLEARCHAT",
            "CLEARMSG",
            "ROOMSTATE",
            "NOTICE",
            "sub",
            "resub",
            "subgift",
            "submysterygift",
            "raid",
            "announcement",
            "viewermilestone",
            "charitydonation",
        }
        self.assertEqual(expected - found.keys(), set())
        privmsg = frozenset(chain.from_iterable(found["PRIVMSG"]))
        self.assertLessEqual(
            {"bits", "vip", "emote-only", "custom-reward-id", "msg-id", "source-id"}
            | {"reply-parent-msg-id", "reply-thread-parent-msg-id"},
            privmsg,
        )

    def test_order(self) -> None:
        """Tags come in alphabetical order, as Twitch sends them live."""
        for line in simulated(500):
            keys = list(cut(line)[0])
            self.assertEqual(keys, sorted(keys))

    def test_read_by_the_daemon(self) -> None:
        """The daemon understands every line but what no platform has, and no message is altered."""
        unknown: set[str] = set()
        for line in simulated():
            translation = translated(line)
            if translation.unknown:
                unknown.update(translation.unknown)
            self.assertTrue(translation.events, line)
            tags, _, command, _, text = cut(line)
            if command == "PRIVMSG":
                (message,) = translation.events
                assert isinstance(message, ChatMessage)
                self.assertEqual(message.message_id, tags["id"])
                self.assertEqual(message.room_id, str(ROOM.id))
                spoken = (text or "").removeprefix("\x01ACTION ").removesuffix("\x01")
                self.assertEqual(message.data.content.raw, spoken)
                ends = [element.position[1] for element in message.data.content.elements]
                self.assertEqual(ends[-1:], [utf16_length(spoken)])
        self.assertEqual(unknown, {f"NOTICE {kind}" for kind, _ in ODDITIES})


class EmoteTests(SynchronousTestCase):
    """Where the emotes of a text are."""

    def test_positions(self) -> None:
        """Every range of every message holds exactly the code of its emote, in code points."""
        ranges = 0
        for line in simulated():
            tags, _, _, _, text = cut(line)
            text = (text or "").removeprefix("\x01ACTION ")
            codes = {number: code for code, number in EMOTES.values()}
            for group in filter(None, tags.get("emotes", "").split("/")):
                number, _, places = group.partition(":")
                for place in places.split(","):
                    first, last = map(int, place.split("-"))
                    self.assertEqual(text[first : last + 1], codes[number])
                    ranges += 1
        self.assertGreater(ranges, 1000)

    def test_after_emoji(self) -> None:
        """An emoji counts as one, and the same emote twice is one group."""
        say = Say(id=MESSAGE, author=TOM, text=("😂", Mood.SLY, "😂 ", Mood.LOVE, " ", Mood.SLY))
        tags, _, _, _, text = cut(lines(say, ROOM, NOW)[0])
        self.assertEqual((text, tags["emotes"]), ("😂Kappa😂 <3 Kappa", "25:1-5,11-15/9:8-9"))
        self.assertNotIn("emote-only", tags)

    def test_only_emotes(self) -> None:
        """A text of emotes and spaces says so."""
        say = Say(id=MESSAGE, author=TOM, text=(Mood.SLY, " ", Mood.SLY, "  "))
        self.assertEqual(cut(lines(say, ROOM, NOW)[0])[0]["emote-only"], "1")

    def test_moods(self) -> None:
        """Every mood has an emote of its own."""
        self.assertEqual(set(EMOTES), set(Mood))
        self.assertEqual(len({number for _, number in EMOTES.values()}), len(Mood))

    def test_reply_shifts(self) -> None:
        """The name of the one who is answered stands before the text, and positions count it."""
        parent = Say(id="p", author=ZOE, text=("a; b\\ ", Mood.LAUGH))
        say = Say(id=MESSAGE, author=TOM, text=("no ", Mood.SMILE), reply_to=parent)
        tags, _, _, _, text = cut(lines(say, ROOM, NOW)[0])
        self.assertEqual((text, tags["emotes"]), ("@Zoë no :)", "1:8-9"))
        self.assertEqual(tags["reply-parent-msg-body"], "a\\:\\sb\\\\\\sLUL")
        self.assertEqual(tags["reply-parent-display-name"], "Zoë")
        self.assertEqual(tags["reply-parent-user-id"], "77")


class LineTests(SynchronousTestCase):
    """Single lines, byte for byte."""

    def test_privmsg(self) -> None:
        """A message of a moderator who subscribes."""
        say = Say(id=MESSAGE, author=ZOE, text=("hi ", Mood.HELLO))
        self.assertEqual(
            lines(say, ROOM, NOW),
            [
                f"@badge-info=subscriber/8;badges=moderator/1,vip/1,subscriber/6,premium/1;"
                f"client-nonce=10000000000075d9b3b473f8e9a1b5c0;color=#FF0000;display-name=Zoë;"
                f"emotes=30259:3-9;first-msg=0;flags=;id={MESSAGE};mod=1;returning-chatter=0;"
                f"room-id={stable_id('somebody')};subscriber=1;tmi-sent-ts={NOW};turbo=0;"
                f"user-id=77;user-type=mod;vip=1 :zoe!zoe@zoe.tmi.twitch.tv PRIVMSG #somebody "
                f":hi HeyGuys".encode()
            ],
        )

    def test_manners(self) -> None:
        """/me is wrapped; what is highlighted, redeemed or the first is tagged."""
        for style, key, value, text in (
            (Style.PLAIN, "first-msg", "0", "x"),
            (Style.ACTION, "first-msg", "0", "\x01ACTION x\x01"),
            (Style.FIRST, "first-msg", "1", "x"),
            (Style.HIGHLIGHTED, "msg-id", "highlighted-message", "x"),
        ):
            say = Say(id=MESSAGE, author=TOM, text=("x",), style=style)
            tags, _, _, _, written = cut(lines(say, ROOM, NOW)[0])
            self.assertEqual((tags[key], written), (value, text))
        say = Say(id=MESSAGE, author=TOM, text=("x",), reward="Sing")
        self.assertEqual(UUID(cut(lines(say, ROOM, NOW)[0])[0]["custom-reward-id"]).version, 5)

    def test_cheers(self) -> None:
        """What is paid stands in the text as cheers that add up to it."""
        for amount, expected in (
            (1, "Cheer1 for you"),
            (999, "Cheer999 for you"),
            (1001, "Cheer500 for you cheer501"),
        ):
            pay = Pay(id=MESSAGE, author=TOM, text=("for you",), amount=amount)
            tags, _, _, _, text = cut(lines(pay, ROOM, NOW)[0])
            self.assertEqual((tags["bits"], text), (str(amount), expected))

    def test_hidden(self) -> None:
        """Who hides is represented by the platform's stand-in accounts."""
        pay = Pay(id=MESSAGE, text=("x",), amount=5)
        gift = Gift(id=MESSAGE, recipient=TOM, total=3)
        tags, prefix, _, _, _ = cut(lines(pay, ROOM, NOW)[0])
        self.assertEqual(
            (tags["user-id"], prefix.partition("!")[0]), ("407665396", "ananonymouscheerer")
        )
        tags = cut(lines(gift, ROOM, NOW)[0])[0]
        self.assertEqual((tags["user-id"], tags["login"]), ("274598607", "ananonymousgifter"))

    def test_badges(self) -> None:
        """Each role has its badge; the months stand in the badge info."""
        for roles, months, info, badges in (
            ({Role.BROADCASTER, Role.PARTNER}, 0, "", "broadcaster/1,partner/1"),
            ({Role.FOUNDER}, 30, "founder/30", "founder/0"),
            ({Role.VIP}, 1, "subscriber/1", "vip/1,subscriber/0"),
            (set(), 61, "subscriber/61", "subscriber/60"),
            (set(), 0, "", ""),
        ):
            author = Author(1, "a", "A", roles=frozenset(roles), months=months)
            tags = cut(lines(Say(id="i", author=author, text=("x",)), ROOM, NOW)[0])[0]
            self.assertEqual((tags["badge-info"], tags["badges"]), (info, badges))
            self.assertEqual(tags["subscriber"], str(int(months > 0)))

    def test_mirrored(self) -> None:
        """A mirrored message has two ids, and its author's badges only in the room it is from."""
        away = Say(id=MESSAGE, author=ZOE, text=("x",), origin="friend")
        tags = cut(lines(away, ROOM, NOW)[0])[0]
        self.assertEqual((tags["room-id"], tags["id"]), (str(ROOM.id), MESSAGE))
        self.assertEqual(tags["source-room-id"], str(stable_id("friend")))
        self.assertNotEqual(tags["source-id"], MESSAGE)
        self.assertEqual((tags["badges"], tags["badge-info"], tags["mod"]), ("", "", "0"))
        self.assertEqual(tags["source-badge-info"], "subscriber/8")
        self.assertIn("moderator/1", tags["source-badges"])

    def test_native_while_shared(self) -> None:
        """A message of this room says so while chats are shared."""
        home = Say(id=MESSAGE, author=ZOE, text=("x",), origin="somebody")
        tags = cut(lines(home, ROOM, NOW)[0])[0]
        self.assertEqual(tags["source-room-id"], tags["room-id"])
        self.assertEqual(tags["source-id"], MESSAGE)
        self.assertEqual(tags["source-badges"], tags["badges"])

    def test_mirrored_notice(self) -> None:
        """A notice of another room is a shared-chat notice that names its kind."""
        told = Announce(id=MESSAGE, author=ZOE, text=("x",), origin="friend", color="BLUE")
        tags = cut(lines(told, ROOM, NOW)[0])[0]
        self.assertEqual(
            (tags["msg-id"], tags["source-msg-id"]), ("sharedchatnotice", "announcement")
        )
        self.assertEqual(tags["msg-param-color"], "BLUE")

    def test_subscription(self) -> None:
        """A resubscription tells months, streak and plan; a streak that is not shown is absent."""
        sub = Subscribe(id=MESSAGE, author=ZOE, text=("y",), months=8, streak=3, tier=2)
        tags, prefix, command, channel, text = cut(lines(sub, ROOM, NOW)[0])
        self.assertEqual(
            (prefix, command, channel, text), ("tmi.twitch.tv", "USERNOTICE", "#somebody", "y")
        )
        self.assertEqual(tags["msg-id"], "resub")
        self.assertEqual(tags["msg-param-cumulative-months"], "8")
        self.assertEqual(tags["msg-param-streak-months"], "3")
        self.assertEqual(tags["msg-param-sub-plan"], "2000")
        self.assertEqual(
            tags["system-msg"].replace("\\s", " "),
            "Zoë subscribed at Tier 2. They've subscribed for 8 months, "
            "currently on a 3 month streak!",
        )
        prime = Subscribe(id=MESSAGE, author=ZOE, months=1, tier=0)
        tags, _, _, _, text = cut(lines(prime, ROOM, NOW)[0])
        self.assertEqual((tags["msg-id"], tags["msg-param-sub-plan"], text), ("sub", "Prime", None))
        self.assertNotIn("msg-param-streak-months", tags)

    def test_moderation(self) -> None:
        """Removals name what they remove; the whole chat has no name."""
        room = f"room-id={ROOM.id}"
        said = Say(id="said", author=TOM, text=("spam",), style=Style.ACTION)
        for action, expected in (
            (
                Delete(id="i", message=said),
                f"@login=tom;{room};target-msg-id=said;tmi-sent-ts={NOW} "
                ":tmi.twitch.tv CLEARMSG #somebody :\x01ACTION spam\x01",
            ),
            (
                Silence(id="i", author=TOM, seconds=60),
                f"@ban-duration=60;{room};target-user-id=78;tmi-sent-ts={NOW} "
                ":tmi.twitch.tv CLEARCHAT #somebody :tom",
            ),
            (
                Silence(id="i", author=TOM),
                f"@{room};target-user-id=78;tmi-sent-ts={NOW} "
                ":tmi.twitch.tv CLEARCHAT #somebody :tom",
            ),
            (Clear(id="i"), f"@{room};tmi-sent-ts={NOW} :tmi.twitch.tv CLEARCHAT #somebody"),
        ):
            self.assertEqual(lines(action, ROOM, NOW), [expected.encode()])

    def test_rules(self) -> None:
        """A changed rule is told in words, and as the one key that changed."""
        on = lines(Rule(id="i", name="followers-only", value=10), ROOM, NOW)
        off = lines(Rule(id="i", name="followers-only", value=-1), ROOM, NOW)
        self.assertIn(b"@msg-id=followers_on ", on[0])
        self.assertEqual(
            on[1],
            f"@followers-only=10;room-id={ROOM.id} :tmi.twitch.tv ROOMSTATE #somebody".encode(),
        )
        self.assertIn(b"@msg-id=followers_off ", off[0])

    def test_room_state(self) -> None:
        """The full state of a room holds every rule, those in force with their value."""
        self.assertEqual(
            room_state(Room("somebody", {"slow": 10})),
            f"@emote-only=0;followers-only=-1;r9k=0;room-id={ROOM.id};slow=10;subs-only=0 "
            ":tmi.twitch.tv ROOMSTATE #somebody".encode(),
        )

    def test_suspended(self) -> None:
        """The notice of a suspended channel is the recorded one but for its words."""
        tags, prefix, command, channel, _ = cut(suspended("gone"))
        self.assertEqual(tags, {"msg-id": "msg_channel_suspended"})
        self.assertEqual((prefix, command, channel), ("tmi.twitch.tv", "NOTICE", "#gone"))

    def test_unknown_notice(self) -> None:
        """A kind that no platform has keeps its name and sentence."""
        odd = Oddity(id="i", author=TOM, kind="couch", sentence="sat down!")
        tags = cut(lines(odd, ROOM, NOW)[0])[0]
        self.assertEqual((tags["msg-id"], tags["system-msg"]), ("couch", "tom\\ssat\\sdown!"))


class EscapeTests(SynchronousTestCase):
    """Values of tags."""

    def test_each(self) -> None:
        """Every character that would end a tag or a line is written otherwise."""
        self.assertEqual(escaped("a;b c\\d\re\nf:="), "a\\:b\\sc\\\\d\\re\\nf:=")

    @settings(deadline=None, database=None, max_examples=100)
    @given(st.text(max_size=20))
    def test_any_name(self, name: str) -> None:
        """Whatever somebody calls themselves, the daemon reads the same name."""
        author = Author(1, "tom", name)
        (line,) = lines(Say(id=MESSAGE, author=author, text=("x",)), ROOM, NOW)
        self.assertNotIn(b"\n", line)
        (message,) = translated(line).events
        assert isinstance(message, ChatMessage)
        self.assertEqual(message.data.author.display_name, name.strip() or "tom")
