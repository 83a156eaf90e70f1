# SPDX-License-Identifier: MIT
"""Tokens: the rewrite from Top chat to all messages, and what is left alone."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.youtube.parse.continuation import (
    Continuation,
    all_messages,
    feed,
    is_stub,
    read_continuation,
)
from livechat.platforms.youtube.parse.innertube import Json

#: The token of a recorded watch page.
TOP = (
    "0ofMyAOAARpeQ2lrcUp3b1lWVU5oT1ZrMU4yZG1aVmt3V25KdlgyNXZTRkpXY201M0VndHhWRFZQVkVSMlNrc3hVUm9U"
    "NnFqZHVRRU5DZ3R4VkRWUFZFUjJTa3N4VVNBQk1BQSUzRDABggEICAQYAiAAKACIAQGgAfWqiZ-_4JIDqAEAsgEA"
)
ALL = TOP.replace("ggEICAQY", "ggEICAEY")

STUB_TOP = "0ofMyAMSGgAwAYIBCAgEGAAgACgBqAEB"
STUB_ALL = "0ofMyAMSGgAwAYIBCAgBGAAgACgBqAEB"

#: The frame of field 119693434 of a token, before its length.
FRAME = bytes.fromhex("d287ccc803")


def token(inside: bytes) -> str:
    """A token of our own around some fields of the live chat message."""
    return urlsafe_b64encode(FRAME + bytes([len(inside)]) + inside).decode().rstrip("=")


class RewriteTests(SynchronousTestCase):
    """docs/wire/youtube.md#top-chat."""

    def test_vector(self) -> None:
        """The recorded token changes in its one byte and nowhere else."""
        self.assertNotEqual(TOP, ALL)
        self.assertEqual(all_messages(TOP), ALL)
        self.assertEqual((feed(TOP), feed(ALL)), ("top", "all"))

    def test_twice(self) -> None:
        """A token for all messages stays as it is."""
        self.assertEqual(all_messages(ALL), ALL)

    def test_padding(self) -> None:
        """Padding, spelt `%3D` or `=` or left out, is sent back verbatim."""
        raw = bytes.fromhex("1a0141") + bytes.fromhex("8201020804")
        for extra in range(3):
            bare = token(raw + b"\x30\x01" * extra)
            missing = -len(bare) % 4
            for sign in ("=", "%3D", "%3d", ""):
                changed = all_messages(bare + sign * missing)
                self.assertTrue(changed.endswith(sign * missing))
                self.assertEqual(len(changed), len(bare + sign * missing))
                self.assertEqual(feed(changed), "all")

    def test_old_type(self) -> None:
        """The type in field 13 is rewritten where it is there, and only the types are."""
        fields = bytes.fromhex("1a0141680482010408041804")
        changed = all_messages(token(fields))
        self.assertEqual(changed, token(bytes.fromhex("1a0141680182010408011804")))

    def test_unreadable(self) -> None:
        """What is no such token is sent as it is."""
        long_type = bytes.fromhex("1a0141820103088401")
        cut = bytes.fromhex("1a0941")
        group = bytes.fromhex("1b")
        for same in (
            "",
            "test-continuation:01",
            "___continuation___",
            "A",
            "AAAAA",
            "not base64!",
            TOP[:-3],
            "é" + TOP,
            token(b""),
            token(long_type),
            token(cut),
            token(group),
            token(b"\x80" * 12),
            # a replay token: another field altogether
            urlsafe_b64encode(bytes.fromhex("e2a6a5d3040472020801")).decode(),
        ):
            self.assertEqual(all_messages(same), same)
            self.assertIsNone(feed(same))

    def test_stubs(self) -> None:
        """The two constants of the page's menu are known for what they are, real tokens are not."""
        self.assertEqual(
            [is_stub(t) for t in (STUB_TOP, STUB_ALL, TOP, ALL, "", "x", token(b"\x1b"))],
            [True, True, False, False, False, False, False],
        )

    @settings(max_examples=300, deadline=None)
    @given(st.one_of(st.text(max_size=80), st.binary(max_size=80).map(token)))
    def test_any_text(self, text: str) -> None:
        """No text raises, and none changes its length."""
        changed = all_messages(text)
        self.assertEqual(len(changed), len(text))
        self.assertEqual(all_messages(changed), changed)
        is_stub(text)

    @settings(max_examples=200, deadline=None)
    @given(st.integers(0, len(TOP) - 1), st.integers(0, 255))
    def test_any_byte(self, place: int, value: int) -> None:
        """With any one byte of a real token changed, only chat types are ever rewritten."""
        raw = bytearray(urlsafe_b64decode(TOP + "=" * (-len(TOP) % 4)))
        raw[place % len(raw)] = value
        before = urlsafe_b64encode(raw).decode().rstrip("=")
        after = urlsafe_b64decode(all_messages(before) + "=" * (-len(before) % 4))
        changed = [new for old, new in zip(raw, after, strict=True) if old != new]
        self.assertLessEqual(len(changed), 2)
        self.assertTrue(all(new == 1 for new in changed))


class ContinuationTests(SynchronousTestCase):
    """The list of continuations in an answer."""

    def test_kinds(self) -> None:
        """The first entry with a token counts, of whatever kind, known or not."""
        kinds = (
            "invalidationContinuationData",
            "timedContinuationData",
            "reloadContinuationData",
            "somethingNewContinuationData",
        )
        for kind in kinds:
            entry = {"clickTrackingParams": "x", kind: {"timeoutMs": 5000, "continuation": "t%3D"}}
            read = read_continuation([None, {}, {kind: {"continuation": ""}}, entry])
            self.assertEqual(read, Continuation("t%3D", kind, 5000))

    def test_timeout(self) -> None:
        """`timeoutMs` is kept within one and thirty seconds, whatever it holds."""
        cases = [(0, 1000), (-1, 10_000), (10**12, 30_000), ("4000", 4000), ("x", 10_000)]
        cases += [(None, 10_000), (True, 10_000), (2.5, 10_000), ([], 10_000), (1500, 1500)]
        for sent, kept in cases:
            read = read_continuation([{"k": {"timeoutMs": sent, "continuation": "t"}}])
            self.assertEqual(read, Continuation("t", "k", kept), repr(sent))

    def test_none(self) -> None:
        """No list, no entry, no token: nothing to ask on with."""
        nothings: list[Json] = [None, [], {}, "abc", 7, [[]], ["a"], [{"k": {}}]]
        for nothing in (*nothings, [{"k": {"continuation": 1}}]):
            self.assertIsNone(read_continuation(nothing))
