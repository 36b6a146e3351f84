"""built.py -- imported first: a clear error if the engine was not built beside this source."""

from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).parent

if find_spec("pyneural._core") is None:
    raise ImportError(
        f"pyneural: {_HERE} is a source folder whose engine is not built for this Python: run "
        f"`pip install --editable {_HERE.parent}`, or start Python in another folder to use an installed pyneural"
    )
