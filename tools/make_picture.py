"""make_picture.py -- draws docs/images/digits.png: test digits, feature maps of a trained network, its predictions.

    python tools/make_picture.py digits.safetensors docs/images/digits.png

The model is one that `pyneural digits` saved; the digits are the first correct ones of four classes, the correct one
with the lowest confidence, and the mistake with the highest.  Needs matplotlib.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import pyneural as pn

MAPS = 4  # feature maps shown a stage
ROWS = ("the image", "convolutions 1, 2", "convolutions 3, 4", "the answer")


def stages(model: pn.Sequential, image: np.ndarray) -> list[np.ndarray]:
    """The feature maps (height, width, channels) after each pooling layer."""
    x = model.card.preprocessing.gather("float32")(pn.tensor(image[None]), pn.tensor(np.zeros(1, np.int64)))
    found = []
    for layer in model.layers:
        x = layer.call(x, training=False)
        if isinstance(layer, pn.MaxPool2D):
            found.append(x.numpy()[0])
    return found


def chosen(report: pn.Report) -> list[int]:
    """The first correct 7, 2, 0 and 4, the correct one with the lowest confidence, the mistake with the highest."""
    right = report.predictions == report.labels
    firsts = [int(np.flatnonzero(right & (report.labels == digit))[0]) for digit in (7, 2, 0, 4)]
    return [*firsts, int(np.where(right, report.confidence, np.inf).argmin()), int(report.mistakes[0])]


def strongest(maps: np.ndarray) -> np.ndarray:
    """The MAPS channels with the strongest activations, in a 2 x 2 mosaic."""
    order = np.argsort(maps.mean(axis=(0, 1)))[::-1][:MAPS]
    tiles = [np.pad(maps[:, :, c] / max(maps[:, :, c].max(), 1e-6), 1, constant_values=np.nan) for c in order]
    return np.block([[tiles[0], tiles[1]], [tiles[2], tiles[3]]])


def main(model_path: str, out: str) -> None:
    """Draws the picture."""
    model, test = pn.load(model_path), pn.datasets.mnist().test
    digits = test.take(chosen(pn.evaluate(model, test, verbose=0)))
    figure, axes = plt.subplots(len(ROWS), len(digits), figsize=(10.5, 7.2), layout="constrained")
    pn.plot.predictions(model, digits, ax=[axes[0], axes[-1]])
    for column, image in zip(axes.T, digits.x, strict=True):
        for axis, maps in zip(column[1:-1], stages(model, image), strict=True):
            axis.imshow(strongest(maps), cmap="magma")
            axis.set(xticks=[], yticks=[])
    for axis, words in zip(axes[:, 0], ROWS, strict=True):
        axis.set_ylabel(words, fontsize=11)
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
