# SPDX-License-Identifier: MIT
"""What an operator may choose: from the command line, from the environment, and what is refused."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping, Sequence
from ipaddress import ip_network
from typing import Annotated, Any

from msgspec import Struct
from msgspec.structs import fields, replace
from twisted.trial.unittest import SynchronousTestCase

from livechat.choices import Choice, Option, options_of
from livechat.command_line import (
    Options,
    declared_options,
    exit_with_usage_error,
    own_version,
)
from livechat.options import Chosen, Settings
from livechat.platforms.description import PlatformDescription, installed

#: The defaults that the configuration contract promises, for all of its options.
PROMISED: Mapping[str, Any] = {
    "port": 3000,
    "listen": (),
    "stats-storage": "memory",
    "redis-url": "",
    "twitch-irc": "tls:irc.chat.twitch.tv:6697",
    "twitch-gql-url": "https://gql.twitch.tv/gql",
    "twitch-history-url": "",
    "twitch-hermes-url": "",
    "youtube-url": "https://www.youtube.com",
    "tiktok-url": "https://www.tiktok.com",
    "tiktok-webcast-url": "https://webcast.tiktok.com",
    "tiktok-signer-url": "",
    "tiktok-signer-key": "",
    "tiktok-socket-hosts": (),
    "linger": 10.0,
    "coalesce": 10.0,
    "demo": False,
    # Named where the wire contract speaks of them.
    "start-timeout": 30.0,
    "stats-top": 100,
    "stats-users": 10000,
    "twitch-require-live": False,
    # Proposed with the reliability cases.
    "max-chats": 32,
    "max-message": 65536,
    "max-pending": 1 << 20,
    "history-size": 500,
    "history-ttl": 300.0,
    "history-memory": 256 << 20,
    "origins": ("*",),
}

#: Of each option: texts that are taken, with their values.
TAKEN: Mapping[str, Sequence[tuple[str, Any]]] = {
    "port": [("0", 0), ("1", 1), ("8080", 8080), ("65535", 65535)],
    "listen": [("tcp:3000:interface=127.0.0.1", ("tcp:3000:interface=127.0.0.1",))],
    "broker": [("local", "local")],
    "node": [("ann", "ann"), ("host-7.example.org:1_a", "host-7.example.org:1_a"), ("", "")],
    "workers": [("1", 1)],
    "stats-storage": [("memory", "memory")],
    "redis-prefix": [("livechat", "livechat"), ("My_chat-2.0:x", "My_chat-2.0:x")],
    "broker-fallback": [("none", "none"), ("local", "local")],
    "lease": [("1", 1.0), ("2.5", 2.5), ("60", 60.0)],
    "redis-url": [
        ("redis://localhost", "redis://localhost"),
        ("redis://user:secret@host:6379/2", "redis://user:secret@host:6379/2"),
        ("rediss://host/0", "rediss://host/0"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
    ],
    "coalesce": [("0", 0.0), ("2.5", 2.5), ("1000", 1000.0)],
    "linger": [("0", 0.0), ("0.5", 0.5), ("86400", 86400.0)],
    "start-timeout": [("1", 1.0), ("45.5", 45.5), ("600", 600.0)],
    "wait-poll": [("1", 1.0), ("60.5", 60.5), ("3600", 3600.0)],
    "stats-top": [("1", 1), ("10000", 10000)],
    "admin-listen": [("unix:/run/livechat/admin.sock", ("unix:/run/livechat/admin.sock",))],
    "log-format": [("text", "text"), ("json", "json")],
    "log-level": [(level, level) for level in ("debug", "info", "warn", "error")],
    "tokens": [("/etc/livechat/tokens", "/etc/livechat/tokens"), ("", "")],
    "drain-seconds": [("0", 0.0), ("30", 30.0), ("3600", 3600.0)],
    "max-clients": [("0", 0), ("10000000", 10**7)],
    "max-clients-per-address": [("0", 0), ("10000000", 10**7)],
    "max-starts-per-address": [("0", 0), ("60", 60), ("1000000", 10**6)],
    "trusted-proxies": [
        ("10.0.0.0/8", (ip_network("10.0.0.0/8"),)),
        ("::1", (ip_network("::1/128"),)),
    ],
    "max-channels": [("1", 1), ("10000000", 10**7)],
    "max-chats": [("1", 1), ("10000", 10000)],
    "max-message": [("1024", 1024), ("16777216", 1 << 24)],
    "max-pending": [("65536", 65536), ("1073741824", 1 << 30)],
    "history-size": [("20", 20), ("0", 0), ("1000000", 10**6)],
    "history-ttl": [("4", 4.0), ("0", 0.0), ("0.5", 0.5), ("86400", 86400.0)],
    "history-memory": [("0", 0), ("68719476736", 1 << 36)],
    "command-rate": [("0.1", 0.1), ("10000", 10000.0)],
    "no-compression": [("1", True)],
    "origins": [("https://example.org", ("https://example.org",)), ("null", ("null",))],
    "twitch-irc": [("tcp:127.0.0.1:6667", "tcp:127.0.0.1:6667"), ("tls:h:1", "tls:h:1")],
    "twitch-gql-url": [("http://127.0.0.1:8000/gql", "http://127.0.0.1:8000/gql")],
    "twitch-history-url": [("https://h/api", "https://h/api"), ("", "")],
    "twitch-hermes-url": [("wss://h/v1", "wss://h/v1"), ("", "")],
    "twitch-require-live": [("1", True)],
    "twitch-live-poll": [("1", 1.0), ("3600", 3600.0)],
    "twitch-offline-grace": [("0", 0.0), ("86400", 86400.0)],
    "stats-users": [("100", 100), ("1000000", 10**6)],
    "youtube-url": [("http://127.0.0.1:8082", "http://127.0.0.1:8082")],
    "youtube-viewers-every": [("0", 0.0), ("3600", 3600.0)],
    "tiktok-url": [("http://127.0.0.1:8081/tiktok", "http://127.0.0.1:8081/tiktok")],
    "tiktok-webcast-url": [("https://webcast.example", "https://webcast.example")],
    "tiktok-socket-url": [("ws://127.0.0.1:1/x/", "ws://127.0.0.1:1/x/"), ("wss://h", "wss://h")],
    "tiktok-transport": [("auto", "auto"), ("direct", "direct"), ("signer", "signer")],
    "tiktok-signer-url": [("http://127.0.0.1:8080", "http://127.0.0.1:8080")],
    "tiktok-signer-key": [("k", "k"), ("a" * 1024, "a" * 1024)],
    "tiktok-signer-budget": [("0", 0), ("1000000000", 10**9)],
    "tiktok-socket-hosts": [("ws.example", ("ws.example",))],
    "tiktok-no-history": [("1", True)],
    "tiktok-intake": [("tcp:3001:interface=127.0.0.1", "tcp:3001:interface=127.0.0.1")],
    "tiktok-intake-token": [("a" * 16, "a" * 16)],
    "emotes": [
        ("7tv,bttv,ffz", "7tv,bttv,ffz"),
        ("ffz, 7tv,ffz", "ffz,7tv"),
        ("7tv", "7tv"),
        ("", ""),
    ],
    "7tv-url": [("http://127.0.0.1:1/7tv", "http://127.0.0.1:1/7tv"), ("", "")],
    "7tv-events-url": [("ws://127.0.0.1:1/x", "ws://127.0.0.1:1/x"), ("", "")],
    "bttv-url": [("http://127.0.0.1:1/bttv", "http://127.0.0.1:1/bttv"), ("", "")],
    "bttv-socket-url": [("ws://127.0.0.1:1/x", "ws://127.0.0.1:1/x"), ("", "")],
    "ffz-url": [("http://127.0.0.1:1/ffz", "http://127.0.0.1:1/ffz"), ("", "")],
    "demo": [("1", True)],
    "demo-rate": [("0.01", 0.01), ("10000", 10000.0)],
    "demo-seed": [("0", 0), ("1000000000", 10**9)],
}

SECRET = "hunter2"

_WHOLE = ("", "-1", "+1", "1.0", "1e1", " 1", "1 ", "0x10", "ten", "1_0", "٣", "9" * 13, "9" * 5000)
_NUMBER = ("", "-1", "nan", "inf", "-inf", "1e400", "ten", "1,5", "--", "0x10")
_URL = (
    "x",
    "host:1",
    "ftp://h/",
    "://h",
    "http//h",
    "http:",
    "http://",
    "http:///x",
    "file:///etc",
)

#: Of each option: texts that are refused, from the command line at least.
REFUSED: Mapping[str, Sequence[str]] = {
    "port": [*_WHOLE, "65536", "999999"],
    "listen": ["", "3000", ":3000", "tcp", "tcp:", " tcp:1", "/tmp/socket"],
    "log-format": ["", "JSON", "yaml"],
    "log-level": ["", "warning", "critical"],
    "admin-listen": ["", "9090", "unix:"],
    "broker": ["", "Redis", "memory"],
    "node": ["a b", "a/1", "a\n", "{a}", "a" * 65],
    "workers": [*_WHOLE, "0", "257"],
    "stats-storage": ["", "Redis", "redis ", "file", "none"],
    "redis-prefix": ["a b", "a{b}", "x" * 65, "a/b"],
    "broker-fallback": ["", "redis", "Local"],
    "lease": ["0", "0.9", "61", "inf", "nan", "five"],
    "redis-url": [
        "",
        "localhost",
        "localhost:6379",
        "http://h/",
        "redis:/h",
        "redis:h",
        "redis://",
        "redis:///0",
        "redis://:6379",
        "redis://h:0/",
        "redis://h:65536",
        "redis://h:x",
        "redis://[::1",
        "redis://h/x",
        "redis://h?db=x",
        "redis://:a#b@h:1",
        "unix://",
        "unix://h/path",
    ],
    "coalesce": [*_NUMBER, "1001"],
    "linger": [*_NUMBER, "86401"],
    "start-timeout": [*_NUMBER, "0.9", "601"],
    "wait-poll": [*_NUMBER, "0.9", "3601"],
    "stats-top": [*_WHOLE, "0", "10001"],
    "drain-seconds": [*_NUMBER, "3601"],
    "max-clients": [*_WHOLE, "10000001"],
    "max-clients-per-address": [*_WHOLE, "10000001"],
    "max-starts-per-address": [*_WHOLE, "1000001"],
    "trusted-proxies": ["proxy", "10.0.0.1/8", "10.0.0.0/33", "1.2.3", "::1/x", ":"],
    "max-channels": [*_WHOLE, "0", "10000001"],
    "max-chats": [*_WHOLE, "0", "10001"],
    "max-message": [*_WHOLE, "1023", "16777217"],
    "max-pending": [*_WHOLE, "65535", "1073741825"],
    "history-size": [*_WHOLE, "-1", "1000001"],
    "history-ttl": [*_NUMBER, "-1", "86401"],
    "history-memory": [*_WHOLE, "-1", "68719476737"],
    "command-rate": [*_NUMBER, "0", "10001"],
    "origins": ["", "a b", "a\tb", "\n"],
    "twitch-irc": ["", "6667", ":6667", "tcp", "tcp:"],
    "twitch-gql-url": [*_URL, "redis://h/", "http://h:0/", "http://h:x/"],
    "twitch-history-url": [*_URL, "redis://h/", "http://h:0/"],
    "twitch-hermes-url": ["h", "https://h/", "wss://", "ws://h:0/"],
    "twitch-live-poll": [*_NUMBER, "0", "3601"],
    "twitch-offline-grace": [*_NUMBER, "86401"],
    "stats-users": [*_WHOLE, "99", "1000001"],
    "youtube-url": [*_URL, "", "ws://h/", "http://h:0/"],
    "youtube-viewers-every": [*_NUMBER, "3601"],
    "tiktok-url": [*_URL, "", "ws://h/", "http://h:0/"],
    "tiktok-webcast-url": [*_URL, "", "ws://h/", "http://h:0/"],
    "tiktok-socket-url": [*_URL, "", "http://h/", "ws://h:0/"],
    "tiktok-transport": ["", "Direct", "signed", "direct "],
    "tiktok-signer-url": [*_URL, "ws://h/", "http://h:0/"],
    "tiktok-signer-key": [f"{SECRET} b", f"{SECRET}\t", f"{SECRET}\u00e9", "a" * 1025],
    "tiktok-signer-budget": [*_WHOLE, "1000000001"],
    "tiktok-socket-hosts": ["", "Host", "h:1", "https://h", "-h", "h-", "a b", "h" * 254],
    "tiktok-intake": ["3001", ":3001", "tcp", "tcp:"],
    "tiktok-intake-token": ["a" * 15, f"{SECRET} {SECRET} {SECRET}", "a" * 1025],
    "emotes": ["7TV", "7tv,", "7tv bttv", "none", ","],
    "7tv-url": [*_URL, "ws://h/", "http://h:0/"],
    "7tv-events-url": [*_URL, "http://h/", "ws://h:0/"],
    "bttv-url": [*_URL, "ws://h/", "http://h:0/"],
    "bttv-socket-url": [*_URL, "http://h/", "ws://h:0/"],
    "ffz-url": [*_URL, "ws://h/", "http://h:0/"],
    "demo-rate": [*_NUMBER, "0", "10001"],
    "demo-seed": [*_WHOLE, "1000000001"],
}


#: Every option there is.
OPTIONS = declared_options(installed())


def choice_of(chosen: Chosen, option: Option) -> Any:
    """What was chosen for an option."""
    return getattr(chosen.of(option.section), option.field)


class OptionsCase(SynchronousTestCase):
    """Options read from a command line and an environment that the test gives."""

    platforms: Mapping[str, PlatformDescription] = installed()

    def settings(self, *arguments: str, **environ: str) -> Settings:
        """The daemon's own choices."""
        return self.chosen(*arguments, **environ).daemon

    def chosen(self, *arguments: str, **environ: str) -> Chosen:
        """The outcome; nothing may be said on stderr, warnings stay in `warnings`."""
        said = io.StringIO()
        self.patch(sys, "stderr", said)
        options = Options(environ, self.platforms)
        options.parseOptions(arguments)
        self.assertEqual(said.getvalue(), "")
        self.warnings = list(options.warnings())
        for line in self.warnings:
            self.assertRegex(line, r"\A[^\x00-\x1f]+\Z")
            self.assertNotIn(SECRET, line)
        return options.chosen

    def refusal(self, *arguments: str, **environ: str) -> str:
        """What is said about a wrong choice: one line, and exit code 1."""
        said = io.StringIO()
        self.patch(sys, "stderr", said)
        with self.assertRaises(SystemExit, msg=f"{arguments} {environ}") as caught:
            Options(environ).parseOptions(arguments)
        self.assertEqual(caught.exception.code, 1)
        line = said.getvalue()
        self.assertRegex(line, r"\Alivechat: [^\r\n\x1b]+\n\Z")
        self.assertNotIn("Traceback", line)
        self.assertNotIn(SECRET, line)
        self.assertLess(len(line), 500)
        return line

    def line_of(self, option: Option, text: str) -> list[str]:
        """An option on the command line."""
        return [f"--{option.name}"] if option.kind == "flag" else [f"--{option.name}={text}"]


