"""From what users give to batches."""
