"""Layers: their shapes, their parameters, what they refuse."""

import copy
import pickle

import numpy as np
import pytest

import pyneural as pn
from pyneural.layers.activations import ACTIVATIONS

IMAGES = (8, 10, 3)


def built(*stack: pn.Layer, shape=IMAGES, **options) -> pn.Sequential:
    model = pn.Sequential(*stack, **options)
    model.build(shape)
    return model


@pytest.mark.parametrize(
    "make",
    [
        lambda: pn.Conv2D(4, 3),
        lambda: pn.Conv2D(4, (3, 2), stride=(2, 1), padding="same", activation="relu"),
        lambda: pn.Conv2D(5, 3, padding=((1, 0), (2, 1)), bias=False, activation="softplus"),
        lambda: pn.DepthwiseConv2D(3),
        lambda: pn.DepthwiseConv2D(
            (3, 2), multiplier=2, stride=(2, 1), padding="same", activation="softplus", bias=False
        ),
        lambda: pn.MaxPool2D(2),
        lambda: pn.MaxPool2D(3, stride=1, padding="same"),
        lambda: pn.AvgPool2D(2, stride=(1, 2)),
        lambda: pn.GlobalAvgPool2D(),
        lambda: pn.BatchNorm(activation="tanh"),
        lambda: pn.Dropout(0.4),
        lambda: pn.Flatten(),
        lambda: pn.Activation("softmax"),
        lambda: pn.LayerNorm(),
        lambda: pn.Reshape((5, -1, 6)),
        lambda: pn.Conv2D(2, 1, activation="gelu_tanh"),
        lambda: pn.Conv2D(2, 1, activation="elu"),
    ],
)
def test_the_shape_inferred_in_build_is_the_shape_computed(make):
    model = built(make())
    x = np.random.default_rng(1).normal(size=(4, *IMAGES)).astype(np.float32)
    for training in (False, True):
        y = model(x, training=training)
        assert y.shape == (4, *model.output_shape)
        assert np.all(np.isfinite(y.numpy()))


def test_dense_is_x_times_weight_plus_bias():
    model = built(pn.Dense(3, "relu"), shape=(5,))
    layer = model["dense_1"]
    layer.bias = [0.5, -0.5, 0.0]
    x = np.random.default_rng(2).normal(size=(7, 5)).astype(np.float32)
    expected = np.maximum(x @ layer.weight.numpy() + layer.bias.numpy(), 0)
    np.testing.assert_allclose(model(x).numpy(), expected, rtol=1e-5, atol=1e-6)  # one float32 sum of 5


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_an_activation_in_a_layer_equals_one_after_it(activation):
    inside, outside = (
        built(pn.Dense(6, activation), shape=(4,)),
        built(pn.Dense(6), pn.Activation(activation), shape=(4,)),
    )
    outside["dense_1"].weight = inside["dense_1"].weight
    x = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_allclose(inside(x).numpy(), outside(x).numpy(), rtol=1e-6, atol=1e-6)  # fused: another rounding


def test_a_depthwise_convolution_is_one_of_each_channel():
    model = built(pn.DepthwiseConv2D(3, multiplier=2, padding="same", activation="relu"), pn.MaxPool2D(2))
    layer = model["depthwise_conv2d_1"]
    layer.bias = np.arange(6) / 10
    x = np.random.default_rng(2).normal(size=(2, *IMAGES)).astype(np.float32)
    alone = [
        pn.ops.conv2d(x[..., c : c + 1], layer.weight.numpy()[:, :, c : c + 1], layer.bias.numpy()[2 * c : 2 * c + 2],
                      padding="same", activation="relu", pool=2).numpy()
        for c in range(3)
    ]  # fmt: skip
    np.testing.assert_allclose(model(x).numpy(), np.concatenate(alone, axis=-1), rtol=1e-5, atol=1e-6)
    assert np.array_equal(pn.files.loads(pn.files.dumps(model))(x), model(x))
    assert str(model).startswith("8x10x3-2d3-p2 | relu")


@pytest.mark.parametrize(("init", "fan"), [("auto", 9), ("he_normal", 9), ("glorot_uniform", (9 + 18) / 2)])
def test_a_depthwise_weight_starts_by_what_one_channel_reads_and_feeds(init, fan):
    model = built(pn.DepthwiseConv2D(3, multiplier=2, init=init), shape=(5, 5, 400))
    spread = model["depthwise_conv2d_1"].weight.numpy().std()
    np.testing.assert_allclose(spread, np.sqrt((1 if "glorot" in init else 2) / fan), rtol=0.03)  # 7,200 draws


