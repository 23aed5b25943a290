"""The server as a real process, spoken to in bytes: what no client library would send (protocol.md 4.2, 4.3, 4.25)."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from flask import Flask

from tests.web.conftest import ERROR, USER, Api

Reply = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Wire:
    """Speaks HTTP/1.1 to the server, one connection per call unless one is given."""

    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def say(self, *parts: bytes, pause: float = 0, answers: int = 1, cut: bool = False) -> list[Reply]:
        """Send bytes, with pauses between the parts, and no more when they are ``cut``.

        Returns what is answered until so many answers are there, the server closes, or is silent for a second.
        """
        data = b""
        with self.connect() as client:
            try:
                for number, part in enumerate(parts):
                    time.sleep(pause if number else 0)
                    client.sendall(part)
                if cut:
                    client.shutdown(socket.SHUT_WR)
                client.settimeout(1 if cut or answers > 1 else 20)
                while len(replies(data)) < answers and (more := client.recv(65536)):
                    data += more
            except (ConnectionError, TimeoutError):
                pass
        return replies(data)

    def one(self, *parts: bytes, pause: float = 0) -> Reply:
        (reply,) = self.say(*parts, pause=pause)
        return reply


def replies(data: bytes) -> list[Reply]:
    """The complete answers in what a server sent, each with its length."""
    found: list[Reply] = []
    while b"\r\n\r\n" in data:
        head, _, data = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0))
        if len(data) < length:
            break
        found.append((int(first.split()[1]), headers, data[:length]))
        data = data[length:]
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def wire(app: Flask, database_url: str) -> Iterator[Wire]:
    """The server on the database of the module's application; it must end well."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "scim_server.cli", "serve", "--port", str(port)],
        env=kept | {"SCIM_DATABASE_URL": database_url},
        stdout=subprocess.DEVNULL,
    )
    with process:
        until = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
        yield Wire(port)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0


def request(
    api: Api,
    body: Any = None,
    *lines: str,
    first: str = "POST /scim/v2/Users HTTP/1.1",
    length: Any = ...,
    close: bool = False,
) -> bytes:
    """The bytes of a request with the token; ``length`` is sent instead of the true one."""
    data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    head = [first, "Host: x", f"Authorization: Bearer {api.token}", *lines]
    if body is not None:
        head.append("Content-Type: application/scim+json")
    if length is not None and (body is not None or length is not ...):
        head.append(f"Content-Length: {len(data) if length is ... else length}")
    if close:
        head.append("Connection: close")
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + data


def get(api: Api, path: str = "/Users", *lines: str, version: str = "HTTP/1.1") -> bytes:
    return request(api, None, *lines, first=f"GET /scim/v2{path} {version}")


def person(api: Api, name: str) -> dict[str, Any]:
    return {"schemas": [USER], "userName": api.mail(name)}


def test_answers_name_no_software(api: Api, wire: Wire) -> None:
    """HTP-18: what the process itself adds included; and what never reaches the application has no name at all."""
    for sent, expected in ((get(api), 200), (get(api, "/Nowhere"), 404), (get(api, "/Users/%ff"), 404)):
        status, headers, body = wire.one(sent)
        assert (status, headers["server"]) == (expected, "scim")
        assert not {"x-powered-by", "via"} & set(headers)
        assert not SOFTWARE.search(f"{headers}{body.decode()}")
    for sent, expected in (
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (get(api, "/Users?" + "x" * 70_000), 414),
        (get(api, "/Users", *(f"X-{n}: {n}" for n in range(200))), 431),
    ):
        status, headers, body = wire.one(sent)
        assert status == expected
        assert set(headers) <= {"content-length", "connection", "date"}
        assert body == b""


SOFTWARE = re.compile("werkzeug|flask|python|granian|hyper|gunicorn", re.IGNORECASE)


def test_two_authorization_headers_are_refused(api: Api, wire: Wire) -> None:
    """AUT-12: whichever of them is good."""
    for other in ("Bearer x", f"Bearer {api.token}", "Basic YTpi"):
        assert wire.one(get(api, "/Users", f"Authorization: {other}"))[0] == 401
    anonymous = get(api).replace(b"Authorization", b"Authorization: Bearer x\r\nAuthorization")
    assert wire.one(anonymous)[0] == 401


