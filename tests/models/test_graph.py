"""Functional graphs: nodes, shapes, sharing, heads, logits, files, gradients, and everything that is refused."""

import copy
import json
import pickle
import struct

import numpy as np
import pytest

import pyneural as pn
from pyneural.files import safetensors as files
from pyneural.layers import joins

IMAGES = (8, 8, 2)


def draw(shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def residual(**options) -> pn.Model:
    """A residual network with a convolution shared by two places, and a dense layer by two more."""
    x = pn.Input(IMAGES)
    h = pn.Conv2D(3, 3, padding="same", activation="tanh")(x)
    shared = pn.Conv2D(3, 3, padding="same", bias=False)
    h = pn.BatchNorm(activation="tanh")(shared(h)) + h
    h = pn.Concatenate()(h, pn.BatchNorm()(shared(h), h) * 0.5)
    h = pn.LayerNorm()(pn.GlobalAvgPool2D()(h))
    twice = pn.Dense(6, "gelu")
    return pn.Model(x, pn.Dense(3)(twice(twice(h)) - h / 2.0), **options)


def two_heads(**options) -> pn.Model:
    x = pn.Input(IMAGES)
    h = pn.Dense(8, "relu")(pn.Flatten()(x))
    return pn.Model(x, {"top": pn.Dense(4, "softmax")(h), "bottom": pn.Dense(1)(h)}, **options)


# ---- random graphs


def random_graph(seed: int) -> tuple[pn.Model, dict[str, pn.Node]]:
    """A graph of 6 to 20 layers of all kinds, every node of which is an output."""
    generator = np.random.default_rng(seed)
    size, channels = int(generator.integers(5, 11)), int(generator.integers(1, 5))
    x = pn.Input((size, size, channels))
    nodes, shared = [x], {}

    def pick(rank: int) -> pn.Node | None:
        found = [node for node in nodes if len(node.shape) == rank]
        return found[generator.integers(len(found))] if found else None

    def like(node: pn.Node, axes: slice) -> pn.Node:
        found = [
            other for other in nodes if other.shape[axes] == node.shape[axes] and len(other.shape) == len(node.shape)
        ]
        return found[generator.integers(len(found))]

    def units() -> int:
        return int(generator.integers(1, 6))

    image = {
        "conv": lambda n: pn.Conv2D(
            units(), min(3, *n.shape[:2]), padding="same", stride=int(generator.integers(1, 3))
        )(n),
        "valid": lambda n: pn.Conv2D(units(), (min(2, n.shape[0]), 1), activation="relu")(n),
        "shared": lambda n: shared.setdefault(n.shape[-1], pn.Conv2D(n.shape[-1], 3, padding="same"))(n),
        "max": lambda n: pn.MaxPool2D(min(2, *n.shape[:2]))(n),
        "average": lambda n: pn.AvgPool2D(2, stride=1, padding="same")(n),
        "norm": lambda n: pn.BatchNorm(activation="relu")(n),
        "residual": lambda n: pn.BatchNorm()(n, like(n, slice(None))),
        "layer": lambda n: pn.LayerNorm()(n),
        "add": lambda n: n + like(n, slice(None)),
        "multiply": lambda n: pn.Multiply()(n, like(n, slice(None)), n),
        "divide": lambda n: 1.0 - n / 3,
        "join": lambda n: pn.Concatenate()(n, like(n, slice(0, 2))),
        "rows": lambda n: pn.Concatenate(axis=1)(n, n),
        "gate": lambda n: n * pn.Reshape((1, 1, -1))(pn.GlobalAvgPool2D()(n)),
        "flatten": lambda n: pn.Flatten()(n),
        "global": lambda n: pn.GlobalAvgPool2D()(n),
        "turn": lambda n: pn.Reshape((n.shape[1], -1, 1))(n),
    }
    vector = {
        "dense": lambda n: pn.Dense(units(), "gelu_tanh")(n),
        "again": lambda n: shared.setdefault(("dense", *n.shape), pn.Dense(n.shape[0]))(n),
        "dropout": lambda n: pn.Dropout(0.3)(n),
        "softmax": lambda n: pn.Activation("softmax")(n),
        "difference": lambda n: n - like(n, slice(None)),
        "side": lambda n: pn.Concatenate()(n, like(n, slice(0, 0))),
        "fold": lambda n: pn.Reshape((1, n.shape[0], 1))(n),
    }
    for _ in range(int(generator.integers(6, 21))):
        rank = 1 if pick(1) and generator.integers(2) else 3
        kinds = image if rank == 3 else vector
        nodes.append(kinds[list(kinds)[generator.integers(len(kinds))]](pick(rank)))
    heads = {f"node_{number}": node for number, node in enumerate(nodes[1:])}
    return pn.Model(x, heads, seed=seed), heads


def by_hand(node: pn.Node, x: pn.Tensor, known: dict[int, pn.Tensor]) -> pn.Tensor:
    """A node's value, by calling layer after layer."""
    if node.layer is None:
        return x
    if id(node) not in known:
        known[id(node)] = node.layer.call(*(by_hand(n, x, known) for n in node.inputs), training=False)
    return known[id(node)]


@pytest.mark.parametrize("seed", range(50))
def test_the_shapes_of_a_random_graph_are_those_it_computes(seed):
    model, nodes = random_graph(seed)
    assert model.output_shape == {name: node.shape for name, node in nodes.items()}
    x = draw((3, *model.input_shape), seed)
    for training in (True, False):
        for name, value in model(x, training=training).items():
            assert value.shape == (3, *nodes[name].shape), f"{name} of graph {seed}"
    values, known = model(x), {}
    for name, node in nodes.items():
        assert np.array_equal(values[name].numpy(), by_hand(node, pn.tensor(x), known).numpy()), (
            f"{name} of graph {seed}"
        )
    again = files.loads(files.dumps(model))
    assert again.fingerprint() == model.fingerprint()
    assert list(again.output_shape) == list(nodes), "the order of the heads"
    for name, value in again(x).items():
        assert np.array_equal(value.numpy(), values[name].numpy()), f"{name} of graph {seed} after loading"
    last = list(nodes)[-1]
    alone = pn.Model(model.input, nodes[last])
    assert np.array_equal(alone(x).numpy(), values[last].numpy()), f"graph {seed}: slots are given away too early"


# ---- what a graph computes


def test_a_chain_of_nodes_is_a_sequential():
    x = pn.Input(IMAGES)
    h = pn.Dense(5, "relu")(pn.Flatten()(pn.MaxPool2D()(pn.Conv2D(4, 3)(x))))
    model = pn.Model(x, pn.Dense(3)(h))
    chain = pn.Sequential(pn.Conv2D(4, 3), pn.MaxPool2D(), pn.Flatten(), pn.Dense(5, "relu"), pn.Dense(3))
    for each in (model, chain):
        each.build(IMAGES, seed=5)
    assert model.fingerprint() == chain.fingerprint()
    assert [layer.name for layer in model.layers] == [layer.name for layer in chain.layers]
    inputs = draw((4, *IMAGES))
    assert np.array_equal(model(inputs).numpy(), chain(inputs).numpy())


def steps_of(model: pn.Model, x: np.ndarray) -> int:
    model(x)
    (plan,) = model.graph._plans.values()
    return len(plan.steps)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
@pytest.mark.parametrize("n", [3, 400])
def test_a_convolution_and_its_pooling_are_one_step_of_the_same_values(n, activation, training):
    model = pn.Sequential(pn.Conv2D(9, 3, activation=activation, padding="same"), pn.MaxPool2D((2, 3)), pn.Flatten())
    x = draw((n, 20, 21, 2))
    assert steps_of(model, x) == 2
    with pn.no_grad():
        assert np.array_equal(model(x, training=training), ops_by_hand(model, x))


def ops_by_hand(model: pn.Model, x: np.ndarray) -> np.ndarray:
    convolution = model["conv2d_1"]
    activation, padding = convolution.activation, convolution.padding
    y = pn.ops.conv2d(x, convolution.weight, convolution.bias, activation=activation, padding=padding)
    return pn.ops.max_pool2d(y, size=model["max_pool2d_1"].size).numpy().reshape(len(x), -1)


class OwnConvolution(pn.Conv2D):
    """A custom convolution, which may do something else."""


def pool_of_twice(x: pn.Node) -> dict[str, pn.Node]:
    h = pn.Conv2D(2, 3)(x)
    return {"a": pn.MaxPool2D()(h), "b": pn.GlobalAvgPool2D()(h)}


def pool_of_an_output(x: pn.Node) -> dict[str, pn.Node]:
    h = pn.Conv2D(2, 3)(x)
    return {"a": h, "b": pn.MaxPool2D()(h)}


@pytest.mark.parametrize(
    ("make", "steps"),
    [
        (lambda x: pn.MaxPool2D()(pn.Conv2D(2, 3)(x)), 1),
        (lambda x: pn.MaxPool2D(3, stride=3)(pn.Conv2D(2, 3)(x)), 1),
        (lambda x: pn.MaxPool2D(3, stride=2)(pn.Conv2D(2, 3)(x)), 2),
        (lambda x: pn.MaxPool2D(padding="same")(pn.Conv2D(2, 3)(x)), 2),
        (lambda x: pn.AvgPool2D()(pn.Conv2D(2, 3)(x)), 2),
        (lambda x: pn.MaxPool2D()(pn.Conv2D(2, 3, activation="gelu")(x)), 2),
        (lambda x: pn.MaxPool2D()(OwnConvolution(2, 3)(x)), 2),
        (pool_of_twice, 3),
        (pool_of_an_output, 2),
    ],
)
def test_what_a_pooling_does_not_join_stays_a_step_of_its_own(make, steps):
    x = pn.Input(IMAGES)
    assert steps_of(pn.Model(x, make(x)), draw((2, *IMAGES))) == steps


def test_layers_are_named_in_the_order_in_which_they_were_called():
    x = pn.Input((4,))
    first, second = pn.Dense(3)(x), pn.Dense(3)(x)
    model = pn.Model(x, pn.Dense(2)(second + first))
    assert first.layer.name == "dense_1"
    assert second.layer.name == "dense_2"
    assert [layer.name for layer in model.layers] == ["dense_1", "dense_2", "add_1", "dense_3"]


def test_a_node_shows_its_layer_and_shape():
    x = pn.Input((28, 28, 1))
    assert repr(x) == "<Node of input (n, 28, 28, 1)>"
    assert repr(pn.Conv2D(16, 3)(x)) == "<Node of conv2d (n, 26, 26, 16)>"
    assert repr(pn.Dense(3, name="head")(pn.Flatten()(x))) == "<Node of head (n, 3)>"
    assert x.shape == (28, 28, 1)


@pytest.mark.parametrize(
    ("of_nodes", "of_arrays"),
    [
        (lambda a, b: a + b, lambda a, b: a + b),
        (lambda a, b: a - b, lambda a, b: a - b),
        (lambda a, b: a * b, lambda a, b: a * b),
        (lambda a, b: a / (b * b + 1), lambda a, b: a / (b * b + 1)),
        (lambda a, b: -a + 3, lambda a, b: -a + 3),
        (lambda a, b: 1 - a, lambda a, b: 1 - a),
        (lambda a, b: 2 / (3 + a * a), lambda a, b: 2 / (3 + a * a)),
        (lambda a, b: np.float32(0.5) * a - np.int64(2), lambda a, b: 0.5 * a - 2),
        (lambda a, b: pn.Add()([a, b, a]), lambda a, b: a + b + a),
        (lambda a, b: pn.Multiply()(a, b, b), lambda a, b: a * b * b),
        (lambda a, b: pn.Concatenate()([b, a]), lambda a, b: np.concatenate([b, a], axis=-1)),
    ],
)
def test_arithmetic_on_nodes_is_arithmetic_on_their_values(of_nodes, of_arrays):
    x = pn.Input((5,))
    a, b = pn.Activation("tanh")(x), pn.Activation("sigmoid")(x)
    model = pn.Model(x, of_nodes(a, b))
    values = draw((3, 5))
    left, right = pn.ops.tanh(values).numpy(), pn.ops.sigmoid(values).numpy()
    np.testing.assert_allclose(model(values).numpy(), of_arrays(left, right), rtol=1e-6, atol=1e-7)  # float32 rounding


def test_a_shared_layer_has_one_set_of_parameters_and_both_gradients():
    model = residual()
    assert [path for path in model.parameters if path.startswith(("conv2d_2", "dense_1"))] == [
        "conv2d_2/weight", "dense_1/weight", "dense_1/bias",
    ]  # fmt: skip
    x = pn.Input((2,))
    layer = pn.Dense(2, bias=False)
    small = pn.Model(x, layer(layer(x)))
    small.build((2,))
    small["dense_1"].weight = [[2.0, 0.0], [0.0, 3.0]]
    small(np.ones((1, 2), np.float32), training=True).sum().backward()
    assert np.array_equal(layer.weight.grad.numpy(), [[4, 5], [5, 6]])  # of both places: 2 w_ii = 4, 6; w_11 + w_22 = 5


def test_gradients_of_a_residual_graph_with_shared_layers_are_right():
    model = residual(dtype="float64")
    errors = pn.check_gradients(model, draw((4, *IMAGES), 1, np.float64), [0, 1, 2, 1], verbose=0)
    assert set(errors) == {*model.parameters, "x"}


def test_batch_norm_adds_a_residual_before_its_activation():
    x = pn.Input(IMAGES)
    norm, again = pn.BatchNorm(activation="relu", name="norm"), pn.BatchNorm(name="norm")
    h = pn.Activation("tanh")(x)
    models = pn.Model(x, norm(x, h)), pn.Model(x, pn.Activation("relu")(again(x) + h))
    for training in (True, True, False):
        for left, right in zip(*(passes(model, training) for model in models), strict=True):
            np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-5)  # one op rounds once less than three
    assert models[0].fingerprint() == models[1].fingerprint()