def test_batch_norm_normalises_in_training_and_remembers():
    model = built(pn.BatchNorm(momentum=0.5))
    x = np.random.default_rng(4).normal(3, 2, size=(16, *IMAGES)).astype(np.float32)
    y = model(x, training=True).numpy()
    np.testing.assert_allclose(y.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(0, 1, 2)), 1, atol=1e-4)
    np.testing.assert_allclose(model["batch_norm_1"].running_mean.numpy(), 0.5 * x.mean(axis=(0, 1, 2)), rtol=1e-4)


def test_a_frozen_batch_norm_keeps_its_statistics():
    model = built(pn.BatchNorm())
    model["batch_norm_1"].trainable = False
    x = np.random.default_rng(4).normal(3, 2, size=(16, *IMAGES)).astype(np.float32)
    y = model(x, training=True).numpy()
    np.testing.assert_allclose(y, x / np.sqrt(1 + 1e-5), rtol=1e-5)
    assert np.all(model["batch_norm_1"].running_mean.numpy() == 0)


def test_layer_norm_normalises_each_row():
    model = built(pn.LayerNorm(epsilon=1e-6), shape=(12,))
    x = np.random.default_rng(4).normal(3, 2, size=(5, 12)).astype(np.float32)
    model["layer_norm_1"].beta = 0.5
    for training in (True, False):
        y = model(x, training=training).numpy()
        np.testing.assert_allclose(y.mean(axis=1), 0.5, atol=1e-5)
        np.testing.assert_allclose(y.std(axis=1), 1, atol=1e-4)


def test_gelu_comes_in_two_forms():
    x = np.linspace(-3, 3, 50, dtype=np.float32).reshape(-1, 1)
    exact, tanh = (built(pn.Activation(name), shape=(1,))(x).numpy() for name in ("gelu", "gelu_tanh"))
    np.testing.assert_allclose(exact, tanh, atol=5e-4)  # the tanh form is off by 4.7e-4 at most
    assert np.any(exact != tanh)
    assert np.array_equal(tanh, pn.ops.gelu(x, approximate="tanh").numpy())


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.float32, np.float64])
def test_embedding_takes_whole_numbers_of_any_kind(dtype):
    model = built(pn.Embedding(7, 3), shape=(2, 2))
    numbers = np.array([[[0, 6], [3, 3]]], dtype)
    expected = model["embedding_1"].weight.numpy()[numbers.astype(int)]
    assert np.array_equal(model(numbers).numpy(), expected)
    assert np.array_equal(model.call(pn.tensor(numbers), training=True).numpy(), expected)


def test_embedding_learns_from_integers():
    generator = np.random.default_rng(6)
    x = generator.integers(0, 20, size=(600, 5))
    y = (x % 2).sum(axis=1) > 2  # how many are odd: a number's size does not tell
    model = pn.Sequential(pn.Embedding(20, 4), pn.Flatten(), pn.Dense(1))
    history = pn.fit(model, (x, y.astype(int)), epochs=30, batch_size=16, learning_rate=0.02, verbose=0)
    assert history["val_accuracy"][-1] > 0.9
    assert pn.predict(model, x).shape == (600, 1)
    again = pn.files.loads(pn.files.dumps(model))
    assert np.array_equal(pn.predict(again, x), pn.predict(model, x))


def test_embedding_has_right_gradients_and_x_has_none():
    model = pn.Sequential(pn.Embedding(5, 3), pn.Flatten(), pn.Dense(2), dtype="float64")
    errors = pn.check_gradients(model, [[0, 1], [1, 4], [1, 1]], [0, 1, 1], verbose=0)
    assert list(errors) == list(model.parameters)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([[0, 7]], "embedding_1: x must be in 0..6, but runs from 0 to 7"),
        ([[-1, 0]], "embedding_1: x must be in 0..6, but runs from -1 to 0"),
        ([[0.25, 0]], "embedding_1: x has numbers that are not whole: give the numbers of words or classes, 0..6"),
        ([[np.inf, 0]], "embedding_1: x must be in 0..6"),
        ([[np.nan, 0]], "embedding_1: x has numbers that are not whole"),
    ],
)
def test_embedding_refuses_other_numbers(numbers, words):
    with pytest.raises(ValueError, match=words):
        built(pn.Embedding(7, 3), shape=(2,))(np.array(numbers))


def test_shapes_can_be_empty_batches():
    x = np.zeros((0, 4, 3), np.float32)
    assert built(pn.Flatten(), pn.Reshape((2, -1)), shape=(4, 3))(x).shape == (0, 2, 6)


