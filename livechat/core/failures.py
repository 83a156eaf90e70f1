# SPDX-License-Identifier: MIT
"""Why a chat could not be started, as an error with a code."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from livechat.model import error_catalogue
from livechat.model.errors import ChatError
from livechat.model.events import ChannelKey

_log = Logger()


def coded(reason: Failure, key: ChannelKey) -> ChatError:
    """A failed start as a coded error; one that has no code is a fault of ours and is logged."""
    if isinstance(reason.value, ChatError):
        return reason.value
    if isinstance(reason.value, CancelledError):
        return error_catalogue.CANCELLED.error()
    _log.failure("{channel}: the start failed without a code", reason, channel=str(key))
    return error_catalogue.INTERNAL.error()
