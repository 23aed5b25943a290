"""Deliberate defects, switched into the application one by one, and the checks that must notice each."""

import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from werkzeug.test import run_wsgi_app


@dataclass(frozen=True)
class Asked:
    """A request on its way to the application."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Answered:
    """An answer on its way back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def holding(self, value: Any) -> "Answered":
        return replace(self, body=json.dumps(value).encode())

    def without(self, name: str) -> "Answered":
        return replace(self, headers={key: one for key, one in self.headers.items() if key.lower() != name.lower()})


Change = Callable[[Asked], Asked]
Spoil = Callable[[Asked, Answered], Answered]


@dataclass(frozen=True)
class Mutation:
    """One defect: what it does to requests and answers, and the checks that notice it."""

    name: str
    checks: str
    change: Change = lambda asked: asked
    spoil: Spoil = lambda asked, answered: answered


def mutated(application: Any, mutation: Mutation) -> Any:
    """The application with the defect in it."""

    def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        asked = mutation.change(_asked(environ))
        body, status, headers = run_wsgi_app(application, _environ(environ, asked), buffered=True)
        answered = Answered(int(status.split()[0]), dict(headers), b"".join(body))
        answered = mutation.spoil(asked, answered)
        sent = {**answered.without("Content-Length").headers, "Content-Length": str(len(answered.body))}
        start_response(f"{answered.status} Mutated", list(sent.items()))
        return [answered.body]

    return wsgi


def _asked(environ: dict[str, Any]) -> Asked:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    headers = {key[5:]: value for key, value in environ.items() if key.startswith("HTTP_")}
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    return Asked(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, headers, environ["wsgi.input"].read(length))


def _environ(environ: dict[str, Any], asked: Asked) -> dict[str, Any]:
    kept = {key: value for key, value in environ.items() if not key.startswith("HTTP_")}
    return kept | {f"HTTP_{key}": value for key, value in asked.headers.items()} | {
        "REQUEST_METHOD": asked.method, "PATH_INFO": asked.path, "QUERY_STRING": urlencode(asked.query),
        "CONTENT_LENGTH": str(len(asked.body)), "wsgi.input": io.BytesIO(asked.body),
    }  # fmt: skip


def status(old: int, new: int, method: str = "", path: str = "") -> Spoil:
    """Answer another status than the right one."""

    def spoil(asked: Asked, answered: Answered) -> Answered:
        fits = answered.status == old and method in ("", asked.method) and path in asked.path
        return replace(answered, status=new) if fits else answered

    return spoil


def no_header(name: str) -> Spoil:
    """Leave a header out."""
    return lambda asked, answered: answered.without(name)


def header(name: str, value: str) -> Spoil:
    """Send another value in a header that is there."""

    def spoil(asked: Asked, answered: Answered) -> Answered:
        kept = answered.without(name)
        there = len(kept.headers) < len(answered.headers)
        return replace(kept, headers={**kept.headers, name: value}) if there else answered

    return spoil


def edit(change: Callable[[Any], Any], path: str = "", method: str = "", statuses: Iterable[int] = range(600)) -> Spoil:
    """Change the JSON of answers."""

    def spoil(asked: Asked, answered: Answered) -> Answered:
        fits = path in asked.path and method in ("", asked.method) and answered.status in statuses
        value = answered.value
        return answered.holding(change(value)) if fits and isinstance(value, dict) else answered

    return spoil


def each(change: Callable[[dict[str, Any]], Any], path: str = "/Users") -> Spoil:
    """Change every resource of an answer, alone or in a list."""

    def whole(value: Any) -> Any:
        if "Resources" in value:
            return {**value, "Resources": [change(one) for one in value["Resources"]]}
        return change(value) if "id" in value else value

    return edit(whole, path)


def setting(**members: Any) -> Callable[[Any], Any]:
    return lambda value: {**value, **members}


def leaving(*names: str) -> Callable[[Any], Any]:
    return lambda value: {key: one for key, one in value.items() if key not in names}


def more(name: str, number: int) -> Callable[[Any], Any]:
    return lambda value: {**value, name: value[name] + number} if name in value else value


def meta(**members: Any) -> Callable[[Any], Any]:
    return lambda value: {**value, "meta": {**value.get("meta", {}), **members}}


def query(**changes: str | None) -> Change:
    """Change parameters of the query that are there; None leaves them out."""

    def change(asked: Asked) -> Asked:
        changed = {key: changes.get(key, value) for key, value in asked.query.items()}
        return replace(asked, query={key: value for key, value in changed.items() if value is not None})

    return change


def body(edit_body: Callable[[Any], Any], method: str, path: str = "/") -> Change:
    """Change the JSON of requests."""

    def change(asked: Asked) -> Asked:
        if asked.method != method or path not in asked.path or not isinstance(asked.value, dict):
            return asked
        return replace(asked, body=json.dumps(edit_body(asked.value)).encode())

    return change


def ignoring(name: str) -> Change:
    """Ignore a header of requests."""
    return lambda asked: replace(asked, headers={key: one for key, one in asked.headers.items() if key != name})


def operations(change: Callable[[list[Any]], list[Any]]) -> Change:
    """Change the operations of PATCH requests."""
    return body(lambda value: {**value, "Operations": change(value.get("Operations") or [])}, "PATCH")


def shown(text: str, other: str) -> Change:
    """Read a filter otherwise than it was meant."""

    def change(asked: Asked) -> Asked:
        condition = asked.query.get("filter")
        if condition is None:
            return asked
        return replace(asked, query={**asked.query, "filter": re.sub(text, other, condition)})

    return change


def echo(name: str) -> Spoil:
    """Return a member of the request as it was sent."""

    def spoil(asked: Asked, answered: Answered) -> Answered:
        fits = isinstance(asked.value, dict) and name in asked.value and answered.status in (200, 201)
        return answered.holding({**answered.value, name: asked.value[name]}) if fits else answered

    return spoil


def as_page(asked: Asked, answered: Answered) -> Answered:
    """Answer errors as HTML."""
    if answered.status != 404:
        return answered
    return replace(answered, headers={**answered.headers, "Content-Type": "text/html"}, body=b"<h1>Not Found</h1>")


def empty_list_as_404(asked: Asked, answered: Answered) -> Answered:
    value = answered.value
    nothing = isinstance(value, dict) and value.get("totalResults") == 0
    return replace(answered, status=404, body=b'{"detail": "none"}') if nothing else answered


def merging_put(asked: Asked) -> Asked:
    """Take PUT for a PATCH without a path."""
    if asked.method != "PUT" or not isinstance(asked.value, dict):
        return asked
    wanted = {key: value for key, value in asked.value.items() if key not in ("schemas", "id", "meta", "groups")}
    message = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "value": wanted}],
    }
    return replace(asked, method="PATCH", body=json.dumps(message).encode())


def first_only(steps: list[Any]) -> list[Any]:
    return steps[:1]


def clearing(steps: list[Any]) -> list[Any]:
    """Read removal of some members as removal of all."""
    return [{"op": "remove", "path": "members"} if str(one.get("path", "")).startswith("members") and str(
        one.get("op")).lower() == "remove" else one for one in steps]  # fmt: skip


def replacing(steps: list[Any]) -> list[Any]:
    """Read add as replace."""
    return [{**one, "op": "replace"} if one.get("op") == "add" else one for one in steps]


def soft_delete(asked: Asked) -> Asked:
    return replace(asked, method="GET") if asked.method == "DELETE" else asked
