# SPDX-License-Identifier: MIT
"""Hostile Twitch chat: no text becomes markup, and no line, however broken, raises or lies."""

from __future__ import annotations

import re
from itertools import product
from xml.etree.ElementTree import Element

import html5lib
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.events import EVENT_KINDS, ChannelKey
from livechat.platforms.twitch.parse.chat import translate
from livechat.platforms.twitch.parse.irc import Line, parse_line
from livechat.platforms.twitch.parse.room import RoomState
from livechat.protocol.messages import encode_event
from tests.support.schema import frames
from tests.support.twitch_lines import RECEIVED, parsed, with_cheermotes, written

KEY = ChannelKey("twitch", "username", "hopper")
IMAGES = (
    "https://static-cdn.jtvnw.net/emoticons/v2/",
    "https://d3aqoihi2n8ty8.cloudfront.net/actions/",
)

bounded = settings(deadline=None, database=None, max_examples=200)


def payloads() -> list[str]:
    """Texts that would run, load or break something if they were taken for markup."""
    elements = [
        "script",
        "svg",
        "img",
        "iframe",
        "math",
        "style",
        "template",
        "plaintext",
        "a",
        "b",
    ]
    attributes = [
        "onerror=alert(1)",
        "src=//x.example/x",
        "href=javascript:alert(1)",
        "/onload=x()",
    ]
    breakouts = ["", '"', "'", '">', "'>", "</span>", "-->", "]]>", "</title>", "`", "\\"]
    made = [
        f"{out}<{name} {attribute}>"
        for out, name, attribute in product(breakouts, elements, attributes)
    ]
    quoted = [f"{out} {attribute} x={out}" for out, attribute in product(breakouts, attributes)]
    entities = [
        f"{out}{entity}"
        for entity, out in product(
            ["&lt;b&gt;", "&#60;b&#62;", "&#x3c;b>", "&amp;lt;", "&nbsp", "&", "&#0;", "&quot;"],
            ["", "<", '"'],
        )
    ]
    others = [
        "<!--", "<![CDATA[x]]>", "<!DOCTYPE html>", "<?xml?>", "</", "<", ">", "<3", ">(", "<>",
        "{{constructor}}", "${alert(1)}", "%3Cscript%3E", "\u202e<b>\u202c", "\ufeff<b>",
        "\uff1cb\uff1e", "<b\u200d>", "<\u017fcript>", "\U000e0001<b>", "x" * 490 + "<b>",
        "<b>" * 160, "\ud7ff\ue000\uffff",
    ]  # fmt: skip
    return made + quoted + entities + others


def nodes(html: str) -> list[Element]:
    """What a browser makes of a fragment: all its elements, in order; the root first."""
    tree: Element = html5lib.parseFragment(html, namespaceHTMLElements=False)
    return list(tree.iter())


class HostileTextTests(SynchronousTestCase):
    """Everything that a user or channel can choose stays what it is."""

    def test_enough(self) -> None:
        """There are more than 500 payloads, all different."""
        self.assertGreater(len(set(payloads())), 500)
        self.assertEqual(len(set(payloads())), len(payloads()))

    def check(self, message: ChatMessage, text: str) -> None:
        """The HTML holds spans and pictures of ours only, and shows exactly the text."""
        content = message.data.content
        shown = ""
        root, *inside = nodes(content.raw_html)
        for node in inside:
            if node.tag == "span":
                self.assertEqual(node.attrib, {"class": "text"})
                shown += node.text or ""
            else:
                self.assertEqual(node.tag, "img")
                self.assertEqual(node.attrib["class"], "emote")
                self.assertTrue(node.attrib["src"].startswith(IMAGES), node.attrib["src"])
                self.assertEqual(node.attrib["title"], node.attrib["alt"])
                self.assertEqual(node.attrib.get("data-custom", "true"), "true")
                self.assertLessEqual(
                    set(node.attrib), {"class", "src", "alt", "title", "data-custom"}
                )
                shown += node.attrib["alt"]
            self.assertEqual((len(node), node.tail or ""), (0, ""))
        self.assertFalse(root.text)
        self.assertEqual(shown, text)
        self.assertEqual(content.raw, text)

    def test_text(self) -> None:
        """As the text of a message, plain or `/me`."""
        for payload in payloads():
            for text in (payload, f"\x01ACTION {payload}\x01"):
                (message,) = translate(
                    Line({}, "ada!ada@x", "PRIVMSG", ["#hopper", text]), RECEIVED, str
                ).events
                assert isinstance(message, ChatMessage)
                self.check(message, payload)

    def test_emote_code(self) -> None:
        """As the code of an emote, which becomes an attribute."""
        for payload in payloads():
            text = f"a {payload} b"
            tags = {"emotes": f"25:2-{1 + len(payload)}"}
            (message,) = translate(
                Line(tags, "ada!ada@x", "PRIVMSG", ["#hopper", text]), RECEIVED, str
            ).events
            assert isinstance(message, ChatMessage)
            self.check(message, text)
            # No code holds a blank; whatever else is said to be one becomes a picture.
            values = [e.value for e in message.data.content.elements if e.type == "emote"]
            self.assertEqual(values, [] if re.search(r"\s", payload) else [payload])

    def test_emote_id(self) -> None:
        """As the id of an emote: it never becomes part of an address."""
        for payload in payloads():
            tags = {"emotes": f"{payload}:0-4"}
            found = translate(
                Line(tags, "ada!ada@x", "PRIVMSG", ["#hopper", "Kappa"]), RECEIVED, str
            )
            (message,) = found.events
            assert isinstance(message, ChatMessage)
            self.assertEqual([e.type for e in message.data.content.elements], ["text"], payload)
            self.assertEqual(list(found.unknown), ["emote range"])

    def test_cheer(self) -> None:
        """Beside and as cheermotes."""
        for payload in payloads():
            text = f"Cheer1 {payload} {payload}1 Cheer1"
            line = Line({"bits": "100"}, "ada!ada@x", "PRIVMSG", ["#hopper", text])
            (message,) = with_cheermotes(translate(line, RECEIVED, str)).events
            assert isinstance(message, ChatMessage)
            self.check(message, text)

    def test_names_and_badges(self) -> None:
        """As display name, badge, colour and reply: the same string for the client, as JSON."""
        for payload in payloads():
            badge = payload.replace(",", "") + "/1"
            tags = {
                "display-name": payload,
                "badges": badge,
                "color": payload,
                "reply-parent-msg-id": payload,
                "reply-parent-display-name": payload,
                "reply-parent-msg-body": payload,
            }
            (message,) = translate(
                Line(tags, "ada!ada@x", "PRIVMSG", ["#hopper", "x"]), RECEIVED, str
            ).events
            data = frames().read(encode_event(KEY, message))["data"]["data"]
            self.assertEqual(data["author"]["display_name"], payload.strip())
            self.assertEqual(data["author"]["badges"][0]["label"], badge)
            self.assertNotIn("color", data["author"])
            self.assertEqual(data["metadata"]["reply"]["text"], payload)

    def test_notice(self) -> None:
        """In a notice: sentence and names stay strings, an odd picture is left out."""
        for payload in payloads():
            tags = {
                "msg-id": "raid",
                "login": "ada",
                "display-name": payload,
                "system-msg": payload,
                "msg-param-profileImageURL": payload,
            }
            (event,) = translate(Line(tags, "x", "USERNOTICE", ["#hopper"]), RECEIVED, str).events
            data = frames().read(encode_event(KEY, event))["data"]["data"]
            self.assertEqual(data["text"], payload.strip())
            self.assertEqual(data["user"]["display_name"], payload.strip())
            self.assertIsNone(data["user"]["avatar_url"])


