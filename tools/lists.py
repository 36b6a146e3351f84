"""docs/lists.md: activations, losses, metrics, optimizers, schedules, initializers, layers, callbacks, by the tables.

Each entry names the tests that cover it: test functions that have its name in their parameters or in their source.  An
entry without a test, or a test that does not exist or does not name its entry, is an error.  make_stubs.py calls it.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from covering import GRADIENT, IN_A_LAYER, LAYERS, OF_CALLBACKS, OF_LAYERS, OF_SCORES, REFERENCE, check_test, test_of

from pyneural import _core, callbacks, initializers, losses, metrics, schedules
from pyneural.files.architecture import KINDS
from pyneural.layers.activations import ACTIVATIONS, FUSED
from pyneural.metrics import names
from pyneural.training import optimizers

ROOT = Path(__file__).resolve().parent.parent
OPS = {row["name"]: row for row in _core.op_table()}


class Entry(NamedTuple):
    """A row of the page: how it is named in a call, the call itself, what it is, where its code is, what tests it."""

    name: str
    call: str
    doc: str
    code: tuple[str, ...]
    tests: tuple[tuple[str, str], ...]  # each with the word that it has of this entry


# ---- the code and the tests of an entry ------------------------------------------------------------------------------


def file_of_op(name: str) -> str:
    """Where the row of an op is."""
    row = rf'^[A-Z0-9_]+\({name},|pn_op_{name} =|\.name = "{name}"'  # in a table, a macro, or written out
    files = ["csrc/kernels/activations.def", "csrc/kernels/elementwise.def", *sorted((ROOT / "csrc/ops").glob("*.c"))]
    found = next((path for path in files if re.search(row, (ROOT / path).read_text("utf-8"), re.MULTILINE)), None)
    if found is None:
        raise SystemExit(f"tools/lists.py: no file in csrc/ has a row of the op {name}")
    return str(found).removeprefix(f"{ROOT}/")


def file_of(thing: Any) -> str:
    """The module of a function or class."""
    return f"{thing.__module__.replace('.', '/')}.py"


# ---- the lists -------------------------------------------------------------------------------------------------------


def call_of(name: str, function: Callable[..., Any], drop: int = 0) -> str:
    """A call with its defaults, without annotations, `name=` and the first `drop` parameters."""
    signature = inspect.signature(function)
    kept = [one for one in list(signature.parameters.values())[drop:] if one.name != "name"]
    return f"{name}{inspect.Signature([one.replace(annotation=inspect.Parameter.empty) for one in kept])}"


def first_of(doc: str | None) -> str:
    """The first paragraph of a docstring, and a source that comes later."""
    text = inspect.cleandoc(doc or "").split(">>>")[0]
    first = " ".join(text.split("\n\n")[0].split()).removeprefix("Elementwise: ")
    later = re.search(r"Source: [^\n]*\d{4}[^.]*\.", text.split("\n\n", 1)[1]) if "\n\n" in text else None
    return f"{first} {' '.join(later[0].split())}" if later else first


def activations() -> Iterator[Entry]:
    for name, function in ACTIVATIONS.items():
        op = name
        call = f"pn.ops.{name}{OPS[name]['signature']}" if name in OPS else ""
        if isinstance(function, partial):
            op = function.func.__name__
            call = f"pn.ops.{op}(x, {', '.join(f'{k}={v!r}' for k, v in function.keywords.items())})"
        doc = first_of(OPS[op]["doc"])
        notes = f"{'Fused; i' if name in FUSED else 'I'}nitial weights {initializers.suited(name)}."
        yield Entry(f'"{name}"', call, f"{sentence(doc)} {notes}", (file_of_op(op),),
                    ((IN_A_LAYER, name), (GRADIENT, op)))  # fmt: skip


def of_op(name: str, op: str, before: str = "") -> Entry:
    return Entry(
        f'"{name}"', f"pn.ops.{op}{OPS[op]['signature']}", f"{before}{first_of(OPS[op]['doc'])}", (file_of_op(op),),
        ((REFERENCE, op), *[(GRADIENT, op)] * OPS[op]["differentiable"]),
    )  # fmt: skip


def loss_list() -> Iterator[Entry]:
    for name, loss in losses.NAMES.items():
        yield of_op(name, loss.mean.__name__, f"For {' and '.join(loss.kinds)}. ")


def metric_list() -> Iterator[Entry]:
    for name, metric in names.NAMES.items():
        yield of_op(name, getattr(metric, "__name__", name))


def score_list() -> Iterator[Entry]:
    for name, home in metrics.HOMES.items():
        score = getattr(metrics, name)
        if home != "names" and inspect.isfunction(score):
            call = call_of(f"pn.metrics.{name}", score)
            yield Entry(name, call, first_of(score.__doc__), (file_of(score),), ((test_of(OF_SCORES, name), name),))


def optimizer_list() -> Iterator[Entry]:
    for name, row in _core.optimizer_table().items():
        kind = optimizers.NAMES[name]
        defaults = ", ".join(f"{key}={value}" for key, value in row["defaults"].items())
        test = "tests/training/test_optimizers.py::test_each_optimizer_follows_its_formula"
        yield Entry(f'"{name}"', f"pn.{kind.__name__}({defaults})", " ".join(row["doc"].split()),
                    ("csrc/optim/table.c", "csrc/kernels/families/update.inc"), ((test, name),))  # fmt: skip


def schedule_list() -> Iterator[Entry]:
    for name, schedule in schedules.NAMES.items():
        test = "tests/training/test_recipes.py::test_schedules_have_their_shapes"
        call = call_of(f"pn.schedules.{schedule.__name__}", schedule)
        yield Entry(f'"{name}"', call, first_of(schedule.__doc__), (file_of(schedule),), ((test, f'"{name}"'),))


def initializer_list() -> Iterator[Entry]:
    for name, fill in initializers.NAMES.items():
        test = f"{LAYERS}test_each_initializer_fills_as_it_says"
        yield Entry(name, f'init="{name}"', first_of(fill.__doc__), (file_of(fill),), ((test, name),))


def layer_list() -> Iterator[Entry]:
    rows = re.findall(r'^    \{ "(\w+)", +(?:"(\w+)"|NULL),', (ROOT / "csrc/model/kinds.c").read_text("utf-8"), re.M)
    ops = dict(rows)
    for name, kind in KINDS.items():
        if name == "Arithmetic":  # written as operators on nodes
            continue
        code = (file_of(kind), *([file_of_op(ops[name])] if ops[name] else []))
        test = test_of(OF_LAYERS, name)
        word = f"pn.{name}" if test != IN_A_LAYER else "pn.Activation"
        tests = ((test, word), ("tests/test_c_model.py::test_every_layer_has_the_bits_of_predict", name))
        yield Entry(name, call_of(f"pn.{name}", kind.__init__, drop=1), first_of(kind.__doc__), code, tests)


def callback_list() -> Iterator[Entry]:
    for name in callbacks.HOMES:
        kind = getattr(callbacks, name)
        if issubclass(kind, callbacks.Callback) and kind is not callbacks.Callback:
            call = call_of(f"pn.callbacks.{name}", kind.__init__, drop=1)
            yield Entry(name, call, first_of(kind.__doc__), (file_of(kind),), ((test_of(OF_CALLBACKS, name), name),))


# ---- the page --------------------------------------------------------------------------------------------------------

HEAD = """# Lists

