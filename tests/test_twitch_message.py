# SPDX-License-Identifier: MIT
"""A message of Twitch chat, field by field: who, what, with which pictures, for how much."""

from __future__ import annotations

from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import Badge, ChatMessage, ChatMetadata, EmoteMetadata, Money, Reply, Roles
from livechat.platforms.twitch.parse.chat import Translation, translate
from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.parse.room import RoomState
from tests.support.twitch_lines import RECEIVED, chat, chat_of, parsed, with_cheermotes, written


def changed(name: str, **tags: str | None) -> Translation:
    """One of our own lines with other tags (`_` for `-`); None takes one away."""
    line = parsed(written()[name])
    for key, value in tags.items():
        line.tags.pop(key.replace("_", "-"), None)
        if value is not None:
            line.tags[key.replace("_", "-")] = value
    return with_cheermotes(translate(line, RECEIVED, lambda: "new"))


def pictures(message: ChatMessage) -> list[tuple[str, EmoteMetadata]]:
    """What stands in the text for each picture, and the picture."""
    elements = message.data.content.elements
    return [(e.value, e.metadata) for e in elements if e.metadata is not UNSET]


def money(message: ChatMessage) -> Money:
    """What was paid with a message."""
    assert message.data.metadata.monetary_data is not UNSET
    return message.data.metadata.monetary_data


def translated_with(text: str, **tags: str) -> Translation:
    """What a line with this text and these tags becomes."""
    line = Line(tags, "ada!ada@ada.tmi.twitch.tv", "PRIVMSG", ["#hopper", text])
    return with_cheermotes(translate(line, RECEIVED, str))


def written_with(text: str, **tags: str) -> ChatMessage:
    """The message of a line with this text and these tags."""
    return chat_of(translated_with(text, **tags))


