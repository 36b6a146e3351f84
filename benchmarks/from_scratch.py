"""Three layers on MNIST as one writes them first: raw pixels, sigmoid, softmax, and all training images in each step.

    python benchmarks/from_scratch.py [--iterations 10000] [--hidden 200] [--rate 0.01] [--seed 0]

Prints the loss and the accuracy on the test images, with its 95 % interval, every 500 iterations.  It is the network of
notebooks/03_from_scratch.ipynb in float32, trained by gradient descent; docs/from_scratch.md has the result.
The reference has 93.21 % after 10,000 iterations; how its weights began is not known.  Here they are normal with
deviation 1 / sqrt(inputs), and the biases are 0.
"""

import argparse
import itertools
import time

import numpy as np

import pyneural as pn

EVERY = 500  # iterations between two lines


def pixels(part: pn.Dataset) -> np.ndarray:
    """The images as rows of 784 floats from 0 to 255."""
    return part.x.reshape(len(part.x), -1).astype("float32")


def parameters(sizes: list[int], seed: int) -> list[pn.Tensor]:
    """Weights and biases of each layer in turn."""
    rng = np.random.default_rng(seed)
    made = []
    for n, units in itertools.pairwise(sizes):
        made += [rng.normal(0, n**-0.5, (n, units)), np.zeros(units)]
    return [pn.tensor(values, "float32", requires_grad=True) for values in made]


def scores(x: np.ndarray, w1: pn.Tensor, b1: pn.Tensor, w2: pn.Tensor, b2: pn.Tensor) -> pn.Tensor:
    return pn.ops.linear(pn.ops.linear(x, w1, b1, activation="sigmoid"), w2, b2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=10_000)
    parser.add_argument("--hidden", type=int, default=200)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    data = pn.datasets.mnist()
    note = f" ({data.test.note})" if data.test.note else ""
    x, test_x = pixels(data.train), pixels(data.test)
    weights = parameters([x.shape[1], options.hidden, 10], options.seed)
    begun = time.monotonic()
    for iteration in range(1, options.iterations + 1):
        loss = pn.ops.cross_entropy(scores(x, *weights), data.train.y)
        loss.backward()
        with pn.no_grad():
            for p in weights:
                p -= options.rate * p.grad
        if iteration % EVERY == 0 or iteration in (1, options.iterations):
            with pn.no_grad():
                right = scores(test_x, *weights).argmax().numpy() == data.test.y
            accuracy = pn.Estimate.share(int(right.sum()), len(right))
            seconds = time.monotonic() - begun
            line = f"{iteration:6,} iterations: loss {loss.item():.4f}, test {accuracy}, {seconds:,.0f} s{note}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
