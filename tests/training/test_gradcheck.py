"""check_gradients: it passes what is right and catches what is wrong."""

import numpy as np
import pytest

import pyneural as pn


def test_a_whole_network_has_right_gradients(capsys):
    model = pn.Sequential(
        pn.Conv2D(3, 3, padding="same", bias=False), pn.BatchNorm(activation="tanh"), pn.AvgPool2D(2),
        pn.Conv2D(4, 2, activation="sigmoid"), pn.MaxPool2D(2), pn.Flatten(), pn.Dropout(0.3), pn.Dense(5, "softplus"),
        pn.Dense(3), dtype="float64",
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(4, 8, 8, 2))
    errors = pn.check_gradients(model, x, [0, 1, 2, 1])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(errors) == len(model.parameters) + 1
    assert all(line.endswith("ok") for line in lines)
    assert list(errors)[-1] == "x"


@pytest.mark.parametrize(("units", "labels"), [(1, [0, 1, 1]), (2, [[0.5, 1.5], [2.0, -1.0], [0.3, 0.1]])])
def test_every_task_can_be_checked(units, labels):
    model = pn.Sequential(pn.Dense(4, "tanh"), pn.Dense(units), dtype="float64")
    pn.check_gradients(model, np.random.default_rng(1).normal(size=(3, 2)), labels, verbose=0)


def test_the_heads_of_a_graph_are_checked_together():
    x = pn.Input((4,))
    h = pn.Dense(3, "tanh")(x)
    ends = {"kind": pn.Dense(3, "softmax")(h), "on": pn.Dense(1, "sigmoid")(h), "size": pn.Dense(2)(h)}
    model = pn.Model(x, ends, dtype="float64")
    labels = {"kind": [0, 2, 1], "on": [1, 0, 1], "size": [[0.5, 1.5], [2.0, -1.0], [0.3, 0.1]]}
    errors = pn.check_gradients(model, np.random.default_rng(4).normal(size=(3, 4)), labels, verbose=0)
    assert set(errors) == {*model.parameters, "x"}


def test_checking_leaves_the_model_as_it_was():
    model = pn.Sequential(pn.Dense(4), pn.BatchNorm(), pn.Dense(2), dtype="float64")
    model.build((3,))
    before = model.fingerprint()
    pn.check_gradients(model, np.random.default_rng(2).normal(size=(5, 3)), [0, 1, 0, 1, 1], verbose=0)
    assert model.fingerprint() == before


def test_a_trained_float32_model_keeps_its_classes():
    """Two rows need not have labels of all three classes that the model was trained on."""
    model = pn.Sequential(pn.Dense(3))
    x = np.random.default_rng(5).normal(size=(60, 3)).astype("float32")
    pn.fit(model, (x, np.array(["ant", "bee", "cat"])[np.arange(60) % 3]), epochs=1, validation=None, verbose=0)
    assert set(pn.check_gradients(model, x[:2], ["bee", "cat"], verbose=0)) == {*model.parameters, "x"}


def test_functions_of_one_and_two_inputs_can_be_checked():
    x = np.random.default_rng(3).normal(size=(3, 4))
    assert list(pn.check_gradients(lambda x: pn.ops.tanh(x), x, verbose=0)) == ["x"]
    assert list(pn.check_gradients(lambda x, y: (x @ y).sum(), x, x.T.copy(), verbose=0)) == ["x", "y"]


def test_a_wrong_gradient_is_caught(capsys):
    with pytest.raises(AssertionError, match="x is off by"):
        pn.check_gradients(lambda x: (x * x.detach()).sum(), [[1.0, 2.0]])
    assert "WRONG" in capsys.readouterr().out


def test_all_wrong_gradients_are_counted_and_the_first_are_named():
    def wrong(x: pn.Tensor, y: pn.Tensor) -> pn.Tensor:
        return (x * x.detach()).sum() + (y * y.detach()).sum()

    both = r"^check_gradients: 2 of 2 gradients are off: x by 5.0e-01, y by 5.0e-01; above 1e-06 \(seed 0\)$"
    with pytest.raises(AssertionError, match=both):
        pn.check_gradients(wrong, [[1.0, 2.0]], [[3.0]], verbose=0)

    class Cut(pn.Layer):
        def call(self, x: pn.Tensor, *, training: bool) -> pn.Tensor:
            return x * x.detach()

    model = pn.Sequential(*[pn.Dense(3) for _ in range(3)], Cut(), pn.Dense(2), dtype="float64")
    many = r"7 of 9 gradients are off: dense_1/weight by .*, dense_3/weight by [^,]* and 2 more; above 1e-06"
    with pytest.raises(AssertionError, match=many):
        pn.check_gradients(model, np.random.default_rng(0).normal(size=(4, 3)), [0, 1, 1, 0], verbose=0)


def test_a_gradient_that_is_not_a_number_is_wrong_wherever_it_stands():
    def broken(x: pn.Tensor, y: pn.Tensor) -> pn.Tensor:
        return (x * x).sum() + (y - y).sqrt().sum()

    with pytest.raises(AssertionError, match=r"check_gradients: y is off by nan"):
        pn.check_gradients(broken, [[1.0, 2.0]], [[3.0]], verbose=0)


def test_a_pair_is_refused_with_the_fix():
    with pytest.raises(TypeError, match=r"^check_gradients: x is a tuple: give x and y apart"):
        pn.check_gradients(pn.Sequential(pn.Dense(3)), (np.zeros((4, 2)), np.arange(4) % 3))
