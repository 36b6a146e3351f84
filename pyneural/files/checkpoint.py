"""checkpoint.py -- a checkpoint: a model file that also holds the state of a training.

The metadata key `checkpoint` holds the state as JSON.  Its arrays are tensors whose names begin with "/", as no path of
a layer does; pn.load ignores them, and reads the best weights so far.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pyneural.arguments.arrays import Array
from pyneural.arguments.paths import readable, write_whole
from pyneural.files.safetensors import header_of, serialized
from pyneural.metrics.estimate import Estimate
from pyneural.models.model import Model

FORMAT = 1
State = dict[str, Any]


def write(path: Path, model: Model, weights: dict[str, Array], state: State) -> None:
    """Writes a checkpoint atomically; the caller has locked it.

    Args:
        path: the file.
        model: its architecture and card.
        weights: its tensors by path.
        state: numbers, text, None, arrays, bytes and estimates, and lists, tuples and dicts of these.

    Raises:
        OSError: it cannot be written; an existing file is unchanged.
        TypeError: the state has another kind of value.
    """
    arrays: dict[str, Array] = {}
    text = json.dumps({"format": FORMAT, "state": _packed(state, arrays)}, ensure_ascii=False, separators=(",", ":"))
    write_whole("fit", path, serialized(model, weights | arrays, {"checkpoint": text}), alone=True)


def read(path: Path) -> State:
    """The state in a checkpoint.

    Raises:
        ValueError: it is another kind of file, damaged, or written by a newer version; the message says which.
        OSError: it cannot be read.
    """
    from safetensors.numpy import load as deserialize

    data = readable("fit: checkpoint", path, "a checkpoint").read_bytes()
    name = f"fit: checkpoint: {path.name}"
    try:
        text = header_of(data, path.name)["__metadata__"]["checkpoint"]
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{name} is a file of another kind, or damaged, and would be replaced: give another path, or delete it"
        ) from None
    try:
        found = json.loads(text)
        if found["format"] > FORMAT:
            raise ValueError("it was written by a newer pyneural; update pyneural")
        state: State = _unpacked(found["state"], deserialize(data))
    except Exception as error:  # the library documents no exceptions but its own
        raise ValueError(f"{name} is damaged ({error}): delete it to start over") from error
    return state


def _packed(value: Any, arrays: dict[str, Array]) -> Any:
    """A value as JSON; its arrays are added to `arrays`, and replaced by their names."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Estimate):
        return {"estimate": [float(value), value.low, value.high, value.percent]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_packed(one, arrays) for one in value]
    if isinstance(value, tuple):
        return {"tuple": [_packed(one, arrays) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[str(key), _packed(one, arrays)] for key, one in value.items()]}
    if isinstance(value, bytes | np.ndarray):
        name = f"/{len(arrays)}"
        is_array = isinstance(value, np.ndarray)
        arrays[name] = np.ascontiguousarray(value) if is_array else np.frombuffer(value, np.uint8)
        return {"array" if is_array else "bytes": name}
    raise TypeError(
        f"fit: a checkpoint cannot hold a {type(value).__name__}: state() of a callback may return numbers, text, "
        "None, arrays, and lists and dicts of these"
    )


def _unpacked(value: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(value, list):
        return [_unpacked(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == "dict":
        return {key: _unpacked(one, arrays) for key, one in inside}
    if kind == "tuple":
        return tuple(_unpacked(one, arrays) for one in inside)
    if kind == "estimate":
        return Estimate(*inside)
    return arrays[inside] if kind == "array" else arrays[inside].tobytes()
