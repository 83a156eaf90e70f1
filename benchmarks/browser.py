# SPDX-License-Identifier: MIT
"""The pages in chromium under 300 messages a second: frames, memory, first chat, weight.

The daemon runs with `--demo` in a process of its own; the browser draws with the processor.
`LIVECHAT_BENCH_SECONDS` sets how long each page is watched (60).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from tests.support.browser import FLAGS, Smoothness, Visit, chromium, missing, picture

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Request

SECONDS = float(os.environ.get("LIVECHAT_BENCH_SECONDS", "60"))

#: A simulated channel whose name begins with `busy` has ten times this rate.
RATE = 30

CHAT = "platform=twitch&identifier=busy_kitchen"
PAGES = (
    ("/test, desk", f"/test?{CHAT}", {"width": 1280, "height": 800}),
    ("/test, phone", f"/test?{CHAT}", {"width": 390, "height": 844}),
    ("/overlay", f"/overlay?{CHAT}&theme=glass", {"width": 480, "height": 800}),
)

#: Milliseconds from the click on Connect to the first message on screen.
FIRST_CHAT = """() => new Promise((resolve) => {
  const list = document.querySelector("#list");
  document.querySelector(".platforms input[value=twitch]").checked = true;
  document.querySelector("#identifier").value = "busy_kitchen";
  const clicked = performance.now();
  document.querySelector("#connect").click();
  new MutationObserver(() => {
    if (list.querySelector(".text")) resolve(performance.now() - clicked);
  }).observe(list, { childList: true });
})"""


@contextmanager
def daemon() -> Iterator[str]:
    """A demonstrating daemon; its address."""
    command = [sys.executable, "-m", "livechat", "--listen=tcp:0:interface=127.0.0.1"]
    command += ["--demo", f"--demo-rate={RATE}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(rb"listening on .*port=(\d+)", line):
                    # What it goes on to log must go somewhere, or it would wait.
                    Thread(target=process.stdout.read, daemon=True).start()
                    yield f"http://127.0.0.1:{int(found[1])}"
                    return
        finally:
            process.terminate()


@contextmanager
def visit(browser: Browser, **options: Any) -> Iterator[Visit]:
    """A page in a profile of its own."""
    context = browser.new_context(**options)
    context.route(re.compile("^https:"), picture)
    yield Visit(context.new_page())
    context.close()


def weight(browser: Browser, url: str) -> int:
    """Bytes of all files that a page loads."""
    sizes: dict[str, int] = {}

    def finished(request: Request) -> None:
        response = request.response()
        if response is not None and response.status == 200:
            sizes[request.url] = int(response.headers.get("content-length", 0))

    with visit(browser) as looked:
        looked.page.on("requestfinished", finished)
        looked.page.goto(url, wait_until="networkidle")
        return sum(sizes.values())


def main() -> None:
    """Measure and print."""
    if reason := missing():
        print(reason)
        return
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright, daemon() as address:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        print(f"\nChromium {browser.version}, {RATE * 10} messages/s, {SECONDS:g} s each\n")
        print(f"{'':14}{'frame ms':>9}{'p99':>7}{'worst':>7}{'fps':>6}{'>50 ms':>8}{'heap MB':>16}")
        for name, path, viewport in PAGES:
            with visit(browser, viewport=viewport) as looked:
                looked.page.goto(address + path)
                looked.page.wait_for_function("() => document.querySelector('#list').children[49]")
                looked.page.wait_for_timeout(2000)
                before = looked.heap()
                smooth = Smoothness.of(looked.page, SECONDS)
                heap = f"{before / 1e6:.1f} to {looked.heap() / 1e6:.1f}"
                print(
                    f"{name:14}{smooth.median:9.1f}{smooth.p99:7.1f}{smooth.worst:7.1f}"
                    f"{1000 / smooth.median:6.0f}{smooth.long_tasks:8}{heap:>16}"
                )
                if looked.errors:
                    print(f"  {len(looked.errors)} errors in the console: {looked.errors[0]}")
        firsts = []
        for _ in range(5):
            with visit(browser) as looked:
                looked.page.goto(f"{address}/test")
                firsts.append(looked.page.evaluate(FIRST_CHAT))
        print(f"\nfirst chat after Connect, ms: {', '.join(f'{ms:.0f}' for ms in sorted(firsts))}")
        for path in ("/test", "/overlay?sample=1", "/overlay"):
            print(f"weight of {path}: {weight(browser, address + path) / 1000:.0f} kB")
        browser.close()
