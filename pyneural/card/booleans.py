"""booleans.py -- the words for true and false in tables: yes and no, true and false, 1 and 0."""

import math

BOOLEANS = ({"false": 0.0, "true": 1.0}, {"no": 0.0, "yes": 1.0})
"""The pairs of words that make a column of texts booleans, in small letters; case does not matter."""


def meaning(text: str) -> float:
    """0 or 1, or NaN for a text that is not a boolean.

    >>> [meaning(text) for text in ("Yes", "false", "1", "0.0", "maybe", "2")]
    [1.0, 0.0, 1.0, 0.0, nan, nan]
    """
    word = text.strip().lower()
    for pair in BOOLEANS:
        if word in pair:
            return pair[word]
    try:
        found = math.nan if "_" in word else float(word)
    except ValueError:
        return math.nan
    return found if found in (0, 1) else math.nan
