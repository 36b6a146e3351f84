"""running.py -- runs the server until Ctrl-C: a free port, the address, the browser."""

import errno
import logging
import warnings
import webbrowser
from typing import Any

from flask import Flask
from waitress.server import create_server
from waitress.wasyncore import close_all

from pyneural.apps.draw.safety import MOST_BYTES, is_local
from pyneural.printing import put

_TRIES = 20  # ports after the one that was asked for
_THREADS = 8
_OPTIONS: dict[str, Any] = {
    "threads": _THREADS,
    "connection_limit": 512,
    "channel_timeout": 20,  # seconds, after which a client that sends nothing more is dropped
    "cleanup_interval": 5,
    "max_request_body_size": 2 * MOST_BYTES,  # up to there the app answers, with a sentence
    "asyncore_use_poll": True,
    "ident": None,
}


def serve(app: Flask, host: str, port: int, *, what: str, browser: bool) -> None:
    """Serves the app until Ctrl-C, and prints its address.

    Args:
        app: the app.
        host: the address to listen on.
        port: the port; a busy one is reported, and the next free one taken.
        what: what the address shows, in a word or two.
        browser: whether to open it in a browser.

    Raises:
        OSError: it cannot listen there.
    """
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns whenever a request waits
    server, channels = listening(app, host, port)
    taken = int(server.effective_port)
    if port not in (0, taken):
        put(f"port {port} is busy: {taken} is taken instead")
    if not is_local(host):
        put(f"warning: --host {host} lets everybody in the network use this server, which has no password")
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host
    address = f"http://{shown}:{taken}"
    put(f"{what}: {address} (Ctrl-C stops)")
    if browser:
        webbrowser.open(address)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* unlike the training images")  # answers say so themselves
            server.run()  # until KeyboardInterrupt, which waitress takes
    finally:
        close_all(channels, ignore_all=True)
    put("stopped")


def listening(app: Flask, host: str, port: int) -> tuple[Any, dict[int, Any]]:
    """The server on the first free port from `port` on, and what it has open."""
    for candidate in range(port, min(port + (_TRIES if port else 1), 65536)):
        channels: dict[int, Any] = {}
        try:
            return create_server(app, map=channels, host=host, port=candidate, **_OPTIONS), channels
        except OSError as error:
            close_all(channels, ignore_all=True)
            if error.errno != errno.EADDRINUSE:
                raise OSError(error.errno, f"draw: {host}:{candidate} cannot be opened: {error.strerror}") from None
    raise OSError(errno.EADDRINUSE, f"draw: the ports from {port} on are busy: give another, such as --port 8080")
