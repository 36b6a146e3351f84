"""pyneural export: what is refused, and what a page consists of."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import child
import pytest

import pyneural as pn
from pyneural.apps.draw import web_page
from pyneural.card.preprocessing import Preprocessing
from pyneural.card.task import Task


@pytest.fixture
def with_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the module had been built."""
    monkeypatch.setattr(web_page, "module", lambda: b"\0asm")


def test_a_page_is_one_file_that_asks_no_network(digit_file, tmp_path, with_module):
    path = pn.export(pn.load(digit_file), tmp_path / "page.html", name="</script>my digits")
    page = path.read_text("utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe-inline" not in policy
    for tag, text in (("style", page.split("<style>")[1].split("</style>")[0]), ("script", page.split("<script>")[1])):
        text = text.split(f"</{tag}>")[0]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "{{" not in page
    assert page.count("<script") == page.count("</script") == 7
    for word in ("http:", "fetch(", "tab-xray", "<!--", "/static/", "/api/"):
        assert word not in page.replace("http://www.w3.org", ""), word
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def test_a_model_that_does_not_fit_gets_a_sentence(digit_file, tmp_path, with_module, monkeypatch):
    model = pn.load(digit_file)
    other = pn.Sequential(pn.Dense(2))
    other.build((4,))
    path = tmp_path / "page.html"
    with pytest.raises(ValueError, match="the model does not read digits as pyneural digits trains it"):
        pn.export(other, path)
    with pytest.raises(ValueError, match="the model is an ensemble"):
        pn.export(pn.Ensemble([model, model]), path)
    with pytest.raises(TypeError, match=r"give a pn\.Model"):
        pn.export(str(digit_file), path)
    with pytest.raises(ValueError, match=r"the ending '\.htm': give one of \.html"):
        pn.export(model, tmp_path / "page.htm")
    with pytest.raises(OSError, match="there is no folder"):
        pn.export(model, tmp_path / "no" / "page.html")
    monkeypatch.setattr(web_page, "MOST_WEIGHTS", 1000)
    with pytest.raises(ValueError, match="train a smaller network"):
        pn.export(model, path)
    assert not list(tmp_path.iterdir())


def digits_of(shape: tuple[int, ...], *, kind: str = "classes", dtype: str = "uint8") -> pn.Model:
    """An untrained model with the card of a model of digits."""
    model = pn.Sequential(pn.Flatten(), pn.Dense(10))
    model.build(shape)
    model.card.prepare = "digit"
    model.card.task = Task(kind, 10)
    model.card.preprocessing = Preprocessing("none", dtype)
    return model


def test_only_models_of_what_the_page_draws_and_shows_are_exported(tmp_path, with_module):
    path = tmp_path / "page.html"
    wrong = [
        digits_of((32, 32, 1)), digits_of((28, 28, 3)), digits_of((28, 28, 1), kind="labels"),
        digits_of((28, 28, 1), kind="values"), digits_of((28, 28, 1), dtype="float"),
    ]  # fmt: skip
    for model in wrong:
        with pytest.raises(ValueError, match="does not read digits as pyneural digits trains it"):
            pn.export(model, path)
    assert not path.exists()
    pn.export(digits_of((28, 28, 1)), path)


def test_without_the_module_it_says_how_to_build_it(digit_file, tmp_path, monkeypatch):
    monkeypatch.setattr(web_page, "MODULE", "web/none.wasm")
    with pytest.raises(FileNotFoundError, match="run make web in the checkout"):
        pn.export(pn.load(digit_file), tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def export(model: str, path: str) -> None:
    """The command, with a module that is not one."""
    from pyneural.apps.draw import web_page
    from pyneural.commands.command_line import main

    web_page.module = lambda: b"\0asm"
    assert main(["export", model, path]) == 0


def test_the_command_writes_a_page(digit_file, tmp_path):
    said = child.run(export, str(digit_file), str(tmp_path / "page.html"))
    assert re.fullmatch(r"wrote \S*page\.html, \d\.\d MB: open it in a browser, .*\n", said)
    assert '"name": "digits.safetensors"' in Path(tmp_path / "page.html").read_text("utf-8")
