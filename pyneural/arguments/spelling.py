"""spelling.py -- errors for wrong names that suggest the right one."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn, ParamSpec, TypeVar

from pyneural.arguments.familiar import OF_ACTIVATION_WORDS, OF_KEYWORDS, OF_WORDS
from pyneural.arguments.objects import brief

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is a misspelling of, or None: a misleading guess is worse than none.

    Close words differ only in case and separators, start with `word` (at least 4 letters), or are one edit away: a
    letter inserted, deleted, replaced or swapped with the next; two edits in words of 8 letters or more.  The first
    letter and the digits must match: `Conv1D` does not mean `Conv2D`.

    >>> [closest(word, ["relu", "cross_entropy", "load"]) for word in ("rellu", "CrossEntrpy", "Lambda")]
    ['relu', 'cross_entropy', None]
    """
    given = _letters(word)
    near = [(_edits(given, _letters(name)), name) for name in known]
    best = min(near, key=lambda pair: pair[0], default=(1, ""))
    if best[0] <= (2 if len(given) >= 8 else 1 if len(given) >= 2 else 0):
        return best[1]
    longer = [name for _, name in near if len(given) >= 4 and _letters(name).startswith(given)]
    return longer[0] if longer else None


def _letters(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


_FAR = 99


def _edits(one: str, other: str) -> int:
    """The edit distance of two words, where a swap of neighbouring letters counts as one edit (Damerau 1964)."""
    if one[:1] != other[:1] or re.findall(r"\d", one) != re.findall(r"\d", other) or abs(len(one) - len(other)) > 2:
        return _FAR
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        last, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def plain(word: str) -> str:
    """The word in the spelling of the tables: one-cycle, one_cycle and One Cycle are the same."""
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def choose(what: str, word: object, table: Mapping[str, T]) -> T:
    """The table's entry with that name.

    Raises:
        TypeError: the word is not a string.
        ValueError: there is no such entry; the message names the closest one, or all of them.
    """
    if not isinstance(word, str):
        raise TypeError(f"{what} is {brief(word)}: give a name ({', '.join(table)})")
    for name, value in table.items():
        if plain(name) == plain(word):
            return value
    raise ValueError(unknown(what, word, table))


def exactly(what: str, word: object, table: Mapping[str, T]) -> T:
    """The table's entry with exactly that name, where names are the user's own, such as those of layers.

    Raises:
        TypeError, ValueError: as those of `choose`.
    """
    if not isinstance(word, str):
        raise TypeError(f"{what} is {brief(word)}: give a name ({', '.join(table)})")
    if word not in table:
        raise ValueError(unknown(what, word, table))
    return table[word]


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """The message for an unknown word: `activation 'rellu'? did you mean 'relu'`."""
    names = list(known)
    letters = re.sub(r"[^a-z0-9]", "", word.lower())
    near = next((table[letters] for table in (OF_WORDS, OF_ACTIVATION_WORDS) if table.get(letters) in names), None)
    if near is None:
        parts = [name for name in names if plain(name).startswith(f"{plain(word)}_")]  # `he` is a part of he_uniform
        near = closest(word, names) or next(iter(parts), None)
    return f"{what} '{word}'? did you mean '{near}'" if near else f"{what} '{word}' is not known: {', '.join(names)}"


def instead(ours: str) -> str:
    """The end of the message: `use pn.load(path)`; without an equivalent, why it is not needed or missing."""
    if ours.startswith("missing: "):
        return ours.removeprefix("missing: ")
    return ours if ours.startswith("not needed: ") else f"use {ours}"


def hint(name: str, familiar: Mapping[str, str], known: Iterable[str], otherwise: str, show: str = "{}") -> str:
    """What to write instead of a name that does not exist.

    Args:
        name: the name that was used.
        familiar: names in other libraries, and the pyneural equivalents.
        known: the existing names.
        otherwise: the hint if no name is close.
        show: the format of a known name, such as "pn.{}".
    """
    if name in familiar:
        return instead(familiar[name])
    near = closest(name, known)
    if near:
        return f"did you mean {show.format(near)}"
    by_letters = {_letters(word): ours for word, ours in familiar.items()}
    return instead(by_letters[_letters(name)]) if _letters(name) in by_letters else otherwise


def names_of(module: str, names: Iterable[str], familiar: Mapping[str, str]) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module: an unknown name raises an error that names the pyneural equivalent.

    Args:
        module: the module's name, such as "pyneural.losses".
        names: the existing names.
        familiar: names in other libraries, and the pyneural equivalents.
    """
    known = sorted(name for name in names if not name.startswith("_"))
    ours = module.replace("pyneural", "pn")
    shown = f"it has {', '.join(known)}" if len(known) < 12 else f"dir({ours}) lists what it has"

    def missing(name: str) -> NoReturn:
        if name.startswith("__"):  # Python and its tools look these up in every module
            raise AttributeError(f"module has no attribute '{name}'")
        raise AttributeError(f"{module} has no '{name}'; {hint(name, familiar, known, shown, ours + '.{}')}")

    return missing


def no_attribute(what: str, owner: object, name: str, familiar: Mapping[str, str]) -> AttributeError:
    """The error for an attribute that an object does not have.

    Args:
        what: the object in words, such as "a report".
        owner: the object.
        name: the attribute's name.
        familiar: names in other libraries, and the pyneural equivalents.
    """
    if name.startswith("_"):
        return AttributeError(f"'{type(owner).__name__}' object has no attribute '{name}'")
    known = sorted({one for one in (*vars(owner), *dir(type(owner))) if not one.startswith("_")})
    all_of_them = f"it has {', '.join(known)}"
    return AttributeError(f"{what} has no '{name}'; {hint(name, familiar, known, all_of_them)}")


def check_arguments(layer: type, count: int, given: Iterable[str]) -> None:
    """Rejects arguments that a layer's constructor does not have.

    Args:
        layer: the layer's class.
        count: the number of positional arguments.
        given: the keywords.

    Raises:
        TypeError: there is one; the message names the right one.
    """
    takes = inspect.signature(getattr(layer, "__init__")).parameters  # noqa: B009 -- mypy rejects layer.__init__
    kinds = [one.kind for one in takes.values()]
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return
    by_place = list(takes)[1 : 1 + kinds[1:].count(inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    if count > len(by_place) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        others = [name for name in list(takes)[1:] if name not in by_place]
        raise TypeError(
            f"{layer.__name__}() takes {' and '.join(by_place) or 'no arguments'} by position, got {count}: the "
            f"input size is inferred; give {', '.join(others)} by name"
        )
    for word in given:
        if word not in takes:
            known = list(takes)[1:]
            raise TypeError(f"{layer.__name__}() has no '{word}'; {_keyword_hint(word, OF_KEYWORDS, known)}")


def _keyword_hint(word: str, familiar: Mapping[str, str], known: Iterable[str]) -> str:
    """What to write instead of a keyword; an equivalent is named only if the function has it."""
    known = list(known)
    if word not in familiar and closest(word, known) is None:
        word = closest(word, familiar) or word
    ours = familiar.get(word, "")
    if not ours or (ours.isidentifier() and ours not in known):
        near = closest(word, known)
        return f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
    return instead(ours)


def check_known(name: str, words: Iterable[str], known: Iterable[str], familiar: Mapping[str, str]) -> None:
    """Refuses keywords that a function or class does not have.

    Raises:
        TypeError: one of them is not known; the message names the pyneural equivalent.
    """
    for word in words:
        if word not in known:
            raise TypeError(f"{name}() has no '{word}'; {_keyword_hint(word, familiar, known)}")


def check_keywords(*, positional: str = "", **familiar: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function, method or constructor: an unknown keyword raises an error that names the equivalent.

    Args:
        positional: the message for too many positional arguments.
        familiar: keywords of other libraries, and the equivalents.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        takes = inspect.signature(function).parameters
        own = "self" in takes
        known = [name for name in takes if name != "self"]
        count = sum(one.kind is not inspect.Parameter.KEYWORD_ONLY for one in takes.values())
        name = getattr(function, "__qualname__", "").removesuffix(".__init__").split(".")[-1]

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            check_known(name, kwargs, known, familiar)
            if positional and len(args) > count:
                arguments = "argument" if count - own == 1 else "arguments"
                raise TypeError(
                    f"{name}() takes {count - own} positional {arguments}, got {len(args) - own}: {positional}"
                )
            return function(*args, **kwargs)

        return checked

    return decorate
