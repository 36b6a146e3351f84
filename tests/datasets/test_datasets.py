"""Data sets: IDX files as they come, where they are looked for, the embedded sample, the download."""

import gzip
import hashlib
import http.server
import re
import runpy
import socket
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

import pyneural as pn
from pyneural.datasets import downloads, mnist_files
from pyneural.datasets.idx import parse_idx

ROOT = Path(__file__).resolve().parents[2]
NAMES = list(mnist_files.MNIST_MD5)


def idx(array: np.ndarray) -> bytes:
    kind = {"uint8": 8, "int8": 9, "int16": 11, "int32": 12, "float32": 13, "float64": 14}[array.dtype.name]
    return (
        struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


def digits(n: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(n)
    return generator.integers(0, 256, (n, 28, 28)).astype(np.uint8), (np.arange(n) % 10).astype(np.uint8)


def fill(folder: Path, *, dot=False, zipped=False, counts=(20, 10)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for prefix, n in zip(("train", "t10k"), counts, strict=True):
        for kind, array in zip(("images-idx3", "labels-idx1"), digits(n), strict=True):
            name = f"{prefix}-{kind}-ubyte"
            name = name.replace("-idx", ".idx") if dot else name
            data = idx(array)
            (folder / (name + (".gz" if zipped else ""))).write_bytes(gzip.compress(data) if zipped else data)
    return folder


# ---- IDX


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "int32", "float32", "float64"])
def test_every_kind_of_idx_is_read_natively(dtype):
    array = (np.arange(24).reshape(2, 3, 4) - 5).astype(dtype)
    for data in (idx(array), gzip.compress(idx(array))):
        found = parse_idx(data)
        assert np.array_equal(found, array)
        assert found.dtype == np.dtype(dtype)
        assert found.dtype.isnative


def packed(data: bytes) -> bytes:
    """The gzip file of some bytes, the same at any time: each process of the tests must find the same cases."""
    return gzip.compress(data, mtime=0)


IMAGES = idx(digits(60)[0])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            struct.pack(">4BIII", 0, 0, 8, 3, 60000, 28, 28) + bytes(1000),
            "header promises 47,040,000 bytes, found 1,000: incomplete download",
        ),
        (
            packed(struct.pack(">4BIII", 0, 0, 8, 3, 60000, 28, 28) + bytes(1000)),
            "header promises 47,040,000 bytes, found 1,000: incomplete download",
        ),
        (packed(IMAGES)[:-4], "the end of its gzip stream is missing: incomplete download"),
        (packed(IMAGES)[:9000], "incomplete download"),
        (packed(IMAGES)[:5000] + bytes(100) + packed(IMAGES)[5100:], "gzip stream is damaged"),
        (IMAGES + b"x", "found 47,041: it is damaged, or not an IDX file"),
        (packed(IMAGES + b"x"), "found 47,041: it is damaged, or not an IDX file"),
        (idx(digits(60)[1]), "it contains labels (1 axis), expected images (3 axes): are the files swapped?"),
        (b"<!DOCTYPE html><html>404</html>", "it is a web page, not an IDX file"),
        (b"\0\0", "2 bytes are too few"),
        (b"", "0 bytes are too few"),
        (b"\x89PNG\r\n", "it is not an IDX file: it starts with 89 50 4e 47"),
        (b"\0\0\x08\x03\0\0", "the header needs 16 bytes, found 6"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_named(tmp_path, data, words):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the words are checked below
        pn.read_idx(path, axes=3)
    assert words in str(caught.value)
    assert str(caught.value).startswith("train-images-idx3-ubyte: ")


def test_a_download_cut_at_30_MiB_says_so():
    data = struct.pack(">4BIII", 0, 0, 8, 3, 60000, 28, 28) + bytes(31_457_280)
    with pytest.raises(
        ValueError, match=re.escape("header promises 47,040,000 bytes, found 31,457,280: incomplete download")
    ):
        parse_idx(data)


def test_60_000_mutated_idx_files_do_not_crash():
    plain = idx(digits(2)[0][:, :3, :3].copy())
    small = packed(plain)
    generator, silent = np.random.default_rng(0), []
    for seed in range(60_000):
        changed = bytearray(small if seed % 2 else plain)
        for place in generator.integers(0, min(len(changed), 40), generator.integers(1, 4)):
            changed[place] = generator.integers(256)
        if seed % 8 == 0:
            changed = changed[: generator.integers(len(changed))]
        try:
            parse_idx(bytes(changed), axes=3)
        except ValueError as error:
            silent += [] if str(error) else [seed]
    assert not silent, f"mutations without a sentence (generator seed 0): {silent}"


# ---- where it is looked for


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("dot", [False, True])
@pytest.mark.parametrize("inside", ["", "mnist"])
def test_a_folder_is_read_in_every_spelling(tmp_path, zipped, dot, inside):
    fill(tmp_path / inside, dot=dot, zipped=zipped)
    data = pn.datasets.mnist(tmp_path)
    assert data.train.x.shape == (20, 28, 28, 1)
    assert data.train.x.dtype == np.uint8
    assert data.test.y.dtype == np.int64
    assert np.array_equal(data.test.x[..., 0], digits(10)[0])
    assert data.train.note == ""


def test_the_variable_names_a_folder_or_the_sample(tmp_path, monkeypatch):
    fill(tmp_path / "mnist")
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
    assert len(pn.datasets.mnist().train) == 20
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    assert len(pn.datasets.mnist().train) == 6000
    assert len(pn.datasets.mnist(tmp_path).train) == 20, "a path goes before the variable"


def test_where_the_data_is_not_the_error_names_each_place(tmp_path, monkeypatch):
    for words, call in (
        ("path is", lambda: pn.datasets.mnist(tmp_path)),
        ("PYNEURAL_DATA is", lambda: pn.datasets.mnist()),
    ):
        monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
        with pytest.raises(FileNotFoundError) as caught:
            call()
        text = str(caught.value)
        assert words in text
        assert str(tmp_path / "mnist" / NAMES[0]) in text
        assert str(tmp_path / NAMES[0]) in text
        assert "put the four files into" in text
        assert "sample" in text


def test_files_of_two_sets_do_not_go_together(tmp_path):
    fill(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(digits(19)[1]))
    with pytest.raises(ValueError, match="20 train images but 19 labels"):
        pn.datasets.mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.full(20, 11, np.uint8)))
    with pytest.raises(ValueError, match="the train files are not digits"):
        pn.datasets.mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="has no train-labels-idx1-ubyte"):
        pn.datasets.mnist(tmp_path)


