"""table_rows.py -- the training data of a table as numbers, by rules that are learned from its training rows alone."""

from pyneural.arguments.arrays import Array
from pyneural.card.columns import Columns, as_array
from pyneural.card.table import Table
from pyneural.datasets.dataset import Dataset
from pyneural.models.model import Model


def encoded(model: Model, data: Dataset, rows: Array) -> tuple[Array, Columns | None, str]:
    """The inputs of all rows as numbers, their columns if they are a table, and what other rows have that these lack.

    Args:
        model: the model; one that was trained on a table keeps its columns.
        data: the data.
        rows: the training rows.

    Raises:
        ValueError, TypeError: a column cannot be learned from, or is not one of the model's.
    """
    known = model.card.table
    if known is None and isinstance(data.x, Table):
        table = Columns.learn(data.x, rows, "fit")
        x, odd = table.encoded(data.x, "fit")
        return x, table, f"; in it {odd}" if odd else ""
    if known is None and data.columns:
        known = Columns.of_numbers(data.columns, data.x, rows)
    return as_array(known, data.x, data.columns, "fit"), known, ""
