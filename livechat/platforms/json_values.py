# SPDX-License-Identifier: MIT
"""How many values a JSON text may hold before it is decoded.

A text of some megabytes may hold millions of empty lists, which take many times its size in memory
and a second to make.  Counting a few characters tells that beforehand.
"""

from __future__ import annotations

from typing import Final

#: Values (numbers, texts, lists, objects) that are decoded of one document.  Pages and answers that
#: were recorded have up to 30,000.
MAX_VALUES: Final = 250_000


def count_values(text: str | bytes) -> int:
    """How many values a JSON text holds at most."""
    # Each but the first in its list or object stands behind a comma.
    if isinstance(text, str):
        return text.count(",") + text.count("[") + text.count("{")
    return text.count(b",") + text.count(b"[") + text.count(b"{")
