"""make_picture.py -- draws docs/images/digits.png: test digits, what a trained network sees of them, its answers.

    python tools/make_picture.py digits.safetensors docs/images/digits.png

The model is one that `pyneural digits` saved; the digits are the first of each kind in the test set, and the mistake
that the network is surest of.  Needs matplotlib.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import pyneural as pn

MAPS = 4  # feature maps shown a stage


def stages(model: pn.Sequential, image: np.ndarray) -> list[np.ndarray]:
    """The feature maps (height, width, channels) after each pooling layer."""
    x = model.card.preprocessing.gather("float32")(pn.tensor(image[None]), pn.tensor(np.zeros(1, np.int64)))
    found = []
    for layer in model.layers:
        x = layer.call(x, training=False)
        if isinstance(layer, pn.MaxPool2D):
            found.append(x.numpy()[0])
    return found


def chosen(y: np.ndarray, probabilities: np.ndarray) -> list[int]:
    """The first right example of 7, 2, 0, 4, 9, and the mistake with the greatest confidence."""
    answers = probabilities.argmax(axis=1)
    right = [int(np.flatnonzero((y == digit) & (answers == digit))[0]) for digit in (7, 2, 0, 4, 9)]
    wrong = np.flatnonzero(answers != y)
    return [*right, int(wrong[probabilities[wrong].max(axis=1).argmax()])]


def strongest(maps: np.ndarray) -> np.ndarray:
    """The MAPS channels that answer most, in a 2 x 2 mosaic."""
    order = np.argsort(maps.mean(axis=(0, 1)))[::-1][:MAPS]
    tiles = [np.pad(maps[:, :, c] / max(maps[:, :, c].max(), 1e-6), 1, constant_values=np.nan) for c in order]
    return np.block([[tiles[0], tiles[1]], [tiles[2], tiles[3]]])


def main(model_path: str, out: str) -> None:
    """Draws the picture."""
    model, test = pn.load(model_path), pn.datasets.mnist().test
    probabilities = pn.predict(model, test.x)
    columns = chosen(test.y, probabilities)
    figure, axes = plt.subplots(4, len(columns), figsize=(10.5, 6.6), height_ratios=[1, 1, 1, 0.75])
    for column, index in enumerate(columns):
        first, second = stages(model, test.x[index])
        truth, answer = int(test.y[index]), int(probabilities[index].argmax())
        pictures = [test.x[index, :, :, 0], strongest(first), strongest(second)]
        for row, picture in enumerate(pictures):
            axes[row, column].imshow(picture, cmap="gray" if row == 0 else "magma")
            axes[row, column].set(xticks=[], yticks=[])
        colour = "#2a9d4b" if truth == answer else "#d1495b"
        words = f"{answer} ({probabilities[index].max():.1%})" + ("" if truth == answer else f"\nbut it is a {truth}")
        axes[0, column].set_title(words, color=colour, fontsize=12)
        axes[3, column].bar(range(10), probabilities[index], color=colour)
        axes[3, column].set(xticks=range(10), yticks=[], ylim=(0, 1))
        axes[3, column].tick_params(labelsize=8, length=0)
    for row, label in enumerate(("the image", "convolutions 1, 2", "convolutions 3, 4", "the answer")):
        axes[row, 0].set_ylabel(label, fontsize=11)
    figure.tight_layout()
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
