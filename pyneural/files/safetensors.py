"""safetensors.py -- models in safetensors files, with one metadata key `pyneural` that describes the tensors.

The key holds sorted JSON: format, architecture, input_shape, versions, and the model's card.  Loading runs only the
constructors of known layers, and validates everything: a shape-only pass infers the shapes, which are compared with the
file before memory is allocated.  Ensembles: ensembles.py.
"""

import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import pyneural.files.ensembles as ensembles
from pyneural.arguments.arrays import Array
from pyneural.arguments.checks import checked_seed
from pyneural.arguments.familiar_keywords import OF_FILES
from pyneural.arguments.objects import inside
from pyneural.arguments.paths import model_path, readable, write_whole
from pyneural.arguments.spelling import check_keywords
from pyneural.card.card import Card
from pyneural.files.architecture import KINDS, UnknownKindError, construct, describe, sizes
from pyneural.files.consistency import check_card
from pyneural.layers.layer import Layer, walk
from pyneural.layers.operation import record
from pyneural.models.ensemble import Ensemble
from pyneural.models.entrances import inherit, remember
from pyneural.models.model import Model
from pyneural.models.test_time import set_test_time
from pyneural.version import VERSION

FORMAT = 2
_FIRST = 1  # the format of models that every version reads; others would ignore what they do not know
_FOREIGN = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 (Keras) file",
    b"PK\x03\x04": "a zip archive (a PyTorch, Keras or NumPy file)",
    b"\x93NUMPY": "a NumPy .npy file",
    b"\x1f\x8b": "a gzip archive",
    b"GGUF": "a GGUF file",
    **{b"\x80" + bytes([protocol]): "a pickle, which may run code when loaded" for protocol in range(1, 6)},
}
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError)


@check_keywords(**OF_FILES)
def save(model: Model | Ensemble, path: str | Path) -> Path:
    """Saves a model with its preprocessing, task and training record to a safetensors file.

    A pn.Ensemble is saved with all of its models, in one file.

    The write is atomic, also with concurrent writers: a temporary file in the same folder replaces the target.  A
    symbolic link stays a link, and an existing file keeps its permissions.

    A file can be read by every later version of pyneural.  A pickle of a model is for one version only.

    Args:
        model: a built model, or a pn.Ensemble.
        path: ends in .safetensors.

    Returns:
        The path.

    Raises:
        ValueError: the path has another extension.
        OSError: it cannot be written (the folder is missing or not writable, the disk is full); an existing file
            is unchanged.
    """
    if not isinstance(model, Model | Ensemble):
        raise TypeError(
            f"save: model is {type(model).__name__}: {inside(model) or 'give a pn.Model: pn.save(model, path)'}"
        )
    target = model_path("save", path)
    write_whole("save", target, dumps(model))
    return target


def dumps(model: Model | Ensemble) -> bytes:
    """The bytes of a model's file."""
    if isinstance(model, Ensemble):
        model.refresh()
        head = {"format": FORMAT, "versions": {"pyneural": VERSION}}
        return _written(head | ensembles.described(model, _description), ensembles.tensors_of(model), {})
    return serialized(model, {path: tensor.numpy() for path, tensor in model.blocks().tensors.items()}, {})


def serialized(model: Model, tensors: dict[str, Array], metadata: dict[str, str]) -> bytes:
    """The bytes of a file with these tensors and metadata beside the description of the model."""
    inherit(model)
    return _written(_description(model), tensors, metadata)


def _format(card: Card) -> int:
    """The format of a model: an earlier version must not read it and answer otherwise."""
    encodes = card.table is not None and not card.table.is_plain
    return FORMAT if card.test_time or card.target_scale or encodes else _FIRST


def _description(model: Model) -> dict[str, Any]:
    """What a file says of a model."""
    return {
        "format": _format(model.card),
        "architecture": describe(model),
        "input_shape": list(model.input_shape or ()),
        "versions": {"pyneural": VERSION},
        **model.card.as_json(),
    }


def _written(description: dict[str, Any], tensors: dict[str, Array], metadata: dict[str, str]) -> bytes:
    """The bytes of a file."""
    from safetensors.numpy import save as serialize

    text = json.dumps(description, sort_keys=True, separators=(",", ":"))  # ASCII, as names of folders may be no UTF-8
    whole = {path: np.asarray(tensor, order="C") for path, tensor in tensors.items()}
    return bytes(serialize(whole, metadata={"pyneural": text} | metadata))


@check_keywords(**OF_FILES)
def load(path: str | Path, *, layers: Sequence[type[Layer]] = ()) -> Any:
    """Reads a model that pn.save wrote.

    Args:
        path: the file's path.
        layers: the classes of the custom layers in it.

    Returns:
        The pn.Model or pn.Sequential; or the pn.Ensemble, if the file holds one.

    Raises:
        ValueError: the file is not a model, damaged, or written by a newer version; the message says which.
        OSError: it cannot be read, or is not a regular file.

    >>> import tempfile, pyneural as pn
    >>> model = pn.Sequential(pn.Dense(3))
    >>> model.build((2,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = pn.load(pn.save(model, folder + "/small.safetensors"))
    >>> again.fingerprint() == model.fingerprint()
    True
    """
    source = readable("load", path, "a .safetensors file that pn.save wrote")
    return loads(source.read_bytes(), source.name, layers)


