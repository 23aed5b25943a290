"""Who calls, and how a use case runs: in one transaction, tried again when it lost a race."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import sqlalchemy as sa

from scim_server.account.policies import Policies
from scim_server.idp.profiles import Profile
from scim_server.protocol.catalogue import Catalogue
from scim_server.provisioning.floods import Floods
from scim_server.provisioning.noticing import Notebook
from scim_server.store.database import Database
from scim_server.store.filters import FilterLimits
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor
from scim_server.store.replica import Replica
from scim_server.store.resources import Stale

T = TypeVar("T")
ATTEMPTS = 8


class NeedsAccount(Exception):
    """The request turned out to move a seat or an administrator: it starts again with the account locked first."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request may ask for."""

    page: int = 1000
    default_page: int = 100
    patch_operations: int = 1000
    members: int = 20_000
    bulk_operations: int = 1000
    bulk_bytes: int = 10_485_760
    filter: FilterLimits = FilterLimits()
    nesting: int = 256
    """How deep the JSON of a body may nest."""
    seconds: float = 30
    """How long the database may work on a request."""


@dataclass(frozen=True, slots=True)
class Service:
    """What every use case needs: the catalogue, the database, the limits."""

    catalogue: Catalogue
    database: Database
    base_url: str
    """The external URL of the SCIM base path, such as ``https://scim.example.com/scim/v2``."""
    limits: Limits = field(default_factory=Limits)
    notebook: Notebook = field(default_factory=Notebook)
    """What the requests of this worker look like."""
    floods: Floods = field(default_factory=Floods)
    """What this worker refuses by the hundred."""
    replica: Replica | None = None
    """The hot standby that answers lists and searches, where there is one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's credential: it alone decides the account."""

    account_id: str
    actor: Actor
    scopes: frozenset[str]
    profile: Profile
    policies: Policies
    credential: str = ""
    """The digest of the credential, from which the key of its cursors is derived."""
    user_id: str | None = None
    """The user that the credential stands for (RFC 7644 section 3.11); None for an administrator's."""
    connection_id: str = ""


def in_transaction(
    database: Database, account_id: str, work: Callable[[bool, int], T], *, locks_account: bool = False
) -> T:
    """Run ``work(account_is_locked, now)`` in a transaction of an account; begin again after a concurrent change.

    Locks are taken in one order everywhere: the account, then users by id, then groups by id. Work that finds late
    that it needs the account raises NeedsAccount and is run again with the account locked from the start.
    """
    locked = locks_account
    for attempt in range(ATTEMPTS):
        try:
            with database.transaction(account_id):
                return work(locked, now())
        except NeedsAccount:
            locked = True
        except Stale:
            if attempt == ATTEMPTS - 1:
                raise
        except sa.exc.OperationalError as error:
            if attempt == ATTEMPTS - 1 or getattr(error.orig, "sqlstate", None) not in _LOST_RACES:
                raise
        except sa.exc.IntegrityError as error:
            if attempt == ATTEMPTS - 1 or getattr(error.orig, "sqlstate", None) != _FOREIGN_KEY_GONE:
                raise
    raise Stale


_LOST_RACES = frozenset({"40001", "40P01"})
"""PostgreSQL's serialization failure and deadlock."""
_FOREIGN_KEY_GONE = "23503"
"""A member was deleted between being looked up and being added."""
