# SPDX-License-Identifier: MIT
"""Sets of emotes: when they are asked for, how long they are kept, and what a failure costs."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, cast

from msgspec import Raw
from msgspec.structs import replace
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from livechat.model.text import Image
from livechat.platforms.budget import Claim
from livechat.platforms.emotes.client import Client
from livechat.platforms.emotes.limits import ABSENT, KEPT_FOR, LEAST, TURN, UNTOLD
from livechat.platforms.emotes.parse.emote_set import Entries
from livechat.platforms.emotes.provider import Ffz
from livechat.platforms.emotes.providers import Address, in_parts
from livechat.platforms.enrichment.dictionary import EMPTY
from livechat.platforms.enrichment.ports import IPictureSource
from livechat.simulator.emote_faults import EmoteFault
from livechat.simulator.emote_sets import SimulatedEmote
from tests.support.emotes import ANN, BEN, YOUTUBE, EmoteCase
from tests.test_enrichment import foreign

EVERYWHERE = {
    ":tf:": "bttv",
    "CiGrip": "bttv",
    "Clap": "7tv",
    "EZ": "7tv",
    "LaterSooner": "ffz",
    "RainTime": "7tv",
    "SantaHat": "bttv",
    "ZreknarF": "ffz",
}
OF_ANN = {
    "LULW": "ffz",
    "Sparkles": "7tv",
    "blobDance": "bttv",
    "catJAM": "7tv",
    "ffzWave": "ffz",
    "monkaS": "bttv",
    "peepoHappy": "7tv",
}


class AskingTests(EmoteCase):
    """What is asked, and how often."""

    def test_interface(self) -> None:
        """Each provider is a source of pictures; the first one counts most in `PRECEDENCE`."""
        for source in self.providers.sources:
            verifyObject(IPictureSource, source)
        self.assertEqual([source.name for source in self.providers.sources], ["7tv", "bttv", "ffz"])

    def test_nobody(self) -> None:
        """Nothing is asked and nothing connected before somebody watches."""
        self.run_for(10)
        self.assertEqual((self.asked(), self.asked_for), ([], []))

    def test_channel(self) -> None:
        """A room gets its own emotes and the global ones of all three."""
        room = self.twitch.hold(ANN)
        self.nothing_known(room)
        self.run_for(1)
        self.assertEqual(self.words(room), dict(sorted({**EVERYWHERE, **OF_ANN}.items())))
        over = {
            word
            for word, emote in room.dictionary.emotes.items()
            if emote.metadata.zero_width is True
        }
        self.assertEqual(over, {"RainTime", "SantaHat", "Sparkles"})
        self.assertEqual(
            sorted(self.asked()),
            [
                f"7tv/v3/emote-sets/{self.simulator.set_id(ANN)}",
                "7tv/v3/emote-sets/global",
                f"7tv/v3/users/twitch/{ANN}",
                "bttv/3/cached/emotes/global",
                f"bttv/3/cached/users/twitch/{ANN}",
                f"ffz/v1/room/id/{ANN}",
                "ffz/v1/set/global",
            ],
        )
        self.assertEqual(self.value("livechat_emotes_loaded", provider="7tv"), 6)

    def test_youtube(self) -> None:
        """On YouTube only 7TV is asked, by the channel's id."""
        room = self.youtube.hold(YOUTUBE)
        self.run_for(1)
        self.assertIn("catJAM", self.words(room))
        self.assertEqual(set(self.words(room).values()), {"7tv"})
        self.assertIn(f"7tv/v3/users/youtube/{YOUTUBE}", self.asked())
        self.assertEqual(self.asked("bttv") + self.asked("ffz"), [])

    def test_no_channel(self) -> None:
        """What is no id of a channel never becomes part of an address."""
        for room_id in ("", "../x", "1/2", "12a", "1" * 40, "\u0661"):
            self.twitch.hold(room_id)
        self.youtube.hold("UCshort")
        self.run_for(1)
        self.assertEqual([path for path in self.asked() if "global" not in path], [])

    def test_shared(self) -> None:
        """Global sets are asked for once, and two rooms hold the same objects."""
        self.simulator.absent |= {ANN, BEN}
        ann, ben = self.twitch.hold(ANN), self.twitch.hold(BEN)
        self.run_for(1)
        self.assertEqual(self.words(ann), EVERYWHERE)
        self.assertIs(ann.dictionary, ben.dictionary)
        self.assertEqual(len(self.asked("global")), 3)

    def test_once(self) -> None:
        """However many show a room, it is asked for once."""
        for _ in range(5):
            self.twitch.hold(ANN)
        self.run_for(5)
        self.assertEqual(len(self.asked("ffz/v1/room")), 1)

    def test_at_once(self) -> None:
        """At most two questions to a provider are under way, and ten begin in a second."""
        self.simulator.faults.add(EmoteFault.HANG)
        for number in range(100):
            self.twitch.hold(str(10_000_000 + number))
        self.run_for(1)
        self.assertEqual(len(self.asked("ffz")), 2)
        self.simulator.faults.clear()

    def test_again(self) -> None:
        """FrankerFaceZ tells nobody of changes: it is asked again within a quarter of an hour."""
        room = self.twitch.hold(ANN)
        self.run_for(1)
        self.simulator.emotes("ffz", ANN)["ffzNew"] = SimulatedEmote("ffzNew")
        del self.simulator.emotes("ffz", ANN)["LULW"]
        self.run_for(UNTOLD * 1.2 + 5, 5)
        self.assertIn("ffzNew", self.words(room))
        self.assertNotIn("LULW", self.words(room))
        self.assertEqual(len(self.asked("ffz/v1/room")), 2)
        # Those whose changes are told are left alone for longer.
        self.assertEqual(len(self.asked("bttv/3/cached/users")), 1)

    def test_absent(self) -> None:
        """A channel that a provider does not know is not asked for again for half an hour."""
        self.simulator.absent.add(ANN)
        room = self.twitch.hold(ANN)
        self.run_for(ABSENT * 0.8 - 10, 5)
        self.assertEqual(self.words(room), EVERYWHERE)
        self.assertEqual(len(self.asked(ANN)), 3)
        self.assertEqual(self.fetched("ffz", "absent"), 1)
        self.twitch.release(room)
        again = self.twitch.hold(ANN)
        self.run_for(5)
        self.assertEqual(self.words(again), EVERYWHERE)
        self.assertEqual(len(self.asked(ANN)), 3)
        self.simulator.absent.clear()
        self.run_for(ABSENT * 0.4 + 30, 5)
        self.assertIn("LULW", self.words(again))

    def test_left(self) -> None:
        """A channel that is left is not asked for any more; what is known is kept for a while."""
        room = self.twitch.hold(ANN)
        self.run_for(1)
        self.twitch.release(room)
        self.run_for(KEPT_FOR - 5, 5)
        asked = len(self.asked())
        again = self.twitch.hold(ANN)
        self.assertEqual(self.words(again)["LULW"], "ffz")
        self.assertEqual(len(self.asked()), asked)
        self.twitch.release(again)
        self.run_for(KEPT_FOR + 5, 5)
        self.nothing_known_of(self.twitch.hold(ANN))

    def nothing_known_of(self, room: object) -> None:
        """Of its own emotes nothing is known, only the global ones."""
        self.assertEqual(self.words(room), EVERYWHERE)

    def test_left_while_asked(self) -> None:
        """Who leaves before the answer takes nothing with them."""
        self.simulator.faults.add(EmoteFault.HANG)
        room = self.twitch.hold(ANN)
        self.run_for(1)
        self.twitch.release(room)
        self.run_for(60)
        self.nothing_known(room)
        self.assertEqual(self.value("livechat_emotes_loaded", provider="7tv"), 0)

    def test_old_shape(self) -> None:
        """A set that comes with its user needs no second question."""
        answer = self.simulator.answer

        def embedded(path: list[str]) -> object:
            found = answer(path)
            if path[:3] == ["7tv", "v3", "users"]:
                assert isinstance(found, dict)
                found["emote_set"] = answer(["7tv", "v3", "emote-sets", found["emote_set_id"]])
            return found

        self.patch(self.simulator, "answer", embedded)
        room = self.twitch.hold(ANN)
        self.run_for(1)
        self.assertIn("catJAM", self.words(room))
        self.assertEqual(len(self.asked("7tv/v3/emote-sets")), 1)


