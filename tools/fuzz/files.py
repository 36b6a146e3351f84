"""files.py -- damaged and hostile files of models, trainings, digits and arrays, through pn.load, pn.fit, pn.datasets.

Valid files are made once; a case changes, cuts or joins their bytes, or rewrites the JSON in them.  The result must be
read, or refused with ValueError or OSError, within the time and memory of a case.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import json
import struct
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import mutate
import numpy as np
from case import Case, Finding

import pyneural as pn
from pyneural.datasets.idx import parse_idx
from pyneural.files import checkpoint
from pyneural.files.safetensors import dumps, loads

NUMBERS = (0, 1, -1, 2, 3, 0.5, -0.0, 1e308, 2**31, 2**53, 2**63, 2**64, 10**40, float("nan"), float("inf"), True, None)
WORDS = (
    "",
    "Dense",
    "Sequential",
    "Model",
    "Conv2D",
    "relu",
    "adam",
    "\ud800",
    "x" * 1000,
    "..",
    "/",
    "a/b",
    "float64",
)
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
LAYERS = (400, 3200)  # of two long models: loading takes time by their number, not its square
SLOWER = 2.5  # how many times longer than by the number


# ---- models --------------------------------------------------------------------------------------------------------


@functools.cache
def _models() -> tuple[bytes, ...]:
    """Files of several kinds of model."""
    plain = pn.Sequential(pn.Dense(4, "relu"), pn.Dense(3))
    plain.build((5,))
    images = pn.Sequential(pn.Conv2D(3, 3), pn.BatchNorm(), pn.MaxPool2D(2), pn.Flatten(), pn.Dropout(0.2), pn.Dense(2))
    pn.fit(images, (np.arange(12 * 64, dtype="uint8").reshape(12, 8, 8, 1), np.arange(12) % 2), epochs=1, verbose=0)
    x = pn.Input((6,))
    shared = pn.Dense(6)
    heads = pn.Model(x, {"a": pn.Dense(2)(shared(x) + x), "b": pn.Dense(1)(pn.Concatenate()(shared(x), x))})
    ensemble = pn.Ensemble([images, images])
    return tuple(dumps(model) for model in (plain, images, heads, ensemble))


def _parts(data: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """The header, the description in it, and the tensors."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    return header, json.loads(header["__metadata__"]["pyneural"]), data[8 + length :]


def _join(header: Any, description: Any, tensors: bytes) -> bytes:
    if isinstance(header, dict) and isinstance(header.get("__metadata__"), dict):
        header["__metadata__"]["pyneural"] = json.dumps(description)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + tensors


def _rewrite(case: Case, data: bytes) -> bytes:
    """The same file with something else in its JSON."""
    header, description, tensors = _parts(data)
    for _ in range(case.pick((1, 1, 2, 5))):
        if case.chance(0.75):
            description = mutate.tree(case, description, NUMBERS, WORDS)
        else:
            header = mutate.tree(case, header, NUMBERS, WORDS)
    return _join(header, description, tensors)


def _deep(case: Case) -> bytes:
    """JSON nested deeper than any stack."""
    depth = case.pick((100, 2000, 100_000))
    text = case.pick(("[", '{"a":')) * depth
    if case.chance(0.5):
        header, _, tensors = _parts(_models()[0])
        header["__metadata__"]["pyneural"] = text
        whole = json.dumps(header).encode()
        return struct.pack("<Q", len(whole)) + whole + tensors
    return struct.pack("<Q", len(text)) + text.encode()


@functools.cache
def _long(layers: int) -> bytes:
    model = pn.Sequential(*[pn.Dense(1) for _ in range(layers)])
    model.build((1,))
    return dumps(model)


def _quadratic(case: Case) -> None:
    """A file of many layers is loaded in time by their number."""
    taken = []
    for layers in LAYERS:
        data = _long(layers)
        seconds = []
        for _ in range(2):
            begun = time.process_time()
            case.attempt(loads, data)
            seconds.append(time.process_time() - begun)
        taken.append(min(seconds))
    if taken[1] > SLOWER * LAYERS[1] / LAYERS[0] * max(taken[0], 0.02):
        raise Finding(f"{LAYERS[0]} layers load in {taken[0]:.2f} s, {LAYERS[1]} in {taken[1]:.2f} s")


def _model(case: Case) -> None:
    if case.chance(0.001):
        _quadratic(case)
        return
    data = case.pick(_models())
    kind = case.random.randrange(10)
    if kind < 3:
        data = mutate.data(case, data)
    elif kind < 9:
        data = _rewrite(case, data)
    else:
        data = _deep(case)
    case.say(f"pn.load of {len(data)} bytes, {data[8:400]!r}")
    model = case.attempt(loads, data)
    if model is not None and case.chance(0.3):
        _use(case, model)


def _use(case: Case, model: Any) -> None:
    """A loaded model can predict, be printed, and be saved again."""
    case.allowed = (ValueError, TypeError, RuntimeError, MemoryError)
    case.say(f"uses a model that was loaded: {model!r}")
    case.attempt(dumps, model)
    with contextlib.redirect_stdout(io.StringIO()):
        case.attempt(model.summary)
    shape = model.input_shape
    if shape is not None and np.prod([float(n) for n in shape]) < 1e5:
        x = np.ones((2, *shape), case.pick(("uint8", model.dtype)))
        case.attempt(pn.predict, model, x)


