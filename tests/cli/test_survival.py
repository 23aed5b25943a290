"""What clients do to a server, by accident and on purpose: it goes on serving the others (ROB-25 to ROB-30, 43, 44)."""

import re
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from selectors import EVENT_READ, DefaultSelector
from threading import Thread

import pytest

from tests.live import ERROR, SCIM, Answer, Server, check, serving

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")

MEMORY = 400
"""Megabytes that a worker may have at most, whatever happens to it; a third of it are the answers of 900 KB a user."""
IN_TIME = 5.0
"""Seconds in which an ordinary request is answered while others misbehave, on a machine that tests share."""
IDLE = 5
"""Seconds after which the server closes a connection that says nothing."""
TYPE = f"Content-Type: {SCIM}"
NO_USER = b'{"userName":5}'
"""A body that is refused as soon as it is read."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(
    request: pytest.FixtureRequest, make_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One worker on SQLite, two on PostgreSQL."""
    workers = {"sqlite": 1, "postgresql": 2}[request.param]
    with serving(make_url(request.param), tmp_path_factory.mktemp("server"), workers, idle_seconds=IDLE) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Iterator[Server]:
    """The server, which must have survived what the test did to it."""
    users = running.ask("GET", "/Users?count=0").json["totalResults"]
    workers = running.workers()
    yield running
    serves(running)
    assert running.ask("GET", "/Users?count=0").json["totalResults"] == users
    assert running.workers() == workers, running.log()[-2000:]
    assert running.memory() < MEMORY * len(workers)
    assert "Traceback" not in running.log()


def serves(server: Server) -> None:
    """Assert that ordinary requests, with a body and without, are answered in time: two for each worker."""
    for _ in range(4):
        began = time.monotonic()
        assert server.ask("GET", "/Users?count=1").status == 200
        assert server.ask("POST", "/Users", {"userName": 5}).status == 400
        assert time.monotonic() - began < IN_TIME


def parsed(raw: bytes) -> list[Answer]:
    """The answers in what came over a connection."""
    answers = []
    while raw:
        head, _, rest = raw.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        assert re.fullmatch(r"HTTP/1\.[01] \d{3} .*", status), raw[:200]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length", 0))
        answers.append(Answer(int(status.split()[1]), headers, rest[:length]))
        raw = rest[length:]
    return answers


def statuses(raw: bytes) -> list[int]:
    """The statuses of the answers; those of the application are SCIM ones, the others have no body."""
    answers = parsed(raw)
    for answer in answers:
        if answer.is_from_the_application:
            check(answer)
        else:
            assert answer.status in (400, 414, 431)
            assert answer.body == b""
    return [answer.status for answer in answers]


def get(server: Server) -> bytes:
    return server.head("GET", "/Users?count=1", "Connection: close")


def post(server: Server, *lines: str) -> bytes:
    return server.head("POST", "/Users", TYPE, *lines)


