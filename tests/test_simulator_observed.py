# SPDX-License-Identifier: MIT
"""The files of what people observed: they can be found, and are played by name."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from livechat.simulator import observed
from livechat.simulator.twitch_connection import LOGIN


class ObservedTests(SynchronousTestCase):
    """Names and contents of the files."""

    def test_names(self) -> None:
        """Every file is known by its platform and name, and none is empty."""
        self.assertIn("twitch-gif", observed.names())
        for name in observed.names():
            platform, _, rest = name.partition("-")
            self.assertIn(platform, ("tiktok", "twitch", "youtube"))
            self.assertTrue(rest)
            self.assertTrue(observed.read(name), name)

    def test_unknown(self) -> None:
        """A name that there is not is an error, also one that leads to another directory."""
        for name in ("twitch-nothing", "", "../twitch", "twitch-gif.irc"):
            with self.assertRaises(KeyError):
                observed.read(name)

    def test_twitch_logins(self) -> None:
        """Every file of Twitch lines has a name that a Twitch channel can have."""
        for name in observed.names():
            if name.startswith("twitch-"):
                login = observed.PREFIX + name.removeprefix("twitch-").replace("-", "_")
                self.assertTrue(LOGIN.fullmatch(login), login)
                self.assertEqual(observed.played_by("twitch", login), name)

    def test_channels(self) -> None:
        """A channel plays the file of its own platform whose name it carries."""
        self.assertEqual(observed.played_by("twitch", "observed_gif"), "twitch-gif")
        self.assertEqual(observed.played_by("twitch", "observed_badge_info"), "twitch-badge-info")
        for platform, channel in (
            ("youtube", "observed_gif"),
            ("twitch", "gif"),
            ("twitch", "observed_"),
            ("twitch", "observed_nothing"),
        ):
            self.assertIsNone(observed.played_by(platform, channel))
