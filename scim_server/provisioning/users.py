"""The use cases that write a user: read, judge by the account's rules, carry out, save, tell the journal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import sqlalchemy as sa
from scim2_models import Context, InvalidValueException

from scim_server.account import rules
from scim_server.account.model import Facts, Member, Plan
from scim_server.account.refusals import Refused
from scim_server.members import asked_of, asking, asserted_names, decided, in_step, member_of, with_defaults
from scim_server.protocol.catalogue import ACCOUNT_USER, ENTERPRISE, USER, Attribute, Endpoint
from scim_server.protocol.conditions import Conditions
from scim_server.protocol.documents import Stored
from scim_server.protocol.intake import Notes
from scim_server.protocol.messages import Body, judged, read_resource, replaced, spoken, with_schemas
from scim_server.protocol.patches import read_patch
from scim_server.provisioning import guarding, myself, passwords
from scim_server.provisioning.caller import Caller, NeedsAccount, Service, in_transaction
from scim_server.provisioning.changes import document_changes, ignored, masked_name, member_changes, user_entries
from scim_server.provisioning.grace import lock_account
from scim_server.provisioning.moving import TOLD
from scim_server.provisioning.seats import Decided, carry_out_own
from scim_server.store import accounts, group_licences, journal, licences, memberships, resources, texts, user_logs
from scim_server.store.identifiers import new_id
from scim_server.store.resources import Lock

CRITICAL = frozenset({"active", "roles", "entitlements", "phoneNumbers", "timezone"})
"""The core attributes that a PUT which omits them leaves as they are (P3); the whole account extension besides."""
SEATS = frozenset({"active", "role", "licenseType", "licenseActivated", "licenseTransferTo"})
"""The attributes whose change most likely moves a seat or an administrator."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A change of one user as a request asks for it."""

    document: Mapping[str, Any]
    asserted: frozenset[str]
    notes: Notes
    password: Mapping[str, Any]
    """What is written into the column of the password."""


