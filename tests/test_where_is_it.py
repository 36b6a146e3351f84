"""docs/where_is_it.md: every line with `>>>` runs, and its rows name what the hints in the package name."""

from __future__ import annotations

import contextlib
import doctest
import inspect
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import pyneural as pn
from pyneural.arguments.familiar_names import OF_PACKAGE
from pyneural.arguments.familiar_scikit_learn import OF_SCIKIT_LEARN
from pyneural.arguments.familiar_tutorials import OF_TUTORIALS

OF_ALL = OF_TUTORIALS | OF_SCIKIT_LEARN | OF_PACKAGE
PAGE = Path(__file__).resolve().parent.parent / "docs" / "where_is_it.md"
NONE = ("not needed:", "missing:")


@dataclass(frozen=True)
class Row:
    """A row of a table: the familiar names, and ours."""

    there: str
    here: str

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The lines of code, each with the result that the page shows, or an empty text."""
        return re.findall(r"`>>> ([^`]+)`(?: gives `([^`]+)`)?", self.here)

    @property
    def names(self) -> list[str]:
        """Those that have a hint here, without arguments: `model.fit`, `Conv2D`, `validation_split=`."""
        code = [re.sub(r"\(.*", "", one) for one in re.findall(r"`([^`]+)`", self.there)]
        ours = [re.sub(r"^(nn|torch)\.", "", one) for one in code if re.fullmatch(r"[A-Za-z_.0-9]+=?", one)]
        return [one for one in ours if not one.startswith(("np.", "pickle.", "joblib.", "estimator."))]


def parts() -> list[Row | str]:
    """Rows and blocks of code, in the order of the page."""
    found: list[Row | str] = []
    text = PAGE.read_text(encoding="utf-8")
    for block, row in re.findall(r"(?ms)^```pycon\n(.*?)^```$|^\| ([^\n]+) \|$", text):
        cells = row.split(" | ")
        if block:
            found.append(block)
        elif cells[-1] not in ("here", "|---|---") and not row.startswith("---"):
            assert len(cells) == 2, row
            found.append(Row(*cells))
    return found


ROWS = [part for part in parts() if isinstance(part, Row)]


def result(source: str, world: dict[str, Any]) -> str:
    """What Python shows after such a line: what it prints, then the value of the expression."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        try:
            value = eval(source, world)
        except SyntaxError:
            exec(source, world)
            value = None
    return printed.getvalue() + ("" if value is None else repr(value))


def test_every_line_runs_and_gives_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world: dict[str, Any] = {}
    wrong = []
    same = doctest.OutputChecker().check_output
    for part in parts():
        if isinstance(part, str):
            example = doctest.DocTestParser().get_doctest(part, {}, PAGE.name, None, 0)
            pairs = [(one.source, one.want) for one in example.examples]
        else:
            pairs = part.lines
        for source, want in pairs:
            try:
                got = result(source, world)
            except Exception as error:
                wrong.append(f"{source}: {type(error).__name__}: {error}")
            else:
                if want and not same(f"{want}\n", f"{got}\n", doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE):
                    wrong.append(f"{source}: gives {got}, not {want}")
    assert not wrong, "\n".join(wrong)


def test_every_row_has_a_line_or_says_that_there_is_none() -> None:
    assert len(ROWS) > 100
    for row in ROWS:
        assert row.lines or row.here.startswith(NONE), row.there


def owners() -> dict[str, object]:
    x = [[0.0, 1.0]] * 4
    model = pn.Sequential(pn.Dense(2))
    history = pn.fit(model, (x, [0, 1, 0, 1]), validation=None, epochs=1, verbose=0)
    return {
        "model": model, "optimizer": pn.Adam(model), "history": history, "layer": model.layers[0], "loss": pn.zeros(()),
        "t": pn.zeros((1, 3)),
    }  # fmt: skip


def said_of_keyword(name: str) -> str:
    """The error of pn.fit or pn.Dense for a keyword, or an empty text where one of them has it."""
    takes = {**inspect.signature(pn.fit).parameters, **inspect.signature(pn.Dense).parameters}
    calls: list[Callable[..., object]] = [lambda **given: pn.fit(pn.Sequential(pn.Dense(2)), ([], []), **given)]
    for call in () if name in takes else (*calls, lambda **given: pn.Dense(2, **given)):
        with pytest.raises(TypeError) as caught:
            call(**{name: None})
        if re.search("; (use|not needed|did you mean)", str(caught.value)):
            return str(caught.value)
    return ""


def said_of(name: str, of: dict[str, object]) -> str:
    """The error for a name or a keyword, or an empty text where it exists."""
    if name.endswith("="):
        return said_of_keyword(name[:-1])
    owner, _, last = name.rpartition(".")
    try:
        getattr(of.get(owner, pn), last)
    except AttributeError as error:
        return str(error)
    return ""


def words(text: str) -> set[str]:
    """The names in a hint or in a cell of the page: attributes, keywords, and layers by name."""
    quoted = re.sub(r"^use (\w+)$", r"\1=", text)  # the keyword itself
    return set(re.findall(r"(?<=\.)[A-Za-z_]\w+|\b\w+=|model\[|model\(", quoted))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.there)
def test_the_hint_for_a_name_says_what_the_page_says(row: Row) -> None:
    of = owners()
    for name in row.names:
        last = name.rpartition(".")[2]
        said = said_of(name, of)
        if not said:
            assert last in row.here, f"{name} exists or has no hint, but the page has {row.here!r}"
            continue
        hint = said.partition("; ")[2]
        assert hint, f"{name} has no hint: {said}"
        assert not re.search(r"dir\(pn\)|^it has ", hint), f"{name} has no hint: {said}"
        if OF_ALL.get(last, "").startswith("missing: "):
            assert row.here.startswith("missing: "), f"{name}: {hint}"
        elif hint.startswith("not needed: "):
            assert row.here.startswith("not needed: "), f"{name}: {hint}"
        else:
            assert words(hint) & words(row.here), f"{name}: the hint has {hint!r}, the page {row.here!r}"
