# SPDX-License-Identifier: MIT
"""One client's conversation, command by command, against the wire contract."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.core.session import MAX_REFUSED, Quotas, Session
from livechat.metrics import Metrics
from livechat.model.chat import ChatMessage
from livechat.model.errors import ChatError, CloseCode, ErrorCode
from livechat.model.events import Event, LiveInfo
from tests.support.fakes import (
    KeptMessages,
    ScriptedPlatform,
    ScriptedWatcher,
    chat,
    happening,
    hub_on,
)


class SessionCase(SynchronousTestCase):
    """A session with two scripted platforms on a fake clock."""

    quotas = Quotas(chats=4, commands_per_second=10, commands_burst=50)

    def setUp(self) -> None:
        """A fresh connection."""
        self.clock = Clock()
        self.metrics = Metrics()
        self.twitch = ScriptedPlatform("twitch")
        self.youtube = ScriptedPlatform("youtube")
        self.youtube.hosts = frozenset({"youtube.test"})
        self.hub = hub_on(self.clock, self.metrics)
        self.client = KeptMessages()
        self.session = self.new_session(self.client)

    def new_session(self, client: KeptMessages) -> Session:
        """A session for another client of the same daemon."""
        platforms = {"twitch": self.twitch, "youtube": self.youtube}
        return Session(client, self.hub, platforms, self.quotas, self.clock, self.metrics)

    def say(self, **command: Any) -> list[str]:
        """Send a command; what was answered at once."""
        self.session.received(msgspec.json.encode(command))
        self.clock.advance(0)
        return self.client.kinds()

    def held(self, name: str, **more: Any) -> ScriptedWatcher:
        """Subscribe to a Twitch channel that goes live; its greeting is taken."""
        self.say(type="subscribe", platform="twitch", identifier=name, **more)
        watcher = self.twitch.watchers[-1]
        watcher.live()
        self.clock.advance(0)
        self.assertEqual(self.client.kinds(), ["subscribed", "started", "stats"])
        return watcher


def fresh(events: list[Event], mark: str) -> list[Event]:
    """The same with other ids."""
    return [
        replace(event, message_id=mark + event.message_id)
        if isinstance(event, ChatMessage)
        else replace(event, event_id=mark + event.event_id)
        for event in events
    ]


class NoChatTests(SessionCase):
    """A connection that holds nothing."""

    def test_nothing_asked_for(self) -> None:
        """On a fresh connection both are NO_ACTIVE_CHAT, with the original's text."""
        for kind in ("get_stats", "unsubscribe"):
            self.session.received(msgspec.json.encode({"type": kind}))
            self.assertEqual(
                self.client.taken(),
                [
                    {
                        "type": "error",
                        "error": "No active chat connection",
                        "code": "NO_ACTIVE_CHAT",
                    }
                ],
            )

    def test_after_unsubscribe(self) -> None:
        """Once unsubscribed it is as if nothing had been asked for."""
        self.held("ann")
        self.assertEqual(self.say(type="unsubscribe"), ["unsubscribed"])
        self.assertEqual(self.say(type="unsubscribe"), ["NO_ACTIVE_CHAT"])
        self.assertEqual(self.say(type="get_stats"), ["NO_ACTIVE_CHAT"])

    def test_after_a_failed_start(self) -> None:
        """get_stats: STREAM_NOT_FOUND; unsubscribe is answered, and then there is nothing."""
        self.say(type="subscribe", platform="twitch", identifier="ann")
        self.twitch.watchers[-1].fail()
        self.assertEqual(self.client.kinds(), ["STREAM_NOT_LIVE"])
        self.assertEqual(self.say(type="get_stats"), ["STREAM_NOT_FOUND"])
        self.assertEqual(self.say(type="unsubscribe"), ["unsubscribed"])
        self.assertEqual(self.say(type="get_stats"), ["NO_ACTIVE_CHAT"])

    def test_after_the_end(self) -> None:
        """An ended chat is no longer held, yet was asked for."""
        self.held("ann").sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.assertEqual(self.client.kinds(), ["STREAM_ENDED"])
        self.assertEqual(self.say(type="get_stats"), ["STREAM_NOT_FOUND"])
        self.assertEqual(self.say(type="unsubscribe"), ["unsubscribed"])

    def test_named_but_not_held(self) -> None:
        """A command that names a chat which this connection does not hold: STREAM_NOT_FOUND."""
        self.held("ann")
        for kind in ("get_stats", "unsubscribe"):
            said = self.say(type=kind, platform="twitch", identifier="bob")
            self.assertEqual(said, ["STREAM_NOT_FOUND"])
        self.assertEqual(self.say(type="unsubscribe"), ["unsubscribed"])