class MessageTests(SynchronousTestCase):
    """The fields of a message."""

    def test_plain(self) -> None:
        """Every tag finds its field."""
        message = chat("plain")
        self.assertEqual(message.platform, "twitch")
        self.assertEqual(message.timestamp, "2023-11-14T22:13:20.123Z")
        self.assertEqual(message.message_id, "00000000-0000-4000-8000-000000000001")
        self.assertEqual(message.room_id, "1001")
        author = message.data.author
        self.assertEqual((author.id, author.username, author.display_name), ("2002", "ada", "Ada"))
        self.assertEqual((author.avatar_url, author.color), (None, "#FF7F50"))
        self.assertEqual(author.roles, Roles(subscriber=True))
        self.assertEqual(
            author.badges,
            [Badge("subscriber", "subscriber/24", None, 27), Badge("custom", "bits/1000")],
        )
        self.assertEqual(message.data.metadata, ChatMetadata())
        self.assertEqual(message.data.content.raw, "hello world")

    def test_roles(self) -> None:
        """Each role is told by its badge or its tag."""
        everything = chat("every role").data.author
        self.assertEqual(everything.roles, Roles(True, True, True, True))
        self.assertEqual(
            [badge.type for badge in everything.badges],
            ["custom", "moderator", "subscriber", "verified", "custom"],
        )
        cases = (
            ({"badges": "broadcaster/1"}, Roles(broadcaster=True)),
            ({"user_id": "1001"}, Roles(broadcaster=True)),
            ({"mod": "1"}, Roles(moderator=True)),
            ({"user_type": "mod"}, Roles(moderator=True)),
            ({"badges": "moderator/1"}, Roles(moderator=True)),
            ({"badges": "lead_moderator/1"}, Roles(moderator=True)),
            ({"badges": "founder/0"}, Roles(subscriber=True)),
            ({"subscriber": "1"}, Roles(subscriber=True)),
            ({"badges": "partner/1"}, Roles(verified=True)),
            ({"badges": "vip/1,staff/1", "user_type": "staff"}, Roles()),
        )
        plain = {"badges": "", "subscriber": "0"}
        for tags, roles in cases:
            found = chat_of(changed("plain", **plain | tags))
            self.assertEqual(found.data.author.roles, roles, tags)

    def test_owner_needs_a_room(self) -> None:
        """A line that names neither user nor room does not make its writer the broadcaster."""
        self.assertEqual(chat("no tags").data.author.roles, Roles())
        nobody = chat_of(translate(Line({}, "", "PRIVMSG", ["#hopper", "x"]), RECEIVED, str))
        self.assertEqual((nobody.data.author.id, nobody.data.author.roles), ("", Roles()))

    def test_badges_that_are_nchat_of(self) -> None:
        """Entries without a version are passed over; a version may hold slashes."""
        found = chat_of(changed("plain", badges="odd,,/1,campaign-1-x/1,predictions/a/b"))
        labels = [badge.label for badge in found.data.author.badges]
        self.assertEqual(labels, ["campaign-1-x/1", "predictions/a/b"])

    def test_long_badges(self) -> None:
        """A very long list of badges is read like a short one."""
        tag = ",".join(f"set-{n}/1" for n in range(200))
        found = chat_of(changed("plain", badges=tag))
        self.assertEqual(",".join(badge.label for badge in found.data.author.badges), tag)

    def test_messages_do_not_share_badges(self) -> None:
        """Whoever changes the badges of one message does not change those of another."""
        first, second = chat("plain"), chat("plain")
        first.data.author.badges.clear()
        self.assertEqual(len(second.data.author.badges), 2)

    def test_colors(self) -> None:
        """A colour is passed on as it is or not at all."""
        for color, expected in (
            ("#aB01f9", "#aB01f9"),
            ("", UNSET),
            ("red", UNSET),
            ("#12345", UNSET),
            ("#12345g", UNSET),
            ('"#12345', UNSET),
        ):
            self.assertEqual(chat_of(changed("plain", color=color)).data.author.color, expected)

    def test_names(self) -> None:
        """The login comes from the prefix, the name to show is trimmed, each stands in for none."""
        author = chat("localised name").data.author
        self.assertEqual((author.username, author.display_name), ("ada", "에이다"))
        self.assertEqual(chat("name with blanks").data.author.display_name, "Ada")
        self.assertEqual(
            chat_of(changed("plain", display_name=" ")).data.author.display_name, "ada"
        )
        author = chat("no prefix").data.author
        self.assertEqual((author.username, author.display_name), ("", "Ada"))

    def test_bare(self) -> None:
        """Without any tag: the writer's login as id, the time of receipt, a new id."""
        message = chat("no tags")
        self.assertEqual(
            (message.timestamp, message.message_id), ("2020-09-13T12:26:40.000Z", "new-1")
        )
        self.assertEqual((message.room_id, message.data.author.id), ("", "ada"))
        known = translate(parsed(written()["no tags"]), RECEIVED, str, RoomState("1001"))
        self.assertEqual(chat_of(known).room_id, "1001")

    def test_times(self) -> None:
        """A time that cannot be read gives way to the recorder's, then to that of receipt."""
        received = "2020-09-13T12:26:40.000Z"
        for bad in (None, "", "x", "-1", "1e12", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 15, "9" * 400):
            found = chat_of(changed("plain", tmi_sent_ts=bad))
            self.assertEqual(found.timestamp, received, bad)
            found = chat_of(changed("plain", tmi_sent_ts=bad, rm_received_ts="1700000000456"))
            self.assertEqual(found.timestamp, "2023-11-14T22:13:20.456Z", bad)

    def test_metadata(self) -> None:
        """Reply, first message, highlight, reward and `/me` are told."""
        self.assertEqual(
            chat("reply").data.metadata.reply, Reply("p-1", "3003", "grace", "Grace", "is it; so?")
        )
        self.assertEqual(chat("first message").data.metadata, ChatMetadata(first_message=True))
        self.assertEqual(chat("highlighted").data.metadata, ChatMetadata(highlighted=True))
        self.assertEqual(
            chat("reward").data.metadata,
            ChatMetadata(reward_id="11111111-2222-4333-8444-555555555555"),
        )
        self.assertEqual(chat("action").data.metadata, ChatMetadata(action=True))
        self.assertEqual(chat("action").data.content.raw, "waves Kappa")

    def test_action(self) -> None:
        """Only a whole ACTION wrapper is taken off; its closing mark may be missing."""
        for text, raw in (
            ("\x01ACTION a\x01", "a"),
            ("\x01ACTION a", "a"),
            ("\x01ACTION  a \x01", " a "),
            ("\x01ACTION\x01", ""),
            ("\x01ACTION", ""),
            ("\x01ACTIONS a\x01", "\x01ACTIONS a\x01"),
            ("\x01VERSION\x01", "\x01VERSION\x01"),
            ("ACTION a", "ACTION a"),
        ):
            found = written_with(text)
            self.assertEqual(found.data.content.raw, raw)
            self.assertEqual(found.data.metadata.action is True, raw != text)


