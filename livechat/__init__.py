"""livechat: public live chats of YouTube, Twitch and TikTok as one WebSocket stream."""

__all__: list[str] = []
