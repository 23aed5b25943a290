"""What is done to an account in the portal and never over SCIM (R32): each a transaction with its journal entry."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO

import sqlalchemy as sa

from scim_server.account.guard import UNGUARDED
from scim_server.account.policies import policies_from
from scim_server.cli import answers, consequences, log_lines, texts, wiring
from scim_server.cli.texts import PortalError
from scim_server.protocol.catalogue import Catalogue
from scim_server.protocol.documents import instant
from scim_server.provisioning import grace, group_kinds, using
from scim_server.provisioning.changes import entries_of
from scim_server.provisioning.seats import serve
from scim_server.store import accounts, credentials, journal
from scim_server.store.database import Database
from scim_server.store.identifiers import now
from scim_server.store.journal import Actor, Entry

ACTOR = Actor("portalAdmin", "cli")
TEST_POLICIES = {"domains.enforcement": "off", "timezone.enforcement": "off", **UNGUARDED}
"""The policies of a test account: conformance suites send random names and zones, and delete what they made."""
MOST_LICENCES = 10_000_000


class Portal:
    """The accounts of one database, in the hands of an administrator."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create_account(self, name: str, *, test: bool = False) -> dict[str, Any]:
        """Create an account; a test account takes any userName and time zone."""
        name = texts.name_of("account", name)
        try:
            with self.database.transaction(None):
                account_id = accounts.create(name, TEST_POLICIES if test else {}, now())
                _record(account_id, Entry("account.created", "success", "Account", account_id, name))
        except sa.exc.IntegrityError:
            way_out = f"See it with: scim-server account show '{name}'"
            raise PortalError(f"an account '{name}' exists already. {way_out}") from None
        return {"id": account_id, "name": name, "test": test}

    def has_account(self, name: str) -> bool:
        """Whether there is an account of this name."""
        with self.database.reading(None):
            return accounts.named(name) is not None

    def show_account(self, name: str) -> dict[str, Any]:
        """Return an account with its policies, domains and licences."""
        with self.reading(name) as row:
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
        with self.changing(name) as row:
            before = answers.policy_values(accounts.settings_of(row))
            changed = [key for key, value in wanted.items() if value != before[key]]
            if changed:
                standard = answers.policy_values({})
                after = {key: value for key, value in (before | wanted).items() if value != standard[key]}
                accounts.set_settings(row.id, after)
                told = [{"attribute": key, "from": before[key], "to": wanted[key]} for key in changed]
                _record(row.id, Entry("account.policyChanged", "success", "AccountSettings", row.id, row.name, told))
                _record(row.id, *consequences.of_policies(row.id, changed, policies_from(after)))
        return {"name": row.name, "policies": before | wanted, "changed": changed}

    def set_domain(self, account: str, text: str, status: str) -> dict[str, Any]:
        """Note a domain as pending, approved or refused for an account; again is no change (R2)."""
        name = texts.domain_name(text)
        elsewhere = f"the domain '{name}' belongs to another account; a domain belongs to one account only."
        try:
            with self.database.reading(None):
                owner = accounts.domain_owner(name)
            with self.changing(account) as row:
                if owner not in {None, row.id}:
                    raise PortalError(elsewhere)
                before = {one.name: one.status for one in accounts.domains(row.id)}.get(name)
                if before != status:
                    accounts.set_domain(row.id, name, status, now())
                    told = [{"attribute": "status", "from": before, "to": status}]
                    _record(row.id, Entry(f"domain.{status}", "success", "ApprovedDomain", name, name, told))
        except sa.exc.IntegrityError:  # another account was faster
            raise PortalError(elsewhere) from None
        return {"domain": name, "status": status, "changed": before != status}

    def withdraw_domain(self, account: str, text: str) -> dict[str, Any]:
        """Withdraw a domain from an account; its users stay, new addresses in it are refused (R2)."""
        name = texts.domain_name(text)
        with self.changing(account) as row:
            changed = accounts.withdraw_domain(row.id, name) > 0
            if changed:
                _record(row.id, Entry("domain.withdrawn", "success", "ApprovedDomain", name, name))
        return {"domain": name, "changed": changed}

    def domains(self, account: str) -> list[dict[str, Any]]:
        """Return the domains of an account."""
        with self.reading(account) as row:
            return [
                {"domain": one.name, "status": one.status, "approvedAt": answers.instant_or_none(one.approved_at)}
                for one in accounts.domains(row.id)
            ]

    def add_licences(self, account: str, text: str, quantity: int) -> dict[str, Any]:
        """Add bought licences to the pool of a type, and serve the users who wait for one (R6)."""
        kind = texts.licence_type(text)
        with self.changing(account) as row:
            before = accounts.pools(row.id)
            held = before[kind].total if kind in before else 0
            if held + quantity > MOST_LICENCES:
                raise PortalError(f"an account holds at most {MOST_LICENCES} licences of a type; it has {held} {kind}.")
            moment = now()
            accounts.add_licences(row.id, kind, quantity)
            served = serve(row.id, policies_from(accounts.settings_of(row)), [kind], moment)
            added = [{"attribute": "total", "from": held, "to": held + quantity}]
            _record(row.id, Entry("licences.added", "success", "LicensePool", kind, kind, added), *entries_of(served))
            after = accounts.pools(row.id)[kind]
        return answers.pool(after) | {"added": quantity, "granted": [one.member.user_name for one in served]}

    def remove_licences(self, account: str, text: str, quantity: int) -> dict[str, Any]:
        """Take licences that nobody holds out of the pool of a type (R32)."""
        kind = texts.licence_type(text)
        with self.changing(account) as row:
            if not accounts.remove_licences(row.id, kind, quantity):
                pool = accounts.pools(row.id).get(kind)
                state = f"{pool.assigned} of {pool.total} are assigned" if pool else "the account has none"
                raise PortalError(f"{quantity} {kind} cannot be removed: {state}. Withdraw licences first, then retry.")
            after = accounts.pools(row.id)[kind]
            told = [{"attribute": "total", "from": after.total + quantity, "to": after.total}]
            _record(row.id, Entry("licences.removed", "success", "LicensePool", kind, kind, told))
        return answers.pool(after) | {"removed": quantity}

    def set_activations(self, account: str, text: str, quantity: int) -> dict[str, Any]:
        """Set how many activations each licence of a type allows: that of shared mailboxes counts them (R26)."""
        kind = texts.licence_type(text)
        with self.changing(account) as row:
            pool = accounts.pools(row.id).get(kind)
            if pool is None or pool.activations is None:
                raise PortalError(
                    f"the account has no '{kind}' licences whose activations are counted, as those of sharedMailbox "
                    f"are. To add some: scim-server licence add --account '{row.name}' sharedMailbox 1"
                )
            if pool.activations != quantity:
                accounts.set_activations(row.id, kind, quantity, now())
                told = [{"attribute": "activationsAllowed", "from": pool.activations, "to": quantity}]
                _record(row.id, Entry("licences.activationsSet", "success", "LicensePool", kind, kind, told))
        return {"type": kind, "activations": quantity, "changed": pool.activations != quantity}

    def permit(self, account: str, group: str, permissions: Sequence[str]) -> dict[str, Any]:
        """Give a role group these permissions and no others (R31)."""
        granted = texts.permissions(permissions)
        endpoint = Catalogue().endpoint_of("Group")
        with self.changing(account) as row:
            try:
                identifier, before = group_kinds.permit(row.id, endpoint, group, granted, now())
            except group_kinds.NoRoleGroup:
                way_out = "Create it over SCIM with kind roleGroup first."
                raise PortalError(f"account '{row.name}' has no role group '{group}'. {way_out}") from None
            if before != granted:
                told = [{"attribute": "permissions", "from": before, "to": granted}]
                _record(row.id, Entry("group.permitted", "success", "Group", identifier, group, told))
        return {"group": group, "permissions": granted, "changed": before != granted}

    def sweep(self, account: str | None) -> dict[str, int]:
        """Release the seats whose days of grace are over; returns how many, by account (R24)."""
        with self.database.reading(None):
            every = accounts.all_accounts()
        rows = [self._row(account)] if account else every
        return {row.name: grace.sweep(self.database, row.id) for row in rows}

    def licences(self, account: str) -> list[dict[str, Any]]:
        """Return the licence pools of an account."""
        with self.reading(account) as row:
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
        expires_at = moment + days * using.DAY if days else None
        with self.changing(account) as row:
            wired, changes = wiring.connected(row.id, connection, profile, moment)
            user_id = None if user is None else _user(row, user)
            token = credentials.issue(row.id, wired.id, " ".join(granted), moment, expires_at, user_id)
            issued = next(one for one in credentials.listed(row.id) if one.digest == credentials.digest(token))
            told = [
                {"attribute": "scopes", "to": granted},
                {"attribute": "profile", "to": issued.profile},
                {"attribute": "expires", "to": answers.instant_or_none(expires_at)},
                *([{"attribute": "user", "to": issued.user}] if user_id else []),
            ]
            _record(row.id, *changes, Entry("token.issued", "success", "Credential", issued.id, connection, told))
        return {"token": token, "account": row.name, **answers.token(issued, moment)}

    def tokens(self, account: str) -> list[dict[str, Any]]:
        """Return the tokens of an account, without the secrets."""
        with self.reading(account) as row:
            return [answers.token(one, now()) for one in credentials.listed(row.id)]

    def revoke_token(self, account: str, identifier: str) -> dict[str, Any]:
        """Revoke a token at once; again is no change."""
        with self.changing(account) as row:
            found = {one.id: one for one in credentials.listed(row.id)}.get(identifier)
            if found is None:
                way_out = f"See its tokens with: scim-server token list --account '{row.name}'"
                raise PortalError(f"account '{row.name}' has no token with the id '{identifier}'. {way_out}")
            changed = credentials.revoke(row.id, identifier, now())
            if changed:
                _record(row.id, Entry("token.revoked", "success", "Credential", identifier, found.connection))
        return {"id": identifier, "connection": found.connection, "state": "revoked", "changed": changed}

    def connections(self, account: str) -> list[dict[str, Any]]:
        """Return the connections of an account."""
        with self.reading(account) as row:
            return wiring.listed(row)

    def show_connection(self, account: str, name: str) -> dict[str, Any]:
        """Return a connection with its tokens and what it was seen to send."""
        with self.reading(account) as row:
            return wiring.shown(row, name)

    def set_connection(self, account: str, name: str, profile: str) -> dict[str, Any]:
        """Give a connection another profile; again is no change."""
        profile = texts.profile_name(profile) or profile
        with self.changing(account) as row:
            answer, entries = wiring.set_profile(row, name, profile)
            _record(row.id, *entries)
        return answer

    def journal(self, account: str, user: str | None, after: str, limit: int) -> list[dict[str, Any]]:
        """Return the newest entries of the journal after the id ``after``, the oldest of them first."""
        with self.reading(account) as row:
            return [answers.entry(one) for one in journal.read(row.id, user, after, limit)]

    def import_logs(self, account: str, stream: BinaryIO) -> dict[str, Any]:
        """Import the message logs of users, all lines or none; again is no change (R28)."""
        try:
            row = self._row(account)
            with self.database.transaction(row.id):  # without the account's lock: nothing but entries is written
                imported, known = log_lines.write(row.id, stream)
                if imported:
                    told = [{"attribute": "imported", "to": imported}, {"attribute": "known", "to": known}]
                    _record(row.id, Entry("logs.imported", "success", "UserLogEntry", changes=told))
        except sa.exc.IntegrityError:
            raise PortalError("nothing is imported: one of the users was deleted meanwhile. Import again.") from None
        return {"account": row.name, "imported": imported, "known": known}

    @contextmanager
    def reading(self, name: str) -> Iterator[sa.Row[Any]]:
        """Give the row of an account."""
        row = self._row(name)
        with self.database.reading(row.id):
            yield row

    @contextmanager
    def changing(self, name: str) -> Iterator[sa.Row[Any]]:
        """Give the row of an account, locked, in a transaction."""
        row = self._row(name)
        with self.database.transaction(row.id):
            yield accounts.lock(row.id)

    def _row(self, name: str) -> sa.Row[Any]:
        with self.database.reading(None):
            row = accounts.named(name)
        if row is None:
            raise PortalError(f"there is no account '{name}'. Create it with: scim-server account create '{name}'")
        return row


def _user(account: sa.Row[Any], name: str) -> str:
    found = credentials.user_named(account.id, name)
    if found is None:
        raise PortalError(f"account '{account.name}' has no user '{name}'. Name one by its userName.")
    return found


def _record(account_id: str, *entries: Entry) -> None:
    journal.write(account_id, ACTOR, entries, now())
