"""The drawing page in a real browser, as people use it: mouse, touch, keyboard, phone, dark mode, screen reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from asking import Running, encoded
from browser import CROSS, STROKES
from needs import CHROMIUM
from pages import DESKTOP, PHONE, Pages
from playwright.sync_api import Browser, Page, expect, sync_playwright

import pyneural as pn

expect.set_options(timeout=20_000)  # on a crowded machine


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def xray_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two classes of images: bright at the left or not."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 120, (80, 32, 40, 1), dtype=np.uint8)
    y = np.arange(80) % 2
    x[y == 1, :, :20] += 130
    model = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.GlobalAvgPool2D(), pn.Dense(2))
    pn.fit(model, pn.Dataset(x, y, classes=("NORMAL", "PNEUMONIA")), epochs=40, learning_rate=0.03, verbose=0)
    return pn.save(model, tmp_path_factory.mktemp("xray") / "xray.safetensors")


@pytest.fixture(scope="module")
def running(digit_file: Path, xray_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    arguments = ["draw", str(digit_file), "--no-browser", "--port", "0", "--xray", str(xray_file)]
    made = Running(*arguments, folder=tmp_path_factory.mktemp("here"))
    yield made
    made.stop()


@pytest.fixture
def opened(running: Running, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens the page; at the end, the console must be empty and axe must find nothing."""
    address = f"http://127.0.0.1:{running.port}/"
    pages = Pages(chromium, address)

    def open_page(viewport: dict[str, int] = DESKTOP, **options) -> Page:
        page = pages.open(viewport, **options)
        expect(page.locator("#xray-caveat")).to_contain_text("not a medical device")  # the last to be prepared
        return page

    yield open_page
    pages.close()
    refused = "422 (UNPROCESSABLE"  # a line of Chromium, on what is not a digit
    assert [text for text in pages.said if refused not in text] == []
    ours = (address, f"blob:{address}")
    assert [url for url in pages.urls if not url.startswith(ours)] == []


def draw(page: Page, strokes: list[list[tuple[float, float]]]) -> None:
    """Draws with the mouse."""
    box = page.locator("#canvas").bounding_box()
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place)
        page.mouse.up()


def bars(page: Page) -> list[float]:
    """The heights of the ten bars, 0 to 1."""
    return page.eval_on_selector_all("#bars .fill", "fills => fills.map(f => +f.style.getPropertyValue('--share'))")


def test_all_ten_digits_are_drawn_and_read(opened):
    page = opened()
    for digit in range(10):
        draw(page, STROKES[digit])
        expect(page.locator("#label")).to_have_text(str(digit))
        shares = bars(page)
        assert sum(shares) == pytest.approx(1, abs=0.01)
        assert int(np.argmax(shares)) == digit
        page.locator("#clear").click()
        expect(page.locator("#label")).to_have_text("?")
        assert bars(page) == [0] * 10
    expect(page.locator("#accuracy")).to_contain_text("of the 1,000 test digits of mnist", timeout=20_000)


def test_strokes_are_undone_one_by_one(opened):
    page = opened()
    expect(page.locator("#undo")).to_be_disabled()
    draw(page, STROKES[4])
    expect(page.locator("#label")).to_have_text("4")
    page.locator("#undo").click()
    expect(page.locator("#label")).not_to_have_text("4")
    page.keyboard.press("Control+z")
    expect(page.locator("#label")).to_have_text("?")
    expect(page.locator("#hint")).to_be_visible()
    expect(page.locator("#undo")).to_be_disabled()


def test_a_finger_draws_on_a_phone_and_does_not_scroll(opened):
    page = opened(PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    session = page.context.new_cdp_session(page)
    box = page.locator("#canvas").bounding_box()
    for stroke in STROKES[1]:
        for kind, places in (
            ("touchStart", stroke[:1]),
            *(("touchMove", [one]) for one in stroke[1:]),
            ("touchEnd", []),
        ):
            points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in places]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator("#label")).to_have_text("1")
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("canvas.width") == round(2 * box["width"])
    for name in ("#canvas", "#label", "#bars"):  # all of it is seen at once
        part = page.locator(name).bounding_box()
        assert part["y"] + part["height"] <= PHONE["height"], name


def test_a_pen_draws_with_any_pressure(opened):
    page = opened()
    session = page.context.new_cdp_session(page)
    box = page.locator("#canvas").bounding_box()
    page.evaluate("seen = []; canvas.addEventListener('pointermove', e => seen.push([e.pointerType, e.pressure]))")
    for stroke in STROKES[4]:
        for number, (x, y) in enumerate([stroke[0], *stroke, stroke[-1]]):
            kind = "mousePressed" if number == 0 else "mouseReleased" if number == len(stroke) + 1 else "mouseMoved"
            session.send(
                "Input.dispatchMouseEvent",
                {
                    "type": kind, "x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"], "button": "left",
                    "buttons": 1, "clickCount": 1, "pointerType": "pen", "force": 0.1 + 0.1 * (number % 9),
                },
            )  # fmt: skip
    expect(page.locator("#label")).to_have_text("4")
    seen = page.evaluate("seen")
    assert {kind for kind, _ in seen} == {"pen"}
    assert len({pressure for _, pressure in seen}) > 2


