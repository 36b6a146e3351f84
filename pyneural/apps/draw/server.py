"""server.py -- the routes: the page, and the JSON API for images or for tables."""

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

import pyneural.apps.draw.xray as xray
from pyneural.apps.draw.answers import SHOWS, Reader
from pyneural.apps.draw.examples import Examples
from pyneural.apps.draw.information import of_model
from pyneural.apps.draw.learning import Learner
from pyneural.apps.draw.markup import filled, text_of
from pyneural.apps.draw.safety import RefusedError, guard, too_large, with_headers
from pyneural.apps.draw.tables import RowReader
from pyneural.apps.draw.tables import openapi as with_columns
from pyneural.version import VERSION

_SENTENCES = {
    404: "there is no such address: /api/openapi.json lists all",
    405: "the address does not take this method: /api/openapi.json lists those that it takes",
}


def api(reader: Callable[[], Reader | RowReader], name: str, host: str) -> Flask:
    """The API that predicts, for any model of images, or of a table.

    Args:
        reader: gives the reader that answers now.
        name: the name of the model's file.
        host: the address that the server listens on.
    """
    app = Flask("pyneural.apps.draw", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = reader().most_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.before_request(guard(host))
    app.after_request(with_headers)
    _errors(app, too_large(reader().most_bytes, reader().smaller))

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok", version=VERSION)

    @app.get("/api/model")
    def model() -> Response:
        return jsonify(of_model(reader(), name))

    @app.get("/api/openapi.json")
    def openapi() -> Response:
        return jsonify(_document(reader()))

    @app.post("/api/predict")
    def predict() -> Response:
        return jsonify(reader().answer(request.get_data(cache=False), _shows()))

    return app


def _document(reader: Reader | RowReader) -> dict[str, Any]:
    """The OpenAPI document for the models of images, or for one of a table."""
    tables = isinstance(reader, RowReader)
    name = "openapi_tables.json" if tables else "openapi.json"
    document = json.loads(text_of(f"static/{name}"))
    return with_columns(document, reader.model) if tables else dict(document)


def page(learner: Learner, name: str, host: str, xrays: Reader | None = None, xray_name: str = "") -> Flask:
    """The page for drawing digits, and its API; with a reader of X-rays also that for them."""
    app = api(lambda: learner.state.reader, name, host)
    app.static_folder = "static"
    app.add_url_rule("/static/<path:filename>", "static", app.send_static_file)

    @app.get("/")
    def index() -> str:
        return filled("served", {"version": VERSION})

    _examples(app, learner.examples, lambda: learner.state.reader)
    _xray(app, xrays, xray_name)

    @app.post("/api/learn")
    def learn() -> Response:
        return jsonify(learner.learn() | {"can_undo": learner.can_undo})

    @app.post("/api/undo")
    def undo() -> Response:
        learner.undo()
        return jsonify(can_undo=learner.can_undo)

    @app.get("/api/accuracy")
    def accuracy() -> Response:
        return jsonify(learner.accuracy())

    return app


def _examples(app: Flask, examples: Examples, reader: Callable[[], Reader]) -> None:
    @app.get("/api/examples")
    def listed() -> Response:
        return jsonify(examples.as_json())

    @app.post("/api/examples")
    def add() -> tuple[Response, int]:
        digit, _ = reader().read(request.get_data(cache=False))
        return jsonify(id=examples.add(digit, _label())), 201

    @app.delete("/api/examples/<name>")
    def remove(name: str) -> Response:
        examples.remove(name)
        return Response(status=204)


def _xray(app: Flask, reader: Reader | None, name: str) -> None:
    @app.get("/api/xray")
    def facts() -> Response:
        return jsonify(xray.facts(reader, name))

    @app.post("/api/xray")
    def examine() -> Response:
        if reader is None:
            raise RefusedError(404, f"no X-ray model was found: make one with {xray.COMMAND}, then restart the server")
        return jsonify(xray.examined(reader, request.get_data(cache=False)))


def _shows() -> tuple[str, ...]:
    """What the query asks for: ?show=input,heat."""
    shows = tuple(filter(None, request.args.get("show", "").split(",")))
    for one in shows:
        if one not in SHOWS:
            raise RefusedError(400, f"show is {one[:40]!r}: give some of {', '.join(SHOWS)}, separated by commas")
    return shows


def _label() -> int:
    label = request.args.get("label", "")
    if len(label) != 1 or label not in "0123456789":
        raise RefusedError(400, f"label is {label[:40]!r}: say which digit it is, such as ?label=7")
    return int(label)


def _errors(app: Flask, too_large: str) -> None:
    """Every error is JSON with one sentence."""

    @app.errorhandler(RefusedError)
    def refused(error: RefusedError) -> tuple[Response, int]:
        return jsonify(error=str(error)), error.status

    @app.errorhandler(HTTPException)
    def failed(error: HTTPException) -> Any:
        response = error.get_response()
        sentences = _SENTENCES | {413: too_large}
        response.data = jsonify(error=sentences.get(error.code or 500, str(error.description))).data
        response.content_type = "application/json"
        return response

    @app.errorhandler(Exception)
    def broken(error: Exception) -> tuple[Response, int]:
        app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
        return jsonify(error="the server failed, and printed why: please report it"), 500
