"""make_european_digits.py -- writes digits as people in continental Europe do, from strokes and a seed.

    python tools/make_european_digits.py [FILE] [COUNT] [SEED]

Sevens have a bar across, and ones a long upstroke, which MNIST's writers do not; the other digits are plain.  FILE, an
.npz of x and y (european_digits.npz), is for pn.datasets.mnist(extra=FILE) and pyneural digits --extra FILE.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).parent.parent))

from pyneural.images.digit import prepare_digit

SIDE = 160
CURVED, STRAIGHT = True, False
# strokes as (curved, points); x to the right, y downwards, both from 0 to 1
STROKES = {
    0: [
        (
            CURVED,
            [(0.5, 0), (0.1, 0.15), (0, 0.5), (0.15, 0.9), (0.5, 1), (0.85, 0.9), (1, 0.5), (0.9, 0.12), (0.5, 0)],
        ),
    ],
    1: [(STRAIGHT, [(0, 0.7), (0.75, 0), (0.7, 1)])],
    2: [
        (CURVED, [(0.02, 0.25), (0.2, 0.02), (0.7, 0), (0.9, 0.28), (0.5, 0.65), (0, 1)]),
        (STRAIGHT, [(0, 1), (1, 0.97)]),
    ],
    3: [
        (CURVED, [(0.05, 0.12), (0.5, 0), (0.9, 0.2), (0.75, 0.42), (0.35, 0.48)]),
        (CURVED, [(0.35, 0.48), (0.85, 0.52), (1, 0.78), (0.6, 1), (0, 0.9)]),
    ],
    4: [(STRAIGHT, [(0.45, 0), (0, 0.65), (1, 0.62)]), (STRAIGHT, [(0.75, 0.3), (0.68, 1)])],
    5: [
        (STRAIGHT, [(0.95, 0.02), (0.15, 0), (0.1, 0.45)]),
        (CURVED, [(0.1, 0.45), (0.6, 0.38), (0.95, 0.62), (0.75, 0.95), (0, 0.95)]),
    ],
    6: [(CURVED, [(0.75, 0), (0.25, 0.25), (0, 0.7), (0.3, 1), (0.8, 0.92), (0.9, 0.62), (0.5, 0.5), (0.08, 0.7)])],
    7: [(STRAIGHT, [(0.05, 0.2), (0.08, 0), (0.9, 0.02), (0.5, 1)]), (STRAIGHT, [(0.05, 0.5), (1.15, 0.42)])],
    8: [
        (CURVED, [(0.55, 0.47), (0.1, 0.25), (0.5, 0), (0.9, 0.2), (0.5, 0.48)]),
        (CURVED, [(0.5, 0.48), (0.05, 0.8), (0.5, 1), (0.95, 0.8), (0.55, 0.47)]),
    ],
    9: [
        (CURVED, [(0.9, 0.22), (0.5, 0), (0.05, 0.2), (0.3, 0.5), (0.85, 0.35), (0.9, 0.2)]),
        (CURVED, [(0.9, 0.2), (0.9, 0.6), (0.6, 1), (0.2, 0.95)]),
    ],
}


def page_of(digit: int, generator: np.random.Generator) -> np.ndarray:
    """A page with one digit, uint8 (SIDE, SIDE), white on black: strokes that shake, lean, and are thin or thick."""
    width, height = generator.uniform(0.3, 0.5), generator.uniform(0.55, 0.75)
    if digit == 1:
        width *= 0.75
    slant, turn = generator.uniform(-0.05, 0.3), np.radians(generator.uniform(-9, 9))
    pen = generator.uniform(0.045, 0.1) * SIDE
    canvas = Image.new("L", (2 * SIDE, 2 * SIDE))
    draw = ImageDraw.Draw(canvas)
    for stroke, (curved, points) in enumerate(STROKES[digit]):
        shaken = np.array(points) + generator.normal(0, 0.035, (len(points), 2))
        if digit == 7 and stroke == 1:  # the bar is high or low, short or long
            shaken[1, 0] += generator.uniform(-0.15, 0.2)
            shaken[:, 1] += generator.uniform(-0.15, 0.15)
        line = _smooth(shaken) if curved else shaken
        x, y = (line[:, 0] - 0.5) * width + slant * (0.5 - line[:, 1]) * height, (line[:, 1] - 0.5) * height
        x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
        path = np.stack([x, y], axis=1) * 2 * SIDE + SIDE
        draw.line([tuple(p) for p in path], fill=255, width=round(2 * pen), joint="curve")
        for cx, cy in path[[0, -1]]:
            draw.ellipse([cx - pen, cy - pen, cx + pen, cy + pen], fill=255)
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX))


def _smooth(points: np.ndarray) -> np.ndarray:
    """A line with its corners cut, twice as often each time (Chaikin 1974)."""
    for _ in range(4):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut, points[-1:]])
    return points


def digits(labels: np.ndarray, seed: int) -> np.ndarray:
    """Digits as pn.prepare_digit returns them, uint8 (n, 28, 28); each follows from the seed and its number."""
    return np.stack(
        [
            prepare_digit(page_of(label, np.random.Generator(np.random.PCG64([seed, number]))))[..., 0]
            for number, label in enumerate(labels.tolist())
        ]
    )


def main(path: str = "european_digits.npz", count: str = "1000", seed: str = "0") -> None:
    labels = np.arange(int(count)) % 10
    np.savez_compressed(path, x=digits(labels, int(seed)), y=labels)
    print(f"{path}: {count} digits, seed {seed}")


if __name__ == "__main__":
    main(*sys.argv[1:])
