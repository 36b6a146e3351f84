"""Attacks on the drawing page's server: names, origins, images that cost much, slow clients, stops, full disks."""

from __future__ import annotations

import errno
import http.client
import json
import re
import signal
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import child
import numpy as np
import pytest
from asking import Running, encoded
from PIL import Image

import pyneural.apps.draw.examples as examples_module
import pyneural.apps.draw.learning as learning
import pyneural.apps.draw.running as running_module
from pyneural.apps.draw.answers import Reader
from pyneural.apps.draw.learning import Learner
from pyneural.apps.draw.running import listening
from pyneural.apps.draw.server import api


def refusal(response, status: int) -> str:
    assert response.status_code == status, response.data
    return response.get_json()["error"]


# ---- who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example@127.0.0.1", "evil:x@localhost", "127.0.0.1/evil", "localhost?evil", "localhost#evil.example",
        "127.0.0.1:x", "localhost:80:90", "127.0.0.1:5000, evil.example", "[::1]evil", "[::1%25lo]", "localhost.",
        "127.0.0.1.", "127.1", "2130706433", "0.0.0.0:5000", "0", "::1", "[", "[]", "%6c%6fcalhost", "localhost evil",
    ],
)  # fmt: skip
def test_a_host_must_be_an_address_of_this_computer_and_nothing_more(client, host):
    assert "open it by the address" in refusal(client("GET", "/api/model", Host=host), 421)


def test_a_long_host_is_not_repeated_whole(client):
    assert len(refusal(client("GET", "/", Host="evil" * 50_000), 421)) < 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://[::1", "https://127.0.0.1:5000", "file://127.0.0.1:5000", "chrome-extension://127.0.0.1:5000",
        "http://127.0.0.1:5000/", "http://x@127.0.0.1:5000", "http://127.0.0.1", "127.0.0.1:5000", "", "\xff",
    ],
)  # fmt: skip
def test_an_origin_must_be_this_very_server(client, origin):
    assert "other web pages" in refusal(client("POST", "/api/undo", Origin=origin), 403)
    assert client("POST", "/api/undo", Origin="HTTP://127.0.0.1:5000").status_code == 409  # nothing to undo


def test_another_page_is_refused_in_any_spelling(client):
    assert client("GET", "/api/accuracy", Sec_Fetch_Site="Cross-Site").status_code == 403
    preflight = {"Origin": "http://evil.example", "Access_Control_Request_Method": "DELETE"}
    response = client("OPTIONS", "/api/examples/x", **preflight)
    assert response.status_code == 403
    assert not any(name.startswith("Access-Control") for name, _ in response.headers)


