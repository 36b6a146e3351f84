"""Bad input: each is met with one sentence (who, what was given, what was expected, the fix), before any work.

What is refused leaves the model as it was: not built where it was not, with the same weights, and the same card.
"""

import pickle
import re
import types
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

import pyneural as pn

X, Y = np.zeros((20, 4), np.float32), np.arange(20) % 3
X[:, 0] = np.arange(20)
IMAGES = np.arange(20 * 64, dtype=np.uint8).reshape(20, 8, 8, 1)
COLOURED = np.zeros((20, 32, 32, 3), np.uint8)


def three() -> pn.Sequential:
    return pn.Sequential(pn.Dense(3))


def one() -> pn.Sequential:
    return pn.Sequential(pn.Dense(1))


def flat() -> pn.Sequential:
    return pn.Sequential(pn.Flatten(), pn.Dense(3))


def conv() -> pn.Sequential:
    return pn.Sequential(pn.Conv2D(4, 3), pn.Flatten(), pn.Dense(3))


def digits() -> pn.Sequential:
    model = pn.Sequential(pn.Flatten(), pn.Dense(3))
    model.build((28, 28, 1))
    return model


def trained_on_pixels() -> pn.Sequential:
    model = flat()
    pn.fit(model, (IMAGES, Y), epochs=1, verbose=0)
    return model


def trained_on_floats() -> pn.Sequential:
    model = three()
    pn.fit(model, (X, Y), epochs=1, verbose=0)
    return model


