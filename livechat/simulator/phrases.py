# SPDX-License-Identifier: MIT
"""What people in a simulated chat are called and what they say.

In a phrase `{laugh}` and the other values of `Mood` stand for an emote of the platform, `{host}`
for the streamer, `{name}` for somebody in the chat and `{n}` for a small number.
"""

# Other scripts than Latin are meant.
# ruff: noqa: RUF001

from __future__ import annotations

from enum import Enum
from typing import Final


class Mood(Enum):
    """The feelings for which every platform has an emote of its own."""

    LAUGH = "laugh"
    HYPE = "hype"
    LOVE = "love"
    SAD = "sad"
    YIKES = "yikes"
    PANIC = "panic"
    SLY = "sly"
    SMILE = "smile"
    HELLO = "hello"
    THUMBS = "thumbs"
    DANCE = "dance"
    STORY = "story"


#: Regulars: how their names are written.  The login is the name in lower case where that is a
#: valid one; localised names have a login of their own, and two never set a display name.
REGULARS: Final = (
    ("quiet_otter", "quiet_otter"),
    ("pixelpanda", "PixelPanda"),
    ("mika_1999", "mika_1999"),
    ("sirtomato", "Sir Tomato"),
    ("zoe", "Zoe"),
    ("captainteapot", "CaptainTeapot"),
    ("haru_no_neko", "春の猫"),
    ("minjikim", "민지"),
    ("dasfaultier", "DasFaultier"),
    ("lachouette", "LaChouette"),
    ("elquesofeliz", "ElQuesoFeliz"),
    ("pao_de_queijo", "PaoDeQueijo"),
    ("veselyi_kit", "Весёлый_Кит"),
    ("ada_lv", "ada_lv"),
    ("nordlicht77", "Nordlicht77"),
    ("biscuitbaron", "BiscuitBaron"),
    ("moonmoth", ""),
    ("thisnameisexactly25chars_", "ThisNameIsExactly25Chars_"),
    ("kaffeetante", "KaffeeTante"),
    ("turbosnail", "TurboSnail"),
    ("onemorelevel", "OneMoreLevel"),
    ("sleepy_sam", "Sleepy_Sam"),
    ("pierogi_power", "PierogiPower"),
    ("cay_saati", "ÇaySaati"),
    ("lemonbytes", "LemonBytes"),
    ("jellyfishjoe", "JellyfishJoe"),
    ("gluehwuermchen", "Gluehwuermchen"),
    ("xx_toaster_xx", "xX_Toaster_Xx"),
    ("raininoslo", ""),
    ("nullpointernina", "NullPointerNina"),
    ("waffleweather", "WaffleWeather"),
    ("tanuki_desu", "たぬき"),
    ("cosmicgoose", "CosmicGoose"),
    ("mossyrock", "MossyRock"),
    ("salam_omar", "عمر"),
    ("bouncycastle", "BouncyCastle"),
)

#: The rest of the crowd is called by one word of each of these and a number.
ADJECTIVES: Final = (
    "brave calm clever cozy crispy dusty electric fluffy fuzzy gentle golden grumpy happy hidden "
    "humble jolly lazy lucky mellow mighty misty noisy polite proud rapid rusty salty shiny silent "
    "sleepy sneaky snowy spicy sunny swift tiny velvet wandering wild witty"
)
ANIMALS: Final = (
    "acorn badger bagel beaver cactus capybara comet corgi crab dumpling falcon ferret fox gecko "
    "hamster hedgehog heron koala lemur llama lynx mango marmot meerkat moose muffin narwhal "
    "noodle octopus owl pancake penguin pickle platypus puffin quokka raccoon sloth turnip walrus "
    "wombat"
)

#: The colours a name can have on most platforms; many people never choose one.
COLORS: Final = (
    "#FF0000 #0000FF #008000 #B22222 #FF7F50 #9ACD32 #FF4500 #2E8B57 #DAA520 #D2691E #5F9EA0 "
    "#1E90FF #FF69B4 #8A2BE2 #00FF7F #7C5CFF #00C2A8 #F5A623"
)


#: What is said in emotes of other providers (`emote_sets`), by provider.
_IN_EMOTES: Final = {
    "7tv": (
        "catJAM catJAM catJAM",
        "catJAM RainTime",
        "EZ Clap",
        "peepoHappy Sparkles so cozy in here",
    ),
    "bttv": ("monkaS monkaS that jump", "blobDance SantaHat already?"),
    "ffz": ("LULW", "ffzWave {hello}"),
}

