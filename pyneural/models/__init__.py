"""Models: layers that are built, called and saved together."""
