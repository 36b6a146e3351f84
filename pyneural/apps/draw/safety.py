"""safety.py -- who may ask the server, and what a browser may do with its answers.

The server listens on this computer, where every web page that is open in a browser can send it requests.  So a name
that an attacker's DNS points here (DNS rebinding) is refused by the Host header, and a request from another page by
the Origin header and Sec-Fetch-Site.  Programs send neither of the latter, and may ask.
"""

import ipaddress
import re
from collections.abc import Callable

from flask import Response, request

MOST_BYTES = 10_000_000
"""The largest body of a request."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""They keep browsers to our own files; every answer has them."""
_OTHER_SITES = ("cross-site", "same-site")
_NAME = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{0,5})?")  # of a Host header; RFC 3986
_MOST_SHOWN = 60  # characters


class RefusedError(Exception):
    """A request that is answered with an error: its HTTP status, and a sentence that names the fix."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def too_large(most: int, smaller: str) -> str:
    """The sentence for a body that has more than `most` bytes: send `smaller`, in words."""
    return f"the body has more than {most:,} bytes: send {smaller}"


def guard(host: str) -> Callable[[], None]:
    """A check of each request to a server that listens on `host`, for Flask's before_request.

    Raises (the check):
        RefusedError: the request came under a foreign name, or from another web page.
    """

    def check() -> None:
        name = request.headers.get("Host", "")
        if not _is_ours(name, host):
            shown = name[:_MOST_SHOWN] + "..." * (len(name) > _MOST_SHOWN)
            raise RefusedError(421, f"this server is not '{shown}': open it by the address that it printed")
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin.lower() != f"http://{name.lower()}"
        if request.path.startswith("/api") and request.headers.get("Sec-Fetch-Site", "").lower() in _OTHER_SITES:
            foreign = True
        if foreign:
            raise RefusedError(403, "requests from other web pages are refused: use the page of this server")

    return check


def _is_ours(name: str, host: str) -> bool:
    """Whether a Host header names this server: by an address, or by a name that is ours.

    An attacker's page has a name, since an address cannot be made to point elsewhere.
    """
    found = _NAME.fullmatch(name)
    asked = (found[1] or found[2]).lower() if found else ""
    if asked and asked in ("localhost", host.lower()):
        return True
    try:
        address = ipaddress.ip_address(asked)
    except ValueError:
        return False
    return address.is_loopback or not is_local(host)


def is_local(host: str) -> bool:
    """Whether a server on `host` can be reached from this computer only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def with_headers(response: Response) -> Response:
    """Adds the headers that keep browsers to our own files; for Flask's after_request."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
