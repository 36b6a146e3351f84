"""The laws of the house: what the design promises of the code itself, read from the sources and the built extension."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import package
import pytest
from oprows import ROWS

from pyneural import _core

ROOT = Path(__file__).resolve().parent.parent
CSRC = ROOT / "csrc"
FLOORS = {
    name: floor
    for floor, name in enumerate(
        ("base", "kernels", "engine", "tensor", "ops", "graph", "optim", "model", "web", "binding")
    )
}
SOURCES = sorted(path for path in CSRC.rglob("*") if path.suffix in (".c", ".h", ".inc", ".def"))
BINDING_FLOORS = (
    "error familiar fork items object quiet",
    "nodes array interrupt key world",
    "apply argument",
    "broadcast inputs",
    "call",
    "block digit index make number optable optimizer repr values",
    "tensor",
    "module",
)
LONGEST_LINE, LONGEST_FUNCTION, LONGEST_FILE = 120, 60, 500  # a kernel may be as long as the second


def code(path: Path) -> str:
    """A C file without comments and without what strings hold; lines stay where they are."""

    def blank(match: re.Match[str]) -> str:
        text = match.group(0)
        return '""' if text.startswith('"') else "\n" * text.count("\n") + " "

    pattern = r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*'
    keep = r"#\s*include[^\n]*"
    return re.sub(f"({keep})|{pattern}", lambda m: m[1] or blank(m), path.read_text(encoding="utf-8"), flags=re.DOTALL)


def name(path: Path) -> str:
    return path.relative_to(CSRC).as_posix()


def floor(path: Path) -> int:
    return FLOORS.get(path.relative_to(CSRC).parts[0], 0)


def calls(path: Path, *functions: str) -> list[str]:
    """Calls of these functions, as `file:line: text`."""
    pattern = re.compile(rf"(?<![\w.>])({'|'.join(functions)})\s*\(")
    return [
        f"{name(path)}:{n}: {line.strip()}" for n, line in enumerate(code(path).split("\n"), 1) if pattern.search(line)
    ]


def matches(path: Path, pattern: str) -> list[str]:
    """Lines of code that hold the pattern, as `file:line: text`."""
    lines = enumerate(code(path).split("\n"), 1)
    return [f"{name(path)}:{n}: {line.strip()}" for n, line in lines if re.search(pattern, line)]


# ---- floors --------------------------------------------------------------------------------------------------------


def test_every_file_is_on_a_floor() -> None:
    assert {path.relative_to(CSRC).parts[0] for path in SOURCES} == {"pn.h", *FLOORS}


def test_includes_go_only_downwards() -> None:
    upwards = [
        f"{name(path)} includes {included}"
        for path in SOURCES
        for included in re.findall(r'#\s*include\s*"([^"]+)"', code(path))
        if not (CSRC / included).exists() or floor(CSRC / included) > floor(path)
    ]
    assert not upwards


def test_files_of_the_binding_call_only_downwards() -> None:
    """They share one header, so their floors are kept by who calls what; files of one floor do not call each other."""
    floors = {f"{file}.c": n for n, files in enumerate(BINDING_FLOORS) for file in files.split()}
    texts = {path.name: code(path) for path in CSRC.glob("binding/*.c")}
    assert set(texts) == set(floors), f"files without a floor, or the reverse: {sorted(set(texts) ^ set(floors))}"
    defined = re.compile(r"^\w[\w *]*?\b(pnb_\w+)\([^;{]*\)\s*\{", flags=re.MULTILINE)
    homes = {function: file for file, text in texts.items() for function in defined.findall(text)}
    upwards = [
        f"{file} (floor {floors[file]}) uses {function} of {homes[function]} (floor {floors[homes[function]]})"
        for file, text in texts.items()
        for function in sorted(set(re.findall(r"\bpnb_\w+", text)) & set(homes))
        if homes[function] != file and floors[homes[function]] >= floors[file]
    ]
    assert not upwards


def test_python_and_numpy_are_known_to_the_binding_only() -> None:
    below = [path for path in SOURCES if floor(path) < FLOORS["binding"]]
    assert not [name(path) for path in below if re.search(r"Python\.h|numpy/|\bPy[A-Z_]\w*", code(path))]


# ---- one way to get memory, one way to fail ------------------------------------------------------------------------


def test_memory_comes_from_one_file() -> None:
    words = ("malloc", "calloc", "realloc", "free", "alloca", "aligned_alloc", "posix_memalign", "strn?dup", "mmap")
    assert not [found for path in SOURCES if name(path) != "base/mem.c" for found in calls(path, *words)]


def test_kernels_and_ops_ask_for_no_memory() -> None:
    """What an op needs its rule states, so that nothing can fail once it computes."""
    below = [path for path in SOURCES if floor(path) in (FLOORS["kernels"], FLOORS["ops"])]
    assert not [
        f"{name(path)}: {found}" for path in below for found in re.findall(r"\bpn_(?:mem_\w+|memory)\b", code(path))
    ]


def test_nothing_ends_the_process_or_prints() -> None:
    ends = ("abort", "exit", "_exit", "quick_exit", "assert", "raise", "longjmp")
    prints = ("printf", "fprintf", "puts", "fputs", "putchar", "perror", r"v?dprintf")
    assert not [found for path in SOURCES for found in calls(path, *ends, *prints)]


def test_one_dialect_tests_pointers() -> None:
    assert not [found for path in SOURCES for found in matches(path, r"[!=]= *NULL\b|\bNULL *[!=]=")]


def nested_choices(text: str) -> list[int]:
    """Lines in which a ?: stands within an operand of another one."""
    found, within = [], [False, False]  # for each bracket that is open: is this place in it within an operand?
    for mark in re.finditer(r"'(?:\\.|[^'\\])'|[][(){}?;,]", text):
        if mark[0] in "([{":
            within.append(within[-1])
        elif mark[0] in ")]}":
            within.pop()
        elif mark[0] in ",;":
            within[-1] = within[-2]
        elif mark[0] == "?":
            if within[-1]:
                found.append(text.count("\n", 0, mark.start()) + 1)
            within[-1] = True
    return found


def test_no_choice_is_within_another() -> None:
    assert not [f"{name(path)}:{line}" for path in SOURCES for line in nested_choices(code(path))]
    assert nested_choices("f(a ? b : c, (d ? e : g) + (h ? i : j));\nk ? l : m;") == []
    assert nested_choices("a ? b : c ? d : e;\nf ? g(h ? i : j) : k;\nl ? (m ? n : o) : p;") == [1, 2, 3]


# ---- what the user's code may change -------------------------------------------------------------------------------


def test_lists_and_dicts_are_read_from_copies() -> None:
    """An item's own code may clear the list it stands in: `pnb_items`, `pnb_pairs` and `pnb_still` copy first."""
    words = (
        r"PySequence_(?!Check)\w+", r"PyList_Get\w+", r"PyList_GET_\w+", "PyList_AsTuple", r"PyDict_GetItem\w*",
        "PyDict_Next", "PyDict_Items", "PyDict_Values", "PyDict_Keys", r"PyMapping_(?:Items|Values|Keys)",
        "PyObject_GetIter", "PyIter_Next",
    )  # fmt: skip
    binding = [path for path in SOURCES if path.parent.name == "binding"]
    assert not [found for path in binding if path.name != "items.c" for found in calls(path, *words)]
    numpy = [found for path in binding for found in calls(path, "PyArray_FromAny", "PyArray_DescrConverter")]
    assert len(numpy) == 2, f"more than one place gives NumPy what the user's code may change: {numpy}"


