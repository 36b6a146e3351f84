"""print(model) and model.summary(): exact lines, and widths that fit a terminal."""

import pytest

import pyneural as pn
from pyneural.apps.digits_app import digits_cnn, digits_mlp
from pyneural.card.task import Task
from pyneural.models import summary

SHAPE = (28, 28, 1)


def trained(model: pn.Model, sample: pn.Splits, **options) -> pn.Model:
    pn.fit(model, (sample.train.x[:200], sample.train.y[:200]), epochs=1, verbose=0, **options)
    return model


def shown(model: pn.Model, capsys) -> list[str]:
    """The lines that summary() prints."""
    capsys.readouterr()
    assert model.summary() is None
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def test_the_line_of_a_dense_network(sample):
    model = digits_mlp()
    assert str(model) == "?x128x10 | relu, linear"
    model.build(SHAPE)
    assert str(model) == "784x128x10 | relu, linear"
    assert str(trained(model, sample)) == "784x128x10 | relu, softmax | cross-entropy"


def test_the_table_of_a_dense_network(sample, capsys):
    lines = shown(trained(digits_mlp(), sample), capsys)
    assert lines == [
        "input: uint8 (28, 28, 1) -> dataset mean, std",
        "layer      output  parameters    FLOPs",
        "flatten_1  (784,)           0        0",
        "dense_1    (128,)     100,480  200,704",
        "dense_2    (10,)        1,290    2,560",
        "total                 101,770  203,264",
        "101,770 trainable parameters, 0 frozen",
    ]


def test_the_line_and_the_table_of_a_convolutional_network(sample, capsys):
    model = digits_cnn()
    assert str(model) == "?-16c3-16c3-p2-32c3-32c3-p2-128-10 | relu x5, linear"
    model.build(SHAPE)
    assert str(model) == "28x28x1-16c3-16c3-p2-32c3-32c3-p2-128-10 | relu x5, linear"
    model["conv2d_1"].trainable = False
    assert shown(model, capsys) == [
        "input: (28, 28, 1)",
        "layer         output        parameters      FLOPs",
        "conv2d_1      (28, 28, 16)         144    225,792",
        "batch_norm_1  (28, 28, 16)          32     25,088",
        "conv2d_2      (26, 26, 16)       2,304  3,115,008",
        "batch_norm_2  (26, 26, 16)          32     21,632",
        "max_pool2d_1  (13, 13, 16)           0     10,816",
        "conv2d_3      (13, 13, 32)       4,608  1,557,504",
        "batch_norm_3  (13, 13, 32)          64     10,816",
        "conv2d_4      (11, 11, 32)       9,216  2,230,272",
        "batch_norm_4  (11, 11, 32)          64      7,744",
        "max_pool2d_2  (5, 5, 32)             0      3,200",
        "flatten_1     (800,)                 0          0",
        "dropout_1     (800,)                 0          0",
        "dense_1       (128,)           102,400    204,800",
        "batch_norm_5  (128,)               256        256",
        "dropout_2     (128,)                 0          0",
        "dense_2       (10,)              1,290      2,560",
        "total                          120,410  7,415,488",
        "120,266 trainable parameters, 144 frozen, 448 values of state",
    ]


def test_the_table_of_a_model_that_is_not_built_shows_what_is_known(capsys):
    assert shown(pn.Sequential(pn.Conv2D(3, 3), pn.Flatten(), pn.Dense(2, name="end")), capsys) == [
        "input: not known yet: model.build(shape) or pn.fit(model, data) sets it",
        "layer        output  parameters  FLOPs",
        "conv2d_1     ?                ?      ?",
        "flatten_1    ?                ?      ?",
        "end (Dense)  ?                ?      ?",
    ]


def heads() -> pn.Model:
    x = pn.Input((42, 28, 1))
    shared = pn.Conv2D(4, 3, padding="same", activation="relu")
    h = shared(pn.Conv2D(4, 3, padding="same")(x))
    h = pn.Concatenate()(h, shared(h), h + shared(h) * 0.5)
    h = pn.GlobalAvgPool2D()(h)
    return pn.Model(x, {"top": pn.Dense(10)(h), "bottom": pn.Dense(1, "sigmoid")(h)})


def test_a_graph_says_from_where_its_layers_take(capsys):
    model = heads()
    assert str(model) == "42x28x1 -> 8 layers -> top 10, bottom 1 | linear, sigmoid"
    lines = shown(model, capsys)
    assert lines[1:5] == [
        "layer                output        parameters      FLOPs  from",
        "conv2d_1             (42, 28, 4)           40     84,672  input",
        "conv2d_2             (42, 28, 4)          148    338,688  conv2d_1",
        "conv2d_2             (42, 28, 4)       shared    338,688  conv2d_2",
    ]
    assert lines[-2:] == [
        "331 trainable parameters, 0 frozen", "heads: top = dense_1 (10,), bottom = dense_2 (1,)",
    ]  # fmt: skip
    rows = [line.split("  ")[-1] for line in lines]
    assert [row for row in rows if row.startswith("conv2d_2, ")] == ["conv2d_2, multiply_1", "conv2d_2, conv2d_2,"]


def test_the_line_of_a_graph_with_tasks_and_losses():
    model = heads()
    tasks = {"top": Task("classes", 10), "bottom": Task("binary", 1)}
    model.card.task, model.card.loss = tasks, {"top": "cross_entropy", "bottom": "binary_cross_entropy"}
    assert str(model) == (
        "42x28x1 -> 8 layers -> top 10, bottom 1 | softmax, sigmoid | top cross-entropy, bottom binary-cross-entropy"
    )
    model.card.loss = {"top": "mse", "bottom": "mse"}
    assert str(model) == "42x28x1 -> 8 layers -> top 10, bottom 1 | linear, sigmoid | mse"


