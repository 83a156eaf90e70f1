# SPDX-License-Identifier: MIT
"""How many new chats one address may start in a minute."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from livechat.access import EVERYTHING, Grant
from livechat.core.hub import Hub
from livechat.core.limits import StartLimit
from livechat.core.ports import Requester
from livechat.core.session import Quotas, Session
from livechat.metrics import Metrics
from livechat.model.errors import ChatError, ErrorCode
from tests.support.fakes import KeptMessages, ScriptedPlatform, services_on

PUBLIC = "8.8.8.8"


class StartLimitTests(SynchronousTestCase):
    """The counting."""

    def setUp(self) -> None:
        """Three a minute."""
        self.clock = Clock()
        self.limit = StartLimit(self.clock.seconds, 3)

    def refused(self, address: str, grant: Grant = EVERYTHING) -> bool:
        """Whether one more start is refused."""
        try:
            self.limit.take(address, grant)
        except ChatError as error:
            self.assertEqual((error.code, error.temporary), (ErrorCode.RATE_LIMITED, True))
            return True
        return False

    def test_any_minute(self) -> None:
        """Never more in any minute; who is refused is not kept out for longer by asking."""
        outcomes = []
        for _ in range(200):
            outcomes.append(self.refused(PUBLIC))
            self.clock.advance(1)
        self.assertEqual(outcomes.count(False), 12)
        self.assertEqual(outcomes[:4], [False] * 3 + [True])
        self.assertEqual(outcomes[60:64], [False] * 3 + [True])

    def test_addresses_apart(self) -> None:
        """One address does not use up what another may."""
        for address in (PUBLIC, "2600:1:2:3::", "127.0.0.1", ""):
            self.assertEqual([self.refused(address) for _ in range(4)], [False] * 3 + [True])

    def test_private_ones_not_counted(self) -> None:
        """Where private addresses are not counted, public ones still are."""
        self.limit = StartLimit(self.clock.seconds, 3, counts_private=False)
        for address in ("127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd00::1", ""):
            self.assertFalse(any(self.refused(address) for _ in range(100)), address)
        self.assertEqual([self.refused(PUBLIC) for _ in range(4)], [False] * 3 + [True])

    def test_no_limit(self) -> None:
        """Zero is any number."""
        self.limit = StartLimit(self.clock.seconds, 0)
        self.assertFalse(any(self.refused(PUBLIC) for _ in range(100)))

    def test_bounded(self) -> None:
        """Addresses are forgotten after a minute."""
        for n in range(10_000):
            self.refused(f"8.8.{n // 256}.{n % 256}")
            self.clock.advance(1)
        self.assertLess(len(self.limit._of_address), 65)

    def test_tokens(self) -> None:
        """A token has a limit of its own; a start that one limit refuses counts for neither."""
        two = Grant(frozenset({"read"}), starts=2, holder=b"two")
        outcomes = [self.refused(f"8.8.8.{n}", two) for n in range(4)]
        self.assertEqual(outcomes, [False, False, True, True])
        self.assertFalse(self.refused(PUBLIC, Grant(frozenset({"read"}), starts=1, holder=b"x")))
        # The address was used once before, and not by what was refused because of the token.
        self.assertEqual([self.refused(PUBLIC) for _ in range(3)], [False, False, True])
        many = Grant(frozenset({"read"}), starts=1, holder=b"many")
        self.assertTrue(self.refused(PUBLIC, many))
        self.assertFalse(self.refused("", many))
        self.clock.advance(60)
        self.assertFalse(self.refused(PUBLIC, two))

    def test_limit_of_a_token_changes(self) -> None:
        """After a reload the new number counts, and what was started before counts for it."""
        self.limit = StartLimit(self.clock.seconds, 0)
        for limit, outcomes in ((3, [False] * 3 + [True]), (5, [False] * 2 + [True]), (2, [True])):
            grant = Grant(frozenset({"read"}), starts=limit, holder=b"t")
            self.assertEqual([self.refused("", grant) for _ in outcomes], outcomes)

    def test_clock_set_back(self) -> None:
        """A clock that was set back keeps nobody out."""
        for _ in range(3):
            self.refused(PUBLIC)
        self.clock.rightNow -= 3600
        self.assertFalse(self.refused(PUBLIC))


class SubscribeTests(SynchronousTestCase):
    """What it means for a client."""

    def test_subscribe(self) -> None:
        """A start too many is RATE_LIMITED and not held; joining what runs costs nothing."""
        clock, metrics = Clock(), Metrics()
        platform = ScriptedPlatform()
        starts = StartLimit(clock.seconds, 2)
        services = services_on(clock, metrics)
        hub = Hub(services, linger=0.0, max_channels=100, starts=starts)

        def client(connection: int) -> tuple[KeptMessages, Session]:
            subscriber = KeptMessages()
            subscriber.requester = Requester(PUBLIC, connection)
            quotas = Quotas()
            platforms = {"twitch": platform}
            return subscriber, Session(subscriber, hub, platforms, quotas, clock, metrics)

        first, session = client(1)
        for name in ("ann", "bob", "cat"):
            session.received(
                b'{"type":"subscribe","platform":"twitch","identifier":"%s"}' % name.encode()
            )
            clock.advance(0)
        (error,) = first.taken()
        self.assertEqual(
            (error["code"], error["identifier"], error["temporary"]), ("RATE_LIMITED", "cat", True)
        )
        second, session = client(2)
        session.received(b'{"type":"subscribe","platform":"twitch","identifier":"ann"}')
        clock.advance(0)
        self.assertEqual(second.taken(), [])
        self.assertEqual(len(platform.watchers), 2)