class TableTests(OptionsCase):
    """The options as declared."""

    def test_declared_once(self) -> None:
        """Every field of every section is an option, and no two have one name or variable."""
        for names in ([one.name for one in OPTIONS], [one.variable for one in OPTIONS]):
            self.assertEqual(len(set(names)), len(names))
        sections: dict[str, type[Struct]] = {
            "": Settings,
            **{name: one.settings for name, one in installed().items()},
        }
        declared = {(name, f.name) for name, one in sections.items() for f in fields(one)}
        self.assertEqual({(option.section, option.field) for option in OPTIONS}, declared)

    def test_undeclared(self) -> None:
        """A field without a choice, or without a default, is a mistake that is found at once."""

        class Forgotten(Struct):
            word: str = ""

        class Required(Struct):
            word: Annotated[str, Choice(str, "A word.")]

        for settings in (Forgotten, Required):
            with self.assertRaises(TypeError):
                list(options_of(settings))

    def test_variables(self) -> None:
        """Three variables keep the names they had, all others are built in one way."""
        for option in OPTIONS:
            kept = {"port": "PORT", "redis-url": "REDIS_URL", "stats-storage": "STATS_STORAGE"}
            built = "LIVECHAT_" + option.name.upper().replace("-", "_")
            self.assertEqual(option.variable, kept.get(option.name, built))

    def test_these_tables_are_whole(self) -> None:
        """No option is forgotten by the tests of this module."""
        names = {option.name for option in OPTIONS}
        flags = {option.name for option in OPTIONS if option.kind == "flag"}
        self.assertEqual(TAKEN.keys(), names)
        # Any text may be the name of a file.
        self.assertEqual(REFUSED.keys(), names - flags - {"tokens"})

    def test_defaults(self) -> None:
        """Without any choice the settings are what the contract promises, and what is declared."""
        chosen = self.chosen()
        for option in OPTIONS:
            self.assertEqual(choice_of(chosen, option), option.default, option.name)
            if option.name in PROMISED:
                self.assertEqual(option.default, PROMISED[option.name], option.name)
        promised = {option.name for option in OPTIONS} & PROMISED.keys()
        self.assertGreaterEqual(len(promised), 14)

    def test_defaults_could_be_chosen(self) -> None:
        """What is the default without being asked for may be asked for."""
        for option in OPTIONS:
            if option.default not in ("", ()) and option.kind == "value":
                text = str(option.default)
                self.assertEqual(option.choice.parse(text), option.default, option.name)

    def test_secrets(self) -> None:
        """What holds a password is declared to be secret."""
        for option in OPTIONS:
            words = ("redis-url", "key", "password", "-token")
            holds = any(word in option.name for word in words)
            self.assertEqual(option.choice.secret, holds, option.name)

    def test_help(self) -> None:
        """The help names every option and its variable, and shows none of the environment."""
        text = str(Options({"REDIS_URL": f"redis://:{SECRET}@h"}))
        for option in OPTIONS:
            self.assertIn(f"--{option.name}", text)
            self.assertIn(option.variable, "".join(text.split()), option.name)
        self.assertNotIn(SECRET, text)


