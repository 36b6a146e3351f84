"""embedding.py -- the embedding of a table's categories, which fit puts in front of a model."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyneural.card.columns import Columns
from pyneural.layers.embed_columns import EmbedColumns
from pyneural.layers.layer import walk
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential


@contextmanager
def embedded(model: Model, table: Columns | None) -> Iterator[list[str]]:
    """A pn.EmbedColumns in front of a Sequential that is not built, if the table needs one; not so after an error.

    Yields:
        What was done, for the first line: a list of at most one part.

    Raises:
        ValueError: the model needs one and cannot get it, or has one for other columns; the message shows the lines.
    """
    columns = table.embedded if table else {}
    if table is None or not columns or _has(model, columns):
        yield []
        return
    layer = EmbedColumns(tuple(columns), tuple(columns.values()))
    if not isinstance(model, Sequential) or model.has_graph:
        raise ValueError(
            f"fit: {_named(table, columns)} more than 12 values, which need embeddings, and the model has none: "
            f"{_lines(model, table, layer)}"
        )
    model.prepend(layer)
    try:
        yield [f"{layer.name} in front: {_widths(table, layer)}"]
    except BaseException:
        model.without_first()
        raise


def _has(model: Model, columns: dict[int, int]) -> bool:
    """Whether a model embeds these columns; raises an error if it embeds others."""
    layers = [layer for _, layer in walk(model) if isinstance(layer, EmbedColumns)]
    for layer in layers:
        sizes = dict(zip(layer.columns, layer.sizes, strict=True))
        if sizes.keys() != columns.keys() or any(sizes[place] < size for place, size in columns.items()):
            raise ValueError(
                f"fit: {layer.name} embeds the columns {list(layer.columns)} of sizes {list(layer.sizes)}, and this "
                f"table needs {_call(columns)}: write that"
            )
    return bool(layers)


def _call(columns: dict[int, int]) -> str:
    return f"pn.EmbedColumns({list(columns)}, {list(columns.values())})"


def _named(table: Columns, columns: dict[int, int]) -> str:
    names = [repr(table.features[place]) for place in columns]
    return f"the column {names[0]} has" if len(names) == 1 else f"the columns {', '.join(names)} have"


def _lines(model: Model, table: Columns, layer: EmbedColumns) -> str:
    """The lines to write."""
    call = _call(dict(zip(layer.columns, layer.sizes, strict=True)))
    if isinstance(model, Sequential):
        return f"make a new model that begins with it, pn.Sequential({call}, ...)"
    return f"begin the graph with x = pn.Input(({len(table.features)},)); h = {call}(x)"


def _widths(table: Columns, layer: EmbedColumns) -> str:
    pairs = zip(layer.columns, layer.units, strict=True)
    return ", ".join(f"{table.features[column]} -> {units} numbers" for column, units in pairs)
