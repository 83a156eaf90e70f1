"""Twitch: anonymous IRC, no keys (docs/wire/twitch.md#twitch-on-the-wire)."""
