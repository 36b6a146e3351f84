"""Generates the stubs and the reference of ops from the engine's table, and the stubs of packages from their tables.

That is pyneural/ops.pyi, the methods of Tensor in pyneural/_core.pyi, and docs/ops.md; __init__.pyi from HOMES in
__init__.py, of the package and of folders; and docs/lists.md (lists.py).  `python tools/make_stubs.py` writes all;
--check writes nothing, and fails if one is out of date.
"""

import argparse
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import lists

import pyneural as pn
from pyneural import _core

ROOT = Path(__file__).resolve().parent.parent
INTS = "tuple[int, ...] | list[int]"
TYPES = {  # the type of each kind of parameter, as csrc/binding/argument.c reads it
    "int": "int",
    "seed": "int",
    "float": "float",
    "bool": "bool",
    "pair": f"int | {INTS}",
    "padding": "str | int | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]",
    "axes": f"int | {INTS} | None",
    "shape": f"int | {INTS}",
    "slices": "_Index | tuple[_Index, ...]",
    "activation": "str | None",
    "reduction": "str",
    "dtype": "str",
    "optional_int": "int | None",
    "stream": "str | int",
    "approximate": "str",
}

Row = dict[str, Any]


def stub_argument(name: str, kind: str, default: object) -> str:
    if default is ...:
        return f"{name}: {kind}"
    kind = f"{kind} | None" if default is None and "None" not in kind else kind
    return f'{name}: {kind} = "{default}"' if isinstance(default, str) else f"{name}: {kind} = {default!r}"


def stub_arguments(row: Row) -> list[str]:
    values = "Sequence[_Values]" if row["variadic"] else "_Values"
    arguments = [stub_argument(name, values, None if optional else ...) for name, optional in row["inputs"]]
    star = False
    for name, kind, default, _ in row["params"]:
        if default is ... and not star and any("=" in argument for argument in arguments):
            arguments.append("*")
            star = True
        arguments.append(stub_argument(name, TYPES[kind], default))
    return arguments


def head_of(row: Row, arguments: list[str], indent: str = "") -> str:
    result = "Tensor" if row["outputs"] == 1 else "tuple[" + ", ".join(["Tensor"] * row["outputs"]) + "]"
    head = f"{indent}def {row['name']}({', '.join(arguments)}) -> {result}:"
    if len(head) <= 116:
        return head
    lines = "".join(f"{indent}    {argument},\n" for argument in arguments)
    return f"{indent}def {row['name']}(\n{lines}{indent}) -> {result}:"


def stub(row: Row) -> str:
    head = head_of(row, stub_arguments(row))
    doc = row["doc"].replace("\\", "\\\\").replace("\n", "\n    ").replace("    \n", "\n")
    end = "\n    " if "\n" in doc else ""
    return f'{head}\n    """{doc}{end}"""\n'


def stubs(table: list[Row]) -> str:
    head = (
        '"""Every op of the engine.  Made from its table by tools/make_stubs.py."""\n\n'
        "import builtins\nfrom collections.abc import Sequence\nfrom types import EllipsisType\n\n"
        "from numpy.typing import ArrayLike\n\nfrom pyneural._core import Tensor\n\n"
        "_Values = Tensor | ArrayLike\n_Index = int | builtins.slice | EllipsisType\n\n"
    )
    names = "__all__ = [\n" + "".join(f'    "{name}",\n' for name in sorted(row["name"] for row in table)) + "]\n\n"
    return head + names + "\n".join(stub(row) for row in table)


BEGIN, END = "    # Made from the op table by tools/make_stubs.py:\n", "    # That was all from the op table.\n"


def methods(table: list[Row]) -> str:
    """_core.pyi with the ops that are methods of Tensor between its two marks."""
    rows = [row for row in table if row["method"]]
    lines = [head_of(row, ["self", *stub_arguments(row)[1:]], "    ") + " ...\n" for row in rows]
    before, rest = (ROOT / "pyneural/_core.pyi").read_text(encoding="utf-8").split(BEGIN)
    return before + BEGIN + "".join(lines) + END + rest.split(END)[1]


def section(row: Row) -> str:
    doc = re.sub(r"(>>> (?:.|\n)*)", lambda m: f"```pycon\n{m[1].rstrip()}\n```", row["doc"])
    lines = [f"## {row['name']}", "", f"`{row['name']}{row['signature']}`", "", doc]
    if row["params"]:
        lines += ["", "| parameter | default | |", "|---|---|---|"]
        for name, _, default, text in row["params"]:
            shown = "required" if default is ... else f"`{default!r}`"
            lines.append(f"| `{name}` | {shown} | {text.replace('|', chr(92) + '|')} |")
    if row["method"]:
        names = ", ".join(name for name, *_ in row["params"])
        lines += ["", f"Also a method: `x.{row['name']}({names})`."]
    if not row["differentiable"]:
        lines += ["", "It has no gradient."]
    return "\n".join(lines) + "\n"


def reference(table: list[Row]) -> str:
    return (
        "# The ops\n\n"
        "Made from the op table by `tools/make_stubs.py`; a test keeps it fresh. Each is a function of `pn.ops`; "
        "inputs may be tensors, NumPy arrays or numbers,\nand every argument may be given by position or by name.\n\n"
    ) + "\n".join(section(row) for row in table)


def names(package: ModuleType) -> str:
    """The stub of a package whose names load when they are first used: the imports that type checkers want."""
    homes: dict[str, str] = package.HOMES
    modules = [f"import pyneural.{name} as {name}\n" for name, home in sorted(homes.items()) if name == home]
    found: dict[str, list[str]] = {}
    for name, home in homes.items():
        if name != home:
            found.setdefault(f"{package.__name__}.{home}", []).append(name)
    version = "__version__" in package.__all__
    if version:
        found["pyneural.version"] = ["VERSION"]
    imports = [_import(home, sorted(names, key=_as_ruff_sorts)) for home, names in sorted(found.items())]
    every = "".join(f'    "{name}",\n' for name in sorted(package.__all__, key=_as_ruff_sorts))
    parts = [
        '"""The names of the package.  Made from HOMES in __init__.py by tools/make_stubs.py."""\n',
        "".join(modules + imports),
        *["__version__ = VERSION\n"] * version,
        f"__all__ = [\n{every}]\n",
    ]
    return "\n".join(parts)


def _as_ruff_sorts(name: str) -> tuple[bool, bool, str]:
    """Constants, classes, functions."""
    return not name.isupper(), not name[0].isupper(), name


def _import(home: str, names: list[str]) -> str:
    line = f"from {home} import {', '.join(names)}\n"
    return line if len(line) <= 121 else f"from {home} import (\n" + "".join(f"    {name},\n" for name in names) + ")\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is out of date")
    check = parser.parse_args().check
    table = _core.op_table()
    packages = (pn, pn.apps, pn.callbacks, pn.datasets, pn.metrics, pn.plot)  # whose names load on first use
    stale = []
    made = {
        **{f"{package.__name__.replace('.', '/')}/__init__.pyi": names(package) for package in packages},
        "pyneural/ops.pyi": stubs(table),
        "pyneural/_core.pyi": methods(table),
        "docs/ops.md": reference(table),
        "docs/lists.md": lists.page(),
    }
    for path, text in ((ROOT / name, text) for name, text in made.items()):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            stale.append(str(path.relative_to(ROOT)))
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"{', '.join(stale)}: out of date; run python tools/make_stubs.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
