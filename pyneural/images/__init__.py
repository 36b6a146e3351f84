"""Image files and digits as pixels, and ASCII art."""
