"""What a notebook shows of a report: the line that evaluate prints, and the table where the cell ends in its name."""

from __future__ import annotations

import ast
import re
import sys
import types

import pytest

import pyneural as pn


@pytest.fixture
def run(rings, capsys, monkeypatch):
    """Runs a cell as a notebook does, and shows its last expression by its method; returns the lines that are shown."""
    at = pn.Input((2,))
    heads = pn.Model(at, {"a": pn.Dense(3)(at), "b": pn.Dense(3)(at)})
    both = {"a": rings[1], "b": rings[1]}
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    pn.fit(heads, (rings[0], both), epochs=1, verbose=0)
    names = {"pn": pn, "model": model, "data": rings, "heads": heads, "two": (rings[0], both)}
    shell = types.SimpleNamespace(execution_count=0, user_ns=names)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    capsys.readouterr()

    def lines(source: str) -> list[str]:
        shell.execution_count += 1
        *statements, last = ast.parse(source).body
        exec(compile(ast.Module(statements, []), "cell", "exec"), names)
        if isinstance(last, ast.Expr):
            found = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            if found is not None:
                try:
                    found._ipython_display_()
                except NotImplementedError:  # then IPython asks for HTML
                    print(found._repr_html_().replace("</div>", "</div>\n"))
        else:
            exec(compile(ast.Module([last], []), "cell", "exec"), names)
        return [
            line for line in capsys.readouterr().out.splitlines() if re.search(r"^(\w: )?accuracy|>accuracy<", line)
        ]

    yield lines
    names.clear()


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("pn.evaluate(model, data)", 1),
        ("report = pn.evaluate(model, data)", 1),
        ("report = pn.evaluate(model, data)\nreport", 2),
        ("reports = pn.evaluate(heads, two)\nreports", 4),
        ("pn.evaluate(model, data, verbose=0)", 1),
        ("report = pn.evaluate(model, data, verbose=0)", 0),
        ("pn.evaluate(heads, two)", 2),
        ("pn.evaluate(heads, two, verbose=0)", 2),
    ],
)
def test_a_cell_shows_a_report_once_and_its_table_on_demand(run, source: str, count: int) -> None:
    assert len(run(source)) == count


def test_a_later_cell_shows_it_again(run) -> None:
    assert len(run("report = pn.evaluate(model, data); reports = pn.evaluate(heads, two)")) == 3
    assert len(run("report")) == 1
    assert len(run("reports")) == 2
    assert len(run("print(report)")) == 1
