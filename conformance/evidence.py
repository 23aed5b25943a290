"""What is kept of requests and answers: without credentials, and cut to what a reader needs."""

import json
import re
from typing import Any

from conformance.transport import Request, Response

LONGEST = 2000
"""Characters of a body that are kept."""
HIDDEN = "[redacted]"
SHOWN = {"accept", "content-type", "if-match", "if-none-match", "prefer", "origin", "host"}
ANSWERED = {
    "content-type", "location", "content-location", "etag", "www-authenticate", "allow", "retry-after",
    "cache-control", "preference-applied", "x-content-type-options", "server", "content-length",
}  # fmt: skip
CREDENTIALS = re.compile(r"(?i)\b(bearer|basic|token)\s+[A-Za-z0-9+/=._~-]{6,}|(access_token=)[^&\s\"]+")


def redacted(text: str, token: str | None) -> str:
    """The text without the token, and without anything that looks like a credential."""
    if token:
        text = text.replace(token, HIDDEN).replace(token.swapcase(), HIDDEN).replace(token[:-1], HIDDEN)
    return CREDENTIALS.sub(lambda found: f"{found[1] or found[2]} {HIDDEN}", text)


def exchange(request: Request, response: Response | None, problem: str, token: str | None) -> dict[str, Any]:
    """One request and its answer, as the report shows them."""
    headers = {name: value for name, value in request.headers.items() if name.lower() in SHOWN}
    if "Authorization" in request.headers:
        headers["Authorization"] = HIDDEN
    told: dict[str, Any] = {
        "request": f"{request.method} {request.url[:LONGEST]}",
        "requestHeaders": headers,
        "requestBody": _text(request.body),
        "status": response.status if response else None,
        "headers": {name: value for name, value in response.headers if name.lower() in ANSWERED} if response else {},
        "body": _text(response.body) if response else problem,
    }
    return {key: _clean(value, token) for key, value in told.items()}


def _clean(value: Any, token: str | None) -> Any:
    if isinstance(value, dict):
        return {key: redacted(one, token)[:LONGEST] for key, one in value.items()}
    return redacted(value, token) if isinstance(value, str) else value


def _text(body: bytes) -> str:
    if len(body) > 100_000:
        return f"{body[:200].decode('utf-8', 'replace')} ... ({len(body)} bytes)"
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False, indent=1)
    except (ValueError, RecursionError):
        text = body.decode("utf-8", "replace")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(body)} bytes)"
