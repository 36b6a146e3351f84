"""The page without a server: the size of its module, its bits, and a training from scratch in Chromium.

    make web && python benchmarks/web.py [--seeds N]

Prints a line for each, with its target; exits 1 if one is missed.  The bits are those of the tests
(tests/apps/draw/test_web_engine.py and test_web_browser.py), which run first.  Needs node, Chromium and Playwright.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from needs import CHROMIUM

import pyneural as pn
from pyneural.apps.draw.web_page import module

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 500_000
LEAST_RIGHT, MOST_SECONDS = 94.0, 15.0


def verdict(name: str, text: str, ok: bool) -> bool:
    print(f"{name:<10} {text}: {'ok' if ok else 'MISSED'}", flush=True)
    return ok


def size() -> bool:
    found = len(module())
    return verdict("size", f"the module has {found:,} bytes, target {MOST_BYTES:,}", found <= MOST_BYTES)


def bits() -> bool:
    """Runs the tests of the bits, in node and in Chromium."""
    tests = ("test_web_engine.py", "test_web_browser.py")
    paths = [str(ROOT / "tests" / "apps" / "draw" / name) for name in tests]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-k", "bits", *paths], cwd=ROOT, check=False)
    return verdict("bits", "of 100 digits, in node and in Chromium", done.returncode == 0)


def training(seeds: int) -> bool:
    """Trains 784-128-10 from scratch in an exported page: seconds from the click to the result, and accuracy."""
    from playwright.sync_api import sync_playwright

    model = pn.apps.digits_mlp()
    pn.fit(model, pn.datasets.mnist("sample").train, epochs=1, verbose=0)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = pn.export(model, Path(folder) / "page.html")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(path.as_uri())
        page.get_by_text("95 % interval").wait_for()
        seconds, right = [], []
        for _ in range(seeds):
            began = time.perf_counter()
            page.locator("#train").click()
            page.get_by_text("Training …").wait_for()
            page.locator("#trained").get_by_text("right on").wait_for(timeout=120_000)
            seconds.append(time.perf_counter() - began)
            right.append(float(page.locator("#trained").inner_text().split("right on ")[1].split(" %")[0]))
        browser.close()
    text = f"{seeds} trainings from scratch: {statistics.median(seconds):.1f} s, at most {max(seconds):.1f}; "
    text += f"{min(right):.1f} to {max(right):.1f} % right; targets {MOST_SECONDS:.0f} s and {LEAST_RIGHT:.0f} %"
    return verdict("training", text, max(seconds) <= MOST_SECONDS and min(right) >= LEAST_RIGHT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="trainings from scratch")
    options = parser.parse_args()
    return 0 if all([size(), bits(), training(options.seeds)]) else 1


if __name__ == "__main__":
    sys.exit(main())
