# SPDX-License-Identifier: MIT
"""What TikTok pushes for what happens in a chat: actions to webcast messages.

Pure.  Shapes follow the recorded payloads (docs/wire/tiktok.md#meaning).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from google.protobuf.message import Message

from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.simulator.actions import (
    Action,
    Announce,
    Author,
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
    stable_id,
)
from livechat.simulator.phrases import Mood

_CDN: Final = "https://p16-webcast.example.com/img"

#: Where a subscriber's emote stands in a comment.
_PLACE: Final = "\ufffc"

#: Gifts by what one costs, in diamonds: id and name.  The first one streaks.
_GIFTS: Final[Mapping[int, tuple[int, str]]] = MappingProxyType(
    {1: (5655, "Rose"), 10: (5879, "Doughnut"), 100: (5660, "Hand Hearts"), 1000: (6369, "Lion")}
)

_PIN, _JOIN, _SHARE, _FOLLOW = 1, 1, 3, 1
_GIFTED_SUBSCRIPTIONS: Final = 7


class Written(NamedTuple):
    """One message: what stands in its envelope."""

    method: str
    payload: bytes
    message_id: int


def number_of(action_id: str, place: int = 0) -> int:
    """The message id of an action, the same whenever the script is played; below 2^63."""
    return (UUID(action_id).int >> 66) + place


def account_id(author: Author) -> int:
    """A user id as TikTok's are: 19 digits."""
    return 6_800_000_000_000_000_000 + author.id


def room_id(handle: str) -> int:
    """The id of an account's room."""
    return 7_300_000_000_000_000_000 + stable_id(handle)


class Room(NamedTuple):
    """The chat and the time of a message.

    :ivar now: milliseconds since 1970.
    """

    handle: str
    now: int

    def written(self, method: str, message: Message, message_id: int, text: str = "") -> Written:
        """A message with its head."""
        head = schema.Common(
            method=method,
            msg_id=message_id,
            room_id=room_id(self.handle),
            create_time=self.now,
        )
        if text:
            head.display_text.default_pattern = text
        getattr(message, "common").CopyFrom(head)  # noqa: B009
        return Written(method, message.SerializeToString(), message_id)


def messages(action: Action, room: Room, *, whole: bool = True) -> list[Written]:
    """What every viewer receives for an action; some actions do not exist on TikTok.

    :param whole: gift streaks come with the message that ends them.
    """
    number = number_of(action.id)
    match action:
        case Say():
            return _said(action, room)
        case Pay(amount=amount):
            return _gifts(action, amount, room, whole)
        case Subscribe(author=author, months=months):
            return [
                room.written(
                    "WebcastSubNotifyMessage",
                    schema.SubNotifyMessage(user=_user(author), sub_month=months),
                    number,
                )
            ]
        case GiftShower() | Gift(shower=""):
            giver = action.author or Author(1, "somebody", "Somebody")
            barrage = schema.BarrageMessage(msg_type=_GIFTED_SUBSCRIPTIONS, user=_user(giver))
            return [room.written("WebcastBarrageMessage", barrage, number)]
        case Raid(author=author, viewers=viewers):
            join = schema.MemberMessage(user=_user(author), member_count=viewers, action=_JOIN)
            return [room.written("WebcastMemberMessage", join, number)]
        case Announce(author=author, text=text):
            comment = _comment(author, text)
            said = room.written("WebcastChatMessage", comment, number)
            pin = schema.RoomPinMessage(
                chat_message=comment, method=said.method, action=_PIN, display_duration=60
            )
            return [said, room.written("WebcastRoomPinMessage", pin, number + 1)]
        case WatchStreak(author=author, streams=streams):
            share = schema.SocialMessage(user=_user(author), action=_SHARE, share_count=streams)
            return [room.written("WebcastSocialMessage", share, number)]
        case Donate(author=author, amount=amount):
            like = schema.LikeMessage(
                user=_user(author), count=amount // 100, total=room.now // 1000 % 10**7
            )
            return [room.written("WebcastLikeMessage", like, number)]
        case Delete(message=message):
            deleted = schema.ImDeleteMessage(delete_msg_ids=[number_of(message.id)])
            return [room.written("WebcastImDeleteMessage", deleted, number)]
        case Silence(author=author):
            silenced = schema.ImDeleteMessage(delete_user_ids=[account_id(author)])
            return [room.written("WebcastImDeleteMessage", silenced, number)]
        case Rule(name=name, value=value):
            line = schema.RoomMessage(content=f"{name} is now {value}", scene="simulated_rule")
            return [room.written("WebcastRoomMessage", line, number)]
        case Oddity(kind=kind):
            return [Written(f"Webcast{kind.title()}Message", b"\x0a\x00\x12\x03new", number)]
        case Clear() | Gift() | _:
            return []


def viewers(room: Room, count: int, number: int) -> Written:
    """The number of viewers; sent every few seconds, however quiet the chat."""
    told = schema.RoomUserSeqMessage(total=count, total_user=count * 40)
    return room.written("WebcastRoomUserSeqMessage", told, number)


def control(room: Room, action: int, number: int) -> Written:
    """The stream is paused (1), resumed (2), ended (3) or suspended (4)."""
    told = schema.ControlMessage(action=action)
    return room.written("WebcastControlMessage", told, number)


def greeting(room: Room, number: int) -> list[Written]:
    """What a viewer receives who enters."""
    host = Author(stable_id(room.handle), room.handle, room.handle.title())
    system = schema.SystemMessage(message="Welcome to TikTok LIVE! (This one is simulated.)")
    intro = schema.LiveIntroMessage(
        id=room_id(room.handle), content=f"This is {host.shown}'s stream", user=_user(host)
    )
    return [
        room.written("RoomMessage", system, number)._replace(method="RoomMessage"),
        room.written("WebcastLiveIntroMessage", intro, number + 1),
    ]


