"""learning_rate.py -- is the suggestion of pn.find_learning_rate better than the default rate?

    python benchmarks/learning_rate.py [--seeds 1]

Five small problems, Adam and SGD, new models and models that were trained for five epochs: each is trained for three
epochs at the default rate and at the suggested one.  A row has both test losses.
"""

import argparse
import copy

import numpy as np

import pyneural as pn

Problem = tuple[pn.Dataset, pn.Dataset, int]


def problems(seed: int) -> dict[str, Problem]:
    """Training and test data, and the number of outputs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2000, 8)).astype(np.float32)
    classes = (x[:, 0] * x[:, 1] + x[:, 2] > 0).astype(int)
    values = x[:, 0] * x[:, 1] + np.sin(x[:, 2])
    digits, fashion = pn.datasets.mnist("sample"), pn.datasets.fashion_mnist()
    return {
        "digits, cnn": (digits.train[:2000], digits.test, 10),
        "digits, mlp": (digits.train[:2000], digits.test, 10),
        "fashion, cnn": (fashion.train[:2000], fashion.test[:2000], 10),
        "table of classes": (pn.Dataset(x[:1500], classes[:1500]), pn.Dataset(x[1500:], classes[1500:]), 2),
        "table of values": (pn.Dataset(x[:1500], values[:1500]), pn.Dataset(x[1500:], values[1500:]), 1),
    }


def network(name: str, outputs: int) -> pn.Sequential:
    if name.endswith("cnn"):
        return pn.Sequential(pn.Conv2D(8, 5, activation="relu"), pn.MaxPool2D(4), pn.Flatten(), pn.Dense(outputs))
    return pn.Sequential(pn.Flatten(), pn.Dense(32, "relu"), pn.Dense(outputs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1, help="runs of each problem")
    wins: list[bool] = []
    for seed in range(parser.parse_args().seeds):
        for name, (train, test, outputs) in problems(seed).items():
            for optimizer, rate in (("adam", 0.01), ("sgd", 0.05)):
                for epochs in (0, 5):
                    model = network(name, outputs)
                    if epochs:
                        pn.fit(
                            model, train, epochs=epochs, optimizer=optimizer, learning_rate=rate, seed=seed, verbose=0
                        )
                    found = pn.find_learning_rate(model, train, optimizer=optimizer, seed=seed, verbose=0).suggestion
                    losses = []
                    for chosen in (None, found):
                        trained = copy.deepcopy(model)
                        pn.fit(
                            trained, train, epochs=3, optimizer=optimizer, learning_rate=chosen, seed=seed, verbose=0
                        )
                        losses.append(float(pn.evaluate(trained, test, verbose=0).loss))
                    wins.append(losses[1] < losses[0])
                    kind = "trained" if epochs else "new"
                    default, suggested = (f"{loss:.4f}" for loss in losses)
                    print(
                        f"{name:17} {optimizer:5} {kind:8} default {default}  at {found:8.2g} {suggested}", flush=True
                    )
    print(f"the suggestion was better in {sum(wins)} of {len(wins)} trainings")


if __name__ == "__main__":
    main()