def with_strange(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[2, 1], x[5, 0] = np.nan, np.inf
    return x


def frozen() -> pn.Sequential:
    model = three()
    model.trainable = False
    return model


def words() -> pn.Sequential:
    return pn.Sequential(pn.Embedding(7, 2), pn.Flatten(), pn.Dense(3))


def state(model: pn.Model) -> tuple:
    card = dict(vars(model.card))
    return model.input_shape, None if model.input_shape is None else model.fingerprint(), card, model.seed


DATA_AND_MODEL = [
    (digits, (COLOURED, Y), ValueError, "fit: the model was built for images (28, 28, 1), this data has (32, 32, 3)"),
    (digits, (X, Y), ValueError, "fit: the model was built for images (28, 28, 1), this data has (4,)"),
    (three, (IMAGES, Y), ValueError, "dense_1: x is (n, 8, 8, 1); put pn.Flatten() before Dense"),
    (
        lambda: pn.Sequential(pn.Conv2D(4, 3)),
        (IMAGES, Y),
        ValueError,
        "fit: the model's output is (n, 6, 6, 4); end it in pn.Flatten() and pn.Dense",
    ),
    (
        conv,
        (COLOURED.transpose(0, 3, 1, 2), Y),
        ValueError,
        "fit: x is (20, 3, 32, 32), which looks channels-first: use x.transpose(0, 2, 3, 1)",
    ),
    (conv, (X, Y), ValueError, "Conv2D needs images, (n, height, width, channels)"),
    (trained_on_pixels, (IMAGES / 255, Y), ValueError, "fit: the model was trained on uint8 pixels 0..255, x is float"),
    (
        trained_on_floats,
        (X.astype(np.uint8), Y),
        ValueError,
        "fit: the model was trained on floats, x is uint8: prepare",
    ),
    (three, (X, Y[:10]), ValueError, "data: x has 20 examples, y is (10,): give one label per example"),
    (three, (X, Y[0]), ValueError, "data: x has 20 examples, y is (): give one label per example"),
    (three, (X[:0], Y[:0]), ValueError, "data: it is empty, x is (0, 4): give at least one example"),
    (
        three,
        (X[:, 0], Y),
        ValueError,
        "x is (20,): give (n, ...), one row per example; for one feature x.reshape(-1, 1)",
    ),
    (
        three,
        (np.array([["red", 1.5], ["blue", 2]] * 10), Y),
        TypeError,
        "data: x contains 'red' in column 0 at row 0",
    ),
    (
        three,
        (np.array([[1, "red"], [2, None]] * 10, object), Y),
        TypeError,
        "data: x contains 'red' in column 1 at row 0",
    ),
    (
        three,
        (X.astype(str), Y),
        TypeError,
        "data: x contains numbers as text (<U32): convert them, x.astype('float32')",
    ),
    (three, (np.zeros(20, [("a", float), ("b", float)]), Y), TypeError, "data: x is a table with named columns: give"),
    (three, ([[1.0], [2.0, 3.0]] * 10, Y), ValueError, "data: x has rows of different lengths: give all"),
    (three, (X, [[1], [2, 3]] * 10), ValueError, "data: y has rows of different lengths: give all"),
    (
        three,
        (X, ["cat", None] * 10),
        ValueError,
        "data: y has 10 labels that are missing (None, NaN or NA)",
    ),
    (three, (X, np.array(["a", np.nan] * 10, object)), ValueError, "data: y has 10 labels that are missing"),
    (
        one,
        (X, np.full(20, np.nan)),
        ValueError,
        "words read as numbers become NaN: read them as text",
    ),
    (
        one,
        (X, Y - 5),
        ValueError,
        "fit: y has 3 different whole numbers from -5 to -3, and one output takes two classes: for values train",
    ),
    (
        three,
        __file__,
        ValueError,
        f"fit: data is the file '{__file__}': give a folder or an .npz, or read it into arrays (np.genfromtxt",
    ),
    (frozen, (X, Y), ValueError, "fit: no layer of the model can learn: they are frozen, or have no parameters"),
    (lambda: pn.Sequential(pn.Flatten()), (X[:, :3], Y), ValueError, "fit: no layer of the model can learn"),
    (
        words,
        (np.full((20, 3), 7), Y),
        ValueError,
        "fit: x has the numbers 7 to 7, embedding_1 takes 0 to 6: make it",
    ),
    (
        words,
        (np.full((20, 3), 0.5), Y),
        ValueError,
        "fit: x has 0.5, which is not a whole number, but embedding_1 takes",
    ),
    (words, (np.full((20, 3), -1), Y), ValueError, "embedding_1 takes 0 to 6: start at 0"),
    (three, (X + 1j, Y), TypeError, "x has dtype complex"),
    (
        three,
        (with_strange(X), Y),
        ValueError,
        "fit: x has 2 values that are NaN or infinite, the first at (2, 1): remove or fill them",
    ),
    (
        one,
        (X, np.where(np.arange(20) == 7, np.nan, 0.5)),
        ValueError,
        "fit: y has 1 values that are NaN or infinite, the first at (7,): remove or fill them",
    ),
    (three, X, TypeError, "fit: data is ndarray: give a pn.Dataset or a pair of arrays (x, y)"),
    (three, None, TypeError, "fit: data is None: this data has no such part; give a pn.Dataset"),
    (three, 3, TypeError, "fit: data is int: give"),
    (three, (X, Y, Y), TypeError, "fit: data is three arrays: give (x, y); if the third is the weights"),
    (three, ((X, Y), (X, Y)), TypeError, "fit: data is a pair of pairs: give one pair (x, y)"),
]
LABELS = [
    (
        three,
        (X, (Y + 1) * 10 + np.arange(20) // 10),
        ValueError,
        "fit: y has 6 classes, the labels 10, 11, 20, 21, 30, 31, and the model has 3 outputs: end it in pn.Dense(6)",
    ),
    (
        three,
        (X, np.arange(20)),
        ValueError,
        "fit: labels run 0..19, the model has 3 outputs, for 0..2: end it in pn.Dense(20)",
    ),
    (three, (X, Y * 0), ValueError, "fit: all 20 labels are 0: give at least two classes"),
    (three, (X, np.full(20, "cat")), ValueError, "fit: all 20 labels are 'cat': give at least two classes"),
    (one, (X, np.ones(20, int)), ValueError, "fit: all 20 labels are 1: give at least two classes"),
    (
        one,
        (X, Y),
        ValueError,
        "fit: y has 3 different whole numbers from 0 to 2, and one output takes two classes: for values train with "
        "loss='mse' (or give y as floats), for classes end the model in pn.Dense(3)",
    ),
    (
        three,
        (X, np.array(["a", "b"] * 10)),
        ValueError,
        "fit: the labels are 2 classes, the model has 3 outputs: end it in pn.Dense(2)",
    ),
    (
        three,
        (X, X[:, 0] + 0.5),
        ValueError,
        "fit: y is (20,), the model has 3 outputs: end the model in pn.Dense(1)",
    ),
    (
        three,
        (X, np.ones((20, 2), int)),
        ValueError,
        "fit: y is (20, 2), rows of 0 and 1: 2 labels, each yes or no, and the model has 3 outputs: end it",
    ),
    (three, (X, X), ValueError, "fit: y is (20, 4), the model has 3 outputs: end the model in pn.Dense(4)"),
    (three, (X, Y.astype("datetime64[s]")), TypeError, "y has dtype datetime64[s]: give numbers or names"),
]


@pytest.mark.parametrize(("make", "data", "error", "words"), [*DATA_AND_MODEL, *LABELS])
def test_model_and_data_that_do_not_fit(make, data, error, words):
    model = make()
    before = state(model)
    with pytest.raises(error, match=re.escape(words)):
        pn.fit(model, data, verbose=0)
    assert state(model) == before


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"epochs": 0}, ValueError, "fit: epochs is 0: give a whole number of at least 1"),
        ({"epochs": 1.5}, ValueError, "fit: epochs is 1.5: give a whole number of at least 1"),
        ({"batch_size": 0}, ValueError, "fit: batch_size is 0: give a whole number of at least 1"),
        ({"batch_size": -4}, ValueError, "fit: batch_size is -4: give a whole number of at least 1"),
        ({"batch_size": True}, ValueError, "fit: batch_size is True"),
        ({"seed": 2**64}, ValueError, "give a whole number of at least 0, and below 2**64"),
        (
            {"schedule": lambda step: 1.0},
            TypeError,
            "fit: schedule is <lambda>(step): give a function",
        ),
        (
            {"loss": lambda outputs: outputs},
            TypeError,
            "fit: loss custom loss(outputs): define it as a function",
        ),
        (
            {"metrics": [lambda x: 1.0]},
            TypeError,
            "fit: metric metric(x): define it as a function",
        ),
        ({"seed": -1}, ValueError, "fit: seed is -1: give a whole number of at least 0"),
        ({"verbose": "auto"}, ValueError, "fit: verbose is 'auto': give 0 (silent), 1 (one line per epoch) or 2"),
        ({"learning_rate": -0.1}, ValueError, "fit: learning_rate is -0.1: give a number above 0"),
        ({"learning_rate": 0}, ValueError, "fit: learning_rate is 0: give a number above 0"),
        ({"learning_rate": float("nan")}, ValueError, "fit: learning_rate is nan: give a number above 0"),
        ({"learning_rate": "0.1"}, TypeError, "fit: learning_rate is '0.1': give a number"),
        (
            {"learning_rate": 0.1, "optimizer": pn.SGD(learning_rate=0.1)},
            ValueError,
            "fit: the learning rate is given twice, in optimizer= and as learning_rate=: give it once",
        ),
        ({"optimizer": "adamm"}, ValueError, "optimizer 'adamm'? did you mean 'adam'"),
        ({"optimizer": "lbfgs"}, ValueError, "optimizer 'lbfgs' is not known: sgd, rmsprop, adam, adamw"),
        ({"optimizer": pn.Adam}, TypeError, "fit: Adam is a class; write pn.Adam()"),
        ({"optimizer": 3}, TypeError, "fit: optimizer is 3: give a name (sgd, rmsprop, adam, adamw) or pn.Adam(...)"),
        ({"optimizer": pn.SGD(momentum=1)}, ValueError, "sgd: momentum is 1; give at least 0 and less than 1"),
        ({"schedule": "one-cycl"}, ValueError, "schedule 'one-cycl'? did you mean 'one-cycle'"),
        ({"schedule": "cosine_decay"}, ValueError, "schedule 'cosine_decay'? did you mean 'cosine'"),
        ({"loss": "crossentropy"}, ValueError, "loss 'crossentropy'? did you mean 'cross_entropy'"),
        (
            {"loss": "binary-cross-entropy"},
            ValueError,
            "fit: loss 'binary_cross_entropy' is for binary, the labels are",
        ),
        ({"loss": 3}, TypeError, "loss is 3: give a name"),
        ({"metrics": "acuracy"}, ValueError, "metric 'acuracy'? did you mean 'accuracy'"),
        ({"metrics": ["mse"]}, ValueError, "fit: metric 'mse' does not suit classes: use accuracy"),
        ({"preprocess": "datset"}, ValueError, "preprocess 'datset'? did you mean 'dataset'"),
        ({"preprocess": "image"}, ValueError, "fit: preprocess='image' needs images, x is (n, 4): use"),
        ({"validation": 1.5}, ValueError, "fit: validation is 1.5: give a share between 0 and 1, a Dataset, (x, y) or"),
        ({"validation": -1}, ValueError, "fit: validation is -1"),
        ({"validation": True}, ValueError, "fit: validation is True"),
        (
            {"validation": 0.01},
            ValueError,
            "fit: validation=0.01 of 20 examples leaves a part empty: use validation=None",
        ),
        ({"validation": "half"}, FileNotFoundError, "folder: 'half' is not there"),
        ({"validation": (X, Y[:3])}, ValueError, "data: x has 20 examples, y is (3,)"),
        ({"validation": (X[:, :3], Y)}, ValueError, "fit: validation has inputs (3,), the training data (4,)"),
        ({"validation": (X, Y + 5)}, ValueError, "fit: validation: labels run 5..7"),
        ({"validation": (with_strange(X), Y)}, ValueError, "fit: validation: x has 2 values that are NaN or infinite"),
        ({"validation": (X.astype(np.uint8), Y)}, ValueError, "fit: validation: the model was trained on floats"),
        ({"validation": pn.Splits(pn.Dataset(X, Y))}, TypeError, "fit: validation: give one part of the data"),
        # familiar, and wrong
        (
            {"validation_split": 0.1},
            TypeError,
            "fit() has no 'validation_split'; use validation=0.1 (shuffled, stratified)",
        ),
        ({"validation_data": (X, Y)}, TypeError, "fit() has no 'validation_data'; use validation=(x, y)"),
        ({"lr": 0.1}, TypeError, "fit() has no 'lr'; use learning_rate"),
        ({"epoch": 3}, TypeError, "fit() has no 'epoch'; did you mean 'epochs'"),
        ({"early_stopping": True}, TypeError, "fit() has no 'early_stopping'; use patience"),
        ({"shuffle": True}, TypeError, "fit() has no 'shuffle'; not needed: training data is always shuffled"),
        ({"random_state": 0}, TypeError, "fit() has no 'random_state'; use seed"),
        ({"criterion": "mse"}, TypeError, "fit() has no 'criterion'; use loss"),
        ({"class_weights": {}}, TypeError, "fit() has no 'class_weights'; use class_weight"),
        ({"device": "cuda"}, TypeError, "fit() has no 'device'; not needed: everything runs on the CPU"),
        ({"wibble": 1}, TypeError, "fit() has no 'wibble'; it takes model, data, epochs"),
    ],
)
def test_arguments_that_are_wrong(options, error, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    model = three()
    before = state(model)
    with pytest.raises(error, match=re.escape(words)):
        pn.fit(model, (X, Y), verbose=0, **options) if "verbose" not in options else pn.fit(model, (X, Y), **options)
    assert state(model) == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: pn.fit((X, Y), three()), TypeError, "fit: model is tuple: give a pn.Sequential or a pn.Model first"),
        (lambda: pn.fit(pn.Sequential, (X, Y)), TypeError, "fit: model is Sequential, a class: give"),
        (
            lambda: pn.fit(pn.Dense(3), (X, Y)),
            TypeError,
            "fit: model is the layer dense: put it into a model",
        ),
        (lambda: pn.fit(three(), X, Y), TypeError, "give x and y as one pair, pn.fit(model, (x, y))"),
        (lambda: pn.fit(three(), x=X, y=Y), TypeError, "use the second argument: pn.fit(model, (x, y))"),
        (lambda: pn.evaluate(three(), X, Y), TypeError, "give x and y as one pair, pn.evaluate(model, (x, y))"),
        (
            lambda: pn.predict(three(), X),
            RuntimeError,
            "predict: the model is not trained yet: call pn.fit(model, data) first",
        ),
        (
            lambda: pn.classify(three(), X[0]),
            RuntimeError,
            "classify: the model is not trained yet: call pn.fit(model, data)",
        ),
        (lambda: pn.evaluate(three(), (X, Y)), RuntimeError, "evaluate: the model is not trained yet: pn.fit"),
        (lambda: pn.predict(X, three()), TypeError, "predict: model is ndarray: give a pn.Sequential or a pn.Model"),
        (lambda: pn.Dense(3, "rellu"), ValueError, "activation 'rellu'? did you mean 'relu'"),
        (lambda: pn.Adam(lr=0.1), TypeError, "Adam() has no 'lr'; did you mean 'learning_rate'"),
        (lambda: pn.RMSprop(rho=0.9), TypeError, "RMSprop() has no 'rho'; did you mean 'beta2'"),
        (lambda: pn.Adam(betas=(0.9, 0.99)), TypeError, "Adam() has no 'betas'; did you mean 'beta1' and 'beta2'"),
        (lambda: pn.SGD(beta=0.9), TypeError, "SGD() has no 'beta'; did you mean 'momentum'"),
        (lambda: pn.AdamW(decay=0.1), TypeError, "AdamW() has no 'decay'; did you mean 'weight_decay'"),
        (lambda: pn.SGD(learning_rate=-1), ValueError, "SGD: learning_rate is -1: give a number above 0"),
    ],
)
def test_calls_that_are_wrong(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fit", "a model has no 'fit'; use pn.fit(model, data)"),
        ("compile", "a model has no 'compile'; not needed: pn.fit(model, data, loss=..., optimizer=..."),
        ("train", "a model has no 'train'; use pn.fit(model, data); by hand, model(x, training=True)"),
        ("eval", "a model has no 'eval'; use model(x), where training=False is the default"),
        ("evaluate", "use pn.evaluate(model, data)"),
        ("predict", "use pn.predict(model, x)"),
        ("predict_proba", "use pn.predict(model, x), which returns probabilities"),
        ("score", "use pn.evaluate(model, data).accuracy"),
        ("zero_grad", "not needed: backward overwrites every gradient"),
        ("save", "use pn.save(model, path)"),
        ("load_state_dict", "use model = pn.load(path)"),
        ("state_dict", "use model.parameters, or pn.save(model, path)"),
        ("named_parameters", "use model.parameters.items()"),
        ("trainable_variables", "use model.parameters"),
        ("forward", "use model(x)"),
        ("to", "not needed: everything runs on the CPU"),
        ("cuda", "not needed: everything runs on the CPU"),
    ],
)
def test_what_other_models_do_is_shown_as_it_is_done_here(name, words):
    with pytest.raises(AttributeError, match=re.escape(words)):
        getattr(three(), name)


