"""Augmentation in fit: against Pillow and formulas, the same bits for any batches and threads, and bad input."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path

import numpy as np
import oprefs as ref
import pytest
from PIL import Image

import pyneural as pn
from pyneural.batching.augmentation import augmented_gather
from pyneural.card.preprocessing import Preprocessing
from pyneural.commands.command_line import main
from pyneural.training.plan import plan

OFF = dict.fromkeys(("shift", "rotate", "scale", "shear", "gamma", "brightness", "contrast", "erase"), 0.0)
STRONG = pn.Augment(shift=0.2, rotate=30, scale=0.2, shear=0.2, flip=True, gamma=0.5, erase=0.5)


def only(**strengths: float) -> pn.Augment:
    return pn.Augment(**{**OFF, **strengths})


def photographs(n: int = 20, height: int = 24, width: int = 30, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth uint8 images, each with its own tones."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / height
    waves = [np.sin(rng.uniform(2, 9) * x + rng.uniform(2, 9) * y + rng.uniform(0, 6)) for _ in range(n * channels)]
    images = np.stack(waves).reshape(n, channels, height, width).transpose(0, 2, 3, 1)
    return (127.5 + rng.uniform(40, 127, (n, 1, 1, 1)) * images).astype("uint8")


def batch(augment: pn.Augment, x: np.ndarray, *, kind: str | None = None, seed: int = 1, epoch: int = 2) -> np.ndarray:
    """All of x augmented, and preprocessed as fit does with preprocess=kind."""
    dtype = "float64" if x.dtype == np.float64 else "float32"
    how = Preprocessing.learn(kind or "none", x.dtype.name, x.shape[1:], lambda: pn._core.moments(x))
    rows = np.arange(len(x))
    return np.array(augmented_gather(augment, how, x.dtype, dtype, seed, epoch)(x, rows, rows))


def network(**options: str) -> pn.Sequential:
    return pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.MaxPool2D(2), pn.Flatten(), pn.Dense(3), **options)


def labelled(n: int = 70) -> tuple[np.ndarray, np.ndarray]:
    return photographs(n, 12, 14), np.arange(n) % 3


# ---- what it does ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "strengths", [{"erase": 0.5}, {"erase": 0.0}, {"gamma": 0.9}, {"contrast": 1, "brightness": 1}]
)
def test_uint8_images_equal_the_reference_in_scipy(channels: int, strengths: dict[str, float]) -> None:
    augment = dataclasses.replace(STRONG, **strengths)
    x = photographs(channels=channels)
    want = ref.augment(
        x, np.arange(20), seed=1, stream=pn._core.stream("augment"), step=2, **dataclasses.asdict(augment)
    )
    # float32 in 0..255, and a power of an error of 2^-20 in tones next to black
    np.testing.assert_allclose(batch(augment, x), want, atol=255 * (2.0**-20) ** np.exp(-augment.gamma), rtol=1e-5)


def test_a_turned_image_is_that_of_pillow_within() -> None:
    x = photographs(30, 40, 40)
    augment = only(rotate=90)
    got = batch(augment, x)
    words = [ref._philox((0, 2, i, 0), key_words()) for i in range(30)]
    for image, turned, word in zip(x, got, words, strict=True):
        degrees = ref._either(word[0]) * 90
        grey = Image.fromarray(image[..., 0].astype("float32"), "F")
        want = np.asarray(grey.rotate(degrees, resample=Image.Resampling.BILINEAR))
        inside = slice(8, 32)  # Pillow fills with black from outside
        np.testing.assert_allclose(turned[inside, inside, 0], want[inside, inside], atol=0.1)


def key_words() -> tuple[int, int]:
    key = ref._mix(ref._mix((1 + 0x9E3779B97F4A7C15) % 2**64) ^ pn._core.stream("augment"))
    return key % 2**32, key >> 32


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_all_strengths_off_leave_every_value_as_it_is(dtype: str) -> None:
    x = photographs(channels=3).astype(dtype)
    np.testing.assert_array_equal(batch(only(), x), x.astype("float64" if dtype == "float64" else "float32"))


def test_flip_mirrors_about_half_of_the_images_exactly() -> None:
    x = photographs(200)
    got = batch(only(flip=True), x)
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(got, x, strict=True)]
    same = [np.array_equal(a, b) for a, b in zip(got, x, strict=True)]
    assert 70 < sum(mirrored) < 130  # 100 +- 4.2 standard deviations
    assert sum(mirrored) + sum(same) == 200


def test_each_strength_stays_within_its_range_and_reaches_most_of_it() -> None:
    """Seen in where a bright pixel goes, and in the values of plain images."""
    x = np.zeros((400, 41, 41, 1), "uint8")
    x[:, 30, 20] = 255  # 10 below the middle
    y, across = np.mgrid[:41, :41] - 20

    def place(augment: pn.Augment) -> np.ndarray:
        seen = batch(augment, x)[..., 0]
        return np.stack([(seen * axis).sum((1, 2)) / seen.sum((1, 2)) for axis in (across, y)], axis=1)

    angle = np.degrees(np.arctan2(*place(only(rotate=40)).T))
    assert -40 < angle.min() < -38
    assert 38 < angle.max() < 40
    assert abs(angle.mean()) < 5
    shift = place(only(shift=0.2)) - (0, 10)
    assert abs(shift).max() <= 0.2 * 41 + 1e-3
    assert (abs(shift).max(axis=0) > 0.19 * 41).all()
    size = place(only(scale=0.5))[:, 1] / 10
    assert 0.5 <= size.min() < 0.55  # a small pixel may fall between others
    assert 1.45 < size.max() < 1.5
    slant = place(only(shear=0.5))[:, 0] / 10
    assert -0.5 <= slant.min() < -0.48
    assert 0.48 < slant.max() <= 0.5


def test_tones_follow_their_formulas() -> None:
    half = np.full((300, 2, 2, 1), 51, "uint8")  # p = 0.2
    power = np.log(batch(only(gamma=0.5), half)[:, 0, 0, 0] / 255) / np.log(0.2)
    assert np.exp(-0.5) < power.min() < np.exp(-0.48)
    assert np.exp(0.48) < power.max() < np.exp(0.5)
    more = batch(only(brightness=0.3), half)[:, 0, 0, 0] / 255
    assert more.min() == 0
    assert 0.49 < more.max() < 0.5
    half[:, 0] = 153  # p = 0.6, and the mean 0.4
    low, high = batch(only(contrast=0.5), half)[:, [1, 0], 0, 0].T / 255
    np.testing.assert_allclose(low + high, 0.8, rtol=1e-5)
    assert 0.1 < (high - 0.4).min() < 0.105
    assert 0.295 < (high - 0.4).max() < 0.3


def test_tones_of_floats_follow_the_range_of_each_image() -> None:
    """uint8 / 255 of an image that has black and white is augmented as uint8 is; shifted and scaled alike."""
    x = photographs()
    x[:, 0, 0], x[:, 0, 1] = 0, 255
    tones = only(gamma=0.6, brightness=0.4, contrast=0.5)
    want = batch(tones, x) / 255
    np.testing.assert_allclose(batch(tones, x / 255), want, atol=1e-5)
    np.testing.assert_allclose(batch(tones, x / 255 * 10 - 5), want * 10 - 5, atol=1e-4)
    plain = np.full((3, 4, 4, 1), 7.5)
    np.testing.assert_array_equal(batch(tones, plain), plain)


def test_a_black_border_stays_black_and_a_plain_image_plain() -> None:
    x = np.zeros((50, 28, 28, 1), "uint8")
    x[:, 10:18, 10:18] = 255
    geometry = only(shift=0.1, rotate=15, scale=0.1, shear=0.1)
    seen = batch(geometry, x)
    assert (seen[:, [0, -1]] == 0).all()
    assert (seen[:, :, [0, -1]] == 0).all()
    plain = np.full((5, 9, 9, 2), 77, "uint8")
    np.testing.assert_array_equal(batch(geometry, plain), plain)


def test_erase_makes_a_rectangle_of_the_mean_of_the_named_share() -> None:
    x = photographs(300, 24, 30, 3)
    got = batch(only(erase=0.4), x)
    areas = []
    for image, before in zip(got, x, strict=True):
        rows, columns = np.nonzero((image != before).any(axis=2))
        if len(rows):
            part = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].reshape(-1, 3)
            areas.append(len(part) / (24 * 30))
            assert (np.ptp(part[np.isclose(part, before.mean((0, 1))).all(axis=1)], axis=0) == 0).all()
            np.testing.assert_allclose(part, np.broadcast_to(before.mean((0, 1)), part.shape), rtol=1e-5)
    assert 86 < len(areas) < 154  # 120 +- 4 standard deviations
    assert min(areas) > 0.01
    assert max(areas) < 0.22


@pytest.mark.parametrize("kind", ["dataset", "image"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_preprocessing_comes_last_and_is_that_of_predict(kind: str, dtype: str) -> None:
    x = photographs(channels=3).astype(dtype)
    plain = batch(STRONG, x)
    axes = (0, 1, 2) if kind == "dataset" else (1, 2)
    of = (x if kind == "dataset" else plain).astype("float64")
    want = (plain - of.mean(axes, keepdims=True)) / np.maximum(of.std(axes, keepdims=True), 1e-6)
    np.testing.assert_allclose(batch(STRONG, x, kind=kind), want, atol=1e-4)


# ---- in fit ----------------------------------------------------------------------------------------------------------


def test_an_example_is_augmented_alike_in_any_batch_and_by_any_number_of_threads() -> None:
    x = photographs(64)
    plain = Preprocessing("none", "uint8")

    def made(size: int, threads: int, epoch: int = 3) -> np.ndarray:
        before = pn.get_threads()
        pn.set_threads(threads)
        try:
            take = augmented_gather(STRONG, plain, x.dtype, "float32", 5, epoch)
            parts = [np.arange(64)[i : i + size] for i in range(0, 64, size)]
            return np.concatenate([np.array(take(x, rows, rows)) for rows in parts])
        finally:
            pn.set_threads(before)

    want = made(64, 1)
    for size, threads in ((64, 2), (64, 3), (7, 1), (1, 2)):
        np.testing.assert_array_equal(made(size, threads), want)
    assert not np.array_equal(made(64, 1, epoch=4), want)


@pytest.mark.parametrize("threads", [2, 3])
def test_a_training_has_the_same_bits_for_any_number_of_threads(threads: int) -> None:
    def trained(number: int) -> list[str]:
        before = pn.get_threads()
        pn.set_threads(number)
        try:
            model = network()
            return [pn.fit(model, labelled(), epochs=2, augment=STRONG, verbose=0).fingerprint for _ in range(2)]
        finally:
            pn.set_threads(before)

    one = trained(1)
    assert trained(threads) == one
    plain = network()
    assert pn.fit(plain, labelled(), epochs=2, verbose=0).fingerprint != one[0]


def epochs_of(data: object, model: pn.Sequential, epochs: list[int], **options: object) -> list[np.ndarray]:
    """The inputs of a training by sample number, and of its validation."""
    made = plan(model, data, request(**options))
    seen = []
    for epoch in epochs:
        of_epoch = [(np.array(x), np.array(samples)) for x, _, _, samples in made.feed.epoch(16, 0, epoch)]
        order = np.argsort(np.concatenate([samples for _, samples in of_epoch]))
        seen.append(np.concatenate([x for x, _ in of_epoch])[order])
    return [*seen, np.concatenate([np.array(x) for x, _, _ in made.feed.batches(16)])]


def request(**options: object) -> object:
    from pyneural.training.plan import Request

    fields = {
        "validation": None, "preprocess": None, "augment": STRONG, "loss": "auto", "metrics": (), "class_weight": None,
        "sample_weight": None, "balance": False, "loss_weights": None, "label_smoothing": 0.0, "seed": 0,
        "batch_size": 16,
    }  # fmt: skip
    return Request(**{**fields, **options})  # type: ignore[arg-type]


def test_epochs_differ_and_what_is_evaluated_is_not_augmented() -> None:
    x, y = labelled()
    first, second, plain = epochs_of((x, y), network(), [0, 1])
    np.testing.assert_array_equal(plain, x)
    assert (first != second).any(axis=(1, 2, 3)).all()
    again, _ = epochs_of((x, y), network(), [0])
    np.testing.assert_array_equal(first, again)


def test_batches_of_a_loader_are_augmented_as_arrays_are() -> None:
    x, y = labelled()
    loader = [(x[i : i + 20], y[i : i + 20]) for i in range(0, 70, 20)]
    from_arrays = epochs_of((x, y), network(), [0, 4])
    from_loader = epochs_of(loader, network(), [0, 4])
    for a, b in zip(from_arrays, from_loader, strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_example_that_is_drawn_twice_in_an_epoch_is_augmented_twice() -> None:
    x = photographs(40, 12, 14)
    y = (np.arange(40) < 4).astype(int)
    (seen, _), same = epochs_of((x, y), network(), [0], balance=True), set()
    same = {image.tobytes() for image in seen}
    assert len(same) == 40


def test_validation_is_not_augmented() -> None:
    x, y = labelled()
    rest = pn.Dataset(x[:20], y[:20])
    made = plan(network(), (x, y), request(validation=rest))
    assert made.held is not None
    np.testing.assert_array_equal(np.concatenate([np.array(x) for x, _, _ in made.held.batches(8)]), x[:20])


def test_a_second_fit_continues_with_the_next_epochs() -> None:
    x, y = labelled()
    options = {"augment": STRONG, "verbose": 0, "validation": None, "learning_rate": 1e-9, "schedule": "constant"}
    losses = []
    for times in ((2,), (1, 1)):
        model = network()
        losses.append([loss for epochs in times for loss in pn.fit(model, (x, y), epochs=epochs, **options)["loss"]])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert abs(losses[0][0] - losses[0][1]) > 1e-4


def test_heads_and_float64_train_with_augmentation() -> None:
    x, y = labelled()
    given = pn.Input((12, 14, 1))
    hidden = pn.Flatten()(given)
    model = pn.Model(given, {"top": pn.Dense(3)(hidden), "bottom": pn.Dense(1)(hidden)})
    history = pn.fit(model, (x, {"top": y, "bottom": y % 2}), epochs=1, augment=STRONG, verbose=0)
    assert np.isfinite(history["loss"][0])
    wide = network(dtype="float64")
    assert np.isfinite(pn.fit(wide, (x / 255, y), epochs=1, augment=STRONG, preprocess="image", verbose=0)["loss"][0])


def test_the_first_line_of_fit_says_what_is_augmented(capsys: pytest.CaptureFixture[str]) -> None:
    pn.fit(network(), labelled(), epochs=1, augment=only(rotate=15, flip=True))
    assert "augmented: rotate 15, flip" in " ".join(capsys.readouterr().out.split())


def test_the_file_of_a_model_says_how_it_was_augmented_last(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = network()
    pn.fit(model, labelled(), epochs=1, augment=only(rotate=15, flip=True), verbose=0)
    file = pn.save(model, tmp_path / "model.safetensors")
    assert pn.load(file).card.augment == "rotate 15, flip"
    main(["info", str(file)])
    assert "augmented" in capsys.readouterr().out
    pn.fit(model, labelled(), epochs=1, verbose=0)
    assert model.card.augment == ""


# ---- bad input and corners -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strengths", "error", "says"),
    [
        ({"rotate": -1}, ValueError, "Augment: rotate is -1: give degrees, from 0 (off) to 180"),
        ({"shift": np.nan}, ValueError, "Augment: shift is nan: give a fraction of the sides, from 0 (off) to 1"),
        ({"gamma": np.inf}, ValueError, "Augment: gamma is inf: give the logarithm of an exponent"),
        ({"scale": 1}, ValueError, "Augment: scale is 1: give a fraction of the size, from 0 (off) to 0.9"),
        ({"erase": 1.5}, ValueError, "Augment: erase is 1.5: give a share of the images"),
        ({"shear": True}, TypeError, "Augment: shear is True: give a slope, from 0 (off) to 1"),
        ({"shear": np.True_}, TypeError, "Augment: shear is np.True_: give a slope, from 0 (off) to 1"),
        ({"contrast": "0.5"}, TypeError, "Augment: contrast is '0.5': give a fraction"),
        ({"brightness": None}, TypeError, "Augment: brightness is None: give a fraction"),
        ({"flip": 0.5}, TypeError, "Augment: flip is 0.5: give True, which mirrors half of the images, or False"),
        ({"rotation": 15}, TypeError, "Augment() has no 'rotation'; use rotate"),
        (
            {"vertical_flip": True},
            TypeError,
            "Augment() has no 'vertical_flip'; images are mirrored left to right only",
        ),
        ({"strength": 2}, TypeError, "Augment() has no 'strength'; it takes shift, rotate"),
    ],
)
def test_wrong_strengths_raise_an_error_that_names_the_range(
    strengths: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        pn.Augment(**strengths)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_strengths_are_given_by_name_only() -> None:
    with pytest.raises(TypeError, match=r"no positional arguments, got 0\.1: write Augment"):
        pn.Augment(0.1)  # type: ignore[call-arg, misc]


@pytest.mark.parametrize("augment", [True, "strong", [pn.Augment()], 0.1, pn.Augment])
def test_fit_takes_an_augment_or_none(augment: object) -> None:
    with pytest.raises(TypeError, match=r"fit: augment is .*: give pn\.Augment\(\), .* or None"):
        pn.fit(network(), labelled(), augment=augment)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "fix"), [((9,), "leave it out"), ((6, 4), r"give x\[\.\.\., None\]"), ((2, 3, 4, 1), "leave it out")]
)
def test_inputs_that_are_not_images_are_refused_and_the_model_stays_unbuilt(shape: tuple[int, ...], fix: str) -> None:
    model = pn.Sequential(pn.Flatten(), pn.Dense(3))
    with pytest.raises(ValueError, match=rf"fit: augment is for images .*: {fix}"):
        pn.fit(model, (np.ones((30, *shape), "float32"), np.arange(30) % 3), augment=pn.Augment(), verbose=0)
    assert not model.is_built


def test_an_augment_is_a_value() -> None:
    for made in (
        copy.deepcopy(STRONG),
        pickle.loads(pickle.dumps(STRONG)),
        eval(repr(STRONG), {"Augment": pn.Augment}),
    ):
        assert made == STRONG
        assert hash(made) == hash(STRONG)
    assert pn.Augment() != STRONG
    assert str(only()) == "nothing"
    with pytest.raises(AttributeError):
        STRONG.rotate = 3.0  # type: ignore[misc]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 40, 3), (40, 1, 2), (2, 2, 65)])
def test_the_strongest_augmentation_of_tiny_images_is_finite(shape: tuple[int, ...]) -> None:
    most = pn.Augment(shift=1, rotate=180, scale=0.9, shear=1, flip=True, gamma=3, brightness=1, contrast=1, erase=1)
    x = np.random.default_rng(0).integers(0, 256, (30, *shape), dtype="uint8")
    for given in (x, x / np.float32(255)):
        for kind in (None, "image"):
            assert np.isfinite(batch(most, given, kind=kind)).all()
    seen = batch(most, x)
    assert seen.min() >= 0
    assert seen.max() <= 255


def test_a_pixel_that_is_not_finite_stays_in_its_image() -> None:
    x = photographs().astype("float32")
    x[3, 5, 5], x[4, 5, 5] = np.nan, np.inf
    seen = batch(STRONG, x, kind="image")
    assert np.isfinite(np.delete(seen, (3, 4), axis=0)).all()
