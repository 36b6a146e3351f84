"""spelling.py -- a wrong but familiar word gets an error that shows ours."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn, ParamSpec, TypeVar

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
    "predict_proba": "pn.predict(model, x), which gives probabilities",
    "predict_classes": "pn.predict(model, x).argmax(axis=1)",
    **dict.fromkeys(("predict", "predict_on_batch", "transform"), "pn.predict(model, x)"),
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

# what others call a loss, an optimizer, a schedule, a metric or an activation; in small letters, and nothing else
OF_WORDS = {
    **dict.fromkeys(
        ("categoricalcrossentropy", "sparsecategoricalcrossentropy", "crossentropyloss", "softmaxcrossentropy", "ce",
         "nll", "nllloss", "negativeloglikelihood"), "cross_entropy",
    ),
    **dict.fromkeys(
        ("bce", "bceloss", "bcewithlogits", "bcewithlogitsloss", "sigmoidcrossentropy", "logloss", "logistic"),
        "binary_cross_entropy",
    ),
    **dict.fromkeys(("meansquarederror", "squarederror", "mseloss", "l2", "l2loss"), "mse"),
    **dict.fromkeys(("meanabsoluteerror", "absoluteerror", "maeloss", "l1", "l1loss"), "mae"),
    **dict.fromkeys(("smoothl1", "smoothl1loss", "huberloss"), "huber"),
    **dict.fromkeys(("momentum", "nesterov", "gd", "gradientdescent"), "sgd"),
    **dict.fromkeys(("onecyclelr", "onecyclepolicy", "triangular"), "one-cycle"),
    **dict.fromkeys(("cosinedecay", "cosineannealing", "cosineannealinglr"), "cosine"),
    **dict.fromkeys(("steplr", "piecewiseconstantdecay", "multisteplr"), "step"),
    **dict.fromkeys(("none", "off", "fixed"), "constant"),
    **dict.fromkeys(("acc", "categoricalaccuracy", "sparsecategoricalaccuracy", "binaryaccuracy"), "accuracy"),
}  # fmt: skip

DTYPES = ("float32", "float64", "int64", "uint8")

# names that a person looks for in the package, and what it is here
OF_PACKAGE = {
    "Linear": "pn.Dense",
    "Conv2d": "pn.Conv2D",
    "SeparableConv2D": "pn.DepthwiseConv2D(3), and a pn.Conv2D(filters, 1) behind it",
    "MaxPool2d": "pn.MaxPool2D",
    "MaxPooling2D": "pn.MaxPool2D",
    "AvgPool2d": "pn.AvgPool2D",
    "AveragePooling2D": "pn.AvgPool2D",
    "GlobalAveragePooling2D": "pn.GlobalAvgPool2D",
    "BatchNorm2d": "pn.BatchNorm",
    "BatchNormalization": "pn.BatchNorm",
    "LayerNormalization": "pn.LayerNorm",
    "Dropout2d": "pn.Dropout",
    "ReLU": "pn.Activation('relu'), or pn.Dense(32, 'relu')",
    "Sigmoid": "pn.Activation('sigmoid')",
    "Tanh": "pn.Activation('tanh')",
    "Softmax": "pn.Activation('softmax'); the loss has one in it already",
    "CrossEntropyLoss": "pn.fit(model, data), or pn.ops.cross_entropy(outputs, targets) by hand",
    "MSELoss": "pn.fit(model, data, loss='mse'), or pn.ops.mse(outputs, targets) by hand",
    "nn": "pn.Dense, pn.Conv2D and so on: all layers are in pn itself",
    "optim": "pn.SGD, pn.RMSprop, pn.Adam or pn.AdamW",
    "keras": "pn itself: pn.Sequential, pn.Dense, pn.fit",
    "functional": "pn.ops",
    "Module": "pn.Layer",
    "Variable": "pn.tensor(values, requires_grad=True)",
    "Parameter": "self.parameter(name, shape), in a pn.Layer's build",
    "array": "pn.tensor(values)",
    "from_numpy": "pn.tensor(values)",
    "asarray": "pn.tensor(values)",
    "as_tensor": "pn.tensor(values)",
    "empty": "pn.zeros(shape)",
    "zeros_like": "pn.zeros(x.shape)",
    "ones_like": "pn.ones(x.shape)",
    "full_like": "pn.full(x.shape, value)",
    "eye": "pn.tensor(np.eye(n))",
    "linspace": "pn.tensor(np.linspace(start, stop, n))",
    "concatenate": "pn.concat(tensors)",
    "vstack": "pn.concat(tensors)",
    "hstack": "pn.concat(tensors, axis=1)",
    **{name: f"the name '{name}', as in pn.tensor(values, '{name}')" for name in DTYPES},
    "seed": "pn.fit(model, data, seed=0)",
    "set_grad_enabled": "`with pn.no_grad():`",
    "enable_grad": "`with pn.no_grad():` round the rest",
    "load_state_dict": "pn.load(path)",
    "device": "nothing: all computing is on the processor",
    "cuda": "nothing: all computing is on the processor",
    "DataLoader": "pn.fit(model, (x, y), batch_size=64), or a list of batches",
    "TensorDataset": "pn.Dataset(x, y)",
    "train": "pn.fit(model, data)",
    "score": "pn.evaluate(model, data)",
    "test": "pn.evaluate(model, data)",
    "predict_proba": "pn.predict(model, x)",
    "load_model": "pn.load(path)",
    "save_model": "pn.save(model, path)",
    "load_mnist": "pn.datasets.mnist()",
    "mnist": "pn.datasets.mnist()",
    "MLPClassifier": "pn.Sequential(pn.Dense(100, 'relu'), pn.Dense(classes)), and pn.fit",
    "MLPRegressor": "pn.Sequential(pn.Dense(100, 'relu'), pn.Dense(1)), and pn.fit",
    "StandardScaler": "pn.fit(model, data, preprocess='dataset')",
    "OneHotEncoder": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "LabelEncoder": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "to_categorical": "pn.fit(model, (x, y)): labels may be numbers, names or one-hot rows",
    "train_test_split": "pn.fit(model, data, validation=0.1), and pn.evaluate on data kept apart",
    "accuracy_score": "pn.evaluate(model, data).accuracy",
    "confusion_matrix": "pn.evaluate(model, data).confusion",
    "rand": "pn.tensor(values), with values of NumPy's generator",
    "randn": "pn.tensor(values), with values of NumPy's generator",
    "digits": "pn.apps.digits()",
    "manual_seed": "pn.fit(model, data, seed=0)",
    "relu": "'relu' in a layer, pn.Dense(32, 'relu'), or pn.ops.relu(x)",
    "softmax": "'softmax' in a layer, or pn.ops.softmax(x)",
}

# what other libraries' layers have, and what is here
OF_LAYER = {
    "kernel": "layer.weight",
    "weights": "layer.weight and layer.bias",
    "get_weights": "layer.weight and layer.bias",
    "set_weights": "layer.weight = array, layer.bias = array",
    "parameters": "layer.weight and layer.bias, or model.parameters",
    "requires_grad_": "layer.trainable = False",
    "forward": "a method call(self, x, *, training)",
}

# keywords that layers have elsewhere, and what is here
OF_KEYWORDS = {
    "input_shape": "nothing: the shape is learnt from the data, or by model.build(shape)",
    "input_dim": "nothing: the shape is learnt from the data, or by model.build(shape)",
    "in_features": "nothing: the shape is learnt from the data, or by model.build(shape)",
    "in_channels": "nothing: the shape is learnt from the data, or by model.build(shape)",
    "num_features": "nothing: the shape is learnt from the data, or by model.build(shape)",
    "out_features": "units",
    "out_channels": "filters",
    "depth_multiplier": "multiplier",
    "groups": "nothing: pn.DepthwiseConv2D(size) has a group for each channel",
    "kernel_size": "size",
    "pool_size": "size",
    "strides": "stride",
    "use_bias": "bias",
    "kernel_initializer": "init",
    "act": "activation",
    "p": "rate",
    "eps": "epsilon",
    "data_format": "nothing: images are (n, height, width, channels)",
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
    near = OF_WORDS.get(re.sub(r"[^a-z0-9]", "", word.lower()))
    near = near if near in names else closest(plain(word), names)
    return f"{what} '{word}'? did you mean '{near}'" if near else f"{what} '{word}' is not known: {', '.join(names)}"


def instead(ours: str) -> str:
    """The end of the sentence: `use pn.load(path)`, or `leave it out: ...` where nothing takes its place."""
    return f"leave it out: {ours.removeprefix('nothing: ')}" if ours.startswith("nothing: ") else f"use {ours}"


def names_of_ops(names: list[str]) -> Callable[[str], NoReturn]:
    """What pn.ops does when it is asked for an op that is not there."""

    def missing(name: str) -> NoReturn:
        near = closest(name, names)
        raise AttributeError(
            f"pyneural.ops has no '{name}'; " + (f"did you mean '{near}'" if near else "docs/ops.md lists the ops")
        )

    return missing


def names_of_package(names: list[str], ops: list[str]) -> Callable[[str], NoReturn]:
    """What the package does when it is asked for a name that is not there."""

    def missing(name: str) -> NoReturn:
        ours = OF_PACKAGE.get(name) or (f"pn.ops.{name}" if name in ops else None)
        near = None if ours else closest(name, names)
        hint = instead(ours or f"pn.{near}") if ours or near else "dir(pn) lists what it has"
        raise AttributeError(f"pyneural has no '{name}'; {hint}")

    return missing


def check_arguments(layer: type, count: int, given: Iterable[str]) -> None:
    """Refuses arguments that a layer's constructor does not have.

    Args:
        layer: its class.
        count: how many are given by position.
        given: the keywords.

    Raises:
        TypeError: there is one; says what is meant.
    """
    takes = inspect.signature(getattr(layer, "__init__")).parameters  # noqa: B009 -- mypy minds the plain way
    kinds = [one.kind for one in takes.values()]
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return
    by_place = list(takes)[1 : 1 + kinds[1:].count(inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    if count > len(by_place) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        others = [name for name in list(takes)[1:] if name not in by_place]
        raise TypeError(
            f"{layer.__name__}() takes {' and '.join(by_place) or 'nothing'} by position, got {count} values: the "
            f"inputs' size is learnt, and {', '.join(others)} go by name"
        )
    for word in given:
        if word not in takes:
            known = list(takes)[1:]
            near = None if OF_KEYWORDS.get(word) in known else closest(word, known)
            hint = f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
            if OF_KEYWORDS.get(word) in known or OF_KEYWORDS.get(word, "").startswith("nothing"):
                hint = instead(OF_KEYWORDS[word])
            raise TypeError(f"{layer.__name__}() has no '{word}'; {hint}")


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
                    raise TypeError(f"{name}() has no '{word}'; {instead(familiar[word])}")
                if word not in known:
                    near = closest(word, known)
                    hint = f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
                    raise TypeError(f"{name}() has no '{word}'; {hint}")
            if positional and len(args) > count:
                raise TypeError(f"{name}() takes {count} positional arguments, got {len(args)}: {positional}")
            return function(*args, **kwargs)

        return checked

    return decorate
