"""version.py -- which pyneural this is."""

VERSION = "0.1.0"
