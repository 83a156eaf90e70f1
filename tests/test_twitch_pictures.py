# SPDX-License-Identifier: MIT
"""Pictures of Twitch's badges and cheermotes: the table, what is asked, and what answers mean."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from treq.testing import StubTreq
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from livechat.metrics import Metrics
from livechat.platforms.budget import Budget
from livechat.platforms.enrichment.dictionary import BadgePicture, Cheermote
from livechat.platforms.enrichment.rooms import Room, Rooms
from livechat.platforms.steps import Steps
from livechat.platforms.twitch.limits import PICTURES
from livechat.platforms.twitch.parse.pictures import (
    read_answers,
    read_colors,
    read_global,
    read_room,
)
from livechat.platforms.twitch.pictures import (
    BATCH,
    BUILT_IN,
    DEADLINE,
    LIMIT,
    MAX_KEPT,
    PAUSE_FIRST,
    PAUSE_LONGEST,
    REFRESH_GLOBAL,
    REFRESH_ROOM,
    TwitchPictures,
)
from tests.support.corpus import corpus

ROOT = Path(__file__).resolve().parents[1]

CDN = "https://static-cdn.jtvnw.net/badges/v1/"


def badge(name: str, version: str, image: str = "x") -> dict[str, str]:
    """A badge as Twitch writes it."""
    return {
        "setID": name,
        "version": version,
        "title": f"title of {name}",
        "imageURL": f"{CDN}{image}/2",
    }


def group(template: str, *prefixes: str) -> dict[str, Any]:
    """A group of cheermotes as Twitch writes it."""
    tiers = [{"bits": 1}, {"bits": 100}]
    return {
        "templateURL": template,
        "nodes": [{"prefix": prefix, "tiers": tiers} for prefix in prefixes],
    }


TEMPLATE = "https://c.example.org/PREFIX/BACKGROUND/ANIMATION/TIER/SCALE.EXTENSION"
COLORS = {"cheerConfig": {"displayConfig": {"colors": [{"bits": 1, "color": "#CACACA"}]}}}
ALL = {
    "badges": [badge("vip", "1", "vip"), badge("new", "1", "new")],
    "cheerConfig": {"groups": [group(TEMPLATE, "Cheer", "Brandnew")]},
}


def room(number: int) -> dict[str, Any]:
    """What a room has, as Twitch writes it."""
    return {
        "user": {
            "id": str(number),
            "broadcastBadges": [badge("subscriber", "12", f"year-{number}")],
            "cheer": {"cheerGroups": [group(TEMPLATE, f"ann{number}x")]},
        }
    }


class ReadTests(SynchronousTestCase):
    """What answers mean."""

    def test_global(self) -> None:
        """Badges by set and version, cheermotes by prefix with their tiers."""
        found = read_global(ALL)
        assert found is not None
        (badges,) = found.badges
        self.assertEqual(badges["vip/1"], BadgePicture(f"{CDN}vip/2", "title of vip"))
        self.assertEqual(
            found.cheermotes["brandnew"],
            Cheermote(
                (
                    (100, "https://c.example.org/brandnew/dark/animated/100/2.gif"),
                    (1, "https://c.example.org/brandnew/dark/animated/1/2.gif"),
                )
            ),
        )

    def test_room(self) -> None:
        """A room's own, which may be nothing."""
        found = read_room(room(7))
        assert found is not None
        self.assertEqual([*found.badges[0]], ["subscriber/12"])
        self.assertTrue(found.cheermotes["ann7x"].is_custom)
        nothing = read_room({"user": {"broadcastBadges": None, "cheer": None}})
        assert nothing is not None
        self.assertEqual((nothing.badges, {**nothing.cheermotes}), ((), {}))
        self.assertIsNone(read_room({"user": None}))

    def test_colors(self) -> None:
        """Highest first; what is no colour is left out."""
        items = [
            {"bits": 1, "color": "#979797"},
            {"bits": 100, "color": "#9C3EE8"},
            {"bits": 5, "color": "red"},
            {"bits": True, "color": "#ffffff"},
            None,
        ]
        answer = {"cheerConfig": {"displayConfig": {"colors": items}}}
        self.assertEqual(read_colors(answer), ((100, "#9c3ee8"), (1, "#979797")))
        self.assertEqual(read_colors(None), ())

    def test_answers(self) -> None:
        """One for each operation; anything else is none for all."""
        self.assertEqual(read_answers(b'{"data":{"a":1}}', 1), [{"a": 1}])
        self.assertEqual(read_answers(b'[{"data":1},{"errors":[]}]', 2), [1, None])
        recorded = corpus("twitch/gql/errors.mock.json").read_bytes()
        self.assertEqual(read_answers(recorded, 3)[:2], [None, None])
        for body in (b"", b"<html>", b"[" * 9999, b'{"data":1}', b"[1]", b"null"):
            self.assertEqual(read_answers(body, 2), [None, None])

    def test_addresses(self) -> None:
        """A picture that is not https, or a name that is none, is left out; others stay."""
        odd = [
            {**badge("a", "1"), "imageURL": "http://x.example.org/"},
            {**badge("b", "1"), "imageURL": None},
            {**badge("c", "1"), "setID": 7},
            {**badge("d", "1"), "version": "9" * 999},
            badge("good", "1"),
        ]
        found = read_global({"badges": odd, "cheerConfig": {"groups": [group("http://x/", "a")]}})
        assert found is not None
        self.assertEqual([*found.badges[0]], ["good/1"])
        self.assertEqual({**found.cheermotes}, {})

    @settings(deadline=None, database=None)
    @given(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from([
                        "data", "user", "badges", "cheerConfig", "groups", "nodes", "tiers",
                        "bits", "cheer", "cheerGroups", "broadcastBadges", "colors",
                        "displayConfig", "templateURL", "prefix", "setID", "imageURL",
                    ]),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=30,
        )
    )  # fmt: skip
    def test_anything(self, answer: Any) -> None:
        """No answer raises."""
        for data in read_answers(json.dumps(answer).encode(), 1):
            read_global(data)
            read_room(data)
            read_colors(data)


