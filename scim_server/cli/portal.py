"""What is done to an account in the portal and never over SCIM (R32): each a transaction with its journal entry."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import sqlalchemy as sa

from scim_server.cli import answers, log_lines, texts
from scim_server.cli.texts import PortalError
from scim_server.protocol.documents import instant
from scim_server.store import accounts, credentials, journal
from scim_server.store.database import Database
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry

ACTOR = Actor("portalAdmin", "cli")
TEST_POLICIES = {"domains.enforcement": "off", "timezone.enforcement": "off"}
"""The policies of a test account: third-party conformance suites send random names and zones."""
MOST_LICENCES = 10_000_000
DAY = 86_400_000_000


class Portal:
    """The accounts of one database, in the hands of an administrator."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create_account(self, name: str, *, test: bool = False) -> dict[str, Any]:
        """Create an account; a test account takes any userName and time zone."""
        name = texts.name_of("account", name)
        try:
            with self.database.transaction():
                account_id = accounts.create(name, TEST_POLICIES if test else {}, now())
                _record(account_id, Entry("account.created", "success", "Account", account_id, name))
        except sa.exc.IntegrityError:
            way_out = f"See it with: scim-server account show '{name}'"
            raise PortalError(f"an account '{name}' exists already. {way_out}") from None
        return {"id": account_id, "name": name, "test": test}

    def has_account(self, name: str) -> bool:
        """Whether there is an account of this name."""
        with self.database.reading():
            return accounts.named(name) is not None

    def show_account(self, name: str) -> dict[str, Any]:
        """Return an account with its policies, domains and licences."""
        with self._reading(name) as row:
            return {
                "id": row.id,
                "name": row.name,
                "created": instant(row.created),
                "policies": answers.policy_values(accounts.settings_of(row)),
                "domains": [one.name for one in accounts.domains(row.id) if one.status == "approved"],
                "licences": [answers.pool(one) for one in accounts.pools(row.id).values()],
            }

    def set_policies(self, name: str, assignments: Mapping[str, str]) -> dict[str, Any]:
        """Set policies of an account, all or none."""
        wanted = texts.policies(assignments)
        with self._changing(name) as row:
            before = answers.policy_values(accounts.settings_of(row))
            changed = [key for key, value in wanted.items() if value != before[key]]
            if changed:
                standard = answers.policy_values({})
                after = {key: value for key, value in (before | wanted).items() if value != standard[key]}
                accounts.set_settings(row.id, after)
                told = [{"attribute": key, "from": before[key], "to": wanted[key]} for key in changed]
                _record(row.id, Entry("account.policyChanged", "success", "AccountSettings", row.id, row.name, told))
        return {"name": row.name, "policies": before | wanted, "changed": changed}

    def approve_domain(self, account: str, text: str) -> dict[str, Any]:
        """Approve a domain for an account; again is no change."""
        name = texts.domain_name(text)
        elsewhere = f"the domain '{name}' is approved for another account; a domain belongs to one account only."
        try:
            with self._changing(account) as row:
                owner = accounts.domain_owner(name)
                if owner not in {None, row.id}:
                    raise PortalError(elsewhere)
                if owner is None:
                    accounts.approve_domain(row.id, name, now())
                    _record(row.id, Entry("domain.approved", "success", "ApprovedDomain", name, name))
        except sa.exc.IntegrityError:  # another account was faster
            raise PortalError(elsewhere) from None
        return {"domain": name, "status": "approved", "changed": owner is None}

    def domains(self, account: str) -> list[dict[str, Any]]:
        """Return the domains of an account."""
        with self._reading(account) as row:
            return [
                {"domain": one.name, "status": one.status, "approvedAt": answers.instant_or_none(one.approved_at)}
                for one in accounts.domains(row.id)
            ]

    def add_licences(self, account: str, text: str, quantity: int) -> dict[str, Any]:
        """Add bought licences to the pool of a type, and serve the users who wait for one (R6)."""
        kind = texts.licence_type(text)
        with self._changing(account) as row:
            before = accounts.pools(row.id)
            held = before[kind].total if kind in before else 0
            if held + quantity > MOST_LICENCES:
                raise PortalError(f"an account holds at most {MOST_LICENCES} licences of a type; it has {held} {kind}.")
            moment = now()
            accounts.add_licences(row.id, kind, quantity)
            granted = accounts.serve_pending(row.id, kind, moment)
            added = [{"attribute": "total", "from": held, "to": held + quantity}]
            served = [{"attribute": "licenseType", "to": kind}]
            _record(
                row.id,
                Entry("licences.added", "success", "LicensePool", kind, kind, added),
                *(Entry("license.granted", "success", "User", one.id, one.user_name, served) for one in granted),
            )
            after = accounts.pools(row.id)[kind]
        return answers.pool(after) | {"added": quantity, "granted": [one.user_name for one in granted]}

    def licences(self, account: str) -> list[dict[str, Any]]:
        """Return the licence pools of an account."""
        with self._reading(account) as row:
            return [answers.pool(one) for one in accounts.pools(row.id).values()]

    def issue_token(
        self,
        account: str,
        connection: str,
        profile: str | None,
        scopes: Sequence[str],
        days: int | None,
        user: str | None = None,
    ) -> dict[str, Any]:
        """Issue a token for a connection, or for a user; it is told once and only its digest is kept."""
        connection = texts.name_of("connection", connection)
        profile = texts.profile_name(profile)
        granted = texts.scopes(scopes)
        moment = now()
        expires_at = moment + days * DAY if days else None
        with self._changing(account) as row:
            wired = _connected(row.id, connection, profile, moment)
            user_id = None if user is None else _user(row, user)
            token = credentials.issue(row.id, wired.id, " ".join(granted), moment, expires_at, user_id)
            issued = next(one for one in credentials.listed(row.id) if one.digest == credentials.digest(token))
            told = [
                {"attribute": "scopes", "to": granted},
                {"attribute": "profile", "to": issued.profile},
                {"attribute": "expires", "to": answers.instant_or_none(expires_at)},
                *([{"attribute": "user", "to": issued.user}] if user_id else []),
            ]
            _record(row.id, Entry("token.issued", "success", "Credential", issued.id, connection, told))
        return {"token": token, "account": row.name, **answers.token(issued, moment)}

    def tokens(self, account: str) -> list[dict[str, Any]]:
        """Return the tokens of an account, without the secrets."""
        with self._reading(account) as row:
            return [answers.token(one, now()) for one in credentials.listed(row.id)]

    def revoke_token(self, account: str, identifier: str) -> dict[str, Any]:
        """Revoke a token at once; again is no change."""
        with self._changing(account) as row:
            found = {one.id: one for one in credentials.listed(row.id)}.get(identifier)
            if found is None:
                way_out = f"See its tokens with: scim-server token list --account '{row.name}'"
                raise PortalError(f"account '{row.name}' has no token with the id '{identifier}'. {way_out}")
            changed = credentials.revoke(row.id, identifier, now())
            if changed:
                _record(row.id, Entry("token.revoked", "success", "Credential", identifier, found.connection))
        return {"id": identifier, "connection": found.connection, "state": "revoked", "changed": changed}

    def journal(self, account: str, user: str | None, after: str, limit: int) -> list[dict[str, Any]]:
        """Return the newest entries of the journal after the id ``after``, the oldest of them first."""
        with self._reading(account) as row:
            return [answers.entry(one) for one in journal.read(row.id, user, after, limit)]

    def import_logs(self, account: str, stream: BinaryIO) -> dict[str, Any]:
        """Import the message logs of users, all lines or none; again is no change (R28)."""
        try:
            with self.database.transaction():  # without the account's lock: nothing but entries is written
                row = _named(account)
                imported, known = log_lines.write(row.id, stream)
                if imported:
                    told = [{"attribute": "imported", "to": imported}, {"attribute": "known", "to": known}]
                    _record(row.id, Entry("logs.imported", "success", "UserLogEntry", changes=told))
        except sa.exc.IntegrityError:
            raise PortalError("nothing is imported: one of the users was deleted meanwhile. Import again.") from None
        return {"account": row.name, "imported": imported, "known": known}

    @contextmanager
    def _reading(self, name: str) -> Iterator[sa.Row[Any]]:
        """Give the row of an account."""
        with self.database.reading():
            yield _named(name)

    @contextmanager
    def _changing(self, name: str) -> Iterator[sa.Row[Any]]:
        """Give the row of an account, locked, in a transaction."""
        with self.database.transaction():
            accounts.lock(_named(name).id)
            yield _named(name)


def _named(name: str) -> sa.Row[Any]:
    row = accounts.named(name)
    if row is None:
        raise PortalError(f"there is no account '{name}'. Create it with: scim-server account create '{name}'")
    return row


def _user(account: sa.Row[Any], name: str) -> str:
    found = credentials.user_named(account.id, name)
    if found is None:
        raise PortalError(f"account '{account.name}' has no user '{name}'. Name one by its userName.")
    return found


def _connected(account_id: str, name: str, profile: str | None, moment: int) -> sa.Row[Any]:
    """Return a connection, created where there is none, and with the profile that was named."""
    found = credentials.connect(account_id, name, profile or "default", moment)
    if profile is not None and profile != found.profile:
        credentials.set_profile(account_id, found.id, profile)
        change = {"attribute": "profile", "from": found.profile, "to": profile}
        _record(account_id, Entry("connection.profileChanged", "success", "Connection", found.id, name, [change]))
    return found


def _record(account_id: str, *entries: Entry) -> None:
    journal.write(account_id, ACTOR, entries, now())
