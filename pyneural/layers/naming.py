"""naming.py -- the names of sibling layers: the given name, else the kind and a number.

A module of its own, though small: layers with layers inside, networks and models all use it, and layer.py is long.
"""

from typing import TypeVar

from pyneural.layers.operation import Operation

L = TypeVar("L", bound=Operation)


def name_layers(layers: list[L], who: str) -> list[L]:
    """Names the layers that have no name: their kind and a running number.

    Raises:
        ValueError: two have the same name.
    """
    taken: set[str] = set()
    for name in (layer.name for layer in layers):
        if name in taken:
            raise ValueError(f"{who}: two layers are named '{name}': give one of them another name=")
        if name is not None:
            taken.add(name)
    seen: dict[str, int] = {}
    given: dict[str, int] = {}  # the last number given out per kind: no lower one is free
    for layer in layers:
        seen[layer.kind] = number = seen.get(layer.kind, 0) + 1
        if layer.name is None:
            number = max(number, given.get(layer.kind, 0) + 1)
            while f"{layer.kind}_{number}" in taken:
                number += 1
            given[layer.kind] = number
            layer.name = f"{layer.kind}_{number}"
            taken.add(layer.name)
    return layers
