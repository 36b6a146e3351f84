"""importance.py -- importance: how much worse a model's score gets when the values of one column are shuffled."""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import checked_seed, verbosity, whole
from pyneural.arguments.familiar_keywords import OF_IMPORTANCE
from pyneural.arguments.spelling import check_keywords, choose
from pyneural.batching.inputs import check_model
from pyneural.batching.opening import open_data
from pyneural.batching.pairs import is_stream
from pyneural.card.soft import as_numbers
from pyneural.datasets.dataset import Dataset
from pyneural.evaluation.heads import Head, encode, head_of
from pyneural.evaluation.permuted import Rows
from pyneural.evaluation.predict import predict, ready
from pyneural.evaluation.tables import Table, as_html, as_text, escaped
from pyneural.metrics.estimate import Estimate, Z
from pyneural.metrics.influence import METRICS, Influence, default_metric
from pyneural.models.ensemble import Ensemble
from pyneural.models.entrances import inherit
from pyneural.models.model import Model
from pyneural.printing import encodable, put, terminal_columns

_OF_TWO = ("roc_auc", "average_precision")  # scores of two classes, or of each label
_WIDTH = 80  # of a printed table, unless the terminal is narrower


class Importance(dict[str, Estimate]):
    """The importance of each column by name, the most important one first; `print` shows a table.

    Attributes:
        metric: the name of the score, such as "accuracy".
        score: that of the model on the data as it is.
        drops: (columns, repeats), how much worse the score got, in the order of the data's columns.
        columns: their names in that order.
        n: examples.
        groups: the number of their groups, or None.
        name: the name of the data.
    """

    def __init__(
        self,
        found: dict[str, Estimate],
        metric: str,
        score: float,
        drops: Array,
        data: Dataset,
        groups: int | None = None,
    ) -> None:
        super().__init__(sorted(found.items(), key=lambda pair: -pair[1]))  # stable: equal ones as in the data
        self.metric = metric
        self.score = score
        self.drops = drops
        self.columns = tuple(found)
        self.n = len(data)
        self.groups = groups
        self.name = data.name

    def __str__(self) -> str:
        columns = min(_WIDTH, terminal_columns() or _WIDTH)
        return encodable(as_text([self._table], [self._title], [], columns))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return as_html([self._table], [self._title], [])

    @property
    def _title(self) -> str:
        metric = METRICS[self.metric]
        score = f"{100 * self.score:.2f} %" if metric.percent else f"{self.score:.4g}"
        by = "" if self.groups is None else f" in {self.groups:,} groups"
        of = f"{self.name} · " if self.name else ""
        return f"{of}{metric.words} {score} · n = {self.n:,}{by} · {self.drops.shape[1]} permutations of each column"

    @property
    def _table(self) -> Table:
        metric = METRICS[self.metric]
        number = _percent if metric.percent else _plain
        rows = [(name, number(one), f"{number(one.low)} to {number(one.high)}") for name, one in self.items()]
        return Table(("column", metric.change, "95 % interval"), rows)


class Importances(dict[str, Importance]):
    """The Importance of the columns for each head of a model."""

    def __str__(self) -> str:
        return "\n\n".join(f"{head}: {one}" for head, one in self.items())

    def _repr_html_(self) -> str:
        return "".join(f"<h4>{escaped(head)}</h4>{one._repr_html_()}" for head, one in self.items())


