"""The exported page in a real browser, opened from disk: it draws, reads, learns and trains, and asks no network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import child
import numpy as np
import pytest
from asking import encoded
from browser import CROSS, STROKES
from needs import CHROMIUM
from pages import DESKTOP, PHONE, Pages
from playwright.sync_api import Browser, Page, expect, sync_playwright
from test_draw_browser import bars, draw

import pyneural as pn

COUNT = 100
LONG = 90_000  # milliseconds: a training, on a crowded machine


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(web_module: Path, digit_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pn.export(pn.load(digit_file), tmp_path_factory.mktemp("page") / "page.html", name="digits.safetensors")


@pytest.fixture
def opened(page_file: Path, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page; at the end, the console must be empty, axe must find nothing, and nothing was asked for."""
    pages = Pages(chromium, page_file.as_uri())

    def open_page(viewport: dict[str, int] = DESKTOP, **options) -> Page:
        page = pages.open(viewport, **options)
        expect(page.locator("#model")).to_contain_text("parameters", timeout=LONG)
        return page

    yield open_page
    pages.close()
    assert pages.said == []
    assert [url for url in pages.urls if url != page_file.as_uri() and not url.startswith("blob:null/")] == []


def native(path: str, folder: str) -> None:
    """Prepares and predicts as the page does."""
    from pathlib import Path

    import numpy as np

    import pyneural as pn

    x = np.fromfile(Path(folder, "x.bin"), np.uint8).reshape(-1, 28, 28, 1)
    prepared = np.stack([pn.examine_digit(image).digit for image in x])
    pn.predict(pn.load(path), prepared).tofile(Path(folder, "native.bin"))


def test_its_probabilities_have_the_bits_of_the_native_engine(opened, digit_file, sample, tmp_path):
    page = opened()
    sample.test.x[:COUNT].tofile(tmp_path / "x.bin")
    child.run(native, str(digit_file), str(tmp_path), PYNEURAL_ISA="baseline")
    found = page.evaluate(
        """async (images) => {
            const found = [];
            for (const pixels of images) {
                const image = { pixels: Uint8Array.from(pixels), height: 28, width: 28, channels: 1 };
                found.push(...(await call("predict", image, [])).probabilities);
            }
            return found;
        }""",
        [image.ravel().tolist() for image in sample.test.x[:COUNT]],
    )
    np.testing.assert_array_equal(np.float32(found), np.fromfile(tmp_path / "native.bin", np.float32))


def test_digits_are_drawn_and_read_and_explained(opened):
    page = opened(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 18, 22)"
    for digit in (2, 7):
        draw(page, STROKES[digit])
        expect(page.locator("#label")).to_have_text(str(digit))
        assert int(np.argmax(bars(page))) == digit
        page.locator("#clear").click()
        expect(page.locator("#label")).to_have_text("?")
    page.locator("#show-heat").check()
    page.locator("#show-features").check()
    draw(page, STROKES[3])
    expect(page.locator("#heat")).to_be_visible()
    expect(page.locator("#features canvas")).to_have_count(8)
    expect(page.locator("#accuracy")).to_contain_text("of the 1,000 test digits of MNIST", timeout=LONG)


def test_a_wrong_answer_is_corrected_learnt_and_undone_and_outlives_the_page(opened):
    page = opened()
    draw(page, STROKES[7])
    page.locator("#choices").get_by_text("1", exact=True).click()
    expect(page.locator("#told")).to_contain_text("Kept as a 1")
    page.reload()
    expect(page.locator("#gallery li")).to_have_count(1)
    page.get_by_label("Delete this 1").click()
    expect(page.locator("#gallery li")).to_have_count(0)
    draw(page, CROSS)
    expect(page.locator("#label")).not_to_have_text("?")
    before = page.locator("#label").inner_text()
    wanted = "4" if before != "4" else "0"
    page.keyboard.press(wanted)
    expect(page.locator("#told")).to_contain_text(f"Kept as a {wanted}")
    page.locator("#learn").click()
    expect(page.locator("#told")).to_contain_text("reads 1 of your 1 right (before: 0)", timeout=LONG)
    draw(page, CROSS)
    expect(page.locator("#label")).to_have_text(wanted)
    page.locator("#unlearn").click()
    expect(page.locator("#label")).to_have_text(before)
    expect(page.locator("#unlearn")).to_be_hidden()


