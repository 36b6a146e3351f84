"""grad_cam.py -- Grad-CAM: the feature map of a convolution, weighted by the gradient of the score."""

import copy

import numpy as np

from pyneural._core import Tensor
from pyneural.arguments.arrays import Array
from pyneural.arguments.spelling import exactly
from pyneural.evaluation.evidence import Score
from pyneural.evaluation.heads import Head, written
from pyneural.layers.layer import walk
from pyneural.models.model import Model
from pyneural.models.tapped import Tapped, last_feature_map, unnested


def tapped_at(model: Model, head: Head, layer: str | None, who: str) -> Tapped:
    """The graph up to the head, cut open at the feature map; of a copy, so that the model's gradients stay.

    Raises:
        ValueError, TypeError: the model has no convolution, or no such layer.
    """
    frozen = copy.deepcopy(model)
    frozen.trainable = False
    graph = unnested(frozen, head.name)
    if layer is not None:
        paths = {id(one): path for path, one in walk(frozen)}
        nodes = {paths[id(one)]: node for one, node in graph.calls if id(one) in paths and len(node.shape) == 3}
        return Tapped(graph, exactly(f"{who}: layer", layer, nodes))
    found = last_feature_map(graph)
    if found is None:
        raise ValueError(
            f"{who}: the model has no convolution, which Grad-CAM needs: use method='occlusion', or name a layer whose "
            "output is (height, width, channels)"
        )
    return Tapped(graph, found)


def grad_cam(tapped: Tapped, score: Score, x: Tensor, who: str) -> Array:
    """The map (height, width) of relu(sum of weighted channels), in the size of prepared x (1, height, width, ...).

    Raises:
        ValueError: the score has no gradient there.
    """
    direction = np.zeros((1, score.head.task.outputs), x.dtype)
    direction[0, score.place] = score.sign
    maps, gradient = tapped.gradient(x, direction, written=written(score.head))
    if gradient is None:
        raise ValueError(f"{who}: no gradient reaches the feature map: name another layer, or use method='occlusion'")
    weights = gradient[0].mean(axis=(0, 1), dtype=np.float64)
    rough = np.maximum(maps[0] @ weights, 0)
    return np.asarray(_stretched(rough.shape[0], x.shape[1]) @ rough @ _stretched(rough.shape[1], x.shape[2]).T)


def _stretched(old: int, new: int) -> Array:
    """The matrix (new, old) that scales a line bilinearly, by the centres of its pixels.

    >>> _stretched(2, 4)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    places = (np.arange(new) + 0.5) * old / new - 0.5
    return np.stack([np.interp(places, np.arange(old), line) for line in np.eye(old)], axis=1)
