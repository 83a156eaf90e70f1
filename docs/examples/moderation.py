# SPDX-License-Identifier: MIT
"""Logs what moderators take away, with Twisted and Autobahn.

pip install 'autobahn[twisted]'
python moderation.py ws://127.0.0.1:3000 https://www.twitch.tv/ann https://www.youtube.com/@ann
"""

import json
import sys

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from twisted.application.internet import ClientService
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.ssl import optionsForClientTLS
from twisted.internet.task import react

#: How many messages are remembered, to say what was in one that is deleted.
REMEMBERED = 1000
#: Seconds after which a channel that is not live is asked for again.
PAUSE = 30


class Moderation(WebSocketClientProtocol):
    """One connection; what outlives it belongs to the factory."""

    def onOpen(self):
        """Ask for every chat."""
        for channel in self.factory.channels:
            self.ask(channel)

    def ask(self, channel):
        """Ask for a chat, and for two kinds of events with it."""
        command = {"identifier": channel, "events": ["deletion", "timeout"], "stats": False}
        self.sendMessage(json.dumps({"type": "subscribe", **command}).encode())

    def onMessage(self, payload, isBinary):
        """Remember what is said; tell what is taken away."""
        message = json.loads(payload)
        match message["type"]:
            case "chat":
                self.remember(message["data"])
            case "event":
                print(self.taken_away(**message["data"]))
            case "status":
                print(f"{message['identifier']}: {message['status']}")
            case "error":
                print(f"{message.get('identifier')}: {message['error']}")
                if message.get("temporary") and "identifier" in message:
                    self.factory.reactor.callLater(PAUSE, self.ask, message["identifier"])

    def remember(self, chat):
        """Keep the last messages by their ids, with their authors."""
        said = self.factory.said
        said[chat["message_id"]] = chat["data"]["author"], chat["data"]["content"]["raw"]
        if len(said) > REMEMBERED:
            del said[next(iter(said))]

    def taken_away(self, type, platform, data, **_):
        """One line for one event."""
        said = self.factory.said
        if type == "timeout":
            # Some platforms tell the id and no name.
            ids = (author for author, _ in said.values() if author["id"] == data["user"]["id"])
            seconds = data["seconds"]
            how_long = f"for {seconds} s" if seconds else "for good"
            return f"{platform} silenced {name(next(ids, data['user']))} {how_long}"
        if data["scope"] == "chat":
            return f"{platform} cleared the chat"
        if data["message_id"] not in said:
            return f"{platform} deleted something older"
        author, text = said[data["message_id"]]
        return f"{platform} deleted {name(author)}: {text}"


def name(person):
    """What to call somebody."""
    return person["display_name"] or person["username"] or person["id"]


def main(reactor, server, *channels):
    """A service that connects again, after growing pauses, whenever the connection is lost."""
    factory = WebSocketClientFactory(server, reactor=reactor)
    factory.protocol = Moderation
    factory.channels = channels
    factory.said = {}
    # Notices a server that has vanished.
    factory.setProtocolOptions(autoPingInterval=30, autoPingTimeout=10)
    endpoint = HostnameEndpoint(reactor, factory.host, factory.port)
    if factory.isSecure:
        endpoint = wrapClientTLS(optionsForClientTLS(factory.host), endpoint)
    ClientService(endpoint, factory).startService()
    return Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
