# SPDX-License-Identifier: MIT
"""Is an account live: every answer of TikTok's pages and JSON."""

from __future__ import annotations

import json
import tracemalloc
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from livechat.platforms.tiktok.parse.answers import (
    MAX_BODY,
    Answer,
    Live,
    NotLive,
    Unclear,
    merged,
    read_alive,
    read_info,
    read_page,
    read_user_room,
)
from livechat.platforms.tiktok.refusals import Reason, Refused
from livechat.simulator import observed
from tests.support.corpus import corpus

ROOM = "7300000000000000001"
OWNER = 6800000000000000001

LIVE = Live(ROOM, OWNER, "A title")
BLOCKED = Refused(Reason.BLOCKED, "no JSON")


def user_room(status: object = 2, room_id: object = ROOM, **more: Any) -> dict[str, Any]:
    """The whole answer of `api-live/user/room` for a user and a stream."""
    user = {"id": str(OWNER), "uniqueId": "golden.tester", "roomId": room_id, "status": 2}
    stream = {"status": status, "title": "A title", "liveRoomStats": {"userCount": 3}}
    return {"statusCode": 0, "message": "", "data": {"user": user, "liveRoom": stream}, **more}


def said(value: object, status: int = 200) -> Answer:
    """What `api-live/user/room` means by this JSON."""
    return read_user_room(status, json.dumps(value).encode())


def page(state: object, tag: str = '<script id="SIGI_STATE" type="application/json">') -> bytes:
    """A page with this state in its script."""
    return f"<!DOCTYPE html><html><body>\n{tag}{json.dumps(state)}</script></body>".encode()


def stream_state(status: object = 2, **more: object) -> dict[str, Any]:
    """The state of a stream's page."""
    user = {"uniqueId": "golden.tester", "id": str(OWNER), "roomId": ROOM, "status": 2}
    info = {"user": user, "liveRoom": {"title": "A title", "status": status}}
    return {"LiveRoom": {"liveRoomStatus": 2, "liveRoomUserInfo": info, **more}}


class UserRoomTests(SynchronousTestCase):
    """`api-live/user/room`."""

    def test_live(self) -> None:
        """Status 2 with a room is live."""
        self.assertEqual(said(user_room()), LIVE)
        self.assertEqual(said(user_room(room_id=int(ROOM))), LIVE)
        self.assertEqual(said(user_room(status="2")), LIVE)

    def test_status_of_the_user(self) -> None:
        """The user's status counts only where the stream has none."""
        answer = user_room()
        del answer["data"]["liveRoom"]["status"]
        self.assertEqual(said(answer), LIVE)
        answer["data"]["liveRoom"]["status"] = 4
        self.assertEqual(said(answer), NotLive())

    def test_room_id_alone_is_not_live(self) -> None:
        """A room id survives the end of its stream: status 4 is not live."""
        self.assertEqual(said(user_room(status=4)), NotLive())

    def test_no_room(self) -> None:
        """Without a room nobody is live, whatever the status says."""
        for room_id in ("", "0", 0, "abc", "-1", "1" * 20, str(1 << 63), True, None, "１２"):  # noqa: RUF001
            self.assertEqual(said(user_room(room_id=room_id)), NotLive(), room_id)

    def test_unclear(self) -> None:
        """Any other status decides nothing."""
        statuses: list[object] = [0, 1, 3, 99, None, "x", [], -2, 2.0]
        for status in statuses:
            self.assertEqual(said(user_room(status=status)), Unclear(LIVE), status)

    def test_not_found(self) -> None:
        """An unknown user is not yet taken for one that does not exist."""
        answer = {"statusCode": 19881007, "message": "user_not_found", "data": {}}
        self.assertEqual(said(answer), Refused(Reason.UNCONFIRMED))

    def test_other_errors(self) -> None:
        """Another error of the platform keeps its number."""
        self.assertEqual(said({"statusCode": 10000}), Refused(Reason.UPSTREAM, "status 10000"))
        empties: list[object] = [{}, {"statusCode": 0}, {"data": []}, {"data": {}}, {"data": None}]
        for empty in empties:
            self.assertEqual(said(empty), Refused(Reason.UPSTREAM, "no data"), empty)

    def test_missing_user_is_not_offline(self) -> None:
        """An answer that lacks the user or the room says nothing about being offline."""
        missing: list[object] = [
            {"user": {}},
            {"liveRoom": {"status": 2}},
            {"user": {"status": 2}},
            {"user": 7},
        ]
        for data in missing:
            self.assertEqual(said({"data": data}), Refused(Reason.UPSTREAM, "no room id"), data)

    def test_soft_blocks(self) -> None:
        """A firewall's page, an empty body and anything that is no JSON object is a block."""
        bodies = [
            b"",
            b" ",
            b"Please wait...",
            b"<!DOCTYPE html><html><title>Security check</title></html>",
            b"null",
            b"[]",
            b'"text"',
            b"\xff\xfe\x00",
            b"{" * 100_000,
            b'{"a":' + b"9" * 5000 + b"}",
            b'{"a":' * 5000,
        ]
        for body in bodies:
            self.assertEqual(read_user_room(200, body), BLOCKED, body[:30])

    def test_statuses(self) -> None:
        """403 and 429 are blocks, other statuses errors; both keep the number."""
        for status in (401, 403, 429):
            answer = said(user_room(), status)
            self.assertEqual(answer, Refused(Reason.BLOCKED, f"HTTP {status}"))
        for status in (204, 302, 404, 500, 503):
            answer = said(user_room(), status)
            self.assertEqual(answer, Refused(Reason.UPSTREAM, f"HTTP {status}"))

    def test_too_large(self) -> None:
        """An answer beyond the limit is not read."""
        self.assertEqual(
            read_user_room(200, b" " * (MAX_BODY + 1)), Refused(Reason.UPSTREAM, "answer too large")
        )

    def test_title(self) -> None:
        """A title is cut, and can be written as UTF-8 whatever escapes it holds."""
        answer = user_room()
        answer["data"]["liveRoom"]["title"] = "\ud800" + "x" * 5000
        live = said(answer)
        assert isinstance(live, Live)
        self.assertEqual(live.title, "\ufffd" + "x" * 511)