# ---- what is listed is tested --------------------------------------------------------------------------------------


def test_ops_def_the_engine_the_files_and_the_rows_are_one_set() -> None:
    table = CSRC / "kernels" / "elementwise.def"
    activations = table.with_name("activations.def").read_text(encoding="utf-8")
    elementwise = table.read_text(encoding="utf-8").replace('#include "kernels/activations.def"', activations)
    listed = re.findall(r"^(?:UNARY|BINARY|COMPARE)\((\w+),", elementwise, flags=re.MULTILINE)
    listed += re.findall(
        r"^(?:OP|METHOD)\((\w+)\)", (CSRC / "ops" / "ops.def").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert len(set(listed)) == len(listed), "an op is listed twice in ops.def"
    assert [op["name"] for op in _core.op_table()] == listed
    assert set(ROWS) == set(listed), f"without a row, or without an op: {sorted(set(ROWS) ^ set(listed))}"
    files = "\n".join(code(path) for path in SOURCES if path.parent.name == "ops")
    written = re.findall(r"const pn_op pn_op_([a-z]\w*)\s*=", files)
    assert set(written) <= set(listed), f"written but not listed: {sorted(set(written) - set(listed))}"


def test_every_update_of_the_kernel_is_an_optimizer() -> None:
    kernel = re.findall(r"\bPN_UPDATE_(\w+)", code(CSRC / "kernels" / "update.h"))
    assert set(_core.optimizer_table()) == {update.lower() for update in kernel}


KERNELS_DEF = (CSRC / "kernels" / "kernels.def").read_text(encoding="utf-8")
KERNEL_ROWS = re.findall(
    r"^(KERNEL|BY_HAND|WORK)\((\w+), (pn_\w+)(?:, (?:HAS\()?(\w+))?", KERNELS_DEF, flags=re.MULTILINE
)


def test_every_kernel_has_a_body_and_a_twin_that_take_what_its_row_says() -> None:
    wanted = Counter({(name, arguments): 2 for _, name, arguments, _ in KERNEL_ROWS})
    assert len(wanted) == len(KERNEL_ROWS), "a kernel has two rows in kernels.def"
    definition = r"^PN_(?:KERNEL|WORK)\((\w+), (?:const pn_team \*team, )?const (pn_\w+) \*\w+\)"
    found = Counter(
        pair
        for path in SOURCES
        if path.is_relative_to(CSRC / "kernels")
        for pair in re.findall(definition, code(path), flags=re.MULTILINE)
    )
    wrong = [
        f"{name} of {arguments}: {wanted[name, arguments] // 2} rows, {found[name, arguments]} definitions"
        for name, arguments in sorted({*wanted, *found})
        if wanted[name, arguments] != found[name, arguments]
    ]
    assert not wrong, f"a row in kernels.def goes with two definitions, body and twin: {'; '.join(wrong)}"


def test_every_workspace_is_asked_for() -> None:
    """A struct with a field `work` has a kernel whose row says how many bytes that is, and so does every WORK."""
    rows = [(arguments, workspace) for kind, _, arguments, workspace in KERNEL_ROWS if kind != "WORK"]
    works = {name for kind, name, _, _ in KERNEL_ROWS if kind == "WORK"}
    odd = {workspace for _, workspace in rows} ^ {"NONE", *works}
    assert not odd, f"a WORK in kernels.def without a kernel that HAS it, or the reverse: {odd}"
    headers = "".join(code(path) for path in (CSRC / "kernels").glob("*.h"))
    structs = re.findall(r"typedef struct (pn_\w+) \{(.*?)\} \1;", headers, flags=re.DOTALL)
    with_work = {struct for struct, fields in structs if re.search(r"\bwork;", fields)}
    odd = with_work ^ {arguments for arguments, workspace in rows if workspace != "NONE"}
    assert not odd, f"a field `work` that no kernel's row HAS, or the reverse: {odd}"


def test_every_kernel_is_tried_at_the_edges_of_its_tiles() -> None:
    """As its row in kernels.def says, or by hand."""
    kernels = {name for kind, name, _, _ in KERNEL_ROWS if kind == "BY_HAND"}
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "c").glob("test_edges*.c"))
    rows = " ".join(re.findall(r'\{ "([\w ]+)",\s+\w+_edge,', tests)).split()
    assert set(rows) == kernels, f"without a row in tests/c/test_edges*.c, or not BY_HAND: {set(rows) ^ kernels}"


