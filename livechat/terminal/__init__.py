# SPDX-License-Identifier: MIT
"""Commands for people at a terminal: `livechat watch`."""
