"""measure.py -- the loss and metrics of a model over a data set, without training."""

from collections.abc import Callable

from pyneural import _core, ops
from pyneural._core import Tensor
from pyneural.estimate import Estimate
from pyneural.feed import Feed
from pyneural.losses import LossFunction
from pyneural.metrics import Metric
from pyneural.model import Model

Forward = Callable[..., Tensor]

BATCH = 500  # rows at a time: enough to keep the cores busy, few enough to stay in their caches


def forward(model: Model) -> Forward:
    """What losses and probabilities are made of: logits where labels are classes, else the outputs as written."""
    task = model.card.task
    return model.call if task is None or task.kind == "values" else model.logits


def measure(model: Model, feed: Feed, loss: LossFunction, metrics: dict[str, Metric]) -> dict[str, float]:
    """The mean loss and each metric's mean; an accuracy comes with its interval."""
    functions, run = {"loss": loss, **metrics}, forward(model)
    sums = dict.fromkeys(functions, 0.0)
    with _core.no_grad():
        for x, y in feed.batches(BATCH):
            assert y is not None
            outputs = run(x, training=False)
            for name, function in functions.items():
                sums[name] += function(outputs, y).item() * len(y)
    n = len(feed)
    values = {name: total / n for name, total in sums.items()}
    if metrics.get("accuracy") is ops.accuracy:
        values["accuracy"] = Estimate.share(round(sums["accuracy"]), n)
    return values