def test_images_and_labels_swapped_are_named(tmp_path):
    fill(tmp_path)
    images, labels = tmp_path / NAMES[0], tmp_path / NAMES[1]
    images.rename(tmp_path / "other")
    labels.rename(images)
    (tmp_path / "other").rename(labels)
    with pytest.raises(ValueError, match="are the files swapped"):
        pn.datasets.mnist(tmp_path)


def test_the_data_in_use_is_what_it_says(mnist, is_sample):
    counts = (6000, 1000) if is_sample else (60_000, 10_000)
    assert (len(mnist.train), len(mnist.test)) == counts
    assert set(mnist.train.y) == set(range(10))
    if not is_sample:
        for part, prefix in ((mnist.train, "train"), (mnist.test, "t10k")):
            data = idx(part.x[..., 0]), idx(part.y.astype(np.uint8))
            for name, found in zip((f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"), data, strict=True):
                assert hashlib.md5(found).hexdigest() == mnist_files.MNIST_MD5[name]


def test_flat_arrays_are_rows_of_784_floats_up_to_1(mnist):
    x, y = mnist.train.arrays(flat=True)
    assert x.shape == (len(mnist.train), 784)
    assert x.dtype == np.float32
    assert (x.min(), x.max()) == (0, 1)
    assert y.shape == (len(mnist.train),)
    assert np.array_equal(x[-1], mnist.train.x[-1].reshape(784) / np.float32(255))


# ---- Fashion-MNIST


def test_fashion_mnist_is_read_like_mnist_and_its_classes_have_names(tmp_path, monkeypatch):
    fill(tmp_path / "fashion_mnist", zipped=True)
    monkeypatch.setenv("PYNEURAL_DATA", str(tmp_path))
    for data in (pn.datasets.fashion_mnist(), pn.datasets.fashion_mnist(tmp_path / "fashion_mnist")):
        assert (data.name, data.train.name, data.train.prepare) == ("fashion_mnist", "fashion_mnist", "")
        assert data.train.classes[0] == "T-shirt/top"
        assert data.test.counts() == dict.fromkeys(mnist_files.CLOTHES, 1)
        assert np.array_equal(data.train.x[..., 0], digits(20)[0])
    with pytest.raises(FileNotFoundError, match=r"mnist: PYNEURAL_DATA is .*the data is not there"):
        pn.datasets.mnist()


def test_fashion_mnist_has_no_sample(tmp_path, monkeypatch):
    monkeypatch.setenv("PYNEURAL_DATA", "sample")
    words = "fashion_mnist: PYNEURAL_DATA is sample, but pyneural comes with samples of mnist and pneumonia_"
    with pytest.raises(FileNotFoundError, match=words):
        pn.datasets.fashion_mnist()
    with pytest.raises(FileNotFoundError, match="fashion_mnist: path is sample, but"):
        pn.datasets.fashion_mnist("sample")
    with pytest.raises(FileNotFoundError) as caught:
        pn.datasets.fashion_mnist(tmp_path)
    assert "sample" not in str(caught.value).replace(str(tmp_path), "")


def test_the_files_of_one_set_are_not_taken_for_the_other(tmp_path, monkeypatch):
    fill(tmp_path)
    labels = idx(digits(20)[1])
    monkeypatch.setattr(mnist_files, "MNIST_MD5", {NAMES[1]: hashlib.md5(labels).hexdigest()})
    with pytest.raises(ValueError, match=r"^fashion_mnist: .* has the files of mnist: give another folder"):
        pn.datasets.fashion_mnist(tmp_path)


# ---- your own digits


@pytest.mark.parametrize("axes", [3, 4])
def test_extra_digits_are_added_to_the_training_part_only(tmp_path, axes):
    x, y = digits(7)
    np.savez(tmp_path / "mine.npz", x=x if axes == 3 else x[..., None], y=y.astype(np.int8), more=[1])
    plain, data = (pn.datasets.mnist(fill(tmp_path), extra=extra) for extra in (None, tmp_path / "mine.npz"))
    assert data.train.x.shape == (27, 28, 28, 1)
    assert data.train.x.dtype == np.uint8
    assert np.array_equal(data.train.x[:20], plain.train.x)
    assert np.array_equal(data.train.x[20:, :, :, 0], x)
    assert data.train.y.dtype == np.int64
    assert data.train.y.tolist() == [*plain.train.y, *y]
    assert np.array_equal(data.test.x, plain.test.x)
    assert data.train.note == "with 7 extra from mine.npz"
    assert "mnist (with 7 extra from mine.npz): 27 x uint8" in repr(data.train)
    assert data.test.note == plain.train.note == ""


def test_extra_digits_are_mentioned_beside_the_sample_and_in_the_progress(tmp_path, capsys):
    x, y = digits(7)
    np.savez_compressed(tmp_path / "mine.npz", x=x, y=y)
    data = pn.datasets.mnist("sample", extra=str(tmp_path / "mine.npz"))
    assert data.train.note == "EMBEDDED SAMPLE: 6,000 of 60,000 · with 7 extra from mine.npz"
    pn.fit(pn.Sequential(pn.Flatten(), pn.Dense(10)), data.train.take(np.arange(-100, 0)), epochs=1, validation=None)
    assert "with 7 extra from mine.npz" in capsys.readouterr().out


def own(path: Path, **arrays) -> Path:
    np.savez(path, **arrays)
    return path


X, Y = digits(7)
NO_PIXELS = np.zeros((0, 28, 28), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, "contains x: it must contain x and y: np.savez(path, x=x, y=y)"),
        ({"arr_0": X, "arr_1": Y}, "contains arr_0, arr_1: it must contain x and y"),
        ({}, "contains no arrays: it must contain x and y"),
        ({"x": X[:, :27], "y": Y}, "x is uint8 (7, 27, 28): give uint8 (n, 28, 28); pn.prepare_digit converts"),
        ({"x": X[0], "y": Y[:1]}, "x is uint8 (28, 28): give uint8 (n, 28, 28)"),
        ({"x": X / 255, "y": Y}, "x is float64 (7, 28, 28): give uint8"),
        ({"x": np.repeat(X[..., None], 3, 3), "y": Y}, "x is uint8 (7, 28, 28, 3): give uint8"),
        ({"x": NO_PIXELS, "y": Y[:0]}, "x is uint8 (0, 28, 28): give"),
        ({"x": X, "y": Y[:6]}, "x has 7 digits, y is (6,): give one label per digit, (7,)"),
        ({"x": X, "y": Y[:, None]}, "x has 7 digits, y is (7, 1): give"),
        ({"x": X, "y": Y + 4}, "the labels run 4..10: give whole numbers from 0 to 9"),
        ({"x": X, "y": Y.astype(int) - 1}, "the labels run -1..5: give"),
        ({"x": X, "y": Y.astype(float)}, "the labels are float64: give"),
        ({"x": X, "y": Y.astype(str)}, "the labels are <U3: give"),
        ({"x": X, "y": Y.astype(object)}, "cannot be read (it contains pickled objects): make it with np.savez"),
    ],
)
def test_invalid_extra_digits_raise_a_clear_error(tmp_path, arrays, words):
    path = own(tmp_path / "mine.npz", **arrays)
    with pytest.raises(ValueError, match=r"^mnist: extra 'mine\.npz'") as caught:
        pn.datasets.mnist(tmp_path / "nowhere", extra=path)  # said before the data is looked for
    assert words in str(caught.value)


