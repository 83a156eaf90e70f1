# SPDX-License-Identifier: MIT
"""The script of a simulated chat: repeatable, as fast as asked, varied, whole stories."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.simulator import phrases, scenes
from livechat.simulator.actions import (
    Action,
    Announce,
    Clear,
    Delete,
    Donate,
    Gift,
    GiftShower,
    Oddity,
    Pay,
    Raid,
    Role,
    Rule,
    Say,
    Silence,
    Style,
    Subscribe,
    Text,
    WatchStreak,
    joined,
)
from livechat.simulator.kinds import DUPLICATE_MARK, MAX_TEXT
from livechat.simulator.phrases import Mood
from livechat.simulator.scenario import (
    WEIGHTS,
    Beat,
    Fate,
    Scenario,
    fate,
)

LOGIN = re.compile(r"[a-z0-9_]{1,25}")
EVEN = dict.fromkeys(WEIGHTS, 1.0)
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def beats(
    count: int,
    seed: int | str = 1,
    channel: str = "somebody",
    weights: Mapping[str, float] = EVEN,
) -> list[Beat]:
    """The beginning of a script."""
    return list(islice(Scenario(seed, weights=weights).script(channel), count))


def actions(count: int, **weights: float) -> list[Action]:
    """What happens at the beginning of a script, of all kinds equally or of some."""
    return [beat.action for beat in beats(count, weights=weights or EVEN)]


def plain(text: Text) -> str:
    """The characters of a text, an emote as its mood in braces."""
    return "".join(piece if isinstance(piece, str) else f"{{{piece.value}}}" for piece in text)


class ScriptTests(SynchronousTestCase):
    """What can be relied on whatever happens in the chat."""

    def test_repeatable(self) -> None:
        """The same seed and channel give the same script, ids and pauses included."""
        self.assertEqual(beats(2000), beats(2000))

    def test_different(self) -> None:
        """Another seed, or another channel, gives another script without a common id."""
        first, seed, channel = (
            {beat.action.id for beat in script}
            for script in (beats(500), beats(500, seed=2), beats(500, channel="another"))
        )
        self.assertEqual(len(first | seed | channel), 1500)

    def test_ids(self) -> None:
        """Every action has an id of its own, and it is a UUID."""
        ids = [action.id for action in actions(5000)]
        self.assertEqual(len(set(ids)), 5000)
        self.assertEqual([i for i in ids if not UUID4.fullmatch(i)], [])

    def test_rate(self) -> None:
        """On average there are as many actions per second as asked for, whatever their mixture."""
        for rate in (0.5, 4.0, 1000.0):
            for weights in (WEIGHTS, EVEN, {"shower": 1.0}):
                script = islice(Scenario(1, rate, weights).script("somebody"), 20000)
                seconds = sum(beat.pause for beat in script)
                self.assertApproximates(20000 / seconds / rate, 1.0, 0.04)

    def test_jitter(self) -> None:
        """Pauses are those of people: some very short, some long, none negative."""
        pauses = sorted(beat.pause for beat in Scenario(1, 1.0, limit=5000).script("somebody"))
        self.assertGreaterEqual(pauses[0], 0.0)
        self.assertLess(pauses[500], 0.2)
        self.assertGreater(pauses[4500], 1.8)
        self.assertLess(pauses[-1], 20.0)

    def test_limit(self) -> None:
        """A bounded script ends after so many actions, in the middle of a burst if need be."""
        for limit in (0, 1, 7):
            script = list(Scenario(1, weights={"shower": 1}, limit=limit).script("somebody"))
            self.assertEqual(len(script), limit)

    def test_silence(self) -> None:
        """With rate 0 nothing ever happens."""
        self.assertEqual(list(Scenario(1, 0.0).script("somebody")), [])

    def test_emotes_of_providers(self) -> None:
        """Nobody writes the words of emotes that are not shown in this chat."""
        everything = frozenset({"7tv", "bttv", "ffz"})
        for providers in (frozenset[str](), frozenset({"7tv"}), everything):
            said: set[str] = set()
            script = Scenario(1, weights={"talk": 1}).script("somebody", providers)
            for _, action in islice(script, 4000):
                assert isinstance(action, Say)
                said |= {word for piece in action.text for word in str(piece).split()}
            for name, words in {
                "7tv": {"catJAM", "RainTime", "EZ", "Clap"},
                "bttv": {"monkaS", "blobDance"},
                "ffz": {"LULW", "ffzWave"},
            }.items():
                self.assertEqual(said & words, words if name in providers else set(), name)

    def test_nonsense(self) -> None:
        """A rate that is none, an unknown kind, and no kind at all are refused."""
        for rate in (-1.0, float("inf"), float("nan")):
            with self.assertRaisesRegex(ValueError, "not a rate"):
                Scenario(1, rate)
        with self.assertRaisesRegex(ValueError, "unknown kinds: dance, sing"):
            Scenario(1, weights={"sing": 1, "talk": 1, "dance": 1})
        for weights in ({}, {"talk": 0.0}):
            with self.assertRaisesRegex(ValueError, "no kind has a weight"):
                Scenario(1, weights=weights)

    @settings(deadline=None, database=None, max_examples=50)
    @given(st.text(max_size=10), st.from_regex(r"[a-z0-9_]{1,25}", fullmatch=True))
    def test_any_name(self, seed: str, channel: str) -> None:
        """Every seed and channel has a script, with its streamer in it."""
        script = beats(30, seed, channel, {"talk": 1.0, "announce": 1.0})
        self.assertEqual(len(script), 30)
        self.assertEqual(
            [beat.action for beat in script if len(plain(beat.action.text)) > MAX_TEXT], []
        )


class KindTests(SynchronousTestCase):
    """Each kind of happening, alone."""

    def check(self, kind: str, *types: type[Action]) -> list[Action]:
        """The actions of a kind, which are of these types and of no other."""
        happened = actions(400, **{kind: 1.0})
        self.assertEqual({type(action) for action in happened}, set(types))
        return happened

    def test_all_are_tested(self) -> None:
        """No kind is without a test of its own."""
        tested = {name.removeprefix("test_") for name in dir(self) if name.startswith("test_")}
        self.assertEqual(tested - {"all_are_tested", "reply_threads"}, set(WEIGHTS))

    def test_talk(self) -> None:
        """Plain talk has many phrases, with and without emotes, and many voices."""
        said = self.check("talk", Say)
        self.assertGreater(len({plain(action.text) for action in said}), 100)
        self.assertGreater(len({action.author for action in said}), 60)

    def test_reply(self) -> None:
        """A reply answers something that was said before."""
        seen: set[str] = set()
        answers = 0
        for action in actions(400, reply=1, talk=1):
            if isinstance(action, Say) and action.reply_to:
                self.assertIn(action.reply_to.id, seen)
                answers += 1
            seen.add(action.id)
        self.assertGreater(answers, 150)

    def test_reply_threads(self) -> None:
        """A thread is at most three messages deep, so that no script grows with time."""
        depths = set()
        for action in actions(2000, reply=1):
            depth, said = 0, action
            while isinstance(said, Say) and said.reply_to:
                depth, said = depth + 1, said.reply_to
            depths.add(depth)
        self.assertEqual(depths, {0, 1, 2})

    def test_action(self) -> None:
        """An action is marked as one."""
        styles = {a.style for a in self.check("action", Say) if isinstance(a, Say)}
        self.assertEqual(styles, {Style.ACTION})

    def test_newcomer(self) -> None:
        """Who writes for the first time is no subscriber."""
        for action in self.check("newcomer", Say):
            assert isinstance(action, Say)
            self.assertEqual((action.style, action.author.months), (Style.FIRST, 0))

    def test_highlight(self) -> None:
        """A highlighted message is marked as one."""
        styles = {a.style for a in self.check("highlight", Say) if isinstance(a, Say)}
        self.assertEqual(styles, {Style.HIGHLIGHTED})

    def test_reward(self) -> None:
        """A redeemed reward is named."""
        rewards = {a.reward for a in self.check("reward", Say) if isinstance(a, Say)}
        self.assertEqual(rewards, set(phrases.REWARDS))

    def test_gif(self) -> None:
        """What a GIF shows is named, beside something that is said."""
        shown = {a.gif for a in self.check("gif", Say) if isinstance(a, Say) and a.text}
        self.assertEqual(shown, set(phrases.GIFS))

    def test_markup(self) -> None:
        """Text that looks like markup is there for every renderer to stumble over."""
        texts = {plain(action.text) for action in self.check("markup", Say)}
        self.assertEqual(len(texts), len(phrases.MARKUP))
        self.assertTrue(any("<script>" in text for text in texts))

    def test_long(self) -> None:
        """The longest message has exactly as many characters as are allowed."""
        self.assertEqual({len(plain(a.text)) for a in self.check("long", Say)}, {MAX_TEXT})

    def test_spaces(self) -> None:
        """Trailing spaces stay."""
        self.assertTrue(all(plain(a.text).endswith("  ") for a in self.check("spaces", Say)))

    def test_duplicate(self) -> None:
        """Somebody repeats themselves and hides it with an invisible mark."""
        said = [action for action in self.check("duplicate", Say) if isinstance(action, Say)]
        for first, second in zip(said[::2], said[1::2], strict=True):
            self.assertEqual(first.author, second.author)
            self.assertEqual(plain(second.text), f"{plain(first.text)} {DUPLICATE_MARK}")

    def test_pay(self) -> None:
        """Money comes in all sizes, and sometimes from nobody in particular."""
        paid = [action for action in self.check("pay", Pay) if isinstance(action, Pay)]
        self.assertEqual({p.author is None for p in paid}, {True, False})
        self.assertEqual(({p.amount for p in paid} & {1, 100, 10000}), {1, 100, 10000})

    def test_subscribe(self) -> None:
        """A new subscriber has subscribed for one month."""
        for action in self.check("subscribe", Subscribe):
            assert isinstance(action, Subscribe)
            self.assertEqual((action.months, action.author.months, action.text), (1, 1, ()))

    def test_resubscribe(self) -> None:
        """A subscription goes on with as many months as its owner has; with a text or without."""
        subs = [a for a in self.check("resubscribe", Subscribe) if isinstance(a, Subscribe)]
        self.assertTrue(all(sub.months == sub.author.months > 1 for sub in subs))
        self.assertEqual({bool(sub.text) for sub in subs}, {True, False})
        self.assertEqual({sub.tier for sub in subs}, {0, 1, 2, 3})

    def test_gift(self) -> None:
        """A single gift belongs to no shower; some givers hide."""
        gifts = [action for action in self.check("gift", Gift) if isinstance(action, Gift)]
        self.assertEqual({gift.shower for gift in gifts}, {""})
        self.assertEqual({gift.author is None for gift in gifts}, {True, False})

    def test_shower(self) -> None:
        """A shower of gifts is followed by as many gifts as it says, and by thanks."""
        happened = self.check("shower", GiftShower, Gift, Say)
        complete = happened[: max(i for i, a in enumerate(happened) if isinstance(a, GiftShower))]
        for shower in (action for action in complete if isinstance(action, GiftShower)):
            gifts = [a for a in complete if isinstance(a, Gift) and a.shower == shower.id]
            self.assertEqual(len(gifts), shower.count)
            self.assertEqual({gift.author for gift in gifts}, {shower.author})

    def test_raid(self) -> None:
        """A raid is followed by the raiders' greetings."""
        happened = self.check("raid", Raid, Say)
        self.assertIsInstance(happened[0], Raid)
        assert happened[0].author is not None
        self.assertIn(happened[0].author.shown, plain(happened[1].text))

    def test_announce(self) -> None:
        """Only those who look after the room make announcements, in every colour."""
        told = [a for a in self.check("announce", Announce) if isinstance(a, Announce)]
        staff = {Role.BROADCASTER, Role.MODERATOR}
        self.assertTrue(all(staff & announcement.author.roles for announcement in told))
        self.assertEqual(len({announcement.color for announcement in told}), 5)

    def test_share(self) -> None:
        """While chats are shared, messages say where they come from: here, or the friend's."""
        origins: Counter[str] = Counter()
        friends = set()
        for action in actions(2000, share=1, talk=60):
            origins[action.origin] += isinstance(action, Say)
            if isinstance(action, Announce):
                friends.add(action.origin)
        self.assertEqual(set(origins) - friends, {"", "somebody"})
        self.assertGreater(sum(origins[friend] for friend in friends), 100)
        self.assertGreater(origins["somebody"], 200)

    def test_streak(self) -> None:
        """A watch streak has a length, and a text or none."""
        streaks = self.check("streak", WatchStreak)
        self.assertTrue(all(isinstance(s, WatchStreak) and s.streams >= 3 for s in streaks))
        self.assertEqual({bool(streak.text) for streak in streaks}, {True, False})

    def test_donate(self) -> None:
        """Donations come in several currencies."""
        currencies = {a.currency for a in self.check("donate", Donate) if isinstance(a, Donate)}
        self.assertEqual(currencies, {"USD", "EUR", "GBP"})

    def test_oddity(self) -> None:
        """There are several things that no platform has yet."""
        kinds = {a.kind for a in self.check("oddity", Oddity) if isinstance(a, Oddity)}
        self.assertEqual(kinds, {kind for kind, _ in phrases.ODDITIES})

    def test_wave(self) -> None:
        """When something succeeds many people say something short, faster than they talk."""
        script = beats(400, weights={"wave": 1.0})
        calm = beats(400, weights={"talk": 1.0})
        quick = sorted(beat.pause for beat in script)[200]
        self.assertLess(quick, sorted(beat.pause for beat in calm)[200] / 2)

    def test_delete(self) -> None:
        """What is removed was said just before."""
        happened = self.check("delete", Say, Delete)
        for said, removed in zip(happened[::2], happened[1::2], strict=True):
            assert isinstance(removed, Delete)
            self.assertEqual(removed.message, said)

    def test_timeout(self) -> None:
        """Who is silenced for a time has just written; never staff nor subscribers."""
        happened = self.check("timeout", Say, Silence)
        for said, silence in zip(happened[::2], happened[1::2], strict=True):
            assert isinstance(silence, Silence)
            self.assertEqual(silence.author, said.author)
            self.assertEqual((silence.author.roles, silence.author.months), (frozenset(), 0))
            self.assertGreater(silence.seconds, 0)

    def test_ban(self) -> None:
        """A ban has no end."""
        bans = [a for a in self.check("ban", Say, Silence) if isinstance(a, Silence)]
        self.assertEqual({ban.seconds for ban in bans}, {0})

    def test_clear(self) -> None:
        """The whole chat is removed, and nothing removed is answered afterwards."""
        self.check("clear", Clear)
        gone: set[str] = set()
        seen: set[str] = set()
        for action in actions(400, clear=1, reply=3):
            if isinstance(action, Clear):
                gone |= seen
            elif isinstance(action, Say):
                self.assertFalse(action.reply_to and action.reply_to.id in gone)
                seen.add(action.id)
        self.assertGreater(len(gone), 100)

    def test_rule(self) -> None:
        """A rule comes into force, people go on talking, and it is lifted."""
        happened = self.check("rule", Rule, Say)
        first, *talk, last = happened[:8]
        assert isinstance(first, Rule)
        assert isinstance(last, Rule)
        self.assertEqual(first.name, last.name)
        self.assertNotEqual(first.value, last.value)
        self.assertEqual({type(action) for action in talk}, {Say})


