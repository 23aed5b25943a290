"""The tables of OAuth: the clients of connections, whose tokens they trust, what they may use once."""

import sqlalchemy as sa

from scim_server.store.columns import Micros, Text, key, metadata, of_account, where

oauth_client = sa.Table(
    "oauth_client",
    metadata,
    key(),
    key("id"),
    sa.Column("connection_id", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("grants", Text, nullable=False),
    sa.Column("method", Text, nullable=False),
    sa.Column("scopes", Text, nullable=False),
    sa.Column("secret", Text),
    sa.Column("jwks", Text),
    sa.Column("jwks_url", Text),
    sa.Column("trust_id", Text),
    sa.Column("subject", Text),
    sa.Column("issuer", Text),
    sa.Column("thumbprint", Text),
    sa.Column("redirect_uris", Text, nullable=False),
    sa.Column("proof_key", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("created", Micros, nullable=False),
    sa.Column("revoked_at", Micros),
    sa.Column("last_used_at", Micros),
    of_account("connection_id", table="connection"),
    sa.Index(None, "account_id", "connection_id"),
)
"""A client and how it proves who it is: the digest of a secret, keys or where they are, the subject and issuer of a
certificate, the trusted issuer that vouches for it.
"""

trusted_issuer = sa.Table(
    "trusted_issuer",
    metadata,
    key(),
    key("id"),
    sa.Column("connection_id", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("purpose", Text, nullable=False),
    sa.Column("digest", Text, nullable=False),
    sa.Column("issuer", Text, nullable=False),
    sa.Column("audience", Text, nullable=False),
    sa.Column("claim", Text, nullable=False),
    sa.Column("value", Text, nullable=False),
    sa.Column("scope_claim", Text),
    sa.Column("scopes", Text, nullable=False),
    sa.Column("algorithms", Text, nullable=False),
    sa.Column("jwks_url", Text, nullable=False),
    sa.Column("created", Micros, nullable=False),
    sa.Column("revoked_at", Micros),
    sa.Column("last_used_at", Micros),
    of_account("connection_id", table="connection"),
    sa.Index(None, "account_id", "connection_id"),
    sa.Index("uq_trusted_issuer_digest", "digest", unique=True, **where("revoked_at IS NULL")),
)
"""Whose tokens a connection takes as its own; ``digest`` stands for issuer, audience and claim, of one account alone.
"""

ticket = sa.Table(
    "ticket",
    metadata,
    key(),
    key("digest"),
    sa.Column("kind", Text, nullable=False),
    sa.Column("client_id", Text, nullable=False),
    sa.Column("family", Text),
    sa.Column("scopes", Text, nullable=False),
    sa.Column("redirect_uri", Text),
    sa.Column("challenge", Text),
    sa.Column("created", Micros, nullable=False),
    sa.Column("expires_at", Micros, nullable=False),
    sa.Column("used_at", Micros),
    of_account("client_id", table="oauth_client"),
    sa.Index(None, "account_id", "client_id", "expires_at"),
    sa.Index(None, "account_id", "family"),
)
"""What works once: an administrator's consent, an authorization code, a refresh token, the id of an assertion.

``family`` is what came of one consent; credentials have it too. A second use of its parts ends all of it.
"""
