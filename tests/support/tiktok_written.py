# SPDX-License-Identifier: MIT
"""One payload of every kind that TikTok sends, written by us field by field as the sheet says."""

from __future__ import annotations

from typing import Any

from tests.support.tiktok_payloads import Value, common, wire

CDN = "https://p16-webcast.example.com"


def image(*urls: str) -> list[tuple[int, Any]]:
    """A picture with these addresses."""
    return [(1, url) for url in urls]


def badge(scene: int, drawn: int, *parts: tuple[int, Any]) -> tuple[int, Any]:
    """A badge of a user."""
    return (64, [(1, drawn), (3, scene), *parts])


def user(
    *more: tuple[int, Any], number: int = 6820914516086834, name: str = "Golden Tester"
) -> Any:
    """A user with an avatar, and what else is said of them."""
    avatar = image(f"{CDN}/avatar.heic?x=1", f"{CDN}/avatar.webp?x=1&y=2", f"{CDN}/avatar.jpeg")
    return [(1, number), (3, name), (9, avatar), (38, "golden.tester"), *more]


def emote(code: str, *urls: str) -> list[tuple[int, Any]]:
    """An emote with its picture."""
    return [(1, code), (2, image(*(urls or (f"{CDN}/{code}.webp",))))]


def comment(text: str, *emotes: tuple[int, str], who: Value | None = None) -> bytes:
    """A comment with emotes at places."""
    placed = [(13, [(1, index), (2, emote(code))]) for index, code in emotes]
    head = common("WebcastChatMessage")
    return wire([(1, head), (2, user() if who is None else who), (3, text), *placed])


def text(pattern: str, *pieces: Value, key: str = "pm_mt_test") -> Value:
    """A text of the platform."""
    return [(1, key), (2, pattern), *((4, piece) for piece in pieces)]


def named(who: Value | None = None) -> Value:
    """A piece of a text that names a user."""
    return [(1, 11), (21, [(1, user() if who is None else who)])]


def banner(kind: int, key: str) -> bytes:
    """A banner whose person stands in its text alone."""
    return wire([(1, common("x")), (3, kind), (5, text("{0:user} !", named(), key=key))])


def box(kind: int, *more: tuple[int, Any], shown: int = 1) -> bytes:
    """A box of a business type."""
    words = text("{0:user} sent a box", named())
    return wire([(1, common("x", text=words)), (2, [(1, "730001"), (2, kind), *more]), (3, shown)])


#: Keys of banners as reported in 2026, in their case.
BECAME_SUPER_FAN = "ttlive_superFan_commentNotif_someoneBecameSuperFan"
SUPER_FAN_CAME = "ttlive_superFan_commentNotif_superFanJoined"