def test_an_extra_file_that_is_not_an_npz_raises_a_clear_error(tmp_path):
    whole = own(tmp_path / "whole.npz", x=X, y=Y).read_bytes()
    np.save(tmp_path / "array.npy", X)
    contents = {
        "words": b"x and y",
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "flipped": whole[:3000] + bytes(100) + whole[3100:],
        "pickle": b"\x80\x04N.",
        "npy": (tmp_path / "array.npy").read_bytes(),
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
        with pytest.raises(ValueError, match=f"^mnist: extra '{name}.npz' cannot be read .*: make it with np.savez"):
            pn.datasets.mnist("sample", extra=tmp_path / f"{name}.npz")
    with pytest.raises(FileNotFoundError, match=r"^mnist: extra: there is no file '.*mine\.npz': give an .npz"):
        pn.datasets.mnist("sample", extra=tmp_path / "mine.npz")


def test_3_000_mutated_extra_files_give_a_sentence_or_digits(tmp_path):
    generator, path = np.random.default_rng(0), tmp_path / "mine.npz"
    whole = own(path, x=X, y=Y).read_bytes()
    strange = []
    for seed in range(3000):
        changed = bytearray(whole if seed % 8 else whole[:-30])
        for place in generator.choice([*range(300), *range(len(changed) - 300, len(changed))], 4):
            changed[place] = generator.integers(256)
        path.write_bytes(changed)
        try:
            fine = mnist_files.own_digits(path)[1].shape[1:] == (28, 28, 1)
        except ValueError as error:
            fine = str(error).startswith("mnist: extra 'mine.npz'")
        strange += [] if fine else [seed]
    assert not strange, f"mutations that are neither (generator seed 0): {strange}"


# ---- the embedded sample

SAMPLE_SHA = {  # of the unpacked bytes; zlib versions may pack them differently
    "train-images-idx3-ubyte": "43ad90ba4b66372972c1e7a610cd9d88a171807687724a2b4aaccba900c8b7c0",
    "train-labels-idx1-ubyte": "d8918114e80603a78cbfa121f45c7cc72f278c98d468aafae7ca6b2a21766a26",
    "t10k-images-idx3-ubyte": "aa26fd06c6f0dc7a57ed403d8bcaf3ea14d791d519b42485dc74e3555529ae2e",
    "t10k-labels-idx1-ubyte": "fa06c6a812eba4a202c074c6613cde4aa84007d4bec67f24d56e89e07c0f8fb4",
}


def test_the_sample_is_the_one_that_was_drawn():
    for name, expected in SAMPLE_SHA.items():
        data = gzip.decompress((mnist_files.SAMPLE / "mnist" / f"{name}.gz").read_bytes())
        assert hashlib.sha256(data).hexdigest() == expected
    assert sum(file.stat().st_size for file in (mnist_files.SAMPLE / "mnist").iterdir()) < 1_400_000


def test_the_sample_is_stratified_and_says_that_it_is_one(sample):
    official = np.array([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    assert np.abs(np.bincount(sample.train.y) - official / 10).max() < 1
    assert "EMBEDDED SAMPLE: 6,000 of 60,000" in repr(sample.train)
    assert sample.test.note == "EMBEDDED SAMPLE: 1,000 of 10,000"


def test_the_sample_can_be_drawn_again(mnist, is_sample, sample, tmp_path):
    tool = runpy.run_path(str(ROOT / "tools" / "make_sample.py"))
    for part, prefix in ((mnist.train, "train"), (mnist.test, "t10k")):
        count = tool["PARTS"][prefix]
        if is_sample:  # all of it, then
            assert np.array_equal(tool["draw"](part.y, count, tool["SEED"]), np.arange(count))
        else:
            rows = tool["draw"](part.y, count, tool["SEED"])
            embedded = sample.train if prefix == "train" else sample.test
            assert np.array_equal(part.x[rows], embedded.x)
            assert np.array_equal(part.y[rows], embedded.y)
    assert tool["pack"](b"12345") == tool["pack"](b"12345")


# ---- the download, from a server on this machine


@pytest.fixture
def server():
    """A server whose answers a test sets: path -> (status, bytes), seconds to hang, or "cut" for half of a file."""
    answers: dict[str, tuple[int, bytes] | float | str] = {}
    stop = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer = answers.get(self.path, (404, b"<html>not found</html>"))
            if isinstance(answer, float):
                stop.wait(answer)
                return
            if answer == "cut":
                self.send_response(200)
                self.send_header("Content-Length", "2000")
                self.end_headers()
                self.wfile.write(bytes(1000))
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *arguments):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/", answers
    stop.set()
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """No variable, an empty cache, short patience."""
    monkeypatch.delenv("PYNEURAL_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(downloads, "_PATIENCE", 0.5)
    return tmp_path


def offered(answers, monkeypatch, base: str, prefix: str = "/", of: str = "MNIST") -> None:
    """The server has the four files, and they are the ones wanted."""
    wanted = {}
    for part, n in (("train", 20), ("t10k", 10)):
        for kind, array in zip(("images-idx3", "labels-idx1"), digits(n), strict=True):
            name = f"{part}-{kind}-ubyte"
            answers[f"{prefix}{name}.gz"] = (200, gzip.compress(idx(array)))
            wanted[name] = hashlib.md5(idx(array)).hexdigest()
    monkeypatch.setattr(mnist_files, f"{of}_MD5", wanted)
    monkeypatch.setattr(mnist_files, f"{of}_MIRRORS", (base,))


def test_the_files_are_fetched_once_and_kept(server, nowhere, monkeypatch):
    base, answers = server
    offered(answers, monkeypatch, base)
    first = pn.datasets.mnist()
    answers.clear()
    second = pn.datasets.mnist()
    assert np.array_equal(first.train.x, second.train.x)
    assert first.train.note == ""
    assert not list(nowhere.rglob("*.part"))


def test_a_second_mirror_is_asked(server, nowhere, monkeypatch):
    base, answers = server
    offered(answers, monkeypatch, base, "/two/")
    monkeypatch.setattr(mnist_files, "MNIST_MIRRORS", (base + "one/", base + "two/"))
    assert len(pn.datasets.mnist().train) == 20


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, gzip.compress(idx(digits(21)[0]))), "another file"),
        ((200, gzip.compress(idx(digits(20)[0]))[:3000]), "incomplete download"),
        ((200, b"<html>please log in</html>"), "web page"),
        ((404, b""), "404"),
        (3.0, "timed out"),
        ("cut", "IncompleteRead|Connection broken"),
    ],
    ids=["wrong bytes", "a short file", "a page", "404", "hanging", "cut off"],
)
def test_a_download_that_fails_falls_back_to_the_sample_loudly(server, nowhere, monkeypatch, answer, words):
    base, answers = server
    offered(answers, monkeypatch, base)
    answers[f"/{NAMES[0]}.gz"] = answer
    with pytest.warns(UserWarning, match="this is the EMBEDDED SAMPLE: 6,000") as caught:
        data = pn.datasets.mnist()
    assert re.search(words, str(caught[0].message))
    assert [warning.filename for warning in caught] == [__file__]
    assert "EMBEDDED SAMPLE" in data.train.note
    assert not list(nowhere.rglob("*.part"))


