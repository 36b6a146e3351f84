"""Models of thousands of layers: making, naming, saving, loading and printing them takes time in proportion."""

import contextlib
import io
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pyneural as pn


def events(run: Callable[[], object]) -> int:
    """Calls and returns of Python functions and generators while it runs: work that does not depend on the machine."""
    count = 0

    def note(*_: Any) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return count


def chain(n: int) -> pn.Model:
    model = pn.Sequential(*[pn.Dense(2, "relu") for _ in range(n)])
    model.build((2,))
    return model


def graph(n: int) -> pn.Model:
    start = x = pn.Input((2,))
    for _ in range(n // 2):
        x = x + pn.Dense(2)(x)
    return pn.Model(start, x)


def shared(n: int) -> pn.Model:
    layer, start = pn.Dense(2), pn.Input((2,))
    x = start
    for _ in range(n):
        x = layer(x)
    return pn.Model(start, x)


def heads(n: int) -> pn.Model:
    start = pn.Input((2,))
    return pn.Model(start, {f"h{i}": pn.Dense(1)(start) for i in range(n)})


def half_named(n: int) -> pn.Model:
    """The names that the second half would get are taken, one after the other."""
    named = [pn.Dense(2, name=f"dense_{n - i}") for i in range(n // 2)]
    model = pn.Sequential(*named, *[pn.Dense(2) for _ in range(n - n // 2)])
    model.build((2,))
    return model


def printed(model: pn.Model) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        model.summary()


def used(model: pn.Model) -> None:
    """What is asked of a model once it is there."""
    model(np.ones((1, 2), np.float32))
    printed(model)
    for layer in model.layers[:5]:
        assert model[str(layer.name)] is layer
    pn.Adam(model)
    model.parameters  # noqa: B018


@pytest.mark.parametrize("make", [chain, graph, shared, heads, half_named])
def test_twice_the_layers_are_twice_the_work(make, tmp_path):
    def work(n: int) -> int:
        def run() -> None:
            model = make(n)
            used(model)
            pn.load(pn.save(model, tmp_path / f"{n}.safetensors"))

        return events(run)

    work(20)  # what is imported and cached at first use
    small, large = work(100), work(200)
    assert large < 2.3 * small


def test_names_that_are_taken_are_passed_over_in_order():
    model = pn.Sequential(*[pn.Dense(2, name=name) for name in ("dense_2", None, "dense_4", None, None)])
    assert [layer.name for layer in model.layers] == ["dense_2", "dense_3", "dense_4", "dense_5", "dense_6"]


def test_an_optimizer_over_thousands_of_tensors_finds_the_one_that_is_there_twice():
    tensors = [pn.tensor(np.ones(1, np.float32), requires_grad=True) for _ in range(20_000)]
    with pytest.raises(ValueError, match="sgd: tensors 7 and 20000 are the same; give each once"):
        pn.SGD([*tensors, tensors[7]])
    optimizer = pn.SGD(tensors, learning_rate=0.5, momentum=0.0)  # nothing stayed marked
    (tensors[7] * 2.0).sum().backward()
    with pytest.raises(RuntimeError, match=r"sgd: tensor 0, .* has no gradient"):
        optimizer.step()
