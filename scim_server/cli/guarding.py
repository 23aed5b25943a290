"""What an administrator decides about a connection or the guard of an account; each a transaction with its entries."""

from typing import Any

import orjson
import sqlalchemy as sa

from scim_server.account import guard
from scim_server.account.guard import MINUTE, NOTED, Trip, Watch
from scim_server.account.policies import POLICIES, Policies, policies_from
from scim_server.cli import wiring
from scim_server.cli.portal import ACTOR, Portal
from scim_server.cli.texts import PortalError
from scim_server.protocol.documents import instant
from scim_server.store import accounts, credentials, guards, journal
from scim_server.store.identifiers import now
from scim_server.store.journal import Entry

HOUR = 60 * MINUTE
LONGEST_REASON = 200
_ACTIONS = (
    "user.deactivated",
    "user.deleted",
    "license.withdrawn",
    "license.released",
    "group.updated",
    "group.deleted",
)


def pause(portal: Portal, account: str, name: str, reason: str | None) -> dict[str, Any]:
    """Pause a connection; again is no change."""
    return _paused(portal, account, name, _reason(reason), paused=True)


def resume(portal: Portal, account: str, name: str) -> dict[str, Any]:
    """Let a paused connection go on; again is no change."""
    return _paused(portal, account, name, None, paused=False)


def basic(portal: Portal, account: str, name: str, is_on: bool) -> dict[str, Any]:
    """Let a connection use HTTP Basic, or not; again is no change."""
    with portal.changing(account) as row:
        answer, entries = wiring.set_basic(row, name, basic=is_on)
        _record(row, list(entries))
    return answer


def show(portal: Portal, account: str) -> dict[str, Any]:
    """Return where the guard of an account stands: its thresholds, what it has counted, what it holds."""
    with portal.reading(account) as row:
        moment = now()
        policies, watch = policies_from(accounts.settings_of(row)), guards.read(row.id)
        for of in ("users", "groups"):
            watch = guard.sized(watch, of, guards.size(row.id, of), moment)
        return {
            "account": row.name,
            **_state(row, watch, policies, moment),
            "windowMinutes": policies.guard_window,
            "kinds": [_kind(watch, kind, policies, moment) for kind in guard.KINDS],
            "recent": _recent(row, policies, moment),
        }


def approve(portal: Portal, account: str, hours: int, changes: int | None) -> dict[str, Any]:
    """Let guarded changes of an account through for some hours, any number of them or so many."""
    with portal.changing(account) as row:
        moment = now()
        before, watch = guards.lock(row.id), guard.approved(moment + hours * HOUR, changes)
        guards.save(row.id, watch)
        told: list[dict[str, Any]] = [
            {"attribute": "until", "to": instant(moment + hours * HOUR)},
            {"attribute": "changes", "to": changes},
        ]
        _record(row, [Entry("guard.approved", "success", "Account", row.id, row.name, told)])
        state = _state(row, watch, policies_from(accounts.settings_of(row)), moment)
    return {"account": row.name, **state, "wasTripped": before.trip is not None}


def reject(portal: Portal, account: str) -> dict[str, Any]:
    """Refuse what the guard of an account holds: the connections that sent it are paused, the guard watches anew."""
    with portal.changing(account) as row:
        watch, moment = guards.lock(row.id), now()
        if watch.trip is None:
            raise PortalError(f"the guard of account '{row.name}' holds nothing that could be rejected.")
        guards.save(row.id, Watch())
        reason = f"the guard held its changes and they were rejected: {_why(watch.trip, row)}"
        senders = {watch.trip.connection_id, *watch.held}
        stopped = [one for one in credentials.connections(row.id) if one.id in senders and one.paused_at is None]
        entries = [Entry("guard.rejected", "success", "Account", row.id, row.name, detail=_why(watch.trip, row))]
        entries += [wiring.paused_or_resumed(row.id, one, reason, moment) for one in stopped]
        _record(row, entries)
    return {"account": row.name, "state": "watching", "paused": [one.name for one in stopped]}


def _paused(portal: Portal, account: str, name: str, reason: str | None, *, paused: bool) -> dict[str, Any]:
    with portal.changing(account) as row:
        answer, entries = wiring.pause(row, name, reason, paused=paused)
        _record(row, list(entries))
    return answer


def _reason(text: str | None) -> str | None:
    reason = (text or "").strip()
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise PortalError(f"a reason has at most {LONGEST_REASON} printable characters.")
    return reason or None


def _state(account: sa.Row[Any], watch: Watch, policies: Policies, moment: int) -> dict[str, Any]:
    """Return what the guard does with the next change, and why."""
    names = {one.id: one.name for one in credentials.connections(account.id)}
    if watch.open_until is not None and moment < watch.open_until:
        return {"state": "approved", "until": instant(watch.open_until), "changesLeft": watch.open_for}
    if watch.trip is None:
        return {"state": "watching"}
    targets = [(kind, identifier) for kind, identifier in watch.targets]
    called = guards.names(account.id, targets)
    return {
        "state": "tripped",
        "since": instant(watch.trip.since),
        "why": guard.told(watch.trip, policies),
        "connection": names.get(watch.trip.connection_id),
        "held": {names.get(one, one): number for one, number in watch.held.items()},
        "targets": [{"type": kind, "id": one, "name": called.get(one)} for kind, one in targets],
    }


def _kind(watch: Watch, kind: str, policies: Policies, moment: int) -> dict[str, Any]:
    field, _ = POLICIES[f"guard.{kind}"]
    return {
        "kind": kind,
        "threshold": getattr(policies, field),
        "limit": guard.limit_of(watch, kind, policies),
        "counted": guard.counted(watch, kind, policies, moment),
    }


def _recent(account: sa.Row[Any], policies: Policies, moment: int) -> list[dict[str, Any]]:
    """Return the newest changes of the guarded sorts within the window, as the journal has them."""
    found = journal.since(account.id, _ACTIONS, moment - policies.guard_window * MINUTE, 4 * NOTED)
    told = [
        {
            "time": instant(one.occurred_at),
            "action": one.action,
            "id": one.target_id,
            "name": one.target_name,
            "by": one.actor,
        }
        for one in found
        if one.action != "group.updated" or any(part.get("removed") for part in orjson.loads(one.changes))
    ]
    return told[:NOTED]


def _why(trip: Trip, account: sa.Row[Any]) -> str:
    return guard.told(trip, policies_from(accounts.settings_of(account)))


def _record(account: sa.Row[Any], entries: list[Entry]) -> None:
    journal.write(account.id, ACTOR, entries, now())
