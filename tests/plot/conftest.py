"""Fixtures for the tests of plots."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def every_figure_is_drawn() -> Iterator[None]:
    """Each figure is drawn once, where a warning is an error."""
    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
