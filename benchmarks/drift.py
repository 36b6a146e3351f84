"""drift.py -- images that are unlike the training images: false alarms on chest X-rays, and what is found.

    python benchmarks/drift.py [FOLDER] [--test]      the chest X-rays of $PYNEURAL_DATA unless given

Statistics are recorded of one half of the training patients.  False alarms are counted on the other half, and finds on
images made of it (inverted, turned, cut, blurred), on digits and clothes of MNIST's training parts, on crops of the two
photographs that come with scikit-learn, on drawn hands, noise, text, and images of one colour.  With --test, statistics
are those of the whole training part, and false alarms are counted on the pixels of the test part, whose labels are not
read.  Exits with 1 if more than 1 % of the X-rays are called unlike.
"""

import argparse
import re
import sys
import time
from collections import Counter

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from sklearn.datasets import load_sample_images

import pyneural as pn
from pyneural.evaluation.drift import unlike_training

LIMIT = 1.0  # percent of false alarms
SIZE = 144
COUNT = 300  # images of each kind, at most
Images = np.ndarray


def scaled(image: Images) -> Images:
    """An image as a model of X-rays gets it, uint8 (144, 144)."""
    return np.asarray(Image.fromarray(image).convert("L").resize((SIZE, SIZE), Image.Resampling.BILINEAR))


def photographs() -> Images:
    """Crops of a temple and of a flower."""
    draw, found = np.random.default_rng(0), []
    for photograph in load_sample_images().images:
        high, wide = photograph.shape[:2]
        for _ in range(COUNT // 2):
            height, width = int(draw.integers(100, high)), int(draw.integers(100, wide))
            top, left = int(draw.integers(0, high - height)), int(draw.integers(0, wide - width))
            found.append(scaled(photograph[top : top + height, left : left + width]))
    return np.stack(found)


def hand(draw: np.random.Generator) -> Images:
    """A drawing of an X-ray of a hand: flesh, and three bones per finger."""
    image = Image.new("L", (SIZE, SIZE), int(draw.integers(0, 25)))
    pen, flesh, bone = ImageDraw.Draw(image), int(draw.integers(60, 120)), int(draw.integers(150, 240))
    place = x, y = np.array([SIZE / 2, SIZE * 0.68]) + draw.normal(0, 7, 2)
    pen.ellipse([x - 28, y - 25, x + 28, y + 35], fill=flesh)
    pen.rectangle([x - 18, y + 20, x + 18, SIZE], fill=flesh)
    angles = np.radians(np.linspace(-50, 50, 5) + draw.normal(0, 5))
    for angle, length in zip(angles, draw.uniform(55, 80, 5) * (0.7, 1, 1, 1, 0.7), strict=True):
        along = np.array([np.sin(angle), -np.cos(angle)])
        pen.line([x, y, *(along * length + place)], fill=flesh, width=14)
        for start in (0.35, 0.6, 0.8):
            ends = np.outer([start, start + 0.17], along * length) + place
            pen.line(list(ends.flat), fill=bone, width=6)
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(1.5)), float)
    return (blurred + draw.normal(0, 4, blurred.shape)).clip(0, 255).astype(np.uint8)


def text() -> Images:
    """A page of letters."""
    page, draw = Image.new("L", (SIZE, SIZE), 255), np.random.default_rng(3)
    for line in range(6, SIZE - 8, 12):
        ImageDraw.Draw(page).text((6, line), "".join(draw.choice(list("abcdefgh klmnop rstuv"), 24)), fill=0)
    return np.asarray(page)[None]


