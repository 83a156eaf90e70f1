# SPDX-License-Identifier: MIT
"""JSON cut out of pages: the right values, and none that only look like them."""

from __future__ import annotations

import json
import tracemalloc

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.json_values import MAX_VALUES
from livechat.platforms.youtube.parse.page import FALLBACK_VERSION, ClientContext, Page, read_page


def read(html: str) -> Page:
    """What a page says."""
    return read_page(html.encode("utf-8", "surrogatepass"))


class CutTests(SynchronousTestCase):
    """Assignments in scripts, decoded as JSON."""

    def test_spellings(self) -> None:
        """Every spelling of an assignment that was seen is understood."""
        for assignment in (
            'var ytInitialData = {"metadata":1};',
            'ytInitialData={"metadata":1};',
            'window["ytInitialData"] = {"metadata":1};',
            "window['ytInitialData'] = {\"metadata\":1};",
            'x(); var ytInitialData   =   {"metadata":1}; y();',
        ):
            self.assertEqual(
                read(f"<script>{assignment}</script>").data, {"metadata": 1}, assignment
            )
        page = read(
            '<script nonce="n">var ytInitialPlayerResponse = {"videoDetails":2};var x=1;</script>'
        )
        self.assertEqual((page.data, page.player), ({}, {"videoDetails": 2}))

    def test_configuration(self) -> None:
        """Objects given to `ytcfg.set` are merged; two texts, and JavaScript, are passed over."""
        html = (
            '<script>ytcfg.set({"VISITOR_DATA":1,"INNERTUBE_API_KEY":1});'
            'window.ytcfg.set("URL", "/x");</script>'
            '<script>ytcfg.set({"C": \'javascript\'});ytcfg.set({"INNERTUBE_API_KEY":2});</script>'
        )
        self.assertEqual(read(html).config, {"VISITOR_DATA": 1, "INNERTUBE_API_KEY": 2})

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
            player = json.dumps({"videoDetails": title}).replace("</", "<\\/")
            html = (
                f"<title>{title}</title><script>var ytInitialPlayerResponse = {player};</script>"
                '<script>var ytInitialData = {"metadata":true};</script>'
            )
            page = read(html)
            self.assertEqual(page.data, {"metadata": True}, title)
            self.assertEqual(page.player, {"videoDetails": title})
            self.assertEqual(page.config, {})

    def test_outside_scripts(self) -> None:
        """Text of the page that is no script is not searched."""
        value = 'var ytInitialData = {"metadata":1};'
        html = f"<title>{value}</title><p>{value}</p>"
        self.assertEqual(read(html), Page())

    def test_first_that_holds_anything(self) -> None:
        """An empty or broken value does not stand in the way of the real one."""
        html = (
            "<script>var ytInitialData = {};</script><script>var ytInitialData = {broken};</script>"
            '<script>var ytInitialData = {"metadata":1};</script>'
            '<script>ytInitialData = {"metadata":2};</script>'
        )
        self.assertEqual(read(html).data, {"metadata": 1})

    def test_cut_short(self) -> None:
        """A page that ends anywhere gives what was whole before the end."""
        html = (
            '<script>ytcfg.set({"VISITOR_DATA":1});</script>'
            '<script >var ytInitialData = {"metadata":{"c":[1]}};'
        )
        whole = read(html)
        self.assertEqual(
            (whole.config, whole.data), ({"VISITOR_DATA": 1}, {"metadata": {"c": [1]}})
        )
        for end in range(len(html) - 1):
            page = read(html[:end])
            self.assertIn(page.config, ({}, {"VISITOR_DATA": 1}))
            self.assertEqual(page.data, {})

    def test_deep(self) -> None:
        """Nesting beyond all sense costs that value and nothing else."""
        deep = '{"a":' * 100_000
        html = f'<script>ytcfg.set({{"VISITOR_DATA":1}});var ytInitialData = {deep}</script>'
        page = read(html)
        self.assertEqual((page.config, page.data), ({"VISITOR_DATA": 1}, {}))
        for depth in range(100, 1200, 50):
            value = '{"a":' * depth + '"\\ud800"' + "}" * depth
            page = read(
                f'<script>var ytInitialData = {value};ytcfg.set({{"VISITOR_DATA":1}})</script>'
            )
            self.assertEqual(page.config, {"VISITOR_DATA": 1}, depth)

    def test_bounded(self) -> None:
        """A page of nothing but assignments is given up after a fixed number of them."""
        page = read(
            "<script>" + "ytInitialData = {[" * 10_000 + '</script><script>x={"metadata":1}'
        )
        self.assertEqual(page, Page())
        self.assertEqual(read("<script" * 100_000), Page())
        self.assertEqual(read("<script>" * 100_000), Page())

    def test_half_characters(self) -> None:
        """A lone surrogate is replaced, so that everything can be written as UTF-8."""
        page = read('<script>var ytInitialData = {"metadata":["a\\udfff\\ud83d\\ude00"]};</script>')
        self.assertEqual(page.data, {"metadata": ["a\ufffd😀"]})
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
        page = read(html)
        for value in (page.data, page.player, page.config):
            self.assertIsInstance(value, dict)