def test_without_a_network_the_sample_is_used_loudly(nowhere, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(mnist_files, "MNIST_MIRRORS", (f"http://127.0.0.1:{unused.getsockname()[1]}/",))
        with pytest.warns(UserWarning, match="the download failed"):
            assert len(pn.datasets.mnist().test) == 1000


def test_fashion_mnist_is_downloaded_from_its_mirrors_or_says_why_not(server, nowhere, monkeypatch):
    base, answers = server
    offered(answers, monkeypatch, base, "/two/", "FASHION")
    monkeypatch.setattr(mnist_files, "FASHION_MIRRORS", (base + "one/", base + "two/"))
    assert len(pn.datasets.fashion_mnist().train) == 20
    assert (nowhere / "cache" / "pyneural" / "fashion_mnist" / NAMES[0]).exists()
    answers.clear()
    assert len(pn.datasets.fashion_mnist().train) == 20
    (nowhere / "cache" / "pyneural" / "fashion_mnist" / NAMES[0]).unlink()
    with pytest.raises(
        OSError, match=r"^fashion_mnist: the download failed \(train-images.*one/: .*two/: .*put the four"
    ):
        pn.datasets.fashion_mnist()


# ---- Dataset


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: pn.Dataset(np.zeros((3, 2)), [0, 1]), ValueError, "x has 3 examples, y is (2,)"),
        (lambda: pn.Dataset(np.zeros(3), [0, 1, 2]), ValueError, "give (n, ...)"),
        (lambda: pn.Dataset(np.zeros((0, 2)), []), ValueError, "it is empty"),
        (lambda: pn.Dataset(np.zeros((2, 2), complex), [0, 1]), TypeError, "x has dtype complex128"),
        (lambda: pn.Dataset(np.zeros((2, 2)), [0, 1], groups=[1]), ValueError, "groups is (1,)"),
        (lambda: pn.Dataset(np.zeros((2, 2)), np.zeros(2, complex)), TypeError, "y has dtype complex128"),
    ],
)
def test_what_a_dataset_refuses(make, error, words):
    with pytest.raises(error) as caught:
        make()
    assert words in str(caught.value)