@check_keywords(positional="give the metric by name, such as metric='roc_auc'", **OF_IMPORTANCE)
def importance(
    model: Model | Ensemble,
    data: Any,
    *,
    metric: str = "auto",
    repeats: int = 10,
    head: str | None = None,
    seed: int = 0,
    verbose: int = 1,
) -> Any:
    """Which columns a model's answers depend on: the loss of score when the values of one column are shuffled.

    The permutation importance of a column (Breiman 2001) is the score on the data as it is less the mean score over
    `repeats` permutations of that column's values (for losses, the increase).  It says what this model uses, not what
    is related to y: of two columns that say the same, each may look unimportant, since the other one remains.

    A column of a table is permuted before it is encoded, so all that is made of it changes together.  Where the data
    has groups, a column with one value in each group, such as a patient's age, is permuted among groups; others are
    permuted among all rows.

    The 95 % interval is importance ± 1.96 √(Σ D_u² m / (m - 1)) / n, over the m rows, or groups, u of n rows.  With d_i
    the influence of row i on the score as it is, less that on the score with permuted values, averaged over the
    repeats, D_u is d of u itself plus d of the row that got u's value: u counts in both places.  The noise of the
    permutations is in D, so the interval covers other rows from the same source as well as other permutations; with few
    repeats, and for columns of no importance, it is wider than it need be.  A column that changes no output has
    importance 0, without an interval.

    Args:
        model: a trained model, or a pn.Ensemble.
        data: labelled examples that the model was not trained on: a pn.Dataset, or arrays (x, y); x is a table, or
            (n, columns).
        metric: "accuracy", "balanced_accuracy", "roc_auc" or "average_precision" (of two classes, or the mean over
            labels) or "log_loss" for classes and labels, "r2", "mse" or "mae" for values.  "auto" is accuracy, or R²
            for values; where a class has more than four times the examples of another one, ROC AUC for two classes and
            for labels, and balanced accuracy for more classes.
        repeats: permutations of each column, at least 2.
        head: the head of a model with several; None for all.
        seed: the seed of the permutations: the same seed gives the same result, for any number of threads.
        verbose: 0 prints nothing; 1 the table.

    Returns:
        The Importance, a dict of Estimates by column; for a model with heads, and head=None, a dict of these.
        pn.plot.importance draws it.

    Raises:
        ValueError, TypeError: the data or the metric does not fit the model; x is not a table of columns.
        RuntimeError: the model is not trained yet.

    >>> import pyneural as pn
    >>> x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    >>> model = pn.Sequential(pn.Dense(1))
    >>> history = pn.fit(model, (x, x[:, 0] - 2 * x[:, 2]), epochs=50, learning_rate=0.1, verbose=0)
    >>> list(pn.importance(model, (x, x[:, 0] - 2 * x[:, 2]), verbose=0))
    ['column 2', 'column 0', 'column 1']
    """
    who = "importance"
    check_model(model, who)
    if isinstance(model, Model):
        inherit(model)
    heads, _ = ready(model, who)
    repeats = whole(who, "repeats", repeats, least=2)
    seed = checked_seed(who, seed)
    verbose = verbosity(who, verbose, "1 (a table)")
    chosen = heads if head is None else (head_of(heads, head, who),)
    part = _table_of(model, data, who)
    y = encode(heads, model.dtype, part.y, who, part.classes)
    scored = [_Scored.of(one, y[one.name] if one.name else y, metric, who) for one in chosen]
    found = _measured(model, Rows.of(part), scored, repeats, seed)
    if verbose:
        for name, one in found.items():
            put(f"{name}: {one}" if name else one)
    return found[chosen[0].name] if len(chosen) == 1 else Importances(found)


class _Scored(NamedTuple):
    """A head, its encoded labels, and the name of its score."""

    head: Head
    y: Array
    metric: str

    @classmethod
    def of(cls, head: Head, y: Array, metric: str, who: str) -> "_Scored":
        """The score of a head; "auto" chooses by the labels.

        Raises:
            ValueError: the task does not have that score, or the labels do not define it.
        """
        at, task = (f"{who}: {head.name}" if head.name else who), head.task
        y = as_numbers(y) if task.kind in ("classes", "binary") else y
        name = default_metric(task, y)
        if metric != "auto":
            name = choose(f"{at}: metric", metric, {known: known for known in METRICS})
        able = [known for known, one in METRICS.items() if task.kind in one.kinds]
        if task.kind == "classes" and not task.is_two_class:
            able = [known for known in able if known not in _OF_TWO]
        if name not in able:
            raise ValueError(f"{at}: metric '{name}' does not suit the model's {task.kind}: give {' or '.join(able)}")
        found = cls(head, y, name)
        varies = np.any(y != y[0]) if task.kind != "values" else np.all(np.any(y != y[0], axis=0))
        if name in (*_OF_TWO, "r2") and not varies:
            raise ValueError(f"{at}: all {len(y):,} labels are equal, so {name} is not defined: give more examples")
        return found

    def on(self, answers: Any) -> Influence:
        """The score of predictions, which are by head in a model with heads."""
        return METRICS[self.metric].of(self.head.task, self.y, answers[self.head.name] if self.head.name else answers)


