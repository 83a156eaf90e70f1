# SPDX-License-Identifier: MIT
"""The five renderings of a message, checked by code that shares nothing with ours."""

from __future__ import annotations

from typing import Any

import html5lib
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import Content, Element, EmoteMetadata
from livechat.model.image_address import MAX_URL, https_url
from livechat.model.text import Emote, Piece, content, utf16_length, well_formed

bounded = settings(deadline=None, database=None, max_examples=250)

URL = "https://cdn.example.org/emote.png"
MARK = "\U000e0000"

#: Any code point at all, lone surrogates included.
_ANY = st.characters(exclude_categories=())
_MARKUP = st.sampled_from(
    [
        "<script>alert(1)</script>",
        "</span>",
        '"><img src=x onerror=alert(1)>',
        "'",
        "&amp;",
        "&#60;",
        "<!--",
        "]]>",
        "<![CDATA[",
        "\x00",
        "\r\n",
        "\ud83d",
        "\ude00",
        "😀",
        "👩‍👩‍👧",
        "\u202e",
        "e\u0301" * 3,
        MARK,
        " " + MARK,
    ]
)
_TEXTS = st.one_of(_MARKUP, st.text(_ANY, max_size=12))
_URLS = st.one_of(
    st.just(URL),
    st.just("//cdn.example.org/a?b=1&c=2"),
    st.just("https://cdn.example.org/?a=1&lt;2&amp;3&copy"),
    st.just("javascript:alert(1)"),
    st.just("https://127.0.0.1/x"),
    st.text(_ANY, max_size=20),
)
_EMOTES = st.builds(
    Emote,
    value=_TEXTS,
    url=_URLS,
    alt=_TEXTS,
    code=st.one_of(st.none(), _TEXTS),
    is_custom=st.booleans(),
    bits=st.sampled_from([0, 1, 100]),
)
_PIECES = st.lists(st.one_of(_TEXTS, _EMOTES), max_size=8)


def utf16_slice(text: str, start: int, end: int) -> str:
    """What `text.slice(start, end)` is in JavaScript; fails if the text is not well-formed."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def as_parsed(text: str, nul: str) -> str:
    """A text as an HTML parser hands it on: line ends made equal, NUL left out or replaced."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", nul)


def rendered(html: str) -> list[tuple[Any, ...]]:
    """What a browser would make of `rawHtml`.

    :return: `("text", text)` and `("emote", src, alt, title, custom)`.
    :raises AssertionError: there is an element, attribute or text that must not be there.
    """
    found: list[tuple[Any, ...]] = []
    fragment = html5lib.parseFragment(html, treebuilder="etree", namespaceHTMLElements=False)
    assert not fragment.text, fragment.text
    for element in fragment:
        assert not element.tail, element.tail
        assert not len(element), element[0].tag
        attributes = dict(element.attrib)
        if element.tag == "span":
            assert attributes == {"class": "text"}, attributes
            found.append(("text", element.text or ""))
        else:
            assert element.tag == "img", element.tag
            assert attributes.pop("class") == "emote"
            assert attributes.pop("data-custom", "true") == "true"
            assert attributes.keys() == {"src", "alt", "title"}, attributes
            custom = "data-custom" in element.attrib
            found.append(
                ("emote", attributes["src"], attributes["alt"], attributes["title"], custom)
            )
    return found


class Rules(SynchronousTestCase):
    """What holds for every content, whatever it was made of."""

    def check(self, made: Content) -> None:
        """Positions tile `raw`, `sanitized` is the text, and `rawHtml` shows the elements."""
        at = 0
        expected: list[tuple[Any, ...]] = []
        for element in made.elements:
            start, end = element.position
            self.assertEqual(start, at)
            self.assertGreater(end, start)
            self.assertEqual(utf16_slice(made.raw, start, end), element.value)
            at = end
            if isinstance(element.metadata, EmoteMetadata):
                self.assertEqual(element.type, "emote")
                url, alt = element.metadata.url, as_parsed(element.metadata.alt, "\ufffd")
                expected.append(("emote", url, alt, alt, element.metadata.is_custom))
                self.assertTrue(url.startswith("https://"), url)
            else:
                self.assertEqual(element.type, "text")
                expected.append(("text", as_parsed(element.value, "")))
        self.assertEqual(2 * at, len(made.raw.encode("utf-16-le")))
        self.assertEqual(made.raw, "".join(e.value for e in made.elements))
        text = "".join(e.value for e in made.elements if e.type == "text")
        self.assertEqual(made.sanitized, text.replace(" " + MARK, "").replace(MARK, ""))
        self.assertEqual(rendered(made.raw_html), expected)
        for text in (made.formatted, made.sanitized, made.raw_html):
            text.encode("utf-8")


