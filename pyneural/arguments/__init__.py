"""Checks of user arguments: spelling, sizes, arrays, paths."""
