# SPDX-License-Identifier: MIT
"""What clients paste, and what may come of it: canonical keys, safe paths, refusals."""

from __future__ import annotations

from itertools import product
from urllib.parse import urljoin, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.errors import ChatError, ErrorCode
from livechat.model.events import ChannelKey
from livechat.platforms.youtube.identifier import HOST, HOSTS, key_of, pages

VIDEO = "qT5OTDvJK1Q"
CHANNEL = "UCa9Y57gfeY0Zro_noHRVrnw"

#: What is typed, under which type it is sent, and the type and identifier that are meant.
UNDERSTOOD = [
    # bare
    ("SomeName", "username", "username", "somename"),
    ("@SomeName", "username", "username", "somename"),
    ("  @SomeName\n", "username", "username", "somename"),
    ("a.b-c_d·e", "username", "username", "a.b-c_d·e"),
    ("ÉCOLE", "username", "username", "école"),
    ("e\u0301cole", "username", "username", "école"),
    ("ひめもり", "username", "username", "ひめもり"),
    ("@%E3%81%B2", "username", "username", "ひ"),
    ("ไทย่", "username", "username", "ไทย่"),
    ("qT5OTDvJK1Q", "username", "username", "qt5otdvjk1q"),
    (CHANNEL, "username", "channelId", CHANNEL),
    (CHANNEL, "channelId", "channelId", CHANNEL),
    (f"@{CHANNEL}", "username", "username", CHANNEL.lower()),
    (VIDEO, "liveId", "liveId", VIDEO),
    ("-_AbCdEfG01", "liveId", "liveId", "-_AbCdEfG01"),
    ("c/SomeName", "username", "username", "c/somename"),
    ("user/SomeName", "username", "username", "user/somename"),
    (f"watch?v={VIDEO}", "liveId", "liveId", VIDEO),
    (f"/watch?v={VIDEO}&t=3s", "username", "liveId", VIDEO),
    # a video's addresses
    (f"https://www.youtube.com/watch?v={VIDEO}", "username", "liveId", VIDEO),
    (f"http://youtube.com/watch?app=desktop&v={VIDEO}&t=12", "liveId", "liveId", VIDEO),
    (f"HTTPS://WWW.YouTube.COM/watch?v={VIDEO}", "liveId", "liveId", VIDEO),
    (f"m.youtube.com/watch?v={VIDEO}#t=1", "channelId", "liveId", VIDEO),
    (f"//music.youtube.com/watch?v={VIDEO}", "username", "liveId", VIDEO),
    (f"https://gaming.youtube.com/watch?v={VIDEO}", "username", "liveId", VIDEO),
    (f"https://www.youtube.com:443/watch?v={VIDEO}", "username", "liveId", VIDEO),
    (f"https://www.youtube.com./watch?v={VIDEO}", "username", "liveId", VIDEO),
    ("https://www.youtube.com/watch?v=%71T5OTDvJK1Q", "username", "liveId", VIDEO),
    (f"https://www.youtube.com/live/{VIDEO}?feature=share", "username", "liveId", VIDEO),
    (f"https://youtube.com/shorts/{VIDEO}", "username", "liveId", VIDEO),
    (f"https://www.youtube.com/embed/{VIDEO}?autoplay=1", "username", "liveId", VIDEO),
    (f"https://www.youtube-nocookie.com/embed/{VIDEO}", "username", "liveId", VIDEO),
    (f"https://www.youtube.com/v/{VIDEO}", "username", "liveId", VIDEO),
    (f"https://www.youtube.com/e/{VIDEO}/", "username", "liveId", VIDEO),
    (f"https://youtu.be/{VIDEO}?si=abc", "username", "liveId", VIDEO),
    (f"youtu.be/{VIDEO}", "liveId", "liveId", VIDEO),
    (f"https://www.youtube.com/live_chat?is_popout=1&v={VIDEO}", "username", "liveId", VIDEO),
    (f"https://www.youtube.com/watch_popup?v={VIDEO}", "username", "liveId", VIDEO),
    (f"https://studio.youtube.com/video/{VIDEO}/livestreaming", "username", "liveId", VIDEO),
    # a channel's addresses
    (f"https://www.youtube.com/channel/{CHANNEL}", "username", "channelId", CHANNEL),
    (f"https://www.youtube.com/channel/{CHANNEL}/live", "liveId", "channelId", CHANNEL),
    (f"youtube.com/channel/{CHANNEL}/streams?view=2", "channelId", "channelId", CHANNEL),
    (f"https://studio.youtube.com/channel/{CHANNEL}", "username", "channelId", CHANNEL),
    (
        f"https://www.youtube.com/embed/live_stream?channel={CHANNEL}",
        "username",
        "channelId",
        CHANNEL,
    ),
    ("https://www.youtube.com/@SomeName", "username", "username", "somename"),
    ("https://www.youtube.com/@SomeName/live", "channelId", "username", "somename"),
    ("youtube.com/@SomeName/streams", "liveId", "username", "somename"),
    ("https://www.youtube.com/%40SomeName", "username", "username", "somename"),
    ("https://www.youtube.com/@%E3%81%B2%E3%82%81/live", "username", "username", "ひめ"),
    ("https://www.youtube.com/c/SomeName/live", "username", "username", "c/somename"),
    ("https://www.youtube.com/user/SomeName", "username", "username", "user/somename"),
    ("https://www.youtube.com/SomeName", "username", "username", "somename"),
    ("www.youtube.com/SomeName/live", "username", "username", "somename"),
]

