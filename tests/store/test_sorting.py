"""The order of lists (SRT-*): case, missing values, lists, ties, refusals; on both databases alike."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from scim2_models import InvalidValueException

from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER, ENTERPRISE, USER, Catalogue, Endpoint
from scim_server.protocol.folding import fold
from scim_server.store.database import Database, execute
from scim_server.store.sorting import order
from scim_server.store.tables import user
from scim_server.store.terms import is_hidden, value_of

from .population import TEXTS
from .rows import DAY, add_group, add_log, add_user, ordered

Sorted = Callable[..., str]

PEOPLE: dict[str, dict[str, Any]] = {
    "a": {
        "displayName": "beta",
        "title": "Z",
        "externalId": "a",
        "name": {"familyName": "Éluard"},
        "emails": [{"value": "z@x.example", "type": "home"}, {"value": "C@x.example", "primary": True}],
        ENTERPRISE: {"department": "b", "manager": {"value": "m2"}},
    },
    "b": {
        "displayName": "Alpha",
        "title": "y",
        "externalId": "B",
        "name": {"familyName": "eluard"},
        "active": False,
        "emails": [{"value": "a@x.example"}, {"value": "d@x.example"}],
        "entitlements": [{"value": "nothing"}],
        ENTERPRISE: {"department": "B", "manager": {"value": "m1"}},
    },
    "c": {"displayName": "gamma", "externalId": "A", "emails": [{"value": "B@x.example", "type": "work"}]},
    "d": {"title": "Y", "externalId": "b", "name": {}, "emails": [], ACCOUNT_USER: {"kind": "sharedMailbox"}},
}
STATE: dict[str, dict[str, Any]] = {
    "a": {"created": 2 * DAY, "version": 2, "licence_type": "pro"},
    "b": {"created": DAY, "version": 10},
    "c": {"created": 2 * DAY + 1, "licence_type": "Eco", "activations_used": 9},
    "d": {"created": 3 * DAY, "activations_used": 10},
}


@pytest.fixture(scope="module")
def account(database: Database, new_account: Callable[[], str], catalogue: Catalogue) -> str:
    """An account of four users and three groups, beside another one with the same ids in another order."""
    users, groups = catalogue.endpoints["/Users"], catalogue.endpoints["/Groups"]
    account_id, other = new_account(), new_account()
    with database.transaction(None):
        for identifier, document in PEOPLE.items():
            add_user(account_id, users, document, identifier, **STATE[identifier])
            add_user(other, users, {"displayName": "x"}, identifier)
            add_log(other, identifier, 9 * DAY)
        add_log(account_id, "c", 2 * DAY)
        add_log(account_id, "b", 3 * DAY)
        add_log(account_id, "b", 1 * DAY)
        add_group(account_id, groups, {"displayName": "zoo"}, ["c", "d"], "g1", created=1)
        add_group(account_id, groups, {"displayName": "Ant", ACCOUNT_GROUP: {"permissions": ["x", "a"]}}, ["a"], "g2")
        add_group(account_id, groups, {"displayName": "bee", ACCOUNT_GROUP: {"permissions": ["b"]}}, [], "g3")
        add_group(other, groups, {"displayName": "aaa"}, list(PEOPLE), "g1")
    return account_id


@pytest.fixture
def sort(database: Database, account: str, users: Endpoint) -> Sorted:
    """Give the ids of the users in the order of a sort, as one word."""
    return lambda by, descending=False: "".join(ordered(database, users, account, by, descending))


@pytest.mark.parametrize(
    ("sort_by", "ascending", "descending"),
    [
        pytest.param("displayName", "bacd", "dcab", id="SRT-01-02"),
        pytest.param("title", "bdac", "cabd", id="SRT-01-folded-document"),
        pytest.param("emails.value", "bcad", "dacb", id="SRT-03"),
        pytest.param("emails", "bcad", "dacb", id="SRT-03-value"),
        pytest.param("emails.type", "cbad", "badc", id="SRT-03-of-the-primary"),
        pytest.param("name.familyName", "bacd", "cdab", id="SRT-04"),
        pytest.param(f"{USER.upper()}:NAME.FAMILYNAME", "bacd", "cdab", id="SRT-04-qualified"),
        pytest.param("externalId", "cbad", "dabc", id="SRT-05"),
        pytest.param("meta.created", "bacd", "dcab", id="SRT-06"),
        pytest.param("active", "bacd", "acdb", id="boolean"),
        pytest.param(f"{ACCOUNT_USER}:logEntryCount", "adcb", "bcad", id="SRT-08"),
        pytest.param(f"{ACCOUNT_USER}:lastActivityAt", "cbad", "adbc", id="SRT-08-instant"),
        pytest.param(f"{ENTERPRISE}:department", "bacd", "cdba", id="SRT-11"),
        pytest.param("department", "bacd", "cdba", id="SRT-11-bare"),
        pytest.param("manager", "bacd", "cdab", id="SRT-11-manager"),
        pytest.param(f"{ACCOUNT_USER}:licenseType", "cabd", "bdac", id="word"),
        pytest.param(f"{ACCOUNT_USER}:activationsUsed", "dbac", "bacd", id="not-of-persons"),
        pytest.param("entitlements", "cbad", "dabc", id="licence-is-an-entitlement"),
        pytest.param("groups.display", "acdb", "bcda", id="groups"),
        pytest.param("groups.$ref", "cdab", "bacd", id="reference"),
        pytest.param("meta.location", "abcd", "dcba", id="location"),
        pytest.param("meta.resourceType", "bacd", "bacd", id="same-for-all"),
        pytest.param("schemas", "bacd", "bacd", id="schemas"),
    ],
)
def test_sorted_by(sort: Sorted, sort_by: str, ascending: str, descending: str) -> None:
    assert (sort(sort_by), sort(sort_by, True)) == (ascending, descending)


@pytest.mark.parametrize(
    ("sort_by", "expected"),
    [
        ("displayName", ["g2", "g3", "g1"]),
        ("members.display", ["g2", "g1", "g3"]),
        ("members", ["g2", "g1", "g3"]),
        (f"{ACCOUNT_GROUP}:permissions", ["g3", "g2", "g1"]),
        (f"{ACCOUNT_GROUP}:memberCount", ["g3", "g2", "g1"]),
    ],
)
def test_groups_sorted_by(
    database: Database, account: str, groups: Endpoint, sort_by: str, expected: list[str]
) -> None:
    assert ordered(database, groups, account, sort_by) == expected


@pytest.mark.parametrize("descending", [False, True])
def test_both_databases_order_texts_as_python_does(
    database: Database, account_id: str, users: Endpoint, descending: bool
) -> None:
    """Byte order of UTF-8 is code point order, whatever the locale of the server."""
    texts = {f"{number:03}": text for number, text in enumerate(TEXTS)}
    with database.transaction(account_id):
        for identifier, text in texts.items():
            add_user(account_id, users, {"displayName": text, "title": text}, identifier, created=1)
    expected = sorted(texts, key=lambda one: fold(texts[one]), reverse=descending)  # ties stay in their order
    assert ordered(database, users, account_id, "title", descending) == expected
    assert ordered(database, users, account_id, "displayName", descending) == expected


@pytest.mark.parametrize("sort_by", ["title", "emails", "meta.created", f"{ENTERPRISE}:department", "active"])
def test_pages_concatenate_to_the_whole_list(
    database: Database, account_id: str, users: Endpoint, sort_by: str
) -> None:
    """SRT-07: ties do not move from one page to the next."""
    random = Random(5)
    with database.transaction(account_id):
        for _ in range(50):
            tied = {"title": random.choice("ab"), "emails": [{"value": random.choice("ab")}]}
            add_user(account_id, users, tied, created=random.choice((1, 2)))
    by = order(users, sort_by, True, account_id, database.dialect)
    whole = sa.select(user.c.id).where(user.c.account_id == account_id).order_by(*by)
    with database.reading(account_id):
        pages = [execute(whole.limit(7).offset(start)).scalars().all() for start in range(0, 56, 7)]
    assert [one for page in pages for one in page] == ordered(database, users, account_id, sort_by, True)


def test_every_attribute_can_be_sorted_by(database: Database, account: str, users: Endpoint, groups: Endpoint) -> None:
    """SRT-08: also what is not returned."""
    for endpoint in (users, groups):
        for attribute in endpoint.by_urn.values():
            if value_of(attribute) and not is_hidden(endpoint, attribute):
                for descending in (False, True):
                    ids = ordered(database, endpoint, account, attribute.urn, descending)
                    assert len(ids) == len(PEOPLE if endpoint is users else ("g1", "g2", "g3"))


@pytest.mark.parametrize(
    ("sort_by", "detail"),
    [
        pytest.param("nope", "sortBy: User has no attribute 'nope'; see /Schemas", id="SRT-09"),
        pytest.param("password", "sortBy: password is never shown", id="SRT-10"),
        pytest.param(f"{ACCOUNT_USER}:licenseTransferTo", "licenseTransferTo is never shown", id="SRT-10-write-only"),
        pytest.param("name", "sortBy: name is complex; name one of its sub-attributes", id="complex"),
        pytest.param("addresses", "sortBy: addresses is complex", id="complex-list"),
        pytest.param('emails[type eq "work"].value', "no attribute", id="ROB-33-value-path"),
        pytest.param("userName; DROP TABLE user --", "no attribute", id="ROB-33-injection"),
        pytest.param("x" * 20_000, "no attribute", id="ROB-33-long"),
        pytest.param("a\ud800\x00", "no attribute", id="ROB-33-surrogate"),
    ],
)
def test_sort_is_refused(users: Endpoint, sort_by: str, detail: str) -> None:
    with pytest.raises(InvalidValueException) as refusal:
        order(users, sort_by, False, "A", "sqlite")
    assert detail in refusal.value.detail
    assert len(refusal.value.detail.encode()) < 400
