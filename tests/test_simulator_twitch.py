# SPDX-License-Identifier: MIT
"""The simulated Twitch as its readers meet it: handshake, channels, faults, GQL."""

from __future__ import annotations

import json
from typing import Any

from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from livechat.simulator import observed
from livechat.simulator.actions import Author, Rule, Say, stable_id
from livechat.simulator.twitch_connection import Settings
from livechat.simulator.twitch_faults import GARBAGE, OVERSIZED, Fault, Mishap
from livechat.simulator.twitch_gql import GraphQL
from tests.support.simulated import DAWN, Line, logged_in, on_string, simulated

WELCOME = [
    ":tmi.twitch.tv 001 justinfan123 :Welcome, GLHF!",
    ":tmi.twitch.tv 002 justinfan123 :Your host is tmi.twitch.tv",
    ":tmi.twitch.tv 003 justinfan123 :This server is rather new",
    ":tmi.twitch.tv 004 justinfan123 :-",
    ":tmi.twitch.tv 375 justinfan123 :-",
    ":tmi.twitch.tv 372 justinfan123 :You are in a maze of twisty passages, all alike.",
    ":tmi.twitch.tv 376 justinfan123 :>",
]
#: No PING that somebody would have to answer.
CALM = Settings(ping_every=1e6)
TOM = Author(78, "tom", "Tom")
HELLO = Say(id="0c5b1a9e-8f37-4b3b-9d57-000000000001", author=TOM, text=("hello",))


def echo(channel: str, command: str = "JOIN") -> str:
    """How the server confirms that the reader is in, or has left."""
    return f":justinfan123!justinfan123@justinfan123.tmi.twitch.tv {command} #{channel}"


def state(channel: str, slow: int = 0) -> str:
    """The full ROOMSTATE of a channel."""
    return (
        f"@emote-only=0;followers-only=-1;r9k=0;room-id={stable_id(channel)};slow={slow};"
        f"subs-only=0 :tmi.twitch.tv ROOMSTATE #{channel}"
    )


class HandshakeTests(SynchronousTestCase):
    """From the connection to the first channel."""

    def test_login(self) -> None:
        """Capabilities are granted, a password is ignored, and a nick is welcomed."""
        line = Line(*simulated(0.0))
        self.assertEqual(
            line.say("PASS SCHMOOPIIE", "CAP REQ :twitch.tv/tags twitch.tv/commands"),
            [":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands"],
        )
        self.assertEqual(line.say("NICK justinfan123"), WELCOME)
        self.assertEqual(line.server.nick, "justinfan123")
        self.assertEqual(line.say("NICK justinfan456", "USER x 8 * :x"), [])

    def test_unknown_capability(self) -> None:
        """A request with a capability that does not exist grants none of them."""
        line = Line(*simulated(0.0))
        answer = line.say("CAP REQ :twitch.tv/tags twitch.tv/dreams")
        self.assertEqual(answer, [":tmi.twitch.tv CAP * NAK :twitch.tv/tags twitch.tv/dreams"])
        self.assertEqual(line.server.capabilities, frozenset())

    def test_capabilities_are_listed(self) -> None:
        """Who asks what there is gets a list."""
        line = Line(*simulated(0.0))
        self.assertEqual(
            line.say("CAP LS 302", "CAP END"),
            [":tmi.twitch.tv CAP * LS :twitch.tv/commands twitch.tv/membership twitch.tv/tags"],
        )

    def test_real_names_need_a_password(self) -> None:
        """A nick that is not anonymous is refused and the connection ends."""
        line = Line(*simulated(0.0))
        answer = line.say("NICK somebody")
        self.assertEqual(answer, [":tmi.twitch.tv NOTICE * :Login authentication failed"])
        self.assertTrue(line.reader.lost)

    def test_no_join_before_login(self) -> None:
        """A JOIN without a nick does nothing."""
        twitch, clock = simulated(0.0)
        self.assertEqual(Line(twitch, clock).say("JOIN #somebody", "PART #somebody"), [])
        self.assertEqual(twitch.joined("somebody"), [])

    def test_bare_line_feeds(self) -> None:
        """Lines may end without a carriage return, and arrive in any pieces."""
        line = Line(*simulated(0.0))
        line.server.dataReceived(b"NICK just")
        line.server.dataReceived(b"infan123\nPING")
        line.server.dataReceived(b" :x\n")
        self.assertEqual(line.heard(), [*WELCOME, ":tmi.twitch.tv PONG tmi.twitch.tv :x"])

    def test_nonsense(self) -> None:
        """No bytes of a reader disturb the server."""
        line = Line(*simulated(0.0))
        line.log_in()
        line.server.dataReceived(
            b"\r\n\xff\xfe\r\n:\r\nJOIN\r\nPART\r\nCAP\r\nNICK\r\nPRIVMSG #a :b\r\n"
        )
        self.assertEqual(
            line.say("PING :still here"), [":tmi.twitch.tv PONG tmi.twitch.tv :still here"]
        )

    def test_long_lines_end_it(self) -> None:
        """A reader that sends an endless line is cut."""
        line = Line(*simulated(0.0))
        line.say("x" * 10_000)
        self.assertTrue(line.reader.lost)

    def test_quit(self) -> None:
        """QUIT ends the connection."""
        twitch, clock = simulated(0.0)
        line = Line(twitch, clock)
        line.say("QUIT")
        self.assertTrue(line.reader.lost)
        self.assertEqual(twitch.connections, [])