REFUSED = [
    # nothing, or nothing in particular
    ("", "username"),
    ("   ", "username"),
    ("@", "username"),
    ("@@name", "username"),
    ("...", "username"),
    ("..", "username"),
    ("%2e%2e", "username"),
    ("-_-", "username"),
    ("youtube.com", "username"),
    ("https://www.youtube.com", "username"),
    ("https://www.youtube.com/", "username"),
    ("https://www.youtube.com/live", "username"),
    ("https://www.youtube.com/watch", "username"),
    ("https://www.youtube.com/watch?v=short", "username"),
    ("https://www.youtube.com/playlist?list=PLabc", "username"),
    ("https://www.youtube.com/feed/subscriptions", "username"),
    ("https://www.youtube.com/channel/UCshort", "username"),
    ("https://www.youtube.com/embed/live_stream?channel=x", "username"),
    ("https://studio.youtube.com/", "username"),
    ("https://youtu.be/", "username"),
    # the wrong type, or none
    ("SomeName", "liveId"),
    ("SomeName", "channelId"),
    ("@qT5OTDvJK1Q", "liveId"),
    (CHANNEL, "liveId"),
    (CHANNEL[:-1], "channelId"),
    (CHANNEL[:-1] + "B", "channelId"),
    (VIDEO + "x", "liveId"),
    (VIDEO, "channelId"),
    (VIDEO, "videoId"),
    (VIDEO, ""),
    # other places
    ("https://evil.test/watch?v=qT5OTDvJK1Q", "liveId"),
    ("//evil.test/@name", "username"),
    ("https://www.youtube.com.evil.test/@name", "username"),
    ("https://evilyoutube.com/@name", "username"),
    ("https://user@www.youtube.com/@name", "username"),
    ("https://www.youtube.com@evil.test/@name", "username"),
    ("https://www.youtube.com:8080/@name", "username"),
    ("https://www.youtube.com:port/@name", "username"),
    ("https://[::1]/@name", "username"),
    ("https://[::1/@name", "username"),
    ("http://169.254.169.254/latest/meta-data", "username"),
    ("https://xn--youtube-9za.com/@name", "username"),
    ("https://\uff57\uff57\uff57.youtube.com.evil.test/@name", "username"),
    ("ftp://www.youtube.com/@name", "username"),
    ("javascript://www.youtube.com/@name", "username"),
    ("file:///etc/passwd", "username"),
    ("https:\\\\www.youtube.com\\@name", "username"),
    ("https://evil.test\\@www.youtube.com/@name", "username"),
    # ways out of a path
    ("../../etc/passwd", "username"),
    ("c/..", "username"),
    ("c/%2e%2e", "username"),
    ("user/../x", "username"),
    ("https://www.youtube.com/@../live", "username"),
    ("https://www.youtube.com/@name%2F..%2F..", "username"),
    ("https://www.youtube.com/@name%252e", "username"),
    ("https://www.youtube.com/@%FF%FE", "username"),
    ("https://www.youtube.com/@name%00", "username"),
    ("name%0d%0aX", "username"),
    # too much
    ("x" * 256, "username"),
    ("é" * 128, "username"),
    ("x" * 1_000_000, "username"),
    ("https://www.youtube.com/@name?" + "x" * 2048, "username"),
    ("https://www.youtube.com/watch?v=qT5OTDvJK1Q" + "&a=b" * 100, "username"),
    ("\ud800", "username"),
]


