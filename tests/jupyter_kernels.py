"""tools/run_notebooks.py as a module, and kernels on the sample that reach no network and leave no files behind."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import child

TOOL = Path(__file__).resolve().parent.parent / "tools" / "run_notebooks.py"
_NOWHERE = "http://127.0.0.1:9"  # a proxy that does not answer


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_notebooks", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def environment(folder: Path) -> dict[str, str]:
    """The variables of a kernel that has the package of the tests and keeps its own files in a folder."""
    return child.environment(
        {
            "PYNEURAL_DATA": "sample",
            "HTTP_PROXY": _NOWHERE,
            "HTTPS_PROXY": _NOWHERE,
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        }
    )
