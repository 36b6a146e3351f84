"""automatic_epochs.py -- what epochs="auto" means: enough passes over small data, few over large data.

    n >= 10,000:  epochs = 5
    n <  10,000:  epochs = max(5 (10,000 / n)^k, 500 / steps per epoch), rounded up, at most 1,000
                  patience = epochs / 3, at least 5, if there is validation data, and no other patience is given

k is 1 for images and sequences: all epochs together see 50,000 examples.  It is 2 for tables, (n, F): their networks
are fast, and need many steps to follow a function closely.  docs/training.md has figures.
"""

import math

from pyneural.training.automatic_batches import LARGE
from pyneural.training.best import KEPT
from pyneural.training.plan import Plan
from pyneural.training.state import Options

_FEWEST, _MOST = 5, 1000  # epochs
_STEPS = 500
_PATIENCE = 3  # epochs / patience


def epochs_for(examples: int, steps: int, *, is_table: bool) -> int:
    """The number of epochs for that many training examples, in that many steps per epoch.

    >>> [epochs_for(n, -(-n // 64), is_table=False) for n in (4, 100, 1000, 9000, 60_000)]
    [1000, 500, 50, 6, 5]
    >>> [epochs_for(n, -(-n // 64), is_table=True) for n in (4, 100, 1000, 9000, 60_000)]
    [1000, 1000, 500, 7, 5]
    """
    if examples >= LARGE:
        return _FEWEST
    wanted = _FEWEST * (LARGE / examples) ** (2 if is_table else 1)
    return min(_MOST, max(math.ceil(wanted), -(-_STEPS // steps)))


def decided(options: Options, plan: Plan) -> tuple[Options, list[str]]:
    """The options with the number of epochs, and with patience where it suits; and what was chosen, in words.

    Args:
        options: those of fit; `epochs` is 0 for "auto".
        plan: the plan of the training.
    """
    if options.epochs:
        return options, []
    examples = len(plan.feed)
    steps = -(-plan.feed.steps(options.batch_size) // options.accumulate)
    epochs = epochs_for(examples, steps, is_table=plan.is_table)
    words = f"{epochs} epochs"
    if plan.held is not None and options.patience is None and options.keep == KEPT["best"] and examples < LARGE:
        options = options._replace(patience=max(_FEWEST, -(-epochs // _PATIENCE)))
        words += f", patience {options.patience}"
    return options._replace(epochs=epochs), [f"{words} (auto, for {examples:,} examples)"]
