# SPDX-License-Identifier: MIT
"""The enrichment stage: pictures in messages, rooms and their dictionaries, the sink in between."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from livechat.core.ports import IEventSink, Recovery
from livechat.metrics import Metrics
from livechat.model.chat import (
    Author,
    Badge,
    ChatData,
    ChatMessage,
    ChatMetadata,
    Content,
    Element,
    EmoteMetadata,
    Money,
    Roles,
)
from livechat.model.errors import ChatError, ErrorCode
from livechat.model.event_data import Notice, Person, Pin
from livechat.model.events import ChannelEvent, Event, LiveInfo
from livechat.model.text import Emote, Image, Piece, content
from livechat.platforms.enrichment.dictionary import (
    EMPTY,
    BadgePicture,
    Cheermote,
    Dictionary,
    joined,
    third_party,
)
from livechat.platforms.enrichment.enrich import enriched
from livechat.platforms.enrichment.ports import IPictureSource, IRoom, IRooms
from livechat.platforms.enrichment.rooms import Rooms
from livechat.platforms.enrichment.sink import MAX_ROOMS, EnrichingSink
from livechat.platforms.steps import Steps
from tests.test_text import rendered, utf16_slice

URL = "https://cdn.example.org/{}.webp"


def foreign(name: str, provider: str = "7tv", **more: bool) -> Image:
    """An emote of a provider."""
    found = third_party(name, URL.format(provider), provider, **more)
    assert found is not None
    return found


def dictionary_of(*names: str, provider: str = "7tv") -> Dictionary:
    """A dictionary of emotes."""
    return Dictionary({name: foreign(name, provider) for name in names})


CHEER = Cheermote(((100, "https://c.example.org/100"), (1, "https://c.example.org/1")))
COLORS = ((100, "#9c3ee8"), (1, "#979797"))
KNOWN = Dictionary(
    {name: foreign(name) for name in ("catJAM", "<3", "Cheer100", "(ditto)", "猫")},
    (
        {
            "vip/1": BadgePicture("https://b.example.org/vip", "VIP"),
            "subscriber/12": BadgePicture("https://b.example.org/year", "1-Year Subscriber"),
        },
        {
            "vip/1": BadgePicture("https://b.example.org/not-this", "not this"),
            "bits/100": BadgePicture("https://b.example.org/bits"),
        },
    ),
    {"cheer": CHEER, "ann": replace(CHEER, is_custom=True)},
    COLORS,
)


def message(
    pieces: Sequence[Piece], bits: int = 0, badges: Sequence[Badge] = (), room_id: str = "1"
) -> ChatMessage:
    """A message as a translator makes it."""
    money = Money(str(bits), f"{bits} bits", "#000000", bits, "BITS") if bits else UNSET
    author = Author("7", "ann", "Ann", None, Roles(), [*badges])
    data = ChatData(author, content(pieces), ChatMetadata(monetary_data=money))
    return ChatMessage("twitch", "2026-01-01T00:00:00.000Z", "m", room_id, data)


def shown(event: Event) -> list[tuple[str, str]]:
    """The elements of a message: `emote` or `text`, and the value."""
    assert isinstance(event, ChatMessage)
    return [(element.type, element.value) for element in event.data.content.elements]


def pictures(event: Event) -> list[str]:
    """The values of a message's emotes."""
    return [value for kind, value in shown(event) if kind == "emote"]


