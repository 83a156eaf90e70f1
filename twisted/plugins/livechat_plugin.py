# SPDX-License-Identifier: MIT
"""What `twistd` finds: daemon and simulator, named by string so that listing loads neither."""

from __future__ import annotations

from twisted.application.service import ServiceMaker

livechat = ServiceMaker(
    "livechat",
    "livechat.service",
    "Public live chats of YouTube, Twitch and TikTok over WebSocket.",
    "livechat",
)

simulator = ServiceMaker(
    "livechat simulator",
    "livechat.simulator.service",
    "The platforms' servers with invented or recorded chats, for tries without a network.",
    "livechat-simulator",
)
