"""The lock on rows: PostgreSQL shows and takes rows of the account alone that ``database.enter`` has named.

It stands behind the conditions of the statements, for the day on which one is forgotten. The owner of the tables is
held to it as well (FORCE); a superuser and a role with BYPASSRLS are not. A migration is, too: one that changes rows of
a locked table, or adds a foreign key to one, whose check would pass over the rows that it cannot see, says NO FORCE ROW
LEVEL SECURITY first and FORCE at its end.

The account must stand alone in the policy, not in an OR: so the planner sees that the statement asks for the same one,
and compares once instead of for each row.
"""

from alembic import op

OPEN = frozenset({"account", "alembic_version", "replica_position"})
"""Tables without the lock: the directory of accounts, with their names and policies, and what is of no account."""
DIRECTORIES = frozenset({"approved_domain", "connection", "credential", "trusted_issuer"})
"""Tables in which a name is looked up before the account is known."""


def lock_rows(*tables: str) -> None:
    """Lock the rows of tables that have an account_id; other databases have no such lock."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table in tables:
        op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')
        op.execute(f'CREATE POLICY own ON "{table}" USING (account_id = {_CURRENT})')
        if table in DIRECTORIES:
            op.execute(f"CREATE POLICY directory ON \"{table}\" FOR SELECT USING ({_CURRENT} = '*')")


_CURRENT = "current_setting('scim.account', true)"
