"""Names load when they are first used: importing pyneural loads what every program needs, and nothing else."""

import importlib
import subprocess
import sys

import pytest

FOLDERS = ("pyneural", *(f"pyneural.{name}" for name in ("apps", "callbacks", "datasets", "metrics", "plot")))
LATER = (
    *(f"pyneural.{name}" for name in ("apps", "batching", "callbacks", "commands", "datasets", "evaluation", "plot")),
    *(f"pyneural.{name}" for name in ("training", "arguments.familiar_names", "images.ascii_art", "images.digit")),
    *("PIL", "matplotlib", "safetensors", "tqdm", "pooch", "argparse", "urllib.request"),
)
THREADS = """
import importlib, random, sys, threading
import pyneural as pn

sys.setswitchinterval(1e-6)
jobs = [lambda: pn.plot.history, lambda: pn.plot.roc, lambda: pn.fit, lambda: pn.predict, lambda: pn.datasets.mnist]
jobs += [lambda: pn.Dataset, lambda: pn.callbacks.Callback, lambda: pn.metrics.roc_auc, lambda: pn.apps.train]
names = ("datasets", "datasets.dataset", "datasets.image_folder", "metrics", "callbacks", "callbacks.callback", "plot")
jobs += [lambda name=name: importlib.import_module(f"pyneural.{name}") for name in names]
random.Random(int(sys.argv[1])).shuffle(jobs)
gate, done = threading.Barrier(len(jobs)), []

def run(job):
    gate.wait()
    done.append(job())

threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(done) == len(jobs))
"""


def python(code: str, *arguments: str) -> str:
    """What a fresh interpreter prints; the order of its tests changes nothing there."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_name_is_found_listed_and_kept(folder):
    module = importlib.import_module(folder)
    assert dir(module) == sorted(module.__all__)
    assert set(module.__all__) - {"__version__"} == set(module.HOMES)
    assert list(module.HOMES) == sorted(module.HOMES)
    for name, home in module.HOMES.items():
        found, defined = getattr(module, name), importlib.import_module(f"{folder}.{home}")
        assert found is (defined if name == home else getattr(defined, name)), f"{name} is something else"
        assert vars(module)[name] is found, f"{name} is looked up again each time"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_wrong_name_is_still_an_error(folder):
    module = importlib.import_module(folder)
    assert not hasattr(module, "__wrapped__")
    with pytest.raises(AttributeError, match=rf"{folder} has no 'wibble'; "):
        module.wibble  # noqa: B018


def test_importing_loads_what_every_program_needs():
    loaded = python(f"import sys, pyneural; print([name for name in {LATER} if name in sys.modules])")
    assert loaded == "[]"


def test_a_name_loads_its_own_module_only():
    code = "import sys, pyneural as pn; pn.datasets.npz; print([name for name in {} if name in sys.modules])"
    assert python(code.format(("pyneural.datasets.mnist_files", "pyneural.datasets.chest_xray_folder"))) == "[]"


@pytest.mark.parametrize(
    "code",
    [
        "from pyneural import plot; plot.history",
        "import pyneural.plot; pyneural.plot.history",
        "import pyneural as pn; pn.plot.history",
        "from pyneural.plot import history",
        "from pyneural import *; fit, plot.history, Sequential, __version__",
        "from pyneural.datasets import *; mnist",
    ],
)
def test_every_way_to_import_a_name_works(code):
    assert python(code) == ""


def test_a_model_is_pickled_before_anything_else_is_used():
    code = """
import pickle, pyneural as pn
model = pn.Sequential(pn.Dense(2))
model.build((3,))
print(pickle.dumps(model).hex())
"""
    read = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).input_shape)"
    assert python(read, python(code)) == "(3,)"


@pytest.mark.parametrize("seed", range(4))
def test_threads_may_use_names_for_the_first_time_together(seed):
    """Where a folder imported its own modules, this failed with `deadlock detected` about once in ten runs."""
    assert python(THREADS, str(seed)) == "True"
