"""Builds pyneural._core, the C engine and its binding, as one extension; everything else is in pyproject.toml.

Read from the environment: PYNEURAL_BUILD = release (the default), debug, asan, tsan or coverage; PYNEURAL_WERROR = 1
makes warnings errors; CC, CFLAGS and LDFLAGS as usual.

Builds are incremental: objects stay in build/objects, in one folder per compiler and set of flags, for the next build
by pip or `setup.py build_ext --inplace`.  Next to each object is a list of hashes, of the object and of every file that
it was made from.  It is recompiled if one of these has changed, also after an interrupted build.  A file of
csrc/kernels/isa/ makes an object for each family of kernels.
"""

import functools
import hashlib
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# fmt: off
FLAGS = ["-std=gnu11", "-O3", "-fno-wrapv", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
         "-fvisibility=hidden", "-pthread"]
# Tables for unwinding the stack have 180 kB, and C code without exceptions does not need them.
NO_UNWINDING = ["-fno-asynchronous-unwind-tables"]
# A wheel's extension has no symbols; that of a checkout keeps them, for debuggers and for tests/test_laws.py.
STRIPPED = ["-Wl,-s"] if sys.platform == "linux" and "bdist_wheel" in sys.argv else []
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wdouble-promotion", "-Wstrict-prototypes",
            "-Wmissing-prototypes", "-Werror"]
# gcc inlines a memcpy of few bytes as moves, which the sanitizers do not check; they do check calls.
CALLS = ["-fno-builtin-memcpy", "-fno-builtin-memmove", "-fno-builtin-memset"]
BUILDS: dict[str, tuple[list[str], list[str]]] = {  # extra flags for the compiler and for the linker
    "release": (["-g0", *NO_UNWINDING], STRIPPED),
    "debug": (["-O1", "-g", "-UNDEBUG", "-DPN_DEBUG"], []),
    "asan": (["-O1", "-g", "-DPN_DEBUG", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", *CALLS],
             ["-fsanitize=address,undefined"]),
    "tsan": (["-O1", "-g", "-DPN_DEBUG", "-fsanitize=thread", *CALLS], ["-fsanitize=thread"]),
    "coverage": (["-O1", "-g", "--coverage"], ["--coverage"]),
}
# fmt: on

build = os.environ.get("PYNEURAL_BUILD", "release")
if build not in BUILDS:
    raise SystemExit(f"PYNEURAL_BUILD is '{build}'; give one of {', '.join(BUILDS)}, or leave it unset")
compile_flags, link_flags = BUILDS[build]
warnings = WARNINGS if os.environ.get("PYNEURAL_WERROR") == "1" else []


def families(source: str) -> list[str]:
    """Names each family of kernels for a stub that compiles one at a time, and nothing for other files."""
    if Path(source).parent != Path("csrc", "kernels", "isa"):
        return [""]
    return sorted(path.stem for path in Path("csrc", "kernels", "families").glob("*.inc"))


def digest(path: str | Path) -> str:
    """The hash of a file's contents."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def for_size(source: str) -> list[str]:
    """Options for the float64 kernels of processors without AVX2: a third smaller, the same bits."""
    return ["-O2"] if Path(source).name == "baseline_f64.c" and build == "release" else []


class Objects:
    """Compiles objects that are out of date, in parallel."""

    def __init__(self, compiler) -> None:
        self._compile = compiler.compile
        self._command = compiler.compiler_so
        self._hash = functools.cache(digest)  # of a source
        self._begun = time.time()

    def compile(self, sources, *, output_dir, include_dirs, extra_postargs, **words) -> list[str]:
        """Replaces distutils' compile; the objects go to our own folder."""
        folder = self._folder(extra_postargs, words)
        jobs = [(source, family) for source in sources for family in families(source)]

        def make(job: tuple[str, str]) -> str:
            source, family = job
            made = folder / family / Path(source).with_suffix(".o")
            parts, dependencies = made.with_suffix(".parts"), made.with_suffix(".d")
            if self._is_up_to_date(made, parts, include_dirs):
                return str(made)
            made.parent.mkdir(parents=True, exist_ok=True)
            parts.unlink(missing_ok=True)
            options = [
                *extra_postargs,
                "-MMD",
                "-MF",
                str(dependencies),
                *([f"-DPN_FAMILY={family}"] if family else []),
                *for_size(source),
            ]
            self._compile([source], str(folder / family), include_dirs=include_dirs, extra_postargs=options, **words)
            self._note(made, parts, dependencies, include_dirs)
            return str(made)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(make, jobs))

    def _folder(self, flags, words) -> Path:
        """One for each compiler, interpreter and set of flags."""
        program = itertools.takewhile(lambda word: not word.startswith("-"), self._command)
        version = subprocess.run([*program, "--version"], capture_output=True, check=True).stdout
        key = repr((self._command, version, sys.version, sysconfig.get_platform(), flags, sorted(words.items())))
        return Path("build", "objects", f"{build}-{hashlib.sha256(key.encode()).hexdigest()[:8]}")

    def _note(self, made: Path, parts: Path, dependencies: Path, folders: list[str]) -> None:
        """Writes the list: the object's hash, then one line per dependency: its hash and its relative path."""
        text = dependencies.read_text().partition(":")[2].replace("\\\n", " ")
        paths = [word.replace("\\ ", " ") for word in re.findall(r"(?:\\ |\S)+", text)]
        if any(Path(path).stat().st_mtime >= self._begun for path in paths):
            return  # a source may have changed during the compilation: recompile next time
        lines = [digest(made)]
        for path in paths:
            inside = [os.path.relpath(path, folder) for folder in folders if Path(path).is_relative_to(folder)]
            lines.append(f"{self._hash(path)} {[*inside, path][0]}")
        whole = parts.with_suffix(f".{os.getpid()}")
        whole.write_text("\n".join(lines))
        whole.replace(parts)

    def _is_up_to_date(self, made: Path, parts: Path, folders: list[str]) -> bool:
        """Whether the object and all of its dependencies exist and are unchanged."""
        own, *lines = (parts.read_text() if parts.exists() else "").splitlines() or [""]
        if not made.exists() or digest(made) != own:
            return False
        for was, _, name in (line.partition(" ") for line in lines):
            found = next((path for path in (Path(folder, name) for folder in folders) if path.is_file()), None)
            if found is None or self._hash(found) != was:
                return False
        return True