_ODD = (
    st.text(st.characters(codec="utf-8"), max_size=30)
    | st.from_regex(r"-?[0-9]{1,25}", fullmatch=True)
    | st.from_regex(r"[a-z0-9]{0,3}:[0-9]{0,3}-[0-9]{0,3}([,/:][0-9]{1,3}-[0-9]{1,3}){0,4}")
    | st.sampled_from(
        ["", "0", "1", "-1", "true", "\u0661\u0662", "1_0", "+1", " 1", "1e3", "9" * 5000, "/", ","]
    )
)
_LINES = sorted(written())


class BrokenLineTests(SynchronousTestCase):
    """Every line, with any tags and parameters, gives events that hold what they promise."""

    def check(self, line: Line, room: RoomState = RoomState()) -> None:  # noqa: B008
        """No exception; every event can be sent; kinds are documented; elements tile the text."""
        for event in translate(line, RECEIVED, lambda: "new", room).events:
            sent = frames().read(encode_event(KEY, event))["data"]
            self.assertRegex(sent["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            if not isinstance(event, ChatMessage):
                self.assertIn(event.type, EVENT_KINDS)
                self.assertTrue(event.event_id)
                continue
            content = event.data.content
            raw = content.raw.encode("utf-16-le")
            at = 0
            for element in content.elements:
                start, end = element.position
                self.assertEqual(
                    (start, raw[2 * start : 2 * end].decode("utf-16-le")), (at, element.value)
                )
                self.assertLess(start, end)
                if element.metadata is not UNSET:
                    self.assertTrue(element.metadata.url.startswith(IMAGES))
                at = end
            self.assertEqual(2 * at, len(raw))

    @bounded
    @given(st.sampled_from(_LINES), st.data())
    def test_mutated_tags(self, name: str, data: st.DataObject) -> None:
        """Our own lines, some of their tags gone and some with any other value."""
        line = parsed(written()[name])
        for tag in sorted(line.tags):
            what = data.draw(st.sampled_from(["keep", "keep", "drop", "change"]))
            if what == "drop":
                del line.tags[tag]
            elif what == "change":
                line.tags[tag] = data.draw(_ODD)
        self.check(line, data.draw(st.sampled_from([RoomState(), RoomState("1001", slow=3)])))

    @bounded
    @given(st.sampled_from(_LINES), st.lists(_ODD, max_size=4))
    def test_any_parameters(self, name: str, params: list[str]) -> None:
        """Our own lines with any parameters, also none."""
        line = parsed(written()[name])
        self.check(Line(line.tags, line.prefix, line.command, params))

    @bounded
    @given(st.sampled_from(_LINES), st.lists(st.tuples(st.integers(0, 900), st.binary(max_size=6))))
    def test_damaged_bytes(self, name: str, damage: list[tuple[int, bytes]]) -> None:
        """Our own lines with bytes written over."""
        raw = bytearray(written()[name])
        for at, patch in damage:
            raw[at : at + len(patch)] = patch
        line = parse_line(bytes(raw).replace(b"\n", b""))
        if line is not None:
            self.check(line)

    def test_every_single_tag(self) -> None:
        """Our own lines, with each tag alone missing, empty, or of an odd value."""
        for name in _LINES:
            for tag in parsed(written()[name]).tags:
                for value in (None, "", "x", "-1", "9" * 400, "\0", "/", ":", "-", "\u0661"):
                    line = parsed(written()[name])
                    if value is None:
                        del line.tags[tag]
                    else:
                        line.tags[tag] = value
                    self.check(line)
