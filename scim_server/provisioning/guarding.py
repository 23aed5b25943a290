"""What the guard of an account does around a change: counts with it, and notes after the roll-back that it was held."""

import logging
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from scim_server.account import guard
from scim_server.account.guard import Held
from scim_server.provisioning.caller import Caller, Service, in_transaction
from scim_server.provisioning.floods import tell
from scim_server.provisioning.seats import Decided
from scim_server.store import guards, journal
from scim_server.store.database import OutOfTime
from scim_server.store.journal import Entry

log = logging.getLogger("scim_server")
Work = TypeVar("Work", bound=Callable[..., Any])

WAY_OUT = (
    "nothing was changed; an administrator of the service decides: scim-server guard show, then guard approve or "
    "guard reject"
)


def check(caller: Caller, decided: Iterable[Decided], moment: int, *, cleared: bool = False) -> None:
    """Count what a change takes from users and groups, in its transaction and at its end; raises Held.

    ``cleared`` where it empties a group.
    """
    effects = (effect for one in decided for effect in one.plan.effects)
    losses = guard.losses(effects, caller.policies, int(cleared))
    if not losses:
        return
    watch = guards.lock(caller.account_id)
    for of in guard.in_doubt(watch, losses, caller.policies, moment):
        watch = guard.sized(watch, of, guards.size(caller.account_id, of), moment)
    guards.save(caller.account_id, guard.admit(watch, losses, caller.policies, caller.connection_id, moment))


def guarded(use_case: Work) -> Work:
    """Have a use case note what the guard held back of it."""

    @wraps(use_case)
    def noting(service: Service, caller: Caller, endpoint: Any, identifier: Any, *arguments: Any) -> Any:
        try:
            return use_case(service, caller, endpoint, identifier, *arguments)
        except Held as held:
            target = (endpoint.name, identifier) if isinstance(identifier, str) else (endpoint.name, "")
            _note(service, caller, held, target)
            raise

    return noting  # type: ignore[return-value]  # the signature is the same


def why(held: Held, caller: Caller) -> str:
    """Return why a change was held, and the way out."""
    return f"the account's guard holds this back: {guard.told(held.trip, caller.policies)}; {WAY_OUT}"


def _note(service: Service, caller: Caller, held: Held, target: tuple[str, str]) -> None:
    """Trip the guard, or count one more that it holds: of the first the journal knows at once, of others by number."""

    def work(_: bool, moment: int) -> bool:
        before = guards.lock(caller.account_id)
        after = guard.tripped(before, held, target, caller.connection_id, moment)
        guards.save(caller.account_id, after)
        is_first = before.trip is None and after.trip is not None
        if is_first:
            journal.write(caller.account_id, caller.actor, [_entry(caller, held, target)], moment)
        return is_first

    try:
        if in_transaction(service.database, caller.account_id, work):
            return
    except (SQLAlchemyError, OutOfTime):
        log.exception("request %s: that it was held could not be recorded", caller.actor.request_id)
    told = why(held, caller)
    tell(service.database, service.floods, caller.account_id, caller.connection_id, caller.actor, 503, told)


def _entry(caller: Caller, held: Held, target: tuple[str, str]) -> Entry:
    number = {"attribute": held.trip.kind, "to": held.trip.number, "limit": held.trip.limit}
    detail = why(held, caller)
    return Entry("guard.tripped", "refused", target[0], target[1] or None, None, [number], status=503, detail=detail)
