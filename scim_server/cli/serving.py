"""The commands that run the server and bring the database up to date."""

import ctypes
import gc
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from scim_server.cli.telling import json_option, private_files, tell, told_errors

if TYPE_CHECKING:
    from flask import Flask

    from scim_server.settings import Settings

TURNS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""How many requests one worker works on at a time; each holds at most one connection to the database."""
BACKLOG = 1024
CONNECTIONS = 2048
"""How many connections a worker keeps open, idle ones among them; more wait until one ends.

Each may have a thread that waits for a body or for a turn; threads are made when they are needed.
"""
IDLE_SECONDS = 75
"""How long a connection may be idle: longer than a proxy keeps its own end (60 seconds with some), so that no request
meets a connection that is being closed."""
LARGE = 256 * 1024
"""Bytes from which a block of memory goes back to the system as soon as it is free."""
GRACE = 30
"""How many seconds a worker has at the end to answer the requests it has begun."""

port_option = click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port to listen on."
)


@click.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Create the tables in the database of SCIM_DATABASE_URL, or bring them up to date."""
    with told_errors(), private_files():
        from flask import Flask

        from scim_server.settings import load
        from scim_server.store import upgrading
        from scim_server.store.database import Database

        database = Database(Flask("scim_server"), load().database_url)
        try:
            before, after = upgrading.upgrade(database)
        finally:
            database.engine.dispose()
    done = f"is up to date (revision {after})" if before == after else f"is now at revision {after}"
    tell(as_json, {"from": before, "to": after}, [f"The database {done}."])


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on; 0.0.0.0 for all.")
@port_option
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="One per core is best.")
@click.option(
    "--idle-seconds",
    type=click.IntRange(1, 3600),
    default=IDLE_SECONDS,
    show_default=True,
    help="How long a connection may be silent before a request and in its head; longer than the proxy keeps it.",
)
def serve(host: str, port: int, workers: int, idle_seconds: int) -> None:
    """Run the production server until it is told to stop (SIGTERM, Ctrl-C).

    Put a TLS proxy in front of it, or have it speak TLS itself: SCIM_TLS_CERTIFICATE and SCIM_TLS_KEY.
    """
    address = free_address(host, port)
    with told_errors():
        from scim_server.cli import transport
        from scim_server.settings import load

        scheme = "http" if load().tls_certificate is None else "https"
        settings = load(external_url=local_url(address, port, scheme))
        transport.check(settings)
        checked(settings)
    click.echo(f"Serving {settings.external_url}/scim/v2 on {address}, port {port}.")
    run(settings, address, port, workers, idle_seconds)


def local_url(address: str, port: int, scheme: str = "http") -> str:
    """Return the URL of a server on this machine."""
    if address in {"0.0.0.0", "::"}:  # noqa: S104  every address, so the loopback one too
        address = "127.0.0.1"
    return f"{scheme}://[{address}]:{port}" if ":" in address else f"{scheme}://{address}:{port}"


def free_address(host: str, port: int) -> str:
    """Return the IP address of a host, on which nobody listens at the port.

    The server shares its port with whoever asks, so that a second one would take half of the requests unnoticed.
    """
    try:
        family, _, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        address = str(where[0])
        socket.create_server((address, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]
        way_out = "Choose another one with --host and --port, or stop what uses it."
        raise click.ClickException(f"cannot listen on {host}, port {port}: {reason}. {way_out}") from error
    return address


def checked(settings: "Settings") -> "Flask":
    """Build the application once before any worker does, so that what is wrong is told here."""
    from scim_server import create_app

    app = create_app(settings)
    app.extensions["scim"].database.engine.dispose()  # no connection may be shared with a worker
    return app


def run(
    settings: "Settings",
    address: str,
    port: int,
    workers: int,
    idle_seconds: int = IDLE_SECONDS,
    announcement: Iterable[str] = (),
) -> None:
    """Serve until told to stop; the announcement is printed as soon as requests are answered."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    from scim_server.cli import transport

    lines = tuple(announcement)
    server = Granian(
        "scim-server",
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=CONNECTIONS,  # of which few work: see Reception
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        http=HTTPModes.http1,  # while it waits to see which version a client speaks, no time limit holds
        http1_settings=HTTP1Settings(header_read_timeout=idle_seconds * 1000),
        websockets=False,
        log_level=LogLevels.warning if lines else LogLevels.info,
        respawn_failed_workers=not lines,
        workers_kill_timeout=GRACE,
        **transport.options(settings),
    )
    renew = partial(_renew, settings, server.signal_handler_reload)
    server.signal_handler_reload = renew  # type: ignore[method-assign]  # there is no hook that may say no
    logging.getLogger("_granian").addFilter(lambda record: "which seems quite high" not in record.getMessage())
    _allow_open_files()
    server.serve(target_loader=partial(_application, settings, address, port, lines), wrap_loader=False)


def _renew(settings: "Settings", go_on: Callable[[], None], *_: Any) -> None:
    """Start new workers at SIGHUP; keep those that there are where the files of TLS could not be used."""
    from scim_server.cli import transport
    from scim_server.setting_sources import SettingsError

    try:
        transport.check(settings)
    except SettingsError as error:
        click.echo(f"The certificate is not renewed: {error}\nThe server goes on as it was.", err=True)
    else:
        go_on()


def _allow_open_files() -> None:
    """Let the workers have as many connections as they may, where the usual limit of open files is lower."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _give_large_blocks_back() -> None:
    """Have the C library keep none of the memory of large answers, which glibc does for each thread."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        m_mmap_threshold = -3
        set_option(m_mmap_threshold, LARGE)


def _application(settings: "Settings", address: str, port: int, lines: tuple[str, ...]) -> Callable[..., Any]:
    """Build the application of one worker."""
    from scim_server import create_app
    from scim_server.web.reception import Reception

    if lines:
        threading.Thread(target=_announce, args=(address, port, lines), daemon=True).start()
    _give_large_blocks_back()
    application = Reception(create_app(settings), settings.max_body_bytes, TURNS)
    gc.freeze()  # what was built at start stays: no collection needs to walk it again
    return application


def _announce(address: str, port: int, lines: tuple[str, ...]) -> None:
    """Print the lines once the port is answered."""
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    for line in lines:
        click.echo(line)
