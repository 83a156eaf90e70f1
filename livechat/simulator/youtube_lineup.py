# SPDX-License-Identifier: MIT
"""What is said of single channels of the simulated YouTube, beside what their names say."""

from __future__ import annotations

from livechat.simulator.youtube_pages import Standing


class Lineup:
    """What channels are at present, and which further lives they have.

    A further live is a name of its own, whose videos and chat belong to the channel.
    """

    def __init__(self) -> None:
        self._standings: dict[str, Standing] = {}
        self._begins: dict[str, float] = {}
        self._beside: dict[str, list[str]] = {}
        self._owners: dict[str, str] = {}

    def set(self, name: str, standing: Standing, begins: float | None = None) -> None:
        """From now on this is what a name's stream is.

        :param begins: when it begins or began, seconds since 1970.
        """
        self._standings[name] = standing
        if begins is not None:
            self._begins[name] = begins

    def clear(self, name: str) -> None:
        """From now on its name says again what its stream is."""
        self._standings.pop(name, None)
        self._begins.pop(name, None)

    def put_beside(self, name: str, other: str) -> None:
        """A channel has a further live."""
        self._beside.setdefault(name, []).append(other)
        self._owners[other] = name

    def standing(self, name: str) -> Standing | None:
        """What was said of a name's stream."""
        return self._standings.get(name)

    def begins(self, name: str, otherwise: float) -> float:
        """When it was said to begin."""
        return self._begins.get(name, otherwise)

    def beside(self, name: str) -> list[str]:
        """The further lives of a channel."""
        return self._beside.get(name, [])

    def owner(self, name: str) -> str:
        """The channel that a live belongs to."""
        return self._owners.get(name, name)
