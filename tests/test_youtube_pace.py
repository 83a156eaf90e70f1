# SPDX-License-Identifier: MIT
"""The rules of a YouTube chat that need no network: pace, outages, what of a backlog is news."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.chat import ChatMessage
from livechat.model.event_data import Poll
from livechat.model.events import ChannelEvent, Event, iso_time
from livechat.platforms.youtube.backlog import KEPT_FOR, Backlog, Backlogs
from livechat.platforms.youtube.outage import (
    MAX_SIGN_IN_PAGES,
    NOTIFY_AFTER,
    RECHECK_AFTER,
    TRANSITIONS,
    Answer,
    Outage,
    Remedy,
    State,
)
from livechat.platforms.youtube.pace import BUSY, CALM, QUIET_AFTER, Pace, retry_after
from tests.support.fakes import chat, happening

NOW = 1_767_000_000_000


class PaceTests(SynchronousTestCase):
    """How soon to ask again."""

    def test_busy(self) -> None:
        """A second after messages, whatever YouTube allows."""
        pace = Pace(0.0)
        for timeout in (1000, 5000, 10_000, 30_000):
            self.assertEqual(pace.after(1.0, 3, timeout, 0.5), BUSY)

    def test_slower_and_slower(self) -> None:
        """Without messages half as long again each time, up to three seconds; one ends that."""
        pace = Pace(0.0)
        waits = [pace.after(float(n), 0, 10_000, 0.5) for n in range(6)]
        self.assertEqual(waits, [1.5, 2.25, CALM, CALM, CALM, CALM])
        self.assertEqual(pace.after(6.0, 1, 10_000, 0.5), BUSY)

    def test_silence(self) -> None:
        """After minutes of silence up to what YouTube allows, and no further."""
        pace = Pace(0.0)
        for n in range(10):
            pace.after(float(n), 0, 10_000, 0.5)
        waits = [pace.after(QUIET_AFTER + n, 0, 10_000, 0.5) for n in range(5)]
        self.assertEqual(waits, [4.5, 6.75, 10.0, 10.0, 10.0])
        self.assertEqual(pace.silence(QUIET_AFTER), QUIET_AFTER)
        pace.after(QUIET_AFTER, 1, 10_000, 0.5)
        self.assertEqual(pace.silence(QUIET_AFTER + 1), 1.0)

    def test_told_to_hurry(self) -> None:
        """Never later than YouTube allows, never sooner than a second."""
        pace = Pace(0.0)
        for _ in range(5):
            pace.after(0.0, 0, 10_000, 0.5)
        self.assertEqual(pace.after(0.0, 0, 2000, 0.5), 2.0)
        self.assertEqual(pace.after(0.0, 0, 1000, 0.0), BUSY)

    @given(
        st.lists(st.tuples(st.integers(0, 3), st.integers(1000, 30_000), st.floats(0, 1))),
        st.floats(0, 1e9),
    )
    def test_bounds(self, answers: list[tuple[int, int, float]], now: float) -> None:
        """Whatever is answered, the wait is between one second and what YouTube allows."""
        pace = Pace(now)
        for happened, timeout, chance in answers:
            now += (wait := pace.after(now, happened, timeout, chance))
            self.assertGreaterEqual(wait, BUSY)
            self.assertLessEqual(wait, timeout / 1000)

    def test_retry_after(self) -> None:
        """Seconds or a date, at most ten minutes; nonsense says nothing."""
        wall = 784_111_777.0
        for header, expected in (
            (None, None),
            ("120", 120.0),
            (" 7 ", 7.0),
            ("0", 0.0),
            ("99999999999", 600.0),
            ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
            ("Sun, 06 Nov 1994 08:50:37", 60.0),
            ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
            ("Sun, 06 Nov 2094 08:49:37 GMT", 600.0),
            ("-5", None),
            ("soon", None),
            ("", None),
            ("\u0661", None),
            ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ):
            self.assertEqual(retry_after(header, wall), expected, header)


class OutageTests(SynchronousTestCase):
    """What is done about answers that are no use, and when they are an interruption."""

    def test_complete(self) -> None:
        """The table has a row for every state and answer, and each good answer ends the outage."""
        self.assertEqual(set(TRANSITIONS), set(product(State, Answer)))
        for state in State:
            self.assertEqual(TRANSITIONS[state, Answer.GOOD], (State.GOOD, Remedy.NONE))

    def test_doubt(self) -> None:
        """That there is no chat is asked for once more, and then checked; a recording at once."""
        outage = Outage()
        answers = (Answer.FAILED, Answer.NO_CHAT, Answer.FAILED, Answer.NO_CHAT, Answer.GOOD)
        self.assertEqual(
            [outage.answered(answer) for answer in answers],
            [Remedy.RETRY, Remedy.ASK_AGAIN, Remedy.RETRY, Remedy.CHECK, Remedy.NONE],
        )
        self.assertEqual(outage.answered(Answer.NO_CHAT), Remedy.ASK_AGAIN)
        self.assertEqual(Outage().answered(Answer.FINISHED), Remedy.CHECK)

    def test_second_failure(self) -> None:
        """A single quick failure is no interruption, the second is; a good answer ends it."""
        outage = Outage()
        told = [outage.failed(float(n), n + 0.1) for n in range(4)]
        self.assertEqual(told, [False, True, True, True])
        self.assertEqual(outage.failures, 4)
        outage.answered(Answer.GOOD)
        self.assertFalse(outage.failed(9.0, 9.1))

    def test_long_failure(self) -> None:
        """One that took long to fail is told."""
        self.assertTrue(Outage().failed(0.0, NOTIFY_AFTER))
        self.assertFalse(Outage().failed(0.0, NOTIFY_AFTER - 0.1))

    def test_stale(self) -> None:
        """Only a long trouble makes a token old, and then again after as long a time."""
        outage = Outage()
        self.assertFalse(outage.needs_check(1e6))
        outage.failed(0.0, 1.0)
        times = (1.0, RECHECK_AFTER, RECHECK_AFTER + 1, 2 * RECHECK_AFTER)
        self.assertEqual([outage.needs_check(now) for now in times], [False, True, False, True])

    def test_sign_in(self) -> None:
        """A page that asks to sign in says something only about a chat that is gone."""
        outage = Outage()
        self.assertFalse(any(outage.asked_to_sign_in() for _ in range(10)))
        outage.answered(Answer.NO_CHAT)
        told = [outage.asked_to_sign_in() for _ in range(MAX_SIGN_IN_PAGES)]
        self.assertEqual(told, [False] * (MAX_SIGN_IN_PAGES - 1) + [True])


class BacklogTests(SynchronousTestCase):
    """What of a first answer is news."""

    def message(self, item_id: str, ms: int) -> ChatMessage:
        """A message of a time."""
        made = chat(item_id, platform="youtube")
        return ChatMessage("youtube", iso_time(ms), item_id, "v", made.data)

    def happening(self, kind: str, event_id: str, ms: int) -> ChannelEvent:
        """An event of a time."""
        data = happening(kind).data
        return ChannelEvent.of(data, "youtube", iso_time(ms), event_id, "v")

    def names(self, events: object) -> list[str]:
        """The ids of events."""
        assert isinstance(events, list)
        return [e.message_id if isinstance(e, ChatMessage) else e.event_id for e in events]

    def test_by_time(self) -> None:
        """What was written at the time of the subscribe or later is news, and nothing else."""
        times = (-60_000, -1, 0, 1, 60_000)
        events: list[Event] = [self.message(str(time), NOW + time) for time in times]
        news = Backlog(NOW).reloaded(events, NOW + 90_000).news
        self.assertEqual(self.names(news), ["0", "1", "60000"])

    def test_old_ones_stay_old(self) -> None:
        """What was old does not become news, in whatever answer it comes again."""
        backlog = Backlog(NOW)
        old, new = self.message("old", NOW - 5), self.message("new", NOW + 5)
        self.assertEqual(self.names(backlog.reloaded([old], NOW).news), [])
        mended = self.message("old", NOW + 7)
        self.assertEqual(self.names(list(backlog.continued([mended, new]))), ["new"])
        newest = self.message("newest", NOW + 8)
        found = backlog.reloaded([mended, new, newest], NOW + 9)
        self.assertEqual(self.names(found.news), ["newest"])

    def test_all_are_news(self) -> None:
        """Where nothing was old an answer is handed on as it is."""
        events = [self.message("a", NOW)]
        self.assertIs(Backlog(NOW).continued(events), events)

    def test_without_a_time(self) -> None:
        """As old as the message before; at the beginning old; the present is always told."""
        late = NOW + 500
        events: list[Event] = [
            self.happening("gift", "first", late),
            self.happening("poll", "poll", late),
            self.message("old", NOW - 5),
            self.happening("gift", "second", late),
            self.happening("deletion", "gone", late),
            self.message("new", NOW + 5),
            self.happening("gift", "third", late),
            self.happening("pin", "pin", late),
        ]
        news = Backlog(NOW).reloaded(events, late).news
        self.assertEqual(self.names(news), ["poll", "new", "third", "pin"])

    def test_of_another(self) -> None:
        """Where only the time of the last publication is known, somewhat earlier ones may come."""
        written = self.messages(-100, -10, 0, 10)
        soon = Backlog.after(NOW / 1000, NOW / 1000 + 20).reloaded(written, NOW + 20_000)
        self.assertEqual((soon.news, soon.extent), (written[1:], "all"))
        late = Backlog.after(NOW / 1000, NOW / 1000 + 90).reloaded(written, NOW + 90_000)
        self.assertEqual((late.news, late.extent), (written[3:], "some"))
        none = Backlog.after(NOW / 1000, NOW / 1000 + 20).reloaded(written[2:], NOW + 20_000)
        self.assertEqual((none.news, none.extent), (written[2:], "latest"))

    def test_repeated_long_after(self) -> None:
        """A pin is known again after thousands of messages and updates of a poll."""
        pin = self.happening("pin", "p", NOW)
        updates: list[Event] = [
            ChannelEvent.of(
                Poll(status="updated", poll_id="q"), "youtube", iso_time(NOW), str(n), "v"
            )
            for n in range(1000)
        ]
        backlog = Backlog(NOW)
        self.assertEqual(backlog.reloaded([pin], NOW).news, [pin])
        backlog.continued(updates)
        backlog.continued(self.messages(*range(1000)))
        self.assertEqual(backlog.reloaded([pin], NOW + 9).news, [])

    def test_kept(self) -> None:
        """Those of chats that were left are kept for a time, and not without number."""
        clock = Clock()
        backlogs, backlog = Backlogs(clock.seconds), Backlog(NOW)
        backlogs.keep("a", backlog)
        clock.advance(KEPT_FOR - 1)
        self.assertIs(backlogs.take("a"), backlog)
        self.assertIsNone(backlogs.take("a"))
        backlogs.keep("a", backlog)
        clock.advance(KEPT_FOR)
        self.assertIsNone(backlogs.take("a"))
        for n in range(1000):
            backlogs.keep(str(n), backlog)
        kept = [n for n in range(1000) if backlogs.take(str(n))]
        self.assertEqual((len(kept), kept[-1]), (256, 999))

    def messages(self, *numbers: int) -> list[Event]:
        """Messages of so many seconds after the chat was first followed."""
        return [self.message(str(n), NOW + 1000 * n) for n in numbers]

    def test_extent(self) -> None:
        """A message that is known proves that nothing is missing after it."""
        for first, then, again, extent in (
            ((-2, -1), (), (-1, 1, 2), "all"),
            ((-2, -1), (), (1, 2), "latest"),
            ((-2, -1), (), (), "latest"),
            ((-1, 1), (2, 3), (3, 4, 5), "all"),
            ((-1, 1), (2, 3), (1, 4), "all"),
            ((-1, 1), (2, 3), (4, 5), "latest"),
            # Nobody had ever written: all that was written is there, if it is not too much.
            ((), (), (1, 2), "all"),
            ((), (), (), "all"),
            ((), (1, 2), (3, 4), "latest"),
            ((), (), range(1, 60), "latest"),
        ):
            backlog = Backlog(NOW)
            backlog.reloaded(self.messages(*first), NOW)
            backlog.continued(self.messages(*then))
            found = backlog.reloaded(self.messages(*again), NOW + 60_000)
            self.assertEqual(found.extent, extent, (first, then, again))
            self.assertEqual(found.has_hole, len(again) > 50)

    def test_again(self) -> None:
        """A chat that was followed before: only a message of that time proves anything."""
        for written, extent in (((-1, 1), "all"), ((1, 2), "latest"), ((), "latest")):
            found = Backlog(NOW, again=True).reloaded(self.messages(*written), NOW + 60_000)
            self.assertEqual(found.extent, extent, written)
            self.assertEqual(found.news, self.messages(*(n for n in written if n > 0)))

    def test_the_present_proves_nothing(self) -> None:
        """What every answer begins with, such as a pinned message or a notice, is no proof."""
        standing = [self.happening("pin", "p", NOW + 1), self.happening("notice", "n", NOW + 1)]
        backlog = Backlog(NOW)
        backlog.reloaded([*standing, *self.messages(1)], NOW + 1)
        found = backlog.reloaded([*standing, *self.messages(2)], NOW + 60_000)
        self.assertEqual(found.extent, "latest")
        self.assertEqual(self.names(found.written), ["2"])
        self.assertEqual(found.repeated, [])
