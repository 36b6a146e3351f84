"""The page of a report: sound HTML that loads nothing, all names escaped, and its figures those of the report."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import pyneural as pn
from pyneural.card.task import Task
from pyneural.evaluation.report import Report, Reports
from pyneural.evaluation.report_text import tables
from pyneural.plot.explanations import explained_rows
from pyneural.plot.page_content import Content
from pyneural.plot.page_sections import data

VOID = {"meta", "img", "source", "br", "link", "input"}
ALERT = '<script>alert("&\'")</script>'
HOSTILE = f"{ALERT}\u202egnp.exe\x07\udcff.png"  # also marks that turn text around, a bell, and no UTF-8


class Page(HTMLParser):
    """A parsed page: its elements with their attributes, and the text of some."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str]]] = []
        self.tables: list[list[list[str]]] = []
        self.text: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice: {tag} {attrs}"
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.tables[-1][-1][-1] += data.replace("\u00a0", " ")

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def blobs():
    """A small CNN and its training; images with a blob on the left or on the right in two parts; its report on one."""
    generator = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = generator.integers(0, 60, (120, 16, 16, 1), dtype=np.uint8)
    for image, side in zip(x, y, strict=True):
        image[5:10, 2 + 8 * side : 6 + 8 * side] += 150
    y = np.where(np.arange(120) % 20 == 0, 1 - y, y)  # some labels are wrong
    files = [f"/home/somebody/data/{'LR'[i % 2]}/{HOSTILE if i % 20 == 0 else f'{i}.png'}" for i in range(120)]
    names = ("left", "right & <b>wrong</b>")
    both = pn.Dataset(x, y, classes=names, files=files, groups=np.arange(120) // 2, name="blobs")
    model = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.GlobalAvgPool2D(), pn.Dense(2))
    parts = pn.Splits(both.take(np.arange(60)), both.take(np.arange(60, 120)), name="blobs")
    history = pn.fit(model, parts.train, epochs=2, batch_size=8, seed=0, validation=0.3, verbose=0)
    pn.choose_threshold(model, parts.train, youden=True, verbose=0)
    return model, history, parts, pn.evaluate(model, parts.test, verbose=0)


@pytest.fixture(scope="module")
def whole(blobs, tmp_path_factory):
    """The path and the text of a page with all sections."""
    model, history, parts, report = blobs
    path = tmp_path_factory.mktemp("page") / "report.html"
    notes = ["threshold 0.5 (a rule)", f"from {ALERT}"]
    options = {"title": f"Blobs {ALERT}", "notes": notes, "caveats": ["not a medical device"], "command": f"x {ALERT}"}
    made = pn.plot.page(report, path, data=parts, model=model, history=history, date="1 May", **options)
    assert made == path
    return path, path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def many():
    """A report of four classes, without data."""
    generator = np.random.default_rng(1)
    p = generator.dirichlet(np.ones(4), 90).astype(np.float32)
    return Report(Task("classes", 4), p, generator.integers(0, 4, 90), np.ones(90), "numbers", "a note on the data")


def check_sound(text: str) -> Page:
    """Checks what is asked of every page, and returns it parsed."""
    page = Page(text)
    assert not {"script", "iframe", "object", "embed", "form", "link"} & {tag for tag, _ in page.found}
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in page.found:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        for name in ("src", "srcset", "data", "action", "poster"):
            assert attributes.get(name, "data:image/png;base64,").startswith("data:image/png;base64,")
        if "href" in attributes:
            assert attributes["href"].removeprefix("#") in ids
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert "@import" not in text
    for image in page.all("img"):
        assert image["alt"].strip()
        with Image.open(io.BytesIO(base64.b64decode(image["src"].partition(",")[2]))) as picture:
            assert picture.size == (int(image["width"]), int(image["height"]))
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert len(page.all("table")) == len(page.all("caption"))
    assert all(head.get("scope") in ("row", "col") for head in page.all("th"))
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert f"style-src 'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'" in policy
    return page


def test_a_page_is_sound_and_small_and_has_all_sections(whole, blobs):
    path, text = whole
    page = check_sound(text)
    assert path.stat().st_size < 3_000_000
    assert [section["id"] for section in page.all("section")] == [
        "limits", "data", "threshold", "scores", "curves", "mistakes", "heat-maps", "training", "reproduction"
    ]  # fmt: skip
    report = blobs[3]
    maps = 3 * len(explained_rows(report))
    assert len(page.all("img")) == 4 + 1 + min(10, len(report.mistakes)) + maps
    assert len(page.all("source")) == 5  # the plots, for dark screens
    words = " ".join(page.text)
    for one in ("not a medical device", "threshold 0.5 (a rule)", "1 May", blobs[0].fingerprint(), pn.__version__):
        assert one in words
    assert page.text.count(blobs[1].fingerprint) == 1  # it is the model's
    assert "No group is in both the training and the test part." in words