def passes(model: pn.Model, training: bool) -> list[np.ndarray]:
    """The output for fixed inputs, and all gradients of the sum of its squares."""
    given = pn.tensor(draw((16, *model.input_shape)), requires_grad=True)
    y = model(given, training=training)
    (y * y).sum().backward()
    return [y.numpy(), given.grad.numpy(), *(p.grad.numpy() for p in model.parameters.values())]


def test_custom_layers_can_have_two_inputs():
    class Mix(pn.Layer):
        def build(self, shape, other):
            self.parameter("share", (shape[-1],), 0.25)

        def call(self, x, y, *, training):
            return x * self.share + y * (1.0 - self.share)

    x = pn.Input((3,))
    model = pn.Model(x, pn.Dense(1)(Mix()(x, pn.Dense(3)(x))))
    model.build((3,))
    assert np.array_equal(model["mix_1"].share.numpy(), [0.25] * 3)
    again = files.loads(files.dumps(model), layers=[Mix])
    assert np.array_equal(again(np.eye(3)).numpy(), model(np.eye(3)).numpy())


def test_models_are_layers_of_graphs_and_can_be_shared_there():
    branch = pn.Sequential(pn.Flatten(), pn.Dense(5, "relu"), name="branch")
    inner = pn.Input((5,))
    head = pn.Model(inner, pn.Dense(2)(inner) + pn.Dense(2)(inner), name="head")
    x = pn.Input(IMAGES)
    model = pn.Model(x, head(branch(x) + branch(pn.Activation("tanh")(x))))
    model.build(IMAGES)
    assert list(model.parameters) == [
        f"{path}/{what}" for path in ("branch/dense_1", "head/dense_1", "head/dense_2") for what in ("weight", "bias")
    ]
    values = draw((3, *IMAGES))
    expected = branch(values).numpy() + branch(np.tanh(values)).numpy()
    np.testing.assert_allclose(model(values).numpy(), head(expected).numpy(), rtol=1e-5, atol=1e-6)  # tanh of NumPy
    again = pickle.loads(pickle.dumps(model))
    assert again.fingerprint() == model.fingerprint()
    assert np.array_equal(again(values).numpy(), model(values).numpy())


