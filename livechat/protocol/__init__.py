"""The client protocol: what a client may say and what it is told."""