# ---- parameters of ops ---------------------------------------------------------------------------------------------


def test_parameters_stand_in_tables_that_check_them() -> None:
    by_hand = re.compile(r"\boffsetof\b|\.(?:params|n_params|param_bytes|defaults)\s*=")
    assert not [
        f"{name(path)}:{n}: {line.strip()}"
        for path in SOURCES
        if path.parent.name == "ops" and path.name != "op.h"
        for n, line in enumerate(code(path).split("\n"), 1)
        if by_hand.search(line)
    ]


COMPILER = shlex.split(os.environ.get("CC", "") or sysconfig.get_config_var("CC") or "cc")

if shutil.which(COMPILER[0]):

    def compile_parameters(kind: str, c_types: list[str], folder: Path) -> str:
        """Compiles an op's file with a parameter of that kind for each C type; what the compiler says."""
        fields = "".join(re.sub(r"^(\w+)(.*)$", rf"\1 field_{i}\2; ", c_type) for i, c_type in enumerate(c_types))
        rows = ", ".join(f'PN_PARAM(field_{i}, {kind}, "a parameter")' for i in range(len(c_types)))
        (folder / "op.c").write_text(
            f"""#include "ops/op.h"
            static const struct {{ {fields} }} defaults;
            static const pn_param params[] = {{ {rows} }};
            const pn_op pn_op_one = {{ .name = "one", PN_PARAMS }};"""
        )
        command = [*COMPILER, "-std=gnu11", f"-I{CSRC}", "-c", str(folder / "op.c"), "-o", str(folder / "op.o")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return "compiled" if done.returncode == 0 else done.stderr

    def test_a_parameter_whose_c_type_does_not_fit_its_kind_does_not_compile(tmp_path: Path) -> None:
        kinds = re.findall(r"^    X\((\w+), +([\w\[\]]+)\)", (CSRC / "ops" / "op.h").read_text(), flags=re.MULTILINE)
        assert len(kinds) > 10
        for kind, c_type in kinds:
            assert compile_parameters(kind, [c_type], tmp_path) == "compiled"
            others = sorted({other for _, other in kinds} - {c_type} | {"int", "float", "char"})
            says = compile_parameters(kind, others, tmp_path)
            for i, other in enumerate(others):
                assert f"the C type of field_{i} is not that of PN_P_{kind}" in says, f"{kind} takes {other}"


# ---- what every file looks like ------------------------------------------------------------------------------------


def test_every_file_opens_with_a_banner_and_can_be_read_in_one_sitting() -> None:
    for path in SOURCES:
        lines = path.read_text(encoding="utf-8").split("\n")
        banner = rf"/\* (\w+/)?{re.escape(path.name)}( \(\w+\))? -- \S"
        assert re.match(banner, lines[0]), f"{name(path)} opens with {lines[0]!r}"
        assert len(lines) <= LONGEST_FILE, f"{name(path)} has {len(lines)} lines"


def test_c_lines_have_at_most_120_columns() -> None:
    c_files = [
        path for folder in ("csrc", "tests/c", "examples", "benchmarks") for path in (ROOT / folder).rglob("*.[chid]*")
    ]
    assert not [
        f"{path.relative_to(ROOT)}:{n}"
        for path in sorted(c_files)
        if path.suffix in (".c", ".h", ".inc", ".def")
        for n, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
        if len(line) > LONGEST_LINE
    ]


def test_functions_fit_on_a_screen() -> None:
    for path in SOURCES:
        begun = 0
        for number, line in enumerate(code(path).split("\n"), 1):
            if line.rstrip() == "{":
                begun = number
            elif line.startswith("}") and begun:
                assert number - begun <= LONGEST_FUNCTION, f"{name(path)}:{begun}: a function of {number - begun} lines"
                begun = 0


# ---- flags ---------------------------------------------------------------------------------------------------------


def test_the_extension_and_the_c_tests_are_compiled_alike() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    rules = (ROOT / "tests" / "c" / "rules.mk").read_text(encoding="utf-8")
    assigned = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(setup).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.List)
    }
    ours = {*assigned["FLAGS"], *assigned["WARNINGS"]}
    assert {"-std=gnu11", "-O3", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-Werror"} <= ours
    only_python = {"-fno-wrapv", "-fvisibility=hidden"}  # the first undoes what Python's own flags say
    assert ours - only_python <= set(rules.replace("\\\n", " ").split()), (
        "tests/c/rules.mk lacks some of setup.py's flags"
    )
    assert "fast-math" not in setup + rules + (ROOT / "Makefile").read_text(encoding="utf-8")


# ---- the built extension -------------------------------------------------------------------------------------------

EXTENSION = str(_core.__file__)
COMPILERS = {"completed.0", "__dso_handle", "__TMC_END__", "__cpu_model", "__cpu_features2", "_GLOBAL_OFFSET_TABLE_"}
NUMPYS = {"PyArray_API", "PyArray_RUNTIME_VERSION"}
PYTHONS = {"definition"}  # the PyModuleDef, in which Python keeps its own count


def disassembled() -> dict[tuple[int, str], str]:
    """Every tile of the extension: its address and name, and its instructions."""
    text = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", EXTENSION], capture_output=True, text=True, check=True
    )
    parts = re.split(r"^([0-9a-f]+) <(tile_\d+x\d+)>:$", text.stdout, flags=re.MULTILINE)
    return {
        (int(a, 16), n): body.split("\n\n")[0] for a, n, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    }


