"""Lifetime: who outlives whom; forks, Ctrl-C, the end of the interpreter; and that nothing grows."""

import gc
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import child
import numpy as np
import pytest

import pyneural as pn
from pyneural import _core


def small() -> pn.Sequential:
    return pn.Sequential(pn.Dense(16, "relu"), pn.BatchNorm(), pn.Dense(3))


def reuse(array: np.ndarray) -> None:
    """Fills whatever memory the engine would give for such an array with something else."""
    others = [pn.tensor(np.full(array.shape, -7, array.dtype)) for _ in range(8)]
    assert all(not np.shares_memory(array, other.numpy()) for other in others)


# ---- views and what they look at


def test_views_outlive_tensors_models_optimizers_and_graphs(rings):
    x, y = rings
    model = small()
    model.build((2,))
    optimizer = pn.Adam(model)
    hidden = model["dense_1"].call(pn.tensor(x), training=True)
    output = model(x, training=True)
    loss = pn.ops.cross_entropy(output, y)
    loss.backward()
    optimizer.step()
    weight = model["dense_1"].weight
    seen = [
        weight.numpy(), weight.grad.numpy(), np.asarray(model["dense_2"].bias),
        np.asarray(model["batch_norm_1"].running_mean), hidden.numpy(), output.numpy(),
        output.detach()[5:9].numpy(), loss.numpy(), output.T.numpy(),
    ]  # fmt: skip
    copies = [np.array(view) for view in seen]
    alive = weakref.ref(model)
    del model, optimizer, hidden, output, loss, weight
    gc.collect()
    assert alive() is None
    for view, copy in zip(seen, copies, strict=True):
        reuse(view)
        assert np.array_equal(view, copy)
        assert not view.flags.writeable


def test_views_of_views_keep_what_they_look_at():
    t = pn.tensor(np.arange(5000, dtype=np.float32).reshape(50, 100))
    view = t.numpy()[10:40].reshape(-1)[::3].T
    memory = memoryview(t[20:].numpy())
    copy, bytes_ = np.array(view), memory.tobytes()
    before = pn.memory_stats()["live_bytes"]
    del t
    gc.collect()
    reuse(np.empty((50, 100), np.float32))
    assert np.array_equal(view, copy)
    assert memory.tobytes() == bytes_
    assert pn.memory_stats()["live_bytes"] == before
    memory.release()
    del view, memory
    gc.collect()
    assert pn.memory_stats()["live_bytes"] < before


def test_training_data_is_held_while_it_is_read_and_let_go_afterwards(rings):
    class Array(np.ndarray):
        pass

    x, y = rings[0].view(Array), rings[1].view(Array)
    seen = weakref.ref(x), weakref.ref(y)
    model = small()
    history = pn.fit(model, (x, y), epochs=1, verbose=0)
    pn.evaluate(model, (x, y), verbose=0)
    pn.predict(model, x)
    del x, y
    gc.collect()
    assert [ref() for ref in seen] == [None, None], "something still holds the data"
    assert history.epochs == 1


def test_a_borrowed_array_lives_as_long_as_the_graph_that_reads_it():
    class Array(np.ndarray):
        pass

    array = np.arange(6.0).view(Array)
    seen = weakref.ref(array)
    w = pn.tensor(np.ones(6), requires_grad=True)
    loss = (w * _core.borrow(array)).sum()
    del array
    gc.collect()
    assert seen() is not None, "backward will read it"
    loss.backward()
    assert seen() is None, "the graph has been walked"
    assert np.array_equal(w.grad, np.arange(6.0))


