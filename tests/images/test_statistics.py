"""Numbers and maps that describe the pixels of images, against their definitions pixel by pixel."""

import numpy as np
import pytest

from pyneural.images.statistics import described, grid_of


@pytest.mark.parametrize("shape", [(28, 28, 1), (17, 40, 3), (8, 8, 1), (3, 5, 1), (1, 9, 3)])
def test_statistics_are_those_of_a_loop_over_pixels(shape):
    images = np.random.default_rng(0).integers(0, 256, (4, *shape), dtype=np.uint8)
    rows, columns = grid_of(shape)
    tones, maps = described(images, (rows, columns))
    assert maps.shape == (4, 2, rows, columns)
    for number, image in enumerate(images):
        grey = image.astype(float).mean(axis=2)
        steps = np.zeros_like(grey)
        for i, j in np.ndindex(grey.shape):
            right = abs(grey[i, j + 1] - grey[i, j]) if j + 1 < grey.shape[1] else 0
            below = abs(grey[i + 1, j] - grey[i, j]) if i + 1 < grey.shape[0] else 0
            steps[i, j] = (right + below) / 2
        known = {
            "mean": grey.mean(), "deviation": grey.std(), "black": (grey < 8).mean(), "white": (grey > 247).mean(),
            "detail": np.log((steps.mean() + 0.05) / (grey.std() + 0.5)),
        }  # fmt: skip
        if shape[2] == 3:
            known["colour"] = np.mean(image.max(axis=2).astype(float) - image.min(axis=2))
        assert {name: float(values[number]) for name, values in tones.items()} == pytest.approx(
            known, rel=1e-5, abs=1e-6
        )  # float32
        light, detail = (np.zeros((rows, columns)) for _ in range(2))
        for i, j in np.ndindex(rows, columns):
            cell = np.s_[
                i * shape[0] // rows : (i + 1) * shape[0] // rows,
                j * shape[1] // columns : (j + 1) * shape[1] // columns,
            ]
            light[i, j], detail[i, j] = grey[cell].mean(), np.log(1 + steps[cell].mean())
        size = np.sqrt(rows * columns)
        assert maps[number, 0] == pytest.approx((light - light.mean()) / max(light.std(), 0.5) / size, abs=1e-5)
        assert maps[number, 1] == pytest.approx((detail - detail.mean()) / size, abs=1e-5)


def test_an_image_of_one_colour_has_maps_of_zeros():
    tones, maps = described(np.full((2, 20, 20, 1), 255, np.uint8), (8, 8))
    assert not maps.any()
    assert tones["white"].tolist() == [1, 1]
    assert np.isfinite(tones["detail"]).all()