class WordTests(SynchronousTestCase):
    """Words that become pictures."""

    def test_whole_words(self) -> None:
        """A word has to stand alone: not in another word, not beside punctuation."""
        made = enriched(message(["catJAM xcatJAM catJAM! catjam\u3000catJAM"]), KNOWN)
        self.assertEqual(
            shown(made),
            [("emote", "catJAM"), ("text", " xcatJAM catJAM! catjam\u3000"), ("emote", "catJAM")],
        )

    def test_renderings(self) -> None:
        """All five renderings show it, escaped, with positions in UTF-16."""
        made = enriched(message(["😀 <3 b"]), KNOWN)
        assert isinstance(made, ChatMessage)
        found = made.data.content
        metadata = EmoteMetadata(
            URL.format("7tv"), "<3", True, provider="7tv", animated=False, zero_width=False
        )
        self.assertEqual(
            found.elements,
            [
                Element("text", "😀 ", (0, 3)),
                Element("emote", "<3", (3, 5), metadata),
                Element("text", " b", (5, 7)),
            ],
        )
        self.assertEqual(found.raw, "😀 <3 b")
        self.assertEqual(found.formatted, "😀 :<3: b")
        self.assertEqual(found.sanitized, "😀  b")
        self.assertEqual(
            rendered(found.raw_html)[1], ("emote", URL.format("7tv"), "<3", "<3", True)
        )

    def test_markup(self) -> None:
        """A name that would be markup is text in every place of the HTML."""
        name = "\"><script>alert(1)</script><img/onerror='x'>"
        made = enriched(message([f"so {name} it is"]), dictionary_of(name))
        assert isinstance(made, ChatMessage)
        self.assertEqual(pictures(made), [name])
        html = made.data.content.raw_html
        self.assertEqual(re.findall("<[a-z/]+", html).count("<img"), 1)
        self.assertNotIn("<script", html)
        self.assertEqual(len(rendered(html)), 3)

    def test_first_party_wins(self) -> None:
        """What the platform has marked stays as it is, and a word glued to it is no word."""
        own = Emote("catJAM", "https://own.example.org/1", "catJAM", "catJAM")
        made = enriched(message([own, "catJAM catJAM", own, " ", own]), KNOWN)
        self.assertEqual(
            shown(made),
            [
                ("emote", "catJAM"),
                ("text", "catJAM catJAM"),
                ("emote", "catJAM"),
                ("text", " "),
                ("emote", "catJAM"),
            ],
        )
        self.assertIs(made, made)

    def test_formatted_beside_emotes(self) -> None:
        """Shortcuts of the platform's emotes stay in `formatted`."""
        for value, alt, code in (
            ("😀", "grin", "grinning"),
            ("😀", "😀", None),
            (":_cat:", "_cat", "_cat"),
            ("[A cat by B]", "A cat by B", "A cat by B"),
            ("e", ":", "x"),
        ):
            own = Emote(value, "https://own.example.org/1", alt, code)
            before = content([own, " e ", own, " catJAM"])
            made = enriched(message([own, " e ", own, " catJAM"]), KNOWN)
            assert isinstance(made, ChatMessage)
            self.assertEqual(
                made.data.content.formatted, before.formatted.replace("catJAM", ":catJAM:")
            )

    def test_nothing_found(self) -> None:
        """A message without any of the words is the same object."""
        plain = message(["hello there"])
        self.assertIs(enriched(plain, KNOWN), plain)
        self.assertIs(enriched(plain, EMPTY), plain)

    def test_names(self) -> None:
        """What is no word, or has no usable address, is no emote."""
        for name in ("", " ", "a b", "a\n", "\u3000"):
            self.assertIsNone(third_party(name, URL, "7tv"))
        self.assertIsNone(third_party("a", "http://x.example.org/", "7tv"))
        found = third_party("a", "//x.example.org/y", "ffz", animated=True, zero_width=True)
        assert found is not None
        self.assertEqual(found.metadata.url, "https://x.example.org/y")
        self.assertEqual(
            (found.metadata.provider, found.metadata.animated, found.metadata.zero_width),
            ("ffz", True, True),
        )


class CheerTests(SynchronousTestCase):
    """Words that stand for bits."""

    def test_only_in_cheers(self) -> None:
        """Without bits `cheer1` is a word like any other."""
        self.assertEqual(pictures(enriched(message(["cheer1"]), KNOWN)), [])

    def test_amounts_and_tiers(self) -> None:
        """Any case, the picture of the tier, and what it is worth."""
        made = enriched(message(["CHEER1 ann150"], bits=151), KNOWN)
        assert isinstance(made, ChatMessage)
        self.assertEqual(
            [element.metadata for element in made.data.content.elements if element.type == "emote"],
            [
                EmoteMetadata("https://c.example.org/1", "CHEER1", False, 1),
                EmoteMetadata("https://c.example.org/100", "ann150", True, 150),
            ],
        )

    def test_not_beyond_what_was_paid(self) -> None:
        """What would exceed the sum, and what follows it, is text; emotes are emotes still."""
        made = enriched(message(["cheer5 cheer6 cheer1 catJAM"], bits=10), KNOWN)
        self.assertEqual(pictures(made), ["cheer5", "catJAM"])

    def test_no_cheers(self) -> None:
        """Without a known word, a number, or with a wrong number."""
        made = enriched(message(["cheer cheer0 cheer01 bob1 cheer-1 cheer٣"], bits=100), KNOWN)
        self.assertEqual(pictures(made), [])

    def test_cheers_win_over_emotes(self) -> None:
        """In a cheer `Cheer100` is one, although a provider has an emote of that name."""
        made = enriched(message(["Cheer100 Cheer100"], bits=100), KNOWN)
        assert isinstance(made, ChatMessage)
        metadata = [element.metadata for element in made.data.content.elements]
        self.assertEqual(
            [found.provider for found in metadata if isinstance(found, EmoteMetadata)],
            [UNSET, "7tv"],
        )

    def test_color(self) -> None:
        """The sum is shown in the colour of its tier; without one the colour stays."""
        for known, color in ((KNOWN, "#9c3ee8"), (EMPTY, "#000000")):
            made = enriched(message(["x"], bits=100), known)
            assert isinstance(made, ChatMessage)
            money = made.data.metadata.monetary_data
            assert isinstance(money, Money)
            self.assertEqual(money, Money("100", "100 bits", color, 100, "BITS"))


