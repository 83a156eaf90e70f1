"""Pure readers of what Twitch sends."""
