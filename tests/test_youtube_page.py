# SPDX-License-Identifier: MIT
"""JSON cut out of pages: the right values, and none that only look like them."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.youtube.page import FALLBACK_VERSION, Client, Page, read_page


class CutTests(SynchronousTestCase):
    """Assignments in scripts, decoded as JSON."""

    def test_spellings(self) -> None:
        """Every spelling of an assignment that was seen is understood."""
        for assignment in (
            'var ytInitialData = {"a":1};',
            'ytInitialData={"a":1};',
            'window["ytInitialData"] = {"a":1};',
            "window['ytInitialData'] = {\"a\":1};",
            'x(); var ytInitialData   =   {"a":1}; y();',
        ):
            self.assertEqual(read_page(f"<script>{assignment}</script>").data, {"a": 1}, assignment)
        page = read_page(
            '<script nonce="n">var ytInitialPlayerResponse = {"b":2};var x=1;</script>'
        )
        self.assertEqual((page.data, page.player), ({}, {"b": 2}))

    def test_configuration(self) -> None:
        """Objects given to `ytcfg.set` are merged; two texts, and JavaScript, are passed over."""
        html = (
            '<script>ytcfg.set({"A":1,"B":1});window.ytcfg.set("URL", "/x");</script>'
            '<script>ytcfg.set({"C": \'javascript\'});ytcfg.set({"B":2});</script>'
        )
        self.assertEqual(read_page(html).config, {"A": 1, "B": 2})

    def test_titles(self) -> None:
        """A title that looks like the end of the value, or like another value, is but a title."""
        for title in (
            "};",
            "};</scr" + "ipt>",
            "var ytInitialData = {};",
            'var ytInitialData = {"contents":1};',
            "ytcfg.set({})",
            "{{{{[[[[",
            '\\"};',
        ):
            player = json.dumps({"title": title}).replace("</", "<\\/")
            html = (
                f"<title>{title}</title><script>var ytInitialPlayerResponse = {player};</script>"
                '<script>var ytInitialData = {"real":true};</script>'
            )
            page = read_page(html)
            self.assertEqual(page.data, {"real": True}, title)
            self.assertEqual(page.player, {"title": title})
            self.assertEqual(page.config, {})

    def test_outside_scripts(self) -> None:
        """Text of the page that is no script is not searched."""
        html = '<title>var ytInitialData = {"a":1};</title><p>var ytInitialData = {"a":1};</p>'
        self.assertEqual(read_page(html), Page())

    def test_first_that_holds_anything(self) -> None:
        """An empty or broken value does not stand in the way of the real one."""
        html = (
            "<script>var ytInitialData = {};</script><script>var ytInitialData = {broken};</script>"
            '<script>var ytInitialData = {"a":1};</script><script>ytInitialData = {"a":2};</script>'
        )
        self.assertEqual(read_page(html).data, {"a": 1})

    def test_cut_short(self) -> None:
        """A page that ends anywhere gives what was whole before the end."""
        html = '<script>ytcfg.set({"A":1});</script><script >var ytInitialData = {"b":{"c":[1]}};'
        whole = read_page(html)
        self.assertEqual((whole.config, whole.data), ({"A": 1}, {"b": {"c": [1]}}))
        for end in range(len(html) - 1):
            page = read_page(html[:end])
            self.assertIn(page.config, ({}, {"A": 1}))
            self.assertEqual(page.data, {})

    def test_deep(self) -> None:
        """Nesting beyond all sense costs that value and nothing else."""
        deep = '{"a":' * 100_000
        html = f'<script>ytcfg.set({{"A":1}});var ytInitialData = {deep}</script>'
        page = read_page(html)
        self.assertEqual((page.config, page.data), ({"A": 1}, {}))
        for depth in range(100, 1200, 50):
            value = '{"a":' * depth + '"\\ud800"' + "}" * depth
            page = read_page(f'<script>var ytInitialData = {value};ytcfg.set({{"A":1}})</script>')
            self.assertEqual(page.config, {"A": 1}, depth)

    def test_bounded(self) -> None:
        """A page of nothing but assignments is given up after a fixed number of them."""
        page = read_page("<script>" + "ytInitialData = {[" * 10_000 + '</script><script>x={"a":1}')
        self.assertEqual(page, Page())
        self.assertEqual(read_page("<script" * 100_000), Page())
        self.assertEqual(read_page("<script>" * 100_000), Page())

    def test_half_characters(self) -> None:
        """A lone surrogate is replaced, so that everything can be written as UTF-8."""
        page = read_page(
            '<script>var ytInitialData = {"\\ud800":["a\\udfff\\ud83d\\ude00"]};</script>'
        )
        self.assertEqual(page.data, {"\ufffd": ["a\ufffd😀"]})
        msgspec.json.encode(page.data)

    @settings(max_examples=200, deadline=None)
    @given(
        st.lists(
            st.sampled_from(
                [
                    *(
                        "<script>",
                        "</script>",
                        "<script",
                        ">",
                        "var ",
                        "ytInitialData",
                        " = ",
                        "{",
                        "}",
                    ),
                    *('"a":', "1", ",", "ytcfg.set(", ")", ";", "[", "]", "\\", '"', "\ud800", "é"),
                ]
            ),
            max_size=40,
        ).map("".join)
    )
    def test_any_text(self, html: str) -> None:
        """No text raises, and whatever is read are objects."""
        page = read_page(html)
        for value in (page.data, page.player, page.config):
            self.assertIsInstance(value, dict)


class ClientTests(SynchronousTestCase):
    """Who we say we are."""

    def test_of_page(self) -> None:
        """Version, visitor, key and language are the page's own."""
        context = {
            "client": {"hl": "en-GB", "visitorData": "from-context%3D", "clientVersion": "2.1"}
        }
        config = {
            "INNERTUBE_API_KEY": "key",
            "INNERTUBE_CLIENT_VERSION": "2.2",
            "VISITOR_DATA": "visitor%3D",
            "INNERTUBE_CONTEXT": context,
        }
        self.assertEqual(Page(config=config).client(), Client("2.2", "visitor%3D", "key", "en-GB"))
        only_context = Page(config={"INNERTUBE_CONTEXT": context})
        self.assertEqual(only_context.client(), Client("2.1", "from-context%3D", "", "en-GB"))

    def test_of_nothing(self) -> None:
        """A page that names none of them, or nonsense, leaves the constants."""
        self.assertEqual(Page().client(), Client(FALLBACK_VERSION))
        self.assertEqual(
            Page(config={"INNERTUBE_CLIENT_VERSION": 7, "VISITOR_DATA": []}).client(),
            Client(FALLBACK_VERSION),
        )

    def test_body(self) -> None:
        """A request has our context and the token verbatim."""
        body = msgspec.json.decode(Client("2.2", "v%3D").body(continuation="t%3D"))
        client = {"clientName": "WEB", "clientVersion": "2.2", "hl": "en", "gl": "US"}
        self.assertEqual(
            body, {"context": {"client": {**client, "visitorData": "v%3D"}}, "continuation": "t%3D"}
        )
        self.assertEqual(
            msgspec.json.decode(Client("2.2").body(videoId="x")),
            {"context": {"client": client}, "videoId": "x"},
        )