class ContentTableTests(Rules):
    """The kinds of message that the original service was measured with, its faults put right."""

    def test_text(self) -> None:
        """Plain text is itself in every rendering."""
        made = content(["Hello, World!"])
        self.check(made)
        self.assertEqual(
            made,
            Content(
                raw="Hello, World!",
                formatted="Hello, World!",
                sanitized="Hello, World!",
                raw_html='<span class="text">Hello, World!</span>',
                elements=[Element("text", "Hello, World!", (0, 13))],
            ),
        )

    def test_custom_emoji(self) -> None:
        """A channel's emoji: one pair of colons, marked as custom, no text."""
        made = content([Emote(":customEmoji:", URL, ":customEmoji:", "customEmoji", True)])
        self.check(made)
        self.assertEqual(
            made,
            Content(
                raw=":customEmoji:",
                formatted=":customEmoji:",
                sanitized="",
                raw_html=f'<img class="emote" src="{URL}" alt=":customEmoji:" '
                'title=":customEmoji:" data-custom="true">',
                elements=[
                    Element(
                        "emote", ":customEmoji:", (0, 13), EmoteMetadata(URL, ":customEmoji:", True)
                    )
                ],
            ),
        )

    def test_global_emoji(self) -> None:
        """A Unicode emoji counts two units; its shortcut is its code."""
        made = content([Emote("👏", URL, ":clapping_hands:", "clapping_hands")])
        self.check(made)
        self.assertEqual(
            made,
            Content(
                raw="👏",
                formatted=":clapping_hands:",
                sanitized="",
                raw_html=f'<img class="emote" src="{URL}" alt=":clapping_hands:" '
                'title=":clapping_hands:">',
                elements=[
                    Element("emote", "👏", (0, 2), EmoteMetadata(URL, ":clapping_hands:", False))
                ],
            ),
        )

    def test_emoji_without_shortcut(self) -> None:
        """A Unicode emoji without a shortcut stays itself."""
        made = content([Emote("👏🏿", URL, "", None)])
        self.check(made)
        self.assertEqual(made.formatted, "👏🏿")
        self.assertEqual(made.sanitized, "")
        self.assertEqual(
            made.elements, [Element("emote", "👏🏿", (0, 4), EmoteMetadata(URL, "", False))]
        )
        self.assertEqual(made.raw_html, f'<img class="emote" src="{URL}" alt="" title="">')

    def test_sticker(self) -> None:
        """A message without text is empty in every rendering."""
        self.assertEqual(content([]), Content("", "", "", "", []))

    def test_mixed(self) -> None:
        """Text and emotes follow each other without gaps; nothing is put between them."""
        made = content(
            ["hé ", Emote("Kappa", URL, "Kappa", "Kappa"), " 👍 ", Emote("x", URL, "x", None)]
        )
        self.check(made)
        self.assertEqual(made.raw, "hé Kappa 👍 x")
        self.assertEqual(made.formatted, "hé :Kappa: 👍 x")
        self.assertEqual(made.sanitized, "hé  👍 ")
        self.assertEqual([e.position for e in made.elements], [(0, 3), (3, 8), (8, 12), (12, 13)])


