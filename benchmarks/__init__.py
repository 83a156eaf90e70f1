"""Measurements: CPU time per piece of work, printed as tables.  Run by `make bench`; nothing here is a test."""
