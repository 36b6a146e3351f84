"""The page for drawing digits, and the API for images, as a server on this computer; it needs the extra "draw"."""
