# SPDX-License-Identifier: MIT
"""The broker of a service of many nodes: they find one another through one Redis."""
