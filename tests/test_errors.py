# SPDX-License-Identifier: MIT
"""Codes and errors as values: what clients may rely on."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from livechat.model.errors import ChatError, CloseCode, ErrorCode


class CodeTests(SynchronousTestCase):
    """The words and numbers that go over the wire."""

    def test_error_codes(self) -> None:
        """The specification's six codes come first, ours follow; each is its own text."""
        self.assertEqual(
            [str(code) for code in ErrorCode],
            [
                "STREAM_NOT_LIVE",
                "STREAM_ENDED",
                "INVALID_MESSAGE_TYPE",
                "NO_ACTIVE_CHAT",
                "STREAM_NOT_FOUND",
                "UNSUPPORTED_PLATFORM",
                "INVALID_IDENTIFIER",
                "INVALID_OPTION",
                "UPSTREAM_UNAVAILABLE",
                "TOO_MANY_CHATS",
                "TOO_MANY_FILTERS",
                "RATE_LIMITED",
                "FORBIDDEN",
            ],
        )
        for code in ErrorCode:
            self.assertEqual(code.name, code.value)

    def test_close_codes(self) -> None:
        """Each reason to close has its number, which may be sent (RFC 6455 section 7.4)."""
        self.assertEqual(
            {code.name: int(code) for code in CloseCode},
            {"GOING_AWAY": 1001, "POLICY": 1008, "INTERNAL": 1011, "OVERLOAD": 1013, "SLOW": 4008},
        )


class ChatErrorTests(SynchronousTestCase):
    """A failure that a client is told about."""

    def test_plain(self) -> None:
        """Code and sentence suffice; the rest says nothing."""
        error = ChatError(ErrorCode.STREAM_NOT_LIVE, "Stream is not live")
        self.assertIs(error.code, ErrorCode.STREAM_NOT_LIVE)
        self.assertEqual(error.error, "Stream is not live")
        self.assertIsNone(error.details)
        self.assertIs(error.temporary, False)
        self.assertIsNone(error.scheduled_start)
        self.assertEqual(str(error), "STREAM_NOT_LIVE: Stream is not live")

    def test_full(self) -> None:
        """Everything that is said about a failure is kept, and the text names the reason."""
        error = ChatError(
            ErrorCode.UPSTREAM_UNAVAILABLE,
            "Not now",
            "BLOCKED",
            temporary=True,
            scheduled_start="2026-01-02T03:04:05.000Z",
        )
        self.assertEqual(error.details, "BLOCKED")
        self.assertIs(error.temporary, True)
        self.assertEqual(error.scheduled_start, "2026-01-02T03:04:05.000Z")
        self.assertEqual(str(error), "UPSTREAM_UNAVAILABLE: Not now (BLOCKED)")

    def test_is_an_exception(self) -> None:
        """Its arguments tell what it was in a traceback."""
        error = ChatError(ErrorCode.RATE_LIMITED, "Slow down", "10 per second")
        self.assertIsInstance(error, Exception)
        self.assertEqual(error.args, (ErrorCode.RATE_LIMITED, "Slow down", "10 per second"))
