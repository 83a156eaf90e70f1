# SPDX-License-Identifier: MIT
"""Answers of `get_live_chat` to events, the next continuation, and signs of the chat's end.

Each action is read by itself: one that cannot be read costs itself only, and every one that is not
passed on is counted under the name of its renderer or action (docs/wire/youtube.md#actions).
Unknown parts of those that are passed on are counted too (`known`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from livechat.model.events import Event
from livechat.platforms.youtube.parse import known
from livechat.platforms.youtube.parse.continuation import (
    Continuation,
    Feed,
    is_stub,
    read_continuation,
)
from livechat.platforms.youtube.parse.innertube import (
    TRACKING,
    Json,
    children,
    decode,
    dig,
    named,
    text_of,
)
from livechat.platforms.youtube.parse.items import ITEMS
from livechat.platforms.youtube.parse.known import Part, count
from livechat.platforms.youtube.parse.origin import Origin, Reader
from livechat.platforms.youtube.parse.panels import ACTIONS, BANNERS, PANELS

#: Known, and of no use to a reader of the chat.  A ticker repeats an item under the item's own id;
#: a placeholder stands for a message under review, which comes as a replacement if at all.
IGNORED: Final = frozenset(
    {
        "addInteractivityWidgetAction",
        "addLiveChatTickerItemAction",
        "changeEngagementPanelVisibilityAction",
        "dimChatItemAction",
        "liveChatAutoModMessageRenderer",
        "liveChatModerationMessageRenderer",
        "liveChatPlaceholderItemRenderer",
        "liveChatReportModerationStateCommand",
        "removeFanzoneTickerChipCommand",
        "replaceLiveChatRendererAction",
        "showFanzoneTickerChipCommand",
        "showLiveChatTooltipCommand",
        "signalAction",
        "updateOrAddInteractivityWidgetAction",
    }
)

_REPLAYED: Final = "replayChatItemAction"
_ARCHIVE_KINDS: Final = frozenset({"liveChatReplayContinuationData", "playerSeekContinuationData"})

#: Where a header keeps the choice between Top chat and all messages, always in this order.
_MENU: Final = (
    "liveChatHeaderRenderer",
    "viewSelector",
    "sortFilterSubMenuRenderer",
    "subMenuItems",
)
_TOP_ITEM: Final = 0
_ALL_ITEM: Final = 1

_MAX_REASON: Final = 200

#: What a reader may stumble over in an item that is not as it should be.
_MISREADINGS: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


class _Wrapping(Struct, frozen=True):
    """An action that is about one of several kinds of things.

    :ivar path: from the action's payload to what is named by its kind, or holds that.
    :ivar readers: by kind.
    :ivar known: what is known of the payload.
    :ivar holder: what is known of that which holds what is named by its kind, under `contents`; its
        readers get the holder.
    """

    path: tuple[str, ...]
    readers: Mapping[str, Reader]
    known: Part
    holder: Part | None = None


_WRAPPINGS: Final[Mapping[str, _Wrapping]] = {
    "addChatItemAction": _Wrapping(("item",), ITEMS, known.ADDED),
    "replaceChatItemAction": _Wrapping(("replacementItem",), ITEMS, known.REPLACED),
    "addBannerToLiveChatCommand": _Wrapping(
        ("bannerRenderer", "liveChatBannerRenderer"), BANNERS, known.BANNERED, known.BANNER
    ),
    "showLiveChatActionPanelAction": _Wrapping(
        ("panelToShow", "liveChatActionPanelRenderer"), PANELS, known.SHOWN, known.PANEL
    ),
}


class Signal(StrEnum):
    """Why an answer may mean that the chat is over; the watch page has the last word.

    :cvar GONE: nothing about a chat: it ended, or a passing trouble, or a dead token.
    :cvar REFUSED: a sentence instead of a chat: switched off, members only, or an archive.
    :cvar ARCHIVE: the stream has become a recording; the events are old, not for a live chat.
    :cvar EXHAUSTED: no token to ask on with; the events count.
    :cvar FAILED: InnerTube's own description of an error.
    :cvar UNREADABLE: not a JSON object.
    """

    GONE = "gone"
    REFUSED = "refused"
    ARCHIVE = "archive"
    EXHAUSTED = "exhausted"
    FAILED = "failed"
    UNREADABLE = "unreadable"


class Poll(Struct, frozen=True):
    """What one answer brought.

    :ivar events: what happened, in YouTube's order.
    :ivar continuation: how to ask on; None only with a signal.
    :ivar signal: why the chat may be over; None while all is well.
    :ivar reason: YouTube's words about the signal, for the log; nothing is decided by them.
    :ivar feed: which messages are sent, where the answer says so (the first one of a token does).
    :ivar all_token: a token for all messages, where the answer offers one.
    :ivar ignored: how often something known was not passed on, by name.
    :ivar unread: how often something was unknown or could not be read, by name; parts of known
        items by names such as `liveChatTextMessageRenderer.newKey`.
    """

    events: list[Event] = field(default_factory=list)
    continuation: Continuation | None = None
    signal: Signal | None = None
    reason: str = ""
    feed: Feed | None = None
    all_token: str | None = None
    ignored: dict[str, int] = field(default_factory=dict)
    unread: dict[str, int] = field(default_factory=dict)


def read_poll(body: bytes, video_id: str, received_ms: int) -> Poll:
    """What an answer says, given as it came and inflated.

    :param video_id: becomes the `room_id` of all that is in it.
    :param received_ms: when it came, in milliseconds since 1970.
    """
    try:
        answer = decode(body)
    except ValueError as error:
        return Poll(signal=Signal.UNREADABLE, reason=str(error)[:_MAX_REASON])
    return read_answer(answer, video_id, received_ms)


def read_answer(answer: Json, video_id: str, received_ms: int) -> Poll:
    """What a decoded answer says, or the `ytInitialData` of a `/live_chat` page."""
    chat = dig(answer, "continuationContents", "liveChatContinuation")
    if not isinstance(chat, dict):
        chat = dig(answer, "contents", "liveChatRenderer")
    if not isinstance(chat, dict):
        return _no_chat(answer)
    continuation = read_continuation(chat.get("continuations"))
    menu = dig(chat.get("header"), *_MENU)
    batch = _Batch(Origin(video_id, received_ms))
    batch.read(chat.get("actions"))
    known.ANSWER.count_unknown(chat, batch.unread)
    signal = None
    if batch.replayed or _is_archive(chat):
        signal = Signal.ARCHIVE
    elif continuation is None:
        signal = Signal.EXHAUSTED
    return Poll(
        batch.events,
        continuation,
        signal,
        feed=_feed(menu),
        all_token=_all_token(menu),
        ignored=batch.ignored,
        unread=batch.unread,
    )


def _no_chat(answer: Json) -> Poll:
    if not isinstance(answer, dict):
        return Poll(signal=Signal.UNREADABLE, reason="not an object")
    error = answer.get("error")
    if isinstance(error, dict):
        parts = [str(error[key]) for key in ("code", "status", "message") if key in error]
        return Poll(signal=Signal.FAILED, reason=" ".join(parts)[:_MAX_REASON])
    sentence = text_of(dig(answer, "contents", "messageRenderer", "text"))
    if sentence:
        return Poll(signal=Signal.REFUSED, reason=sentence[:_MAX_REASON])
    return Poll(signal=Signal.GONE)


def _is_archive(chat: dict[str, Json]) -> bool:
    kinds = {named(entry)[0] for entry in children(chat.get("continuations"))}
    return chat.get("isReplay") is True or not kinds.isdisjoint(_ARCHIVE_KINDS)


def _feed(menu: Json) -> Feed | None:
    """Which entry of the menu is chosen: by place, for its titles are translated."""
    if dig(menu, _ALL_ITEM, "selected") is True:
        return "all"
    return "top" if dig(menu, _TOP_ITEM, "selected") is True else None


def _all_token(menu: Json) -> str | None:
    offered = read_continuation([dig(menu, _ALL_ITEM, "continuation")])
    return offered.token if offered is not None and not is_stub(offered.token) else None


class _Batch:
    """Actions as they are read, one after the other."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.events: list[Event] = []
        self.ignored: dict[str, int] = {}
        self.unread: dict[str, int] = {}
        self.replayed = False

    def read(self, actions: Json) -> None:
        """Read a list of actions; of a recording, those that each one wraps."""
        for action in children(actions):
            wrapped = dig(action, _REPLAYED, "actions")
            if wrapped is None:
                self._read_one(action)
            else:
                self.replayed = True
                for inner in children(wrapped):
                    self._read_one(inner)

    def _read_one(self, action: Json) -> None:
        name, payload = action_name, whole = named(action)
        readers: Mapping[str, Reader] = ACTIONS
        holder = None
        wrapping = _WRAPPINGS.get(name)
        if wrapping is not None:
            readers = wrapping.readers
            payload = dig(payload, *wrapping.path)
            holder = wrapping.holder
            if holder is None:
                kind, payload = named(payload)
            else:
                kind, _ = named(dig(payload, "contents"))
            name = kind or name
        reader = readers.get(name)
        if reader is None:
            counts = self.ignored if name in IGNORED else self.unread
            count(counts, name)
            return
        try:
            self.events += reader(payload, self._origin)
        except _MISREADINGS:
            count(self.unread, name)
            return
        (holder or known.PARTS[name]).count_unknown(payload, self.unread)
        if wrapping is not None and len(whole) > 1:
            wrapping.known.count_unknown(whole, self.unread)
        if len(action) > 1:
            # An action has one name, and sometimes tracking beside it.
            for key in action.keys() - TRACKING - {action_name}:
                count(self.unread, f"action.{key}")
