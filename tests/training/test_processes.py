"""Training in threads and in processes of every kind: the same bits, no more threads than processors, flat memory."""

from __future__ import annotations

from pathlib import Path

import child

HERE = str(Path(__file__).parent)


def train_everywhere(here: str, folder: str) -> None:
    """In a thread, in forked and in spawned processes, from a checkpoint there and without one."""
    import multiprocessing
    import sys
    import threading
    from pathlib import Path

    sys.path.insert(0, here)
    import killed

    whole = killed.train(None)[:4]
    found = {}
    thread = threading.Thread(target=lambda: found.update(thread=killed.train(Path(folder, "thread.ckpt"))))
    thread.start()
    thread.join()
    for way in ("fork", "spawn"):
        with multiprocessing.get_context(way).Pool(2) as pool:
            paths = [Path(folder, f"{way}.ckpt"), None]
            found |= {
                f"{way} {path}": result for path, result in zip(paths, pool.map(killed.train, paths), strict=True)
            }
    assert len(found) == 5
    for way, result in found.items():
        assert result[:4] == whole, way


def test_a_training_is_the_same_in_threads_and_processes(tmp_path) -> None:
    assert child.run(train_everywhere, HERE, str(tmp_path)) == ""


def train_under_joblib() -> None:
    """joblib divides the processors between its workers by OMP_NUM_THREADS, which the engine obeys."""
    import os

    import joblib
    import numpy as np

    import pyneural as pn

    def train(seed):
        x = np.random.default_rng(0).normal(size=(200, 5)).astype(np.float32)
        model = pn.Sequential(pn.Dense(64, "relu"), pn.Dense(3))
        history = pn.fit(model, (x, np.arange(200) % 3), epochs=2, seed=seed, verbose=0)
        return history.fingerprint, pn.get_threads(), os.getpid()

    here = [train(seed)[0] for seed in range(4)]
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(train)(seed) for seed in range(4))
    assert [fingerprint for fingerprint, _, _ in found] == here
    assert all(pid != os.getpid() for _, _, pid in found)
    assert all(threads <= max(1, joblib.cpu_count() // 2) for _, threads, _ in found), found
    threads = joblib.Parallel(n_jobs=2, backend="threading")(joblib.delayed(train)(seed) for seed in range(4))
    assert [fingerprint for fingerprint, _, _ in threads] == here


def test_two_workers_of_joblib_share_the_processors() -> None:
    assert child.run(train_under_joblib) == ""


def grow(folder: str, fits: int, epochs: int) -> None:
    """Memory after many fits with everything, and over a long one."""
    from pathlib import Path

    import numpy as np

    import pyneural as pn

    def resident():
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * 4096

    x = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
    y = np.arange(40) % 3

    def fit(epochs, callbacks):
        path = Path(folder, "run.ckpt")
        path.unlink(missing_ok=True)
        model = pn.Sequential(pn.Dense(8, "relu"), pn.BatchNorm(), pn.Dropout(0.1), pn.Dense(3))
        pn.fit(model, (x, y), epochs=epochs, ema=0.9, callbacks=callbacks, checkpoint=path, verbose=0)

    sizes = []
    for number in range(fits):
        fit(1, [pn.callbacks.EarlyStopping(), pn.callbacks.LogFile(folder + "/run.csv")])
        if number % (fits // 5) == fits // 5 - 1:
            sizes.append(resident())
    assert sizes[-1] - sizes[0] < 1_000_000, sizes
    sizes = []
    look = lambda epoch, logs: sizes.append(resident())  # noqa: E731
    fit(epochs, [look])
    assert max(sizes[epochs // 2 :]) - sizes[epochs // 5] < 1_000_000, sizes[:: epochs // 10]


def test_memory_is_flat_over_many_fits_and_over_a_long_one(tmp_path) -> None:
    assert child.run(grow, str(tmp_path), 100, 200) == ""
