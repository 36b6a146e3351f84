"""spelling.py -- a wrong but familiar word gets an error that shows ours."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# what other libraries' models do, and how it is done here
OF_MODELS = {
    "fit": "pn.fit(model, data)",
    "train": "pn.fit(model, data); by hand, model(x, training=True) is what dropout and batch norm go by",
    "eval": "model(x), which is training=False by itself",
    "training": "model(x, training=True)",
    "forward": "model(x)",
    "partial_fit": "pn.fit(model, data) again: it goes on from the present weights",
    "fit_transform": "pn.fit(model, data)",
    "fit_generator": "pn.fit(model, batches), with an object whose __iter__ starts anew",
    "train_on_batch": "loss.backward() and optimizer.step(), with optimizer = pn.Adam(model)",
    "compile": "nothing: pn.fit(model, data, loss=..., optimizer=..., metrics=...) takes it all",
    "evaluate": "pn.evaluate(model, data)",
    "score": "pn.evaluate(model, data).accuracy",
    "predict": "pn.predict(model, x)",
    "predict_proba": "pn.predict(model, x), which gives probabilities",
    "predict_classes": "pn.predict(model, x).argmax(axis=1)",
    "predict_on_batch": "pn.predict(model, x)",
    "transform": "pn.predict(model, x)",
    "classify": "pn.classify(model, image)",
    "save": "pn.save(model, path)",
    "save_weights": "pn.save(model, path)",
    "load": "model = pn.load(path)",
    "load_weights": "model = pn.load(path)",
    "load_state_dict": "model = pn.load(path)",
    "state_dict": "model.parameters, or pn.save(model, path)",
    "get_weights": "model.parameters",
    "set_weights": "model['dense_1'].weight = array, layer by layer",
    "weights": "model.parameters",
    "trainable_variables": "model.parameters",
    "trainable_weights": "model.parameters",
    "variables": "model.parameters",
    "named_parameters": "model.parameters.items()",
    "coefs_": "model.parameters",
    "count_params": "model.summary()",
    "get_layer": "model['dense_1']",
    "modules": "model.layers",
    "zero_grad": "nothing: backward writes every gradient anew (accumulate=True adds to it)",
    "backward": "loss.backward(), on what a loss op gives",
    "step": "optimizer.step(), with optimizer = pn.Adam(model)",
    "to": "nothing: all computing is on the processor; pn.Sequential(..., dtype='float64') is for precision",
    "cuda": "nothing: all computing is on the processor",
    "cpu": "nothing: all computing is on the processor",
    "double": "pn.Sequential(..., dtype='float64')",
    "requires_grad_": "layer.trainable = False",
    "optimizer": "pn.fit(model, data, optimizer=...), or optimizer = pn.Adam(model) by hand",
    "loss": "pn.fit(model, data, loss=...)",
    "history": "history = pn.fit(model, data)",
    "add": "pn.Sequential(layer, layer, ...)",
}


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when none is close."""
    import difflib

    known = list(known)
    longer = [name for name in known if name.lower().startswith(plain(word))]
    found = longer or difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None


def plain(word: str) -> str:
    """The word as tables spell it: one-cycle, one_cycle and One Cycle are the same."""
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def choose(what: str, word: object, table: Mapping[str, T]) -> T:
    """The table's entry of that name.

    Raises:
        TypeError: the word is no string.
        ValueError: no such entry; names the nearest one, or all of them.
    """
    if not isinstance(word, str):
        raise TypeError(f"{what} is {word!r}: give a name ({', '.join(table)})")
    for name, value in table.items():
        if plain(name) == plain(word):
            return value
    raise ValueError(unknown(what, word, table))


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """The sentence for a word that is in no table: `activation 'rellu'? did you mean 'relu'`."""
    names = list(known)
    near = closest(plain(word), names)
    return f"{what} '{word}'? did you mean '{near}'" if near else f"{what} '{word}' is not known: {', '.join(names)}"


def words(*, positional: str = "", **familiar: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function so that keywords it does not have are met with ours.

    Args:
        positional: what to say when there are too many positional arguments.
        familiar: what to say for a keyword that another library would take.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        code = getattr(function, "__code__")  # noqa: B009 -- a Callable has no __code__ for mypy
        name, count = code.co_name, code.co_argcount
        known = code.co_varnames[: count + code.co_kwonlyargcount]

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for word in kwargs:
                if word in familiar:
                    raise TypeError(f"{name}() has no '{word}'; use {familiar[word]}")
                if word not in known:
                    near = closest(word, known)
                    hint = f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
                    raise TypeError(f"{name}() has no '{word}'; {hint}")
            if positional and len(args) > count:
                raise TypeError(f"{name}() takes {count} positional arguments, got {len(args)}: {positional}")
            return function(*args, **kwargs)

        return checked

    return decorate
