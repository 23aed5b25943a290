"""The record of a refusal: written after the roll-back, in a transaction of its own (R29)."""

import logging
import re
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from scim_server.protocol.catalogue import Endpoint
from scim_server.provisioning.caller import Caller, Service
from scim_server.provisioning.moving import TOLD, unnamed
from scim_server.store import journal
from scim_server.store.database import OutOfTime
from scim_server.store.identifiers import now

log = logging.getLogger("scim_server")


def record_refusal(
    service: Service,
    caller: Caller,
    method: str,
    path: str,
    body: Any,
    status: int,
    detail: str,
    rule: str | None,
    error: str | None,
) -> None:
    """Tell the journal what was refused, of whom and why, so that an administrator finds it by the user's name."""
    _, _, tail = path.partition("/scim/v2/")
    resource, _, identifier = tail.removesuffix("/.search").partition("/")
    endpoint = service.catalogue.endpoint_at(f"/{resource}")
    type_name, target_id = endpoint.name if endpoint else None, _plain(identifier.strip("/")[:64]) or None
    if caller.user_id is not None:
        type_name, target_id = "User", caller.user_id
    named = [_plain(one) for one in _members(body)] if type_name == "Group" else []
    entry = journal.Entry(
        action="request.refused",
        outcome="refused",
        target_type=type_name,
        target_id=target_id,
        target_name=_name(body) or _address(detail),
        changes=(
            {"method": _plain(method[:40]), "path": _plain(path[:200])},
            *([{"attribute": "members", "named": named}] if named else []),
        ),
        status=status,
        rule=rule,
        error=error,
        detail=_plain((detail if rule else _discreet(detail, endpoint))[:2000]),
    )
    try:
        with service.database.transaction(caller.account_id):
            journal.write(caller.account_id, caller.actor, [entry], now())
    except (SQLAlchemyError, OutOfTime):
        log.exception("request %s: its refusal could not be recorded", caller.actor.request_id)


def _members(body: Any) -> list[str]:
    """Return the members that a refused body of a group names, so that the refusal is found by each of them."""
    found: list[str] = []
    waiting = [body]
    while waiting and len(found) < TOLD:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
            path = str(one.get("path") or "members")  # an operation on something else, such as a rename, names nobody
            if path.lower().startswith("members"):
                texts = [*_QUOTED.findall(path[:200]), one.get("value")]
                found += [unnamed(text[:64]) for text in texts if isinstance(text, str)]
        elif isinstance(one, list):
            waiting += one[:TOLD]
    return found


_QUOTED = re.compile('"([^"]+)"')


def _name(body: Any) -> str | None:
    """Return the userName or displayName of a refused body, if it has one in the usual spelling."""
    if not isinstance(body, dict):
        return None
    name = next((value for key, value in body.items() if key.lower() in ("username", "displayname")), None)
    return _plain(name[:512]) if isinstance(name, str) else None


def _address(detail: str) -> str | None:
    """Return the address that a detail tells: the one in use, or that of the only administrator."""
    found = _ADDRESS.search(detail)
    return _plain(found.group(1)[:512]) if found else None


_ADDRESS = re.compile("'([^'\\s]+@[^'\\s]+)'")


def _discreet(detail: str, endpoint: Endpoint | None) -> str:
    """Return a detail of the protocol without the values that it quotes where nobody may learn them.

    They may be numbers or passwords, or those of what a configured type never shows.
    """
    hidden = [one.name for one in endpoint.by_urn.values() if one.returned == "never"] if endpoint else []
    is_private = _PRIVATE.search(detail) or any(name.lower() in detail.lower() for name in hidden)
    return _VALUES.sub("...", detail) if is_private else detail


_PRIVATE = re.compile("phoneNumbers|password", re.IGNORECASE)
_VALUES = re.compile(r"'.*'|\"[^\"]*\"|\+?\d[\d ().-]*")


def _plain(text: str) -> str:
    """Return a text that every database takes."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "?")
