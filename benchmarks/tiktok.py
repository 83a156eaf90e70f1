# SPDX-License-Identifier: MIT
"""What one TikTok comment costs on its way from a push frame to bytes that are ready to send.

Measured in CPU time of this process over the recorded comments where they are present, otherwise
over those of the simulator; the best and the middle of several rounds.  Frames are compressed and
hold ten comments each.
"""

from __future__ import annotations

import base64
import json
from itertools import islice

from benchmarks.messages import ROUNDS, per_item
from livechat.model.chat import ChatMessage
from livechat.model.events import ChannelKey
from livechat.platforms.tiktok.parse.chat import Translator
from livechat.platforms.tiktok.parse.message_context import Room
from livechat.platforms.tiktok.parse.webcast import Envelope, Push, read_push
from livechat.protocol.messages import encode_event
from livechat.simulator import tiktok_faults, tiktok_messages
from livechat.simulator.scenario import Scenario
from livechat.simulator.tiktok_messages import Written
from livechat.transports.frames import frame
from tests.support.corpus import ROOT

RECORDED = ROOT / "tiktok/recorded"
CHAT = "WebcastChatMessage"
NOW = 1_800_000_000_000
COUNT = 2000
PER_FRAME = 10


def comments() -> tuple[str, list[bytes]]:
    """Payloads of comments, and where they are from."""
    found: list[bytes] = []
    for path in sorted(RECORDED.glob("*.json")):
        records = json.loads(path.read_bytes()).get(CHAT, [])
        found += [base64.b64decode(record["eventData"]) for record in records]
    if found:
        return f"{len(found)} recorded comments, repeated", (found * (COUNT // len(found) + 1))
    room = tiktok_messages.Room("bench", NOW)
    said = (
        written.payload
        for _, action in Scenario(1, 1.0).script("bench")
        for written in tiktok_messages.messages(action, room)
        if written.method == CHAT
    )
    return "comments of the simulator", list(islice(said, COUNT))


def main() -> None:
    """Measure and print."""
    source, found = comments()
    payloads = found[:COUNT]
    written = [Written(CHAT, payload, number) for number, payload in enumerate(payloads, 1)]
    frames = [
        tiktok_faults.frame(
            tiktok_faults.gzipped(
                tiktok_messages.batch(written[start : start + PER_FRAME], need_ack=True)
            )
        )
        for start in range(0, COUNT, PER_FRAME)
    ]
    envelopes = [Envelope(*one) for one in written]
    room = Room("7300000000000000001", 6800000000000000001)
    key = ChannelKey("tiktok", "username", "bench")
    events = Translator(room).translate(envelopes, NOW, 0.0).events
    messages = [event for event in events if isinstance(event, ChatMessage)]

    def whole() -> None:
        translator = Translator(room)
        for data in frames:
            push = read_push(data)
            assert isinstance(push, Push)
            for event in translator.translate(push.batch.messages, NOW, 0.0).events:
                frame(encode_event(key, event))

    rows = [
        ("inflate and open the frame", per_item(lambda: [read_push(d) for d in frames], COUNT)),
        (
            "decode and translate to a message",
            per_item(lambda: Translator(room).translate(envelopes, NOW, 0.0), COUNT),
        ),
        (
            "encode and frame",
            per_item(lambda: [frame(encode_event(key, one)) for one in messages], COUNT),
        ),
        ("push frame to our frame, all three (bar: 40)", per_item(whole, COUNT)),
    ]
    print(f"\nOne comment of TikTok, {source}, CPU time in us ({ROUNDS} rounds)\n")
    print(f"{'':48}{'best':>8}{'middle':>8}")
    for name, (best, middle) in rows:
        print(f"{name:48}{best:8.2f}{middle:8.2f}")
