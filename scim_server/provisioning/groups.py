"""The use cases that write a group: its document through the models, its members through rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from scim2_models import (
    Context,
    InvalidValueException,
    NotFoundException,
    NotImplementedException,
    PayloadTooLargeException,
)

from scim_server.account.refusals import Refused
from scim_server.protocol.catalogue import ACCOUNT_GROUP, Endpoint
from scim_server.protocol.conditions import Conditions
from scim_server.protocol.documents import Stored
from scim_server.protocol.messages import Body, read_resource, replaced, validated, with_schemas
from scim_server.protocol.patches import read_patch
from scim_server.protocol.selections import MemberChange, member_ids
from scim_server.provisioning.caller import Caller, Service, in_transaction
from scim_server.provisioning.changes import Change, document_changes, ignored
from scim_server.store import journal, memberships, resources, texts
from scim_server.store.identifiers import new_id


@dataclass(slots=True)
class Moved:
    """What became of the members that a request named; who came and left again has done neither."""

    came: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)
    skipped: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        """How many are members who were not."""
        return len(self.came)

    @property
    def removed(self) -> int:
        """How many are no longer members."""
        return len(self.left)

    def add(self, ids: Iterable[str]) -> None:
        """Note who became a member."""
        new = set(ids)
        self.came |= new - self.left
        self.left -= new

    def remove(self, ids: Iterable[str]) -> None:
        """Note who is a member no more."""
        gone = set(ids)
        self.left |= gone - self.came
        self.came -= gone

    @property
    def changes(self) -> list[Change]:
        """The journal's words for it."""
        told: list[Change] = []
        if self.added or self.removed:
            told.append({"attribute": "members", "added": self.added, "removed": self.removed})
        if self.skipped:
            told.append({"attribute": "members", "skipped": list(self.skipped[:50])})
        return told