class ContentTests(Rules):
    """Corner cases of putting a message together."""

    def test_colons(self) -> None:
        """However many colons a code brings, it gets exactly one pair."""
        for code in ("Kappa", ":Kappa:", "::Kappa::", "Kappa:", ":Kappa"):
            made = content([Emote("Kappa", URL, "Kappa", code)])
            self.assertEqual(made.formatted, ":Kappa:", code)

    def test_no_name_between_colons(self) -> None:
        """A code that is only colons is no code: the emote stays as it was written."""
        for code in ("", ":", "::"):
            self.assertEqual(content([Emote("x", URL, "x", code)]).formatted, "x", repr(code))

    def test_neighbours_joined(self) -> None:
        """Strings side by side are one element, empty ones none."""
        made = content(
            ["", "a", "", "b", Emote("E", URL, "E", "E"), "", Emote("F", URL, "F", "F"), ""]
        )
        self.check(made)
        self.assertEqual([e.value for e in made.elements], ["ab", "E", "F"])

    def test_any_iterable(self) -> None:
        """Pieces may come from a generator."""
        self.assertEqual(content(piece for piece in ("a", "b")), content(["ab"]))

    def test_spaces_kept(self) -> None:
        """What was written is kept, trailing spaces too."""
        made = content(["  a \n b  "])
        self.check(made)
        self.assertEqual((made.raw, made.sanitized), ("  a \n b  ", "  a \n b  "))

    def test_bad_address(self) -> None:
        """An emote without a fit picture is text, joined with the text around it."""
        made = content(
            ["a ", Emote("Kappa", "http://cdn.example.org/x.png", "Kappa", "Kappa"), " b"]
        )
        self.check(made)
        self.assertEqual(made, content(["a Kappa b"]))

    def test_scheme_less_address(self) -> None:
        """An address without scheme becomes https in metadata and HTML; ASCII or not."""
        for value in ("Kappa", "Käppa"):
            made = content([Emote(value, "//cdn.example.org/a.png", value, "K", True, 5)])
            self.check(made)
            url = "https://cdn.example.org/a.png"
            self.assertEqual(made.elements[0].metadata, EmoteMetadata(url, value, True, 5))
            self.assertIn(f'src="{url}"', made.raw_html)

    def test_entities_in_address(self) -> None:
        """What looks like an entity in an address stays what it is."""
        url = "https://cdn.example.org/?a=1&lt;2&amp;3&copy;&c"
        made = content([Emote("Kappa", url, "Kappa", "Kappa")])
        self.check(made)
        self.assertIn(
            'src="https://cdn.example.org/?a=1&amp;lt;2&amp;amp;3&amp;copy;&amp;c"', made.raw_html
        )

    def test_empty_value(self) -> None:
        """An emote that stands for nothing written would have no place: it is left out."""
        made = content(["a", Emote("", URL, "x", "x"), "b"])
        self.assertEqual(made, content(["ab"]))

    def test_bits(self) -> None:
        """A cheermote says what it is worth, another emote says nothing of it."""
        worth, plain = content(
            [Emote("Cheer100", URL, "c", "c", bits=100), Emote("K", URL, "k", "k")]
        ).elements
        assert isinstance(worth.metadata, EmoteMetadata)
        assert isinstance(plain.metadata, EmoteMetadata)
        self.assertEqual(worth.metadata.bits, 100)
        self.assertIs(plain.metadata.bits, UNSET)

    def test_duplicate_mark(self) -> None:
        """The invisible mark against Twitch's duplicate filter is raw, but no text."""
        for text, sanitized in (
            (f"hello {MARK}", "hello"),
            (f"hello{MARK}", "hello"),
            (f"{MARK}", ""),
            (f"hello {MARK} there", "hello there"),
        ):
            made = content([text])
            self.check(made)
            self.assertEqual((made.raw, made.formatted), (text, text))
            self.assertEqual(made.sanitized, sanitized)

    def test_lone_surrogates(self) -> None:
        """Half characters are replaced wherever they stand, so that the message can be sent."""
        half = "\ud83d"
        made = content([f"a{half}", Emote(f"K{half}", URL, f"k{half}", f"c{half}"), f"{half}b"])
        self.check(made)
        self.assertEqual(made.raw, "a\ufffdK\ufffd\ufffdb")
        self.assertEqual(made.formatted, "a\ufffd:c\ufffd:\ufffdb")
        made = content([Emote(f"K{half}", "no address", "k", None)])
        self.assertEqual(made, content(["K\ufffd"]))

    def test_lone_surrogate_in_code_only(self) -> None:
        """A half character in the code alone does not cost the message, either."""
        made = content([Emote("Kappa", URL, "Kappa", "Kap\ud83dpa")])
        self.check(made)
        self.assertEqual(made.formatted, ":Kap\ufffdpa:")

    def test_two_halves(self) -> None:
        """Two halves that belong together are one character."""
        made = content(["\ud83d\ude00"])
        self.check(made)
        self.assertEqual(made.raw, "😀")

    @bounded
    @given(_PIECES)
    def test_any_pieces(self, pieces: list[Piece]) -> None:
        """Whatever a message is made of, the rules hold."""
        self.check(content(pieces))

    @bounded
    @given(st.lists(st.tuples(st.text(max_size=8), st.text("abC0é😀", min_size=1, max_size=8))))
    def test_plain_renderings(self, pairs: list[tuple[str, str]]) -> None:
        """Of text and emotes by turns, the plain renderings are what one writes by hand."""
        pieces = [piece for text, name in pairs for piece in (text, Emote(name, URL, name, name))]
        made = content(pieces)
        self.assertEqual(made.raw, "".join(text + name for text, name in pairs))
        self.assertEqual(made.formatted, "".join(f"{text}:{name}:" for text, name in pairs))
        text = "".join(text for text, _ in pairs)
        self.assertEqual(made.sanitized, text.replace(" " + MARK, "").replace(MARK, ""))

    @bounded
    @given(st.lists(st.text(_ANY, max_size=10), max_size=6))
    def test_only_text(self, texts: list[str]) -> None:
        """Text without emotes is one element, and the same in the three plain renderings."""
        made = content(texts)
        self.assertEqual(len(made.elements), 1 if "".join(texts) else 0)
        self.assertEqual(made.raw, made.formatted)


