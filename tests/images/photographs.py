"""photographs.py -- synthetic photographs of a digit on paper, for the tests and benchmarks/photographs.py.

`prepare_digit` was tuned on another generator (MNIST's training digits, drawn lines, planar light, straight shadows),
so that this one, with test digits, measures what it does with paper that it was not made for.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

PAPERS = ("plain", "ruled", "squared")
LIGHTS = ("even", "gradient", "lamp", "corner shadow", "gradient and corner shadow")
INKS = {
    "black": (0.06, 0.06, 0.07),
    "blue": (0.10, 0.16, 0.42),
    "red": (0.50, 0.10, 0.12),
    "pencil": (0.36, 0.36, 0.37),
}


@dataclass(frozen=True)
class Photograph:
    """A photograph, uint8 (height, width, 3), and how it was made."""

    image: np.ndarray
    paper: str
    light: str
    ink: str
    share: float
    """The digit's longer side, of the shorter side of the frame."""


def photograph(digit: np.ndarray, rng: np.random.Generator, paper: str = "", light: str = "") -> Photograph:
    """Photographs a digit.

    Args:
        digit: uint8 (28, 28), light on dark.
        rng: every choice is drawn from it.
        paper: one of PAPERS, or drawn.
        light: one of LIGHTS, or drawn.
    """
    height, width = (int(n) for n in rng.integers(360, 1100, 2))
    paper = paper or PAPERS[rng.integers(len(PAPERS))]
    light = light or LIGHTS[rng.integers(len(LIGHTS))]
    ink = list(INKS)[rng.integers(len(INKS))]
    share = float(rng.uniform(0.05, 0.6) if rng.random() < 0.5 else 0.05 * 12 ** rng.random())
    y, x = np.mgrid[0:height, 0:width].astype("float32")
    sheet = _sheet(y, x, paper, rng)
    drawn = _drawn(digit, y, x, share * min(height, width), rng)[..., None]
    page = sheet * (1 - drawn) + np.minimum(sheet, np.float32(INKS[ink])) * drawn
    page *= _light(y / height, x / width, light, rng)[..., None]
    return Photograph(_camera(page, rng), paper, light, ink, share)


# ---- paper ---------------------------------------------------------------------------------------------------------


def _cloud(y: np.ndarray, x: np.ndarray, rng: np.random.Generator, waves: int) -> np.ndarray:
    """A sum of plane waves of random direction, about 1 in size."""
    size, total = float(max(y.shape)), np.zeros_like(y)
    for _ in range(waves):
        down, across = rng.normal(0, 6, 2) * 2 * np.pi / size
        total += np.sin(y * np.float32(down) + x * np.float32(across) + np.float32(rng.uniform(0, 6.3)))
    return total / np.float32(waves**0.5)


def _sheet(y: np.ndarray, x: np.ndarray, paper: str, rng: np.random.Generator) -> np.ndarray:
    """White, cream or grey, a little cloudy, with lines; (height, width, 3), 0 to 1."""
    white = rng.uniform(0.78, 0.98) * np.array([1, rng.uniform(0.96, 1), rng.uniform(0.86, 1.02)])
    sheet = np.float32(white) * (1 + np.float32(rng.uniform(0, 0.01)) * _cloud(y, x, rng, 4)[..., None])
    if paper == "plain":
        return sheet
    shorter = min(y.shape)
    period = shorter * rng.uniform(0.035, 0.11)
    colour = np.float32([1, 1, 1]) - np.float32(rng.uniform(0.05, 0.27)) * np.float32([1.2, 1.0, rng.uniform(0.4, 1)])
    turn, bend = np.deg2rad(rng.uniform(-5, 5)), rng.uniform(-0.02, 0.02)
    down = y * np.cos(turn) - x * np.sin(turn) + bend * shorter * np.sin(x / x.shape[1] * np.pi)  # the page is not flat
    ways = [down] if paper == "ruled" else [down, x * np.cos(turn) + y * np.sin(turn)]
    thick = max(shorter * rng.uniform(0.0015, 0.005), 0.8)
    for way in ways:
        far = np.abs((way + rng.uniform(0, period)) % period - period / 2)
        on = np.clip((thick - far) + 0.5, 0, 1)[..., None] if thick > 1 else np.exp(-((far / thick) ** 2))[..., None]
        sheet = sheet * (1 - on * (1 - colour))
    return np.asarray(sheet, "float32")


# ---- ink -----------------------------------------------------------------------------------------------------------