class SourceTests(OptionsCase):
    """Where a choice comes from; whether choices fit together is not looked at here."""

    platforms: Mapping[str, PlatformDescription] = {
        name: replace(description, problem=lambda _: "")
        for name, description in installed().items()
    }

    def test_command_line(self) -> None:
        """Every option can be given on the command line."""
        for option in OPTIONS:
            for text, value in TAKEN[option.name]:
                chosen = self.chosen(*self.line_of(option, text))
                self.assertEqual(choice_of(chosen, option), value, (option.name, text))
                self.assertIs(type(choice_of(chosen, option)), type(value))

    def test_two_words(self) -> None:
        """Value and option may be two arguments."""
        chosen = self.settings("--port", "8080", "--linger", "0", "--demo")
        self.assertEqual((chosen.port, chosen.linger, chosen.demo), (8080, 0.0, True))

    def test_environment(self) -> None:
        """Every option can be given in the environment."""
        for option in OPTIONS:
            for text, value in TAKEN[option.name]:
                chosen = self.chosen(**{option.variable: text})
                self.assertEqual(choice_of(chosen, option), value, (option.name, text))
                self.assertIs(type(choice_of(chosen, option)), type(value))

    def test_everything_else_is_default(self) -> None:
        """A choice of one option changes no other."""
        defaults = self.chosen()
        for option in OPTIONS:
            text, _ = TAKEN[option.name][0]
            for chosen in (
                self.chosen(*self.line_of(option, text)),
                self.chosen(**{option.variable: text}),
            ):
                changed = {
                    other.name
                    for other in OPTIONS
                    if choice_of(chosen, other) != choice_of(defaults, other)
                }
                self.assertLessEqual(changed, {option.name})

    def test_command_line_wins(self) -> None:
        """The command line wins over the environment."""
        for option in OPTIONS:
            text, value = TAKEN[option.name][-1]
            other, _ = TAKEN[option.name][0]
            if option.kind == "flag":
                other = "0"
            chosen = self.chosen(*self.line_of(option, text), **{option.variable: other})
            self.assertEqual(choice_of(chosen, option), value, option.name)

    def test_wrong_environment_that_is_not_used(self) -> None:
        """A wrong variable does no harm when the command line chose."""
        self.assertEqual(self.settings("--port=1", PORT="wrong").port, 1)
        self.assertEqual(
            self.settings("--listen=tcp:1", LIVECHAT_LISTEN="wrong").listen, ("tcp:1",)
        )

    def test_last_one_counts(self) -> None:
        """An option given twice has its last value."""
        self.assertEqual(self.settings("--port=1", "--port=2").port, 2)

    def test_empty_variables(self) -> None:
        """A variable that is set to nothing is the empty value where an option may be empty.

        Otherwise it is as if it were not set.
        """
        empty = {option.variable: "" for option in OPTIONS}
        chosen = self.chosen(**empty)
        for option in OPTIONS:
            try:
                expected = option.choice.parse("") if option.kind == "value" else option.default
            except ValueError:
                expected = option.default
            self.assertEqual(choice_of(chosen, option), expected, option.name)

    def test_never_ask(self) -> None:
        """The look-ups can be turned off with an empty address, from either place."""
        self.assertEqual(self.chosen(LIVECHAT_TWITCH_GQL_URL="").platforms["twitch"].gql_url, "")
        self.assertEqual(self.chosen("--twitch-gql-url=").platforms["twitch"].gql_url, "")
        self.assertEqual(self.chosen("--twitch-gql-url", "").platforms["twitch"].gql_url, "")

    def test_process_environment(self) -> None:
        """Without another environment it is the process's own."""
        self.patch(os, "environ", {"PORT": "4321"})
        options = Options()
        options.parseOptions([])
        self.assertEqual(options.chosen.daemon.port, 4321)

    def test_flags_in_the_environment(self) -> None:
        """A flag is turned on and off by the usual words."""
        for text in ("1", "true", "TRUE", "yes", "on", "On"):
            self.assertIs(self.settings(LIVECHAT_DEMO=text).demo, True)
        for text in ("0", "false", "False", "no", "off", ""):
            self.assertIs(self.settings(LIVECHAT_DEMO=text).demo, False)

    def test_foreign_variables(self) -> None:
        """Variables of other programs, and ours without their prefix, mean nothing."""
        defaults = self.settings()
        self.assertEqual(
            self.settings(LINGER="5", LIVECHAT_PORT="5", LIVECHAT_REDIS_URL="x", PATH="/bin"),
            defaults,
        )


