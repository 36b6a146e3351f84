"""Checkpoints of fit: a training that was killed goes on to the same bits; what does not belong together is refused."""

from __future__ import annotations

import errno
import inspect
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import child
import numpy as np
import pytest

import pyneural as pn
from pyneural.arguments import paths
from pyneural.files import checkpoint
from pyneural.training import resume

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import killed  # noqa: E402 -- beside this file, and run as a program, too


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same training, never killed, without a checkpoint; and its log."""
    log = tmp_path_factory.mktemp("whole") / "run.csv"
    return killed.train(None, log=log), log.read_text()


def run(path: Path, every: float, event: str, number: int) -> int:
    log = path.with_name("run.csv")
    command = [sys.executable, str(HERE / "killed.py"), str(path), str(log), str(every), event, str(number), "3"]
    return subprocess.run(command, env=child.environment({}), check=False, timeout=child.SECONDS).returncode


def lines(text: str) -> list[str]:
    """The lines of a log without the seconds of the epochs."""
    return [line.rsplit(",", 1)[0] for line in text.splitlines()]


def ends_alike(path: Path, whole) -> None:
    wanted, log = whole
    assert killed.train(path, log=path.with_name("run.csv")) == wanted
    assert lines(path.with_name("run.csv").read_text()) == lines(log)
    assert {file.name for file in path.parent.iterdir()} == {"run.csv", path.name}


@pytest.mark.parametrize(("every", "event", "kills"), [(0, "step", [4, 3, 5]), (0, "write", [2, 3]), (99, "step", [9])])
def test_a_training_that_is_killed_goes_on_to_the_same_bits(tmp_path, whole, every, event, kills):
    """At steps, within epochs, and in the middle of a write."""
    path = tmp_path / "run.ckpt"
    for number in kills:
        assert run(path, every, event, number) == -signal.SIGKILL
    ends_alike(path, whole)


def test_a_checkpoint_changes_nothing(tmp_path, whole, monkeypatch):
    monkeypatch.setattr(resume, "EVERY", 0.0)
    ends_alike(tmp_path / "run.ckpt", whole)


def test_every_step_can_be_the_last_one_before_a_kill(tmp_path, whole, monkeypatch):
    """Each state that is written is that of an unkilled training at that step: going on from any ends alike."""
    monkeypatch.setattr(resume, "EVERY", 0.0)
    kept = []
    write = paths.write_whole

    def keeping(who, path, data, **how):
        write(who, path, data, **how)
        kept.append(data)

    monkeypatch.setattr(checkpoint, "write_whole", keeping)
    killed.train(tmp_path / "run.ckpt", epochs=3)
    monkeypatch.setattr(checkpoint, "write_whole", write)
    assert len(kept) == 3 * (5 + 1) + 1
    for number, data in enumerate(kept):
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(data)
        assert killed.train(path)[:4] == whole[0][:4], number


def test_steps_of_several_batches_are_repeated_from_their_first(tmp_path, monkeypatch):
    monkeypatch.setattr(resume, "EVERY", 0.0)
    whole = killed.train(None, epochs=2, accumulate=2)
    kept = []
    write = paths.write_whole

    def keeping(who, path, data, **how):
        write(who, path, data, **how)
        kept.append(data)

    monkeypatch.setattr(checkpoint, "write_whole", keeping)
    killed.train(tmp_path / "run.ckpt", epochs=2, accumulate=2)
    monkeypatch.setattr(checkpoint, "write_whole", write)
    assert len(kept) == 2 * (3 + 1) + 1
    for number, data in enumerate(kept):
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(data)
        assert killed.train(path, epochs=2, accumulate=2)[:4] == whole[:4], number


def test_a_finished_checkpoint_gives_its_history_at_once(tmp_path, whole, capsys):
    path = tmp_path / "run.ckpt"
    killed.train(path)
    changed = path.stat().st_mtime_ns
    again = killed.train(path)
    assert again[:4] == whole[0][:4]
    assert again[4] == 0.0, "no callback was called"
    assert again[-1] == whole[0][-1]
    assert path.stat().st_mtime_ns == changed
    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    first, second = (pn.fit(pn.Sequential(pn.Dense(1)), (x, x), checkpoint=tmp_path / "b.ckpt") for _ in range(2))
    assert "b.ckpt: this training is complete; delete the file to start over\n" in capsys.readouterr().out
    assert second == first
    assert (second.best_epoch, second.stopped, second.seconds >= first.seconds) == (first.best_epoch, "", True)


def test_a_checkpoint_is_a_model_file_of_the_best_weights(tmp_path, rings):
    model = pn.Sequential(pn.Dense(8), pn.BatchNorm(), pn.Dense(3))
    history = pn.fit(model, rings, checkpoint=tmp_path / "run.ckpt", verbose=0)
    found = pn.load(tmp_path / "run.ckpt")
    assert found.fingerprint() == history.fingerprint
    assert found.card == model.card


# ---- what ends a training early


def press_and_go_on(folder: str) -> None:
    """Ctrl-C at a step, in a validation, in a callback and in a write: the same call goes on."""
    import os
    import signal

    import numpy as np

    import pyneural as pn
    from pyneural.files import checkpoint

    x = np.linspace(-1, 1, 300, dtype=np.float32).reshape(-1, 1)
    press = [""]

    class Pressing(pn.Layer):
        def call(self, x, *, training):
            if press[0] == ("step" if training else "validation"):
                hit()
            return x * 1.0

    def hit(*_):
        counts[0] += 1
        if counts[0] == (3 if press[0] == "validation" else 7):
            os.kill(os.getpid(), signal.SIGINT)

    class Callback(pn.callbacks.Callback):
        def on_batch_end(self, step, logs):
            if press[0] == "callback":
                hit()

        def on_epoch_end(self, epoch, logs):
            if press[0] == "epoch" and epoch == 2:
                counts[0] = 6
                hit()

    def train(path):
        counts[0] = 0
        model = pn.Sequential(pn.Dense(2), Pressing(), pn.Dense(1))
        return pn.fit(model, (x, x), epochs=4, batch_size=64, checkpoint=path, callbacks=[Callback()], verbose=0)

    counts = [0]
    whole = train(None)
    write = checkpoint.write

    def writing(*arguments):
        if press[0] == "write":
            counts[0] = 6
            hit()
        write(*arguments)

    checkpoint.write = writing
    for moment in ("step", "validation", "callback", "epoch", "write"):
        press[0] = moment
        path = f"{folder}/{moment}.ckpt"
        first = train(path)
        press[0] = ""
        again = train(path)
        assert first.interrupted, moment
        assert not again.interrupted, moment
        assert again.fingerprint == whole.fingerprint, moment
        assert again["val_loss"] == whole["val_loss"], moment
        print(moment, first.epochs)


def test_the_same_call_goes_on_after_ctrl_c(tmp_path) -> None:
    moments = [("step", 1), ("validation", 1), ("callback", 1), ("epoch", 2), ("write", 1)]
    said = [line.split() for line in child.run(press_and_go_on, str(tmp_path)).splitlines()]
    assert [(moment, int(epochs)) for moment, epochs in said] == moments


def test_patience_and_callbacks_that_stop_are_remembered(tmp_path, rings):
    def fit():
        model = pn.Sequential(pn.Dense(3))
        return pn.fit(model, rings, epochs=9, callbacks=[stop], checkpoint=tmp_path / "run.ckpt", verbose=0)

    def stop(epoch, logs):
        return "stop" if epoch == 2 else None

    first, second = fit(), fit()
    assert first.stopped == second.stopped == "stop"
    assert (second.epochs, second.fingerprint) == (2, first.fingerprint)


def test_a_stop_within_an_epoch_is_remembered(tmp_path, rings, monkeypatch):
    monkeypatch.setattr(resume, "EVERY", 0.0)
    kept = []
    write = paths.write_whole

    def keeping(who, path, data, **how):
        write(who, path, data, **how)
        kept.append(data)

    class Stop(pn.callbacks.Callback):
        def on_batch_end(self, step, logs):
            return "stop" if step == 3 else None

    def fit(path):
        model = pn.Sequential(pn.Dense(3))
        return pn.fit(model, rings, epochs=4, batch_size=50, callbacks=[Stop()], checkpoint=path, verbose=0)

    monkeypatch.setattr(checkpoint, "write_whole", keeping)
    whole = fit(tmp_path / "run.ckpt")
    assert (whole.steps, whole.epochs, len(kept)) == (3, 1, 5)
    for number, data in enumerate(kept):
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(data)
        found = fit(path)
        assert (found.steps, found.stopped, found.fingerprint) == (3, "Stop()", whole.fingerprint)


def test_after_an_error_the_same_call_goes_on_from_the_last_write(tmp_path, rings):
    def raising(epoch, logs):
        if epoch == 3 and fails:
            raise OverflowError("mine")

    def fit(path):
        model = pn.Sequential(pn.Dense(3))
        return pn.fit(model, rings, epochs=4, callbacks=[raising], checkpoint=path, verbose=0)

    fails = False
    whole = fit(None)
    fails = True
    with pytest.raises(OverflowError):
        fit(tmp_path / "run.ckpt")
    fails = False
    assert fit(tmp_path / "run.ckpt").fingerprint == whole.fingerprint


# ---- refused


def fit(path, rings, model=None, **options):
    return pn.fit(model or pn.Sequential(pn.Dense(3)), rings, checkpoint=path, verbose=0, **({"epochs": 2} | options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 3}, "another recipe .epochs is 2 there and 3 here"),
        ({"batch_size": 32}, "batch_size is 'auto' there and 32 here"),
        ({"optimizer": "sgd"}, "optimizer is 'adam' there and 'sgd' here"),
        ({"optimizer": pn.Adam(beta1=0.8)}, r"optimizer is 'adam' there and 'Adam\(beta1=0.8\)' here"),
        ({"learning_rate": 0.5}, "learning_rate is None there and 0.5 here"),
        ({"schedule": lambda step, steps: 1.0}, "schedule is 'one-cycle' there and 'lambda' here"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"validation": 0.2}, "validation is 0.1 there and 0.2 here"),
        ({"metrics": ["mse"]}, "metrics is"),
        ({"patience": 3}, "patience is None there and 3 here"),
        ({"callbacks": [pn.callbacks.EarlyStopping()]}, r"callbacks is \[\] there and .*EarlyStopping"),
        ({"model": pn.Sequential(pn.Dense(4), pn.Dense(3))}, "another model .its layers differ"),
    ],
)  # fmt: skip
def test_a_checkpoint_of_something_else_is_refused_by_what_differs(tmp_path, rings, options, message):
    path = tmp_path / "run.ckpt"
    fit(path, rings)
    before = path.read_bytes()
    model = options.pop("model", pn.Sequential(pn.Dense(3)))
    with pytest.raises(ValueError, match=f"checkpoint run.ckpt is of .*{message}") as caught:
        fit(path, rings, model, **options)
    assert "make the same call as before to go on, give another path, or delete the file" in str(caught.value)
    assert path.read_bytes() == before
    assert not model.is_built
    assert [file.name for file in tmp_path.iterdir()] == ["run.ckpt"], "the lock is gone"


@pytest.mark.parametrize(
    ("before", "change", "message"),
    [
        ({}, lambda x, y: {"data": (x + (np.arange(len(x)) == 3)[:, None], y)}, "the inputs or the labels"),
        ({}, lambda x, y: {"data": (x, (y + 1) % 3)}, "the inputs or the labels"),
        ({}, lambda x, y: {"data": pn.Dataset(x, y, sample_weight=np.arange(1, 1 + len(x)))}, "the weights of"),
        ({}, lambda x, y: {"data": pn.Dataset(x, y, groups=np.arange(len(x)) // 2)}, "the examples that are held out"),
        ({}, lambda x, y: {"data": pn.Dataset(x, y, classes=("a", "b", "c"))}, "the names of the classes"),
        ({}, lambda x, y: {"model": deviating(x, y)}, "the preprocessing"),
        ({"n": 50}, lambda x, y: {"data": pn.Splits(pn.Dataset(x, y), None, pn.Dataset(x[:40], y[:40]))}, "validation"),
        ({"n": 50}, lambda x, y: {"data": pn.Splits(pn.Dataset(x, y), None, pn.Dataset(x[:50], y[:50],
            sample_weight=np.arange(1, 51)))}, "the weights of the examples"),
        ({"size": 10}, lambda x, y: {"data": [(x[s : s + 20], y[s : s + 20]) for s in range(0, len(x), 20)]},
            "the split into batches"),
    ],
    ids=["x", "y", "weights", "groups", "names", "preprocessing", "validation", "weights of it", "batches"],
)  # fmt: skip
def test_other_data_is_refused_by_what_differs(tmp_path, rings, before, change, message):
    path = tmp_path / "run.ckpt"
    x, y = rings
    data = pn.Dataset(x, y)
    if "n" in before:
        data = pn.Splits(data, None, pn.Dataset(x[:50], y[:50]))
    if "size" in before:
        data = [(x[s : s + 10], y[s : s + 10]) for s in range(0, len(x), 10)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # examples of the training data are in the validation data
        fit(path, data, pn.Sequential(pn.Dense(3)))
        given = {"data": data, "model": pn.Sequential(pn.Dense(3))} | change(x, y)
        was_built = given["model"].is_built
        with pytest.raises(ValueError, match=f"run.ckpt is of other data .*{message}"):
            fit(path, given["data"], given["model"])
        assert given["model"].is_built == was_built
        assert fit(path, data).epochs == 2, "the same data is not refused"


def deviating(x, y):
    """A model that has learnt the preprocessing of other data."""
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, (3 * x, y), preprocess="dataset", epochs=1, verbose=0)
    return model


def test_other_validation_data_is_another_recipe(tmp_path, rings):
    x, y = rings
    fit(tmp_path / "run.ckpt", rings, validation=(x[:50], y[:50]))
    with pytest.raises(ValueError, match=r"another recipe .validation is"):
        fit(tmp_path / "run.ckpt", rings, validation=(x[:40], y[:40]))


def test_every_argument_of_fit_that_determines_the_result_is_part_of_the_recipe(tmp_path, rings):
    path = tmp_path / "run.ckpt"
    pn.fit(pn.Sequential(pn.Dense(3)), rings, epochs=1, verbose=0, checkpoint=path)
    others = {"model", "data", "checkpoint", "verbose"}
    assert checkpoint.read(path)["recipe"].keys() == inspect.signature(pn.fit).parameters.keys() - others


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (pn.callbacks.EarlyStopping, {"min_delta": 0.1}),
        (pn.callbacks.EarlyStopping, {"mode": "max"}),
        (pn.callbacks.ReduceLROnPlateau, {"factor": 0.25}),
        (pn.callbacks.ReduceLROnPlateau, {"min_factor": 0.125}),
        (pn.callbacks.ReduceLROnPlateau, {"patience": 9, "min_delta": 1.0}),
    ],
)
def test_every_argument_of_a_callback_is_part_of_the_recipe(tmp_path, rings, kind, options):
    fit(tmp_path / "run.ckpt", rings, callbacks=[kind("loss")])
    with pytest.raises(ValueError, match="callbacks is") as caught:
        fit(tmp_path / "run.ckpt", rings, callbacks=[kind("loss", **options)])
    assert all(f"{name}={value!r}" in str(caught.value) for name, value in options.items())


@pytest.mark.parametrize(
    "content", [b"", b"notes\n", b"\x80\x04\x95", "model", "half", "version"], ids=["empty", "text", "pickle", "model",
    "half", "newer"]
)  # fmt: skip
def test_other_files_are_refused_and_never_replaced(tmp_path, rings, content):
    path = tmp_path / "run.ckpt"
    model = pn.Sequential(pn.Dense(3))
    model.build((2,))
    message = "is a file of another kind, or damaged, and would be replaced: give another path, or delete it"
    if content == "model":
        content = pn.save(model, tmp_path / "a.safetensors").read_bytes()
    elif content in ("half", "version"):
        fit(path, rings)
        data = path.read_bytes()
        content = data[: len(data) // 2] if content == "half" else data.replace(b'\\"format\\":1', b'\\"format\\":9')
        if len(content) == len(data):
            message = "it was written by a newer pyneural; update pyneural"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        fit(path, rings)
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_written_is_refused_before_training(tmp_path, rings, monkeypatch):
    model = pn.Sequential(pn.Dense(3))
    with pytest.raises(IsADirectoryError, match=r"fit: checkpoint: .* is a folder: give the path of a file"):
        fit(tmp_path, rings, model)
    with pytest.raises(FileNotFoundError, match="fit: checkpoint: there is no folder"):
        fit(tmp_path / "no" / "run.ckpt", rings, model)
    with pytest.raises(TypeError, match="fit: checkpoint: path is 3"):
        fit(3, rings, model)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match=r"fit: checkpoint: the folder .* is not writable"):
        fit(tmp_path / "run.ckpt", rings, model)
    assert not model.is_built


def test_a_model_that_cannot_be_saved_is_refused_before_training(tmp_path, rings):
    class Odd(pn.Layer):
        def __init__(self, value):
            self.value = value

        def call(self, x, *, training):
            return x

    model = pn.Sequential(pn.Dense(3), Odd(np.ones(3)))
    with pytest.raises(TypeError, match="value is an array"):
        fit(tmp_path / "run.ckpt", rings, model)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path, rings, monkeypatch):
    path = tmp_path / "run.ckpt"
    sync, full = os.fsync, []

    def failing(handle):
        full.append(1)
        if len(full) in (2, 3):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(handle)

    seen = []
    look = lambda epoch, logs: seen.append(checkpoint.read(path)["epoch"] if path.exists() else 0)  # noqa: E731
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.warns(
        UserWarning, match=r"the checkpoint .* cannot be written .No space left on device.: the one befor"
    ):
        history = fit(path, rings, epochs=5, callbacks=[look])
    assert history.epochs == 5
    assert seen == [0, 2, 2, 2, 5]
    assert [file.name for file in tmp_path.iterdir()] == ["run.ckpt"]


def test_a_second_training_on_one_checkpoint_is_refused(tmp_path, rings):
    path = tmp_path / "run.ckpt"

    def second(epoch, logs):
        with pytest.raises(
            RuntimeError, match=f"run.ckpt is in use by process {os.getpid()}, which is training with it"
        ):
            fit(path, rings)

    assert fit(path, rings, callbacks=[second]).epochs == 2


def test_a_checkpoint_is_one_by_all_its_paths(tmp_path, rings):
    (tmp_path / "there").mkdir()
    path, link = tmp_path / "there" / "run.ckpt", tmp_path / "link.ckpt"
    link.symlink_to(path)
    caught = []

    def through_the_link(epoch, logs):
        with pytest.raises(RuntimeError, match="is in use by process"):
            fit(link, rings)
        caught.append(epoch)

    fit(path, rings, callbacks=[through_the_link])
    assert caught == [1, 2]
    assert [file.name for file in path.parent.iterdir()] == ["run.ckpt"]


def test_the_lock_of_a_killed_process_is_released(tmp_path, whole):
    path = tmp_path / "run.ckpt"
    assert run(path, 0, "step", 2) == -signal.SIGKILL
    assert path.with_name(".run.ckpt.lock").exists()
    ends_alike(path, whole)


def leave_a_child_behind(path: str) -> None:
    """A process that trains is killed, and a process that it has forked lives on, like the worker of a loader."""
    import os
    import signal
    import time

    import numpy as np

    import pyneural as pn

    def fork(epoch, logs):
        child = os.fork()
        if child == 0:
            os.close(1)
            os.close(2)
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    pn.fit(pn.Sequential(pn.Dense(1)), (x, x), epochs=5, callbacks=[fork], checkpoint=path, verbose=0)


def test_a_forked_process_does_not_keep_the_lock(tmp_path):
    path = tmp_path / "run.ckpt"
    program = child.start(leave_a_child_behind, str(path))
    left, _ = program.communicate(timeout=child.SECONDS)
    assert program.returncode == -signal.SIGKILL

    def fork(epoch, logs):
        pass

    x = np.linspace(-1, 1, 64, dtype=np.float32).reshape(-1, 1)
    try:
        assert (
            pn.fit(pn.Sequential(pn.Dense(1)), (x, x), epochs=5, callbacks=[fork], checkpoint=path, verbose=0).epochs
            == 5
        )
    finally:
        os.kill(int(left), signal.SIGKILL)


def heads(outputs, targets):
    """A custom loss, which is called on many batches together."""
    return pn.ops.cross_entropy(outputs, targets) * 2.0


def kinds(kind, rings):
    """A model, data and options of fit."""
    x, y = rings[0][:90], rings[1][:90]
    if kind == "heads":
        at = pn.Input((2,))
        model = pn.Model(at, {"ring": pn.Dense(3)(at), "odd": pn.Dense(1)(at)})
        return model, (x, {"ring": y, "odd": y % 2}), {"loss": {"ring": heads}, "metrics": {"ring": [heads]}}
    if kind == "batches":
        batches = [(x[at : at + 30], y[at : at + 30]) for at in range(0, 90, 30)]
        return pn.Sequential(pn.Dense(3)), batches, {"validation": (x, y)}
    if kind == "float64":
        return pn.Sequential(pn.Dense(4, "tanh"), pn.Dense(1), dtype="float64"), (x, x[:, :1]), {"optimizer": "rmsprop"}
    optimizer = pn.SGD(momentum=0.5, clip_norm=0.1)
    return pn.Sequential(pn.Dense(3)), (x, y), {"accumulate": 2, "optimizer": optimizer, "validation": None}


@pytest.mark.parametrize("kind", ["heads", "batches", "float64", "accumulate"])
def test_every_kind_of_training_goes_on_from_any_step(tmp_path, rings, monkeypatch, kind):
    monkeypatch.setattr(resume, "EVERY", 0.0)
    kept = []
    write = paths.write_whole

    def keeping(who, path, data, **how):
        write(who, path, data, **how)
        kept.append(data)

    def fit(path):
        model, data, options = kinds(kind, rings)
        history = pn.fit(model, data, epochs=2, batch_size=20, checkpoint=path, verbose=0, **options)
        return history.fingerprint, {name: values for name, values in history.items() if name != "seconds"}

    monkeypatch.setattr(checkpoint, "write_whole", keeping)
    whole = fit(tmp_path / "run.ckpt")
    monkeypatch.setattr(checkpoint, "write_whole", write)
    assert fit(None) == whole
    assert len(kept) > 6
    for number, data in enumerate(kept):
        path = tmp_path / f"{number}.ckpt"
        path.write_bytes(data)
        assert fit(path) == whole, number


def press_twice_while_a_checkpoint_is_written(folder: str) -> None:
    """Ctrl-C twice at the n-th line of the loop, a callback or the writing of a checkpoint: the same call goes on."""
    import linecache
    import os
    import signal
    import sys
    from pathlib import Path

    import numpy as np

    import pyneural as pn

    LOOP = {
        "_epochs", "_epoch", "_finish", "_judge", "_keep", "_save", "save", "state", "write", "write_whole", "_replace",
        "on_epoch_end", "tell", "then",
    }  # fmt: skip
    FILES = ("training/loop.py", "state.py", "resume.py", "best.py", "checkpoint.py", "paths.py", "stopping.py")
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(-1, 1)
    path = Path(folder, "run.ckpt")
    lines, last = 0, 0

    def trace(frame, event, argument):
        nonlocal lines
        code = frame.f_code
        if code.co_name not in LOOP or not code.co_filename.endswith(FILES):
            return None
        if event == "line" and not linecache.getline(code.co_filename, frame.f_lineno).lstrip().startswith("with "):
            lines += 1
            if lines == last:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
        return trace

    def fit(path):
        stop = pn.callbacks.EarlyStopping(patience=9)
        model = pn.Sequential(pn.Dense(1))
        return pn.fit(model, (x, x), epochs=2, batch_size=5, callbacks=[stop], checkpoint=path, verbose=0)

    whole = fit(None)
    ended = False
    while not ended:
        last, lines = last + 7, 0
        path.unlink(missing_ok=True)
        sys.settrace(trace)
        first = fit(path)
        sys.settrace(None)
        ended = lines < last
        again = fit(path)
        assert not again.interrupted, last
        assert (again.fingerprint, again.epochs) == (whole.fingerprint, 2), (last, first)
        assert again["val_loss"] == whole["val_loss"], last
        names = {file.name for file in path.parent.iterdir()}
        assert names == {"run.ckpt"}, (last, names)
    assert last > 200, last


def test_two_presses_at_any_line_leave_a_checkpoint_to_go_on_from(tmp_path) -> None:
    assert child.run(press_twice_while_a_checkpoint_is_written, str(tmp_path)) == ""
