"""version.py -- the version of pyneural."""

VERSION = "0.1.0"