class ListTests(OptionsCase):
    """Options that may be repeated."""

    def test_command_line(self) -> None:
        """Each repetition adds one, in order."""
        chosen = self.settings(
            "--listen=tcp:3000:interface=127.0.0.1",
            "--listen",
            "unix:/run/livechat.socket",
            "--origins=https://a.example",
            "--origins=https://*.b.example",
        )
        self.assertEqual(
            chosen.listen, ("tcp:3000:interface=127.0.0.1", "unix:/run/livechat.socket")
        )
        self.assertEqual(chosen.origins, ("https://a.example", "https://*.b.example"))

    def test_environment(self) -> None:
        """In the environment spaces or line ends part them."""
        chosen = self.settings(
            LIVECHAT_LISTEN="tcp:3000  systemd:domain=INET:index=0\n",
            LIVECHAT_ORIGINS=" https://a.example\nnull ",
        )
        self.assertEqual(chosen.listen, ("tcp:3000", "systemd:domain=INET:index=0"))
        self.assertEqual(chosen.origins, ("https://a.example", "null"))

    def test_not_added_up(self) -> None:
        """The command line replaces what the environment lists."""
        chosen = self.settings("--origins=https://a.example", LIVECHAT_ORIGINS="https://b.example")
        self.assertEqual(chosen.origins, ("https://a.example",))

    def test_one_wrong(self) -> None:
        """One wrong entry is enough, and the line says which."""
        self.assertIn("'3001'", self.refusal("--listen=tcp:3000", "--listen=3001"))
        self.assertIn("'3001'", self.refusal(LIVECHAT_LISTEN="tcp:3000 3001"))