#: Whose emotes a phrase needs; the others need none.
PROVIDERS: Final = {phrase: name for name, said in _IN_EMOTES.items() for phrase in said}

#: What is said at any time, in many languages.
SMALL_TALK: Final = (
    "hello everyone {hello}",
    "hi {host}! hi chat!",
    "{hello} from Lisbon",
    "good morning from Tokyo ☀️",
    "just got home, what did I miss?",
    "first time catching you live {smile}",
    "lurking while I cook dinner",
    "the audio sounds great today",
    "a tiny bit louder please?",
    "what keyboard is that?",
    "hydrate! 💧",
    "@{name} same here {laugh}",
    "@{name} welcome back {love}",
    "@{name} no way",
    "{laugh}",
    "{laugh} {laugh}",
    "{love} {love} {love}",
    "{hype}",
    "😂{sly}😂",
    "😂😂 {laugh}",
    "{smile}",
    "{dance} {dance} {dance} {dance}",
    *_IN_EMOTES["7tv"],
    *_IN_EMOTES["bttv"],
    *_IN_EMOTES["ffz"],
    "👋 {hello}",
    "that's fair",
    "wait what",
    "ok that was smooth {thumbs}",
    "actually yes",
    "hmm {story}",
    "I have {n} minutes left of lunch break, make them count",
    "it's {n}:30 am here and I regret nothing",
    "snack break when?",
    "stream snack of the day: pretzels 🥨",
    "chat is moving so fast nobody will notice I like mushrooms",
    "chat moves slowly enough to notice that you like mushrooms, {name}",
    "my internet just froze, did we win?",
    "brb, kettle {story}",
    "back, what happened",
    "can we get a {hype} in the chat",
    "1",
    "2",
    "yes",
    "no",
    "+1",
    "lol",
    "hahaha",
    "rip {sad}",
    "F",
    "so close {sad}",
    "love this community {love}",
    "someone tell my boss I'm in a meeting",
    "rules are on https://example.com/rules?lang=en&ref=chat {thumbs}",
    "schedule: https://example.org/week#friday (times: 19:00 CET)",
    "ratio of coffee to water is 1:16, {name}",
    "a: yes b: no c: {sly}",
    "<3 this stream",
    "5 > 3 && 3 < 5, math checks out",
    "Hallo zusammen! {hello}",
    "wie lange läuft der Stream heute noch?",
    "Grüße aus dem Zug, WLAN hält noch {smile}",
    "hab kurz nicht aufgepasst, was ist passiert?",
    "stark gespielt {thumbs}",
    "¡hola a todos! {hello}",
    "saludos desde Bogotá 🇨🇴",
    "jajaja {laugh}",
    "¿qué juego es este?",
    "qué bonito día para un stream {love}",
    "boa noite pessoal {hello}",
    "kkkkkkk {laugh}",
    "manda um abraço pro {name}",
    "bonsoir tout le monde {hello}",
    "mdr {laugh}",
    "c'est magnifique ça",
    "ciao a tutti da Torino 🍕",
    "grande {host}!",
    "こんばんは {hello}",
    "草",
    "かわいい {love}",
    "うまい！👏",
    "안녕하세요 {hello}",
    "ㅋㅋㅋㅋㅋ {laugh}",
    "대박 {hype}",
    "大家好 {hello}",
    "哈哈哈 {laugh}",
    "привет всем {hello}",
    "ахах, красиво {thumbs}",
    "привіт з Києва 💛",
    "cześć wszystkim {hello}",
    "selam millet {hello}",
    "hej från Malmö 👋",
    "مرحبا بالجميع {hello}",
    "שלום לכולם {hello}",
    "สวัสดีครับ {hello}",
    "xin chào {hello}",
    "family: 👨‍👩‍👧‍👦 flags: 🇯🇵🇧🇷 hand: 👍🏽 {love}",
    "e\u0301te\u0301 vs été: same word, different bytes {story}",
)

ACTIONS: Final = (
    "does a little dance {dance}",
    "hides behind {name}",
    "waves at the camera {hello}",
    "slowly backs away",
    "puts the kettle on ☕",
    "drops popcorn everywhere 🍿",
    "applauds politely {thumbs}",
    "takes notes",
)