class EmoteTests(SynchronousTestCase):
    """Pictures inside a text."""

    def test_positions(self) -> None:
        """The platform counts code points, we UTF-16 code units; the order is that of the text."""
        elements = chat("emotes after emoji").data.content.elements
        self.assertEqual(
            [(e.value, e.position) for e in elements if e.type == "emote"],
            [("Kappa", (2, 7)), ("adaHi", (10, 15)), ("LUL", (16, 19))],
        )

    def test_picture(self) -> None:
        """The platform's own picture, with the code as its text."""
        self.assertEqual(
            pictures(written_with("a Kappa", emotes="25:2-6")),
            [
                (
                    "Kappa",
                    EmoteMetadata(
                        "https://static-cdn.jtvnw.net/emoticons/v2/25/default/dark/2.0",
                        "Kappa",
                        False,
                    ),
                )
            ],
        )

    def test_whose(self) -> None:
        """A code that begins with a small letter is a channel's; a few of the platform's do too."""
        found = pictures(chat("emotes after emoji"))
        self.assertEqual([emote.is_custom for _, emote in found], [False, True, False])
        ((_, emote),) = pictures(written_with("cmonBruh", emotes="84608:0-7"))
        self.assertIs(emote.is_custom, False)

    def test_bad_ranges(self) -> None:
        """A bad range costs itself: no dash, backwards, twice, too far, an id that is none."""
        found = pictures(chat("bad emote ranges"))
        self.assertEqual([code for code, _ in found], ["Kappa", "Keepo"])
        self.assertEqual(pictures(written_with("Kappa", emotes="25:0-5")), [])

    def test_overlap(self) -> None:
        """Of overlapping ranges the first is kept; of two at one place the first named."""
        for tag, expected in (
            ("1:0-4/2:3-6/3:5-6", [("<:;=(", "1"), (")>", "3")]),
            ("2:3-6/1:0-4", [("<:;=(", "1")]),
            ("1:0-0/2:0-6", [("<", "1")]),
            ("2:0-6/1:0-0", [("<:;=()>", "2")]),
        ):
            found = pictures(written_with("<:;=()>", emotes=tag))
            self.assertEqual([(code, e.url.split("/")[5]) for code, e in found], expected)

    def test_what_can_be_no_code(self) -> None:
        """A range with a blank in it or cut out of a word is none; what stands beside words is."""
        for text, tag in (
            ("TEST MESSAGE", "1:0-6"),
            ("Kappa hi", "1:2-5"),
            ("myKappa", "1:2-6"),
            ("Kappa_1", "1:0-4"),
            ("a\u3000b", "1:0-2"),
            # Words of other scripts.
            ("\u043f\u0440\u0438\u0432\u0435\u0442 Kappa", "1:1-5"),
            ("\u043f\u0440\u0438\u0432\u0435\u0442 Kappa", "1:0-4"),
            ("\u3053\u3093\u306b\u3061\u306f", "1:1-3"),
        ):
            found = translated_with(text, emotes=tag)
            self.assertEqual(pictures(chat_of(found)), [], text)
            self.assertEqual(list(found.unknown), ["emote range"])
        for text, tag, code in (
            ("(Kappa)", "1:1-5", "Kappa"),
            ("x:)y", "1:1-2", ":)"),
            ("\u00fcKappa", "1:1-5", "Kappa"),
        ):
            ((value, _),) = pictures(written_with(text, emotes=tag))
            self.assertEqual(value, code)

    def test_moved_ranges(self) -> None:
        """A wrong range next to a whole word means that word, if the emote's code agrees."""
        for text, tag, expected in (
            ("\U0001f602 Kappa b", "1:1-5", ["Kappa"]),
            ("a Kappa b", "1:3-7", ["Kappa"]),
            ("Kappa a Kappa", "1:0-4,7-11", ["Kappa", "Kappa"]),
            ("Kappa a Keepo", "1:0-4,7-11", ["Kappa"]),
            ("a b", "1:0-1", []),
        ):
            found = pictures(written_with(text, emotes=tag))
            self.assertEqual([value for value, _ in found], expected, text)


class GifTests(SynchronousTestCase):
    """Captions that stand for a moving picture."""

    URL = "https://media4.giphy.com/media/x/giphy.gif?a=1,2&b=3"

    def gifs(self, text: str, tag: str) -> tuple[list[str], list[str]]:
        """The captions that became pictures, and what is unknown."""
        found = translated_with(text, gifs=tag)
        shown = pictures(chat_of(found))
        self.assertEqual({emote.gif for _, emote in shown}, {True} if shown else set())
        return [value for value, _ in shown], list(found.unknown)

    def test_several(self) -> None:
        """Several are parted by commas, of which addresses have some too."""
        tag = f"0-2|x|{self.URL},6-8|y|{self.URL}"
        self.assertEqual(self.gifs("[a] + [b] [c]", tag), (["[a]", "[b]"], []))
        ((_, emote), *_) = pictures(written_with("[a] + [b]", gifs=tag))
        self.assertEqual(emote, EmoteMetadata(self.URL, "a", is_custom=True, bits=UNSET, gif=True))

    def test_units(self) -> None:
        """Beyond ASCII places may count code points, UTF-16 units or bytes."""
        for tag in ("3-9|x|", "4-10|x|", "6-12|x|", "90-99|x|"):
            found = self.gifs("\U0001f602\u00e9 [a gif]", tag + self.URL)
            self.assertEqual(found, (["[a gif]"], []), tag)

    def test_bad(self) -> None:
        """Without a caption or an https address there is no picture; the text stays."""
        for text, tag, captions in (
            ("no caption", f"0-4|x|{self.URL}", []),
            ("[a]", "0-2|x|http://media.giphy.com/x.gif", []),
            ("[a]", "0-2", []),
            ("[a]", f"x|x|{self.URL}", []),
            ("[]", f"0-1|x|{self.URL}", []),
            ("[a]", f"0-2|x|{self.URL},0-2|x|{self.URL}", ["[a]"]),
        ):
            self.assertEqual(self.gifs(text, tag), (captions, ["gif range"]), (text, tag))