class PeopleTests(SynchronousTestCase):
    """Who is in the chat."""

    def test_variety(self) -> None:
        """There is every role, and there are names of every sort and colour."""
        authors = {action.author for action in actions(6000) if action.author}
        self.assertEqual({role for author in authors for role in author.roles}, set(Role))
        for sort, found in {
            "subscriber": any(author.months > 0 for author in authors),
            "no subscriber": any(author.months == 0 for author in authors),
            "no display name": any(not author.display_name for author in authors),
            "localised": any(not author.display_name.isascii() for author in authors),
            "with a space": any(" " in author.display_name for author in authors),
            "no colour": any(not author.color for author in authors),
            "crowd": len(authors) > 1000,
        }.items():
            self.assertTrue(found, sort)
        self.assertEqual([a.login for a in authors if not LOGIN.fullmatch(a.login)], [])

    def test_accounts(self) -> None:
        """A login has one account id, in every channel."""
        ids: dict[str, set[int]] = {}
        for channel in ("one", "two"):
            for beat in beats(3000, channel=channel):
                if beat.action.author:
                    ids.setdefault(beat.action.author.login, set()).add(beat.action.author.id)
        self.assertEqual([login for login, found in ids.items() if len(found) != 1], [])
        self.assertEqual(len({next(iter(found)) for found in ids.values()}), len(ids))

    def test_streamer(self) -> None:
        """A streamer who is also one of the regulars elsewhere is only the streamer at home."""
        login = phrases.REGULARS[0][0]
        found = {b.action.author for b in beats(3000, channel=login) if b.action.author}
        (host,) = (author for author in found if author.login == login)
        self.assertIn(Role.BROADCASTER, host.roles)


