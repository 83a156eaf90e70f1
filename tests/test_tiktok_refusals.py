# SPDX-License-Identifier: MIT
"""Why there is no chat, and what a client is told."""

from __future__ import annotations

import json

from msgspec import Struct
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.errors import ChatError, ErrorCode
from livechat.platforms.tiktok.parse.answers import Live, NotLive, Unclear, error_for
from livechat.platforms.tiktok.refusals import (
    Reason,
    Refused,
    ended,
    error_of,
    not_live,
    read_handshake,
    refused,
)
from tests.support.corpus import corpus


class Told(Struct):
    """What of an error a client's program reads."""

    code: ErrorCode
    details: str | None
    temporary: bool


class ErrorTests(SynchronousTestCase):
    """What a client is told."""

    def test_every_reason(self) -> None:
        """Every reason has its code and details, and none of them says that nobody is live."""
        unavailable = ErrorCode.UPSTREAM_UNAVAILABLE
        expected = {
            Reason.NOT_FOUND: Told(ErrorCode.STREAM_NOT_FOUND, None, False),
            Reason.UNCONFIRMED: Told(unavailable, "BLOCKED", True),
            Reason.UNCLEAR: Told(unavailable, "UNCLEAR", True),
            Reason.BLOCKED: Told(unavailable, "BLOCKED", True),
            Reason.LOGIN_REQUIRED: Told(unavailable, "LOGIN_REQUIRED", True),
            Reason.PRIVATE: Told(unavailable, "PRIVATE", False),
            Reason.AGE_RESTRICTED: Told(unavailable, "AGE_RESTRICTED", False),
            Reason.UPSTREAM: Told(unavailable, "UPSTREAM_ERROR", True),
            Reason.REFUSED: Told(unavailable, "REFUSED", True),
            Reason.SIGNER_REQUIRED: Told(unavailable, "SIGNER_REQUIRED", True),
            Reason.SIGNER_DOWN: Told(unavailable, "SIGNER_DOWN", True),
            Reason.SIGNER_REJECTED: Told(unavailable, "SIGNER_REJECTED", False),
            Reason.SIGNER_QUOTA: Told(unavailable, "SIGNER_QUOTA", True),
        }
        told = {reason: self.told(error_of(Refused(reason))) for reason in Reason}
        self.assertEqual(told, expected)

    def told(self, error: ChatError) -> Told:
        """The parts that programs read; there is always a sentence for people."""
        self.assertRegex(error.error, r"^[A-Z][^\n]+[^.]$")
        return Told(error.code, error.details, error.temporary)

    def test_note(self) -> None:
        """What was seen stands in the sentence, cut and cleaned of what could harm a log."""
        error = error_of(refused(Reason.REFUSED, "illegal\r\n\x1b[31m key\u202e" + "x" * 500))
        self.assertEqual(
            error.error, f"The platform refused the chat connection (illegal[31m key{'x' * 61})"
        )

    def test_no_stream(self) -> None:
        """Only an account that is known to be offline is called not live."""
        self.assertEqual(error_for(NotLive()).code, ErrorCode.STREAM_NOT_LIVE)
        self.assertEqual(not_live().details, None)
        self.assertEqual(error_for(Unclear(Live("1"))).details, "UNCLEAR")
        self.assertEqual(error_for(Refused(Reason.BLOCKED)).details, "BLOCKED")

    def test_ended(self) -> None:
        """The end of a stream says when TikTok itself ended it."""
        self.assertEqual(
            self.told(ended(suspended=False)), Told(ErrorCode.STREAM_ENDED, None, False)
        )
        self.assertEqual(
            self.told(ended(suspended=True)), Told(ErrorCode.STREAM_ENDED, "SUSPENDED", False)
        )

    def test_handshakes(self) -> None:
        """The refused upgrades that people have quoted keep the header's text."""
        entries = json.loads(corpus("tiktok/json/observed_responses.json").read_bytes())["entries"]
        observed = {
            entry["id"]: read_handshake(entry["http"], entry["headers"])
            for entry in entries
            if "headers" in entry
        }
        self.assertEqual(
            observed,
            {
                "ws_device_blocked": Refused(Reason.REFUSED, "DEVICE_BLOCKED"),
                "ws_illegal_secret_key": Refused(Reason.REFUSED, "illegal secret key"),
                "ws_illegal_app_id": Refused(Reason.REFUSED, "illegal app_id"),
            },
        )
        self.assertIsNone(read_handshake(101, {}))
        self.assertEqual(read_handshake(429, {}), Refused(Reason.BLOCKED, "HTTP 429"))
        self.assertEqual(read_handshake(200, {}), Refused(Reason.REFUSED, "HTTP 200"))