class SeveralChatsTests(SessionCase):
    """Several chats on one connection."""

    def test_bare_commands_act_on_the_latest_still_held(self) -> None:
        """Unsubscribe takes the latest, then the one before; the others go on."""
        one = self.held("one")
        two = self.held("two")
        self.session.received(b'{"type":"unsubscribe"}')
        self.assertEqual(
            self.client.taken(),
            [
                {
                    "type": "status",
                    "status": "unsubscribed",
                    "identifier": "two",
                    "platform": "twitch",
                    "channel": "two",
                }
            ],
        )
        self.assertEqual((one.stops, two.stops), (0, 1))
        one.sink.received([chat("m1")])
        self.clock.advance(0.02)
        self.assertIn("chat", self.client.kinds())
        self.session.received(b'{"type":"get_stats"}')
        stats = self.client.taken()[-1]
        self.assertEqual((stats["identifier"], stats["data"]["totalMessages"]), ("one", 1))

    def test_named_commands(self) -> None:
        """With platform and identifier they act on that chat, however it is spelt."""
        one, two = self.held("one"), self.held("two")
        said = self.say(type="unsubscribe", platform="twitch", identifier="@ONE")
        self.assertEqual(said, ["unsubscribed"])
        self.assertEqual((one.stops, two.stops), (1, 0))

    def test_subscribing_again_changes_nothing(self) -> None:
        """A held chat is greeted again; order, upstream and deliveries stay as they were."""
        one = self.held("one")
        self.held("two")
        self.session.received(b'{"type":"subscribe","platform":"twitch","identifier":"@One"}')
        again = self.client.taken()
        self.assertEqual([m["status"] for m in again], ["subscribed", "started"])
        # Answered in the words of this command.
        self.assertEqual({m["identifier"] for m in again}, {"@One"})
        self.assertEqual(len(self.twitch.watchers), 2)
        one.sink.received([chat("m1")])
        self.clock.advance(0.02)
        self.assertEqual(self.client.kinds().count("chat"), 1)
        self.say(type="unsubscribe")
        self.assertEqual(one.stops, 0)

    def test_asking_twice_before_the_start(self) -> None:
        """Two subscribes to one chat that is still starting: each is answered, in its words."""
        self.say(type="subscribe", platform="twitch", identifier="ann", id=1)
        self.say(type="subscribe", platform="twitch", identifier="@Ann", id=2, stats=False)
        self.assertEqual(len(self.twitch.watchers), 1)
        self.twitch.watchers[-1].live()
        self.clock.advance(0)
        self.assertEqual(
            [(m["status"], m["identifier"], m["id"]) for m in self.client.taken()],
            [
                ("subscribed", "ann", 1),
                ("started", "ann", 1),
                ("subscribed", "@Ann", 2),
                ("started", "@Ann", 2),
            ],
        )
        # And later only in the last one's.
        self.twitch.watchers[-1].sink.interrupted("LOST")
        self.assertEqual([m["id"] for m in self.client.taken()], [2])

    def test_asking_twice_in_vain(self) -> None:
        """Two subscribes to one chat that cannot be started: each is answered with one error."""
        for command_id in (1, 2):
            self.say(type="subscribe", platform="twitch", identifier="ann", id=command_id)
        self.twitch.watchers[-1].fail(ErrorCode.STREAM_NOT_FOUND)
        said = self.client.taken()
        self.assertEqual(
            [(m["code"], m["id"]) for m in said], [("STREAM_NOT_FOUND", 1), ("STREAM_NOT_FOUND", 2)]
        )

    def test_too_many(self) -> None:
        """Beyond the quota: TOO_MANY_CHATS, which costs none of the held ones."""
        for n in range(4):
            self.held(f"c{n}")
        said = self.say(type="subscribe", platform="twitch", identifier="c4")
        self.assertEqual(said, ["TOO_MANY_CHATS"])
        self.assertEqual(self.hub.active_streams, 4)

    def test_unsubscribe_during_the_start(self) -> None:
        """A chat whose start is under way counts as held."""
        self.say(type="subscribe", platform="twitch", identifier="ann")
        self.assertEqual(self.say(type="get_stats"), ["stats"])
        self.assertEqual(self.say(type="unsubscribe"), ["unsubscribed"])
        self.assertEqual(self.hub.active_streams, 0)

    def test_closing_lets_go_of_everything(self) -> None:
        """A lost connection is an unsubscribe of all, without an answer."""
        watchers = [self.held("one"), self.held("two")]
        self.session.closed()
        self.assertEqual([w.stops for w in watchers], [1, 1])
        self.assertEqual(self.client.taken(), [])
        self.session.closed()

    def test_clients_are_independent(self) -> None:
        """One client's unsubscribe does not touch another's subscription."""
        watcher = self.held("ann")
        other = KeptMessages()
        session = self.new_session(other)
        session.received(b'{"type":"subscribe","platform":"twitch","identifier":"ann"}')
        self.assertEqual(other.kinds()[:2], ["subscribed", "started"])
        self.say(type="unsubscribe")
        watcher.sink.received([chat("m1")])
        self.clock.advance(0.02)
        self.assertIn("chat", other.kinds())
        self.assertEqual(self.client.kinds(), [])


