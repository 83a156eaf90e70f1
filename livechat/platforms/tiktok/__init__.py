"""TikTok LIVE: the web player's own pages and push socket, no account, no keys.

What it relies on: docs/wire/tiktok.md#ways-in.
"""