class BadgeTests(SynchronousTestCase):
    """Badges that get their pictures."""

    def badges(self, *badges: Badge) -> list[Badge]:
        """What becomes of these badges of an author."""
        made = enriched(message(["x"], badges=badges), KNOWN)
        assert isinstance(made, ChatMessage)
        return made.data.author.badges

    def test_known_and_unknown(self) -> None:
        """Everything else of a badge stays; an unknown one has no picture yet."""
        known = Badge("subscriber", "subscriber/12", None, 14, "1000")
        unknown = Badge("custom", "rustmas/1")
        self.assertEqual(
            self.badges(known, unknown),
            [
                replace(known, image_url="https://b.example.org/year", title="1-Year Subscriber"),
                unknown,
            ],
        )

    def test_higher_tiers(self) -> None:
        """A badge of tier 3 for which a channel has no picture is shown as that of tier 1."""
        (badge,) = self.badges(Badge("subscriber", "subscriber/3012"))
        self.assertEqual(badge.image_url, "https://b.example.org/year")

    def test_no_title(self) -> None:
        """A badge without a title has none."""
        (badge,) = self.badges(Badge("custom", "bits/100"))
        self.assertEqual((badge.image_url, badge.title), ("https://b.example.org/bits", UNSET))

    def test_pictures_of_the_platform(self) -> None:
        """A picture that came with the message stays."""
        own = Badge("custom", "vip/1", "https://own.example.org/")
        self.assertEqual(self.badges(own), [own])

    def test_events(self) -> None:
        """The user of an event has the same badges; an event without one is the same object."""
        user = Person("7", "ann", "Ann", badges=[Badge("custom", "vip/1")])
        for who, urls in ((user, ["https://b.example.org/vip"]), (None, None)):
            event = ChannelEvent.of(Notice(user=who), "twitch", "", "e", "1")
            made = enriched(event, KNOWN)
            assert isinstance(made, ChannelEvent)
            if who is None:
                self.assertIs(made, event)
            else:
                assert isinstance(made.data.user, Person)
                assert not isinstance(made.data.user.badges, type(UNSET))
                self.assertEqual([badge.image_url for badge in made.data.user.badges], urls)

    def test_pinned(self) -> None:
        """What was pinned looks as it does in the chat."""
        chat = message(["so catJAM"])
        data = Pin(status="pinned", pin_id="p", content=chat.data.content)
        event = ChannelEvent.of(data, "youtube", chat.timestamp, "e", "1")
        made = enriched(event, KNOWN)
        shown = enriched(chat, KNOWN)
        assert isinstance(made, ChannelEvent)
        assert isinstance(shown, ChatMessage)
        self.assertEqual(made.data, replace(data, content=shown.data.content))
        self.assertNotEqual(made, event)
        for other in ("nothing known", ""):
            content_of = replace(data, content=content([other]))
            event = ChannelEvent.of(content_of, "youtube", chat.timestamp, "e", "1")
            self.assertIs(enriched(event, KNOWN), event)
        unpinned = Pin(status="unpinned", pin_id="p")
        event = ChannelEvent.of(unpinned, "youtube", chat.timestamp, "e", "1")
        self.assertIs(enriched(event, KNOWN), event)


