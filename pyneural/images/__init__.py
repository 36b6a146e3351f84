"""Pictures, without a model."""
