"""The drawing page: preparation, learning, latency, load, and what is not an image.

    python benchmarks/draw.py [--model FILE] [--seconds N] [PART ...]

The parts are variants, learning, latency, load, noise and browser (which needs Chromium and Playwright); all but
browser by default.  The model is digits.safetensors, which `pyneural digits` or `pyneural draw` makes.  Prints a line
for each part, with its target; exits 1 if one is missed.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "apps" / "draw"))
from browser import STROKES
from make_european_digits import digits
from needs import CHROMIUM

import pyneural as pn
from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.learning import count_correct, fine_tuned
from pyneural.apps.draw.server import api
from pyneural.images.digit import examine_digit

HOST = {"Host": "127.0.0.1"}
CLIENTS, EACH_SECOND = 64, 5


def verdict(name: str, text: str, ok: bool) -> bool:
    print(f"{name:<10} {text}: {'ok' if ok else 'MISSED'}", flush=True)
    return ok


# ---- preparation ---------------------------------------------------------------------------------------------------


def variant(digit: np.ndarray, number: int, generator: np.random.Generator) -> np.ndarray:
    """A digit on a page: in a corner, tiny, thin, thick, stretched; light on dark or dark on light."""
    height, width = generator.integers(16, 160), generator.integers(16, 160)
    kind = ("plain", "corner", "tiny", "thin", "thick", "stretched")[number % 6]
    side = 14 if kind == "tiny" else int(generator.integers(30, 160))
    size = (int(side * generator.uniform(0.75, 1.3)), side) if kind == "stretched" else (side, side)
    large = np.asarray(Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC), np.float32)
    cut = {"thin": 190.0, "thick": 45.0}.get(kind, 0.0)  # where the edge of the ink is drawn
    if cut:
        large = np.clip((large - cut) * 4 + 127, 0, 255)
    scaled = np.asarray(Image.fromarray(large.astype(np.uint8)).resize(size, Image.Resampling.BOX))
    page = np.zeros((scaled.shape[0] + height, scaled.shape[1] + width), np.uint8)
    top, left = (2, 2) if kind == "corner" else (generator.integers(2, height), generator.integers(2, width))
    page[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return 255 - page if number % 2 else page


def variants(model: pn.Model, _: argparse.Namespace) -> bool:
    test = pn.datasets.mnist().test
    assert test is not None
    generator = np.random.default_rng(0)
    pages = [variant(test.x[i, :, :, 0], i, generator) for i in range(1000)]
    x = np.stack([examine_digit(page).digit for page in pages])
    hits = pn.predict(model, x).argmax(axis=1) == test.y[:1000]
    kinds = ", ".join(f"{100 * hits[kind::6].mean():.1f}" for kind in range(6))
    share = 100 * hits.mean()
    return verdict("variants", f"{share:.1f} % of 1,000 variants right ({kinds}), target 95 %", share >= 95)


# ---- learning ------------------------------------------------------------------------------------------------------


def learning(model: pn.Model, _: argparse.Namespace) -> bool:
    data = pn.datasets.mnist()
    sevens = digits(np.full(1000, 7), 2026)[..., None]  # not the seed with which the learning was tuned
    wrong = sevens[pn.predict(model, sevens).argmax(axis=1) != 7]
    y = np.full(10, 7)
    began, busy = time.perf_counter(), time.process_time()
    tuned = fine_tuned(model, wrong[:10], y, data.train)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    before, after = (pn.evaluate(one, data.test, verbose=0).accuracy for one in (model, tuned))
    unseen = count_correct(tuned, wrong[10:20], y)
    text = f"{unseen} of 10 unseen crossed sevens, in {seconds:.2f} s ({busy:.2f} of processor time); "
    text += f"MNIST's test {before} -> {after}"
    ok = unseen >= 8 and seconds < 2 and before - after < 0.002
    return verdict("learning", f"{text}; targets 8, 2 s, 0.2 points", ok)


# ---- latency -------------------------------------------------------------------------------------------------------


def drawings() -> list[bytes]:
    """What the page sends: digits of 140 x 140 grey pixels."""
    test = pn.datasets.mnist().test
    assert test is not None
    return [np.kron(digit[..., 0], np.ones((5, 5), np.uint8)).tobytes() for digit in test.x[:100]]


def latency(model: pn.Model, _: argparse.Namespace) -> bool:
    reader = Reader(model, "draw")
    client = api(lambda: reader, "model", "127.0.0.1").test_client()
    times = []
    for number, body in enumerate(drawings() * 10):
        began = time.perf_counter()
        response = client.post("/api/predict?show=input", data=body, headers=HOST)
        times.append(1e3 * (time.perf_counter() - began))
        assert response.status_code == 200, number
    median, high = statistics.median(times), np.quantile(times, 0.99)
    text = f"the server's part takes {median:.2f} ms, p99 {high:.2f}, target 3 ms"
    return verdict("latency", text, median <= 3)


class Server:
    """A server in a process of its own."""

    def __init__(self, command: str, *arguments: str) -> None:
        program = [sys.executable, "-m", "pyneural", command, *arguments, "--port", "0"]
        self.process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        while (found := re.search(r"http://127\.0\.0\.1:(\d+)", line := self.process.stdout.readline())) is None:
            assert line, "the server ended"
        self.port = int(found[1])

    def memory(self) -> float:
        """Resident MiB, on Linux."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * 4096 / 2**20

    def seconds(self) -> float:
        """Processor time so far, on Linux."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


async def customer(port: int, bodies: list[bytes], seconds: float, number: int, times: list[float]) -> int:
    """One client, which keeps its connection; the number of errors."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    errors = 0
    start = time.perf_counter() + number / CLIENTS / EACH_SECOND
    for k in range(int(seconds * EACH_SECOND)):
        await asyncio.sleep(max(0, start + k / EACH_SECOND - time.perf_counter()))
        body = bodies[(number + k) % len(bodies)]
        began = time.perf_counter()
        head = f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", answer)
        await reader.readexactly(int(length[1]) if length else 0)
        times.append(1e3 * (time.perf_counter() - began))
        errors += not answer.startswith(b"HTTP/1.1 200")
    writer.close()
    return errors


