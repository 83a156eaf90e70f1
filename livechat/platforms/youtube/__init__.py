"""YouTube: public pages and the web player's InnerTube interface, without a key."""
