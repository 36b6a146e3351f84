"""What fit says of strange data before it trains: once, with counts and the fix, and nothing of data that is well."""

import warnings

import numpy as np
import pytest

import pyneural as pn


def said(data, *, validation=0.1, units=3, model=None, **options) -> str:
    """The one warning of fit, or ""."""
    model = model or pn.Sequential(pn.Flatten(), pn.Dense(units))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pn.fit(model, data, validation=validation, epochs=1, verbose=0, **options)
    assert len(caught) <= 1, [str(warning.message) for warning in caught]
    assert all(warning.filename == __file__ for warning in caught)
    return str(caught[0].message) if caught else ""


def images(n: int = 120, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 6, 6, 1)).astype(np.uint8)


def table(n: int = 120, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


Y = np.arange(120) % 3


@pytest.mark.parametrize("x", [images(), table()])
def test_nothing_is_said_of_data_that_is_well(x, mnist):
    assert said((x, Y)) == ""
    assert said((x[:90], Y[:90]), validation=(x[90:], Y[90:])) == ""
    assert said(pn.Splits(pn.Dataset(x[:60], Y[:60]), pn.Dataset(x[60:90], Y[60:90]), pn.Dataset(x[90:], Y[90:]))) == ""
    assert said((x, x.reshape(120, -1)[:, :1].astype(np.float32) / 256), units=1) == ""


def test_the_digits_are_well(sample):
    assert said(sample, units=10) == ""


# ---- identical examples


def test_images_in_training_and_validation_are_counted_and_named():
    x = images()
    x[100], x[110] = x[3], x[3]
    words = said((x[:90], Y[:90]), validation=(x[90:], Y[90:]))
    assert words == (
        "fit: 2 of 30 validation examples are identical to training examples, such as row 10, so the validation "
        "results are too good: remove them from one of the two"
    )
    held = pn.Dataset(x[90:], Y[90:], files=[f"{row}.png" for row in range(30)])
    assert "such as '10.png', so" in said((x[:90], Y[:90]), validation=held)


def test_images_in_training_and_test_are_counted_too():
    x = images()
    x[100] = x[3]
    data = pn.Splits(pn.Dataset(x[:90], Y[:90]), pn.Dataset(x[90:], Y[90:]))
    assert "fit: 1 of 30 test examples are identical to training examples, such as row 10, so the test" in said(data)


def test_all_rows_as_their_own_validation_are_reported():
    assert "fit: 120 of 120 validation examples are identical" in said((table(), Y), validation=(table(), Y))


def test_some_equal_rows_of_a_table_are_chance():
    x = table()
    x[100:103], y = x[:3], Y.copy()
    y[100:103] = y[:3]
    assert said((x[:90], y[:90]), validation=(x[90:], y[90:])) == ""
    x[100:106], y[100:106] = x[:6], y[:6]
    assert "fit: 6 of 30 validation examples are identical" in said((x[:90], y[:90]), validation=(x[90:], y[90:]))
    y[100:106] = (y[:6] + 1) % 3
    assert said((x[:90], y[:90]), validation=(x[90:], y[90:])) == "", "other labels: measured again"


@pytest.mark.parametrize("names", [False, True])
def test_a_split_of_few_distinct_rows_says_little(names):
    x, y = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (50, 1)).astype(np.float32), np.tile([0, 1, 1, 0], 50)
    y = np.array(["no", "yes"], object)[y] if names else y
    words = said((x, y), units=2)
    assert "fit: 20 of 20 validation examples are identical" in words
    assert words.endswith("data.split(0.1) keeps them together")


# ---- labels


def test_a_slice_of_sorted_data_lacks_classes():
    order = np.argsort(Y, kind="stable")
    x, y = images()[order], Y[order]
    assert said((x[:70], y[:70])) == (
        "fit: y is sorted, and 1 of 3 classes have no examples: a slice of sorted data has its first classes only; "
        "data.split(share) takes a share of every class"
    )
    assert said((x[:90], y[:90]), validation=None) == ""
    names = pn.Dataset(x, y, classes=("ant", "bee", "cow"))
    words = said(names[:70], validation=names[70:])
    assert words == (
        "fit: 40 of 50 validation examples are of classes that the training data lacks, cow: y is sorted, so shuffle "
        "before splitting, as data.split(share) does"
    )
    assert "fit: the validation data has 1 of 3 classes: y is sorted" in said(names[30:], validation=names[:30])


