"""summary.py -- descriptions of a model: one line (print(model)), or a table (model.summary()).

In the line, a network of dense layers is 784x128x10; others are written as in the literature: 28x28x1-16c5-p2-128-10 is
a convolution with 16 filters of 5x5 (1d5: depthwise, one filter per channel), a max pool of 2x2 (a2: average; gap: the
mean over the image), then 128 and 10 units.
"""

import itertools
import math
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pyneural._core as _core
from pyneural.arguments.checks import Shape, both, named
from pyneural.card.task import REGRESSION, Task
from pyneural.layers.activations import Activation
from pyneural.layers.context import Building, building, recording_calls
from pyneural.layers.convolution import AvgPool2D, Conv2D, DepthwiseConv2D, GlobalAvgPool2D, MaxPool2D
from pyneural.layers.dense import Dense, Embedding
from pyneural.layers.embed_columns import EmbedColumns
from pyneural.layers.layer import Layer, layer_dtype, tree
from pyneural.layers.nodes import Node
from pyneural.layers.norms import BatchNorm, Dropout, LayerNorm
from pyneural.layers.operation import record
from pyneural.layers.reshaping import Flatten, Reshape
from pyneural.models.network import Network
from pyneural.models.test_time import IN_WORDS
from pyneural.printing import folded, shortened

WIDTH = 80
"""The most columns of a table."""
_NAME = 28  # the maximum length of a layer's name
_SILENT = (Activation, BatchNorm, Dropout, Flatten, LayerNorm, Reshape)
_TOKENS: dict[type[Layer], Callable[[Any], str]] = {
    Dense: lambda layer: f"{layer.units}",
    Embedding: lambda layer: f"{layer.vocabulary}e{layer.units}",
    EmbedColumns: lambda layer: f"{sum(layer.sizes)}e{sum(layer.units)}",
    Conv2D: lambda layer: f"{layer.filters}c{_window(layer.size)}",
    DepthwiseConv2D: lambda layer: f"{layer.multiplier}d{_window(layer.size)}",
    MaxPool2D: lambda layer: f"p{_window(layer.size)}",
    AvgPool2D: lambda layer: f"a{_window(layer.size)}",
    GlobalAvgPool2D: lambda layer: "gap",
}


def line(model: Network) -> str:
    """The model in one line: sizes, activations (including the softmax or sigmoid that the loss implies), the loss.

    >>> import pyneural as pn
    >>> print(pn.Sequential(pn.Conv2D(16, 5, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10)))
    ?-16c5-p2-10 | relu, linear
    """
    chain = model.chain()
    loss: Any = model.card.loss
    if isinstance(loss, dict):
        differ = len(set(loss.values())) > 1
        losses = [f"{name} {one}" for name, one in loss.items()] if differ else [*loss.values()][:1]
    else:
        losses = [loss] if loss else []
    sizes, ends = _graph_line(model) if chain is None else _chain_line(model, chain)
    parts = [sizes, ", ".join(ends), ", ".join(losses).replace("_", "-")]
    return " | ".join(part for part in parts if part)


def _chain_line(model: Network, layers: list[Layer]) -> tuple[str, list[str]]:
    tokens = [_token(layer) for layer in layers if not isinstance(layer, _SILENT)]
    shape = model.input_shape
    flat = shape is None or len(shape) == 1 or any(isinstance(layer, Flatten) for layer in layers)
    if tokens and flat and all(token.isdigit() for token in tokens):
        return "x".join(["?" if shape is None else str(math.prod(shape)), *tokens]), _activations(model, layers)
    return "-".join(["?" if shape is None else _times(shape), *tokens]), _activations(model, layers)


def _token(layer: Layer) -> str:
    found = _TOKENS.get(type(layer))
    return layer.kind if found is None else found(layer)


def _activations(model: Network, layers: list[Layer]) -> list[str]:
    """The activation after each layer with weights; three or more equal ones in a row are counted."""
    found: list[str | None] = []
    for layer in layers:
        if isinstance(layer, Dense | Conv2D):
            found.append(_spelled(layer.activation))
        elif isinstance(layer, Activation | BatchNorm) and layer.activation and found:
            found[-1] = _spelled(layer.activation)
    if found and found[-1] is None:
        found[-1] = _implied(model, "")
    runs = [(name or "linear", len(list(run))) for name, run in itertools.groupby(found)]
    return [word for name, count in runs for word in ([f"{name} x{count}"] if count > 2 else [name] * count)]


def _implied(model: Network, head: str) -> str | None:
    """The softmax or sigmoid between an output and its loss, if the model does not contain it."""
    task = model.card.task
    loss = model.card.loss
    kind: Any = task.get(head) if isinstance(task, dict) else task
    name = loss.get(head) if isinstance(loss, dict) else loss
    if not isinstance(kind, Task) or kind.kind == "values" or name in REGRESSION:
        return None
    return "softmax" if kind.kind == "classes" else "sigmoid"


def _graph_line(model: Network) -> tuple[str, list[str]]:
    graph = model.graph
    ends = ", ".join(f"{name} {_times(node.shape)}".strip() for name, node in graph.outputs.items())
    last = [_last(node) or _implied(model, name) or "linear" for name, node in graph.outputs.items()]
    return f"{_times(graph.input.shape)} -> {len(graph.layers)} layers -> {ends}", last


def _last(node: Node) -> str | None:
    """The final activation of a node."""
    layer = node.layer
    if isinstance(layer, Network):
        inside = layer.graph.only
        return _last(inside) if inside else None
    return _spelled(getattr(layer, "activation", None))


def _spelled(activation: Any) -> str | None:
    """The name of an activation, which may be a function."""
    return activation if activation is None or isinstance(activation, str) else named(activation, "function")


