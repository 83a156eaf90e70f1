# SPDX-License-Identifier: MIT
"""Changes of sets as they happen: connections, topics on them, and what a loss costs."""

from __future__ import annotations

from livechat.platforms.emotes.event_socket import INTERVAL, SILENT
from livechat.platforms.emotes.limits import CATCH_UP, MESSAGES_AT_ONCE, UNTOLD
from livechat.platforms.emotes.providers import Address
from livechat.platforms.kept_socket import LONGEST_PAUSE
from livechat.simulator.emote_faults import EmoteFault
from livechat.simulator.emote_sets import SimulatedEmote
from livechat.simulator.emote_sockets import BEAT, LIMIT
from tests.support.emotes import ANN, BEN, YOUTUBE, EmoteCase

NEW = SimulatedEmote("brandNew", animated=True)
OVER = SimulatedEmote("brandNewRain", zero_width=True)


class UpdateCase(EmoteCase):
    """A room whose changes are told."""

    def setUp(self) -> None:
        """Somebody watches."""
        super().setUp()
        self.room = self.twitch.hold(ANN)
        self.run_for(2)

    def topics(self) -> set[str]:
        """What the connections have asked for."""
        return {topic for socket in self.simulator.sockets for topic in socket.topics}

    def connections(self, provider: str) -> float:
        """Open connections, as they are counted."""
        return self.value("livechat_emote_connections", provider=provider)


class ChangeTests(UpdateCase):
    """What is told reaches the dictionary of the room."""

    def test_topics(self) -> None:
        """One connection to each provider that tells of changes."""
        self.assertEqual(
            self.topics(),
            {
                f"emote_set.update:{self.simulator.set_id(ANN)}",
                f"user.update:{self.simulator.user_id(ANN)}",
                f"twitch:{ANN}",
            },
        )
        self.assertEqual((self.connections("7tv"), self.connections("bttv")), (1, 1))
        self.assertEqual(sorted(self.asked_for), [("sim.test", 80, False)] * 2)

    def test_added(self) -> None:
        """An emote that a channel gets is shown from the next message on."""
        asked = len(self.asked())
        for provider in ("7tv", "bttv"):
            self.simulator.add(provider, ANN, SimulatedEmote(f"new-{provider}"))
        self.simulator.add("7tv", ANN, OVER)
        self.run_for(0.5)
        words = self.words(self.room)
        self.assertEqual((words["new-7tv"], words["new-bttv"]), ("7tv", "bttv"))
        shown = self.room.dictionary.emotes[OVER.word]
        self.assertIs(shown.metadata.zero_width, True)
        self.assertEqual(len(self.asked()), asked)
        self.assertEqual(self.value("livechat_emote_changes_total", provider="7tv"), 2)
        self.assertEqual(self.value("livechat_emotes_loaded", provider="7tv"), 8)

    def test_removed(self) -> None:
        """An emote that a channel has no more is a word again."""
        self.simulator.remove("7tv", ANN, "catJAM")
        self.simulator.remove("bttv", ANN, "monkaS")
        self.run_for(0.5)
        words = self.words(self.room)
        self.assertFalse({"catJAM", "monkaS"} & set(words))
        self.assertIn("peepoHappy", words)

    def test_switched(self) -> None:
        """A channel that uses another set is asked for anew, and its new set is listened to."""
        old = self.simulator.set_id(ANN)
        self.run_for(20)
        self.simulator.switch(ANN, NEW)
        self.run_for(2)
        words = self.words(self.room)
        self.assertIn(NEW.word, words)
        self.assertNotIn("catJAM", words)
        self.assertIn(f"emote_set.update:{self.simulator.set_id(ANN)}", self.topics())
        self.assertNotIn(f"emote_set.update:{old}", self.topics())

    def test_switched_in_a_storm(self) -> None:
        """However often that is said, a channel is asked for once in ten seconds."""
        for _ in range(50):
            self.simulator.switch(ANN, NEW)
            self.run_for(0.2)
        self.assertLessEqual(len(self.asked("7tv/v3/users")), 3)
        self.run_for(12)
        self.assertIn(f"emote_set.update:{self.simulator.set_id(ANN)}", self.topics())

    def test_while_asked(self) -> None:
        """What is told while an answer is on its way is not undone by it."""
        self.run_for(20)
        self.simulator.faults.add(EmoteFault.HANG)
        self.simulator.switch(ANN, NEW)
        self.run_for(1)
        set_id = self.simulator.set_id(ANN)
        self.assertNotIn(f"emote_set.update:{set_id}", self.topics())
        self.simulator.faults.clear()
        self.run_for(60, 1)
        self.assertIn(NEW.word, self.words(self.room))

    def test_two_rooms_one_set(self) -> None:
        """A set that two channels use is listened to once, and both are told."""
        self.patch(self.simulator, "set_id", lambda _: "shared")
        self.patch(self.simulator, "user_id", lambda _: "user")
        youtube = self.youtube.hold(YOUTUBE)
        twitch = self.twitch.hold(BEN)
        self.run_for(2)
        self.simulator.add("7tv", BEN, NEW)
        self.run_for(0.5)
        self.assertIn(NEW.word, self.words(youtube))
        self.assertIn(NEW.word, self.words(twitch))
        self.youtube.release(youtube)
        self.simulator.add("7tv", BEN, OVER)
        self.run_for(0.5)
        self.assertIn(OVER.word, self.words(twitch))

    def test_left(self) -> None:
        """Who leaves is told no more, and a connection without topics is closed."""
        other = self.twitch.hold(BEN)
        self.run_for(2)
        self.twitch.release(self.room)
        self.run_for(1)
        self.assertEqual(len(self.simulator.sockets), 2)
        self.assertNotIn(f"twitch:{ANN}", self.topics())
        self.twitch.release(other)
        self.run_for(1)
        self.assertEqual(self.simulator.sockets, [])
        self.assertEqual((self.connections("7tv"), self.connections("bttv")), (0, 0))

    def test_come_back(self) -> None:
        """Who comes back within the time that a set is kept gets what has changed meanwhile."""
        self.twitch.release(self.room)
        self.run_for(60)
        self.simulator.add("7tv", ANN, NEW)
        room = self.twitch.hold(ANN)
        self.run_for(2)
        self.assertIn(NEW.word, self.words(room))