REPLIES: Final = (
    "exactly this {laugh}",
    "I was about to write that",
    "no spoilers please {smile}",
    "tell us more",
    "you did it again {laugh}",
    "agreed {thumbs}",
    "where is that from?",
    "haha, stimmt",
    "totalmente",
    "ほんとそれ",
    "that's what they all say {sly}",
    "welcome! {hello}",
    "nope :)",
)

#: Text that must never become markup; harmless wherever it is shown as text.
MARKUP: Final = (
    "does <b>bold</b> work here?",
    "<script>alert('hi mom')</script> hm, nothing {laugh}",
    "<img src=x onerror=alert(1)> …did that do anything?",
    '"><svg onload=alert(1)> asking for a friend {sly}',
    "Robert'); DROP TABLE viewers;-- {story}",
    "&lt;already escaped&gt; &amp; proud of it",
    "</div></body></html> stream over, go home",
    "<style>*{color:red}</style> is it red yet?",
    "[url](javascript:alert(1)) ${7*7} %s %n",
)

FIRST_WORDS: Final = (
    "first time here {hello}",
    "hello",
    "hi {host} {smile}",
    "found you through a clip {laugh}",
    "so this is where everybody is {hello}",
)

#: What GIFs show, and what is said beside them.
GIFS: Final = ("A cat dances to music", "Confetti falls on a cat", "Everybody dance now")
WITH_GIFS: Final = ("me right now", "this stream in one picture {laugh}", "mood {love}")

THANKS: Final = ("{hype} {hype} {hype}", "{love} {love}", "so generous!! {hype}", "W gifter 🎁")

TOGETHER: Final = ("We are streaming together today! Say hello to both chats {hello}",)

HIGHLIGHTS: Final = (
    "This message cost me {n}000 points and I forgot what I wanted to say {laugh}",
    "Best stream this week, thank you {host}! {love}",
    "QUESTION: what was the first game you ever finished?",
    "Happy birthday {name}!! 🎂 {hype}",
)

CHEERS: Final = (
    "for the snack fund {love}",
    "take my points! {hype}",
    "great run today, {host}",
    "buy the cat something nice 🐈",
    "that was worth every bit {laugh}",
    "weiter so! {thumbs}",
    "¡gracias por el directo! {love}",
    "いつもありがとう {love}",
)

RESUBS: Final = (
    "another month, still no idea what's going on {laugh}",
    "thanks for keeping me company while I work {love}",
    "{n} months of soup recipes!",
    "schon wieder ein Monat rum {hype}",
    "best emotes, best chat {dance}",
    "for the cat {love}",
    "",
)

ANNOUNCEMENTS: Final = (
    "Drink some water and stretch your back! {love}",
    "Tomorrow at 19:00 CET: community night. Everybody can play {hype}",
    "Be kind to each other. No spoilers, please {thumbs}",
    "The picture is muted on purpose for {n} minutes, the sound is not.",
)

STREAKS: Final = (
    "never missed one {smile}",
    "what else would I do on a Tuesday {laugh}",
    "{n} in a row and counting {hype}",
    "",
)

#: Written by somebody who is then taken out of the chat for it.
NUISANCES: Final = (
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "the ending is that the butler did it all along!!",
    "FREE VIEWERS at cheap-viewers.example no virus",
    "look at my channel look at my channel look at my channel",
    "⬛⬛⬛⬛⬛⬛⬛⬛⬛⬛⬛⬛⬛⬛⬛⬛",
)

#: What a platform might invent tomorrow.
ODDITIES: Final = (
    ("sparkle-parade", "started a Sparkle Parade!"),
    ("couch-upgrade", "moved up to the front row of the couch!"),
    ("cloud-high-five", "gave everybody a high five!"),
)

CHARITIES: Final = ("Trees For Everyone", "Bees & Meadows; Reg'd", "Lifeboat Crew")
REWARDS: Final = ("Posture check", "Say it in a pirate voice", "Name the next character")

#: The start of a story that goes on until no more characters fit.
LONG_STORY: Final = (
    "so the other day I was walking to the bakery and there was this goose, and I am telling you "
    "it looked at me as if I owed it money, so I crossed the street, and the goose crossed the "
    "street too, 🪿 and now we are both at the bakery, "
)
