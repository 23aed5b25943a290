"""The migrations lead to the tables of `tables.py`, from any start and however many run them at once."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from scim_server.store.database import Database
from scim_server.store.tables import metadata
from scim_server.store.upgrading import NotUpgraded, check, head, upgrade


@pytest.fixture(params=("sqlite", "postgresql"))
def database(request, make_url) -> Iterator[Database]:
    database = Database(Flask("migrations"), make_url(request.param))
    yield database
    database.engine.dispose()


def test_upgrade_makes_the_tables_of_the_metadata(database):
    assert upgrade(database) == (None, head())
    with database.engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_object": _is_of(database.dialect)}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []


def _is_of(dialect: str):
    """Leave out the indexes of the other database; the comparison does not ask their ``ddl_if``."""

    def include(thing, name, kind, reflected, compare_to):
        return kind != "index" or not thing.dialect_options["postgresql"]["using"] or dialect == "postgresql"

    return include


def test_upgrade_gives_every_constraint_and_index_the_name_of_the_metadata(database, make_url):
    upgrade(database)
    created = Database(Flask("created"), make_url(database.dialect))
    metadata.create_all(created.engine)
    assert shape(database) == shape(created)
    created.engine.dispose()


def test_upgrade_leaves_an_upgraded_database_alone(database):
    upgrade(database)
    assert upgrade(database) == (head(), head())


def test_servers_that_start_side_by_side_upgrade_once(database):
    results, errors = [], []

    def start():
        own = Database(Flask("side"), database.engine.url.render_as_string(hide_password=False))
        try:
            results.append(upgrade(own))
        except Exception as error:
            errors.append(error)
        finally:
            own.engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(results, key=str) == [*[(head(), head())] * 5, (None, head())]


def test_check_accepts_an_upgraded_database(database):
    upgrade(database)
    check(database)


def test_check_names_the_way_out_of_an_empty_database(database):
    with pytest.raises(NotUpgraded, match="scim-server upgrade"):
        check(database)


def test_check_names_the_way_out_of_an_older_database(database):
    upgrade(database)
    set_revision(database, "0000")
    with pytest.raises(NotUpgraded, match="0000"):
        check(database)


def test_upgrade_refuses_the_database_of_a_newer_release(database):
    upgrade(database)
    set_revision(database, "9999")
    with pytest.raises(NotUpgraded, match="newer release"):
        upgrade(database)


def test_text_is_compared_byte_by_byte(database):
    upgrade(database)
    with database.transaction() as connection:
        for name in ("a", "B", "Z", "é"):
            connection.execute(metadata.tables["account"].insert(), {"id": name, "name": name, "created": 0})
        account = metadata.tables["account"]
        names = connection.execute(sa.select(account.c.name).order_by(account.c.name)).scalars().all()
    assert names == ["B", "Z", "a", "é"]


def set_revision(database, revision):
    with database.transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def shape(database):
    """Everything that the database knows of the tables, without the order of the columns of a table."""
    inspector = sa.inspect(database.engine)
    return {
        name: {
            "columns": told(inspector.get_columns(name)),
            "key": inspector.get_pk_constraint(name),
            "foreign": told(inspector.get_foreign_keys(name)),
            "unique": told(inspector.get_unique_constraints(name)),
            "checks": told(inspector.get_check_constraints(name)),
            "indexes": told(inspector.get_indexes(name)),
        }
        for name in inspector.get_table_names()
        if name != "alembic_version"
    }


def told(items):
    """The items as texts, their SQL conditions included."""
    return sorted(
        str({**item, "dialect_options": {key: str(value) for key, value in item.get("dialect_options", {}).items()}})
        for item in items
    )
