# SPDX-License-Identifier: MIT
"""Actions as YouTube's chat has them: InnerTube's renderers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

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
    Subscribe,
    Text,
    WatchStreak,
)
from livechat.simulator.phrases import Mood
from livechat.simulator.youtube_ids import channel_id

_PICTURES: Final = "https://yt4.ggpht.com"
_EMOJI_PICTURES: Final = "https://www.youtube.com/s/gaming/emoji/7ff574f2"

#: Standard emoji that come as emoji and not as text, with their shortcuts.
_EMOJI: Final[Mapping[str, str]] = MappingProxyType(
    {
        "😂": ":face_with_tears_of_joy:",
        "🎉": ":party_popper:",
        "👋": ":waving_hand:",
        "💧": ":droplet:",
        "🥨": ":pretzel:",
        "🎁": ":wrapped_gift:",
    }
)
_EMOJI_IN_TEXT: Final = re.compile(f"([{''.join(_EMOJI)}])")

#: Lowest sum in hundredths of a dollar, colours of header and body (docs/wire/youtube.md#items).
_TIERS: Final = (
    (10000, 4291821568, 4293271831),
    (5000, 4290910299, 4293467747),
    (2000, 4293284096, 4294278144),
    (1000, 4294947584, 4294953512),
    (500, 4278239141, 4280150454),
    (200, 4278237396, 4278248959),
    (0, 4279592384, 4280191205),
)

#: How a sum is shown, and how many of it are one dollar.
_CURRENCIES: Final = (("${:,.2f}", 1), ("€{:,.2f}", 1), ("¥{:,.0f}", 150), ("NT${:,.2f}", 30))

_ICONS: Final[Mapping[Role, tuple[str, str]]] = MappingProxyType(
    {
        Role.BROADCASTER: ("OWNER", "Owner"),
        Role.MODERATOR: ("MODERATOR", "Moderator"),
        Role.PARTNER: ("VERIFIED", "Verified"),
    }
)
_MODES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "slow": ("SLOW_MODE", "Slow mode is"),
        "followers-only": ("QUESTION_ANSWER", "Subscribers-only mode is"),
        "r9k": ("QUESTION_ANSWER", "Unique-message mode is"),
        "emote-only": ("QUESTION_ANSWER", "Emoji-only mode is"),
        "subs-only": ("MEMBERSHIPS", "Members-only mode is"),
    }
)
_SOMEBODY: Final = Author(1, "somebody", "Somebody")

Json = dict[str, Any]


@lru_cache(maxsize=4096)
def item_id(action: Action) -> str:
    """The id of what an action becomes."""
    return f"ChwKGk{action.id.replace('-', '')}"


def is_plain(action: Action) -> bool:
    """Whether Top chat has it: one message of eight is taken for possible spam."""
    return not isinstance(action, Say) or action.id[0] not in "07"


def actions(action: Action, channel: str, micros: int) -> list[Json]:
    """What an action becomes: nothing, one InnerTube action, or several.

    :param channel: the name of the channel.
    :param micros: when it happens, in microseconds since 1970.
    """
    return list(_actions(action, channel, micros))


def _actions(action: Action, channel: str, micros: int) -> Iterator[Json]:
    common = {"id": item_id(action), "timestampUsec": str(micros)}
    author = _author(action.author or _SOMEBODY, channel)
    match action:
        case Say() | WatchStreak():
            yield _item(
                "liveChatTextMessageRenderer", {**_text(action, channel), **common, **author}
            )
        case Pay():
            yield from _paid(action, channel, {**common, **author})
        case Subscribe():
            yield _item(
                "liveChatMembershipItemRenderer",
                {**common, **author, **_membership(action, channel)},
            )
        case GiftShower():
            purchase = "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer"
            yield _item(purchase, {**common, **_purchase(action, channel)})
        case Gift(shower=shower) if shower:
            redemption = "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer"
            by = _runs("received a gift membership by ", _bold(_handle(action.author or _SOMEBODY)))
            yield _item(redemption, {**common, **_author(action.recipient, channel), "message": by})
        case Gift():
            yield _item("giftMessageViewModel", _jewels(action))
        case Raid():
            yield _banner(action, "liveChatBannerRedirectRenderer", _redirect(action))
        case Announce():
            message = {**_text(action, channel), **common, **author}
            yield _item("liveChatTextMessageRenderer", message)
            yield _banner(action, "liveChatTextMessageRenderer", message)
        case Donate():
            amount = f"${action.amount / 100:.2f}"
            text = _runs(f"{_handle(action.author)} donated ", amount)
            donation = {"text": text, "subtext": _runs("to ", action.charity)}
            yield _item("liveChatDonationAnnouncementRenderer", {**common, **donation})
        case Oddity():
            yield _item(f"liveChat{action.kind.title().replace('-', '')}Renderer", common)
        case Delete():
            yield {"removeChatItemAction": {"targetItemId": item_id(action.message)}}
        case Silence():
            target = {"externalChannelId": channel_id(action.author.login)}
            yield {"clickTrackingParams": "x", "removeChatItemByAuthorAction": target}
        case Clear():
            notice = {
                "icon": {"iconType": "YOUTUBE_ROUND"},
                "message": _runs("Welcome to live chat!"),
            }
            yield _item("liveChatViewerEngagementMessageRenderer", {"id": common["id"], **notice})
        case Rule():
            icon, sentence = _MODES[action.name]
            on = "on" if action.value > 0 else "off"
            mode = {
                "icon": {"iconType": icon},
                "text": _runs(f"{sentence} {on}"),
                "subtext": _runs(""),
            }
            yield _item("liveChatModeChangeMessageRenderer", {**common, **mode})


def _item(renderer: str, item: Json) -> Json:
    return {"clickTrackingParams": "x", "addChatItemAction": {"item": {renderer: item}}}


def _banner(action: Action, contents: str, item: Json) -> Json:
    header = {
        "icon": {"iconType": "KEEP"},
        "text": _runs("Pinned by ", _handle(action.author or _SOMEBODY)),
    }
    banner = {
        "actionId": f"Banner{item_id(action)}",
        "targetId": "live-chat-banner",
        "header": {"liveChatBannerHeaderRenderer": header},
        "contents": {contents: item},
    }
    return {"addBannerToLiveChatCommand": {"bannerRenderer": {"liveChatBannerRenderer": banner}}}


def _handle(author: Author) -> str:
    return f"@{author.login}"


def _author(author: Author, channel: str) -> Json:
    badges: list[Json] = []
    for role, (icon, tooltip) in _ICONS.items():
        if role in author.roles:
            badges.append({"icon": {"iconType": icon}, "tooltip": tooltip})
    if author.months:
        tooltip = f"Member ({author.months} months)" if author.months > 1 else "New member"
        thumbnails = [
            {"url": f"{_PICTURES}/badge-{channel}=s{size}-c-k", "width": size, "height": size}
            for size in (16, 32)
        ]
        badges.append({"customThumbnail": {"thumbnails": thumbnails}, "tooltip": tooltip})
    photo = [
        {"url": f"{_PICTURES}/{author.id}=s{size}-c-k", "width": size, "height": size}
        for size in (32, 64)
    ]
    described: Json = {
        "authorName": {"simpleText": _handle(author)},
        "authorPhoto": {"thumbnails": photo},
        "authorExternalChannelId": channel_id(author.login),
    }
    if badges:
        described["authorBadges"] = [{"liveChatAuthorBadgeRenderer": badge} for badge in badges]
    return described


def _text(action: Action, channel: str) -> Json:
    runs = list(_text_runs(action.text, channel))
    if isinstance(action, Say) and action.reply_to is not None:
        runs.insert(0, {"text": f"{_handle(action.reply_to.author)} "})
    return {"message": {"runs": runs}}


def _text_runs(text: Text, channel: str) -> Iterator[Json]:
    for piece in text:
        if isinstance(piece, Mood):
            yield {"emoji": _custom_emoji(piece, channel)}
            continue
        for part in _EMOJI_IN_TEXT.split(piece):
            if part in _EMOJI:
                yield {"emoji": _standard_emoji(part)}
            elif part:
                yield {"text": part}


def _custom_emoji(mood: Mood, channel: str) -> Json:
    thumbnails = [
        {
            "url": f"https://yt3.ggpht.com/{mood.value}=w{size}-h{size}-c-k",
            "width": size,
            "height": size,
        }
        for size in (24, 48)
    ]
    label = {"accessibilityData": {"label": mood.value}}
    return {
        "emojiId": f"{channel_id(channel)}/{mood.value}",
        "shortcuts": [f":_{mood.value}:", f":{mood.value}:"],
        "searchTerms": [mood.value],
        "image": {"thumbnails": thumbnails, "accessibility": label},
        "isCustomEmoji": True,
    }


def _standard_emoji(character: str) -> Json:
    url = f"{_EMOJI_PICTURES}/emoji_u{ord(character):x}.svg"
    label = {"accessibilityData": {"label": character}}
    return {
        "emojiId": character,
        "shortcuts": [_EMOJI[character]],
        "image": {"thumbnails": [{"url": url}], "accessibility": label},
    }


def _paid(pay: Pay, channel: str, common: Json) -> Iterator[Json]:
    cents = max(100, pay.amount)
    written, per_dollar = _CURRENCIES[int(pay.id[0], 16) % len(_CURRENCIES)]
    header, body = next((h, b) for least, h, b in _TIERS if cents >= least)
    amount = {"purchaseAmountText": {"simpleText": written.format(cents / 100 * per_dollar)}}
    if pay.id[1] in "0123":
        url = "//lh3.googleusercontent.com/sticker"
        sticker = {
            "thumbnails": [
                {"url": f"{url}=s{size}", "width": size, "height": size} for size in (40, 80)
            ],
            "accessibility": {"accessibilityData": {"label": "A hippo waves with both hands"}},
        }
        colors = {"backgroundColor": body, "moneyChipBackgroundColor": header}
        name, item = (
            "liveChatPaidStickerRenderer",
            {**common, **amount, **colors, "sticker": sticker},
        )
    else:
        colors = {"headerBackgroundColor": header, "bodyBackgroundColor": body}
        name, item = (
            "liveChatPaidMessageRenderer",
            {**common, **amount, **colors, **_text(pay, channel)},
        )
    yield _item(name, item)
    ticker = {
        "id": common["id"],
        "durationSec": 60,
        "fullDurationSec": "60",
        "showItemEndpoint": {"showLiveChatItemEndpoint": {"renderer": {name: item}}},
    }
    yield {
        "addLiveChatTickerItemAction": {
            "item": {"liveChatTickerPaidMessageItemRenderer": ticker},
            "durationSec": "60",
        }
    }


def _membership(joined: Subscribe, channel: str) -> Json:
    if joined.months == 1:
        return {"headerSubtext": _runs("Welcome to ", f"{channel} club", "!")}
    milestone: Json = {
        "headerPrimaryText": _runs("Member for ", str(joined.months), " months"),
        "headerSubtext": {"simpleText": f"{channel} club"},
    }
    return {**milestone, **(_text(joined, channel) if joined.text else {"empty": True})}


def _purchase(shower: GiftShower, channel: str) -> Json:
    giver = shower.author or _SOMEBODY
    described = _author(giver, channel)
    header = {
        **{key: value for key, value in described.items() if key != "authorExternalChannelId"},
        "primaryText": _runs("Sent ", str(shower.count), " ", channel, " gift memberships"),
        "image": {"thumbnails": [{"url": "https://www.gstatic.com/youtube/img/gift.png"}]},
    }
    return {
        "authorExternalChannelId": described["authorExternalChannelId"],
        "header": {"liveChatSponsorshipsHeaderRenderer": header},
    }


def _jewels(gift: Gift) -> Json:
    """A gift without channel id and time; the handle is followed by a space."""
    return {
        "id": item_id(gift),
        "text": {"content": f"sent Gold coin for {gift.total} Jewels"},
        "authorName": {"content": f"{_handle(gift.author or _SOMEBODY)} "},
        "giftImage": {"sources": [{"url": "https://www.gstatic.com/youtube/img/coin.png"}]},
    }


def _redirect(raid: Raid) -> Json:
    learn_more = {"urlEndpoint": {"url": "https://support.google.com/youtube"}}
    return {
        "bannerMessage": _runs(
            _bold(_handle(raid.author)), " and their viewers just joined. Say hello!"
        ),
        "authorPhoto": _author(raid.author, "")["authorPhoto"],
        "inlineActionButton": {"buttonRenderer": {"command": learn_more}},
    }


def _runs(*parts: str | Json) -> Json:
    return {"runs": [{"text": part} if isinstance(part, str) else part for part in parts]}


def _bold(text: str) -> Json:
    return {"text": text, "bold": True}
