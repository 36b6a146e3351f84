"""kill_training.py -- kills a training at random moments, and checks that it ends with the same bits all the same.

    python tools/kill_training.py [--kills 20] [--epochs 40] [--seed 0]

The training (tests/training/killed.py) has augmentation, dropout, batch norm, averaged weights, sample weights and
callbacks with state, and writes its checkpoint at every step, so that many kills hit a write.  Each time it is killed
with SIGKILL after a random time; the same command then goes on.  At the end weights, history, callbacks and model card
must be those of a training that was never killed, and so must the log file without its times.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "tests" / "training" / "killed.py"


def command(folder: Path, epochs: int) -> list[str]:
    return [sys.executable, str(PROGRAM), str(folder / "run.ckpt"), str(folder / "run.csv"), "0", "", "0", str(epochs)]


def run(folder: Path, epochs: int, seconds: float | None) -> str:
    """What the training prints at its end; "" if it was killed after `seconds`."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command(folder, epochs), env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            out, _ = program.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            program.send_signal(signal.SIGKILL)
            program.communicate()
            return ""
    if program.returncode != 0:
        sys.exit(f"the training ended with exit code {program.returncode}")
    return out.strip()


def without_times(log: Path) -> list[str]:
    return [line.rsplit(",", 1)[0] for line in log.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        whole = Path(place, "whole")
        whole.mkdir()
        begun = time.perf_counter()
        wanted = run(whole, options.epochs, None)
        took = time.perf_counter() - begun
        kills = trainings = writes = 0
        while kills < options.kills:
            folder = Path(place, str(trainings))
            folder.mkdir()
            trainings += 1
            found = ""
            while not found:
                found = run(folder, options.epochs, rng.uniform(0.1, 0.6) * took if kills < options.kills else None)
                kills += not found
                writes += (folder / ".run.ckpt.part").exists()
            if found != wanted:
                sys.exit(f"training {trainings}, after {kills} kills: the result differs")
            if without_times(folder / "run.csv") != without_times(whole / "run.csv"):
                sys.exit(f"training {trainings}, after {kills} kills: the log differs")
    print(f"{kills} kills in {trainings} trainings, {writes} of them during a write: all ended with the same bits")


if __name__ == "__main__":
    main()