class ManyTests(EmoteCase):
    """More topics than one connection takes."""

    def test_limit(self) -> None:
        """No connection has more than the provider allows, and all are told."""
        rooms = [self.twitch.hold(str(10_000_000 + number)) for number in range(130)]
        self.run_for(60)
        by_provider: dict[bool, list[int]] = {True: [], False: []}
        for socket in self.simulator.sockets:
            topics = socket.topics
            by_provider[any("twitch:" in topic for topic in topics)].append(len(topics))
        self.assertEqual(sorted(by_provider[False]), [60, LIMIT, LIMIT])
        self.assertEqual(sorted(by_provider[True]), [30, 100])
        for room in (rooms[0], rooms[-1]):
            self.simulator.add("7tv", room.room_id, NEW)
            self.run_for(0.5)
            self.assertIn(NEW.word, self.words(room))

    def test_fewer_allowed(self) -> None:
        """A server that lets us ask for less than usual is believed."""
        self.patch(self.sockets_module(), "LIMIT", 10)
        for number in range(15):
            self.twitch.hold(str(10_000_000 + number))
        self.run_for(20)
        counts = [len(s.topics) for s in self.simulator.sockets if "user" in str(s.topics)]
        self.assertEqual(sorted(counts), [10, 10, 10])

    def sockets_module(self) -> object:
        """Where the simulator's limit stands."""
        from livechat.simulator import emote_sockets  # noqa: PLC0415

        return emote_sockets


