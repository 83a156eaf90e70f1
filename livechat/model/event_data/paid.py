# SPDX-License-Identifier: MIT
"""Events about what is paid or given."""

from __future__ import annotations

from typing import ClassVar, Literal

from msgspec import UNSET, Struct, UnsetType

from livechat.model.event_data.parts import EventData, Person, Price


class Donation(EventData, frozen=True, kw_only=True):
    """A donation to charity.

    :ivar charity: its name; null where it is not told.
    :ivar price: what was given.
    """

    kind: ClassVar[str] = "donation"

    charity: str | UnsetType | None = UNSET
    price: Price | None = None


class Gift(EventData, frozen=True, kw_only=True):
    """A gift: a subscription or membership for others, or a virtual gift of the platform.

    :ivar gift_type: `subscription` for subscriptions and memberships, `virtual` for all else.
    :ivar recipient: who got it; null where it is not told, or where it was for many.
    :ivar count: how many; null where it is not told.
    :ivar name: what the platform calls it.
    :ivar image_url: its picture; null where there is none.
    :ivar price: of all together; null where it is not told.
    :ivar months: how many months were given.
    :ivar tier: of the subscription, by the platform's name.
    :ivar tier_name: the channel's own name of that tier.
    :ivar gift_id: equal for the parts of one large gift.
    :ivar total: how many this user has ever given here.
    :ivar item_id: the platform's id of the thing that was given.
    :ivar recipient_months: for how many months the recipient has subscribed, all together.
    :ivar domain: which event of the platform the reward belongs to.
    :ivar trigger: what set the reward off.
    :ivar trigger_amount: how much of it.
    :ivar total_count: how many rewards there were in all.
    """

    kind: ClassVar[str] = "gift"

    gift_type: Literal["subscription", "virtual"]
    recipient: Person | UnsetType | None = UNSET
    count: int | None = None
    name: str | UnsetType | None = UNSET
    image_url: str | UnsetType | None = UNSET
    price: Price | None = None
    months: int | UnsetType = UNSET
    tier: str | UnsetType | None = UNSET
    tier_name: str | UnsetType = UNSET
    gift_id: str | UnsetType = UNSET
    total: int | UnsetType = UNSET
    item_id: str | UnsetType = UNSET
    recipient_months: int | UnsetType = UNSET
    domain: str | UnsetType = UNSET
    trigger: str | UnsetType = UNSET
    trigger_amount: int | UnsetType = UNSET
    total_count: int | UnsetType = UNSET


class GoalPart(Struct, frozen=True):
    """One part of a goal.

    :ivar item_id: the platform's id of what is collected.
    :ivar name: what the platform calls it.
    :ivar image_url: its picture; null where there is none.
    :ivar progress: how many there are.
    :ivar target: how many it takes.
    """

    item_id: str
    name: str
    image_url: str | None
    progress: int
    target: int


class Goal(EventData, frozen=True, kw_only=True):
    """A goal of the stream, and how far it is; `user` is who brought it further.

    :ivar goal_id: the platform's id of the goal.
    :ivar progress: how far it is; null where it is not told.
    :ivar target: what is to be reached; null where it is not told.
    :ivar unit: what is counted; null where it is not told.
    :ivar parts: what it consists of.
    """

    kind: ClassVar[str] = "goal"

    goal_id: str
    progress: int | UnsetType | None = UNSET
    target: int | UnsetType | None = UNSET
    unit: str | UnsetType | None = UNSET
    parts: list[GoalPart] | UnsetType = UNSET


class Subscription(EventData, frozen=True, kw_only=True):
    """A paid subscription or membership began, went on, was upgraded or reached a milestone.

    :ivar status: which of these.
    :ivar months: all together; null where it is not told.
    :ivar streak_months: without a break.
    :ivar tier: by the platform's name: `Prime`, `1000`, a membership level, `super fan`; null where
        it is not told.
    :ivar tier_name: the channel's own name of that tier.
    :ivar gifted: it was a present.
    :ivar gifter: who gave it, or gave the one before; null where they hide.
    :ivar recipient: whom the subscriber gives one in turn; null where it is not told.
    :ivar duration_months: for how many months it was bought at once.
    :ivar tenure_months: how many of those have passed.
    :ivar gift_months: for how many months it was given.
    :ivar gift_month: which of those begins.
    :ivar end_month: the month of the year in which it ends.
    :ivar promotion: the offer under which it was bought.
    :ivar promotion_total: how many subscriptions were given under that offer.
    """

    kind: ClassVar[str] = "subscription"

    status: Literal["new", "renewed", "upgraded", "milestone"]
    months: int | None = None
    streak_months: int | UnsetType = UNSET
    tier: str | None = None
    tier_name: str | UnsetType = UNSET
    gifted: bool | UnsetType = UNSET
    gifter: Person | UnsetType | None = UNSET
    recipient: Person | UnsetType | None = UNSET
    duration_months: int | UnsetType = UNSET
    tenure_months: int | UnsetType = UNSET
    gift_months: int | UnsetType = UNSET
    gift_month: int | UnsetType = UNSET
    end_month: int | UnsetType = UNSET
    promotion: str | UnsetType = UNSET
    promotion_total: int | UnsetType = UNSET
