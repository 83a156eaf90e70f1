# SPDX-License-Identifier: MIT
"""The documents of the client protocol as a daemon serves them, and as their tools read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.protocol.commands import ClientMessage
from livechat.protocol.messages import ServerMessage
from tests.support.examples import examples
from tests.support.npm import DIRECTORY, run
from tests.test_stats_http import HttpCase

WEB = Path(__file__).resolve().parents[1] / "web"


class ServedTests(HttpCase):
    """A real daemon with our platforms alone."""

    async def test_files(self) -> None:
        """It serves what lies in the sources, to programs of any origin."""
        for path in ("schema.json", "asyncapi.json", "web/livechat.d.ts"):
            status, headers, body = await self.fetch(f"/{path}")
            self.assertEqual((status, body), (200, (WEB / Path(path).name).read_bytes()), path)
            self.assertEqual(headers["access-control-allow-origin"], "*")


class AjvTests(SynchronousTestCase):
    """The schema in ajv, the usual validator of JavaScript."""

    def test_messages(self) -> None:
        """Its strict mode takes the schema, and all that our structs can hold."""
        structs = (*get_args(ClientMessage), *get_args(ServerMessage))
        lines = [msgspec.json.encode(one) for struct in structs for one in examples(struct)]
        lines.append(b'{"type":"dance"}')
        text = b"".join(line + b"\n" for line in lines).decode()
        told = json.loads(run("validate.mjs", WEB / "schema.json", text=text))
        self.assertEqual(told["frames"], len(lines))
        self.assertEqual([json.loads(one["line"]) for one in told["invalid"]], [{"type": "dance"}])


class AsyncApiTests(SynchronousTestCase):
    """The AsyncAPI document in AsyncAPI's own parser."""

    def test_document(self) -> None:
        """It has no errors and no warnings, and all messages in their directions."""
        told = json.loads(run("asyncapi.mjs", text=(WEB / "asyncapi.json").read_text()))
        self.assertEqual((told["problems"], told["version"]), ([], "3.0.0"))
        commands, messages = (
            sorted(struct.__struct_config__.tag for struct in get_args(union))
            for union in (ClientMessage, ServerMessage)
        )
        streamed = [name for name in messages if name != "pong"]
        expected = {"receive": commands, "send": messages, "stream": streamed, "read": ["history"]}
        found = {action: sorted(names) for action, names in told["operations"].items()}
        self.assertEqual(found, expected)


class TypeScriptTests(SynchronousTestCase):
    """The types in the TypeScript compiler."""

    def test_compiles(self) -> None:
        """A strict program may use what there is, and what there is not is an error to it."""
        flags = ["--strict", "--noEmit", "--exactOptionalPropertyTypes", "--types", ""]
        target = ["--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom"]
        run(
            "node_modules/typescript/bin/tsc",
            *flags,
            *target,
            WEB / "livechat.d.ts",
            DIRECTORY / "usage.ts",
        )