class LossTests(UpdateCase):
    """Connections that are lost, or never had."""

    def test_cut(self) -> None:
        """A connection that is cut comes back, and what was missed is asked for."""
        self.run_for(30)
        self.simulator.drop()
        self.simulator.add("7tv", ANN, NEW)
        self.simulator.add("bttv", ANN, SimulatedEmote("other"))
        self.run_for(CATCH_UP + 10, 1)
        words = self.words(self.room)
        self.assertIn(NEW.word, words)
        self.assertIn("other", words)
        self.assertIn(f"twitch:{ANN}", self.topics())
        self.simulator.add("7tv", ANN, OVER)
        self.run_for(0.5)
        self.assertIn(OVER.word, self.words(self.room))

    def test_down(self) -> None:
        """While there is no connection sets are asked for as if nobody told of changes."""
        self.simulator.faults.add(EmoteFault.SOCKET_DOWN)
        self.simulator.drop()
        self.run_for(1)
        self.simulator.add("7tv", ANN, NEW)
        self.run_for(UNTOLD * 1.2 + 10, 5)
        self.assertIn(NEW.word, self.words(self.room))
        # With growing pauses, and never a storm.
        self.assertLess(len(self.asked_for), 2 * (UNTOLD / LONGEST_PAUSE * 4 + 12))

    def test_never_had(self) -> None:
        """The same from the start."""
        self.simulator.faults.add(EmoteFault.SOCKET_DOWN)
        room = self.twitch.hold(BEN)
        self.simulator.drop()
        self.run_for(2)
        self.assertIn("catJAM", self.words(room))
        self.simulator.add("bttv", BEN, NEW)
        self.run_for(UNTOLD * 1.2 + 10, 5)
        self.assertIn(NEW.word, self.words(room))
        self.simulator.faults.clear()
        self.run_for(LONGEST_PAUSE + CATCH_UP, 5)
        self.assertIn(f"twitch:{BEN}", self.topics())

    def test_mute(self) -> None:
        """A connection on which nothing is heard is given up, on both protocols."""
        self.simulator.faults.add(EmoteFault.SOCKET_MUTE)
        before = list(self.simulator.sockets)
        self.run_for(SILENT * max(INTERVAL, BEAT) + 2 * INTERVAL, 1)
        self.assertFalse(set(before) & set(self.simulator.sockets))
        self.simulator.faults.clear()
        self.run_for(LONGEST_PAUSE, 1)
        self.assertIn(f"twitch:{ANN}", self.topics())

    def test_alive(self) -> None:
        """A connection on which nothing happens is kept by heartbeats and pings."""
        before = list(self.simulator.sockets)
        self.run_for(900, 5)
        self.assertEqual(self.simulator.sockets, before)

    def test_hangs(self) -> None:
        """A server that does not accept is given up, and tried again."""
        self.endpoint.hanging = True
        self.simulator.drop()
        self.run_for(60, 1)
        self.endpoint.hanging = False
        self.run_for(LONGEST_PAUSE, 1)
        self.assertIn(f"twitch:{ANN}", self.topics())

    def test_garbage(self) -> None:
        """What cannot be read is counted and passed over."""
        self.simulator.faults.add(EmoteFault.SOCKET_GARBAGE)
        self.simulator.drop()
        self.run_for(10)
        for provider in ("7tv", "bttv"):
            kind = {"platform": provider, "kind": "socket message"}
            self.assertGreater(self.value("livechat_unparsed_total", **kind), 0)
        self.simulator.add("7tv", ANN, NEW)
        self.run_for(1)
        self.assertIn(NEW.word, self.words(self.room))

    def test_flood(self) -> None:
        """A server that floods is left; it costs its connection, not the emotes."""
        self.assertLess(MESSAGES_AT_ONCE, 5000)
        self.simulator.faults.add(EmoteFault.SOCKET_FLOOD)
        self.simulator.drop()
        self.run_for(20, 1)
        self.assertIn("catJAM", self.words(self.room))
        self.simulator.faults.clear()
        self.run_for(LONGEST_PAUSE + CATCH_UP, 5)
        self.assertIn(f"twitch:{ANN}", self.topics())

    def test_large_messages(self) -> None:
        """A flood of few, large messages is one, too."""
        (seven,) = [socket for socket in self.simulator.sockets if "user" in str(socket.topics)]
        self.run_for(2)
        for _ in range(20):
            seven.say({"op": 0, "d": {"type": "other", "body": "x" * ((2 << 20) - 100)}})
        self.run_for(1)
        self.assertNotIn(seven, self.simulator.sockets)

    def test_flaps(self) -> None:
        """One that breaks again and again: connections and questions become rare."""
        before = len(self.asked_for), len(self.asked())
        for _ in range(600):
            self.simulator.drop()
            self.run_for(1, 1)
        self.assertLess(len(self.asked_for) - before[0], 60)
        self.assertLess(len(self.asked()) - before[1], 60)
        self.assertIn("catJAM", self.words(self.room))
        self.run_for(LONGEST_PAUSE + CATCH_UP, 5)
        self.assertIn(f"twitch:{ANN}", self.topics())

    def test_asked_to_leave(self) -> None:
        """A server that wants us to reconnect is obeyed; one in maintenance for five minutes."""
        (seven,) = [socket for socket in self.simulator.sockets if "user" in str(socket.topics)]
        seven.say({"op": 4, "d": {}})
        self.run_for(5)
        self.assertNotIn(seven, self.simulator.sockets)
        self.assertEqual(len(self.simulator.sockets), 2)
        (seven,) = [socket for socket in self.simulator.sockets if "user" in str(socket.topics)]
        seven.say({"op": 7, "d": {"code": 4007, "message": "maintenance"}})
        self.run_for(290, 5)
        self.assertEqual(len(self.simulator.sockets), 1)
        self.run_for(60, 5)
        self.assertEqual(len(self.simulator.sockets), 2)


class WithoutSocketTests(EmoteCase):
    """Providers whose sockets are not wanted."""

    addresses = (
        Address("7tv", "http://sim.test/emotes/7tv"),
        Address("bttv", "http://sim.test/emotes/bttv"),
    )

    def test_refetched(self) -> None:
        """No socket is opened; sets are asked for again."""
        room = self.twitch.hold(ANN)
        self.run_for(2)
        self.simulator.add("7tv", ANN, NEW)
        self.simulator.add("bttv", ANN, SimulatedEmote("other"))
        self.run_for(UNTOLD * 1.2 + 10, 5)
        self.assertTrue({NEW.word, "other"} <= set(self.words(room)))
        self.assertEqual(self.asked_for, [])