def test_what_other_optimizers_and_histories_do_is_shown_too():
    model = three()
    history = pn.fit(model, (X, Y), epochs=1, verbose=0)
    optimizer = pn.Adam(model)
    with pytest.raises(AttributeError, match=r"an optimizer has no 'zero_grad'; not needed: backward overwrites every"):
        optimizer.zero_grad()
    with pytest.raises(AttributeError, match=r"an optimizer has no 'minimize'; use loss.backward\(\), then"):
        optimizer.minimize(None)
    with pytest.raises(AttributeError, match="an optimizer has no 'wibble'; it has bound, "):
        _ = optimizer.wibble
    with pytest.raises(AttributeError, match=r"a history has no 'history'; use history\['loss'\]"):
        _ = history.history["loss"]
    with pytest.raises(KeyError, match="the history has no 'val_acc'"):
        _ = history["val_acc"]
    with pytest.raises(AttributeError, match="a history has no 'wibble'; it has "):
        _ = history.wibble
    with pytest.raises(TypeError, match=re.escape("model.parameters is a dict, not a method: drop the ()")):
        model.parameters()
    assert len(list(model.parameters.values())) == 2


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: pn.Conv2d(3, 3), AttributeError, "pyneural has no 'Conv2d'; use pn.Conv2D"),
        (lambda: pn.Linear(3), AttributeError, "pyneural has no 'Linear'; use pn.Dense"),
        (
            lambda: pn.CrossEntropyLoss(),
            AttributeError,
            "use pn.fit(model, data), or pn.ops.cross_entropy(outputs, targ",
        ),
        (lambda: pn.Sequental(), AttributeError, "pyneural has no 'Sequental'; did you mean pn.Sequential"),
        (lambda: pn.wibble, AttributeError, "pyneural has no 'wibble'; dir(pn) lists what it has"),
        (
            lambda: pn.Dense(3, input_shape=(4,)),
            TypeError,
            "Dense() has no 'input_shape'; not needed: the shape is inferred",
        ),
        (
            lambda: pn.Conv2D(1, 8, 3),
            TypeError,
            "Conv2D() takes filters and size by position, got 3",
        ),
        (
            lambda: pn.Dense(784, 128),
            TypeError,
            "Dense: activation is 128: give only the output size, Dense(128)",
        ),
        (lambda: pn.Flatten((28, 28)), TypeError, "Flatten() takes no arguments by position, got 1"),
        (lambda: pn.Input((4,), name="x"), TypeError, "Input() has no 'name'; not needed: an input has no name"),
        (lambda: pn.MLPClassifier(), AttributeError, "use pn.Classifier(hidden=(100,))"),
        (lambda: pn.relu, AttributeError, "pyneural has no 'relu'; use 'relu' in a layer, pn.Dense(32, 'relu'), or"),
        (lambda: three().build((None, 4)), ValueError, "build: shape is (None, 4): omit the batch axis"),
        (lambda: three().build(28, 28), TypeError, "give one tuple, such as model.build((28, 28, 1))"),
        (lambda: three().build(input_shape=(4,)), TypeError, "build() has no 'input_shape'; use shape"),
        (
            lambda: three()[0.5],
            TypeError,
            "sequential: give a layer's name or number, model['dense_1'] or model[0]",
        ),
        (lambda: pn.Dense(3).kernel, AttributeError, "dense: a layer has no 'kernel'; use layer.weight"),
        (
            lambda: pn.load(__file__, layers=pn.Dense),
            TypeError,
            "load: layers is Dense, a class: give a list",
        ),
        (lambda: pn.datasets.folder("x", image_size=3), TypeError, "folder() has no 'image_size'; use size"),
        (lambda: pn.datasets.folder("x", 3), TypeError, "got 2: give the rest by name, such as size=64"),
        (
            lambda: pn.Dropout("0.2"),
            ValueError,
            "Dropout: rate is '0.2': give the share to drop, from 0 up to but not including 1",
        ),
        (lambda: pn.BatchNorm(epsilon=0), ValueError, "BatchNorm: epsilon is 0: give a number above 0"),
        (lambda: pn.Conv2D(8, (3, 0)), ValueError, "Conv2D: size is 0: give a whole number of at least 1"),
        (
            lambda: pn.DepthwiseConv2D(3, multiplier=0),
            ValueError,
            "DepthwiseConv2D: multiplier is 0: give",
        ),
        (
            lambda: pn.DepthwiseConv2D((0, 3)),
            ValueError,
            "DepthwiseConv2D: size is 0: give",
        ),
        (lambda: pn.DepthwiseConv2D(3, depth_multiplier=2), TypeError, "no 'depth_multiplier'; use multiplier"),
        (lambda: pn.Conv2D(8, 3, groups=8), TypeError, "pn.DepthwiseConv2D(size) has one group per channel"),
        (lambda: pn.Conv2D(8, kernel_size=3), TypeError, "Conv2D() has no 'kernel_size'; use size"),
        (lambda: pn.MaxPool2D(pool_size=3), TypeError, "MaxPool2D() has no 'pool_size'; use size"),
        (lambda: pn.Dropout(p=0.1), TypeError, "Dropout() has no 'p'; use rate"),
        (lambda: pn.Dense(3, activaton="relu"), TypeError, "Dense() has no 'activaton'; did you mean 'activation'"),
        (lambda: pn.Dense(3, p=0.1), TypeError, "Dense() has no 'p'; it takes units, activation"),
        (lambda: pn.SGD(0.1), TypeError, "SGD: 0.1 is not a model: write pn.SGD(learning_rate=0.1)"),
        (lambda: pn.Adam("model"), TypeError, "Adam: target is str: give a model, or a list of tensors"),
        (lambda: pn.predict(trained_on_floats(), (X, Y)), TypeError, "predict: x is a pair: give only the inputs"),
        (lambda: pn.fit(three(), (X, Y), loss="sparse_categorical_crossentropy"), ValueError, "mean 'cross_entropy'"),
        (lambda: pn.fit(three(), (X, Y), loss="MSELoss"), ValueError, "loss 'MSELoss'? did you mean 'mse'"),
        (lambda: pn.fit(three(), (X, Y), optimizer="momentum"), ValueError, "optimizer 'momentum'? did you mean 'sgd'"),
        (lambda: pn.fit(three(), (X, Y), metrics=["acc"]), ValueError, "metric 'acc'? did you mean 'accuracy'"),
        (lambda: pn.fit(three(), (X, Y), schedule="none"), ValueError, "schedule 'none'? did you mean 'constant'"),
    ],
)
def test_names_of_other_libraries_raise_an_error_that_names_the_equivalent(call, error, words):
    with pytest.raises(error, match=re.escape(words)):
        call()


