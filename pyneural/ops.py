"""ops.py -- every op of the engine as a function: pn.ops.linear(x, weight, bias, activation="relu").

The functions, their signatures and their help are made from the engine's table; ops.pyi and docs/ops.md say the same.
Inputs may be tensors, arrays or numbers; everything may be given by position or by name.
"""

import pyneural._core as _core
from pyneural.arguments.spelling import names_of_ops

__all__ = sorted(name for name in vars(_core.ops) if not name.startswith("_"))

globals().update({name: getattr(_core.ops, name) for name in __all__})
globals()["__getattr__"] = names_of_ops(__all__)
