"""Executes the notebooks on real data and writes them with their outputs, and says how long each one took.

    python tools/run_notebooks.py                       # all of notebooks/
    python tools/run_notebooks.py 01_mnist 03_from_scratch

`make notebooks` and `make notebooks NOTEBOOKS="01_mnist"` do the same.  The data is that of PYNEURAL_DATA.  Each
notebook runs in a fresh kernel, in the folder notebooks/, and is written only after every cell has passed.  With
PYNEURAL_DATA=sample notebooks are executed and left as they are.  Fails if a cell raises an error, if a notebook takes
longer than its first cell states, or if an output would differ on another machine.
"""

import asyncio
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
SAMPLE = "EMBEDDED SAMPLE"  # results on the sample say so
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
LONGEST = 1800  # seconds a cell may take
WIDEST = 400  # characters of a line of a message

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LOCAL = re.compile(r"/(?:home|root|tmp|Users|work|var)/[^\s'\")]*| at 0x[0-9a-f]+>")
_WORDS = ("a", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: float(max(1, number)) for number, word in enumerate(_WORDS)}
_TIME = re.compile(
    rf"\b(?:(about|around|roughly)|less than|at most|under|within|in)\s+(half\s+a|\d+|{'|'.join(_WORDS)})"
    r"\s+(second|minute)s?\b( and a half)?",
    re.IGNORECASE,
)


class NotebookError(Exception):
    """A notebook that failed; the message names the notebook, the cell and the error."""


@dataclass(frozen=True)
class Stated:
    """How long a notebook says that it takes.

    Args:
        text: in its words.
        seconds: as a number; "about" allows a quarter more.
    """

    text: str
    seconds: float


def stated_time(notebook: Any) -> Stated | None:
    """The first time that the first cell states, such as "about two minutes", "in 40 seconds", "less than a minute"."""
    found = _TIME.search(notebook.cells[0].source) if notebook.cells else None
    if found is None:
        return None
    about, number, unit, half = found.groups()
    words = number.lower()
    amount = 0.5 if words.startswith("half") else _NUMBERS.get(words) or float(words)
    seconds = (amount + (0.5 if half else 0.0)) * (60 if unit.lower() == "minute" else 1)
    return Stated(" ".join(found.group().split()), seconds * (1.25 if about else 1.0))


def read(path: Path) -> Any:
    """Reads a notebook.

    Raises:
        NotebookError: it is not one.
    """
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises errors of many kinds
        text = f"{type(error).__name__}: {error}".splitlines()[0][:WIDEST]
        raise NotebookError(f"{path.stem}: {path.name} cannot be read as a notebook ({text})") from None


def execute(path: Path, *, environment: dict[str, str] | None = None, timeout: int = LONGEST) -> Any:
    """Runs a notebook in a fresh kernel, in its own folder, and returns it as it would be committed; writes nothing.

    Args:
        path: the notebook.
        environment: the kernel's environment variables; None for those of this process.
        timeout: seconds that a cell may take.

    Raises:
        NotebookError: it cannot be read, a cell raised an error or took too long, or the kernel died.
        KeyboardInterrupt: Ctrl-C or a termination stopped it, and its kernel.
    """
    notebook = read(path)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    variables = dict(os.environ if environment is None else environment)
    variables.pop("MPLBACKEND", None)  # the kernel's own shows plots
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=40"],  # errors
    )
    try:
        client.execute(env=variables)
    except CellExecutionError as error:
        raise NotebookError(_failure(path, notebook, error)) from None
    except NoSuchKernel as error:
        raise NotebookError(f"{path.stem}: {error}; pip install ipykernel") from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise NotebookError(f"{path.stem}: {str(error).splitlines()[0]}") from None
    except (AssertionError, asyncio.CancelledError):  # of nbclient, whose handler of signals has ended the kernel
        raise KeyboardInterrupt from None
    normalise(notebook)
    return notebook


def _failure(path: Path, notebook: Any, error: CellExecutionError) -> str:
    """The notebook, the cell, the last lines that it printed, the line that failed and the error."""
    failed = [
        (number, cell.outputs)
        for number, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and any(output.output_type == "error" for output in cell.outputs)
    ]
    number, outputs = failed[0] if failed else ("?", [])
    printed = "".join(output.text for output in outputs if output.output_type == "stream").splitlines()[-3:]
    lines = _COLOUR.sub("", error.traceback).splitlines()
    pointed = [line.split(maxsplit=2)[-1] for line in lines if re.match(r"-+> *\d+ ", line)][:1]
    raised = f"{error.ename}: {error.evalue}".splitlines()[:6]
    shown = [line if len(line) <= WIDEST else f"{line[:WIDEST]}..." for line in (*printed, *pointed, *raised)]
    return "\n    ".join([f"{path.stem}: cell {number} failed", *shown])