class HostileTests(Rules):
    """What chatters write to become markup stays text."""

    PAYLOADS = (
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<iframe srcdoc='<script>alert(1)</script>'>",
        "<template><script>alert(1)</script></template>",
        "</span><script>alert(1)</script><span>",
        '" onmouseover="alert(1)',
        "' onmouseover='alert(1)",
        "` onmouseover=`alert(1)",
        '"/><svg onload=alert(1)>',
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "<a href='javascript:alert(1)'>x</a>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#x3c;script&#x3e;",
        "&quot;&apos;&amp;&amp;amp;",
        "&notit; &copy &nbsp;",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<!--><script>alert(1)</script>-->",
        "<!DOCTYPE html><html><body onload=alert(1)>",
        "<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'/>",
        "<plaintext>",
        "<textarea></textarea><title></title><xmp>",
        "<base href=//evil.test/>",
        "<form action=//evil.test/><input name=x>",
        "<style>*{background:url(//evil.test)}</style>",
        "<link rel=stylesheet href=//evil.test>",
        "<meta http-equiv=refresh content=0;url=//evil.test>",
        "<object data=//evil.test><embed src=//evil.test>",
        "<scr\x00ipt>alert(1)</scr\x00ipt>",
        "<\x0bscript\x0c>alert(1)",
        "\u2028<script>\u2029",
        "\u202e<b>gnp.exe</b>",
        "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
        "<" * 1000,
        "{{constructor.constructor('alert(1)')()}}",
        "${alert(1)}",
    )

    def test_text(self) -> None:
        """Hostile text, alone and between emotes, is shown as it was written."""
        for payload in self.PAYLOADS:
            made = content([payload, Emote("K", URL, "K", "K"), payload])
            self.check(made)
            self.assertEqual(made.sanitized, payload + payload)
            self.assertEqual(made.raw, f"{payload}K{payload}")

    def test_emote_names(self) -> None:
        """Hostile names of emotes stay in their attributes."""
        for payload in self.PAYLOADS:
            made = content([Emote(payload, URL, payload, payload, True)])
            self.check(made)
            self.assertEqual(made.elements[0].type, "emote")

    def test_emote_addresses(self) -> None:
        """A hostile address is never a picture; the emote stays as text."""
        for payload in self.PAYLOADS:
            self.assertEqual(content([Emote("K", payload, "K", "K")]), content(["K"]), payload)


