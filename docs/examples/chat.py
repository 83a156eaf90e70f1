# SPDX-License-Identifier: MIT
"""Prints chats of any platform, by the addresses of their channels.

pip install websockets
python chat.py ws://127.0.0.1:3000 https://www.twitch.tv/ann https://www.tiktok.com/@ann
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

#: Seconds after which a channel that is not live is asked for again.
PAUSE = 30


async def follow(server, channel):
    """One chat, until there is no point in it any more."""
    command = {"type": "subscribe", "identifier": channel, "stats": False}
    # Whoever comes back says after which message it goes on: `since`.
    epoch = None
    # Connects again, after growing pauses, whenever the connection is lost.
    async for connection in connect(server):
        try:
            await connection.send(json.dumps(command))
            async for text in connection:
                message = json.loads(text)
                if message["type"] == "chat":
                    show(message["data"])
                    command["since"]["seq"] = message["seq"]
                elif message["type"] == "status":
                    print(f"* {channel}: {message['status']}")
                    if message["status"] == "started" and message["epoch"] != epoch:
                        epoch = message["epoch"]
                        command["since"] = {"epoch": epoch, "seq": message["seq"]}
                elif message["type"] == "error":
                    print(f"* {channel}: {message['error']}")
                    if not message.get("temporary"):
                        return
                    await asyncio.sleep(PAUSE)
                    await connection.send(json.dumps(command))
        except ConnectionClosed:
            print(f"* {channel}: connection lost")


def show(chat):
    """One line for one message."""
    author, content, metadata = (chat["data"][part] for part in ("author", "content", "metadata"))
    paid = f" [{metadata['monetary_data']['formatted']}]" if "monetary_data" in metadata else ""
    print(f"{chat['platform']} {author['display_name']}{paid}: {content['raw']}")


async def main(server, *channels):
    """All chats at once."""
    async with asyncio.TaskGroup() as tasks:
        for channel in channels:
            tasks.create_task(follow(server, channel))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
