"""Pure readers of what YouTube sends: bytes and JSON in, values and events out."""
