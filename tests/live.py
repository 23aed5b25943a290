"""A server as `scim-server serve` starts it, watched from outside: its answers, its memory, its log."""

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from scim_server.cli import main

HOST = "127.0.0.1"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
SCIM = "application/scim+json"
_PLAIN = re.compile(r"[\x20-\x7e]*")
_REQUEST_ID = re.compile(r"[0-9a-z-]{20,40}", re.IGNORECASE)
_TAG = re.compile(r'W/"[0-9]+"')


@dataclass
class Answer:
    """What came back over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_from_the_application(self) -> bool:
        """Whether the application gave it, and not the HTTP server before it."""
        return "x-request-id" in self.headers

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Server:
    """A running server with one account and its token."""

    port: int
    token: str
    process: subprocess.Popen[bytes]
    log_file: Path
    tls: ssl.SSLContext | None = None

    def connect(self, timeout: float = 30) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=timeout)

    def head(self, method: str, path: str, *lines: str, token: bool = True) -> bytes:
        """The head of a request as it goes over the wire, with the token."""
        own = ("Host: localhost", *((f"Authorization: Bearer {self.token}",) if token else ()))
        return "\r\n".join((f"{method} /scim/v2{path} HTTP/1.1", *own, *lines, "", "")).encode("latin-1")

    def ask(self, method: str, path: str, body: Any = None, timeout: float = 30, **headers: str) -> Answer:
        """Send an ordinary request on a connection of its own."""
        connection = (
            HTTPSConnection(HOST, self.port, timeout=timeout, context=self.tls)
            if self.tls
            else HTTPConnection(HOST, self.port, timeout=timeout)
        )
        try:
            sent = {"Authorization": f"Bearer {self.token}", "Content-Type": SCIM, **headers}
            text = None if body is None else json.dumps(body).encode()
            connection.request(method, f"/scim/v2{path}", text, sent)
            return received(connection.getresponse())
        finally:
            connection.close()

    def exchange(self, *pieces: bytes, pause: float = 0, silence: float = 20) -> bytes:
        """Send pieces as they are, and return all that comes back until the server closes or has been silent.

        The client keeps its side open until then: a server takes a client that has closed it for one that has gone.
        """
        parts = []
        with self.connect(silence) as client:
            try:
                for piece in pieces:
                    client.sendall(piece)
                    time.sleep(pause)
            except ConnectionError:
                pass  # refused in the midst of it
            try:
                while part := client.recv(65536):
                    parts.append(part)
            except (ConnectionError, TimeoutError):
                pass
        return b"".join(parts)

    def workers(self) -> list[int]:
        """The process ids of the workers."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii")
        return [pid for pid in map(int, text.split()) if b"resource_tracker" not in _command_line(pid)]

    def memory(self) -> int:
        """The resident memory of all workers, in megabytes."""
        return sum(_resident(pid) for pid in self.workers()) // 1024

    def log(self) -> str:
        return self.log_file.read_text("utf-8", "replace")


def _command_line(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def received(response: HTTPResponse) -> Answer:
    """Read an answer to its end."""
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())


def check(answer: Answer, method: str = "GET") -> None:
    """Assert what holds for every answer of the application (ERR-01, OBS-01, OBS-02, SEC-05)."""
    assert answer.status < 500 or answer.status == 501, (answer.status, answer.body[:2000])
    headers = answer.headers
    assert all(_PLAIN.fullmatch(value) for value in headers.values()), headers
    assert _REQUEST_ID.fullmatch(headers["x-request-id"]), headers
    assert "etag" not in headers or _TAG.fullmatch(headers["etag"]), headers
    assert answer.status != 429 or headers["retry-after"].isdecimal()
    assert not headers.keys() - KNOWN_HEADERS, headers
    if method == "HEAD" or answer.status in (204, 304):
        assert answer.body == b""
        return
    assert headers["content-type"] == SCIM, headers
    document = json.loads(answer.body.decode("utf-8"), parse_constant=_no_json)
    assert isinstance(document, dict)
    if answer.status >= 400:
        assert document["schemas"] == [ERROR]
        assert document["status"] == str(answer.status)
        assert document["detail"]
        assert set(document) <= {"schemas", "status", "scimType", "detail"}


KNOWN_HEADERS = {
    "allow", "cache-control", "connection", "content-length", "content-location", "content-security-policy",
    "content-type", "cross-origin-resource-policy", "date", "etag", "location", "referrer-policy", "retry-after", "server",
    "www-authenticate", "x-content-type-options", "x-frame-options", "x-request-id",
}  # fmt: skip
"""No request makes the application send any other."""


def _no_json(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def free_port() -> int:
    with socket.create_server((HOST, 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def serving(
    url: str,
    directory: Path,
    workers: int = 1,
    idle_seconds: int = 75,
    tls: ssl.SSLContext | None = None,
    **settings: str,
) -> Iterator[Server]:
    """Serve a new database at ``url``, with a test account; the server must end well, without a traceback."""
    port, log_file = free_port(), directory / "server.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
    environment |= {"SCIM_DATABASE_URL": url, "PYTHONUNBUFFERED": "1"}
    environment |= {"SCIM_RATE_LIMIT": "off", "SCIM_AUTH_FAILURES": "off", **settings}
    token = _account(url)
    options = ("--port", port, "--workers", workers, "--idle-seconds", idle_seconds)
    command = [sys.executable, "-m", "scim_server.cli", "serve", *map(str, options)]
    with log_file.open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=subprocess.STDOUT)
    server = Server(port, token, process, log_file, tls)
    with process:
        try:
            until(
                lambda: _is_up(server) and server.log().count("Started worker-") == workers
            )  # one told to stop before hangs
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=60)
    assert code == 0, server.log()[-3000:]
    assert not re.search(r"Traceback|panicked|Unexpected exit", server.log()), server.log()[-6000:]


def _account(url: str) -> str:
    runner = CliRunner(env={"SCIM_DATABASE_URL": url, "SCIM_SETTINGS_FILE": None})
    for line in (
        ["upgrade"],
        ["account", "create", "acme", "--test"],
        ["licence", "add", "--account", "acme", "pro", "9"],
    ):
        assert runner.invoke(main, line).exit_code == 0
    issued = runner.invoke(main, ["token", "issue", "--account", "acme", "--json"])
    return str(json.loads(issued.stdout.splitlines()[-1])["token"])


def _is_up(server: Server) -> bool:
    try:
        return server.ask("GET", "/Users").status == 200
    except OSError:
        return False


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
