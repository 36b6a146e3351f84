"""Images that are unlike the training images get a warning, others get none."""

import copy
import warnings

import numpy as np
import pytest

import pyneural as pn
from pyneural.evaluation.drift import unlike_training

SIZE = 32


def chests(n: int, seed: int, channels: int = 1) -> np.ndarray:
    """Shapes as on an X-ray, uint8 (n, 32, 32, channels): two dark lungs, a bright spine, and ribs."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    shift, wide, tall, light = (generator.normal(0, size, (n, 1, 1)) for size in (0.03, 0.02, 0.03, 12))
    image = 130 + light + 60 * np.exp(-(((x - 0.5 - shift) / 0.06) ** 2)) + 40 * (y > 0.8 + shift)
    for centre in (0.28, 0.72):
        lung = ((x - centre - shift) / (0.16 + wide)) ** 2 + ((y - 0.45 - shift) / (0.32 + tall)) ** 2
        image = image - 85 * (lung < 1) * (1 + 0.15 * np.sin(30 * (y + shift)))
    image = image + generator.normal(0, 4, image.shape)
    return np.repeat(image.clip(0, 255).astype(np.uint8)[..., None], channels, axis=3)


def trained(x: np.ndarray) -> pn.Model:
    model = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(model, (x, np.arange(len(x)) % 2), epochs=1, validation=None, verbose=0)
    return model


@pytest.fixture(scope="module")
def model():
    x = chests(600, 0)
    found = trained(x)
    pn.record_pixels(found, x)
    return found


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (n, SIZE, SIZE, 1), dtype=np.uint8)


OTHERS = {
    "inverted": (255 - chests(50, 2), "light and dark parts lie elsewhere"),
    "on its side": (np.rot90(chests(50, 2), axes=(1, 2)), "light and dark parts lie elsewhere"),
    "upside down": (chests(50, 2)[:, ::-1], "upside down"),
    "noise": (noise(50), "more fine detail or noise"),
    "white": (np.full((1, SIZE, SIZE, 1), 255, np.uint8), "more of it is white"),
    "black": (np.zeros((1, SIZE, SIZE, 1), np.uint8), "it is darker"),
}


def test_one_in_a_hundred_other_images_of_the_same_kind_may_be_called_unlike_at_most(model):
    reasons = unlike_training(model, chests(1000, 1))
    assert sum(reason is not None for reason in reasons) <= 10


@pytest.mark.parametrize("name", OTHERS)
def test_images_of_another_kind_are_told(model, name):
    images, words = OTHERS[name]
    reasons = unlike_training(model, images)
    assert all(words in (reason or "") for reason in reasons), reasons


def test_a_reason_has_the_number_and_its_limit(model):
    low, high = model.card.pixels.ranges["mean"]
    bright, dark = unlike_training(model, np.stack([chests(1, 4)[0] // 3 + 170, chests(1, 4)[0] // 3]))
    assert f"it is brighter ({(chests(1, 4) // 3 + 170).mean():.3g}, theirs at most {high:.3g})" in bright
    assert f"it is darker ({(chests(1, 4) // 3).mean():.3g}, theirs at least {low:.3g})" in dark


def test_few_training_images_give_wide_ranges():
    x = chests(24, 0)
    found = trained(x)
    pn.record_pixels(found, x)
    reasons = unlike_training(found, chests(500, 1))
    assert sum(reason is not None for reason in reasons) <= 15  # 3 %: the range of 24 images says little
    assert None not in unlike_training(found, noise(20))


def test_colours_are_unlike_greyscale():
    x = chests(100, 0, channels=3)
    found = trained(x)
    pn.record_pixels(found, x)
    other = chests(20, 1, channels=3)
    assert unlike_training(found, other) == [None] * 20
    other[..., 2] //= 2
    assert all("more colour" in (reason or "") for reason in unlike_training(found, other))


def test_predict_warns_once_and_names_the_first(model):
    x = np.concatenate([chests(3, 5), noise(2)])
    with pytest.warns(UserWarning, match=r"predict: 2 of 5 images are unlike .*the first at index 3: ") as seen:
        pn.predict(model, x)
    assert len(seen) == 1
    with pytest.warns(UserWarning, match="1 of 4 images is unlike"):
        pn.predict(model, x[:4])
    with pytest.warns(UserWarning, match="classify: the image is unlike the training images: .*do not trust"):
        pn.classify(model, x[3])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pn.predict(model, x[:3])
        pn.classify(model, x[0])


@pytest.mark.parametrize("as_stream", [False, True])
def test_evaluate_warns_once_of_a_data_set_and_of_batches(model, as_stream):
    x, y = np.concatenate([chests(40, 5), noise(2)]), np.arange(42) % 2
    data = [(x[:20], y[:20]), (x[20:], y[20:])] if as_stream else (x, y)
    with pytest.warns(UserWarning, match="evaluate: 2 of 42 images are unlike .* index 40: ") as seen:
        pn.evaluate(model, data, verbose=0)
    assert len(seen) == 1


def test_the_statistics_are_saved_copied_and_forgotten_after_other_data(model, tmp_path):
    found = pn.load(pn.save(model, tmp_path / "m.safetensors"))
    assert found.card.pixels == model.card.pixels == copy.deepcopy(model).card.pixels
    assert unlike_training(found, noise(3)) == unlike_training(model, noise(3))
    x = chests(600, 0)
    y = np.arange(600) % 2
    pn.fit(found, (x, y), epochs=1, validation=None, verbose=0)
    assert found.card.pixels is not None
    pn.fit(found, (x[:300], y[:300]), epochs=1, validation=None, verbose=0)
    assert found.card.pixels is None


def test_a_model_without_statistics_warns_of_nothing():
    x = chests(40, 0)
    found = trained(x)
    assert unlike_training(found, noise(3)) == [None] * 3
    pn.record_pixels(found, x[:19])  # too few
    assert found.card.pixels is None
    pn.predict(found, noise(3))


def test_a_data_set_and_one_image_are_taken_too(model):
    found = copy.deepcopy(model)
    pn.record_pixels(found, pn.Dataset(chests(600, 0), np.arange(600) % 2))
    assert found.card.pixels == model.card.pixels
    assert unlike_training(model, noise(1)[0, :, :, 0]) == unlike_training(model, noise(1))


def test_images_all_alike_and_no_images_are_borne():
    x = np.full((30, SIZE, SIZE, 1), 100, np.uint8)
    found = trained(chests(40, 0))
    pn.record_pixels(found, x)
    assert unlike_training(found, x[:2]) == [None, None]
    assert None not in unlike_training(found, chests(3, 1))
    assert unlike_training(found, x[:0]) == []


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (chests(5, 0)[:, :16], "built for images"),
        (chests(5, 0).astype(float), "images is float64: give uint8 pixels"),
        (["a.png"], "images is list"),
    ],
)
def test_images_that_do_not_fit_are_refused(model, images, words):
    with pytest.raises((ValueError, TypeError), match=words):
        pn.record_pixels(model, images)


def test_other_models_are_refused():
    floats = pn.Sequential(pn.Dense(2))
    pn.fit(floats, (np.eye(4), np.arange(4) % 2), epochs=1, validation=None, verbose=0)
    with pytest.raises(ValueError, match="record_pixels: the model was not trained on images"):
        pn.record_pixels(floats, np.eye(4))
    with pytest.raises(TypeError, match="record_pixels: model is str"):
        pn.record_pixels("xray", chests(5, 0))
    with pytest.raises(TypeError, match="images"):
        pn.record_pixels(floats, x=np.eye(4))
