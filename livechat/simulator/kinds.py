# SPDX-License-Identifier: MIT
"""The kinds of things that happen in a simulated chat: what each is, and how often it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

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
    Rule,
    Say,
    Silence,
    Style,
    Subscribe,
    WatchStreak,
    joined,
)
from livechat.simulator.cast import Cast

#: Longest text of one message, in characters, as on the strictest platform.
MAX_TEXT: Final = 500

#: Invisible character with which chat programs make a repeated message differ from the last one.
DUPLICATE_MARK: Final = "\U000e0000"


# Each of the following is one kind: one action, or a burst of them.


def _talk(cast: Cast) -> list[Action]:
    scene = cast.random.random() < 0.45
    return [cast.say(cast.words(cast.scene.lines if scene else phrases.SMALL_TALK))]


def _reply(cast: Cast) -> list[Action]:
    if not cast.said:
        return _talk(cast)
    author = cast.host if cast.random.random() < 0.25 else cast.somebody()
    parent = cast.random.choice(cast.said)
    # Threads stay short: each message holds on to the one it answers.
    while parent.reply_to and parent.reply_to.reply_to:
        parent = parent.reply_to
    return [cast.say(cast.words(phrases.REPLIES), author, reply_to=parent)]


def _action(cast: Cast) -> list[Action]:
    return [cast.say(cast.words(phrases.ACTIONS), style=Style.ACTION)]


def _newcomer(cast: Cast) -> list[Action]:
    author = replace(cast.stranger(), months=0)
    return [cast.say(cast.words(phrases.FIRST_WORDS), author, Style.FIRST)]


def _highlight(cast: Cast) -> list[Action]:
    return [cast.say(cast.words(phrases.HIGHLIGHTS), style=Style.HIGHLIGHTED)]


def _reward(cast: Cast) -> list[Action]:
    return [cast.say(cast.words(phrases.SMALL_TALK), reward=cast.random.choice(phrases.REWARDS))]


def _markup(cast: Cast) -> list[Action]:
    return [cast.say(cast.words(phrases.MARKUP))]


def _long(cast: Cast) -> list[Action]:
    repeats = MAX_TEXT // len(phrases.LONG_STORY) + 1
    return [cast.say(((phrases.LONG_STORY * repeats)[:MAX_TEXT],))]


def _spaces(cast: Cast) -> list[Action]:
    return [cast.say(joined([*cast.words(phrases.SMALL_TALK), "  "]))]


def _duplicate(cast: Cast) -> list[Action]:
    text = cast.words(cast.scene.wave)
    author = cast.somebody()
    return [cast.say(text, author), cast.say(joined([*text, " " + DUPLICATE_MARK]), author)]


def _gif(cast: Cast) -> list[Action]:
    return [cast.say(cast.words(phrases.WITH_GIFS), gif=cast.random.choice(phrases.GIFS))]


def _pay(cast: Cast) -> list[Action]:
    author = None if cast.random.random() < 0.15 else cast.somebody()
    amount = cast.random.choice((1, 10, 50, 70, 100, 100, 250, 500, 1000, 5000, 10000))
    return [Pay(id=cast.id(), author=author, text=cast.words(phrases.CHEERS), amount=amount)]


def _subscribe(cast: Cast) -> list[Action]:
    author = replace(cast.stranger(), months=1)
    return [Subscribe(id=cast.id(), author=author, months=1, tier=cast.random.choice((0, 1, 1)))]


def _resubscribe(cast: Cast) -> list[Action]:
    author = cast.random.choice([r for r in cast.regulars if r.months > 1])
    return [
        Subscribe(
            id=cast.id(),
            author=author,
            text=cast.words(phrases.RESUBS),
            months=author.months,
            streak=cast.random.choice((0, author.months)),
            tier=cast.random.choice((0, 1, 1, 1, 2, 3)),
        )
    ]


def _gift(cast: Cast) -> list[Action]:
    author = None if cast.random.random() < 0.2 else cast.random.choice(cast.regulars)
    total = cast.random.randrange(1, 90)
    return [Gift(id=cast.id(), author=author, recipient=cast.stranger(), total=total)]


def _shower(cast: Cast) -> list[Action]:
    author = None if cast.random.random() < 0.2 else cast.random.choice(cast.regulars)
    count = cast.random.choice((5, 5, 5, 10, 20))
    total = count + cast.random.randrange(90)
    shower = GiftShower(id=cast.id(), author=author, count=count, total=total)
    gifts = [
        Gift(id=cast.id(), author=author, recipient=cast.stranger(), total=total, shower=shower.id)
        for _ in range(count)
    ]
    return [shower, *gifts, *(cast.say(cast.words(phrases.THANKS)) for _ in range(4))]


def _raid(cast: Cast) -> list[Action]:
    raider = cast.random.choice(cast.regulars)
    raid = Raid(id=cast.id(), author=raider, viewers=cast.random.randrange(2, 3000))
    greeting = cast.filled(f"{raider.shown} raid! {{hello}} {{love}}")
    return [raid, *(cast.say(greeting, cast.stranger()) for _ in range(5))]


def _announce(cast: Cast) -> list[Action]:
    color = cast.random.choice(("PRIMARY", "BLUE", "GREEN", "ORANGE", "PURPLE"))
    text = cast.words(phrases.ANNOUNCEMENTS)
    return [Announce(id=cast.id(), author=cast.moderator(), text=text, color=color)]


def _share(cast: Cast) -> list[Action]:
    friend = cast.share()
    text = cast.words(phrases.TOGETHER)
    announcement = Announce(id=cast.id(), author=cast.moderator(), text=text, origin=friend)
    return [announcement, cast.say(cast.filled("{hello} {hello}"))]


def _streak(cast: Cast) -> list[Action]:
    streams = cast.random.choice((3, 5, 7, 10, 15, 20, 115))
    text = cast.words(phrases.STREAKS)
    return [WatchStreak(id=cast.id(), author=cast.somebody(), text=text, streams=streams)]


def _donate(cast: Cast) -> list[Action]:
    return [
        Donate(
            id=cast.id(),
            author=cast.somebody(),
            charity=cast.random.choice(phrases.CHARITIES),
            amount=cast.random.choice((100, 500, 1999, 10000)),
            currency=cast.random.choice(("USD", "EUR", "GBP")),
        )
    ]


def _oddity(cast: Cast) -> list[Action]:
    kind, sentence = cast.random.choice(phrases.ODDITIES)
    return [Oddity(id=cast.id(), author=cast.somebody(), kind=kind, sentence=sentence)]


def _wave(cast: Cast) -> list[Action]:
    scene = cast.scene
    cast.scene = cast.random.choice([s for s in scenes.SCENES if s is not scene])
    return [cast.say(cast.words(scene.wave)) for _ in range(cast.random.randrange(5, 11))]


def _nuisance(cast: Cast) -> Say:
    # Somebody nobody knows: neither the staff nor a subscriber.  Nobody answers them later.
    author = replace(cast.stranger(), months=0)
    said = cast.say(cast.words(phrases.NUISANCES), author)
    cast.said.pop()
    return said


def _delete(cast: Cast) -> list[Action]:
    said = _nuisance(cast)
    return [said, Delete(id=cast.id(), message=said)]


def _timeout(cast: Cast) -> list[Action]:
    said = _nuisance(cast)
    seconds = cast.random.choice((1, 60, 600, 600, 86400))
    return [said, Silence(id=cast.id(), author=said.author, seconds=seconds)]


def _ban(cast: Cast) -> list[Action]:
    said = _nuisance(cast)
    return [said, Silence(id=cast.id(), author=said.author)]


def _clear(cast: Cast) -> list[Action]:
    cast.said.clear()
    return [Clear(id=cast.id())]


def _rule(cast: Cast) -> list[Action]:
    name, on, off = cast.random.choice((("slow", 10, 0), ("followers-only", 10, -1), ("r9k", 1, 0)))
    between = [action for _ in range(6) for action in _talk(cast)]
    return [
        Rule(id=cast.id(), name=name, value=on),
        *between,
        Rule(id=cast.id(), name=name, value=off),
    ]


KINDS: Final[Mapping[str, tuple[float, Callable[[Cast], list[Action]]]]] = MappingProxyType(
    {
        "talk": (760, _talk),
        "reply": (60, _reply),
        "action": (12, _action),
        "newcomer": (15, _newcomer),
        "highlight": (6, _highlight),
        "reward": (4, _reward),
        "gif": (5, _gif),
        "markup": (5, _markup),
        "long": (2, _long),
        "spaces": (6, _spaces),
        "duplicate": (14, _duplicate),
        "pay": (14, _pay),
        "subscribe": (8, _subscribe),
        "resubscribe": (12, _resubscribe),
        "gift": (5, _gift),
        "shower": (1.5, _shower),
        "raid": (1, _raid),
        "announce": (3, _announce),
        "share": (1, _share),
        "streak": (6, _streak),
        "donate": (2, _donate),
        "oddity": (1.5, _oddity),
        "wave": (20, _wave),
        "delete": (2, _delete),
        "timeout": (2, _timeout),
        "ban": (0.7, _ban),
        "clear": (0.1, _clear),
        "rule": (2, _rule),
    }
)
