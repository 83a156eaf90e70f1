# SPDX-License-Identifier: MIT
"""Part G: starts that cannot work, logs that cannot be written, and life in a container."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from twisted.internet.threads import deferToThread

from benchmarks.campaign.case import Case, Count
from benchmarks.campaign.raw import Closed, Raw
from benchmarks.campaign.scene import Scene
from benchmarks.witness import HOST
from tests.support.program import COMMAND, ROOT, environment, run
from tests.support.sockets import number_of, reserved
from tests.test_wrong_starts import SECRET, WRONG


def _is_one_line(arguments: list[str], variables: dict[str, str]) -> bool:
    done = run(Path("/"), *COMMAND, *arguments, **variables)
    said = done.stdout + done.stderr
    return done.returncode == 1 and said.strip().count("\n") <= 1 and SECRET not in said


async def wrong_starts(scene: Scene, amount: int) -> Count:
    """G3: what cannot start says why in a line, beside a daemon that runs and is not disturbed."""
    starts = [(list(options), dict(more)) for options, more, _ in WRONG]
    starts += [
        ([f"--port={scene.port}", "--listen=tcp:port:x"], {}),
        ([f"--listen=tcp:{scene.port}:interface=127.0.0.1"], {}),
        (["--listen=tcp:0:interface=192.0.2.1"], {}),
        (["--listen=ssl:0:privateKey=/nonexistent:certKey=/nonexistent"], {}),
        (["--listen=unix:/nonexistent/socket"], {}),
        (["--tokens=/nonexistent"], {}),
        (["--config=/dev/null/x"], {}),
        (["--admin-listen=unix:/proc/x"], {}),
        (["--listen=tcp:0", f"--admin-listen=tcp:{scene.port}:interface=127.0.0.1"], {}),
    ]
    chosen = starts[:: max(1, len(starts) // amount)][:amount]
    with ThreadPoolExecutor(2) as threads:
        checked = await deferToThread(
            lambda: list(threads.map(lambda one: _is_one_line(*one), chosen))
        )
    wrong = [one[0] for one, good in zip(chosen, checked, strict=True) if not good]
    return Count(len(chosen), sum(checked), f"wrong: {wrong}" if wrong else "")


# Logs.


def serves(port: int) -> bool:
    """Whether a client is answered."""
    try:
        client = Raw(port)
        client.say(type="ping")
        answered = client.message()["type"] == "pong"
        client.close()
    except (OSError, Closed):
        return False
    return bool(answered)


def _with_output(output: Any, options: tuple[str, ...], port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*COMMAND, f"--listen=tcp:{port}:interface={HOST}", *options],
        env=environment({}),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


async def lost_logs(scene: Scene, amount: int) -> Count:
    """G4: the disk of the log is full, or nobody reads the log any more: it serves on."""
    survived, notes = 0, []
    for kind in ("full disk", "closed pipe", "closed pipe, JSON")[:amount]:
        held = reserved()
        port = number_of(held)
        options = (*scene.options, *(("--log-format=json",) if "JSON" in kind else ()))
        reading = -1
        if kind == "full disk":
            output = os.open("/dev/full", os.O_WRONLY)
        else:
            reading, output = os.pipe()
        process = _with_output(output, options, port)
        os.close(output)
        up = await scene.until(partial(scene.apart, serves, port), 30)
        if reading >= 0:
            os.close(reading)
        # Each of these starts and ends of chats would be a line.
        good = up
        for number in range(10):
            good = good and await scene.apart(starts, port, f"unlogged{number}")
        process.send_signal(signal.SIGTERM)
        code = await deferToThread(process.wait)
        held.close()
        survived += bool(good and code in (0, -signal.SIGTERM))
        notes.append(f"{kind}: {'serves on' if good else 'does not serve'}, exit code {code}")
    return Count(min(amount, 3), survived, "; ".join(notes))


def starts(port: int, name: str) -> bool:
    """Whether a chat starts."""
    try:
        client = Raw(port)
        client.subscribe(name)
        good = client.started()[-1].get("status") == "started"
        client.close()
    except (OSError, Closed):
        return False
    return good


# A container.

#: The root is there to be read only; the daemon is process 1 of its own process table.
_CONTAINED: Final = """
mount --rbind / /mnt
mount -o remount,bind,ro /mnt
cd /mnt
exec chroot /mnt setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all "$@"
"""


async def container(scene: Scene, amount: int) -> Count:
    """G6: read-only root, no rights, no user, process 1: it serves, logs no error, and stops."""
    twistd = Path(sys.executable).with_name("twistd")
    listing = "from twisted.plugin import IPlugin, getPlugins; list(getPlugins(IPlugin))"
    await deferToThread(run, ROOT, sys.executable, "-c", listing)
    survived, notes = 0, []
    for _ in range(amount):
        held = reserved()
        port = number_of(held)
        with tempfile.TemporaryFile() as log:
            process = subprocess.Popen(
                [
                    *(str(shutil.which("unshare")), "--mount", "--pid", "--fork"),
                    *("sh", "-ec", _CONTAINED, "sh", str(twistd), "--nodaemon", "--pidfile="),
                    *("livechat", f"--listen=tcp:{port}:interface={HOST}", *scene.options),
                ],
                env=environment({"PYTHONDONTWRITEBYTECODE": "1"}),
                cwd="/",
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            up = await scene.until(partial(scene.apart, serves, port), 30)
            up = up and await scene.apart(starts, port, "contained")
            # `unshare` waits for its only child.
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), signal.SIGTERM)
            code = await deferToThread(process.wait)
            log.seek(0)
            text = log.read().decode()
        held.close()
        errors = [line for line in text.splitlines() if re.search("rror|Traceback|denied", line)]
        survived += bool(up and code == 0 and not errors)
        notes.append(f"exit code {code}, {len(errors)} error lines {errors[:1] or ''}")
    return Count(amount, survived, "; ".join(notes))


CASES: Final = (
    Case("G3 wrong starts", wrong_starts, 40, 0),
    Case("G4 logs that cannot be written", lost_logs, 3, 0),
    Case("G6 as in a container", container, 2, 0),
)
