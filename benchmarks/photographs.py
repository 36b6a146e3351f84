"""pn.prepare_digit on 1,000 synthetic photographs and on clean drawings of MNIST's test digits.

    python benchmarks/photographs.py [--model FILE] [--photographs N] [--drawings N] [--sheet FILE]

The model is the default one of `pyneural digits`; --model takes a file that it wrote.  The photographs are those of
tests/images/photographs.py, with seed 0.  Prints the accuracy by condition, and the time of an image of 12 megapixels
and of drawings.  Exits 1 if a target is missed; --sheet writes the mistakes as one picture.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "images"))
from photographs import photograph

import pyneural as pn
from pyneural import _core

PHOTOGRAPHS, DRAWINGS = 95.0, 99.0  # percent right, at least
SIZES = (28, 56, 97, 280, 777)


def prepared(image: np.ndarray) -> np.ndarray:
    """The digit; zeros where none is found."""
    try:
        return np.asarray(_core.prepare_digit(image)[0])
    except ValueError:
        return np.zeros((28, 28, 1), "uint8")


def photographs(model: pn.Model, x: np.ndarray, y: np.ndarray, count: int, sheet: str | None) -> float:
    """Percent of photographs that are right; prints them by condition."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    tiles = []
    rows = np.random.default_rng(0).permutation(len(x))[:count]
    for turn, row in enumerate(rows):
        taken = photograph(x[row, :, :, 0], np.random.default_rng([0, turn]))
        digit = prepared(taken.image)
        answer = pn.classify(model, digit) if digit.any() else None
        good = answer is not None and answer.label == str(y[row])
        size = "5 to 10 %" if taken.share < 0.1 else "10 to 25 %" if taken.share < 0.25 else "25 to 60 %"
        for condition in ("all", taken.paper, taken.light, taken.ink, size):
            total[condition] += 1
            right[condition] += good
        if not good:
            tiles.append(_tile(taken.image, digit, f"{turn}: {y[row]}, got {answer}"))
    for condition, n in total.items():
        print(f"{condition:28}{100 * right[condition] / n:8.1f} % of {n}")
    if sheet and tiles:
        _sheet(tiles).save(sheet)
    return 100 * right["all"] / total["all"]


def _tile(image: np.ndarray, digit: np.ndarray, text: str) -> Image.Image:
    tile = Image.new("RGB", (420, 220), "gray")
    small = Image.fromarray(image)
    small.thumbnail((200, 200))
    tile.paste(small, (5, 5))
    tile.paste(Image.fromarray(digit[..., 0]).resize((196, 196), Image.Resampling.NEAREST), (212, 5))
    ImageDraw.Draw(tile).text((5, 207), text, fill="yellow")
    return tile


def _sheet(tiles: list[Image.Image]) -> Image.Image:
    sheet = Image.new("RGB", (420 * 4, 220 * (-(-len(tiles) // 4))))
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (420 * (i % 4), 220 * (i // 4)))
    return sheet


def drawings(model: pn.Model, x: np.ndarray, y: np.ndarray, size: int) -> float:
    """Percent of digits that are right, drawn black on white at a size."""
    pages = (255 - np.asarray(Image.fromarray(one[..., 0]).resize((size, size), Image.Resampling.BICUBIC)) for one in x)
    answers = pn.predict(model, np.stack([prepared(page) for page in pages])).argmax(axis=1)
    accuracy = 100 * float((answers == y).mean())
    print(f"drawn at {size:4} x {size:<4}{'':11}{accuracy:8.2f} % of {len(x)}")
    return accuracy


def times(digit: np.ndarray) -> None:
    """Prints the median time of some images."""
    rng = np.random.default_rng(0)
    paper = np.asarray(Image.fromarray(digit[..., 0]).resize((1200, 1200), Image.Resampling.BICUBIC))
    large = np.full((3000, 4000), 220.0)
    large[900:2100, 1500:2700] -= paper * 0.6
    large *= np.linspace(0.5, 1, 4000)
    photo = np.clip(large + rng.normal(0, 5, large.shape), 0, 255).astype("uint8")
    images = {"photograph, 4000 x 3000 RGB": np.repeat(photo[..., None], 3, 2), "photograph, 4000 x 3000": photo}
    for size in (28, 280):
        page = 255 - np.asarray(Image.fromarray(digit[..., 0]).resize((size, size), Image.Resampling.BICUBIC))
        images[f"drawing, {size} x {size}"] = page
    for name, image in images.items():
        taken = []
        for _ in range(5 if image.size > 1e6 else 200):
            begun = time.perf_counter()
            prepared(image)
            taken.append(time.perf_counter() - begun)
        print(f"{name:28}{1000 * float(np.median(taken)):10.3f} ms")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model file of pyneural digits; without it, one is trained")
    parser.add_argument("--photographs", type=int, default=1000)
    parser.add_argument("--drawings", type=int, default=10_000)
    parser.add_argument("--sheet", help="the picture to write the mistakes to")
    options = parser.parse_args()
    model = pn.load(options.model) if options.model else pn.apps.digits().model
    test = pn.datasets.mnist().test
    assert test is not None
    x, y = np.asarray(test.x), np.asarray(test.y)
    times(x[5])
    missed = [
        f"drawings at {size}: {accuracy:.2f} %, the target is {DRAWINGS} %"
        for size in SIZES
        if (accuracy := drawings(model, x[: options.drawings], y[: options.drawings], size)) < DRAWINGS
    ]
    accuracy = photographs(model, x, y, options.photographs, options.sheet)
    if accuracy < PHOTOGRAPHS:
        missed.append(f"photographs: {accuracy:.1f} %, the target is {PHOTOGRAPHS} %")
    print(*missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
