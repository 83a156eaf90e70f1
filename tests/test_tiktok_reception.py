# SPDX-License-Identifier: MIT
"""What is seen of a TikTok room: the states of one connection to it."""

from __future__ import annotations

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.tiktok.limits import LOOKUPS
from livechat.platforms.tiktok.parse.webcast import Push, read_push
from livechat.platforms.tiktok.reception import TRANSITIONS, Sight, Sign
from livechat.simulator.tiktok_faults import TikTokFault, TikTokMishap
from tests.support.tiktok_wire import TikTokCase, say


class TableTests(SynchronousTestCase):
    """The transition table."""

    def test_complete(self) -> None:
        """It says what follows in every state upon every sign."""
        self.assertEqual(set(TRANSITIONS), set(product(Sight, Sign)))

    def test_seeing_stays(self) -> None:
        """A message shows the room in every state, and nothing hides it until it is lost."""
        self.assertEqual({TRANSITIONS[state, Sign.WHOLE] for state in Sight}, {Sight.SEEING})
        self.assertEqual({TRANSITIONS[Sight.SEEING, sign] for sign in Sign}, {Sight.SEEING})

    def test_history_is_awaited(self) -> None:
        """Until the next message, or until patience is over; answers neither help nor harm."""
        for state in set(Sight) - {Sight.ENTERED, Sight.SEEING}:
            self.assertEqual(TRANSITIONS[state, Sign.MESSAGE], Sight.ENTERED)
        ends = {sign for sign in Sign if TRANSITIONS[Sight.ENTERED, sign] is Sight.SEEING}
        self.assertEqual(ends, set(Sign) - {Sign.ANSWER})
        self.assertEqual(TRANSITIONS[Sight.ENTERED, Sign.ANSWER], Sight.ENTERED)

    def test_blind(self) -> None:
        """It takes both to call a room blind, an answer and patience, in whichever order."""
        for first, second in (
            (Sign.ANSWER, Sign.PATIENCE_OVER),
            (Sign.PATIENCE_OVER, Sign.ANSWER),
        ):
            halfway = TRANSITIONS[Sight.WAITING, first]
            self.assertNotEqual(halfway, Sight.BLIND)
            self.assertEqual(TRANSITIONS[halfway, second], Sight.BLIND)


class TapTests(TikTokCase):
    """Who wants the frames as they came."""

    def test_frames(self) -> None:
        """Each message of the socket is handed on before it is read, unreadable ones, too."""
        self.watching("ann")
        self.tapped.clear()
        self.simulator.say("ann", say("hello"))
        self.run_for(0)
        ((platform, channel, data),) = self.tapped
        self.assertEqual((platform, channel), ("tiktok", "ann"))
        push = read_push(data)
        assert isinstance(push, Push)
        self.assertEqual([one.method for one in push.batch.messages], ["WebcastChatMessage"])
        self.simulator.strike(TikTokMishap.GARBAGE)
        self.run_for(0)
        self.assertGreater(len(self.tapped), 1)

    def test_that_fails(self) -> None:
        """One that raises costs nothing: it is logged and counted, and the frame is read."""
        _, sink = self.watching("ann")
        self.patch(self, "tapped", None)
        self.simulator.say("ann", say("hello"))
        self.run_for(0)
        self.assertEqual(sink.take(), ["hello"])
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)


class LateTests(TikTokCase):
    """Rooms that are entered shortly before the deadline of the start."""

    def test_blind_shortly_before_the_deadline(self) -> None:
        """A server that has answered heartbeats is a start, although it has shown nothing yet."""
        self.simulator.faults = {TikTokFault.BLIND, TikTokFault.CAPTCHA}
        _, sink, started = self.start("ann")
        while self.clock.seconds() < 1_767_000_000 + 21:
            self.run_for(0.25)
        self.simulator.faults = {TikTokFault.BLIND}
        self.run_for(8.75)
        self.assertTrue(started.called)
        self.assertIs(self.successResultOf(started).receiving, False)
        self.assertEqual(sink.heard, [])
        self.assertLessEqual(len(self.site.asked), LOOKUPS.count * 4)
