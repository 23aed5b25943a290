"""The account is part of every access path (MT-01), whatever a query asks for."""

import sqlalchemy as sa

from scim_server.store.tables import metadata

UNIQUE_IN_THE_SERVICE = {
    ("account", "name"),
    ("approved_domain", "name"),
    ("credential", "digest"),
    ("trusted_issuer", "digest"),
}
"""What decides the account, or belongs to one account alone."""


def test_keys_references_and_indexes_begin_with_the_account() -> None:
    """MT-01: so that no row of another account is met, nor referred to."""
    for table in metadata.sorted_tables:
        if table.name == "account":
            continue
        assert next(iter(table.primary_key.columns)).name == "account_id", table.name
        for reference in table.foreign_key_constraints:
            owns = "id" if reference.referred_table.name == "account" else "account_id"
            assert reference.elements[0].column.name == owns, table.name
        for index in table.indexes:
            first = index.expressions[0]
            is_of_the_service = (table.name, first.name) in UNIQUE_IN_THE_SERVICE and index.unique
            is_known = index.name == f"ix_{table.name}_folded" or is_of_the_service
            assert is_known or first.name == "account_id", index.name
    for table in metadata.sorted_tables:
        for unique in table.constraints:
            if isinstance(unique, sa.UniqueConstraint):
                names = [column.name for column in unique.columns]
                assert names[0] == "account_id" or (table.name, *names) in UNIQUE_IN_THE_SERVICE, (table.name, names)
