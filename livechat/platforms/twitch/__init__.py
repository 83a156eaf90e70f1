"""Twitch: anonymous IRC, no keys (sheet `twitch`)."""
