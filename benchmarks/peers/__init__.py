"""One adapter per peer: a class constructed with (threads).

It has

    words                          its name and version, and how it computes
    has(case)                      whether it takes part
    train(case, weights, data)     a trainer: check(rows) -> (loss, gradients), steps(n) -> seconds of each
    model(case, weights, x)        a predictor: check() -> outputs, steps(n) -> seconds of each

or, for the sides of kernels.py, words and kernel(kernel) -> a runner: check() -> result, steps(n) -> seconds of each.
Gradients are in our layouts; `data` is (images, labels, mean, deviation); steps beyond the data begin a new order.
"""

from importlib import import_module
from typing import Any

PEERS = {
    "pyneural": "peers.ours:Ours",
    "PyTorch": "peers.pytorch:Eager",
    "torch.compile": "peers.pytorch:Compiled",
    "JAX": "peers.xla:Jax",
    "scikit-learn": "peers.sklearn_mlp:Sklearn",
    "NumPy": "peers.by_hand:ByHand",
}
OPS = {"pyneural ops": "peers.ours_ops:Ops", "PyTorch ops": "peers.pytorch_ops:Ops"}


def make(name: str, threads: int) -> Any:
    """The adapter of a peer; ImportError if it is not installed."""
    whole = PEERS | OPS
    module, kind = whole[next(known for known in sorted(whole, key=len, reverse=True) if name.startswith(known))].split(
        ":"
    )
    return getattr(import_module(module), kind)(threads)
