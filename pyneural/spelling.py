"""spelling.py -- a wrong but familiar word gets an error that shows ours."""

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None when none is close."""
    import difflib

    known = list(known)
    longer = [name for name in known if name.lower().startswith(plain(word))]
    found = longer or difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return found[0] if found else None


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
    near = closest(plain(word), names)
    return f"{what} '{word}'? did you mean '{near}'" if near else f"{what} '{word}' is not known: {', '.join(names)}"


def words(*, positional: str = "", **familiar: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function so that keywords it does not have are met with ours.

    Args:
        positional: what to say when there are too many positional arguments.
        familiar: what to say for a keyword that another library would take.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        code = getattr(function, "__code__")  # noqa: B009 -- a Callable has no __code__ for mypy
        name, count = code.co_name, code.co_argcount
        known = code.co_varnames[: count + code.co_kwonlyargcount]

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            for word in kwargs:
                if word in familiar:
                    raise TypeError(f"{name}() has no '{word}'; use {familiar[word]}")
                if word not in known:
                    near = closest(word, known)
                    hint = f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
                    raise TypeError(f"{name}() has no '{word}'; {hint}")
            if positional and len(args) > count:
                raise TypeError(f"{name}() takes {count} positional arguments, got {len(args)}: {positional}")
            return function(*args, **kwargs)

        return checked

    return decorate
