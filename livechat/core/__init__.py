"""The core: who watches what, in which state it is, and who receives it."""
