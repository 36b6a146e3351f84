"""Builds pyneural._core, the C engine and its binding, as one extension; everything else is in pyproject.toml.

Read from the environment: PYNEURAL_BUILD = release (the default), debug, asan, tsan or coverage; PYNEURAL_WERROR = 1
makes warnings errors; CC, CFLAGS and LDFLAGS as everywhere.
"""

import os
import shlex
import shutil
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# fmt: off
FLAGS = ["-std=gnu11", "-O3", "-fno-wrapv", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
         "-fvisibility=hidden", "-pthread"]
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wdouble-promotion", "-Wstrict-prototypes",
            "-Wmissing-prototypes", "-Werror"]
BUILDS: dict[str, tuple[list[str], list[str]]] = {  # what each adds for the compiler, and for the linker
    "release": (["-g0"], []),
    "debug": (["-O1", "-g", "-UNDEBUG", "-DPN_DEBUG"], []),
    "asan": (["-O1", "-g", "-DPN_DEBUG", "-fno-omit-frame-pointer", "-fsanitize=address,undefined"],
             ["-fsanitize=address,undefined"]),
    "tsan": (["-O1", "-g", "-DPN_DEBUG", "-fsanitize=thread"], ["-fsanitize=thread"]),
    "coverage": (["-O1", "-g", "--coverage"], ["--coverage"]),
}
# fmt: on

build = os.environ.get("PYNEURAL_BUILD", "release")
if build not in BUILDS:
    raise SystemExit(f"PYNEURAL_BUILD is '{build}'; give one of {', '.join(BUILDS)}, or leave it unset")
compile_flags, link_flags = BUILDS[build]
warnings = WARNINGS if os.environ.get("PYNEURAL_WERROR") == "1" else []


class Build(build_ext):
    """Compiles the sources side by side, and says what is missing where there is no compiler."""

    def build_extensions(self) -> None:
        """Builds the one extension there is."""
        self._look_for_tools()
        self._forget_this_machine()
        compile_in_turn = self.compiler.compile

        def compile_side_by_side(sources, *args, **words):
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                return [o for made in pool.map(lambda s: compile_in_turn([s], *args, **words), sources) for o in made]

        self.compiler.compile = compile_side_by_side
        super().build_extensions()

    def _forget_this_machine(self) -> None:
        """Leaves out the folder of libpython that some Pythons have linked in: we need none of it."""
        inherited = shlex.split(sysconfig.get_config_var("LDSHARED") or "")
        places = {word for word in inherited if word.startswith("-Wl,-rpath")}
        self.compiler.linker_so = [word for word in self.compiler.linker_so if word not in places]

    def _look_for_tools(self) -> None:
        """A sentence instead of a traceback."""
        compiler = shlex.split(os.environ.get("CC", "") or sysconfig.get_config_var("CC") or "cc")[0]
        headers = Path(sysconfig.get_path("include"))
        if shutil.which(compiler) is None:
            raise SystemExit(
                f"pyneural is built from C, and there is no compiler '{compiler}' here. Install one (Debian, Ubuntu: "
                "apt install build-essential; Fedora: dnf install gcc; macOS: xcode-select --install), or set CC."
            )
        if not (headers / "Python.h").exists():
            raise SystemExit(
                f"pyneural is built from C, and Python's headers are not in {headers}. Install them (Debian, Ubuntu: "
                "apt install python3-dev; Fedora: dnf install python3-devel), or use a Python that has them."
            )


def files(*patterns: str) -> list[str]:
    """All that match, sorted."""
    return sorted(str(name) for pattern in patterns for name in Path("csrc").rglob(pattern))


setup(
    ext_modules=[
        Extension(
            "pyneural._core",
            files("*.c"),
            depends=[*files("*.h", "*.inc", "*.def"), "setup.py"],
            include_dirs=["csrc", numpy.get_include()],
            extra_compile_args=FLAGS + compile_flags + warnings,
            extra_link_args=["-pthread", *link_flags],
        )
    ],
    cmdclass={"build_ext": Build},
)
