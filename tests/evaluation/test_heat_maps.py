"""Heat maps: they are what their formulas say, find what matters, and change with the weights."""

import copy

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

import pyneural as pn

METHODS = ("grad-cam", "occlusion")


def corners(n: int, seed: int) -> pn.Dataset:
    """Noise, where horizontal bars in the upper left quadrant decide the class; the vertical ones at the lower right
    say nothing."""
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 60, (n, 16, 16, 1))
    y = generator.integers(0, 2, n)
    for image, one in zip(x, y, strict=True):
        row, column = generator.integers(0, 3, 2)
        image[row : row + 6 : 2, column : column + 6] += 150 * one
        row, column = generator.integers(8, 11, 2)
        image[row : row + 6, column : column + 6 : 2] += 150 * generator.integers(0, 2)
    return pn.Dataset(x.astype(np.uint8), y, classes=("without", "with"), name="corners")


def network(outputs: int) -> pn.Model:
    return pn.Sequential(
        pn.Conv2D(8, 3, padding="same", activation="relu"),
        pn.Conv2D(8, 3, padding="same", activation="relu"),
        pn.MaxPool2D(2),
        pn.GlobalAvgPool2D(),
        pn.Dense(outputs),
    )


@pytest.fixture(scope="module", params=[1, 2], ids=["one output", "two outputs"])
def trained(request) -> pn.Model:
    model = network(request.param)
    history = pn.fit(model, corners(400, 0), epochs=12, learning_rate=0.01, seed=0, validation=None, verbose=0)
    assert history["loss"][-1] < 0.1
    return model


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    data = corners(50, 1)
    return next(x for x, y in zip(data.x, data.y, strict=True) if y == 1 and x[9:, 9:].max() > 150)


@pytest.mark.parametrize("method", METHODS)
def test_the_map_finds_the_quadrant_that_matters(trained, image, method):
    found = pn.heat_map(trained, image, method=method)
    assert found.shape == (16, 16)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() == 1
    assert found[:8, :8].sum() > 0.7 * found.sum()
    assert np.array_equal(found, pn.heat_map(trained, image, method=method, label="with"))
    assert np.array_equal(found, pn.heat_map(trained, image, method=method, label=1))


@pytest.mark.parametrize("method", METHODS)
def test_random_weights_give_another_map(trained, image, method):
    """The sanity check of Adebayo et al. 2018: a map that hardly depends on the weights would explain nothing."""
    before = pn.heat_map(trained, image, method=method, normalize=False).ravel()
    alike = []
    for seed in range(20):
        model = copy.deepcopy(trained)
        generator = np.random.default_rng(seed)
        for parameter in model.parameters.values():
            values = generator.permutation(parameter.numpy().ravel()).reshape(parameter.shape)
            parameter.assign(values * generator.choice([-1, 1], parameter.shape))
        after = pn.heat_map(model, image, method=method, label="with", normalize=False).ravel()
        alike.append(spearmanr(before, after).statistic if after.any() else 0.0)
    assert abs(np.mean(alike)) < 0.4, alike  # measured: 0.02 to 0.25
    assert np.array_equal(before, pn.heat_map(trained, image, method=method, normalize=False).ravel())


# ---- the formulas


def differences(rest, A: np.ndarray) -> np.ndarray:
    """The gradient of rest(A), a number, by central differences."""
    gradient = np.zeros_like(A)
    for place in np.ndindex(A.shape):
        up, down = A.copy(), A.copy()
        up[place] += 1e-6
        down[place] -= 1e-6
        gradient[place] = (rest(up) - rest(down)) / 2e-6
    return gradient


def by_numpy(A: np.ndarray, gradient: np.ndarray, size: int) -> np.ndarray:
    """relu(sum of a_k A_k), scaled by Pillow."""
    rough = np.maximum((A * gradient.mean(axis=(0, 1))).sum(axis=-1), 0)
    return np.asarray(Image.fromarray(rough.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR))