def test_classes_of_a_validation_that_training_lacks_are_named():
    x = images()
    words = said((x[:60], Y[:60] % 2), validation=(x[60:], Y[60:]))
    assert (
        words
        == "fit: 20 of 60 validation examples are of classes that the training data lacks, 2: add training examples"
    )


@pytest.mark.parametrize(
    ("names", "classes", "word"), [(None, ("ant", "bee", "cow"), "cow"), (None, (), "2"), (["p", "q", "r"], (), "r")]
)
def test_classes_of_a_test_that_training_lacks_are_named(names, classes, word):
    x, y = images(), Y if names is None else np.array(names, object)[Y]
    test = pn.Dataset(x[90:], y[90:], classes=classes)
    train = pn.Dataset(x[:90], y[:90], classes=classes).take(Y[:90] < 2)
    assert said(pn.Splits(train, test), units=3 if names is None else 2) == (
        f"fit: the test data has classes that the training data lacks, {word}: add training examples of them"
    )


def test_rare_classes_are_named_with_their_counts():
    y = np.zeros(120, int)
    y[::10], y[:3] = 1, 2
    data = pn.Dataset(images(), y, classes=("well", "sick", "odd"))
    assert said(data) == "fit: classes have fewer than 5 examples, odd (3): add examples, or leave these classes out"
    assert said(data[:40]) == "", "in so few, everything is rare"
    heads = pn.Input((6, 6, 1))
    flat = pn.Flatten()(heads)
    model = pn.Model(heads, {"one": pn.Dense(3)(flat), "two": pn.Dense(3)(flat)})
    words = said((images(), {"one": Y, "two": y}), model=model)
    assert words.startswith("fit: two: classes have fewer than 5 examples, 2 (3)")
    y = np.zeros(120, int)
    y[:2] = 1
    assert "fit: classes have fewer than 5 examples, 1 (2)" in said((images(), y), units=1)


# ---- columns, scale, and all together


def test_constant_columns_are_named():
    x = table()
    x[:, 1], x[:, 3] = 7, 0
    assert said((x, Y)) == (
        "fit: columns of x have the same value in all rows, 1: they say nothing about y, so remove them"
    ), "zeros may be the border of an image"
    x[119, 1] = 6
    assert said((x, Y)) == ""


def test_all_that_is_found_is_one_warning():
    order = np.argsort(Y, kind="stable")
    x, y = 1000 * table()[order], Y[order]
    x[:, 1], x[:10] = 5, x[60:70]
    held = np.concatenate([x[60:70], x[80:]]), [*y[60:70], *y[80:]]
    words = said((x[:70], y[:70]), validation=held, preprocess=None)
    lines = words.splitlines()
    assert lines[0] == "fit: look at the data:"
    starts = [
        "x runs from",
        "10 of 50 validation examples are identical",
        "columns of x have the same",
        "40 of 50 validation",
    ]
    assert [line[:5] for line in lines[1:]] == [f"  {number}. " for number in (1, 2, 3, 4)]
    assert all(line[5:].startswith(start) for line, start in zip(lines[1:], starts, strict=True)), words


def test_batches_are_looked_at_for_their_scale():
    x = 1000 * table()
    batches = [(x[:60], Y[:60]), (x[60:], Y[60:])]
    assert said(batches, validation=None, preprocess=None).startswith("fit: x runs from")
    assert said(batches, validation=None) == ""
    x = x.reshape(-1, 2, 2)
    batches = [(x[:60], Y[:60]), (x[60:], Y[60:])]
    assert said(batches, validation=None).startswith("fit: x runs from")


def test_of_images_that_differ_only_some_bytes_are_hashed(monkeypatch):
    from pyneural.batching.sources import sources
    from pyneural.datasets import identical
    from pyneural.training import inspection

    hashed = []
    monkeypatch.setattr(identical, "hash", lambda data: hashed.append(len(data)) or hash(data), raising=False)
    x, y = np.random.default_rng(0).integers(0, 256, (7_000, 28, 28, 1)).astype(np.uint8), np.arange(7_000) % 10
    data = pn.Splits(pn.Dataset(x[:6_000], y[:6_000]), pn.Dataset(x[6_000:], y[6_000:]))
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    train, held, _ = sources(model, data, 0.1, "auto", 0)
    assert not list(inspection._copies(train, held))
    assert len(hashed) == 7_000
    assert max(hashed) < 100