def test_its_colours_are_legible_and_plots_have_the_ground_of_their_frame(whole):
    def light(colour):  # relative luminance, as WCAG 2 defines it
        shares = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    blocks = [dict(re.findall("--([a-z]+): (#[0-9a-f]{6})", block)) for block in re.findall("{([^{}]*)}", whole[1])]
    grounds = [block for block in blocks if "ground" in block]
    assert len(grounds) == 2  # for light and for dark screens
    for block in grounds:
        for ink in ("ink", "quiet", "accent", "bad"):
            for ground in ("ground", "card", "soft"):
                low, high = sorted((light(block[ink]), light(block[ground])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (block, ink, ground)
    page = Page(whole[1])
    plots = page.all("img")[0]["src"], page.all("source")[0]["srcset"]
    for block, source in zip(grounds, plots, strict=True):
        with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as picture:
            assert "#{:02x}{:02x}{:02x}".format(*picture.getpixel((0, 0))) == block["card"]


def test_whatever_is_shown_is_escaped(whole):
    text = whole[1]
    page = Page(text)
    assert "<script" not in text
    assert "<b>" not in text
    words = " ".join(page.text)
    for shown in (f"Blobs {ALERT}", f"from {ALERT}", f"x {ALERT}", "right & <b>wrong</b>"):
        assert shown in words
    name = f"L/{ALERT}\ufffdgnp.exe\ufffd\ufffd.png"
    assert name in page.text
    assert f"The image {name}" in [image["alt"] for image in page.all("img")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "/home/somebody" not in text


def test_its_figures_are_those_of_the_report(whole, blobs):
    page, report = Page(whole[1]), blobs[3]
    scores, confusion, by_class = tables(report)
    assert ["score", *scores.columns[1:]] in [table[0] for table in page.tables]
    for table in (scores, confusion, by_class):
        assert [list(row) for row in table.rows] in [found[1:] for found in page.tables]
    for name in ("accuracy", "sensitivity", "specificity"):
        value = getattr(report, name)
        assert f"{100 * value:.2f} %" in page.text
        assert f"{100 * value.low:.2f} to {100 * value.high:.2f}" in page.text
    parts = next(table for table in page.tables if table[0][0] == "part")
    assert parts[0] == ["part", "examples", "groups", *report.task.names]
    counts = np.bincount(report.labels).tolist()
    assert parts[2] == ["test", "60", "30", *map(str, counts)]
    assert any(f"{len(report.mistakes)} of 60 answers are wrong" in text for text in page.text)
    worst = report.mistakes[0]
    assert f"probability {report.positive[worst]:.4f} of right & <b>wrong</b>" in page.text


def test_groups_in_both_parts_are_counted(blobs):
    _, _, parts, report = blobs
    both = pn.Splits(pn.Dataset(parts.train.x, parts.train.y, groups=parts.test.groups), parts.test)
    assert "30 groups are in both the training and the test part." in data(Content(report, both, both.test))


def test_many_classes_and_no_data_make_a_shorter_page(many, tmp_path):
    text = pn.plot.page(many, tmp_path / "p.html").read_text(encoding="utf-8")
    page = check_sound(text)
    assert [section["id"] for section in page.all("section")] == [
        "limits", "scores", "curves", "mistakes", "reproduction"
    ]  # fmt: skip
    assert not {"fingerprint of the model", "fingerprint at the end of training"} & set(page.text)
    assert "a note on the data" in page.text  # of a sample, it is shown with every result
    worst = next(table for table in page.tables if table[0] == ["example", "actual", "answer", "probability"])
    assert len(worst) == 11
    row = int(many.mistakes[0])
    assert worst[1] == [
        f"example {row}", str(many.labels[row]), str(many.predictions[row]), f"{many.confidence[row]:.4f}"
    ]  # fmt: skip


def test_the_same_arguments_give_the_same_bytes_in_any_style(many, tmp_path):
    before = plt.get_fignums()
    one = pn.plot.page(many, tmp_path / "one.html").read_bytes()
    with plt.style.context(["dark_background", {"font.size": 20, "savefig.dpi": 30}]):
        assert pn.plot.page(many, tmp_path / "two.html").read_bytes() == one
    assert plt.get_fignums() == before


def test_a_report_of_one_class_without_mistakes_and_one_with_nan_have_a_page(tmp_path):
    task = Task("binary", 1)
    report = Report(task, np.full((5, 1), 0.9), np.ones(5, int), np.ones(5), "", "")
    page = check_sound(pn.plot.page(report, tmp_path / "p.html").read_text(encoding="utf-8"))
    assert "There are none." in page.text
    report = Report(task, np.array([[0.2], [np.nan], [0.9]]), np.array([0, 1, 1]), np.ones(3), "", "")
    page = check_sound(pn.plot.page(report, tmp_path / "p.html").read_text(encoding="utf-8"))
    assert "The outputs of 1 examples are NaN." in page.text


def test_large_colour_images_make_a_small_page(tmp_path):
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (24, 160, 170, 3), dtype=np.uint8)
    y = np.arange(24) % 2
    model = pn.Sequential(pn.Conv2D(2, 16, stride=16), pn.GlobalAvgPool2D(), pn.Dense(2))
    pn.fit(model, (x, y), epochs=1, validation=0, verbose=0)
    report = pn.evaluate(model, (x, y), verbose=0)
    path = pn.plot.page(report, tmp_path / "p.html", data=(x, y), model=model)
    page = check_sound(path.read_text(encoding="utf-8"))
    assert len(page.all("img")) == 4 + min(10, len(report.mistakes)) + 3 * 8
    assert path.stat().st_size < 3_000_000


def test_an_ensemble_has_its_models_and_the_training_of_the_first(blobs, tmp_path):
    model, history, parts, _ = blobs
    ensemble = pn.Ensemble([model, model])
    report = pn.evaluate(ensemble, parts.test, verbose=0)
    path = pn.plot.page(report, tmp_path / "p.html", data=parts, model=ensemble, history=history)
    page = check_sound(path.read_text(encoding="utf-8"))
    for shown in (
        f"fingerprint of the first model's training {history.fingerprint}",
        f"fingerprint of the model {ensemble.fingerprint()}",
        "Training of the first model over 2 epochs",
        "models 2, whose probabilities are averaged",
        f"The answer is {report.task.label(1)} from a probability of {ensemble.card.task.threshold:.4g}",
    ):
        assert shown in " ".join(page.text)
    assert "heat-maps" in [section["id"] for section in page.all("section")]


def test_heads_are_shown_one_by_one_without_heat_maps(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 1), dtype=np.uint8)
    y = {"a": np.arange(30) % 2, "b": np.arange(30) % 3}
    start = pn.Input((8, 8, 1))
    flat = pn.Flatten()(start)
    model = pn.Model(start, {"a": pn.Dense(2)(flat), "b": pn.Dense(3)(flat)})
    pn.fit(model, (x, y), epochs=1, validation=0, verbose=0)
    reports = pn.evaluate(model, (x, y), verbose=0)
    text = pn.plot.page(reports["b"], tmp_path / "p.html", data=(x, y["b"]), model=model).read_text(encoding="utf-8")
    assert "heat-maps" not in [section["id"] for section in check_sound(text).all("section")]


def test_what_does_not_fit_is_refused_before_any_work(blobs, many, tmp_path, monkeypatch):
    model, _, parts, report = blobs
    path = tmp_path / "p.html"
    values = Report(Task("values", 1), np.ones((2, 1)), np.zeros((2, 1)), np.ones(2), "", "")
    for kind, words, call in (
        (ValueError, "plot.page: this is a regression", lambda: pn.plot.page(values, path)),
        (ValueError, "plot.page: the report has the heads 'a'", lambda: pn.plot.page(Reports(a=many), path)),
        (TypeError, "plot.page: report is Sequential", lambda: pn.plot.page(model, path)),
        (ValueError, "60 examples, data has 2: give the same", lambda: pn.plot.page(report, path, data=parts.test[:2])),
        (ValueError, "no test part", lambda: pn.plot.page(report, path, data=pn.Splits(parts.train))),
        (TypeError, "history is dict: give the result of pn.fit", lambda: pn.plot.page(many, path, history={})),
        (TypeError, "notes is 'a': give a list of sentences", lambda: pn.plot.page(many, path, notes="a")),
        (TypeError, "title is 3", lambda: pn.plot.page(many, path, title=3)),
        (TypeError, "use path", lambda: pn.plot.page(many, filename=path)),
        (FileNotFoundError, "there is no folder", lambda: pn.plot.page(many, tmp_path / "a" / "p.html")),
        (IsADirectoryError, "plot.page: .* is a folder", lambda: pn.plot.page(many, tmp_path)),
    ):
        with pytest.raises(kind, match=words):
            call()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"plot.page needs matplotlib: run pip install '\.\[plot\]'"):
        pn.plot.page(many, path)
    assert not list(Path(tmp_path).iterdir())