class TurnClock(Clock):
    """A clock on which what is due at once is due in the next turn only."""

    def callLater(self, delay: float, callable: Any, *args: object, **kw: object) -> IDelayedCall:
        """See `Clock`."""
        return super().callLater(delay or 1e-6, callable, *args, **kw)


class PartsTests(SynchronousTestCase):
    """Sets are read in parts: a large one keeps nobody waiting."""

    def test_in_parts(self) -> None:
        """All sets that are read at the same time share the turns, and are whole in the end."""
        clock = TurnClock()
        emote = foreign("catJAM")

        def read(raw: Raw) -> Image:
            # It takes a millisecond.
            clock.rightNow += 0.001
            return replace(emote, value=str(json.loads(bytes(raw))))

        parts = in_parts(clock)
        sets: list[dict[str, Image]] = [{}, {}]
        for number, emotes in enumerate(sets):
            raw = [Raw(b"%d" % (10 * number + each)) for each in range(10)]
            parts.cooperate(Entries(raw, read).into(emotes))
        read_so_far = [0]
        while clock.getDelayedCalls():
            clock.advance(1e-6)
            read_so_far.append(sum(map(len, sets)))
        most = max(after - before for before, after in pairwise(read_so_far))
        self.assertEqual(most, TURN / 0.001)
        self.assertEqual(list(sets[0]), [str(number) for number in range(10)])
        self.assertEqual(list(sets[1]), [str(number) for number in range(10, 20)])

    def test_left(self) -> None:
        """Nobody reads on when nobody wants it any more."""
        clock = TurnClock()
        answer = {"room": {"set": 1}, "sets": {"1": {"emoticons": [{"name": "x"}]}}}

        class Telling:
            async def get(self, *_: object) -> bytes:
                return json.dumps(answer).encode()

        provider = Ffz(cast(Client, Telling()), in_parts(clock))
        reading = Deferred.fromCoroutine(provider.channel("twitch", ANN, Claim(clock)))
        self.assertEqual(len(clock.getDelayedCalls()), 1)
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.assertEqual(clock.getDelayedCalls(), [])


