"""Callbacks: when they are called, how they stop a training, what they may not do, and the built-in ones."""

from __future__ import annotations

import builtins
import csv
import itertools
import json
import sys
import time
import types
from pathlib import Path

import child
import numpy as np
import pytest

import pyneural as pn
from pyneural.callbacks import Callback, Checkpoint, EarlyStopping, LogFile, ReduceLROnPlateau, TensorBoard


def small() -> pn.Sequential:
    return pn.Sequential(pn.Dense(3))


def fit(rings, **options) -> pn.History:
    return pn.fit(options.pop("model", None) or small(), rings, verbose=0, **options)


class Recorder(Callback):
    def __init__(self) -> None:
        self.events: list[object] = []

    def on_train_begin(self):
        self.events.append("begin")

    def on_epoch_begin(self, epoch):
        self.events.append(("epoch", epoch))

    def on_batch_end(self, step, logs):
        self.events.append((step, sorted(logs)))

    def on_epoch_end(self, epoch, logs):
        assert tuple(logs) == self.run.names
        assert self.run.best_epoch
        assert len(self.run.values["loss"]) == epoch
        self.events.append(("done", epoch, logs["val_loss"]))

    def on_train_end(self):
        self.events.append(("end", self.run.model.fingerprint()))


def test_events_come_in_order(rings):
    recorder = Recorder()
    history = fit(rings, epochs=2, batch_size=135, callbacks=[recorder])
    batch = ["learning_rate", "loss"]
    assert recorder.events == [
        "begin",
        ("epoch", 1), (1, batch), (2, batch), ("done", 1, history["val_loss"][0]),
        ("epoch", 2), (1, batch), (2, batch), ("done", 2, history["val_loss"][1]),
        ("end", history.fingerprint),
    ]  # fmt: skip


def test_callbacks_do_not_change_the_training(rings):
    plain = fit(rings, epochs=3)
    assert fit(rings, epochs=3, callbacks=[Recorder(), lambda epoch, logs: None]).fingerprint == plain.fingerprint


def test_a_function_gets_the_values_of_each_epoch(rings):
    seen = []
    history = fit(rings, epochs=3, callbacks=lambda epoch, logs: seen.append((epoch, logs["val_accuracy"])))
    assert seen == list(enumerate(history["val_accuracy"], start=1))


def test_logs_that_a_callback_changes_stay_out_of_the_history(rings):
    history = fit(rings, epochs=2, callbacks=[lambda epoch, logs: logs.clear()])
    assert len(history["val_loss"]) == 2


class Stop(Callback):
    """Stops at an event, when it comes for the n-th time."""

    def __init__(self, event: str, number: int) -> None:
        self.number = number
        setattr(self, event, self._count)

    def _count(self, *_):
        self.number -= 1
        return "stop" if self.number == 0 else None

    def __repr__(self) -> str:
        return "Stop"


@pytest.mark.parametrize(
    ("event", "number", "epochs", "steps"),
    [
        ("on_train_begin", 1, 0, 0), ("on_epoch_begin", 2, 1, 2), ("on_batch_end", 3, 2, 3), ("on_batch_end", 4, 2, 4),
        ("on_epoch_end", 2, 2, 4), ("on_train_end", 1, 3, 6),
    ],
)  # fmt: skip
def test_any_event_can_stop_the_training(rings, event, number, epochs, steps):
    history = fit(rings, epochs=3, batch_size=135, callbacks=[Stop(event, number)])
    assert (history.epochs, history.steps) == (epochs, steps)
    assert history.stopped == ("" if event == "on_train_end" else "Stop")
    assert not history.interrupted
    assert len(history.get("val_loss", ())) == epochs


def test_the_last_line_says_what_stopped_it(rings, capsys):
    pn.fit(small(), rings, epochs=3, callbacks=[Stop("on_epoch_end", 2)])
    assert "stopped by Stop · 2 of 3 epochs\n" in capsys.readouterr().out


@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_begin", "on_batch_end", "on_epoch_end", "on_train_end"])
def test_a_callback_that_raises_leaves_the_best_weights(rings, event):
    class Failing(Callback):
        calls = 0

        def _fail(self, *_):
            self.calls += 1
            if self.calls == 3 or event in ("on_train_begin", "on_train_end"):
                raise OverflowError("mine")

    failing = Failing()
    setattr(failing, event, failing._fail)
    ended = Recorder()
    model = small()
    with pytest.raises(OverflowError, match="mine") as caught:
        fit(rings, model=model, epochs=9, batch_size=270, schedule="constant", callbacks=[failing, ended])
    notes = "\n".join(caught.value.__notes__)
    assert f"raised by the callback Failing(), {event}" in notes
    assert ("restored the weights" in notes) == (event != "on_train_end")
    assert (ended.events[-1][0] == "end") == (event != "on_train_end")
    same = small()
    if model.card.best_epoch:
        fit(rings, model=same, epochs=model.card.best_epoch, batch_size=270, schedule="constant")
    else:
        same.build((2,))
    assert model.fingerprint() == same.fingerprint()