class PhraseTests(SynchronousTestCase):
    """The words themselves."""

    def test_blanks(self) -> None:
        """Every blank of every phrase is one that can be filled."""
        known = {mood.value for mood in Mood} | {"host", "name", "n"}
        listed = [getattr(phrases, name) for name in dir(phrases) if name.isupper()]
        texts = [text for entry in listed for text in entry if isinstance(text, str)]
        texts += [text for scene in scenes.SCENES for text in (*scene.lines, *scene.wave)]
        self.assertGreater(len(texts), 250)
        blanks = {blank for text in texts for blank in re.findall(r"\{([a-z]+)\}", text)}
        self.assertEqual(blanks, known)

    def test_regulars(self) -> None:
        """Each regular has a login of their own."""
        logins = [login for login, _ in phrases.REGULARS]
        self.assertEqual(len(set(logins)), len(logins))
        self.assertEqual([login for login in logins if not LOGIN.fullmatch(login)], [])

    def test_joined(self) -> None:
        """Neighbouring strings are one piece, and no piece is empty."""
        pieces: list[str | Mood] = ["", "a", "", "b", Mood.SLY, "", Mood.SLY, "c", ""]
        self.assertEqual(joined(pieces), ("ab", Mood.SLY, Mood.SLY, "c"))
        self.assertEqual(joined([]), ())