@pytest.mark.parametrize(
    ("make", "shape", "line"),
    [
        (lambda: pn.Sequential(pn.Dense(32, "relu"), pn.Dense(10, "sigmoid")), (784,), "784x32x10 | relu, sigmoid"),
        (lambda: pn.Sequential(pn.Dense(1)), (3,), "3x1 | linear"),
        (lambda: pn.Sequential(pn.Dense(9), pn.Activation("tanh"), pn.Dense(2)), (3,), "3x9x2 | tanh, linear"),
        (
            lambda: pn.Sequential(*(pn.Dense(8, "tanh") for _ in range(4)), pn.Sequential(pn.Dense(4, "gelu"))),
            (5,), "5x8x8x8x8x4 | tanh x4, gelu",
        ),
        (lambda: pn.Sequential(pn.Conv2D(8, 1), pn.GlobalAvgPool2D()), (4, 4, 2), "4x4x2-8c1-gap | linear"),
        (
            lambda: pn.Sequential(pn.Conv2D(4, (3, 1)), pn.AvgPool2D(3), pn.MaxPool2D((2, 1)), pn.Flatten()),
            (12, 12, 3), "12x12x3-4c3x1-a3-p2x1 | linear",
        ),
        (
            lambda: pn.Sequential(pn.Embedding(100, 8), pn.LayerNorm(), pn.Flatten(), pn.Dense(2, "softmax")),
            (7,), "7-100e8-2 | softmax",
        ),
        (lambda: pn.Sequential(pn.Flatten()), (2, 2), "2x2"),
    ],
)  # fmt: skip
def test_the_line_of_other_chains(make, shape, line):
    model = make()
    model.build(shape)
    assert str(model) == line
    node = first = pn.Input(shape)
    for layer in model.layers:
        node = layer(node)
    assert str(pn.Model(first, node)) == line, "a chain of nodes reads like a Sequential"


def test_custom_layers_count_the_flops_of_known_layers_inside(capsys):
    class Residual(pn.Layer):
        def __init__(self, units):
            self.units = units
            self.first, self.second = pn.Dense(units, "relu"), pn.Sequential(pn.Dense(units))

        def call(self, x, *, training):
            return x + self.second(self.first(x), training=training)

    class Scale(pn.Layer):
        def call(self, x, *, training):
            return x * 2.0

    model = pn.Sequential(Residual(8), Scale(), pn.Dense(3, name="a_very_long_name_for_a_layer_of_three_units"))
    model.build((8,))
    assert str(model) == "8-residual-scale-3 | linear"
    assert shown(model, capsys) == [
        "input: (8,)",
        "layer                         output  parameters         FLOPs",
        "residual_1                    (8,)           144           256",
        "scale_1                       (8,)             0             ?",
        "a_very_long_name_for_a_laye…  (3,)            27            48",
        "total                                        171  at least 304",
        "171 trainable parameters, 0 frozen",
    ]


@pytest.mark.parametrize(
    ("make", "shape", "count"),
    [
        (lambda: pn.Dense(5), (4,), 2 * 4 * 5),
        (lambda: pn.Dense(5), (7, 4), 2 * 7 * 4 * 5),
        (lambda: pn.Conv2D(6, (3, 2), padding="same", stride=2), (8, 8, 3), 2 * 3 * 2 * 3 * 4 * 4 * 6),
        (lambda: pn.MaxPool2D(2), (8, 8, 3), 8 * 8 * 3),
        (lambda: pn.AvgPool2D(3, stride=1), (8, 8, 3), 9 * 6 * 6 * 3),
        (lambda: pn.GlobalAvgPool2D(), (8, 8, 3), 8 * 8 * 3),
        (lambda: pn.BatchNorm(), (8, 8, 3), 2 * 8 * 8 * 3),
        (lambda: pn.LayerNorm(), (10,), 70),
        (lambda: pn.Embedding(9, 4), (10,), 0),
        (lambda: pn.Reshape((5, 2)), (10,), 0),
        (lambda: pn.Sequential(pn.Dense(3), pn.Sequential(pn.Dense(2))), (4,), 2 * 4 * 3 + 2 * 3 * 2),
    ],
)
def test_the_flops_of_a_layer(make, shape, count):
    node = make()(pn.Input(shape))
    assert summary.flops(node.layer, (shape,), node.shape) == count


def test_the_flops_of_joins():
    x = pn.Input((4, 2))
    for node, count in ((pn.Add()(x, x, x), 16), (x * x, 8), (x - 1, 8), (pn.Concatenate()(x, x), 0)):
        assert summary.flops(node.layer, tuple(n.shape for n in node.inputs), node.shape) == count


def test_looking_at_a_model_needs_no_memory_of_its_size(capsys):
    x = pn.Input((2**16,))
    model = pn.Model(x, pn.Dense(2**20)(pn.Dense(2**20)(x)))
    lines = shown(model, capsys)
    assert lines[-1].startswith(f"{2**36 + 2**20 + 2**40 + 2**20:,} trainable parameters")
    assert lines[-2].endswith("2,336.5 G")  # 2 (2^36 + 2^40)
    assert model["dense_1"].weight.is_shape_only
