# SPDX-License-Identifier: MIT
"""Readers of the providers' sets of emotes: recorded answers, and answers that lie."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.text import Image
from livechat.platforms.emotes.parse import bttv, ffz, seventv
from livechat.platforms.emotes.parse.emote_set import (
    MAX_EMOTES,
    MAX_WORD,
    Change,
    Entries,
    Renamed,
    Unreadable,
    is_word,
)
from tests.support.corpus import corpus


class Found(NamedTuple):
    """What an answer brought.

    :ivar left_out: how many entries could not be read or used.
    """

    emotes: dict[str, Image]
    left_out: int = 0


def all_of(entries: Entries) -> Found:
    """All entries of an answer, read at once."""
    emotes: dict[str, Image] = {}
    steps = sum(1 for _ in entries.into(emotes))
    return Found(emotes, steps - len(emotes))


def read_user(body: bytes) -> Found:
    """What a user of 7TV brought."""
    return all_of(seventv.read_user(body).entries or Entries([], seventv.read_entry))


def _whole(read: Callable[[bytes], Entries]) -> Callable[[bytes], Found]:
    return lambda body: all_of(read(body))


READERS = (
    _whole(seventv.read_set),
    read_user,
    _whole(bttv.read_global),
    _whole(bttv.read_channel),
    _whole(ffz.read_global),
    _whole(ffz.read_channel),
)


def recorded(name: str) -> bytes:
    """A recorded answer."""
    return corpus(f"twitch/thirdparty/{name}.json").read_bytes()


def described(emote: Image) -> tuple[str, str, object, object, object]:
    """What a client is told of an emote."""
    metadata = emote.metadata
    assert metadata.is_custom
    assert metadata.alt == emote.value
    return (
        emote.value,
        metadata.url,
        metadata.provider,
        metadata.animated,
        metadata.zero_width,
    )


def entry(name: str = "catJAM", emote_id: str = "60ae", **more: Any) -> dict[str, Any]:
    """An emote of a set of 7TV."""
    data = {
        "name": "original",
        "flags": 0,
        "listed": True,
        "animated": False,
        "host": {"url": f"//cdn.7tv.app/emote/{emote_id}", "files": [{"name": "2x.webp"}]},
    }
    data |= more.pop("data", {})
    return {"id": emote_id, "name": name, "flags": 0, "data": data, **more}


def seven(*entries: object) -> Found:
    """A set of 7TV with these entries."""
    return all_of(seventv.read_set(json.dumps({"id": "s", "emotes": entries}).encode()))


class RecordedTests(SynchronousTestCase):
    """Answers as they were recorded."""

    def test_seven_tv_set(self) -> None:
        """All listed emotes, by the names that the channel gives them."""
        body = recorded("7tv_v3_emote_set_nymn_2024-01")
        found = all_of(seventv.read_set(body))
        entries = json.loads(body)["emotes"]
        listed = [one for one in entries if one["data"]["listed"]]
        self.assertEqual(list(found.emotes)[:2], ["PagMan", "POGPLANT"])
        self.assertEqual(found.left_out, len(entries) - len(found.emotes))
        self.assertEqual(set(found.emotes), {one["name"] for one in listed})
        for one in listed:
            known = found.emotes[one["name"]].metadata
            self.assertEqual(known.url, f"https://cdn.7tv.app/emote/{one['id']}/2x.webp")
        flags = {one["name"]: one for one in listed}
        for word, emote in found.emotes.items():
            self.assertIs(emote.metadata.zero_width, flags[word]["flags"] == 1)
            self.assertIs(emote.metadata.animated, flags[word]["data"]["animated"])

    def test_seven_tv_user(self) -> None:
        """A channel in the shape of 2024, with its set, and in that of 2026, without."""
        old = seventv.read_user(recorded("7tv_v3_user_connection_nymn_2024-01"))
        assert old.entries is not None
        self.assertEqual(old.set_id, "63b02874ad025a672cb4969f")
        self.assertEqual(len(all_of(old.entries).emotes), 833)
        new = seventv.read_user(recorded("7tv_v3_user_connection_after_2026-08-03_shape"))
        self.assertEqual(new, seventv.User("60ae3c29b2ecb015051f8f9a", "", None))
        none = seventv.read_user(recorded("7tv_sample_1"))
        self.assertEqual(none, seventv.User("01H1236JG00005HNCSM10T04VJ", "", None))

    def test_betterttv(self) -> None:
        """A channel's own and shared emotes, and the global ones."""
        found = all_of(bttv.read_channel(recorded("bttv_sample_1")))
        self.assertEqual(list(found.emotes), ["FeelsDennyMan", "lobosSHAKE", "(ditto)", "WolfPls"])
        self.assertEqual(
            described(found.emotes["lobosSHAKE"]),
            (
                "lobosSHAKE",
                "https://cdn.betterttv.net/emote/5b007dc718b2f46a14d40242/2x.webp",
                "bttv",
                True,
                False,
            ),
        )
        self.assertEqual(
            list(all_of(bttv.read_global(recorded("bttv_sample_3"))).emotes), [":tf:", "CiGrip"]
        )

    def test_frankerfacez(self) -> None:
        """A room of today and one of 2016, whose pictures have one size."""
        found = all_of(ffz.read_channel(recorded("ffz_sample_1")))
        self.assertEqual(
            [described(emote) for emote in found.emotes.values()],
            [
                (word, f"https://cdn.frankerfacez.com/emote/{number}/2", "ffz", False, False)
                for word, number in (("LULW", 139407), ("WhiteKnight", 295554))
            ],
        )
        old = all_of(ffz.read_channel(recorded("chatty_FFZTest_regular")))
        self.assertEqual(
            old.emotes["joshWASTED"].metadata.url, "https://cdn.frankerfacez.com/emoticon/12364/1"
        )
        for name in ("id_string", "no_height", "regular"):
            one = json.loads(recorded(f"chatty_FFZ_emote_{name}"))
            answer = {"room": {"set": 1}, "sets": {"1": {"emoticons": [one]}}}
            read = all_of(ffz.read_channel(json.dumps(answer).encode()))
            self.assertEqual(list(read.emotes), ["joshWASTED"])

    def test_errors(self) -> None:
        """What is said of a channel that a provider does not know is no set."""
        for name in ("7tv_sample_2", "7tv_sample_3", "bttv_sample_2", "ffz_sample_2"):
            for read in READERS:
                self.assertRaises(Unreadable, read, recorded(name))