def create(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Stored:
    """Create a group, with or without members (E27, E28)."""
    read = _read(service, caller, endpoint, body)
    document = _with_defaults(read.document)
    validated(endpoint, with_schemas(endpoint, document), Context.RESOURCE_CREATION_REQUEST)
    ids = _limited(service, member_ids(read.document.get("members")))
    identifier = new_id()

    def work(_: bool, now: int) -> Stored:
        members, skipped = _known(caller, ids)
        final = with_schemas(endpoint, {**document, "id": identifier, "members": None})
        columns = {"id": identifier, "version": 1, "created": now, "modified": now, **_columns(final)}
        _unique(
            final,
            lambda: resources.insert(caller.account_id, endpoint, final, columns | {"member_count": len(members)}),
        )
        moved = Moved(set(memberships.add(caller.account_id, identifier, members, now)), skipped=skipped)
        changes = [*document_changes({}, final), *moved.changes, *ignored(read.notes.unknown)]
        _tell(caller, "group.created", identifier, final, changes, now)
        return _answer(caller, endpoint, identifier)

    return in_transaction(service, work)


def put(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Replace a group by what a PUT says. A PUT without ``members`` leaves them: absence removes nobody."""
    read = _read(service, caller, endpoint, body)
    validated(endpoint, with_schemas(endpoint, _with_defaults(read.document)), Context.RESOURCE_REPLACEMENT_REQUEST)
    changes: tuple[MemberChange, ...] = ()
    if "members" in read.document:
        changes = (MemberChange("replace", _limited(service, member_ids(read.document["members"]))),)

    def after(before: Mapping[str, Any]) -> Mapping[str, Any]:
        return replaced(endpoint, before, read.document, ())

    return _changed(service, caller, endpoint, identifier, conditions, after, changes, read.notes.unknown)


def patch(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Apply a PATCH to a group; its cost is that of the members it names, whatever the size of the group."""
    rewritten = caller.profile.rewrite_patch(endpoint, body)
    message = read_patch(endpoint, rewritten, caller.profile.tolerance, service.limits.patch_operations)
    _limited(service, tuple(one for change in message.members for one in change.ids))

    def after(before: Mapping[str, Any]) -> Mapping[str, Any]:
        return message.apply(endpoint, before, caller.profile.policy)

    return _changed(service, caller, endpoint, identifier, conditions, after, message.members, message.notes.unknown)


def delete(service: Service, caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> None:
    """Delete a group; its members stay users."""

    def work(_: bool, now: int) -> None:
        row = _locked_row(caller, endpoint, identifier, conditions)
        resources.delete(caller.account_id, endpoint, identifier)
        _tell(caller, "group.deleted", identifier, {"displayName": row.display_name}, [], now)

    in_transaction(service, work)


def _changed(
    service: Service,
    caller: Caller,
    endpoint: Endpoint,
    identifier: str,
    conditions: Conditions,
    after: Callable[[Mapping[str, Any]], Mapping[str, Any]],
    member_changes: Sequence[MemberChange],
    unknown: Sequence[str],
) -> Stored:
    """Write a changed group; users are locked before the group, as everywhere."""
    named = [one for change in member_changes if change.op != "remove" for one in change.ids]

    def work(_: bool, now: int) -> Stored:
        known, skipped = _known(caller, named)
        row = _locked_row(caller, endpoint, identifier, conditions)
        before = texts.document_of(endpoint, row)
        document = with_schemas(endpoint, {**_with_defaults(after(before)), "id": identifier, "members": None})
        if not (document.get("displayName") or "").strip():
            raise InvalidValueException(detail="displayName is required and may not be blank; send it")
        moved = _move(caller, identifier, member_changes, frozenset(known), now)
        moved.skipped = skipped
        if document != before or moved.added or moved.removed:
            count = row.member_count + moved.added - moved.removed
            columns = {**_columns(document), "member_count": count, "modified": now}
            new = document if document != before else None
            _unique(document, lambda: resources.update(caller.account_id, endpoint, row, new, columns))
        changes = [*document_changes(before, document), *moved.changes]
        if changes:
            _tell(caller, "group.updated", identifier, document, [*changes, *ignored(unknown)], now)
        return _answer(caller, endpoint, identifier)

    return in_transaction(service, work)


def _move(caller: Caller, identifier: str, changes: Sequence[MemberChange], known: frozenset[str], now: int) -> Moved:
    """Carry out the changes of members in the order sent; only the named rows are touched."""
    moved = Moved()
    for change in changes:
        ids = [one for one in change.ids if one in known]
        if change.op == "remove":
            moved.remove(memberships.remove(caller.account_id, identifier, change.ids))
            continue
        if change.op == "replace":
            gone = set(memberships.ids(caller.account_id, identifier)) - set(ids)
            moved.remove(memberships.remove(caller.account_id, identifier, gone))
        moved.add(memberships.add(caller.account_id, identifier, ids, now))
    return moved


def _known(caller: Caller, ids: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the ids that are users of the account, in the order sent, and the others (A-33, E28).

    The others are skipped while at least one is known, so that one user who is gone does not cost a whole push;
    the strict profile refuses.
    """
    if not ids:
        return [], ()
    found = memberships.lock_users(caller.account_id, ids)
    unknown = tuple(dict.fromkeys(one for one in ids if one not in found))
    if unknown and (not found or caller.profile.unknown_members == "refuse"):
        raise Refused("R27", "E28", value=unknown[0][:100])
    return [one for one in ids if one in found], unknown


def _limited(service: Service, ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(ids) > service.limits.members:
        raise PayloadTooLargeException(
            detail=f"{len(ids)} members in one request; at most {service.limits.members} are taken, send them in parts"
        )
    return ids


def _read(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Body:
    body = caller.profile.rewrite_body(endpoint, body)
    return read_resource(endpoint, body, caller.profile.tolerance, service.catalogue)


def _with_defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in (document.get(ACCOUNT_GROUP) or {}).items() if value is not None}
    licence = given.pop("licenseType", "none")
    if licence.lower() != "none":
        raise NotImplementedException(
            detail=f"licenseType: groups cannot give the licence '{licence[:60]}' yet; set licenseType on the users"
        )
    return {**document, ACCOUNT_GROUP: {"kind": "directory", **given}}


def _columns(document: Mapping[str, Any]) -> dict[str, Any]:
    extension = document[ACCOUNT_GROUP]
    return {"kind": extension["kind"], "licence_type": extension.get("licenseType")}


def _locked_row(caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> sa.Row[Any]:
    row = resources.fetch_row(caller.account_id, endpoint, identifier)
    if row is None:
        raise not_found(identifier)
    conditions.check(row.version)
    return row


def not_found(identifier: str) -> NotFoundException:
    """Return the error for the id of no group of the account."""
    return NotFoundException(detail=f"Group '{identifier[:100]}' not found. Look it up by its displayName.")


def _unique(document: Mapping[str, Any], write: Callable[[], None]) -> None:
    try:
        write()
    except resources.Taken:
        raise Refused("R27", "E27", name=document["displayName"]) from None


def _answer(caller: Caller, endpoint: Endpoint, identifier: str) -> Stored:
    answer = resources.fetch(caller.account_id, endpoint, identifier)
    assert answer is not None
    return answer


def _tell(
    caller: Caller, action: str, identifier: str, document: Mapping[str, Any], changes: Sequence[Change], now: int
) -> None:
    entry = journal.Entry(
        action, target_type="Group", target_id=identifier, target_name=document["displayName"], changes=changes
    )
    journal.write(caller.account_id, caller.actor, [entry], now)