# ---- parts of models


@pytest.mark.parametrize("functional", [True, False])
def test_a_part_of_a_model_shares_its_weights(functional):
    layers = [pn.Conv2D(4, 3), pn.Conv2D(5, 3), pn.Flatten(), pn.Dense(3)]
    if functional:
        x = node = pn.Input(IMAGES)
        for layer in layers:
            node = layer(node)
        model = pn.Model(x, node)
    else:
        model = pn.Sequential(*layers)
    model.build(IMAGES)
    part = pn.Model(model.input, model["conv2d_2"].output)
    assert part.output_shape == (4, 4, 5)
    assert [layer.name for layer in part.layers] == ["conv2d_1", "conv2d_2"]
    inputs = draw((2, *IMAGES))
    before = part(inputs).numpy().copy()
    model["conv2d_2"].weight = 2 * model["conv2d_2"].weight.numpy()
    np.testing.assert_allclose(part(inputs).numpy(), 2 * before, rtol=1e-5, atol=1e-6)  # float32 sums of 36
    optimizer = pn.SGD(model, learning_rate=0.1)
    model(inputs, training=True).sum().backward()
    part(inputs)
    optimizer.step()  # looking at features does not take the parameters away from a training
    assert np.any(part(inputs).numpy() != 2 * before)
    tail = pn.Model(model["conv2d_2"].output, model.output)
    np.testing.assert_allclose(tail(part(inputs)).numpy(), model(inputs).numpy(), rtol=1e-6)