class RuleTests(SynchronousTestCase):
    """Which emotes are shown, and how."""

    def test_seven_tv_flags(self) -> None:
        """Unlisted and disallowed ones are left out; whether one lies over another says the set."""
        self.assertEqual(seven(entry(data={"listed": False})), Found({}, 1))
        self.assertEqual(seven(entry(data={"flags": 1 << 24})), Found({}, 1))
        over = seven(entry(flags=1)).emotes["catJAM"]
        advised = seven(entry(data={"flags": 256})).emotes["catJAM"]
        self.assertEqual((over.metadata.zero_width, advised.metadata.zero_width), (True, False))

    def test_seven_tv_files(self) -> None:
        """The file that fits best; without files there is nothing to show."""

        def host(*names: str) -> dict[str, Any]:
            files = [{"name": name} for name in names]
            return {"host": {"url": "//cdn.7tv.app/emote/60ae", "files": files}}

        best = seven(entry(data=host("4x.avif", "4x.webp", "1x.webp"))).emotes["catJAM"]
        self.assertEqual(best.metadata.url, "https://cdn.7tv.app/emote/60ae/1x.webp")
        self.assertEqual(seven(entry(data=host())), Found({}, 1))
        self.assertEqual(seven(entry(data=host("../../x.webp"))), Found({}, 1))

    def test_betterttv_words(self) -> None:
        """Global words of a fixed list lie over others; words that change others stay text."""
        words = [
            {"id": "a", "code": "SoSnowy", "animated": False},
            {"id": "b", "code": "w!", "modifier": True},
        ]
        found = all_of(bttv.read_global(json.dumps(words).encode()))
        self.assertEqual(list(found.emotes), ["SoSnowy"])
        self.assertIs(found.emotes["SoSnowy"].metadata.zero_width, True)
        channel = all_of(bttv.read_channel(json.dumps({"channelEmotes": words[:1]}).encode()))
        self.assertIs(channel.emotes["SoSnowy"].metadata.zero_width, False)

    def test_frankerfacez_sets(self) -> None:
        """Of the global sets only the default ones; a moving picture where there is one."""

        def one(name: str, **more: Any) -> dict[str, Any]:
            return {
                "id": 1,
                "name": name,
                "urls": {"1": "//cdn.frankerfacez.com/emote/1/1"},
                **more,
            }

        moving = {"2": None, "1": "//cdn.frankerfacez.com/emote/1/animated/1"}
        answer = {
            "default_sets": [3, 4],
            "sets": {
                "3": {"emoticons": [one("Zreknarf", hidden=True), one("ffzX", modifier=True)]},
                "1532818": {"emoticons": [one("ffzRainbow")]},
                "4": {"emoticons": [one("Dancing", animated=moving)]},
            },
        }
        found = all_of(ffz.read_global(json.dumps(answer).encode()))
        self.assertEqual(
            [described(emote)[:4] for emote in found.emotes.values()],
            [
                ("Zreknarf", "https://cdn.frankerfacez.com/emote/1/1", "ffz", False),
                ("Dancing", "https://cdn.frankerfacez.com/emote/1/animated/1", "ffz", True),
            ],
        )


