"""Pictures: what is drawn is what was given, in the Axes asked for, and nothing is shown."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

import pyneural as pn
from pyneural import plot
from pyneural.card.task import Task
from pyneural.metrics.estimate import Estimate
from pyneural.plot import answers

BLUE, RED, INK = "#0072b2", "#d55e00", "#222222"


@pytest.fixture(autouse=True)
def nothing_is_shown(monkeypatch):
    """No function shows a figure."""
    monkeypatch.setattr(plt, "show", lambda *a, **k: pytest.fail("show was called"))


def titles(axes) -> list[str]:
    return [axis.get_title() for axis in axes.flat if axis.axison]


def colours(axes) -> list[str]:
    return [to_hex(axis.title.get_color()) for axis in axes.flat if axis.axison]


def pixels(axis) -> np.ndarray:
    return np.asarray(axis.images[0].get_array())  # grey without its axis of channels


def texts(axis) -> list[str]:
    return [text.get_text() for text in axis.texts]


def bars(axis) -> list[tuple[float, str]]:
    """Width and colour of the bars, without the grounds that they lie on."""
    return [(bar.get_width(), to_hex(bar.get_facecolor())) for bar in axis.patches[1::2]]


@pytest.fixture(scope="module")
def digits(sample):
    """A model that knows digits a little, its history, and its report on the sample's test part."""
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    history = pn.fit(model, sample, epochs=3, seed=0, verbose=0)
    return model, history, pn.evaluate(model, sample.test, verbose=0)


@pytest.fixture(scope="module")
def shades():
    """Dark and light images with names, and a binary model that tells them apart."""
    level = np.tile(np.uint8([20, 200]), 20)
    data = pn.Dataset(
        np.broadcast_to(level[:, None, None], (40, 6, 8)).copy(), level // 200, classes=["dark", "light"], name="shades"
    )
    model = pn.Sequential(pn.Flatten(), pn.Dense(1))
    pn.fit(model, data, epochs=10, batch_size=8, learning_rate=0.1, verbose=0)
    return model, data


@pytest.fixture(scope="module")
def levels():
    """Images and their mean level as a value, with a model of it."""
    level = np.linspace(0, 1, 32)
    data = pn.Dataset(np.broadcast_to(level[:, None, None, None], (32, 4, 4, 1)).astype(np.float32), level)
    model = pn.Sequential(pn.Flatten(), pn.Dense(1))
    history = pn.fit(model, data, epochs=4, batch_size=8, verbose=0)
    return model, data, history


# ---- images


def test_a_data_set_is_a_grid_with_its_labels(sample):
    axes = plot.images(sample.test, count=25)
    assert axes.shape == (3, 10)
    assert all(isinstance(axis, Axes) for axis in axes.flat)
    assert titles(axes) == [str(label) for label in sample.test.y[:25]]
    assert [axis.axison for axis in axes.flat] == [True] * 25 + [False] * 5
    for axis, image in zip(axes.flat, sample.test.x, strict=False):
        assert not axis.axison or np.array_equal(pixels(axis), image[..., 0])
        assert not axis.axison or axis.images[0].get_clim() == (0, 255)


def test_labels_have_the_names_of_their_classes(shades):
    data = shades[1]
    assert titles(plot.images(data, count=3)) == ["dark", "light", "dark"]
    assert titles(plot.images(data.x[:2], data.y[:2], classes=["night", "day"])) == ["night", "day"]
    assert titles(plot.images(data.x[:2], ["a", "b"])) == ["a", "b"]
    assert titles(plot.images(data.x[:2], [0.25, 1 / 3])) == ["0.25", "0.333"]
    assert titles(plot.images(data.x[:2], {"top": [3, 4], "bottom": [5, 6]})) == ["top 3\nbottom 5", "top 4\nbottom 6"]
    assert titles(plot.images(data.x[:2])) == ["", ""]


