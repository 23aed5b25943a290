"""What stands before the application in a worker: bodies are taken in, turns are waited for."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from threading import Event, Thread
from typing import Any

import pytest

from scim_server.web.reception import DRAINED, Reception

LIMIT = 100


class Stream:
    """A body as an HTTP server gives it, which tells how much of it was read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int) -> bytes:
        part = min(size, self.left)
        self.left -= part
        return b"x" * part


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    return [environ["wsgi.input"].read()]


def sent(stream: Any, **environ: str) -> bytes:
    return b"".join(Reception(echo, LIMIT, 1)({"wsgi.input": stream, **environ}, None))


@pytest.mark.parametrize("size", [1, LIMIT, LIMIT + 1])
def test_a_body_is_passed_on_whole(size: int) -> None:
    assert sent(Stream(size), CONTENT_LENGTH=str(size)) == b"x" * size
    assert sent(Stream(size), HTTP_TRANSFER_ENCODING="chunked") == b"x" * size


def test_of_a_body_that_is_too_large_a_byte_more_than_the_limit_is_kept() -> None:
    """SEC-06: the rest is read and forgotten, within bounds."""
    size = 3_000_000
    known, chunked, endless = Stream(size), Stream(size), Stream(DRAINED * 2)
    assert sent(known, CONTENT_LENGTH=str(size)) == b"x" * (LIMIT + 1)
    assert sent(chunked, HTTP_TRANSFER_ENCODING="chunked") == b"x" * (LIMIT + 1)
    assert sent(endless, HTTP_TRANSFER_ENCODING="chunked") == b"x" * (LIMIT + 1)
    assert (known.left, chunked.left, endless.left) == (0, 0, DRAINED)


@pytest.mark.parametrize("length", [str(DRAINED + 1), "9" * 40, "-1", "+5", "x", "1e3"])
def test_a_body_without_a_sensible_length_is_not_waited_for(length: str) -> None:
    """ROB-27: the application refuses it by its length."""
    stream = Stream(1000)
    assert sent(stream, CONTENT_LENGTH=length) == b""
    assert stream.left == 1000


def test_a_request_without_a_body_reads_nothing() -> None:
    stream = BytesIO(b"the next request")
    for environ in ({}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}):
        answer = Reception(lambda environ, start: [b"none"], LIMIT, 1)({"wsgi.input": stream, **environ}, None)
        assert answer == [b"none"]
    assert stream.tell() == 0


def test_a_body_that_does_not_come_holds_no_turn() -> None:
    """ROB-43: there is one turn, and another request has it."""
    came = Event()

    class Slow:
        def read(self, size: int) -> bytes:
            came.wait(10)
            return b""

    reception = Reception(echo, LIMIT, 1)
    slow = Thread(target=reception, args=({"wsgi.input": Slow(), "CONTENT_LENGTH": "5"}, None))
    slow.start()
    try:
        assert reception({"wsgi.input": Stream(5), "CONTENT_LENGTH": "5"}, None) == [b"xxxxx"]
        assert slow.is_alive()
    finally:
        came.set()
        slow.join()


@pytest.mark.parametrize("at", ["call", "iteration"])
def test_a_turn_ends_with_an_error_too(at: str) -> None:
    closed = []

    class Answer:
        def __iter__(self) -> Iterator[bytes]:
            raise ValueError

        def close(self) -> None:
            closed.append(True)

    def failing(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if at == "call":
            raise ValueError
        return Answer()

    reception = Reception(failing, LIMIT, 1)
    for _ in range(3):
        with pytest.raises(ValueError):
            reception({}, None)
    assert len(closed) == (3 if at == "iteration" else 0)