class TableTests(SynchronousTestCase):
    """What is known without asking."""

    def test_is_current(self) -> None:
        """The table is what our script makes of the recorded list."""
        recorded = corpus("twitch/badges/twitch_global_badges.json").read_text()
        tool = runpy.run_path(str(ROOT / "tools" / "write_twitch_badges.py"))
        self.assertEqual(tool["TABLE"].read_text(), tool["table"](recorded))

    def test_badges(self) -> None:
        """Every set of the recorded list, at the size for sharp screens."""
        (badges,) = BUILT_IN.badges
        self.assertEqual(len(badges), 317)
        self.assertEqual(
            badges["moderator/1"],
            BadgePicture(f"{CDN}3267646d-33f0-4b17-b3df-f923a41db1d0/2", "Moderator"),
        )

    def test_cheermotes(self) -> None:
        """The usual ones, that of those who hide too."""
        url = "https://d3aqoihi2n8ty8.cloudfront.net/actions/anon/dark/animated/100/2.gif"
        self.assertIn((100, url), BUILT_IN.cheermotes["anon"].tiers)


class Server(Resource):
    """Answers questions as Twitch does, or wrongly.

    :ivar asked: the operations of each request.
    :ivar wrong: answers a request in place of the server.
    """

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.wrong: Callable[[Request], bytes | int] | None = None

    def render_POST(self, request: Request) -> bytes | int:
        """One answer for each operation."""
        assert request.content is not None
        question = json.loads(request.content.read())
        operations = question if isinstance(question, list) else [question]
        self.asked.append([self.name(operation) for operation in operations])
        if self.wrong is not None:
            return self.wrong(request)
        answers = [{"data": self.data(operation)} for operation in operations]
        return json.dumps(answers if isinstance(question, list) else answers[0]).encode()

    def name(self, operation: Any) -> str:
        """The id of a room, or what else is asked."""
        if "displayConfig" in operation["query"]:
            return "colors"
        return str(operation["variables"]["id"]) if "variables" in operation else "global"

    def data(self, operation: Any) -> Any:
        """What is known of it."""
        name = self.name(operation)
        return {"colors": COLORS, "global": ALL}.get(name) or room(int(name))

    def take(self) -> list[list[str]]:
        """What was asked since the last time."""
        asked, self.asked = self.asked, []
        return asked