class PageTests(SynchronousTestCase):
    """The page of a stream and of a profile."""

    def test_recorded_offline(self) -> None:
        """The recorded page is of somebody offline, though it holds a room id."""
        body = corpus("tiktok/pages/live_page_sigi_offline_condensed.html").read_bytes()
        self.assertEqual(read_page(200, body), NotLive())

    def test_live(self) -> None:
        """A page says live, whatever the order of its script's attributes and the space in it."""
        tags = (
            '<script id="SIGI_STATE" type="application/json">',
            '<script type="application/json" id="SIGI_STATE">\n  ',
            "<script\n nonce='x'\n id='SIGI_STATE'\n>",
        )
        for tag in tags:
            self.assertEqual(read_page(200, page(stream_state(), tag)), LIVE, tag)

    def test_age_gate(self) -> None:
        """An age gate is noted and decides nothing."""
        gated = Live(ROOM, OWNER, "A title", Reason.AGE_RESTRICTED)
        self.assertEqual(read_page(200, page(stream_state(isAgeGateRoom=True))), gated)
        answer = read_page(200, page(stream_state(0, isAgeGateRoom=True)))
        self.assertEqual(answer, Unclear(gated))

    def test_never_live(self) -> None:
        """A page without its room is of nobody, or of somebody who was never live."""
        states: list[object] = [{}, {"LiveRoom": {}}, {"LiveRoom": None}, {"CurrentRoom": {}}]
        for state in states:
            self.assertEqual(read_page(200, page(state)), Refused(Reason.NOT_FOUND), state)
            self.assertEqual(read_page(404, page(state)), Refused(Reason.NOT_FOUND), state)

    def test_shell(self) -> None:
        """A page without data is a firewall's, never somebody offline."""
        shells = [
            b"",
            b"<html><body>Please wait</body></html>",
            b'<div id="SIGI_STATE">{"LiveRoom":{}}</div>',
            b'<script>var x = \'id="SIGI_STATE"\';</script>{"LiveRoom":{}}',
            b'<script id="SIGI_STATE">',
            b'<script id="SIGI_STATE"',
            b'<script id="SIGI_STATE">{"LiveRoom":{"live',
            b'<script id="SIGI_STATE">[]</script>',
            b'<script id="SIGI_STATE">' + b'{"a":' * 50_000,
            b"<script " * 200_000 + b'id="SIGI_STATE">',
            b"\xff" * 1000,
        ]
        for shell in shells:
            answer = read_page(200, shell)
            self.assertEqual(answer, Refused(Reason.BLOCKED, "no data in the page"), shell[:40])

    def test_login(self) -> None:
        """A redirect means that viewers must log in."""
        for status in (301, 302, 307):
            answer = read_page(status, page(stream_state()))
            self.assertEqual(answer, Refused(Reason.LOGIN_REQUIRED, f"HTTP {status}"))

    def test_statuses(self) -> None:
        """A block or an error keeps its status."""
        self.assertEqual(read_page(403, b""), Refused(Reason.BLOCKED, "HTTP 403"))
        self.assertEqual(read_page(503, b""), Refused(Reason.UPSTREAM, "HTTP 503"))

    def test_profile(self) -> None:
        """A profile's page knows who exists and who is private; its room is a hint only."""
        tag = '<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__" type="application/json">'

        def profile(code: int, room_id: str = "") -> Answer:
            user = {"userInfo": {"user": {"id": str(OWNER), "roomId": room_id}}}
            detail = {"webapp.user-detail": {"statusCode": code, **user}}
            return read_page(200, page({"__DEFAULT_SCOPE__": detail}, tag))

        self.assertEqual(profile(0), NotLive())
        self.assertEqual(profile(0, ROOM), Unclear(Live(ROOM, OWNER)))
        self.assertEqual(profile(10221), Refused(Reason.NOT_FOUND))
        self.assertEqual(profile(10223), Refused(Reason.NOT_FOUND))
        self.assertEqual(profile(10222), Refused(Reason.PRIVATE))
        self.assertEqual(profile(5), Refused(Reason.UPSTREAM, "status 5"))
        self.assertEqual(read_page(200, page({}, tag)), Refused(Reason.UPSTREAM, "no data"))


