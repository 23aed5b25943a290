"""What every answer tells whoever shows it: to guess no type, keep nothing, run nothing, be framed by nobody."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

FIXED = (
    ("Server", "scim"),  # an HTTP server before the application would put its own name there (HTP-18)
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),  # for browsers that do not know frame-ancestors
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
POLICY = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
"""For answers that are no page: a page for people brings a policy of its own."""
TRANSPORT = ("Strict-Transport-Security", "max-age=31536000")
"""Where clients come by https: they shall never come by http again (RFC 6797, TLS-02)."""

Headers = list[tuple[str, str]]


def install(app: Flask, external_url: str) -> None:
    """Have every answer carry the headers.

    It is done where the answer leaves the application, past which nothing gets, and costs one list more.
    """
    fixed: Headers = [*FIXED, *([TRANSPORT] if external_url.startswith("https:") else [])]
    without_page: Headers = [*fixed, POLICY]
    inner = app.wsgi_app

    def protected(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            is_page = any(name == POLICY[0] for name, _ in headers)
            return start_response(status, headers + (fixed if is_page else without_page), exc_info)

        return inner(environ, start)

    app.wsgi_app = protected  # type: ignore[method-assign]  # as Flask has it
