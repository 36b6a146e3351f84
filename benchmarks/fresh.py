"""Measurements that need a fresh process: a child measures, and prints the result as JSON in its last line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def run(script: str, *arguments: str, threads: int = 2) -> Any:
    """Runs a script of this folder in a fresh interpreter; returns its measurement."""
    environment = os.environ | {"PYNEURAL_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, str(Path(__file__).parent / script), "--child", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise RuntimeError(f"{script} {' '.join(arguments)}: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout.splitlines()[-1])


def child() -> list[str] | None:
    """The arguments if this process is such a child, else None."""
    return sys.argv[2:] if sys.argv[1:2] == ["--child"] else None


def peak_resident() -> int:
    """The peak resident size of this process in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