# ---- IDX and npz ---------------------------------------------------------------------------------------------------


def _idx_bytes(a: np.ndarray) -> bytes:
    return bytes((0, 0, 8, a.ndim)) + b"".join(n.to_bytes(4, "big") for n in a.shape) + a.tobytes()


@functools.cache
def _digits() -> tuple[bytes, ...]:
    """The four files of a small set, plain."""
    images, labels = np.zeros((20, 28, 28), "uint8"), (np.arange(20) % 10).astype("uint8")
    return tuple(map(_idx_bytes, (images, labels, images, labels)))


def _idx(case: Case) -> None:
    data = case.pick(_digits())
    kind = case.random.randrange(5)
    if kind == 0:
        data = data[:3] + bytes([case.pick((0, 1, 3, 4, 255))]) + mutate.data(case, data[4:])
    elif kind == 1:
        shape = [case.pick((0, 1, 20, 28, 2**16, 2**31, 2**32 - 1)) for _ in range(case.pick((1, 2, 3, 40)))]
        data = bytes((0, 0, case.pick((8, 9, 11, 14)), len(shape))) + b"".join(n.to_bytes(4, "big") for n in shape)
    elif kind == 2:
        data = mutate.data(case, gzip.compress(data, 1))
    elif kind == 3:
        bomb = bytes((0, 0, 8, 3)) + struct.pack(">3I", case.pick((1, 60_000, 2**31)), 28, 28)
        data = gzip.compress(bomb + bytes(case.pick((10, 1000, 20_000_000))), 1)
    else:
        data = mutate.data(case, data)
    case.say(f"IDX of {len(data)} bytes, {data[:100]!r}")
    case.attempt(parse_idx, data, axes=case.pick((None, 1, 3)))


def _folder(case: Case) -> None:
    """pn.datasets.mnist of a folder whose files are damaged, missing, swapped, or something else."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
        for name, data in zip(NAMES, _digits(), strict=True):
            kind = case.random.randrange(12)
            place = Path(root) / (name + case.pick(("", ".gz")))
            if kind == 0:
                continue
            if kind == 1:
                place.mkdir()
                continue
            data = case.pick(_digits()) if kind == 2 else mutate.data(case, data) if kind < 5 else data
            place.write_bytes(gzip.compress(data, 1) if place.suffix and kind != 5 else data)
        case.say(f"mnist of {sorted(p.name for p in Path(root).iterdir())}")
        case.attempt(pn.datasets.mnist, root)


def _npz_bytes(case: Case) -> bytes:
    x: Any = np.zeros((3, 28, 28), case.pick(("uint8", "uint8", "float32", "O", ">i4")))
    y: Any = case.pick((np.arange(3), np.array([1, 2, 300]), np.array(["a", "b", "c"]), np.arange(4), np.array(1), 1j))
    arrays = {case.pick(("x", "x", "X", "../x")): x, "y": y}
    file = io.BytesIO()
    (np.savez if case.chance(0.5) else np.savez_compressed)(file, **arrays)
    data = file.getvalue()
    if case.chance(0.5):
        return mutate.data(case, data)
    if case.chance(0.3):  # a header that promises more than there is, or what cannot be
        shape = case.pick(((2**40, 28, 28), (-1, 28), (2**62, 2**62), (0,), "(3,", 7))
        text = f"{{'descr': {case.pick(('|u1', '|O', '<f8', 'x'))!r}, 'fortran_order': False, 'shape': {shape}}}"
        inner = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("x.npy", inner)
            archive.writestr("y.npy", inner)
        return file.getvalue()
    return data


def _npz(case: Case) -> None:
    data = _npz_bytes(case)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
        path = Path(root) / "mine.npz"
        path.write_bytes(data)
        case.say(f"mnist with extra digits of {len(data)} bytes, {data[:60]!r}")
        case.attempt(pn.datasets.mnist, "sample", extra=path)
        case.allowed = (ValueError, OSError, TypeError)
        case.attempt(pn.datasets.npz, path)


@functools.cache
def _checkpoint() -> bytes:
    """A checkpoint of a training with averages and a callback."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
        path = Path(root) / "run.ckpt"
        model = pn.Sequential(pn.Dense(3), pn.BatchNorm(), pn.Dense(2))
        x = np.arange(24.0, dtype=np.float32).reshape(8, 3)
        stop = pn.callbacks.EarlyStopping("loss")
        pn.fit(model, (x, np.arange(8) % 2), epochs=2, ema=0.9, callbacks=[stop], checkpoint=path, verbose=0)
        return path.read_bytes()


def _damaged_checkpoint(case: Case) -> None:
    """Only the description of the model, which a training that is resumed does not read, may be damaged unnoticed."""
    good = _checkpoint()
    data = mutate.data(case, good)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
        path = Path(root) / "run.ckpt"
        path.write_bytes(data)
        case.say(f"checkpoint of {len(data)} bytes, {data[:60]!r}")
        found = case.attempt(checkpoint.read, path)
        path.write_bytes(good)
        if found is not None and repr(found) != repr(checkpoint.read(path)):
            raise Finding("a damaged checkpoint is read as another state")


KINDS = (*[_model] * 20, *[_idx] * 8, *[_damaged_checkpoint] * 4, _folder, _npz)


def run(case: Case) -> None:
    """One file, or one folder of them."""
    case.pick(KINDS)(case)