class HttpsUrlTests(SynchronousTestCase):
    """Which addresses of pictures are passed on."""

    GOOD = (
        "https://static-cdn.jtvnw.net/emoticons/v2/25/default/dark/1.0",
        "https://yt3.ggpht.com/abc_-DEF=w24-h24-c-k-nd",
        "https://p16-sign.tiktokcdn-us.com/obj/a~tplv.webp?x-expires=1&x-signature=a%2Bb%3D",
        "https://example.org",
        "https://example.org:443/x",
        "https://EXAMPLE.org/x",
        "https://sub_domain.example.org/x#fragment",
        "https://xn--bcher-kva.example/a(b),c;d",
        "https://1.example.org/127.0.0.1",
        "https://a.b.c.d.e.example.org/?u=//localhost",
    )

    REFUSED = (
        # Not an address, or not of https.
        "",
        " ",
        "x",
        "example.org/x.png",
        "/x.png",
        "?x",
        "#x",
        "http://example.org/x.png",
        "HTTP://example.org/x.png",
        "ftp://example.org/x.png",
        "file:///etc/passwd",
        "ws://example.org/",
        "blob:https://example.org/1",
        "data:image/png;base64,AAAA",
        "data:text/html,<script>alert(1)</script>",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)//https://example.org",
        "vbscript:msgbox(1)",
        "view-source:https://example.org/",
        "httpss://example.org/",
        "xhttps://example.org/",
        "https",
        "https:",
        "https:/",
        "https://",
        "https:///x.png",
        "https:example.org/x.png",
        "https:/example.org/x.png",
        "https:////example.org/x.png",
        "///example.org/x.png",
        "//",
        # Characters that an attribute, a parser or a browser may stumble over.
        " https://example.org/x.png",
        "https://example.org/x.png ",
        "https://example.org/a b.png",
        "https://exam ple.org/x.png",
        "https://example.org/x\n.png",
        "https://example.org/x\r.png",
        "https://example.org/x\t.png",
        "\thttps://example.org/x.png",
        "https://example.org\n/x.png",
        "https://example.org/\x00x.png",
        "https://example.org/\x7fx.png",
        "https://example.org/\x1b[31m",
        'https://example.org/x.png"onerror="alert(1)',
        "https://example.org/x.png'onerror='alert(1)",
        "https://example.org/<script>",
        "https://example.org/>",
        "https://example.org/`",
        "https://example.org\\@evil.test/",
        "https:\\\\example.org\\x.png",
        "https://example.org/ü.png",
        "https://bücher.example/x.png",
        "https://example\u3002org/x.png",
        "https://example.org/\u202egnp.exe",
        "https://example.org/\ud800",
        # Somebody's name, another port.
        "https://user@example.org/x.png",
        "https://user:password@example.org/x.png",
        "https://example.org@evil.test/x.png",
        "https://@example.org/x.png",
        "https://example.org:80/x.png",
        "https://example.org:8443/x.png",
        "https://example.org:0/x.png",
        "https://example.org:65536/x.png",
        "https://example.org:-443/x.png",
        "https://example.org:+443/x.png",
        "https://example.org:4_4_3/x.png",
        "https://example.org:https/x.png",
        # A machine of the house, or an address.
        "https://localhost/x.png",
        "https://LOCALHOST/x.png",
        "https://intranet/x.png",
        "https://printer.local/x.png",
        "https://PRINTER.LOCAL/x.png",
        "https://metadata.google.internal/x.png",
        "https://127.0.0.1/x.png",
        "https://127.1/x.png",
        "https://2130706433/x.png",
        "https://0x7f000001/x.png",
        "https://0177.0.0.1/x.png",
        "https://0.0.0.0/x.png",
        "https://10.0.0.1/x.png",
        "https://172.16.0.1/x.png",
        "https://192.168.1.1/x.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/x.png",
        "https://8.8.8.8/x.png",
        "https://[::1]/x.png",
        "https://[::]/x.png",
        "https://[fe80::1%25eth0]/x.png",
        "https://[fd00::1]/x.png",
        "https://[::ffff:127.0.0.1]/x.png",
        "https://[::ffff:7f00:1]/x.png",
        "https://[::1",
        "https://::1/x.png",
        "https://]/x.png",
        "//localhost/x.png",
        "//127.0.0.1/x.png",
        "//[::1]/x.png",
        "//user@example.org/x.png",
        "//example.org:80/x.png",
    )

    DISGUISED = (
        # A last dot is allowed in a name and means nothing: these are the addresses without it.
        "https://127.0.0.1./x.png",
        "https://169.254.169.254./x.png",
        "https://localhost./x.png",
        "https://printer.local./x.png",
        "https://metadata.google.internal./x.png",
        # Browsers read a last label in hexadecimal digits as a number: these are IPv4 addresses.
        "https://127.0.0.0xa/x.png",
        "https://0x7f.0.0.0xA/x.png",
        "https://127.0.0.0x/x.png",
        "https://10.0xa/x.png",
        # Browsers undo percent signs in a host before they read it.
        "https://127.0.0.0%78a/x.png",
        "https://169.254.169.254%2e/x.png",
        "https://%6cocalhost.%6cocal/x.png",
        # `localhost` is whatever stands before it (RFC 6761 section 6.3).
        "https://a.localhost/x.png",
        "https://a.LOCALHOST/x.png",
        # Names with nothing in them, and what is no name at all.
        "https://./x.png",
        "https://../x.png",
        "https://.org/x.png",
        "https://example..org/x.png",
        "https://[v1.example]/x.png",
        "https://exam|ple.org/x.png",
        "https://exam^ple.org/x.png",
    )

    def test_good(self) -> None:
        """Addresses of public hosts are passed on as they are."""
        for url in self.GOOD:
            self.assertEqual(https_url(url), url)

    def test_scheme_less(self) -> None:
        """What platforms write without a scheme is https."""
        self.assertEqual(https_url("//example.org/x.png"), "https://example.org/x.png")

    def test_refused(self) -> None:
        """Everything else is not passed on."""
        self.assertEqual([url for url in self.REFUSED if https_url(url) is not None], [])
        self.assertEqual(len(set(self.REFUSED)), len(self.REFUSED))

    def test_disguised(self) -> None:
        """A private host is known in every spelling that a browser understands."""
        self.assertEqual([url for url in self.DISGUISED if https_url(url) is not None], [])

    def test_not_text(self) -> None:
        """What is no text is no address."""
        values: list[object] = [
            None,
            0,
            1,
            True,
            b"https://example.org/",
            ["https://a.example"],
            {},
        ]
        self.assertEqual([value for value in values if https_url(value) is not None], [])

    def test_length(self) -> None:
        """Addresses of up to 2048 characters are passed on."""
        longest = "https://example.org/".ljust(MAX_URL, "x")
        self.assertEqual(MAX_URL, 2048)
        self.assertEqual(https_url(longest), longest)
        self.assertIsNone(https_url(longest + "x"))
        self.assertIsNone(https_url("https://example.org/" + "x" * 100_000))

    def test_length_without_scheme(self) -> None:
        """The scheme that is put before an address counts."""
        self.assertIsNone(https_url("//example.org/".ljust(MAX_URL, "x")))
        longest = "//example.org/".ljust(MAX_URL - len("https:"), "x")
        self.assertEqual(https_url(longest), f"https:{longest}")

    def test_again(self) -> None:
        """The answer is the same the second time."""
        for url in ("https://example.org/again", "//example.org/again", "http://example.org/again"):
            self.assertEqual(https_url(url), https_url(url[:]))


