"""What several tests share: recorded corpus, golden files, real parts on a fake wire."""