@pytest.mark.parametrize("answer", [True, False, 0, "Stop", np.ones(3)])
def test_other_answers_than_stop_are_refused(rings, answer):
    def give(epoch, logs):
        return answer

    with pytest.raises(TypeError, match=r"callback give returned .* from on_epoch_end: return 'stop' to end the tr"):
        fit(rings, callbacks=[give])


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("on_epoch_ended", "did you mean on_epoch_end"), ("on_train_batch_end", "did you mean on_batch_end"),
        ("on_epoch_start", "did you mean on_epoch_begin"), ("on_batch_begin", "the one event of a step"),
        ("on_epoch_edn", "did you mean on_epoch_end"), ("on_whatever", "they are on_train_begin, on_epoch_begin"),
    ],
)  # fmt: skip
def test_an_unknown_event_is_refused_with_the_right_name(name, right):
    with pytest.raises(TypeError, match=f"Mine: {name} is not an event of pn.fit, .*{right}"):
        type("Mine", (Callback,), {name: lambda self: None})


class Duck:
    def on_epoch_end(self, epoch, logs):
        pass


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ("early", "callbacks has 'early': give functions of"),
        (EarlyStopping, r"has the class EarlyStopping: give an instance, EarlyStopping\(...\)"),
        ([Checkpoint], r"has the class Checkpoint: give an instance, Checkpoint\(...\)"),
        ([Duck()], "has a Duck with on_epoch_end: make Duck a subclass of pn.callbacks.Callback"),
        ([3], "callbacks has 3: give functions of"),
        (None, "callbacks is None: give a list"),
        ([lambda epoch: None], r"callback lambda\(epoch\): define it as a function of \(epoch, logs\)"),
        (
            [type("Mine", (Callback,), {"on_epoch_end": lambda self: None})()],
            r"callback Mine.on_epoch_end\(\): define it as a function of \(epoch, logs\)",
        ),
    ],
)
def test_what_is_not_a_callback_is_refused(rings, callbacks, message):
    model = small()
    with pytest.raises(TypeError, match=message):
        fit(rings, model=model, callbacks=callbacks)
    assert not model.is_built


def press_in_callbacks() -> None:
    """Ctrl-C once in a callback of the second epoch, and once more in the middle of it."""
    import os
    import signal

    import numpy as np

    import pyneural as pn

    for presses in (1, 2):
        for event in ("on_epoch_begin", "on_batch_end", "on_epoch_end", "on_train_end"):

            class Pressing(pn.callbacks.Callback):
                calls = 0

                def press(self, *_, presses=presses, event=event):
                    self.calls += 1
                    for _ in range(presses * (self.calls == 2 or event == "on_train_end")):
                        os.kill(os.getpid(), signal.SIGINT)

            x = np.linspace(-1, 1, 100, dtype=np.float32).reshape(-1, 1)
            model, pressing = pn.Sequential(pn.Dense(1)), Pressing()
            setattr(pressing, event, pressing.press)
            history = pn.fit(model, (x, x), epochs=3, batch_size=90, callbacks=[pressing], verbose=0)
            assert history.interrupted == (event != "on_train_end"), event
            assert len(history["val_loss"]) == history.epochs == model.card.epochs
            assert history.fingerprint == model.fingerprint()
            print(presses, event, history.epochs)


def test_ctrl_c_in_a_callback_ends_the_training_with_a_whole_history() -> None:
    assert child.run(press_in_callbacks).splitlines() == [
        f"{presses} {event} {epochs}"
        for presses in (1, 2)
        for event, epochs in (("on_epoch_begin", 1), ("on_batch_end", 1), ("on_epoch_end", 2), ("on_train_end", 3))
    ]


# ---- patience and seconds


def test_patience_counts_the_epochs_since_the_best(rings, capsys):
    history = pn.fit(
        small(), rings, epochs=99, patience=2, schedule=lambda step, steps: float(step < 20), optimizer="sgd"
    )
    assert history.epochs == 1 + int(np.argmin(history["val_loss"])) + 2 < 99
    assert history.stopped == "patience=2"
    assert f"stopped by patience=2 · {history.epochs} of 99 epochs\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 3, "validation": None}, "patience counts the epochs since .*: give validation="),
        ({"patience": 0}, "patience is 0: give a whole number of at least 1"),
        ({"patience": 1.5}, "patience is 1.5: give a whole number"),
        ({"seconds": 0}, "seconds is 0: give a number of seconds above 0"),
        ({"seconds": -1.0}, "seconds is -1.0: give"),
        ({"seconds": True}, "seconds is True: give"),
        ({"seconds": "60"}, "seconds is '60': give"),
        ({"seconds": float("nan")}, "seconds is nan: give"),
    ],
)
def test_a_wrong_patience_or_budget_is_refused(rings, options, message):
    with pytest.raises(ValueError, match=message):
        fit(rings, **options)


