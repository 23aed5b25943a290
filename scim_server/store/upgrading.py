"""The database brought to the shape of this release, and the check at start that it has it."""

from pathlib import Path
from zlib import crc32

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from scim_server.store.database import Database

LOCATION = "scim_server.store:migrations"
_LOCK = crc32(LOCATION.encode())
"""The number of the advisory lock under which PostgreSQL is upgraded."""


class NotUpgraded(Exception):
    """The database does not have the shape of this release."""


def upgrade(database: Database) -> tuple[str | None, str]:
    """Bring the database to the newest revision, all or nothing; returns the revisions before and after.

    Servers that start side by side wait for each other.
    """
    with database.transaction(None) as connection:  # SQLite: the write lock is held from here on
        if database.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        before = _revision(connection)
        if before is not None and before not in _known():
            raise NotUpgraded(_newer(before))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return before, head()


def check(database: Database) -> None:
    """Refuse a database that does not have the shape of this release."""
    revision = None
    if _exists(database):
        with database.reading(None) as connection:
            revision = _revision(connection)
    if revision == head():
        return
    if revision is None:
        place = database.engine.url.render_as_string(hide_password=True)
        raise NotUpgraded(
            f"the database {place} has no tables yet. Is it the one that SCIM_DATABASE_URL should name? "
            "If so, run 'scim-server upgrade' once, then retry."
        )
    if revision not in _known():
        raise NotUpgraded(_newer(revision))
    raise NotUpgraded(
        f"the database is at revision {revision}, this release needs {head()}. Run 'scim-server upgrade', then retry."
    )


def is_above_rows(database: Database) -> bool:
    """Whether PostgreSQL does not hold the database's role to row-level security (docs/security.md)."""
    if database.dialect != "postgresql":
        return False
    asked = sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    with database.reading(None) as connection:
        return bool(connection.execute(asked).scalar())


def head() -> str:
    """Return the newest revision."""
    revision = _scripts().get_current_head()
    assert revision is not None  # there is always the first one
    return revision


def _exists(database: Database) -> bool:
    """Whether there is a database to look into: looking into an SQLite file would create it."""
    return database.dialect != "sqlite" or Path(str(database.engine.url.database)).exists()


def _newer(revision: str) -> str:
    return f"the database is at revision {revision}, which this release does not know. Install the newer release again."


def _known() -> frozenset[str]:
    return frozenset(script.revision for script in _scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", LOCATION)
    return config


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