@pytest.mark.parametrize("data", [(X, Y), [(X[:6], Y[:6]), (X[6:7], Y[6:7])]])
def test_batches_too_small_for_batch_norm_are_refused_before_work(data, capsys):
    model = pn.Sequential(pn.Dense(4, bias=False), pn.BatchNorm(), pn.Dense(3))
    with pytest.raises(
        ValueError, match=r"x is \(1, 4\); training needs at least 2 values a channel.*give a larger batch"
    ):
        pn.fit(model, data, batch_size=1)
    assert model.input_shape is None
    assert capsys.readouterr().out == ""


def test_custom_layers_of_layers_and_nested_models_pass_the_shape_only_run():
    class Twice(pn.Layer):
        def __init__(self):
            self.inner = pn.Dense(4)
            self.norm = pn.BatchNorm()

        def call(self, x, *, training):
            return self.norm(self.inner(x), training=training)

    at = pn.Input((4,))
    nested = pn.Sequential(pn.Dense(4), pn.Dropout(0.1))
    for model in (pn.Sequential(Twice(), nested, pn.Dense(3)), pn.Model(at, pn.Dense(3)(nested(Twice()(at))))):
        assert pn.fit(model, (X, Y), epochs=1, verbose=0).epochs == 1


def test_predict_and_evaluate_refuse_what_the_model_was_not_trained_on():
    model = trained_on_pixels()
    for x, words in (
        (
            IMAGES / 255,
            "predict: the model was trained on uint8 pixels 0..255, x is float64: give uint8 pixels",
        ),
        (COLOURED, "predict: the model was built for images (8, 8, 1), this data has (32, 32, 3)"),
        ("cat.png", "predict: x is 'cat.png': give its pixels, PIL.Image.open(path).convert('L').resize((8, 8))"),
        (
            np.full((9, 6, 1), 1, np.uint8),
            "predict: the model was built for images (8, 8, 1), this one is",
        ),
        (["a", "b"], "predict: x contains 'a' at row 0: give numbers"),
        (pn.Splits(pn.Dataset(IMAGES, Y)), "predict: give one part of the data: data.test, or data.test.x"),
    ):
        with pytest.raises((ValueError, TypeError), match=re.escape(words)):
            pn.predict(model, x)
    for data, words in (
        ((IMAGES, Y + 5), "evaluate: labels run 5..7"),
        (
            (IMAGES, np.full(20, "cat")),
            "evaluate: y has labels that are not among the classes: cat; the model's classes are the numbers",
        ),
        (pn.Splits(pn.Dataset(IMAGES, Y)), "evaluate: give one part of the data: data.train, data.validation or"),
    ):
        with pytest.raises((ValueError, TypeError), match=re.escape(words)):
            pn.evaluate(model, data)


