# SPDX-License-Identifier: MIT
"""Take the pictures of `docs/pictures` anew (`make pictures`): a demonstration, and a browser.

The demonstration is an ordinary `livechat --demo`: what is shown, badges and emotes too, comes from
the built-in simulator, and nothing from a network.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"

#: Behind overlays, which are transparent: a sky and hills.
SKY = "linear-gradient(#5b9bc8, #b9d7e6 62%, #27584a 62%, #16352c)"

#: Overlays show three chats.
CHATS = "&".join(f"platform={name}&identifier=kitchen" for name in ("twitch", "youtube", "tiktok"))


class Shot(NamedTuple):
    """One picture.

    :ivar name: of the file.
    :ivar path: of the page, with its query.
    :ivar awaited: what there must be before it is taken: a selector, and how many.
    """

    name: str
    path: str
    awaited: tuple[str, int]
    size: tuple[int, int] = (460, 420)
    dark: bool = False
    scale: int = 1


def shots() -> list[Shot]:
    """All pictures."""
    desktop, rows = (1280, 940), (".row", 60)
    overlays = [
        Shot(f"overlay-{theme}", f"overlay?{CHATS}&show=avatars&theme={theme}", (".line", 14))
        for theme in ("outline", "glass", "paper")
    ]
    return [
        Shot("test-desktop-light", "test?platform=twitch&identifier=kitchen", rows, desktop),
        Shot("test-desktop-dark", "test?platform=youtube&identifier=ann", rows, desktop, dark=True),
        Shot("test-phone", "test?platform=tiktok&identifier=ann", rows, (390, 844), scale=2),
        *overlays,
        Shot("overlay-obs-css", f"overlay?{CHATS}&show=avatars", (".line", 14)),
        Shot("overlay-builder", "overlay", ("iframe", 1), (1280, 860)),
    ]


@contextmanager
def demonstration() -> Iterator[str]:
    """A daemon that is being watched; its address."""
    command = [sys.executable, "-m", "livechat", "serve", "--demo", "--demo-rate", "4"]
    daemon = subprocess.Popen(
        [*command, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert daemon.stdout is not None
    try:
        for line in daemon.stdout:
            if found := re.search(rb"open http://localhost:(\d+)/test", line):
                yield f"http://127.0.0.1:{found[1].decode()}/"
                return
        raise SystemExit("the daemon did not start")
    finally:
        daemon.terminate()
        daemon.wait()


def styles() -> str:
    """The example of the guide for overlays."""
    found = re.search(r"```css\n(.*?)```", (ROOT / "docs" / "overlay.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def take(browser: Browser, address: str, shot: Shot) -> None:
    """One picture."""
    width, height = shot.size
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if shot.dark else "light",
        device_scale_factor=shot.scale,
    )
    page.goto(address + shot.path)
    selector, count = shot.awaited
    page.locator(selector).nth(count - 1).wait_for(state="attached", timeout=120_000)
    if shot.path.startswith("overlay?"):
        page.add_style_tag(content=f"html {{ background: {SKY} }}")
    if shot.name == "overlay-obs-css":
        page.add_style_tag(content=styles())
    # Pictures that have just been asked for.
    page.wait_for_load_state("networkidle" if selector == "iframe" else "load")
    page.wait_for_timeout(1000)
    page.screenshot(path=PICTURES / f"{shot.name}.png")
    page.close()


def main() -> None:
    """All pictures."""
    with demonstration() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for shot in shots():
            take(browser, address, shot)
        browser.close()


if __name__ == "__main__":
    main()
