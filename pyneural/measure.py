"""measure.py -- the loss and metrics of a model over a data set, without training."""

from pyneural import _core
from pyneural.estimate import Estimate
from pyneural.feed import Batches
from pyneural.heads import Objective

BATCH = 500  # rows at a time: enough to keep the cores busy, few enough to stay in their caches


def measure(objective: Objective, feed: Batches) -> dict[str, float]:
    """The mean loss and each metric's mean; a share of right answers comes with its interval."""
    functions = {"loss": objective.loss, **objective.metrics}  # the loss first: it leaves what the heads' losses are
    sums, n = dict.fromkeys(functions, 0.0), 0
    with _core.no_grad():
        for x, y in feed.batches(BATCH):
            outputs = objective.run(x, training=False)
            for name, function in functions.items():
                sums[name] += float(function(outputs, y)) * len(x)
            n += len(x)
    values = {name: total / n for name, total in sums.items()}
    return values | {name: Estimate.share(round(sums[name]), n) for name in objective.shares}
