"""What the product speaks of, as values: messages, events, errors, text."""
