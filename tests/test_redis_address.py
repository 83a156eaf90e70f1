# SPDX-License-Identifier: MIT
"""The URL of a Redis server, as operators write it."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from livechat.redis.address import RedisAddress


class AddressTests(SynchronousTestCase):
    """What an operator writes."""

    def test_parts(self) -> None:
        """Everything a URL may name, and what it leaves out."""
        for url, parts in (
            ("redis://h", ("h", 6379, 0, "", "", False, "")),
            ("redis://h:1/", ("h", 1, 0, "", "", False, "")),
            ("rediss://h:1/15", ("h", 1, 15, "", "", True, "")),
            ("redis://:p@h", ("h", 6379, 0, "", "p", False, "")),
            ("redis://u%40x:p%2F%3A@h/2", ("h", 6379, 2, "u@x", "p/:", False, "")),
            ("redis://[::1]:7/0", ("::1", 7, 0, "", "", False, "")),
            ("redis://h?db=3", ("h", 6379, 3, "", "", False, "")),
            ("redis://h/?db=3", ("h", 6379, 3, "", "", False, "")),
            ("redis://h/3?db=3", ("h", 6379, 3, "", "", False, "")),
            ("redis://:p%23%3F%2F%40@h", ("h", 6379, 0, "", "p#?/@", False, "")),
            ("unix:///run/r.sock", ("", 0, 0, "", "", False, "/run/r.sock")),
            ("unix:///run/a%20@1?db=3", ("", 0, 3, "", "", False, "/run/a @1")),
            ("unix://u:p@/run/r?db=3", ("", 0, 3, "u", "p", False, "/run/r")),
        ):
            self.assertEqual(msgspec.structs.astuple(RedisAddress.parse(url)), parts)

    def test_shown(self) -> None:
        """A log shows where, and never how to log in."""
        for url, shown in (
            ("redis://user:secret@h:1/2", "redis://h:1/2"),
            ("rediss://:secret@[::1]", "rediss://[::1]:6379/0"),
            ("unix://u:secret@/run/r", "unix:///run/r?db=0"),
        ):
            self.assertEqual(str(RedisAddress.parse(url)), shown)

    def test_wrong_database(self) -> None:
        """A database that is no number is said to be one, without the secrets of the URL."""
        for path in ("x", "1/2", "-1", "999999", "1x"):
            error = self.assertRaises(ValueError, RedisAddress.parse, f"redis://u:secret@h/{path}")
            self.assertNotIn("secret", str(error))

    def refused(self, url: str, sentence: str) -> None:
        """It is said what is wrong, and nothing of the URL."""
        error = self.assertRaises(ValueError, RedisAddress.parse, url)
        self.assertIn(sentence, str(error))
        self.assertNotIn("secret", str(error))

    def test_database_in_the_query(self) -> None:
        """`?db=` is understood; what cannot be meant is refused, never taken for database 0."""
        self.refused("redis://u:secret@h/?db=x", "by its number")
        self.refused("redis://u:secret@h/?db=-1", "by its number")
        self.refused("redis://u:secret@h/1?db=2", "one database, not two")
        self.refused("redis://u:secret@h/?db=1&db=2", "one database, not two")
        self.refused("redis://h/?password=secret", "?db=3")
        self.refused("redis://u:secret@h/0?ssl_cert_reqs=none", "?db=3")

    def test_characters_that_need_encoding(self) -> None:
        """A raw `#`, `?` or `/` in a password is what is spoken of, not a port or a database."""
        for mark in "#?/":
            for url in (
                f"redis://:sec{mark}ret@h:6379/0",
                f"redis://:secret{mark}@h",
                f"redis://:{mark}secret@h/1",
                f"redis://us{mark}er:secret@h/1",
                f"rediss://u:1{mark}secret@h:6379",
            ):
                self.refused(url, "percent-encoded, as %23, %3F and %2F")
        self.refused("redis://h/0#secret", "percent-encoded")

    def test_sockets(self) -> None:
        """A Unix socket has a path, and no host."""
        for url in ("unix://", "unix:///", "unix://run/secret.sock", "unix:secret"):
            self.refused(url, "unix:///run/redis")
        self.refused("unix:///run/r?db=secret", "by its number")
