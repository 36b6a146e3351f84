"""copies.py -- copies of models: pickled, deep-copied, or in another dtype.

Pickles and copies hold the bytes of a model's file, with the classes and functions that loading needs.
"""

import copyreg
import pickle
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn, Self

from pyneural.files.architecture import construct, describe, functions_of
from pyneural.files.safetensors import dumps, known_with, loads
from pyneural.layers.layer import walk
from pyneural.layers.operation import name_of
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model
from pyneural.models.sequential import Sequential


def converted(model: Model, dtype: str, seed: int = 0) -> Model:
    """A copy of a model that computes in another dtype.

    Args:
        model: its card is copied, and its values if it is built.
        dtype: "float32" or "float64".
        seed: of the initial values otherwise.
    """
    made = _unbuilt(_of_dtype(describe(model), dtype), _own(model), seed if model.seed is None else model.seed)
    made.card = replace(model.card)
    if model.is_built:
        made.infer_shapes(model.input_shape or ())
        for path, tensor in model.blocks().tensors.items():
            made.blocks().tensors[path].assign(tensor.numpy().astype(dtype))
    return made


def _of_dtype(description: dict[str, Any], dtype: str) -> dict[str, Any]:
    """A description with another dtype, also in nested models."""
    found = dict(description)
    if "layers" in found:
        found["config"] = {**found["config"], "dtype": dtype}
        found["layers"] = [_of_dtype(layer, dtype) for layer in found["layers"]]
    return found


def _own(model: Model) -> tuple[Any, ...]:
    """The classes of a model's layers, and the functions in their arguments."""
    layers = dict.fromkeys(type(layer) for _, layer in walk(model))
    return (*layers, *functions_of(describe(model, as_json=False)))


def _reduce(model: Model) -> tuple[Any, ...]:
    """What pickle and copy.deepcopy store of a model: the bytes of its file, and the classes and functions in it.

    For a model that is not built they store its architecture.
    """
    if not model.is_built:
        if True in model.have_values:
            raise TypeError(
                f"{name_of(model)}: it is not built, but layers in it have values, which a copy would lose: call "
                "model.build(shape) first"
            )
        return _unbuilt, (describe(model), _to_pickle(model), model.seed)
    return _restored, (dumps(model), _to_pickle(model))


def _reduce_ensemble(ensemble: Ensemble) -> tuple[Any, ...]:
    """What pickle and copy.deepcopy store of an ensemble: its file, and the classes and functions in its models."""
    own = {id(one): one for model in ensemble for one in _to_pickle(model)}
    return _restored, (dumps(ensemble), tuple(own.values()))


class _Local:
    """A function or class that pickle cannot find by its name: deepcopy takes it, pickle gets an error that says so."""

    def __init__(self, who: str, value: Any) -> None:
        self.who = who
        self.value = value

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        kind = "class" if isinstance(self.value, type) else "function"
        raise pickle.PicklingError(
            f"{self.who}: it has the {kind} {self.value.__qualname__}, which Python cannot pickle: define it with a "
            "name at the top level of a module"
        )


def _to_pickle(model: Model) -> tuple[Any, ...]:
    """The classes of a model's layers and the functions in their arguments, as pickle or deepcopy take them."""
    found = [(path, one) for path, layer in walk(model) for one in (type(layer), *functions_of(dict(layer.config())))]
    unique = {id(one): (path, one) for path, one in reversed(found)}
    return tuple(one if _is_importable(one) else _Local(path, one) for path, one in reversed(unique.values()))


def _is_importable(value: Any) -> bool:
    """Whether pickle finds a class or function by its name; True for other objects, which pickle by themselves."""
    found: Any = sys.modules.get(getattr(value, "__module__", None) or "builtins")
    for name in getattr(value, "__qualname__", "").split("."):
        found = getattr(found, name, None) if name else value
    return found is value


def _restored(data: bytes, layers: Sequence[Any]) -> Any:
    """The model or the ensemble that was pickled or copied."""
    return loads(data, "pickle", _known(layers))


def _known(layers: Sequence[Any]) -> list[Any]:
    """The classes and functions that `_to_pickle` returned."""
    return [one.value if isinstance(one, _Local) else one for one in layers]


def _unbuilt(description: dict[str, Any], layers: Sequence[Any], seed: int | None) -> Model:
    """Restores a model that was not built when it was pickled or copied."""
    model = construct(description, known_with(_known(layers)), "pickle")
    assert isinstance(model, Model)
    model.seed = seed
    return model


copyreg.pickle(Model, _reduce)  # registered here, because models know nothing of files
copyreg.pickle(Sequential, _reduce)
copyreg.pickle(Ensemble, _reduce_ensemble)
