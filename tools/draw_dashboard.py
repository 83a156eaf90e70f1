# SPDX-License-Identifier: MIT
"""Draw `packaging/grafana/livechat.json` with real figures: a stand-in for Grafana.

A daemon watches simulated chats, Prometheus reads its metrics and evaluates every query of the
dashboard, and a browser draws the panels.  `make pictures` puts it into `docs/pictures`.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from html import escape
from math import ceil, floor, isfinite, log10
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

from playwright.sync_api import sync_playwright
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

ROOT = Path(__file__).resolve().parents[1]
DASHBOARD = ROOT / "packaging" / "grafana" / "livechat.json"
PICTURE = ROOT / "docs" / "pictures" / "dashboard.png"

#: Seconds that clients come and go before the picture is drawn, and the scrape interval.
WATCHED = 150.0
SCRAPE = 2

#: What goes wrong with the platforms meanwhile.
FAULTS = ("drop", "garbage", "tiktok-drop", "youtube-garbage-once")

COLORS = (
    "#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#8ab8ff", "#37872d",
    "#fade2a", "#96d98d", "#ffa6b0", "#ca95e5", "#fa6400", "#447ebc",
)  # fmt: skip

#: What becomes of clients.
GONE = (ConnectionClosed, InvalidStatus, OSError)

#: Width of the picture, and what a unit of Grafana's grid of 24 columns is high.
WIDTH, ROW = 1440, 34


# What is measured.


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def program(*command: str, until: str = "") -> Iterator[str]:
    """A program that runs meanwhile; what it wrote up to the text that is waited for."""
    running = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert running.stdout is not None
    try:
        said = ""
        while until and until not in said:
            line = running.stdout.readline()
            if not line:
                raise SystemExit(f"{command[0]} did not start:\n{said}")
            said += line
        # Who writes must be read.
        threading.Thread(target=running.stdout.read, daemon=True).start()
        yield said
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()


@contextmanager
def measured() -> Iterator[str]:
    """A daemon with simulated platforms, Redis and Prometheus; Prometheus's address."""
    twistd = str(Path(sys.executable).with_name("twistd"))
    redis, port, prometheus = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        simulator = stack.enter_context(
            program(
                *(twistd, "--nodaemon", "--pidfile=", "livechat-simulator", "--rate=4"),
                *("--twitch-irc-port=0", "--http-port=0", "--fault-every=40"),
                *(f"--fault={name}" for name in FAULTS),
                until="FrankerFaceZ at",
            )
        )
        stack.enter_context(
            program(
                *("redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", ""),
                until="Ready to accept",
            )
        )
        stack.enter_context(
            program(
                *(sys.executable, "-m", "livechat", f"--listen=tcp:{port}:interface=127.0.0.1"),
                *platforms(simulator),
                *("--stats-storage=redis", f"--redis-url=redis://127.0.0.1:{redis}/0"),
                *("--linger=5", "--max-pending=262144", "--origins=https://good.example"),
                until="listening on",
            )
        )
        config = Path(directory) / "prometheus.yml"
        target = {"targets": [f"127.0.0.1:{port}"]}
        config.write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": f"{SCRAPE}s"},
                    "scrape_configs": [{"job_name": "livechat", "static_configs": [target]}],
                }
            )
        )
        stack.enter_context(
            program(
                *("prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data"),
                f"--web.listen-address=127.0.0.1:{prometheus}",
                until="Server is ready",
            )
        )
        watch(port)
        yield f"http://127.0.0.1:{prometheus}"


def platforms(said: str) -> list[str]:
    """Options that lead a daemon to the simulator, from what that says."""

    def found(pattern: str) -> str:
        match = re.search(pattern, said)
        assert match is not None, pattern
        return match[1]

    http = found(r"GQL at (http://\S+?)/twitch")
    return [
        f"--twitch-irc={found(r'IRC at (tcp:[^,]+)')}",
        f"--twitch-gql-url={http}/twitch/gql",
        f"--twitch-hermes-url={http.replace('http', 'ws', 1)}/twitch/hermes",
        f"--youtube-url={http}/youtube",
        f"--tiktok-url={http}/tiktok",
        f"--tiktok-webcast-url={http}/tiktok",
        f"--tiktok-socket-url={http.replace('http', 'ws', 1)}"
        "/tiktok/webcast/im/ws_proxy/ws_reuse_supplement/",
        "--emotes=",
    ]


