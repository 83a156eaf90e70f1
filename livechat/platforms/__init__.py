"""The platforms: pure readers, one pure translator (`chat`), I/O in `watcher`."""
