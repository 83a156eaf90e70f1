"""A simulator of the platforms: speaks their wire formats from the other side."""