def test_a_time_budget_ends_the_training_and_the_schedule(rings, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock) / 1000)  # 1 ms from one look to the next
    rates = []

    class Rates(Callback):
        def on_batch_end(self, step, logs):
            rates.append(logs["learning_rate"])

    history = fit(rings, epochs=10**6, seconds=0.3, learning_rate=1.0, schedule="cosine", callbacks=[Rates()])
    assert history.stopped == "seconds=0.3"
    assert 0.3 <= history.seconds < 0.35
    assert rates[0] > 0.99
    assert rates[-1] < 0.01
    assert rates == sorted(rates, reverse=True)
    assert len(history["val_loss"]) == history.epochs


def test_the_steps_end_first_where_the_budget_is_large(rings):
    history = fit(rings, epochs=2, seconds=1e6)
    assert (history.epochs, history.stopped) == (2, "")
    assert history.fingerprint == fit(rings, epochs=2).fingerprint


# ---- built-in callbacks


def test_early_stopping_watches_any_value(rings):
    stop = EarlyStopping("accuracy", patience=2, min_delta=0.5)
    assert fit(rings, epochs=20, callbacks=[stop]).epochs == 3
    assert fit(rings, epochs=20, callbacks=[stop]).epochs == 3, "a second training starts to count anew"
    assert fit(rings, epochs=4, validation=None, callbacks=[EarlyStopping("loss", patience=3)]).epochs == 4


def test_reduce_lr_on_plateau_multiplies_the_schedule(rings):
    reduce = ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9, min_factor=0.2)
    history = fit(rings, epochs=6, schedule="constant", learning_rate=1.0, callbacks=[reduce])
    assert history["learning_rate"] == [1.0, 1.0, 0.5, 0.25, 0.2, 0.2]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: EarlyStopping(monitor=3), TypeError, "monitor is 3: give a name"),
        (lambda: EarlyStopping(patience=0), ValueError, "EarlyStopping: patience is 0"),
        (lambda: EarlyStopping(mode="up"), ValueError, "mode is 'up': give 'min'"),
        (lambda: EarlyStopping(min_delta=-1), ValueError, "min_delta is -1"),
        (lambda: ReduceLROnPlateau(factor=2), ValueError, "factor is 2: give a number between 0 and 1"),
        (lambda: ReduceLROnPlateau(min_factor=0), ValueError, "min_factor is 0"),
        (lambda: Checkpoint("model.h5"), ValueError, "models are .safetensors files: give 'model.safetensors'"),
        (lambda: Checkpoint("/no/such/folder/m.safetensors"), FileNotFoundError, "Checkpoint: there is no folder"),
        (lambda: LogFile("run.txt"), ValueError, "run.txt: give a path that ends in .csv or .jsonl"),
        (lambda: LogFile("/no/such/folder/run.csv"), FileNotFoundError, "LogFile: there is no folder"),
    ],
)
def test_wrong_arguments_are_refused_where_the_callback_is_made(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("monitor", "options", "message"),
    [
        ("val_los", {}, "the history has no 'val_los': did you mean 'val_loss'"),
        (
            "val_loss",
            {"validation": None},
            "has no 'val_loss'; there is no validation data: give one of loss, accuracy",
        ),
    ],
)
def test_a_value_that_the_history_will_not_have_is_refused_before_the_first_epoch(rings, monitor, options, message):
    with pytest.raises(ValueError, match=message):
        fit(rings, callbacks=[EarlyStopping(monitor)], **options)


def test_a_checkpoint_holds_the_best_model_so_far(rings, tmp_path):
    path = tmp_path / "best.safetensors"
    seen = []

    def look(epoch, logs):
        found = pn.load(path)
        seen.append(found.card.metrics["val_loss"])

    history = fit(rings, epochs=6, optimizer="sgd", learning_rate=3.0, callbacks=[Checkpoint(path), look])
    assert len(set(seen)) > 1
    assert seen[-1] == history["val_loss"][history.best_epoch - 1]
    assert pn.load(path).fingerprint() == history.fingerprint
    assert pn.load(path).card == pn.load(path).card