class SecretTests(SynchronousTestCase):
    """What must never stand in a log."""

    def test_addresses(self) -> None:
        """The password in an address is a secret, the address itself is none."""
        options = Options({"REDIS_URL": f"redis://ann:{SECRET}@host:6379/2"})
        options.parseOptions(["--stats-storage=redis"])
        secrets = list(options.secrets())
        self.assertIn(SECRET, secrets)
        self.assertEqual([one for one in secrets if "host" in one], [])


class WarningTests(OptionsCase):
    """What was chosen and has no effect is said, in one line each; it never ends the start."""

    def warned(self, *arguments: str, **environ: str) -> list[str]:
        """The warnings."""
        self.settings(*arguments, **environ)
        return self.warnings

    def test_nothing_to_say(self) -> None:
        """Choices that have an effect, and variables of others, are no reason to say anything."""
        self.assertEqual(self.warned(), [])
        self.assertEqual(self.warned("--port=1", "--linger=0", "--twitch-irc=tcp:h:1"), [])
        self.assertEqual(self.warned("--demo", "--demo-rate=3", LIVECHAT_DEMO_SEED="2"), [])
        self.assertEqual(
            self.warned("--stats-storage=redis", REDIS_URL="redis://h", PATH="/", LINGER="1"), []
        )

    def test_listen_and_port(self) -> None:
        """`--listen` replaces the port, wherever either was chosen."""
        line = "has no effect: --listen says where to listen"
        self.assertEqual(self.warned("--listen=tcp:1", "--port=2"), [f"--port {line}"])
        self.assertEqual(self.warned(LIVECHAT_LISTEN="tcp:1", PORT="2"), [f"PORT {line}"])
        self.assertEqual(self.warned("--listen=tcp:1", PORT=""), [])

    def test_demo(self) -> None:
        """`--demo` watches its own platforms."""
        line = "has no effect: --demo watches the built-in simulator"
        self.assertEqual(
            self.warned("--demo", "--twitch-irc=tcp:h:1", "--youtube-url=http://h"),
            [f"--twitch-irc {line}", f"--youtube-url {line}"],
        )
        self.assertEqual(
            self.warned(LIVECHAT_DEMO="1", LIVECHAT_TIKTOK_URL="http://h"),
            [f"LIVECHAT_TIKTOK_URL {line}"],
        )

    def test_half_of_two(self) -> None:
        """A choice that needs another one, which was not made."""
        self.assertEqual(
            self.warned("--demo-rate=3"), ["--demo-rate has no effect: --demo is not given"]
        )
        self.assertEqual(
            self.warned(REDIS_URL=f"redis://:{SECRET}@h"),
            ["REDIS_URL has no effect: --stats-storage is memory and --broker is local"],
        )
        self.assertEqual(
            self.warned(f"--tiktok-signer-key={SECRET}"),
            ["--tiktok-signer-key has no effect: --tiktok-signer-url is not given"],
        )
        self.assertEqual(
            self.warned(LIVECHAT_TIKTOK_INTAKE_TOKEN=SECRET * 3),
            ["LIVECHAT_TIKTOK_INTAKE_TOKEN has no effect: --tiktok-intake is not given"],
        )

    def test_hermes(self) -> None:
        """Hermes makes look-ups come sooner: without them it has nothing to do."""
        url = "--twitch-hermes-url=wss://h/v1"
        self.assertEqual(self.warned(url), [])
        self.assertEqual(
            self.warned(url, "--twitch-gql-url="),
            ["--twitch-hermes-url has no effect: --twitch-gql-url is empty"],
        )

    def test_unknown_variables(self) -> None:
        """A mistyped variable, with what it may have been meant to be; its value is not shown."""
        self.assertEqual(
            self.warned(LIVECHAT_LINGR=SECRET, LIVECHAT_PORT="1", LIVECHAT_TEAPOT=""),
            [
                "'LIVECHAT_LINGR' is no variable of livechat; did you mean LIVECHAT_LINGER?",
                "'LIVECHAT_PORT' is no variable of livechat; did you mean PORT?",
                "'LIVECHAT_TEAPOT' is no variable of livechat",
            ],
        )
        (line,) = self.warned(**{"LIVECHAT_\x1b[31m\n": "1"})
        self.assertEqual(line, r"'LIVECHAT_\x1b[31m\n' is no variable of livechat")
        self.assertEqual(
            self.warned(LIVECHAT_SERVICE_HOST="10.0.0.1", LIVECHAT_PORT="tcp://10.0.0.1:1"), []
        )

    def test_wrong_choice(self) -> None:
        """A refusal stays one line."""
        self.refusal("--port=x", LIVECHAT_TEAPOT="1")