class JoinTests(SynchronousTestCase):
    """Into channels and out of them."""

    def test_join(self) -> None:
        """A JOIN is echoed, and the state of the room follows."""
        twitch, clock = simulated(0.0)
        line = logged_in(twitch, clock)
        self.assertEqual(line.say("JOIN #somebody"), [echo("somebody"), state("somebody")])
        self.assertEqual(twitch.joined("somebody"), [line.server])

    def test_several_at_once(self) -> None:
        """One JOIN may name several channels."""
        line = logged_in(*simulated(0.0))
        self.assertEqual(
            line.say("JOIN #one,#two"), [echo("one"), state("one"), echo("two"), state("two")]
        )

    def test_only_lower_case(self) -> None:
        """What is not a lower-case login is not answered."""
        line = logged_in(*simulated(0.0))
        for name in ("#Somebody", "somebody", "#", "#" + "x" * 26, "#über", "#a-b"):
            self.assertEqual(line.say(f"JOIN {name}"), [])
        self.assertEqual(line.server.channels, {})

    def test_twice(self) -> None:
        """A channel that the reader is in is not joined again."""
        line = logged_in(*simulated(0.0), "somebody")
        self.assertEqual(line.say("JOIN #somebody"), [])
        self.assertEqual(list(line.server.channels), ["somebody"])

    def test_part(self) -> None:
        """PART is echoed; parting from where one is not is not."""
        twitch, clock = simulated(0.0)
        line = logged_in(twitch, clock, "one", "two")
        self.assertEqual(line.say("PART #one,#three"), [echo("one", "PART")])
        self.assertEqual((twitch.joined("one"), twitch.joined("two")), ([], [line.server]))
        self.assertEqual(line.say("JOIN #one"), [echo("one"), state("one")])

    def test_limit(self) -> None:
        """Twenty JOINs within ten seconds are taken, one more ends the connection."""
        twitch, clock = simulated(0.0)
        line = logged_in(twitch, clock)
        names = [f"#c{number}" for number in range(19)]
        line.say(f"JOIN {','.join(names)}")
        self.assertEqual(line.say("JOIN #Wrong"), [])
        clock.advance(9.9)
        self.assertEqual(line.say("JOIN #more"), [])
        self.assertTrue(line.reader.lost)

    def test_limit_recovers(self) -> None:
        """After ten seconds as many may be joined again."""
        twitch, clock = simulated(0.0)
        line = logged_in(twitch, clock)
        for first in (0, 20, 40):
            names = [f"#c{number}" for number in range(first, first + 20)]
            self.assertEqual(len(line.say(f"JOIN {','.join(names)}")), 40)
            clock.advance(10.0)
        self.assertEqual(len(line.server.channels), 60)

    def test_limit_off(self) -> None:
        """The limit can be switched off."""
        line = logged_in(*simulated(0.0, settings=Settings(join_limit=0)))
        line.say(*(f"JOIN #c{number}" for number in range(100)))
        self.assertEqual(len(line.server.channels), 100)

    def test_missing(self) -> None:
        """The JOIN of a channel that does not exist is never answered."""
        twitch, clock = simulated()
        line = logged_in(twitch, clock)
        self.assertEqual(line.say("JOIN #missing"), [])
        self.assertEqual(line.heard(60.0), [])

    def test_suspended(self) -> None:
        """The JOIN of a suspended channel is answered with a notice only."""
        line = logged_in(*simulated())
        self.assertEqual(
            line.say("JOIN #suspended1"),
            [
                "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #suspended1 "
                ":This channel has been suspended."
            ],
        )
        self.assertEqual(line.heard(60.0), [])

    def test_room_state_keeps_up(self) -> None:
        """Who joins later learns the rules of then."""
        twitch, clock = simulated(0.0)
        first = logged_in(twitch, clock, "somebody")
        twitch.say("somebody", Rule(id="i", name="slow", value=30))
        self.assertEqual(len(first.heard()), 2)
        second = logged_in(twitch, clock)
        self.assertEqual(second.say("JOIN #somebody"), [echo("somebody"), state("somebody", 30)])


