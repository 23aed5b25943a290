"""The use cases that write a group: its document through the models, its members through rows, its licence (R27)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from scim2_models import Context, InvalidValueException, NotFoundException

from scim_server.account.guard import is_cleared
from scim_server.account.refusals import Refused
from scim_server.protocol.catalogue import ACCOUNT_GROUP, Endpoint
from scim_server.protocol.conditions import Conditions
from scim_server.protocol.documents import Stored
from scim_server.protocol.messages import Body, judged, read_resource, replaced, spoken, with_schemas
from scim_server.protocol.patches import read_patch
from scim_server.protocol.selections import MemberChange, member_ids
from scim_server.provisioning import group_licences, guarding
from scim_server.provisioning.caller import Caller, NeedsAccount, Service, in_transaction
from scim_server.provisioning.changes import Change, document_changes, entries_of, ignored
from scim_server.provisioning.grace import lock_account
from scim_server.provisioning.group_kinds import check_mailbox
from scim_server.provisioning.moving import Moved, known_members, limited, move
from scim_server.provisioning.seats import Decided
from scim_server.store import journal, memberships, resources, texts
from scim_server.store.identifiers import new_id
from scim_server.store.mapping import GROUP_COLUMNS


@dataclass(frozen=True, slots=True)
class Asked:
    """A change of one group as a request asks for it."""

    after: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    """What the request makes of the group's document, its members aside."""
    members: Sequence[MemberChange]
    unknown: Sequence[str]