#: A payload of every kind that is translated, by what it shows.  Numbers are those of the sheet.
WRITTEN: dict[str, tuple[str, bytes]] = {
    "chat": ("WebcastChatMessage", comment("hello <b>world</b> 🙂")),
    "chat with emotes": (
        "WebcastChatMessage",
        comment("a 🙂\ufffcb", (1, "1"), (3, "2"), (4, "3")),
    ),
    "chat of the broadcaster": (
        "WebcastChatMessage",
        wire([(1, common("x")), (2, user()), (3, "hi"), (18, [(6, 1)])]),
    ),
    "chat of the owner": (
        "WebcastChatMessage",
        comment("hi", who=user(number=6800000000000000001)),
    ),
    "chat of a moderator with badges": (
        "WebcastChatMessage",
        wire(
            [
                (1, common("x")),
                (
                    2,
                    user(
                        (12, 1),
                        badge(1, 2, (21, [(2, "pm_mt_moderator_im"), (3, "Moderator")])),
                        badge(4, 1, (20, [(2, image(f"{CDN}/sub.png"))])),
                        badge(
                            8, 4, (12, [(5, "16")]), (23, [(2, image(f"{CDN}/g.png")), (4, "16")])
                        ),
                        badge(1, 4, (23, [(2, image(f"{CDN}/mod.png")), (3, [(2, "Moderator")])])),
                        badge(4, 4, (23, [(2, image(f"{CDN}/other.png")), (4, "WOLF")])),
                        badge(10, 4, (12, [(5, "21")]), (23, [(2, image(f"{CDN}/fan.png"))])),
                        badge(6, 3, (22, [(2, "No. 1")])),
                        badge(99, 7),
                    ),
                ),
                (3, "hi"),
                (18, [(2, 1), (5, 1)]),
            ]
        ),
    ),
    "stickers": (
        "WebcastEmoteChatMessage",
        wire([(1, common("x")), (2, user()), (3, emote("7")), (3, emote("8")), (5, [(2, 1)])]),
    ),
    "gift": (
        "WebcastGiftMessage",
        wire(
            [
                (1, common("x")),
                (2, 7934),
                (4, 1),
                (5, 1),
                (7, user()),
                (
                    15,
                    [(1, image(f"{CDN}/heart.png")), (5, 7934), (11, 4), (12, 1), (16, "Heart Me")],
                ),
            ]
        ),
    ),
    "end of a gift streak for a guest": (
        "WebcastGiftMessage",
        wire(
            [
                (1, common("x")),
                (2, 5655),
                (4, 2),
                (5, 700),
                (7, user()),
                (8, user(number=5, name="Guest")),
                (9, 1),
                (11, 1739382910000),
                (15, [(5, 5655), (11, 1), (12, 1), (16, "Rose"), (21, image(f"{CDN}/rose.png"))]),
                (32, [(5, 1)]),
            ]
        ),
    ),
    "gift of unknown price": ("WebcastGiftMessage", wire([(2, 99), (5, 1), (7, user())])),
    "like": ("WebcastLikeMessage", wire([(1, common("x")), (2, 12), (3, 4821), (5, user())])),
    "follow": (
        "WebcastSocialMessage",
        wire([(1, common("x")), (2, user()), (4, 1), (6, 9312)]),
    ),
    "share": (
        "WebcastSocialMessage",
        wire([(1, common("x", text=text("x"))), (2, user()), (4, 3), (8, 60)]),
    ),
    "share with friends": (
        "WebcastSocialMessage",
        wire(
            [
                (1, common("x", text=text("x", key="pm_mt_guidance_viewer_10_share"))),
                (2, user()),
                (4, 3),
            ]
        ),
    ),
    "join": (
        "WebcastMemberMessage",
        wire([(1, common("x")), (2, user()), (3, 1284), (10, 1)]),
    ),
    "subscription told by a member message": (
        "WebcastMemberMessage",
        wire([(1, common("x")), (2, user()), (10, 3)]),
    ),
    "join of a viewer without account": (
        "WebcastUnauthorizedMemberMessage",
        wire([(1, common("x")), (2, 1), (3, text("Viewer%s")), (4, "743858")]),
    ),
    "subscription": ("WebcastSubNotifyMessage", wire([(1, common("x")), (2, user()), (4, 3)])),
    "level up": (
        "WebcastBarrageMessage",
        wire([(1, common("x")), (3, 8), (100, [(1, 30), (4, user())])]),
    ),
    "fan level up": (
        "WebcastBarrageMessage",
        wire([(1, common("x")), (3, 10), (101, [(1, 21), (4, user())])]),
    ),
    "gifted subscriptions": (
        "WebcastBarrageMessage",
        wire([(1, common("x")), (3, 7), (50, user())]),
    ),
    "super fan": ("WebcastBarrageMessage", banner(100, BECAME_SUPER_FAN)),
    "super fan comes in": ("WebcastBarrageMessage", banner(11, SUPER_FAN_CAME)),
    "super fan comes in with the words of a new one": (
        "WebcastBarrageMessage",
        banner(11, BECAME_SUPER_FAN),
    ),
    "super fan in small letters, named by its second text": (
        "WebcastBarrageMessage",
        wire(
            [
                (1, common("x")),
                (3, 100),
                (24, text("{0:user}", named(), key=BECAME_SUPER_FAN.lower())),
            ]
        ),
    ),
    "subscription told by a banner": (
        "WebcastBarrageMessage",
        banner(4, "pm_mt_subscribed"),
    ),
    "treasure box": (
        "WebcastEnvelopeMessage",
        wire(
            [
                (
                    1,
                    common(
                        "x",
                        text=text(
                            "{0:user} sent a Treasure Box with {1:image} x {2:string}",
                            [(1, 11), (21, [(1, user())])],
                            [(1, 15)],
                            [(1, 1), (11, "20")],
                        ),
                    ),
                ),
                (2, [(1, "730000"), (2, 1), (4, "golden.tester"), (5, 20), (6, 16), (8, "6820")]),
                (3, 1),
            ]
        ),
    ),
    "treasure box of TikTok": ("WebcastEnvelopeMessage", box(2, (5, 100), (6, 10))),
    "box of another kind": ("WebcastEnvelopeMessage", box(4, (5, 7), (6, 10))),
    "box of subscriptions": (
        "WebcastEnvelopeMessage",
        box(19, (4, "golden.tester"), (8, "6820914516086834"), (16, 5)),
    ),
    "box of subscriptions whose text names nobody": (
        "WebcastEnvelopeMessage",
        wire([(2, [(1, "730002"), (2, 19), (4, "someone"), (8, "77")]), (3, 1)]),
    ),
    "paused": ("WebcastControlMessage", wire([(1, common("x")), (2, 1)])),
    "resumed": ("WebcastControlMessage", wire([(1, common("x")), (2, 2)])),
    "ended": ("WebcastControlMessage", wire([(1, common("x")), (2, 3)])),
    "suspended": ("WebcastControlMessage", wire([(1, common("x")), (2, 4)])),
    "viewers": ("WebcastRoomUserSeqMessage", wire([(3, 1284), (6, 2048), (7, 55391), (8, 17)])),
    "question": (
        "WebcastQuestionNewMessage",
        wire([(1, common("x")), (2, [(1, 77), (2, "Why?"), (4, 1_700_000_000), (5, user())])]),
    ),
    "pin of a comment": (
        "WebcastRoomPinMessage",
        wire(
            [
                (1, common("x")),
                (2, comment("pinned", (0, "1"))),
                (30, "WebcastChatMessage"),
                (32, user(number=9)),
                (33, 1),
                (34, 60),
            ]
        ),
    ),
    "pin of a gift": (
        "WebcastRoomPinMessage",
        wire(
            [
                (1, common("x")),
                (
                    4,
                    [
                        (1, [(2, 4711)]),
                        (2, 6265),
                        (5, 3),
                        (7, user()),
                        (8, user(number=5, name="Guest")),
                        (15, [(1, image(f"{CDN}/duck.png")), (12, 299), (16, "Duck")]),
                    ],
                ),
                (33, 1),
                (34, 60),
            ]
        ),
    ),
    "pin of a share": (
        "WebcastRoomPinMessage",
        wire([(1, common("x")), (3, [(1, [(2, 4713)]), (2, user())]), (33, 1)]),
    ),
    "unpin": (
        "WebcastRoomPinMessage",
        wire([(1, common("x")), (2, [(1, [(2, 4712)])]), (33, 2)]),
    ),
    "deletions": (
        "WebcastImDeleteMessage",
        # Packed and unpacked, as both are on the wire.
        wire([(1, common("x")), (2, b"\x05\x06"), (2, 7), (3, 8)]),
    ),
    "introduction": (
        "WebcastLiveIntroMessage",
        wire([(1, [(2, 31)]), (2, 32), (4, "Welcome!"), (5, user())]),
    ),
    "system": ("RoomMessage", wire([(1, common("SystemMessage")), (2, " Be kind. ")])),
    "system by its own name": ("WebcastSystemMessage", wire([(1, common("x")), (2, "Be kind.")])),
    "room": ("WebcastRoomMessage", wire([(1, common("x")), (2, "A line"), (6, "a_scene")])),
    "room with a text": (
        "WebcastRoomMessage",
        wire(
            [
                (
                    1,
                    common(
                        "x",
                        text=text(
                            "{0:user} became the No. {1:string} member on the team",
                            [(1, 11), (21, [(1, user())])],
                            [(1, 1), (11, "5153")],
                        ),
                        # The platform now and then writes seconds.
                        create_time=1_700_000_000,
                    ),
                ),
                (2, " "),
            ]
        ),
    ),
    "notice": ("WebcastNoticeMessage", wire([(1, common("x")), (2, "Mind the rules")])),
    "poll opened": (
        "WebcastPollMessage",
        wire(
            [
                (1, common("x")),
                (3, 88),
                (4, [(3, [(2, "yes")]), (3, [(2, "no"), (3, 1)]), (4, "Well?")]),
            ]
        ),
    ),
    "poll moved": (
        "WebcastPollMessage",
        wire([(1, common("x")), (2, 2), (3, 88), (6, [(2, [(1, 36), (2, "yes")])])]),
    ),
    "poll closed": (
        "WebcastPollMessage",
        wire([(1, common("x")), (2, 1), (3, 88), (5, [(2, [(1, 36), (2, "yes")])])]),
    ),
    "goal": (
        "WebcastGoalUpdateMessage",
        wire(
            [
                (1, common("x")),
                (
                    3,
                    [
                        (1, 55),
                        (
                            4,
                            [
                                (2, 5655),
                                (3, 62),
                                (4, 100),
                                (5, [(1, "Rose"), (2, image(f"{CDN}/rose.png"))]),
                            ],
                        ),
                        (5, "A hundred roses"),
                    ],
                ),
                (4, 6820914516086834),
                (6, "golden.tester"),
            ]
        ),
    ),
}

