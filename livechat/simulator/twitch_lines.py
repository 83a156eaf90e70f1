# SPDX-License-Identifier: MIT
"""What Twitch writes on the wire for what happens in a chat: actions to IRC lines.

Pure.  Tag names and shapes follow the recorded lines (docs/wire/twitch.md#lines).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from livechat.simulator.actions import (
    Action,
    Author,
    Clear,
    Delete,
    Pay,
    Role,
    Rule,
    Say,
    Silence,
    Style,
    Text,
    joined,
    stable_id,
)
from livechat.simulator.phrases import Mood
from livechat.simulator.twitch_notices import notice

#: The accounts that stand in for those who hide (docs/wire/twitch.md#anonymous).
ANONYMOUS_GIFTER: Final = Author(274598607, "ananonymousgifter", "AnAnonymousGifter")
ANONYMOUS_CHEERER: Final = Author(407665396, "ananonymouscheerer", "AnAnonymousCheerer")

#: Code and id of Twitch's emote for each mood.
EMOTES: Final[Mapping[Mood, tuple[str, str]]] = MappingProxyType(
    {
        Mood.LAUGH: ("LUL", "425618"),
        Mood.HYPE: ("PogChamp", "305954156"),
        Mood.LOVE: ("<3", "9"),
        Mood.SAD: ("BibleThump", "86"),
        Mood.YIKES: ("WutFace", "28087"),
        Mood.PANIC: ("NotLikeThis", "58765"),
        Mood.SLY: ("Kappa", "25"),
        Mood.SMILE: (":)", "1"),
        Mood.HELLO: ("HeyGuys", "30259"),
        Mood.THUMBS: ("SeemsGood", "64138"),
        Mood.DANCE: ("DinoDance", "emotesv2_dcd06b30a5c24f6eb871e8f5edbd44f7"),
        Mood.STORY: ("CoolStoryBob", "123171"),
    }
)

#: The rules of a room, as ROOMSTATE names them, when none is in force.
NO_RULES: Final[Mapping[str, int]] = MappingProxyType(
    {"emote-only": 0, "followers-only": -1, "r9k": 0, "slow": 0, "subs-only": 0}
)

_NOTICES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "emote-only": ("emote_only_{}", "This room is {} in emote-only mode."),
        "followers-only": ("followers_{}", "This room is {} in followers-only mode."),
        "r9k": ("r9k_{}", "This room is {} in unique-chat mode."),
        "slow": ("slow_{}", "This room is {} in slow mode."),
        "subs-only": ("subs_{}", "This room is {} in subscribers-only mode."),
    }
)

_ESCAPES: Final = str.maketrans({";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"})
#: The months at which a subscriber gets another badge.
BADGE_STEPS: Final = (0, 2, 3, 6, 9, 12, 18, 24, 30, 36, 42, 48, 54, 60)


@dataclass(frozen=True, slots=True)
class Room:
    """A channel on Twitch: its login, id, and the rules that differ from `NO_RULES`."""

    login: str
    rules: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The `room-id`, which is the streamer's `user-id`."""
        return stable_id(self.login)


def escaped(value: str) -> str:
    """A tag's value as it stands on the wire (docs/wire/twitch.md#lines)."""
    return value.translate(_ESCAPES)


def tagged(tags: Mapping[str, object], rest: str) -> bytes:
    """A whole line without its end; tags in alphabetical order, as Twitch sends them live."""
    written = ";".join(f"{key}={escaped(str(tags[key]))}" for key in sorted(tags))
    return f"@{written} {rest}".encode()


def room_state(room: Room) -> bytes:
    """The full ROOMSTATE that follows a JOIN."""
    tags = {**NO_RULES, **room.rules, "room-id": room.id}
    return tagged(tags, f":tmi.twitch.tv ROOMSTATE #{room.login}")


def suspended(channel: str) -> bytes:
    """The answer to the JOIN of a channel that was taken down (docs/wire/twitch.md#join)."""
    return tagged(
        {"msg-id": "msg_channel_suspended"},
        f":tmi.twitch.tv NOTICE #{channel} :This channel has been suspended.",
    )


