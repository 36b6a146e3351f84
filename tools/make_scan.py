"""make_scan.py -- writes docs/images/seven.jpg: MNIST's first test digit as a scanner would see it on paper.

    python tools/make_scan.py docs/images/seven.jpg

The digit is enlarged eightfold, dark on light, off-centre, slightly rotated, on paper that is not quite white.
"""

import sys

import numpy as np
from PIL import Image

import pyneural as pn

PAPER, INK = 236.0, 44.0  # shades, of 255


def main(out: str) -> None:
    """Writes the picture."""
    test = pn.datasets.mnist().test
    assert test is not None
    digit = Image.fromarray(test.x[0, :, :, 0]).resize((224, 224), Image.Resampling.BICUBIC)
    page = Image.new("L", (320, 260))
    page.paste(digit.rotate(-5, Image.Resampling.BICUBIC), (70, 20))
    ink = np.asarray(page) / 255.0
    grain = np.random.default_rng(0).normal(0.0, 1.5, ink.shape)
    scan = PAPER - (PAPER - INK) * ink + grain
    Image.fromarray(scan.round().clip(0, 255).astype(np.uint8)).save(out, quality=85)


if __name__ == "__main__":
    main(*sys.argv[1:])
