"""Wrong arguments of public functions: each gets a sentence of ours, none one of NumPy, matplotlib or Python."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pyneural as pn

RNG = np.random.default_rng(0)
X = RNG.integers(0, 255, (20, 8, 8, 1)).astype("u1")
Y = np.arange(20) % 3
ODD = [
    None, -1, 0, 2.5, "a", [], {}, object(), True, float("nan"), b"x", (1, 2), lambda: 0, (X, Y), np.zeros((0, 3)),
    np.array(["a", "b"]), np.array([object()]), [1, [2, 3]], {"a": 1}, pn.Splits(pn.Dataset(X, Y)), pn.History(), 1j,
    np.float64(3), range(3), Y, X[:, :, :, 0], {1},
]  # fmt: skip


def functions() -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    """The beginning of its messages, a function, and good arguments."""
    model = pn.Sequential(pn.Flatten(), pn.Dense(3))
    history = pn.fit(model, (X, Y), epochs=1, verbose=0)
    report = pn.evaluate(model, (X, Y), verbose=0)
    task = model.card.task
    yield "plot.predictions: ", pn.plot.predictions, {"model": model, "x": X, "y": Y, "count": 2, "ax": None}
    yield "plot.mistakes: ", pn.plot.mistakes, {"report": report, "data": (X, Y), "count": 2, "columns": 2, "ax": None}
    yield "plot.confusion: ", pn.plot.confusion, {"report": report, "ax": None}
    yield "plot.history: ", pn.plot.history, {"history": history, "ax": None}
    yield (
        "plot.images: ",
        pn.plot.images,
        {"x": X, "y": Y, "classes": ("a", "b", "c"), "count": 2, "columns": 2, "ax": None},
    )
    yield "(fit: |metric )", pn.metrics.find, {"metrics": ("accuracy",), "task": task}
    yield "(fit: |loss )", pn.losses.find, {"loss": "auto", "task": task}
    yield "(fit: |schedule )", pn.schedules.find, {"schedule": "step"}
    yield "init ", pn.initializers.find, {"init": "zeros"}
    yield "folder: ", pn.datasets.folder, {"path": "/nowhere"}
    yield "read_idx: ", pn.read_idx, {"path": "/nowhere"}
    yield "load: ", pn.load, {"path": "/nowhere"}
    yield "data: ", pn.Dataset, {"x": X, "y": Y, "classes": ("a", "b", "c"), "groups": None}
    yield "Estimate.share: ", pn.Estimate.share, {"hits": 1, "n": 2}
    yield "Estimate.mean: ", pn.Estimate.mean, {"values": [1.0, 2.0]}
    yield "report.samples: ", report.samples, {"count": 1}


def test_every_wrong_argument_gets_a_sentence_that_names_the_function(
    capsys: pytest.CaptureFixture[str], tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = []
    for who, function, arguments in functions():
        if arguments.get("path") != "/nowhere":
            function(**arguments)
        for name in arguments:
            for value in ODD:
                try:
                    with warnings.catch_warnings(action="ignore"):
                        function(**(arguments | {name: value}))
                except (TypeError, ValueError, OSError) as error:
                    if not re.match(f"{who}|predict: |data: ", str(error)) and not isinstance(error, FileNotFoundError):
                        wrong.append(f"{function.__name__}({name}={value!r:.40}): {error!r:.200}")
                except Exception as error:
                    wrong.append(f"{function.__name__}({name}={value!r:.40}): {error!r:.200}")
                plt.close("all")
    assert not wrong, "\n".join(wrong)


def test_a_pair_of_images_and_labels_is_drawn_as_a_dataset_is() -> None:
    model = pn.Sequential(pn.Flatten(), pn.Dense(3))
    pn.fit(model, (X, Y), epochs=1, verbose=0)
    assert pn.plot.predictions(model, (X, Y), count=3).shape == (2, 3)
    assert pn.plot.images((X, Y), count=4).shape == (1, 4)


@pytest.mark.parametrize("count", [-3, 0, True, 2.5, "5", None])
def test_samples_takes_a_count(count: Any) -> None:
    model = pn.Sequential(pn.Flatten(), pn.Dense(3))
    pn.fit(model, (X, Y), epochs=1, verbose=0)
    with pytest.raises(ValueError, match=r"^report.samples: count is .*: give a whole number of at least 1$"):
        pn.evaluate(model, (X, Y), verbose=0).samples(count)


NUMBERS: dict[str, Callable[[Any], object]] = {  # whatever takes a number
    "SGD: learning_rate": lambda value: pn.SGD(learning_rate=value),
    "Adam: epsilon": lambda value: pn.Adam(epsilon=value),
    "BatchNorm: momentum": lambda value: pn.BatchNorm(momentum=value),
    "BatchNorm: epsilon": lambda value: pn.BatchNorm(epsilon=value),
    "LayerNorm: epsilon": lambda value: pn.LayerNorm(epsilon=value),
    "Dropout: rate": lambda value: pn.Dropout(value),
    "fit: seconds": lambda value: pn.fit(pn.Sequential(pn.Dense(3)), (Y[:, None], Y), seconds=value, verbose=0),
    "EarlyStopping: min_delta": lambda value: pn.callbacks.EarlyStopping(min_delta=value),
    "ReduceLROnPlateau: factor": lambda value: pn.callbacks.ReduceLROnPlateau(factor=value),
    "data: split: share": lambda value: pn.Dataset(Y[:, None], Y).split(value, verbose=0),
    "multiply: ": lambda value: pn.Input((3,)) * value,
    "init": lambda value: pn.initializers.find(value),
}


@pytest.mark.parametrize("value", [True, np.True_, "0.5", 0.5j, np.complex64(0.5), [0.5], object()])
@pytest.mark.parametrize("who", NUMBERS)
def test_a_boolean_is_not_a_number(who: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^{re.escape(who)}"):
        NUMBERS[who](value)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.float64(0.5), Fraction(1, 2)])
@pytest.mark.parametrize("who", NUMBERS)
def test_every_real_number_is_taken(who: str, value: Any) -> None:
    NUMBERS[who](value)


@pytest.mark.parametrize("make", [pn.BatchNorm, pn.LayerNorm])
def test_an_infinite_epsilon_is_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"Norm: epsilon is inf: give a number above 0"):
        make(epsilon=float("inf"))
