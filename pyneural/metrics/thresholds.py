"""thresholds.py -- the score from which an example of two classes is called positive, chosen by a rule."""

from typing import Any, NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import is_number
from pyneural.arguments.familiar_keywords import OF_SCORES
from pyneural.arguments.spelling import check_keywords
from pyneural.metrics.scores import labels_and_scores, roc_curve


@check_keywords(**OF_SCORES)
def threshold(
    labels: Any,
    scores: Any,
    *,
    min_sensitivity: float | None = None,
    min_specificity: float | None = None,
    youden: bool = False,
) -> float:
    """The score from which examples are called 1, chosen by one rule; pn.choose_threshold does it for a model.

    It is half way between two scores that occur, so that it does not depend on the last digit of either.

    Args:
        labels: (n,) 0 and 1, both of which occur.
        scores: (n,) higher where 1 is likelier, such as its probability.
        min_sensitivity: the threshold of the highest specificity, with at least this sensitivity.
        min_specificity: the threshold of the highest sensitivity, with at least this specificity.
        youden: the threshold with the highest sensitivity + specificity - 1 (Youden 1950).

    Raises:
        ValueError: not exactly one rule is given, or no threshold that gives both answers does what it asks for.

    >>> threshold([0, 0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.9], min_sensitivity=1.0)
    0.25
    """
    return best_threshold(labels, scores, rule_of("threshold", min_sensitivity, min_specificity, youden), "threshold")


class Rule(NamedTuple):
    """How a threshold is chosen: at least so much `of` one share, or the highest sum ("")."""

    of: str
    least: float

    def best(self, sensitivity: Array, specificity: Array) -> int | None:
        """The number of the best threshold; None if there is none."""
        if not self.of:
            lower = np.minimum(sensitivity, specificity)
            return int(np.lexsort((lower, np.round(sensitivity + specificity, 12)))[-1])
        kept, other = (sensitivity, specificity) if self.of == "sensitivity" else (specificity, sensitivity)
        enough = np.flatnonzero(kept >= self.least - 1e-12)
        return int(enough[np.lexsort((kept[enough], other[enough]))[-1]]) if len(enough) else None


def rule_of(who: str, min_sensitivity: float | None, min_specificity: float | None, youden: bool) -> Rule:
    """The one rule that is given.

    Raises:
        ValueError: none is, or several are, or a share is not between 0 and 1.
    """
    given = {"min_sensitivity": min_sensitivity, "min_specificity": min_specificity, "youden": youden or None}
    chosen = {name: value for name, value in given.items() if value is not None}
    if len(chosen) != 1:
        what = f"got {' and '.join(chosen)}" if chosen else "got none"
        raise ValueError(f"{who}: give one of min_sensitivity=0.95, min_specificity=0.95 and youden=True; {what}")
    ((name, value),) = chosen.items()
    if name == "youden":
        return Rule("", 0.0)
    if not is_number(value) or not 0 < value <= 1:
        raise ValueError(f"{who}: {name} is {value!r}: give a share above 0, up to 1, such as 0.95")
    return Rule(name.removeprefix("min_"), float(value))


def best_threshold(labels: Any, scores: Any, rule: Rule, who: str, names: tuple[str, ...] = ("0", "1")) -> float:
    """The threshold that is best by a rule; messages start with `who`, and call the classes by their names.

    Raises:
        ValueError: there is none; the message says why.
    """
    y, s = labels_and_scores(who, labels, scores)
    curve = roc_curve(y, s)
    if np.isnan(s).any():
        raise ValueError(f"{who}: {int(np.isnan(s).sum()):,} scores are NaN: train the model again")
    if not len(y) or np.all(y == y[0]):
        only = names[int(y[0])] if len(y) else "missing"
        raise ValueError(f"{who}: all {len(y):,} labels are {only}: give data with both classes")
    if len(curve.thresholds) < 3:
        raise ValueError(
            f"{who}: all {len(y):,} scores are {s[0]:.4g}, so no threshold tells the classes apart: train the model "
            "further, or on other inputs"
        )
    sensitivity = curve.y[1:-1]
    specificity = 1 - curve.x[1:-1]
    chosen = rule.best(sensitivity, specificity)
    if chosen is None:
        highest = float((sensitivity if rule.of == "sensitivity" else specificity).max())
        raise ValueError(
            f"{who}: no threshold has a {rule.of} of at least {rule.least:g} unless all answers are "
            f"{names[int(rule.of == 'sensitivity')]}: the highest {rule.of} of any other is {highest:.4g} on these "
            f"{len(y):,} examples: ask for less"
        )
    given = np.asarray(scores).dtype  # in which the scores are compared with it
    return _between(curve.thresholds[chosen + 2], curve.thresholds[chosen + 1], given if given.kind == "f" else float)


def _between(low: float, high: float, dtype: Any) -> float:
    """A number of the dtype above low, and at most high: half way, if there is one."""
    middle = float(np.dtype(dtype).type((low + high) / 2))
    return middle if low < middle <= high else float(high)
