# SPDX-License-Identifier: MIT
"""Hostile texts: none becomes markup, none is lost, no address leaks through."""

from __future__ import annotations

from itertools import product

import html5lib
import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelEvent, ChannelKey
from livechat.platforms.youtube.parse.chat import read_answer, read_poll
from livechat.platforms.youtube.parse.innertube import mended
from livechat.protocol.messages import encode_event
from tests.support.events import data_of
from tests.test_youtube_items import NOW, VIDEO, answer, custom, item, message, standard, text

KEY = ChannelKey("youtube", "username", "name")


#: Markup in many forms; each is put between many kinds of surroundings.
MARKUP = [
    *("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>"),
    *("</span><b>x</b>", '"><img src=x>', "'><i>", "<!--", "-->", "<![CDATA[x]]>", "]]>"),
    *("javascript:alert(1)", "data:text/html,<p>", "&lt;b&gt;", "&#60;b&#62;", "&amp;lt;"),
    *("<style>*{display:none}</style>", "<math><mi//xlink:href='x'>", "<a href=//x>y</a>"),
    *("<noscript><p title='</noscript><img src=x>'>", "<template><b>", "<textarea><b>"),
    *(
        "<iframe srcdoc='<b>'>",
        "<plaintext>",
        "</title>",
        "<base href=//x>",
        "&",
        "<",
        ">",
        '"',
        "'",
    ),
    *("` onmouseover=alert(1)", "' onload='x", '" onload="x', "<?php", "<%x%>", "\\x3cb\\x3e"),
]
SURROUNDINGS = ["{}", "a{}b", " {} ", "{}{}", "<{}>", '"{}"', "'{}'", "</span>{}", "{}</span>"]
SURROUNDINGS += ["&{};", "<p {}>", "<img alt={}>", "{}\n{}", "é{}😀", "<!--{}-->", "{}="]

Elements = list[tuple[str, dict[str, str], str]]


def elements(html: str) -> Elements:
    """What a browser makes of it: tag, attributes and text of each element, in order."""
    tree = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    return [
        (node.tag, dict(node.attrib), node.text or "") for node in tree.iter() if node is not tree
    ]


class MarkupTests(SynchronousTestCase):
    """No text becomes markup, and none is lost (cases A1 and A2)."""

    def test_text_and_labels(self) -> None:
        """In every place of a message, hundreds of times: our two elements only, same text."""
        payloads = [frame.format(*[piece] * 2) for frame, piece in product(SURROUNDINGS, MARKUP)]
        self.assertGreaterEqual(len(payloads), 500)
        for payload in payloads:
            label = {"accessibility": {"accessibilityData": {"label": payload}}}
            pictures = {"thumbnails": [{"url": "https://yt3.ggpht.com/x"}], **label}
            badge = {"icon": {"iconType": "OWNER"}, "tooltip": payload}
            found = message(
                text(
                    {"text": payload},
                    custom(shortcuts=[payload], image=pictures),
                    standard(payload, shortcuts=[payload]),
                    authorName={"simpleText": payload},
                    authorBadges=[{"liveChatAuthorBadgeRenderer": badge}],
                )
            )
            content = found.data.content
            image = {"class": "emote", "src": "https://yt3.ggpht.com/x", "alt": payload}
            image["title"] = payload
            other = {**image, "src": "https://www.youtube.com/s/gaming/emoji/1/e.svg"}
            self.assertEqual(
                elements(content.raw_html),
                [
                    ("span", {"class": "text"}, payload),
                    ("img", {**image, "data-custom": "true"}, ""),
                    ("img", other, ""),
                ],
            )
            self.assertEqual((content.raw, content.sanitized), (payload * 3, payload))
            self.assertEqual(found.data.author.display_name, payload)
            self.assertEqual(found.data.author.badges[0].label, payload)

    def test_money_and_stickers(self) -> None:
        """Amounts and a sticker's label are texts too, and stay as they are."""
        for payload in MARKUP:
            label = {"accessibility": {"accessibilityData": {"label": payload}}}
            sticker = {"thumbnails": [{"url": "https://yt3.ggpht.com/x"}], **label}
            amount = {"simpleText": payload}
            action = item("liveChatPaidStickerRenderer", sticker=sticker, purchaseAmountText=amount)
            metadata = msgspec.to_builtins(message(action).data.metadata)
            self.assertEqual(metadata["sticker"]["alt"], payload)
            self.assertEqual(metadata["monetary_data"]["amount"], payload)

    def test_addresses(self) -> None:
        """Of pictures anywhere, addresses that are not plainly https and public are dropped."""
        schemes = ["javascript:", "data:image/png;base64,", "ftp://", "file://", "blob:", "//", ""]
        schemes += ["https:/", "https://user@", "https://", "HTTPS://", "vbscript:", "\x01https://"]
        hosts = ["localhost/a", "127.0.0.1/a", "[::1]/a", "yt3.ggpht.com/a b", "x.local/a", "x"]
        hosts += [
            'yt3.ggpht.com/"onload=x',
            "yt3.ggpht.com/<b>",
            "yt3.ggpht.com:81/a",
            "10.0.0.1/a",
        ]
        hosts += [
            "yt3.ggpht.com/\n",
            "yt3.ggpht.com/" + "x" * 100_000,
            "é.test/a",
            "yt3.ggpht.com\\@x/",
        ]
        hosts += ["x.internal/a", "yt3.ggpht.com/`", "yt3.ggpht.com/'"]
        bad = [scheme + host for scheme, host in product(schemes, hosts)]
        self.assertGreaterEqual(len(bad), 200)
        for url in bad:
            pictures = {"thumbnails": [{"url": url}]}
            badge = {"customThumbnail": pictures, "tooltip": "Member"}
            found = message(
                text(
                    custom(image=pictures),
                    authorPhoto=pictures,
                    authorBadges=[{"liveChatAuthorBadgeRenderer": badge}],
                )
            ).data
            self.assertIsNone(found.author.avatar_url, url[:80])
            self.assertIsNone(found.author.badges[0].image_url)
            self.assertEqual([tag for tag, _, _ in elements(found.content.raw_html)], ["span"])
            self.assertEqual(found.content.raw, ":customEmoji:")