# -- many -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def open_files() -> Iterator[None]:
    """Room for two thousand sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4096:
        pytest.skip("the machine allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_connections_are_served(server: Server, open_files: None) -> None:
    """Half of them ask, half of them say nothing; and one more client comes."""
    with ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(1000)]
        asking = clients[::2]
        with DefaultSelector() as selector:
            for client in asking:
                selector.register(client, EVENT_READ)
                client.sendall(get(server))
            answers = answered(selector, len(asking), 60)
        assert Counter(status for raw in answers for status in statuses(raw)) == {200: 500}
        serves(server)


def answered(selector: DefaultSelector, count: int, seconds: float) -> list[bytes]:
    """What each of many connections is answered, up to its end."""
    parts: dict[socket.socket, bytes] = {}
    done: list[bytes] = []
    deadline = time.monotonic() + seconds
    while len(done) < count:
        assert time.monotonic() < deadline, f"{len(done)} of {count}"
        for key, _ in selector.select(1):
            client: socket.socket = key.fileobj
            part = client.recv(65536)
            parts[client] = parts.get(client, b"") + part
            if not part:
                selector.unregister(client)
                done.append(parts[client])
    return done


def test_more_connections_than_a_worker_takes_wait_for_those_that_end(server: Server, open_files: None) -> None:
    """Idle ones fill every place; they are closed after a while, and whoever came later is served."""
    with ExitStack() as stack:
        for _ in range(2600):
            stack.enter_context(server.connect())
        assert server.ask("GET", "/Users", timeout=60).status == 200


# -- slow -------------------------------------------------------------------------------------------------------------


def dribbled(server: Server, data: bytes, seconds: float) -> bytes:
    """Send in forty pieces over some seconds; returns what came back."""
    size = len(data) // 40 + 1
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return server.exchange(*pieces, pause=seconds / len(pieces))


def test_slow_heads_and_slow_bodies_are_read_while_others_are_served(server: Server) -> None:
    """ROB-43: over three seconds each, more of them than there are threads."""
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in NO_USER) + b"0\r\n\r\n"
    requests = [
        get(server),
        post(server, f"Content-Length: {len(NO_USER)}", "Connection: close") + NO_USER,
        post(server, "Transfer-Encoding: chunked", "Connection: close") + chunks,
        server.head("POST", "/Users/.search", TYPE, "Content-Length: 2", "Connection: close") + b"{}",
    ]
    with ThreadPoolExecutor(40) as threads:
        slow = [threads.submit(dribbled, server, one, 3) for one in requests * 10]
        time.sleep(0.5)
        while not all(one.done() for one in slow):
            serves(server)
        assert [statuses(one.result()) for one in slow] == [[200], [400], [400], [200]] * 10


@pytest.mark.parametrize("kind", ["connected", "head", "body", "chunks", "search"])
def test_half_open_connections_do_not_block(server: Server, kind: str) -> None:
    """ROB-44: fifty at once, each of which has stopped somewhere."""
    begun = {
        "connected": b"",
        "head": get(server)[:-10],
        "body": post(server, "Content-Length: 100") + b'{"userName"',
        "chunks": post(server, "Transfer-Encoding: chunked") + b"b\r\n" + b'{"userName"\r\n',
        "search": server.head("POST", "/Users/.search", TYPE, "Content-Length: 100") + b"{",
    }[kind]
    with ExitStack() as stack:
        for _ in range(50):
            client = stack.enter_context(server.connect())
            client.sendall(begun)
        time.sleep(0.3)
        serves(server)


def test_connections_that_say_nothing_are_closed(server: Server) -> None:
    """Before a request, in the midst of its head, and after an answer: they do not take places for ever."""
    began = time.monotonic()
    with server.connect() as silent, server.connect() as slow, server.connect() as idle:
        slow.sendall(get(server)[:-10])
        idle.sendall(server.head("GET", "/Users"))
        assert statuses(b"".join(iter(lambda: silent.recv(65536), b""))) == []
        assert statuses(b"".join(iter(lambda: slow.recv(65536), b""))) == []
        assert statuses(b"".join(iter(lambda: idle.recv(65536), b""))) == [200]
    assert time.monotonic() - began < IDLE * 3


def test_half_sent_bodies_have_no_effect(server: Server) -> None:
    """ROB-25: the connection is closed in the midst of the body, once in order and once by a reset."""
    for framing in ("Content-Length: 100", "Transfer-Encoding: chunked"):
        for _ in range(20):
            with server.connect() as client:
                client.sendall(post(server, framing) + b'40\r\n{"userName":"half"')
            with server.connect() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                client.sendall(post(server, framing) + b'40\r\n{"userName":"half"')


def test_clients_that_do_not_read_their_answers_block_nobody(server: Server) -> None:
    """Answers of some megabytes, asked for again and again on connections that nobody reads."""
    body = {"userName": "long", **dict.fromkeys(("displayName", "title", "nickName", "profileUrl"), "x" * 500)}
    body["photos"] = [{"value": f"https://x.example/{n}/{'x' * 60_000}"} for n in range(15)]
    created = [server.ask("POST", "/Users", body | {"userName": f"long{n}"}).json["id"] for n in range(4)]
    with ExitStack() as stack:
        for _ in range(16):
            client = stack.enter_context(server.connect())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(server.head("GET", "/Users") * 3)
        time.sleep(1)
        serves(server)
        assert server.memory() < MEMORY * len(server.workers())
    for one in created:
        assert server.ask("DELETE", f"/Users/{one}").status == 204


# -- odd --------------------------------------------------------------------------------------------------------------


MALFORMED_CHUNKS = (
    b"zz\r\n{}\r\n0\r\n\r\n",
    b"-1\r\n{}\r\n0\r\n\r\n",
    b"0x2\r\n{}\r\n0\r\n\r\n",
    b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    b"2\r\n{}xx0\r\n\r\n",
    b"2\n{}\n0\n\n",
    b"2;" + b"x" * 70_000 + b"\r\n{}\r\n0\r\n\r\n",
    b"1\r\n{\r\n" * 500 + b"0\r\n\r",
    b"0\r\n" + b"X: y\r\n" * 5_000 + b"\r\n",
    b"2\r\n{}\r\n",
    b"\r\n\r\n",
    b"",
)
LENGTHS = (
    ("Content-Length: 14", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: chunked", "Content-Length: 14"),
    ("Content-Length: 14", "Content-Length: 5"),
    ("Content-Length: 14, 5",),
    ("Content-Length: -1",),
    ("Content-Length: +14",),
    ("Content-Length: 0x0e",),
    ("Content-Length: 14 ", "Content-Length : 5"),
    ("Content-Length: 99999999999999999999999",),
    ("Content-Length: 9223372036854775807",),
    ("Content-Length: 1e1",),
    ("Transfer-Encoding: xchunked",),
    ("Transfer-Encoding: identity",),
    ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding : chunked",),
    ("Transfer-Encoding:\tchunked", "Transfer-Encoding: identity"),
    ("X: y\rTransfer-Encoding: chunked",),
    ("Transfer-Encoding\x00: chunked",),
    (" folded: x", "Content-Length: 14"),
)
GARBAGE = (
    b"\x00" * 1000,
    b"\r\n" * 500,
    b"A" * 100_000,
    b"GET\r\n\r\n",
    b"GET /scim/v2/Users\r\n\r\n",
    b"GET /scim/v2/Users HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET /scim/v2/Users HTTP/1.1\r\n\r\n",
    b"get /scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET  /scim/v2/Users  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /scim/v2/Users\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET \xff\xfe HTTP/1.1\r\nHost: \xff\r\n\r\n",
    b"GET scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://[::1/scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://evil.example/scim/v2/Users HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE /scim/v2/Users HTTP/1.1\r\nHost: x\r\nCookie: secret\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
    b"\x80\x2e\x01\x00\x02" + bytes(40),
    b"SSH-2.0-OpenSSH_9.9\r\n",
    b"*1\r\n$4\r\nPING\r\n",
    b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
)


def exchanged(server: Server, requests: list[bytes]) -> list[list[int]]:
    """The statuses that each of many connections is answered, side by side."""
    with ThreadPoolExecutor(24) as threads:
        return [statuses(raw) for raw in threads.map(lambda one: server.exchange(one, silence=1.5), requests)]


def test_oversized_heads_are_read_or_refused(server: Server) -> None:
    """ROB-29: what the HTTP server itself refuses is bare (414, 431); whatever reaches the application is a SCIM answer."""
    long = "x" * 65_536
    assert statuses(server.exchange(server.head("GET", "/Users", f"X-Long: {long}", "Connection: close"))) == [200]
    assert statuses(server.exchange(server.head("GET", "/Users", f"If-Match: {long}", "Connection: close"))) == [200]
    assert statuses(server.exchange(server.head("GET", f"/Users?filter={long[:60_000]}", "Connection: close"))) == [400]
    assert statuses(server.exchange(server.head("GET", f"/Users/{long[:60_000]}", "Connection: close"))) == [404]
    many = [f"X-{n}: {n}" for n in range(500)]
    assert statuses(server.exchange(server.head("GET", "/Users", *many, "Connection: close"))) == [431]
    assert statuses(server.exchange(server.head("GET", "/Users", *[f"X-{n}: {long}" for n in range(10)]))) == [431]
    assert statuses(server.exchange(server.head("GET", f"/Users/{long}"))) == [414]
    token = server.head("GET", "/Users", f"Authorization: Bearer {long}", "Connection: close", token=False)
    assert statuses(server.exchange(token)) == [401]


def test_malformed_chunks_are_refused(server: Server) -> None:
    """ROB-28: no user comes of them, and nothing behind them is taken for a request."""
    follower = post(server, "Content-Length: 23", "Connection: close") + b'{"userName":"smuggled"}'
    head = post(server, "Transfer-Encoding: chunked")
    requests = [head + chunks + after for chunks in MALFORMED_CHUNKS for after in (b"", follower)]
    for request, found in zip(requests, exchanged(server, requests), strict=True):
        assert set(found) <= {400, 408}, request[-400:]


def test_smuggled_requests_are_not_executed(server: Server) -> None:
    """ROB-27: no shape of the length makes a request of the body, or a user."""
    inner = server.head("POST", "/Users", TYPE, "Content-Length: 23", "Connection: close") + b'{"userName":"smuggled"}'
    bodies = (b"0\r\n\r\n" + inner, b"5\r\n" + inner, NO_USER + inner, inner)
    requests = [post(server, *lines) + body for lines in LENGTHS for body in bodies]
    for request, found in zip(requests, exchanged(server, requests), strict=True):
        assert 201 not in found, request


def test_garbage_is_refused(server: Server) -> None:
    """ROB-30: alone, and pipelined behind a request that is answered; a TLS hello is among it."""
    for garbage, found in zip(GARBAGE, exchanged(server, list(GARBAGE)), strict=True):
        assert all(400 <= status < 600 for status in found), garbage[:100]
    behind = [server.head("GET", "/Users?count=1") + garbage for garbage in GARBAGE]
    for garbage, (first, *rest) in zip(GARBAGE, exchanged(server, behind), strict=True):
        assert first == 200
        assert all(400 <= status < 600 for status in rest), garbage[:100]


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    """HTP-20: those behind a refused one with a body among them."""
    refused = post(server, f"Content-Length: {len(NO_USER)}") + NO_USER
    unread = server.head("POST", "/Nowhere", TYPE, f"Content-Length: {len(NO_USER)}") + NO_USER
    denied = server.head("POST", "/Users", TYPE, "Content-Length: 14", token=False) + NO_USER
    pipeline = (server.head("GET", "/Users?count=1") + refused + unread + denied) * 5 + get(server)
    assert statuses(server.exchange(pipeline)) == [200, 400, 404, 401] * 5 + [200]


def test_a_large_body_is_refused_and_the_connection_goes_on(server: Server) -> None:
    """SEC-06, HTP-20: 40 MB with a length and in chunks, from four clients at once."""
    size = 40 * 1024 * 1024
    part = b"x" * 65536
    chunk = b"10000\r\n" + part + b"\r\n"
    known = [post(server, f"Content-Length: {size}"), *[part] * (size // 65536), get(server)]
    chunked = [post(server, "Transfer-Encoding: chunked"), *[chunk] * (size // 65536), b"0\r\n\r\n", get(server)]
    answers: list[list[int]] = []
    clients = [
        Thread(target=lambda one=pieces: answers.append(statuses(server.exchange(*one))))
        for pieces in [known, chunked] * 2
    ]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert answers == [[413, 200]] * 4


def test_an_announced_body_of_terabytes_is_refused_at_once(server: Server) -> None:
    """SEC-06: nothing waits for it."""
    with server.connect(timeout=IN_TIME) as client:
        client.sendall(post(server, f"Content-Length: {2**42}") + b"{")
        head = client.recv(65536)
    assert head.startswith(b"HTTP/1.1 413 ")
    assert ERROR.encode() in head
