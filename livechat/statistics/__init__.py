"""Where statistics are kept: in memory or in Redis."""
