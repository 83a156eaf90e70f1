# SPDX-License-Identifier: MIT
"""What we know of Twitch's lines, so that everything else can be counted by its name.

Twitch adds tags, notices and parameters without notice.  A name that no reader uses is *unknown*
unless it stands here as known and useless to readers of a chat; such a name is *ignored*.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final, NamedTuple

from livechat.platforms.twitch.parse.irc import Line
from livechat.platforms.twitch.parse.tags import BADGES_READ

#: Tags from which this package reads something.
_READ: Final = frozenset({
    "animation-id", "badge-info", "badges", "ban-duration", "bits", "color", "custom-reward-id",
    "display-name", "emote-only", "emotes", "first-msg", "followers-only", "gifs", "id", "login",
    "mod", "msg-id", "pinned-chat-paid-amount", "pinned-chat-paid-currency",
    "pinned-chat-paid-exponent", "r9k", "reply-parent-display-name", "reply-parent-msg-body",
    "reply-parent-msg-id", "reply-parent-user-id", "reply-parent-user-login", "rm-received-ts",
    "room-id", "slow", "source-badge-info", "source-badges", "source-id", "source-msg-id",
    "source-room-id", "subs-only", "subscriber", "system-msg", "target-msg-id",
    "target-user-id", "tmi-sent-ts", "user-id", "user-type",
})  # fmt: skip

#: Tags and parameters of notices that are left out: they say what other fields say too, or what is
#: of use to the writer only.
_USELESS: Final = frozenset({
    "broadcaster-lang", "client-nonce", "flags", "historical", "pinned-chat-paid-canonical-amount",
    "pinned-chat-paid-is-system-message", "pinned-chat-paid-level",
    "reply-thread-parent-display-name", "reply-thread-parent-msg-id",
    "reply-thread-parent-user-id", "reply-thread-parent-user-login", "returning-chatter",
    "rituals", "rm-deleted", "source-only", "turbo", "vip",
    # Of notices; a raid's are those of its sender.
    "msg-param-displayName", "msg-param-fun-string", "msg-param-gift-theme",
    "msg-param-goal-contribution-type", "msg-param-goal-current-contributions",
    "msg-param-goal-description", "msg-param-goal-target-contributions",
    "msg-param-goal-user-contributions", "msg-param-login", "msg-param-ms-remaining",
    "msg-param-should-share-streak", "msg-param-user-display-name",
})  # fmt: skip

#: Commands about our own account, or about what Twitch no longer has.
USELESS_COMMANDS: Final = frozenset({
    "GLOBALUSERSTATE", "HOSTTARGET", "MODE", "USERSTATE", "WHISPER",
})  # fmt: skip

#: NOTICEs that answer commands, messages and settings of our own account, which sends none, and
#: those of host mode (docs/wire/twitch.md#notice).
_ANSWERS: Final = re.compile(
    r"(already|autohost|bad|cmds|color|commercial|host|hosts|invalid|mods?|no|raid|room|turbo"
    r"|unavailable|unmod|unraid|unrecognized|unsupported|untimeout|unvip|usage|vips?|whisper)_\w+"
    r"|\w+_success|delete_\w+_error|timeout_no_timeout|host_on|host_off"
    r"|msg_(bad_characters|banned_email_alias|channel_blocked|duplicate|emoteonly|facebook"
    r"|followersonly\w*|r9k|ratelimit|rejected\w*|requires_verified\w+|slowmode|subsonly"
    r"|suspended|timedout|verified_email)"
)

#: Tags and parameters with few values, which we know; of some the value is passed on as it is.
_VALUES: Final = {
    "user-type": frozenset({"", "mod", "global_mod", "admin", "staff"}),
    "msg-param-category": frozenset({"watch-streak"}),
    "msg-param-color": frozenset({"PRIMARY", "BLUE", "GREEN", "ORANGE", "PURPLE"}),
    "msg-param-sub-plan": frozenset({"Prime", "1000", "2000", "3000"}),
}

#: Most unknown names of one line that are counted.
_MOST: Final = 10

#: Most tags of a line that is kept in a cache.
_CACHED: Final = 64

#: Values with which a tag says that it does not apply.
_NOTHING: Final = frozenset({"", "0"})


class _Names(NamedTuple):
    """What is to be looked at in lines that have one set of tags.

    :ivar unknown: tags that nobody reads, with the names under which they are counted.
    :ivar useless: likewise those that are left out on purpose.
    :ivar valued: tags of which we know all values.
    """

    unknown: tuple[tuple[str, str], ...]
    useless: tuple[tuple[str, str], ...]
    valued: tuple[tuple[str, frozenset[str]], ...]


def unread_tags(line: Line, read: Collection[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of unknown tags and values, and of tags that are ignored and say something.

    :param read: tags beyond the usual ones that the reader of this line uses.
    """
    tags = line.tags
    # Nearly all lines have the same few sets of tags.
    find = _names if len(tags) <= _CACHED else _names.__wrapped__
    unknown, useless, valued = find(tuple(tags))
    # Nearly always both are empty, and then nothing is made.
    strange: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    if unknown:
        strange = tuple(name for tag, name in unknown if tag not in read)[:_MOST]
    for tag, known in valued:
        value = tags[tag]
        if value not in known and value.upper() not in known:
            strange += (f"{line.command}.{tag}={value}",)
    for tag, name in useless:
        if tags[tag] not in _NOTHING:
            ignored += (name,)
    return strange, ignored


@lru_cache(maxsize=256)
def _names(tags: tuple[str, ...]) -> _Names:
    rest = [(tag, f"tag {tag}") for tag in tags if tag and tag not in _READ]
    return _Names(
        tuple(named for named in rest if named[0] not in _USELESS),
        tuple(named for named in rest if named[0] in _USELESS),
        tuple((tag, known) for tag, known in _VALUES.items() if tag in tags),
    )


def is_answer(notice: str) -> bool:
    """Whether a NOTICE of this name answers something that only a logged-in account sends."""
    return _ANSWERS.fullmatch(notice) is not None


@lru_cache(maxsize=4096)
def ignored_badges(tag: str) -> tuple[str, ...]:
    """The names of the badge sets in a `badges` tag that mean nothing to us.

    Clients receive these badges all the same; Twitch adds one for every game and event.
    """
    names = {badge.partition("/")[0] for badge in tag.split(",") if "/" in badge}
    # The sets of campaigns have names of their own, with a number in it for each.
    return tuple(
        f"badge {'campaign' if name.startswith('campaign-') else name}"
        for name in sorted(names - BADGES_READ)
        if name
    )
