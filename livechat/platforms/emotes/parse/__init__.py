"""Pure readers of what the providers of emotes send."""
