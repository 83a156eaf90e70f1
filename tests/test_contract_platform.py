# SPDX-License-Identifier: MIT
"""Every platform keeps to the contract of platforms."""

from __future__ import annotations

from typing import Any

from livechat.platforms.twitch.limits import EMPTY_KEPT
from livechat.simulator.tiktok_faults import TikTokFault
from livechat.simulator.youtube_faults import YouTubeFault
from tests.contracts.platform import NOBODY, PlatformContract
from tests.support.tiktok_wire import TikTokCase, say
from tests.support.youtube import YouTubeCase
from tests.test_twitch_watcher import TwitchCase


class TwitchContractTests(PlatformContract, TwitchCase):
    """Twitch keeps to it."""

    live = "ann"
    missing = "missing_ann"
    kept = EMPTY_KEPT + 1
    spellings = ("Ann", "@ANN", "https://www.twitch.tv/ann", "twitch.tv/Ann?x=1")

    def the_platform(self) -> Any:
        """See `PlatformContract`."""
        return self.twitch

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """See `PlatformContract`."""
        TwitchCase.run_for(self, seconds, step)

    def speak(self, text: str) -> None:
        """See `PlatformContract`."""
        tags = f"@id={text.replace(' ', '-')};room-id=1;user-id=7"
        self.simulator.say("ann", f"{tags} :b!b@b.tmi.twitch.tv PRIVMSG #ann :{text}".encode())

    def cut(self) -> None:
        """See `PlatformContract`."""
        self.simulator.drop()

    def refuse(self) -> None:
        """See `PlatformContract`."""
        self.endpoint.refusing = True

    def admit(self) -> None:
        """See `PlatformContract`."""
        self.endpoint.refusing = False


class TikTokContractTests(PlatformContract, TikTokCase):
    """TikTok keeps to it."""

    live = "ann"
    missing = "missing_ann"
    spellings = ("Ann", "@ANN", "https://www.tiktok.com/@ann/live", "tiktok.com/@Ann?x=1")

    def the_platform(self) -> Any:
        """See `PlatformContract`."""
        return self.tiktok

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """See `PlatformContract`."""
        TikTokCase.run_for(self, seconds, step)

    def speak(self, text: str) -> None:
        """See `PlatformContract`."""
        self.simulator.say("ann", say(text))

    def cut(self) -> None:
        """See `PlatformContract`."""
        self.simulator.drop()

    def refuse(self) -> None:
        """See `PlatformContract`."""
        self.simulator.faults.add(TikTokFault.CAPTCHA)
        self.endpoint.refusing = True

    def admit(self) -> None:
        """See `PlatformContract`."""
        self.simulator.faults.clear()
        self.endpoint.refusing = False


class YouTubeContractTests(PlatformContract, YouTubeCase):
    """YouTube keeps to it."""

    live = "ann"
    missing = "missing_ann"
    spellings = ("Ann", "@ANN", "https://www.youtube.com/@ann/live", "youtube.com/@Ann?x=1")
    # Its handles have letters of every script, and the Kelvin sign is a K in their normal form.
    nobody = tuple(name for name in NOBODY if "\u212a" not in name)

    def the_platform(self) -> Any:
        """See `PlatformContract`."""
        return self.youtube

    def run_for(self, seconds: float, step: float = 0.25) -> None:
        """See `PlatformContract`."""
        YouTubeCase.run_for(self, seconds, step)

    def speak(self, text: str) -> None:
        """See `PlatformContract`: until the next poll nobody hears it."""
        self.say(text)
        self.run_for(4)

    def cut(self) -> None:
        """See `PlatformContract`: there is no connection, so nothing is answered for a while."""
        before = set(self.simulator.faults)
        self.simulator.faults.add(YouTubeFault.POLL_503)
        self.run_for(8)
        self.simulator.faults = before

    def refuse(self) -> None:
        """See `PlatformContract`."""
        self.simulator.faults |= {YouTubeFault.PAGE_503, YouTubeFault.POLL_503}

    def admit(self) -> None:
        """See `PlatformContract`."""
        self.simulator.faults.clear()