class FateTests(SynchronousTestCase):
    """What a name says about its channel."""

    def test_names(self) -> None:
        """A channel's fate is how its name begins; any other name is live."""
        for name, expected in {
            "offline": Fate.OFFLINE,
            "offline_tom": Fate.OFFLINE,
            "missing1": Fate.MISSING,
            "ending2": Fate.ENDING,
            "suspended_x": Fate.SUSPENDED,
            "quiet": Fate.QUIET,
            "busybee": Fate.BUSY,
            "somebody": Fate.LIVE,
            "not_offline": Fate.LIVE,
            "": Fate.LIVE,
        }.items():
            self.assertEqual(fate(name), expected, name)

    def test_pace(self) -> None:
        """Busy channels are faster, offline ones slow, and where nobody can be nobody talks."""
        paces = {found: found.pace for found in Fate}
        self.assertEqual(
            paces,
            {
                Fate.OFFLINE: 0.1,
                Fate.MISSING: 0.0,
                Fate.ENDING: 1.0,
                Fate.SUSPENDED: 0.0,
                Fate.QUIET: 0.0,
                Fate.BUSY: 10.0,
                Fate.LIVE: 1.0,
            },
        )

    def test_exists(self) -> None:
        """A platform admits all but the missing and the suspended."""
        hidden = {found for found in Fate if not found.exists}
        self.assertEqual(hidden, {Fate.MISSING, Fate.SUSPENDED})
