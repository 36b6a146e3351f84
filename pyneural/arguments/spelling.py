"""spelling.py -- a wrong but familiar word gets an error that shows ours."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn, ParamSpec, TypeVar

from pyneural.arguments.familiar import OF_KEYWORDS, OF_PACKAGE, OF_WORDS

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
    near = OF_WORDS.get(re.sub(r"[^a-z0-9]", "", word.lower()))
    near = near if near in names else closest(plain(word), names)
    return f"{what} '{word}'? did you mean '{near}'" if near else f"{what} '{word}' is not known: {', '.join(names)}"


def instead(ours: str) -> str:
    """The end of the sentence: `use pn.load(path)`, or `leave it out: ...` where nothing takes its place."""
    return f"leave it out: {ours.removeprefix('nothing: ')}" if ours.startswith("nothing: ") else f"use {ours}"


def names_of_ops(names: list[str]) -> Callable[[str], NoReturn]:
    """What pn.ops does when it is asked for an op that is not there."""

    def missing(name: str) -> NoReturn:
        near = closest(name, names)
        raise AttributeError(
            f"pyneural.ops has no '{name}'; " + (f"did you mean '{near}'" if near else "docs/ops.md lists the ops")
        )

    return missing


def names_of_package(names: list[str], ops: list[str]) -> Callable[[str], NoReturn]:
    """What the package does when it is asked for a name that is not there."""

    def missing(name: str) -> NoReturn:
        ours = OF_PACKAGE.get(name) or (f"pn.ops.{name}" if name in ops else None)
        near = None if ours else closest(name, names)
        hint = instead(ours or f"pn.{near}") if ours or near else "dir(pn) lists what it has"
        raise AttributeError(f"pyneural has no '{name}'; {hint}")

    return missing


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
            near = None if OF_KEYWORDS.get(word) in known else closest(word, known)
            hint = f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
            if OF_KEYWORDS.get(word) in known or OF_KEYWORDS.get(word, "").startswith("nothing"):
                hint = instead(OF_KEYWORDS[word])
            raise TypeError(f"{layer.__name__}() has no '{word}'; {hint}")


def check_keywords(*, positional: str = "", **familiar: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorates a function: a keyword that it does not have raises an error that names the one of ours.

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
                    raise TypeError(f"{name}() has no '{word}'; {instead(familiar[word])}")
                if word not in known:
                    near = closest(word, known)
                    hint = f"did you mean '{near}'" if near else f"it takes {', '.join(known)}"
                    raise TypeError(f"{name}() has no '{word}'; {hint}")
            if positional and len(args) > count:
                raise TypeError(f"{name}() takes {count} positional arguments, got {len(args)}: {positional}")
            return function(*args, **kwargs)

        return checked

    return decorate
