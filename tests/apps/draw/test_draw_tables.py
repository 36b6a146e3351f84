"""The API for models of tables: JSON rows and CSV text are answered as pn.predict does, and others are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from asking import Client, Running

import pyneural as pn
from pyneural.apps.draw.server import api
from pyneural.apps.draw.starting import draw
from pyneural.apps.draw.tables import MOST_ROWS, RowReader
from pyneural.card.table import Column, Table

ROWS = [
    {"age": 31, "town": "Ulm", "paid": True},
    {"age": None, "town": None, "paid": None},
    {"age": 62.5, "town": "Bonn", "paid": False, "other": "ignored"},
]
TEXT = "paid,other,town,age\nyes,1,Ulm,31\n,2,NA,?\nno,3,Bonn,62.5\n"


def table(n: int) -> Table:
    """Ages, towns and whether somebody paid, some of them missing."""
    generator = np.random.default_rng(0)
    age, town, paid = (
        generator.uniform(20, 80, n),
        generator.integers(-1, 3, n),
        generator.integers(0, 2, n).astype(float),
    )
    age[::9] = paid[::7] = np.nan
    return Table([
        Column("age", "number", age), Column("town", "category", town, ("Bonn", "Köln", "Ulm")),
        Column("paid", "boolean", paid),
    ])  # fmt: skip


def trained(y: np.ndarray, outputs: int, classes: tuple[str, ...] = ()) -> pn.Sequential:
    data = pn.Dataset(table(len(y)), y, classes=classes)
    data.y_names = ("wanted",)
    model = pn.Sequential(pn.Dense(8, "relu"), pn.Dense(outputs))
    pn.fit(model, data, epochs=3, verbose=0)
    return model


@pytest.fixture(scope="module")
def model() -> pn.Sequential:
    """A model of two classes."""
    return trained(np.where(np.arange(120) % 2, "no", "yes"), 2, ("no", "yes"))


def client_of(model: pn.Model) -> Client:
    reader = RowReader(model, "serve")
    return Client(api(lambda: reader, "m.safetensors", "127.0.0.1").test_client())


@pytest.fixture(scope="module")
def client(model: pn.Sequential) -> Client:
    return client_of(model)


def sent(rows: object) -> bytes:
    return json.dumps({"rows": rows}).encode()


def sentence(response, status: int) -> str:
    """The error in an answer, which has nothing else."""
    assert response.status_code == status, response.data
    found = response.get_json()
    assert list(found) == ["error"]
    assert "Traceback" not in found["error"]
    return found["error"]


@pytest.mark.parametrize("body", [sent(ROWS), TEXT.encode(), TEXT.replace(",", ";").encode("utf-16")])
def test_rows_are_answered_as_predict_does(client, model, body):
    response = client("POST", "/api/predict", body)
    found = response.get_json()
    wanted = pn.predict(model, Table([
        Column("age", "number", np.array([31, np.nan, 62.5])),
        Column("town", "category", np.array([1, -1, 0]), ("Bonn", "Ulm")),
        Column("paid", "boolean", np.array([1, np.nan, 0])),
    ]))  # fmt: skip
    assert list(found) == ["predictions"]
    for answer, row in zip(found["predictions"], wanted, strict=True):
        assert answer["probabilities"] == pytest.approx(row.tolist(), abs=1e-6)
        assert answer["label"] == ("no", "yes")[int(row[1] >= 0.5)]
        assert (answer["confidence"], answer["threshold"]) == (max(answer["probabilities"]), 0.5)


def test_words_of_csv_files_are_booleans(client):
    answers = client("POST", "/api/predict", sent(ROWS[::2])).get_json()
    words = [ROWS[0] | {"paid": "Yes"}, ROWS[2] | {"paid": "no"}]
    assert client("POST", "/api/predict", sent(words)).get_json() == answers


def test_values_and_several_labels_have_their_own_answers():
    values = client_of(trained(np.linspace(0, 1, 60), 1))("POST", "/api/predict", sent(ROWS[:1])).get_json()
    assert [list(one) for one in values["predictions"]] == [["values"]]
    several = trained(np.random.default_rng(1).integers(0, 2, (60, 3)), 3, ("fog", "rain", "hail"))
    answer = client_of(several)("POST", "/api/predict", sent(ROWS[:1])).get_json()["predictions"][0]
    assert list(answer) == ["labels", "confidences", "probabilities"]
    assert set(answer["labels"]) <= {"fog", "rain", "hail"}


def test_an_ensemble_of_tables_is_served(model):
    y = np.where(np.arange(120) % 2, "no", "yes")
    other = pn.Sequential(pn.Dense(4, "relu"), pn.Dense(2))
    data = pn.Dataset(table(120)[10:], y[10:])
    data.y_names = ("wanted",)
    pn.fit(other, data, epochs=2, seed=1, verbose=0)
    both = pn.Ensemble([model, other])
    client = client_of(both)
    found = client("POST", "/api/predict", TEXT.encode()).get_json()["predictions"]
    each = [client_of(one)("POST", "/api/predict", TEXT.encode()).get_json()["predictions"] for one in (model, other)]
    for answer, first, second in zip(found, *each, strict=True):
        mean = np.mean([first["probabilities"], second["probabilities"]], axis=0)
        assert answer["probabilities"] == pytest.approx(mean.tolist(), abs=1e-5)
    assert client("GET", "/api/model").get_json()["target"] == ["wanted"]


def test_booleans_in_csv_text_may_be_written_in_several_ways(client):
    words = ["yes", "TRUE", "1", "1.0", "No", "false", "0", "0.0"]
    text = "age,town,paid\n" + "".join(f"31,Ulm,{word}\n" for word in words)
    found = client("POST", "/api/predict", text.encode()).get_json()
    wanted = client("POST", "/api/predict", sent([ROWS[0]] * 4 + [ROWS[0] | {"paid": False}] * 4)).get_json()
    assert found == wanted


def test_categories_that_are_numbers_may_be_written_as_numbers():
    codes = Column("code", "category", np.arange(60) % 2, ("1", "1.5"))
    data = pn.Dataset(Table([codes]), np.arange(60) % 2)
    model = pn.Sequential(pn.Dense(2))
    pn.fit(model, data, epochs=1, verbose=0)
    client = client_of(model)
    wanted = client("POST", "/api/predict", sent([{"code": "1"}, {"code": "1.5"}])).get_json()
    assert "notes" not in wanted
    assert client("POST", "/api/predict", sent([{"code": 1.0}, {"code": 1.5}])).get_json() == wanted
    assert client("POST", "/api/predict", b"code\n1.0\n1.5\n").get_json() == wanted
    assert "give text" in sentence(client("POST", "/api/predict", sent([{"code": 2.5}])), 422)


def test_unknown_categories_are_noted(client):
    found = client("POST", "/api/predict", sent([ROWS[0] | {"town": "Rome"}])).get_json()
    assert len(found["predictions"]) == 1
    assert "town" in found["notes"][0]
    assert "Rome" in found["notes"][0]
    long = client("POST", "/api/predict", sent([ROWS[0] | {"town": "R" * 100_000}])).get_json()
    assert len(long["notes"][0]) < 200


def test_the_model_and_the_document_list_the_columns(client):
    about = client("GET", "/api/model").get_json()
    assert about["columns"] == [
        {"name": "age", "kind": "number"},
        {"name": "town", "kind": "category", "values": ["Bonn", "Köln", "Ulm"]},
        {"name": "paid", "kind": "boolean"},
    ]
    assert (about["target"], about["classes"]) == (["wanted"], ["no", "yes"])
    document = client("GET", "/api/openapi.json").get_json()
    row = document["components"]["schemas"]["row"]
    assert row["properties"] == {
        "age": {"type": ["number", "null"]}, "town": {"type": ["string", "null"]}, "paid": {"type": ["boolean", "null"]}
    }  # fmt: skip
    assert row["required"] == ["age", "town", "paid"]
    listed = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    rules = {
        (str(rule), method)
        for rule in client.flask.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert listed == rules


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "the body is empty: send"),
        (b"  \n", 400, "the body is empty"),
        (b"{", 400, "is not valid JSON"),
        (b"[" * 100_000, 400, "is not valid JSON"),
        (b'{"rows": [' + b'{"a":' * 50_000, 400, "is not valid JSON"),
        (b'{"rows": [{"age": NaN, "town": "Ulm", "paid": true}]}', 400, "NaN is not JSON: give null"),
        (b"[1, 2]", 422, 'the body has no list "rows" of objects'),
        (b'{"rows": {}}', 422, 'the body has no list "rows" of objects'),
        (sent([]), 422, 'the body has no list "rows" of objects'),
        (sent([3]), 422, 'the body has no list "rows" of objects'),
        (sent([{"age": 3, "town": "Ulm"}]), 422, "rows[0] has no 'paid': give all columns, age, town, paid, with null"),
        (sent([ROWS[0], ROWS[0] | {"age": "old"}]), 422, "rows[1]: 'age' is \"old\": give a number, or null if"),
        (sent([ROWS[0] | {"age": True}]), 422, "rows[0]: 'age' is true: give a number"),
        (sent([ROWS[0] | {"age": [1]}]), 422, "rows[0]: 'age' is [1]: give a number"),
        (sent([ROWS[0] | {"paid": 2}]), 422, "rows[0]: 'paid' is 2: give true or false"),
        (sent([ROWS[0] | {"paid": "maybe"}]), 422, "'paid' is \"maybe\": give true or false, \"yes\" or \"no\""),
        (sent([ROWS[0] | {"age": "yes"}]), 422, "rows[0]: 'age' is \"yes\": give a number"),
        (sent([ROWS[0] | {"town": 1.5}]), 422, "rows[0]: 'town' is 1.5: give text"),
        (sent([ROWS[0] | {"town": {}}]), 422, "rows[0]: 'town' is {}: give text"),
        (b'{"rows": [{"age": 1e999, "town": "Ulm", "paid": true}]}', 422, "'age' is beyond the largest number"),
        (sent([ROWS[0] | {"age": 10**400}]), 422, "'age' is beyond the largest number"),
        (sent([ROWS[0] | {"age": 1e300}]), 422, "1e+300"),
        (sent([ROWS[0] | {"age": 1e40}]), 422, "too far from the training data, as 1e+40"),
        (b"age,town,paid\n1e40,Ulm,yes\n", 422, "too far from the training data, as 1e+40"),
        (b"age,town,paid\n3,Ulm,1\n4,Ulm,x\n", 422, "the column 'paid' has 'x' in line 3, and was yes and no"),
        (sent(ROWS[:1] * (MOST_ROWS + 1)), 413, "the body has 10,001 rows, and at most 10,000"),
        (b"a" * 2_000_001, 413, "more than 2,000,000 bytes: send fewer rows"),
        (b"age,town\n3,Ulm\n", 422, "has no column paid"),
        (b"age,town,pay\n3,Ulm,yes\n", 422, "has no column paid"),
        (b"age,town,paid\nold,Ulm,yes\n", 422, "the column 'age' has numbers in 0 rows and text in 1: 'old' in line 2"),
        (b"age,town,paid\n3,Ulm,maybe\n", 422, "maybe"),
        (b"age,town,paid\n", 422, "has column names but no rows"),
        (b"age,town,paid\n1,2\n", 422, "line 2 has 2 cells"),
        (b"\x89PNG\r\n\x1a\n\0", 422, "is a PNG image, not text"),
        (b"\x1f\x8b\x08\0", 422, "is packed with gzip, not text"),
        (b"--x\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\na", 415, "the body is a form"),
    ],
)  # fmt: skip
def test_other_bodies_are_refused_with_a_sentence(client, body, status, words):
    assert words in sentence(client("POST", "/api/predict", body), status)


def test_show_is_for_images(client):
    assert "show is for models of images" in sentence(client("POST", "/api/predict?show=input", sent(ROWS)), 400)


def test_random_bodies_never_break_it(client):
    generator = np.random.default_rng(5)
    pieces = [
        b"age",
        b"town",
        b"paid",
        b",",
        b"\n",
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b'"rows"',
        b"1",
        b"null",
        b"\xff",
        b"\0",
    ]
    for number in range(300):
        start = [b"", b"age,town,paid\n", b'{"rows":[', b'{"rows":[{"age":'][number % 4]
        body = start + b"".join(pieces[i] for i in generator.integers(0, len(pieces), 12))
        response = client("POST", "/api/predict", body)
        assert response.status_code in (200, 400, 415, 422), f"seed 5, number {number}: {response.data!r}"


def test_other_pages_and_names_are_refused(client):
    assert "requests from other web pages" in sentence(
        client("POST", "/api/predict", sent(ROWS), Origin="http://a.b"), 403
    )
    assert "open it by the address" in sentence(client("POST", "/api/predict", sent(ROWS), Host="a.b"), 421)


def test_the_command_serves_a_table(model, tmp_path):
    pn.save(model, tmp_path / "m.safetensors")
    server = Running("serve", "m.safetensors", "--port", "0", folder=tmp_path)
    status, found = server.ask("POST", "/api/predict", TEXT.encode())
    assert (status, len(found["predictions"])) == (200, 3)
    status, found = server.ask("POST", "/api/predict", b"age\n3\n")
    assert (status, list(found)) == (422, ["error"])
    assert server.stop() == "stopped\n"


def test_draw_refuses_a_model_of_a_table(model, tmp_path):
    pn.save(model, tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match=r"draw: the model in m.safetensors takes a table, not drawings: serve it"):
        draw(tmp_path / "m.safetensors")