class IdentifierTests(SessionCase):
    """Which channel a command means."""

    def test_defaults(self) -> None:
        """No platform means YouTube, no identifierType means username."""
        self.say(type="subscribe", identifier="somebody")
        self.assertEqual(self.youtube.watchers[-1].key.identifier_type, "username")

    def test_url_names_its_platform(self) -> None:
        """A pasted address needs no platform; a given platform wins."""
        for url in ("https://scripted.test/ann", "scripted.test/bob", "http://SCRIPTED.test/cy"):
            self.say(type="subscribe", identifier=url)
        self.assertEqual([w.key.identifier for w in self.twitch.watchers], ["ann", "bob", "cy"])
        self.say(type="subscribe", platform="youtube", identifier="https://scripted.test/di")
        self.assertEqual(len(self.youtube.watchers), 1)

    def test_unknown_platform(self) -> None:
        """UNSUPPORTED_PLATFORM for names unknown and for what is no name."""
        platforms: list[Any] = ["kick", "", "TWITCH", None, 5, ["twitch"], {}]
        for platform in platforms:
            said = self.say(type="subscribe", platform=platform, identifier="ann")
            self.assertEqual(said, ["UNSUPPORTED_PLATFORM"])

    def test_bad_identifiers(self) -> None:
        """Missing, empty, too long, not text, of a wrong type: INVALID_IDENTIFIER."""
        identifiers: list[Any] = ["", "  ", None, 5, [], {}, True, "x" * 3000, "bad"]
        for identifier in identifiers:
            said = self.say(type="subscribe", platform="twitch", identifier=identifier)
            self.assertEqual(said, ["INVALID_IDENTIFIER"], identifier)
        self.assertEqual(self.say(type="subscribe", platform="twitch"), ["INVALID_IDENTIFIER"])
        self.clock.advance(10)
        kinds: list[Any] = ["channel", "", None, 3, []]
        for kind in kinds:
            said = self.say(
                type="subscribe", platform="twitch", identifier="ann", identifierType=kind
            )
            self.assertEqual(said, ["INVALID_IDENTIFIER"], kind)
        self.assertEqual(self.hub.active_streams, 0)

    def test_error_names_what_was_sent(self) -> None:
        """The error about one chat carries platform and identifier as the client sent it."""
        self.session.received(b'{"type":"subscribe","platform":"twitch","identifier":"bad\\r\\n"}')
        (error,) = self.client.taken()
        self.assertEqual((error["platform"], error["identifier"]), ("twitch", "bad\r\n"))

    def test_events_option(self) -> None:
        """true, false and lists of kinds are understood, anything else is INVALID_OPTION."""
        watcher = self.held("ann", events=["raid"])
        watcher.sink.received([happening("raid"), happening("gift")])
        self.clock.advance(0.02)
        self.assertEqual([kind for kind in self.client.kinds() if kind != "stats"], ["event"])
        wishes: list[Any] = ["raid", 1, {}, [1], ["raid", "raids"], ["chat"], [""], None]
        for events in wishes:
            said = self.say(type="subscribe", platform="twitch", identifier="bob", events=events)
            expected = [] if events is None else ["INVALID_OPTION"]
            self.assertEqual(said, expected, events)

    def test_mirrored(self) -> None:
        """`mirrored: false` leaves out what another room of a shared chat says and does."""
        watcher = self.held("ann", events=True)
        here: list[Event] = [
            chat("m1"),
            chat("m2", source_room_id="room"),
            happening("raid", "e1"),
            happening("raid", "e2", source_room_id="room"),
        ]
        next_door: list[Event] = [
            chat("m3", source_room_id="other"),
            happening("raid", "e3", source_room_id="other"),
            happening("announcement", "e4", source_room_id="other"),
        ]
        watcher.sink.received(here + next_door)
        self.clock.advance(0.02)
        self.assertEqual(self.said(), ["m1", "m2", "e1", "e2", "m3", "e3", "e4"])
        subscribe = {"type": "subscribe", "platform": "twitch", "identifier": "ann"}
        self.say(**subscribe, events=True, mirrored=False)
        watcher.sink.received([*fresh(here, "x"), *fresh(next_door, "x")])
        self.clock.advance(0.02)
        self.assertEqual(self.said(), ["xm1", "xm2", "xe1", "xe2"])
        self.say(**subscribe, events=["raid"], mirrored=None)
        watcher.sink.received([*fresh(here, "y"), *fresh(next_door, "y")])
        self.clock.advance(0.02)
        self.assertEqual(self.said(), ["ym1", "ym2", "ye1", "ye2", "ym3", "ye3"])

    def said(self) -> list[str]:
        """The ids of the chats and events that came."""
        return [
            m["data"].get("message_id") or m["data"]["event_id"]
            for m in self.client.taken()
            if m["type"] in ("chat", "event")
        ]

    def test_statistics(self) -> None:
        """`stats`: every push, none, or one in so many seconds; a question is always answered."""
        subscribe = {"type": "subscribe", "platform": "twitch", "identifier": "ann"}
        self.say(**subscribe, stats=False)
        watcher = self.twitch.watchers[-1]
        watcher.live()
        self.clock.advance(0)
        self.assertEqual(self.client.kinds(), ["subscribed", "started"])
        self.assertEqual(self.pushes(3, watcher), 0)
        self.assertEqual(self.say(type="get_stats"), ["stats"])
        # The first ones come with a change to some, as with a first subscribe.
        self.assertEqual(self.say(**subscribe, stats=5), ["subscribed", "started", "stats"])
        self.assertEqual(self.pushes(12, watcher), 2)
        self.assertEqual(self.say(**subscribe, stats=5), ["subscribed", "started"])
        self.assertEqual(self.say(**subscribe), ["subscribed", "started", "stats"])
        self.assertIn(self.pushes(10, watcher), (9, 10))
        self.assertEqual(self.say(**subscribe, stats=False), ["subscribed", "started"])
        self.assertEqual(self.pushes(3, watcher), 0)

    def pushes(self, seconds: int, watcher: ScriptedWatcher) -> int:
        """How often statistics come in a time in which somebody writes all the time."""
        pushes = 0
        for _ in range(10 * seconds):
            self.clock.advance(0.1)
            watcher.sink.received([chat(f"at {self.clock.seconds()}")])
            pushes += self.client.kinds().count("stats")
        return pushes

    def test_wrong_option_of_a_held_chat(self) -> None:
        """A wrong option is answered with the names of the chat, which stays as it was."""
        watcher = self.held("ann", events=["raid"])
        self.session.received(
            b'{"type":"subscribe","platform":"twitch","identifier":"Ann","events":["raids"]}'
        )
        (error,) = self.client.taken()
        self.assertEqual((error["code"], error["details"]), ("INVALID_OPTION", "events"))
        self.assertEqual((error["platform"], error["identifier"]), ("twitch", "Ann"))
        watcher.sink.received([happening("raid")])
        self.assertEqual([kind for kind in self.client.kinds() if kind != "stats"], ["event"])

    def test_options_stated_anew(self) -> None:
        """A repeated subscribe changes the options; what is left out returns to its default."""
        watcher = self.held("ann", events=["raid"])
        said = self.say(type="subscribe", platform="twitch", identifier="ann", events=["gift"])
        self.assertEqual(said, ["subscribed", "started"])
        watcher.sink.received([happening("raid", "1"), happening("gift", "2")])
        kinds = [m["data"]["type"] for m in self.client.taken() if m["type"] == "event"]
        self.assertEqual(kinds, ["gift"])
        self.say(type="subscribe", platform="twitch", identifier="ann")
        watcher.sink.received([happening("gift", "3")])
        self.clock.advance(0.02)
        self.assertNotIn("event", self.client.kinds())