def _measured(
    model: Model | Ensemble, rows: Rows, scored: list[_Scored], repeats: int, seed: int
) -> dict[str, Importance]:
    """The importance of every column, by head."""
    before = predict(model, rows.data)
    as_is = [one.on(before) for one in scored]
    names = rows.names
    found: list[dict[str, Estimate]] = [{} for _ in scored]
    drops = np.zeros((len(scored), len(names), repeats))
    for number, name in enumerate(names):
        sums = np.zeros((len(scored), rows.unit_count))  # of the influences of the units, over the repeats
        changed = False
        for repeat, order in enumerate(rows.orders(number, repeats, seed)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what is strange about these rows has been said
                answers = predict(model, rows.permuted(number, order))
            changed = changed or not _equal(before, answers)
            for i, one in enumerate(scored):
                sign = 1 if METRICS[one.metric].higher else -1
                after = one.on(answers)
                drops[i, number, repeat] = sign * (as_is[i].value - after.value)
                influence = sign * (as_is[i].of_rows - after.of_rows)
                sums[i] += np.bincount(rows.units, influence, rows.unit_count)
                sums[i] += np.bincount(rows.units[order], influence, rows.unit_count)
        for i, one in enumerate(scored):
            percent = METRICS[one.metric].percent
            found[i][name] = _estimate(drops[i, number], sums[i] / repeats, len(rows.data), changed, percent)
    groups = rows.unit_count if rows.grouped else None
    return {
        one.head.name: Importance(found[i], one.metric, as_is[i].value, drops[i], rows.data, groups)
        for i, one in enumerate(scored)
    }


def _estimate(drops: Array, sums: Array, n: int, changed: bool, percent: bool) -> Estimate:
    """The mean drop with its interval, from the sums of the influences of each unit."""
    value = float(drops.mean())
    m = len(sums)
    if not changed:
        return Estimate(0.0, 0.0, 0.0, percent)
    if m < 2:
        return Estimate(value, -math.inf, math.inf, percent)
    half = Z * math.sqrt(m / (m - 1) * float(((sums - sums.mean()) ** 2).sum())) / n
    if percent and half == 0:  # no answer changed, though probabilities did: Wilson's interval of none of m
        half = Estimate.share(0, m).high
    return Estimate(value, value - half, value + half, percent)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(np.array_equal(one[head], other[head]) for head in one)
    return np.array_equal(one, other)


def _table_of(model: Model | Ensemble, data: Any, who: str) -> Dataset:
    """The data, whose inputs are columns.

    Raises:
        TypeError, ValueError: they are not; the message says what is for images.
    """
    part = open_data(data, who, model, part="test")
    if is_stream(part):
        raise TypeError(f"{who}: data comes in batches, and columns are permuted over all rows: give arrays (x, y)")
    assert isinstance(part, Dataset)
    if part.x.ndim != 2:
        image = part.x.ndim == 4
        fix = "pn.heat_map(model, image) shows which pixels an answer depends on" if image else "give (n, columns)"
        raise ValueError(f"{who}: x is {part.x.shape}, and importance is of the columns of a table: {fix}")
    if len(part) < 2:
        raise ValueError(f"{who}: there is one example, whose values cannot be permuted: give more")
    return part


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _plain(value: float) -> str:
    return f"{value:.4g}"
