"""The drawing page's server: what it answers, and what it refuses."""

from __future__ import annotations

import base64
import json
import struct
import zlib

import numpy as np
import pytest
from asking import Client, encoded, square

import pyneural as pn
from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.safety import MOST_BYTES
from pyneural.apps.draw.server import api, page

FORM = b'--d74496d6\r\nContent-Disposition: form-data; name="file"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--d74496d6--\r\n'


def answer(response, status: int = 200):
    assert response.status_code == status, response.data
    return response.get_json()


def sentence(response, status: int) -> str:
    """The error in an answer, which has nothing else."""
    found = answer(response, status)
    assert list(found) == ["error"]
    assert "Traceback" not in found["error"]
    assert "\n" not in found["error"]
    return found["error"]


# ---- predicting ----------------------------------------------------------------------------------------------------


def test_it_reads_a_drawing_a_png_and_a_jpeg_as_predict_does(client, reader, sample):
    for digit, label in zip(sample.test.x[:10], sample.test.y[:10].tolist(), strict=True):
        page = 255 - np.pad(np.kron(digit[..., 0], np.ones((6, 6), "uint8")), ((20, 60), (90, 10)))
        for body in (digit.tobytes(), square(digit), encoded(page), encoded(page, "JPEG")):
            found = answer(client("POST", "/api/predict", body))
            assert sum(found["probabilities"]) == pytest.approx(1, abs=1e-5)
            assert found["confidence"] == max(found["probabilities"])
            assert found["label"] == np.argmax(found["probabilities"])
        raw = answer(client("POST", "/api/predict", digit.tobytes()))
        assert raw["label"] == int(pn.classify(reader.model, digit).label)
        assert label in np.argsort(raw["probabilities"])[-3:]


def test_it_shows_what_the_network_saw(client, sample):
    digit = sample.test.x[0]
    found = answer(client("POST", "/api/predict?show=input,heat,features", digit.tobytes()))
    shown = {name: np.frombuffer(base64.b64decode(found[name]["pixels"]), np.uint8) for name in ("input", "features")}
    np.testing.assert_array_equal(shown["input"], digit.ravel())
    assert found["input"]["shape"] == found["heat"]["shape"] == [1, 28, 28]
    assert found["features"]["shape"] == [8, 24, 24]
    assert len(shown["features"]) == 8 * 24 * 24
    assert "show is 'weights'" in sentence(client("POST", "/api/predict?show=weights", digit.tobytes()), 400)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "the body is empty"),
        (b"hello", 415, "neither a PNG or JPEG, nor n x n grey pixels"),
        (b"GIF89a" + bytes(777), 415, "neither a PNG"),
        (FORM, 415, "the body is a form: send the bytes of the image alone, curl --data-binary"),
        (bytes(784), 422, "blank"),
        (bytes([7]), 415, "the body of 1 bytes"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "neither a PNG"),
        (encoded(np.zeros((1, 1), np.uint8)), 422, "blank"),
        (encoded(np.eye(60, dtype=np.uint8) * 255)[:-30], 422, "the PNG is damaged"),
        (encoded(np.eye(60, dtype=np.uint8) * 255, "JPEG")[:300], 422, "the JPEG is damaged"),
        (b"\x89PNG\r\n\x1a\n", 422, "the PNG is damaged"),
        (bytes(MOST_BYTES + 1), 413, "more than 10,000,000 bytes"),
    ],
)
def test_what_is_not_a_digit_is_refused_with_a_sentence(client, body, status, words):
    assert words in sentence(client("POST", "/api/predict", body), status)