class SourceCase(SynchronousTestCase):
    """A source with a server that answers."""

    url = "http://gql.test/"

    def setUp(self) -> None:
        """A server that answers, and nothing shown yet."""
        self.clock = Clock()
        self.server = Server()
        http: Any = StubTreq(self.server)
        self.http = http
        metrics = Metrics()
        steps = Steps(self.clock, metrics, "twitch")
        budget = Budget(self.clock, PICTURES, metrics, "twitch", "pictures")
        self.metrics = metrics
        self.source = TwitchPictures(self.url, http, self.clock, Random(3), metrics, budget, steps)
        self.rooms = Rooms("twitch", [self.source], steps)

    def tearDown(self) -> None:
        """A source that is stopped leaves nothing on the clock."""
        self.source.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass, carrying answers."""
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.http.flush()

    def url_of(self, shown: Room, label: str) -> str:
        """The address of a badge in a room; empty for none."""
        for known in shown.dictionary.badges:
            if label in known:
                return known[label].url.removeprefix(CDN)
        return ""


class SourceTests(SourceCase):
    """What is asked when, and what becomes of it."""

    def test_table_first(self) -> None:
        """Before any answer the table counts, and opening asks in its own time."""
        shown = self.rooms.hold("7")
        self.assertEqual(self.server.asked, [])
        self.assertEqual(self.url_of(shown, "vip/1"), "b817aba4-fad8-49e2-b88a-7cc744dfa6ec/2")
        self.assertEqual(self.url_of(shown, "subscriber/12"), "")

    def test_answers(self) -> None:
        """Room, then all rooms, then colours; the room's before those of all, the table last."""
        shown = self.rooms.hold("7")
        self.run_for(5)
        self.assertEqual(self.server.take(), [["7"], ["global"], ["colors"]])
        self.assertEqual(self.url_of(shown, "subscriber/12"), "year-7/2")
        self.assertEqual(self.url_of(shown, "vip/1"), "vip/2")
        self.assertEqual(self.url_of(shown, "new/1"), "new/2")
        self.assertIn("moderator/1", shown.dictionary.badges[-1])
        self.assertLessEqual({"ann7x", "brandnew", "kappa"}, shown.dictionary.cheermotes.keys())
        self.assertEqual(shown.dictionary.colors, ((1, "#cacaca"),))

    def test_asked_together(self) -> None:
        """Rooms that are opened together are asked about together, so many at a time."""
        shown = [self.rooms.hold(str(number)) for number in range(1, 2 * BATCH)]
        self.run_for(10)
        asked = self.server.take()
        self.assertEqual([len(names) for names in asked], [BATCH, BATCH - 1, 1, 1])
        for number, one in enumerate(shown, 1):
            self.assertEqual(self.url_of(one, "subscriber/12"), f"year-{number}/2")

    def test_refreshed(self) -> None:
        """Everything is asked for anew after a while, not to the second."""
        for number in range(1, BATCH):
            self.rooms.hold(str(number))
        self.run_for(10)
        self.server.take()
        self.run_for(0.79 * REFRESH_ROOM, step=10)
        self.assertEqual(self.server.take(), [])
        self.run_for(0.42 * REFRESH_ROOM, step=1)
        asked = self.server.take()
        self.assertEqual(len([name for names in asked for name in names]), BATCH - 1)
        self.assertGreater(len(asked), 1, "all at the same moment")
        self.run_for(1.3 * REFRESH_GLOBAL, step=60)
        self.assertIn(["global"], self.server.take())

    def test_kept_for_a_while(self) -> None:
        """A room that is shown again has its pictures at once, and is not asked about."""
        shown = self.rooms.hold("7")
        self.run_for(5)
        self.rooms.release(shown)
        self.server.take()
        self.run_for(60)
        again = self.rooms.hold("7")
        self.assertEqual(self.url_of(again, "subscriber/12"), "year-7/2")
        self.run_for(5)
        self.assertEqual(self.server.take(), [])

    def test_not_kept_for_ever(self) -> None:
        """Of very many rooms the one that was closed first is forgotten first."""
        for number in range(1, MAX_KEPT + 5):
            self.rooms.release(self.rooms.hold(str(number)))
        self.rooms.hold("1")
        self.rooms.hold(str(MAX_KEPT))
        self.assertEqual(len(self.source._kept), MAX_KEPT - 1)

    def test_nothing_shown(self) -> None:
        """Nobody is asked while nothing is shown."""
        shown = self.rooms.hold("7")
        self.rooms.release(shown)
        self.run_for(5)
        self.assertEqual(self.server.take(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_odd_rooms(self) -> None:
        """A room whose id is no number is not asked about."""
        for name in ("", "x", "1;2", "٣", "-1"):
            self.rooms.hold(name)
        self.run_for(5)
        self.assertEqual(self.server.take(), [])

    def wrong(self, status: int, body: bytes, **headers: str) -> None:
        """From now on every answer is this one."""

        def answer(request: Request) -> bytes:
            request.setResponseCode(status)
            for name, value in headers.items():
                request.setHeader(name.replace("_", "-"), value)
            return body

        self.server.wrong = answer

    def test_wrong_answers(self) -> None:
        """What was known stays; it is asked again, more and more seldom, and comes back."""
        shown = self.rooms.hold("7")
        self.run_for(5)
        for status, body in (
            (503, b"<html>"),
            (200, b'{"errors":[{"message":"failed integrity check"}],"data":null}'),
            (200, b'{"data": {"users": [\xff\x00'),
            (200, b'{"data":{"user":null,"badges":null}}'),
            (200, b"x" * (LIMIT + 1)),
        ):
            self.wrong(status, body)
            self.run_for(2 * REFRESH_GLOBAL, step=60)
            asked = self.server.take()
            self.assertEqual(self.url_of(shown, "subscriber/12"), "year-7/2")
            self.assertEqual(self.url_of(shown, "new/1"), "new/2")
            self.assertLess(len(asked), 3 * 4 * 2 * REFRESH_GLOBAL / PAUSE_LONGEST)
        self.server.wrong = None
        self.run_for(2 * PAUSE_LONGEST, step=10)
        self.assertIn(["7"], self.server.take())

    def test_first_failure(self) -> None:
        """A first failure is asked again soon."""
        self.wrong(503, b"")
        self.rooms.hold("7")
        self.run_for(5)
        self.server.take()
        self.server.wrong = None
        self.run_for(PAUSE_FIRST + 5)
        self.assertIn(["7"], self.server.take())

    def test_enough(self) -> None:
        """A server that says when it wants to be asked again is left alone until then."""
        self.wrong(429, b"", retry_after="100")
        self.rooms.hold("7")
        self.run_for(1)
        self.assertEqual(self.server.take(), [["7"]])
        self.run_for(98)
        self.assertEqual(self.server.take(), [])
        self.server.wrong = None
        self.run_for(10)
        self.assertEqual(len(self.server.take()), 3)

    def test_silent_server(self) -> None:
        """A server that does not answer costs one request at a time, each for so many seconds."""
        self.server.wrong = lambda _: NOT_DONE_YET
        for number in range(1, 3 * BATCH):
            self.rooms.hold(str(number))
        self.run_for(2 * DEADLINE)
        self.assertLessEqual(len(self.server.take()), 3)

    def test_stopped_meanwhile(self) -> None:
        """It can be stopped while a question is under way."""
        self.server.wrong = lambda _: NOT_DONE_YET
        self.rooms.hold("7")
        self.run_for(1)
        self.source.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class OffTests(SourceCase):
    """Without an address nobody is asked."""

    url = ""

    def test_off(self) -> None:
        """The table stays."""
        shown = self.rooms.hold("7")
        self.run_for(60)
        self.assertEqual(self.server.take(), [])
        self.assertTrue(self.url_of(shown, "vip/1"))