if sys.platform == "linux" and shutil.which("objdump"):

    def test_nothing_at_file_scope_can_change() -> None:
        table = subprocess.run(["objdump", "-t", EXTENSION], capture_output=True, text=True, check=True).stdout
        symbols = re.findall(r"^[0-9a-f]+ .{7} (\.\S+)\t[0-9a-f]+ +(?:\.hidden )?(\S+)$", table, flags=re.MULTILINE)
        assert any(name.startswith("pn_op_") for _, name in symbols), "the extension has no symbol table to look into"
        changeable = {name for section, name in symbols if section in (".data", ".bss", ".tdata", ".tbss")}
        own = {name for name in changeable if not name.startswith((".", "_ZTS")) and "asan" not in name}
        assert own - COMPILERS - NUMPYS - PYTHONS == set()

    def test_nothing_but_the_c_library_is_linked() -> None:
        headers = subprocess.run(["objdump", "-p", EXTENSION], capture_output=True, text=True, check=True).stdout
        needed = {name.split(".so")[0] for name in re.findall(r"NEEDED\s+(\S+)", headers)}
        assert needed <= {"libc", "libm", "libpthread", "libgcc_s", "ld-linux-x86-64", "ld-linux-aarch64"}

    if "x86_64" in subprocess.run(
        ["objdump", "-f", EXTENSION], capture_output=True, text=True, check=True
    ).stdout.replace("-", "_"):

        @pytest.mark.parametrize("real", ["ps", "pd"])
        @pytest.mark.parametrize(("isa", "register", "rows"), [("avx512", "zmm", 14), ("avx2", "ymm", 6)])
        def test_the_tiles_are_fused_multiply_adds(isa: str, register: str, rows: int, real: str) -> None:
            fused = re.compile(rf"\bvfn?m(?:add|sub)\d+{real}\b[^\n]*%{register}")
            separate = re.compile(rf"\bv(?:mul|add){real}\b[^\n]*%{register}")
            tiles = {
                (address, name): (len(fused.findall(body)), len(separate.findall(body)))
                for (address, name), body in disassembled().items()
                if name == f"tile_{rows}x2"
            }
            most = max(tiles.values(), default=(0, 0))
            assert most[0] >= 2 * rows, f"{isa}: no {rows} x 2 tile of {real} has {2 * rows} multiply-adds: {tiles}"
            assert most[1] <= most[0], f"{isa}: its products and sums are not fused: {tiles}"


