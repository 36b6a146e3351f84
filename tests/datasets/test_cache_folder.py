"""The user's cache."""

import subprocess
import sys

IN_A_NOTEBOOK = """
import sys, types
sys.modules["IPython"] = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(config={"IPKernelApp": {}}))
sys.modules["ipykernel.zmqshell"] = types.SimpleNamespace()
sys.modules["ipywidgets"] = None
from pyneural.datasets.cache_folder import cache_folder
print(cache_folder("images").name)
"""


def test_a_notebook_without_ipywidgets_gets_no_warning_of_them():
    done = subprocess.run([sys.executable, "-c", IN_A_NOTEBOOK], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("images\n", "")
