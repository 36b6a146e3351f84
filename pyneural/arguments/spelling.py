"""spelling.py -- a wrong but familiar word gets an error that shows ours."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn, ParamSpec, TypeVar

from pyneural.arguments.familiar import OF_KEYWORDS, OF_WORDS

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` is a slip of, or None: a guess that misleads is worse than none.

    It is the same but for capitals and separators, its beginning (at least 4 letters), or a slip away: a letter more,
    fewer or other, or two exchanged; two slips in words of 8 letters or more.  The first letter is right, and so are
    digits: `Conv1D` is not meant as `Conv2D`.

    >>> [closest(word, ["relu", "cross_entropy", "load"]) for word in ("rellu", "CrossEntrpy", "Lambda")]
    ['relu', 'cross_entropy', None]
    """
    given = _letters(word)
    near = [(_slips(given, _letters(name)), name) for name in known]
    best = min(near, key=lambda pair: pair[0], default=(1, ""))
    if best[0] <= (2 if len(given) >= 8 else 1 if len(given) >= 2 else 0):
        return best[1]
    longer = [name for _, name in near if len(given) >= 4 and _letters(name).startswith(given)]
    return longer[0] if longer else None


def _letters(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


_FAR = 99


def _slips(one: str, other: str) -> int:
    """The slips that make one word of another: a letter more, fewer or other, or two exchanged (Damerau 1964)."""
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
    """The word as tables spell it: one-cycle, one_cycle and One Cycle are the same."""
    return word.strip().lower().replace("-", "_").replace(" ", "_")


def choose(what: str, word: object, table: Mapping[str, T]) -> T:
    """The table's entry of that name.

    Raises:
        TypeError: the word is no string.
        ValueError: no such entry; names the nearest one, or all of them.
    """
    if not isinstance(word, str):
        raise TypeError(f"{what} is {word!r}: give a name ({', '.join(table)})")
    for name, value in table.items():
        if plain(name) == plain(word):
            return value
    raise ValueError(unknown(what, word, table))


def unknown(what: str, word: str, known: Iterable[str]) -> str:
    """The sentence for a word that is in no table: `activation 'rellu'? did you mean 'relu'`."""
    names = list(known)
    near = OF_WORDS.get(re.sub(r"[^a-z0-9]", "", word.lower()))
    if near not in names:
        parts = [name for name in names if plain(name).startswith(f"{plain(word)}_")]  # `he` is a part of he_uniform
        near = closest(word, names) or next(iter(parts), None)
    return f"{what} '{word}'? did you mean '{near}'" if near else f"{what} '{word}' is not known: {', '.join(names)}"


def instead(ours: str) -> str:
    """The end of the sentence: `use pn.load(path)`; where nothing takes its place why it is not needed, or missing."""
    if ours.startswith("missing: "):
        return ours.removeprefix("missing: ")
    return ours if ours.startswith("not needed: ") else f"use {ours}"


def hint(name: str, familiar: Mapping[str, str], known: Iterable[str], otherwise: str, show: str = "{}") -> str:
    """What to write in place of a name that is not there.

    Args:
        name: as it was given.
        familiar: what other libraries call things, and what it is here.
        known: the names that are there.
        otherwise: what to say where none is close.
        show: how a known name is written, as "pn.{}".
    """
    if name in familiar:
        return instead(familiar[name])
    near = closest(name, known)
    if near:
        return f"did you mean {show.format(near)}"
    by_letters = {_letters(word): ours for word, ours in familiar.items()}
    return instead(by_letters[_letters(name)]) if _letters(name) in by_letters else otherwise


def names_of(module: str, names: Iterable[str], familiar: Mapping[str, str]) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a module: a name that it does not have raises an error that names ours.

    Args:
        module: its name, "pyneural.losses".
        names: those it has.
        familiar: what other libraries call things, and what it is here.
    """
    known = sorted(name for name in names if not name.startswith("_"))
    ours = module.replace("pyneural", "pn")
    shown = f"it has {', '.join(known)}" if len(known) < 12 else f"dir({ours}) lists what it has"

    def missing(name: str) -> NoReturn:
        if name.startswith("__"):  # what Python and its tools ask every module
            raise AttributeError(f"module has no attribute '{name}'")
        raise AttributeError(f"{module} has no '{name}'; {hint(name, familiar, known, shown, ours + '.{}')}")

    return missing


def no_attribute(what: str, owner: object, name: str, familiar: Mapping[str, str]) -> AttributeError:
    """The error for an attribute that an object does not have.

    Args:
        what: the object, as "a report".
        owner: the object.
        name: of the attribute.
        familiar: what other libraries call things, and what it is here.
    """
    if name.startswith("_"):
        return AttributeError(f"'{type(owner).__name__}' object has no attribute '{name}'")
    known = sorted({one for one in (*vars(owner), *dir(type(owner))) if not one.startswith("_")})
    all_of_them = f"it has {', '.join(known)}"
    return AttributeError(f"{what} has no '{name}'; {hint(name, familiar, known, all_of_them)}")


def check_arguments(layer: type, count: int, given: Iterable[str]) -> None:
    """Refuses arguments that a layer's constructor does not have.

    Args:
        layer: its class.
        count: how many are given by position.
        given: the keywords.

    Raises:
        TypeError: there is one; says what is meant.
    """
    takes = inspect.signature(getattr(layer, "__init__")).parameters  # noqa: B009 -- mypy minds the plain way
    kinds = [one.kind for one in takes.values()]
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return
    by_place = list(takes)[1 : 1 + kinds[1:].count(inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    if count > len(by_place) and inspect.Parameter.VAR_POSITIONAL not in kinds:
        others = [name for name in list(takes)[1:] if name not in by_place]
        raise TypeError(
            f"{layer.__name__}() takes {' and '.join(by_place) or 'nothing'} by position, got {count} values: the "
            f"inputs' size is learnt, and {', '.join(others)} go by name"
        )
    for word in given:
        if word not in takes:
            known = list(takes)[1:]
            raise TypeError(f"{layer.__name__}() has no '{word}'; {_keyword_hint(word, OF_KEYWORDS, known)}")


def _keyword_hint(word: str, familiar: Mapping[str, str], known: Iterable[str]) -> str:
    """What to write in place of a keyword: a familiar one says ours only where the function has that."""
    known = list(known)
    if word not in familiar and closest(word, known) is None:
        word = closest(word, familiar) or word
    ours = familiar.get(word, "")
    if not ours or (ours.isidentifier() and ours not in known):
        near = closest(word, known)
        return f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
    return instead(ours)


def check_keywords(*, positional: str = "", **familiar: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function: a keyword that it does not have raises an error that names the one of ours.

    Args:
        positional: what to say when there are too many positional arguments.
        familiar: what to say for a keyword that another library would take.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        takes = inspect.signature(function).parameters.values()
        known = [one.name for one in takes]
        count = sum(one.kind is not inspect.Parameter.KEYWORD_ONLY for one in takes)
        name = getattr(function, "__name__", "")

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for word in kwargs:
                if word not in known:
                    raise TypeError(f"{name}() has no '{word}'; {_keyword_hint(word, familiar, known)}")
            if positional and len(args) > count:
                raise TypeError(f"{name}() takes {count} positional arguments, got {len(args)}: {positional}")
            return function(*args, **kwargs)

        return checked

    return decorate
