# SPDX-License-Identifier: MIT
"""A campaign of attacks and faults on a real daemon, with a witness who must lose nothing.

`make campaign` runs all of it, `python -m benchmarks.campaign --short` what takes a minute, and
`python -m benchmarks.campaign WORD ...` the cases whose names contain a word.
"""
