# SPDX-License-Identifier: MIT
"""Recorded webcast payloads, pushed again byte for byte with the timing they had."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import DecodeError

from livechat.platforms.tiktok import webcast_pb2 as schema
from livechat.simulator.tiktok_messages import Written

#: Seconds of silence that are played, at most.
_LONGEST: Final = 10.0


class TikTokRecording:
    """A recording of one or more accounts' rooms, each played once (or for ever) on its own time.

    :ivar accounts: handles that it has payloads of.

    :param payloads: handle, time in seconds, and what was pushed.
    :param account: play everything into this account's room instead of those that are named.
    :param speed: 1 is the original timing, 2 twice as fast; 0: as fast as possible.
    :param loop: begin again at the end.  The ids repeat, too.
    :raises ValueError: nothing was recorded.
    """

    def __init__(
        self,
        payloads: list[tuple[str, float, Written]],
        account: str = "",
        speed: float = 1.0,
        loop: bool = False,
    ) -> None:
        self._payloads: dict[str, list[tuple[float, Written]]] = {}
        for handle, seconds, written in sorted(payloads, key=lambda payload: payload[1]):
            self._payloads.setdefault(account or handle, []).append((seconds, written))
        if not self._payloads:
            raise ValueError("nothing was recorded")
        self.accounts = frozenset(self._payloads)
        self._speed = speed
        self._loop = loop

    def feed(self, account: str) -> Iterator[tuple[float, Written]]:
        """The payloads of an account, each with the seconds that pass before it."""
        while True:
            latest: float | None = None
            for seconds, written in self._payloads[account]:
                pause = 0.0
                if latest is not None and self._speed:
                    # A gap in the recording is not worth waiting for.
                    pause = min(max(0.0, seconds - latest), _LONGEST) / self._speed
                latest = seconds
                yield pause, written
            if not self._loop:
                return


def read_payloads(path: Path) -> list[tuple[str, float, Written]]:
    """The payloads of a file.

    :param path: JSON `{method: [{"ts", "uniqueId", "eventData" (base64)}]}`; or a whole batch as
        the server answers or pushes it, bare or in its frame.
    :raises OSError: it cannot be read.
    :raises ValueError: of another shape.
    """
    data = path.read_bytes()
    if not data.lstrip().startswith(b"{"):
        return [("recorded", 0.0, written) for written in read_messages(data)]
    document: Any = json.loads(data)
    try:
        return [
            (
                str(record["uniqueId"]).lower(),
                _seconds(record["ts"]),
                _written(method, base64.b64decode(record["eventData"])),
            )
            for method, records in document.items()
            for record in records
        ]
    except (KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise ValueError("no lists of `ts`, `uniqueId` and `eventData`") from error


def _seconds(moment: str) -> float:
    # Some writers put nine digits after the point.
    whole, _, rest = moment.rstrip("Z").partition(".")
    when = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return when.timestamp() + float(f"0.{rest or 0}")


def _written(method: str, payload: bytes) -> Written:
    """The envelope's id is not recorded: it is read from the head of the payload."""
    try:
        # Of all kinds the one whose other field is never a text that could be refused.
        number = schema.ControlMessage.FromString(payload).common.msg_id
    except DecodeError:
        number = 0
    return Written(method, payload, number)


def read_messages(data: bytes) -> list[Written]:
    """The messages of a whole batch, bare or in its frame.

    :raises ValueError: it is none.
    """
    try:
        frame = schema.PushFrame.FromString(data)
        if frame.payload_type:
            data = frame.payload
    except DecodeError:
        pass
    if data.startswith(b"\x1f\x8b\x08"):
        data = gzip.decompress(data)
    try:
        envelopes = [
            schema.Envelope.FromString(raw) for raw in schema.Batch.FromString(data).messages
        ]
    except DecodeError as error:
        raise ValueError("no batch of messages") from error
    return [Written(one.method.decode("latin-1"), one.payload, one.msg_id) for one in envelopes]
