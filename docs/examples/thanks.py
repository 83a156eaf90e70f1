# SPDX-License-Identifier: MIT
"""Thanks for raids, gifts and subscriptions, wherever they happen.

pip install websockets
python thanks.py ws://127.0.0.1:3000 https://www.twitch.tv/ann https://www.youtube.com/@ann
"""

import asyncio
import json
import sys
from contextlib import suppress

import websockets

WANTED = {"type": "subscribe", "events": ["raid", "gift", "subscription"], "stats": False}
THANKED = set()  # Large gifts: each part of them is an event, too.


def name(person):
    return (person and (person["display_name"] or person["username"])) or "Somebody"


def thank(type, data, **_):
    who, price, large = name(data.get("user")), data.get("price"), data.get("gift_id")
    if type == "raid" and data["direction"] == "incoming":
        print(f"{who} comes with {data.get('viewers') or 'many'} viewers")
    elif type == "gift" and large not in THANKED:
        THANKED.update({large} - {None})
        what = f"{data['count'] or 'some'} x {data.get('name') or data['gift_type']}"
        to = f" to {name(data['recipient'])}" if data.get("recipient") else ""
        cost = f" ({price['value']} {price['currency']})" if price and price["value"] else ""
        print(f"{who} gives {what}{to}{cost}")
    elif type == "subscription":
        print(f"{who} subscribes ({data['status']}, month {data.get('months') or 1})")


async def main(server, *channels):
    async for connection in websockets.connect(server):
        with suppress(websockets.ConnectionClosed):
            for channel in channels:
                await connection.send(json.dumps({**WANTED, "identifier": channel}))
            async for text in connection:
                if (message := json.loads(text))["type"] == "event":
                    thank(**message["data"])


asyncio.run(main(*sys.argv[1:]))