def normalise(notebook: Any) -> None:
    """Leaves in a notebook only what another run would give again, but for times and roundings."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNELSPEC, "language_info": LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {})
        if cell.cell_type == "code":
            cell.outputs = _merged(cell.outputs)


def _merged(outputs: list[Any]) -> list[Any]:
    """The outputs with adjacent ones of a stream as one, as they look when they are finished."""
    merged: list[Any] = []
    for output in outputs:
        if output.output_type == "display_data" and not any(output.data.values()):  # where a progress bar was
            continue
        output.pop("transient", None)
        if "metadata" in output:
            output.metadata = nbformat.from_dict({})
        before = merged[-1] if merged else {}
        if output.output_type == "stream" and before.get("name") == output.name:
            before.text += output.text
        else:
            merged.append(output)
    for output in merged:
        if output.output_type == "stream":
            output.text = "\n".join(map(finished, output.text.split("\n")))
    return [output for output in merged if output.output_type != "stream" or output.text]


def finished(line: str) -> str:
    r"""What a line shows in the end, where carriage returns had it overwritten: the last state of a progress bar.

    >>> finished("10 %|#   |\r          \repoch 1 · 2 s")
    'epoch 1 · 2 s'
    """
    if "\r" not in line:
        return line
    shown = ""
    for text in line.split("\r"):
        shown = text + shown[len(text) :]
    return shown.rstrip()


def texts(notebook: Any) -> list[tuple[int, str]]:
    """All text in the outputs, with the cells' numbers."""
    found = []
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found.append((number, output.get("text", "") + data.get("text/plain", "") + data.get("text/html", "")))
    return found


def check(path: Path, notebook: Any) -> None:
    """Refuses outputs that name this machine's folders or addresses in memory.

    Raises:
        NotebookError: names the cell and what it shows.
    """
    for number, text in texts(notebook):
        if found := _LOCAL.search(text):
            raise NotebookError(f"{path.stem}: cell {number} shows {found.group()!r}, which differs on other machines")


def write(path: Path, notebook: Any) -> None:
    """Writes a notebook; the file is the old one or the new one, never a part."""
    part = path.with_name(f".{path.name}.part")
    try:
        nbformat.write(notebook, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def run(path: Path) -> bool:
    """Executes, checks and writes a notebook, and says how long it took; whether it kept the time that it states."""
    started = time.monotonic()
    notebook = execute(path)
    seconds = time.monotonic() - started
    check(path, notebook)
    on_sample = os.environ.get("PYNEURAL_DATA") == "sample" or any(SAMPLE in text for _, text in texts(notebook))
    if not on_sample:
        write(path, notebook)
    done = "ran on the sample, so the file is as it was" if on_sample else "written"
    stated = stated_time(notebook)
    kept = stated is None or seconds <= stated.seconds
    promise = f' · its first cell states "{stated.text}"' if stated else ""
    print(f"{path.stem}: {seconds:.0f} s{promise}{'' if kept else ': TOO SLOW'} · {done}", flush=True)
    return kept


def main(names: list[str]) -> int:
    """Runs the named notebooks, or all; 1 where one failed or was too slow, 130 where Ctrl-C stopped them."""
    known = {path.stem: path for path in sorted(FOLDER.glob("*.ipynb"))}
    names = [Path(name).stem for name in names] or list(known)
    if unknown := [name for name in names if name not in known]:
        print(f"there is no notebook {unknown[0]!r}; notebooks/ has {', '.join(known)}", file=sys.stderr)
        return 1
    failed = False
    for name in names:
        try:
            failed |= not run(known[name])
        except NotebookError as error:
            print(error, file=sys.stderr, flush=True)
            failed = True
        except OSError as error:
            print(f"{name}: {error}", file=sys.stderr, flush=True)
            failed = True
        except KeyboardInterrupt:
            print(f"interrupted in {name}: its file is as it was", file=sys.stderr, flush=True)
            return 130
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
