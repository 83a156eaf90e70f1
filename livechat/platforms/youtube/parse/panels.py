# SPDX-License-Identifier: MIT
"""Actions beside the items of a chat: polls, banners, goals, deletions.

One reader per action or per kind of banner (docs/wire/youtube.md#actions).  None of these carries a
time, so the time of each is when it arrived.

The `data` of events:

========== ====================================================================================
deletion   `scope` (`message`), `message_id`; `shown` in its place where YouTube gives a text
timeout    `user` (`id`), all of whose messages are gone; `shown` in their place likewise
poll       `status` (`opened`, `updated` or `closed`), `poll_id`, and unless closed `question`,
           `choices` (`text`, `ratio` 0 to 1 or null) and `votes` (null if not known)
pin        `status` (`pinned` or `unpinned`), `pin_id`, and if pinned `message_id`, `user`
           and `content` as in a chat message and `text` (who pinned it, as shown); a banner that is
           not a pinned message is taken down as `unpinned` too, YouTube naming only its id
raid       `direction` (`incoming` or `outgoing`), `user` (`username` and `display_name` of the
           other channel, or null), `video_id` (outgoing), `text`, `avatar_url`, `pin_id`
question   `text`, `pin_id`: the streamer calls for questions
notice     `notice` (`summary` or `product`), `text`, `pin_id`
goal       `goal_id`, `text`
========== ====================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from livechat.model.chat import ChatMessage
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
from livechat.platforms.youtube.parse.items import ITEMS, Origin, Reader, event


def _id(node: Json, *path: str) -> str:
    found = string(dig(node, *path))
    if not found:
        raise ValueError(f"no {path[-1]}")
    return found


def _removed(action: Json, origin: Origin) -> Sequence[Event]:
    target = _id(action, "targetItemId")
    data = {"scope": "message", "message_id": target, **_shown_instead(action)}
    return [event("deletion", target, origin, data)]


def _author_removed(action: Json, origin: Origin) -> Sequence[Event]:
    target = _id(action, "externalChannelId")
    # The same person may come back and be put out again.
    event_id = f"{target}@{origin.received_ms}"
    return [event("timeout", event_id, origin, {"user": {"id": target}, **_shown_instead(action)})]


def _shown_instead(action: Json) -> dict[str, Any]:
    text = text_of(dig(action, "deletedStateMessage"))
    return {"shown": text} if text else {}


def _poll_opened(panel: Json, origin: Origin) -> Sequence[Event]:
    return _poll("opened", dig(panel, "contents", "pollRenderer"), origin)


def _poll_updated(action: Json, origin: Origin) -> Sequence[Event]:
    return _poll("updated", dig(action, "pollToUpdate", "pollRenderer"), origin)


def _poll_closed(action: Json, origin: Origin) -> Sequence[Event]:
    poll_id = _id(action, "targetPanelId")
    return [event("poll", f"{poll_id}:closed", origin, {"status": "closed", "poll_id": poll_id})]


def _poll(status: str, poll: Json, origin: Origin) -> Sequence[Event]:
    poll_id = _id(poll, "liveChatPollId")
    header = dig(poll, "header", "pollHeaderRenderer")
    choices = [
        {"text": text_of(dig(choice, "text")), "ratio": _ratio(dig(choice, "voteRatio"))}
        for choice in children(dig(poll, "choices"))
    ]
    # "@Streamer", " • ", "10 min ago", " • ", "1,301 votes"
    votes = count(text_of(dig(header, "metadataText", "runs", -1, "text")))
    data = {
        "status": status,
        "poll_id": poll_id,
        "question": text_of(dig(header, "pollQuestion")) or None,
        "choices": choices,
        "votes": votes,
    }
    # YouTube repeats a poll every few seconds; one that changes nothing gets the id of the first.
    standing = ",".join(str(choice["ratio"]) for choice in choices)
    return [event("poll", f"{poll_id}:{status}:{votes}:{standing}", origin, data)]


def _ratio(ratio: Json) -> float | None:
    return round(float(ratio), 6) if isinstance(ratio, int | float) and 0 <= ratio <= 1 else None


def _pinned(banner: Json, origin: Origin) -> Sequence[Event]:
    name, item = named(dig(banner, "contents"))
    message = next(iter(ITEMS[name](item, origin)))
    if not isinstance(message, ChatMessage):
        raise TypeError(name)
    pin_id = _id(banner, "actionId")
    data = {
        "status": "pinned",
        "pin_id": pin_id,
        "message_id": message.message_id,
        "user": read_person(item),
        "content": message.data.content,
        "text": text_of(dig(banner, "header", "liveChatBannerHeaderRenderer", "text")),
    }
    return [event("pin", pin_id, origin, data)]


def _unpinned(action: Json, origin: Origin) -> Sequence[Event]:
    pin_id = _id(action, "targetActionId")
    data = {"status": "unpinned", "pin_id": pin_id}
    return [event("pin", f"{pin_id}:unpinned", origin, data)]


def _redirect(banner: Json, origin: Origin) -> Sequence[Event]:
    renderer = dig(banner, "contents", "liveChatBannerRedirectRenderer")
    button = dig(renderer, "inlineActionButton", "buttonRenderer", "command")
    # "Go now" leads to the other stream, "Learn more" to a page of help.
    video_id = string(dig(button, "watchEndpoint", "videoId"))
    pin_id = _id(banner, "actionId")
    data = {
        "direction": "outgoing" if video_id else "incoming",
        "user": name_only(next(iter(bold_runs(dig(renderer, "bannerMessage"))), "")),
        "video_id": video_id or None,
        "text": text_of(dig(renderer, "bannerMessage")),
        "avatar_url": picture(dig(renderer, "authorPhoto")),
        "pin_id": pin_id,
    }
    return [event("raid", pin_id, origin, data)]


def _banner_poll(banner: Json, origin: Origin) -> Sequence[Event]:
    return _poll("opened", dig(banner, "contents", "pollRenderer"), origin)


def _questions(banner: Json, origin: Origin) -> Sequence[Event]:
    renderer = dig(banner, "contents", "liveChatCallForQuestionsRenderer")
    pin_id = _id(banner, "actionId")
    data = {"text": text_of(dig(renderer, "questionMessage")), "pin_id": pin_id}
    return [event("question", pin_id, origin, data)]


def _summary(banner: Json, origin: Origin) -> Sequence[Event]:
    text = dig(banner, "contents", "liveChatBannerChatSummaryRenderer", "chatSummary")
    return _banner_notice(banner, origin, "summary", text_of(text))


def _product(banner: Json, origin: Origin) -> Sequence[Event]:
    title = dig(banner, "contents", "liveChatProductItemRenderer", "title")
    return _banner_notice(banner, origin, "product", text_of(title))


def _banner_notice(banner: Json, origin: Origin, notice: str, text: str) -> Sequence[Event]:
    pin_id = _id(banner, "actionId")
    return [event("notice", pin_id, origin, {"notice": notice, "text": text, "pin_id": pin_id})]


def _goal(action: Json, origin: Origin) -> Sequence[Event]:
    chip = dig(action, "creatorGoalTickerChip", "liveChatTickerCreatorGoalViewModel")
    goal_id = _id(chip, "id")
    data = {"goal_id": goal_id, "text": string(dig(chip, "a11yLabel"))}
    return [event("goal", goal_id, origin, data)]


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
