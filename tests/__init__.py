"""Tests, run by trial.  `support` holds what several of them share."""