# ---- the Python package --------------------------------------------------------------------------------------------

MODULES = package.modules()
BROKEN: dict[str, tuple[Callable[[list[package.Module]], list[str]], str, str, str]] = {
    "an import upwards": (
        package.upwards,
        "layers.planted", "from pyneural.models.graph import Graph",
        "layers.planted:1 imports models.graph, which is on a higher floor",
    ),
    "a circle": (
        package.circles,
        "layers.planted", "import pyneural.layers.second as second",
        "layers.planted, layers.second import each other",
    ),
    "the package": (
        package.elsewhere,
        "training.planted", "import pyneural as pn",
        "training.planted:1 imports pyneural from the folder pyneural: name the module that defines it",
    ),
    "a name out of a folder": (
        package.elsewhere,
        "training.planted", "from pyneural.layers import Dense",
        "training.planted:1 imports Dense from the folder layers: name the module that defines it",
    ),
    "a module out of a folder": (
        package.elsewhere,
        "training.planted", "from pyneural.plot import drawing",
        "training.planted:1 imports drawing from the folder plot: name the module that defines it",
    ),
    "a name that another module defines": (
        package.elsewhere,
        "training.planted", "from pyneural.models.model import Network",
        "training.planted:1 imports Network from models.model, which does not define it",
    ),
    "an import in a function": (
        package.hidden,
        "training.planted", "def fit():\n    from pyneural.layers.dense import Dense",
        "training.planted:2 imports layers.dense in fit: import it at the top",
    ),
    "an import for type checkers": (
        package.hidden,
        "training.planted", "if TYPE_CHECKING:\n    from pyneural.layers.dense import Dense",
        "training.planted:2 imports layers.dense in TYPE_CHECKING: import it at the top",
    ),
    "an import by a call": (
        package.hidden,
        "training.planted", "def fit():\n    return importlib.import_module('pyneural.layers.dense')",
        "training.planted:2 imports layers.dense in fit: import it at the top",
    ),
    "an import upwards by a call": (
        package.upwards,
        "layers.planted", "graph = __import__('pyneural.models.graph')",
        "layers.planted:1 imports models.graph, which is on a higher floor",
    ),
    "an import of a command for type checkers": (
        package.hidden,
        "commands.planted", "if TYPE_CHECKING:\n    from pyneural.layers.dense import Dense",
        "commands.planted:2 imports layers.dense in TYPE_CHECKING: import it at the top",
    ),
    "a private attribute by its name": (
        package.private,
        "training.planted", "def fit(model):\n    return getattr(model, '_graph', None)",
        "training.planted:2 uses getattr(model, '_graph', None)",
    ),
    "a private name imported": (
        package.private,
        "training.planted", "from pyneural.card.task import _check_classes",
        "training.planted:1 imports _check_classes",
    ),
    "a private attribute of another": (
        package.private,
        "training.planted", "def fit(model):\n    return model._graph",
        "training.planted:2 uses model._graph",
    ),
    "a face that computes": (
        package.faces,
        "planted.__init__", "'A face.'\nNAMES = sorted(['b', 'a'])",
        "planted.__init__:2 does more than hold names",
    ),
    "a table of names with one that its module does not define": (
        package.elsewhere,
        "plot.__init__", "'A face.'\nHOMES = {'images': 'pictures', 'roc': 'answers'}",
        "plot.__init__:2 imports roc from plot.answers, which does not define it",
    ),
    "a table of names with one that is also a module": (
        package.faces,
        "planted.__init__", "'A face.'\nHOMES = {'digits': 'second'}",
        "planted.__init__:2 hands on digits, which is also a module there",
    ),
    "a face that hides a module": (
        package.faces,
        "planted.__init__", "'A face.'\nfrom pyneural.planted.digits import digits",
        "planted.__init__:2 hands on digits, which is also a module there",
    ),
    "a face that hands on another folder's names": (
        package.faces,
        "planted.__init__", "'A face.'\nfrom pyneural.card.task import Task",
        "planted.__init__:2 hands on names of card.task",
    ),
}  # fmt: skip
BESIDE = {"layers.second": "import pyneural.layers.planted as planted", "planted.digits": ""}


