# SPDX-License-Identifier: MIT
"""What is asked of TikTok: whose stream a client means, and the addresses made of it."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model import error_catalogue
from livechat.model.errors import ChatError, ErrorCode
from livechat.platforms.tiktok import query
from livechat.platforms.tiktok.identifier import HANDLE, handle_of
from livechat.platforms.tiktok.parse.webcast import Batch
from livechat.platforms.tiktok.query import Browser, identity_of

SITE = "https://www.tiktok.com"
WEBCAST = "https://webcast.tiktok.com"
ROOM = "7300000000000000001"


class IdentifierTests(SynchronousTestCase):
    """Many ways to name an account, one handle."""

    def test_equal(self) -> None:
        """Every usual way to write an account gives the same handle."""
        ways = [
            "golden.tester_1",
            "@golden.tester_1",
            "Golden.Tester_1",
            "@GOLDEN.TESTER_1",
            "  golden.tester_1 ",
            " @golden.tester_1",
            "https://www.tiktok.com/@golden.tester_1",
            "https://www.tiktok.com/@golden.tester_1/",
            "https://www.tiktok.com/@golden.tester_1/live",
            "https://www.tiktok.com/@Golden.Tester_1/live?lang=en#top",
            "https://www.tiktok.com/@golden.tester_1/video/7300000000000000001",
            "http://tiktok.com/@golden.tester_1/live",
            "HTTPS://M.TikTok.com/@golden.tester_1",
            "//www.tiktok.com/@golden.tester_1",
            "www.tiktok.com/@golden.tester_1/live",
            "tiktok.com/@golden.tester_1?x=https://evil.test/@other",
        ]
        self.assertEqual(
            {way: handle_of(way) for way in ways}, dict.fromkeys(ways, "golden.tester_1")
        )

    def test_odd_but_good(self) -> None:
        """Dots and underscores are part of a name wherever they may stand."""
        for name in ("a", "_", "7", "_.lissssi_m._", ".a", "a" * 24, "r7._rixi._r7"):
            self.assertEqual(handle_of(name), name)

    def test_refused(self) -> None:
        """What is no account is refused before anybody is asked, without being repeated."""
        bad = [
            "",
            " ",
            "@",
            "@@name",
            "a" * 25,
            "name.",
            ".",
            "..",
            "two words",
            "a,b",
            "a\r\nb",
            "name\n",
            "\tname",
            "name\0",
            "na#me",
            "na:me",
            "na?me",
            "na%6de",
            "../etc/passwd",
            "%2e%2e",
            "*",
            "{x}",
            "ｎａｍｅ",  # noqa: RUF001
            "nam\u00e9",
            "name\u202e",
            "\u212a",
            "🙂",
            "x" * 1_000_000,
            "tiktok.com",
            "www.tiktok.com",
            "https://www.tiktok.com/",
            "https://www.tiktok.com/live",
            "https://www.tiktok.com/@",
            "https://www.tiktok.com/@/live",
            "https://www.tiktok.com/name",
            "https://www.tiktok.com/@name./live",
            "https://www.tiktok.com/@..%2f",
            "https://www.tiktok.com//@name",
            "https://www.tiktok.com:444/@name",
            "https://www.tiktok.com@evil.test/@name",
            "https://evil@www.tiktok.com/@name",
            "https://evil.test/@name",
            "https://evil.test/https://www.tiktok.com/@name",
            "https://www.tiktok.com.evil.test/@name",
            "https://wwwxtiktok.com/@name",
            "ftp://www.tiktok.com/@name",
            "javascript://www.tiktok.com/@name",
            "https:/www.tiktok.com/@name",
            "http://169.254.169.254/@name",
            "http://[::1]/@name",
            "file:///@name",
        ]
        for identifier in bad:
            error = self.assertRaises(ChatError, handle_of, identifier)
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER, identifier[:50])
            self.assertEqual(error.error, error_catalogue.WRONG_IDENTIFIER.sentence)

    @settings(deadline=None, database=None, max_examples=500)
    @given(st.text(max_size=60))
    def test_anything(self, identifier: str) -> None:
        """Whatever is sent becomes a handle that is safe in addresses, or is refused."""
        try:
            handle = handle_of(identifier)
        except ChatError:
            return
        self.assertRegex(handle, HANDLE)
        self.assertEqual(handle_of(handle), handle)
        self.assertNotIn("..", query.stream_page_url(SITE, handle).split("/"))


class AddressTests(SynchronousTestCase):
    """The address of each endpoint."""

    def test_pages(self) -> None:
        """Pages and JSON about an account."""
        self.assertEqual(
            query.user_room_url(SITE, "a.b_c"),
            f"{SITE}/api-live/user/room/?aid=1988&sourceType=54&uniqueId=a.b_c",
        )
        self.assertEqual(query.stream_page_url(SITE, "a.b_c"), f"{SITE}/@a.b_c/live")
        self.assertEqual(query.profile_page_url(SITE, "a.b_c"), f"{SITE}/@a.b_c")
        self.assertEqual(query.identity_url(SITE), f"{SITE}/live")

    def test_rooms(self) -> None:
        """JSON about rooms."""
        self.assertEqual(
            query.alive_url(WEBCAST, ["1", "2"]),
            f"{WEBCAST}/webcast/room/check_alive/?aid=1988&room_ids=1%2C2",
        )
        self.assertEqual(
            query.info_url(WEBCAST, ROOM), f"{WEBCAST}/webcast/room/info/?aid=1988&room_id={ROOM}"
        )

    def test_nothing_escapes(self) -> None:
        """Even an unchecked name stays one segment of the path, one value of the query."""
        evil = "../x?y#z&a=b/ é"
        page = urlsplit(query.stream_page_url(SITE, evil))
        self.assertEqual((page.netloc, page.query, page.fragment), ("www.tiktok.com", "", ""))
        self.assertEqual(len(page.path.split("/")), 3)
        room = urlsplit(query.user_room_url(SITE, evil))
        self.assertEqual(parse_qs(room.query)["uniqueId"], [evil])

    def test_socket(self) -> None:
        """The socket's query holds all values of the web player, and agrees with its headers."""
        browser = Browser(
            "Mozilla/5.0 (X11; Linux) Test/1", "Linux x86_64", "de-DE", "Europe/Berlin"
        )
        base = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"
        url = query.socket_url(base, ROOM, browser)
        self.assertTrue(url.startswith(f"{base}?version_code=180800&device_platform=web&"))
        self.assertNotRegex(url, r"[ +();]")
        self.assertEqual(
            dict(parse_qsl(urlsplit(url).query, strict_parsing=True)),
            {
                "version_code": "180800",
                "device_platform": "web",
                "cookie_enabled": "true",
                "screen_width": "1920",
                "screen_height": "1080",
                "browser_language": "de-DE",
                "browser_platform": "Linux x86_64",
                "browser_name": "Mozilla",
                "browser_version": "5.0 (X11; Linux) Test/1",
                "browser_online": "true",
                "tz_name": "Europe/Berlin",
                "app_name": "tiktok_web",
                "sup_ws_ds_opt": "1",
                "update_version_code": "2.0.0",
                "compress": "gzip",
                "webcast_language": "de",
                "ws_direct": "1",
                "aid": "1988",
                "live_id": "12",
                "app_language": "de",
                "client_enter": "1",
                "room_id": ROOM,
                "identity": "audience",
                "history_comment_count": "6",
                "last_rtt": "150.000",
                "heartbeat_duration": "10000",
                "resp_content_type": "protobuf",
                "did_rule": "3",
            },
        )
        self.assertEqual(
            browser.socket_headers("ttwid=1%7Cx"),
            {
                "User-Agent": "Mozilla/5.0 (X11; Linux) Test/1",
                "Accept-Language": "de-DE,de;q=0.9",
                "Referer": "https://www.tiktok.com/",
                "Origin": "https://www.tiktok.com",
                "Cookie": "ttwid=1%7Cx",
            },
        )

    def test_signer(self) -> None:
        """A signer is asked with our own user agent; a cursor only when there is one."""
        browser = Browser("Mozilla/5.0 Test")
        url = query.signer_url("http://127.0.0.1:9", ROOM, browser)
        self.assertEqual(
            url,
            f"http://127.0.0.1:9/webcast/fetch?client=livechat&room_id={ROOM}"
            "&user_agent=Mozilla%2F5.0%20Test&client_enter=true&platform=web",
        )
        self.assertEqual(
            query.signer_url("http://127.0.0.1:9", ROOM, browser, "c 1"), f"{url}&cursor=c%201"
        )

    def test_signed_socket(self) -> None:
        """The socket that a signer names gets what its first answer brought, but nothing empty."""
        first = Batch(
            [],
            {},
            "cursor|1",
            "internal ext",
            "wss://webcast-ws.tiktok.com/path/",
            {"wrss": "abc=", "imprp": "", "x": "y"},
        )
        url = urlsplit(query.signed_socket_url(first, ROOM, Browser()))
        self.assertEqual(f"{url.scheme}://{url.netloc}{url.path}", first.push_server)
        pairs = parse_qsl(url.query, strict_parsing=True)
        self.assertEqual(pairs[:2], [("wrss", "abc="), ("x", "y")])
        self.assertEqual(pairs[2:-3], query.socket_query(ROOM, Browser()))
        self.assertEqual(
            pairs[-3:],
            [("cursor", "cursor|1"), ("internal_ext", "internal ext"), ("version_code", "270000")],
        )


class IdentityTests(SynchronousTestCase):
    """The anonymous viewer's cookie."""

    def test_verbatim(self) -> None:
        """The value is kept exactly as it came, its escapes too."""
        value = "ttwid=1%7CaB-_x%7C1786367257%7C0f"
        headers = ["tt_csrf_token=x; Path=/", f"{value}; Path=/; Domain=.tiktok.com; HttpOnly"]
        self.assertEqual(identity_of(headers), value)
        self.assertEqual(identity_of([f" {value}"]), value)

    def test_none(self) -> None:
        """An answer without the cookie, or with one that cannot be sent back, gives none."""
        for headers in (
            [],
            ["ttwid"],
            ["ttwid="],
            ["ttwid=; Path=/"],
            ["xttwid=1"],
            ["ttwid=a\r\nX: y"],
            ["ttwid=a b"],
            ['ttwid="a"'],
            ["ttwid=é"],
        ):
            self.assertIsNone(identity_of(headers), headers)
