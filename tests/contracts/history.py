# SPDX-License-Identifier: MIT
"""What every `IHistory` does: it keeps in order, gives what was missed, leaves out the removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.core.clients import Place
from livechat.core.history import IHistory, Kept, Past
from livechat.core.publication import Publication
from livechat.model.event_data.moderation import Deletion, Timeout
from livechat.model.event_data.parts import Person
from livechat.model.events import (
    ALL_KINDS,
    CHAT_BIT,
    ChannelEvent,
    ChannelKey,
    Event,
    item_of,
    kind_bit,
    with_mirrored,
    without_mirrored,
)
from tests.support.fakes import chat, happening

if TYPE_CHECKING:
    _Case = SynchronousTestCase
else:
    _Case = object

KEY = ChannelKey("twitch", "username", "ann")
OTHER = ChannelKey("tiktok", "username", "ann")
EPOCH = "e1"
CHATS = with_mirrored(CHAT_BIT)
TIME = "2026-01-02T03:04:05.678Z"


def deletion(message_id: str = "", source: str = "") -> ChannelEvent:
    """A message was deleted; without its id: the whole chat was cleared."""
    data = (
        Deletion(scope="message", message_id=message_id) if message_id else Deletion(scope="chat")
    )
    if source:
        data = Deletion(scope="chat", source_room_id=source)
    return ChannelEvent.of(data, "twitch", TIME, f"d {message_id}{source}", "room")


def timeout(user: str, source: str = "") -> ChannelEvent:
    """A user was timed out, here or in the room next door."""
    who = Person(id=f"id-{user}", username=user, display_name=user)
    data = Timeout(user=who, source_room_id=source) if source else Timeout(user=who)
    return ChannelEvent.of(data, "twitch", TIME, f"t {user}{source}", "room")


def publications(events: Sequence[Event], first: int = 1, epoch: str = EPOCH) -> list[Publication]:
    """These events, numbered from some number on."""
    return [Publication.of(epoch, seq, event) for seq, event in enumerate(events, first)]


def texts(count: int, first: int = 1) -> list[Event]:
    """Messages whose ids are `m` and their number."""
    return [chat(f"m{number}") for number in range(first, first + count)]


def numbers(kept: Sequence[Kept]) -> list[int]:
    """Their numbers."""
    return [one.seq for one in kept]


class HistoryContract(_Case):
    """Mixin for a `TestCase` of one history.

    :ivar history: empty, and with room for twenty publications; made by the `setUp`.
    """

    history: IHistory

    def keep(
        self, *events: Event, key: ChannelKey = KEY, first: int = 1, epoch: str = EPOCH
    ) -> None:
        """Publish these events."""
        self.history.append(key, publications(events, first, epoch))

    def after(self, seq: int, kinds: int = ALL_KINDS) -> Past:
        """What is kept after a number, where something is known of it."""
        past = self.history.after(KEY, EPOCH, seq, kinds)
        assert past is not None
        return past

    def last(self, count: int, kinds: int = ALL_KINDS) -> list[int]:
        """The numbers of the last so many."""
        return numbers(self.history.last(KEY, EPOCH, count, kinds))

    def test_provides(self) -> None:
        """It provides the port."""
        self.assertTrue(verifyObject(IHistory, self.history))

    def test_nothing(self) -> None:
        """Of a channel that has published nothing, nothing is known."""
        self.assertIsNone(self.history.after(KEY, EPOCH, 0, ALL_KINDS))
        self.assertEqual(list(self.history.last(KEY, EPOCH, 5, ALL_KINDS)), [])
        self.assertEqual(list(self.history.items(KEY, EPOCH)), [])
        self.assertIsNone(self.history.latest(KEY))

    def test_latest(self) -> None:
        """It is known what a channel published last, whatever was removed, and in which epoch."""
        self.keep(*texts(3))
        self.keep(deletion(), first=4)
        self.assertEqual(self.history.latest(KEY), Place(KEY, EPOCH, 4))
        self.assertIsNone(self.history.latest(OTHER))
        self.keep(*texts(1), epoch="e2")
        self.assertEqual(self.history.latest(KEY), Place(KEY, "e2", 1))

    def test_after(self) -> None:
        """What comes after a number is given in order; all of it is there."""
        self.keep(*texts(3))
        self.keep(*texts(4, 4), first=4)
        for seq in range(8):
            past = self.after(seq)
            self.assertEqual(
                (numbers(past.publications), past.complete), (list(range(seq + 1, 8)), True)
            )

    def test_above_the_top(self) -> None:
        """After a number that was not given yet comes nothing."""
        self.keep(*texts(3))
        self.assertEqual(list(self.after(9).publications), [])

    def test_began_later(self) -> None:
        """What was published before the history began is missing."""
        self.keep(*texts(3), first=101)
        self.assertEqual([self.after(seq).complete for seq in (99, 100, 101)], [False, True, True])
        self.assertEqual(numbers(self.after(7).publications), [101, 102, 103])

    def test_numbers_may_jump(self) -> None:
        """Where numbers were left out, nothing is missing."""
        self.keep(*texts(2))
        self.keep(*texts(2, 3), first=1000)
        for seq in (2, 3, 999):
            past = self.after(seq)
            self.assertEqual((numbers(past.publications), past.complete), ([1000, 1001], True))

    def test_everything_after_a_hole(self) -> None:
        """What is to be given to others has no hole: it begins after the last one."""
        self.keep(*texts(3))
        self.history.broke(Place(KEY, EPOCH, 6))
        self.keep(*texts(2, 7), first=7)
        for seq, expected in ((0, [7, 8]), (5, [7, 8]), (7, [8])):
            found = self.history.everything_after(KEY, EPOCH, seq)
            self.assertEqual(numbers(found), expected)

    def test_last(self) -> None:
        """The last so many, oldest first; all if there are fewer."""
        self.keep(*texts(5))
        self.assertEqual([self.last(count) for count in (0, 1, 3)], [[], [5], [3, 4, 5]])
        self.assertEqual(self.last(100), [1, 2, 3, 4, 5])

    def test_kinds(self) -> None:
        """Only what is wanted is given, and counts."""
        raids = with_mirrored(CHAT_BIT | kind_bit("raid"))
        self.keep(
            chat("m1"), happening("raid", "r"), happening("poll", "p"), chat("m4"), chat("m5")
        )
        self.assertEqual(numbers(self.after(1, raids).publications), [2, 4, 5])
        self.assertEqual(self.last(3, raids), [2, 4, 5])
        self.assertEqual(self.last(3, CHATS), [1, 4, 5])

    def test_mirrored(self) -> None:
        """What was mirrored from another room is left out where it is not wanted."""
        self.keep(chat("m1"), chat("m2", source_room_id="next door"), chat("m3"))
        own = without_mirrored(CHATS)
        self.assertEqual(numbers(self.after(0, own).publications), [1, 3])
        self.assertEqual(self.last(2, own), [1, 3])

    def test_bytes(self) -> None:
        """What is given is what was published, for whatever identifier it is asked."""
        (published,) = publications([chat("m1", "Grüße")], 7)
        self.history.append(KEY, [published])
        (kept,) = self.after(6).publications
        for name in ("ann", "by another name"):
            key = ChannelKey("twitch", "username", name)
            self.assertEqual(kept.message(key), published.message(key))

    def test_channels_apart(self) -> None:
        """Each channel has a history of its own."""
        self.keep(*texts(3))
        self.keep(*texts(2), key=OTHER)
        self.assertEqual(self.last(9), [1, 2, 3])
        self.assertEqual(numbers(self.history.last(OTHER, EPOCH, 9, ALL_KINDS)), [1, 2])

    def test_epochs(self) -> None:
        """A new epoch takes the place of what was kept; nothing is known of another one."""
        self.keep(*texts(3))
        self.keep(*texts(2, 8), epoch="e2")
        self.assertIsNone(self.history.after(KEY, EPOCH, 1, ALL_KINDS))
        self.assertEqual(self.last(9), [])
        self.assertEqual(numbers(self.history.last(KEY, "e2", 9, ALL_KINDS)), [1, 2])

    def test_deletion(self) -> None:
        """A deleted message is left out of everything; the deletion stands where it was."""
        self.keep(*texts(3), deletion("m2"), chat("m5"))
        self.assertEqual(numbers(self.after(0).publications), [1, 3, 4, 5])
        self.assertEqual(self.last(3, CHATS), [1, 3, 5])
        self.assertTrue(self.after(0).complete)

    def test_cleared(self) -> None:
        """A cleared chat: all messages before it are left out, events are not."""
        self.keep(chat("m1"), happening("raid", "r"), chat("m3"), deletion(), chat("m5"))
        self.assertEqual(numbers(self.after(0).publications), [2, 4, 5])

    def test_timeout(self) -> None:
        """Messages of somebody who was timed out are left out, later ones are not."""
        self.keep(chat("m1", user="bob"), chat("m2"), timeout("bob"), chat("m4", user="bob"))
        self.assertEqual(numbers(self.after(0).publications), [2, 3, 4])

    def test_removed_next_door(self) -> None:
        """What was mirrored removes what was mirrored; what happened here removes both."""
        self.keep(
            chat("m1", user="bob"),
            chat("m2", user="bob", source_room_id="next door"),
            timeout("bob", "next door"),
        )
        self.assertEqual(numbers(self.after(0).publications), [1, 3])
        self.keep(chat("m4", source_room_id="next door"), deletion(source="next door"), first=4)
        self.assertEqual(numbers(self.after(0).publications), [1, 3, 5])
        self.keep(chat("m6", user="eve", source_room_id="x"), timeout("eve"), first=6)
        self.assertEqual(numbers(self.after(5).publications), [7])

    def test_removal_of_the_unknown(self) -> None:
        """What removes nothing that is kept is kept like everything else."""
        self.keep(chat("m1"), deletion("m9"), timeout("nobody"))
        self.assertEqual(numbers(self.after(0).publications), [1, 2, 3])

    def test_untyped(self) -> None:
        """A removal whose data nobody understands removes nothing."""
        self.keep(
            chat("m1"), happening("deletion", "x", scope=1), happening("timeout", "y", user=3)
        )
        self.assertEqual(numbers(self.after(0).publications), [1, 2, 3])

    def test_removed_after_it_was_given(self) -> None:
        """What was given and waits to be sent is seen to be removed."""
        self.keep(*texts(2))
        given = self.after(0).publications
        self.keep(deletion("m1"), first=3)
        self.assertEqual([one.removed for one in given], [True, False])

    def test_items(self) -> None:
        """The names of everything are known, also of what was removed."""
        events: list[Event] = [chat("m1"), happening("raid", "r"), deletion("m1")]
        self.keep(*events)
        self.assertEqual(list(self.history.items(KEY, EPOCH)), [item_of(event) for event in events])

    def test_bounded(self) -> None:
        """More than there is room for: the oldest go, and it is known that they are missing."""
        self.keep(*texts(30))
        past = self.after(0)
        self.assertEqual((numbers(past.publications), past.complete), (list(range(11, 31)), False))
        self.assertEqual([self.after(seq).complete for seq in (9, 10, 11)], [False, True, True])