def create(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Stored:
    """Create a user (R2-R7, R13, R16-R20, R23, R26)."""
    read = _read(service, caller, endpoint, body)
    document = with_defaults(read.document)
    judged(endpoint, document, read.notes, Context.RESOURCE_CREATION_REQUEST)
    password = passwords.columns(service, caller, None, read.document)
    asked = Asked(document, _asserted_by_body(read.document, {}), read.notes, password)
    settle = partial(_settle, service, caller, endpoint, new_id(), None, asked, False)
    return in_transaction(service.database, caller.account_id, lambda _, now: settle(now))


def put(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Replace a user by what a PUT says, keeping what the account does not let silence decide (P3, P7)."""
    read = _read(service, caller, endpoint, body)
    judged(endpoint, with_defaults(read.document), read.notes, Context.RESOURCE_REPLACEMENT_REQUEST)
    password = passwords.columns(service, caller, identifier, read.document)

    def work(locked: bool, now: int) -> Stored:
        if locked:
            lock_account(caller, now)
        row = _locked_row(caller, endpoint, identifier, conditions)
        before = texts.document_of(endpoint, row)
        after = replaced(endpoint, before, read.document, _kept(endpoint))
        asked = Asked(after, _asserted_by_body(read.document, before), read.notes, password)
        return _settle(service, caller, endpoint, identifier, row, asked, locked, now)

    return in_transaction(service.database, caller.account_id, work)


def patch(
    service: Service, caller: Caller, endpoint: Endpoint, identifier: str, body: Any, conditions: Conditions
) -> Stored:
    """Apply a PATCH to a user: all of its operations or none."""
    rewritten = caller.profile.rewrite_patch(endpoint, body)
    message = read_patch(endpoint, rewritten, caller.profile.tolerance, service.limits.patch_operations)
    asserted = asserted_names(message.asserted)
    password = passwords.columns(service, caller, identifier, passwords.sent_by(message.operations))

    def work(locked: bool, now: int) -> Stored:
        if locked:
            lock_account(caller, now)
        row = _locked_row(caller, endpoint, identifier, conditions)
        before = texts.document_of(endpoint, row)
        after = message.apply(endpoint, before, caller.profile.policy)
        asked = Asked(after, asserted, message.notes, password)
        return _settle(service, caller, endpoint, identifier, row, asked, locked, now)

    return in_transaction(service.database, caller.account_id, work, locks_account=bool(asserted & SEATS))


def delete(service: Service, caller: Caller, endpoint: Endpoint, identifier: str, conditions: Conditions) -> None:
    """Delete a user for good, with its memberships and logs, and serve who waits for the seat (R21, R22)."""

    def work(_: bool, now: int) -> None:
        lock_account(caller, now)
        row = _locked_row(caller, endpoint, identifier, conditions, Lock.DELETE)
        before = member_of(identifier, texts.document_of(endpoint, row), row)
        administrators = accounts.active_administrators(caller.account_id) if before.is_active_administrator else 0
        plan = rules.decide(before, None, Facts(now, caller.policies, active_administrators=administrators))
        own = Decided(before, plan, user_logs.purge(caller.account_id, identifier))
        groups = memberships.leave_all(caller.account_id, before, now)
        accounts.remember_deleted(caller.account_id, row.user_name, now)
        resources.delete(caller.account_id, endpoint, identifier)
        own, *others = carry_out_own(caller.account_id, caller.policies, own, None, now)
        guarding.check(caller, (own, *others), now)
        masked = masked_name(row.user_name, caller.policies.deletion_audit_identity)
        left = [{"attribute": "groups", "from": groups[:TOLD]}] if groups else []
        journal.write(caller.account_id, caller.actor, user_entries(own, masked, left, others), now)
        if masked != row.user_name:
            journal.mask(caller.account_id, identifier, row.user_name, masked)

    in_transaction(service.database, caller.account_id, work)


def _read(service: Service, caller: Caller, endpoint: Endpoint, body: Any) -> Body:
    """Read the body of a POST or PUT, dropping what the account takes for silence (P3)."""
    body = caller.profile.rewrite_body(endpoint, body)
    read = read_resource(endpoint, body, caller.profile.tolerance, service.catalogue)
    document = dict(read.document)
    for name in ("roles", "entitlements", "password"):
        if f"{USER}:{name}" in read.notes.empty:
            document.pop(name, None)
    if document.get("active") is None:
        document.pop("active", None)
    return spoken(replace(read, document=document), ACCOUNT_USER)


def _kept(endpoint: Endpoint) -> list[Attribute]:
    extension = endpoint.attributes[ACCOUNT_USER.lower()].sub_attributes.values()
    return [*(endpoint.attributes[name.lower()] for name in CRITICAL), *extension]


def _asserted_by_body(body: Mapping[str, Any], before: Mapping[str, Any]) -> frozenset[str]:
    """Return what a POST or PUT asserts: what it gives another value than the stored one (P7)."""
    extension, stored = body.get(ACCOUNT_USER) or {}, before.get(ACCOUNT_USER) or {}
    differing = [f"{USER}:{name}" for name, value in body.items() if before.get(name) != value]
    differing += [f"{ACCOUNT_USER}:{name}" for name, value in extension.items() if stored.get(name) != value]
    return asserted_names(frozenset(differing))


def _locked_row(
    caller: Caller,
    endpoint: Endpoint,
    identifier: str,
    conditions: Conditions,
    lock: Lock = Lock.CHANGE,
) -> Any:
    row = resources.fetch_row(caller.account_id, endpoint, identifier, lock)
    if row is None:
        raise Refused("R22", "E23", id=identifier)
    conditions.check(row.version)
    return row


def _settle(
    service: Service,
    caller: Caller,
    endpoint: Endpoint,
    identifier: str,
    row: sa.Row[Any] | None,
    asked: Asked,
    locked: bool,
    now: int,
) -> Stored:
    """Have the rules decide on a creation or a change, and write what they decided."""
    stored = texts.document_of(endpoint, row) if row is not None else None
    document = in_step(stored, asked.document)
    _check_required(document)
    before = member_of(identifier, stored, row) if stored is not None else None
    after = asking(before, document) if before else asked_of(identifier, document)
    if caller.user_id is not None:
        myself.check(before, after, stored, document)
    target = document[ACCOUNT_USER].get("licenseTransferTo")
    if not locked and rules.touches_account(before, after, asked.asserted, caller.policies):
        if row is not None:
            raise NeedsAccount  # the account comes before its users
        lock_account(caller, now)
    facts = _facts(caller, before, after, asked.asserted, _transfer_target(caller, endpoint, target), now)
    plan = rules.decide(before, after, facts)
    assert plan.after is not None
    document = _final(service, caller, endpoint, identifier, stored, decided(document, plan.after))
    _write(caller, endpoint, row, before, plan, document, facts, asked, now)
    answer = resources.fetch(caller.account_id, endpoint, identifier)
    assert answer is not None
    return answer


def _facts(
    caller: Caller,
    before: Member | None,
    after: Member,
    asserted: frozenset[str],
    transfer_to: Member | str | None,
    now: int,
) -> Facts:
    """Ask the account for what the rules need to know about this request, and for nothing else."""
    account_id = caller.account_id
    facts = Facts(
        now=now,
        policies=caller.policies,
        approved_domains=accounts.approved(account_id, rules.domains_in_question(before, after)),
        asserted=asserted,
        transfer_to=transfer_to,
        was_deleted=before is None and accounts.was_deleted(account_id, after.user_name),
    )
    if not rules.touches_account(before, after, asserted, caller.policies):
        return facts
    given = group_licences.types_given(account_id, [before.id])[before.id] if before else []
    mine = {before.licence_type, before.licence_pending_type} if before else set()
    return replace(
        facts,
        pools=accounts.pools(account_id),
        active_administrators=accounts.active_administrators(account_id),
        group_types=tuple(type for type, _ in given) if before else None,
        licence_group=next((name for type, name in given if type in mine), None),
    )


def _transfer_target(caller: Caller, endpoint: Endpoint, target: str | None) -> Member | str | None:
    if not target:
        return None
    found = resources.find_user(caller.account_id, endpoint, target)
    return target if found is None else member_of(found.id, found.document, found.row)


def _check_required(document: Mapping[str, Any]) -> None:
    if not (document.get("userName") or "").strip():
        raise InvalidValueException(detail="userName is required and may not be blank; send it")


def _final(
    service: Service,
    caller: Caller,
    endpoint: Endpoint,
    identifier: str,
    stored: Mapping[str, Any] | None,
    document: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the document as it is stored, what is known of the manager filled in (PAT-32, S14)."""
    enterprise = dict(document.get(ENTERPRISE) or {})
    manager = enterprise.get("manager")
    if manager and manager != ((stored or {}).get(ENTERPRISE) or {}).get("manager"):
        enterprise["manager"] = _manager(service, caller, endpoint, manager)
        document = {**document, ENTERPRISE: enterprise}
    return with_schemas(endpoint, {**document, "id": identifier})


def _manager(service: Service, caller: Caller, endpoint: Endpoint, manager: Mapping[str, Any]) -> dict[str, Any] | None:
    value = manager.get("value")
    if not value:
        return None
    row = resources.fetch_row(caller.account_id, endpoint, value, Lock.NONE)
    if row is None:
        return {"value": value}
    known = {"value": value, "$ref": f"{service.base_url}/Users/{value}"}
    return {**known, "displayName": row.display_name} if row.display_name else known


def _write(
    caller: Caller,
    endpoint: Endpoint,
    row: sa.Row[Any] | None,
    before: Member | None,
    plan: Plan,
    document: dict[str, Any],
    facts: Facts,
    asked: Asked,
    now: int,
) -> None:
    """Write a decided user and its entries; a request that changes nothing, in the end, writes nothing (P5, S17)."""
    assert plan.after is not None
    old = texts.written(row) if row is not None else {}
    if row is not None and old == document and plan.after == before and not asked.password:
        return
    columns = {**licences.state_columns(facts.pools, before, plan.after, now), **asked.password}
    try:
        if row is None:
            columns |= {"id": plan.after.id, "version": 1, "created": now, "modified": now}
            resources.insert(caller.account_id, endpoint, document, columns)
        else:
            changed = document if old != document else None
            resources.update(caller.account_id, endpoint, row, changed, {**columns, "modified": now})
    except resources.Taken:
        raise Refused("R3", "E3", value=plan.after.user_name) from None
    target = facts.transfer_to if isinstance(facts.transfer_to, Member) else None
    own, *others = carry_out_own(caller.account_id, caller.policies, Decided(before, plan), target, now)
    guarding.check(caller, (own, *others), now)
    changes = [*document_changes(old, document), *member_changes(before, plan.after)]
    changes += [*({"attribute": name} for name in asked.password), *ignored(asked.notes.unknown)]
    entries = user_entries(own, plan.after.user_name, changes, others)
    journal.write(caller.account_id, caller.actor, entries, now)