def _drawn(digit: np.ndarray, y: np.ndarray, x: np.ndarray, side: float, rng: np.random.Generator) -> np.ndarray:
    """How much ink is at every pixel, 0 to 1: the digit turned by up to 8 degrees, its longer side `side` pixels."""
    rows, columns = np.nonzero(digit > 40)
    middle = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
    zoom = side / (max(np.ptp(rows), np.ptp(columns)) + 1)
    turn, half = np.deg2rad(rng.uniform(-8, 8)), 0.62 * side
    cy, cx = (rng.uniform(min(half, n / 2), max(n - half, n / 2)) for n in y.shape)
    v = ((y - cy) * np.cos(turn) - (x - cx) * np.sin(turn)) / zoom + middle[0]
    u = ((y - cy) * np.sin(turn) + (x - cx) * np.cos(turn)) / zoom + middle[1]
    inside = (v > -1) & (u > -1) & (v < 28) & (u < 28)
    ink = np.zeros_like(y)
    ink[inside] = _between(np.pad(digit / 255, 2).astype("float32"), v[inside] + 2, u[inside] + 2)
    hard = rng.uniform(1, 3)  # from a soft brush to a pen
    pressure = 1 - np.float32(rng.uniform(0, 0.12)) * (1 + _cloud(y, x, rng, 3)) / 2
    return np.asarray(np.clip((ink - 0.5) * hard + 0.5, 0, 1) * np.clip(ink * 8, 0, 1) * pressure, "float32")


def _between(pixels: np.ndarray, v: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Bilinear interpolation."""
    i, j = v.astype(int), u.astype(int)
    a, b = v - i, u - j
    above = pixels[i, j] * (1 - b) + pixels[i, j + 1] * b
    below = pixels[i + 1, j] * (1 - b) + pixels[i + 1, j + 1] * b
    return np.asarray(above * (1 - a) + below * a)


# ---- light and camera ----------------------------------------------------------------------------------------------


def _light(v: np.ndarray, u: np.ndarray, light: str, rng: np.random.Generator) -> np.ndarray:
    """The light on every pixel, at most 1; v and u run from 0 to 1."""
    shade = np.ones_like(v)
    if "gradient" in light:
        turn = rng.uniform(0, 2 * np.pi)
        way = v * np.float32(np.sin(turn)) + u * np.float32(np.cos(turn))
        way = (way - way.min()) / np.ptp(way)
        shade *= (1 - np.float32(rng.uniform(0.1, 0.5))) ** way
    if light == "lamp":  # light falls off with the square of the distance
        cy, cx = rng.uniform(-0.3, 1.3, 2)
        lamp = 1 / (rng.uniform(0.8, 2.0) + (v - cy) ** 2 + (u - cx) ** 2)
        lamp /= lamp.max()
        floor = np.float32(rng.uniform(0.5, 0.9))
        shade *= floor + (1 - floor) * (lamp - lamp.min()) / np.ptp(lamp)
    if "corner" in light:
        cy, cx = rng.integers(0, 2, 2)
        flat = rng.uniform(0.5, 2)
        far = ((np.abs(v - cy) * flat) ** 2 + (np.abs(u - cx) / flat) ** 2) ** 0.5
        edge, soft = rng.uniform(0.25, 0.7), rng.uniform(0.008, 0.12)
        shade *= 1 - np.float32(rng.uniform(0.15, 0.5)) / (1 + np.exp(np.clip((far - edge) / soft, -30, 30)))
    return shade


def _camera(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Defocus, shot and read noise, and JPEG."""
    for _ in range(
        int(rng.integers(0, 3))
    ):  # each blurs with (1, 2, 1) / 4, up to three times as wide for large frames
        for axis in (0, 1):
            step = int(rng.integers(1, 2 + min(page.shape[:2]) // 600))
            page = (np.roll(page, step, axis) + 2 * page + np.roll(page, -step, axis)) / 4
    level = np.clip(page, 0, 1) * 255 * rng.uniform(0.8, 1)
    spread = (rng.uniform(0, 3.5) ** 2 + rng.uniform(0, 0.3) * level) ** 0.5
    level = level + spread * rng.standard_normal(level.shape, dtype="float32")
    file = io.BytesIO()
    Image.fromarray(np.clip(level, 0, 255).astype("uint8")).save(file, "JPEG", quality=int(rng.integers(35, 97)))
    return np.asarray(Image.open(file).convert("RGB"))
