# SPDX-License-Identifier: MIT
"""The recorded data of the platforms, which lives beside the checkout and not in it.

`LIVECHAT_CORPUS` names the directory; otherwise it is looked for as `../shared/corpus`.  A test
that needs it and does not find it is skipped and says so.  `LIVECHAT_REQUIRE_CORPUS=1` turns that
skip into a failure; continuous integration sets it wherever the corpus is present.
"""

from __future__ import annotations

import os
from pathlib import Path
from unittest import SkipTest

_CHECKOUT = Path(__file__).resolve().parents[2]
ROOT = Path(os.environ.get("LIVECHAT_CORPUS") or _CHECKOUT.parent / "shared" / "corpus")


def corpus(relative: str) -> Path:
    """A file or directory of the corpus.

    :raises SkipTest: the corpus is not here.
    :raises AssertionError: it is not here although it is required, or it lacks this file.
    """
    path = ROOT / relative
    if path.exists():
        return path
    if ROOT.exists():
        raise AssertionError(f"the corpus has no {relative}")
    if os.environ.get("LIVECHAT_REQUIRE_CORPUS") == "1":
        raise AssertionError(f"the corpus is required and {ROOT} does not exist")
    raise SkipTest(f"recorded corpus not present at {ROOT}")
