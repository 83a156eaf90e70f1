# SPDX-License-Identifier: MIT
"""The test page by itself in a real browser: what it makes of whatever it is told."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from livechat.model.errors import ErrorCode
from tests.support.browser import BrowserCase, Visit, expect
from tests.support.played_daemon import PlayedDaemon, chat, event
from tests.test_browser import CONTRASTS, expect_status

#: What can be used and has no name that a screen reader could say.
NAMELESS = """() => [...document.querySelectorAll("button, a, input, select, summary, [tabindex]")]
  .filter((element) => element.checkVisibility())
  .filter(({ ariaLabel, labels, textContent }) =>
    !(ariaLabel || labels?.[0]?.textContent || textContent).trim())
  .map((element) => element.outerHTML)"""

#: Resolves with where the chat is scrolled to, once the scrolling has come to rest.
AT_REST = """() => new Promise((resolve) => {
  const scroller = document.querySelector("#scroller");
  let top = NaN;
  let since = 0;
  const look = (now) => {
    if (scroller.scrollTop !== top) [top, since] = [scroller.scrollTop, now];
    if (now - since < 300) requestAnimationFrame(look);
    else resolve(top);
  };
  requestAnimationFrame(look);
})"""

#: Colours that platforms give to what is paid, and the extremes.
PAID = (
    *("#1565C0", "#00B8D4", "#00BFA5", "#FFB300", "#E65100", "#C2185B", "#D00000"),
    *("#979797", "#9c3ee8", "#1db2a5", "#0099fe", "#f43021", "#FFFF00", "#000000", "#FFFFFF"),
)

BEN = {"id": "8", "username": "ben", "display_name": "Ben"}

#: Colours that people give to their names, the worst for reading among them.
NAMES = ("#0000FF", "#FF0000", "#00FF00", "#FFFFFF", "#000000", "#8A2BE2")


class PageTests(BrowserCase):
    """The page by itself, with a daemon whose answers the test plays."""

    async def test_super_chats_stickers_and_faces(self) -> None:
        """What YouTube pays with: colour and amount, sticker, avatar, badge picture, reply."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann&identifierType=channelId"))
            daemon.greet()
            self.assertEqual(
                daemon.heard,
                [
                    {
                        "type": "subscribe",
                        "platform": "youtube",
                        "identifier": "ann",
                        "identifierType": "channelId",
                        "events": True,
                        "history": 250,
                        "id": "chat-1",
                    }
                ],
            )
            money = {"amount": "10", "formatted": "€10.00", "color": "#FFCA28"}
            daemon.say(
                chat(
                    "take it",
                    type="super_chat",
                    monetary_data={**money, "value": 10, "currency": "EUR"},
                    avatar_url="https://pictures.example/ann.png",
                    badges=[
                        {
                            "type": "custom",
                            "label": "gold",
                            "image_url": "https://pictures.example/gold.png",
                            "title": "6-Month Subscriber",
                            "months": 8,
                        }
                    ],
                    sticker={"url": "https://pictures.example/hug.png", "alt": "a hug"},
                    reply={
                        "message_id": "x",
                        "user_id": "7",
                        "username": "ben",
                        "display_name": "Ben",
                        "text": "how much?",
                    },
                ),
                chat("and more", monetary_data={**money, "value": 5.5, "currency": "EUR"}),
                event("viewers", viewers=1234, total_viewers=5678),
                event("stream", status="changed", title="Cooking with Ann"),
                event("gift", gift_type="virtual", name="Rose", count=10, user=BEN),
            )
            row = page.locator(".row.paid").first
            expect(row.locator(".amount")).to_have_text("€10.00")
            self.assertEqual(
                row.locator(".amount").evaluate("(e) => getComputedStyle(e).backgroundColor"),
                "rgb(255, 202, 40)",
            )
            for picture in (".sticker", ".face", ".badge"):
                loaded = "(e) => e.decode().then(() => e.naturalWidth)"
                self.assertGreater(row.locator(picture).evaluate(loaded), 0, picture)
            badge = row.locator(".badge")
            expect(badge).to_have_attribute("alt", "6-Month Subscriber")
            expect(badge).to_have_attribute("title", "6-Month Subscriber (8 months)")
            expect(row.locator(".reply")).to_have_text("↩ Ben how much?")
            expect(page.locator("#money li")).to_have_text(re.compile(r"^€15\.502 .$"))
            expect(page.locator("#viewers")).to_have_text("1,234 watching")
            expect(page.locator("#channel")).to_contain_text("Cooking with Ann")
            expect(page.locator(".row.event").last).to_contain_text("Ben sent Rose \u00d7 10")
            expect(page.locator("#storage")).to_have_text("Redis")

        await self.visit(work, locale="en-US")

    async def test_every_colour_can_be_read(self) -> None:
        """Whatever colours people and platforms choose, all text keeps a contrast of 4.5 : 1."""
        money = {"amount": "1", "formatted": "$1", "value": 1, "currency": "USD"}
        reply = {"message_id": "x", "username": "ben", "display_name": "Ben", "text": "why?"}
        badges = [{"type": "custom", "label": "vip/1", "image_url": None}]
        roles = dict.fromkeys(("broadcaster", "moderator", "subscriber", "verified"), True)

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.greet()
            for paid, name in product(PAID, NAMES):
                paid_with = {**money, "color": paid}
                who: dict[str, Any] = {"color": name, "roles": roles, "badges": badges}
                daemon.say(chat("hello", monetary_data=paid_with, reply=reply, **who))
            expect(page.locator(".row")).to_have_count(len(PAID) * len(NAMES))
            faint = [(what, ratio) for what, ratio in page.evaluate(CONTRASTS) if ratio < 4.5]
            self.assertEqual(faint, [])

        for scheme in ("light", "dark"):
            await self.visit(work, color_scheme=scheme)

    async def test_sums_of_the_daemon(self) -> None:
        """Where the daemon keeps sums of money and counts of events, its own are shown."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.greet()
            paid = {"amount": "5", "formatted": "$5", "value": 5, "currency": "USD"}
            daemon.say(chat("here", monetary_data=paid), event("raid", text="a raid"))
            expect(page.locator("#money li")).to_contain_text("$5.00")
            expect(page.locator("#kinds li")).to_have_text("Raids 1")
            counts = {"uniqueUsers": [], "totalMessages": 12345, "uniqueUserCount": 6789}
            more = {"money": {"USD": 105.5, "BITS": 1}, "events": {"raid": 2, "gift": 7}}
            estimated = {"uniqueUserCountEstimated": True}
            daemon.say({"type": "stats", "data": {**counts, **more, **estimated}})
            expect(page.locator("#money li")).to_have_text(["$105.50", "1 bit"])
            expect(page.locator("#kinds li")).to_have_text(["Raids 2", "Gifts 7"])
            expect(page.locator("#total")).to_have_text("12,345")
            expect(page.locator("#unique")).to_have_text("≈ 6,789")

        await self.visit(work, locale="en-US")

    async def test_pictures_that_cannot_be_had(self) -> None:
        """A broken emote is its name, a broken avatar an initial, a broken badge its label."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.route(re.compile("gone"), lambda route: route.fulfill(status=404))
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.greet()
            gone = "https://pictures.example/gone.png"
            emote = f'<img class="emote" src="{gone}" alt="Kappa" title="Kappa">'
            daemon.say(
                chat(
                    html=f'<span class="text">so </span>{emote}',
                    avatar_url=f"{gone}?face",
                    badges=[{"type": "custom", "label": "vip/1", "image_url": f"{gone}?badge"}],
                )
            )
            expect(page.locator(".text")).to_have_text("so Kappa")
            expect(page.locator(".emote-text")).to_have_text("Kappa")
            expect(page.locator(".badge-text")).to_have_text("vip")
            expect(page.locator(".avatar")).to_have_text("A")
            expect(page.locator(".avatar img")).to_have_count(0)

        # The browser itself reports pictures that are not there.
        await self.browser.visit(work)

    async def test_every_code_in_words(self) -> None:
        """Each code of the contract has a sentence of its own, none shows a bare code as title."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            ending = [
                code
                for code in ErrorCode
                if code not in ("RATE_LIMITED", "NO_ACTIVE_CHAT", "INVALID_MESSAGE_TYPE")
            ]
            for code in ending:
                daemon.heard.clear()
                page.goto(self.url("/test?platform=youtube&identifier=ann"))
                refusal = {"type": "error", "error": "for programs", "code": code}
                daemon.say({**refusal, "platform": "youtube", "identifier": "ann"})
                expect(page.locator("#status-code")).to_have_text(code)
                title, text = page.locator("#status-title, #status-text").all_inner_texts()
                self.assertNotEqual(title, "Error", code)
                self.assertNotIn(code, title + text)
                self.assertNotIn("for programs", text, code)

        await self.visit(work)

    async def test_upcoming(self) -> None:
        """A stream that is announced says for when."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=youtube&identifier=ann"))
            daemon.say(
                {
                    "type": "error",
                    "error": "not live",
                    "code": "STREAM_NOT_LIVE",
                    "details": "UPCOMING",
                    "scheduledStart": "2026-01-02T18:30:00.000Z",
                }
            )
            expect(page.locator("#status-text")).to_have_text(
                re.compile(r"announced for Jan 2, 2026, 6:30.PM\.")
            )

        await self.visit(work, locale="en-US", timezone_id="UTC")

    async def test_passing_errors_leave_the_chat_alone(self) -> None:
        """A refused command is noted in the chat; the connection stays as it is."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet(live=True)
            daemon.say({"type": "error", "error": "slow down", "code": "RATE_LIMITED"}, chat("yes"))
            expect(page.locator(".row.event")).to_contain_text("RATE_LIMITED")
            expect(page.locator(".row .text")).to_have_text("yes")
            expect_status(page, "live", "Live")

        await self.visit(work)

    async def test_pasted_address(self) -> None:
        """A pasted URL chooses its platform; only for YouTube names a type is asked for."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            channel, kind = page.get_by_label("Channel"), page.get_by_label("What the text is")
            expect(kind).to_be_visible()
            for url, platform in (
                ("https://www.twitch.tv/ann", "twitch"),
                ("https://www.youtube.com/watch?v=abcdefghijk", "youtube"),
                ("tiktok.com/@ann/live", "tiktok"),
                ("https://youtu.be/abcdefghijk", "youtube"),
            ):
                channel.fill(url)
                expect(page.locator(".platforms input:checked")).to_have_value(platform)
                expect(kind).to_be_hidden()
            channel.fill("ann")
            expect(kind).to_be_visible()

        await self.visit(work)

    async def test_options(self) -> None:
        """Waiting, lives, hold and filter: from the address and from the form, by keyboard."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            options = "wait=1&hold=2.5&exclude_words=spoiler, the end,&exclude_prefixes=!"
            page.goto(self.url(f"/test?platform=youtube&identifier=ann&{options}"))
            [asked] = daemon.hears(1)
            self.assertIs(asked["wait"], True)
            self.assertEqual(asked["hold"], 2.5)
            without = {"exclude_words": ["spoiler", "the end"], "exclude_prefixes": ["!"]}
            self.assertEqual(asked["filter"], without)
            self.assertNotIn("lives", asked)
            expect(page.get_by_label("Without words")).to_be_visible()
            self.assertEqual(page.evaluate(NAMELESS), [])
            daemon.greet(live=True)
            expect(page.locator("#connect")).to_have_text("Reconnect")
            page.get_by_label("Without words").fill("")
            page.get_by_label("Without beginnings").fill("")
            page.get_by_label("Hold for").fill("")
            page.get_by_label("all its lives").focus()
            page.keyboard.press("Space")
            expect(page.locator("#connect")).to_have_text("Connect")
            page.get_by_label("Only from users").focus()
            page.keyboard.type("@Ben")
            page.keyboard.press("Enter")
            again = daemon.hears(2)[-1]
            self.assertEqual((again["wait"], again["lives"]), (True, "all"))
            self.assertEqual(again["filter"], {"only_users": ["@Ben"]})
            self.assertNotIn("hold", again)
            expect(page).to_have_url(re.compile(r"&wait=1&lives=all&only_users=%40Ben$"))
            about = {"type": "status", "platform": "youtube", "identifier": "ann"}
            daemon.greet(live=True)
            daemon.say({**about, "status": "ended", "liveId": "one"})
            expect(page.locator(".row.event")).to_contain_text("The live one is over")
            expect_status(page, "live", "Live")
            waiting = {**about, "status": "waiting", "details": "OFFLINE"}
            daemon.say({**about, "status": "ended", "liveId": "two"}, waiting)
            expect_status(page, "busy", "Waiting")
            page.goto(self.url("/test"))
            expect(page.get_by_label("Without words")).to_be_hidden()

        await self.visit(work)

    async def test_follows_unless_scrolled_up(self) -> None:
        """The newest message is in view; not so for a reader of old ones, until asked for."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            daemon.say(*(chat(f"message {n}") for n in range(60)))
            newest = page.get_by_role("button", name="↓")
            expect(page.get_by_text("message 59", exact=True)).to_be_in_viewport()
            expect(newest).to_be_hidden()
            page.locator("#scroller").hover()
            page.mouse.wheel(0, -600)
            expect(newest).to_be_visible()
            page.wait_for_function("() => document.querySelector('#scroller').scrollTop < 2200")
            top = page.evaluate(AT_REST)
            daemon.say(*(chat(f"message {n}") for n in range(60, 75)))
            expect(newest).to_have_text("↓ 15 new")
            self.assertEqual(
                page.evaluate("() => document.querySelector('#scroller').scrollTop"), top
            )
            newest.click()
            expect(page.get_by_text("message 74", exact=True)).to_be_in_viewport()
            expect(newest).to_be_hidden()

        await self.visit(work)

    async def test_keeps_so_many_rows(self) -> None:
        """However much is said, the page holds at most 250 rows, the newest ones."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            for start in range(0, 1200, 300):
                daemon.say(*(chat(f"message {n}") for n in range(start, start + 300)))
            expect(page.get_by_text("message 1199", exact=True)).to_be_in_viewport()
            self.assertEqual(page.locator(".row").count(), 250)
            expect(page.locator(".row .text").first).to_have_text("message 950")

        await self.visit(work)

    async def test_raw_frames(self) -> None:
        """The panel shows what crossed the wire, by kind, and copies it as JSON."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            message = chat("copy me")
            daemon.say(message, event("raid", text="a raid"))
            page.locator("#frames summary").click()
            kinds = page.locator("#frame-list .kind")
            expect(kinds).to_have_text(
                ["subscribe", "status subscribed", "status started", "chat", "event raid"]
            )
            page.get_by_label("Show").select_option("chat")
            expect(kinds).to_have_text(["chat"])
            page.locator("#frame-list button").click()
            page.get_by_role("button", name="Copy JSON").click()
            expect(page.get_by_role("button", name="Copied")).to_be_visible()
            copied = page.evaluate("async () => JSON.parse(await navigator.clipboard.readText())")
            self.assertEqual(copied, {"platform": "twitch", "identifier": "ann", **message})

        await self.visit(work, permissions=["clipboard-read", "clipboard-write"])

    async def test_keyboard_and_names(self) -> None:
        """The keyboard alone reaches everything, and everything has a name for the ear."""

        def work(visit: Visit) -> None:
            page = visit.page
            page.goto(self.url("/test"))
            page.keyboard.press("Escape")
            page.locator("h1").click()
            page.keyboard.press("/")
            expect(page.get_by_label("Channel")).to_be_focused()
            page.keyboard.type("kitchen")
            page.keyboard.press("Shift+Tab")
            page.keyboard.press("ArrowRight")
            expect(page.locator(".platforms input:checked")).to_have_value("twitch")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            expect_status(page, "live", "Live")
            self.assertEqual(page.evaluate(NAMELESS), [])
            self.assertEqual(page.get_by_role("log").count(), 1)
            self.assertEqual(page.get_by_role("status").count(), 1)

        await self.visit(work)

    async def test_theme_is_kept(self) -> None:
        """The colours go round, and a reload keeps the choice."""

        def work(visit: Visit) -> None:
            page = visit.page
            ground = "() => getComputedStyle(document.body).backgroundColor"
            page.goto(self.url("/test"))
            light = page.evaluate(ground)
            button = page.get_by_role("button", name="Colours")
            button.click()
            self.assertEqual(page.evaluate(ground), light)
            button.click()
            dark = page.evaluate(ground)
            self.assertNotEqual(dark, light)
            page.reload()
            self.assertEqual(page.evaluate(ground), dark)

        await self.visit(work, color_scheme="light")

    async def test_unknown_things_do_no_harm(self) -> None:
        """Messages of tomorrow's daemon, and broken ones, cost themselves only."""

        def work(visit: Visit) -> None:
            page = visit.page
            daemon = PlayedDaemon(page)
            page.goto(self.url("/test?platform=twitch&identifier=ann"))
            daemon.greet()
            odd: list[Any] = [{}, [], None, 5, "text", {"type": "new"}, {"type": "chat"}]
            odd += [{"type": kind, "data": {}} for kind in ("chat", "event", "stats")]
            odd += [{"type": kind, "data": None} for kind in ("chat", "event", "stats")]
            odd += [{"type": "chat", "data": {"data": {}}}, {"type": "status"}, {"type": "error"}]
            daemon.say(*odd[:-1], chat("still here"))
            expect(page.get_by_text("still here")).to_be_in_viewport()

        await self.visit(work)
