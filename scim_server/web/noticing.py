"""Has every answered request noted by its shape, never by its content (provisioning/noticing.py)."""

import re
from functools import lru_cache, partial

from flask import Flask, Response, g, request

from scim_server.idp.shapes import Shape, of_request
from scim_server.provisioning import Service
from scim_server.provisioning.noticing import write

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
_NAMES = {"identifier": "{id}", "path": "(nothing there)"}


def install(app: Flask, service: Service, base_path: str) -> None:
    """Have the shapes of the application's requests noted."""
    app.after_request(partial(_note, service, base_path))


def _note(service: Service, base_path: str, response: Response) -> Response:
    """Note the shapes of a request whose caller is known; what is due is written once the answer is sent."""
    caller = g.get("caller")
    if caller is None or request.url_rule is None:
        return response
    sender = (caller.account_id, caller.connection_id, caller.actor.name)
    if service.notebook.add(sender, _shapes(service, request.url_rule.rule.removeprefix(base_path))):
        response.call_on_close(partial(write, service.database, service.notebook))
    return response


def _shapes(service: Service, rule: str) -> tuple[Shape, ...]:
    content_type = request.headers.get("Content-Type", "")
    condition = request.args.get("filter") if request.query_string else None
    return of_request(
        request.method, _route(rule), content_type, condition, g.get("body"), service.catalogue.endpoint_at
    )


@lru_cache
def _route(rule: str) -> str:
    """Return a route as documents have it: ``/Users/{id}``."""
    return _VARIABLE.sub(lambda found: _NAMES.get(found[1], f"{{{found[1]}}}"), rule) or "/"
