"""image_input.py -- an image file as the input of a model that was trained on images."""

from pathlib import Path

from pyneural.arguments.arrays import Array
from pyneural.arguments.paths import as_path
from pyneural.images.files import opened, pixels
from pyneural.images.modes import white_of
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model


def reads_images(model: Model | Ensemble) -> bool:
    """Whether the model takes the pixels of image files, uint8 (height, width, 1 or 3)."""
    shape, rule = model.input_shape or (), model.card.preprocessing
    return len(shape) == 3 and shape[2] in (1, 3) and rule is not None and rule.dtype == "uint8"


def image_input(model: Model | Ensemble, file: str | Path, who: str) -> tuple[Array, str]:
    """The image in a file as a model that `reads_images` takes it, and how it was prepared.

    Raises:
        ValueError, OSError: the file cannot be read; messages start with `who`.
    """
    assert model.input_shape is not None
    height, width, channels = model.input_shape
    source = as_path(who, file)
    white = white_of(model.card.prepare)
    with opened(source, who) as image:
        done = []
        if image.mode.startswith("I;16"):
            done.append(f"reduced to 8 bits ({white} is white)")
        if channels == 1 and image.mode not in ("1", "L", "LA", "I") and not done:
            done.append("made grey")
        if image.size != (width, height):
            done.append(f"scaled from {image.width} x {image.height} to {width} x {height}")
        image.load()  # inside `opened`, which reports damaged files
        found = pixels(source, (height, width), channels, white)
    return found, ", ".join(done) or "not changed"