@pytest.mark.parametrize(("outputs", "label"), [(1, 1), (1, 0), (3, 2), (3, None)])
def test_grad_cam_is_its_formula_by_central_differences(outputs, label):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(20, 8, 8, 1))
    y = generator.integers(0, max(2, outputs), 20)
    conv = pn.Conv2D(3, 3, padding="same", activation="tanh")
    model = pn.Sequential(
        conv, pn.AvgPool2D(2), pn.Flatten(), pn.Dense(5, "tanh"), pn.Dense(outputs), dtype="float64", seed=3
    )
    pn.fit(model, (x, y), epochs=2, validation=None, verbose=0)
    A = conv(pn.tensor(x[:1])).numpy()[0]
    tail = model.layers[1:]
    label = int(pn.predict(model, x[:1]).argmax()) if label is None else label

    def rest(values: np.ndarray) -> float:
        h = pn.tensor(values[None])
        for layer in tail:
            h = layer(h)
        out = h.numpy()[0]
        return float(out[label]) if outputs > 1 else float(out[0] if label else -out[0])

    expected = by_numpy(A, differences(rest, A), 8)
    assert expected.max() > 0
    found = pn.heat_map(model, x[0], label=label, normalize=False)
    assert np.abs(found - expected).max() < 1e-6 * expected.max()  # float32, to which the result is rounded
    assert np.abs(pn.heat_map(model, x[0], label=label) - expected / expected.max()).max() < 1e-6


def test_grad_cam_scales_as_pillow_does():
    generator = np.random.default_rng(1)
    model = pn.Sequential(pn.Conv2D(4, 5, stride=3, activation="relu"), pn.Flatten(), pn.Dense(1), seed=0)
    x = generator.normal(size=(10, 20, 20, 1)).astype(np.float32)
    pn.fit(model, (x, np.arange(10) % 2), epochs=1, validation=None, verbose=0)
    A = model[0](pn.tensor(x[:1])).numpy()[0].astype(np.float64)
    gradient = np.asarray(model["dense_1"].weight).reshape(A.shape).astype(np.float64)
    expected = by_numpy(A, gradient, 20)
    assert np.abs(pn.heat_map(model, x[0], label=1, normalize=False) - expected).max() < 1e-5 * expected.max()


@pytest.mark.parametrize("outputs", [1, 3])
def test_occlusion_is_the_mean_drop_of_the_log_odds(outputs):
    generator = np.random.default_rng(2)
    x = generator.normal(2, 1, size=(30, 7, 9, 2))
    model = pn.Sequential(pn.Flatten(), pn.Dense(6, "tanh"), pn.Dense(outputs), dtype="float64")
    pn.fit(model, (x, np.arange(30) % max(2, outputs)), epochs=3, preprocess="dataset", validation=None, verbose=0)
    odds = lambda images: np.log(pn.predict(model, images)[:, -1]) - np.log1p(-pn.predict(model, images)[:, -1])  # noqa: E731
    total, count = np.zeros((7, 9)), np.zeros((7, 9))
    for row in (0, 2, 4):
        for column in (0, 2, 4, 6):
            covered = x[:1].copy()
            covered[0, row : row + 3, column : column + 3] = model.card.preprocessing.mean
            total[row : row + 3, column : column + 3] += odds(x[:1]) - odds(covered)
            count[row : row + 3, column : column + 3] += 1
    found = pn.heat_map(model, x[0], method="occlusion", label=max(2, outputs) - 1, patch=3, stride=2, normalize=False)
    expected = total / count
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()
    scaled = np.maximum(expected, 0) / expected.max()
    assert (
        np.abs(
            pn.heat_map(model, x[0], method="occlusion", label=max(2, outputs) - 1, patch=3, stride=2) - scaled
        ).max()
        < 1e-6
    )


def test_occlusion_covers_every_pixel_in_any_batches(trained, image, monkeypatch):
    from pyneural.evaluation import occlusion

    whole = pn.heat_map(trained, image, method="occlusion", patch=(5, 7), stride=(5, 7), normalize=False)
    monkeypatch.setattr(occlusion, "_AT_ONCE", 3 * 256)
    assert np.array_equal(
        whole, pn.heat_map(trained, image, method="occlusion", patch=(5, 7), stride=(5, 7), normalize=False)
    )


# ---- models of every shape


