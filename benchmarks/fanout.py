# SPDX-License-Identifier: MIT
"""The whole service under load, beside its peers: a thin runner over the shared fan-out tools.

The tools (a load client in C, a fake Twitch, servers to compare with) lie beside the checkout, in
`../shared/bench` or where `LIVECHAT_BENCH` says; without them, or without a C compiler, this
measurement says so and ends.  The peers `ws` and `uWebSockets.js` take part where npm can install
them.  Servers run alternately and in turned order, one on its own core and the client on another;
medians are shown.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

_CHECKOUT: Final = Path(__file__).resolve().parents[1]
TOOLS: Final = Path(os.environ.get("LIVECHAT_BENCH") or _CHECKOUT.parent / "shared" / "bench")
ROUNDS: Final = int(os.environ.get("LIVECHAT_BENCH_ROUNDS", "3"))

#: Peers of the whole service: what starts them.
PEERS: Final[Mapping[str, str]] = {
    "uWebSockets.js": "node {S}/irc_uws.js {port} {irc}",
    "ws": f"node {_CHECKOUT}/benchmarks/ws_service.js {{port}} {{irc}}",
}

#: The whole service: what `blackbox.py` is told for each kind of work, and which peers take part
#: (`ws` does not come to an end with the largest).
SERVICE: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "500 subscribers, 100 messages/s": ("--conns 500 --rate 100 --messages 350", list(PEERS)),
    "500 subscribers, as fast as it reads": (
        "--conns 500 --rate 0 --burst 20 --messages 1000",
        list(PEERS),
    ),
    "1,000 subscribers, 300 messages/s": (
        "--conns 1000 --rate 300 --messages 900",
        ["uWebSockets.js"],
    ),
    "1 of 50 never reads, 40,000 messages": (
        "--conns 50 --rate 0 --burst 20 --messages 40000 --stall 1",
        ["uWebSockets.js"],
    ),
    "none of 50 stalls, 40,000 messages": (
        "--conns 50 --rate 0 --burst 20 --messages 40000",
        ["uWebSockets.js"],
    ),
    "5,000 idle": ("--conns 5000 --rate 1 --messages 0 --hold-ms 1500", list(PEERS)),
}

#: Delivery alone: what `wsload` is told, and which servers take part.
DELIVERY: Final[Mapping[str, tuple[str, Sequence[str]]]] = {
    "saturated, one message per turn, 500 subscribers": (
        "--conns 500 --expect 800",
        ("ours", "C loop of send()", "uWebSockets.js", "ws"),
    ),
    "the same compressed, 200 subscribers": (
        "--conns 200 --expect 800 --deflate 1",
        ("ours", "ws"),
    ),
    "5,000 connections that ask for nothing": (
        "--conns 5000 --expect 0 --hold-ms 1500",
        ("ours", "uWebSockets.js", "ws"),
    ),
}


def main() -> None:
    """Build, run and print."""
    if not (TOOLS / "wsload.c").exists() or not shutil.which("gcc"):
        print(f"\nFan-out: not measured; it needs gcc and the tools in {TOOLS}")
        return
    with tempfile.TemporaryDirectory() as scratch:
        bench = Path(scratch)
        shutil.copytree(TOOLS, bench, dirs_exist_ok=True, copy_function=shutil.copyfile)
        build = (("wsload", "wsload.c"), ("servers/climit", "servers/climit.c"))
        for binary, source in build:
            command = ["gcc", "-O2", "-o", binary, source, "-lz"]
            subprocess.run(command, cwd=bench, check=True, capture_output=True)
        peers = _install_peers(bench)
        for name, (work, rivals) in SERVICE.items():
            _print(name, _service(bench, work, rivals if peers else ()))
        for name, (load, servers) in DELIVERY.items():
            wanted = [s for s in servers if peers or s in ("ours", "C loop of send()")]
            _print(name, _delivery(bench, load, wanted))


def _install_peers(bench: Path) -> bool:
    npm = shutil.which("npm")
    if not npm:
        return False
    command = [npm, "install", "--silent", "--no-audit", "--no-fund", "ws", "@rjweb/uws"]
    (bench / "package.json").write_text("{}")
    return subprocess.run(command, cwd=bench, capture_output=True, check=False).returncode == 0


def _environment(bench: Path) -> dict[str, str]:
    return {
        **os.environ,
        "NODE_PATH": str(bench / "node_modules"),
        "PYTHONPATH": os.pathsep.join([str(_CHECKOUT), os.environ.get("PYTHONPATH", "")]),
    }


def _service(bench: Path, work: str, peers: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    ours = (
        f"{Path(sys.executable).with_name('twistd')} --nodaemon --pidfile= --logfile=/dev/null"
        " livechat --listen=tcp:{port}:interface=127.0.0.1"
        " --twitch-irc=tcp:127.0.0.1:{irc} --twitch-gql-url= --emotes="
    )
    servers = [f"ours={ours}"]
    servers += [f"{peer}={PEERS[peer]}" for peer in peers]
    out = bench / "rounds.jsonl"
    out.unlink(missing_ok=True)
    command = [sys.executable, "blackbox.py", "--repeat", "1", "--out", str(out), *work.split()]
    for number in range(ROUNDS):
        one = command + [
            part for server in _turned(servers, number) for part in ("--server", server)
        ]
        subprocess.run(one, cwd=bench, env=_environment(bench), check=True, capture_output=True)
    return _grouped(map(json.loads, out.read_text().splitlines()))


def _delivery(bench: Path, load: str, servers: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    rounds = []
    port = 9300
    words = load.split()
    conns = words[words.index("--conns") + 1]
    for number in range(ROUNDS):
        for server in _turned(servers, number):
            port += 1
            arguments = [str(port), conns, words[words.index("--expect") + 1], "1", "0"]
            rounds.append({**_one(bench, server, arguments, words), "variant": server})
    return _grouped(rounds)


def _one(bench: Path, server: str, arguments: list[str], load: list[str]) -> dict[str, Any]:
    commands = {
        "ours": [sys.executable, "-m", "benchmarks.saturated"],
        "C loop of send()": [str(bench / "servers/climit")],
        "uWebSockets.js": ["node", str(bench / "servers/node_uws.js")],
        "ws": ["node", str(bench / "servers/node_ws.js")],
    }
    process = subprocess.Popen(
        ["taskset", "-c", "0", *commands[server], *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(bench),
        cwd=_CHECKOUT,
    )
    try:
        assert process.stdout is not None
        if b"ready" not in process.stdout.readline():
            return {"error": f"{server} did not start"}
        client = ["taskset", "-c", "1", str(bench / "wsload"), "--port", arguments[0]]
        client += ["--pid", str(process.pid), "--timeout", "60", *load]
        done = subprocess.run(client, capture_output=True, text=True, check=False)
        result: dict[str, Any] = json.loads(done.stdout or '{"error": "no result"}')
        return result
    finally:
        process.kill()
        process.wait()


def _turned(servers: Sequence[str], number: int) -> list[str]:
    """The servers in another order for each round: none always comes after the same one."""
    first = number % len(servers)
    return [*servers[first:], *servers[:first]]


def _grouped(rounds: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for one in rounds:
        groups.setdefault(one["variant"], []).append(one)
    return groups


def _print(name: str, groups: dict[str, list[dict[str, Any]]]) -> None:
    print(f"\n{name} (medians of {ROUNDS})")
    columns = (
        ("deliveries/s", lambda d: d["per_s"], "12,.0f"),
        ("us/delivery", lambda d: d["srv_cpu_us_per_delivery"], "11.2f"),
        ("core %", lambda d: 100 * d["srv_run_s"] / (d["wall_s"] or 1), "6.0f"),
        ("p50 ms", lambda d: d["lat_ms"]["p50"], "7.2f"),
        ("p99 ms", lambda d: d["lat_ms"]["p99"], "7.2f"),
        ("max ms", lambda d: d["lat_ms"]["max"], "7.1f"),
        ("RSS MB", lambda d: d["rss_end_kb"] / 1024, "6.0f"),
        ("growth MB", lambda d: (d["rss_end_kb"] - d["rss_idle_kb"]) / 1024, "9.1f"),
        ("KB/conn", lambda d: d["kb_per_conn"], "7.1f"),
        ("accepts/s", lambda d: d["accept_per_s"], "9,.0f"),
        ("us/accept", lambda d: d["accept_cpu_us"], "9.0f"),
        ("wire B", lambda d: d["bytes"] / (d["deliveries"] or 1), "7.0f"),
    )
    print(
        f"{'':18}" + " ".join(f"{head:>{_width(form)}}" for head, _, form in columns) + "  faults"
    )
    for variant, all_rounds in groups.items():
        good = [one for one in all_rounds if "error" not in one]
        if not good:
            print(f"{variant:18} failed: {all_rounds[0].get('error', '')[:100]}")
            continue
        cells = " ".join(f"{median(map(read, good)):{form}}" for _, read, form in columns)
        faults = sum(one[kind] for one in good for kind in ("missing", "lost", "dup", "bad"))
        print(f"{variant:18}{cells}  {faults}")


def _width(form: str) -> int:
    return int(form.split(".", maxsplit=1)[0].rstrip(","))
