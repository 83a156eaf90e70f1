"""Where statistics are kept and how nodes talk: memory, later Redis."""
