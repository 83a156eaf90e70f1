# SPDX-License-Identifier: MIT
"""What happens on a simulated stream, and what people in its chat say about it.

The phrases are written as in `livechat.simulator.phrases`.
"""

# Other scripts than Latin are meant.
# ruff: noqa: RUF001

from __future__ import annotations

from typing import Final, NamedTuple


class Scene(NamedTuple):
    """Something that happens on stream: what people say while it lasts, and when it succeeds."""

    lines: tuple[str, ...]
    wave: tuple[str, ...]


SCENES: Final = (
    Scene(
        (
            "this boss has {n} phases I think",
            "dodge left. the OTHER left",
            "he's going to panic roll, he always panic rolls {laugh}",
            "attempt number {n}? I stopped counting",
            "you can parry that by the way",
            "no healing potions, no problem {sly}",
            "the boss music is carrying this whole fight {dance}",
            "one hit left!! breathe {host}",
            "I believe {panic} I believe {panic} I believe",
            "greedy greedy greedy",
            "my hands are sweating and I'm only watching",
            "new strategy: don't get hit",
        ),
        (
            "GG",
            "gg {hype}",
            "LET'S GOOO {hype} {hype}",
            "YESSS",
            "first try {sly}",
            "never in doubt {sly}",
            "🎉🎉🎉",
            "WOOO {dance}",
            "clip it!!",
            "ez {laugh}",
            "¡¡VAMOS!!",
            "888888",
        ),
    ),
    Scene(
        (
            "did you save the file",
            "it's always DNS",
            "have you tried turning it off and on again? {laugh}",
            "line {n}, there's a comma missing",
            "works on my machine {sly}",
            "rubber duck says hi 🦆",
            "the tests: all red. the streamer: smiling {story}",
            "why is it called getUser if it deletes the user",
            "tabs or spaces? asking for {name}",
            "just add a TODO and walk away",
            "that comment is from 2014 {yikes}",
            "git blame says it was you, {host}",
        ),
        (
            "it compiles!!",
            "GREEN {hype}",
            "ship it {laugh}",
            "deploy on Friday {sly}",
            "all tests pass?! screenshot it",
            "🚀",
            "{thumbs} {thumbs}",
            "works first time, very suspicious",
            "👏👏👏",
            "nice one!",
        ),
    ),
    Scene(
        (
            "is that a second cat?",
            "the cat is the real streamer {love}",
            "please tell the cat I said hello",
            "cat on keyboard in 3… 2… 1…",
            "what's the cat's name?",
            "my dog just looked up at the meow",
            "tail across the webcam {laugh}",
            "new mod just walked in",
            "she wants dinner, {host}. we all heard it",
            "petition for a cat cam",
        ),
        (
            "CAT {love}",
            "MEOW",
            "🐈🐈🐈",
            "😻",
            "hello kitty {hello}",
            "cat {love} cat {love} cat",
            "she typed: ffffffff {laugh}",
            "best content all year",
            "猫だ！！",
            "고양이 {love}",
        ),
    ),
    Scene(
        (
            "more garlic. always more garlic",
            "is that salt or sugar {panic}",
            "I came for games and stayed for the soup",
            "the smoke detector is the timer, right?",
            "my nonna is watching and she has notes",
            "medium heat!! MEDIUM",
            "I can smell it from here {love}",
            "pineapple on pizza? vote now {sly}",
            "{n} minutes, then flip it",
            "that knife has seen things",
        ),
        (
            "THE FLIP {hype}",
            "chef's kiss 👨‍🍳💋",
            "10/10 would eat",
            "buon appetito!",
            "いただきます",
            "¡qué rico! {love}",
            "I'm hungry now, thanks",
            "guten Appetit {thumbs}",
            "🍝🍝🍝",
        ),
    ),
    Scene(
        (
            "wrong way, the map is upside down {laugh}",
            "this soundtrack is so good",
            "we've been here before, I remember that tree",
            "read the sign!",
            "who needs side quests? we do",
            "inventory full again {sad}",
            "pick up the mushroom. trust me",
            "the village elder talks more than {name}",
            "I would live in that little house",
            "someone has been hiding chests behind every waterfall",
            "that bridge looks very safe {sly}",
        ),
        (
            "LEGENDARY {hype}",
            "it was in the first room {laugh} {laugh}",
            "worth it",
            "ooooh shiny ✨",
            "what does it DO",
            "sell it {sly}",
            "incroyable !",
            "nice {thumbs}",
            "すごい！",
        ),
    ),
    Scene(
        (
            "he's behind you. probably",
            "why did you turn the flashlight off {panic}",
            "headphones off, lights on",
            "don't open that door",
            "he opened the door {laugh}",
            "nope nope nope",
            "the basement? at night? sure",
            "I'm not scared, my chair just moved",
            "that painting blinked",
            "checking under my own desk now",
        ),
        (
            "AAAAAAAA",
            "{panic} {panic} {panic}",
            "NOPE",
            "I spilled my tea",
            "my cat left the room {laugh}",
            "heart rate: {n}0",
            "who screamed louder, you or chat",
            "😱😱😱",
            "{yikes}",
        ),
    ),
)
