"""What is held off before it is worked on: what comes too fast, what a paused connection sends, guessed tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import NoReturn, Protocol

from flask import Flask, current_app, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from scim_server.provisioning import Caller, Service
from scim_server.provisioning.floods import tell
from scim_server.provisioning.rates import Buckets, Rates
from scim_server.settings import Settings
from scim_server.store.journal import Actor
from scim_server.store.slots import Slots
from scim_server.web.answers import scim_service

PAUSED_FOR = 300
"""Seconds after which a client may see whether its connection is paused still, or the guard has been decided on."""
RESUMED = "it goes on when an administrator of the service says: scim-server connection resume"
BULK_WAIT = 5
"""Seconds after which a bulk request that is one too many may come again."""
_BRAKES = "scim_brakes"


class Known(Protocol):
    """Who sends a request, a caller with its token or an OAuth client: one that its connection answers for."""

    @property
    def account_id(self) -> str:
        """The account."""

    @property
    def connection_id(self) -> str:
        """The connection."""

    @property
    def actor(self) -> Actor:
        """Whose doing it is in the journal."""


class Pausable(Protocol):
    """What was looked up of a credential or a client, with the pause of its connection."""

    @property
    def paused_at(self) -> int | None:
        """Since when the connection is paused."""

    @property
    def pause_reason(self) -> str | None:
        """Why."""


class Later(Exception):
    """A request is not worked on now; the client may come again after so many seconds."""

    status = 503

    def __init__(self, detail: str, seconds: float) -> None:
        super().__init__(detail)
        self.seconds = max(1, ceil(seconds))


class TooFast(Later):
    """The client sends more than it may: 429."""

    status = 429


class Paused(Later):
    """An administrator has paused the connection: 503."""


class Brakes:
    """What one worker holds its clients to."""

    def __init__(self, service: Service, settings: Settings) -> None:
        per_second, failures, database = settings.rate_limit, settings.auth_failures, service.database
        self.per_second = per_second
        self.rates = Rates(database, per_second, settings.rate_burst) if per_second else None
        self.failures = Buckets(failures / 60, failures) if failures else None
        self.bulks = Slots(database, settings.bulk_at_once)


def install(app: Flask, service: Service, settings: Settings) -> None:
    """Have the application hold its clients to the settings; behind proxies an address is what the outermost saw."""
    app.extensions[_BRAKES] = Brakes(service, settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=0, x_host=0)  # type: ignore[method-assign]  # as Flask has it


def admit(caller: Known, credential: Pausable) -> None:
    """Let a request of a known caller through, once; raises Paused and TooFast."""
    check_pause(caller, credential)
    _count(caller)


def check_pause(caller: Known, credential: Pausable) -> None:
    """Refuse what a paused connection sends; raises Paused."""
    if credential.paused_at is not None:
        reason = f": {credential.pause_reason}" if credential.pause_reason else ""
        detail = f"an administrator has paused this connection{reason}; {RESUMED}"
        _refuse(caller, Paused(detail, PAUSED_FOR))


def _count(caller: Known) -> None:
    brakes = _brakes()
    if brakes.rates is not None and (wait := brakes.rates.wait(caller.account_id, caller.connection_id)):
        detail = f"the connection sends more than {brakes.per_second} requests per second; send fewer, or use /Bulk"
        _refuse(caller, TooFast(detail, wait))


def refused(error: Exception) -> Exception:
    """Return what a refused authentication is answered: that it is, or that too many came from its address (LIM-01).

    A valid token never comes here: identity providers share addresses, and no stranger's guesses may lock one out.
    The scope that a known caller lacks is no failure of that sort, but counts as a request.
    """
    if "caller" in g:
        _count(g.caller)
        return error
    return failed(error) if "Authorization" in request.headers else error


def failed(error: Exception) -> Exception:
    """Count a failed authentication by its address; returns what it is answered: that it failed, or TooFast."""
    failures = _brakes().failures
    if failures is None:
        return error
    taken = failures.take(address_of(request.remote_addr))
    if taken.granted:
        return error
    return TooFast("too many failed authentications come from this address; correct the token", taken.wait)


def address_of(text: str | None) -> str:
    """Return the address by which failures are counted: without a port, of IPv6 the network, which one client has."""
    given = (text or "").strip()
    bare = given[1:].partition("]")[0] if given.startswith("[") else given
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return given[:64]
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else f"{int(address) >> 64:x}/64"
    return str(address)


@contextmanager
def one_bulk(caller: Caller) -> Iterator[None]:
    """Have no more bulk requests of a connection run at once than may; raises TooFast."""
    bulks = _brakes().bulks
    with bulks.one(caller.account_id, caller.connection_id) as is_given:
        if not is_given:
            detail = f"{bulks.at_once} bulk requests of this connection run already; send them one after the other"
            _refuse(caller, TooFast(detail, BULK_WAIT))
        yield


def _refuse(caller: Known, error: Later) -> NoReturn:
    """Refuse a request, of which the journal is told with others like it."""
    service, about = scim_service(), (caller.account_id, caller.connection_id, caller.actor)
    tell(service.database, service.floods, *about, error.status, str(error))
    raise error


def _brakes() -> Brakes:
    brakes: Brakes = current_app.extensions[_BRAKES]
    return brakes