def graph(nested: bool, head: bool) -> pn.Model:
    """A residual network: what behind its sum is the last feature map, also within a nested model."""
    x = pn.Input((16, 16, 1))
    a = pn.Input((16, 16, 1))
    h = pn.Conv2D(4, 3, padding="same", name="first")(a)
    h = pn.Activation("relu", name="sum")(h + pn.Conv2D(4, 1, name="second")(h))
    if nested:
        h = pn.Model(a, h, name="body")(x)
    out = pn.Dense(2)(pn.Flatten()(pn.MaxPool2D(2)(h)))
    other = pn.Dense(1)(pn.GlobalAvgPool2D()(h))
    return pn.Model(x if nested else a, {"corner": out, "other": other} if head else out, seed=1)


@pytest.mark.parametrize("head", [False, True], ids=["one output", "heads"])
def test_nested_models_give_the_map_of_the_same_layers(image, head):
    data = corners(60, 0)
    y = {"corner": data.y, "other": data.y} if head else data.y
    flat, nested = graph(False, head), graph(True, head)
    for model in (flat, nested):
        pn.fit(model, (data.x, y), epochs=1, seed=0, validation=None, verbose=0)
    pairs = zip(flat.parameters.values(), nested.parameters.values(), strict=True)
    for one, other in pairs:
        other.assign(one)
    options = {"head": "corner"} if head else {}
    for path, inside in ((None, None), ("sum", "body/sum"), ("second", "body/second")):
        expected = pn.heat_map(flat, image, label=1, layer=path, normalize=False, **options)
        assert np.array_equal(pn.heat_map(nested, image, label=1, layer=inside, normalize=False, **options), expected)
        assert path != "second" or not np.array_equal(
            expected, pn.heat_map(flat, image, label=1, normalize=False, **options)
        )
    default = pn.heat_map(flat, image, label=1, normalize=False, **options)
    assert np.array_equal(default, pn.heat_map(flat, image, label=1, layer="sum", normalize=False, **options))


@pytest.mark.parametrize("preprocess", ["dataset", "image", None])
@pytest.mark.parametrize("method", METHODS)
def test_every_preprocessing_is_that_of_predict(method, preprocess):
    data = corners(60, 0)
    model = network(2)
    pn.fit(model, data, epochs=1, preprocess=preprocess, validation=None, verbose=0)
    assert pn.heat_map(model, data.x[0], method=method, label=1, normalize=False).any()


def test_values_have_maps_too(image):
    data = corners(60, 0)
    model = network(2)
    y = np.stack([data.y, 1 - data.y], axis=1) * 3.5
    pn.fit(model, (data.x, y), epochs=3, loss="mse", validation=None, verbose=0)
    for method in METHODS:
        assert pn.heat_map(model, image, method=method, label=1, normalize=False).any()
    with pytest.raises(ValueError, match=r"predicts 2 values: give the number of one, such as label=0"):
        pn.heat_map(model, image)
    with pytest.raises(ValueError, match=r"label is 2: give the output's number, 0 to 1"):
        pn.heat_map(model, image, label=2)


@pytest.mark.parametrize("method", METHODS)
def test_a_final_softmax_does_not_count(image, method):
    """The score is that of the logits, also where the model ends in probabilities."""
    maps = []
    for ends in ([pn.Dense(2)], [pn.Dense(2, "softmax")], [pn.Dense(2), pn.Activation("softmax")]):
        model = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.GlobalAvgPool2D(), *ends)
        pn.fit(model, corners(60, 0), epochs=1, seed=0, validation=None, verbose=0)
        maps.append(pn.heat_map(model, image, method=method, label=1, normalize=False))
    assert np.array_equal(maps[0], maps[1])
    assert np.array_equal(maps[0], maps[2])


def test_of_a_layer_that_is_called_twice_the_last_call_counts(image):
    x = pn.Input((16, 16, 1))
    conv = pn.Conv2D(1, 3, padding="same", activation="sigmoid")
    model = pn.Model(x, pn.Dense(2)(pn.GlobalAvgPool2D()(conv(conv(x)))))
    pn.fit(model, corners(60, 0), epochs=1, seed=0, preprocess=None, validation=None, verbose=0)
    weight = np.asarray(model["dense_1"].weight)[0, :, None, None] / 256
    label = int(weight.argmax())
    value = conv(conv(pn.tensor(image[None], "float32"))).numpy()[0, ..., 0]
    found = pn.heat_map(model, image, label=label, normalize=False)
    assert found.any()
    assert np.abs(found - np.maximum(weight[label] * value, 0)).max() < 1e-5 * np.abs(weight[label]).max()