@pytest.mark.parametrize("law", [package.upwards, package.circles, package.elsewhere, package.hidden, package.private])
def test_the_package_keeps_its_law_of(law: Callable[[list[package.Module]], list[str]]) -> None:
    assert not law(MODULES), law.__doc__


def test_nobody_is_told_to_install_pyneural_from_the_index() -> None:
    """Another project has that name there: say `pip install '.[plot]'`, in the checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.split("\0") if listed.returncode == 0 else [str(p) for p in ROOT.rglob("*.py")]
    texts = [ROOT / name for name in names if name.endswith((".py", ".md", ".ipynb", ".toml", ".c", ".h", ".yml"))]
    asked = re.compile(r"pip3? install\b[^\n`]{0,40}[ '\"](pyneural)\b(?![/.])")
    assert [str(path) for path in texts if path.is_file() and asked.search(path.read_text(encoding="utf-8"))] == []
    assert asked.search("pip install 'py" + "neural[plot]'")
    assert not asked.search("pip install --editable /home/me/pyneural")


def test_warnings_point_at_the_line_of_the_user() -> None:
    """`arguments.checks.warn` finds it; a fixed stacklevel points into the package as soon as a decorator is added."""
    texts = ((path, path.read_text(encoding="utf-8")) for path in (ROOT / "pyneural").rglob("*.py"))
    assert [path.name for path, text in texts if re.search(r"\bwarnings\.warn\(", text)] == ["checks.py"]


def test_the_faces_of_folders_hold_names() -> None:
    assert not package.faces(MODULES)


def test_the_page_lists_the_floors_of_the_package() -> None:
    page = (
        (ROOT / "docs" / "architecture.md")
        .read_text(encoding="utf-8")
        .partition("## The floors of the Python package")[2]
    )
    rows = re.findall(r"^\| (\d+) \| (`[^|]*`) \|", page, flags=re.MULTILINE)
    named = {name.removesuffix(".py"): int(floor) for floor, names in rows for name in re.findall(r"`(\w+)", names)}
    assert named == package.FLOORS


def test_every_module_of_the_package_is_on_a_floor() -> None:
    assert {module.name.split(".")[0] for module in MODULES} == set(package.FLOORS) - {"_core"}


def test_the_tests_of_a_folder_stand_in_the_folder_of_its_name() -> None:
    """Those of the engine, of modules beside it, and of the project as a whole stand in none."""
    tests = ROOT / "tests"
    tested = {".".join(path.parent.relative_to(tests).parts) for path in tests.glob("*/**/test_*.py")}
    assert tested == package.folders(MODULES) - {""}


@pytest.mark.parametrize("violation", BROKEN)
def test_a_violation_that_is_planted_is_named(violation: str) -> None:
    law, name, source, said = BROKEN[violation]
    beside = [package.Module(other, ast.parse(text)) for other, text in BESIDE.items()]
    assert law([*MODULES, package.Module(name, ast.parse(source)), *beside]) == [said]
