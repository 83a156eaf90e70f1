# SPDX-License-Identifier: MIT
"""A publication carries what it must be found by, and its event can be had again from its JSON."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.publication import Publication
from livechat.model.events import item_of
from tests.support.all_events import PLATFORMS, recorded_events, written_events
from tests.support.fakes import chat, happening


def received(publication: Publication) -> Publication:
    """The publication as another node has it: without its event."""
    return Publication(
        publication.epoch,
        publication.seq,
        publication.kind,
        publication.item,
        publication.author,
        publication.timestamp,
        publication.room_id,
        publication.bit,
        publication.payload,
    )


class PublicationTests(SynchronousTestCase):
    """What is known of an event without it."""

    def test_chat(self) -> None:
        """A chat message is named by its id, and has an author."""
        event = chat("m1")
        publication = Publication.of("e", 7, event)
        self.assertEqual((publication.kind, publication.item), ("chat", "m1"))
        self.assertEqual(publication.author, event.data.author.id)
        self.assertEqual(publication.timestamp, event.timestamp)
        self.assertEqual(publication.room_id, event.room_id)
        self.assertIs(publication.event, event)

    def test_event(self) -> None:
        """An event is named by kind and id, and has no author."""
        event = happening("raid", "e1")
        publication = Publication.of("e", 7, event)
        self.assertEqual((publication.kind, publication.author), ("raid", ""))
        self.assertEqual(publication.item, item_of(event))

    def test_every_event_survives(self) -> None:
        """What another node decodes is equal to what was published: one of every kind."""
        for platform in PLATFORMS:
            for event in written_events(platform):
                publication = received(Publication.of("e", 1, event))
                self.assertEqual(publication.event, event)
                self.assertIs(publication.event, publication.event)

    def test_every_recorded_event_survives(self) -> None:
        """The same for everything that was recorded."""
        for platform in PLATFORMS:
            for event in recorded_events(platform):
                self.assertEqual(received(Publication.of("e", 1, event)).event, event)

    def test_unknown(self) -> None:
        """What this node does not know, or what is none, is an error to who asks for it."""
        for kind, payload in (("strange", b"{}"), ("chat", b"\xff"), ("raid", b"[]")):
            publication = Publication("e", 1, kind, "item", "", "", "", 1, payload)
            self.assertRaises(msgspec.MsgspecError, getattr, publication, "event")
