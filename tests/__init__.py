# SPDX-License-Identifier: MIT
"""Tests, run by trial.  `support` holds what several of them share."""

import os
import re
import warnings
from pathlib import Path

from hypothesis import HealthCheck, settings

_CHECKOUT = re.escape(str(Path(__file__).resolve().parents[1]))
# What a library calls deprecated must not be used by us; its own sins are its own.
warnings.filterwarnings(
    "error",
    category=DeprecationWarning,
    module=rf"({_CHECKOUT}/)?(livechat|tests|benchmarks)[./]",
)

# The same sources play the same examples, and no example fails because the machine was busy.  With
# `LIVECHAT_SEARCH=1` each run plays other examples, to look for what nobody has found yet.
settings.register_profile(
    "livechat",
    deadline=None,
    database=None,
    derandomize=os.environ.get("LIVECHAT_SEARCH") != "1",
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("livechat")
