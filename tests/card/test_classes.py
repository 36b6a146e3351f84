"""Names of classes: labels go by name wherever data and model number their classes differently."""

import numpy as np
import pytest
from PIL import Image

import pyneural as pn

COLOURS = {"ant": 0, "bee": 1, "cat": 2}


def points(names: tuple[str, ...], n: int = 60, seed: int = 0) -> pn.Dataset:
    """Points that are easy to tell apart by their class's name, numbered in the order of `names`."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % len(names)
    centres = np.array([COLOURS.get(name, 0) for name in names], np.float32)[y]
    x = np.stack([np.cos(2 * centres), np.sin(2 * centres)], 1) + generator.normal(0, 0.05, (n, 2))
    return pn.Dataset(x.astype(np.float32), y, classes=names, name="points")


@pytest.fixture(scope="module")
def trained() -> pn.Sequential:
    model = pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(3))
    pn.fit(model, points(("ant", "bee", "cat")), epochs=60, learning_rate=0.05, verbose=0)
    assert model.card.task.classes == ("ant", "bee", "cat")
    return model


@pytest.mark.parametrize("names", [("bee", "cat"), ("cat", "ant", "bee"), ("cat",), ("ant", "bee", "cat", "dog")])
def test_evaluate_goes_by_name(trained, names):
    data = points(names)
    data = data.take(np.flatnonzero(data.y < 3))  # no example of dog
    report = pn.evaluate(trained, data, verbose=0)
    assert report.accuracy == 1
    assert [trained.card.task.label(number) for number in report.labels] == [names[number] for number in data.y]
    if len(names) > 1:  # one column holds numbers
        one_hot = pn.Dataset(data.x, np.eye(len(names))[data.y], classes=names)
        assert pn.evaluate(trained, one_hot, verbose=0).accuracy == 1
    words = np.array(names)[data.y]
    assert pn.evaluate(trained, (data.x, words), verbose=0).accuracy == 1
    batches = [(data.x[:30], words[:30]), (data.x[30:], words[30:])]
    assert pn.evaluate(trained, batches, verbose=0).accuracy == 1


@pytest.mark.parametrize("given", ["numbers", "words", "batches"])
def test_names_that_the_model_does_not_know_are_listed(trained, given):
    data = points(("ant", "dog", "bee", "eel"))
    words = np.array(data.classes)[data.y]
    what = {"numbers": data, "words": (data.x, words), "batches": [(data.x, words)]}[given]
    with pytest.raises(ValueError, match=r"dog, eel.* the model's classes are ant, bee, cat") as caught:
        pn.evaluate(trained, what, verbose=0)
    assert str(caught.value).startswith("evaluate: ")
    with pytest.raises(ValueError, match=r"fit: .*dog, eel.* the model's classes are ant, bee, cat"):
        pn.fit(trained, what, epochs=1, verbose=0, validation=None)
    fresh = pn.Sequential(pn.Dense(3))
    with pytest.raises(ValueError, match=r"fit: validation.*dog, eel"):
        pn.fit(fresh, points(("ant", "bee", "cat")), validation=what, epochs=1, verbose=0)


def test_validation_goes_by_name():
    model = pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(3))
    history = pn.fit(
        model, points(("ant", "bee", "cat")), validation=points(("cat", "bee"), seed=1), epochs=60,
        learning_rate=0.05, verbose=0,
    )  # fmt: skip
    assert history["val_accuracy"][-1] == 1
    assert history.best_epoch > 30


def test_a_second_fit_goes_by_name(trained):
    again = pn.fit(trained, points(("cat", "bee", "ant"), seed=2), epochs=1, learning_rate=1e-6, verbose=0)
    assert again["accuracy"][0] == 1
    assert trained.card.task.classes == ("ant", "bee", "cat")


def test_a_model_trained_on_numbers_learns_the_names_in_its_second_fit():
    data = points(("ant", "bee", "cat"))
    model = pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(3))
    pn.fit(model, (data.x, data.y), epochs=60, learning_rate=0.05, verbose=0)
    assert pn.evaluate(model, data, verbose=0).accuracy == 1
    with pytest.raises(ValueError, match=r"bee, cat.*the model's classes are the numbers 0, 1, 2"):
        pn.evaluate(model, points(("bee", "cat")), verbose=0)
    pn.fit(model, data, epochs=1, learning_rate=1e-6, verbose=0)
    assert pn.evaluate(model, points(("bee", "cat")), verbose=0).accuracy == 1


def test_numbers_are_names_too():
    data = points(("ant", "bee", "cat"))
    model = pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(3))
    pn.fit(model, (data.x, data.y), epochs=60, learning_rate=0.05, verbose=0)
    two = points(("bee", "cat"))
    assert pn.evaluate(model, pn.Dataset(two.x, two.y, classes=("1", "2")), verbose=0).accuracy == 1
    assert pn.evaluate(model, (two.x, np.array(["1", "2"])[two.y]), verbose=0).accuracy == 1


def test_binary_models_go_by_name():
    model = pn.Sequential(pn.Dense(16, "tanh"), pn.Dense(1))
    pn.fit(model, points(("ant", "bee")), epochs=60, learning_rate=0.05, verbose=0)
    assert pn.evaluate(model, points(("bee", "ant")), verbose=0).accuracy == 1
    assert pn.evaluate(model, points(("bee",)), verbose=0).accuracy == 1


def test_heads_go_by_name():
    ant, bee = points(("ant", "bee", "cat")), points(("cat", "ant", "bee"))
    x = pn.Input((2,))
    h = pn.Dense(16, "tanh")(x)
    model = pn.Model(x, {"a": pn.Dense(3)(h), "b": pn.Dense(3)(h)})
    y = {"a": ant.y, "b": ant.y}
    names = {"a": ant.classes, "b": ("x", "y", "z")}
    pn.fit(model, pn.Dataset(ant.x, y, classes=names), epochs=60, learning_rate=0.05, verbose=0)
    assert model.card.task["b"].classes == ("x", "y", "z")
    other = pn.Dataset(bee.x, {"a": bee.y, "b": bee.y}, classes={"a": bee.classes, "b": ("z", "x", "y")})
    assert all(report.accuracy == 1 for report in pn.evaluate(model, other, verbose=0).values())
    assert all(report.accuracy == 1 for report in pn.evaluate(model, other.take(np.arange(5)), verbose=0).values())
    with pytest.raises(ValueError, match=r"evaluate: b: .* w.* the model's classes are x, y, z"):
        pn.evaluate(model, pn.Dataset(bee.x, other.y, classes={"b": ("w", "x", "y")}), verbose=0)


def test_a_folder_goes_by_name(tmp_path):
    def write(root, names):
        for name in names:
            (root / name).mkdir(parents=True)
            for number in range(6):
                light = 20 + 100 * COLOURS[name] + number
                Image.new("L", (4, 4), light).save(root / name / f"{number}.png")
        return root

    model = pn.Sequential(pn.Flatten(), pn.Dense(16, "tanh"), pn.Dense(3))
    three, two = write(tmp_path / "three", COLOURS), write(tmp_path / "two", ("bee", "cat"))
    pn.fit(model, three, epochs=60, learning_rate=0.05, validation=None, verbose=0)
    assert pn.evaluate(model, two, verbose=0).accuracy == 1
    assert pn.evaluate(model, write(tmp_path / "one", ("cat",)), verbose=0).accuracy == 1
    write(tmp_path / "parts" / "train", ("ant", "bee"))
    write(tmp_path / "parts" / "test", ("cat",))
    assert pn.evaluate(model, tmp_path / "parts", verbose=0).n == 6
    history = pn.fit(model, three, epochs=1, learning_rate=1e-6, validation=two, verbose=0)
    assert history["val_accuracy"][0] == 1


def test_names_that_are_whole_numbers_sort_as_numbers(tmp_path):
    for number in (10, 9, 2, -1):
        (tmp_path / str(number)).mkdir()
        Image.new("L", (4, 4), 50 + number).save(tmp_path / str(number) / "0.png")
    data = pn.datasets.folder(tmp_path).train
    assert data.classes == ("-1", "2", "9", "10")
    assert data.x[:, 0, 0, 0].tolist() == [49, 52, 59, 60]
    model = pn.Sequential(pn.Dense(3))
    x = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    pn.fit(model, (x, np.array(["10", "9", "2"] * 10)), epochs=1, verbose=0)
    assert model.card.task.classes == ("2", "9", "10")


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("a", "a"), "classes has 'a' twice"),
        ("ab", "classes is 'ab': give a list of names"),
        ({"top": ("a",)}, "top"),
    ],
)
def test_names_that_cannot_be_are_refused(classes, words):
    with pytest.raises((ValueError, TypeError), match=words):
        pn.Dataset(np.zeros((2, 2)), [0, 1], classes=classes)


def test_labels_beyond_the_names_are_refused(trained):
    with pytest.raises(ValueError, match=r"evaluate: labels run 0\.\.2, the data names 2 classes, ant, bee"):
        pn.evaluate(trained, pn.Dataset(points(("ant", "bee", "cat")).x, np.arange(60) % 3, classes=("ant", "bee")))


def test_pictures_show_the_names_of_the_model():
    pytest.importorskip("matplotlib")
    x = np.repeat(np.array([10, 200], np.uint8), 8)[:, None, None, None] * np.ones((1, 4, 4, 1), np.uint8)
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, pn.Dataset(x, np.repeat([0, 1], 8), classes=("dark", "light")), epochs=40, verbose=0, validation=None)
    axes = pn.plot.predictions(model, pn.Dataset(x[6:10], [1, 1, 0, 0], classes=("light", "dark")), count=4)
    assert [axis.get_title().split()[0] for axis in axes[0]] == ["dark", "dark", "light", "light"]
    assert not any("but" in axis.get_title() for axis in axes[0])
