"""The footprint of pyneural: time and memory of importing it, compared with NumPy, and the size of its wheel.

Each import runs in a fresh interpreter, pyneural and NumPy interleaved; medians are compared.  Exit status 1 if
importing takes more than twice as long as NumPy, or 20 MB more memory, or if the wheel is larger than 4 MB.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ALLOWED_TIMES = 2.0
ALLOWED_MORE = 20e6  # bytes
ALLOWED_WHEEL = 4e6  # bytes

# Printed by a fresh interpreter: seconds of the import alone, and the resident bytes after it.
PROBE = """
import time
begun = time.perf_counter()
import {module}
seconds = time.perf_counter() - begun
try:
    resident = int(open("/proc/self/statm").read().split()[1]) * __import__("resource").getpagesize()
except OSError:
    resident = __import__("resource").getrusage(0).ru_maxrss
print(seconds, resident)
"""


def probe(module: str) -> tuple[float, int]:
    """Seconds and resident bytes of importing a module in a fresh interpreter."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as elsewhere:  # not in the checkout, whose pyneural/ would be found first
        command = [sys.executable, "-c", PROBE.format(module=module)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=elsewhere, env=environment)
    seconds, resident = done.stdout.split()
    return float(seconds), int(resident)


def imports(rounds: int) -> bool:
    """Prints the cost of both imports; returns whether ours is within the limits."""
    probe("pyneural"), probe("numpy")  # so that both are compiled and in the page cache
    found: dict[str, list[tuple[float, int]]] = {"numpy": [], "pyneural": []}
    for _ in range(rounds):
        for module, probes in found.items():
            probes.append(probe(module))
    seconds = {module: statistics.median(p[0] for p in probes) for module, probes in found.items()}
    resident = {module: statistics.median(p[1] for p in probes) for module, probes in found.items()}
    for module in found:
        print(f"import {module:<9} {1e3 * seconds[module]:6.1f} ms, {resident[module] / 1e6:5.1f} MB resident")
    times, more = seconds["pyneural"] / seconds["numpy"], resident["pyneural"] - resident["numpy"]
    good = times <= ALLOWED_TIMES and more <= ALLOWED_MORE
    print(
        f"    {'ok' if good else 'MISSED'}: {times:.2f} times NumPy's time (allowed {ALLOWED_TIMES:g}), "
        f"{more / 1e6:+.1f} MB (allowed {ALLOWED_MORE / 1e6:g})"
    )
    return good


def wheel() -> bool:
    """Builds a wheel and prints its size; returns whether it is within the limit."""
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(root)]
        subprocess.run(command, check=True)
        (built,) = Path(folder).glob("*.whl")
        size = built.stat().st_size
        good = size <= ALLOWED_WHEEL
        print(f"{built.name}: {size / 1e6:.2f} MB")
    print(f"    {'ok' if good else 'MISSED'}: allowed {ALLOWED_WHEEL / 1e6:g} MB")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description="The cost of importing pyneural, and the size of its wheel.")
    parser.add_argument("--rounds", type=int, default=15, help="imports timed for each")
    parser.add_argument("--no-wheel", action="store_true", help="do not build a wheel")
    arguments = parser.parse_args()
    good = imports(arguments.rounds)
    return 0 if (arguments.no_wheel or wheel()) and good else 1


if __name__ == "__main__":
    sys.exit(main())