def test_connection_serves_on_after_an_error_with_an_unread_body(api: Api, wire: Wire) -> None:
    """HTP-20: the rest of the body is never read as a request; the next one is answered, or the connection closed."""
    smuggled = request(api, person(api, "smuggled"))
    for lines, path, status in (
        (("Content-Encoding: gzip",), "/Users", 415),
        (("Accept: text/html",), "/Users", 406),
        ((), "/Nowhere", 404),
        ((), "/Users/1", 405),
    ):
        first = request(api, smuggled * 20, *lines, first=f"POST /scim/v2{path} HTTP/1.1")
        found = wire.say(first, get(api), answers=2)
        assert found[0][0] == status
        assert [reply[0] for reply in found[1:]] in ([200], [])
    anonymous = request(api, smuggled * 20).replace((api.token or "").encode(), b"x", 1)
    assert [reply[0] for reply in wire.say(anonymous, get(api), answers=2)] in ([401, 200], [401])
    large = request(api, b" " * 3_000_000)
    assert [reply[0] for reply in wire.say(large, get(api), answers=2)] in ([413, 200], [413])
    assert api.get("/Users")["totalResults"] == 0


def test_truncated_body_has_no_effect(api: Api, wire: Wire) -> None:
    """ROB-25: the connection ends before the body does."""
    body = orjson.dumps(person(api, "short"))
    for length in (len(body) + 1, len(body) + 5000):
        assert {reply[0] for reply in wire.say(request(api, body, length=length), cut=True)} <= {400}
    assert {reply[0] for reply in wire.say(request(api, body)[:-5], cut=True)} <= {400}
    assert api.get("/Users")["totalResults"] == 0


def test_smuggling_shapes_are_never_executed(api: Api, wire: Wire) -> None:
    """ROB-27: two lengths, a length beside chunks, lengths that are none; nothing hidden in a body is a request."""
    hidden = request(api, person(api, "hidden"))
    chunks = b"0\r\n\r\n" + hidden
    for sent in (
        request(api, chunks, "Transfer-Encoding: chunked", length=len(chunks)),
        request(api, chunks, "Transfer-Encoding: chunked", "Transfer-Encoding: identity", length=len(chunks)),
        request(api, chunks, "Transfer-Encoding: xchunked", length=len(chunks)),
        request(api, chunks, "Transfer-Encoding : chunked", length=len(chunks)),
        request(api, b"{}" + hidden, "Content-Length: 2", length=2 + len(hidden)),
        request(api, b"{}" + hidden, f"Content-Length: {2 + len(hidden)}", length=2),
    ):
        found = wire.say(sent, answers=3)
        assert all(400 <= reply[0] < 500 or reply[0] == 501 for reply in found), found
    for length in ("-1", "+5", "9" * 40, "0x10", "1e3", "", "5 5", "5,5"):
        assert all(400 <= reply[0] < 500 for reply in wire.say(request(api, b"{}   ", length=length), answers=2)), (
            length
        )
    assert api.get("/Users")["totalResults"] == 0


def test_chunked_body_is_read(api: Api, wire: Wire) -> None:
    """ROB-28: in pieces of every size; a chunk that is none is refused."""
    body = orjson.dumps(person(api, "chunked"))
    chunked = "Transfer-Encoding: chunked"
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in (body[:1], body[1:9], body[9:])) + b"0\r\n\r\n"
    assert wire.one(request(api, pieces, chunked, length=None))[0] == 201
    for wrong in (
        b"%x\r\n%s\r\n" % (len(body) - 9, body[:-9]),
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-1\r\n\r\n",
        b"ffffffffffffffffff\r\n{}",
        b"5\r\n{}",
    ):
        assert {reply[0] for reply in wire.say(request(api, wrong, chunked, length=None), cut=True)} <= {400}
    assert api.get("/Users")["totalResults"] == 1


