# SPDX-License-Identifier: MIT
"""Events as their clients see them."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from livechat.model.events import ChannelEvent


def data_of(event: ChannelEvent) -> dict[str, Any]:
    """The data of an event as the JSON object that a client receives."""
    data: dict[str, Any] = to_builtins(event.data)
    return data


def fields_of(event: ChannelEvent) -> Any:
    """The data of an event as a struct, of whichever kind the test expects."""
    return event.data
