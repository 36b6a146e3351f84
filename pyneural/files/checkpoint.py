"""checkpoint.py -- a checkpoint: a model file that also holds the state of a training.

The metadata key `checkpoint` holds the state as JSON.  Its arrays are tensors whose names begin with "/", as no path of
a layer does; pn.load ignores them, and reads the best weights so far.  The key `checksum` is the CRC-32 of all of that,
since a training that is resumed from damaged numbers would go wrong silently.
"""

import json
import zlib
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
_DEEPEST = 50  # lists and dicts within each other
_MOST_BITS = 2000  # of a whole number: Python writes about 2,100 of them in any setting
_HELD = "numbers, text, None, arrays of numbers, and lists and dicts of these"


def write(path: Path, model: Model, weights: dict[str, Array], state: State) -> None:
    """Writes a checkpoint atomically; the caller has locked it.

    Args:
        path: the file.
        model: its architecture and card.
        weights: its tensors by path.
        state: what can_hold says, and lists, tuples and dicts of it.

    Raises:
        OSError: it cannot be written; an existing file is unchanged.
        TypeError: the state has another kind of value.
    """
    arrays: dict[str, Array] = {}
    text = json.dumps({"format": FORMAT, "state": _packed(state, arrays)}, separators=(",", ":"))
    arrays |= weights
    metadata = {"checkpoint": text, "checksum": _checksum(text, arrays)}
    write_whole("fit", path, serialized(model, arrays, metadata), alone=True)


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
        metadata = header_of(data, path.name)["__metadata__"]
        text = metadata["checkpoint"]
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"{name} is a file of another kind, or damaged, and would be replaced: give another path, or delete it"
        ) from None
    try:
        found = json.loads(text)
        if found["format"] > FORMAT:
            raise ValueError("it was written by a newer pyneural; update pyneural")
        arrays = deserialize(data)
        if metadata.get("checksum") != _checksum(text, arrays):
            raise ValueError("its checksum is another one")
        state: State = _unpacked(found["state"], arrays)
    except Exception as error:  # the library documents no exceptions but its own
        raise ValueError(f"{name} is damaged ({error}): delete it to start over") from error
    return state


def _checksum(text: str, arrays: dict[str, Array]) -> str:
    """The CRC-32 of the state and of all tensors."""
    found = zlib.crc32(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        found = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), found)
        found = zlib.crc32(np.ascontiguousarray(array).data, found)
    return f"{found:08x}"


def can_hold(value: Any, depth: int = 0) -> bool:
    """Whether a checkpoint can hold a value, and returns it as it was.

    These are numbers, text, None, arrays of numbers, bytes and estimates, and lists, tuples and dicts of these.
    """
    if isinstance(value, np.generic):
        return isinstance(value, str | bytes) or (value.dtype.kind in "biuf" and value.dtype.itemsize <= 8)
    if isinstance(value, int):
        return value.bit_length() <= _MOST_BITS
    if isinstance(value, dict):
        return depth < _DEEPEST and all(can_hold(part, depth + 1) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return depth < _DEEPEST and all(can_hold(part, depth + 1) for part in value)
    if isinstance(value, np.ndarray):
        return type(value) is np.ndarray and value.dtype.kind in "biuf" and value.dtype.itemsize <= 8
    return value is None or isinstance(value, float | str | bytes)


def _packed(value: Any, arrays: dict[str, Array], depth: int = 0) -> Any:
    """A value as JSON; its arrays are added to `arrays`, and replaced by their names."""
    if isinstance(value, list | tuple | dict):
        if depth > 2 * _DEEPEST:  # such as a list that holds itself
            raise TypeError(f"fit: a checkpoint cannot hold more than {_DEEPEST} lists or dicts within each other")
        if isinstance(value, dict):
            return {"dict": [[_packed(one, arrays, depth + 1) for one in pair] for pair in value.items()]}
        parts = [_packed(one, arrays, depth + 1) for one in value]
        return parts if isinstance(value, list) else {"tuple": parts}
    if not can_hold(value):
        what = value.dtype if isinstance(value, np.ndarray | np.generic) else type(value).__name__
        raise TypeError(f"fit: a checkpoint cannot hold a {what}: state() of a callback may return {_HELD}")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Estimate):
        return {"estimate": [float(value), value.low, value.high, value.percent]}
    if isinstance(value, bytes | np.ndarray):
        name = f"/{len(arrays)}"
        if isinstance(value, bytes):
            arrays[name] = np.frombuffer(value, np.uint8)
            return {"bytes": name}
        arrays[name] = np.asarray(value, value.dtype.newbyteorder("="), order="C")
        return {"array": name}
    return value


def _unpacked(value: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(value, list):
        return [_unpacked(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    ((kind, inside),) = value.items()
    if kind == "dict":
        return {_unpacked(key, arrays): _unpacked(one, arrays) for key, one in inside}
    if kind == "tuple":
        return tuple(_unpacked(one, arrays) for one in inside)
    if kind == "estimate":
        return Estimate(*inside)
    return arrays[inside].copy() if kind == "array" else arrays[inside].tobytes()