#: Words, of which some have pictures.
_TOKENS = ("catJAM", "xcatJAM", "catJAM!", "<3", "猫", "猫😀", "a&b", "(ditto)", "\U000e0000", "so")
_BLANKS = st.sampled_from([" ", "  ", "\u3000", "\t", "", "", " \U000e0000"])
_WORDS = st.one_of(
    st.sampled_from(
        ["catJAM", "<3", "(ditto)", "猫", "Cheer100", "cheer5", "ANN7", "cheer", "😀", "👩‍👩‍👧",
         "e\u0301", "<b>", "&amp;", ":", ":x:"]
    ),
    st.text(max_size=4),
)  # fmt: skip
_OWN = st.builds(
    Emote,
    value=st.sampled_from(["Kappa", "😀", "catJAM", ":)", ":_cat:", "[A cat by B]"]),
    url=st.sampled_from(["https://own.example.org/1", "javascript:alert(1)"]),
    alt=st.sampled_from(["Kappa", "cat", "A cat by B", "<b>"]),
    code=st.none(),
    gif=st.booleans(),
)
_PIECES = st.lists(st.one_of(_BLANKS, _WORDS, _OWN), max_size=14)


class MixTests(SynchronousTestCase):
    """Whatever is mixed, the renderings belong together."""

    @settings(deadline=None, database=None, max_examples=500)
    @given(_PIECES, st.sampled_from([0, 0, 5, 100, 112, 1000]))
    def test_mixtures(self, pieces: list[Piece], bits: int) -> None:
        """Emoji, emotes, GIFs, cheers and emotes of providers: text and places stay exact.

        What is expected comes from the places in the text before, found in another way.
        """
        before = message(pieces, bits)
        if not before.data.content.raw:
            return
        made = enriched(before, KNOWN)
        assert isinstance(made, ChatMessage)
        old, new = before.data.content, made.data.content
        self.assertEqual(new.raw, old.raw)
        self.check_tiles(new)
        expected = self.expected(old, bits)
        self.assertEqual(
            [element.position for element in new.elements if element.type == "emote"],
            sorted(
                [
                    *(element.position for element in old.elements if element.type == "emote"),
                    *expected,
                ]
            ),
        )
        self.assertEqual(
            rendered(new.raw_html).__len__(), len(new.elements), "one piece of HTML for each"
        )
        # Their codes are all that is new.
        self.assertEqual(len(new.formatted), len(old.formatted) + 2 * len(expected))

    @given(
        st.lists(st.tuples(st.sampled_from(_TOKENS), _BLANKS), min_size=1),
        st.sampled_from(["", " ", "\u3000"]),
    )
    def test_text_alone(self, words: list[tuple[str, str]], before: str) -> None:
        """Text alone, whose pictures are put in by one pass, is as if it had been cut before."""
        text = before + "".join(word + blank for word, blank in words)
        pieces: list[Piece] = [
            KNOWN.emotes.get(piece, piece) for piece in re.split(r"(\s+)", text) if piece
        ]
        made = enriched(message([text]), KNOWN)
        assert isinstance(made, ChatMessage)
        self.assertEqual(made.data.content, content(pieces))

    def check_tiles(self, made: Content) -> None:
        """The elements are the text, without gaps, in UTF-16."""
        at = 0
        for element in made.elements:
            self.assertEqual(element.position[0], at)
            at = element.position[1]
            self.assertEqual(utf16_slice(made.raw, *element.position), element.value)
        self.assertEqual(at, len(made.raw.encode("utf-16-le")) // 2)

    def expected(self, old: Content, bits: int) -> list[tuple[int, int]]:
        """Where new pictures must stand."""
        left = bits
        runs = [element.position for element in old.elements if element.type == "text"]
        found: list[tuple[int, int]] = []
        for match in re.finditer(r"\S+", old.raw):
            start = len(old.raw[: match.start()].encode("utf-16-le")) // 2
            end = start + len(match[0].encode("utf-16-le")) // 2
            if not any(low <= start and end <= high for low, high in runs):
                continue
            cheer = re.fullmatch(r"(?i:cheer|ann)([1-9]\d*)", match[0], re.ASCII)
            if cheer and left > 0:
                left -= int(cheer[1])
                if left >= 0:
                    found.append((start, end))
                    continue
            if match[0] in KNOWN.emotes:
                found.append((start, end))
        return found


class DictionaryTests(SynchronousTestCase):
    """Dictionaries of several sources."""

    def test_first_wins(self) -> None:
        """Of several that know a word the first one counts."""
        first, second = dictionary_of("a", "b", provider="ffz"), dictionary_of("b", "c")
        both = joined([first, second])
        self.assertEqual([*both.emotes], ["b", "c", "a"])
        self.assertEqual(both.emotes["b"].metadata.provider, "ffz")

    def test_shared(self) -> None:
        """What only one of them has is not copied."""
        emotes, badges = dictionary_of("a"), Dictionary(badges=KNOWN.badges)
        both = joined([EMPTY, badges, emotes])
        self.assertIs(both.emotes, emotes.emotes)
        self.assertEqual(both.badges, badges.badges)
        self.assertIs(joined([EMPTY, emotes]), emotes)
        self.assertIs(joined([]), EMPTY)


@implementer(IPictureSource)
class Source:
    """A source that does nothing by itself."""

    def __init__(self, name: str, fails: bool = False) -> None:
        self.name = name
        self.rooms: list[IRooms] = []
        self.opened_rooms: list[IRoom] = []
        self.closed_rooms: list[IRoom] = []
        self._fails = fails

    def attached(self, rooms: IRooms) -> None:
        """See `IPictureSource`."""
        self.rooms.append(rooms)

    def opened(self, room: IRoom) -> None:
        """See `IPictureSource`."""
        if self._fails:
            raise RuntimeError("a mistake")
        self.opened_rooms.append(room)

    def closed(self, room: IRoom) -> None:
        """See `IPictureSource`."""
        self.closed_rooms.append(room)


class Stage(SynchronousTestCase):
    """Rooms with two sources that do nothing by themselves."""

    def setUp(self) -> None:
        """Two sources, in an order that is not that of their precedence."""
        self.steps = Steps(Clock(), Metrics(), "twitch")
        self.seventv, self.ffz = Source("7tv"), Source("ffz")
        self.rooms = Rooms("twitch", [self.seventv, self.ffz], self.steps)


class RoomTests(Stage):
    """Rooms and their dictionaries."""

    def test_interfaces(self) -> None:
        """They are what sources are promised."""
        verifyObject(IRooms, self.rooms)
        verifyObject(IRoom, self.rooms.hold("1"))
        verifyObject(IPictureSource, self.ffz)

    def test_precedence(self) -> None:
        """The room's before those of all rooms; FrankerFaceZ before 7TV; others last."""
        room = self.rooms.hold("1")

        def provider() -> Any:
            return room.dictionary.emotes["a"].metadata.provider

        for put, source in (
            (self.rooms.put, "other"),
            (self.rooms.put, "7tv"),
            (self.rooms.put, "ffz"),
            (room.put, "7tv"),
            (room.put, "ffz"),
        ):
            put(source, dictionary_of("a", provider=source + put.__qualname__))
            self.assertEqual(provider(), source + put.__qualname__)
        self.rooms.put("ffz", EMPTY)
        room.put("ffz", EMPTY)
        self.assertEqual(provider(), "7tvRoom.put")

    def test_shared_by_all(self) -> None:
        """Rooms with nothing of their own have the very same dictionary."""
        self.rooms.put("7tv", dictionary_of("a"))
        rooms = [self.rooms.hold(str(number)) for number in range(3)]
        rooms[2].put("ffz", Dictionary(badges=KNOWN.badges))
        self.assertIs(rooms[0].dictionary, rooms[1].dictionary)
        self.assertIs(rooms[0].dictionary.emotes, rooms[2].dictionary.emotes)

    def test_opened_once(self) -> None:
        """However many hold a room, sources see it opened once and closed once."""
        first, second = self.rooms.hold("1"), self.rooms.hold("1")
        self.assertIs(first, second)
        self.rooms.release(first)
        self.assertEqual((self.ffz.opened_rooms, self.ffz.closed_rooms), ([first], []))
        self.rooms.release(second)
        self.assertEqual(self.ffz.closed_rooms, [first])
        self.assertIsNot(self.rooms.hold("1"), first)

    def test_a_source_that_fails(self) -> None:
        """It costs nobody else anything."""
        good = Source("7tv")
        rooms = Rooms("twitch", [Source("ffz", fails=True), good], self.steps)
        rooms.hold("1")
        self.assertEqual(len(good.opened_rooms), 1)
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


@implementer(IEventSink)
class Kept:
    """A sink that keeps what it is told."""

    received_until = 7.0

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def queued(self) -> None:
        """See `IEventSink`."""
        self.told.append(("queued",))

    def recovered(self, recovery: Recovery) -> None:
        """See `IEventSink`."""
        self.told.append(("recovered", recovery))

    def received(self, events: Sequence[Event]) -> None:
        """See `IEventSink`."""
        self.told.append(("received", list(events)))

    def interrupted(self, reason: str, since: float | None = None) -> None:
        """See `IEventSink`."""
        self.told.append(("interrupted", reason, since))

    def resumed(self, info: LiveInfo) -> None:
        """See `IEventSink`."""
        self.told.append(("resumed", info))

    def ended(self, error: ChatError) -> None:
        """See `IEventSink`."""
        self.told.append(("ended", error))


class SinkTests(Stage):
    """The stage between a watcher and a channel."""

    def setUp(self) -> None:
        """A sink of channel 1 that keeps what it passes on."""
        super().setUp()
        self.kept = Kept()
        self.sink = EnrichingSink("ann", self.kept, self.rooms, self.steps)

    def test_passes_on(self) -> None:
        """What is no message goes through as it is, at once."""
        verifyObject(IEventSink, self.sink)
        info, error = LiveInfo("ann"), ChatError(ErrorCode.STREAM_ENDED, "over")
        self.sink.queued()
        self.sink.interrupted("LOST", 3.0)
        self.sink.resumed(info)
        self.sink.ended(error)
        self.assertEqual(
            self.kept.told,
            [("queued",), ("interrupted", "LOST", 3.0), ("resumed", info), ("ended", error)],
        )
        self.assertEqual(self.sink.received_until, 7.0)

    def test_from_the_next_message_on(self) -> None:
        """A message is passed on at once; what is found out meanwhile counts for the next one."""
        first = message(["catJAM"])
        self.sink.received([first])
        (room,) = self.ffz.opened_rooms
        room.put("ffz", KNOWN)
        self.sink.received([first, message(["x"])])
        (_, before), (_, after) = self.kept.told
        self.assertEqual(before, [first])
        self.assertEqual([pictures(event) for event in after], [["catJAM"], []])

    def test_recovered(self) -> None:
        """What is recovered is enriched, too."""
        self.rooms.put("7tv", KNOWN)
        self.sink.recovered(Recovery([message(["catJAM"])], "some"))
        ((_, recovery),) = self.kept.told
        self.assertEqual(pictures(recovery.events[0]), ["catJAM"])
        self.assertEqual(recovery.extent, "some")

    def test_source_room(self) -> None:
        """A mirrored message has the pictures of the room in which it was written."""
        mirrored = message(["catJAM dogJAM"])
        metadata = replace(mirrored.data.metadata, source_room_id="2")
        mirrored = replace(mirrored, data=replace(mirrored.data, metadata=metadata))
        own = message(["catJAM dogJAM"])
        event = ChannelEvent.of(Notice(source_room_id="3"), "twitch", "", "e", "1")
        self.sink.received([own, mirrored, event])
        rooms = {room.room_id: room for room in self.ffz.opened_rooms}
        self.assertEqual([*rooms], ["1", "2", "3"])
        rooms["1"].put("ffz", dictionary_of("catJAM"))
        rooms["2"].put("7tv", dictionary_of("dogJAM"))
        self.sink.received([own, mirrored])
        _, after = self.kept.told[-1]
        self.assertEqual([pictures(event) for event in after], [["catJAM"], ["dogJAM"]])

    def test_bounded(self) -> None:
        """Of very many rooms some are held, the chat's own among them; all are let go of."""
        for number in range(3 * MAX_ROOMS):
            self.sink.received([message(["x"], room_id=str(number))])
        still = set(self.ffz.opened_rooms) - set(self.ffz.closed_rooms)
        self.assertEqual(len(still), MAX_ROOMS)
        self.assertIn("0", {room.room_id for room in still})
        self.sink.close()
        self.sink.close()
        self.assertEqual(len(self.ffz.closed_rooms), 3 * MAX_ROOMS)
        self.sink.received([message(["x"])])
        self.assertEqual(len(self.ffz.opened_rooms), 3 * MAX_ROOMS)

    def test_unknown_room(self) -> None:
        """Where it is not known which room it is, what counts in all rooms counts."""
        self.rooms.put("7tv", KNOWN)
        self.sink.received([message(["catJAM"], room_id="")])
        ((_, after),) = self.kept.told
        self.assertEqual(pictures(after[0]), ["catJAM"])
        self.assertEqual(self.ffz.opened_rooms, [])

    def test_a_mistake(self) -> None:
        """A mistake of ours costs the pictures of one message."""

        def find_room(event: Event) -> str:
            raise RuntimeError("a mistake")

        sink = EnrichingSink("ann", self.kept, self.rooms, self.steps, find_room)
        plain = message(["catJAM"])
        sink.received([plain])
        self.assertEqual(self.kept.told, [("received", [plain])])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