The activations, losses, metrics, optimizers, schedules, initializers, layers and callbacks: their calls with all
defaults, what they compute, their code, and the tests that cover them. `tools/make_stubs.py` makes this page from the
tables of the library, and fails if an entry has no test, or if a test does not exist. [All ops](ops.md) have a page of
their own, and [the equations](equations.md) have the gradients.

A test is shown by its name, with spaces: run `gradient equals central differences` for relu with
`pytest tests/test_ops.py -k "gradient_equals_central_differences and relu"`.
"""
SECTIONS: dict[str, tuple[str, Callable[[], Iterator[Entry]]]] = {
    "Activations": (
        'By name in a layer, `pn.Dense(64, "relu")`, or as a layer, `pn.Activation("relu")`; both also take functions. '
        'Initial weights are those of a layer with `init="auto"` that ends in it. A fused activation is computed with '
        "its layer, in one pass over memory.",
        activations,
    ),
    "Losses": ('By name, `pn.fit(model, data, loss="huber")`, or a function of (outputs, targets).', loss_list),
    "Metrics in training": ('By name, `pn.fit(model, data, metrics=["mae"])`, or a function.', metric_list),
    "Scores": ("Functions on NumPy arrays; `pn.evaluate` gives them with their intervals.", score_list),
    "Optimizers": (
        'By name, `pn.fit(model, data, optimizer="adamw")`; with other values, `optimizer=pn.SGD(momentum=0.9)`; or by '
        "hand, `pn.Adam(model)` and `.step()`. `clip_norm=0` does not clip; `decay_all=False` leaves biases and the "
        "parameters of norms out of the weight decay.",
        optimizer_list,
    ),
    "Schedules": (
        'By name, `pn.fit(model, data, schedule="cosine")`, or a function of (step, steps). Its value multiplies the '
        "learning rate.",
        schedule_list,
    ),
    "Initializers": (
        'Of a layer, `pn.Dense(64, init="he_normal")`, a number, or a function. `"auto"` chooses by the activation.',
        initializer_list,
    ),
    "Layers": ("Each also takes `name=`. n is the batch; shapes are those of NumPy arrays.", layer_list),
    "Callbacks": (
        "`pn.fit(model, data, callbacks=[pn.callbacks.LogFile('run.csv')])`. Your own are functions of (epoch, logs), "
        "or subclasses of `pn.callbacks.Callback`.",
        callback_list,
    ),
}


def sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def cell(text: str) -> str:
    """Text of a docstring as Markdown in a table: escaped, but for what is in backticks."""
    parts = [part if i % 2 else re.sub(r"[_*<]", r"\\\g<0>", part) for i, part in enumerate(text.split("`"))]
    return "`".join(parts).replace("|", "\\|")


def links_to_code(files: Iterable[str]) -> str:
    return ", ".join(f"[{cell(Path(file).name)}](../{file})" for file in files)


def links_to_tests(tests: Iterable[str]) -> str:
    pairs = [test.split("::test_") for test in tests]
    return "; ".join(f"[{function.replace('_', ' ')}](../{file})" for file, function in pairs)


def section(title: str, text: str, entries: list[Entry]) -> str:
    """A heading, a text, and a table; code and tests that all entries share are named once, above it."""
    tests = [{test for test, _ in entry.tests} for entry in entries]
    shared, code = set.intersection(*tests), set.intersection(*[set(entry.code) for entry in entries])
    columns = {
        "name": lambda entry: f"`{entry.name}`" if entry.name.startswith('"') else "",
        "call": lambda entry: f"`{entry.call}`",
        "what it is": lambda entry: cell(sentence(entry.doc)),
        "code": lambda entry: links_to_code(file for file in entry.code if file not in code),
        "tests": lambda entry: links_to_tests(test for test, _ in entry.tests if test not in shared),
    }
    table = {head: cells for head, show in columns.items() if any(cells := [show(entry) for entry in entries])}
    lines = [f"| {' | '.join(row)} |" for row in [table, ["---"] * len(table), *zip(*table.values(), strict=True)]]
    notes = [f"Code of all: {links_to_code(sorted(code))}."] * bool(code)
    notes += [f"Tests of all: {links_to_tests(sorted(shared))}."] * bool(shared)
    return "\n\n".join([f"## {title}", text, *([" ".join(notes)] if notes else []), "\n".join(lines) + "\n"])


def page() -> str:
    """The text of docs/lists.md.

    Raises:
        SystemExit: an entry has no test, or a test does not cover its entry.
    """
    parts = [HEAD]
    for title, (text, entries) in SECTIONS.items():
        found = list(entries())
        for entry in found:
            for test, word in entry.tests:
                check_test(test, word, entry.name)
        parts.append(section(title, text, found))
    return "\n".join(parts)