def loads(data: bytes, name: str = "model", layers: Sequence[type[Layer]] = ()) -> Any:
    """The model or the ensemble in the bytes of a file; messages start with `name`."""
    if isinstance(layers, type):
        kind = layers.__name__
        raise TypeError(f"load: layers is {kind}, a class: give a list of classes, layers=[{kind}]")
    description, tensors = _read(data, name)
    kinds = known_with(layers)
    read = partial(_model, kinds)
    if ensembles.KEY in description:
        return ensembles.read_ensemble(description, tensors, name, read)
    return read(description, tensors, name)


def _model(kinds: dict[str, Any], description: dict[str, Any], tensors: dict[str, Array], name: str) -> Model:
    """A model from its description and its tensors."""
    try:
        model = construct(description["architecture"], kinds, name)
        if not isinstance(model, Model):
            raise ValueError("its architecture is not a model")
        model.card = Card.from_json(description)
        checked_seed("the model", model.card.seed)  # by which the layers are filled below
        model.seed = model.card.seed
        model.infer_shapes(sizes(description["input_shape"]))
        set_test_time("test_time", model, model.card.test_time)
        check_card(model)
    except UnknownKindError:
        raise
    except _DAMAGE as error:
        raise ValueError(f"{name}: its description of the model is damaged ({error})") from error
    _compare(model, tensors, name)
    for path, tensor in model.blocks().tensors.items():
        tensor.assign(tensors[path])
    remember(model)
    return model


def known_with(layers: Sequence[Any]) -> dict[str, Any]:
    """The known classes of layers, and these classes and functions, by name; that of a lambda is <lambda>."""
    return KINDS | {one.__name__: one for one in layers}


def _compare(model: Model, tensors: dict[str, Array], name: str) -> None:
    wanted = {
        f"{path}/{key}": (spec.shape, model.dtype)
        for path, layer in walk(model)
        for key, spec in record(layer).specs.items()
    }
    found = {path: (array.shape, array.dtype.name) for path, array in tensors.items()}
    for path in wanted.keys() | found.keys():
        if wanted.get(path) != found.get(path):
            raise ValueError(
                f"{name}: tensor {path} is {found.get(path)} in the file, the model has {wanted.get(path)}"
            )


def _read(data: bytes, name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """The description and the tensors of a file's bytes."""
    from safetensors.numpy import load as deserialize

    for magic, what in _FOREIGN.items():
        if data.startswith(magic) and data[8:9] != b"{":  # the length of a header may look like a magic number
            raise ValueError(f"{name} is {what}; pn.load reads .safetensors written by pn.save")
    header = header_of(data, name)
    metadata = header.pop("__metadata__", {})
    text = metadata.get("pyneural") if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ValueError(
            f"{name} contains tensors but no pyneural model; pn.load reads .safetensors written by pn.save"
        )
    try:
        description = json.loads(text)
        number = description["format"]
        if type(number) is not int or number < 1:
            raise ValueError(f"format is {number!r}")
    except _DAMAGE as error:
        raise ValueError(f"{name}: its description of the model is damaged ({error})") from error
    if number > FORMAT:
        raise ValueError(
            f"{name} was written by a newer pyneural (format {number}, this one reads {FORMAT}): update pyneural"
        )
    for path, entry in header.items():
        if not path.startswith("/") and entry["dtype"] not in ("F32", "F64"):
            raise ValueError(f"{name}: tensor {path} is {entry['dtype']}; a pyneural model has F32 or F64")
    try:
        found = deserialize(data)
    except Exception as error:  # the library documents no exceptions but its own
        raise ValueError(f"{name} is damaged: {error}") from error
    return description, {path: array for path, array in found.items() if not path.startswith("/")}  # a checkpoint's


def header_of(data: bytes, name: str) -> dict[str, Any]:
    """The JSON header, after checking that the file is as long as it says."""
    if len(data) < 8:
        raise ValueError(f"{name}: {len(data)} bytes are not a model: incomplete, or another kind of file")
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8:
        if data[8:9] == b"{":
            raise ValueError(f"{name}: header promises {length:,} bytes, found {len(data) - 8:,}: incomplete file")
        raise ValueError(f"{name} is not a safetensors file; pn.load reads .safetensors written by pn.save")
    try:
        header = json.loads(data[8 : 8 + length])
        entries = [(entry["data_offsets"][1], entry["dtype"]) for key, entry in header.items() if key != "__metadata__"]
        promised = max((end for end, _ in entries), default=0)
        if not isinstance(promised, int) or not math.isfinite(promised):
            raise ValueError("offsets are not whole numbers")
    except _DAMAGE as error:
        raise ValueError(
            f"{name} is not a safetensors file, or damaged: its header cannot be read ({error})"
        ) from error
    if promised > len(data) - 8 - length:
        found = len(data) - 8 - length
        raise ValueError(f"{name}: header promises {promised:,} bytes of tensors, found {found:,}: incomplete file")
    return dict(header)
