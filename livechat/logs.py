# SPDX-License-Identifier: MIT
"""The log that the options ask for, and the warnings of the start."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger

from livechat.command_line import DaemonOptions, exit_with_usage_error
from livechat.log_lines import json_form, masker, text_form
from livechat.log_output import LogOutput, destination

_log = Logger()


def log_output(
    reactor: Any, options: DaemonOptions, left_out: Callable[[], None]
) -> LogOutput | None:
    """The log, to be given to `twistd`; None where another program has one of its own.

    :param left_out: told each time that a line is left out.
    :raises SystemExit: its file cannot be written; one line on stderr.
    """
    twistd = _twistd(options)
    if twistd is None:
        return None
    settings = options.chosen.daemon
    make = json_form if settings.log_format == "json" else text_form
    try:
        write = destination(twistd, reactor)
    except OSError as error:
        exit_with_usage_error(f"--logfile {twistd['logfile']}: {error.strerror}")
    form = make(masker(options.secrets()))
    return LogOutput(form, settings.log_level, write, reactor.seconds, left_out)


def say_warnings(options: DaemonOptions) -> None:
    """What was chosen and has no effect: on stderr, or in a log that is to be all JSON."""
    in_log = options.chosen.daemon.log_format == "json" and _twistd(options) is not None
    for line in options.warnings():
        if in_log:
            _log.warn("{warning}", warning=line)
        else:
            sys.stderr.write(f"livechat: warning: {line}\n")


def _twistd(options: DaemonOptions) -> Mapping[str, Any] | None:
    """The options of `twistd`; `twist`, which has others, has options for its log, too."""
    parent: Mapping[str, Any] | None = getattr(options, "parent", None)
    return parent if parent is not None and "nodaemon" in parent else None
