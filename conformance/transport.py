"""Requests and answers, over HTTP or by calling a WSGI application; nothing here knows SCIM."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import Client, EnvironBuilder

LARGEST = 32 * 1024 * 1024
"""Bytes of an answer that are read at most."""


class Unanswered(Exception):
    """The server gave no answer that can be read as HTTP."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def media_type(self) -> str:
        """The media type of the body, without parameters."""
        return (self.header("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def value(self) -> Any:
        """The JSON value of the body, or None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


Send = Callable[[Request], Response]
"""Sends a request and waits for the answer."""


def over_http(base_url: str, timeout: float) -> Send:
    """Send over HTTP or HTTPS, with one kept connection per thread and no redirects followed."""
    parts = urlsplit(base_url)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    kept = threading.local()

    def connect() -> http.client.HTTPConnection:
        if context is not None:
            return http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=context)
        return http.client.HTTPConnection(parts.netloc, timeout=timeout)

    def send(request: Request) -> Response:
        connection, reused = getattr(kept, "connection", None), True
        if connection is None:
            connection, reused = connect(), False
        kept.connection = None
        try:
            try:
                answer, closes = _exchange(connection, request, timeout)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                connection.close()
                if not reused:
                    raise
                connection = connect()  # the server closed the kept connection between two requests
                answer, closes = _exchange(connection, request, timeout)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            connection.close()
            raise Unanswered(f"no answer to {request.method}: {type(problem).__name__}: {problem}") from problem
        if closes:
            connection.close()
        else:
            kept.connection = connection
        return answer

    return send


def _exchange(connection: http.client.HTTPConnection, request: Request, timeout: float) -> tuple[Response, bool]:
    """One request and its answer, and whether the connection ends with it."""
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = request.body if request.body or request.method in ("POST", "PUT", "PATCH") else None
    until = time.monotonic() + timeout
    connection.request(request.method, path, body=body, headers=dict(request.headers))
    answer = connection.getresponse()
    read = bytearray()
    while chunk := answer.read1(65536):
        read += chunk
        if len(read) > LARGEST or time.monotonic() > until:
            raise TimeoutError(f"the body did not end within {timeout:g} s and {LARGEST} bytes")
    answer.read()  # http.client takes the connection for free again after this alone
    return Response(answer.status, tuple(answer.getheaders()), bytes(read)), answer.will_close


def in_process(application: Any) -> Send:
    """Send by calling a WSGI application."""

    def send(request: Request) -> Response:
        parts = urlsplit(request.url)
        builder = EnvironBuilder(
            path=parts.path,
            base_url=f"{parts.scheme}://{parts.netloc}/",
            query_string=parts.query,
            method=request.method,
            headers=list(request.headers.items()),
            data=request.body or None,
        )
        try:
            answer = Client(application).open(builder)
        except Exception as problem:
            raise Unanswered(f"the application raised {type(problem).__name__}: {problem}") from problem
        finally:
            builder.close()
        body = answer.get_data()
        answer.close()
        return Response(answer.status_code, tuple(answer.headers.items()), body)

    return send


def application(name: str) -> Any:
    """The WSGI application that ``module:factory`` makes."""
    module, _, factory = name.partition(":")
    return getattr(import_module(module), factory or "create_app")()
