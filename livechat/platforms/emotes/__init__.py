"""Emotes of 7TV, BetterTTV and FrankerFaceZ: pure readers, a client, sets kept fresh."""