def batch(
    written: list[Written],
    history: list[Written] | None = None,
    *,
    need_ack: bool = False,
    **more: object,
) -> bytes:
    """Messages of one push; those of the past come first."""
    envelopes = [
        schema.Envelope(
            method=one.method.encode(), payload=one.payload, msg_id=one.message_id, is_history=past
        ).SerializeToString()
        for past, several in ((True, history or []), (False, written))
        for one in several
    ]
    values: dict[str, object] = {"internal_ext": b"-", **more}
    return schema.Batch(messages=envelopes, need_ack=need_ack, **values).SerializeToString()  # type: ignore[arg-type]


def _said(action: Say, room: Room) -> list[Written]:
    number = number_of(action.id)
    author, text = action.author, action.text
    if action.style is Style.HIGHLIGHTED:
        question = schema.Question(
            question_id=number,
            content=_plain(text)[0],
            create_time=room.now // 1000,
            user=_user(author),
        )
        asked = schema.QuestionNewMessage(data=question)
        return [room.written("WebcastQuestionNewMessage", asked, number)]
    if action.reply_to is not None:
        text = joined([f"@{action.reply_to.author.shown} ", *text])
    if all(isinstance(piece, Mood) or not piece.strip() for piece in text):
        stickers = [_emote(piece) for piece in text if isinstance(piece, Mood)]
        sent = schema.EmoteChatMessage(
            user=_user(author), emote_list=stickers, user_identity=_identity(author)
        )
        return [room.written("WebcastEmoteChatMessage", sent, number)]
    said = room.written("WebcastChatMessage", _comment(author, text), number)
    if action.style is not Style.FIRST:
        return [said]
    # Who writes for the first time has just come, and follows.
    join = schema.MemberMessage(
        user=_user(author), member_count=10 + author.id % 5000, action=_JOIN
    )
    follow = schema.SocialMessage(user=_user(author), action=_FOLLOW, follow_count=author.id % 9999)
    return [
        room.written("WebcastMemberMessage", join, number + 1),
        room.written("WebcastSocialMessage", follow, number + 2),
        said,
    ]


def _gifts(action: Pay, amount: int, room: Room, whole: bool) -> list[Written]:
    """A streak of the cheapest gift, or a few dear ones at once."""
    number = number_of(action.id)
    author = action.author or Author(2, "anonymous_fan", "Anonymous Fan")
    price = max(price for price in _GIFTS if price == 1 or price * 10 <= amount)
    gift_id, name = _GIFTS[price]
    count = amount // price
    streaks = price == 1
    gift = schema.Gift(
        id=gift_id, name=name, diamond_count=price, type=1 if streaks else 2, icon=_image(name)
    )
    steps = [(1, 0), (count, 0), (count, 1)] if streaks else [(count, 0)]
    if not whole and streaks:
        steps.pop()
    return [
        room.written(
            "WebcastGiftMessage",
            schema.GiftMessage(
                gift_id=gift_id,
                group_count=1,
                repeat_count=repeat,
                repeat_end=end,
                group_id=room.now if streaks else 0,
                user=_user(author),
                user_identity=_identity(author),
                gift=gift,
            ),
            number + place,
            f"Sent {name} x{repeat}",
        )
        for place, (repeat, end) in enumerate(steps)
    ]


def _comment(author: Author, text: Text) -> schema.ChatMessage:
    content, emotes = _plain(text)
    return schema.ChatMessage(
        user=_user(author), content=content, emotes=emotes, user_identity=_identity(author)
    )


def _plain(text: Text) -> tuple[str, list[schema.PlacedEmote]]:
    """A text as characters, and which emotes stand at which of its UTF-16 places."""
    written: list[str] = []
    placed: list[schema.PlacedEmote] = []
    at = 0
    for piece in text:
        if isinstance(piece, Mood):
            placed.append(schema.PlacedEmote(index=at, emote=_emote(piece)))
            piece = _PLACE  # noqa: PLW2901
        written.append(piece)
        at += len(piece.encode("utf-16-le")) // 2
    return "".join(written), placed


def _emote(mood: Mood) -> schema.Emote:
    return schema.Emote(emote_id=str(stable_id(mood.value)), image=_image(mood.value))


def _image(name: str) -> schema.Image:
    return schema.Image(url_list=[f"{_CDN}/{name.lower().replace(' ', '_')}.webp"])


def _user(author: Author) -> schema.User:
    user = schema.User(
        id=account_id(author),
        nickname=author.shown,
        display_id=author.login,
        avatar_thumb=_image(f"avatar_{author.id}"),
        verified=Role.PARTNER in author.roles,
    )
    if Role.MODERATOR in author.roles:
        user.user_attr.is_admin = True
        text = schema.TextBadge(key="pm_mt_moderator_im", default_pattern="Moderator")
        user.badge_list.append(schema.UserBadge(display_type=2, scene_type=1, text=text))
    if author.months:
        badge = schema.CombineBadge(icon=_image("subscriber"), label=str(author.months))
        user.badge_list.append(schema.UserBadge(display_type=4, scene_type=4, combine=badge))
    return user


def _identity(author: Author) -> schema.UserIdentity:
    return schema.UserIdentity(
        is_anchor=Role.BROADCASTER in author.roles,
        is_moderator_of_anchor=Role.MODERATOR in author.roles,
        is_subscriber_of_anchor=author.months > 0,
    )
