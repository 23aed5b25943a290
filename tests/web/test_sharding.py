"""Every statement stays within one account, so that the tables can be spread over servers by account."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlglot
from flask import Flask
from sqlglot import exp

from scim_server.store.tables import metadata

from .bulk import new_user, statuses
from .conftest import ENTERPRISE, EXT, GEXT, SEARCH, USER, Api, op
from .driver import watched
from .issuer import distrust, issuing, trust
from .oauth import own, post, presented, register

OWNED = {table.name for table in metadata.sorted_tables if "account_id" in table.c}
DIRECTORIES = {
    "credential.digest =": ["credential", "connection"],
    "trusted_issuer.digest IN": ["trusted_issuer", "connection"],
}
"""What alone is asked before the account is known: whose a token is, or who trusts its issuer."""


@pytest.fixture(scope="module")
def database_url(make_url: Callable[[str], str]) -> str:
    return make_url("postgresql")


PARAMETER = ""
"""What an account is held to in the end."""


def unbound(statement: str) -> list[str]:
    """The tables of a statement that it does not hold to an account."""
    tree = sqlglot.parse_one(statement.replace("%%", "%"), read="postgres")
    if isinstance(tree, exp.Insert):
        assert "account_id" in [one.name for one in tree.this.expressions]
        tree = tree.expression if isinstance(tree.expression, exp.Select) else exp.select("1")
    return [table.name for table in tree.find_all(exp.Table) if table.name in OWNED and not is_held(table)]


def is_held(table: exp.Table) -> bool:
    """Whether the account of a table is equal to the parameter, perhaps by way of other tables, in every case."""
    held, found = {PARAMETER}, set()
    scope = table.find_ancestor(exp.Select, exp.Update, exp.Delete)
    while scope is not None:  # what an outer statement is held to, its inner ones may refer to
        conditions = [where.this for where in [scope.args.get("where")] if where]
        conditions += [join.args["on"] for join in scope.args.get("joins") or () if join.args.get("on")]
        for condition in conditions:
            found |= equal(condition)
        scope = scope.find_ancestor(exp.Select, exp.Update, exp.Delete)
    for _ in found:
        held |= {name for pair in found if pair & held for name in pair}
    return table.alias_or_name in held


def equal(condition: exp.Expression) -> set[frozenset[str]]:
    """The tables whose accounts are equal wherever a condition holds: to each other or to the parameter."""
    if isinstance(condition, exp.Paren):
        return equal(condition.this)
    if isinstance(condition, exp.And):
        return equal(condition.left) | equal(condition.right)
    if isinstance(condition, exp.Or):
        return equal(condition.left) & equal(condition.right)
    if not isinstance(condition, exp.EQ):
        return set()
    sides = [side for side in (condition.left, condition.right) if isinstance(side, exp.Column)]
    if not sides or any(side.name != ("id" if side.table == "account" else "account_id") for side in sides):
        return set()
    return {frozenset((sides[0].table, sides[1].table if len(sides) > 1 else PARAMETER))}


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ('SELECT id FROM "user" WHERE "user".account_id = %(a)s AND "user".id = %(b)s', []),
        ('SELECT id FROM "user" WHERE "user".id = %(b)s', ["user"]),
        ('SELECT id FROM "user" WHERE "user".account_id = %(a)s OR "user".id = %(b)s', ["user"]),
        (
            'SELECT 1 FROM "user" JOIN membership ON membership.account_id = "user".account_id WHERE "user".id = %(b)s',
            ["user", "membership"],
        ),
        (
            'SELECT 1 FROM "user" JOIN membership ON membership.account_id = "user".account_id '
            'WHERE "user".account_id = %(a)s',
            [],
        ),
        ('DELETE FROM "user" WHERE "user".id IN (SELECT user_id FROM membership)', ["user", "membership"]),
        ('(SELECT id FROM "user" WHERE "user".account_id = %(a)s) UNION ALL (SELECT id FROM "group")', ["group"]),
    ],
)
def test_statement_that_leaves_its_account_is_noticed(statement: str, tables: list[str]) -> None:
    assert sorted(unbound(statement)) == sorted(tables)


def use(api: Api, other: Api) -> None:
    """Ask a bit of everything."""
    first, second = api.user("first", ext={"licenseType": "pro"}), api.user("second", emails=[{"value": "x@y.example"}])
    boss = {ENTERPRISE: {"manager": {"value": first["id"]}, "department": "Sales"}}
    third = api.user("third", **boss)["id"]
    group = api.group("Sales", first["id"], second["id"], **{GEXT: {"licenseType": "eco"}})["id"]
    path = f"/Users/{second['id']}"
    api.patch(path, op("replace", "title", "x"), op("replace", f"{EXT}:licenseType", "advanced"))
    api.patch(path, op("replace", f"{EXT}:licenseTransferTo", third))
    api.put(path, {**api.get(path), "nickName": "N"})
    api.patch(path, op("replace", "active", False))
    api.patch(
        f"/Groups/{group}",
        op("remove", f'members[value eq "{second["id"]}"]'),
        op("add", "members", [{"value": third}]),
    )
    api.put(f"/Groups/{group}", {"displayName": "Sales 2", "members": [{"value": first["id"]}]})
    conditions = (
        'userName eq "a"', 'emails.value eq "x@y.example"', 'emails[type eq "work" and value co "x"]', "title pr",
        f'groups.value eq "{group}"', f'manager.value eq "{first["id"]}"', f'{EXT}:licenseType eq "pro" or not (active eq true)',
        'meta.created gt "2020-01-01T00:00:00Z"', "roles pr", "entitlements pr",
    )  # fmt: skip
    for condition in conditions:
        api.find(condition)
    for name in ("userName", "emails.value", "name.familyName", "meta.lastModified", "groups.display"):
        api.get(f"/Users?sortBy={name}&startIndex=2&count=1")
        api.get(f"/Users?sortBy={name}&cursor=&count=1")
    cursor = api.get("/Users?cursor=&count=1")["nextCursor"]
    api.get(f"/Users?cursor={cursor}&count=1")
    api.get("/Groups?attributes=members.display")
    api.get(f'/Groups?filter=members.value eq "{first["id"]}"&sortBy=displayName')
    api.post("/.search", {"schemas": [SEARCH], "filter": "meta.created pr", "sortBy": "displayName"}, status=200)
    api.write_log(first["id"], 3)
    lists = (
        "LicensePools",
        "ApprovedDomains",
        "AccountSettings",
        "Roles",
        "Entitlements",
        "EventRecords",
        "UserLogEntries",
    )
    for name in (*lists, "UserStatistics"):
        api.get(f"/{name}?count=2")
    api.get(f'/EventRecords?filter=target.value eq "{first["id"]}"')
    api.get(f"{path}?attributes={EXT}:logEntryCount")
    assert statuses(api, *(new_user(api, f"b{number}") for number in range(3))) == [201] * 3
    api.refuse("POST", "/Users", {"schemas": [USER], "userName": f"x@{other.domain}"}, kind="invalidValue")
    api.delete(f"/Users/{first['id']}")
    api.delete(f"/Groups/{group}")
    client = own(register(api))
    token = post(api.app, **client).json["access_token"]
    post(api.app, "/oauth2/introspect", token=token, **client)
    post(api.app, "/oauth2/revoke", token=token, **client)
    with issuing() as issuer:
        trust(api, issuer)
        replace(api, token=issuer.sign()).get("/Users")
        trusted = trust(api, issuer, purpose="assertion", claim="sub=client")["id"]
        vouched = register(api, "federated", "client_credentials", connection="federated", issuer=trusted)
        assert post(api.app, **presented(vouched, issuer.sign(sub="client"))).status_int == 200
        distrust(api, trusted)


def test_every_statement_is_held_to_one_account(app: Flask, api: Api, new_account: Callable[..., Api]) -> None:
    """MT-01: on each of its tables, but for the directories of tokens and of issuers."""
    seen: set[str] = set()
    other = new_account()
    with watched(app.extensions["scim"].database.engine, lambda cursor, query, params: seen.add(query)):
        use(api, other)
    assert len(seen) > 100
    told = [one for one in seen if one.lstrip(" (").startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"))]
    loose = {one: tables for one in told if (tables := unbound(one))}
    told = {name: tables for name in DIRECTORIES for one, tables in loose.items() if name in one}
    assert told == DIRECTORIES
    assert len(loose) == len(DIRECTORIES), loose
