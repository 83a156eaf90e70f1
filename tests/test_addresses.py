# SPDX-License-Identifier: MIT
"""Whose a connection is: peers, proxies that are trusted, and headers that anybody may write."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.addresses import Addresses, network

bounded = settings(deadline=None, database=None, max_examples=200)

PROXY = "10.0.0.1"
TRUSTED = Addresses([network("10.0.0.0/8"), network("fd00::/8")])


def named(forwarded_for: str | None = None, forwarded: str | None = None, peer: str = PROXY) -> str:
    """The client behind a peer with these headers."""
    headers = {"x-forwarded-for": forwarded_for, "forwarded": forwarded}
    return TRUSTED.of(peer, {k: v for k, v in headers.items() if v is not None})


class PeerTests(SynchronousTestCase):
    """Without a proxy."""

    def test_peer(self) -> None:
        """The peer's own address, IPv4 in IPv6 as IPv4; nothing where it has none."""
        for peer, address in (
            ("198.51.100.7", "198.51.100.7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
            ("127.0.0.1", "127.0.0.1"),
            ("::1", "::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("", ""),
            ("/run/livechat.sock", ""),
        ):
            self.assertEqual(Addresses().of(peer, {"x-forwarded-for": "203.0.113.9"}), address)

    def test_one_client_has_a_network(self) -> None:
        """All addresses of an IPv6 network that one client has are one client's."""
        for address in ("2600:1:2:3::1", "2600:1:2:3:ffff::9"):
            self.assertEqual(Addresses().of(address, {}), "2600:1:2:3::")


class ProxyTests(SynchronousTestCase):
    """Behind proxies."""

    def test_rightmost_that_is_not_trusted(self) -> None:
        """What the client wrote itself stands to the left and does not count."""
        self.assertEqual(named("203.0.113.9"), "203.0.113.9")
        self.assertEqual(named("1.1.1.1, 203.0.113.9"), "203.0.113.9")
        self.assertEqual(named("1.1.1.1, 203.0.113.9, 10.1.1.1 ,10.2.2.2"), "203.0.113.9")
        self.assertEqual(named("10.1.1.1, 10.2.2.2"), "10.1.1.1")
        self.assertEqual(named(None, "for=1.1.1.1, for=203.0.113.9;proto=http"), "203.0.113.9")
        self.assertEqual(named(None, 'for="203.0.113.9:4711", For=10.1.1.1'), "203.0.113.9")

    def test_spellings(self) -> None:
        """With a port, in brackets, in quotes."""
        self.assertEqual(named("203.0.113.9:4711"), "203.0.113.9")
        self.assertEqual(named("[2600:1:2:3::9]:443"), "2600:1:2:3::")
        self.assertEqual(named("2600:1:2:3::9"), "2600:1:2:3::")
        self.assertEqual(named(None, 'proto=https; for="[2600:1:2:3::9]:443"'), "2600:1:2:3::")

    def test_unreadable(self) -> None:
        """What is no address, also left of a proxy, means the peer's own."""
        for text in (
            "unknown",
            "_hidden",
            "",
            ",",
            "203.0.113.9, x, 10.1.1.1",
            "[::1",
            "1.2.3.4.5",
        ):
            self.assertEqual(named(text), PROXY, text)
        for text in (
            "for=unknown",
            "for=_x",
            "by=203.0.113.9",
            "for=1.1.1.1;for=2.2.2.2",
            "",
            '"',
            'for="1.1.1.1',
        ):
            self.assertEqual(named(None, text), PROXY, text)

    def test_headers_that_differ(self) -> None:
        """A client may add the header that its proxy does not write: then neither is believed."""
        self.assertEqual(named("203.0.113.9", "for=203.0.113.9"), "203.0.113.9")
        self.assertEqual(named("203.0.113.9", "for=1.1.1.1"), PROXY)
        self.assertEqual(named("1.1.1.1", "for=unknown"), PROXY)

    def test_peer_that_is_not_trusted(self) -> None:
        """Nobody else is believed."""
        self.assertEqual(named("203.0.113.9", peer="198.51.100.7"), "198.51.100.7")

    def test_networks(self) -> None:
        """A network has no address bits; a single address is one, too."""
        self.assertIn("10.0.0.1", [str(network("10.0.0.1").network_address)])
        for text in ("10.0.0.1/8", "x", "", "1.2.3.4/33"):
            self.assertRaises(ValueError, network, text)

    @bounded
    @given(st.text(max_size=80), st.text(max_size=80))
    def test_anything(self, forwarded_for: str, forwarded: str) -> None:
        """Whatever stands in the headers, somebody is named."""
        self.assertTrue(named(forwarded_for, forwarded))