class MoneyTests(SynchronousTestCase):
    """What was paid."""

    def cheers(self, message: ChatMessage) -> list[tuple[str, object, str]]:
        """Word, bits and tier of the cheermotes of a message."""
        return [
            (word, emote.bits, emote.url.split("/")[-2])
            for word, emote in pictures(message)
            if emote.bits is not UNSET
        ]

    def test_bits(self) -> None:
        """Bits are money and their words are pictures of their tier, beside ordinary emotes."""
        self.assertEqual(chat("cheer").data.metadata.type, "super_chat")
        self.assertEqual(money(chat("cheer")), Money("5101", "5101 bits", "#0099fe", 5101, "BITS"))
        self.assertEqual(
            self.cheers(chat("cheer")),
            [("Cheer100", 100, "100"), ("cheer1", 1, "1"), ("Cheer5000", 5000, "5000")],
        )
        self.assertEqual(chat("cheer").data.content.sanitized, " nice   Hello1 ")

    def test_anonymous_cheermote(self) -> None:
        """The cheermote of those who hide is one that every channel has."""
        found = written_with("Anon100 hi anon5", bits="105")
        self.assertEqual(self.cheers(found), [("Anon100", 100, "100"), ("anon5", 5, "1")])

    def test_not_more_than_paid(self) -> None:
        """Words beyond what was paid stay words."""
        self.assertEqual(self.cheers(chat("cheer beyond the paid sum")), [("Cheer100", 100, "100")])
        self.assertEqual(self.cheers(chat("one bit, unknown cheermote")), [])
        self.assertEqual(
            money(chat("one bit, unknown cheermote")), Money("1", "1 bit", "#979797", 1, "BITS")
        )

    def test_no_bits(self) -> None:
        """Without bits, or with unreadable ones, a cheer is only a word."""
        for bits in (None, "", "0", "-5", "x", "9" * 30):
            found = chat_of(changed("anonymous cheer", bits=bits))
            self.assertEqual([e.type for e in found.data.content.elements], ["text"])
            self.assertEqual(found.data.metadata.type, "chat")
            self.assertIs(found.data.metadata.monetary_data, UNSET)

    def test_words_that_are_no_cheers(self) -> None:
        """Leading zeros, other alphabets and words that only contain a cheer are words."""
        text = (
            "Cheer01 Cheer xCheer1 Cheer1! \N{CHEROKEE LETTER TLI}HEER1 \N{KELVIN SIGN}appa1 Cheer1"
        )
        self.assertEqual(self.cheers(written_with(text, bits="9")), [("Cheer1", 1, "1")])

    def test_tiers(self) -> None:
        """Colours and pictures change at 100, 1000, 5000 and 10000 bits."""
        for bits, color, tier in (
            (99, "#979797", "1"),
            (100, "#9c3ee8", "100"),
            (999, "#9c3ee8", "100"),
            (1000, "#1db2a5", "1000"),
            (5000, "#0099fe", "5000"),
            (10000, "#f43021", "10000"),
            (123456, "#f43021", "10000"),
        ):
            message = written_with(f"cheer{bits}", bits=str(bits))
            self.assertEqual(money(message).color, color)
            self.assertEqual(self.cheers(message), [(f"cheer{bits}", bits, tier)])

    def test_hype_chat(self) -> None:
        """A Hype Chat has its sum in the currency's own decimals."""
        self.assertEqual(money(chat("hype chat")), Money("5.50", "5.50 EUR", "#9147ff", 5.5, "EUR"))
        self.assertEqual(
            money(chat("hype chat without decimals")),
            Money("500", "500 JPY", "#9147ff", 500, "JPY"),
        )
        for broken in ({"amount": "x"}, {"exponent": "99"}, {"currency": ""}, {"amount": None}):
            tags = {f"pinned_chat_paid_{key}": value for key, value in broken.items()}
            self.assertEqual(chat_of(changed("hype chat", **tags)).data.metadata, ChatMetadata())