def watch(port: int) -> None:
    """Clients of every kind, for a while: most read, some do not, some want what cannot be."""
    end = time.monotonic() + WATCHED
    url = f"ws://127.0.0.1:{port}/"
    names = ("twitch", "youtube", "tiktok")
    chats = [(name, f"chat{n}") for n in range(8) for name in names]
    jobs: list[Callable[[], None]] = [
        *(lambda number=n: _read(url, chats[number % 24 :][:3], end, number) for n in range(60)),
        lambda: _do_not_read(url, end),
        lambda: _want_what_cannot_be(url, end),
    ]
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
        time.sleep(0.3)
    while time.monotonic() < end - 1:
        time.sleep(0.5)


def _subscribe(connection: Any, platform: str, name: str) -> None:
    connection.send(
        json.dumps({"type": "subscribe", "platform": platform, "identifier": name, "events": True})
    )


def _read(url: str, chats: Sequence[tuple[str, str]], end: float, number: int) -> None:
    while time.monotonic() < end:
        stays = min(end, time.monotonic() + 20 + 5 * (number % 13))
        with suppress(*GONE), connect(url, ping_interval=None) as connection:
            for platform, name in chats:
                _subscribe(connection, platform, name)
            while time.monotonic() < stays:
                with suppress(TimeoutError):
                    connection.recv(1)


def _do_not_read(url: str, end: float) -> None:
    while time.monotonic() < end:
        with suppress(*GONE), connect(url, max_queue=1) as connection:
            for name in ("chat0", "chat1", "busy1", "busy2", "busy3", "busy4"):
                _subscribe(connection, "twitch", name)
            time.sleep(20)


def _want_what_cannot_be(url: str, end: float) -> None:
    number = 0
    while time.monotonic() < end:
        number += 1
        with suppress(InvalidStatus, OSError):
            connect(url, origin=Origin("https://other.example")).close()
        with suppress(*GONE), connect(url) as connection:
            _subscribe(connection, "twitch", f"missing{number}")
            _subscribe(connection, "youtube", f"offline{number}")
            _subscribe(connection, "tiktok", "no such name")
            connection.send("nonsense")
            time.sleep(1)
            for _ in range(2000 if number % 8 == 0 else 0):
                connection.send("{}")


# What is drawn.


class Line(NamedTuple):
    """A line of a panel: what it is called, and its points (seconds since 1970, value)."""

    name: str
    points: list[tuple[float, float]]


def queried(address: str, target: dict[str, Any], start: float, end: float) -> list[Line]:
    """What a query of the dashboard gives, as Grafana asks it; rates over a minute, not five."""
    expression = target["expr"].replace("$instance", ".*").replace("[5m]", "[1m]")
    query = urlencode({"query": expression, "start": start, "end": end, "step": SCRAPE})
    with urlopen(f"{address}/api/v1/query_range?{query}", timeout=30) as answer:
        result = json.load(answer)["data"]["result"]
    lines = []
    for series in result:
        name = target.get("legendFormat", "")
        for label, value in series["metric"].items():
            name = name.replace("{{" + label + "}}", value)
        points = [(float(when), float(value)) for when, value in series["values"]]
        lines.append(Line(name, [point for point in points if isfinite(point[1])]))
    return [line for line in lines if line.points]


def shown(value: float, unit: str) -> str:
    """A figure as Grafana writes it."""
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    if unit in ("bytes", "Bps"):
        for prefix in ("", "Ki", "Mi", "Gi"):
            if value < 1024 or prefix == "Gi":
                break
            value /= 1024
        return f"{value:.3g} {prefix}B{'/s' if unit == 'Bps' else ''}"
    text = f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
    return f"{text}/s" if unit == "cps" else text