def test_floods_of_headers_are_refused_or_survived(api: Api, wire: Wire) -> None:
    """ROB-29, ROB-21: one of 64 KB, five hundred of them, odd bytes in tokens, a path of 64 KB."""
    for sent in (
        get(api, "/Users", "X-Flood: " + "x" * 65_536),
        get(api, "/Users", *(f"X-{n}: {n}" for n in range(500))),
        get(api, "/Users", "X-Odd: \xff\xfe\x80"),
        get(api, "/Users/" + "x" * 65_000),
        get(api, "/Users?" + "x" * 70_000),
        get(api).replace(b"Bearer ", b"Bearer \xff\xe9"),
        get(api).replace(b"Bearer ", b"Bearer " + b"x" * 65_536),
        get(api).replace(b"Bearer ", b"Bearer a\x00b"),
        get(api).replace(b"Bearer ", b"Bearer a\nb"),
        get(api).replace(b"Bearer ", b"Bearer\r\n folded "),
    ):
        assert {reply[0] for reply in wire.say(sent)} <= {200, 400, 401, 404, 414, 431}
    assert wire.one(get(api))[0] == 200


def test_odd_methods_and_versions_are_refused(api: Api, wire: Wire) -> None:
    """ROB-30: a TRACE repeats nothing that was sent."""
    for first, allowed in (
        ("TRACE /scim/v2/Users HTTP/1.1", {405}),
        ("CONNECT x:443 HTTP/1.1", {400, 404, 405, 501}),
        ("FOO /scim/v2/Users HTTP/1.1", {501}),
        ("get /scim/v2/Users HTTP/1.1", {200, 501}),
        ("GET /scim/v2/Users HTTP/1.0", {200}),
        ("GET /scim/v2/Users HTTP/9.9", {400, 505}),
        ("GET /scim/v2/Users", {400}),
        ("GET  /scim/v2/Users  HTTP/1.1", {400}),
        ("GET scim/v2/Users HTTP/1.1", {400, 404}),
        ("GET http://evil.example/scim/v2/Users HTTP/1.1", {200, 404}),
        ("OPTIONS * HTTP/1.1", {204, 400, 404}),
    ):
        found = wire.say(request(api, None, first=first))
        assert {reply[0] for reply in found} <= allowed, (first, found)
        assert not [body for _, _, body in found if (api.token or "-").encode() in body]
    without = get(api).replace(b"Host: x\r\n", b"")
    assert {reply[0] for reply in wire.say(without)} <= {200, 400}
    assert {reply[0] for reply in wire.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")} <= {400}


def test_slow_body_is_read_and_others_are_served_meanwhile(api: Api, wire: Wire) -> None:
    """ROB-43."""
    sent = request(api, person(api, "slow"))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(wire.one, *(sent[start : start + 60] for start in range(0, len(sent), 60)), pause=0.7)
        served = 0
        while not slow.done():
            begun = time.monotonic()
            assert wire.one(get(api))[0] == 200
            assert time.monotonic() - begun < 2
            served += 1
            time.sleep(0.05)
        assert slow.result()[0] == 201
    assert served > 10


def test_idle_connections_do_not_block_the_server(api: Api, wire: Wire) -> None:
    """ROB-44: 50 that have sent half of a head, or nothing."""
    idle = [wire.connect() for _ in range(50)]
    try:
        for client in idle[::2]:
            client.sendall(b"POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nX-")
        begun = time.monotonic()
        assert wire.one(request(api, person(api, "served")))[0] == 201
        assert time.monotonic() - begun < 5
    finally:
        for client in idle:
            client.close()


def test_one_account_is_served_25_requests_per_second(api: Api, wire: Wire) -> None:
    """CON-13: 75 reads by five clients within three seconds."""
    path = f"/Users/{api.user()['id']}"
    with ThreadPoolExecutor(5) as threads:
        begun = time.monotonic()
        statuses = list(threads.map(lambda _: wire.one(get(api, path))[0], range(75)))
        assert time.monotonic() - begun < 3
    assert statuses == [200] * 75


def test_refusals_on_the_wire_are_scim_errors(api: Api, wire: Wire) -> None:
    """ERR-01: as the process sends them, with a length and the media type."""
    for sent, status in ((get(api, "/Nowhere"), 404), (request(api, b"{"), 400), (request(api, b" " * 2_000_000), 413)):
        found, headers, body = wire.one(sent)
        assert (found, headers["content-type"]) == (status, "application/scim+json")
        assert orjson.loads(body)["schemas"] == [ERROR]
        assert orjson.loads(body)["status"] == str(status)
