"""Trains pn.apps.train's network on few images, by its rule for small data and with fixed settings.

    python benchmarks/few_images.py --counts 100 180 300 --seeds 3

Images are drawn from the training parts of MNIST, Fashion-MNIST and PneumoniaMNIST, and tested on 1,500 others of the
same parts.  `jump` is the highest validation loss, divided by the first.
"""

import argparse
import math

import numpy as np

import pyneural as pn
from pyneural.apps.train_app import chosen, image_cnn

OTHERS = 1500


def trained(data: pn.Dataset, count: int, seed: int, fixed: bool) -> tuple[float, float, float]:
    """The accuracy and the loss on other images, and the jump."""
    rows = np.random.default_rng(100 + seed).permutation(len(data))
    train, test = data[np.sort(rows[:count])], data[np.sort(rows[count : count + OTHERS])]
    epochs, batch = (10, 64) if fixed else chosen(count)
    model = image_cnn(data.x.shape[1:], len(data.counts()))
    rate = 0.01 if fixed else 0.01 * math.sqrt(batch / 64)
    history = pn.fit(model, train, epochs=epochs, batch_size=batch, learning_rate=rate, seed=seed, verbose=0)
    report = pn.evaluate(model, test, verbose=0)
    return float(report.accuracy), float(report.loss), max(history["val_loss"]) / history["val_loss"][0]


def main() -> None:
    """Prints a line per data set, number of images, and setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 180, 300, 600], metavar="N")
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    options = parser.parse_args()
    for data in (pn.datasets.mnist().train, pn.datasets.fashion_mnist().train, pn.datasets.pneumonia_mnist().train):
        for count in options.counts:
            for name, fixed in (("10 epochs of batches of 64", True), ("by the rule", False)):
                found = np.mean([trained(data, count, seed, fixed) for seed in range(options.seeds)], axis=0)
                print(f"{data.name:16} {count:5,} images  {name:26}  ", end="")
                print(f"accuracy {100 * found[0]:.1f} %  loss {found[1]:.3f}  jump {found[2]:.1f}", flush=True)


if __name__ == "__main__":
    main()