def create(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Stored:
    """Create a group, with or without members, with or without a licence to give (E4, E27, E28)."""
    read = _read(service, caller, endpoint, body)
    document = _with_defaults(read.document)
    judged(endpoint, document, read.notes, Context.RESOURCE_CREATION_REQUEST)
    ids = limited(service, member_ids(read.document.get("members")))
    asked = group_licences.type_of_new(caller.policies, document)
    identifier = new_id()

    def work(locked: bool, now: int) -> Stored:
        if locked:
            lock_account(caller, now)
        given = group_licences.checked(caller.account_id, asked)
        check_mailbox(caller.account_id, service.catalogue.endpoint_of("User"), {}, document)
        members, skipped = known_members(caller, ids)
        final = _final(endpoint, document, identifier)
        columns = {"id": identifier, "version": 1, "created": now, "modified": now, **_columns(final)}
        columns |= {"member_count": len(members), "licence_type": given}
        _unique(final, lambda: resources.insert(caller.account_id, endpoint, final, columns))
        moved = Moved(dict.fromkeys(memberships.add(caller.account_id, identifier, members, now)), skipped=skipped)
        decided = group_licences.members_moved(caller, identifier, given, moved, now) if given else []
        changes = [*document_changes({}, final), *_giving(None, given), *moved.changes, *ignored(read.notes.unknown)]
        _tell(caller, "group.created", identifier, final, changes, now, decided)
        return _answer(caller, endpoint, identifier)

    return in_transaction(service.database, caller.account_id, work, locks_account=asked is not None)


def put(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Replace a group by what a PUT says, keeping members and licence that it does not mention (P3)."""
    read = _read(service, caller, endpoint, body)
    judged(endpoint, _with_defaults(read.document), read.notes, Context.RESOURCE_REPLACEMENT_REQUEST)
    changes: tuple[MemberChange, ...] = ()
    if "members" in read.document:
        changes = (MemberChange("replace", limited(service, member_ids(read.document["members"]))),)
    kept = tuple(endpoint.attributes[ACCOUNT_GROUP.lower()].sub_attributes.values())

    def after(before: Mapping[str, Any]) -> Mapping[str, Any]:
        return replaced(endpoint, before, read.document, kept)

    return _changed(service, caller, endpoint, identifier, conditions, Asked(after, changes, read.notes.unknown))


def patch(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Apply a PATCH to a group; its cost is that of the members it names, whatever the size of the group."""
    rewritten = caller.profile.rewrite_patch(endpoint, body)
    message = read_patch(endpoint, rewritten, caller.profile.tolerance, service.limits.patch_operations)
    limited(service, tuple(one for change in message.members for one in change.ids))

    def after(before: Mapping[str, Any]) -> Mapping[str, Any]:
        return message.apply(endpoint, before, caller.profile.policy)

    asked = Asked(after, message.members, message.notes.unknown)
    return _changed(service, caller, endpoint, identifier, conditions, asked)


def delete(service: Service, caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> None:
    """Delete a group; its members stay users, without the licence that it gave (R27)."""

    def work(locked: bool, now: int) -> None:
        if locked:
            lock_account(caller, now)
        row = _locked_row(caller, endpoint, identifier, conditions)
        if row.licence_type is not None and not locked:
            raise NeedsAccount
        members = memberships.ids(caller.account_id, identifier) if row.licence_type else []
        resources.delete(caller.account_id, endpoint, identifier)
        decided = group_licences.followed(caller, members, now) if members else []
        guarding.check(caller, decided, now, cleared=row.member_count > 0)
        _tell(caller, "group.deleted", identifier, {"displayName": row.display_name}, [], now, decided)

    in_transaction(service.database, caller.account_id, work)


def _changed(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions, asked: Asked
) -> Stored:
    """Write a changed group; users are locked before the group, as everywhere."""
    named = [one for change in asked.members if change.op != "remove" for one in change.ids]

    def work(locked: bool, now: int) -> Stored:
        if locked:
            lock_account(caller, now)
        known, skipped = known_members(caller, named)
        row = _locked_row(caller, endpoint, identifier, conditions)
        before = texts.document_of(endpoint, row)
        after = _with_defaults(asked.after(before))
        check_mailbox(caller.account_id, service.catalogue.endpoint_of("User"), before, after)
        given = group_licences.type_asked(caller.account_id, row.licence_type, after)
        if not locked and (given != row.licence_type or (given and asked.members)):
            raise NeedsAccount  # the account comes before its groups
        moved = move(caller, identifier, asked.members, frozenset(known), now)
        moved.skipped = skipped
        final = _final(endpoint, after, identifier)
        _save(caller, endpoint, row, final, moved, now)
        decided = group_licences.changed(caller, identifier, row.licence_type, given, moved, now)
        guarding.check(caller, decided, now, cleared=is_cleared(row.member_count, moved.removed))
        changes = [*document_changes(texts.written(row), final), *_giving(row.licence_type, given), *moved.changes]
        if changes:
            _tell(caller, "group.updated", identifier, final, [*changes, *ignored(asked.unknown)], now, decided)
        return _answer(caller, endpoint, identifier)

    return in_transaction(service.database, caller.account_id, work)


def _save(
    caller: Caller, endpoint: Endpoint, row: sa.Row[Any], document: Mapping[str, Any], moved: Moved, now: int
) -> None:
    """Write a group's document and the number of its members, if either changed."""
    if not (document.get("displayName") or "").strip():
        raise InvalidValueException(detail="displayName is required and may not be blank; send it")
    new = document if document != texts.written(row) else None
    if new or moved.added or moved.removed:
        count = row.member_count + moved.added - moved.removed
        columns = {**_columns(document), "member_count": count, "modified": now}
        _unique(document, lambda: resources.update(caller.account_id, endpoint, row, new, columns))


def _giving(before: str | None, after: str | None) -> list[Change]:
    """Return the change of the licence that the group gives, as the journal has it."""
    return [] if before == after else [{"attribute": "licenseType", "from": before, "to": after}]


def _read(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Body:
    body = caller.profile.rewrite_body(endpoint, body)
    return spoken(read_resource(endpoint, body, caller.profile.tolerance, service.catalogue), ACCOUNT_GROUP)


def _with_defaults(document: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in (document.get(ACCOUNT_GROUP) or {}).items() if value is not None}
    return {**document, ACCOUNT_GROUP: {"kind": "directory", **given}}


def _final(endpoint: Endpoint, document: Mapping[str, Any], identifier: str) -> dict[str, Any]:
    """Return the document as it is stored: without members, licence and counts, which are not kept in it."""
    extension = {name: value for name, value in document[ACCOUNT_GROUP].items() if name not in GROUP_COLUMNS}
    return with_schemas(endpoint, {**document, "id": identifier, "members": None, ACCOUNT_GROUP: extension})


def _columns(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"kind": document[ACCOUNT_GROUP]["kind"]}


def _locked_row(caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> Any:
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
    caller: Caller,
    action: str,
    identifier: str,
    document: Mapping[str, Any],
    changes: Sequence[Change],
    now: int,
    decided: Sequence[Decided] = (),
) -> None:
    """Tell the journal what became of the group, and of each member whose licence it changed."""
    entry = journal.Entry(
        action, target_type="Group", target_id=identifier, target_name=document["displayName"], changes=changes
    )
    journal.write(caller.account_id, caller.actor, [entry, *entries_of(decided)], now)