class ChatTests(SynchronousTestCase):
    """What is said in the channels."""

    def test_rate(self) -> None:
        """Lines come at the scenario's rate while the clock moves."""
        line = logged_in(*simulated(2.0, weights={"talk": 1.0}, settings=CALM), "somebody")
        counts = [len(line.heard(0.5)) for _ in range(1000)]
        self.assertApproximates(sum(counts), 1000, 80)
        self.assertLess(max(counts), 10)

    def test_lateness(self) -> None:
        """A channel that finds itself late makes up for ten seconds and no more."""
        line = logged_in(*simulated(20.0, weights={"talk": 1.0}, settings=CALM), "somebody")
        self.assertApproximates(len(line.heard(9.0)), 180, 40)
        self.assertApproximates(len(line.heard(1000.0)), 200, 40)

    def test_time(self) -> None:
        """`tmi-sent-ts` is the time of day at which a line was sent."""
        twitch, clock = simulated(0.0)
        line = logged_in(twitch, clock, "somebody")
        clock.advance(12.345)
        twitch.say("somebody", HELLO)
        (text,) = line.heard()
        self.assertIn(f";tmi-sent-ts={round((DAWN + 12.345) * 1000)};", text)

    def test_all_hear_the_same(self) -> None:
        """Two connections in one channel receive the same lines with the same ids."""
        twitch, clock = simulated(5.0)
        first, second = (logged_in(twitch, clock, "somebody") for _ in range(2))
        first.heard()
        for _ in range(200):
            clock.advance(0.1)
        heard = first.heard()
        self.assertGreater(len(heard), 50)
        self.assertEqual(second.heard(), heard)

    def test_channels_differ(self) -> None:
        """A connection in two channels hears both, and each line names its channel."""
        line = logged_in(*simulated(5.0, weights={"talk": 1.0}), "one", "two")
        heard = [text for _ in range(100) for text in line.heard(0.1)]
        self.assertGreater(sum(" PRIVMSG #one :" in text for text in heard), 20)
        self.assertGreater(sum(" PRIVMSG #two :" in text for text in heard), 20)

    def test_goes_on(self) -> None:
        """A chat stops when the last reader has left and goes on when somebody comes again."""
        twitch, clock = simulated(5.0, weights={"talk": 1.0})
        heard = []
        for _ in range(2):
            line = logged_in(twitch, clock, "somebody")
            heard += [text for _ in range(100) for text in line.heard(0.1)]
            line.hang_up()
            clock.advance(100.0)
        ids = [text.partition(";id=")[2].partition(";")[0] for text in heard]
        self.assertEqual(len(set(ids)), len(ids))
        whole, other_clock = simulated(5.0, weights={"talk": 1.0})
        line = logged_in(whole, other_clock, "somebody")
        expected = [text for _ in range(300) for text in line.heard(0.1)]
        self.assertEqual(
            ids, [text.partition(";id=")[2].partition(";")[0] for text in expected][: len(ids)]
        )

    def test_bounded(self) -> None:
        """A bounded scenario ends, and the channel stays."""
        twitch, clock = simulated(5.0, weights={"talk": 1.0}, limit=7)
        line = logged_in(twitch, clock, "somebody")
        self.assertEqual(len([text for _ in range(100) for text in line.heard(0.1)]), 7)
        twitch.say("somebody", HELLO)
        self.assertEqual(len(line.heard()), 1)

    def test_fates(self) -> None:
        """A quiet channel says nothing, a busy one ten times, an offline one a tenth."""
        counts = {}
        for channel in ("quiet", "offline", "busy", "somebody"):
            line = logged_in(*simulated(2.0, weights={"talk": 1.0}, settings=CALM), channel)
            counts[channel] = sum(len(line.heard(0.05)) for _ in range(4000))
        self.assertEqual(counts["quiet"], 0)
        self.assertApproximates(counts["offline"], 40, 20)
        self.assertApproximates(counts["somebody"], 400, 60)
        self.assertApproximates(counts["busy"], 4000, 300)

    def test_observed(self) -> None:
        """A channel named after a file of observed lines plays them at the rate, in a circle."""
        lines = observed.read("twitch-badge-info").replace(b"#room", b"#observed_badge_info")
        reader = logged_in(*simulated(2.0), "observed_badge_info")
        played = [line for _ in range(6) for line in reader.received(0.5)]
        self.assertEqual(played, lines.splitlines() * 2)

    def test_ending(self) -> None:
        """An ending channel falls silent when its time is up, also for who joins later."""
        twitch, clock = simulated(5.0, settings=Settings(ending_after=20.0))
        line = logged_in(twitch, clock, "ending1")
        before = [text for _ in range(190) for text in line.heard(0.1)]
        line.heard(1.5)
        self.assertGreater(len(before), 50)
        self.assertEqual(line.heard(60.0), [])
        self.assertEqual(line.say("PART #ending1", "JOIN #ending1")[1], echo("ending1"))
        self.assertEqual(line.heard(60.0), [])

    def test_say(self) -> None:
        """What a test says is heard at once by those who are in the channel, and by nobody else."""
        twitch, clock = simulated(0.0)
        inside, outside = logged_in(twitch, clock, "somebody"), logged_in(twitch, clock, "other")
        sent = twitch.say("somebody", HELLO)
        self.assertEqual(inside.heard(), [sent.decode()])
        self.assertIn(b" PRIVMSG #somebody :hello", sent)
        raw = b"@x=\xf0\x9f\x98\x82 :a!a@a PRIVMSG #somebody : exactly this  "
        self.assertEqual(twitch.say("somebody", raw), raw)
        self.assertEqual(inside.heard(), [raw.decode()])
        self.assertEqual(outside.heard(), [])

    def test_without_capabilities(self) -> None:
        """Who did not ask for tags and commands gets bare messages and no notices."""
        twitch, clock = simulated(0.0)
        line = Line(twitch, clock)
        line.say("NICK justinfan123")
        self.assertEqual(line.say("JOIN #somebody"), [echo("somebody")])
        twitch.say("somebody", HELLO)
        twitch.say("somebody", Rule(id="i", name="slow", value=30))
        self.assertEqual(line.heard(), [":tom!tom@tom.tmi.twitch.tv PRIVMSG #somebody :hello"])

    def test_slow_reader_waits(self) -> None:
        """While its only reader is slow a channel says nothing; then it goes on."""
        twitch, clock = simulated(100.0, weights={"talk": 1.0})
        connection, transport = on_string(twitch, "somebody")
        connection.pauseProducing()
        clock.pump([0.01] * 100)
        self.assertEqual(transport.value(), b"")
        connection.resumeProducing()
        clock.pump([0.01] * 100)
        self.assertApproximates(transport.value().count(b"\r\n"), 200, 60)

    def test_slow_reader_is_cut(self) -> None:
        """Who reads nothing while others do is cut when too much waits for it."""
        twitch, clock = simulated(0.0)
        slow, transport = on_string(twitch, "somebody")
        _, other = on_string(twitch, "somebody")
        slow.pauseProducing()
        for _ in range(9):
            twitch.say("somebody", b"x" * 1024 * 1024)
        self.assertTrue(transport.disconnecting)
        self.assertFalse(other.disconnecting)
        self.assertEqual(len(transport.value()), 7 * (1024 * 1024 + 2))
        self.assertEqual(clock.getDelayedCalls()[1:], [])


