"""epochs="auto": how many, what the first line says, and how it goes with patience, batches, budgets, checkpoints."""

import numpy as np
import pytest

import pyneural as pn
from pyneural.training import resume
from pyneural.training.automatic_epochs import epochs_for

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1500, 2)).astype(np.float32)
Y = (X[:, 0] * X[:, 1] > 0).astype(int)


def net() -> pn.Sequential:
    return pn.Sequential(pn.Flatten(), pn.Dense(8, "relu"), pn.Dense(2))


def first_line(capsys, *args, **options) -> tuple[str, pn.History]:
    history = pn.fit(net(), *args, **options)
    return capsys.readouterr().out.splitlines()[0], history


@pytest.mark.parametrize("is_table", [False, True])
def test_small_data_gets_enough_steps_and_large_data_5_epochs(is_table):
    before = 1000
    for n in range(1, 10_000, 7):
        steps = -(-n // 64)
        epochs = epochs_for(n, steps, is_table=is_table)
        assert epochs * steps >= 500 or epochs == 1000
        assert 5 <= epochs <= before
        before = epochs
    assert before <= 6, "it is continuous"
    assert {epochs_for(n, -(-n // 64), is_table=is_table) for n in (10_000, 60_000)} == {5}


def test_the_first_line_says_what_was_chosen(capsys):
    line, history = first_line(capsys, (X, Y))
    assert "· batch 32 · 275 epochs, patience 92 (auto, for 1,350 examples) · seed 0" in line
    assert history.epochs <= 275
    line, _ = first_line(capsys, (X[:, :, None], Y))
    assert "· batch 64 · 38 epochs, patience 13 (auto, for 1,350 examples)" in line
    line, _ = first_line(capsys, (X, Y), epochs=2)
    assert "auto" not in line


def test_large_data_has_5_epochs_and_no_patience(capsys):
    x = np.tile(X, (8, 1))
    line, history = first_line(capsys, (x, np.tile(Y, 8)), validation=None, batch_size=1000)
    assert "5 epochs (auto, for 12,000 examples)" in line
    assert history.epochs == 5


@pytest.mark.parametrize("options", [{"validation": None}, {"keep": "last"}])
def test_there_is_no_patience_without_validation_or_for_the_last_weights(capsys, options):
    line, history = first_line(capsys, (X[:200, :, None], Y[:200]), **options)
    assert "patience" not in line
    assert "epochs (auto, for " in line
    assert history.stopped == ""


def test_a_given_patience_is_taken(capsys):
    line, history = first_line(capsys, (X, RNG.integers(0, 2, 1500)), patience=3)
    assert "275 epochs (auto" in line
    assert history.stopped == "patience=3"


def test_patience_stops_where_there_is_nothing_to_learn():
    history = pn.fit(net(), (X, RNG.integers(0, 2, 1500)), verbose=0)
    assert history.stopped == "patience=92"
    assert history.epochs < 275


def test_accumulated_steps_are_counted(capsys):
    line, _ = first_line(capsys, (X[:200, :, None], Y[:200]), validation=None, accumulate=4)
    assert "500 epochs (auto, for 200 examples)" in line


def test_batches_are_counted_in_the_first_pass(capsys):
    x = X[:400, :, None]
    line, history = first_line(capsys, [(x[:200], Y[:200]), (x[200:], Y[200:400])])
    assert "250 epochs (auto, for 400 examples)" in line
    assert history.steps == 500


def test_a_time_budget_ends_it():
    history = pn.fit(net(), (X, Y), seconds=0.05, validation=None, verbose=0)
    assert history.stopped == "seconds=0.05"


def test_a_resumed_training_has_the_same_number(tmp_path):
    def stop(epoch, logs):
        if stopping and epoch == 5:
            raise RuntimeError("stop")

    stopping: list[bool] = []
    whole = pn.fit(net(), (X[:, :, None], Y), callbacks=[stop], verbose=0)
    stopping.append(True)
    path = tmp_path / "run.ckpt"
    with pytest.raises(RuntimeError, match="stop"):
        pn.fit(net(), (X[:, :, None], Y), callbacks=[stop], checkpoint=path, verbose=0)
    stopping.clear()
    again = pn.fit(net(), (X[:, :, None], Y), callbacks=[stop], checkpoint=path, verbose=0)
    assert (again.epochs, again.fingerprint) == (whole.epochs, whole.fingerprint)
    with pytest.raises(ValueError, match="epochs is 'auto' there and 5 here"):
        pn.fit(net(), (X[:, :, None], Y), epochs=5, callbacks=[stop], checkpoint=path, verbose=0)


def test_checkpoints_of_many_short_epochs_are_written_once_a_second(tmp_path, monkeypatch):
    writes = []
    save = resume.CheckpointFile.save
    monkeypatch.setattr(resume.CheckpointFile, "save", lambda self, *rest: writes.append(1) or save(self, *rest))
    path = tmp_path / "run.ckpt"
    history = pn.fit(net(), (X[:100], Y[:100]), epochs=100, checkpoint=path, verbose=0)
    assert len(writes) <= 1 + history.seconds + 1
    assert pn.load(path).fingerprint() == history.fingerprint


@pytest.mark.parametrize("epochs", ["many", 0, 2.5, None])
def test_other_values_are_refused(epochs):
    with pytest.raises(ValueError, match=r"fit: epochs is .*: give a whole number of at least 1, or 'auto'"):
        pn.fit(net(), (X, Y), epochs=epochs)


def test_of_many_epochs_some_have_a_line(capsys):
    pn.fit(net(), (X[:100], Y[:100]), epochs=100)
    shown = [line.split(" ")[1] for line in capsys.readouterr().out.splitlines() if line.startswith("epoch ")]
    assert shown == ["1/100", *[f"{epoch}/100" for epoch in range(5, 101, 5)]]
    pn.fit(net(), (X[:100], Y[:100]), epochs=40)
    assert capsys.readouterr().out.count("\nepoch ") == 40


def test_a_sine_is_followed_closely():
    x = np.linspace(-3, 3, 300).reshape(-1, 1)
    order = np.random.default_rng(3).permutation(300)
    y = 1000 * np.sin(2 * x[:, 0]) + 300
    model = pn.Sequential(pn.Dense(64, "relu"), pn.Dense(64, "relu"), pn.Dense(1))
    pn.fit(model, (x[order[:200]], y[order[:200]]), verbose=0)
    assert float(pn.evaluate(model, (x[order[200:]], y[order[200:]]), verbose=0).r2) > 0.99
