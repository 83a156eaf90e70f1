"""What several tests share: the recorded corpus, golden files, fakes that are real parts on a fake wire."""
