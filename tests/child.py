"""Runs a function as a program of its own: its source goes to a fresh interpreter, with the fault handler on.

The function imports what it needs; its arguments and what it prints are all that passes between the two.
"""

import inspect
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyneural

SECONDS = 300  # far more than any program here takes, even on a crowded machine


def _command(function: Callable[..., None], arguments: tuple[Any, ...]) -> list[str]:
    source = textwrap.dedent(inspect.getsource(function))
    call = f"{function.__name__}({', '.join(map(repr, arguments))})"
    return [sys.executable, "-P", "-X", "faulthandler", "-W", "error", "-c", f"{source}\n{call}\n"]


def environment(variables: dict[str, str]) -> dict[str, str]:
    """The tests' own, so that the program imports the same pyneural, wherever it stands."""
    found = str(Path(pyneural.__file__).parents[1])
    return os.environ | {"PYTHONPATH": found, "PYTHONFAULTHANDLER": "1"} | variables


def start(function: Callable[..., None], *arguments: Any, **variables: str) -> subprocess.Popen[str]:
    """The running program; its environment has these variables, too."""
    return subprocess.Popen(
        _command(function, arguments), env=environment(variables), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(program: subprocess.Popen[str]) -> str:
    """What it still prints, once it has ended well: exit code 0, and not a word on stderr."""
    try:
        out, err = program.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        out, err = program.communicate()
        raise AssertionError(f"still running after {SECONDS} s\n{out}\n{err}") from None
    assert (program.returncode, err) == (0, ""), f"exit code {program.returncode}\n{out}\n{err}"
    return out


def run(function: Callable[..., None], *arguments: Any, **variables: str) -> str:
    """What the program prints; it must end with exit code 0 and leave stderr empty."""
    return finish(start(function, *arguments, **variables))
