# SPDX-License-Identifier: MIT
"""Recorded answers of YouTube, read from a directory and played through the watcher."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.events import Event
from livechat.simulator.youtube_playback import YouTubeRecording, read_recording
from tests.support.corpus import corpus
from tests.support.youtube import YouTubeCase, text_item
from tests.test_youtube_corpus import EXPECTED


def body(*actions: Any) -> dict[str, Any]:
    """A recorded answer."""
    old = [{"timedContinuationData": {"continuation": "old", "timeoutMs": 1}}]
    chat = {"continuations": old, "actions": list(actions)}
    return {"trackingParams": "x", "continuationContents": {"liveChatContinuation": chat}}


class ReadingTests(SynchronousTestCase):
    """Files of a recording."""

    def recording(self, **files: Any) -> YouTubeRecording:
        """The recording in a directory of these files."""
        directory = Path(self.mktemp())
        directory.mkdir()
        (directory / "README.md").write_text("not a recording")
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (directory / f"{name}.json").write_text(text)
        return read_recording(directory)

    def played(self, recording: YouTubeRecording) -> list[list[Any]]:
        """The actions of each answer, which leads to the next."""
        played = []
        for number in range(len(recording)):
            chat = recording.answer(number, "next")["continuationContents"]["liveChatContinuation"]
            (continuation,) = chat["continuations"]
            self.assertEqual(continuation["timedContinuationData"]["continuation"], "next")
            played.append(chat["actions"])
        return played

    def test_shapes(self) -> None:
        """Answers as they are, wrapped, in lists, of archives; actions and items by themselves."""
        one, two = text_item("one", 1), text_item("two", 2)
        item = two["addChatItemAction"]["item"]
        wrapped = {"replayChatItemAction": {"actions": [one, two]}}
        member = {"id": "m", "headerSubtext": {}}
        added = {"addChatItemAction": {"item": {"liveChatMembershipItemRenderer": member}}}
        for files, expected in (
            ({"b": body(two), "a": body(one)}, [[one], [two]]),
            ({"a": {"response": body(one)}}, [[one]]),
            ({"a": [{"response": body(one)}, body(two)]}, [[one], [two]]),
            ({"a": body(wrapped)}, [[one, two]]),
            ({"a": [one, {"name": "x", "data": two}]}, [[one, two]]),
            ({"a": [{"data": item}, {"data": {"item": item}}]}, [[two, two]]),
            ({"a": [{"data": member}]}, [[added]]),
            ({"a": [one] * 21}, [[one] * 20, [one]]),
            (
                {"a": [{"data": {"clickTrackingParams": "x", **one}}]},
                [[{"clickTrackingParams": "x", **one}]],
            ),
        ):
            recording = self.recording(**files)
            self.assertEqual(self.played(recording), expected)
        self.assertEqual(recording.actions, 1)

    def test_before_and_after(self) -> None:
        """Before the first answer and after the last one nothing happens."""
        recording = self.recording(a=body(text_item("one", 1)))
        for number in (-1, 1, 100):
            chat = recording.answer(number, "t")["continuationContents"]["liveChatContinuation"]
            self.assertEqual(chat["actions"], [])

    def test_nothing_to_play(self) -> None:
        """What is no recording is left out and named; where nothing is left there is none."""
        rubbish = {"a": "not json", "b": [], "c": {"x": 1}, "d": "[" * 5000, "e": [7, {"x": {}}]}
        error = self.assertRaises(ValueError, self.recording, **rubbish)
        self.assertEqual(str(error), "no recorded answer")
        recording = self.recording(**rubbish, f=body())
        self.assertEqual(recording.left_out, tuple(f"{name}.json" for name in "abcde"))
        self.assertRaises(OSError, read_recording, Path(self.mktemp()))


class CorpusTests(YouTubeCase):
    """The whole corpus of answers as one live chat."""

    def test_corpus(self) -> None:
        """Each recorded action is delivered, or a repetition, or counted under its name."""
        directory = Path(self.mktemp())
        directory.mkdir()
        for name in ("chat-downloader", "pytchat", "youtube-chat", "ytlivechat"):
            for path in corpus(f"youtube/{name}").glob("*.json"):
                (directory / f"{name}-{path.name}").symlink_to(path)
        recording = read_recording(directory)
        self.simulator.recording = recording
        _, sink = self.watched()
        heard: list[Event] = []
        self.patch(sink, "received", heard.extend)
        self.run_for(2.0 * len(recording) + 10)
        names = Counter(event.type for event in heard if not isinstance(event, ChatMessage))
        counted = self.counted(self.metrics)
        # A member is a message and an event.
        total = len(heard) - names["subscription"] + sum(counted.values())
        self.assertEqual(total, recording.actions, (names, counted))
        chats = sum(row[0].get("chat", 0) for name, row in EXPECTED.items() if ".json" in name)
        self.assertEqual(len(heard) - sum(names.values()), chats)
        self.assertEqual(recording.left_out, ("pytchat-finished_live.json",))

    def counted(self, metrics: Metrics) -> Counter[str]:
        """What was not delivered, by name."""
        counted: Counter[str] = Counter()
        for line in metrics.exposition().decode().splitlines():
            if line.startswith(("livechat_unparsed_total{", "livechat_ignored_total{")):
                name, _, amount = line.rpartition(" ")
                counted[name] += int(float(amount))
        return counted
