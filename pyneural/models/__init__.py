"""Layers that are built, called and kept as one."""