class IdentifierTests(SynchronousTestCase):
    """The identifiers of docs/wire/youtube.md#identifiers, and those that must do no harm."""

    def test_understood(self) -> None:
        """Each form that users paste gives the one key of the channel or video it names."""
        for text, sent, meant, identifier in UNDERSTOOD:
            key = key_of(text, sent)
            self.assertEqual(key, ChannelKey("youtube", meant, identifier), f"{text!r} as {sent}")

    def test_canonical_is_fixed(self) -> None:
        """The canonical form, sent back under its own type, is itself."""
        for text, sent, _, _ in UNDERSTOOD:
            key = key_of(text, sent)
            self.assertEqual(key_of(key.identifier, key.identifier_type), key)

    def test_refused(self) -> None:
        """What names no channel, or another place, is refused with its code and nothing else."""
        for text, sent in REFUSED:
            error = self.assertRaises(ChatError, key_of, text, sent)
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER, f"{text[:60]!r} as {sent}")

    def test_control_characters(self) -> None:
        """A character that could end a line or hide something is refused wherever it stands."""
        bad = ["\r\n", "\r", "\n", "\0", "\t", " ", "\x7f", "\x85", "\u2028", "\u200b", "\u202e"]
        bad += ["#", ",", ":", ";", "?", "\\", '"', "'", "<", ">", "*", "{", "}", "|", "^", "`"]
        inputs = [
            (template.format(piece), sent)
            for template, piece, sent in product(
                ("na{}me", "name{}QUIT", "c/na{}me", "UC{}a9Y57gfeY0Zro_noHRVrnw"),
                bad,
                ("username", "channelId", "liveId"),
            )
        ]
        self.assertGreaterEqual(len(inputs), 300)
        for text, sent in inputs:
            error = self.assertRaises(ChatError, key_of, text, sent)
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER, repr(text))

    def test_foreign_hosts(self) -> None:
        """No host, port, user or scheme of a client's making gets through."""
        hosts = ["evil.test", "169.254.169.254", "[::1]", "localhost", "youtube.com.evil.test"]
        hosts += [
            "evil.test#youtube.com",
            "evil.test?youtube.com",
            "youtube.com:81",
            "a@youtube.com",
        ]
        hosts += ["xn--youtube-9za.com", "youtube。com", "youtube.com%2eevil.test", "0x7f.1"]
        schemes = ["https://", "http://", "//", "", "ftp://", "gopher://", "https:/", "https:"]
        paths = ["/@name", "/watch?v=qT5OTDvJK1Q", "/../..", "/@name/live", "/c/name", "/"]
        inputs = [a + b + c for a, b, c in product(schemes, hosts, paths)]
        self.assertGreaterEqual(len(inputs), 500)
        for text in inputs:
            self.assertRaises(ChatError, key_of, text, "username")

    @settings(max_examples=300, deadline=None)
    @given(
        st.one_of(
            st.text(max_size=60),
            st.text("@/.%?#=&:c user-_·éß", max_size=40),
            st.builds(
                "{}/{}".format,
                st.sampled_from(sorted(HOSTS)),
                st.text("@/.%?=&watchv-_éSs", max_size=40),
            ),
        ),
        st.sampled_from(["username", "channelId", "liveId"]),
    )
    def test_any_text(self, text: str, sent: str) -> None:
        """Any text gives a refusal or a key that is canonical and whose pages are on our host."""
        try:
            key = key_of(text, sent)
        except ChatError as error:
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER)
            return
        self.assertEqual(key_of(key.identifier, key.identifier_type), key)
        self.assertLessEqual(len(key.identifier.encode()), 260)
        for path in (*pages(key), *pages(key, "streams")):
            self.assertTrue(path.isascii())
            url = urlsplit(urljoin(f"https://{HOST}/", path))
            self.assertEqual((url.scheme, url.netloc), ("https", HOST))
            self.assertEqual(f"{url.path}?{url.query}".rstrip("?"), path)


class PageTests(SynchronousTestCase):
    """Which pages tell about a key."""

    def test_video(self) -> None:
        """A video has its own page and no other."""
        key = ChannelKey("youtube", "liveId", VIDEO)
        self.assertEqual(pages(key), (f"/watch?v={VIDEO}",))
        self.assertEqual(pages(key, "streams"), (f"/watch?v={VIDEO}",))

    def test_channel(self) -> None:
        """A channel id leads to its live page and to its list."""
        key = ChannelKey("youtube", "channelId", CHANNEL)
        self.assertEqual(pages(key), (f"/channel/{CHANNEL}/live",))
        self.assertEqual(pages(key, "streams"), (f"/channel/{CHANNEL}/streams",))

    def test_word(self) -> None:
        """A bare word is tried as a handle, a custom name and a user name, percent-encoded."""
        key = ChannelKey("youtube", "username", "ひ")
        self.assertEqual(
            pages(key), ("/@%E3%81%B2/live", "/c/%E3%81%B2/live", "/user/%E3%81%B2/live")
        )

    def test_legacy(self) -> None:
        """A legacy address stays what it is."""
        self.assertEqual(pages(ChannelKey("youtube", "username", "c/name")), ("/c/name/live",))
        key = ChannelKey("youtube", "username", "user/name")
        self.assertEqual(pages(key, "streams"), ("/user/name/streams",))