class LargeTests(SynchronousTestCase):
    """Pages of millions of small values."""

    def peak(self, html: bytes) -> tuple[Page, int]:
        """What a page says, and how much memory that took at most."""
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        page = read_page(html)
        peak = tracemalloc.get_traced_memory()[1] - before
        tracemalloc.stop()
        return page, peak

    def test_unread(self) -> None:
        """Where they lie in parts that are not read they are skipped, and the page is read."""
        for small in (b"{}", b"0", b"[]", b'""', b'{"a":1}'):
            values = b"[" + b",".join([small] * (11_000_000 // (len(small) + 1))) + b"]"
            bar = b'"contents":{"twoColumnWatchNextResults":{"conversationBar":{"a":1},'
            for data in (
                b'{"frameworkUpdates":' + values + b"," + bar + b'"x":1}}}',
                b"{" + bar + b'"secondaryResults":' + values + b'}},"x":1}',
                b"{" + bar + b'"x":1}},"y":{"contents":' + values + b"}}",
            ):
                page, peak = self.peak(b"<script>var ytInitialData = " + data + b";</script>")
                contents = {"twoColumnWatchNextResults": {"conversationBar": {"a": 1}}}
                self.assertEqual(page.data, {"contents": contents})
                self.assertLess(peak, 1 << 20)

    def test_read(self) -> None:
        """Where they lie in parts that are read the page is given up before they are objects."""
        for small in (b"{}", b"0", b"[]", b'"a":0'):
            first, last = (b"{", b"}") if b":" in small else (b"[", b"]")
            values = first + b",".join([small] * (11_000_000 // (len(small) + 1))) + last
            for html in (
                b'<script>var ytInitialData = {"metadata":' + values + b"};</script>",
                b"<script>var ytInitialData = {'x':1};a=" + values + b";</script>",
                b'<script>ytcfg.set({"VISITOR_DATA":' + values + b"});x()</script>",
                b'<script>ytcfg.set({"VISITOR_DATA":' + values + b"}, 1);x()</script>",
                b'<script>ytcfg.set({"x":NaN,"VISITOR_DATA":' + values + b"});x()</script>",
            ):
                page, peak = self.peak(html)
                self.assertEqual(page, Page())
                # A copy or two of the text, and no objects.
                self.assertLess(peak, 3 * len(html))

    def test_many_names(self) -> None:
        """So it is with millions of names in place of values."""
        names = b",".join(b'"%x":0' % number for number in range(1_000_000))
        page, peak = self.peak(b"<script>var ytInitialData = {" + names + b"};</script>")
        self.assertEqual(page, Page())
        self.assertLess(peak, 1 << 20)

    def test_all_together(self) -> None:
        """The bound is for the whole page, whichever of its values they lie in."""
        number = MAX_VALUES // 2 + 1
        values = b"[" + b",".join([b"0"] * number) + b"]"
        html = b"<script>var ytInitialPlayerResponse = {%s};</script>"
        html = html % (b'"videoDetails":%s,"microformat":1' % values)
        page = read_page(html + b'<script>var ytInitialData = {"metadata":%s};</script>' % values)
        self.assertEqual(len(page.player["videoDetails"]), number)
        self.assertEqual((len(page.data), page.config), (0, {}))


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
        self.assertEqual(
            Page(config=config).client(), ClientContext("2.2", "visitor%3D", "key", "en-GB")
        )
        only_context = Page(config={"INNERTUBE_CONTEXT": context})
        self.assertEqual(
            only_context.client(), ClientContext("2.1", "from-context%3D", "", "en-GB")
        )

    def test_of_nothing(self) -> None:
        """A page that names none of them, or nonsense, leaves the constants."""
        self.assertEqual(Page().client(), ClientContext(FALLBACK_VERSION))
        self.assertEqual(
            Page(config={"INNERTUBE_CLIENT_VERSION": 7, "VISITOR_DATA": []}).client(),
            ClientContext(FALLBACK_VERSION),
        )

    def test_body(self) -> None:
        """A request has our context and the token verbatim."""
        body = msgspec.json.decode(ClientContext("2.2", "v%3D").body(continuation="t%3D"))
        client = {"clientName": "WEB", "clientVersion": "2.2", "hl": "en", "gl": "US"}
        self.assertEqual(
            body, {"context": {"client": {**client, "visitorData": "v%3D"}}, "continuation": "t%3D"}
        )
        self.assertEqual(
            msgspec.json.decode(ClientContext("2.2").body(videoId="x")),
            {"context": {"client": client}, "videoId": "x"},
        )
