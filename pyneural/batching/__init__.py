"""From user data to batches."""