def lines(action: Action, room: Room, now: int) -> list[bytes]:
    """What every reader receives for an action.

    :param now: `tmi-sent-ts`, milliseconds since 1970.
    :return: lines without their ends; the last one is the action itself.
    """
    match action:
        case Say() | Pay():
            return [_privmsg(action, room, now)]
        case Rule(name=name, value=value):
            return _rule(room, name, value)
        case Delete(message=message):
            tags: dict[str, object] = {
                "login": message.author.login,
                "room-id": room.id,
                "target-msg-id": message.id,
                "tmi-sent-ts": now,
            }
            text = _wrapped(message, text_and_emotes(_body(message))[0])
            return [tagged(tags, f":tmi.twitch.tv CLEARMSG #{room.login} :{text}")]
        case Silence(author=author, seconds=seconds):
            tags = {"room-id": room.id, "target-user-id": author.id, "tmi-sent-ts": now}
            if seconds:
                tags["ban-duration"] = seconds
            return [tagged(tags, f":tmi.twitch.tv CLEARCHAT #{room.login} :{author.login}")]
        case Clear():
            tags = {"room-id": room.id, "tmi-sent-ts": now}
            return [tagged(tags, f":tmi.twitch.tv CLEARCHAT #{room.login}")]
        case _:
            return [_usernotice(action, room, now)]


def text_and_emotes(text: Text) -> tuple[str, str]:
    """A text as characters, and where its emotes are: the value of the `emotes` tag.

    Positions count code points and include the last one (docs/wire/twitch.md#emotes).
    """
    written: list[str] = []
    places: dict[str, list[str]] = {}
    at = 0
    for piece in text:
        if isinstance(piece, Mood):
            code, number = EMOTES[piece]
            places.setdefault(number, []).append(f"{at}-{at + len(code) - 1}")
        else:
            code = piece
        written.append(code)
        at += len(code)
    return "".join(written), "/".join(f"{i}:{','.join(where)}" for i, where in places.items())


def _body(action: Action) -> Text:
    """The text as Twitch has it: with the one who is answered, with the cheer that pays."""
    match action:
        case Say(reply_to=Say(author=parent), text=text):
            return joined([f"@{parent.shown} ", *text])
        case Pay(amount=amount, text=text) if amount >= 1000:
            return joined([f"Cheer{amount // 2} ", *text, f" cheer{amount - amount // 2}"])
        case Pay(amount=amount, text=text):
            return joined([f"Cheer{amount} ", *text])
    return action.text


def _wrapped(action: Action, text: str) -> str:
    if isinstance(action, Say) and action.style is Style.ACTION:
        return f"\x01ACTION {text}\x01"
    return text


def _privmsg(action: Say | Pay, room: Room, now: int) -> bytes:
    author = action.author or ANONYMOUS_CHEERER
    body = _body(action)
    text, emotes = text_and_emotes(body)
    gif = action.gif if isinstance(action, Say) else ""
    caption = f" [{gif} GIF by Simulator]" if gif else ""
    tags = _common(action, author, room, now)
    tags |= {"emotes": emotes, "first-msg": 0, "returning-chatter": 0, "turbo": 0}
    if emotes and not any(isinstance(p, str) and p.strip() for p in body):
        tags["emote-only"] = 1
    if gif:
        last = len(text) + len(caption) - 1
        url = f"https://media.giphy.com/media/{uuid5(NAMESPACE_URL, gif).hex}/giphy.gif"
        tags["gifs"] = f"{len(text) + 1}-{last}|{uuid5(NAMESPACE_URL, gif).hex}|{url}"
        text += caption
    if Role.VIP in author.roles:
        tags["vip"] = 1
    if isinstance(action, Pay):
        tags["bits"] = action.amount
    else:
        tags["client-nonce"] = action.id[::-1].replace("-", "")
        tags |= _manner(action)
    nick = author.login
    return tagged(
        tags,
        f":{nick}!{nick}@{nick}.tmi.twitch.tv PRIVMSG #{room.login} :{_wrapped(action, text)}",
    )


