# SPDX-License-Identifier: MIT
"""The installation that docs/systemd.md describes, played in a root of its own.

A private mount namespace lays a writable layer over `/opt` and `/etc`, so the commands of the page
run as they are written and nothing of them is left.  There is no systemd in it: `systemctl` only
notes what it was told, and the daemon is started by what the installed unit says.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from tests.support.sockets import kept_port
from tests.test_packaging import ROOT

#: Lays a layer in memory over the directories that an installation writes to.
PRIVATE_ROOT = """
mount -t tmpfs none /mnt
for name in opt etc; do
  mkdir -p /mnt/$name/upper /mnt/$name/work
  mount -t overlay none -o lowerdir=/$name,upperdir=/mnt/$name/upper,workdir=/mnt/$name/work /$name
done
mkdir /mnt/bin
printf '#!/bin/sh\\necho "systemctl $*" >> /mnt/told\\n' > /mnt/bin/systemctl
chmod +x /mnt/bin/systemctl
export PATH=/mnt/bin:$PATH
"""

#: Starts what the unit starts, with its environment file and no rights, and asks for its health.
START = """
set -a
. /etc/livechat/livechat.env
set +a
export PORT={port}
command=$(sed -n 's/^ExecStart=//p' /etc/systemd/system/livechat.service)
cd /
setpriv --no-new-privs --bounding-set=-all --inh-caps=-all $command > /mnt/log 2>&1 &
daemon=$!
for _ in $(seq 100); do
  /opt/livechat/bin/livechat health --port $PORT > /mnt/health 2>/dev/null && break
  sleep 0.1
done
kill -TERM $daemon
wait $daemon || true
"""


def documented() -> str:
    """The commands of the page."""
    page = (ROOT / "docs" / "systemd.md").read_text()
    found = re.search(r"## Install\n.*?```\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


class InstallTests(SynchronousTestCase):
    """Somebody who follows the page has a service that runs."""

    def test_as_documented(self) -> None:
        """The commands succeed; the units and the environment file are there; the daemon serves."""
        if (
            shutil.which("unshare") is None
            or subprocess.run(
                ["unshare", "--mount", "sh", "-ec", PRIVATE_ROOT], capture_output=True, check=False
            ).returncode
        ):
            raise SkipTest("no private mounts: this needs root and overlay file systems")
        result = Path(mkdtemp(dir=Path.cwd())).resolve()
        script = "\n".join(
            [
                "set -e",
                PRIVATE_ROOT,
                documented(),
                START.format(port=kept_port(self)),
                "stat -c %a /etc/livechat/livechat.env > /mnt/mode",
                "systemd-analyze verify /etc/systemd/system/livechat.service"
                " /etc/systemd/system/livechat.socket > /mnt/verified 2>&1",
                f"cp /mnt/told /mnt/log /mnt/health /mnt/mode /mnt/verified {result}",
            ]
        )
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script],
            cwd=ROOT,
            env={"PIP_RETRIES": "10", **os.environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        read = {path.name: path.read_text() for path in result.iterdir()}
        self.assertIn('"status":"ok"', read["health"], read["log"])
        self.assertEqual(read["mode"], "600\n")
        self.assertEqual(read["verified"], "")
        self.assertIn("systemctl enable --now livechat.socket livechat.service", read["told"])
        self.assertFalse(Path("/opt/livechat").exists())
