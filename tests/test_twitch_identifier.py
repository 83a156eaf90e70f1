# SPDX-License-Identifier: MIT
"""Which channel a client means, and what the server's answers to login and JOIN mean."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from livechat.model.errors import ChatError, ErrorCode
from livechat.platforms.twitch.identifier import login_of
from livechat.platforms.twitch.parse import replies
from livechat.platforms.twitch.parse.irc import LOGIN
from tests.support.twitch_lines import parsed


class IdentifierTests(SynchronousTestCase):
    """Names and addresses lead to one canonical login, anything else is refused."""

    def test_names(self) -> None:
        """One leading `@` is taken off, letters become small."""
        for identifier in ("Ada_99", "@ada_99", "ADA_99"):
            self.assertEqual(login_of(identifier), "ada_99")
        self.assertEqual(login_of("videos"), "videos")

    def test_addresses(self) -> None:
        """Every common address of a channel is understood."""
        for address in (
            "https://www.twitch.tv/Ada",
            "http://twitch.tv/ada/",
            "HTTPS://M.Twitch.TV/ada",
            "//go.twitch.tv/ada",
            "twitch.tv/ada",
            "www.twitch.tv/ada?referrer=raid&x=//y",
            "https://www.twitch.tv/ada#chat",
            "https://www.twitch.tv/ada/videos?filter=all",
            "https://www.twitch.tv/ada/about",
            "https://www.twitch.tv/popout/ada/chat?popout=",
            "https://www.twitch.tv/embed/ada/chat?parent=example.org",
            "https://www.twitch.tv/moderator/ada",
            "https://www.twitch.tv/popout/moderator/ada/chat",
        ):
            self.assertEqual(login_of(address), "ada", address)

    def test_refused(self) -> None:
        """Other hosts, pages of the site, other alphabets and anything that is not a login."""
        for identifier in (
            "",
            "@",
            "@@ada",
            " ada",
            "ada ",
            "ada\n",
            "ada\r\nJOIN #b",
            "ada,#b",
            "ada\0",
            "#ada",
            "ädä",
            "\N{KELVIN SIGN}appa",
            "аda",  # noqa: RUF001
            "a" * 26,
            "a" * 5000,
            "ada.",
            "ada/",
            "/ada",
            "twitch.tv",
            "https://twitch.tv",
            "https://twitch.tv/",
            "https://twitch.tv//ada",
            "https://twitch.tv/popout",
            "https://twitch.tv/popout/",
            "https://twitch.tv/videos/123",
            "https://twitch.tv/directory/game/x",
            "https://twitch.tv/p/legal",
            "https://twitch.tv/settings",
            "https://twitch.tv/%61da",
            "https://twitch.tv/@ada",
            "https://twitch.tv/ada b",
            "https://twitch.tv:443/ada",
            "https://ada@twitch.tv/ada",
            "https://twitch.tv.example.org/ada",
            "https://eviltwitch.tv/ada",
            "https://clips.twitch.tv/ada",
            "https://youtube.com/ada",
            "https:http://twitch.tv/ada",
            "ftp://twitch.tv/ada",
            "javascript:alert(1)//twitch.tv/ada",
        ):
            error = self.assertRaises(ChatError, login_of, identifier)
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER, identifier)

    @settings(deadline=None, database=None, max_examples=300)
    @given(st.text(max_size=30) | st.text("@/.:?#twichvadaK,\r\n", max_size=30))
    def test_any_text(self, identifier: str) -> None:
        """Any text is either a login that is safe to send, or refused with its code."""
        try:
            login = login_of(identifier)
        except ChatError as error:
            self.assertEqual(error.code, ErrorCode.INVALID_IDENTIFIER)
        else:
            self.assertIsNotNone(LOGIN.fullmatch(login))
            self.assertEqual(login_of(login), login)


class ReplyTests(SynchronousTestCase):
    """The server's answers."""

    def test_join_failures(self) -> None:
        """Each refusal has its code, its reason, and whether it may pass."""
        for msg_id, code, details, temporary in (
            ("msg_channel_suspended", ErrorCode.STREAM_NOT_FOUND, "SUSPENDED", False),
            ("msg_room_not_found", ErrorCode.STREAM_NOT_FOUND, "NOT_FOUND", False),
            ("tos_ban", ErrorCode.STREAM_NOT_FOUND, "SUSPENDED", False),
            ("msg_banned", ErrorCode.UPSTREAM_UNAVAILABLE, "BLOCKED", False),
            (
                "msg_concurrent_channel_limit_reached",
                ErrorCode.UPSTREAM_UNAVAILABLE,
                "CHANNEL_LIMIT",
                True,
            ),
        ):
            line = parsed(f"@msg-id={msg_id} :tmi.twitch.tv NOTICE #hopper :No.".encode())
            error = replies.join_failure(line)
            assert error is not None, msg_id
            self.assertEqual(
                (error.code, error.details, error.temporary), (code, details, temporary)
            )

    def test_no_join_failure(self) -> None:
        """Other notices, and other lines with such a tag, are none."""
        for raw in (
            b"@msg-id=slow_on :tmi.twitch.tv NOTICE #hopper :Slow.",
            b":tmi.twitch.tv NOTICE #hopper :This channel has been suspended.",
            b"@msg-id=tos_ban :ada!ada@x PRIVMSG #hopper :hi",
        ):
            self.assertIsNone(replies.join_failure(parsed(raw)), raw)

    def test_login_failures(self) -> None:
        """Known by how they begin, whatever the case; never by what somebody says in a room."""
        for text in (
            "Login authentication failed",
            "Login unsuccessful",
            "Improperly formatted auth",
            "invalid NICK: taken",
        ):
            self.assertTrue(
                replies.login_failed(parsed(f":tmi.twitch.tv NOTICE * :{text}".encode()))
            )
        for raw in (
            b":tmi.twitch.tv NOTICE #hopper :Login unsuccessful",
            b":tmi.twitch.tv NOTICE * :Welcome",
            b":tmi.twitch.tv NOTICE",
            b":ada!ada@x PRIVMSG * :Login unsuccessful",
        ):
            self.assertFalse(replies.login_failed(parsed(raw)), raw)

    def test_welcome(self) -> None:
        """001 and nothing else is the welcome."""
        self.assertTrue(
            replies.is_welcome(parsed(b":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!"))
        )
        self.assertFalse(replies.is_welcome(parsed(b":tmi.twitch.tv 372 justinfan1 :You are")))

    def test_capabilities(self) -> None:
        """A NAK makes the connection useless, an ACK does not."""
        caps = "twitch.tv/tags twitch.tv/commands"
        for word, refused in (("NAK", True), ("ACK", False)):
            line = parsed(f":tmi.twitch.tv CAP * {word} :{caps}".encode())
            self.assertEqual(replies.capabilities_refused(line), refused)

    def test_echoes(self) -> None:
        """Only our own JOIN and PART of a channel count."""
        for command, ours in (("JOIN", replies.is_join_echo), ("PART", replies.is_part_echo)):
            raw = ":justinfan1!justinfan1@justinfan1.tmi.twitch.tv {} {}"
            self.assertTrue(ours(parsed(raw.format(command, "#hopper").encode()), "justinfan1"))
            self.assertFalse(ours(parsed(raw.format(command, "#hopper").encode()), "justinfan2"))
            self.assertFalse(ours(parsed(raw.format(command, "").encode()), "justinfan1"))
            self.assertFalse(ours(parsed(raw.format("MODE", "#hopper").encode()), "justinfan1"))
