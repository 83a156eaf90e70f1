# SPDX-License-Identifier: MIT
"""Several processes behind one port: a supervisor, and workers that are a node each."""
