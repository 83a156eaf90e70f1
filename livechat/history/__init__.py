"""What channels have published, kept for those who come back: in memory."""