def ticks(top: float) -> list[float]:
    """Round values from 0 that reach up to a figure."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / 4
    size = 10.0 ** floor(log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999)
    return [step * number for number in range(ceil(top / step - 1e-9) + 1)]


def chart(lines: Sequence[Line], unit: str, width: int, height: int) -> str:
    """Lines over time, as SVG."""
    start = min(line.points[0][0] for line in lines)
    end = max(line.points[-1][0] for line in lines)
    marks = ticks(max(value for line in lines for _, value in line.points))
    left, right, top, bottom = 78, 12, 8, 22

    def x(when: float) -> float:
        return left + (width - left - right) * (when - start) / max(end - start, 1)

    def y(value: float) -> float:
        return height - bottom - (height - top - bottom) * value / marks[-1]

    parts = [f'<svg width="{width}" height="{height}">']
    for mark in marks:
        parts.append(f'<path class="grid" d="M{left} {y(mark):.1f}H{width - right}"/>')
        parts.append(f'<text class="left" x="{left - 6}" y="{y(mark) + 4:.1f}">')
        parts.append(f"{escape(shown(mark, unit))}</text>")
    for number in range(5):
        when = start + (end - start) * number / 4
        clock = time.strftime("%H:%M:%S", time.gmtime(when))
        anchor = ("start", "middle", "middle", "middle", "end")[number]
        parts.append(f'<text x="{x(when):.1f}" y="{height - 5}" text-anchor="{anchor}">')
        parts.append(f"{clock}</text>")
    for number, line in enumerate(lines):
        path = "L".join(f"{x(when):.1f} {y(value):.1f}" for when, value in line.points)
        parts.append(f'<path class="line" stroke="{COLORS[number % len(COLORS)]}" d="M{path}"/>')
    return "".join((*parts, "</svg>"))


def panel(panel: dict[str, Any], lines: Sequence[Line]) -> str:
    """One panel, as HTML at its place."""
    place = panel["gridPos"]
    column = WIDTH / 24
    width, height = int(place["w"] * column) - 8, place["h"] * ROW - 8
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short")
    if not lines:
        body = '<p class="none">No data</p>'
    elif panel["type"] == "stat":
        body = f'<p class="stat">{escape(shown(lines[0].points[-1][1], unit))}</p>'
    else:
        legend = "".join(
            f'<span><i style="background:{COLORS[number % len(COLORS)]}"></i>'
            f"{escape(line.name)}</span>"
            for number, line in enumerate(lines[:14])
        )
        rows = 1 + sum(len(line.name) + 5 for line in lines[:14]) * 7 // width
        body = chart(lines, unit, width - 16, height - 44 - 18 * rows)
        body += f'<div class="legend">{legend}</div>'
    style = f"left:{place['x'] * column:.0f}px;top:{place['y'] * ROW}px"
    style += f";width:{width}px;height:{height}px"
    return f'<section style="{style}"><h2>{escape(panel["title"])}</h2>{body}</section>'


STYLE = """
body { margin: 0; background: #111217; color: #ccccdc; font: 13px "DejaVu Sans", sans-serif }
header { padding: 14px 12px 8px } h1 { font-size: 19px; margin: 0 0 4px } header p { margin: 0 }
main { position: relative; margin: 4px 0 0 4px }
section { position: absolute; background: #181b1f; border: 1px solid #2c3235; overflow: hidden }
h2 { font-size: 13px; margin: 0; padding: 8px 10px 6px; font-weight: 600 }
.none { color: #888; text-align: center; margin: 12% 0 } svg { display: block; margin: 0 8px }
.stat { font-size: 38px; color: #73bf69; text-align: center; margin: 12px 0 }
.grid { stroke: #2c3235; fill: none } .line { fill: none; stroke-width: 1.6 }
text { fill: #9fa7b3; font-size: 11px } .left { text-anchor: end }
.legend { padding: 4px 10px; font-size: 11px; line-height: 17px }
.legend span { margin-right: 12px; white-space: nowrap }
.legend i { display: inline-block; width: 12px; height: 3px; margin: 0 5px 3px 0 }
"""


def page(dashboard: dict[str, Any], address: str, start: float, end: float) -> str:
    """The whole dashboard, as HTML."""
    sections = []
    for one in dashboard["panels"]:
        lines = [line for target in one["targets"] for line in queried(address, target, start, end)]
        sections.append(panel(one, lines))
    places = [one["gridPos"] for one in dashboard["panels"]]
    height = max(place["y"] + place["h"] for place in places) * ROW + 8
    note = (
        "Drawn stand-in for Grafana: every panel of packaging/grafana/livechat.json, its queries "
        "evaluated by Prometheus, over a daemon with simulated chats, faults and 60 clients; "
        "rates over one minute"
    )
    return (
        f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style>'
        f"<header><h1>{escape(dashboard['title'])}</h1><p>{note}</p></header>"
        f'<main style="height:{height}px">{"".join(sections)}</main>'
    )


def main() -> None:
    """Measure, and draw."""
    dashboard = json.loads(DASHBOARD.read_text())
    start = time.time() + 12
    with measured() as address:
        html = page(dashboard, address, start, time.time())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        drawn = browser.new_page(viewport={"width": WIDTH, "height": 900})
        drawn.set_content(html)
        drawn.screenshot(path=PICTURE, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