def test_a_bound_optimizer_is_refused(rings):
    model = three()
    model.build((2,))
    before = state(model)
    with pytest.raises(
        ValueError, match=r"this optimizer is bound to a model; give a fresh pn.Adam\(...\) without one"
    ):
        pn.fit(model, rings, optimizer=pn.Adam(model))
    assert state(model) == before


def test_grey_images_get_their_axis_in_silence(capsys):
    model = conv()
    pn.fit(model, (IMAGES[..., 0], Y), epochs=1, verbose=0)
    assert model.input_shape == (8, 8, 1)
    assert capsys.readouterr() == ("", "")


def test_float_pixels_up_to_255_get_a_warning_and_training_continues():
    for data in ((IMAGES.astype(np.float32), Y), [(IMAGES.astype(np.float32), Y)]):
        with pytest.warns(UserWarning, match=r"float pixels 0..255, which train badly: keep uint8 .*or divide by 255"):
            assert pn.fit(flat(), data, epochs=1, verbose=0).epochs == 1


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            lambda: (pn.Dense(8, "relu"), pn.Dense(8, "step"), pn.Dense(3)),
            "step: its gradient is 0 everywhere, so the layers before it will not learn (dense_1, dense_2): use 'relu'",
        ),
        (
            lambda: (pn.Dense(8), pn.Activation("step"), pn.Dense(3)),
            "step: its gradient is 0 everywhere, so dense_1 will not learn: use 'relu'",
        ),
        (
            lambda: (pn.Dense(8, "relu", init=-1.0), pn.Dense(3)),
            "dense_1: every gradient is 0, so nothing is learned there: check relu and the initial values",
        ),
        (
            lambda: (pn.Dense(8), Rounded(), pn.Dense(3)),
            "every gradient is 0, so nothing is learned there: check the layers after it (steps, rounding",
        ),
    ],
)
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_a_stuck_loss_says_what_to_look_at(layers, words, optimizer, capsys):
    x = np.abs(np.random.default_rng(0).normal(size=(60, 4))).astype(np.float32) + 1
    y = np.minimum(np.arange(60) % 4, 2)  # not balanced: the last bias has a gradient, and not one that rounds to 0
    model = pn.Sequential(*layers())
    pn.fit(model, (x, y), epochs=3, optimizer=optimizer, preprocess=None)
    assert capsys.readouterr().out.count(words) == 1
    pn.fit(model, (x, y), epochs=1, verbose=0)
    assert capsys.readouterr().out == ""


