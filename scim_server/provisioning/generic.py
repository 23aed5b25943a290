"""The use cases that write a resource of a configured type: kept as it is sent, without rules of the account."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scim2_models import Context, UniquenessException

from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.conditions import Conditions
from scim_server.protocol.demands import check_required, check_unchanged
from scim_server.protocol.documents import Stored
from scim_server.protocol.intake import Notes
from scim_server.protocol.messages import read_resource, replaced, validated, with_schemas
from scim_server.protocol.patches import read_patch
from scim_server.provisioning.caller import Caller, Service, in_transaction
from scim_server.provisioning.changes import Change, document_changes, ignored
from scim_server.provisioning.reading import missing
from scim_server.store import journal, resources, texts, unique_values
from scim_server.store.identifiers import new_id

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A change of one resource as a request asks for it."""

    after: Callable[[Document], Document]
    """What the request makes of the document."""
    asserted: frozenset[str]
    """The attributes that it writes."""
    notes: Notes


def create(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Stored:
    """Create a resource."""
    body = caller.profile.rewrite_body(endpoint, body)
    read = read_resource(endpoint, body, caller.profile.tolerance, service.catalogue)
    identifier = new_id()
    document = _final(endpoint, read.document, identifier)
    validated(endpoint, document, Context.RESOURCE_CREATION_REQUEST)

    def work(_: bool, now: int) -> Stored:
        columns = {"id": identifier, "version": 1, "created": now, "modified": now}
        with _telling_what_is_taken(endpoint, document):
            resources.insert(caller.account_id, endpoint, document, columns)
            unique_values.write(caller.account_id, endpoint, identifier, {}, document)
        changes = [*_named(document_changes({}, document)), *ignored(read.notes.unknown)]
        _tell(caller, endpoint, "resource.created", document, changes, now)
        return _answer(caller, endpoint, identifier, frozenset(document))

    return in_transaction(service.database, caller.account_id, work)


def put(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Replace a resource by what a PUT says: what it leaves out is cleared, but for what it could not read (A-08)."""
    body = caller.profile.rewrite_body(endpoint, body)
    read = read_resource(endpoint, body, caller.profile.tolerance, service.catalogue)
    validated(endpoint, with_schemas(endpoint, read.document), Context.RESOURCE_REPLACEMENT_REQUEST)
    kept = [one for one in endpoint.by_urn.values() if one.mutability == "writeOnly"]

    def after(before: Document) -> Document:
        return replaced(endpoint, before, read.document, kept)

    return _changed(
        service, caller, endpoint, identifier, conditions, Asked(after, frozenset(read.document), read.notes)
    )


def patch(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Apply a PATCH to a resource: all of its operations or none."""
    rewritten = caller.profile.rewrite_patch(endpoint, body)
    message = read_patch(endpoint, rewritten, caller.profile.tolerance, service.limits.patch_operations)

    def after(before: Document) -> Document:
        return message.apply(endpoint, before, caller.profile.policy)

    return _changed(service, caller, endpoint, identifier, conditions, Asked(after, message.asserted, message.notes))


def delete(service: Service, caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> None:
    """Delete a resource for good."""

    def work(_: bool, now: int) -> None:
        before = texts.written(_locked_row(caller, endpoint, identifier, conditions))
        resources.delete(caller.account_id, endpoint, identifier)
        _tell(caller, endpoint, "resource.deleted", before, [], now)

    in_transaction(service.database, caller.account_id, work)


def _changed(
    service: Service,
    caller: Caller,
    endpoint: Endpoint,
    identifier: str,
    conditions: Conditions,
    asked: Asked,
) -> Stored:
    """Write a changed resource; a request that changes nothing writes nothing (A-26)."""

    def work(_: bool, now: int) -> Stored:
        row = _locked_row(caller, endpoint, identifier, conditions)
        before = texts.written(row)
        document = _final(endpoint, asked.after(before), identifier)
        check_unchanged(endpoint, before, document)
        if document != before:
            with _telling_what_is_taken(endpoint, document):
                resources.update(caller.account_id, endpoint, row, document, {"modified": now})
                unique_values.write(caller.account_id, endpoint, identifier, before, document)
            changes = [*_named(document_changes(before, document)), *ignored(asked.notes.unknown)]
            _tell(caller, endpoint, "resource.updated", document, changes, now)
        return _answer(caller, endpoint, identifier, asked.asserted)

    return in_transaction(service.database, caller.account_id, work)


def _final(endpoint: Endpoint, document: Document, identifier: str) -> dict[str, Any]:
    """Return the document as it is stored, with all that the schema demands."""
    final = with_schemas(endpoint, {**document, "id": identifier, "meta": None})
    check_required(endpoint, final)
    return final


def _locked_row(caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> Any:
    row = resources.fetch_row(caller.account_id, endpoint, identifier)
    if row is None:
        raise missing(endpoint, identifier)
    conditions.check(row.version)
    return row


@contextmanager
def _telling_what_is_taken(endpoint: Endpoint, document: Document) -> Iterator[None]:
    try:
        yield
    except unique_values.ValueTaken as taken:
        values = unique_values.values(endpoint, taken.attribute, document)
        value = f"'{values[0]}'" if len(values) == 1 else "one of the values"
        raise UniquenessException(
            detail=f"{taken.attribute.urn.rpartition(':')[2]}: {value} is in use by another {endpoint.name}; "
            "send another value"
        ) from None


def _named(changes: Sequence[Change]) -> list[Change]:
    """Return the changes without values: the journal tells only those of the account's own attributes (R29)."""
    return [{"attribute": one["attribute"]} for one in changes]


def _answer(caller: Caller, endpoint: Endpoint, identifier: str, asserted: frozenset[str]) -> Stored:
    """Return a resource with what was written of that which is shown on request."""
    answer = resources.fetch(caller.account_id, endpoint, identifier)
    assert answer is not None
    if not endpoint.hides:
        return answer
    names = {f"{endpoint.schema}:{name}".lower() for name in asserted} | {name.lower() for name in asserted}
    hidden = (urn for urn, one in endpoint.by_urn.items() if one.returned == "request")
    return answer._replace(asserted=frozenset(urn for urn in hidden if _is_written(urn, names)))


def _is_written(urn: str, names: Collection[str]) -> bool:
    """Whether an attribute, or what it is a part of, is among those that were written."""
    schema, _, path = urn.rpartition(":")
    return bool({urn, schema, f"{schema}:{path.partition('.')[0]}"} & {*names})


def _tell(
    caller: Caller, endpoint: Endpoint, action: str, document: Document, changes: Sequence[Change], now: int
) -> None:
    name = document.get("displayName")
    entry = journal.Entry(
        action,
        target_type=endpoint.name,
        target_id=document["id"],
        target_name=name if isinstance(name, str) and _is_told(endpoint) else None,
        changes=changes,
    )
    journal.write(caller.account_id, caller.actor, [entry], now)


def _is_told(endpoint: Endpoint) -> bool:
    return endpoint.attributes["displayname"].returned != "never"
