"""ops.py -- every op of the engine as a function: pn.ops.linear(x, weight, bias, activation="relu").

The functions, their signatures and their docstrings are generated from the engine's table, as are ops.pyi and
docs/ops.md.  Inputs may be tensors, arrays or numbers; every argument may be given by position or by name.
"""

from typing import TYPE_CHECKING

import pyneural._core as _core
from pyneural.arguments.familiar_modules import OF_OPS
from pyneural.arguments.spelling import names_of

__all__ = sorted(name for name in vars(_core.ops) if not name.startswith("_"))

globals().update({name: getattr(_core.ops, name) for name in __all__})

if not TYPE_CHECKING:  # type checkers read ops.pyi
    __getattr__ = names_of("pyneural.ops", __all__, OF_OPS)
