"""connections.py -- how requests arrive: slow clients are dropped, and errors of HTTP are answered as all others."""

import json
import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.task import ErrorTask

from pyneural.apps.draw.safety import HEADERS, MOST_BYTES, too_large

LONGEST = 30
"""Seconds in which a request must have arrived.  Else clients that send a byte now and then keep all connections."""
_SENTENCES = {
    413: too_large(MOST_BYTES, "less"),
    431: "the headers of the request are too large: send fewer cookies and a shorter address",
    500: "the server failed, and printed why: please report it",
}


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:  # of Python, for half an IPv6 address or a length of thousands of digits
            raise ParsingError("Invalid header") from None


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to a request that does not reach the app."""

    def execute(self) -> None:
        error = self.request.error
        sentence = _SENTENCES.get(error.code, f"the request is not valid HTTP: {error.body}")
        body = json.dumps({"error": sentence}).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([("Content-Type", "application/json"), *HEADERS.items()])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Connection(HTTPChannel):  # type: ignore[misc]
    """A client's connection, which ends when a request takes too long to arrive."""

    parser_class = _Parser
    error_task_class = _Refusal
    _began = 0.0  # when the first byte of the present request came

    def received(self, data: bytes) -> Any:
        """Takes what arrived; see waitress."""
        before = self.request
        if before is not None and time.monotonic() - self._began > LONGEST:
            self.will_close = True
            return False
        found = super().received(data)
        if self.request is not before:
            self._began = time.monotonic()
        return found