def test_a_custom_layer_with_a_convolution_counts_as_one(image):
    class Block(pn.Layer):
        def __init__(self):
            self.inner = pn.Conv2D(4, 3, padding="same")

        def call(self, x, *, training):
            return self.inner(x).relu()

    model = pn.Sequential(Block(), pn.Flatten(), pn.Dense(2))
    pn.fit(model, corners(60, 0), epochs=1, validation=None, verbose=0)
    found = pn.heat_map(model, image, label=1)
    assert np.array_equal(found, pn.heat_map(model, image, label=1, layer="block_1"))


# ---- what is left alone


def test_the_model_its_gradients_and_its_graphs_stay_as_they_are(trained, image):
    x = pn.tensor(np.random.default_rng(0).normal(size=(2, 16, 16, 1)), "float32")
    trained(x, training=True).sum().backward()
    gradients = {path: tensor.grad.numpy().copy() for path, tensor in trained.parameters.items()}
    before = trained.fingerprint(), [layer.trainable for layer in trained.layers]
    with pn.no_grad():
        inside = pn.heat_map(trained, image)
    assert (trained.fingerprint(), [layer.trainable for layer in trained.layers]) == before
    for path, tensor in trained.parameters.items():
        assert np.array_equal(tensor.grad.numpy(), gradients[path]), path
    assert np.array_equal(inside, pn.heat_map(trained, image))
    trained.layers[0].trainable = False
    assert np.array_equal(inside, pn.heat_map(trained, image))
    trained.layers[0].trainable = True


@pytest.mark.parametrize("method", METHODS)
def test_files_are_prepared_as_the_command_predict_does(trained, image, method, tmp_path):
    path = tmp_path / "one.png"
    Image.fromarray(image[..., 0]).convert("RGB").save(path)
    expected = pn.heat_map(trained, image, method=method)
    assert np.array_equal(pn.heat_map(trained, path, method=method), expected)
    assert np.array_equal(pn.heat_map(trained, str(path), method=method), expected)
    large = tmp_path / "large.png"
    Image.fromarray(image[..., 0]).resize((64, 48), Image.Resampling.NEAREST).save(large)
    assert pn.heat_map(trained, large, method=method).shape == (16, 16)
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"heat_map: '.*damaged\.png' cannot be read"):
        pn.heat_map(trained, damaged, method=method)
    with pytest.raises(FileNotFoundError, match="heat_map"):
        pn.heat_map(trained, tmp_path / "none.png", method=method)


# ---- errors


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"method": "lime"}, ValueError, "method 'lime' is not known: grad-cam, occlusion"),
        ({"method": "grad_cam2"}, ValueError, "method"),
        ({"method": 3}, TypeError, "method is 3: give a name"),
        ({"label": "wiht"}, ValueError, "label 'wiht'\\? did you mean 'with'"),
        ({"label": "cat"}, ValueError, "label 'cat' is not known: without, with"),
        ({"label": 2}, ValueError, "label is 2: give the class's number, 0 to 1"),
        ({"label": 0.5}, ValueError, "label is 0.5: give the class's number, 0 to 1"),
        ({"layer": "conv2d_3"}, ValueError, "layer 'conv2d_3' is not known: conv2d_1, conv2d_2, max_pool2d_1"),
        ({"layer": "conv2d2"}, ValueError, "layer 'conv2d2'\\? did you mean 'conv2d_2'"),
        ({"layer": 1}, TypeError, "layer is 1: give a name"),
        ({"head": "left"}, ValueError, "head is 'left', but the model has one output: leave it out"),
        ({"patch": 3}, ValueError, "patch and stride are for method='occlusion'"),
        ({"method": "occlusion", "layer": "conv2d_1"}, ValueError, "layer is for method='grad-cam'"),
        ({"method": "occlusion", "patch": 17}, ValueError, "patch is 17, but the image is 16 x 16"),
        ({"method": "occlusion", "patch": 0}, ValueError, "patch is 0: give a whole number of at least 1"),
        (
            {"method": "occlusion", "patch": 3, "stride": 4},
            ValueError,
            "stride is 4, so patches of 3 x 3 leave pixels out: give at most the size of a patch",
        ),
        ({"normalize": "no"}, TypeError, "normalize is 'no': give True or False"),
        ({"normalize": np.array([1, 2])}, TypeError, "normalize is array.*: give True or False"),
    ],
)
def test_what_does_not_fit_is_refused(trained, image, options, error, words):
    with pytest.raises(error, match=f"^heat_map: {words}"):
        pn.heat_map(trained, image, **options)


