# SPDX-License-Identifier: MIT
"""The command line of `twistd livechat-simulator`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from random import SystemRandom
from typing import Final

from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from livechat.simulator.emote_faults import EmoteFault
from livechat.simulator.playback import Recording, read_lines
from livechat.simulator.tiktok_faults import TikTokFault, TikTokMishap
from livechat.simulator.tiktok_playback import TikTokRecording, read_payloads
from livechat.simulator.twitch_connection import LOGIN
from livechat.simulator.twitch_faults import Fault, Mishap
from livechat.simulator.youtube_faults import YouTubeFault, YouTubeMishap
from livechat.simulator.youtube_playback import YouTubeRecording, read_recording

_FAULTS: Final = {fault.value: fault for fault in Fault}
_MISHAPS: Final = {mishap.value: mishap for mishap in Mishap}
_TIKTOK_FAULTS: Final = {fault.value: fault for fault in TikTokFault}
_TIKTOK_MISHAPS: Final = {mishap.value: mishap for mishap in TikTokMishap}
_YOUTUBE_FAULTS: Final = {fault.value: fault for fault in YouTubeFault}
_YOUTUBE_MISHAPS: Final = {mishap.value: mishap for mishap in YouTubeMishap}
_EMOTE_FAULTS: Final = {fault.value: fault for fault in EmoteFault}
_LASTING: Final = (*_FAULTS, *_TIKTOK_FAULTS, *_YOUTUBE_FAULTS, *_EMOTE_FAULTS)
_PASSING: Final = (*_MISHAPS, *_TIKTOK_MISHAPS, *_YOUTUBE_MISHAPS)


class Options(UsageOptions):
    """The command line of `twistd livechat-simulator`."""

    longdesc = (
        "Simulates chat platforms on this machine. Every Twitch channel is live, except those "
        "whose name begins with offline, missing, suspended, ending (ends after half a minute) or "
        "quiet (live, nobody writes); one that begins with busy has ten times the rate. "
        "TikTok accounts likewise, where suspended is live until TikTok ends the stream, private "
        "is a private account, and restricted a room that stays silent. "
        "YouTube channels likewise, and by the names members, upcoming, disabled (no chat), "
        "private, agelimit, ended, datacenter (live, but the player is kept from us), simulcast "
        "(found in the list of streams only), legacy and user (names without a handle). "
        f"Faults that last: {', '.join(_LASTING)}. "
        f"Faults that come again and again: {', '.join(_PASSING)}."
    )
    optParameters = [  # noqa: RUF012
        ["twitch-irc-port", None, "6667", "TCP port of the IRC server; 0: any free one"],
        ["http-port", None, "8081", "TCP port of everything HTTP; 0: any free one"],
        ["seed", None, "", "What the chats are made of; the log says which one was drawn"],
        ["rate", None, "2", "Messages per second and channel"],
        ["twitch-lines", None, "", "File of recorded IRC lines to play when its channel is joined"],
        ["twitch-channel", None, "", "Play the recorded lines into this channel"],
        ["tiktok-recording", None, "", "File of recorded webcast payloads to play"],
        ["tiktok-account", None, "", "Play the recorded payloads into this account's room"],
        ["youtube-recording", None, "", "Directory of recorded answers to play, one per poll"],
        ["speed", None, "1", "Of the recording; 0: as fast as the reader takes it"],
        ["fault-every", None, "30", "Seconds between repeated faults"],
    ]
    optFlags = [["loop", None, "Repeat the recording without end"]]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.faults: set[Fault] = set()
        self.mishaps: set[Mishap] = set()
        self.recording: Recording | None = None
        self.tiktok_faults: set[TikTokFault] = set()
        self.tiktok_mishaps: set[TikTokMishap] = set()
        self.tiktok_recording: TikTokRecording | None = None
        self.youtube_faults: set[YouTubeFault] = set()
        self.youtube_mishaps: set[YouTubeMishap] = set()
        self.youtube_recording: YouTubeRecording | None = None
        self.emote_faults: set[EmoteFault] = set()

    def opt_fault(self, name: str) -> None:
        """A fault to simulate (see below); may be given several times."""
        if name in _FAULTS:
            self.faults.add(_FAULTS[name])
        elif name in _MISHAPS:
            self.mishaps.add(_MISHAPS[name])
        elif name in _TIKTOK_FAULTS:
            self.tiktok_faults.add(_TIKTOK_FAULTS[name])
        elif name in _TIKTOK_MISHAPS:
            self.tiktok_mishaps.add(_TIKTOK_MISHAPS[name])
        elif name in _YOUTUBE_FAULTS:
            self.youtube_faults.add(_YOUTUBE_FAULTS[name])
        elif name in _YOUTUBE_MISHAPS:
            self.youtube_mishaps.add(_YOUTUBE_MISHAPS[name])
        elif name in _EMOTE_FAULTS:
            self.emote_faults.add(_EMOTE_FAULTS[name])
        else:
            raise UsageError(f"--fault: {name!r} is none of {', '.join((*_LASTING, *_PASSING))}")

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Read the command line; a wrong value is one line on stderr and the end (exit code 1)."""
        try:
            super().parseOptions(options)
        except UsageError as error:
            sys.stderr.write(f"livechat-simulator: {error}\n")
            raise SystemExit(1) from None

    def postOptions(self) -> None:
        """Check all values, and turn them into what they stand for.

        :raises UsageError: a value is wrong.
        """
        for name in ("twitch-irc-port", "http-port"):
            self[name] = int(self._number(name, 65535, whole=True))
        for name in ("rate", "speed"):
            self[name] = self._number(name, 1e6)
        self["fault-every"] = self._number("fault-every", inf)
        if not self["fault-every"]:
            raise UsageError("--fault-every: must be more than 0")
        self["seed"] = self["seed"] or str(SystemRandom().randrange(10**6))
        if self["twitch-channel"] and not LOGIN.fullmatch(self["twitch-channel"]):
            raise UsageError(f"--twitch-channel: {self['twitch-channel']!r} is no Twitch login")
        if self["twitch-lines"]:
            self.recording = self._recording(Path(self["twitch-lines"]))
        elif self["twitch-channel"] or (self["loop"] and not self["tiktok-recording"]):
            raise UsageError("--twitch-channel and --loop need --twitch-lines")
        if self["tiktok-recording"]:
            self.tiktok_recording = self._tiktok_recording(Path(self["tiktok-recording"]))
        elif self["tiktok-account"]:
            raise UsageError("--tiktok-account needs --tiktok-recording")
        if self["youtube-recording"]:
            self.youtube_recording = self._youtube_recording(Path(self["youtube-recording"]))

    def _number(self, name: str, most: float, whole: bool = False) -> float:
        given = self[name]
        try:
            value = int(given) if whole else float(given)
        except ValueError:
            raise UsageError(f"--{name}: {given!r} is no number") from None
        if not 0 <= value <= most or value == inf:
            raise UsageError(f"--{name}: {given!r} is out of range")
        return value

    def _recording(self, path: Path) -> Recording:
        try:
            lines = read_lines(path)
            return Recording(lines, self["twitch-channel"], self["speed"], bool(self["loop"]))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--twitch-lines: {path}: {reason}") from None

    def _tiktok_recording(self, path: Path) -> TikTokRecording:
        account = self["tiktok-account"].lower()
        try:
            payloads = read_payloads(path)
            return TikTokRecording(payloads, account, self["speed"], bool(self["loop"]))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--tiktok-recording: {path}: {reason}") from None

    def _youtube_recording(self, path: Path) -> YouTubeRecording:
        try:
            return read_recording(path)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise UsageError(f"--youtube-recording: {path}: {reason}") from None
