"""doubled.py -- a warning about a softmax that is applied twice: by the model, and again by the loss.

The losses take logits, and pn.predict applies softmax to them.  A final softmax given by name is left out for that; one
inside a custom layer or function cannot be, and its probabilities are taken as logits.
"""

from typing import Any

import numpy as np

from pyneural._core import Tensor
from pyneural.arguments.checks import warn
from pyneural.card.card import Card
from pyneural.card.task import REGRESSION

_CLOSE = 1e-4  # of float32 sums over the classes


def warn_of_probabilities(outputs: Any, card: Card) -> None:
    """Warns if the outputs of a batch, which are taken as logits, are probabilities already.

    Args:
        outputs: (n, K), or a dict of them by head.
        card: the model's, with its task and loss.
    """
    tasks: Any = card.task
    losses: Any = card.loss
    if not isinstance(outputs, dict):
        outputs, tasks, losses = {"": outputs}, {"": tasks}, {"": losses}
    for head, found in outputs.items():
        if tasks[head].kind == "classes" and losses[head] not in REGRESSION and _are_probabilities(found):
            where = f"the head {head}" if head else "the model"
            units = tasks[head].outputs
            warn(
                f"fit: {where} ends in a softmax of your own (its rows are probabilities), and the loss and pn.predict "
                f"apply softmax once more: end it in pn.Dense({units}) or pn.Dense({units}, 'softmax')"
            )


def _are_probabilities(outputs: Tensor) -> bool:
    values = outputs.numpy()
    return bool(values.min() >= 0 and np.all(np.abs(values.sum(axis=1) - 1) < _CLOSE))