def test_a_dataset_gives_arrays_and_parts(sample):
    x, y = sample.train.arrays(flat=True)
    assert x.shape == (6000, 784)
    assert (x.min(), x.max()) == (0, 1)
    assert np.array_equal(y, sample.train.y)
    part = sample.train.take([5, 3])
    assert np.array_equal(part.y, sample.train.y[[5, 3]])
    assert part.note == sample.train.note


@pytest.mark.parametrize("kind", [set, frozenset])
def test_names_without_an_order_are_refused(kind):
    """The order of a set of text differs from one run of Python to the next, and label 0 is the first name."""
    with pytest.raises(TypeError, match=rf"^data: classes is a {kind.__name__}, which has no order: give a list"):
        pn.Dataset(np.zeros((3, 2)), [0, 1, 2], classes=kind(("ant", "bee", "cat")))


def test_names_of_classes_may_be_bytes():
    assert pn.Dataset(np.zeros((2, 2)), [0, 1], classes=[b"ant", np.bytes_(b"bee")]).classes == ("ant", "bee")


@pytest.mark.parametrize("part", ["train", "test", "validation"])
def test_splits_refuse_what_is_not_a_dataset(part):
    pair = (np.zeros((2, 2)), [0, 1])
    parts = {"train": pn.Dataset(*pair)} | {part: pair}
    with pytest.raises(TypeError, match=rf"^Splits: {part} is tuple: give a pn\.Dataset, such as pn\.Dataset\(x, y\)"):
        pn.Splits(**parts)


def test_a_file_of_arrays_is_not_taken_for_batches(tmp_path):
    np.savez(tmp_path / "data.npz", x=np.zeros((4, 2)), y=[0, 1, 0, 1])
    with (
        np.load(tmp_path / "data.npz") as found,
        pytest.raises(TypeError, match=r"^fit: data is NpzFile: give a pn.Dataset or a pair of arrays"),
    ):
        pn.fit(pn.Sequential(pn.Dense(2)), found)
