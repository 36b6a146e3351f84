"""The modules of the Python package as its laws see them: where each stands, what it imports, what it may use.

A law takes modules and gives sentences, one for each place where it is broken; `test_laws.py` wants none of the
package, and one for each violation that it plants.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent / "pyneural"
FLOORS = {
    name: floor
    for floor, names in enumerate(
        (
            "_core version built printing first_use", "arguments", "ops", "images", "card",
            "metrics losses initializers schedules", "datasets",
            "layers", "models", "files", "batching", "evaluation", "callbacks", "training", "plot", "apps", "commands",
            "__main__ __init__",
        )
    )
    for name in names.split()
}  # fmt: skip
MADE = ("_core", "ops")  # their names come from the engine's table
NAMEDTUPLES = ("_asdict", "_fields", "_make", "_replace")  # of everybody, in spite of their underscore


class Module(NamedTuple):
    """A module: its name without `pyneural.`, and its source.  The face of a folder ends in `.__init__`."""

    name: str
    tree: ast.Module

    @property
    def is_face(self) -> bool:
        return self.name.endswith("__init__")

    @property
    def floor(self) -> int:
        return FLOORS[self.name.split(".")[0]]


class Imported(NamedTuple):
    """One of our modules that is imported, or a name out of it, and where that is written."""

    module: str  # without `pyneural.`; "" is the package
    name: str | None
    line: int
    where: str  # "", or what it stands in: a function's name, "TYPE_CHECKING"


def modules() -> list[Module]:
    """Every module of the package."""
    return [
        Module(".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(ROOT.rglob("*.py"))
    ]


def folders(found: list[Module]) -> set[str]:
    """The names of modules that are folders, "" for the package."""
    return {module.name.removesuffix("__init__").removesuffix(".") for module in found if module.is_face}


def imports(module: Module) -> Iterator[Imported]:
    """The imports of our own modules, wherever they stand; so are the rows of a face's HOMES."""

    def below(node: ast.AST, where: str) -> Iterator[Imported]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    if alias.name.split(".")[0] == "pyneural":
                        yield Imported(alias.name.removeprefix("pyneural").lstrip("."), None, child.lineno, where)
            elif isinstance(child, ast.ImportFrom):
                source = "pyneural" if child.level else child.module or ""
                if source.split(".")[0] == "pyneural":
                    for alias in child.names:
                        yield Imported(source.removeprefix("pyneural").lstrip("."), alias.name, child.lineno, where)
            elif isinstance(child, ast.Call) and (name := _called_for(child)):
                yield Imported(name.removeprefix("pyneural").lstrip("."), None, child.lineno, where or "a call")
            elif isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "HOMES":
                yield from _homes(module, child.value)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from below(child, child.name)
            elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                yield from below(child, where or "TYPE_CHECKING")
            else:
                yield from below(child, where)

    yield from below(module.tree, "")


def _homes(module: Module, table: ast.expr) -> Iterator[Imported]:
    """The names that load when they are first used; a module of a folder is its own home."""
    assert isinstance(table, ast.Dict)
    for key, value in zip(table.keys, table.values, strict=True):
        name, home = ast.literal_eval(key or value), ast.literal_eval(value)
        where = module.name.removesuffix("__init__") + home
        yield Imported(where, None if name == home else name, value.lineno, "HOMES")


def _called_for(call: ast.Call) -> str:
    """The module of ours that a call of import_module or __import__ names, or ""."""
    function = ast.unparse(call.func).split(".")[-1]
    name = call.args[0] if call.args else None
    ours = isinstance(name, ast.Constant) and str(name.value).split(".")[0] == "pyneural"
    return str(name.value) if ours and function in ("import_module", "__import__") else ""


def defined(tree: ast.Module) -> set[str]:
    """The names that a module itself makes at its top, not those that it imports."""

    def below(node: ast.AST) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                yield child.name
            elif isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                yield child.id
            elif not isinstance(child, ast.Lambda):
                yield from below(child)

    return set(below(tree))


# ---- the laws ------------------------------------------------------------------------------------------------------


def upwards(found: list[Module]) -> list[str]:
    """Imports of a module on a higher floor."""
    return [
        f"{module.name}:{one.line} imports {one.module or 'pyneural'}, which is on a higher floor"
        for module in found
        for one in imports(module)
        if FLOORS.get((one.module or "__init__").split(".")[0], len(FLOORS)) > module.floor
    ]