class Rounded(pn.Layer):
    """What no activation is named in."""

    def call(self, x: pn.Tensor, *, training: bool) -> pn.Tensor:
        return pn.ops.step(x)


def test_networks_that_learn_are_not_called_stuck(rings, capsys):
    frozen = pn.Sequential(pn.Dense(8, "relu"), pn.Dense(3))
    frozen.build((2,))
    frozen["dense_1"].trainable = False
    for model in (
        frozen,
        three(),
        pn.Sequential(pn.Dense(8, "relu"), pn.BatchNorm(), pn.Dropout(0.9), pn.Dense(3)),
    ):
        pn.fit(model, rings, epochs=1, batch_size=268)  # the last batch is two examples
    assert "gradient" not in capsys.readouterr().out


def test_an_iterator_is_not_accepted_as_data():
    assert isinstance((batch for batch in [(X, Y)]), types.GeneratorType)
    with pytest.raises(TypeError, match="fit: data is a generator, which is exhausted after one epoch: give a list of"):
        pn.fit(three(), (batch for batch in [(X, Y)]), verbose=0)


# ---- a model trained by hand


def by_hand(x: np.ndarray, y: np.ndarray) -> pn.Sequential:
    model = pn.Sequential(pn.Dense(32, "tanh"), pn.Dense(3))
    model.build((2,))
    optimizer = pn.Adam(model, learning_rate=0.02)
    for _ in range(200):
        pn.ops.cross_entropy(model(x, training=True), y).backward()
        optimizer.step()
    return model