class LifeTests(SynchronousTestCase):
    """PING, and what is left behind."""

    def test_ping(self) -> None:
        """A PING is answered with what it carried."""
        line = Line(*simulated(0.0))
        for sent, answer in ((":a b", "a b"), ("tmi.twitch.tv", "tmi.twitch.tv"), ("", "")):
            text = f"PING {sent}".rstrip()
            self.assertEqual(line.say(text), [f":tmi.twitch.tv PONG tmi.twitch.tv :{answer}"])

    def test_server_pings(self) -> None:
        """Every five minutes readers are asked for a sign of life; who gives none is cut."""
        twitch, clock = simulated(0.0)
        good, bad = logged_in(twitch, clock), logged_in(twitch, clock)
        clock.advance(300.0)
        self.assertEqual((good.heard(), bad.heard()), (["PING :tmi.twitch.tv"],) * 2)
        good.say("PONG :tmi.twitch.tv")
        clock.advance(300.0)
        self.assertEqual(good.heard(), ["PING :tmi.twitch.tv"])
        bad.heard()
        self.assertEqual((good.reader.lost, bad.reader.lost), (False, True))

    def test_nothing_left(self) -> None:
        """When all readers are gone nothing is left on the clock."""
        twitch, clock = simulated(10.0, settings=Settings(reconnect_grace=60.0))
        twitch.faults.add(Fault.SLOW_WELCOME)
        waiting = Line(twitch, clock)
        waiting.log_in()
        twitch.recover()
        readers = [logged_in(twitch, clock, "one", "two") for _ in range(2)]
        twitch.reconnect()
        clock.advance(1.0)
        self.assertNotEqual(clock.getDelayedCalls(), [])
        for line in (waiting, *readers):
            line.hang_up()
        self.assertEqual(clock.getDelayedCalls(), [])
        self.assertEqual(twitch.connections, [])

    def test_heard(self) -> None:
        """What a reader sent can be looked up."""
        line = Line(*simulated(0.0))
        line.say("NICK justinfan123", "PING :x")
        self.assertEqual(list(line.server.heard), ["NICK justinfan123", "PING :x"])