def test_a_network_is_trained_from_nothing_and_draws(opened):
    page = opened(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.locator("#train").click()
    expect(page.locator("#progress")).to_contain_text("Epoch")
    page.locator("#canvas").scroll_into_view_if_needed()
    draw(page, STROKES[2])  # the page answers meanwhile
    expect(page.locator("#label")).to_have_text("2")
    expect(page.locator("#trained")).to_contain_text("right on", timeout=LONG)
    share = float(page.locator("#trained").inner_text().split("right on ")[1].split(" %")[0])
    assert share >= 94
    page.locator("#use").click()
    expect(page.locator("#model")).to_contain_text("101,770 parameters")
    expect(page.locator("#label")).to_have_text("2")
    page.locator("#use").click()
    expect(page.locator("#model")).to_contain_text("digits.safetensors")


def test_a_photograph_is_read_and_what_is_not_a_digit_gets_a_sentence(opened, sample, tmp_path):
    page = opened()
    digit = sample.test.x[np.flatnonzero(sample.test.y == 7)[0]]
    large = np.kron(digit[..., 0], np.ones((50, 50), np.uint8))
    (tmp_path / "seven.jpg").write_bytes(encoded(255 - large, "JPEG"))
    (tmp_path / "blank.png").write_bytes(encoded(np.full((50, 50), 255, np.uint8)))
    (tmp_path / "text.png").write_bytes(b"not an image")
    page.locator("#file").set_input_files(tmp_path / "seven.jpg")
    expect(page.locator("#label")).to_have_text("7")
    page.locator("#file").set_input_files(tmp_path / "blank.png")
    expect(page.locator("#note")).to_contain_text("it is blank, or nothing stands out")
    page.locator("#file").set_input_files(tmp_path / "text.png")
    expect(page.locator("#note")).to_contain_text("not an image that can be shown")


BARRED = {
    "window.Worker = undefined": "lets no worker run",
    "window.Worker = function () { throw new DOMException('blocked', 'SecurityError'); }": "lets no worker run",
    "WebAssembly.validate = () => false": "This browser has no WebAssembly with vectors: use a newer one",
    "delete window.DecompressionStream": "This browser has no DecompressionStream: use a newer one",
}


@pytest.mark.parametrize("script", BARRED)
def test_a_browser_that_cannot_run_it_gets_a_sentence(page_file, chromium, script):
    context = chromium.new_context(viewport=DESKTOP)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(script)
    page.goto(page_file.as_uri())
    expect(page.locator("#note")).to_contain_text(BARRED[script], timeout=LONG)
    draw(page, STROKES[7])
    expect(page.locator("#note")).to_contain_text(BARRED[script])
    context.close()
    assert errors == []


def test_two_open_pages_keep_the_digits_of_both(opened):
    first = opened()
    second = first.context.new_page()
    second.goto(first.url)
    expect(second.locator("#model")).to_contain_text("parameters", timeout=LONG)
    for page, digit in ((first, 1), (second, 2)):
        page.bring_to_front()
        draw(page, STROKES[digit])
        page.keyboard.press(str(digit))
        expect(page.locator("#told")).to_contain_text(f"Kept as a {digit}")
    for page in (first, second):
        expect(page.locator("#gallery li")).to_have_count(2)


def test_what_cannot_be_learnt_gets_a_sentence(opened):
    page = opened()
    none = "{ x: new Uint8Array(0), y: new Uint8Array(0) }"
    failed = ".then(() => 'done', (error) => error.message)"
    assert page.evaluate(f"call('learn', {none}){failed}").startswith("there is nothing to learn")
    assert page.evaluate(f"call('undo'){failed}") == "there is nothing to undo"
    page.locator("#train").click()
    expect(page.locator("#use")).to_be_visible(timeout=LONG)
    page.locator("#use").click()
    assert "does not learn your digits" in page.evaluate(f"call('learn', {none}){failed}")