class IdTests(SessionCase):
    """What a client calls a command is echoed, so that it knows which answer is to which."""

    def answers(self, **command: Any) -> list[tuple[str, Any]]:
        """Send a command; the kind and `id` of each answer, statistics apart."""
        self.session.received(msgspec.json.encode(command))
        self.clock.advance(0)
        return self.ids()

    def ids(self) -> list[tuple[str, Any]]:
        """The kind and `id` of each message that came, `none` where it has none."""
        return [
            (m.get("status") or m.get("code") or m["type"], m.get("id", "none"))
            for m in self.client.taken()
        ]

    def test_of_the_chat(self) -> None:
        """Every status and error that later concerns the chat carries it; pushes do not."""
        self.answers(type="subscribe", platform="twitch", identifier="ann", id="a")
        watcher = self.twitch.watchers[-1]
        watcher.sink.queued()
        self.assertEqual(self.ids(), [("waiting", "a")])
        watcher.live()
        self.clock.advance(0)
        self.assertEqual(self.ids(), [("subscribed", "a"), ("started", "a"), ("stats", "none")])
        watcher.sink.interrupted("lost")
        watcher.sink.resumed(LiveInfo("ann"))
        watcher.sink.received([chat("m1")])
        self.clock.advance(0.02)
        self.assertEqual(
            self.ids(),
            [("reconnecting", "a"), ("started", "a"), ("chat", "none"), ("stats", "none")],
        )
        watcher.sink.ended(ChatError(ErrorCode.STREAM_ENDED, "Over"))
        self.assertEqual(self.ids(), [("STREAM_ENDED", "a")])

    def test_of_a_start_that_fails(self) -> None:
        """So does the error that a start ends with."""
        self.answers(type="subscribe", platform="twitch", identifier="ann", id=1.5)
        self.twitch.watchers[-1].fail()
        self.assertEqual(self.ids(), [("STREAM_NOT_LIVE", 1.5)])

    def test_of_a_command(self) -> None:
        """Answers carry the `id` of the command that they answer."""
        self.held("ann")
        self.assertEqual(self.answers(type="get_stats", id=3), [("stats", 3)])
        self.assertEqual(self.answers(type="get_stats"), [("stats", "none")])
        named = {"platform": "twitch", "identifier": "bob"}
        said = self.answers(type="get_stats", id=4, **named)
        self.assertEqual(said, [("STREAM_NOT_FOUND", 4)])
        self.assertEqual(self.answers(type="dance", id=5), [("INVALID_MESSAGE_TYPE", 5)])
        said = self.answers(type="subscribe", platform="kick", identifier="ann", id="")
        self.assertEqual(said, [("UNSUPPORTED_PLATFORM", "")])
        said = self.answers(type="subscribe", platform="twitch", identifier="bad", id=6)
        self.assertEqual(said, [("INVALID_IDENTIFIER", 6)])
        said = self.answers(type="subscribe", events=["x"], id=7, **named)
        self.assertEqual(said, [("INVALID_OPTION", 7)])
        self.assertEqual(self.answers(type="unsubscribe", id=8), [("unsubscribed", 8)])
        self.assertEqual(self.answers(type="unsubscribe", id=9), [("NO_ACTIVE_CHAT", 9)])

    def test_of_an_unsubscribe_without(self) -> None:
        """`unsubscribed` concerns the chat: without an `id` of its own it carries the chat's."""
        self.held("ann", id="a")
        self.assertEqual(self.answers(type="unsubscribe"), [("unsubscribed", "a")])

    def test_stated_anew(self) -> None:
        """A repeated subscribe gives the chat another `id`, or none."""
        watcher = self.held("ann", id="a")
        again = {"type": "subscribe", "platform": "twitch", "identifier": "ann"}
        self.assertEqual(self.answers(**again, id=2), [("subscribed", 2), ("started", 2)])
        said = self.answers(**again, id=3, events=["x"])
        self.assertEqual(said, [("INVALID_OPTION", 3)])
        watcher.sink.interrupted("lost")
        self.assertEqual(self.ids(), [("reconnecting", 2)])
        self.assertEqual(self.answers(**again), [("subscribed", "none"), ("reconnecting", "none")])

    def test_null(self) -> None:
        """Null is as if there were none."""
        self.assertEqual(self.answers(type="ping", id=None), [("pong", "none")])

    def test_wrong(self) -> None:
        """A wrong one is INVALID_OPTION for every command, which is then not acted on."""
        self.held("ann")
        values: list[Any] = [True, [], "x" * 65]
        for kind in ("subscribe", "unsubscribe", "get_stats", "ping"):
            for wrong in values:
                self.session.received(
                    msgspec.json.encode(
                        {"type": kind, "platform": "twitch", "identifier": "ann", "id": wrong}
                    )
                )
                (error,) = self.client.taken()
                self.assertEqual((error["code"], error["details"]), ("INVALID_OPTION", "id"))
                self.assertNotIn("id", error)
        self.assertEqual(self.say(type="dance", id=[]), ["INVALID_MESSAGE_TYPE"])
        self.assertEqual(self.say(type="get_stats"), ["stats"])

    def test_refused(self) -> None:
        """RATE_LIMITED carries it when it can be read."""
        for _ in range(50):
            self.session.received(b'{"type":"ping"}')
        self.client.taken()
        self.assertEqual(self.answers(type="ping", id=7), [("RATE_LIMITED", 7)])
        self.session.received(b"{")
        self.assertEqual(self.ids(), [("RATE_LIMITED", "none")])

    def test_slow_statistics(self) -> None:
        """Each of two questions gets its own `id` back."""
        self.held("ann")
        for number in (1, 2):
            self.session.received(msgspec.json.encode({"type": "get_stats", "id": number}))
        self.assertEqual(self.ids(), [("stats", 1), ("stats", 2)])


