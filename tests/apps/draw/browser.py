"""Strokes as people draw digits."""

from __future__ import annotations


def strokes(text: str) -> list[list[tuple[float, float]]]:
    """Strokes from points in hundredths of the paper's side: `54,20 48,80; 30,50 70,50` are two."""
    return [
        [(int(x) / 100, int(y) / 100) for x, y in (point.split(",") for point in stroke.split())]
        for stroke in text.split(";")
    ]


STROKES = {
    0: strokes("55,20 40,22 30,40 31,62 42,78 56,79 68,64 70,42 62,25 53,20"),
    1: strokes("54,20 52,40 50,60 48,80"),
    2: strokes("33,34 40,23 54,20 65,29 62,44 48,60 32,76 50,75 70,76"),
    3: strokes("35,25 50,20 63,28 60,42 47,48 62,54 66,68 54,79 35,75"),
    4: strokes("38,20 35,36 34,50 50,52 68,50; 62,22 60,50 58,82"),
    5: strokes("65,22 50,22 40,23 38,45 52,44 64,54 63,70 50,79 34,76"),
    6: strokes("58,20 44,34 36,54 38,72 50,80 62,72 60,58 48,54 38,64"),
    7: strokes("30,24 50,22 70,22 60,45 50,65 44,82"),
    8: strokes("60,26 48,20 38,28 44,42 58,55 63,68 52,80 40,72 43,57 58,42 62,28"),
    9: strokes("63,32 52,22 40,30 40,44 52,50 62,40 63,30 62,55 58,82"),
}
CROSS = strokes("30,25 70,75; 70,25 30,75")  # not a digit
