# SPDX-License-Identifier: MIT
"""Actions beside the items of a chat: polls, banners, goals, deletions.

One reader per action or per kind of banner (docs/wire/youtube.md#actions).  None of these carries a
time, so the time of each is when it arrived.  A banner has an id, under which it is taken down:
`pin_id`, or `question_id` of a call for questions.  Of notices, for which YouTube has no short
names, `platform_kind` is `summary` or `product`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from msgspec import UNSET, UnsetType

from livechat.model.chat import ChatMessage
from livechat.model.event_data import (
    Choice,
    Deletion,
    Goal,
    Notice,
    Person,
    Pin,
    Poll,
    Question,
    Raid,
    Timeout,
)
from livechat.model.events import Event
from livechat.platforms.youtube.parse.author import name_only, read_person
from livechat.platforms.youtube.parse.innertube import (
    Json,
    bold_runs,
    children,
    count,
    dig,
    named,
    picture,
    string,
    text_of,
)
from livechat.platforms.youtube.parse.items import ITEMS
from livechat.platforms.youtube.parse.origin import Origin, Reader, event

_PINNED_BY: Final = re.compile(r"Pinned by (.+)")


def _id(node: Json, *path: str) -> str:
    found = string(dig(node, *path))
    if not found:
        raise ValueError(f"no {path[-1]}")
    return found


def _removed(action: Json, origin: Origin) -> Sequence[Event]:
    target = _id(action, "targetItemId")
    shown = _shown_instead(action)
    data = Deletion(scope="message", message_id=target, author=None, shown=shown)
    return [event(data, target, origin)]


def _author_removed(action: Json, origin: Origin) -> Sequence[Event]:
    target = _id(action, "externalChannelId")
    # The same person may come back and be put out again.
    event_id = f"{target}@{origin.received_ms}"
    data = Timeout(user=Person(target, None, None), shown=_shown_instead(action))
    return [event(data, event_id, origin)]


def _shown_instead(action: Json) -> str | UnsetType:
    return text_of(dig(action, "deletedStateMessage")) or UNSET


def _poll_opened(panel: Json, origin: Origin) -> Sequence[Event]:
    return _poll("opened", dig(panel, "contents", "pollRenderer"), origin)


def _poll_updated(action: Json, origin: Origin) -> Sequence[Event]:
    return _poll("updated", dig(action, "pollToUpdate", "pollRenderer"), origin)


def _poll_closed(action: Json, origin: Origin) -> Sequence[Event]:
    poll_id = _id(action, "targetPanelId")
    return [event(Poll(status="closed", poll_id=poll_id), f"{poll_id}:closed", origin)]


def _poll(status: Literal["opened", "updated"], poll: Json, origin: Origin) -> Sequence[Event]:
    poll_id = _id(poll, "liveChatPollId")
    header = dig(poll, "header", "pollHeaderRenderer")
    choices = [
        Choice(text_of(dig(choice, "text")), None, _ratio(dig(choice, "voteRatio")))
        for choice in children(dig(poll, "choices"))
    ]
    # "@Streamer", " • ", "10 min ago", " • ", "1,301 votes"
    votes = count(text_of(dig(header, "metadataText", "runs", -1, "text")))
    data = Poll(
        status=status,
        poll_id=poll_id,
        question=text_of(dig(header, "pollQuestion")) or None,
        choices=choices,
        votes=votes,
    )
    if status == "opened":
        # A chat that is opened anew begins with the polls that are open, whatever their votes.
        return [event(data, f"{poll_id}:opened", origin)]
    # YouTube repeats a poll every few seconds; one that changes nothing gets the id of the first.
    standing = ",".join(str(choice.ratio) for choice in choices)
    return [event(data, f"{poll_id}:updated:{votes}:{standing}", origin)]


def _ratio(ratio: Json) -> float | None:
    return round(float(ratio), 6) if isinstance(ratio, int | float) and 0 <= ratio <= 1 else None


def _pinned(banner: Json, origin: Origin) -> Sequence[Event]:
    name, item = named(dig(banner, "contents"))
    message = next(iter(ITEMS[name](item, origin)))
    if not isinstance(message, ChatMessage):
        raise TypeError(name)
    pin_id = _id(banner, "actionId")
    text = text_of(dig(banner, "header", "liveChatBannerHeaderRenderer", "text"))
    by = _PINNED_BY.fullmatch(text)
    data = Pin(
        status="pinned",
        pin_id=pin_id,
        user=name_only(by[1]) if by else None,
        text=text or UNSET,
        message_id=message.message_id,
        author=read_person(item),
        content=message.data.content,
        seconds=None,
    )
    return [event(data, pin_id, origin)]


def _unpinned(action: Json, origin: Origin) -> Sequence[Event]:
    pin_id = _id(action, "targetActionId")
    return [event(Pin(status="unpinned", pin_id=pin_id), f"{pin_id}:unpinned", origin)]


def _redirect(banner: Json, origin: Origin) -> Sequence[Event]:
    renderer = dig(banner, "contents", "liveChatBannerRedirectRenderer")
    message = dig(renderer, "bannerMessage")
    button = dig(renderer, "inlineActionButton", "buttonRenderer", "command")
    # "Go now" leads to the other stream, "Learn more" to a page of help.
    video_id = string(dig(button, "watchEndpoint", "videoId"))
    pin_id = _id(banner, "actionId")
    data = Raid(
        direction="outgoing" if video_id else "incoming",
        user=name_only(next(iter(bold_runs(message)), ""), picture(dig(renderer, "authorPhoto"))),
        text=text_of(message) or UNSET,
        live_id=video_id or UNSET,
        pin_id=pin_id,
    )
    return [event(data, pin_id, origin)]


def _banner_poll(banner: Json, origin: Origin) -> Sequence[Event]:
    return _poll("opened", dig(banner, "contents", "pollRenderer"), origin)


def _questions(banner: Json, origin: Origin) -> Sequence[Event]:
    renderer = dig(banner, "contents", "liveChatCallForQuestionsRenderer")
    question_id = _id(banner, "actionId")
    text = text_of(dig(renderer, "questionMessage"))
    data = Question(status="opened", question_id=question_id, text=text)
    return [event(data, question_id, origin)]


def _summary(banner: Json, origin: Origin) -> Sequence[Event]:
    text = dig(banner, "contents", "liveChatBannerChatSummaryRenderer", "chatSummary")
    return _banner_notice(banner, origin, "summary", text_of(text))


def _product(banner: Json, origin: Origin) -> Sequence[Event]:
    product = dig(banner, "contents", "liveChatProductItemRenderer")
    price = text_of(dig(product, "price"))
    text = text_of(dig(product, "title"))
    return _banner_notice(banner, origin, "product", text, **({"price": price} if price else {}))


def _banner_notice(
    banner: Json, origin: Origin, kind: str, text: str, **params: str
) -> Sequence[Event]:
    pin_id = _id(banner, "actionId")
    data = Notice(platform_kind=kind, text=text, params={"pin_id": pin_id, **params})
    return [event(data, pin_id, origin)]


def _goal(action: Json, origin: Origin) -> Sequence[Event]:
    chip = dig(action, "creatorGoalTickerChip", "liveChatTickerCreatorGoalViewModel")
    goal_id = _id(chip, "id")
    label = string(dig(chip, "a11yLabel"))
    data = Goal(goal_id=goal_id, text=label or UNSET, progress=None, target=None, unit=None)
    return [event(data, goal_id, origin)]


#: Readers of actions that stand for themselves, by the action's key.
ACTIONS: Final[Mapping[str, Reader]] = {
    "removeChatItemAction": _removed,
    "markChatItemAsDeletedAction": _removed,
    "removeChatItemByAuthorAction": _author_removed,
    "markChatItemsByAuthorAsDeletedAction": _author_removed,
    "updateLiveChatPollAction": _poll_updated,
    "closeLiveChatActionPanelAction": _poll_closed,
    "removeBannerForLiveChatCommand": _unpinned,
    "showCreatorGoalTickerChipCommand": _goal,
}

#: Readers of a `liveChatBannerRenderer`, by the key of its contents.
BANNERS: Final[Mapping[str, Reader]] = {
    "liveChatTextMessageRenderer": _pinned,
    "liveChatPaidMessageRenderer": _pinned,
    "liveChatPaidStickerRenderer": _pinned,
    "liveChatMembershipItemRenderer": _pinned,
    "liveChatBannerRedirectRenderer": _redirect,
    "liveChatCallForQuestionsRenderer": _questions,
    "liveChatBannerChatSummaryRenderer": _summary,
    "liveChatProductItemRenderer": _product,
    "pollRenderer": _banner_poll,
}

#: Readers of a `liveChatActionPanelRenderer`, by the key of its contents.
PANELS: Final[Mapping[str, Reader]] = {"pollRenderer": _poll_opened}
