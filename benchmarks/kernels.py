"""make bench-kernels: each kernel through its op, in GFLOP/s or GB/s, against the naive twin and PyTorch's op.

    python benchmarks/kernels.py [--threads N] [--only WORD ...] [--quick]

One process per side: pyneural with the best instruction set, with each lower one and as naive twins (PYNEURAL_ISA),
and PyTorch with channels-last images, if it is installed.  Results are compared before anything is timed; a side that
differs ends the run with exit status 1.  Shapes are those of the networks in cases.py.
"""

import argparse
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from judge import Target, Times, table
from machine import Probe
from networks import taps
from worker import Worker

OURS, THEIRS = "pyneural ops", "PyTorch ops"
TOLERANCE = 1e-4  # relative to the L2 norm: float32 sums of up to 25,000 terms in another order
Key = tuple[str, int]


@dataclass(frozen=True)
class Kernel:
    """One op on one shape.

    Args:
        op: its name in the sides' adapters.
        x: the shape of the input; images are (n, height, width, channels).
        w: the shape of the weight, or ().
        wanted: "y" times the op, "x" and "w" the gradient of that input alone.
        work: multiplications and additions; 0 counts bytes.
        moved: bytes read and written once.
    """

    op: str
    x: tuple[int, ...]
    w: tuple[int, ...] = ()
    wanted: str = "y"
    work: int = 0
    moved: int = 0

    @property
    def name(self) -> str:
        what = {"y": "", "x": " dX", "w": " dW"}[self.wanted]
        return " ".join(
            [self.op + what, "x".join(map(str, self.x)), *(["* " + "x".join(map(str, self.w))] * bool(self.w))]
        )

    @property
    def unit(self) -> str:
        return "GFLOP/s" if self.work else "GB/s"

    @property
    def amount(self) -> float:
        """The work or the bytes, in 10^9."""
        return 1e-9 * (self.work or self.moved)

    def arrays(self) -> dict[str, np.ndarray]:
        """The inputs: x and, if there is one, w; a side makes dy itself if a gradient is wanted."""
        draw = np.random.default_rng(len(self.name))
        x = draw.integers(0, 256, self.x, dtype=np.uint8) if self.op == "gather" else draw.normal(size=self.x)
        if self.op == "log":
            x = np.abs(x) + 0.1
        made = {"x": x if self.op == "gather" else x.astype(np.float32)}
        return made | ({"w": draw.normal(size=self.w).astype(np.float32)} if self.w else {})


