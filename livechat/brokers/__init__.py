"""How the nodes of one service share channels: within one process, later through Redis."""