class ChosenTests(EmoteCase):
    """Providers that are not wanted."""

    addresses = (Address("ffz", "http://sim.test/emotes/ffz"),)

    def test_only_one(self) -> None:
        """Only the chosen one is asked."""
        room = self.twitch.hold(ANN)
        self.run_for(5)
        self.assertEqual(set(self.words(room).values()), {"ffz"})
        self.assertEqual(self.asked("7tv") + self.asked("bttv"), [])
        self.assertEqual(self.asked_for, [])


class FaultTests(EmoteCase):
    """A provider that fails costs its own emotes, and those only until it is well again."""

    def broken(self, fault: EmoteFault, outcome: str, seconds: float = 12.0) -> None:
        """A fault before anything is known, and then while something is known."""
        self.simulator.faults.add(fault)
        room = self.twitch.hold(ANN)
        self.run_for(seconds)
        for provider in ("7tv", "bttv", "ffz"):
            self.assertGreater(self.fetched(provider, outcome), 0, provider)
        self.nothing_known(room)
        self.simulator.faults.clear()
        self.run_for(300, 2)
        known = self.words(room)
        self.assertEqual(known, dict(sorted({**EVERYWHERE, **OF_ANN}.items())))
        self.simulator.faults.add(fault)
        asked = self.fetched("ffz", outcome)
        self.run_for(UNTOLD * 1.2 + 30, 5)
        self.assertGreater(self.fetched("ffz", outcome), asked)
        self.assertEqual(self.words(room), known)
        self.simulator.faults.clear()

    def test_hangs(self) -> None:
        """One that does not answer is given up after ten seconds."""
        self.broken(EmoteFault.HANG, "failed", 24.0)

    def test_floods(self) -> None:
        """An answer that is too large is let go of."""
        self.broken(EmoteFault.LARGE, "failed")

    def test_closes(self) -> None:
        """An answer that breaks off is none."""
        self.broken(EmoteFault.CUT_OFF, "failed")

    def test_garbage(self) -> None:
        """An answer that is no JSON is none; what is known stays."""
        self.broken(EmoteFault.GARBAGE, "unreadable")
        self.assertGreater(self.value("livechat_unparsed_total", platform="7tv", kind="answer"), 0)

    def test_other_format(self) -> None:
        """An answer in another format is not an empty set."""
        self.broken(EmoteFault.OTHER_FORMAT, "unreadable")

    def test_redirects(self) -> None:
        """Redirects lead nowhere: no other host is ever asked."""
        self.broken(EmoteFault.ELSEWHERE, "refused")

    def test_down(self) -> None:
        """An error of the server, with growing pauses: a few questions a minute, for all rooms."""
        self.simulator.faults.add(EmoteFault.DOWN)
        for number in range(200):
            self.twitch.hold(str(10_000_000 + number))
        self.run_for(60)
        asked = len(self.asked("ffz"))
        self.run_for(600, 1)
        self.assertLess(len(self.asked("ffz")) - asked, 100)
        self.simulator.faults.clear()

    def test_down_and_well(self) -> None:
        """The same as the others."""
        self.broken(EmoteFault.DOWN, "refused")

    def test_limited(self) -> None:
        """A provider that says when to come again is not asked before, for no channel at all."""
        self.simulator.faults.add(EmoteFault.LIMITED)
        self.simulator.retry_after = "120"
        self.twitch.hold(ANN)
        self.run_for(1)
        asked = len(self.asked())
        self.twitch.hold(BEN)
        self.run_for(115, 1)
        self.assertEqual(len(self.asked()), asked)
        self.simulator.faults.clear()
        self.run_for(150, 1)
        self.assertEqual(self.fetched("ffz", "answered"), 3)

    def test_limited_oddly(self) -> None:
        """Without a readable time it is a minute, and never more than an hour."""
        self.simulator.faults.add(EmoteFault.LIMITED)
        for told, least, most in ((None, 55, 130), ("soon", 55, 130), ("9" * 8, 3500, 7300)):
            self.simulator.retry_after = told
            room = self.twitch.hold(ANN)
            self.run_for(2)
            asked = len(self.asked())
            self.run_for(least, 1)
            self.assertEqual(len(self.asked()), asked, told)
            self.run_for(most - least, 5)
            self.assertGreater(len(self.asked()), asked, told)
            self.twitch.release(room)
            self.run_for(7300, 60)

    def test_lies(self) -> None:
        """Entries that lie are left out; the true ones are shown."""
        self.simulator.faults.add(EmoteFault.LIES)
        room = self.twitch.hold(ANN)
        self.run_for(1)
        self.assertEqual(self.words(room), dict(sorted({**EVERYWHERE, **OF_ANN}.items())))

    def test_mistake(self) -> None:
        """A mistake of ours in a provider costs that step, is counted, and tried again."""
        source = self.providers.sources[2]

        async def failing(*_: object) -> object:
            raise ZeroDivisionError

        self.patch(source._provider, "channel", failing)  # type: ignore[attr-defined]
        room = self.twitch.hold(ANN)
        self.run_for(2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.value("livechat_failures_total", part="ffz"), 1)
        self.assertIn("catJAM", self.words(room))
        self.assertNotIn("LULW", self.words(room))

    def test_emptied(self) -> None:
        """A set that has become empty is empty."""
        room = self.twitch.hold(ANN)
        self.run_for(1)
        self.simulator.emotes("ffz", ANN).clear()
        self.run_for(UNTOLD * 1.2 + LEAST, 5)
        self.assertNotIn("LULW", self.words(room))
        self.assertIs(room._parts._by_source["ffz"], EMPTY)
