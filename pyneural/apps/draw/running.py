"""running.py -- runs the server until Ctrl-C: a free port, the address, the browser."""

import errno
import logging
import signal
import socket
import threading
import warnings
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from waitress.server import create_server
from waitress.wasyncore import close_all

from pyneural.apps.draw.connections import Connection
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
    """Serves the app until Ctrl-C or SIGTERM, and prints its address.

    Args:
        app: the app.
        host: the address to listen on.
        port: the port; a busy one is reported, and the next free one taken.
        what: what the address shows, in a word or two.
        browser: whether to open it in a browser.

    Raises:
        ValueError, OSError: it cannot listen there.
    """
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns whenever a request waits
    server, channels = listening(app, host, port)
    taken = int(server.effective_port)
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    address = f"http://{shown}:{taken}"
    try:
        with _stopped_by_kill(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".* unlike the training images")  # answers say so themselves
            if port not in (0, taken):
                put(f"port {port} is busy: {taken} is taken instead")
            if not is_local(host):
                put(f"warning: --host {host} lets everybody in the network use this server, which has no password")
            put(f"{what}: {address} (Ctrl-C stops)")
            if browser:
                webbrowser.open(address)
            server.run()  # until KeyboardInterrupt, which waitress takes, and then waits 5 seconds for answers
    except KeyboardInterrupt:  # before it ran, or a second one
        server.task_dispatcher.set_thread_count(0)
    finally:
        close_all(channels, ignore_all=True)
    put("stopped")


def listening(app: Flask, host: str, port: int) -> tuple[Any, dict[int, Any]]:
    """The server on the first free port from `port` on, and what it has open."""
    family, address = _resolved(host)
    for candidate in range(port, min(port + (_TRIES if port else 1), 65536)):
        try:
            bound = _bound(family, address, candidate)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise OSError(error.errno, f"{host}:{candidate} cannot be opened: {error.strerror}") from None
        channels: dict[int, Any] = {}
        server = create_server(app, map=channels, sockets=[bound], **_OPTIONS)
        server.channel_class = Connection
        return server, channels
    raise OSError(errno.EADDRINUSE, f"the ports from {port} on are busy: give another, such as --port 8080")


def _resolved(host: str) -> tuple[socket.AddressFamily, str]:
    """The first address of a host, which may be a name."""
    try:
        if not host.strip():
            raise ValueError
        family, _, _, _, place = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except (OSError, ValueError):  # an unknown name, or no name at all
        raise ValueError(
            f"--host is '{host}', which is not an address: give 127.0.0.1, for this computer only, or 0.0.0.0"
        ) from None
    return family, str(place[0])


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the port of a server that was stopped just now
        made.bind((address, port))
    except BaseException:
        made.close()
        raise
    return made


@contextmanager
def _stopped_by_kill() -> Iterator[None]:
    """Lets SIGTERM stop as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
