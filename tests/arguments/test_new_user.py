"""What users of other libraries try first: each try works, or gets a sentence that shows what does."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pyneural as pn

X = np.random.default_rng(0).normal(size=(40, 3)).astype("f4")
Y = np.where(X[:, 0] > 0, "sick", "well")
IMAGES = pn.Dataset(np.zeros((6, 8, 8), "u1"), np.arange(6) % 3)


def fit(y: Any = Y, outputs: int = 2, **options: Any) -> pn.History:
    return pn.fit(pn.Sequential(pn.Dense(outputs)), (X, y), epochs=1, verbose=0, **options)


class Keras(pn.callbacks.Callback):
    """A callback as Keras's."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        self.model.stop_training = True


def values() -> pn.Sequential:
    model = pn.Sequential(pn.Dense(1))
    pn.fit(model, (X, X[:, 0]), epochs=1, verbose=0)
    return model


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit(target="y"), r"fit\(\) has no 'target'; use the second argument: pn\.fit\(model, \(frame\.drop"),
        (lambda: fit("price"), r"y is the text 'price': give the labels; if it is a column .*, frame\['price'\]\)"),
        (lambda: pn.fit(values(), (X[:20], X[20:], Y[:20], Y[20:])), "data is a tuple of 4: give one pair"),
        (lambda: pn.read_csv("prices.csv"), "has no 'read_csv'; use pn.datasets.csv"),  # type: ignore[attr-defined]
        (lambda: IMAGES[1.0], r"rows is 1\.0: give a row number"),
        (lambda: IMAGES[np.float64(1.5)], r"rows is 1\.5: give a row number"),
        (lambda: IMAGES.sample(3), r"use data\[rng.choice\(len\(data\), 10\)\]"),
        (lambda: pn.train_test_split, r"train, test = pn.Dataset\(x, y\).split\(0.2\)"),
        (lambda: pn.lr_find, r"use pn.find_learning_rate\(model, data\)"),
        (lambda: pn.CalibratedClassifierCV, r"use pn.calibrate\(model, validation\)"),
        (lambda: pn.temperature_scaling, r"use pn.calibrate\(model, validation\)"),
        (lambda: pn.threshold, "use pn.choose_threshold"),
        (lambda: fit(sample_weight="balanced"), "sample_weight is 'balanced': give one weight per example, .*class_w"),
        (lambda: fit(sample_weight="weight"), "sample_weight is 'weight': give one weight per example"),
        (lambda: fit(metrics=["auc"]), r"metric 'auc' is not known.*: pn.evaluate\(model, data\).roc_auc"),
        (lambda: fit(metrics=["f1"]), r"metric 'f1' is not known.*pn.evaluate\(model, data\).f1"),
        (lambda: fit(metrics=["precision"]), r"metric 'precision' is not known.*pn.evaluate\(model, data\).precision"),
        (lambda: fit(metrics=["r2"], y=X[:, 0], outputs=1), r"metric 'r2' is not known.*pn.evaluate\(model, data\).r2"),
        (lambda: fit(callbacks=[Keras()]), "the callback Keras has no 'model'; use self.run.model"),
        (lambda: pn.calibrate(values(), (X, X[:, 0])), "calibrate: the model has no outputs that are probabilities"),
        (lambda: pn.plot.images(IMAGES[0]), r"such as data\[0\] is one example: give data\[:1\], or its image"),
    ],
)
def test_a_try_gets_a_sentence(call: Callable[[], Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError), match=words):
        call()


def test_the_first_line_of_fit_names_the_averaging(capsys: pytest.CaptureFixture[str]) -> None:
    pn.fit(pn.Sequential(pn.Dense(2)), (X, Y), epochs=1, ema=0.9)
    assert " · weights averaged, ema 0.9 · " in " ".join(capsys.readouterr().out.split())


def test_scores_by_class_are_found_by_name() -> None:
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (X, Y), epochs=5, verbose=0)
    report = pn.evaluate(model, (X, Y), verbose=0)
    assert report.recall is not None
    assert report.recall["well"] is report.recall[1]
    for scores in (report.precision, report.recall, report.f1):
        assert scores is not None
        assert len(scores) == 2
        assert scores == tuple(scores)
        with pytest.raises(KeyError, match=r"there is no class 'wel': did you mean 'well'"):
            scores["wel"]


def test_lines_that_quote_a_result_on_the_sample_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    test = pn.datasets.mnist("sample").test
    data = pn.Dataset(test.x, (test.y > 4).astype(int), note=test.note)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, data[:500], epochs=1, verbose=0)
    report = pn.evaluate(model, data, verbose=0)
    capsys.readouterr()
    pn.choose_threshold(model, data, youden=True)
    assert "EMBEDDED SAMPLE" in " ".join(capsys.readouterr().out.split())
    pn.calibrate(model, data)
    assert "EMBEDDED SAMPLE" in " ".join(capsys.readouterr().out.split())
    assert str(pn.compare(report, report)).endswith(data.note)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("learning_rate", 0.1, "self.run.learning_rate cannot be set: set learning_rate_factor, which multiplies"),
        ("stop_training", True, "self.run.stop_training cannot be set: return 'stop' from the method"),
        ("epochs", 5, "self.run.epochs cannot be set: set learning_rate_factor, or return 'stop'"),
        ("learning_rate_factor", "half", "learning_rate_factor is 'half': give a number of at least 0"),
        ("learning_rate_factor", -1, "learning_rate_factor is -1: give a number of at least 0"),
        ("learning_rate_factor", float("nan"), "learning_rate_factor is nan: give a number of at least 0"),
        ("model.stop_training", True, "stop_training is not read: return 'stop' from the callback's method"),
    ],
)
def test_what_a_callback_sets_in_vain_is_refused(name: str, value: object, words: str) -> None:
    class Sets(pn.callbacks.Callback):
        def on_epoch_begin(self, epoch: int) -> None:
            *inner, last = name.split(".")
            setattr(getattr(self.run, inner[0]) if inner else self.run, last, value)

    with pytest.raises((AttributeError, ValueError), match=words):
        fit(callbacks=[Sets()])


def test_a_report_of_heads_names_them() -> None:
    x = pn.Input((3,))
    model = pn.Model(x, {"top": pn.Dense(2)(x), "bottom": pn.Dense(2)(x)})
    pn.fit(model, (X, {"top": Y, "bottom": Y}), epochs=1, verbose=0)
    report = pn.evaluate(model, (X, {"top": Y, "bottom": Y}), verbose=0)
    for name in ("accuracy", "to_csv", "top"):
        with pytest.raises(AttributeError, match=rf"no '{name}': it has the heads top, bottom: give report\['top'\]"):
            getattr(report, name)
    assert not hasattr(report, "_repr_png_")
    assert copy.deepcopy(report).keys() == report.keys()


def test_a_baseline_has_plain_floats() -> None:
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, (X, Y), epochs=1, verbose=0)
    report = pn.evaluate(model, (X, Y), verbose=0)
    assert {type(value) for value in report.baseline.values()} == {float}


def test_a_history_of_one_epoch_counts_it() -> None:
    assert repr(fit()).startswith("<History: 1 epoch, best 1, ")
