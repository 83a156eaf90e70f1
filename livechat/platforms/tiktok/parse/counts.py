# SPDX-License-Identifier: MIT
"""What of a batch was not passed on, by name: unknown or unreadable, or left out on purpose."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

#: Messages that are known and have no kind of event: battles and guests, shop, ranks, games,
#: pictures and panels of the player.  Each was recorded in 2023 or 2026.
LEFT_OUT: Final = frozenset(
    {
        "LinkMicMethod",
        "WebcastAccessRecallMessage",
        "WebcastAnchorToolModificationMessage",
        "WebcastBALeadGenMessage",
        "WebcastBottomMessage",
        "WebcastCapsuleMessage",
        "WebcastCaptionMessage",
        "WebcastDonationStickerModifyMethod",
        "WebcastEcShortItemRefreshMessage",
        "WebcastEcTaskRegisterMessage",
        "WebcastEnvelopePortalMessage",
        "WebcastGiftBroadcastMessage",
        "WebcastGiftCollectionUpdateMessage",
        "WebcastGiftDynamicRestrictionMessage",
        "WebcastGiftPanelUpdateMessage",
        "WebcastGoodyBagMessage",
        "WebcastHashtagMessage",
        "WebcastHourlyRankMessage",
        "WebcastHourlyRankRewardMessage",
        "WebcastInRoomBannerMessage",
        "WebcastInRoomBannerRefreshMessage",
        "WebcastLinkLayerMessage",
        "WebcastLinkMessage",
        "WebcastLinkMicAnchorGuideMessage",
        "WebcastLinkMicArmies",
        "WebcastLinkMicBattle",
        "WebcastLinkMicBattleItemCard",
        "WebcastLinkMicBattlePunishFinish",
        "WebcastLinkMicFanTicketMethod",
        "WebcastLinkMicLayoutStateMessage",
        "WebcastLinkMicMethod",
        "WebcastLinkScreenChangeMessage",
        "WebcastLinkmicBattleNoticeMessage",
        "WebcastLinkmicBattleTaskMessage",
        "WebcastMarqueeAnnouncementMessage",
        "WebcastMsgDetectMessage",
        "WebcastOecLiveShoppingMessage",
        "WebcastPaidContentLiveShoppingMessage",
        "WebcastPartnershipCardChangeMessage",
        "WebcastPartnershipDownloadCountMessage",
        "WebcastPartnershipDropsUpdateMessage",
        "WebcastPerceptionMessage",
        "WebcastPictionaryEndMessage",
        "WebcastPictionaryExitMessage",
        "WebcastPictionaryStartMessage",
        "WebcastPictionaryUpdateMessage",
        "WebcastQuestionDeleteMessage",
        "WebcastQuestionSelectedMessage",
        "WebcastQuestionSlideDownMessage",
        "WebcastQuestionSwitchMessage",
        "WebcastRankTextMessage",
        "WebcastRankUpdateMessage",
        "WebcastRoomNotifyMessage",
        "WebcastRoomStickerMessage",
        "WebcastRoomVerifyMessage",
        "WebcastSubPinEventMessage",
        "WebcastSubTimerStickerMessage",
        "WebcastSubWaveMessage",
        "WebcastSubscriptionGuideMessage",
        "WebcastUpdateShareRevenueNoticeMessage",
        "WebcastWeeklyRankRewardMessage",
    }
)


class Counts(Struct):
    """Counts by name.

    :ivar unparsed: what is unknown or could not be read: a method, `METHOD unreadable`,
        `MESSAGE.FIELDNUMBER` or `MESSAGE.FIELD=VALUE`.
    :ivar ignored: what is known and left out on purpose: a method, or a method and what of it.
    """

    unparsed: dict[str, int] = {}
    ignored: dict[str, int] = {}

    def unknown(self, name: str) -> None:
        """Something unknown or unreadable."""
        self.unparsed[name] = self.unparsed.get(name, 0) + 1

    def leave_out(self, name: str) -> None:
        """Something known that is not passed on."""
        self.ignored[name] = self.ignored.get(name, 0) + 1