def test_a_borrowed_array_may_go_on_any_thread():
    class Array(np.ndarray):
        pass

    arrays = [np.full(5000, i, np.float64).view(Array) for i in range(8)]
    seen = [weakref.ref(array) for array in arrays]
    held = [[_core.borrow(array)] for array in arrays]
    del arrays
    sums: list[float] = []

    def work(own: list[pn.Tensor]) -> None:
        sums.append(own.pop().sum().item())

    threads = [threading.Thread(target=work, args=(own,)) for own in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    gc.collect()
    assert all(ref() is None for ref in seen)
    assert sorted(sums) == [5000.0 * i for i in range(8)]


def test_a_model_goes_with_its_last_name_without_waiting_for_the_garbage_collector(rings):
    def use() -> None:
        model = pn.Sequential(pn.Sequential(pn.Dense(8, "relu"), pn.BatchNorm()), pn.Dropout(0.1), pn.Dense(3))
        pn.fit(model, rings, epochs=1, verbose=0)
        pn.evaluate(model, rings, verbose=0)
        again = pickle.loads(pickle.dumps(model))
        pn.predict(again, rings[0])
        optimizer = pn.Adam(again)
        pn.ops.cross_entropy(again(rings[0], training=True), rings[1]).backward()
        optimizer.step()
        assert again.fingerprint() != model.fingerprint()

    gc.collect()
    gc.disable()
    try:
        before = pn.memory_stats()["live_bytes"]
        use()
        assert pn.memory_stats()["live_bytes"] == before
    finally:
        gc.enable()


def test_models_in_reference_cycles_are_collected(rings):
    before = pn.memory_stats()["live_bytes"]
    for _ in range(3):
        model = small()
        pn.fit(model, rings, epochs=1, verbose=0)
        cycle = {"model": model, "loss": pn.ops.cross_entropy(model(rings[0], training=True), rings[1])}
        cycle["self"] = cycle
        model.cycle = [cycle]  # in the model's own attributes, too
    del model, cycle
    assert pn.memory_stats()["live_bytes"] > before
    gc.collect()
    assert pn.memory_stats()["live_bytes"] == before


# ---- deep graphs


def frees_deep_graphs() -> None:
    """A chain of a million nodes, and shorter ones that branch and share, on a stack of 256 KiB."""
    import threading

    import pyneural as pn

    def chain(step, length):
        x = pn.tensor([1.0], requires_grad=True)
        y = x
        for _ in range(length):
            y = step(y)
        y.backward(keep_graph=True)
        found = y.item(), x.grad.item(), y.shape
        assert found == (1.0, 1.0, (1,)), found
        del y  # with all that backward would need again
        assert x.grad.item() == 1.0

    def work():
        try:
            before = pn.memory_stats()["live_blocks"]
            chain(lambda y: pn.ops.neg(-y), 500_000)
            chain(lambda y: y * 0.5 + y * 0.5, 10_000)
            chain(lambda y: y.reshape(1, 1)[0], 10_000)
            assert pn.memory_stats()["live_blocks"] == before
            print("done")
        except BaseException as error:
            print(repr(error))

    threading.stack_size(256 * 1024)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_chain_of_a_million_nodes_is_walked_and_freed_on_a_small_stack():
    assert child.run(frees_deep_graphs) == "done\n"


# ---- nothing grows


def fits_again_and_again(times: int) -> None:
    """Prints by how many bytes the resident size grew after the first tenth of so many fits."""
    import gc
    import resource
    import sys
    from pathlib import Path

    import numpy as np

    import pyneural as pn

    def resident():
        gc.collect()
        statm = Path("/proc/self/statm")
        if statm.exists():
            return int(statm.read_text().split()[1]) * resource.getpagesize()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(24, 4)).astype(np.float32), np.arange(24) % 3
    start = live = 0
    for i in range(times):
        model = pn.Sequential(pn.Dense(4, "relu"), pn.BatchNorm(), pn.Dropout(0.1), pn.Dense(3))
        pn.fit(model, (x, y), epochs=1, seed=i, verbose=0)
        if i == times // 10:
            start, live = resident(), pn.memory_stats()["live_bytes"]
    grown = resident() - start
    assert pn.memory_stats()["live_bytes"] == live
    print(grown)


def test_2000_fits_grow_by_less_than_a_megabyte_after_the_first_tenth():
    assert int(child.run(fits_again_and_again, 2000)) < 1 << 20


def predicts_again_and_again(calls):
    """Prints by how many bytes the resident size and Python's own memory grew after the first tenth of the calls."""
    import gc
    import os
    import tracemalloc
    from pathlib import Path

    import numpy as np

    import pyneural as pn

    def resident():
        try:
            return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            return 0  # where the system does not tell, the engine's and Python's bytes must do

    image = np.arange(784, dtype=np.uint8).reshape(28, 28, 1)
    at = pn.Input((28, 28, 1))
    h = pn.Flatten()(pn.MaxPool2D(2)(pn.Conv2D(8, 3, activation="relu")(at)))
    model = pn.Model(at, {"top": pn.Dense(10)(h), "bottom": pn.Dense(1)(h)})
    x, y = np.stack([image + np.uint8(number) for number in range(20)]), np.arange(20) % 2
    pn.fit(model, (x, {"top": y, "bottom": y}), epochs=1, verbose=0)
    tracemalloc.start()
    for number in range(calls):
        pn.predict(model, image)
        pn.classify(model, image)
        if number == calls // 10:
            gc.collect()
            start, live, own = resident(), pn.memory_stats(), tracemalloc.get_traced_memory()[0]
    now = pn.memory_stats()
    assert now["live_bytes"] == live["live_bytes"]
    assert now["system_calls"] == live["system_calls"], "the engine went to the system for memory"
    gc.collect()
    print(resident() - start, tracemalloc.get_traced_memory()[0] - own)


