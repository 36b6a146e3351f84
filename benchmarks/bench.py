"""make bench: measures all performance targets in one run, and writes RESULTS.md.

    python benchmarks/bench.py [--quick] [--only WORD ...] [--output FILE]

The results of peers are checked first, then timed.  Exit status 1 if a target is missed; each is named.
"""

import argparse
import datetime
import sys
import time
from pathlib import Path

import compare
import cost
import growth
import kernels
import machine
import ninety_nine
import overhead
from judge import Target

HERE = Path(__file__).resolve().parent
PARTS = ("cases", "kernels", "growth", "deep", "overhead", "cost", "ninety-nine")
MEASURED_APART = {  # in separate processes, one after another
    "growth": ("Growth: time and memory an image while training", growth.measure_growth),
    "deep": ("Networks of many layers", growth.measure_deep),
    "overhead": ("Overhead", overhead.measure),
    "cost": ("The cost of having it", cost.measure),
    "ninety-nine": ("99 % on MNIST in one call of pn.fit", ninety_nine.measure),
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Speed, size and memory compared with the peers.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and seeds: a smoke test, rough numbers")
    parser.add_argument("--only", nargs="*", default=[], help=f"parts ({', '.join(PARTS)}) or words of cases")
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    arguments = parser.parse_args()
    report = Report(arguments.quick, machine.Probe(HERE.parent / "build" / "bench"))
    begun = time.perf_counter()
    for part in PARTS:
        words = [word for word in arguments.only if word not in PARTS]
        if not arguments.only or part in arguments.only or (part == "cases" and words):
            print(f"== {part}", flush=True)
            if part == "cases":
                report.cases(words)
            elif part == "kernels":
                report.kernels()
            else:
                title, measure = MEASURED_APART[part]
                report.add(title, *measure(arguments.quick))
    text = report.text(time.perf_counter() - begun)
    arguments.output.write_text(text, encoding="utf-8")
    print(f"written: {arguments.output.name}")
    missed = [target for target in report.targets if target.missed]
    for target in missed:
        print(target)
    print(f"{len(report.targets) - len(missed)} of {len(report.targets)} targets met")
    return 1 if missed else 0


class Report:
    """The results of all parts of a run."""

    def __init__(self, quick: bool, probe: machine.Probe) -> None:
        self.quick = quick
        self.targets: list[Target] = []
        self.sections: list[str] = []
        self.versions: list[str] = []
        self.probe = probe
        self.probe.look(0.2)

    def add(self, title: str, body: str, targets: list[Target]) -> None:
        """Adds a part, and prints it."""
        self.targets += targets
        self.sections.append(f"## {title}\n\n{body}")
        print(f"\n{body}", flush=True)
        for target in targets:
            print(target, flush=True)

    def cases(self, words: list[str]) -> None:
        """The table of cases; words select some."""
        effort = compare.Effort(3, 0.05) if self.quick else compare.Effort()
        workers, missing = compare.hire()
        self.versions += [*dict.fromkeys(worker.words for worker in workers.values()), *missing]
        outcomes, found = [], []
        for case in compare.chosen(words):
            outcomes.append(compare.run(case, workers, effort, self.probe))
            found += compare.targets(outcomes[-1])
            self.versions += outcomes[-1].absent
            print(compare.section(outcomes[-1:], self.probe, 2), flush=True)
        for worker in workers.values():
            worker.close()
        for threads in (2, 1):
            title = f"Training steps and predictions, {threads} thread{'s' * (threads > 1)}"
            self.add(title, compare.section(outcomes, self.probe, threads), found if threads == 2 else [])
        variants = "; ".join(f"{o.case.name}: " + ", ".join(f"{p} {v}" for p, v in o.variants.items() if v)
                             for o in outcomes if any(o.variants.values()))  # fmt: skip
        self.add("The variants that took part", variants + "\n", [])

    def kernels(self) -> None:
        """The matrix product and convolutions; other kernels have no targets, and are measured by kernels.py alone."""
        workers = kernels.hire([kernels.OURS, kernels.THEIRS], (1, 2))
        rounds, seconds = (2, 0.02) if self.quick else (9, 0.1)
        limited = [*kernels.products()[:1], *kernels.convolutions()]
        found = kernels.measure(limited, workers, rounds, seconds, self.probe)
        for worker in workers.values():
            worker.close()
        self.add("Matrix product and convolutions", kernels.text(found, self.probe), kernels.targets(found, self.probe))

    def text(self, seconds: float) -> str:
        """The whole of RESULTS.md."""
        probe = self.probe
        missed = [target for target in self.targets if target.missed]
        lines = [
            "# Results of `make bench`",
            "",
            f"{datetime.date.today().isoformat()}, {seconds / 60:.0f} minutes{', quick: rough' * self.quick}.  "
            f"{machine.words()}.",
            "",
            f"FMA peak {probe.gflops(1):.0f} GFLOP/s with one thread, {probe.gflops(2):.0f} with two; memory "
            f"{probe.gigabytes(1):.0f} and {probe.gigabytes(2):.0f} GB/s (triad).  Both measured in this run, as "
            "medians, between the cases.",
            "",
            *(f"- {version}" for version in self.versions),
            "",
            f"## Targets: {len(self.targets) - len(missed)} of {len(self.targets)} met",
            "",
            *(f"- {target}" for target in sorted(self.targets, key=lambda target: not target.missed)),
            "",
        ]
        return "\n".join(lines) + "\n" + "\n".join(self.sections)


if __name__ == "__main__":
    sys.exit(main())