def _manner(say: Say) -> dict[str, object]:
    tags: dict[str, object] = {}
    if say.style is Style.FIRST:
        tags["first-msg"] = 1
    if say.style is Style.HIGHLIGHTED:
        tags["msg-id"] = "highlighted-message"
    if say.reward:
        tags["custom-reward-id"] = str(uuid5(NAMESPACE_URL, say.reward))
    if parent := say.reply_to:
        root = parent
        while root.reply_to:
            root = root.reply_to
        tags |= {
            "reply-parent-display-name": parent.author.shown,
            "reply-parent-msg-body": text_and_emotes(_body(parent))[0],
            "reply-parent-msg-id": parent.id,
            "reply-parent-user-id": parent.author.id,
            "reply-parent-user-login": parent.author.login,
            "reply-thread-parent-display-name": root.author.shown,
            "reply-thread-parent-msg-id": root.id,
            "reply-thread-parent-user-id": root.author.id,
            "reply-thread-parent-user-login": root.author.login,
        }
    return tags


def _common(action: Action, author: Author, room: Room, now: int) -> dict[str, object]:
    """The tags that messages and notices share, those of shared chat included (section 4.2)."""
    # In a room that only mirrors the message its author is nobody in particular.
    mirrored = action.origin not in ("", room.login)
    here = replace(author, roles=frozenset(), months=0) if mirrored else author
    info, badges = _badges(here.roles, here.months)
    moderator = Role.MODERATOR in here.roles
    tags: dict[str, object] = {
        "badge-info": info,
        "badges": badges,
        "color": author.color,
        "display-name": author.display_name,
        "emotes": "",
        "flags": "",
        "id": action.id,
        "mod": int(moderator),
        "room-id": room.id,
        "subscriber": int(here.months > 0),
        "tmi-sent-ts": now,
        "user-id": author.id,
        "user-type": "mod" if moderator else "",
    }
    if action.origin:
        info, badges = _badges(author.roles, author.months)
        tags |= {
            "source-badge-info": info,
            "source-badges": badges,
            "source-id": str(uuid5(NAMESPACE_URL, action.id)) if mirrored else action.id,
            "source-room-id": stable_id(action.origin),
        }
    return tags


@lru_cache(maxsize=512)
def _badges(roles: frozenset[Role], months: int) -> tuple[str, str]:
    """The values of `badge-info` and `badges`."""
    badges = [
        f"{name}/1"
        for role, name in (
            (Role.BROADCASTER, "broadcaster"),
            (Role.MODERATOR, "moderator"),
            (Role.VIP, "vip"),
        )
        if role in roles
    ]
    info = ""
    if Role.FOUNDER in roles:
        info = f"founder/{months}"
        badges.append("founder/0")
    elif months:
        info = f"subscriber/{months}"
        badges.append(f"subscriber/{max(step for step in BADGE_STEPS if step <= months)}")
    if Role.PARTNER in roles:
        badges.append("partner/1")
    elif months % 3 == 2:
        badges.append("premium/1")
    return info, ",".join(badges)


def _rule(room: Room, name: str, value: int) -> list[bytes]:
    """A change of the modes is sent twice: as a sentence, and as the one key that changed."""
    kind, sentence = _NOTICES[name]
    on = value != NO_RULES[name]
    notice = tagged(
        {"msg-id": kind.format("on" if on else "off")},
        f":tmi.twitch.tv NOTICE #{room.login} :{sentence.format('now' if on else 'no longer')}",
    )
    state = tagged({name: value, "room-id": room.id}, f":tmi.twitch.tv ROOMSTATE #{room.login}")
    return [notice, state]


def _usernotice(action: Action, room: Room, now: int) -> bytes:
    author = action.author or ANONYMOUS_GIFTER
    text, emotes = text_and_emotes(action.text)
    kind, sentence, params = notice(action, author, room.login)
    tags = _common(action, author, room, now)
    tags |= {
        "emotes": emotes,
        "login": author.login,
        "msg-id": kind,
        "system-msg": sentence,
        "vip": int(Role.VIP in author.roles),
    }
    if action.origin:
        tags["source-msg-id"] = kind
        if action.origin != room.login:
            tags["msg-id"] = "sharedchatnotice"
    tags |= {f"msg-param-{key}": value for key, value in params.items()}
    tail = f" :{text}" if text else ""
    return tagged(tags, f":tmi.twitch.tv USERNOTICE #{room.login}{tail}")
