# SPDX-License-Identifier: MIT
"""Every kind of event on the pages, from the fields that all platforms share."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from livechat.model.event_data import KINDS
from tests.support.browser import BrowserCase, Visit, expect
from tests.support.examples import examples
from tests.support.played_daemon import PlayedDaemon, chat, event

ANN: dict[str, Any] = {"id": "7", "username": "ann", "display_name": "Ann"}
BEN: dict[str, Any] = {"id": None, "username": "ben", "display_name": None}

#: What a page shows by mistake where a field is not there.
HOLES = re.compile(r"\b(null|undefined|NaN|Invalid Date|true|false)\b|\[object")

#: Events and what is said about them; nothing where there is no line.
SENTENCES: list[tuple[str, dict[str, Any], str | None]] = [
    ("subscription", {"user": ANN, "status": "new", "tier": "1000"}, "Ann subscribed"),
    (
        "subscription",
        {"user": ANN, "status": "new", "gifted": True, "gifter": BEN, "tier": "super fan"},
        "Ann was given a subscription by ben (super fan)",
    ),
    (
        "subscription",
        {"user": ANN, "status": "renewed", "months": 14, "tier": "Prime"},
        "Ann subscribed again (Prime), 14 months",
    ),
    (
        "subscription",
        {"user": ANN, "status": "milestone", "months": 24, "tier": None},
        "Ann has been subscribed for 24 months",
    ),
    ("subscription", {"user": ANN, "status": "upgraded"}, "Ann upgraded the subscription"),
    (
        "subscription",
        {"user": ANN, "status": "renewed", "recipient": None},
        "Ann passes the gift on to the chat",
    ),
    (
        "gift",
        {"user": ANN, "gift_type": "subscription", "count": 2, "gift_id": "g", "tier": "1000"},
        "Ann gave 2 subscriptions",
    ),
    ("gift", {"user": ANN, "gift_type": "subscription", "recipient": BEN, "gift_id": "g"}, None),
    ("gift", {"user": ANN, "gift_type": "subscription", "recipient": BEN, "gift_id": "g"}, None),
    (
        "gift",
        {"user": ANN, "gift_type": "subscription", "recipient": BEN, "months": 6, "gift_id": "g"},
        "Ann gave ben a subscription for 6 months",
    ),
    (
        "gift",
        {"user": None, "gift_type": "subscription", "recipient": None, "count": None},
        "Somebody gave subscriptions",
    ),
    (
        "gift",
        {
            "user": ANN,
            "gift_type": "virtual",
            "name": "Rose",
            "count": 10,
            "price": {"value": 10, "currency": "DIAMONDS", "formatted": None},
        },
        "Ann sent Rose \u00d7 10 (10 diamonds)",
    ),
    (
        "gift",
        {"user": ANN, "gift_type": "virtual", "name": None, "count": None, "price": None},
        "Ann sent a gift",
    ),
    (
        "donation",
        {
            "user": ANN,
            "charity": "Trees",
            "price": {"value": 5, "currency": "EUR", "formatted": "€5"},
        },
        "Ann donated €5 to Trees",
    ),
    ("raid", {"direction": "incoming", "user": ANN, "viewers": 5}, "Ann is raiding with 5 viewers"),
    ("raid", {"direction": "outgoing", "user": ANN, "viewers": None}, "The raid goes to Ann"),
    ("raid", {"direction": "cancelled", "user": None}, "The raid was called off"),
    ("deletion", {"scope": "chat"}, "A moderator cleared the chat"),
    ("deletion", {"scope": "message", "message_id": "gone"}, None),
    ("timeout", {"user": ANN, "seconds": None}, None),
    ("announcement", {"color": "BLUE", "text": "be kind"}, "Announcement: be kind"),
    (
        "milestone",
        {"user": ANN, "category": "watch_streak", "value": 5},
        "Ann has watched 5 streams in a row",
    ),
    (
        "milestone",
        {"user": ANN, "category": "fan_level", "value": None},
        "Ann reached a milestone",
    ),
    ("follow", {"user": ANN, "count": 7}, "Ann follows the channel"),
    (
        "poll",
        {
            "status": "opened",
            "poll_id": "p",
            "question": "Tea?",
            "choices": [
                {"text": "yes", "votes": None, "ratio": None},
                {"text": "no", "votes": 0, "ratio": None},
            ],
        },
        "Poll: Tea? (yes, no)",
    ),
    ("poll", {"status": "updated", "poll_id": "p", "question": "Tea?"}, None),
    (
        "poll",
        {
            "status": "closed",
            "poll_id": "p",
            "question": None,
            "choices": [{"text": "yes", "votes": 3, "ratio": 0.75}],
        },
        "Poll closed (yes 75 %)",
    ),
    ("question", {"status": "asked", "user": ANN, "text": "Why?"}, "Question of Ann: Why?"),
    ("question", {"status": "answered", "text": "Why?"}, "Question answered: Why?"),
    (
        "pin",
        {"status": "pinned", "pin_id": "p", "author": ANN, "content": {"raw": "read this"}},
        "Pinned: Ann: read this",
    ),
    ("pin", {"status": "unpinned", "pin_id": "p"}, "The pinned message was taken down"),
    (
        "goal",
        {"goal_id": "g", "progress": 5, "target": 10, "unit": None, "text": "Cake"},
        "Goal: Cake: 5 of 10",
    ),
    ("stream", {"status": "paused"}, "The stream is paused"),
    ("stream", {"status": "live", "title": "Cake", "category": "Food"}, "is live: Cake · Food"),
    (
        "gap",
        {
            "from": "2026-01-02T03:04:05.678Z",
            "to": "2026-01-02T03:05:00.000Z",
            "reason": "upstream",
            "filled": False,
        },
        "Part of the chat is missing (03:04:05\u201303:05:00)",
    ),
    ("gap", {"from": "x", "to": "y", "reason": "upstream", "filled": True}, None),
    ("notice", {"platform_kind": "something_new", "params": {"a": "b"}}, "Notice: something new"),
    ("notice", {"platform_kind": "something_new", "text": "Look"}, "Look"),
]


def every_event() -> list[dict[str, Any]]:
    """Each kind with as little and with as much as it may have, as messages."""
    return [
        event(kind, **msgspec.to_builtins(one))
        for kind, data in KINDS.items()
        for one in examples(data)
    ]


class EventTests(BrowserCase):
    """Both pages, with a daemon whose answers the test plays."""

    options = ("--linger=0",)

    async def test_same_words_for_all_platforms(self) -> None:
        """The test page has one sentence for an event, whichever platform it is from."""

        def work(visit: Visit) -> None:
            page = visit.page
            for platform in ("twitch", "youtube", "tiktok"):
                daemon = PlayedDaemon(page)
                page.goto(self.url(f"/test?platform={platform}&identifier=ann"))
                daemon.greet()
                for kind, data, _ in SENTENCES:
                    message = event(kind, **data)
                    message["data"]["platform"] = platform
                    daemon.say(message)
                said = [sentence for _, _, sentence in SENTENCES if sentence]
                lines = page.locator(".row.event .body > span")
                expect(lines).to_have_count(len(said))
                for sentence, shown in zip(said, lines.all_inner_texts(), strict=True):
                    self.assertTrue(shown == sentence or "is live" in sentence, (shown, sentence))

        await self.visit(work, locale="en-US", timezone_id="UTC")

    async def test_overlay(self) -> None:
        """The overlay says what is worth it on a stream; `show=events` adds the other kinds."""

        def work(visit: Visit) -> None:
            page = visit.page
            few = ("subscription", "gift", "donation", "raid", "follow", "gap")
            for show, kinds in (("", few), ("&show=events", tuple(KINDS))):
                daemon = PlayedDaemon(page)
                page.goto(self.url(f"/overlay?platform=twitch&identifier=ann&max=200{show}"))
                daemon.greet()
                daemon.say(event("like", user=ANN, count=5), event("viewers", viewers=5))
                daemon.say(*(event(kind, **data) for kind, data, _ in SENTENCES))
                said = [text for kind, _, text in SENTENCES if text and kind in kinds]
                lines = page.locator(".line.event bdi")
                expect(lines).to_have_count(len(said))
                self.assertEqual(lines.all_inner_texts()[:2], said[:2])
                self.assertEqual(page.locator(".line[data-kind=gap]").count(), 1)

        await self.visit(work, locale="en-US", timezone_id="UTC")

    async def test_no_holes(self) -> None:
        """Whatever a kind may leave out, no page shows `null` or `undefined` in its place."""
        messages = every_event()

        def work(visit: Visit) -> None:
            page = visit.page
            for path in ("/test?", "/overlay?max=200&show=events,time,avatars&"):
                daemon = PlayedDaemon(page)
                page.goto(self.url(f"{path}platform=twitch&identifier=ann"))
                daemon.greet()
                for start in range(0, len(messages), 100):
                    part = messages[start : start + 100]
                    daemon.say(*part, chat(f"so far {start}", username="nobody"))
                    page.get_by_text(f"so far {start}", exact=True).wait_for()
                    shown = page.locator("body").inner_text()
                    self.assertNotRegex(shown, HOLES)
                    self.assertGreater(page.locator(".event").count(), 20)

        await self.visit(work)

    async def test_moderation(self) -> None:
        """Who was timed out is known by `user`; a deleted message by its id, a chat as a whole."""

        def work(visit: Visit) -> None:
            page = visit.page
            for path, gone in (("/test", ".row.gone .text"), ("/overlay", None)):
                daemon = PlayedDaemon(page)
                page.goto(self.url(f"{path}?platform=youtube&identifier=ann"))
                daemon.greet()
                for number, (author, login) in enumerate((("1", "a"), ("2", "b"), ("3", "c")), 1):
                    daemon.say(chat(f"text {number}", id=author, username=login, message_id=login))
                texts = page.locator(".text")
                expect(texts).to_have_count(3)
                steps: list[tuple[str, dict[str, Any]]] = [
                    ("timeout", {"user": {**ANN, "id": "1", "username": None}, "seconds": 600}),
                    ("deletion", {"scope": "message", "message_id": "b"}),
                    ("timeout", {"user": {**ANN, "id": None, "username": "nobody"}}),
                    ("timeout", {"user": None, "seconds": None}),
                    ("deletion", {"scope": "chat"}),
                ]
                for (kind, data), count in zip(steps, (1, 2, 2, 2, 3), strict=True):
                    daemon.say(event(kind, **data))
                    if gone:
                        expect(page.locator(gone)).to_have_count(count)
                    else:
                        expect(texts).to_have_count(3 - count)
                if gone:
                    expect(page.locator(".gone-tag").first).to_have_text("timed out 10 min")

        await self.visit(work)

    async def test_rules_of_the_chat(self) -> None:
        """The test page says the rules that hold, and none where there are none."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            off = {"emote_only": False, "subscribers_only": None, "unique": False}
            daemon.say(event("room", **off, followers_only=10, slow=30))
            rules = page.locator("#rules")
            expect(rules).to_have_text("followers of 10 min, slow (30 s)")
            daemon.say(event("room", **off, followers_only=None, slow=0))
            expect(rules).to_be_hidden()

        await self.visit(work)


class DemonstrationTests(BrowserCase):
    """What the daemon really makes of three platforms that are played."""

    # Every kind comes soon, and no line is gone before it can be looked at.
    options = ("--demo", "--demo-seed=3", "--demo-rate=60")

    async def test_every_platform(self) -> None:
        """Gifts and subscriptions of all three name who it was, and no line has a hole."""

        def work(visit: Visit) -> None:
            page = visit.page
            for platform in ("twitch", "youtube", "tiktok"):
                page.goto(self.url(f"/test?platform={platform}&identifier=kitchen"))
                for kind in ("gift", "subscription"):
                    lines = page.locator(f"[data-kind={kind}]")
                    lines.filter(has_not_text="Somebody").first.wait_for()
                    said = page.locator(".row.event .body > span, .occasion").all_inner_texts()
                    self.assertNotRegex("\n".join(said), HOLES)

        await self.visit(work)