class AliveTests(SynchronousTestCase):
    """`check_alive`."""

    def test_named(self) -> None:
        """An entry counts for the room that it names, whatever its place."""
        body = json.dumps(
            {
                "data": [
                    {"alive": True, "room_id": 123, "room_id_str": "123"},
                    {"alive": False, "room_id": 7, "room_id_str": "7"},
                    {"alive": True, "room_id_str": "9"},
                ]
            }
        ).encode()
        self.assertEqual(read_alive(200, body, ["7", "123"]), {"7": False, "123": True})

    def test_order(self) -> None:
        """Entries without a name count by their place, where there is one for each room."""
        body = b'{"data":[{"alive":true},{"alive":false},{"alive":"yes"},{},7],"status_code":0}'
        self.assertEqual(read_alive(200, body, list("abcde")), {"a": True, "b": False})
        self.assertEqual(read_alive(200, body, list("abcdef")), {})

    def test_observed(self) -> None:
        """The answer that people quoted calls a room alive that does not exist."""
        answer = read_alive(200, observed.read("tiktok-check-alive-lies"), ["7300000001", "123"])
        self.assertEqual(answer, {"123": True})

    def test_unknown(self) -> None:
        """An empty answer says nothing; it does not say offline."""
        self.assertEqual(read_alive(200, b'{"data":[],"status_code":0}', ["a"]), {})

    def test_refusals(self) -> None:
        """A block is a block here too."""
        self.assertEqual(read_alive(200, b"Please wait", ["a"]), BLOCKED)
        self.assertEqual(read_alive(429, b"", ["a"]), Refused(Reason.BLOCKED, "HTTP 429"))
        self.assertEqual(
            read_alive(200, b'{"status_code":10011}', ["a"]),
            Refused(Reason.UPSTREAM, "status 10011"),
        )


