# SPDX-License-Identifier: MIT
"""What is known of the inside of items: whatever YouTube adds to them is seen on the first day.

A reader takes from an item what it knows and does not notice anything else.  So the keys of every
item that is read, and the kinds of links, badges and icons in it, are compared with those that
recorded data or two readers of others have shown.  Known keys without use for a reader of the chat
(menus, colours, tracking) stand here too and are not counted.  The others are counted by the name
of what they lie in: `liveChatTextMessageRenderer.newKey`, `navigationEndpoint.newEndpoint`,
`liveChatAuthorBadgeRenderer.iconType=NEW`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from livechat.platforms.youtube.parse.innertube import Json

Counts = dict[str, int]

_MAX_NAME: Final = 128
#: How many names one answer may bring; what is beyond is counted as `other`.
_MAX_NAMES: Final = 200


def count(counts: Counts, name: str) -> None:
    """Count something under its name, which is cut where it is too long to be one."""
    name = name[:_MAX_NAME] or "unnamed"
    if name not in counts and len(counts) >= _MAX_NAMES:
        name = "other"
    counts[name] = counts.get(name, 0) + 1


class Part:
    """An object, or a list of them: its known keys, and those of what lies in it.

    :param name: what its unknown keys are counted under.
    :param keys: known keys, parted by blanks.
    :param inner: parts that lie in it, by key; the keys are known too.
    :param values: known values of keys whose values are names; the keys are known too.
    """

    __slots__ = ("_inner", "_keys", "_name", "_values")

    def __init__(
        self,
        name: str,
        keys: str = "",
        inner: Mapping[str, Part] | None = None,
        values: Mapping[str, str] | None = None,
    ) -> None:
        inner, values = inner or {}, values or {}
        self._name = name
        self._inner = tuple(inner.items())
        self._values = tuple((key, frozenset(known.split())) for key, known in values.items())
        self._keys = frozenset([*keys.split(), *inner, *values, *_TRACKING])

    def count_unknown(self, node: Json, counts: Counts) -> None:
        """Count what is unknown in it."""
        if type(node) is dict:
            # All keys at once: with nearly every object that is all there is to do.
            if not self._keys.issuperset(node):
                for key in node.keys() - self._keys:
                    count(counts, f"{self._name}.{key}")
            for key, part in self._inner:
                if key in node:
                    part.count_unknown(node[key], counts)
            for key, known in self._values:
                value = node.get(key)
                if isinstance(value, str) and value not in known:
                    count(counts, f"{self._name}.{key}={value}")
        elif type(node) is list:
            for child in node:
                # Most have nothing but a text.
                if type(child) is dict and not (len(child) == 1 and "text" in child):
                    self.count_unknown(child, counts)


_TRACKING: Final = ("clickTrackingParams", "trackingParams")

#: Where a link leads; `commandMetadata` has the same as an address.
_LINK: Final = Part(
    "navigationEndpoint",
    "commandMetadata urlEndpoint watchEndpoint browseEndpoint reelWatchEndpoint",
)
_EMOJI: Final = Part(
    "emoji", "emojiId shortcuts searchTerms image isCustomEmoji supportsSkinTone variantIds"
)
_RUN: Final = Part(
    "run",
    "text bold italics strikethrough deemphasize textColor fontFace",
    {"emoji": _EMOJI, "navigationEndpoint": _LINK},
)
_TEXT: Final = Part("text", "simpleText accessibility content styleRuns", {"runs": _RUN})

_BADGE: Final = Part(
    "liveChatAuthorBadgeRenderer",
    "customThumbnail tooltip accessibility",
    {"icon": Part("liveChatAuthorBadgeRenderer", values={"iconType": "OWNER MODERATOR VERIFIED"})},
)
_BADGES: Final = Part("authorBadges", inner={"liveChatAuthorBadgeRenderer": _BADGE})

#: A rank with its crown, or in an answer to a super chat the name of the other.
_BUTTON: Final = Part(
    "buttonViewModel",
    "title titleFormatted onTap accessibilityText style isFullWidth type buttonSize"
    " customBackgroundColor customFontColor state tooltip loggingDirectives",
    values={"iconName": "CROWN"},
)
_BUTTONS: Final = Part("beforeContentButtons", inner={"buttonViewModel": _BUTTON})

_COMMON: Final = "id timestampUsec timestampText contextMenuEndpoint contextMenuAccessibility"
_PERSON: Final = f"{_COMMON} authorExternalChannelId authorName authorPhoto"
_WHO: Final = {"authorBadges": _BADGES, "beforeContentButtons": _BUTTONS}
_PAID: Final = (
    f"{_PERSON} purchaseAmountText authorNameTextColor isV2Style headerOverlayImage lowerBumper"
    " leaderboardBadge pdgPurchasedNoveltyLoggingDirectives"
    # Buttons of somebody who is signed in.
    " creatorHeartButton replyButton pdgLikeButton buyButton"
)


def _icon(renderer: str, known: str) -> Part:
    return Part(renderer, values={"iconType": known})


_MODE: Final = "liveChatModeChangeMessageRenderer"
_ENGAGEMENT: Final = "liveChatViewerEngagementMessageRenderer"
_PURCHASE: Final = "liveChatSponsorshipsGiftPurchaseAnnouncementRenderer"
_REDEMPTION: Final = "liveChatSponsorshipsGiftRedemptionAnnouncementRenderer"
_GIFT_HEADER: Final = "liveChatSponsorshipsHeaderRenderer"
_GOAL: Final = "liveChatTickerCreatorGoalViewModel"

_POLL: Final = Part(
    "pollRenderer",
    "liveChatPollId authorExternalChannelId",
    {
        "choices": Part(
            "pollChoice", "signinEndpoint selectServiceEndpoint selected voteRatio votePercentage",
            {"text": _TEXT},
        ),
        "header": Part(
            "pollHeader",
            inner={
                "pollHeaderRenderer": Part(
                    "pollHeaderRenderer",
                    "thumbnail liveChatPollType contextMenuButton",
                    {"pollQuestion": _TEXT, "metadataText": _TEXT},
                )
            },
        ),
    },
)  # fmt: skip

#: What is named by its kind: chat items, and the contents of banners and panels.
_KINDS: Final = {
    "liveChatTextMessageRenderer": Part(
        "liveChatTextMessageRenderer", f"{_PERSON} replyButton", {**_WHO, "message": _TEXT}
    ),
    "liveChatPaidMessageRenderer": Part(
        "liveChatPaidMessageRenderer",
        f"{_PAID} headerBackgroundColor headerTextColor bodyBackgroundColor bodyTextColor"
        " timestampColor textInputBackgroundColor",
        {**_WHO, "message": _TEXT},
    ),
    "liveChatPaidStickerRenderer": Part(
        "liveChatPaidStickerRenderer",
        f"{_PAID} sticker moneyChipBackgroundColor moneyChipTextColor backgroundColor"
        " stickerDisplayWidth stickerDisplayHeight purchaseText backgroundGradient",
        _WHO,
    ),
    "liveChatMembershipItemRenderer": Part(
        "liveChatMembershipItemRenderer",
        f"{_PERSON} empty",
        {**_WHO, "headerPrimaryText": _TEXT, "headerSubtext": _TEXT, "message": _TEXT},
    ),
    "liveChatLegacyPaidMessageRenderer": Part(
        "liveChatLegacyPaidMessageRenderer", f"{_PERSON} eventText detailText", _WHO
    ),
    _PURCHASE: Part(
        _PURCHASE,
        f"{_PERSON} authorBadges optInPrompt",
        {
            "header": Part(
                "header",
                inner={
                    _GIFT_HEADER: Part(
                        _GIFT_HEADER,
                        "authorName authorPhoto image contextMenuEndpoint contextMenuAccessibility",
                        {"primaryText": _TEXT, "authorBadges": _BADGES},
                    )
                },
            )
        },
    ),
    _REDEMPTION: Part(_REDEMPTION, _PERSON, {**_WHO, "message": _TEXT}),
    "giftMessageViewModel": Part(
        "giftMessageViewModel",
        "id text authorName authorAvatar image imageA11yLabel giftImage giftImageA11yLabel"
        " rendererContext",
    ),
    "liveChatDonationAnnouncementRenderer": Part(
        "liveChatDonationAnnouncementRenderer", _PERSON, {"text": _TEXT, "subtext": _TEXT}
    ),
    _ENGAGEMENT: Part(
        _ENGAGEMENT,
        f"{_COMMON} actionButton",
        {"icon": _icon(_ENGAGEMENT, "YOUTUBE_ROUND POLL"), "message": _TEXT},
    ),
    _MODE: Part(
        _MODE,
        _COMMON,
        {
            "icon": _icon(_MODE, "SLOW_MODE MEMBERS_ONLY SUBSCRIBERS_ONLY QUESTION_ANSWER"),
            "text": _TEXT,
            "subtext": _TEXT,
        },
    ),
    "liveChatPurchasedProductMessageRenderer": Part(
        "liveChatPurchasedProductMessageRenderer", _PERSON, {"message": _TEXT}
    ),
    "liveChatBannerRedirectRenderer": Part(
        "liveChatBannerRedirectRenderer",
        "authorPhoto inlineActionButton bannerActionButton contextMenuButton rendererContext",
        {"bannerMessage": _TEXT},
    ),
    "liveChatCallForQuestionsRenderer": Part(
        "liveChatCallForQuestionsRenderer",
        "creatorAuthorName creatorAvatar featureLabel contentSeparator overflowMenuButton",
        {"questionMessage": _TEXT},
    ),
    "liveChatBannerChatSummaryRenderer": Part(
        "liveChatBannerChatSummaryRenderer",
        "liveChatSummaryId icon collapsedStateEntityKey likeFeedbackButton dislikeFeedbackButton",
        {"chatSummary": _TEXT},
    ),
    "liveChatProductItemRenderer": Part(
        "liveChatProductItemRenderer",
        "title accessibilityTitle thumbnail price vendorName fromVendorText onClickCommand"
        " informationButton informationDialog isVerified creatorMessage creatorName"
        " creatorCustomMessage creatorProfilePicture showOpenInNewIcon additionalFeesText",
    ),
    "pollRenderer": _POLL,
}

#: Parts of what is read, by the name that a reader is chosen by.
PARTS: Final = {
    **_KINDS,
    "updateLiveChatPollAction": Part(
        "updateLiveChatPollAction",
        inner={"pollToUpdate": Part("pollToUpdate", inner={"pollRenderer": _POLL})},
    ),
    "closeLiveChatActionPanelAction": Part(
        "closeLiveChatActionPanelAction", "targetPanelId skipOnDismissCommand"
    ),
    "removeBannerForLiveChatCommand": Part("removeBannerForLiveChatCommand", "targetActionId"),
    "removeChatItemAction": Part("removeChatItemAction", "targetItemId"),
    "removeChatItemByAuthorAction": Part("removeChatItemByAuthorAction", "externalChannelId"),
    "markChatItemAsDeletedAction": Part(
        "markChatItemAsDeletedAction",
        "targetItemId showOriginalContentMessage",
        {"deletedStateMessage": _TEXT},
    ),
    "markChatItemsByAuthorAsDeletedAction": Part(
        "markChatItemsByAuthorAsDeletedAction",
        "externalChannelId showOriginalContentMessage",
        {"deletedStateMessage": _TEXT},
    ),
    "showCreatorGoalTickerChipCommand": Part(
        "showCreatorGoalTickerChipCommand",
        inner={
            "creatorGoalTickerChip": Part(
                "creatorGoalTickerChip",
                inner={
                    _GOAL: Part(
                        _GOAL,
                        "id initialTickerText tickerIcon creatorGoalEntityKey a11yLabel"
                        " shouldShowCountIncrementAnimation onClickCommand loggingDirectives",
                    )
                },
            )
        },
    ),
}

#: Payloads of actions around what is named by its kind.
ADDED: Final = Part("addChatItemAction", "item clientId")
REPLACED: Final = Part("replaceChatItemAction", "targetItemId replacementItem clientId")
BANNERED: Final = Part("addBannerToLiveChatCommand", "bannerRenderer bannerProperties")
SHOWN: Final = Part("showLiveChatActionPanelAction", "panelToShow")

#: What holds what is named by its kind.
_CONTENTS: Final = {"contents": Part("contents", inner=_KINDS)}
BANNER: Final = Part(
    "liveChatBannerRenderer",
    "actionId targetId header viewerIsCreator isStackable bannerType backgroundType"
    " bannerProperties onCollapseCommand onExpandCommand",
    _CONTENTS,
)
PANEL: Final = Part("liveChatActionPanelRenderer", "id targetId header", _CONTENTS)

#: The chat in an answer, or on its page.
ANSWER: Final = Part(
    "liveChatContinuation",
    "continuations actions header isReplay ticker actionPanel itemList participantsList"
    " popoutMessage emojis clientMessages viewerName engagementPanel creatorGoalEntityKey"
    " initialDisplayState liveChatAdminSheetEntryPointEntityKey liveChatCurrentFilter showButton",
)
