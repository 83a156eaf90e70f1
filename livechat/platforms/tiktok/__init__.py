"""TikTok LIVE: the web player's own pages and push socket, no account, no keys (sheet `tiktok`)."""