class InfoTests(SynchronousTestCase):
    """`room/info`."""

    def test_live(self) -> None:
        """A room's own answer says live by its status."""
        data = {"id_str": ROOM, "title": "A title", "status": 2, "owner": {"id_str": str(OWNER)}}
        self.assertEqual(read_info(200, json.dumps({"data": data}).encode()), LIVE)
        data["status"] = 4
        self.assertEqual(read_info(200, json.dumps({"data": data}).encode()), NotLive())

    def test_observed(self) -> None:
        """The refusals that people have quoted are told apart."""
        entries = json.loads(corpus("tiktok/json/observed_responses.json").read_bytes())["entries"]
        bodies = {entry["id"]: json.dumps(entry.get("body")).encode() for entry in entries}
        self.assertEqual(
            read_info(200, bodies["room_info_restricted"]), Refused(Reason.AGE_RESTRICTED)
        )
        self.assertEqual(
            read_info(200, bodies["room_info_params_error"]),
            Refused(Reason.UPSTREAM, "status 10011"),
        )

    def test_blocked(self) -> None:
        """A block is a block here too."""
        self.assertEqual(read_info(200, b"<html>"), BLOCKED)
        self.assertEqual(read_info(403, b"{}"), Refused(Reason.BLOCKED, "HTTP 403"))

    def test_login(self) -> None:
        """A viewer who is not logged in is told so."""
        self.assertEqual(read_info(200, b'{"status_code":20003}'), Refused(Reason.LOGIN_REQUIRED))


class MergedTests(SynchronousTestCase):
    """What the JSON and the page say together."""

    def test_table(self) -> None:
        """The first source decides unless it was refused; being unknown takes two."""
        unconfirmed = Refused(Reason.UNCONFIRMED)
        not_found = Refused(Reason.NOT_FOUND)
        table: list[tuple[Answer, Answer, Answer]] = [
            (LIVE, BLOCKED, LIVE),
            (NotLive(), LIVE, NotLive()),
            (Unclear(LIVE), LIVE, Unclear(LIVE)),
            (unconfirmed, not_found, not_found),
            (unconfirmed, LIVE, LIVE),
            (unconfirmed, NotLive(), NotLive()),
            (unconfirmed, BLOCKED, BLOCKED),
            (BLOCKED, LIVE, LIVE),
            (BLOCKED, unconfirmed, BLOCKED),
        ]
        for first, second, expected in table:
            self.assertEqual(merged(first, second), expected)


class LargeTests(SynchronousTestCase):
    """Answers of a million small values."""

    def test_small_values(self) -> None:
        """They are given up before they are objects."""
        answer = json.dumps({"data": [{}] * 900_000}, separators=(",", ":")).encode()
        tag = b'<script id="SIGI_STATE">'
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before = tracemalloc.get_traced_memory()[0]
        self.assertEqual(read_user_room(200, answer), BLOCKED)
        self.assertIsInstance(read_page(200, tag + answer + b"</script>"), Refused)
        peak = tracemalloc.get_traced_memory()[1] - before
        # A copy or two of the text.
        self.assertLess(peak, 4 * len(answer))


class MutationTests(SynchronousTestCase):
    """JSON whose nodes are missing or of another type."""

    def test_nodes(self) -> None:
        """Every reader answers whatever is put in place of any node, and never raises."""
        random = Random(20261123)
        odd: list[Any] = [None, True, -1, 0, 1.5, "", "x", [], {}, [[]], {"a": 1}, 1 << 70, "2"]
        profile = {"statusCode": 0, "userInfo": {"user": {"id": "1", "roomId": ROOM}}}
        states = (
            user_room(),
            stream_state(isAgeGateRoom=False),
            {"__DEFAULT_SCOPE__": {"webapp.user-detail": profile}},
            {"data": [{"alive": True}]},
            {"data": {"id_str": ROOM, "status": 2, "owner": {"id_str": "1"}}},
        )
        answers = (Live, NotLive, Unclear, Refused)
        for _ in range(4000):
            state = json.loads(json.dumps(random.choice(states)))
            node: Any = state
            while isinstance(node, dict) and node:
                name = random.choice(sorted(node))
                if random.random() < 0.4:
                    node[name] = random.choice(odd)
                    break
                node = node[name]
            body = json.dumps(state).encode()
            self.assertIsInstance(read_user_room(200, body), answers)
            self.assertIsInstance(read_info(200, body), answers)
            self.assertIsInstance(read_page(200, page(state)), answers)
            profile_tag = '<script id="__UNIVERSAL_DATA_FOR_REHYDRATION__">'
            self.assertIsInstance(read_page(200, page(state, profile_tag)), answers)
            self.assertIsInstance(read_alive(200, body, ["a"]), dict | Refused)