def load(_: pn.Model, options: argparse.Namespace) -> bool:
    server = Server("serve", options.model)
    bodies = drawings()

    async def all_of(seconds: float, times: list[float]) -> int:
        return sum(await asyncio.gather(*(customer(server.port, bodies, seconds, i, times) for i in range(CLIENTS))))

    try:
        asyncio.run(all_of(3, []))
        before, busy = server.memory(), server.seconds()
        times: list[float] = []
        errors = asyncio.run(all_of(options.seconds, times))
        grown, each = server.memory() - before, 1e3 * (server.seconds() - busy) / len(times)
    finally:
        server.stop()
    high = float(np.quantile(times, 0.99))
    text = f"{CLIENTS} clients, {len(times):,} drawings in {options.seconds} s: {errors} errors, median "
    text += f"{statistics.median(times):.1f} ms, p99 {high:.1f}, {each:.2f} ms of processor time each, "
    text += f"memory {grown:+.1f} MiB; targets 0, 100 ms, 2 MiB"
    return verdict("load", text, errors == 0 and high <= 100 and grown < 2)


def noise(model: pn.Model, _: argparse.Namespace) -> bool:
    reader = Reader(model, "draw")
    client = api(lambda: reader, "model", "127.0.0.1").test_client()
    generator = np.random.default_rng(0)
    heads = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0")
    statuses: dict[int, int] = {}
    for number in range(10_000):
        body = heads[number % 3] + generator.bytes(int(generator.integers(0, 2000)))
        status = client.post("/api/predict", data=body, headers=HOST).status_code
        statuses[status] = statuses.get(status, 0) + 1
    return verdict("noise", f"10,000 random bodies: {statuses}, target: no 5xx", max(statuses) < 500)


# ---- the browser ---------------------------------------------------------------------------------------------------

WATCH = """() => {
  window.times = [];
  let moved = null;
  canvas.addEventListener('pointermove', (event) => { moved ??= event.timeStamp; }, true);
  new MutationObserver(() => {
    if (moved !== null) { times.push(performance.now() - moved); moved = null; }
  }).observe(bars, { subtree: true, attributes: true, childList: true, characterData: true });
}"""


def browser(_: pn.Model, options: argparse.Namespace) -> bool:
    from playwright.sync_api import sync_playwright

    server = Server("draw", options.model, "--no-browser", "--examples", "/dev/shm/draw_benchmark.npz")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]).new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.get_by_text("95 % interval").wait_for()
        page.evaluate(WATCH)
        box = page.locator("#canvas").bounding_box()
        assert box is not None
        for digit in list(range(10)) * 4:
            for stroke in STROKES[digit]:
                page.mouse.move(box["x"] + stroke[0][0] * box["width"], box["y"] + stroke[0][1] * box["height"])
                page.mouse.down()
                for x, y in stroke[1:]:
                    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
                    page.wait_for_timeout(60)
                page.mouse.up()
            page.keyboard.press("Escape")
        times = page.evaluate("times")
    server.stop()
    median, high = statistics.median(times), float(np.quantile(times, 0.99))
    text = f"{len(times)} movements: the bars follow after {median:.1f} ms, p99 {high:.1f}, targets 30 and 60 ms"
    return verdict("browser", text, median <= 30 and high <= 60)


PARTS = {f.__name__: f for f in (variants, learning, latency, load, noise, browser)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--model", default="digits.safetensors")
    parser.add_argument("--seconds", type=int, default=30, help="of load")
    options = parser.parse_args()
    model = pn.load(options.model)
    named = options.parts or [name for name in PARTS if name != "browser"]
    met = [PARTS[name](model, options) for name in named]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
