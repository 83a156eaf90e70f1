"""Tests, run by trial.  `support` holds what several of them share."""

import re
import warnings
from pathlib import Path

_CHECKOUT = re.escape(str(Path(__file__).resolve().parents[1]))
# What a library calls deprecated must not be used by us; its own sins are its own.
warnings.filterwarnings(
    "error",
    category=DeprecationWarning,
    module=rf"({_CHECKOUT}/)?(livechat|tests|benchmarks)[./]",
)
