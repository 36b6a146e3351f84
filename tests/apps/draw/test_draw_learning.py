"""Digits that users correct: their file, and how the network learns them."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

import child
import numpy as np
import pytest

import pyneural as pn
from pyneural.apps.draw.examples import MOST, Examples
from pyneural.apps.draw.safety import RefusedError

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
import make_european_digits as european


def test_corrected_digits_are_kept_in_a_file_that_mnist_reads(client, sample, tmp_path):
    for digit in sample.test.x[:3]:
        assert client("POST", "/api/examples?label=7", digit.tobytes()).status_code == 201
    listed = client("GET", "/api/examples").get_json()
    assert (listed["file"], listed["most"]) == ("my_digits.npz", MOST)
    assert [one["label"] for one in listed["digits"]] == [7, 7, 7]
    extra = pn.datasets.mnist("sample", extra=tmp_path / "my_digits.npz").train
    np.testing.assert_array_equal(extra.x[-3:], sample.test.x[:3])
    assert extra.y[-3:].tolist() == [7, 7, 7]


def test_a_digit_is_kept_once_and_can_be_deleted(client, sample, tmp_path):
    body = sample.test.x[0].tobytes()
    names = {client("POST", "/api/examples?label=3", body).get_json()["id"] for _ in range(2)}
    assert len(names) == 1
    (name,) = names
    assert client("DELETE", f"/api/examples/{name}").status_code == 204
    assert client("GET", "/api/examples").get_json()["digits"] == []
    assert not (tmp_path / "my_digits.npz").exists()
    assert "no such digit" in client("DELETE", f"/api/examples/{name}").get_json()["error"]


@pytest.mark.parametrize("query", ["", "?label=", "?label=10", "?label=-1", "?label=x", "?label=%D9%A1"])
def test_a_label_that_is_not_a_digit_is_refused(client, sample, query, tmp_path):
    response = client("POST", f"/api/examples{query}", sample.test.x[0].tobytes())
    assert response.status_code == 400
    assert "say which digit it is" in response.get_json()["error"]
    assert not list(tmp_path.iterdir())


def test_the_file_is_capped(tmp_path, sample):
    np.savez(tmp_path / "my.npz", x=sample.train.x[:MOST], y=sample.train.y[:MOST])
    own = Examples(tmp_path / "my.npz")
    with pytest.raises(RefusedError, match="which is the most: delete some first"):
        own.add(sample.test.x[0], 1)
    assert len(own.arrays()[1]) == MOST


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("digits.txt", None, "must end in .npz"),
        ("no/such/folder/my.npz", None, "there is no folder"),
        ("my.npz", b"not an archive", "my.npz"),
    ],
)
def test_a_file_that_does_not_hold_digits_is_refused_at_the_start(tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((ValueError, OSError), match=words):
        Examples(tmp_path / name)


def keep(path: str) -> None:
    """Adds digits for ever."""
    import itertools

    import numpy as np

    from pyneural.apps.draw.examples import Examples

    own = Examples(path)
    print("ready", flush=True)
    for number in itertools.count():
        own.add(np.full((28, 28, 1), number % 251, np.uint8), number // 251 % 10)


def test_a_kill_while_saving_leaves_a_whole_file(tmp_path):
    path = tmp_path / "my.npz"
    kept = 0
    for seed in range(3):
        program = child.start(keep, str(path))
        assert program.stdout.readline() == "ready\n"
        time.sleep(0.1 + random.Random(seed).random() / 20)
        program.send_signal(signal.SIGKILL)
        program.communicate()
        count = len(Examples(path).arrays()[1])
        assert count > kept, f"seed {seed}"
        kept = count


# ---- learning ------------------------------------------------------------------------------------------------------


def crossed_sevens(count: int, seed: int) -> np.ndarray:
    """Sevens with a bar across, uint8 (count, 28, 28, 1)."""
    return european.digits(np.full(count, 7), seed)[..., None]


def test_it_learns_crossed_sevens_without_forgetting_and_can_undo(client, learner):
    old = learner.state.reader.model
    sevens = crossed_sevens(200, seed=1)
    wrong = sevens[pn.predict(old, sevens).argmax(axis=1) != 7]
    assert len(wrong) > 30
    assert "no digits to learn" in client("POST", "/api/learn").get_json()["error"]
    for digit in wrong[:10]:
        client("POST", "/api/examples?label=7", digit.tobytes())
    done = client("POST", "/api/learn").get_json()
    model = learner.state.reader.model
    assert np.mean(pn.predict(model, wrong[10:]).argmax(axis=1) == 7) >= 0.8
    assert (done["digits"], done["right_before"], done["can_undo"]) == (10, 0, True)
    assert done["right_after"] >= 8
    assert done["accuracy_after"]["value"] >= done["accuracy_before"]["value"] - 0.005  # 5 of the sample's 1,000
    assert model.card == old.card
    assert all(layer.trainable for layer in model.layers)
    assert client("POST", "/api/undo").get_json() == {"can_undo": False}
    assert learner.state.reader.model is old
    assert "nothing to undo" in client("POST", "/api/undo").get_json()["error"]


def test_the_european_digits_are_reproducible_and_mnist_reads_them(tmp_path):
    european.main(str(tmp_path / "european.npz"), "30", "0")
    labels = np.arange(30) % 10
    extra = pn.datasets.mnist("sample", extra=tmp_path / "european.npz").train
    np.testing.assert_array_equal(extra.x[-30:, :, :, 0], european.digits(labels, 0))
    np.testing.assert_array_equal(extra.y[-30:], labels)