def others() -> dict[str, Images]:
    """Images that are not made of X-rays."""
    draw = np.random.default_rng(1)
    digits, clothes = (
        np.stack([scaled(image[..., 0]) for image in part.x[:COUNT]])
        for part in (pn.datasets.mnist().train, pn.datasets.fashion_mnist().train)
    )
    spots = [scaled(draw.integers(0, 256, (side, side), dtype=np.uint8)) for side in draw.integers(3, 20, COUNT)]
    grey = draw.normal(0, 1, (COUNT, SIZE, SIZE)) * draw.uniform(10, 60, (COUNT, 1, 1)) + 128
    ramp = np.linspace(0, 255, SIZE).astype(np.uint8)[None, :, None].repeat(SIZE, axis=2)
    return {
        "photographs": photographs(),
        "hands (drawn)": np.stack([hand(draw) for _ in range(COUNT)]),
        "digits": digits,
        "digits, dark on light": 255 - digits,
        "clothes": clothes,
        "clothes, dark on light": 255 - clothes,
        "noise of all levels": draw.integers(0, 256, (COUNT, SIZE, SIZE), dtype=np.uint8),
        "noise round grey": grey.clip(0, 255).astype(np.uint8),
        "smooth noise": np.stack(spots),
        "text": text(),
        "one colour": np.stack([np.full((SIZE, SIZE), level, np.uint8) for level in range(256)]),
        "ramps": np.concatenate([np.rot90(ramp, turn, (1, 2)) for turn in range(4)]),
    }


def changed(x: Images) -> dict[str, Images]:
    """X-rays that were changed: by much, and below the line by little."""
    half, quarter = SIZE // 4, SIZE // 2
    noise = np.random.default_rng(5).normal(0, 30, x.shape)
    blurred = [np.asarray(Image.fromarray(one).filter(ImageFilter.GaussianBlur(4))) for one in x]
    return {
        "inverted": 255 - x,
        "upside down": x[:, ::-1],
        "turned by 90": np.rot90(x, 1, (1, 2)),
        "turned by 180": np.rot90(x, 2, (1, 2)),
        "turned by 270": np.rot90(x, 3, (1, 2)),
        "a quarter of it": np.stack([scaled(one[:quarter, :quarter]) for one in x]),
        "black and white": np.where(x > 127, 255, 0).astype(np.uint8),
        "with noise": (x + noise).clip(0, 255).astype(np.uint8),
        "a quarter as bright": x // 4,
        "half as bright": x // 2,
        "blurred": np.stack(blurred),
        "the middle half of it": np.stack([scaled(one[half:-half, half:-half]) for one in x]),
        "mirrored": x[:, :, ::-1],
    }


def model_of(x: Images) -> pn.Model:
    """A model that was hardly trained, with statistics of these images."""
    model = pn.Sequential(pn.AvgPool2D(16), pn.Flatten(), pn.Dense(2))
    pn.fit(model, (x[:64], np.arange(64) % 2), epochs=1, validation=None, verbose=0)
    start = time.perf_counter()
    pn.record_pixels(model, x)
    print(f"statistics of {len(x):,} images in {time.perf_counter() - start:.1f} s")
    return model


def line(model: pn.Model, name: str, x: Images) -> float:
    """Prints and returns the percentage of images that are called unlike, with the most frequent reasons."""
    reasons = unlike_training(model, np.ascontiguousarray(x).reshape(-1, SIZE, SIZE, 1))
    called = [re.sub(r" \([^)]*\)", "", reason) for reason in reasons if reason is not None]  # without numbers
    share = 100 * len(called) / len(reasons)
    most = "; ".join(f"{count} {reason}" for reason, count in Counter(called).most_common(2))
    print(f"{name:24}{share:7.2f} % of {len(reasons):,}   {most}", flush=True)
    return share


def main() -> int:
    """Prints a line per kind of image; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--test", action="store_true", help="count false alarms on the test part")
    options = parser.parse_args()
    data = pn.datasets.chest_xray(options.folder, SIZE)
    if options.test:
        return int(line(model_of(data.train.x), "X-rays of the test part", data.test.x) > LIMIT)
    half, rest = data.train.split(0.5)
    model, other = model_of(half.x), rest.x
    false = line(model, "X-rays of other patients", other)
    rows = np.random.default_rng(0).permutation(len(other))[:COUNT]
    for name, images in (others() | changed(other[rows, :, :, 0])).items():
        line(model, name, images)
    return int(false > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