def test_1000_predictions_of_one_image_do_not_grow():
    grown, traced = map(int, child.run(predicts_again_and_again, 1000).split())
    assert grown < 1 << 18  # pages that come and go; two calls a round that kept an image each would be 1.4 MB
    assert traced < 900 * 48  # caches come to about 16 kB, however many rounds; a tuple or a list a round would be more


LEAKING = """
import pyneural as pn

kept = []


def test_that_leaves_a_tensor():
    kept.append(pn.zeros((100,)))


def test_that_leaves_nothing():
    cycle = [pn.zeros((100,))]
    cycle.append(cycle)
"""


def test_the_fixture_finds_a_test_that_leaves_engine_memory(tmp_path):
    for name in ("conftest.py", "needs.py"):
        shutil.copy(Path(__file__).with_name(name), tmp_path)
    (tmp_path / "test_leaking.py").write_text(LEAKING)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        env=child.environment({}), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 passed, 1 error" in done.stdout
    assert re.search(
        r"the test left [4-9]\d\d bytes of engine memory", done.stdout
    )  # 400 of zeros, and what holds them
    assert "ERROR at teardown of test_that_leaves_a_tensor" in done.stdout


# ---- fork


def forks_after_training() -> None:
    """The child predicts, trains, walks back over its parent's graph, shares work among threads, and ends as usual."""
    import os
    import sys
    import warnings

    import numpy as np

    import pyneural as pn
    from pyneural import _core

    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 Python warns of what we try here
    pn.set_threads(4)
    train = pn.datasets.mnist("sample").train
    data = train.x[:300], train.y[:300]

    def model():
        return pn.Sequential(pn.Conv2D(8, 3, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10))

    first = model()
    expected = [pn.fit(first, data, epochs=1, verbose=0).fingerprint]
    predicted = pn.predict(first, data[0])
    w = pn.tensor(np.ones((300, 300)), requires_grad=True)
    loss = (w @ w).sum()
    view = w.numpy()

    def work():
        assert np.array_equal(pn.predict(first, data[0]), predicted)
        assert pn.fit(model(), data, epochs=1, verbose=0).fingerprint == expected[0]
        loss.backward()
        assert np.all(np.asarray(w.grad) == 600)
        assert np.all(view == 1)
        before = _core.pool_counts()["gemm"][1]
        for _ in range(10000):
            w.detach() @ w.detach()
            if _core.pool_counts()["gemm"][1] > before:
                return
        raise AssertionError("no work was shared")

    child = os.fork()
    work()
    if child == 0:
        grandchild = os.fork()
        if grandchild == 0:
            assert np.array_equal(pn.predict(first, data[0]), predicted)
            sys.exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 0
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_after_a_fork_child_and_parent_work_on():
    child.run(forks_after_training)


