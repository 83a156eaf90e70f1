"""YouTube: public pages and the web player's InnerTube interface, no keys (sheet `youtube`)."""
