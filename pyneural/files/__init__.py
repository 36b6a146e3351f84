"""Saving and loading models."""

from pyneural.files.safetensors import dumps, load, loads, save

__all__ = ["dumps", "load", "loads", "save"]
