"""The machine: its description, and its peak performance, measured by probe.c during the run."""

import os
import platform
import shutil
import statistics
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Probe:
    """Peak arithmetic and memory throughput, measured repeatedly during the run; reports medians."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which(os.environ.get("CC", "cc")) or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise SystemExit("bench: probe.c needs a C compiler, and none was found; install one, or set CC")
        folder.mkdir(parents=True, exist_ok=True)
        self.program = folder / "probe"
        flags = ["-std=gnu11", "-O3", "-march=native", "-ffp-contract=fast", "-pthread"]
        subprocess.run([compiler, *flags, str(HERE / "probe.c"), "-o", str(self.program)], check=True)
        self.found: dict[tuple[str, int], list[float]] = {}

    def look(self, seconds: float = 0.05) -> None:
        """Measures each peak once more."""
        for what in ("fma", "triad"):
            for threads in (1, 2):
                command = [str(self.program), what, str(threads), str(seconds)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                self.found.setdefault((what, threads), []).append(float(done.stdout))

    def gflops(self, threads: int) -> float:
        """Float32 multiply-adds, as GFLOP/s."""
        return statistics.median(self.found["fma", threads])

    def gigabytes(self, threads: int) -> float:
        """GB/s of the triad."""
        return statistics.median(self.found["triad", threads])


def words() -> str:
    """Processor, cores, system and Python, in one line."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        family = ", ".join(f"{key} {fields[key]}" for key in ("cpu family", "model") if key in fields)
        name = f"{fields.get('model name', name)} ({family})"
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} CPUs, {platform.system()}, Python {platform.python_version()}"