# ---- images --------------------------------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, colour: int, *chunks: bytes, depth: int = 8) -> bytes:
    """A black PNG with these chunks."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    rows = zlib.compress(bytes((width * channels * depth // 8 + 1) * height))
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *chunks, chunk(b"IDAT", rows), chunk(b"IEND", b"")])


def page(side: int, kind: str, mode: str = "L", **options) -> bytes:
    """A seven on a page."""
    pixels = np.full((side, side), 255, np.uint8)
    wide = side // 12
    pixels[side // 4 : side // 4 + wide, side // 4 : 3 * side // 4] = 0
    pixels[side // 4 : 3 * side // 4, 3 * side // 4 - wide : 3 * side // 4] = 0
    file = BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


BOMB = zlib.compress(bytes(30_000_000), 9)
JPEG = encoded(np.random.default_rng(0).integers(0, 255, (60, 60, 3), dtype=np.uint8), "JPEG")


@pytest.mark.parametrize(
    "body",
    [
        b"\x89PNG\r\n\x1a\n", png(0, 5, 0), png(60, 60, 5), png(60, 60, 0, depth=3),
        *(png(60, 60, 0, chunk(kind, b"x\0\0" + BOMB)) for kind in (b"iCCP", b"zTXt")),
        png(60, 60, 0, chunk(b"iTXt", b"x\0\1\0\0\0" + BOMB)),
        *(png(60, 60, 2, chunk(kind, b"\1")) for kind in (b"tRNS", b"gAMA", b"cHRM", b"pHYs", b"iCCP", b"acTL")),
        png(60, 60, 0, chunk(b"eXIf", b"\xff" * 50)),
        png(60, 60, 0, chunk(b"acTL", struct.pack(">II", 1 << 31, 0))),
        *(magic + encoded(np.zeros((9, 9), np.uint8), kind) for kind in ("GIF", "TIFF", "WEBP", "EPS", "BMP")
          for magic in (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")),
        JPEG.replace(b"\xff\xc0\x00\x11\x08\x00\x3c", b"\xff\xc0\x00\x11\x08\x00\x00"), JPEG[:180],
    ],
)  # fmt: skip
def test_a_damaged_or_disguised_image_is_refused_without_the_insides_of_the_server(client, body):
    error = refusal(client("POST", "/api/predict", body), 422)
    assert not re.search("object at|0x[0-9a-f]{6}|/|Error", error), error


def test_whatever_pillow_raises_is_the_image_s_fault(client, monkeypatch):
    """Its readers fail in many ways, such as struct.error, KeyError and zlib.error."""
    for error in (struct.error("unpack"), KeyError("x"), zlib.error("x"), IndexError("x"), TypeError("x")):
        monkeypatch.setattr(Image.Image, "load", lambda *_, error=error: (_ for _ in ()).throw(error))
        monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_, error=error: (_ for _ in ()).throw(error))
        assert "the JPEG is damaged" in refusal(client("POST", "/api/predict", JPEG), 422)


@pytest.mark.parametrize("between", [b"", b"\xff\xff\xff", b"garbage\x00\xff\x00", b"\xff\xd0"])
def test_a_jpeg_that_goes_over_its_pixels_hundreds_of_times_is_refused(client, between):
    """Decoding one of 100 kB took 15 s, and ten such clients kept everybody out."""
    usual = page(500, "JPEG", progressive=True)
    last = usual.rindex(b"\xff\xda")
    bomb = usual[:-2] + (between + usual[last:-2]) * 200 + usual[-2:]
    assert "scans: save it again" in refusal(client("POST", "/api/predict", bomb), 413)
    assert client("POST", "/api/predict", usual).status_code == 200
    many = JPEG[:2] + b"\xff\xfe\x00\x02" * 100_000 + JPEG[2:]
    assert "scans: save it again" in refusal(client("POST", "/api/predict", many), 413)


def test_two_images_are_in_memory_at_a_time(reader, monkeypatch):
    """A PNG of 200 kB may need 650 MB until its digit is found; eight at once needed 5 GB."""
    lock, now, most = threading.Lock(), 0, 0
    examine = vars(__import__("pyneural.apps.draw.answers", fromlist=["x"]))["examine_digit"]

    def watched(image):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        found = examine(image)
        with lock:
            now -= 1
        return found

    monkeypatch.setattr("pyneural.apps.draw.answers.examine_digit", watched)
    body = page(200, "PNG")
    threads = [threading.Thread(target=reader.read, args=(body,)) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == 2


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA", "I;16"])
def test_a_large_png_is_reduced_as_a_jpeg_is(reader, mode):
    small, _ = reader.read(page(500, "PNG", mode if mode != "I;16" else "L"))
    if mode == "I;16":
        pixels = np.asarray(Image.open(BytesIO(page(2100, "PNG"))), np.uint16) * 257
        large, _ = reader.read(encoded(pixels))
    else:
        large, _ = reader.read(page(2100, "PNG", mode))
    assert np.abs(small.astype(int) - large).mean() < 4


def test_a_reduced_image_is_still_turned_upright(reader):
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    with Image.open(BytesIO(page(2100, "PNG"))) as image:
        upright, _ = reader.read(encoded(np.asarray(image)[::-1, ::-1]))
    for kind in ("PNG", "JPEG"):
        turned, _ = reader.read(page(2100, kind, exif=exif))
        assert np.abs(upright.astype(int) - turned).mean() < 2


# ---- connections ---------------------------------------------------------------------------------------------------


def slow_server(path: str) -> None:
    """Serves, and gives a request a second to arrive."""
    import pyneural.apps.draw.connections as connections
    from pyneural.apps.draw.starting import serve

    connections.LONGEST = 1
    serve(path, port=0)


def test_a_client_that_sends_a_byte_now_and_then_is_dropped(digit_file):
    """600 of them kept everybody else out for ever."""
    program = child.start(slow_server, str(digit_file))
    try:
        port = int(re.search(r":(\d+) ", program.stdout.readline())[1])
        heads = (b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n", b"G")
        slow = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in heads]
        for one, head in zip(slow, heads, strict=True):
            one.sendall(head)
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for _ in range(8):  # each request on a connection has its own time
            kept.request("GET", "/healthz")
            assert json.loads(kept.getresponse().read())["status"] == "ok"
            time.sleep(0.2)
            for one in slow:
                with suppress(OSError):
                    one.sendall(b"a")
        assert [is_closed(one) for one in slow] == [True] * 3
        kept.close()
        program.send_signal(signal.SIGTERM)
        assert child.finish(program) == "stopped\n"
    finally:
        program.kill()
        program.communicate()


def is_closed(one: socket.socket) -> bool:
    """Whether the server has ended a connection."""
    with one, suppress(ConnectionError):
        return one.recv(10) == b""
    return True


@pytest.fixture(scope="module")
def running(digit_file: Path, tmp_path_factory: pytest.TempPathFactory):
    made = Running("draw", str(digit_file), "--no-browser", "--port", "0", folder=tmp_path_factory.mktemp("here"))
    yield made
    made.process.send_signal(signal.SIGTERM)
    out, err = made.process.communicate(timeout=60)
    assert (out, err, made.process.returncode) == ("stopped\n", "", 0)


HEAD = b"POST /api/predict HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET http://[::1 HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n<script>\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 300_000 + b"\r\n\r\n", 431),
        (HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", 413),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n-2\r\nab\r\n", 400),
        (HEAD + b"Content-Length: 4\r\nConnection: close\r\n\r\n" + bytes(784), 415),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 421),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"GET /static/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"GET /static/..%2fserver.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
    ],
)
def test_what_is_wrong_with_a_request_is_answered_as_all_errors_are(running, sent, status):
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as one:
        one.sendall(sent)
        found = b""
        try:
            while part := one.recv(65536):
                found += part
        except ConnectionResetError:  # it did not read all that was sent
            pass
    head, _, body = found.decode().partition("\r\n\r\n")
    assert re.match(rf"HTTP/1\.[01] {status} ", head), found[:200]
    for header in ("Content-Type: application/json", "X-Content-Type-Options: nosniff", "Content-Security-Policy: "):
        assert header in head
    assert list(json.loads(body)) == ["error"]
    assert not re.search("waitress|werkzeug|flask|python|Server:", found.decode(), re.IGNORECASE)


def test_pipelined_requests_are_answered_in_order(running):
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as one:
        one.sendall(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20
            + b"GET / HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n"
        )
        found = b""
        while part := one.recv(65536):
            found += part
    assert [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", found)] == [200] * 20 + [421]


# ---- addresses and stops -------------------------------------------------------------------------------------------


def test_a_name_with_two_addresses_can_be_listened_on(reader, monkeypatch):
    """localhost is ::1 as well as 127.0.0.1 on most computers, where `--host localhost` failed."""
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]
    monkeypatch.setattr(running_module.socket, "getaddrinfo", lambda *_, **__: both)
    server, channels = listening(api(lambda: reader, "m", "localhost"), "localhost", 0)
    assert int(server.effective_port) > 0
    stop(server, channels)


def stop(server, channels) -> None:
    server.task_dispatcher.shutdown()
    running_module.close_all(channels, ignore_all=True)


def test_busy_ports_leave_no_threads(reader):
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as busy:
        server, channels = listening(api(lambda: reader, "m", "127.0.0.1"), "127.0.0.1", busy.getsockname()[1])
        assert threading.active_count() - before == running_module._THREADS
        stop(server, channels)
    wait_for(lambda: threading.active_count() == before)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ctrl_c_at_the_very_start_stops_cleanly(reader, monkeypatch, capsys):
    monkeypatch.setattr(running_module.webbrowser, "open", lambda _: signal.raise_signal(signal.SIGTERM))
    before = threading.active_count()
    running_module.serve(api(lambda: reader, "m", "127.0.0.1"), "127.0.0.1", 0, what="API", browser=True)
    assert capsys.readouterr().out.endswith("stopped\n")
    wait_for(lambda: threading.active_count() == before)


@pytest.mark.parametrize("host", ["", " ", "nowhere.invalid", "1.2.3.4.5", "http://127.0.0.1"])
def test_what_is_not_an_address_is_reported_with_the_fix(reader, host):
    with pytest.raises(ValueError, match=r"which is not an address: give 127\.0\.0\.1"):
        listening(api(lambda: reader, "m", host), host, 0)


def test_a_server_for_the_network_warns(digit_file, tmp_path):
    server = Running("serve", str(digit_file), "--port", "0", "--host", "0.0.0.0", folder=tmp_path)
    assert server.lines[0].startswith("warning: --host 0.0.0.0 lets everybody in the network use this server")
    assert server.stop() == "stopped\n"


def test_ctrl_c_while_it_learns_stops_cleanly(digit_file, tmp_path, sample):
    server = Running("draw", str(digit_file), "--no-browser", "--port", "0", folder=tmp_path)
    assert server.ask("POST", "/api/examples?label=3", sample.test.x[0].tobytes())[0] == 201
    with socket.create_connection(("127.0.0.1", server.port)) as one:
        one.sendall(b"POST /api/learn HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        time.sleep(0.3)
        assert server.stop() == "stopped\n"
    assert [file.name for file in tmp_path.iterdir()] == ["my_digits.npz"]


# ---- examples and learning -----------------------------------------------------------------------------------------


def test_a_full_disk_is_reported_and_the_file_is_as_it_was(client, sample, tmp_path, monkeypatch):
    assert client("POST", "/api/examples?label=3", sample.test.x[0].tobytes()).status_code == 201
    before = (tmp_path / "my_digits.npz").read_bytes()
    for number, words in ((errno.ENOSPC, "no space left"), (errno.EROFS, "read-only"), (errno.EACCES, "permission")):
        failing = OSError(number, "/secret/path")
        monkeypatch.setattr(examples_module, "write_whole", lambda *_, failing=failing: (_ for _ in ()).throw(failing))
        error = refusal(client("POST", "/api/examples?label=4", sample.test.x[1].tobytes()), 507)
        assert f"my_digits.npz cannot be written ({words}" in error
        assert "/" not in error
        assert str(tmp_path) not in error
    assert (tmp_path / "my_digits.npz").read_bytes() == before
    assert len(client("GET", "/api/examples").get_json()["digits"]) == 1


def test_a_file_that_was_spoilt_meanwhile_is_reported(client, sample, tmp_path):
    (tmp_path / "my_digits.npz").write_bytes(b"PK\x03\x04 spoilt")
    for method, path in (("GET", "/api/examples"), ("POST", "/api/examples?label=1"), ("POST", "/api/learn")):
        error = refusal(client(method, path, sample.test.x[0].tobytes()), 503)
        assert error == "my_digits.npz cannot be read any more: remove or mend it"


def test_each_answer_is_of_the_old_or_the_new_network_while_it_learns(client, learner: Learner, sample):
    images = [digit.tobytes() for digit in sample.test.x[:5]]
    for digit, label in zip(sample.test.x[5:9], (1, 2, 3, 4), strict=True):
        client("POST", f"/api/examples?label={label}", digit.tobytes())
    found: list[tuple[int, str]] = []
    done = threading.Event()

    def watch(first: int) -> None:
        number = first
        while not done.is_set():
            which = number % len(images)
            found.append((which, json.dumps(client("POST", "/api/predict", images[which]).get_json())))
            number += 1

    def answers(reader: Reader) -> list[str]:
        return [json.dumps(reader.answer(image)) for image in images]

    old = answers(learner.state.reader)
    watchers = [threading.Thread(target=watch, args=(first,)) for first in range(3)]
    for one in watchers:
        one.start()
    wait_for(lambda: len(found) > 3)
    assert client("POST", "/api/learn").status_code == 200
    learnt = len(found)
    wait_for(lambda: len(found) > learnt + 3)
    done.set()
    for one in watchers:
        one.join()
    new = answers(learner.state.reader)
    assert all(one != other for one, other in zip(old, new, strict=True))
    assert {answer == new[which] for which, answer in found} == {True, False}
    for which, answer in found:
        assert answer in (old[which], new[which])


def test_the_networks_that_can_be_undone_are_few(learner: Learner, client, sample, monkeypatch):
    monkeypatch.setattr(learning, "_MOST_UNDOS", 2)
    monkeypatch.setattr(learning, "fine_tuned", lambda model, *_, **__: model)
    client("POST", "/api/examples?label=3", sample.test.x[0].tobytes())
    for _ in range(5):
        assert client("POST", "/api/learn").status_code == 200
    assert [client("POST", "/api/undo").status_code for _ in range(3)] == [200, 200, 409]