class FaultTests(SynchronousTestCase):
    """What goes wrong on request."""

    def test_refuse(self) -> None:
        """No connection is taken."""
        twitch, _ = simulated()
        twitch.faults.add(Fault.REFUSE)
        self.assertIsNone(twitch.buildProtocol(None))

    def test_nak(self) -> None:
        """No capability is granted, and messages are bare."""
        twitch, clock = simulated(0.0)
        twitch.faults.add(Fault.NAK)
        line = Line(twitch, clock)
        self.assertEqual(
            line.log_in(), [":tmi.twitch.tv CAP * NAK :twitch.tv/tags twitch.tv/commands", *WELCOME]
        )

    def test_login_failure(self) -> None:
        """Nobody is let in."""
        twitch, clock = simulated()
        twitch.faults.add(Fault.LOGIN_FAILURE)
        line = Line(twitch, clock)
        self.assertEqual(
            line.log_in()[1:], [":tmi.twitch.tv NOTICE * :Login authentication failed"]
        )
        self.assertTrue(line.reader.lost)

    def test_slow_welcome(self) -> None:
        """The welcome takes its time."""
        twitch, clock = simulated(0.0, settings=Settings(welcome_delay=8.0))
        twitch.faults.add(Fault.SLOW_WELCOME)
        line = Line(twitch, clock)
        line.log_in()
        self.assertEqual(line.heard(7.9), [])
        self.assertEqual(line.heard(0.2), WELCOME)

    def test_unanswered_join(self) -> None:
        """JOINs are not answered, until it is over."""
        twitch, clock = simulated(0.0)
        twitch.faults.add(Fault.UNANSWERED_JOIN)
        line = logged_in(twitch, clock)
        self.assertEqual(line.say("JOIN #somebody"), [])
        twitch.recover()
        self.assertEqual(line.say("JOIN #somebody"), [echo("somebody"), state("somebody")])

    def test_duplicates(self) -> None:
        """Every line of a chat comes twice."""
        twitch, clock = simulated(5.0)
        twitch.faults.add(Fault.DUPLICATES)
        line = logged_in(twitch, clock, "somebody")
        heard = [text for _ in range(100) for text in line.heard(0.1)]
        self.assertGreater(len(heard), 40)
        pairs = [heard[i : i + 2] for i in range(0, len(heard), 2)]
        told = [first for first, second in pairs if first == second]
        # A changed rule is two lines: they come as a pair, twice.
        self.assertGreater(len(told), len(pairs) * 0.9)

    def test_stall(self) -> None:
        """Present connections hear nothing any more, no PONG either, and stay; new ones work."""
        twitch, clock = simulated(5.0)
        stalled = logged_in(twitch, clock, "somebody")
        twitch.stall()
        self.assertEqual(stalled.say("PING :x"), [])
        self.assertEqual([text for _ in range(100) for text in stalled.heard(10.0)], [])
        self.assertFalse(stalled.reader.lost)
        self.assertEqual(len(Line(twitch, clock).log_in()), 8)
        twitch.recover()
        self.assertEqual(stalled.say("PING :x")[-1], ":tmi.twitch.tv PONG tmi.twitch.tv :x")

    def test_stall_from_the_start(self) -> None:
        """Connections are taken and never told anything."""
        twitch, clock = simulated()
        twitch.faults.add(Fault.STALL)
        line = Line(twitch, clock)
        self.assertEqual(line.log_in(), [])
        self.assertEqual(line.heard(1000.0), [])
        self.assertFalse(line.reader.lost)

    def test_drop(self) -> None:
        """Every connection is cut; the next one works."""
        twitch, clock = simulated(0.0)
        readers = [logged_in(twitch, clock, "somebody") for _ in range(2)]
        twitch.drop()
        for line in readers:
            line.heard()
        self.assertEqual([line.reader.lost for line in readers], [True, True])
        self.assertEqual(twitch.connections, [])
        self.assertEqual(len(Line(twitch, clock).log_in()), 8)

    def test_reconnect(self) -> None:
        """RECONNECT is said, the chat goes on meanwhile, and the connection ends in time."""
        twitch, clock = simulated(0.0, settings=Settings(reconnect_grace=10.0))
        line = logged_in(twitch, clock, "somebody")
        twitch.reconnect()
        self.assertEqual(line.heard(9.0), [":tmi.twitch.tv RECONNECT"])
        sent = twitch.say("somebody", HELLO)
        self.assertEqual(line.heard(), [sent.decode()])
        late = logged_in(twitch, clock)
        line.heard(1.0)
        self.assertEqual((line.reader.lost, late.reader.lost), (True, False))

    def test_reconnect_loop(self) -> None:
        """The server may ask to reconnect right after its welcome, and stay."""
        twitch, clock = simulated(0.0)
        twitch.faults = {Fault.RECONNECT_LOOP}
        line = Line(twitch, clock)
        self.assertEqual(line.log_in()[-1], ":tmi.twitch.tv RECONNECT")
        self.assertEqual(line.heard(100), [])
        self.assertFalse(line.reader.lost)

    def test_garbage(self) -> None:
        """Bytes that are no IRC arrive as they are; the chat goes on after them."""
        twitch, clock = simulated(0.0)
        line = logged_in(twitch, clock, "somebody")
        twitch.strike(Mishap.GARBAGE)
        sent = twitch.say("somebody", HELLO)
        received = line.heard()
        self.assertEqual(received[-1], sent.decode())
        self.assertEqual(len(received), GARBAGE.count(b"\r\n") + 1)

    def test_oversized(self) -> None:
        """A line that no reader should take arrives whole; the chat goes on after it."""
        twitch, clock = simulated(0.0)
        line = logged_in(twitch, clock, "somebody")
        twitch.strike(Mishap.OVERSIZED)
        sent = twitch.say("somebody", HELLO)
        self.assertEqual(line.heard(), [OVERSIZED.decode().rstrip(), sent.decode()])
        self.assertGreater(len(OVERSIZED), 256 * 1024)


