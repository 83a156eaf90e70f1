"""The platforms: each has pure readers, one pure translator (`chat`) and one I/O room (`watcher`)."""