def test_a_part_takes_the_dtype_of_its_layers():
    model = pn.Sequential(pn.Dense(3), pn.Dense(2), dtype="float64")
    model.build((4,))
    part = pn.Model(model.input, model["dense_1"].output)
    assert part(np.ones((1, 4))).dtype == "float64"
    with pytest.raises(
        ValueError, match="dtype is 'float32', but layers in it already have float64 values: omit dtype"
    ):
        pn.Model(model.input, model["dense_1"].output, dtype="float32")
    other = pn.Sequential(pn.Dense(3), name="other")
    other.build((4,))
    with pytest.raises(ValueError, match="some of its layers have float32 values and some float64"):
        pn.Model(model.input, model["dense_1"].output + other["dense_1"](model.input))


def test_a_new_head_on_frozen_features_trains_alone(rings):
    base = pn.Sequential(pn.Dense(16, "relu"), pn.Dense(3))
    pn.fit(base, rings, epochs=1, verbose=0)
    model = pn.Model(base.input, pn.Dense(3, name="new")(base["dense_1"].output))
    base["dense_1"].trainable = False
    kept = np.array(base["dense_1"].weight)
    pn.fit(model, rings, epochs=1, verbose=0)
    assert np.array_equal(np.asarray(model["dense_1"].weight), kept)
    assert np.any(np.asarray(model["new"].bias) != 0)


def test_graphs_train_with_fit(rings):
    x = pn.Input((2,))
    h = pn.Dense(32, "relu")(x)
    h = pn.Dropout(0.1)(pn.BatchNorm(activation="relu")(pn.Dense(32)(h), h))
    model = pn.Model(x, pn.Dense(3, "softmax")(h), seed=1)
    history = pn.fit(model, rings, epochs=12, batch_size=16, verbose=0)
    assert history["val_accuracy"][-1] > 0.9
    np.testing.assert_allclose(pn.predict(model, rings[0]).sum(axis=1), 1, rtol=1e-5)
    again = copy.deepcopy(model)
    assert np.array_equal(pn.predict(again, rings[0]), pn.predict(model, rings[0]))