class Build(build_ext):
    """Builds the extension; names what is missing if there is no compiler."""

    def build_extensions(self) -> None:
        """Builds the extension."""
        self._look_for_tools()
        self._forget_this_machine()
        self.force = self.compiler.force = True  # always link; Objects decides what to compile
        self.compiler.compile = Objects(self.compiler).compile
        super().build_extensions()

    def _forget_this_machine(self) -> None:
        """Removes the rpath to libpython that some Pythons add: it is not needed."""
        inherited = shlex.split(sysconfig.get_config_var("LDSHARED") or "")
        places = {word for word in inherited if word.startswith("-Wl,-rpath")}
        self.compiler.linker_so = [word for word in self.compiler.linker_so if word not in places]

    def _look_for_tools(self) -> None:
        """Exits with a message instead of a traceback if a tool is missing."""
        compiler = shlex.split(os.environ.get("CC", "") or sysconfig.get_config_var("CC") or "cc")[0]
        headers = Path(sysconfig.get_path("include"))
        if shutil.which(compiler) is None:
            raise SystemExit(
                f"pyneural is built from C, but the compiler '{compiler}' was not found. Install one (Debian, Ubuntu: "
                "apt install build-essential; Fedora: dnf install gcc; macOS: xcode-select --install), or set CC."
            )
        if not (headers / "Python.h").exists():
            raise SystemExit(
                f"pyneural is built from C, but Python's headers are not in {headers}. Install them (Debian, Ubuntu: "
                "apt install python3-dev; Fedora: dnf install python3-devel), or use a Python that includes them."
            )


setup(
    ext_modules=[
        Extension(
            "pyneural._core",
            # model is for C programs and for the module of pages, which web is for as well (csrc/web/rules.mk)
            sorted(str(path) for path in Path("csrc").rglob("*.c") if path.parent.name not in ("model", "web")),
            include_dirs=["csrc", numpy.get_include()],
            extra_compile_args=FLAGS + compile_flags + warnings,
            extra_link_args=["-pthread", *link_flags],
        )
    ],
    cmdclass={"build_ext": Build},
)
