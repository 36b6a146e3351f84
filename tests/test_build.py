"""setup.py compiles what has changed and nothing else, in a small project of its own: three C files, two headers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "pyneural/__init__.py": "",
    "csrc/words.h": "enum { ONE = 1 };\n",
    "csrc/ops/op.h": '#include "words.h"\n',
    "csrc/ops/one.c": '#include "ops/op.h"\nint one(void) { return ONE; }\n',
    "csrc/ops/two.c": "int two(void) { return 2; }\n",
    "csrc/core.c": '#include "words.h"\n#include <Python.h>\n'
    "static PyModuleDef definition = { .m_base = PyModuleDef_HEAD_INIT, .m_size = ONE };\n"
    "PyMODINIT_FUNC PyInit__core(void);\n"
    "PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&definition); }\n",
}
COMPILER = """#!/bin/sh
for word in "$@"; do case "$word" in *.c) echo "$word" >> compiled;; esac; done
exec {cc} "$@"
"""


class Project:
    """A folder with setup.py, sources of its own, and a compiler that writes down what it compiles."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy2(ROOT / "setup.py", folder)
        for path, text in FILES.items():
            self.write(path, text)
        self.write("cc", COMPILER.format(cc=sysconfig.get_config_var("CC")))
        (folder / "cc").chmod(0o755)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def build(self, fails: bool = False, **variables: str) -> set[str]:
        """The names of the files that it compiled."""
        (self.folder / "compiled").write_text("")
        done = subprocess.run(
            [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
            cwd=self.folder, env=os.environ | {"CC": str(self.folder / "cc")} | variables,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return {Path(line).name for line in (self.folder / "compiled").read_text().split()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    assert made.build() == {"core.c", "one.c", "two.c"}
    return made


def test_what_has_not_changed_is_not_compiled_again(project: Project) -> None:
    os.utime(project.folder / "csrc" / "words.h")
    assert project.build() == set()


def test_one_file_edited_is_one_file_compiled(project: Project) -> None:
    project.write("csrc/ops/two.c", "int two(void) { return 3; }\n")
    assert project.build() == {"two.c"}


def test_a_header_compiles_what_includes_it_at_whatever_distance_and_age(project: Project) -> None:
    header = project.folder / "csrc" / "words.h"
    project.write("csrc/words.h", "enum { ONE = 0 + 1 };\n")
    os.utime(header, (time.time() - 1e6,) * 2)
    assert project.build() == {"core.c", "one.c"}


def test_a_stub_of_kernels_is_compiled_once_for_each_family(project: Project) -> None:
    project.write("csrc/kernels/families/add.inc", "int add_it(void) { return 1; }\n")
    project.write("csrc/kernels/families/sub.inc", "int sub_it(void) { return 2; }\n")
    project.write(
        "csrc/kernels/isa/naive.c",
        "#define TEXT(path) #path\n#define PATH(path) TEXT(path)\n#include PATH(kernels/families/PN_FAMILY.inc)\n",
    )
    assert project.build() == {"naive.c"}
    (engine,) = (project.folder / "pyneural").glob("_core*")
    assert b"\0add_it\0" in engine.read_bytes()
    assert b"\0sub_it\0" in engine.read_bytes()
    project.write("csrc/kernels/families/sub.inc", "int sub_it(void) { return 3; }\n")
    assert project.build() == {"naive.c"}
    assert (project.folder / "compiled").read_text().count("naive.c") == 1
    assert project.build() == set()


def test_other_flags_are_other_objects(project: Project) -> None:
    everything = {"core.c", "one.c", "two.c"}
    assert project.build(PYNEURAL_BUILD="debug") == everything
    assert project.build(CFLAGS="-DTHREE=3") == everything
    assert project.build() == set()


def test_what_did_not_compile_is_compiled_again(project: Project) -> None:
    project.write("csrc/ops/two.c", "int two(void) { return three; }\n")
    assert project.build(fails=True) == {"two.c"}
    assert project.build(fails=True) == {"two.c"}
    project.write("csrc/ops/two.c", FILES["csrc/ops/two.c"])
    assert project.build() == {"two.c"}


@pytest.mark.parametrize("kind", ["o", "parts"])
def test_what_a_build_left_half_written_is_compiled_again(project: Project, kind: str) -> None:
    (left,) = project.folder.rglob(f"one.{kind}")
    left.write_bytes(left.read_bytes()[: len(left.read_bytes()) // 2] if kind == "o" else b"")
    assert project.build() == {"one.c"}
    assert project.build() == set()


def test_a_header_that_is_gone_is_missed(project: Project) -> None:
    (project.folder / "csrc" / "ops" / "op.h").unlink()
    assert project.build(fails=True) == {"one.c"}


def test_a_file_that_is_gone_is_not_linked(project: Project) -> None:
    (engine,) = (project.folder / "pyneural").glob("_core*")
    assert b"\0two\0" in engine.read_bytes()
    (project.folder / "csrc" / "ops" / "two.c").unlink()
    assert project.build() == set()
    (engine,) = (project.folder / "pyneural").glob("_core*")
    assert b"\0two\0" not in engine.read_bytes()


def test_make_leaves_no_part_of_a_library_that_could_not_be_written(tmp_path: Path) -> None:
    archiver = tmp_path / "ar"
    archiver.write_text('#!/bin/sh\necho part > "$2"\nexit 1\n')
    archiver.chmod(0o755)
    library = tmp_path / "libpyneural.a"
    words = [f"LIBRARY={library}", f"C_BUILD={tmp_path}", "C_OBJECTS_release=", f"AR={archiver}"]
    done = subprocess.run(["make", "-s", "library", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0, done.stderr
    assert not library.exists()