class PingTests(SessionCase):
    """A heartbeat that a program in a browser can see."""

    quotas = Quotas(commands_per_second=1, commands_burst=2)

    def test_answered(self) -> None:
        """Whatever is held, `ping` is answered by `pong`; it counts as a command."""
        self.session.received(b'{"type":"ping"}')
        self.session.received(b'{"type":"ping","id":"x"}')
        self.assertEqual(self.client.taken(), [{"type": "pong"}, {"type": "pong", "id": "x"}])
        self.assertEqual(self.say(type="ping"), ["RATE_LIMITED"])


class BadInputTests(SessionCase):
    """Whatever a client sends, it gets a coded answer and keeps its connection."""

    def test_fixed(self) -> None:
        """Not JSON, not an object, no known type: INVALID_MESSAGE_TYPE each, and life goes on."""
        for payload in (
            b"",
            b"not json",
            b"null",
            b"[]",
            b"5",
            b'"subscribe"',
            b"{}",
            b'{"type":"nope"}',
            b'{"type":null}',
            b'{"type":["subscribe"]}',
            b'{"type":"Subscribe"}',
            b"\xff\xfe",
            b'\xef\xbb\xbf{"type":"get_stats"}',
            b'{"type":"subscribe"',
            b'{"a":' * 5000,
            b"[" * 100000,
        ):
            self.session.received(payload)
            self.assertEqual(self.client.kinds(), ["INVALID_MESSAGE_TYPE"], payload[:40])
            self.clock.advance(1)
        self.held("ann")

    @settings(max_examples=300, deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes(self, payload: bytes) -> None:
        """Any bytes: exactly one answer, which is an error with a code, and no exception."""
        self.setUp()
        self.session.received(payload)
        (answer,) = self.client.taken()
        self.assertEqual(answer["type"], "error")
        self.assertIn(answer["code"], set(ErrorCode))

    @settings(max_examples=300, deadline=None)
    @given(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["subscribe", "unsubscribe", "get_stats"])},
            optional={
                name: st.recursive(
                    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                    max_leaves=5,
                )
                for name in (
                    "platform",
                    "identifier",
                    "identifierType",
                    "id",
                    "events",
                    "stats",
                    "mirrored",
                    "history",
                    "since",
                    "wait",
                    "lives",
                    "filter",
                    "hold",
                )
            },
        )
    )
    def test_any_values(self, command: dict[str, Any]) -> None:
        """Known commands with arbitrary values: an error with a code, or a start under way."""
        self.setUp()
        self.session.received(msgspec.json.encode(command))
        answers = self.client.taken()
        if not answers:
            self.assertEqual(self.hub.active_streams, 1)
        else:
            self.assertEqual([a["type"] for a in answers], ["error"])
            self.assertIn(answers[0]["code"], set(ErrorCode))
        self.session.closed()

    def test_platform_that_raises(self) -> None:
        """A platform that raises instead of failing is logged; the client gets a code."""
        self.twitch.watch = lambda *_: 1 / 0  # type: ignore[method-assign,assignment]
        said = self.say(type="subscribe", platform="twitch", identifier="ann")
        self.assertEqual(said, ["UPSTREAM_UNAVAILABLE"])
        self.assertEqual(self.hub.active_streams, 0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_unexpected_failure_of_ours(self) -> None:
        """A bug of ours is logged, closes the connection with 1011 and shows no traceback."""
        self.twitch.key = lambda *_: 1 / 0  # type: ignore[method-assign,assignment]
        self.session.received(b'{"type":"subscribe","platform":"twitch","identifier":"a"}')
        self.assertEqual(self.client.closed, (CloseCode.INTERNAL, "internal error"))
        self.assertEqual(self.client.taken(), [])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class RateTests(SessionCase):
    """How many commands a client may send."""

    quotas = Quotas(commands_per_second=10, commands_burst=5)

    def test_flood(self) -> None:
        """Beyond the burst: RATE_LIMITED; patience makes it good again."""
        said = [self.say(type="get_stats") for _ in range(7)]
        self.assertEqual(said, [["NO_ACTIVE_CHAT"]] * 5 + [["RATE_LIMITED"]] * 2)
        self.clock.advance(0.1)
        self.assertEqual(self.say(type="get_stats"), ["NO_ACTIVE_CHAT"])

    def test_slowed_flood_is_closed(self) -> None:
        """Who goes on at a multiple of the rate is closed, though some commands are let through."""
        for _ in range(1200):
            self.clock.advance(1 / 100)
            self.session.received(b'{"type":"get_stats"}')
            if self.client.closed:
                break
        self.assertEqual(self.client.closed, (CloseCode.POLICY, "too many commands"))

    def test_binary_flood(self) -> None:
        """Messages that cannot be read count like commands."""
        error = ChatError(ErrorCode.INVALID_MESSAGE_TYPE, "No")
        for _ in range(5 + MAX_REFUSED + 1):
            self.session.rejected(error)
        self.assertEqual(self.client.closed, (CloseCode.POLICY, "too many commands"))
        self.assertEqual(self.client.kinds()[4:6], ["INVALID_MESSAGE_TYPE", "RATE_LIMITED"])

    def test_stubborn_flood_is_closed(self) -> None:
        """Who goes on regardless is closed with 1008."""
        for _ in range(5 + MAX_REFUSED):
            self.say(type="get_stats")
        self.assertIsNone(self.client.closed)
        self.say(type="get_stats")
        self.assertEqual(self.client.closed, (CloseCode.POLICY, "too many commands"))
