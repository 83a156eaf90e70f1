"""Measurements, printed as tables: run by `make bench`; nothing here is a test."""
