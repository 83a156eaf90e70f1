# SPDX-License-Identifier: MIT
"""Whose connection it is: the peer's address, or the one that a trusted proxy names.

`X-Forwarded-For` and `Forwarded` (RFC 7239) are written by anybody, so they are believed only from
peers that the operator trusts, and only as far as these wrote them: the rightmost address that is
not trusted counts.  What cannot be read, or differs between both headers, is not believed at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Bits of an IPv6 address that tell one subscriber of a provider from another.
_IPV6_PREFIX: Final = 64

#: Headers that proxies add.
_PASSED_ON: Final = frozenset({"x-forwarded-for", "forwarded", "x-real-ip", "via"})

_PORT: Final = re.compile(r":[0-9]{1,5}$")
_FOR: Final = re.compile(r'(?:^|;)\s*for\s*=\s*("[^"]*"|[^";\s]*)\s*(?=;|$)', re.IGNORECASE)


def network(text: str) -> Network:
    """A network in CIDR notation, or one address.

    :raises ValueError: it is neither.
    """
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError("must be an address or a network such as 10.0.0.0/8") from None


def names_this_machine(host: str, own: str) -> bool:
    """Whether a `Host` header names this machine: `localhost`, loopback, or the socket's address.

    A page of another site may give its own name our address (DNS rebinding), and is then read by a
    browser as if we had sent it.  The name still stands in the header.

    :param host: the header, with or without port; empty: there is none, so no browser sent it.
    :param own: our end of the connection.
    """
    if not host or _PORT.sub("", host.lower()).removesuffix(".") == "localhost":
        return True
    address = _address(host)
    return address is not None and (address.is_loopback or address == _address(own))


class Addresses:
    """Tells whose each connection is.

    :param trusted: networks of proxies.
    """

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted

    def of(self, peer: str, headers: Mapping[str, str]) -> str:
        """The client's address; of an IPv6 address its /64 network, which one client has whole.

        :param peer: the far end of the connection; empty where it has no address.
        :param headers: of the request, names in lower case.
        """
        address = _address(peer)
        if address is None:
            return ""
        if self._is_trusted(address):
            address = self._forwarded(headers) or address
        return _share(address)

    def is_local(self, peer: str, headers: Mapping[str, str]) -> bool:
        """Whether a request was made on this machine, as far as can be told.

        A proxy on this machine that is not trusted makes those of everybody, and says so.

        :param peer: the far end of the connection; empty where it has no address.
        :param headers: of the request, names in lower case.
        """
        is_forwarded = not _PASSED_ON.isdisjoint(headers)
        if not peer:
            return not is_forwarded
        address = _address(peer)
        if is_forwarded and address is not None:
            address = self._forwarded(headers) if self._is_trusted(address) else None
        return address is not None and address.is_loopback

    def _forwarded(self, headers: Mapping[str, str]) -> Address | None:
        """The client that the headers name, if they name one beyond doubt."""
        named = []
        if (value := headers.get("x-forwarded-for")) is not None:
            named.append(self._client(_address(part) for part in reversed(value.split(","))))
        if (value := headers.get("forwarded")) is not None:
            named.append(self._client(_of_element(part) for part in reversed(value.split(","))))
        return named[0] if named and all(one == named[0] for one in named) else None

    def _client(self, addresses: Iterable[Address | None]) -> Address | None:
        """The first that is not trusted, from the nearest to the farthest; else the farthest."""
        address = None
        for address in addresses:
            if address is None or not self._is_trusted(address):
                break
        return address

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> Address | None:
    """An address with or without port and brackets; IPv4 within IPv6 is IPv4."""
    text = text.strip()
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket or (port and not _PORT.fullmatch(port)):
            return None
    elif text.count(":") == 1:
        text = _PORT.sub("", text)
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _of_element(element: str) -> Address | None:
    """The address in one element of `Forwarded`."""
    nodes = _FOR.findall(element.strip())
    return _address(nodes[0].strip('"')) if len(nodes) == 1 else None


def _share(address: Address) -> str:
    if isinstance(address, IPv4Address) or not address.is_global:
        return str(address)
    return str(IPv6Network((address, _IPV6_PREFIX), strict=False).network_address)
