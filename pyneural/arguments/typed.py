"""typed.py -- the command line that this process was started with, to show beside its results."""

import sys
from pathlib import Path


def typed() -> str:
    """The command line, if it is pyneural's, such as `pyneural xray chest_xray`; "" in any other program."""
    import shlex  # only here, so that importing pyneural does not take longer

    program = Path(sys.argv[0] if sys.argv else "")
    ours = program.stem == "pyneural" or program.parts[-2:] == ("pyneural", "__main__.py")
    return shlex.join(["pyneural", *sys.argv[1:]]) if ours else ""
