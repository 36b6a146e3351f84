"""The plot of a heat map: the image, and the image under its map."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

import pyneural as pn


@pytest.fixture(scope="module")
def model(sample):
    found = pn.Sequential(pn.Conv2D(4, 5, activation="relu"), pn.GlobalAvgPool2D(), pn.Dense(10))
    pn.fit(found, sample, epochs=1, seed=0, verbose=0)
    return found


@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_the_map_lies_over_the_image(model, sample, method):
    image = sample.test.x[0]
    axes = pn.plot.heat_map(model, image, method=method, label=7)
    assert axes.shape == (1, 2)
    assert [axis.get_title() for axis in axes[0]] == [
        "image",
        f"{'Grad-CAM' if method == 'grad-cam' else method} for 7",
    ]
    for axis in axes[0]:
        assert np.array_equal(axis.images[0].get_array(), image[..., 0])
    drawn = axes[0, 1].images[1]
    assert np.array_equal(drawn.get_array(), pn.heat_map(model, image, method=method, label=7))
    assert drawn.get_clim() == (0, 1)
    assert 0.3 < drawn.get_alpha() < 0.8


def test_colour_images_floats_and_heads_are_drawn():
    x = pn.Input((8, 6, 3))
    h = pn.Conv2D(4, 3, activation="relu")(x)
    model = pn.Model(x, {"left": pn.Dense(2)(pn.Flatten()(h)), "right": pn.Dense(1)(pn.Flatten()(h))})
    images = np.random.default_rng(0).uniform(0, 1, (10, 8, 6, 3))
    labels = np.arange(10) % 2
    pn.fit(model, (images, {"left": labels, "right": labels}), epochs=1, validation=None, verbose=0)
    ax = plt.subplots(1, 2)[1]
    axes = pn.plot.heat_map(model, images[0], head="right", label=0, method="occlusion", ax=ax)
    assert axes[0, 1] is ax[1]
    assert axes[0, 1].get_title() == "occlusion for right 0"


def test_titles_are_seen_on_dark_ground(model, sample):
    with plt.style.context("dark_background"):
        axes = pn.plot.heat_map(model, sample.test.x[0], method="occlusion")
    assert to_hex(axes[0, 1].title.get_color()) == "#eeeeee"


def test_errors_name_the_plot(model, sample):
    with pytest.raises(ValueError, match=r"plot\.heat_map: label is 10: give the class's number, 0 to 9"):
        pn.plot.heat_map(model, sample.test.x[0], label=10)
    with pytest.raises(TypeError, match=r"heat_map\(\) has no 'target_layer'; use layer"):
        pn.plot.heat_map(model, sample.test.x[0], target_layer="conv2d_1")
    for given in (np.array([None, None]), [None, None], plt.figure()):
        with pytest.raises(TypeError, match=r"plot\.heat_map: ax is or holds (NoneType|Figure): give Axes"):
            pn.plot.heat_map(model, sample.test.x[0], method="occlusion", ax=given)
    with pytest.raises(ValueError, match=r"plot\.heat_map: ax is 1 Axes, this plot has 2"):
        pn.plot.heat_map(model, sample.test.x[0], method="occlusion", ax=plt.subplots()[1])
