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

from playwright.sync_api import Browser, WebSocketRoute, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"

#: Behind overlays, which are transparent: a sky and hills.
SKY = "linear-gradient(#5b9bc8, #b9d7e6 62%, #27584a 62%, #16352c)"

#: A badge, one emote over another; on Twitch also a cheermote and a GIF.
BADGE = "img.badge"
LAID_OVER = ".stack img.emote + img.emote"
CHEERMOTE = "img.emote[src*='.cloudfront.net/']"
GIF = "img.emote[src*='.giphy.com/']"
EVERYTHING = (BADGE, LAID_OVER, CHEERMOTE, GIF)
STICKER = "img[src*='/lh3.googleusercontent.com/']"
TIKTOK_EMOTE = "img.emote[src*='/p16-webcast.']"

#: With this one Twitch's busybee soon has all of them close together.
SEED = 15803

#: Messages in a second; channels whose names begin with "busy" have ten times as many.
RATE = 0.3

#: Whether each selector has a picture that has loaded and is wholly in sight.
IN_SIGHT = """(selectors) => selectors.every((selector) =>
  [...document.querySelectorAll(selector)].some((one) => {
    const box = one.getBoundingClientRect();
    const list = (one.closest(".list, [role=log]") ?? document.body).getBoundingClientRect();
    return one.complete && one.naturalWidth > 0 && box.top >= Math.max(0, list.top) + 20
      && box.bottom <= Math.min(innerHeight, list.bottom);
  }))"""

#: Whether each picture has loaded, or failed.
COMPLETE = "() => [...document.images].every((one) => one.complete)"

#: Overlays show three chats.
CHATS = "&".join(
    f"platform={platform}&identifier={name}"
    for platform, name in (("twitch", "busybee"), ("youtube", "ann"), ("tiktok", "ann"))
)


class Shot(NamedTuple):
    """One picture.

    :ivar name: of the file.
    :ivar path: of the page, with its query.
    :ivar awaited: what there must be before it is taken: a selector, and how many.
    :ivar seen: selectors of what must be in sight, too.
    """

    name: str
    path: str
    awaited: tuple[str, int]
    size: tuple[int, int] = (460, 500)
    dark: bool = False
    scale: int = 1
    seen: tuple[str, ...] = ()


def shots() -> list[Shot]:
    """All pictures."""
    desktop = (1280, 940)
    several = (*EVERYTHING, ".line:not([data-platform=twitch]) .face")
    overlays = [
        Shot(f"overlay-{name}", f"overlay?{CHATS}&show=avatars{theme}", (".line", 14), seen=several)
        for name, theme in (
            ("outline", "&theme=outline"),
            ("glass", "&theme=glass"),
            ("paper", "&theme=paper"),
            ("obs-css", ""),
        )
    ]
    return [
        Shot(
            "test-desktop-light",
            "test?platform=twitch&identifier=busybee",
            (".row", 20),
            desktop,
            seen=EVERYTHING,
        ),
        Shot(
            "test-desktop-dark",
            "test?platform=youtube&identifier=busyfingers",
            (".row", 14),
            desktop,
            dark=True,
            seen=(BADGE, STICKER),
        ),
        Shot(
            "test-phone",
            "test?platform=tiktok&identifier=busybee",
            (".row", 60),
            (390, 844),
            scale=2,
            seen=(BADGE, TIKTOK_EMOTE),
        ),
        *overlays,
        Shot("overlay-builder", "overlay", ("iframe", 1), (1280, 860)),
    ]


@contextmanager
def demonstration() -> Iterator[str]:
    """A daemon that is being watched; its address."""
    command = [sys.executable, "-m", "livechat", "serve", "--demo"]
    command += ["--demo-rate", str(RATE), "--demo-seed", str(SEED)]
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
    is_stopped = False

    def forwarded(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: None if is_stopped else socket.send(message))

    page.route_web_socket("**/*", forwarded)
    page.goto(address + shot.path)
    selector, count = shot.awaited
    page.locator(selector).nth(count - 1).wait_for(state="attached", timeout=120_000)
    if shot.path.startswith("overlay?"):
        page.add_style_tag(content=f"html {{ background: {SKY} }}")
    if shot.name == "overlay-obs-css":
        page.add_style_tag(content=styles())
    if selector == "iframe":
        page.wait_for_load_state("networkidle")
    page.wait_for_function(IN_SIGHT, arg=list(shot.seen), timeout=120_000)
    is_stopped = True
    page.wait_for_function(COMPLETE)
    # New lines fade in.
    page.wait_for_timeout(1000)
    page.screenshot(path=PICTURES / f"{shot.name}.png")
    page.close()


def main() -> None:
    """All pictures, or those whose names are given; each of a demonstration that begins with it."""
    wanted = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for shot in shots():
            if not wanted or shot.name in wanted:
                print(shot.name, flush=True)
                with demonstration() as address:
                    take(browser, address, shot)
        browser.close()


if __name__ == "__main__":
    main()
