"""POST /Bulk: many writes in one request, each as if it had been sent alone (RFC 7644 section 3.7, R33)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import orjson
from flask import Blueprint, Response, current_app, request
from scim2_models import InvalidValueException
from werkzeug.exceptions import NotFound

from scim_server import provisioning
from scim_server.protocol.bulk import BULK_RESPONSE, Bulk, Operation, read_bulk, resolve
from scim_server.protocol.bulk_order import Part, Step, adding_manager, in_order, without_manager
from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.conditions import Conditions, etag
from scim_server.protocol.documents import location
from scim_server.provisioning import Caller
from scim_server.web import braking, scim
from scim_server.web.answers import read_json, scim_json, scim_service, tags
from scim_server.web.errors import Asked, Told, record, told

WRITING = frozenset({scim.create_resource, scim.put_resource, scim.patch_resource, scim.delete_resource})
"""The views whose requests may be operations of a bulk."""

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an operation that succeeded."""

    status: int
    identifier: str
    location: str
    version: int | None = None


def install(routes: Blueprint) -> None:
    """Add the route of bulk requests."""
    scim.serve(routes, "/Bulk", {"POST": run_bulk})


@scim.writes
def run_bulk(caller: Caller) -> Response:
    """Carry out the operations of a bulk request, each in a transaction of its own; the whole is 200 (R33)."""
    limits = scim_service().limits
    request.max_content_length = limits.bulk_bytes
    with braking.one_bulk(caller):
        asked = read_bulk(read_json(), caller.profile.tolerance, limits.bulk_operations)
        results = Run(caller, asked).results()
    return scim_json(orjson.dumps({"schemas": [BULK_RESPONSE], "Operations": results}).decode())


@dataclass(slots=True)
class Run:
    """A bulk request being carried out."""

    caller: Caller
    bulk: Bulk
    created: dict[str, str | None] = field(default_factory=dict)
    """The ids of what was created, by bulkId; None where it could not be."""
    answers: dict[int, Result] = field(default_factory=dict)
    errors: int = 0

    def results(self) -> list[Result]:
        """Carry out the operations and return their results in the order sent.

        RFC 7644 section 3.7 has the server go on past errors with all that it can do, unless ``failOnErrors`` says how
        many errors are accepted: after so many nothing more is tried, and what was not tried has no result.
        """
        most = self.bulk.fail_on_errors
        for step in in_order(self.bulk.operations):
            if step.part is Part.MANAGER:  # of what is there already
                self._complete(step.place)
            elif most is None or self.errors < most:
                self._try(step)
        return [self.answers[place] for place in sorted(self.answers)]

    def _try(self, step: Step) -> None:
        sent = self.bulk.operations[step.place]
        tried, came = self._attempt(without_manager(sent) if step.part is Part.WITHOUT_MANAGER else sent, self.created)
        if sent.creates is not None:
            self.created[sent.creates] = came.identifier if isinstance(came, Done) else None
        self.answers[step.place] = _echo(sent) | (_success(came) if isinstance(came, Done) else _failure(tried, came))

    def _complete(self, place: int) -> None:
        """Add the manager to a user who was created without; where that fails the result tells both."""
        sent = self.bulk.operations[place]
        identifier = self.created.get(sent.creates or "")
        if identifier is None:
            return
        # Who was not created by now will not be.
        _, came = self._attempt(adding_manager(sent, identifier), dict.fromkeys(self.bulk.creating) | self.created)
        if isinstance(came, Told):
            came = replace(came, detail=f"The user was created, but without its manager: {came.detail}")
        self.answers[place] |= _success(came, 201) if isinstance(came, Done) else _error(came)

    def _attempt(self, operation: Operation, created: Mapping[str, str | None]) -> tuple[Operation, Done | Told]:
        """Carry out one operation, which fails as a request of its own would; returns it with references resolved."""
        try:
            if operation.problem is not None:
                raise operation.problem
            operation = resolve(operation, created, self.bulk.creating)
            return operation, _carry_out(self.caller, operation)
        except Exception as error:  # all of them, as of a request: told() logs what is a bug and tells none of it
            asked = Asked(operation.method, scim.BASE_PATH + (operation.path or "/Bulk"), operation.data)
            tells = told(error, asked)
            record(self.caller, asked, tells)
            self.errors += 1
            return operation, tells


def _carry_out(caller: Caller, operation: Operation) -> Done:
    service, data = scim_service(), operation.data
    endpoint, identifier = _target(operation)
    if operation.method == "POST":
        stored = provisioning.create(service, caller, endpoint, data)
        return Done(201, stored.id, location(endpoint, stored.id, service.base_url), stored.version)
    identifier = scim.checked(endpoint, identifier)
    where = location(endpoint, identifier, service.base_url)
    conditions = Conditions(None if operation.version is None else tags(operation.version))
    if operation.method == "DELETE":
        provisioning.delete(service, caller, endpoint, identifier, conditions)
        return Done(204, identifier, where)
    act = provisioning.put if operation.method == "PUT" else provisioning.patch
    stored = act(service, caller, endpoint, identifier, data, conditions)
    return Done(200, identifier, where, stored.version)


def _target(operation: Operation) -> tuple[Endpoint, str]:
    """Return what an operation writes to: what the routes of single requests lead to."""
    name, values = current_app.url_map.bind("").match(scim.BASE_PATH + operation.path, operation.method)
    view = current_app.view_functions[name]
    if view is scim.unknown_path:
        raise NotFound
    if view is scim.refuse_method:
        raise scim.method_lacking(operation.method, values["allowed"], values.get("endpoint"))
    if view not in WRITING:
        raise InvalidValueException(
            detail=f"path '{operation.path[:100]}' is neither a list of resources, such as /Users, nor one of them"
        )
    return values["endpoint"], values.get("identifier", "")


def _echo(sent: Operation) -> Result:
    given = {"method": sent.method or None, "bulkId": sent.bulk_id}
    return {name: value for name, value in given.items() if value is not None}


def _success(done: Done, status: int = 0) -> Result:
    version = {} if done.version is None else {"version": etag(done.version)}
    return {"location": done.location, **version, "status": str(status or done.status)}


def _failure(tried: Operation, tells: Told) -> Result:
    """Return an error with the location of what was not changed; a failed creation has none."""
    if tried.method == "POST" or not tried.path.startswith("/"):
        return _error(tells)
    return {"location": scim_service().base_url + quote(tried.path), **_error(tells)}


def _error(tells: Told) -> Result:
    return {"status": str(tells.status), "response": tells.body}