class VersionTests(OptionsCase):
    """`--version`."""

    def test_ours(self) -> None:
        """It is livechat's version, not Twisted's."""
        said = io.StringIO()
        self.patch(sys, "stdout", said)
        ended = self.assertRaises(SystemExit, Options({}).parseOptions, ["--version"])
        self.assertEqual(ended.code, 0)
        self.assertEqual(said.getvalue(), f"livechat {own_version()}\n")
        self.assertRegex(own_version(), r"\A[0-9]+\.[0-9]+")


class RefusalTests(OptionsCase):
    """Wrong choices: one line, exit code 1."""

    def test_command_line(self) -> None:
        """Every wrong value is refused, and the line names the option and what it must be."""
        for option in OPTIONS:
            for text in REFUSED.get(option.name, ()):
                line = self.refusal(f"--{option.name}={text}")
                self.assertIn(f"--{option.name} must be ", line)

    def test_environment(self) -> None:
        """So it is in the environment, where the line names the variable."""
        for option in OPTIONS:
            for text in REFUSED.get(option.name, ()):
                # Nothing is not a wrong choice here, and spaces part the entries of a list.
                if text and (option.kind != "list" or text.split() == [text]):
                    line = self.refusal(**{option.variable: text})
                    self.assertIn(f"{option.variable} must be ", line)

    def test_exact(self) -> None:
        """The line as an operator sees it."""
        self.assertEqual(
            self.refusal("--port=70000"),
            "livechat: --port must be a whole number from 0 to 65535, not '70000'\n",
        )
        self.assertEqual(
            self.refusal(LIVECHAT_LINGER="soon"),
            "livechat: LIVECHAT_LINGER must be a number from 0 to 86400, not 'soon'\n",
        )
        self.assertEqual(
            self.refusal(STATS_STORAGE="disk"),
            "livechat: STATS_STORAGE must be memory or redis, not 'disk'\n",
        )

    def test_flags(self) -> None:
        """A flag takes no value on the command line and only known words in the environment."""
        self.refusal("--demo=1")
        for text in ("2", "y", "enabled", "1 1", " "):
            self.assertIn("LIVECHAT_DEMO must be 1 or 0", self.refusal(LIVECHAT_DEMO=text))

    def test_not_options(self) -> None:
        """Unknown options, missing values, ambiguous names and stray words are refused."""
        for arguments in (
            ["--unknown"],
            ["--unknown=1"],
            ["-x"],
            ["--port"],
            ["--twitch=1"],
            ["stray"],
            ["--port=1", "stray", "words"],
            ["--li\nne"],
        ):
            self.refusal(*arguments)

    def test_stray_word(self) -> None:
        """The line says which word was too much."""
        self.assertEqual(
            self.refusal("--port", "0", "extra", "more"),
            "livechat: 'extra' is one word too many\n",
        )

    def test_redis_without_address(self) -> None:
        """Redis storage needs an address, wherever either comes from."""
        expected = "livechat: --stats-storage=redis needs --redis-url (REDIS_URL)\n"
        self.assertEqual(self.refusal("--stats-storage=redis"), expected)
        self.assertEqual(self.refusal(STATS_STORAGE="redis"), expected)
        self.assertEqual(self.refusal(STATS_STORAGE="redis", REDIS_URL=""), expected)

    def test_choices_that_do_not_fit_together(self) -> None:
        """A platform's choices are looked at together, wherever they come from."""
        self.assertEqual(
            self.refusal("--tiktok-transport=signer"),
            "livechat: --tiktok-transport=signer needs --tiktok-signer-url\n",
        )
        self.assertEqual(
            self.refusal(LIVECHAT_TIKTOK_INTAKE="tcp:3001"),
            "livechat: --tiktok-intake needs --tiktok-intake-token\n",
        )

    def test_redis(self) -> None:
        """With an address it is chosen, from either place; an address alone chooses nothing."""
        url = "redis://h/0"
        for chosen in (
            self.settings("--stats-storage=redis", f"--redis-url={url}"),
            self.settings("--stats-storage=redis", REDIS_URL=url),
            self.settings(f"--redis-url={url}", STATS_STORAGE="redis"),
            self.settings(STATS_STORAGE="redis", REDIS_URL=url),
        ):
            self.assertEqual((chosen.stats_storage, chosen.redis_url), ("redis", url))
        self.assertEqual(self.settings(REDIS_URL=url).stats_storage, "memory")
        self.assertEqual(
            self.settings("--stats-storage=memory", STATS_STORAGE="redis").stats_storage, "memory"
        )

    def test_secrets_in_wrong_addresses(self) -> None:
        """A wrong Redis address is not shown, in whichever way it is wrong."""
        for text in (
            f"http://user:{SECRET}@h/",
            f"redis:/:{SECRET}@h",
            f"redis://:{SECRET}@h:0/",
            f"redis://:{SECRET}@h:99999/",
            f"redis://:{SECRET}@:1/",
            f"user:{SECRET}@h",
            f"redis://[{SECRET}",
            SECRET,
        ):
            self.refusal(f"--redis-url={text}")
            self.refusal("--redis-url", text)
            self.refusal(REDIS_URL=text)

    def test_secrets_in_unknown_options(self) -> None:
        """A mistyped option does not give away what it was to hold."""
        for name in ("redisurl", "redis-urls", "redis-password", "auth"):
            self.refusal(f"--{name}=redis://:{SECRET}@h/0")
        self.refusal(f"redis://:{SECRET}@h/0")

    def test_secrets_in_other_addresses(self) -> None:
        """A password in an address that is no secret as such is not shown, either."""
        for text in (
            f"ftp://user:{SECRET}@h/gql",
            f"http://user:{SECRET}@h:0/gql",
            f"http://:{SECRET}@h@:0/gql",
            # A slash in a password is what makes such an address wrong.
            f"http://user:{SECRET}/x@h/gql",
            f"http://user:x/{SECRET}@h/gql",
            f"http://user:{SECRET}?@h:0/gql",
            f"user:{SECRET}@h/gql",
            f"http:user:{SECRET}@h",
        ):
            self.refusal(f"--twitch-gql-url={text}")
            self.refusal(LIVECHAT_TWITCH_GQL_URL=text)

    def test_long_and_odd_values(self) -> None:
        """Long values are cut, control characters written out: the line stays one line."""
        line = self.refusal("--port=" + "x" * 100_000)
        self.assertIn("'" + "x" * 100 + "'", line)
        self.assertNotIn("x" * 101, line)
        self.assertIn(r"'1\n2\x1b[31m'", self.refusal("--port=1\n2\x1b[31m"))
        self.assertIn(r"'\udcff'", self.refusal("--port=\udcff"))

    def test_wrong(self) -> None:
        """Later checks end the process in the same way, whatever their sentence looks like."""
        said = io.StringIO()
        self.patch(sys, "stderr", said)
        ended = self.assertRaises(
            SystemExit, exit_with_usage_error, "cannot listen:\n  address\tin use "
        )
        self.assertEqual(ended.code, 1)
        self.assertEqual(said.getvalue(), "livechat: cannot listen: address in use\n")