class WellFormedTests(SynchronousTestCase):
    """Text that can be written as UTF-8, and how long JavaScript finds it."""

    def test_unchanged(self) -> None:
        """What can be written is not touched."""
        for text in ("", "a", "é", "👏🏿", "\0", "\uffff", "\U0010ffff"):
            self.assertEqual(well_formed(text), text)

    def test_halves(self) -> None:
        """Each lone half is one replacement character; halves that fit become one character."""
        for text, expected in (
            ("\ud800", "\ufffd"),
            ("\udfff", "\ufffd"),
            ("a\ud800b", "a\ufffdb"),
            ("\ud800\ud800", "\ufffd\ufffd"),
            ("\udc00\ud800", "\ufffd\ufffd"),
            ("\ud83d\ude00", "😀"),
            ("\ud83d\ud83d\ude00", "\ufffd😀"),
            ("\ud83d😀", "\ufffd😀"),
            ("x\udc80", "x\ufffd"),
        ):
            self.assertEqual(well_formed(text), expected, ascii(text))

    def test_length(self) -> None:
        """Lengths are counted in UTF-16 code units; a lone half is one."""
        for text, length in (
            ("", 0),
            ("abc", 3),
            ("é", 1),
            ("\u20ac", 1),
            ("👏", 2),
            ("👏🏿", 4),
            ("👩‍👩‍👧", 8),
            ("\ud800", 1),
            ("\ud83d\ude00", 2),
            ("\U0010ffff", 2),
        ):
            self.assertEqual(utf16_length(text), length, ascii(text))

    @bounded
    @given(st.text(_ANY))
    def test_any_text(self, text: str) -> None:
        """The outcome can be written, is stable, and no longer for JavaScript than before."""
        made = well_formed(text)
        made.encode("utf-8")
        self.assertEqual(well_formed(made), made)
        self.assertEqual(utf16_length(made), sum(1 + (ord(c) > 0xFFFF) for c in text))