@pytest.mark.parametrize("shape", [(7, 5, 6), (7, 5, 6, 1), (7, 5, 6, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "bool"])
def test_every_kind_of_images_is_a_grid(shape, dtype):
    x = np.random.default_rng(0).integers(0, 2, shape).astype(dtype)
    axes = plot.images(x, columns=4)
    assert axes.shape == (2, 4)
    assert pixels(axes[0, 0]).shape[:2] == (5, 6)


def test_floats_beyond_0_and_1_keep_their_order_in_every_image():
    x = np.linspace(-2, 2, 2 * 3 * 4).reshape(2, 3, 4)
    assert plot.images(x)[0, 0].images[0].get_clim() == (-2, 2)
    colour = pixels(plot.images(np.repeat(x[..., None], 3, axis=3))[0, 0])
    assert (colour.min(), colour.max()) == (0, pytest.approx(11 / 23))


@pytest.mark.parametrize("shape", [(9, 7, 1), (9, 7, 3)])
def test_one_image_is_one_axes(shape):
    axis = plot.images(np.zeros(shape, np.uint8), 4)
    assert isinstance(axis, Axes)
    assert axis.get_title() == "4"


def test_augmented_images_stand_beside_the_original_as_fit_makes_them(sample):
    """In the epoch and with the row number of a training with seed 0."""
    augment = pn.Augment(rotate=30, flip=True)
    axes = plot.images(sample.test, augment=augment, count=8, columns=4)
    assert axes.shape == (2, 4)
    assert [axis.get_title() for axis in axes.flat[:5]] == [
        str(sample.test.y[0]), "epoch 1", "epoch 2", "epoch 3", str(sample.test.y[1]),
    ]  # fmt: skip
    np.testing.assert_array_equal(pixels(axes[1, 0]), sample.test.x[1, ..., 0])
    x = pn.ops.augment(sample.test.x, [1], seed=0, stream="augment", step=2, **vars(augment))
    np.testing.assert_array_equal(pixels(axes[1, 3]), np.rint(x.numpy()[0, ..., 0]))


@pytest.mark.parametrize("dtype", ["float64", "bool", "int64"])
def test_augmented_images_of_any_dtype_go_into_given_axes(dtype):
    one = np.random.default_rng(0).integers(0, 2, (6, 5, 3)).astype(dtype)
    axes = plot.images(one, augment=pn.Augment(), ax=plt.subplots(1, 4)[1])
    assert axes.shape == (1, 4)


def test_one_array_is_a_heat_map_white_at_0():
    weights = np.random.default_rng(0).normal(size=(12, 9))
    axis = plot.images(pn.tensor(weights))
    most = np.abs(weights).max()
    assert np.array_equal(pixels(axis), weights)
    assert axis.images[0].get_clim() == (-most, most)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("column", "row")
    assert len(axis.child_axes) == 1, "it has its scale"
    assert plot.images(np.abs(weights)).images[0].get_clim()[0] > 0
    for shape in ((1, 1), (1, 50), (300, 2), (5, 5)):
        assert pixels(plot.images(np.zeros(shape))).shape == shape


def test_large_images_get_more_room_and_fewer_columns():
    assert plot.images(np.zeros((7, 200, 100), np.uint8)).shape == (2, 5)
    assert plot.images(np.zeros((7, 28, 28), np.uint8)).shape == (1, 7)


def test_pictures_go_into_axes_that_are_there(digits, sample):
    model, history, report = digits
    for call in (
        lambda ax: plot.images(sample.test, count=4, ax=ax),
        lambda ax: plot.mistakes(report, sample.test, count=4, ax=ax),
        lambda ax: plot.predictions(model, sample.test, count=2, ax=ax),
    ):
        figure, axes = plt.subplots(2, 2)
        assert set(call(axes).flat) == set(axes.flat)
        assert {axis.figure for axis in axes.flat} == {figure}
    axes = plt.subplots(1, 2)[1]
    assert list(plot.history(history, ax=axes)) == list(axes)
    axis = plt.subplots()[1]
    assert plot.confusion(report, ax=axis) is axis
    assert plot.images(np.eye(3), ax=axis) is axis
    before = len(plt.get_fignums())
    with pytest.raises(ValueError, match=r"plot.images: ax is 1 Axes, this plot has 4 \(1 x 4\)"):
        plot.images(sample.test, count=4, ax=axis)
    assert len(plt.get_fignums()) == before


# ---- history


def test_a_history_is_drawn_with_its_intervals(digits):
    history = digits[1]
    loss, accuracy = plot.history(history)
    assert [axis.get_ylabel() for axis in (loss, accuracy)] == ["loss", "accuracy (%)"]
    assert [axis.get_xlabel() for axis in (loss, accuracy)] == ["epoch", "epoch"]
    training, validation, best = accuracy.lines
    assert np.allclose(training.get_ydata(), 100 * np.array(history["accuracy"]))
    assert np.allclose(validation.get_ydata(), 100 * np.array(history["val_accuracy"]))
    assert np.allclose(best.get_xydata(), [(history.best_epoch, 100 * history["val_accuracy"][history.best_epoch - 1])])
    band = accuracy.collections[0].get_paths()[0].vertices
    for epoch, value in enumerate(history["val_accuracy"], start=1):
        ends = band[band[:, 0] == epoch][:, 1]
        assert np.allclose([ends.min(), ends.max()], [100 * value.low, 100 * value.high])
    words = [text.get_text() for text in accuracy.get_legend().get_texts()]
    assert words == ["training", "validation", "95 % interval", f"best: epoch {history.best_epoch}"]
    assert not loss.collections, "the loss has no interval"


def test_one_epoch_has_a_bar_for_its_interval():
    history = pn.History()
    history.append(loss=1.0, accuracy=0.5, val_loss=0.9, val_accuracy=Estimate.share(6, 10), seconds=1.0)
    axis = plot.history(history)[1]
    assert [tick for tick in axis.get_xticks() if 0.5 <= tick <= 1.5] == [1]
    assert len(axis.collections) == 1


def test_a_history_without_validation_or_accuracy_is_drawn(levels):
    assert plot.history(levels[2])[0].get_ylabel() == "loss"
    history = pn.History()
    for loss in np.linspace(1, 0, 100):
        history.append(loss=loss, top_accuracy=1 - loss, learning_rate=0.1)
    axes = plot.history(history)
    assert [axis.get_ylabel() for axis in axes] == ["loss", "top accuracy (%)"]
    assert [len(axis.lines) for axis in axes] == [1, 1]


def test_an_empty_history_has_nothing_to_draw():
    with pytest.raises(ValueError, match="no epoch was finished"):
        plot.history(pn.History())
    with pytest.raises(TypeError, match=r"history is dict: give the result of pn\.fit"):
        plot.history({"loss": [1]})


# ---- answers


def test_predictions_are_right_in_blue_and_wrong_in_orange(digits, sample):
    model, _, report = digits
    right = np.flatnonzero(report.predictions == report.labels)[:3]
    rows = [*right, *report.mistakes[:2]]
    axes = plot.predictions(model, sample.test.take(rows))
    assert axes.shape == (2, 5)
    assert colours(axes[0]) == [BLUE] * 3 + [RED] * 2
    for column, row in enumerate(rows):
        said, sure = report.predictions[row], report.confidence[row]
        words = f"{said} ({100 * sure:.1f} %)"
        words += "" if column < 3 else f"\nbut it is {report.labels[row]}"
        assert axes[0, column].get_title() == words
        drawn = bars(axes[1, column])
        assert [width for width, _ in drawn] == pytest.approx(sorted(report.outputs[row], reverse=True)[:5])
        assert drawn[0][1] == (BLUE if column < 3 else RED)
        assert texts(axes[1, column])[:2] == [str(said), f"{100 * sure:.1f} %"]
        order = np.argsort(-report.outputs[row])[:5]
        where = np.flatnonzero(order == report.labels[row])
        assert column < 3 or [i for i, (_, colour) in enumerate(drawn) if colour == INK] == where.tolist()


def test_predictions_without_the_truth_are_of_one_colour(digits, sample):
    model = digits[0]
    axes = plot.predictions(model, sample.test.x, count=3)
    assert colours(axes[0]) == [INK] * 3
    assert bars(axes[1, 0])[0][1] == BLUE
    for image in (sample.test.x[0], sample.test.x[0, :, :, 0]):
        assert plot.predictions(model, image).shape == (2, 1)
    names = plot.predictions(model, sample.test.x, sample.test.y.astype(float), count=3)
    assert titles(names[:1]) == titles(plot.predictions(model, sample.test, count=3)[:1])


def test_a_binary_model_has_two_bars_with_the_names_of_its_classes(shades):
    model, data = shades
    axes = plot.predictions(model, data, count=2)
    share = pn.predict(model, data.x[:1])[0, 0]
    assert [width for width, _ in bars(axes[1, 0])] == pytest.approx([1 - share, share])
    assert texts(axes[1, 0])[::2] == ["dark", "light"]
    assert axes[0, 1].get_title().startswith("light (")


def test_a_model_of_values_has_numbers_and_no_bars(levels):
    model, data, _ = levels
    axes = plot.predictions(model, data, count=4)
    assert axes.shape == (1, 4)
    said = pn.predict(model, data.x[:4])[:, 0]
    assert titles(axes) == [f"{a:.3g}\nit is {b:.3g}" for a, b in zip(said, data.y, strict=False)]


def test_heads_have_a_row_of_bars_each_and_values_only_words(digits, sample, monkeypatch):
    shares = np.eye(10)[[1, 2, 3]] * 0.9 + 0.01
    found = {"top": shares, "bottom": shares[::-1], "slant": np.array([[0.5], [1.5], [-2.0]])}
    tasks = {"top": Task("classes", 10), "bottom": Task("classes", 10), "slant": Task("values", 1)}
    monkeypatch.setattr(answers, "predict", lambda model, x: found)
    monkeypatch.setattr(digits[0].card, "task", tasks)
    truth = {"top": np.array([1, 2, 3]), "bottom": np.array([3, 2, 0]), "slant": np.array([0.5, 1.0, 2.0])}
    axes = plot.predictions(digits[0], sample.test.x[:3], truth)
    assert axes.shape == (3, 3)
    assert [axis.get_ylabel() for axis in axes[:, 0]] == ["", "top", "bottom"]
    assert titles(axes[:1])[0] == "top 1 (91.0 %)\nbottom 3 (91.0 %)\nslant 0.5\nit is 0.5"
    assert titles(axes[:1])[2] == "top 3 (91.0 %)\nbottom 1 (91.0 %)\nbut it is 0\nslant -2\nit is 2"
    assert colours(axes[0]) == [BLUE, BLUE, RED]
    assert [bars(axis)[0][1] for axis in axes[2]] == [BLUE, BLUE, RED]
    only_top = plot.predictions(digits[0], sample.test.x[:3], {"top": truth["top"]})
    assert titles(only_top[:1])[0] == "top 1 (91.0 %)\nbottom 3 (91.0 %)\nslant 0.5"


def test_mistakes_are_the_surest_ones_with_what_they_are(digits, sample):
    report = digits[2]
    axes = plot.mistakes(report, sample.test, count=12)
    assert axes.shape == (2, 10)
    for axis, row in zip(axes.flat, report.mistakes[:12], strict=False):
        sure = 100 * report.confidence[row]
        assert axis.get_title() == f"{report.predictions[row]} ({sure:.1f} %)\nbut it is {report.labels[row]}"
        assert np.array_equal(pixels(axis), sample.test.x[row, :, :, 0])
    pair = plot.mistakes(report, (sample.test.x, sample.test.y), count=12)
    assert titles(pair) == titles(axes)


def test_no_mistakes_say_so(shades):
    model, data = shades
    report = pn.evaluate(model, data, verbose=0)
    assert texts(plot.mistakes(report, data)[0, 0]) == [f"no mistakes: {report.accuracy}, n = 40"]


def test_a_confusion_has_its_counts_names_and_interval(digits, shades):
    report = digits[2]
    axis = plot.confusion(report)
    assert axis.get_title() == f"accuracy {report.accuracy}\nn = 1,000"
    found = np.zeros((10, 10), int)
    for text in axis.texts:
        column, row = map(int, text.get_position())
        found[row, column] = int(text.get_text())
    assert np.array_equal(found, report.confusion)
    assert np.allclose(pixels(axis).sum(axis=1), 100)
    model, data = shades
    axis = plot.confusion(pn.evaluate(model, data, verbose=0))
    assert [label.get_text() for label in axis.get_xticklabels()] == ["dark", "light"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["dark", "light"]


def test_many_classes_are_drawn_without_numbers():
    assert not plot.drawing.confusion(np.eye(40, dtype=int), [str(i) for i in range(40)], "", None).texts


# ---- what is not right


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m, r, d: plot.images(np.zeros(784)), ValueError, "plot.images: x is float64 (784,): give images (n, "),
        (lambda m, r, d: plot.images(np.zeros((2, 3, 3, 2))), ValueError, "x is float64 (2, 3, 3, 2): give images"),
        (lambda m, r, d: plot.images(np.zeros((0, 6, 5))), ValueError, "x is float64 (0, 6, 5): give images"),
        (lambda m, r, d: plot.images(np.full((2, 2), np.nan)), ValueError, "the array contains NaN or infinity"),
        (lambda m, r, d: plot.images(d.x[:3], [1, 2]), ValueError, "x has 3 images, y is (2,): give one label per"),
        (lambda m, r, d: plot.images(d, count=0), ValueError, "plot.images: count is 0: give a whole number of"),
        (lambda m, r, d: plot.images(d, columns=2.5), ValueError, "plot.images: columns is 2.5: give a whole number"),
        (lambda m, r, d: plot.images(d, augment=True), TypeError, "plot.images: augment is True: give pn.Augment()"),
        (lambda m, r, d: plot.images(d, augment=pn.Augment(), columns=1), ValueError, "columns is 1: give a whole"),
        (lambda m, r, d: plot.predictions(m, d.x[:, :14]), ValueError, "the model was built for images (28, 28, 1)"),
        (
            lambda m, r, d: plot.predictions(m, np.zeros((5, 784))),
            ValueError,
            "plot.predictions: x is float64 (5, 784)",
        ),
        (lambda m, r, d: plot.predictions(m, d.x, d.y[:9]), ValueError, "x has 1,000 images, y has 9 labels"),
        (lambda m, r, d: plot.predictions(m, d.x[:2], [1, 10]), ValueError, "plot.predictions: labels run 1..10"),
        (lambda m, r, d: plot.predictions(pn.Sequential(pn.Dense(1)), d), RuntimeError, "the model is not trained yet"),
        (lambda m, r, d: plot.predictions(d, m), TypeError, "model is Dataset"),
        (
            lambda m, r, d: plot.mistakes(d, r),
            TypeError,
            "plot.mistakes: report is Dataset: give the result of pn.evaluate",
        ),
        (lambda m, r, d: plot.mistakes(r, d.take([0])), ValueError, "the report is of 1,000 examples, data has 1"),
        (lambda m, r, d: plot.mistakes(r, d, count=-1), ValueError, "plot.mistakes: count is -1"),
        (
            lambda m, r, d: plot.confusion({"top": r, "bottom": r}),
            ValueError,
            "'top', 'bottom': give one, such as report['top']",
        ),
        (lambda m, r, d: plot.confusion(None), TypeError, "plot.confusion: report is NoneType"),
    ],
)
def test_data_that_cannot_be_drawn_raises_a_clear_error(digits, sample, call, error, words):
    with pytest.raises(error) as caught:
        call(digits[0], digits[2], sample.test)
    assert words in str(caught.value)
    assert not plt.get_fignums(), "nothing was drawn before"