def bomb(side: int) -> bytes:
    """A small PNG that claims side x side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [5001, 9000, 30_000, 2_000_000])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(client, side):
    assert "scale it down" in sentence(client("POST", "/api/predict", bomb(side)), 413)


def test_random_bytes_never_break_it(client):
    generator = np.random.default_rng(5)
    heads = [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        encoded(np.eye(40, dtype=np.uint8) * 255)[:60],
        bomb(40)[:50],
    ]
    for number in range(2000):  # benchmarks/draw.py sends 10,000
        body = heads[number % len(heads)] + generator.bytes(int(generator.integers(0, 900)))
        response = client("POST", "/api/predict", body)
        if response.status_code != 200:
            assert response.status_code in (400, 413, 415, 422), f"seed 5, number {number}: {response.data!r}"
            sentence(response, response.status_code)


def test_wrong_methods_and_addresses_are_refused_with_a_sentence(client):
    for method, path in (
        ("GET", "/api/predict"),
        ("PUT", "/api/predict"),
        ("POST", "/api/model"),
        ("GET", "/api/learn"),
    ):
        response = client(method, path)
        assert "does not take this method" in sentence(response, 405)
        assert response.headers["Allow"]
    for path in ("/nothing", "/static/../server.py", "/static/%2e%2e/server.py", "/api/examples/../../etc/passwd"):
        assert client("GET", path).status_code in (404, 405)


def test_a_failure_is_not_shown_to_the_client(client, monkeypatch, sample, caplog):
    monkeypatch.setattr(Reader, "answer", lambda *_: 1 / 0)
    assert sentence(client("POST", "/api/predict", sample.test.x[0].tobytes()), 500).startswith("the server failed")
    assert "ZeroDivisionError" in caplog.text


# ---- who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "localhost:5000", "[::1]:5000", "127.0.0.1", "LOCALHOST"])
def test_this_computer_may_ask(client, host):
    assert client("GET", "/healthz", Host=host).status_code == 200
    assert client("GET", "/", Host=host, Origin=f"http://{host}").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.1.9:5000", "", "[::1", "localhost.evil"]
)
def test_a_foreign_name_is_refused(client, host):
    """DNS rebinding: the attacker's own name leads to this computer."""
    assert "open it by the address" in sentence(client("GET", "/api/model", Host=host), 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "http://localhost:5000"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_another_page_is_refused(client, sample, headers):
    for path in ("/api/predict", "/api/examples?label=1", "/api/learn", "/api/undo"):
        assert "other web pages" in sentence(client("POST", path, sample.test.x[0].tobytes(), **headers), 403)


def test_a_server_for_the_network_takes_any_address_but_no_foreign_name(reader):
    app = api(lambda: reader, "digits.safetensors", "0.0.0.0").test_client()
    for host, status in (("192.168.1.9:5000", 200), ("[fe80::1]:5000", 200), ("localhost", 200), ("evil.example", 421)):
        assert app.get("/healthz", headers={"Host": host}).status_code == status


def test_a_browser_may_load_our_own_files_only(client):
    response = client("GET", "/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = response.get_data(as_text=True)
    assert "http://" not in page
    assert "https://" not in page
    assert "onclick" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count('<script defer src="/static/') == 3
    for name in ("page.js", "server.js", "xray.js", "page.css", "icon.svg"):
        assert client("GET", f"/static/{name}").status_code == 200


# ---- the model -----------------------------------------------------------------------------------------------------


def test_it_says_what_the_model_is(client):
    found = answer(client("GET", "/api/model"))
    assert found["name"] == "digits.safetensors"
    assert found["input_shape"] == [28, 28, 1]
    assert found["classes"] == list("0123456789")
    assert found["trained_on"].startswith("mnist (EMBEDDED SAMPLE")
    accuracy = answer(client("GET", "/api/accuracy"))
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    assert "1,000 test digits of mnist" in accuracy["data"]


def test_every_address_is_in_the_openapi_document(client):
    document = json.loads(client("GET", "/api/openapi.json").data)
    assert document["openapi"].startswith("3.")
    listed = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    rules = {
        (str(rule).replace("<name>", "{id}"), method)
        for rule in client.flask.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if str(rule).startswith(("/api/", "/healthz"))
    }
    assert listed == rules


def test_the_api_serves_other_models_of_images(digit_file, tmp_path):
    generator = np.random.default_rng(0)
    x = generator.integers(0, 255, (40, 12, 10, 3), dtype=np.uint8)
    y = np.arange(40) % 2
    x[y == 1, :6] = 250
    model = pn.Sequential(pn.Flatten(), pn.Dense(1))
    pn.fit(model, pn.Dataset(x, y, classes=("dark", "light")), epochs=5, verbose=0)
    client = api(lambda: Reader(model, "serve"), "m", "127.0.0.1").test_client()
    for image, label in zip(x[:4], ("dark", "light") * 2, strict=True):
        found = client.post("/api/predict", data=encoded(image), headers={"Host": "localhost"}).get_json()
        assert found["label"] == label
        assert found["threshold"] == 0.5
        assert len(found["probabilities"]) == 2
    refused = client.post("/api/predict", data=bytes(784), headers={"Host": "localhost"})
    assert "the model takes 12 x 10 pixels" in sentence(refused, 415)
    assert client.get("/", headers={"Host": "localhost"}).status_code == 404


# ---- X-rays --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def xrays() -> Reader:
    """Reads images as PNEUMONIA that are brighter at the left."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 120, (80, 40, 48, 1), dtype=np.uint8)
    y = np.arange(80) % 2
    x[y == 1, :, :24] += 130
    model = pn.Sequential(pn.Conv2D(4, 3, activation="relu"), pn.GlobalAvgPool2D(), pn.Dense(2))
    data = pn.Dataset(x, y, classes=("NORMAL", "PNEUMONIA"))
    pn.fit(model, data, epochs=40, learning_rate=0.03, verbose=0)
    pn.choose_threshold(model, data, min_sensitivity=0.9, verbose=0)
    pn.record_pixels(model, x)
    return Reader(model, "draw")


@pytest.mark.filterwarnings("ignore:classify. the image is unlike")  # `serve` ignores it, too
def test_an_xray_is_examined(learner, xrays):
    app = page(learner, "digits.safetensors", "127.0.0.1", xrays, "xray.safetensors")
    ask = Client(app.test_client())
    threshold = xrays.model.card.task.threshold
    facts = answer(ask("GET", "/api/xray"))
    assert (facts["available"], facts["classes"], facts["threshold"]) == (True, ["NORMAL", "PNEUMONIA"], threshold)
    image = np.random.default_rng(1).integers(0, 120, (400, 480), dtype=np.uint8)
    ill = image.copy()
    ill[:, :240] += 130
    for pixels, label, side in ((image, "NORMAL", "below"), (ill, "PNEUMONIA", "at or above")):
        found = answer(ask("POST", "/api/xray", encoded(pixels)))
        assert found["label"] == label
        assert (found["probability"] >= threshold) == (label == "PNEUMONIA")
        assert found["verdict"] == f"the probability of PNEUMONIA is {side} the operating point"
        assert "not a medical device" in found["caveat"]
    heat = np.frombuffer(base64.b64decode(found["heat"]["pixels"]), np.uint8).reshape(40, 48)
    assert heat[:, :20].mean() > 2 * heat[:, 28:].mean()
    strange = answer(ask("POST", "/api/xray", encoded(np.zeros((100, 100, 3), np.uint8))))
    assert strange["notes"][0].startswith("the image is unlike the training images: it is darker")
    assert "neither a PNG nor a JPEG" in sentence(ask("POST", "/api/xray", bytes(1920)), 415)
    assert "the body is a form" in sentence(ask("POST", "/api/xray", FORM), 415)


def test_without_a_model_of_xrays_the_command_that_makes_it_is_named(client):
    assert answer(client("GET", "/api/xray")) == {
        "available": False, "command": "pyneural xray", "file": "xray.safetensors"
    }  # fmt: skip
    assert "make one with pyneural xray" in sentence(client("POST", "/api/xray", b"x"), 404)


def test_a_model_of_numbers_is_refused(rings):
    model = pn.Sequential(pn.Dense(3))
    pn.fit(model, rings, epochs=1, verbose=0)
    with pytest.raises(ValueError, match="serve: the model does not take images"):
        Reader(model, "serve")


def test_the_api_serves_ensembles(digit_file, sample):
    model = pn.load(digit_file)
    headers = {"Host": "localhost"}
    answers = []
    for one in (model, pn.Ensemble([model, model])):
        client = api(lambda one=one: Reader(one, "serve"), "m", "127.0.0.1").test_client()
        image = encoded(sample.test.x[0][..., 0])
        answers.append(client.post("/api/predict?show=heat", data=image, headers=headers).get_json())
    assert answers[0] == answers[1]
    known = client.get("/api/model", headers=headers).get_json()
    assert known["parameters"] == 2 * sum(tensor.size for tensor in model.parameters.values())
    assert known["first_maps"] is False
