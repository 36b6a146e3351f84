"""tables.py -- the JSON API for models of tables: rows as JSON or as CSV, and the model's answers to them."""

import json
import math
from typing import Any, NoReturn

import numpy as np

from pyneural.apps.draw.json_answers import as_json
from pyneural.apps.draw.safety import RefusedError
from pyneural.batching.inputs import finite
from pyneural.card.booleans import meaning
from pyneural.card.cells import decoded
from pyneural.card.classes import in_order, listed
from pyneural.card.rules import Rule
from pyneural.card.table import Column, Table
from pyneural.datasets.csv_known import known_table
from pyneural.datasets.csv_text import examined_bytes
from pyneural.evaluation.facts import tasks_by_head
from pyneural.evaluation.predict import answered, ready
from pyneural.models.ensemble import Ensemble
from pyneural.models.model import Model

MOST_ROWS = 10_000
"""The most rows that one request may have."""
_FORM = 'send {"rows": [{"name": value, ...}, ...]}, with the columns of GET /api/model, or CSV text with their names'
_WANTED = {"number": "a number", "boolean": 'true or false, "yes" or "no", 1 or 0', "category": "text"}


class RowReader:
    """Answers rows of a table with a model; any number of threads may use one.

    Args:
        model: a trained model of a table.
        who: the prefix of messages.

    Raises:
        ValueError: the model does not take a table.
    """

    has_maps = False
    most_bytes = 2_000_000  # of a request's body
    smaller = "fewer rows"

    def __init__(self, model: Model | Ensemble, who: str) -> None:
        if model.card.task is None or model.card.table is None:
            raise ValueError(f"{who}: the model takes neither images nor a table with named columns")
        self.model = model
        self._rules = model.card.table.rules

    def answer(self, body: bytes, shows: tuple[str, ...] = ()) -> dict[str, Any]:
        """The answers to the rows in the body of a request; notes name values that training did not have.

        Raises:
            RefusedError: the body is not rows that the model takes.
        """
        if shows:
            raise RefusedError(400, "show is for models of images, and this one takes a table: leave it out")
        table = self.read(body)
        if len(table) > MOST_ROWS:
            raise RefusedError(413, f"the body has {len(table):,} rows, and at most {MOST_ROWS:,} are answered at once")
        heads, preprocessing = ready(self.model, "predict")
        assert self.model.card.table is not None
        try:
            x, odd = self.model.card.table.encoded(table, "predict")
            values = finite(self.model, x, "predict", preprocessing.kind)
            preprocessing.check_range(values, self.model.dtype, "predict")
        except (ValueError, TypeError) as error:  # a number is too large, or a value is missing and has no median
            raise RefusedError(422, str(error)) from None
        found = answered(self.model, heads, preprocessing, values)
        outputs = found if isinstance(found, dict) else {"": found}
        tasks = tasks_by_head(self.model)
        answers = [as_json(tasks, outputs, row) for row in range(len(table))]
        return {"predictions": answers} | ({"notes": [odd]} if odd else {})

    def read(self, body: bytes) -> Table:
        """The rows in the body of a request.

        Raises:
            RefusedError: they are neither JSON nor CSV, or do not fit the model.
        """
        start = body.lstrip()[:1]
        if not start:
            raise RefusedError(400, f"the body is empty: {_FORM}")
        if body.startswith(b"--") and b"form-data" in body[:500]:
            raise RefusedError(415, "the body is a form: send the file alone, curl --data-binary @rows.csv")
        if start in (b"{", b"["):
            return self._of_json(body)
        try:
            return known_table(examined_bytes("the body", body), {rule.name: rule.kind for rule in self._rules})
        except (ValueError, TypeError) as error:
            raise RefusedError(422, str(error)) from None

    def _of_json(self, body: bytes) -> Table:
        try:
            found = json.loads(body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RefusedError(400, f"the body is not valid JSON ({str(error)[:80]}): {_FORM}") from None
        rows = found.get("rows") if isinstance(found, dict) else None
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            raise RefusedError(422, f'the body has no list "rows" of objects: {_FORM}')
        names = [rule.name for rule in self._rules]
        at, missing = next(((at, name) for at, row in enumerate(rows) for name in names if name not in row), (0, None))
        if missing is not None:
            raise RefusedError(
                422, f"rows[{at}] has no '{missing}': give all columns, {listed(names)}, with null for missing values"
            )
        return Table(_column(rule, [row[rule.name] for row in rows]) for rule in self._rules)


def columns_of(model: Model | Ensemble) -> list[dict[str, Any]]:
    """The columns that a model takes: their names, their kinds, and the values of categories."""
    rules = model.card.table.rules if model.card.table else ()
    return [
        {"name": rule.name, "kind": rule.kind} | ({"values": list(rule.names)} if rule.kind == "category" else {})
        for rule in rules
    ]


def openapi(document: dict[str, Any], model: Model | Ensemble) -> dict[str, Any]:
    """The OpenAPI document, with the columns of the model as the properties of a row."""
    kinds = {"number": "number", "boolean": "boolean", "category": "string"}
    columns = columns_of(model)
    document["components"]["schemas"]["row"] = {
        "type": "object",
        "required": [column["name"] for column in columns],
        "properties": {column["name"]: {"type": [kinds[column["kind"]], "null"]} for column in columns},
    }
    return document


def _column(rule: Rule, values: list[Any]) -> Column:
    """A column of JSON values."""
    if rule.kind == "category":
        words = [_word(rule, at, value) for at, value in enumerate(values)]
        names = in_order(word for word in words if word is not None)
        codes = {name: code for code, name in enumerate(names)}
        return Column(rule.name, "category", np.array([-1 if w is None else codes[w] for w in words]), names)
    return Column(rule.name, rule.kind, np.array([_number(rule, at, value) for at, value in enumerate(values)]))


def _word(rule: Rule, row: int, value: Any) -> str | None:
    if value is None:
        return None
    known = isinstance(value, float) and decoded(value) in rule.names
    if isinstance(value, bool) or not (known or isinstance(value, str | int)):
        _refuse(rule, row, value)
    return decoded(value)


def _number(rule: Rule, row: int, value: Any) -> float:
    if value is None:
        return math.nan
    if rule.kind == "boolean" and isinstance(value, str) and not math.isnan(meaning(value)):
        return meaning(value)
    fits = isinstance(value, bool) or value in (0, 1) if rule.kind == "boolean" else not isinstance(value, bool)
    if not isinstance(value, int | float) or not fits:
        _refuse(rule, row, value)
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if math.isinf(found):
        raise RefusedError(422, f"rows[{row}]: '{rule.name}' is beyond the largest number: correct it, or give null")
    return found


def _refuse(rule: Rule, row: int, value: Any) -> NoReturn:
    shown = json.dumps(value)[:40]
    raise RefusedError(
        422, f"rows[{row}]: '{rule.name}' is {shown}: give {_WANTED[rule.kind]}, or null if it is missing"
    )


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON: give null for a missing value")
