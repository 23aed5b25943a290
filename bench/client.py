"""A client on raw sockets with keep-alive: it must cost little beside the servers that it measures."""

import re
import socket
from time import perf_counter
from types import TracebackType
from typing import NamedTuple, Self

TIMEOUT = 20.0
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_PART = 256 * 1024


class Answer(NamedTuple):
    """What came back, and the seconds from the first byte sent to the last one received."""

    status: int
    body: bytes
    seconds: float


def request(method: str, path: str, port: int, token: str, body: bytes | None = None, *lines: str) -> bytes:
    """Return the bytes of a SCIM request."""
    head = (
        f"{method} /scim/v2{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: scim-bench\r\n"
        f"Accept: application/scim+json\r\nAuthorization: Bearer {token}\r\n"
    )
    head += "".join([f"{line}\r\n" for line in lines])
    if body is None:
        return f"{head}\r\n".encode()
    return f"{head}Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """One connection, kept alive from request to request."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def exchange(self, message: bytes) -> Answer:
        """Send a request and return its whole answer; raises OSError when the connection breaks or stalls."""
        begun = perf_counter()
        self._socket.sendall(message)
        received = self._receive()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head, parts = received[:end], [received[end + 4 :]]
        length = int(found[1]) if (found := _LENGTH.search(head)) else 0
        missing = length - len(parts[0])
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        return Answer(int(head[9:12]), b"".join(parts), perf_counter() - begun)

    def _receive(self) -> bytes:
        received = self._socket.recv(_PART)
        if not received:
            raise ConnectionResetError("the server closed the connection")
        return received
