# SPDX-License-Identifier: MIT
"""What a platform says about itself, and what it gets from the daemon.

A platform is one package.  It is found by the entry point group `livechat.platforms`: the name of
the entry point is the platform's name, and it names a `PlatformDescription`.  Nothing else in
livechat knows which platforms there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from random import Random
from typing import Any, Final

from msgspec import Struct, json, to_builtins
from treq.client import HTTPClient
from twisted.internet.interfaces import IProtocolFactory, IReactorTime, IStreamClientEndpoint

from livechat.fair import Demand
from livechat.metrics import Metrics
from livechat.model.event_data import EventData
from livechat.platforms.budget import Budget, Gate, Limit
from livechat.platforms.enrichment.ports import IPictureSource

#: The entry point group.
GROUP: Final = "livechat.platforms"


def _no_tap(platform: str, channel: str, data: bytes) -> None:
    """Raw data goes nowhere."""


def no_gate(platform: str, kind: str, limit: Limit) -> Gate | None:
    """Nobody shares a budget with this process."""
    return None


class PlatformContext(Struct, frozen=True):
    """What a platform gets from the daemon; it takes nothing else from the world.

    :ivar clock: for timers; runs on, whatever happens to the machine's wall clock.
    :ivar now: wall time in seconds, to date what carries no time of its own.
    :ivar http: keeps no cookies.
    :ivar connect: where the socket of a host, a port and TLS (or not) is.
    :ivar endpoint: the client endpoint that an endpoint string describes; raises ValueError.
    :ivar start_timeout: seconds in which a start must succeed, waiting for turns not counted.
    :ivar wait_poll: seconds between two looks for lives of a channel; `--wait-poll`.
    :ivar tap: given what the platform sent, as it came: platform, channel, bytes.
    :ivar picture_sources: who else knows pictures (`livechat.platforms.enrichment`).
    :ivar gate: who else must let a request begin, by platform, kind and limit; None: nobody.
    :ivar demand: how much the clients ask for in all; None: it is not known.
    """

    clock: IReactorTime
    now: Callable[[], float]
    random: Random
    http: HTTPClient
    connect: Callable[[str, int, bool], IStreamClientEndpoint]
    endpoint: Callable[[str], IStreamClientEndpoint]
    metrics: Metrics
    start_timeout: float = 30.0
    wait_poll: float = 60.0
    tap: Callable[[str, str, bytes], None] = _no_tap
    picture_sources: Sequence[IPictureSource] = ()
    gate: Callable[[str, str, Limit], Gate | None] = no_gate
    demand: Demand | None = None

    def budget(self, limit: Limit, platform: str, kind: str) -> Budget:
        """The budget for one kind of request.  A platform has one for each kind."""
        gate = self.gate(platform, kind, limit)
        return Budget(self.clock, limit, self.metrics, platform, kind, gate, self.demand)


class Page(Struct, frozen=True, rename="camel"):
    """What pages say about a platform; sent to them as JSON.

    :ivar title: its name as people write it.
    :ivar placeholder: what stands in an empty field for an identifier.
    :ivar hint: which identifiers it takes, one sentence.
    :ivar mark: path data of a drawing in a square of 24 units.
    :ivar color: of the mark on a light ground, as CSS writes colours; empty: that of the text.
    :ivar color_on_dark: the same on a dark ground.
    :ivar identifier_types: what each `identifierType` is called, where there are several.
    :ivar roles: what it calls a role of an author, where that is not the general word: the word,
        and what it means.
    :ivar words: one sentence for each of the `details` of an error that only this platform has.
    :ivar rank: where it stands among the others, lowest first; pages choose the first one.
    """

    title: str
    placeholder: str = "Channel name or URL"
    hint: str = ""
    mark: str = ""
    color: str = ""
    color_on_dark: str = ""
    identifier_types: Mapping[str, str] = {}
    roles: Mapping[str, tuple[str, str]] = {}
    words: Mapping[str, str] = {}
    rank: int = 100


class Port(Struct, frozen=True):
    """A port that a platform wants opened beside the daemon's own.

    :ivar endpoint: a server endpoint string.
    :ivar what: what it is for, in logs and errors.
    """

    endpoint: str
    factory: IProtocolFactory
    what: str


def _nothing(*_: Any) -> str:
    return ""


def _no_ports(*_: Any) -> Sequence[Port]:
    return ()


class PlatformDescription(Struct, frozen=True):
    """A platform, before it is made.

    :ivar name: what a client calls it in `platform`.
    :ivar settings: a struct whose fields declare its options (`livechat.choices`).
    :ivar make: from context and settings to an `IPlatform` that is an `IService`, too; raises
        ValueError with a sentence that names the option that is wrong.
    :ivar problem: from settings to why they do not fit together; empty: they do.
    :ivar why_useless: from settings and a field's name to why that choice has no effect.
    :ivar ports: from the platform and its settings to the ports that it wants opened.
    :ivar demo: from settings and the simulator's addresses to settings that point there; None where
        the simulator does not play this platform.
    :ivar replaced_by_demo: fields that `demo` replaces.
    :ivar event_kinds: the structs of the kinds of event that only this platform has.
    :ivar event_kinds_sent: the names of all kinds of event that it sends, for the documentation.
    """

    name: str
    settings: type[Struct]
    make: Callable[[PlatformContext, Any], Any]
    page: Page
    problem: Callable[[Any], str] = _nothing
    why_useless: Callable[[Any, str], str] = _nothing
    ports: Callable[[Any, Any], Sequence[Port]] = _no_ports
    demo: Callable[[Any, Any], Any] | None = None
    replaced_by_demo: frozenset[str] = frozenset()
    event_kinds: Sequence[type[EventData]] = ()
    event_kinds_sent: frozenset[str] = frozenset()


def for_pages(
    descriptions: Mapping[str, PlatformDescription],
    hosts: Mapping[str, Iterable[str]],
    pictures: str = "",
) -> bytes:
    """What pages are told about the platforms, as JSON: by name, in the order of their ranks.

    :param hosts: by a platform's name, the host names whose URLs are the platform's.
    :param pictures: in a demonstration: where the picture of `https://HOST/PATH` is, as this
        followed by HOST/PATH.
    """
    more = {"pictures": pictures} if pictures else {}
    ordered = sorted(descriptions.values(), key=lambda one: (one.page.rank, one.name))
    return json.encode(
        {
            one.name: {**to_builtins(one.page), "hosts": sorted(hosts[one.name]), **more}
            for one in ordered
        }
    )


def installed() -> dict[str, PlatformDescription]:
    """The platforms that are installed, by name.

    :raises ValueError: one of them cannot be used; a sentence for whoever installed it.
    """
    found: dict[str, PlatformDescription] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            description = point.load()
        except Exception as error:
            raise ValueError(f"platform {point.name} ({point.value}): {error}") from error
        if not isinstance(description, PlatformDescription) or description.name != point.name:
            raise ValueError(f"platform {point.name} ({point.value}) does not describe itself")
        found[point.name] = description
    return found
