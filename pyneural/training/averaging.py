"""averaging.py -- Averaging: the running mean of a model's weights and batch-norm statistics over the steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyneural._core import Block
from pyneural.arguments.checks import is_number
from pyneural.models.blocks import Blocks


def checked_decay(decay: Any) -> float | None:
    """Checks the argument ema of fit.

    Raises:
        ValueError: it is neither None nor between 0 and 1.
    """
    if decay is None:
        return None
    if not is_number(decay) or not 0 < decay < 1:
        raise ValueError(f"fit: ema is {decay!r}: give a number between 0 and 1, such as 0.99, or None")
    return float(decay)


class Averaging:
    """The running mean of all parameters and state after each step.

    After step t, with p_i the values after step i and d the decay, the mean is Σ d^(t - i) p_i / Σ d^(t - i) over
    i = 1..t: bias-corrected, so that the initial values have no share in it.

    Args:
        blocks: the memory of the model.
        decay: d, above 0 and below 1.
    """

    def __init__(self, blocks: Blocks, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self._blocks = blocks
        self._pairs = [(block, _like(block)) for block in (blocks.parameters, blocks.state) if block is not None]

    def step(self) -> None:
        """Takes the current values into the mean: mean += (1 - d) / (1 - d^t) (p - mean)."""
        self.steps += 1
        rate = (1 - self.decay) / (1 - self.decay**self.steps)
        for block, mean in self._pairs:
            mean.blend(block, rate)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the model has the mean values; before the first step nothing changes."""
        if self.steps == 0:
            yield
            return
        current = self._blocks.snapshot()
        self._blocks.restore([mean.snapshot() for _, mean in self._pairs])
        try:
            yield
        finally:
            self._blocks.restore(current)

    def state(self) -> dict[str, Any]:
        """The number of steps and the means, for restore."""
        return {"steps": self.steps, "means": [mean.snapshot() for _, mean in self._pairs]}

    def restore(self, state: dict[str, Any]) -> None:
        """Continues from the result of state."""
        for (_, mean), values in zip(self._pairs, state["means"], strict=True):
            mean.restore(values)
        self.steps = int(state["steps"])


def _like(block: Block) -> Block:
    """A block of zeros in the same layout, without gradients."""
    shapes = [tensor.shape for tensor in block.tensors]
    return Block(block.names, shapes, ["state"] * len(shapes), block.dtype)
