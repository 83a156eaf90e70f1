# SPDX-License-Identifier: MIT
"""A hundred thousand damaged frames: nothing raises, nothing takes long, what comes out is whole.

Seeded, so that a failure comes again.  Some are damaged where they lie on the wire, compressed or
not; most inside, where the damage reaches the translator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.events import ChannelKey
from livechat.platforms.tiktok.parse.chat import Translation, Translator
from livechat.platforms.tiktok.parse.counts import Counts
from livechat.platforms.tiktok.parse.webcast import Push, Unread, read_push
from livechat.protocol.messages import encode_event
from tests.support.corpus import corpus
from tests.support.cpu import within
from tests.support.schema import frames
from tests.support.tiktok_payloads import (
    NOW,
    ROOM,
    batch,
    gzipped,
    push,
    recorded,
    translated,
    varint,
    wire,
)

FRAMES = 100_000
SEED = 20261123
#: CPU time that one frame may take, in seconds.
LONGEST = 0.05

KEY = ChannelKey("tiktok", "username", "golden.tester")

#: Numbers that lengths, tags and values like to be wrong by.
NUMBERS = (0, 1, -1, 127, 128, 1 << 20, 1 << 31, (1 << 31) - 1, 1 << 62, (1 << 63) - 1, -(1 << 31))


def flip(data: bytearray, random: Random) -> None:
    """Up to eight bits turned over."""
    for _ in range(random.randint(1, 8)):
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def overwrite(data: bytearray, random: Random) -> None:
    """A few bytes of nothing in particular."""
    at = random.randrange(len(data))
    data[at : at + 8] = random.randbytes(random.randint(1, 8))


def cut(data: bytearray, random: Random) -> None:
    """The end missing."""
    del data[random.randrange(len(data)) :]


def remove(data: bytearray, random: Random) -> None:
    """A stretch missing."""
    at = random.randrange(len(data))
    del data[at : at + random.randint(1, 64)]


def repeat(data: bytearray, random: Random) -> None:
    """A stretch there many times."""
    at = random.randrange(len(data))
    data[at:at] = data[at : at + random.randint(1, 32)] * random.randint(1, 40)


def insert_number(data: bytearray, random: Random) -> None:
    """A varint that is far off, or too long."""
    number = varint(random.choice(NUMBERS))
    at = random.randrange(len(data))
    data[at:at] = random.choice((number, b"\xff" * 11, b"\x80" * 10 + b"\x01"))


def insert_field(data: bytearray, random: Random) -> None:
    """A field of any number and type before everything else."""
    number = random.randint(1, 110)
    value = random.choice((random.choice(NUMBERS), random.randbytes(5), "\ufffc<b>", b""))
    data[0:0] = wire([(number, value)])


def nest(data: bytearray, random: Random) -> None:
    """A field wrapped in itself many times."""
    number = random.choice((1, 2, 8, 13, 15, 64))
    nested = b""
    for _ in range(random.choice((3, 50, 99, 101, 300))):
        nested = wire([(number, nested)])
    data += nested


MUTATIONS: tuple[Callable[[bytearray, Random], None], ...] = (
    flip,
    overwrite,
    cut,
    remove,
    repeat,
    insert_number,
    insert_field,
    nest,
)


class MutationTests(SynchronousTestCase):
    """Reading, translating and encoding of damaged frames."""

    timeout = 300

    def setUp(self) -> None:
        """One room for all of them."""
        self.translator = Translator(ROOM)

    def read(self, frame: bytes, now: float) -> tuple[Push | Unread, Translation, list[bytes]]:
        """What a frame is read as, what that means, and what clients are sent of it."""
        read = read_push(frame)
        messages = read.batch.messages if isinstance(read, Push) else []
        translation = self.translator.translate(messages, NOW, now)
        return read, translation, [encode_event(KEY, event) for event in translation.events]

    def test_mutated_frames(self) -> None:
        """Each frame is unread or becomes events that fit the schema, within 50 ms of CPU."""
        random = Random(SEED)
        payloads = [(payload.method, payload.payload) for payload in recorded().values()]
        # Methods that are only counted are not decoded; damage would not reach the translator.
        told = [payload for payload in payloads if translated(*payload).counts == Counts()]
        wires = [corpus("tiktok/recorded/2026-09-17_im_enter_room_resp.frame.bin").read_bytes()]
        for _ in range(40):
            chosen = batch(random.sample(payloads, 3))
            wires += [push(chosen), push(gzipped(chosen))]
        outcomes = Counter[str]()
        for number in range(FRAMES):
            if number % 5 == 0:
                data = bytearray(random.choice(wires))
                random.choice(MUTATIONS)(data, random)
                frame = bytes(data)
            else:
                method, payload = random.choice(told)
                data = bytearray(payload)
                for _ in range(random.choice((1, 1, 1, 3))):
                    if data:
                        random.choice(MUTATIONS)(data, random)
                frame = push(batch([(method, bytes(data))]))
            read, translation, sent = within(LONGEST, partial(self.read, frame, number * 0.01))
            for one in sent:
                frames().read(one)
            if isinstance(read, Unread):
                outcomes[read.name] += 1
            else:
                outcomes["events"] += len(translation.events)
                for name, count in translation.counts.unparsed.items():
                    known = "unreadable message" if name.endswith(" unreadable") else "unknown part"
                    outcomes[known] += count
        # The damage was neither so light nor so heavy that only one way was tried.
        for outcome in ("events", "unreadable message", "frame unreadable", "gzip unreadable"):
            self.assertGreater(outcomes[outcome], 1000, outcomes)