def test_files_that_cannot_be_written_are_a_warning(rings, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    callbacks = [Checkpoint(folder / "best.safetensors"), LogFile(folder / "run.csv"), LogFile(folder / "run.jsonl")]
    folder.rmdir()
    with pytest.warns(UserWarning, match="the training goes on") as caught:
        history = fit(rings, epochs=2, callbacks=callbacks)
    assert history.epochs == 2
    assert {warning.filename for warning in caught} == {__file__}
    said = [str(warning.message) for warning in caught]
    assert sum("LogFile" in text for text in said) == 2, "once for each file"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_log_file_has_a_line_for_each_epoch(rings, tmp_path, suffix):
    path = tmp_path / f"run.{suffix}"
    path.write_text("of an earlier training\n")
    lines = []
    log = LogFile(path)
    history = fit(rings, epochs=3, callbacks=[log, lambda *_: lines.append(len(path.read_text().splitlines()))])
    assert lines == [n + (suffix == "csv") for n in (1, 2, 3)]
    text = path.read_text().splitlines()
    rows = list(csv.DictReader(text)) if suffix == "csv" else [json.loads(line) for line in text]
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    for n, row in enumerate(rows):
        assert float(row["val_accuracy_low"]) == pytest.approx(history["val_accuracy"][n].low)
        assert float(row["loss"]) == pytest.approx(history["loss"][n])


def test_a_log_file_holds_any_metric(rings, tmp_path):
    """NaN and infinities, which JSON does not have, and names with commas and quotes, in CSV."""

    def odd(outputs, targets):
        return next(values)

    odd.__name__ = 'a,"b'
    values = itertools.cycle([float("nan"), float("inf")])
    fit(rings, epochs=2, metrics=[odd], callbacks=[LogFile(tmp_path / "a.jsonl"), LogFile(tmp_path / "a.csv")])

    def refuse(constant):
        raise AssertionError(constant)

    lines = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line, parse_constant=refuse)["val_" + odd.__name__] for line in lines] == [None, None]
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["epoch"]) for row in rows] == [1, 2]
    assert {row[odd.__name__] for row in rows} | {row["val_" + odd.__name__] for row in rows} <= {"nan", "inf"}
    assert all(None not in row for row in rows), "no cell too many"


def test_relative_paths_are_those_of_the_folder_where_the_training_began(rings, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    callbacks = [LogFile("run.csv"), Checkpoint("best.safetensors"), lambda *_: monkeypatch.chdir(tmp_path / "other")]
    assert repr(callbacks[0]) == "LogFile('run.csv')"
    fit(rings, epochs=2, callbacks=callbacks, checkpoint="run.ckpt")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["best.safetensors", "other", "run.ckpt", "run.csv"]
    assert not list((tmp_path / "other").iterdir())
    assert len((tmp_path / "run.csv").read_text().splitlines()) == 3


def test_a_callback_may_run_the_model_with_dropout(rings):
    """On any number of rows; and the training is the same."""

    class Uncertainty(Callback):
        def on_batch_end(self, step, logs):
            draws = [self.run.model(rings[0][:3], training=True).numpy() for _ in range(2)]
            assert not np.array_equal(*draws)

    def fitted(**options):
        return fit(rings, model=pn.Sequential(pn.Dense(8), pn.Dropout(0.5), pn.Dense(3)), epochs=2, **options)

    assert fitted(callbacks=[Uncertainty()]).fingerprint == fitted().fingerprint


def test_tensorboard_writes_every_value(monkeypatch, rings, tmp_path):
    written = []

    class SummaryWriter:
        def __init__(self, folder: str) -> None:
            assert Path(folder) == tmp_path

        def add_scalar(self, name, value, epoch):
            written.append((name, value, epoch))

        def flush(self):
            written.append("flush")

        def close(self):
            written.append("close")

    monkeypatch.setitem(sys.modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=SummaryWriter))
    history = fit(rings, epochs=2, callbacks=[TensorBoard(tmp_path)])
    assert ("loss", history["loss"][1], 2) in written
    assert ("val_accuracy_high", history["val_accuracy"][0].high, 1) in written
    assert written[-2:] == ["flush", "close"]


def test_without_tensorboardx_the_error_says_how_to_install_it(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "tensorboardX":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install tensorboardX; without it, pn.callbacks.LogFile"):
        TensorBoard("runs")


@pytest.mark.parametrize(
    ("name", "ours"), [("ModelCheckpoint", "use pn.callbacks.Checkpoint"), ("EarlyStoping", "did you mean pn.callbac")]
)
def test_names_of_other_libraries_are_hinted(name, ours):
    with pytest.raises(AttributeError, match=ours):
        getattr(pn.callbacks, name)