def _times(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "1"


def _window(size: Any) -> str:
    high, wide = both(size)
    return f"{high}" if high == wide else f"{high}x{wide}"


# ---- the table


def table(model: Network, columns: int = WIDTH) -> str:
    """The model as a table: layer, output shape, parameters, FLOPs; in graphs, the input layers.

    FLOPs are the multiplications and additions of one forward pass of one example, without activations.  If `columns`
    are too few for a row, its numbers follow on a second line, and the input layers on a third.
    """
    if model.input_shape is None:
        rows = [[_name(layer), "?", "?", "?"] for layer in model.layers]
        header = folded(["input: not known yet: model.build(shape) or pn.fit(model, data) sets it"], columns)
        return "\n".join([*header, *_aligned(["layer", "output", "parameters", "FLOPs"], rows, columns)])
    graph = model.graph
    straight = model.graph.is_chain
    heads = ["layer", "output", "parameters", "FLOPs"]
    rows = []
    seen = set[int]()
    total = 0
    unknown = False
    for layer, node in graph.calls:
        count = flops(layer, tuple(source.shape for source in node.inputs), node.shape)
        total += count or 0
        unknown = unknown or count is None
        parameters = "shared" if id(layer) in seen else f"{_parameters(layer):,}"
        seen.add(id(layer))
        row = [_name(layer), str(node.shape), parameters, "?" if count is None else _number(count)]
        rows.append(row if straight else [*row, ", ".join(shortened(source.maker, _NAME) for source in node.inputs)])
    if not straight:
        heads.append("from")
    rows.append(["total", "", f"{_parameters(model):,}", ("at least " if unknown else "") + _number(total)])
    header = folded([f"input: {_rule(model)}"], columns)
    return "\n".join([*header, *_aligned(heads, rows, columns), *_below(model, columns)])


def flops(layer: Layer, inputs: tuple[Shape, ...], output: Shape) -> int | None:
    """Multiplications and additions of a layer per example; None for a custom layer without known layers inside."""
    if isinstance(layer, Network):
        calls = layer.graph.calls
        parts = [flops(one, tuple(source.shape for source in node.inputs), node.shape) for one, node in calls]
        return None if None in parts else sum(part for part in parts if part is not None)
    known = layer.flops(inputs, output)
    if known is not None or not layer.children():
        return known
    dtype = layer_dtype(layer)
    with building(Building(dtype)), recording_calls() as recorded:
        layer.call(*(_core.shape_only((1, *shape), dtype) for shape in inputs), training=False)
    return sum(flops(*call) or 0 for call in recorded)


def _parameters(layer: Layer, state: bool = False, frozen: bool = False) -> int:
    """The number of trainable values in a layer and those below it; or of state values, or only of frozen ones."""
    below = [one for one in tree(layer) if not frozen or not one.trainable]
    return sum(math.prod(s.shape) for one in below for s in record(one).specs.values() if (s.group == "state") is state)


def _rule(model: Network) -> str:
    rule = model.card.preprocessing
    shape = model.input_shape
    table = model.card.table
    if rule is not None and table is not None and not table.is_plain:
        return f"{table} -> {rule}"
    return f"{shape}" if rule is None else f"{rule.dtype} {shape} -> {rule}"


def _below(model: Network, columns: int) -> Iterator[str]:
    """The lines under the table."""
    frozen = _parameters(model, frozen=True)
    state = _parameters(model, state=True)
    trained = _parameters(model) - frozen
    also = f", {state:,} values of state" if state else ""
    yield from folded([f"{trained:,} trainable parameters, {frozen:,} frozen{also}"], columns)
    scale = model.card.target_scale
    for head, of_head in scale.items() if isinstance(scale, dict) else {"": scale}.items():
        if of_head is not None:
            yield from folded([f"{head}: {of_head}" if head else f"{of_head}"], columns)
    if model.card.test_time:
        yield from folded([f"predictions: {IN_WORDS}"], columns)
    if isinstance(model.output_shape, dict):
        ends = ", ".join(f"{name} = {node.maker} {node.shape}" for name, node in model.graph.outputs.items())
        yield from folded([f"heads: {ends}"], columns)


def _name(layer: Layer) -> str:
    name = layer.name or layer.kind
    return shortened(name if name.startswith(layer.kind) else f"{name} ({type(layer).__name__})", _NAME)


def _number(count: int) -> str:
    return f"{count:,}" if count < 10**10 else f"{count / 1e9:,.1f} G"


def _aligned(heads: list[str], rows: list[list[str]], columns: int) -> Iterator[str]:
    """Lines of aligned columns: numbers right-aligned, the rest left-aligned; a fifth column wraps."""
    cells = [heads, *rows]
    width = [max(len(row[i]) for row in cells if i < len(row)) for i in range(4)]
    width[0] = min(width[0], max(8, columns - width[1] - 2))
    room = columns - sum(width) - 8  # for a fifth column, with two spaces before each
    beside = room >= max((len(word) for row in rows for word in "".join(row[4:]).split()), default=0)
    for row in cells:
        left = f"{shortened(row[0], width[0]):<{width[0]}}  {row[1]:<{width[1]}}"
        right = f"{row[2]:>{width[2]}}  {row[3]:>{width[3]}}"
        if sum(width) + 6 > columns:
            yield left.rstrip()
            yield f"    {right}"
        elif beside and len(row) == 5:
            first, *others = textwrap.wrap(row[4], max(12, room)) or [""]
            yield f"{left}  {right}  {first}".rstrip()
            yield from (" " * (len(left) + len(right) + 4) + part for part in others)
        else:
            yield f"{left}  {right}"
        if not beside and len(row) == 5 and row is not heads:
            yield from folded([row[4]], columns, " " * 9, first="    from ")