def test_a_model_trained_by_hand_can_be_evaluated_and_then_predicts(rings, tmp_path):
    x, y = rings
    model = by_hand(x, y.astype(np.int64))
    with pytest.warns(UserWarning, match="its raw outputs; once pn.evaluate"):
        assert np.array_equal(pn.predict(model, x), model(x).numpy())
    with pytest.raises(
        RuntimeError, match=re.escape("trained by hand, call pn.evaluate(model, (x, y)) once, which infers")
    ):
        pn.classify(model, x[0])
    report = pn.evaluate(model, (x, y), verbose=0)
    assert report.accuracy > 0.9
    assert model.card.task.kind == "classes"
    np.testing.assert_allclose(pn.predict(model, x).sum(axis=1), 1, rtol=1e-5)
    assert pn.classify(model, x[0]).label in "012"
    again = pn.load(pn.save(model, tmp_path / "hand.safetensors"))
    assert np.array_equal(pn.predict(again, x), pn.predict(model, x))
    pn.fit(model, rings, epochs=1, verbose=0)


def test_names_and_batches_tell_evaluate_of_a_task_too(rings):
    x, y = rings
    names = np.array(["in", "mid", "out"])[y]
    model = by_hand(x, y.astype(np.int64))
    assert pn.evaluate(model, [(x[:150], names[:150]), (x[150:], names[150:])], verbose=0).accuracy > 0.9
    assert pn.classify(model, x[0]).label == "in"
    with pytest.raises(TypeError, match="evaluate: data is a generator, which is exhausted"):
        pn.evaluate(by_hand(x, y.astype(np.int64)), ((x, y) for _ in range(1)), verbose=0)
    alike = by_hand(x, y.astype(np.int64))
    assert pn.evaluate(alike, (x[y == 1], y[y == 1]), verbose=0).n == 100  # one class is enough to be measured on
    with pytest.raises(ValueError, match=r"evaluate: labels run 1\.\.3 but class numbers start at 0"):
        pn.evaluate(by_hand(x, y.astype(np.int64)), (x, y + 1), verbose=0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"loss": lambda o, t: 3.0}, TypeError, "fit: loss custom loss returned float: return a tensor of one number"),
        (
            {"loss": lambda o, t: o},
            ValueError,
            "fit: loss custom loss returned a tensor (18, 3): return one number",
        ),
        (
            {"loss": lambda o, t: o.detach().mean()},
            ValueError,
            "returned a tensor without a gradient: compute it",
        ),
        (
            {"metrics": lambda o, t: o},
            TypeError,
            "fit: metric metric returned Tensor (18, 3): return one number, the mean",
        ),
        ({"metrics": lambda o, t: None}, TypeError, "fit: metric metric returned NoneType: return one number"),
    ],
)
def test_custom_functions_that_return_something_else_raise_a_clear_error(options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        pn.fit(three(), (X, Y), verbose=0, **options)


def test_numpy_numbers_and_other_spellings_of_sizes_are_taken():
    model = pn.Sequential(
        pn.Conv2D(np.int64(4), [3, 3], padding="SAME", stride=np.int32(1)),
        pn.MaxPool2D([2, 2], padding="Valid"),
        pn.Dropout(np.float32(0.25)),
        pn.Flatten(),
        pn.Dense(Y.max() + 1),
    )
    pn.fit(model, (IMAGES, Y), epochs=np.int64(1), learning_rate=np.float32(0.01), verbose=0)
    assert model.output_shape == (3,)
    assert pickle.loads(pickle.dumps(model)).fingerprint() == model.fingerprint()


@pytest.mark.parametrize("share", [np.float32(0.25), np.float64(0.25), np.int64(0), Fraction(1, 4)])
def test_a_share_may_be_a_number_of_any_kind(share):
    found, same = (pn.fit(three(), (X, Y), epochs=1, validation=v, verbose=0) for v in (share, float(share)))
    assert found.fingerprint == same.fingerprint
    assert ("val_loss" in found) == (share != 0)


def test_numpy_numbers_are_taken_wherever_python_ones_are(tmp_path):
    x = pn.Input((np.int64(8), np.int64(8), np.int64(1)))
    flat = pn.Reshape((np.prod((8, 8)), np.int64(1)))(x)
    joined = pn.Flatten()(pn.Concatenate(axis=np.int64(1))(flat, flat))
    model = pn.Model(x, pn.Dense(np.int32(3), init=np.float32(0.5))(joined))
    pn.fit(model, (IMAGES, Y), epochs=1, verbose=0)
    assert pn.load(pn.save(model, tmp_path / "m.safetensors")).fingerprint() == model.fingerprint()
    assert pn.ascii(IMAGES[0], columns=np.int64(10)) == pn.ascii(IMAGES[0], columns=10)
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.fromarray(IMAGES[0, ..., 0]).save(tmp_path / name / "1.png")
    assert pn.datasets.folder(tmp_path, size=np.int64(4)).train.x.shape == (2, 4, 4, 1)


def test_objects_that_are_all_numbers_are_numbers():
    model, again = three(), three()
    pn.fit(model, (X.astype(object), Y.astype(object)), epochs=1, verbose=0)
    pn.fit(again, (X.astype(np.float64), Y), epochs=1, verbose=0)
    assert model.fingerprint() == again.fingerprint()
    assert model.card.task.classes == ()


def test_metrics_may_give_numbers_and_lambdas_do_not_hide_each_other():
    def share(outputs, targets):
        return float((outputs.numpy().argmax(axis=1) == targets.numpy()).mean())

    found = pn.fit(three(), (X, Y), epochs=1, verbose=0, metrics=[share, lambda o, t: 1, lambda o, t: np.float32(2)])
    assert found["share"] == pytest.approx(found["accuracy"])
    assert (found["metric"], found["val_metric_2"]) == ([1.0], [2.0])


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (
            (X * 1000)[:, None],
            Y,
            "fit: x runs from .* to .*, and large numbers train badly: preprocess='dataset' standardizes",
        ),
        (X, (Y > 0) * 1.0, "fit: y has floats 0 and 1, which are taken as regression targets: give y.astype"),
    ],
)
def test_large_numbers_get_a_warning_at_the_users_line(x, y, words):
    model = pn.Sequential(pn.Flatten(), pn.Dense(3 if y.dtype.kind == "i" else 1))
    with pytest.warns(UserWarning, match=words) as told:
        pn.fit(model, (x, y), epochs=1, verbose=0)
    assert [warning.filename for warning in told] == [__file__]
    pn.fit(pn.Sequential(pn.Dense(3)), (X * 1000, Y), epochs=1, verbose=0)


def test_four_examples_are_all_trained_on(capsys):
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    model = pn.Sequential(pn.Dense(8, "tanh"), pn.Dense(1))
    pn.fit(model, (x, x[:, 0] ^ x[:, 1]), epochs=200, learning_rate=0.1)
    assert "4 train, no validation (too few examples to hold any out)" in capsys.readouterr().out
    assert (pn.predict(model, x)[:, 0] > 0.5).tolist() == [False, True, True, False]


def test_small_words_may_be_bytes():
    x = np.arange(60, dtype=np.uint8).reshape(20, 3) % 7
    model, again = words(), words()
    assert pn.fit(model, (x, Y), epochs=1, verbose=0).fingerprint == (
        pn.fit(again, (x.astype(np.int64), Y), epochs=1, verbose=0).fingerprint
    )
    assert np.array_equal(pn.predict(model, x), pn.predict(model, x.astype(np.int64)))