#: Messages that are known and mean nothing that has a kind, and why.
LEFT_OUT: dict[str, tuple[str, bytes, str]] = {
    "another method": ("WebcastCaptionMessage", b"", ""),
    "entrance": ("WebcastBarrageMessage", banner(11, "pm_mt_fan_live_join"), " entrance"),
    "entrance of a level": (
        "WebcastBarrageMessage",
        banner(9, "PM_mt_ALP_join_animation"),
        " entrance",
    ),
    "box removed": ("WebcastEnvelopeMessage", box(1, shown=2), " hidden"),
    "nothing deleted": ("WebcastImDeleteMessage", wire([(1, common("x"))]), " empty"),
    "empty introduction": ("WebcastLiveIntroMessage", wire([(2, 32)]), " empty"),
    "empty system": ("RoomMessage", wire([(2, " ")]), " empty"),
    "empty room": ("WebcastRoomMessage", wire([(2, " ")]), " empty"),
    "empty notice": ("WebcastNoticeMessage", b"", " empty"),
    "empty goal": ("WebcastGoalUpdateMessage", wire([(4, 5)]), " empty"),
}

#: Messages with values that nobody knows, and the names by which they are counted.
UNKNOWN: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "member action": ("WebcastMemberMessage", wire([(2, user()), (10, 27)]), ("action=27",)),
    "social action": ("WebcastSocialMessage", wire([(2, user()), (4, 4)]), ("action=4",)),
    "social action with a key that tells": (
        "WebcastSocialMessage",
        wire(
            [
                (1, common("x", text=text("x", key="PM_mt_guidance_viewer_10_Share"))),
                (2, user()),
                (4, 4),
            ]
        ),
        ("action=4",),
    ),
    "social action with the key of a follow": (
        "WebcastSocialMessage",
        wire(
            [
                (1, common("x", text=text("x", key="PM_main_follow_Message_viewer_2"))),
                (2, user()),
                (4, 4),
            ]
        ),
        ("action=4",),
    ),
    "social action with a key that only holds a word": (
        "WebcastSocialMessage",
        wire([(1, common("x", text=text("x", key="pm_share_card_follow"))), (4, 5)]),
        ("action=5", "key=pm_share_card_follow"),
    ),
    "control action": ("WebcastControlMessage", wire([(2, 12)]), ("action=12",)),
    "pin action": ("WebcastRoomPinMessage", wire([(33, 3)]), ("action=3",)),
    "poll": ("WebcastPollMessage", wire([(2, 7), (3, 88)]), ("message_type=7",)),
    "banner": ("WebcastBarrageMessage", wire([(3, 55)]), ("msg_type=55",)),
    "banner by its key": (
        "WebcastBarrageMessage",
        banner(100, "ttlive_superFan_somethingNew"),
        ("key=ttlive_superFan_somethingNew",),
    ),
    "entrance by its key": (
        "WebcastBarrageMessage",
        banner(11, "ttlive_superfan"),
        ("key=ttlive_superfan",),
    ),
    "box": ("WebcastEnvelopeMessage", box(23), ("business_type=23",)),
    "state of a box": ("WebcastEnvelopeMessage", box(1, shown=3), ("display=3",)),
}
