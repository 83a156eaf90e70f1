# SPDX-License-Identifier: MIT
"""The documentation as a site, and the papers beside it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from tests.test_packaging import ROOT

KUBERNETES = ROOT / "packaging" / "kubernetes" / "livechat.yaml"


@cache
def site() -> Path:
    """The site, built with every warning an error."""
    target = Path(mkdtemp(dir=Path.cwd())) / "site"
    command = ["-m", "mkdocs", "build", "--strict", "--site-dir", str(target)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return target


class SiteTests(SynchronousTestCase):
    """The site is whole, and needs nobody else's server."""

    def test_every_page(self) -> None:
        """Every page of docs/ has its place; links and anchors between pages lead somewhere."""
        pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
        built = {path.relative_to(site()).with_suffix(".md") for path in site().rglob("*.html")}
        self.assertEqual(pages - built, set())

    def test_nothing_from_elsewhere(self) -> None:
        """No page loads a script, a style, a font or a picture from another host."""
        loaded = re.compile(r"""<(?:script|img|source|iframe)\b[^>]*\bsrc="?(?:https?:)?//""")
        linked = re.compile(r"""<link\b[^>]*\brel="?(?:stylesheet|preload|preconnect)[^>]*//""")
        for path in site().rglob("*.html"):
            text = path.read_text()
            self.assertIsNone(loaded.search(text), path.name)
            self.assertIsNone(linked.search(text), path.name)


class KubernetesTests(SynchronousTestCase):
    """The example for Kubernetes says what the image is and what the daemon answers."""

    def documents(self) -> dict[str, Any]:
        """The objects of the example, by kind."""
        return {one["kind"]: one for one in yaml.safe_load_all(KUBERNETES.read_text())}

    def test_container(self) -> None:
        """It is the image's user and port, without rights and with nothing to write to."""
        spec = self.documents()["Deployment"]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        image = (ROOT / "Dockerfile").read_text()
        self.assertIn(f"\nUSER {spec['securityContext']['runAsUser']}:", image)
        self.assertIn(f"\nEXPOSE {container['ports'][0]['containerPort']}\n", image)
        self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
        self.assertEqual(container["securityContext"]["capabilities"], {"drop": ["ALL"]})

    def test_probes(self) -> None:
        """Readiness is asked of `/ready`, life of `/health`; the stop has time for the drain."""
        spec = self.documents()["Deployment"]["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        probes = {
            name: container[name]["httpGet"]["path"]
            for name in ("startupProbe", "readinessProbe", "livenessProbe")
        }
        self.assertEqual(
            probes,
            {"startupProbe": "/health", "readinessProbe": "/ready", "livenessProbe": "/health"},
        )
        drain = int(container["args"][container["args"].index("--drain-seconds") + 1])
        self.assertGreaterEqual(spec["terminationGracePeriodSeconds"], drain + 10)

    def test_service(self) -> None:
        """The service finds the pods and their port by the names that they have."""
        deployment, service = self.documents()["Deployment"], self.documents()["Service"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        self.assertLessEqual(service["spec"]["selector"].items(), labels.items())
        ports = deployment["spec"]["template"]["spec"]["containers"][0]["ports"]
        self.assertIn(service["spec"]["ports"][0]["targetPort"], [one["name"] for one in ports])


class PapersTests(SynchronousTestCase):
    """Papers that a place for sources shows."""

    def test_issue_templates(self) -> None:
        """Each template is a form: names, and fields with an id and a label."""
        templates = ROOT / ".github" / "ISSUE_TEMPLATE"
        forms = [path for path in templates.glob("*.yml") if path.name != "config.yml"]
        self.assertGreaterEqual(len(forms), 3)
        for path in forms:
            form = yaml.safe_load(path.read_text())
            self.assertTrue(form["name"] and form["description"], path.name)
            ids = [field["id"] for field in form["body"]]
            self.assertEqual(len(ids), len(set(ids)), path.name)
            self.assertTrue(all(field["attributes"]["label"] for field in form["body"]), path.name)

    def test_commands(self) -> None:
        """Every `make` command that a paper names exists."""
        targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
        for name in ("README.md", "CONTRIBUTING.md", "docs/index.md", "docs/guides/streamer.md"):
            named = re.findall(r"(?m)(?:^|`)make ([a-z]+)", (ROOT / name).read_text())
            self.assertEqual(set(named) - targets, set(), name)