def test_images_and_models_that_do_not_fit_are_refused(trained, image, tmp_path):
    with pytest.raises(ValueError, match=r"heat_map: it takes one image, got 3: give one of them, such as x\[0\]"):
        pn.heat_map(trained, np.stack([image] * 3))
    with pytest.raises(ValueError, match=r"heat_map: the model was built for images \(16, 16, 1\), .*: scale it"):
        pn.heat_map(trained, np.zeros((20, 20, 1), np.uint8))
    with pytest.raises(ValueError, match="heat_map: the model was trained on uint8 pixels"):
        pn.heat_map(trained, image / 255)
    with pytest.raises(TypeError, match=r"heat_map: model is Dataset: .*pn.heat_map\(model, image\)"):
        pn.heat_map(corners(3, 0), image)
    with pytest.raises(TypeError, match=r"^heat_map: x is dict: give its pixels"):
        pn.heat_map(trained, {"image": image})
    with pytest.raises(RuntimeError, match="heat_map: the model is not trained yet"):
        pn.heat_map(network(2), image)
    table = pn.Sequential(pn.Dense(2))
    pn.fit(table, (np.eye(4), np.arange(4) % 2), epochs=1, validation=None, verbose=0)
    with pytest.raises(ValueError, match=r"heat_map: the model takes inputs \(n, 4\), but a heat map needs images"):
        pn.heat_map(table, np.ones(4))
    flat = pn.Sequential(pn.Flatten(), pn.Dense(2))
    pn.fit(flat, (corners(20, 0).x / 255, corners(20, 0).y), epochs=1, validation=None, verbose=0)
    with pytest.raises(ValueError, match="no convolution, which Grad-CAM needs: use method='occlusion'"):
        pn.heat_map(flat, image / 255)
    assert pn.heat_map(flat, image / 255, method="occlusion").shape == (16, 16)
    with pytest.raises(TypeError, match="image is a path, but the model was not trained on uint8 images"):
        pn.heat_map(flat, tmp_path / "one.png", method="occlusion")


def test_models_with_heads_need_the_name_of_one(image):
    data = corners(20, 0)
    model = graph(False, True)
    pn.fit(model, (data.x, {"corner": data.y, "other": data.y}), epochs=1, validation=None, verbose=0)
    with pytest.raises(ValueError, match="the model has the heads corner, other: give one, such as head='corner'"):
        pn.heat_map(model, image)
    with pytest.raises(ValueError, match=r"head 'cornr'\? did you mean 'corner'"):
        pn.heat_map(model, image, head="cornr")
    assert pn.heat_map(model, image, head="other", method="occlusion", normalize=False).any()


def test_a_map_without_evidence_is_zero_and_says_so(trained):
    model = copy.deepcopy(trained)
    for parameter in model.parameters.values():
        parameter.assign(np.zeros(parameter.shape))
    with pytest.warns(UserWarning, match="nothing in the image speaks for with, so the map is 0 everywhere"):
        found = pn.heat_map(model, np.full((16, 16, 1), 9, np.uint8), label="with")
    assert not found.any()
    model.parameters["dense_1/bias"].assign(np.full(model.output_shape, np.nan))
    with pytest.raises(ValueError, match="the model's outputs are NaN or infinite"):
        pn.heat_map(model, np.full((16, 16, 1), 9, np.uint8), method="occlusion", label="with")


def test_numbers_that_are_class_names_count_as_names(image):
    data = corners(60, 0)
    model = network(2)
    pn.fit(model, (data.x, 10 + 10 * data.y), epochs=1, validation=None, verbose=0)
    assert model.classes == ("10", "20")
    options = {"method": "occlusion", "normalize": False}
    assert np.array_equal(
        pn.heat_map(model, image, label=20, **options), pn.heat_map(model, image, label="20", **options)
    )
