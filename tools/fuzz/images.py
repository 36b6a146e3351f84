"""images.py -- damaged and hostile image files, through pn.datasets.folder and pn.prepare_digit.

PNG, JPEG, GIF, BMP, TIFF, WebP and PGM of many modes; with some bytes changed, or headers that claim images far larger
than their file.  They must be read, or refused with ValueError or OSError, within the time and memory of a case.
"""

from __future__ import annotations

import functools
import io
import struct
import tempfile
import zlib
from pathlib import Path

import mutate
import numpy as np
from case import Case
from PIL import Image, features

import pyneural as pn

FORMATS = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "JPEG": ("L", "RGB", "CMYK"), "GIF": ("L", "P"),
    "BMP": ("1", "L", "P", "RGB"), "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK", "LAB"),
    "WEBP": ("RGB", "RGBA"), "PPM": ("L", "RGB"),
}  # fmt: skip
ENDINGS = {"PNG": ".png", "JPEG": ".jpg", "GIF": ".gif", "BMP": ".bmp", "TIFF": ".tif", "WEBP": ".webp", "PPM": ".ppm"}
SIDES = (0, 1, 28, 5000, 20_000, 30_000, 60_000, 2**31 - 1)


@functools.cache
def _good(kind: str, mode: str) -> bytes:
    """A small picture with some ink."""
    a = np.zeros((40, 30), "uint8")
    a[8:32, 12:17] = 255
    picture = Image.fromarray(a).convert("RGB").convert("L" if mode in ("I;16", "LAB") else mode)
    if mode == "I;16":
        picture = Image.fromarray(a.astype("uint16") * 257)
    elif mode == "LAB":
        picture = Image.new("LAB", (30, 40))
    file = io.BytesIO()
    picture.save(file, kind, **({"lossless": True} if kind == "WEBP" else {}))
    return file.getvalue()


# ---- more than there is room for -----------------------------------------------------------------------------------


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(case: Case) -> bytes:
    """A PNG of one colour, which compresses a thousandfold; some claim more rows than they have."""
    width, height = case.pick(SIDES), case.pick(SIDES)
    depth, colour, channels = case.pick(((1, 0, 1), (8, 0, 1), (8, 2, 3), (8, 6, 4), (16, 0, 1), (16, 2, 3), (8, 3, 1)))
    row = 1 + (width * depth * channels + 7) // 8
    rows = min(height, 30_000, 200_000_000 // row)
    pack = zlib.compressobj(1)
    data = b"".join([*(pack.compress(bytes(row * 64)) for _ in range(0, rows, 64)), pack.flush()])
    header = struct.pack(">IIBBBBB", width % 2**32, height % 2**32, depth, colour, 0, 0, case.pick((0, 0, 1)))
    palette = _chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + palette + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _text_png(case: Case) -> bytes:
    """A PNG whose text is compressed zeros."""
    good = _good("PNG", "L")
    text = b"a\0\0" + zlib.compress(bytes(case.pick((1000, 100_000_000))), 1)
    return good[:33] + _chunk(b"zTXt", text) + good[33:]


def _header(case: Case) -> bytes:
    """A file whose header claims a large picture, with little data after it."""
    width, height = case.pick(SIDES), case.pick(SIDES)
    kind = case.random.randrange(4)
    if kind == 0:
        return f"P5 {width} {height} 255\n".encode() + bytes(1000)
    if kind == 1:
        return b"GIF89a" + struct.pack("<HH", width % 65536, height % 65536) + _good("GIF", "L")[10:]
    if kind == 2:
        good = _good("BMP", "RGB")
        return good[:18] + struct.pack("<ii", width, height * case.pick((1, -1))) + good[26:]
    good = _good("JPEG", "RGB")
    at = good.index(b"\xff\xc0") + 5
    return good[:at] + struct.pack(">HH", height % 65536, width % 65536) + good[at + 4 :]


def _bytes(case: Case) -> tuple[str, bytes]:
    """A file's ending and bytes."""
    choice = case.random.randrange(100)
    if choice < 1:
        return ".png", _png(case)
    if choice < 2:
        return ".png", _text_png(case)
    if choice < 12:
        return case.pick((".ppm", ".gif", ".bmp", ".jpg", ".png")), _header(case)
    kinds = [kind for kind in FORMATS if kind != "WEBP" or features.check("webp")]
    kind = case.pick(kinds)
    data = _good(kind, case.pick(FORMATS[kind]))
    if choice < 30:
        return ENDINGS[kind], data
    return (ENDINGS[kind] if case.chance(0.9) else ".png"), mutate.data(case, data)


def run(case: Case) -> None:
    """One picture as a digit, or several as a folder of classes."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as root:
        if case.chance(0.5):
            ending, data = _bytes(case)
            path = Path(root) / f"picture{ending}"
            path.write_bytes(data)
            case.say(f"prepare_digit of {path.name}, {len(data):,} bytes, {data[:60]!r}")
            case.attempt(pn.prepare_digit, case.pick((path, str(path))))
            return
        shown = []
        for name in ("cat", "dog"):
            (Path(root) / name).mkdir()
            ending, data = _bytes(case)
            (Path(root) / name / f"1{ending}").write_bytes(data)
            shown.append(f"{name}/1{ending} {len(data):,} bytes {data[:40]!r}")
        size, channels = case.pick((None, 8, 28, (40, 30))), case.pick((None, None, 1, 3))
        case.say(f"folder of {shown}, size={size}, channels={channels}")
        case.attempt(pn.datasets.folder, root, size=size, channels=channels)