def test_dropout_keeps_the_mean_and_two_layers_differ():
    model = built(pn.Dropout(0.25), shape=(4000,))
    y = model(np.ones((1, 4000), np.float32), training=True).numpy()
    np.testing.assert_allclose(np.unique(y), [0, 4 / 3], rtol=1e-6)
    assert abs(y.mean() - 1) < 0.04  # 4 deviations of a mean of 4,000
    two = built(pn.Dropout(0.5), pn.Dropout(0.5), shape=(4000,))
    kept = (two(np.ones((1, 4000), np.float32), training=True).numpy() > 0).mean()
    assert abs(kept - 0.25) < 0.03, "two layers with the same mask would keep a half"


def test_dropout_draws_a_new_mask_at_each_call_and_none_in_inference():
    model = built(pn.Dropout(0.5), shape=(100,))
    x = np.ones((2, 100), np.float32)
    assert np.any(model(x, training=True).numpy() != model(x, training=True).numpy())
    assert np.array_equal(model(x).numpy(), x)


def test_a_custom_layer_trains_and_is_saved():
    class Scale(pn.Layer):
        def __init__(self, start=1.0):
            self.start = start

        def build(self, shape):
            self.factor = self.parameter("gain", shape[-1:], self.start)

        def call(self, x, *, training):
            return x * self.factor

    model = built(Scale(2.0), pn.Dense(1), shape=(3,))
    assert np.array_equal(model["scale_1"].gain.numpy(), [2, 2, 2])
    x = np.random.default_rng(5).normal(size=(64, 3)).astype(np.float32)
    pn.fit(model, (x, x.sum(axis=1)), epochs=1, verbose=0)
    assert np.any(model["scale_1"].gain.numpy() != 2), "an alias of a parameter must follow it into the block"
    again = pn.files.loads(pn.files.dumps(model), layers=[Scale])
    assert again.fingerprint() == model.fingerprint()
    assert again["scale_1"].start == 2.0


def test_a_composite_layer_names_what_is_inside():
    class Residual(pn.Layer):
        def __init__(self, units):
            self.units = units
            self.first, self.second = pn.Dense(units, "relu"), pn.Dense(units)

        def call(self, x, *, training):
            return x + self.second(self.first(x), training=training)

    model = built(pn.Dense(4), Residual(4), Residual(4), shape=(3,))
    assert list(model.parameters)[2:4] == ["residual_1/dense_1/weight", "residual_1/dense_1/bias"]
    assert model["residual_2/dense_2"].weight.shape == (4, 4)
    again = pn.files.loads(pn.files.dumps(model), layers=[Residual])
    assert again.fingerprint() == model.fingerprint()


