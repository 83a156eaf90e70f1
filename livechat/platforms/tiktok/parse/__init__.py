# SPDX-License-Identifier: MIT
"""Pure readers: bytes of TikTok and of a signer to events and answers."""
