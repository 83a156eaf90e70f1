# SPDX-License-Identifier: MIT
"""Redis: the URL of a server, and two connections to it."""
