"""The migrations lead to the tables of `tables.py`, from any start and however many run them at once."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from flask import Flask

from scim_server.store.database import Database
from scim_server.store.tables import metadata
from scim_server.store.upgrading import LOCATION, NotUpgraded, check, head, upgrade


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


def test_upgrade_keeps_the_users_logs_of_the_first_release(database):
    """What its entries do not tell is nothing: no files, no bytes, not opened."""
    with database.transaction(None) as connection:
        to_first = Config()
        to_first.set_main_option("script_location", LOCATION)
        to_first.attributes["connection"] = connection
        command.upgrade(to_first, "0001")
        for statement in (
            "INSERT INTO account (id, name, created) VALUES ('a', 'acme', 1)",
            """INSERT INTO "user" (account_id, id, document, folded, user_name, user_name_key, active, role, kind,
            sms_returns, microsoft_returns, licence_activated, licence_status, licence_reset_required,
            activations_used, version, created, modified) VALUES ('a', 'u', '{}', '{}', 'ava', 'ava', true, 'standard',
            'person', false, false, false, 'none', false, 0, 1, 1, 1)""",
            "INSERT INTO user_log (account_id, id, user_id, sent_at, status, entry) VALUES ('a', 'm', 'u', 7, 'open', '{}')",
            """INSERT INTO journal (account_id, id, occurred_at, action, outcome, actor_type, target_name)
            VALUES ('a', 'j', 1, 'user.deleted', 'success', 'system', 'J***@Acme.example')""",
        ):
            connection.execute(sa.text(statement))
    assert upgrade(database) == ("0001", head())
    with database.reading("a") as connection:
        (entry,) = connection.execute(sa.select(metadata.tables["user_log"])).mappings()
        assert dict(entry) == {
            "account_id": "a", "id": "m", "user_id": "u", "sent_at": 7, "last_activity_at": None, "expires_at": None,
            "status": "open", "entry": "{}", "kind": "message", "code_type": "none", "file_count": 0, "byte_count": 0,
            "open_count": 0, "signature_request_count": 0, "signed_file_count": 0,
        }  # fmt: skip
        keys = connection.execute(sa.select(metadata.tables["journal"].c.target_key)).scalars().all()
        assert keys == ["j***@acme.example"]  # masked names are found


def test_upgrade_keeps_tokens_and_lets_them_end_with_a_user(database):
    with database.transaction(None) as connection:
        earlier = Config()
        earlier.set_main_option("script_location", LOCATION)
        earlier.attributes["connection"] = connection
        command.upgrade(earlier, "0002")
        for statement in (
            "INSERT INTO account (id, name, created) VALUES ('a', 'acme', 1)",
            "INSERT INTO connection (account_id, id, name, profile, created) VALUES ('a', 'c', 'idp', 'default', 1)",
            """INSERT INTO credential (account_id, id, connection_id, digest, scopes, created)
            VALUES ('a', 't', 'c', 'd', 'scim.read', 7)""",
        ):
            connection.execute(sa.text(statement))
    upgrade(database)
    credential, user = metadata.tables["credential"], metadata.tables["user"]
    with database.reading("a") as connection:
        (kept,) = connection.execute(sa.select(credential)).mappings()
        assert (kept["id"], kept["digest"], kept["created"], kept["user_id"]) == ("t", "d", 7, None)
    with database.transaction("a") as connection:
        row = {
            "account_id": "a", "id": "u", "document": "{}", "folded": {}, "user_name": "ava", "user_name_key": "ava",
            "active": True, "role": "standard", "kind": "person", "sms_returns": False, "microsoft_returns": False,
            "licence_activated": False, "licence_status": "none", "licence_reset_required": False,
            "activations_used": 0, "version": 1, "created": 1, "modified": 1,
        }  # fmt: skip
        connection.execute(user.insert(), row)
        own = {"account_id": "a", "id": "o", "connection_id": "c", "digest": "e", "scopes": "", "created": 1}
        connection.execute(credential.insert(), own | {"user_id": "u"})
        connection.execute(user.delete())
        assert connection.execute(sa.select(credential.c.id)).scalars().all() == ["t"]


def test_upgrade_counts_the_users_and_groups_that_there_are(database):
    with database.transaction(None) as connection:
        command.upgrade(config_on(connection), "0013")
        for account, users, groups in (("a", "uvw", "g"), ("b", "x", ""), ("c", "", "")):
            connection.execute(sa.text(f"INSERT INTO account (id, name, created) VALUES ('{account}', '{account}', 1)"))
            for name in users:
                connection.execute(
                    sa.text(
                        f"""INSERT INTO "user" (account_id, id, document, folded, user_name, user_name_key, active, role,
                        kind, sms_returns, microsoft_returns, licence_activated, licence_status, licence_reset_required,
                        activations_used, version, created, modified) VALUES ('{account}', '{name}', '{{}}', '{{}}',
                        '{name}', '{name}', true, 'standard', 'person', false, false, false, 'none', false, 0, 1, 1, 1)"""
                    )
                )
            for name in groups:
                connection.execute(
                    sa.text(
                        f"""INSERT INTO "group" (account_id, id, document, folded, display_name, display_name_key, kind,
                        version, created, modified)
                        VALUES ('{account}', '{name}', '{{}}', '{{}}', 'G', 'g', 'directory', 1, 1, 1)"""
                    )
                )
    with database.transaction(None) as connection:
        command.upgrade(config_on(connection), "0014")
        rows = {
            (row.account_id, row.kind): row.number for row in connection.execute(sa.select(metadata.tables["tally"]))
        }
        assert rows == {("a", "user"): 3, ("a", "group"): 1, ("b", "user"): 1}
        command.downgrade(config_on(connection), "0013")
        assert "tally" not in sa.inspect(connection).get_table_names()


def config_on(connection):
    config = Config()
    config.set_main_option("script_location", LOCATION)
    config.attributes["connection"] = connection
    return config


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
    with database.transaction(None) as connection:
        for name in ("a", "B", "Z", "é"):
            connection.execute(metadata.tables["account"].insert(), {"id": name, "name": name, "created": 0})
        account = metadata.tables["account"]
        names = connection.execute(sa.select(account.c.name).order_by(account.c.name)).scalars().all()
    assert names == ["B", "Z", "a", "é"]


def set_revision(database, revision):
    with database.transaction(None) as connection:
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