def test_a_wrong_answer_is_corrected_learnt_and_undone(opened, running):
    page = opened()
    for _ in range(2):
        draw(page, CROSS)
        page.locator("#choices").get_by_text("4", exact=True).click()
        expect(page.locator("#told")).to_contain_text("Kept as a 4")
        draw(page, STROKES[7])
        page.locator("#choices").get_by_text("1", exact=True).click()
        expect(page.locator("#told")).to_contain_text("Kept as a 1")
        expect(page.locator("#label")).to_have_text("?")
    expect(page.locator("#gallery li")).to_have_count(2)  # each digit is kept once
    assert np.load(running.folder / "my_digits.npz")["y"].tolist() == [4, 1]
    page.get_by_label("Delete this 1").click()
    expect(page.locator("#gallery li")).to_have_count(1)
    draw(page, CROSS)
    expect(page.locator("#label")).not_to_have_text("?")
    before = page.locator("#label").inner_text()
    assert before != "4"
    page.locator("#learn").click()
    expect(page.locator("#told")).to_contain_text("reads 1 of your 1 right (before: 0)", timeout=20_000)
    expect(page.locator("#label")).to_have_text("4")
    page.locator("#unlearn").click()
    expect(page.locator("#label")).to_have_text(before)
    expect(page.locator("#unlearn")).to_be_hidden()
    page.get_by_label("Delete this 4").click()
    expect(page.locator("#gallery li")).to_have_count(0)


def test_the_keyboard_is_enough(opened, tmp_path, sample):
    page = opened()
    file = tmp_path / "seven.png"
    digit = sample.test.x[np.flatnonzero(sample.test.y == 7)[0]]
    file.write_bytes(encoded(255 - np.kron(digit[..., 0], np.ones((6, 6), np.uint8))))
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
    assert {"tab-digits", "canvas", "file", "show-heat", "show-features"} <= set(reached), reached
    page.locator("#file").set_input_files(file)
    expect(page.locator("#label")).to_have_text("7")
    page.keyboard.press("7")
    expect(page.locator("#told")).to_contain_text("Kept as a 7")
    page.get_by_label("Delete this 7").press("Enter")
    expect(page.locator("#gallery li")).to_have_count(0)
    page.locator("#file").set_input_files(file)
    expect(page.locator("#label")).to_have_text("7")
    page.keyboard.press("Escape")
    expect(page.locator("#label")).to_have_text("?")
    page.locator("#tab-digits").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#xray-title")).to_be_visible()


def test_what_mattered_and_the_feature_maps_are_shown_in_the_dark(opened):
    page = opened(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 18, 22)"
    page.locator("#show-heat").check()
    page.locator("#show-features").check()
    draw(page, STROKES[3])
    expect(page.locator("#heat")).to_be_visible()
    expect(page.locator("#features canvas")).to_have_count(8)
    seen = page.evaluate(
        "Math.max(...input.getContext('2d').getImageData(0, 0, 28, 28).data.filter((_, i) => i % 4 == 0))"
    )
    assert seen > 200
    page.locator("#show-heat").uncheck()
    expect(page.locator("#heat")).to_be_hidden()


def test_what_is_not_a_digit_gets_a_sentence(opened, tmp_path):
    page = opened()
    for name, content, words in (
        ("blank.png", encoded(np.full((50, 50), 255, np.uint8)), "blank"),
        ("text.png", b"not an image", "not an image that can be shown"),
    ):
        (tmp_path / name).write_bytes(content)
        page.locator("#file").set_input_files(tmp_path / name)
        expect(page.locator("#note")).to_contain_text(words)
        expect(page.locator("#label")).to_have_text("?")


def test_an_xray_is_examined(opened, tmp_path):
    page = opened()
    page.locator("#tab-xray").click()
    image = np.random.default_rng(1).integers(0, 120, (320, 400), dtype=np.uint8)
    (tmp_path / "normal.png").write_bytes(encoded(image))
    image[:, :200] += 130
    (tmp_path / "ill.jpg").write_bytes(encoded(image, "JPEG"))
    page.locator("#xray-choose").set_input_files(tmp_path / "ill.jpg")
    expect(page.locator("#xray-label")).to_have_text("PNEUMONIA")
    expect(page.locator("#xray-verdict")).to_have_text(
        "The probability of PNEUMONIA is at or above the operating point."
    )
    expect(page.locator("#xray-caveat")).to_contain_text("not a medical device")
    expect(page.locator("#xray-heat")).to_be_visible()
    page.locator("#xray-opacity").fill("20")
    assert page.evaluate("getComputedStyle(document.getElementById('xray-heat')).opacity") == "0.2"
    page.locator("#xray-choose").set_input_files(tmp_path / "normal.png")
    expect(page.locator("#xray-label")).to_have_text("NORMAL")
    expect(page.locator("#xray-threshold")).to_have_text("50.0 %")


def test_a_server_that_has_stopped_is_reported(opened, running, chromium):
    context = chromium.new_context(viewport=DESKTOP)
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{running.port}/")
    page.route("**/api/predict*", lambda route: route.abort())
    draw(page, STROKES[7])
    expect(page.locator("#note")).to_contain_text("The server does not answer")
    context.close()