class LieTests(SynchronousTestCase):
    """What is wrong in one place costs that place; nothing is shown that must not be."""

    def test_no_words(self) -> None:
        """What nobody can write between two blanks is no emote."""
        bad = ["", " ", "two words", "a\u00a0b", "line\n", "\u200b", "x" * (MAX_WORD + 1), 7, None]
        found = seven(*[entry(name) for name in bad], entry("good"), entry("x" * MAX_WORD))  # type: ignore[arg-type]
        self.assertEqual(list(found.emotes), ["good", "x" * MAX_WORD])
        self.assertEqual(found.left_out, len(bad))

    def test_pictures_elsewhere(self) -> None:
        """A picture must be within the provider's own domain, over https."""
        for url in (
            "//evil.example/emote/60ae",
            "http://cdn.7tv.app/emote/60ae",
            "//7tv.app.evil.example/emote/60ae",
            "//evil7tv.app/emote/60ae",
            "//cdn.7tv.app@evil.example/emote/60ae",
            "javascript:alert(1)//cdn.7tv.app/emote/60ae",
            '//cdn.7tv.app/"onerror="alert(1)/60ae',
            "//127.0.0.1/emote/60ae",
            "//cdn.7tv.app/emote/another",
        ):
            host = {"url": url, "files": [{"name": "2x.webp"}]}
            self.assertEqual(seven(entry(data={"host": host})), Found({}, 1), url)
        evil = {"name": "x", "urls": {"1": "//evil.example/1"}}
        answer = {"room": {"set": 1}, "sets": {"1": {"emoticons": [evil]}}}
        self.assertEqual(all_of(ffz.read_channel(json.dumps(answer).encode())).emotes, {})
        for bad in ("../x", "a b", "", "ä", 'x"onerror=', "x" * 65):
            body = json.dumps([{"id": bad, "code": "x"}]).encode()
            self.assertEqual(all_of(bttv.read_global(body)), Found({}, 1))

    def test_wrong_types(self) -> None:
        """An entry of a wrong shape is left out; the others stay."""
        wrong: list[object] = [
            None,
            1,
            "x",
            [],
            {},
            {"id": "a"},
            entry(flags="1"),
            entry(data={"host": None}),
        ]
        found = seven(*wrong, entry())
        self.assertEqual(list(found.emotes), ["catJAM"])
        self.assertEqual(found.left_out, len(wrong))

    def test_twice(self) -> None:
        """Of two emotes with one name the first one counts."""
        found = seven(entry(emote_id="first"), entry(emote_id="second"))
        self.assertIn("/first/", found.emotes["catJAM"].metadata.url)
        self.assertEqual(found.left_out, 1)

    def test_too_many(self) -> None:
        """A set has an end, and a million values are not decoded at all."""
        found = seven(*[entry(f"w{number}") for number in range(MAX_EMOTES + 5)][: MAX_EMOTES + 5])
        self.assertEqual(len(found.emotes), MAX_EMOTES)
        for body in (
            b'{"emotes":[' + b",".join([b"{}"] * 10**6) + b"]}",
            b"[" * 10**6,
            b'{"sets":' * 10**6,
        ):
            for read in READERS:
                self.assertRaises(Unreadable, read, body)

    def test_no_answers(self) -> None:
        """What is no such answer is said to be unreadable, whatever it is."""
        for body in (b"", b"null", b"<html>", b"7", b'"x"', b"\xff\xfe", b"[" * 5000, b'{"a":'):
            for read in READERS:
                self.assertRaises(Unreadable, read, body)

    @given(st.randoms(use_true_random=False))
    @settings(max_examples=60, deadline=None)
    def test_mutations(self, random: Random) -> None:
        """Recorded answers with bytes or values changed: a set of true words, or unreadable."""
        names = ("7tv_sample_1", "bttv_sample_1", "bttv_sample_3", "ffz_sample_1")
        body = bytearray(recorded(random.choice(names)))
        for _ in range(random.randint(1, 8)):
            at = random.randrange(len(body))
            body[at : at + random.randint(0, 9)] = random.choice(
                (b"", b"\xff", b"null", b"[]", b"{", b'"', b"-1e99", b"\\ud800", b" ", b"//x.test/")
            )
        for read in READERS:
            try:
                found: Any = read(bytes(body))
            except Unreadable:
                continue
            for word, emote in (getattr(found, "emotes", None) or {}).items():
                self.assertTrue(is_word(word))
                self.assertRegex(
                    emote.metadata.url, r"^https://cdn\.(7tv|betterttv|frankerfacez)\."
                )