class TextTests(SynchronousTestCase):
    """Odd characters (case A3)."""

    def test_odd_characters(self) -> None:
        """Half characters, NUL, bidi controls, marks without end: delivered in valid JSON."""
        pieces = ["\ud800", "\udc00", "\udfff\ud800", "\0", "\u202e", "\u2066", "\u200b", "\ufeff"]
        pieces += [
            "e" + "\u0301" * 10_000,
            "שלום",
            "مرحبا",
            "👨\u200d👩\u200d👧",
            "🏴\U000e0067\U000e007f",
        ]
        pieces += ["\r\n", "\t", "\u2028", "\x1b[31m", "\x7f", "\ufffe", "\U0010ffff", "ﷺ" * 100]
        strings = [
            before + piece + after for piece, before, after in product(pieces, "a é<", "b 😀 ")
        ]
        self.assertGreaterEqual(len(strings), 300)
        for string in strings:
            action = text({"text": string}, standard(string), authorName={"simpleText": string})
            (event,) = read_answer(mended(answer(action)), VIDEO, NOW).events
            assert isinstance(event, ChatMessage)
            decoded = msgspec.json.decode(encode_event(KEY, event))["data"]["data"]
            raw = decoded["content"]["raw"].encode("utf-16-le")
            tiles = [
                raw[2 * element["position"][0] : 2 * element["position"][1]].decode("utf-16-le")
                for element in decoded["content"]["elements"]
            ]
            self.assertEqual(
                tiles, [element["value"] for element in decoded["content"]["elements"]]
            )
            self.assertEqual("".join(tiles), decoded["content"]["raw"])
            self.assertEqual(len(decoded["content"]["elements"]), 2)

    def test_events_too(self) -> None:
        """What goes into an event's data is writable as well."""
        body = msgspec.json.encode(answer({"removeChatItemAction": {"targetItemId": "@@"}}))
        poll = read_poll(body.replace(b"@@", b"\\ud800"), VIDEO, NOW)
        (event,) = poll.events
        assert isinstance(event, ChannelEvent)
        told = {"message_id": "\ufffd", "scope": "message", "author": None}
        self.assertEqual(data_of(event), told)
        encode_event(KEY, event).decode("utf-8")