def test_fit_gives_a_graph_the_weights_of_the_same_sequential(rings):
    layers = [pn.Dense(8, "relu"), pn.Dropout(0.2), pn.Dense(3)]
    x = node = pn.Input((2,))
    for layer in [pn.Dense(8, "relu"), pn.Dropout(0.2), pn.Dense(3)]:
        node = layer(node)
    graph, chain = pn.Model(x, node), pn.Sequential(*layers)
    first, second = (pn.fit(model, rings, epochs=2, seed=4, verbose=0).fingerprint for model in (graph, chain))
    assert first == second


def test_dropout_in_a_graph_has_a_stream_for_each_layer():
    x = pn.Input((4000,))
    model = pn.Model(x, {"one": pn.Dropout(0.5)(x), "two": pn.Dropout(0.5)(x)})
    y = model(np.ones((1, 4000), np.float32), training=True)
    kept = ((y["one"].numpy() > 0) & (y["two"].numpy() > 0)).mean()
    assert abs(kept - 0.25) < 0.03, "two layers with the same mask would keep a half"


# ---- heads and logits


def test_two_heads_give_dicts_in_their_order():
    model = two_heads()
    x = draw((3, *IMAGES))
    assert model.output_shape == {"top": (4,), "bottom": (1,)}
    assert list(model.output) == ["top", "bottom"]
    for found in (model(x), model.call(pn.tensor(x), training=False), model.logits(pn.tensor(x), training=True)):
        assert list(found) == ["top", "bottom"]
        assert [value.shape for value in found.values()] == [(3, 4), (3, 1)]
    np.testing.assert_allclose(model(x)["top"].numpy().sum(axis=1), 1, rtol=1e-6)


