"""dataset.py -- Dataset: examples and their labels."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from pyneural.arguments.arrays import Array, as_groups, as_labels, as_weights
from pyneural.arguments.checks import checked_seed, is_number, text, verbosity, whole
from pyneural.arguments.familiar import OF_DATASETS
from pyneural.arguments.familiar_keywords import OF_DATASET, OF_FOLDS, OF_SPLIT
from pyneural.arguments.spelling import check_keywords, choose, no_attribute
from pyneural.arguments.tables import column_names, dtype_name, is_table, warn_of_order
from pyneural.card.card import PREPARATIONS
from pyneural.card.classes import checked_names, of_head
from pyneural.card.frames import rows_and_names
from pyneural.card.table import Table
from pyneural.datasets.counting import class_counts
from pyneural.datasets.mapped import selected
from pyneural.datasets.selection import row_number, rows_of
from pyneural.datasets.splitting import fold_rows, split_rows
from pyneural.printing import encodable, put

_BY_ROW = ("groups", "files", "sample_weight")  # the attributes with one value per example, or None


class Dataset:
    """Examples x and their labels y.

    `data[0]` is one example, the pair (x, y) of arrays, and `for x, y in data` iterates over them; `data[:100]`,
    `data[data.y == 7]` and `data[rows]` are Datasets; `data.split(0.1)` is two.

    Args:
        x: uint8 (n, height, width, channels), or floats (n, ...).  Greyscale images may be (n, height, width); a table
            may be a DataFrame (pandas, polars and others), also with categories, booleans and missing values; its
            columns are saved with the model.  A frame that has more than plain numbers is then a Table, data.x.columns.
        y: class numbers (n,), names (n,), one-hot rows or probabilities (n, K), rows of 0 and 1 (n, K) for several
            labels per example, or values (n,) or (n, K); for a model with heads a dict of these by head.
        classes: the class names, in order: label 0 is the first.  They are matched by name with those of a trained
            model and of other data.  For labels by head, also a dict.  Columns of y have names, too: those of several
            labels or values; a DataFrame y brings them.
        groups: (n,), the group of each example, such as its patient: pn.fit puts a whole group into the training part
            or into the validation part, never into both.
        name: the name shown in progress lines.
        note: a note shown with every result on this data, for example that it is a small sample.
        prepare: how image files are converted to inputs, saved with the model: "digit" is pn.prepare_digit; "12-bit"
            scales 16-bit images by 4095.
        sample_weight: (n,), how much each example counts in the losses of pn.fit: 2 is like having the example twice.
        files: (n,), the path of the file of each example.  Like the groups, take, slices and split keep them.

    >>> Dataset([[0.0], [1.0]], [0, 1], name="pair")
    <pair: 2 x float32 (1,), y int64 ()>
    >>> data = Dataset([[0.0], [1.0], [2.0]], ["red", "blue", "red"])
    >>> data.counts(), data[data.y == "red"].x.tolist(), data[-1][0]
    ({'blue': 1, 'red': 2}, [[0.0], [2.0]], array([2.], dtype=float32))
    """

    y_names: tuple[str, ...] = ()  # the names of the columns that y came from, in a CSV file

    @check_keywords(**OF_DATASET)
    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        classes: Sequence[str] | Mapping[str, Sequence[str]] = (),
        groups: Any = None,
        name: str = "",
        note: str = "",
        prepare: str = "",
        files: Any = None,
        sample_weight: Any = None,
    ) -> None:
        for what, value in (("name", name), ("note", note), ("prepare", prepare)):
            text("Dataset", what, value)
        choose("Dataset: prepare", prepare, dict.fromkeys(PREPARATIONS, prepare))
        who = name or "data"
        found, self.columns = rows_and_names(f"{who}: x", x)
        self.x: Any = found  # an array, or a Table
        self.given = dtype_name(x, self.x.dtype.name)
        self.y: Any = (
            {str(head): as_labels(f"{who}: y['{head}']", part) for head, part in y.items()}
            if isinstance(y, dict)
            else as_labels(f"{who}: y", y)
        )
        for head, part in by_head(y).items():
            warn_of_order(who, x, f"y['{head}']" if head else "y", part)
        unnamed = isinstance(classes, tuple) and not classes
        self.classes: Any = checked_names(who, names_of_columns(y) if unnamed else classes)
        self.name = name
        self.note = note
        self.prepare = prepare
        self.groups = None if groups is None else as_groups(f"{who}: groups", groups)
        self.files = None if files is None else np.asarray(files, dtype=np.str_)
        self.sample_weight: Array | None = None
        self._check(who)
        if sample_weight is not None:
            self.sample_weight = as_weights(f"{who}: sample_weight", sample_weight, len(self.x))

    def _check(self, who: str) -> None:
        """Rejects arrays that do not fit together."""
        if self.x.ndim < 2:
            raise ValueError(
                f"{who}: x is {self.x.shape}: give (n, ...), one row per example; for one feature x.reshape(-1, 1)"
            )
        if isinstance(self.classes, dict) and not self.classes.keys() <= by_head(self.y).keys():
            raise ValueError(
                f"{who}: classes is a dict ({', '.join(self.classes)}), "
                f"y has {', '.join(by_head(self.y)) or 'no heads'}: use the heads of y"
            )
        for head, part in by_head(self.y).items():
            what = f"y['{head}']" if head else "y"
            if part.ndim == 0 and part.dtype.kind == "U":
                raise ValueError(
                    f"{who}: {what} is the text {str(part)!r}: give the labels; if it is a column of a data frame, "
                    f"give (frame.drop(columns={str(part)!r}), frame[{str(part)!r}])"
                )
            if part.ndim == 0 or len(self.x) != len(part):
                raise ValueError(
                    f"{who}: x has {len(self.x):,} examples, {what} is {part.shape}: give one label per example"
                )
            if part.dtype.kind not in "iubfUSO":
                raise TypeError(f"{who}: {what} has dtype {part.dtype}: give numbers or names")
        if len(self.x) == 0:
            raise ValueError(f"{who}: it is empty, x is {self.x.shape}: give at least one example")
        for attribute in _BY_ROW:
            given = getattr(self, attribute)
            if given is not None and given.shape != (len(self.x),):
                raise ValueError(f"{who}: {attribute} is {given.shape}: give one per example, ({len(self.x)},)")

    def settle(self) -> "Dataset":
        """Checks and converts attributes that were assigned, like those given at first; returns the data set.

        Raises:
            TypeError, ValueError: they are wrong, or do not fit together.
        """
        given = {name: getattr(self, name) for name in ("x", "y", "classes", "name", "note", "prepare", *_BY_ROW)}
        made = Dataset(**given)
        names = (*given, "given", "columns") if made.columns or not isinstance(self.x, np.ndarray) else tuple(given)
        vars(self).update({name: getattr(made, name) for name in names})
        return self

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        name = self.name or "dataset"
        labels = ", ".join(f"{head or 'y'} {y.dtype} {y.shape[1:]}" for head, y in by_head(self.y).items())
        x = f"{len(self.columns)} columns" if isinstance(self.x, Table) else f"{self.x.dtype} {self.x.shape[1:]}"
        return encodable(f"<{name}{note}: {len(self):,} x {x}, {labels}>")

    if not TYPE_CHECKING:  # type checkers report wrong names by themselves

        def __getattr__(self, name):
            raise no_attribute("a data set", self, name, OF_DATASETS)

    def __getitem__(self, index: Any) -> Any:
        """An example (x, y) by its number; a Dataset for a slice, row numbers or a mask."""
        row = row_number(self.name or "data", index, len(self))
        if row is None:
            return self.take(index)
        return self.x[row], ({head: y[row] for head, y in self.y.items()} if isinstance(self.y, dict) else self.y[row])

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        """The examples in order, as pairs (x, y)."""
        return (self[row] for row in range(len(self)))

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            f"{self.name or 'data'}: a data set is not an array: give its inputs, data.x, or its labels, data.y"
        )

    def take(self, rows: Any) -> "Dataset":
        """A new Dataset of some examples.

        Args:
            rows: row numbers, negative ones counted from the end; a mask (n,); or a slice, which shares the memory of
                the arrays.

        Raises:
            IndexError: a row does not exist, a mask has another length, or nothing is selected.
        """
        chosen = rows_of(self.name or "data", rows, len(self))
        part = copy.copy(self)
        part.x = selected(self.x, chosen)
        part.y = {head: y[chosen] for head, y in self.y.items()} if isinstance(self.y, dict) else self.y[chosen]
        for attribute in _BY_ROW:
            values = getattr(self, attribute)
            setattr(part, attribute, None if values is None else values[chosen])
        return part

    @check_keywords(positional="write data.split(0.2, seed=1)", **OF_SPLIT)
    def split(self, share: float, *, seed: int = 0, verbose: int = 1) -> tuple["Dataset", "Dataset"]:
        """Splits off a share of the examples: two Datasets, the rest and the share, shuffled and stratified by class.

        Groups are not split, and identical examples are one group.  Both parts keep the order of the data.

        Args:
            share: the share of the second part, between 0 and 1.
            seed: the seed of the shuffle: the same seed gives the same parts.
            verbose: 0 prints nothing; 1 one line with the counts.

        Returns:
            The pair (rest, share): `train, test = data.split(0.2)`.

        Raises:
            ValueError: the share is not between 0 and 1, a part would be empty, or all examples are in one group.

        >>> train, test = Dataset(np.arange(10.0).reshape(10, 1), [0, 1] * 5).split(0.2)
        data: 8 train, 2 held out (shuffled, stratified)
        >>> test.counts()
        {'0': 1, '1': 1}
        """
        who = self.name or "data"
        if not is_number(share) or not 0 < share < 1:
            raise ValueError(f"{who}: split: share is {share!r}: give a number between 0 and 1, such as 0.1")
        seed = checked_seed(f"{who}: split", seed)
        self.settle()
        rest, held = split_rows(self, float(share), seed, together=True, what=f"{who}: split: share")
        parts = self.take(rest), self.take(held)
        if verbosity(f"{who}: split", verbose, "1 (one line)"):
            counts = [len(set(part.groups.tolist())) for part in parts if part.groups is not None]
            by = f", by group: {counts[0]:,} and {counts[1]:,} groups, none in both" if counts else ""
            put(f"{who}: {len(rest):,} train, {len(held):,} held out (shuffled, stratified{by})")
        return parts

    @check_keywords(positional="write data.folds(8, seed=1)", **OF_FOLDS)
    def folds(self, count: int = 8, *, seed: int = 0) -> Iterator[tuple["Dataset", "Dataset"]]:
        """Cross-validation: for each of `count` folds the pair (all other examples, the fold), stratified by class.

        Each example is in one fold.  Groups are not split, and identical examples are one group.  All parts keep the
        order of the data.

        Args:
            count: the number of folds, at least 2.
            seed: the seed of the shuffle: the same seed gives the same folds.

        Returns:
            An iterator, which makes one pair at a time: `for train, validation in data.folds(5)`.

        Raises:
            ValueError: count is not a whole number of at least 2, or there are fewer groups, or examples.

        >>> data = Dataset(np.arange(6.0).reshape(6, 1), [0, 1] * 3)
        >>> [len(fold) for _, fold in data.folds(3)]
        [2, 2, 2]
        """
        who = f"{self.name or 'data'}: folds"
        count = whole(who, "count", count, least=2)
        seed = checked_seed(who, seed)
        self.settle()
        rows = fold_rows(self, count, seed, who)
        return ((self.take(np.setdiff1d(np.arange(len(self)), fold)), self.take(fold)) for fold in rows)

    def counts(self) -> dict[str, Any]:
        """The number of examples of each class by name, also of named classes without any; for heads a dict of these.

        Raises:
            TypeError: y has values, not classes.
        """
        who = self.settle().name or "data"
        if isinstance(self.y, dict):
            return {head: class_counts(who, y, of_head(self.classes, head)) for head, y in self.y.items()}
        return class_counts(who, self.y, of_head(self.classes, ""))

    def arrays(self, *, flat: bool = False) -> tuple[Array, Any]:
        """Returns x as floats, uint8 pixels scaled to 0..1, and y; flat=True gives one row per example.

        >>> Dataset(np.full((2, 2, 2, 1), 255, np.uint8), [0, 1]).arrays(flat=True)[0][0]
        array([1., 1., 1., 1.], dtype=float32)
        """
        given = self.x.numbers if isinstance(self.x, Table) else self.x
        if given is None:
            raise TypeError(
                f"{self.name or 'data'}: arrays: x is a table with categories or missing values: take the numbers of a "
                "column, data.x.column(name).values"
            )
        x: Array = given.astype(np.float32) / np.float32(255) if given.dtype == np.uint8 else given
        return (x.reshape(len(x), -1) if flat else x), self.y


def names_of_columns(y: Any) -> Any:
    """The names of the columns of labels that are a table of several; () for others; for heads a dict of these."""
    if isinstance(y, dict):
        return {str(head): names for head, part in y.items() if (names := names_of_columns(part))} or ()
    names = column_names(y) if is_table(y) else getattr(y, "column_names", ())  # of pyarrow
    return tuple(map(str, names)) if len(names) > 1 else ()


def by_head(y: Any) -> dict[str, Any]:
    """Labels by head; for a single output the head is ""."""
    return y if isinstance(y, dict) else {"": y}
