"""sequential.py -- Sequential: a model whose layers follow one another."""

from collections.abc import Sequence

from pyneural.arguments.checks import Shape
from pyneural.layers.layer import Layer
from pyneural.layers.naming import name_layers
from pyneural.layers.nodes import Input
from pyneural.layers.operation import name_of
from pyneural.models.checks import checked_layers
from pyneural.models.entrances import inherit
from pyneural.models.graph import Graph
from pyneural.models.model import Model


class Sequential(Model):
    """Layers one after another.

    Args:
        layers: each takes the output of the one before it; one by one, or as one list.
        dtype: "float32" or "float64", for parameters and computation.
        seed: the seed of the initial parameters; None takes that of pn.fit.

    >>> import pyneural as pn
    >>> model = pn.Sequential(pn.Flatten(), pn.Dense(32, "relu"), pn.Dense(10))
    >>> model.build((28, 28, 1))
    >>> model["dense_2"].weight.shape
    (32, 10)
    """

    def __init__(
        self,
        *layers: Layer | Sequence[Layer],
        dtype: str = "float32",
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        self._begin(dtype, seed, name)
        self._layers = checked_layers(layers)
        self.children()
        inherit(self)

    @property
    def sequence(self) -> list[Layer]:
        """The layers in the order of calls."""
        return list(self._layers)

    def _in_order(self) -> list[Layer]:
        return self.sequence

    def children(self) -> list[Layer]:
        """The layers, each once."""
        return name_layers(list(dict.fromkeys(self._layers)), name_of(self))

    def prepend(self, layer: Layer) -> None:
        """Puts a layer in front of the others, before the model is built."""
        assert not self.has_graph
        self._layers = (layer, *self._layers)
        self.children()  # names the layer

    def without_first(self) -> None:
        """Takes the first layer away again."""
        self._layers = self._layers[1:]

    def connect(self, shape: Shape) -> None:
        """Creates the graph for inputs (n, *shape)."""
        first = node = Input(shape)
        for layer in self._layers:
            node = layer(node)
        self.adopt(Graph(first, {"": node}))