def convolutions() -> list[Kernel]:
    """3 x 3 with padding 1 as in the X-ray ResNet, and first layers of one channel.

    Forward, dX and dW are equal work; taps on the padding are not counted.
    """
    found = []
    for channels, side in ((16, 56), (32, 28), (64, 14), (128, 7)):
        work = 2 * 32 * taps(side, 3, 1, 1) ** 2 * channels * channels
        x, w = (32, side, side, channels), (3, 3, channels, channels)
        found += [Kernel("conv", x, w, wanted, work) for wanted in ("y", "x", "w")]
    for size, filters, batch in ((3, 32, 128), (5, 16, 64)):
        work = 2 * batch * taps(28, size, 1, size // 2) ** 2 * filters
        found += [Kernel("conv", (batch, 28, 28, 1), (size, size, 1, filters), w, work) for w in ("y", "w")]
    for channels, side in ((64, 56), (512, 14)):  # as in MobileNet
        work = 2 * 32 * taps(side, 3, 1, 1) ** 2 * channels
        x, w = (32, side, side, channels), (3, 3, channels, 1)
        found += [Kernel("depthwise", x, w, wanted, work) for wanted in ("y", "x", "w")]
    return found


def products() -> list[Kernel]:
    shapes = ((512, 512, 512), (256, 784, 128), (32, 784, 128))
    return [Kernel("matmul", (m, k), (k, n), work=2 * m * k * n) for m, k, n in shapes]


def passes() -> list[Kernel]:
    """Everything that is memory-bound."""
    image, rows = (64, 24, 24, 16), (256, 1024)
    pixels, values = int(np.prod(image)), int(np.prod(rows))
    found = []
    for op in ("max_pool", "avg_pool"):
        found += [Kernel(op, image, moved=5 * pixels), Kernel(op, image, wanted="x", moved=5 * pixels)]
    found += [
        Kernel("batch_norm", image, moved=12 * pixels),
        Kernel("batch_norm", image, wanted="x", moved=16 * pixels),
    ]
    found += [Kernel("layer_norm", rows, moved=8 * values), Kernel("layer_norm", rows, wanted="x", moved=12 * values)]
    found += [Kernel(op, rows, moved=8 * values) for op in ("exp", "log", "tanh", "sigmoid", "gelu", "softmax")]
    return [*found, Kernel("gather", (60_000, 28, 28, 1), moved=5 * 256 * 784)]


def everything() -> list[Kernel]:
    return [*products(), *convolutions(), *passes()]


def measure(
    kernels: list[Kernel], workers: dict[Key, Worker], rounds: int, seconds: float, probe: Probe
) -> dict[Kernel, dict[Key, Times]]:
    """Checks every side against ours, then times them, interleaved; sides that lack an op have no entry."""
    found: dict[Kernel, dict[Key, Times]] = {}
    for kernel in kernels:
        lengths, first = {}, None
        for key, worker in workers.items():
            if not worker.ask("prepare_kernel", kernel):
                continue
            result = worker.ask("check_kernel").astype(np.float64)
            first = result if first is None else first
            off = float(np.linalg.norm(result - first) / np.linalg.norm(first))
            if not off <= TOLERANCE:
                raise SystemExit(f"{kernel.name}: {worker.peer} differs from {OURS} by {off:.1e} of the length")
            lengths[key] = max(2, round(seconds / statistics.median(worker.ask("turn", 2))))
        times: dict[Key, list[float]] = {key: [] for key in lengths}
        for _ in range(rounds):
            for key, n in lengths.items():
                times[key] += workers[key].ask("turn", min(n, 2_000))
                time.sleep(0.005)
            probe.look(0.02)
        for key in lengths:
            workers[key].ask("drop")
        found[kernel] = {key: Times(t) for key, t in times.items()}
    return found


def hire(sides: list[str], threads: tuple[int, ...]) -> dict[Key, Worker]:
    """A process for each side and number of threads; PyTorch may be missing."""
    workers = {}
    for side in sides:
        for n in threads:
            try:
                workers[side, n] = Worker(side, n)
            except RuntimeError as error:
                if side != THEIRS:
                    raise
                print(f"{side} is left out: {str(error).strip().splitlines()[-1]}")
                break
    return workers


def text(found: dict[Kernel, dict[Key, Times]], probe: Probe) -> str:
    """The table: GFLOP/s or GB/s of the median, and ours over PyTorch's."""
    keys = list(dict.fromkeys(key for times in found.values() for key in times))
    head = ["kernel", "", *(f"{side.replace(' ops', '')}, {n}" for side, n in keys), "of peak", "ours / PyTorch"]
    rows = []
    for kernel, times in found.items():
        cells = [f"{kernel.amount / times[key].median:,.1f}" if key in times else "" for key in keys]
        ours, n = next(key for key in reversed(keys) if key[0] == OURS)
        speed = kernel.amount / times[ours, n].median
        peak = probe.gflops(n) if kernel.work else probe.gigabytes(n)
        beside = f"{times[THEIRS, n].basis / times[ours, n].median:.2f}" if (THEIRS, n) in times else ""
        rows.append([kernel.name, kernel.unit, *cells, f"{100 * speed / peak:.0f} %", beside])
    return table(head, rows)


def targets(found: dict[Kernel, dict[Key, Times]], probe: Probe) -> list[Target]:
    """The limits on the matrix product 512^3 and on convolutions."""
    made = []
    for kernel, times in found.items():
        speed = {key: kernel.amount / t.median for key, t in times.items()}
        if kernel.op == "matmul" and kernel.x == (512, 512):
            for n, limit, aim in ((1, 90, 95), (2, 82, 90)):
                if (OURS, n) in speed:
                    share = 100 * speed[OURS, n] / probe.gflops(n)
                    words = f"{kernel.name}, {n} thread{'s' * (n > 1)}: share of the FMA peak"
                    made.append(Target(words, share, limit, least=True, aim=aim, unit=" %"))
        if kernel.op == "conv" and (OURS, 2) in speed and (THEIRS, 2) in speed:
            theirs = kernel.amount / times[THEIRS, 2].basis
            if kernel.x[-1] == 1:
                words, limit = f"{kernel.name}, 2 threads: ours / oneDNN", 1.3
                made.append(Target(words, speed[OURS, 2] / theirs, limit, least=True))
            else:
                words = f"{kernel.name}, 2 threads: ours / min(.95 oneDNN, .90 peak)"
                must = min(0.95 * theirs, 0.90 * probe.gflops(2))
                made.append(Target(words, speed[OURS, 2] / must, 1.0, least=True))
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description="Kernels in GFLOP/s and GB/s: ours, the naive twins, PyTorch's.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=[], help="words of kernels' names")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    arguments = parser.parse_args()
    probe = Probe(Path(__file__).resolve().parent.parent / "build" / "bench")
    lower = [f"{OURS} {isa}" for isa in ("avx2", "baseline", "naive")]
    workers = hire([OURS, *lower, THEIRS], (arguments.threads,))
    kernels = [k for k in everything() if not arguments.only or any(word in k.name for word in arguments.only)]
    for worker in workers.values():
        print(f"- {worker.words}")
    rounds, seconds = (2, 0.02) if arguments.quick else (7, 0.1)
    found = {}
    for kernel in kernels:
        found |= measure([kernel], workers, rounds, seconds, probe)
        print(text({kernel: found[kernel]}, probe).splitlines()[-1], flush=True)
    print()
    print(text(found, probe))
    missed = [target for target in targets(found, probe) if target.missed]
    for target in missed:
        print(target)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