def test_dropout_of_a_model_inside_a_custom_layer_follows_the_outer_training():
    class Block(pn.Layer):
        def __init__(self):
            self.inside = pn.Sequential(pn.Dense(4, "tanh"), pn.Dropout(0.5))

        def call(self, x, *, training):
            return x + self.inside(x, training=training)

    model = pn.Sequential(Block(), pn.Dense(2), dtype="float64")
    x = np.random.default_rng(7).normal(size=(6, 4))
    pn.check_gradients(model, x, [0, 1, 0, 1, 1, 0], verbose=0)  # the same mask at each of its calls


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: pn.Dense(0), ValueError, "units is 0: give a whole number"),
        (lambda: pn.Dense(2.5), ValueError, "units is 2.5"),
        (lambda: pn.Dense(3, "rellu"), ValueError, "activation 'rellu'? did you mean 'relu'"),
        (lambda: pn.Dense(3, 1.5), TypeError, "give a name"),
        (lambda: pn.Conv2D(3, 0), ValueError, "size is 0"),
        (lambda: pn.Conv2D(3, 3, stride=0), ValueError, "stride is 0"),
        (lambda: pn.Conv2D(3, 3, padding="some"), ValueError, "did you mean 'same'"),
        (lambda: pn.Dropout(1.0), ValueError, "rate is 1.0"),
        (lambda: pn.Dropout(-0.1), ValueError, "rate is -0.1"),
        (lambda: pn.BatchNorm(momentum=1.0), ValueError, "momentum is 1.0"),
        (lambda: pn.Activation("swish"), ValueError, "activation 'swish'"),
        (lambda: pn.LayerNorm(epsilon=0), ValueError, "epsilon is 0: give a number above 0"),
        (lambda: built(pn.LayerNorm(), shape=()), ValueError, "layer_norm_1: x is (n,): it needs features"),
        (lambda: pn.Embedding(0, 3), ValueError, "vocabulary is 0"),
        (lambda: pn.Embedding(3, 2.5), ValueError, "units is 2.5"),
        (lambda: pn.Embedding(2**24 + 1, 3), ValueError, "at most 16,777,216 numbers are exact"),
        (lambda: pn.Reshape(12), TypeError, "shape is 12: give a tuple without the batch axis"),
        (lambda: pn.Reshape((-1, -1)), ValueError, "-1 at most once"),
        (lambda: pn.Reshape((0, 3)), ValueError, "shape is (0, 3): give positive whole numbers"),
        (lambda: built(pn.Reshape((5, 2)), shape=(9,)), ValueError, "reshape_1: x is (n, 9), 9 values per example"),
        (lambda: built(pn.Reshape((-1, 2)), shape=(9,)), ValueError, "which do not fit shape (-1, 2)"),
        (lambda: pn.Dense(3, name="a/b"), ValueError, "without '/'"),
        (lambda: built(pn.Dense(3), shape=(12, 12, 16)), ValueError, "dense_1: x is (n, 12, 12, 16); put pn.Flatten()"),
        (lambda: built(pn.Dense(3), shape=()), ValueError, "it needs features"),
        (lambda: built(pn.Conv2D(3, 3), shape=(12,)), ValueError, "Conv2D needs images, (n, height, width, channels)"),
        (lambda: built(pn.Conv2D(3, 30)), ValueError, "conv2d_1: "),
        (lambda: built(pn.Dense(3, init="he"), shape=(2,)), ValueError, "did you mean 'he_"),
        (lambda: pn.Dense(3).weight, AttributeError, "build the model first"),
        (lambda: pn.Dense(3)(pn.tensor([[1.0]])), RuntimeError, "put it into a pn.Sequential"),
    ],
)
def test_what_a_layer_refuses(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


def test_parameters_can_only_be_declared_in_build():
    with pytest.raises(RuntimeError, match="declared in build"):
        pn.Layer().parameter("weight", (3,))


@pytest.mark.parametrize("name", sorted(pn.initializers.NAMES))
def test_each_initializer_fills_as_it_says(name):
    model = built(pn.Dense(300, init=name), shape=(200,), seed=1)
    w = model["dense_1"].weight.numpy()
    deviation = {
        "he_uniform": np.sqrt(2 / 200), "he_normal": np.sqrt(2 / 200), "glorot_uniform": np.sqrt(2 / 500),
        "glorot_normal": np.sqrt(2 / 500), "normal": 0.05, "uniform": 0.05 / np.sqrt(3), "zeros": 0, "ones": 0,
    }[name]  # fmt: skip
    assert abs(w.std() - deviation) <= 0.02 * deviation  # 60,000 draws: 0.3 % is one deviation
    assert abs(w.mean() - (name == "ones")) <= 0.02 * deviation


def test_a_custom_layer_may_give_its_attributes_any_name(rings):
    class Own(pn.Layer):
        def __init__(self, *, name=None):
            super().__init__(name=name)
            self._path, self._built, self._trainable, self._shapes = "here", False, None, "round"
            self._specs = self._tensors = self._held = self._nodes = None
            self.inner = pn.Dense(8, "relu")

        def build(self, shape):
            self.parameter("factor", (8,), "ones")

        def call(self, x, *, training):
            return self.inner(x) * self.factor

    model = pn.Sequential(Own(), pn.Dropout(0.1), pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    again = pn.files.loads(pn.files.dumps(model), layers=[Own])
    assert again.fingerprint() == model.fingerprint()
    assert model["own_1"]._path == "here"


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
@pytest.mark.parametrize("used", [False, True])
def test_a_layer_without_values_is_copied_as_a_new_one(rings, how, used):
    layer = pn.Dense(8, "relu", bias=False)
    layer.trainable = False
    if used:
        layer(pn.Input((2,)))
    again = how(layer)
    assert again.config() == layer.config()
    assert not again.trainable
    model = pn.Sequential(layer, again, how(pn.BatchNorm()), pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    assert [one.kind for one in model.layers] == ["dense", "dense", "batch_norm", "dense"]
    assert layer.weight.shape == (2, 8)
    assert again.weight.shape == (8, 8)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_layer_with_values_is_copied_with_its_model_only(rings, how):
    """A shallow copy shared the original's record: a model of the copy took the original's parameters away."""
    model = pn.Sequential(pn.Dense(8, "relu"), pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    with pytest.raises(TypeError, match=r"^dense_1: a layer that has values is copied .* with its model: copy"):
        how(model["dense_1"])
    assert copy.deepcopy(model)["dense_1"].weight.shape == (2, 8)


def test_a_layer_built_by_hand_inside_another_raises_a_clear_error():
    class Inner(pn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.dense = pn.Dense(4)

        def build(self, shape):
            self.dense.build(shape)

        def call(self, x, *, training):
            return self.dense(x)

    with pytest.raises(ValueError, match=r"'weight' is not an identifier, or is taken \(only a model calls build\)"):
        pn.Sequential(Inner(), pn.Dense(3)).build((4,))