def test_logits_leave_out_a_final_softmax_head_by_head():
    model = two_heads()
    x = pn.tensor(draw((3, *IMAGES)))
    y, logits = model(x), model.logits(x, training=False)
    np.testing.assert_allclose(pn.ops.softmax(logits["top"]).numpy(), y["top"].numpy(), rtol=1e-6)
    assert np.array_equal(logits["bottom"].numpy(), y["bottom"].numpy())
    written = model.logits(x, training=False, written=frozenset(["top"]))
    assert np.array_equal(written["top"].numpy(), y["top"].numpy())


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "log_softmax"])
@pytest.mark.parametrize("way", ["dense", "layer", "nested", "nested layer", "norm"])
def test_a_final_activation_is_left_to_the_loss_wherever_it_is_written(activation, way):
    x = pn.Input((6,))
    h, wide = pn.Dense(5, "relu")(x), pn.Dense(4)
    end = {
        "dense": lambda: pn.Dense(4, activation)(h),
        "layer": lambda: pn.Activation(activation)(wide(h)),
        "nested": lambda: pn.Sequential(pn.Dense(3, "tanh"), pn.Dense(4, activation))(h),
        "nested layer": lambda: pn.Sequential(wide, pn.Sequential(pn.Activation(activation)))(h),
        "norm": lambda: pn.BatchNorm(activation=activation)(wide(h)),
    }[way]()
    after = getattr(pn.ops, activation)
    values = pn.tensor(draw((7, 6)))
    single, read = pn.Model(x, end), pn.Model(x, {"end": end, "next": pn.Dense(2)(end)})
    y, logits = single(values), single.logits(values, training=False)
    np.testing.assert_allclose(after(logits).numpy(), y.numpy(), rtol=1e-5, atol=1e-6)
    assert np.any(logits.numpy() != y.numpy())
    both, inner = read(values), read.logits(values, training=False)  # another layer reads what the head gives
    np.testing.assert_allclose(inner["end"].numpy(), logits.numpy(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(inner["next"].numpy(), both["next"].numpy(), rtol=1e-5, atol=1e-6)


def test_custom_logits_that_another_layer_would_miss_are_refused():
    class Odds(pn.Layer):
        def call(self, x, *, training):
            return pn.ops.exp(x)

        def logits(self, x, *, training):
            return x

    x = pn.Input((3,))
    end = Odds()(x)
    model = pn.Model(x, {"odds": end, "next": pn.Dense(2)(end)})
    with pytest.raises(ValueError, match="odds_1: other layers read its output, but the loss needs its logits"):
        model.logits(pn.tensor(np.eye(3, dtype=np.float32)), training=False)


# ---- memory


def test_predicting_holds_no_more_than_the_widest_place():
    x = node = pn.Input((512,))
    for _ in range(40):
        node = pn.Activation("tanh")(node) + node
    model = pn.Model(x, node)
    values = pn.tensor(draw((512, 512)))  # 1 MiB a value
    with pn.no_grad():
        model(values)
        assert model.graph._plans[frozenset([""])].slots == 2
        pn.set_memory_limit(pn.memory_stats()["live_bytes"] + 6 * 2**20)
        try:
            model(values)  # a value, its tanh and their sum take 4 MiB, all 80 would take 100
        finally:
            pn.set_memory_limit(0)


def test_a_graph_goes_when_its_model_goes():
    before = pn.memory_stats()["live_bytes"]
    model = residual()
    model(draw((2, *IMAGES)), training=True).sum().backward()
    del model  # no gc.collect(): models, layers and nodes make no cycle
    assert pn.memory_stats()["live_bytes"] == before


# ---- files


@pytest.mark.parametrize("make", [residual, two_heads, lambda **o: residual(dtype="float64", **o)])
def test_each_kind_comes_back_from_its_file(make, tmp_path):
    model = make(seed=3, name="mine")
    model.build(IMAGES)
    model.layers[0].trainable = False
    path = pn.save(model, tmp_path / "graph.safetensors")
    x = draw((2, *IMAGES))
    for again in (pn.load(path), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert type(again) is pn.Model
        assert again.name == "mine"
        assert again.fingerprint() == model.fingerprint()
        assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
        assert [layer.trainable for layer in again.layers] == [layer.trainable for layer in model.layers]
        values, expected = again(x), model(x)
        for name in expected if isinstance(expected, dict) else [None]:
            left, right = (y if name is None else y[name] for y in (values, expected))
            assert np.array_equal(left.numpy(), right.numpy())
    assert files.dumps(pn.load(path)) == path.read_bytes()


def test_a_layer_shared_between_a_model_and_one_inside_it_stays_shared_in_a_file():
    shared = pn.Dense(4, "tanh")
    model = pn.Sequential(shared, pn.Sequential(shared, pn.Dense(4)), shared)
    model.build((4,))
    again = files.loads(files.dumps(model))
    assert again.fingerprint() == model.fingerprint()
    assert again.layers[0] is again["sequential_1"].layers[0]
    assert np.array_equal(again(np.eye(4)).numpy(), model(np.eye(4)).numpy())


def test_layers_that_cannot_be_saved_raise_an_error_when_saving():
    class Around(pn.Layer):
        def __init__(self, layer=None):
            self.layer = layer

        def call(self, x, *, training):
            return self.layer(x)

        def config(self):
            return {}

    shared = pn.Dense(4)
    model = pn.Sequential(shared, Around(shared))
    model.build((4,))
    with pytest.raises(TypeError, match="dense_1: it is inside a custom layer and also used elsewhere"):
        files.dumps(model)


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": 3}, {"nodes": []}, {"nodes": [[0, [0]]]}, {"nodes": [[0, [5]], [1, [1]]]}, {"nodes": [[9, [0]]]},
        {"nodes": [[0, []], [1, [1]]]}, {"nodes": [[0, [-1]]]}, {"nodes": [[True, [0]]]}, {"nodes": [[0, [0, 0]]]},
        {"nodes": [["0", ["0"]]]}, {"input": [3]}, {"input": [8, 8, 0]}, {"input": None}, {"input": [10**12] * 3},
        {"outputs": 99}, {"outputs": 0}, {"outputs": []}, {"outputs": None}, {"outputs": [["a b", 1]]},
        {"outputs": {"top": 1}}, {"layers": []}, {"layers": [{"same": "/nothing"}]}, {"kind": "Sequential"},
        {"kind": "Dense"}, {"config": {"dtype": "float16"}}, {"config": {"inputs": 1}}, {"config": None},
    ],
)  # fmt: skip
def test_a_damaged_graph_raises_a_clear_error(change):
    model = two_heads()
    model.build(IMAGES)
    with pytest.raises(ValueError, match=r"model: (its description of the model is damaged|tensor .* in the file)"):
        files.loads(rewritten(files.dumps(model), lambda architecture: architecture.update(change)))


def rewritten(data: bytes, change) -> bytes:
    """A model's file after a change to its architecture."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header["__metadata__"]["pyneural"])
    change(description["architecture"])
    header["__metadata__"]["pyneural"] = json.dumps(description)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def test_files_of_the_first_version_load():
    model = pn.Sequential(pn.Flatten(), pn.Dense(4, "relu"), pn.Sequential(pn.Dense(2)))
    model.build(IMAGES)
    model["dense_1"].trainable = False
    plain = {"activation": None, "bias": True, "init": "auto"}
    first = {
        "kind": "Sequential", "config": {"dtype": "float32"}, "name": None, "layers": [
            {"kind": "Flatten", "config": {}, "name": "flatten_1"},
            {"kind": "Dense", "config": plain | {"units": 4, "activation": "relu"}, "name": "dense_1",
             "trainable": False},
            {"kind": "Sequential", "config": {"dtype": "float32"}, "name": "sequential_1", "layers": [
                {"kind": "Dense", "config": plain | {"units": 2}, "name": "dense_1"},
            ]},
        ],
    }  # fmt: skip

    def put(architecture) -> None:
        assert architecture == first, "what is written now is what was written then"

    again = files.loads(rewritten(files.dumps(model), put))
    assert again.fingerprint() == model.fingerprint()
    assert [layer.trainable for layer in again.layers] == [True, False, True]


def test_3_000_changed_architectures_load_or_are_refused():
    generator = np.random.default_rng(0)
    junk = [None, True, -1, 0, 1, 2, 7, 1.5, 10**9, 10**30, "x", "Dense", [], [0], [[0, [0]]], {}, {"same": ""}]

    def places(value) -> list[tuple]:
        """Where something can be put in JSON: (container, key)."""
        keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]

    def spoil(architecture) -> None:
        for _ in range(generator.integers(1, 3)):
            found = places(architecture)
            container, key = found[generator.integers(len(found))]
            container[key] = junk[generator.integers(len(junk))]

    x = pn.Input(IMAGES)
    shared = pn.Conv2D(2, 1, name="shared")
    h = pn.Reshape((-1, 2))(pn.Concatenate(axis=1)(shared(x) / 2.0, shared(shared(x))))
    model = pn.Model(x, {"a": pn.Sequential(pn.Flatten(), pn.Dense(2))(h), "b": pn.Dense(1)(pn.LayerNorm()(h))})
    model.build(IMAGES)
    data, loaded, silent = files.dumps(model), 0, []
    for turn in range(3_000):
        try:
            files.loads(rewritten(data, spoil))
            loaded += 1
        except ValueError as error:
            silent += [] if str(error) else [turn]
    assert not silent, f"refused without a sentence (generator seed 0): {silent}"
    assert loaded < 1_500


# ---- what is refused


def wrong() -> dict[str, tuple]:
    """Mistakes by name: what makes it, the kind of error, words of its sentence."""
    x, other, image = pn.Input((6,)), pn.Input((6,)), pn.Input((8, 8, 2))
    h, heads, dense = pn.Dense(4)(x), two_heads(), pn.Dense(4)
    dense(x)
    array, tensor = np.ones((2, 6), np.float32), pn.tensor(np.ones((2, 6), np.float32))
    return {
        "shape is a number": (lambda: pn.Input(28), TypeError, "give the lengths of all axes but the batch"),
        "shape with None": (lambda: pn.Input((None, 28)), ValueError, "omit the batch axis"),
        "shape of floats": (lambda: pn.Input((2.5,)), ValueError, "shape is (2.5,): give whole numbers of at least 1"),
        "shape of words": (lambda: pn.Input("28"), TypeError, "shape is '28': give a tuple of whole numbers"),
        "zero in shape": (lambda: pn.Input((0, 3)), ValueError, "shape is (0, 3): give whole numbers"),
        "two inputs": (lambda: pn.Model([x, other], h), TypeError, "inputs is a list, but a model has one input: join"),
        "a dict of inputs": (lambda: pn.Model({"a": x}, h), TypeError, "inputs is a dict, but a model has one input"),
        "an array as input": (lambda: pn.Model(array, h), TypeError, "inputs is of type ndarray: give a node"),
        "a list of outputs": (lambda: pn.Model(x, [h]), TypeError, "outputs is a list: name the heads"),
        "no heads": (lambda: pn.Model(x, {}), ValueError, "outputs is an empty dict: give at least one head"),
        "a head's name": (lambda: pn.Model(x, {"a/b": h}), ValueError, "a head is named 'a/b': use letters"),
        "a head of number": (lambda: pn.Model(x, {1: h}), ValueError, "a head is named 1"),
        "a layer as output": (lambda: pn.Model(x, pn.Dense(3)), TypeError, "the layer dense, which was not called"),
        "a class as output": (lambda: pn.Model(x, pn.Dense), TypeError, "outputs is Dense, a class: give a node"),
        "a tensor as a head": (lambda: pn.Model(x, {"a": tensor}), TypeError, "output 'a' is of type Tensor"),
        "the input as output": (lambda: pn.Model(x, x), ValueError, "the output is the input itself"),
        "another input": (lambda: pn.Model(other, h), ValueError, "comes from another input (n, 6), not"),
        "a second input": (lambda: pn.Model(x, h + pn.Dense(4)(other)), ValueError, "the output, <Node of add (n, 4)>"),
        "equal names": (
            lambda: pn.Model(x, pn.Dense(3, name="a")(pn.Dense(3, name="a")(x))), ValueError, "named 'a'",
        ),
        "array into a layer": (lambda: pn.Dense(3)(array), RuntimeError, "dense is not built"),
        "tensor into a layer in a graph": (lambda: dense(tensor), RuntimeError, "or call it on nodes (pn.Input)"),
        "node and array": (lambda: pn.Add()(h, array), TypeError, "add: got ndarray beside nodes"),
        "node plus array": (lambda: h + array, TypeError, "add: cannot combine ndarray with <Node of dense"),
        "array plus node": (lambda: array + h, TypeError, "add: cannot combine ndarray with <Node of dense"),
        "tensor times node": (lambda: tensor * h, TypeError, "multiply: cannot combine Tensor with <Node of dense"),
        "node minus word": (lambda: h - "1", TypeError, "subtract: cannot combine str with <Node of dense"),
        "an op of a node": (lambda: pn.ops.relu(h), TypeError, "has a shape but no values: call layers on it"),
        "missing Flatten": (lambda: pn.Dense(3)(image), ValueError, "dense: x is (n, 8, 8, 2); put pn.Flatten()"),
        "no image": (lambda: pn.Conv2D(3, 3)(x), ValueError, "conv2d: x is (1, 6): Conv2D needs images, (n, height"),
        "kernel too large": (lambda: pn.Conv2D(3, 9, name="big")(image), ValueError, "big: "),
        "two other shapes": (
            lambda: dense(pn.Input((9,))), ValueError, "it was built for (n, 6), but is called on (n, 9) here",
        ),
        "two inputs of one": (lambda: pn.Dense(3)(x, x), TypeError, "dense: it does not take 2 inputs; pn.Add()"),
        "no inputs": (lambda: pn.Dense(3)(), RuntimeError, "not built"),
        "a sum of one": (lambda: pn.Add()(x), ValueError, "add: it joins two or more inputs, got 1"),
        "a sum of shapes": (lambda: x + h, ValueError, "add: the inputs are (n, 6) and (n, 4): give equal shapes"),
        "a sum of ranks": (lambda: x + pn.Reshape((1, 6))(x), ValueError, "add: the inputs are (n, 6) and (n, 1, 6)"),
        "joining ranks": (lambda: pn.Concatenate()(x, image), ValueError, "concatenate: concat: tensors[1]"),
        "joining one": (lambda: pn.Concatenate()(x), ValueError, "concatenate: it joins two or more inputs"),
        "joining batches": (lambda: pn.Concatenate(axis=0), ValueError, "axis is 0: give a whole number other than 0"),
        "joining beyond": (lambda: pn.Concatenate(axis=2)(x, x), ValueError, "axis is 2, but x is (1, 6)"),
        "model of two heads": (lambda: heads(pn.Input(IMAGES)), ValueError, "model: it has 2 heads, but a layer"),
        "model of other shape": (lambda: residual()(x), ValueError, "it is built for inputs (n, 8, 8, 2), x is (1, 6)"),
        "model of two inputs": (lambda: residual()(image, image), TypeError, "a model takes one input"),
        "build of other shape": (lambda: heads.build((6,)), ValueError, "built for inputs (8, 8, 2), not (6,)"),
        "call of other shape": (lambda: heads(array), ValueError, "built for inputs (n, 8, 8, 2), x is (2, 6)"),
        "nodes in Sequential": (lambda: pn.Sequential(h), TypeError, "give layers, not nodes; pn.Model(inputs,"),
        "an input in Sequential": (lambda: pn.Sequential(x), TypeError, "Sequential: omit pn.Input: the shape is"),
        "no graph yet": (lambda: pn.Sequential(pn.Dense(3)).input, RuntimeError, "call model.build(shape) first"),
        "no output yet": (lambda: pn.Dense(3).output, AttributeError, "dense is not part of a graph, so"),
        "which output": (lambda: [dense(x), dense(x), dense.output], AttributeError, "is called in 2 places, so its"),
        "float16": (lambda: pn.Model(x, h, dtype="float16"), ValueError, "Model: dtype is 'float16'"),
        "a subclass": (lambda: type("Net", (pn.Model,), {}), TypeError, "Net: make it a pn.Layer (build and call)"),
        "a layer made of a node": (lambda: pn.Flatten(x), TypeError, "Flatten: create the layer first, then call"),
        "a join made of nodes": (lambda: pn.Add([x, x]), TypeError, "call it on nodes: Add(...)(node)"),
        "shape in pieces": (lambda: pn.Input(28, 28), TypeError, "Input: give one tuple, pn.Input((28, 28))"),
        "an operation": (lambda: joins.Arithmetic("ad")(x, x), ValueError, "did you mean 'add'"),
    }  # fmt: skip


@pytest.mark.parametrize("name", list(wrong()))
def test_what_a_graph_refuses(name):
    make, error, words = wrong()[name]
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


def test_a_custom_layer_that_drops_the_batch_axis_raises_a_clear_error():
    class Lost(pn.Layer):
        def call(self, x, *, training):
            return x.sum()

    x = pn.Input((3,))
    with pytest.raises(ValueError, match=r"lost: for a batch of 1 its output is \(\): return a tensor \(1, ...\)"):
        Lost()(x)


def test_a_call_that_fails_leaves_the_layer_as_it_was():
    layer = pn.Conv2D(3, 9)
    with pytest.raises(ValueError, match="conv2d"):
        layer(pn.Input(IMAGES))
    node = layer(pn.Input((9, 9, 1)))
    assert node.shape == (1, 1, 3)
    assert layer.output is node
