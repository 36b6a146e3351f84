"""The table of cases: every peer is checked against us, then all are timed, interleaved."""

import statistics
import time
from dataclasses import dataclass

import numpy as np
from cases import CASES, Case, load
from judge import Target, Times, best, microseconds, ratio, table
from machine import Probe
from networks import Norm, flops, forward_flops, traffic
from peers import PEERS
from worker import Worker

# Differences are L2 norms, relative to the norm of the whole.  Float32 sums of up to 10,000 terms in another order
# differ by about 1e-6.  With batch norm, rounding in a batch's mean and variance moves all values a little, and of two
# million values before a ReLU some cross 0: each changes the gradient by a whole term (differences of 5e-4 were
# observed, the same as between PyTorch's own float32 and float64).
TOLERANCE = 1e-4
NORM_TOLERANCE = 5e-3
OURS, BY_HAND = "pyneural", "NumPy"
Key = tuple[str, int]  # peer, threads


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, and seconds per turn."""

    rounds: int = 15
    seconds: float = 0.2


def hire(effort_threads: tuple[int, ...] = (1, 2)) -> tuple[dict[Key, Worker], list[str]]:
    """A process for each peer and number of threads; messages about missing peers."""
    load("digits")  # once, before many processes load it
    workers, missing = {}, []
    for peer in PEERS:
        for threads in effort_threads:
            try:
                workers[peer, threads] = Worker(peer, threads)
            except RuntimeError as error:
                if peer == OURS:
                    raise
                missing.append(f"{peer} is left out: {str(error).strip().splitlines()[-1]}")
                break
    return workers, missing


def difference(case: Case, ours: object, theirs: object) -> float:
    """The relative difference of two checks: losses and gradients, or outputs less each row's mean."""
    if case.kind != "train":
        one, other = (np.asarray(v, np.float64) - np.asarray(v, np.float64).mean(-1, keepdims=True)
                      for v in (ours, theirs))  # fmt: skip
        return float(np.linalg.norm(one - other) / np.linalg.norm(one))
    (loss, gradients), (their_loss, their_gradients) = ours, theirs
    one, other = (np.concatenate([np.ravel(g).astype(np.float64) for g in side])
                  for side in (gradients, their_gradients))  # fmt: skip
    return max(abs(loss - their_loss) / abs(loss), float(np.linalg.norm(one - other) / np.linalg.norm(one)))


def tolerance(case: Case) -> float:
    """The accepted relative difference."""
    return NORM_TOLERANCE if Norm() in case.network and case.kind == "train" else TOLERANCE


@dataclass(frozen=True)
class Outcome:
    """The measurements of a case: times by peer and threads, differences from ours by peer, and names of variants."""

    case: Case
    times: dict[Key, Times]
    differences: dict[str, float]
    variants: dict[str, str]
    absent: tuple[str, ...] = ()

    def peers(self, threads: int) -> dict[str, Times]:
        """The peers that we are compared with at this number of threads: those whose results agree."""
        good = {name for name, found in self.differences.items() if found <= tolerance(self.case)}
        good -= {BY_HAND} if self.case.libraries else set()
        return {name: t for (name, n), t in self.times.items() if n == threads and name in good}

    def ratio(self, threads: int) -> float:
        """Our time divided by the best peer's."""
        peers = self.peers(threads)
        return ratio(self.times[OURS, threads], peers) if peers else float("nan")


def run(case: Case, workers: dict[Key, Worker], effort: Effort, probe: Probe) -> Outcome:
    """Prepares, checks and times one case."""
    on = {key: worker for key, worker in workers.items() if worker.ask("has", case)}
    variants, checks, lengths, absent = {}, {}, {}, []
    for key, worker in on.items():
        try:
            variants[key[0]] = worker.ask("prepare", case)
            checks[key] = worker.ask("check", case)
            lengths[key] = max(2, round(effort.seconds / statistics.median(worker.ask("turn", 3))))
        except RuntimeError as error:  # a missing compiler, an unsupported op
            if key[0] == OURS:
                raise
            absent.append(f"{case.name}: {key[0]} is left out: {str(error).strip().splitlines()[-1]}")
    on = {key: worker for key, worker in on.items() if key in lengths}
    differences = {}
    for (peer, _), found in checks.items():
        if peer != OURS and peer in {name for name, _ in on}:
            differences[peer] = max(
                differences.get(peer, 0.0), difference(case, checks[OURS, max(t for _, t in on)], found)
            )
    seconds: dict[Key, list[float]] = {key: [] for key in on}
    for _ in range(effort.rounds):
        for key, worker in on.items():
            seconds[key] += worker.ask("turn", min(lengths[key], 5_000))
            time.sleep(0.01)  # so that spinning threads go to sleep
        probe.look()
    for worker in on.values():
        worker.ask("drop")
    return Outcome(case, {key: Times(s) for key, s in seconds.items()}, differences, variants, tuple(absent))


def targets(outcome: Outcome) -> list[Target]:
    """The targets of one case: agreement, the ratio, and the speedup with two threads."""
    case, ours = outcome.case, {n: t for (peer, n), t in outcome.times.items() if peer == OURS}
    found = [
        Target(f"{case.name}: {peer} agrees (relative difference)", value, tolerance(case))
        for peer, value in outcome.differences.items()
    ]
    if outcome.peers(2):
        words = f"{case.name}: ours / {best(outcome.peers(2))}, 2 threads"
        found.append(Target(words, outcome.ratio(2), case.bar, aim=case.aim))
    if 1 in ours and 2 in ours:
        speedup = ours[1].median / ours[2].median
        limit = 1.8 if case.scales else 0.95  # 0.95: "not slower", within the noise of two medians
        found.append(Target(f"{case.name}: 1 to 2 threads", speedup, limit, least=True, unit=" x"))
    return found


def section(outcomes: list[Outcome], probe: Probe, threads: int) -> str:
    """The table for a number of threads: median microseconds (p10), ratios, shares of the peak."""
    names = [name for name in PEERS if any(name == peer for outcome in outcomes for peer, _ in outcome.times)]
    head = ["case, µs: median (p10)", *names, "ours / best", "bar", "of FMA peak", "of bandwidth"]
    rows = []
    for outcome in outcomes:
        case, cells = outcome.case, []
        for name in names:
            t = outcome.times.get((name, threads))
            cells.append("" if t is None else f"{microseconds(t.median)} ({microseconds(t.p10)})")
        ours = outcome.times[OURS, threads].median
        work = (flops if case.kind == "train" else forward_flops)(case.network, case.shape) * case.batch
        share = f"{100 * work / ours / 1e9 / probe.gflops(threads):.0f} %"
        moved = f"{100 * traffic(case.network, case.shape, case.batch) / ours / 1e9 / probe.gigabytes(threads):.0f} %"
        peers = outcome.peers(threads)
        words = f"{outcome.ratio(threads):.2f} ({best(peers)})" if peers else ""
        bar = f"{case.bar:.2f}" if threads == 2 else ""
        rows.append([case.name, *cells, words, bar, share, moved if case.kind == "train" else ""])
    return table(head, rows)


def chosen(words: list[str]) -> list[Case]:
    """The cases whose names contain one of the words; all if there are no words."""
    return [case for case in CASES if not words or any(word.lower() in case.name.lower() for word in words)]
