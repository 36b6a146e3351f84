"""worker_threads.py -- how many threads an estimator uses in a worker process of joblib.

joblib tells workers that it starts anew, by OMP_NUM_THREADS, how many threads each may use, and pyneural obeys.  Forked
workers (backend="multiprocessing") have the number of threads of their parent, and would together use more threads than
there are processors.
"""

import multiprocessing
from typing import Any

import pyneural._core as _core
import pyneural.training.scikit_learn as scikit_learn


def share_processors() -> None:
    """Uses one thread in a forked worker of joblib."""
    if multiprocessing.parent_process() is None:
        return
    forked: Any = getattr(multiprocessing.context, "ForkProcess", ())
    backend, _ = scikit_learn.joblib.parallel.get_active_backend()
    if isinstance(multiprocessing.current_process(), forked) and (backend.nesting_level or 0) > 0:
        _core.set_threads(1)