def test_values_have_no_mistakes(levels):
    model, data, _ = levels
    report = pn.evaluate(model, data, verbose=0)
    for call in (lambda: plot.confusion(report), lambda: plot.mistakes(report, data)):
        with pytest.raises(ValueError, match="this is a regression model, so no prediction is right or wrong"):
            call()


def test_without_matplotlib_every_picture_says_what_to_install(digits, sample, monkeypatch):
    model, history, report = digits
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for call in (
        lambda: plot.images(sample.test),
        lambda: plot.images(np.eye(2)),
        lambda: plot.history(history),
        lambda: plot.predictions(model, sample.test),
        lambda: plot.mistakes(report, sample.test),
        lambda: plot.confusion(report),
    ):
        with pytest.raises(ImportError) as caught:
            call()
        assert str(caught.value) == "plot needs matplotlib: run pip install '.[plot]' in the checkout"


def test_importing_the_package_imports_neither_matplotlib_nor_pillow():
    script = "import sys, pyneural; pyneural.plot.images; print({'matplotlib', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_learning_rate_curve_shows_the_suggestion(rings):
    found = pn.find_learning_rate(pn.Sequential(pn.Dense(8, "relu"), pn.Dense(3)), rings, verbose=0)
    axis = plot.learning_rate(found)
    assert isinstance(axis, Axes)
    losses, smoothed, suggestion = axis.lines
    assert list(losses.get_ydata()) == found.losses
    assert list(smoothed.get_ydata()) == found.smoothed
    assert list(suggestion.get_xdata()) == [found.suggestion] * 2
    assert axis.get_xscale() == "log"
    assert plot.learning_rate(found, ax=plt.subplots()[1]).get_legend() is not None
    with pytest.raises(TypeError, match=r"curve is float: give the result of pn.find_learning_rate"):
        plot.learning_rate(found.suggestion)


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("with_labels", [True, False])
def test_bars_stand_out_from_their_ground_and_the_rest_of_a_bar_does_not(style, with_labels, digits, sample):
    def light(colour) -> float:
        return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))

    with plt.style.context(style):
        axes = plot.predictions(digits[0], sample.test if with_labels else sample.test.x, count=2)
        ground = light(axes[1, 0].figure.get_facecolor())
        patches = axes[1, 0].patches
        assert all(abs(light(rest.get_facecolor()) - ground) < 0.25 for rest in patches[::2])
        assert all(abs(light(bar.get_facecolor()) - ground) > 0.25 for bar in patches[1::2])
        history = pn.History()
        history.update({"loss": [2.0, 1.0], "val_loss": [Estimate(1.0, 0.5, 1.5)] * 2})
        axis = plot.history(history)[0]
        band = axis.collections[0].get_facecolor()[0]
        assert band[3] * abs(light(band[:3]) - ground) > 0.12