def forks_in_pools() -> None:
    import multiprocessing
    import warnings

    import numpy as np

    import pyneural as pn

    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 Python warns of what we try here
    x = np.random.default_rng(0).normal(size=(400, 64)).astype(np.float32)
    y = np.arange(400) % 3

    def train(seed):
        model = pn.Sequential(pn.Dense(256, "relu"), pn.BatchNorm(), pn.Dense(3))
        return pn.fit(model, (x, y), epochs=2, seed=seed, verbose=0).fingerprint

    globals()["train"] = train  # where a pool looks for it
    train.__module__, train.__qualname__ = "__main__", "train"
    expected = [train(seed) for seed in range(4)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map(train, range(4)) == expected
    queue = multiprocessing.get_context("fork").SimpleQueue()
    process = multiprocessing.get_context("fork").Process(target=lambda: queue.put(train(1)))
    process.start()
    assert queue.get() == expected[1]
    process.join()
    assert process.exitcode == 0


def test_multiprocessing_with_fork_trains_as_one_process_does():
    child.run(forks_in_pools)


def forks_while_threads_train() -> None:
    """Threads train, and compute small things with the GIL, which a fork's callbacks in Python hand to them."""
    import logging  # noqa: F401 -- it has such callbacks, and comes first: they run between ours and the fork
    import os
    import sys
    import threading
    import warnings

    import numpy as np

    import pyneural as pn

    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 Python warns of what we try here
    pn.set_threads(3)
    train = pn.datasets.mnist("sample").train
    data = train.x[:200], train.y[:200]

    def fit():
        model = pn.Sequential(pn.Conv2D(8, 3, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(10))
        return model, pn.fit(model, data, epochs=1, verbose=0).fingerprint

    model, expected = fit()
    predicted = pn.predict(model, data[0])
    done, wrong = threading.Event(), []

    def work():
        while not done.is_set():
            if fit()[1] != expected:
                wrong.append("a training came out otherwise")

    def compute():
        few = pn.tensor([1.0, 2.0])
        while not done.is_set():
            few = few + 0.0

    sys.setswitchinterval(1e-5)
    threads = [threading.Thread(target=target) for target in (work, work, compute, compute)]
    for thread in threads:
        thread.start()
    for i in range(30):
        child = os.fork()
        if child == 0:
            fine = np.array_equal(pn.predict(model, data[0]), predicted) and fit()[1] == expected
            os._exit(0 if fine else 1)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
            wrong.append(f"child {i}")
    done.set()
    for thread in threads:
        thread.join()
    assert not wrong, wrong


def test_a_fork_may_come_while_other_threads_train():
    child.run(forks_while_threads_train)


def forks_while_a_thread(what: str) -> None:
    """The main thread fills, measures or steps, and asks for Ctrl-C meanwhile; another one forks."""
    import os
    import threading
    import time
    import warnings

    import numpy as np

    import pyneural as pn
    from pyneural import _core

    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 Python warns of what we try here
    pn.set_threads(2)
    pixels, values = np.ones((2**27, 1), "uint8"), _core.zeros(2**25)  # each takes several tenths of a second
    weights = pn.tensor(np.ones(2**20, "float32"), requires_grad=True)
    optimizer = _core.Optimizer("sgd", [weights])
    weights.sum().backward()
    calls = {
        "fills": lambda: _core.random_fill(values, "normal", 0.0, 1.0, 1, 2),
        "measures": lambda: _core.moments(pixels),
        "steps": optimizer.step,
    }
    done, wrong = threading.Event(), []

    def fork():
        for _ in range(20):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    optimizer.step()
                    code = 0
                finally:
                    os._exit(code)
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
                wrong.append(child)
            time.sleep(0.02)
        done.set()

    forker = threading.Thread(target=fork)
    forker.start()
    while not done.is_set():
        calls[what]()
    forker.join()
    assert not wrong


@pytest.mark.parametrize("what", ["fills", "measures", "steps"])
def test_a_fork_may_come_while_the_main_thread(what: str) -> None:
    child.run(forks_while_a_thread, what)


def forks_when_an_array_goes() -> None:
    """The sweep lets go of the last reference to a borrowed array, whose finalizer computes and forks."""
    import os
    import warnings
    import weakref

    import numpy as np

    import pyneural as pn
    from pyneural import _core

    warnings.simplefilter("ignore", DeprecationWarning)  # from 3.12 Python warns of what we try here
    leaf, codes = pn.tensor(np.ones((400, 100), "float32"), requires_grad=True), []

    def compute() -> bool:
        return (leaf * 2.0).sum().item() == 80000 and float(np.float32(1e-30) * np.float32(1e-10)) > 0

    def fork() -> None:
        fine = compute()
        child = os.fork()
        if child == 0:
            os._exit(0 if compute() else 1)
        codes.append((fine, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))

    array = np.ones((400, 100), "float32")
    weakref.finalize(array, fork)
    loss = (leaf * _core.borrow(array)).sum()
    del array
    loss.backward()
    assert codes == [(True, 0)], codes


def test_a_finalizer_that_a_sweep_sets_off_may_compute_and_fork() -> None:
    child.run(forks_when_an_array_goes)


# ---- Ctrl-C


def press_at(call: int, times: int = 1):
    """A metric that presses Ctrl-C at its n-th call."""
    calls = []

    def metric(outputs: pn.Tensor, targets: pn.Tensor) -> pn.Tensor:
        calls.append(1)
        if len(calls) == call:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)
        return pn.ops.accuracy(outputs, targets)

    return metric


def waits_to_be_interrupted(presses: int) -> None:
    """Trains until Ctrl-C; says when it is ready for it, and what came of it."""
    import os
    import signal

    import numpy as np

    import pyneural as pn

    x = np.random.default_rng(0).normal(size=(300, 2)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    calls = []

    def metric(outputs, targets):
        calls.append(1)
        if len(calls) == 20:
            for _ in range(presses):
                print("ready", flush=True)
                os.read(reader, 1)  # until a signal has come
        return pn.ops.accuracy(outputs, targets)

    model = pn.Sequential(pn.Dense(8, "relu"), pn.Dense(2))
    try:
        history = pn.fit(model, (x, y), epochs=1_000_000, batch_size=64, metrics=metric, verbose=0)
        print("history", history.interrupted, history.epochs, history.best_epoch, history.steps)
    except KeyboardInterrupt:
        print("raised")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert pn.predict(model, x).shape == (300, 2)
    again = pn.fit(model, (x, y), epochs=1, verbose=0)
    assert again.epochs == 1
    assert not again.interrupted


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_in_a_terminal_ends_the_training_and_returns_the_history(presses):
    program = child.start(waits_to_be_interrupted, presses)
    for _ in range(presses):
        assert program.stdout.readline() == "ready\n", child.finish(program)
        program.send_signal(signal.SIGINT)
    assert child.finish(program) == "history True 2 2 15\n"


def test_ctrl_c_twice_returns_the_history_and_the_handler_is_the_old_one(rings):
    calls = []

    def handler(*_) -> None:
        calls.append("old")

    before = signal.signal(signal.SIGINT, handler)
    try:
        model = small()
        assert pn.fit(model, rings, epochs=5, metrics=press_at(3, times=2), verbose=0).interrupted
        assert signal.getsignal(signal.SIGINT) is handler
        history = pn.fit(model, rings, epochs=50, metrics=press_at(8), verbose=0)
        assert history.interrupted
        assert signal.getsignal(signal.SIGINT) is handler
        with pytest.raises(ValueError, match="batch_size"):
            pn.fit(model, rings, batch_size=0)
        assert signal.getsignal(signal.SIGINT) is handler
        assert calls == []
        signal.raise_signal(signal.SIGINT)
        assert calls == ["old"]
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_error_in_a_training_puts_the_handler_back(rings):
    def metric(outputs: pn.Tensor, targets: pn.Tensor) -> pn.Tensor:
        assert signal.getsignal(signal.SIGINT) is not before
        raise LookupError("mine")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(LookupError, match="mine"):
        pn.fit(small(), rings, metrics=metric, verbose=0)
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_in_the_first_step_returns_an_empty_history_and_a_usable_model(rings, capsys):
    model = small()
    history = pn.fit(model, rings, epochs=3, metrics=press_at(1))
    assert (history.interrupted, history.epochs, history.best_epoch, history.steps) == (True, 0, 0, 1)
    assert "the weights are the current ones" in capsys.readouterr().out
    assert np.all(np.isfinite(pn.predict(model, rings[0])))
    assert model.fingerprint() == history.fingerprint


def test_a_training_inside_a_training_leaves_ctrl_c_in_order(rings):
    """A metric that trains: the inner training's Ctrl-C is its own."""
    inner = []

    def metric(outputs: pn.Tensor, targets: pn.Tensor) -> pn.Tensor:
        if not inner:
            inner.append(pn.fit(small(), rings, epochs=3, metrics=press_at(2), verbose=0))
        return pn.ops.accuracy(outputs, targets)

    before = signal.getsignal(signal.SIGINT)
    history = pn.fit(small(), rings, epochs=2, metrics=metric, verbose=0)
    assert signal.getsignal(signal.SIGINT) is before
    assert inner[0].interrupted
    assert not history.interrupted
    assert history.epochs == 2


@pytest.mark.parametrize("where", ["another thread", "ignored"])
def test_nothing_is_installed_where_ctrl_c_is_not_ours(rings, where):
    seen = []

    def metric(outputs: pn.Tensor, targets: pn.Tensor) -> pn.Tensor:
        seen.append(signal.getsignal(signal.SIGINT))
        return pn.ops.accuracy(outputs, targets)

    def train() -> None:
        history = pn.fit(small(), rings, epochs=1, metrics=metric, verbose=0)
        assert not history.interrupted

    before = signal.getsignal(signal.SIGINT)
    expected = signal.SIG_IGN if where == "ignored" else before
    try:
        if where == "ignored":
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            train()
        else:
            thread = threading.Thread(target=train)
            thread.start()
            thread.join()
        assert seen
        assert all(handler is expected for handler in seen)
        assert signal.getsignal(signal.SIGINT) is expected
    finally:
        signal.signal(signal.SIGINT, before)


# ---- the end of the interpreter


def ends_with_everything_alive() -> None:
    """Tensors, graphs, views, models and borrowed arrays in globals, cycles, builtins, thread-locals, at exit."""
    import atexit
    import builtins
    import sys
    import threading

    import numpy as np

    import pyneural as pn
    from pyneural import _core

    pn.set_threads(4)
    x = np.random.default_rng(0).normal(size=(4000, 64)).astype(np.float32)
    model = pn.Sequential(pn.Dense(64, "relu"), pn.Dense(3))
    pn.fit(model, (x, np.arange(4000) % 3), epochs=1, verbose=0)
    lent = _core.borrow(x)
    loss = (model(x, training=True) * 2.0).sum()

    class Held:
        def __del__(self):  # the last to go, when modules are half gone
            self.again = self.loss.detach() + 1.0, np.asarray(self.lent).sum()

    cycle = {"tensor": loss, "view": loss.numpy(), "held": Held()}
    cycle["self"] = cycle
    cycle["held"].loss, cycle["held"].lent = loss, lent
    builtins.kept = cycle
    sys.kept = [lent, lent[3:].numpy(), model, pn.Adam(model)]
    threading.local().kept = lent
    globals()["kept"] = (model, _core.no_grad(), _core.Interrupt(), _core.Block(["w"], [(3,)], ["weight"]))
    atexit.register(lambda: pn.predict(model, x))
    atexit.register(loss.backward)


def ends_while_threads_train() -> None:
    """Daemon threads in the midst of trainings, with data that NumPy owns."""
    import threading

    import numpy as np

    import pyneural as pn

    pn.set_threads(3)
    begun = threading.Barrier(4)

    def train(seed):
        x = np.random.default_rng(seed).normal(size=(3000, 64)).astype(np.float32)
        seen = []

        def metric(outputs, targets):
            if not seen:
                seen.append(1)
                begun.wait()
            return pn.ops.accuracy(outputs, targets)

        model = pn.Sequential(pn.Dense(256, "relu"), pn.BatchNorm(), pn.Dense(3))
        pn.fit(model, (x, np.arange(3000) % 3), epochs=1_000_000, metrics=metric, verbose=0)

    for seed in range(3):
        threading.Thread(target=train, args=(seed,), daemon=True).start()
    begun.wait()


def ends_by_sys_exit_in_a_training() -> None:
    import sys

    import numpy as np

    import pyneural as pn

    def metric(outputs, targets):
        sys.exit(0)

    x = np.linspace(0, 1, 800, dtype=np.float32).reshape(200, 4)
    pn.fit(pn.Sequential(pn.Dense(2)), (x, np.arange(200) % 2), metrics=metric, verbose=0)


def ends_without_the_package() -> None:
    """The package is taken out of sys.modules, and imported anew beside what is left of the first."""
    import gc
    import sys

    import numpy as np

    import pyneural

    def forget():
        for name in [name for name in sys.modules if name.split(".")[0] == "pyneural"]:
            del sys.modules[name]

    first = pyneural.tensor(np.arange(1000.0), requires_grad=True)
    view, loss = first.numpy(), (first * first).sum()
    del pyneural
    forget()
    gc.collect()
    assert view[-1] == 999
    import pyneural as second

    assert second._core.memory_stats()["live_bytes"] < 1 << 22
    other = second.tensor(np.arange(1000.0))
    loss.backward()
    assert np.array_equal(first.grad, 2 * view)
    try:
        second.ops.add(other, first)
    except TypeError:
        pass
    else:
        assert np.array_equal(second.ops.add(other, first), 2 * view)
    del first, loss
    gc.collect()
    assert np.array_equal(view, other.numpy())
    forget()


PROGRAMS = [
    ends_with_everything_alive,
    ends_while_threads_train,
    ends_by_sys_exit_in_a_training,
    ends_without_the_package,
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_interpreter_ends_quietly(program):
    assert child.run(program) == ""
