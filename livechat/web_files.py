# SPDX-License-Identifier: MIT
"""Where the pages are: inside an installed package, or beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent


def web_directory(package: Path = PACKAGE) -> Path:
    """The directory that holds the pages, whatever the working directory is.

    :param package: the directory of the package `livechat`.
    :raises FileNotFoundError: the pages were not installed with the package.
    """
    installed = package / "web"
    if installed.is_dir():
        return installed
    checkout = package.parent
    # Beside an installed package a `web` would be somebody else's.
    if (checkout / "pyproject.toml").is_file() and (checkout / "web").is_dir():
        return checkout / "web"
    raise FileNotFoundError(
        f"the pages of livechat are neither in {installed} nor in a checkout: install it again"
    )
