"""entrances.py -- the preprocessing of trained layers, for other models that contain these layers.

The first layers of a trained model have learned from preprocessed inputs (standardized, with the columns in some
order).  Other models that contain these layers must preprocess their inputs in the same way.  So training records the
preprocessing at the input node, and at each layer with parameters that the input reaches through layers without any;
other models take it over if their inputs reach such a layer in the same way.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from pyneural.arguments.checks import warn
from pyneural.card.columns import Columns
from pyneural.card.preprocessing import Preprocessing
from pyneural.layers.layer import Layer, tree
from pyneural.layers.operation import Operation, name_of, record
from pyneural.models.network import Network

Steps = tuple[Any, ...]  # the layers without parameters between an input and a layer


class Entrance(NamedTuple):
    """The preprocessing of the inputs of a trained model or layer.

    Attributes:
        name: the name of the model or layer.
        steps: the layers between the input and it.
        preprocessing, table, prepare: as on a card.
    """

    name: str
    steps: Steps
    preprocessing: Preprocessing
    table: Columns | None
    prepare: str


class _First(NamedTuple):
    """The first layer with parameters on a path from the input; or a trained network."""

    steps: Steps
    layer: Layer


def remember(network: Network) -> None:
    """Records the preprocessing of a trained network, for models that contain its layers."""
    card = network.card
    if card.preprocessing is None:
        return
    for steps, layer in _firsts(network, False)[0]:
        if layer.trainable or record(layer).entrance is None:  # a frozen layer has learnt nothing from these inputs
            record(layer).entrance = Entrance(name_of(layer), steps, card.preprocessing, card.table, card.prepare)
    network.input.entrance = Entrance(name_of(network), (), card.preprocessing, card.table, card.prepare)
    last = _last(network) if card.task is not None else []  # without a task its outputs are features, too
    for layer in tree(network):
        record(layer).is_feature |= not any(layer is one for one in last)


def gives_features(network: Network) -> bool:
    """Whether its layers with parameters were trained by pn.fit, before the outputs, and on inputs prepared alike."""
    if not all(record(layer).is_feature for layer in tree(network) if record(layer).specs):
        return False
    found, others = _entrances(network)
    return network.card.preprocessing is not None or not (found or others)


def _last(network: Network) -> list[Layer]:
    """The layers that compute the outputs."""
    found: list[Layer] = []
    for node in network.graph.outputs.values():
        if isinstance(node.layer, Network):
            found += _last(node.layer)
        elif isinstance(node.layer, Layer):
            found.append(node.layer)
    return found


def inherit(network: Network) -> None:
    """Takes over the preprocessing of the trained layers that read the inputs, if these agree.

    Does nothing if the network has been trained itself.
    """
    card = network.card
    if card.epochs or (card.preprocessing is not None and not network.inherited):
        return
    found, _ = _entrances(network)
    if found and not _differ(found):
        card.preprocessing = found[0].preprocessing
        card.table = found[0].table
        card.prepare = found[0].prepare
        network.inherited = found[0].name


def check_entrances(network: Network) -> None:
    """Before a first fit, reports trained layers that would get differently preprocessed inputs.

    Raises:
        ValueError: several were trained on inputs that were prepared differently.
    """
    if network.card.epochs:
        return
    found, others = _entrances(network)
    if _differ(found):
        first = found[0]
        other = next(one for one in found if _differ([first, one]))
        raise ValueError(
            f"fit: {first.name} and {other.name} inside the model were trained with different preprocessings or "
            f"columns ({first.preprocessing}; {other.preprocessing}), and both read x: give preprocess='dataset', "
            "'image' or None, which then holds for both"
        )
    for one in others:
        if one.preprocessing.kind != "none":
            warn(
                f"fit: {one.name} inside the model was trained with preprocessing '{one.preprocessing}', but not on x "
                "itself: other layers stand before it, so fit cannot prepare its inputs alike: give "
                "preprocess='dataset' or 'image', or prepare x yourself and give preprocess=None"
            )


def _differ(found: list[Entrance]) -> bool:
    return len({(one.preprocessing, one.table) for one in found}) > 1


def _entrances(network: Network) -> tuple[list[Entrance], list[Entrance]]:
    """The trained layers that the input reaches, in the same way as in training, and in another way."""
    found: list[Entrance] = []
    others: list[Entrance] = []
    for steps, layer in _firsts(network, True)[0]:
        entrance = _entrance(layer)
        if entrance is not None:
            (found if entrance.steps == steps else others).append(entrance)
    start: Entrance | None = network.input.entrance if network.has_graph else None
    return ([start], []) if start is not None and (found or others) else (found, others)


def _entrance(layer: Layer) -> Entrance | None:
    if not isinstance(layer, Network):
        entrance: Entrance | None = record(layer).entrance
        return entrance
    card = layer.card
    assert card.preprocessing is not None
    return Entrance(name_of(layer), (), card.preprocessing, card.table, card.prepare)


def _firsts(network: Network, whole: bool) -> tuple[list[_First], Steps | None]:
    """The first layers with parameters after the input; and the steps to the output, if none is on the way.

    Args:
        network: the network.
        whole: whether a trained network inside counts as one layer.
    """
    chain = network.sequence
    if chain is None:
        return _firsts_of_graph(network, whole)
    found: list[_First] = []
    steps: Steps | None = ()
    for layer in chain:
        if steps is None:
            break
        more, steps = _through(layer, steps, whole)
        found += more
    return found, steps


def _firsts_of_graph(network: Network, whole: bool) -> tuple[list[_First], Steps | None]:
    graph = network.graph
    found: list[_First] = []
    ways: dict[int, Steps | None] = {id(graph.input): ()}  # the steps to each node that no parameters influence
    for node in graph.nodes:
        before = [ways.get(id(source)) for source in node.inputs]
        if isinstance(node.layer, Layer) and None not in before:
            steps = before[0] if len(before) == 1 else tuple(before)
            assert steps is not None
            more, ways[id(node)] = _through(node.layer, steps, whole)
            found += more
    return found, ways.get(id(graph.only))


def _through(layer: Layer, steps: Steps, whole: bool) -> tuple[list[_First], Steps | None]:
    """What is found in a layer that is reached by these steps, and the steps to its output."""
    if not isinstance(layer, Network):
        return ([_First(steps, layer)], None) if _learns(tree(layer)) else ([], (*steps, _described(layer)))
    if whole and layer.card.preprocessing is not None and not layer.inherited:
        return [_First(steps, layer)], None
    found, after = _firsts(layer, whole)
    return [_First((*steps, *one.steps), one.layer) for one in found], None if after is None else (*steps, *after)


def _learns(layers: Iterable[Layer]) -> bool:
    """Whether layers have parameters or state, or will have when they are built."""
    return any(
        record(one).specs or (not record(one).built and type(one).build is not Operation.build) for one in layers
    )


def _described(layer: Layer) -> Any:
    """What a layer without parameters does: equal for layers with the same arguments."""
    try:
        config = layer.config()
    except TypeError:  # of a custom layer
        return id(layer)
    return type(layer).__name__, repr({key: value for key, value in config.items() if key != "name"})
