"""The password of a user, for the accounts that keep it: as a digest, written and never told (A-50, PWD-01)."""

from collections.abc import Mapping
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from scim2_models import InvalidValueException

from scim_server.protocol.catalogue import USER
from scim_server.protocol.folding import opaque
from scim_server.protocol.operations import Operation
from scim_server.provisioning.caller import Caller, Service
from scim_server.store import resources

PASSWORD = f"{USER}:password"
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""argon2id with 19 MiB, as OWASP has it: many users are provisioned at once, and each costs some 20 ms."""


def sent_by(operations: tuple[Operation, ...]) -> Mapping[str, Any]:
    """Return the password that the operations of a PATCH end with; None takes it away, and without one it stays."""
    values = [one.value for one in operations if one.attribute.urn == PASSWORD]
    return {"password": values[-1]} if values else {}


def columns(service: Service, caller: Caller, identifier: str | None, sent: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a request writes into the column of the password: nothing where it says nothing new.

    Digests are slow by intention, so that this runs before the transaction of the request.
    """
    if caller.policies.passwords_store == "off" or "password" not in sent:
        return {}
    kept = None
    if identifier is not None:
        with service.database.reading(caller.account_id):
            kept = resources.password(caller.account_id, identifier)
    if sent["password"] is None:
        return {"password": None} if kept is not None else {}
    prepared = opaque(sent["password"])
    if prepared is None:
        raise InvalidValueException(
            detail="password is empty or has a character that none may have (RFC 8265 section 4.2); send another"
        )
    return {} if kept is not None and is_password(kept, prepared) else {"password": _HASHER.hash(prepared)}


def is_password(digest: str, prepared: str) -> bool:
    """Whether a prepared password is the one of a digest, and the digest as strong as those of today."""
    try:
        return _HASHER.verify(digest, prepared) and not _HASHER.check_needs_rehash(digest)
    except VerificationError:
        return False