def circles(found: list[Module]) -> list[str]:
    """Modules that import each other, by whatever way."""
    reads = {module.name: {one.module for one in imports(module)} for module in found}
    reaches: dict[str, set[str]] = {}
    for name in reads:
        seen, waiting = set[str](), list(reads[name])
        while waiting:
            one = waiting.pop()
            if one not in seen:
                seen.add(one)
                waiting += reads.get(one, ())
        reaches[name] = seen
    together = {tuple(sorted(two for two in reads if two in reaches[one] and one in reaches[two])) for one in reads}
    return [f"{', '.join(names)} import each other" for names in sorted(together) if names]


def elsewhere(found: list[Module]) -> list[str]:
    """Imports from a module that does not define the name: from a folder, or from one that imports it itself."""
    places = folders(found)
    names = {module.name: defined(module.tree) for module in found if module.name not in MADE}
    wrong = []
    for module in found:
        for one in imports(module):
            at = f"{module.name}:{one.line} imports {one.name or one.module or 'pyneural'}"
            if one.module in places and not (module.name == "__init__" and one.name is None):
                wrong.append(f"{at} from the folder {one.module or 'pyneural'}: name the module that defines it")
            elif one.name and one.name not in names.get(one.module, one.name):
                wrong.append(f"{at} from {one.module}, which does not define it")
    return wrong


def hidden(found: list[Module]) -> list[str]:
    """Imports of our own modules within functions and for type checkers only."""
    return [
        f"{module.name}:{one.line} imports {one.module} in {one.where}: import it at the top"
        for module in found
        for one in imports(module)
        if one.where not in ("", "HOMES")
        and not (module.name.startswith("commands.") and one.where != "TYPE_CHECKING")  # commands start quickly
        and not (module.is_face and one.where == "__getattr__")  # hints load when a name is wrong
    ]


def private(found: list[Module]) -> list[str]:
    """Uses of names with a leading underscore, but at home and in subclasses, where `self` has them."""
    wrong = []
    for module in found:
        own = _own(module.tree)
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pyneural":
                wrong += [
                    f"{module.name}:{node.lineno} imports {alias.name}" for alias in node.names if _private(alias.name)
                ]
            elif (name := _used(node)) and _private(name) and name not in own:
                wrong.append(f"{module.name}:{node.lineno} uses {ast.unparse(node)}")
    return wrong


def _used(node: ast.AST) -> str:
    """The attribute of another object than self that a node uses, written out or in getattr and the like, or ""."""
    if isinstance(node, ast.Attribute):
        return "" if _inherits(node.value) else node.attr
    asks = isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr", "delattr")
    if not asks or len(node.args) < 2 or _inherits(node.args[0]) or not isinstance(node.args[1], ast.Constant):
        return ""
    return str(node.args[1].value)


def _inherits(node: ast.expr) -> bool:
    """Whether an attribute of it may come from a class above; sys has private names that are meant to be used."""
    return ast.unparse(node) in ("self", "cls", "super()", "sys")


def _private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in ("_core", *NAMEDTUPLES)


def _own(tree: ast.Module) -> set[str]:
    """Every name that a module makes: functions, classes, variables, and attributes of self."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and ast.unparse(node.value) == "self":
            found.add(node.attr)
    return found


def faces(found: list[Module]) -> list[str]:
    """What an `__init__` does beyond handing on names of its own folder, none of which is a module there.

    It loads names on first use by `first_use`, and its hint for a wrong name is made of `arguments`.
    """
    wrong = []
    for module in filter(lambda one: one.is_face, found):
        folder = module.name.removesuffix("__init__")
        inside = {one.name.removeprefix(folder).split(".")[0] for one in found if one.name.startswith(folder)}
        wrong += [
            f"{module.name}:{node.lineno} does more than hold names"
            for node in module.tree.body[1:]
            if not _holds_names(node)
        ]
        for one in imports(module):
            if one.name in inside - {"_core"}:
                wrong.append(f"{module.name}:{one.line} hands on {one.name}, which is also a module there")
            if not one.module.startswith((folder, "arguments.", "first_use")):
                wrong.append(f"{module.name}:{one.line} hands on names of {one.module}")
    return wrong


def _holds_names(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.FunctionDef):
        return node.name in ("__getattr__", "__dir__")
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "__version__", "HOMES")
