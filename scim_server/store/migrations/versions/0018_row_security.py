"""Row-level security of PostgreSQL: a second lock behind the account condition of every statement.

Revision ID: 0018
"""

from scim_server.store.migrations.rows import lock_rows

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = (
    "approved_domain",
    "licence_pool",
    "user",
    "user_value",
    "group",
    "membership",
    "user_log",
    "notification",
    "deleted_address",
    "journal",
    "connection",
    "credential",
    "resource",
    "resource_value",
    "tally",
    "shape_seen",
    "rate",
    "guard",
    "oauth_client",
    "ticket",
)


def upgrade() -> None:
    """Lock the rows of every table that has an account_id."""
    lock_rows(*TABLES)