class GraphQLTests(SynchronousTestCase):
    """Whether a channel exists and is live, by HTTP."""

    def setUp(self) -> None:
        """A simulator and a client of its GQL."""
        self.twitch, self.clock = simulated(settings=Settings(ending_after=20.0))
        self.resource = GraphQL(self.twitch)
        self.stub: Any = StubTreq(self.resource)

    def post(self, body: object, **headers: str) -> Any:
        """The answer to an operation or several: status, and JSON or bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Client-ID": "kimne78kx3ncx6brgo4mv6wki5h1ko", **headers}
        response = self.successResultOf(
            self.stub.post("http://gql.invalid/gql", data=data, headers=sent)
        )
        content = self.successResultOf(response.content())
        try:
            return response.code, json.loads(content)
        except ValueError:
            return response.code, content

    def users(self, *logins: str) -> list[Any]:
        """What is said about some logins."""
        code, answer = self.post(self.question(*logins))
        self.assertEqual((code, list(answer)), (200, ["data"]))
        found: list[Any] = answer["data"]["users"]
        return found

    @staticmethod
    def question(*logins: str) -> dict[str, Any]:
        """The operation that asks for some logins."""
        fields = "id login displayName profileImageURL(width: 70) stream { id }"
        query = f"query($logins: [String!]) {{ users(logins: $logins) {{ {fields} }} }}"
        return {"query": query, "variables": {"logins": list(logins)}}

    def test_live(self) -> None:
        """A live channel has an id, which is its room's, a picture and a stream."""
        (user,) = self.users("some_body")
        stream = user.pop("stream")
        picture = user.pop("profileImageURL")
        self.assertEqual(
            user,
            {"id": str(stable_id("some_body")), "login": "some_body", "displayName": "Some_Body"},
        )
        self.assertTrue(picture.startswith("https://static-cdn.jtvnw.net/"), picture)
        self.assertEqual(set(stream), {"id", "createdAt", "viewersCount"})
        self.assertRegex(stream["createdAt"], r"\A2023-11-14T\d\d:\d\d:\d\dZ\Z")

    def test_fates(self) -> None:
        """Offline channels have no stream; missing, suspended and impossible ones are null."""
        names = ("offline", "quiet", "busy", "missing", "suspended", "Upper", "x" * 26, "")
        found = self.users(*names)
        self.assertEqual(
            [user and (user["stream"] is not None) for user in found],
            [False, True, True, None, None, None, None, None],
        )

    def test_ending(self) -> None:
        """An ending channel is live for a while after the first question."""
        self.clock.advance(100.0)
        for seconds, live in ((0.0, True), (19.9, True), (0.2, False), (1000.0, False)):
            self.clock.advance(seconds)
            self.assertEqual(self.users("ending")[0]["stream"] is not None, live)

    def test_ending_begins_with_a_join(self) -> None:
        """It is the same clock that a JOIN starts."""
        logged_in(self.twitch, self.clock, "ending")
        self.clock.advance(20.0)
        self.assertIsNone(self.users("ending")[0]["stream"])

    def test_many(self) -> None:
        """An array of operations is answered with an array."""
        code, answers = self.post([self.question("one"), self.question("missing", "two")])
        self.assertEqual(code, 200)
        logins = [[user and user["login"] for user in a["data"]["users"]] for a in answers]
        self.assertEqual(logins, [["one"], [None, "two"]])
        self.assertEqual(list(self.resource.asked), [("one",), ("missing", "two")])

    def test_not_understood(self) -> None:
        """Another query, or none, is answered with errors and status 200."""
        for body in (
            {"query": "{ games { id } }", "variables": {"logins": ["a"]}},
            {"query": "{ users(logins: [])}"},
            {"extensions": {"persistedQuery": {"version": 1}}},
            {},
            7,
        ):
            code, answer = self.post(body)
            self.assertEqual((code, list(answer)), (200, ["errors", "data"]))
            self.assertEqual(answer["errors"][0]["message"], "service error")

    def test_no_json(self) -> None:
        """A body that is no JSON is a bad request."""
        self.assertEqual(self.post(b"{")[0], 400)

    def test_no_client(self) -> None:
        """A request without a client id is a bad request."""
        response = self.successResultOf(
            self.stub.post("http://gql.invalid/gql", data=json.dumps(self.question("a")).encode())
        )
        self.assertEqual(response.code, 400)
        self.assertEqual(list(self.resource.asked), [])

    def test_faults(self) -> None:
        """The ways in which it goes wrong, one at a time."""
        for fault, expected in (
            (Fault.GQL_ERRORS, (200, {"errors": [{"message": "failed integrity check"}]})),
            (Fault.GQL_429, (429, {"error": "Too Many Requests", "status": 429})),
            (Fault.GQL_GARBAGE, (200, b'{"data": {"users": [\xff\x00')),
            (Fault.GQL_503, (503, b"<html><body>503 Service Unavailable</body></html>")),
        ):
            self.twitch.faults.add(fault)
            self.assertEqual(self.post(self.question("somebody")), expected)
            self.twitch.recover()
        self.assertEqual(len(self.users("somebody")), 1)

    def test_hang(self) -> None:
        """A request that hangs is never answered."""
        self.twitch.faults.add(Fault.GQL_HANG)
        answer: Deferred[Any] = self.stub.post(
            "http://gql.invalid/gql", data=b"{}", headers={"Client-ID": "x"}
        )
        self.stub.flush()
        self.assertNoResult(answer)