class ChangeTests(SynchronousTestCase):
    """What becomes of a set that is changed."""

    def test_applied(self) -> None:
        """Emotes are taken out, renamed and added; the set as it was stays what it was."""
        before = seven(entry("one", "1"), entry("two", "2"), entry("three", "3", flags=1)).emotes
        added = seven(entry("four", "4")).emotes["four"]
        change = Change("t", removed={"2"}, renamed=[Renamed("3", "drei")], added=[added])
        after = change.applied(before)
        self.assertEqual(list(after), ["one", "drei", "four"])
        self.assertEqual(list(before), ["one", "two", "three"])
        self.assertEqual(described(after["drei"])[1:], described(before["three"])[1:])
        self.assertEqual(after["drei"].formatted, ":drei:")

    def test_unknown(self) -> None:
        """An emote that the set does not have, perhaps a hidden one, is neither here nor there."""
        before = seven(entry("one", "1")).emotes
        change = Change("t", removed={"9"}, renamed=[Renamed("8", "acht")])
        self.assertEqual(change.applied(before), before)

    def test_exchanged(self) -> None:
        """Two emotes whose names are exchanged in one change are both kept."""
        before = seven(entry("one", "1"), entry("two", "2")).emotes
        after = Change("t", renamed=[Renamed("1", "two"), Renamed("2", "one")]).applied(before)
        self.assertEqual(after["two"].metadata.url, before["one"].metadata.url)
        self.assertEqual(after["one"].metadata.url, before["two"].metadata.url)

    def test_named_twice(self) -> None:
        """What is taken out is not renamed, whatever the order; the last of two names counts."""
        before = seven(entry("one", "1"), entry("two", "2")).emotes
        names = [Renamed("1", "x"), Renamed("2", "y"), Renamed("2", "z")]
        self.assertEqual(list(Change("t", removed={"1"}, renamed=names).applied(before)), ["z"])

    def test_thousands(self) -> None:
        """However many emotes a change names, the set is gone through once."""
        looked = 0

        class Counting(dict[str, Image]):
            def items(self) -> Any:
                nonlocal looked
                looked += 1
                return super().items()

        before = Counting(seven(entry("one", "1"), entry("two", "2")).emotes)
        ids = {str(number) for number in range(2, 2000)}
        after = Change("t", ids, [Renamed(name, "x") for name in ids]).applied(before)
        self.assertEqual((list(after), looked), (["one"], 1))

    def test_end(self) -> None:
        """A set that is full takes no more."""
        image = seven(entry()).emotes["catJAM"]
        full = {f"w{number}": image for number in range(MAX_EMOTES)}
        self.assertEqual(len(Change("t", added=[image]).applied(full)), MAX_EMOTES)
