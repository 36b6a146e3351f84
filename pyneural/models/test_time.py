"""test_time.py -- what predictions are averaged over: "flip", the image and its mirror image."""

from typing import Any

from pyneural.arguments.checks import batched, warn
from pyneural.arguments.spelling import choose
from pyneural.card.card import FLIP
from pyneural.layers.operation import name_of
from pyneural.models.network import Network

IN_WORDS = "mean of image and mirror image"


def spelled(who: str, test_time: Any) -> str | None:
    """The checked name of what predictions are averaged over, or None.

    Raises:
        ValueError, TypeError: there is no such name.
    """
    return None if test_time is None else choose(who, test_time, {FLIP: FLIP})


def set_test_time(who: str, network: Network, test_time: Any) -> None:
    """Records on the card of a network with a graph what its predictions are averaged over.

    Raises:
        ValueError, TypeError: there is no such name, or the network does not take images, or has several heads.
    """
    checked = spelled(who, test_time)
    if checked is not None:
        given = f"{who} is '{checked}', the mean over each image and its mirror image"
        shape = network.input_shape or ()
        if len(shape) != 3:
            raise ValueError(f"{given}, but inputs are {batched(shape)}, not images (n, height, width, channels)")
        if isinstance(network.output_shape, dict):
            heads = ", ".join(network.output_shape)
            raise ValueError(f"{given}, and is for models with one output, but this one has the heads {heads}")
    network.card.test_time = checked


def change_test_time(network: Network, test_time: Any) -> None:
    """Records another value on the card of a trained network.

    Raises:
        RuntimeError: it has no graph yet.
        ValueError, TypeError: as `set_test_time`.
    """
    if not network.has_graph:
        raise RuntimeError(f"{name_of(network)}: test_time is for a trained model: give it to pn.fit")
    before, task = network.card.test_time, network.card.task
    set_test_time(f"{name_of(network)}: test_time", network, test_time)
    if network.card.test_time != before and task is not None and (task.threshold, task.temperature) != (0.5, 1):
        warn(
            f"{name_of(network)}: test_time changes the probabilities for which the threshold or the temperature was "
            "chosen: call pn.calibrate and pn.choose_threshold again"
        )
