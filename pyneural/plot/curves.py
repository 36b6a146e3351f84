"""curves.py -- training curves."""

from typing import Any

import pyneural.plot.drawing as drawing
from pyneural.arguments.familiar_keywords import OF_PLOTS
from pyneural.arguments.spelling import check_keywords
from pyneural.plot.drawing import BLUE, INK, ORANGE
from pyneural.training.history import History
from pyneural.training.learning_rate import LearningRateCurve


@check_keywords(**OF_PLOTS)
def history(history: History, *, ax: Any = None) -> Any:
    """Loss and metrics per epoch; estimates are drawn with their 95 % interval as a band.

    Args:
        history: the result of pn.fit.
        ax: Axes to draw into, one for the loss and one for each metric.

    Returns:
        The array of Axes.

    Raises:
        ValueError: no epoch was finished.

    >>> data = pn.datasets.mnist("sample").test
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    >>> pn.plot.history(pn.fit(model, data, epochs=2, verbose=0)).shape
    (2,)
    """
    if not isinstance(history, History):
        raise TypeError(f"plot.history: history is {type(history).__name__}: give the result of pn.fit")
    if not history.epochs:
        raise ValueError("plot.history: no epoch was finished, so there is nothing to draw")
    names = panel_names(history)
    axes = drawing.panels(ax, [3.2], [4.6] * len(names), "history")[0]
    for name, axis in zip(names, axes, strict=True):
        scale = 100.0 if name.endswith("accuracy") else 1.0
        drawing.curve(axis, history[name], scale, ORANGE, "training")
        if f"val_{name}" in history:
            values = history[f"val_{name}"]
            drawing.curve(axis, values, scale, BLUE, "validation")
            if history.best_epoch:
                height = scale * values[history.best_epoch - 1]
                label = f"best: epoch {history.best_epoch}"
                axis.plot(
                    history.best_epoch, height, "o", ms=10, mfc="none", mec=drawing.on_ground(INK, axis), label=label
                )
        axis.set(xlabel="epoch", ylabel=f"{name.replace('_', ' ')}{' (%)' if scale > 1 else ''}")
        axis.set_xlim(0.5, history.epochs + 0.5)
        drawing.whole_ticks(axis.xaxis)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
    return axes


def panel_names(history: History) -> list[str]:
    """The names of the values that have a panel in the plot of a history."""
    return [name for name in history if not name.startswith("val_") and name not in ("learning_rate", "seconds")]


@check_keywords(**OF_PLOTS)
def learning_rate(curve: LearningRateCurve, *, ax: Any = None) -> Any:
    """The loss at each learning rate, its smoothed curve, and the suggestion.

    Args:
        curve: the result of pn.find_learning_rate.
        ax: Axes to draw into.

    Returns:
        The Axes.

    >>> x = np.linspace(-1, 1, 256, dtype=np.float32).reshape(-1, 1)
    >>> found = pn.find_learning_rate(pn.Sequential(pn.Dense(1)), (x, x), verbose=0)
    >>> pn.plot.learning_rate(found).get_xlabel()
    'learning rate'
    """
    if not isinstance(curve, LearningRateCurve):
        raise TypeError(
            f"plot.learning_rate: curve is {type(curve).__name__}: give the result of "
            "pn.find_learning_rate(model, data)"
        )
    axis = drawing.panels(ax, [3.2], [4.6], "learning_rate")[0][0]
    axis.plot(curve.rates, curve.losses, ".", ms=3, color=drawing.PALE, label="loss of a step")
    axis.plot(curve.rates, curve.smoothed, "-", color=BLUE, label="smoothed")
    axis.axvline(curve.suggestion, color=ORANGE, ls="--", label=f"suggestion: {curve.suggestion:.2g}")
    low = min(*curve.losses, *curve.smoothed)
    high = max(max(curve.smoothed), *curve.losses[: max(1, len(curve.losses) // 2)])
    axis.set(
        xscale="log", xlabel="learning rate", ylabel="loss", ylim=(low - 0.05 * (high - low), high + 0.1 * (high - low))
    )
    axis.grid(alpha=0.3)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)
    return axis
