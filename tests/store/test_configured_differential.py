"""Filters and sorts of a configured type, with attributes of every type, against the library and plain Python."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from scim2_models import Extension, Resource, ResourceType, Schema, ScimProvider

from scim_server.protocol.catalogue import Catalogue, Endpoint
from scim_server.protocol.messages import with_schemas
from scim_server.provisioning.sifting import ordered as ordered_in_python
from scim_server.store import pages, resources, unique_values
from scim_server.store.database import Database
from scim_server.store.terms import is_hidden, value_of
from tests.extra_types import EXTRA, WARRANTY

from .population import TEXTS
from .rows import BASE, DAY, found, ordered, sent
from .test_filters_differential import Filters, Reference

DEVICES, OTHERS, FILTERS = 120, 40, 600
INSTANTS = ("2019-05-13T04:42:34Z", "2019-05-13T04:42:34+05:30", "2019-05-13T04:42:34.123456Z", "2026-01-01T00:00:00Z")
DECIMALS = (0, 0.1, 0.25, 1.5, -2.5, 3, 1e-7, 12345.678, 1e15)
INTEGERS = (0, 1, 3, -7, 2**53 + 1, 2**62)
BINARIES = ("QUJD", "YWJj", "qujd")
LINKS = ("https://x.example/A", "https://x.example/a", "https://x.example/b?c=%20")


@pytest.fixture(scope="module")
def devices() -> Endpoint:
    return Catalogue(extra=EXTRA).endpoint_of("Device")


@pytest.fixture(scope="module")
def reference(devices: Endpoint) -> Endpoint:
    """The endpoint with the library's own model, which compares times as times and base64 as bytes."""
    catalogue = Catalogue(extra=EXTRA)
    kind = ResourceType.model_validate(catalogue.resource_types["Device"])
    core = Resource.from_schema(Schema.model_validate(catalogue.schemas[devices.schema]))
    warranty = Extension.from_schema(Schema.model_validate(catalogue.schemas[WARRANTY]))
    model = ScimProvider([core, warranty], [kind]).model_for("Device")
    assert model is not None
    return replace(devices, model=model)


@pytest.fixture(scope="module")
def account(database: Database, new_account: Callable[[], str], devices: Endpoint) -> str:
    """An account of devices; beside it another account, and other types with the same values in the same one."""
    account_id, other = new_account(), new_account()
    places = Catalogue(extra=EXTRA).endpoint_of("Place")
    with database.transaction(None):
        for owner, kind, prefix, seed, size in (
            (account_id, devices, "device", 1, DEVICES),
            (account_id, replace(devices, name="Place", path="/Places"), "place", 2, OTHERS),
            (other, devices, "device", 3, OTHERS),
        ):
            random = Random(seed)
            for number in range(size):
                insert(owner, kind, f"{prefix}-{number:05}", device(random, number), random.randrange(5) * DAY)
    assert len(sent(database, places, account_id)) == OTHERS
    return account_id


def insert(account_id: str, endpoint: Endpoint, identifier: str, document: dict[str, Any], moment: int) -> None:
    final = with_schemas(endpoint, {**document, "id": identifier})
    columns = {"id": identifier, "version": 1, "created": moment, "modified": moment + DAY}
    resources.insert(account_id, endpoint, final, columns)
    unique_values.write(account_id, endpoint, identifier, {}, final)


def device(random: Random, number: int) -> dict[str, Any]:
    def some(values: Any) -> Any:
        return random.choice(values)

    def several(values: Any) -> list[Any]:
        return random.sample(values, random.choice((1, 1, 2, 3)))

    document = {
        "externalId": f"{some('Aa')}{number % 30}",
        "displayName": some([one for one in TEXTS if one]),
        "serialNumber": f"{some('SNsn')}{number}",
        "macAddresses": [f"{some('Aa')}:{number}", f"b:{number}"],
        "slot": number,
        "label": some(TEXTS),
        "enabled": some((True, False)),
        "floors": some(INTEGERS),
        "weight": some(DECIMALS),
        "boughtAt": some(INSTANTS),
        "manual": some(LINKS),
        "owner": some(LINKS),
        "certificate": some(BINARIES),
        "tags": several(TEXTS),
        "ratings": several(INTEGERS),
        "shares": several(DECIMALS),
        "keys": several(BINARIES),
        "checkedAt": several(INSTANTS),
        "links": several(LINKS),
        "model": some(TEXTS),
        "pin": "1234",
        "notes": some(TEXTS),
        "size": {"width": some(INTEGERS), "height": some((None, *DECIMALS)), "unit": some(("cm", "CM", "")), "marks": several(TEXTS)},
        "members": [member(random) for _ in range(some((1, 1, 2, 3)))],
        WARRANTY: {"number": f"W{number}", "endsAt": some(INSTANTS), "level": some(("basic", "Full")),
                   "contacts": [{"value": some(TEXTS), "type": some(("a", "A"))}]},
    }  # fmt: skip
    document["members"][0]["primary"] = some((True, False))
    document["size"] = {name: value for name, value in document["size"].items() if value is not None}
    return {name: value for name, value in document.items() if random.random() < 0.7 or name == "displayName"}


def member(random: Random) -> dict[str, Any]:
    values = {"value": TEXTS, "display": TEXTS, "type": ("part", "Spare"), "count": INTEGERS, "ratio": DECIMALS}
    values |= {"since": INSTANTS, "$ref": LINKS, "blob": BINARIES}
    return {"value": "x", **{name: random.choice(some) for name, some in values.items() if random.random() < 0.7}}


def generated(endpoint: Endpoint, documents: dict[str, Any]) -> list[str]:
    """Random filters. The grammar of the library has no brackets behind a list that is part of a complex attribute, and
    between them it compares the elements of a plain list of times or of base64 as texts, which nothing matches."""
    filters = Filters(endpoint, documents, seed=4)
    told_apart = ("dateTime", "binary")
    filters.lists = [one for one in filters.lists if endpoint.parent(one) is None and one.type not in told_apart]
    return list(filters.some(FILTERS))


_references: dict[str, Reference] = {}


def test_sql_finds_what_the_library_matches(
    database: Database, account: str, devices: Endpoint, reference: Endpoint
) -> None:
    documents = sent(database, devices, account)
    assert len(documents) == DEVICES
    known = _references.setdefault("devices", Reference(reference, documents))
    assert known.documents == documents  # so that one reference serves both databases
    wrong, hits = {}, 0
    for text in generated(devices, documents):
        expected = known.found(text)
        hits += 0 < len(expected) < len(documents)
        if (got := found(database, devices, account, text)) != expected:
            wrong[text] = {"extra": sorted(got - expected)[:3], "lacking": sorted(expected - got)[:3]}
    assert not wrong, "\n".join(f"{text}: {wrong[text]}" for text in sorted(wrong, key=len)[:10])
    assert hits > FILTERS / 3


def test_filters_ask_about_every_attribute(database: Database, account: str, devices: Endpoint) -> None:
    asked = " ".join(generated(devices, sent(database, devices, account))).lower()
    assert {one.name for one in devices.by_urn.values() if one.name.lower() not in asked} == {"pin"}


def test_sql_sorts_as_python_does(database: Database, account: str, devices: Endpoint) -> None:
    with database.reading(None):
        stored = pages.search(account, devices, None, [], 0, DEVICES).resources
    names = [
        name
        for one in devices.by_urn.values()
        if one.urn.startswith(f"{devices.schema}:") and not is_hidden(devices, one) and value_of(one) is not None
        if (name := one.urn.removeprefix(f"{devices.schema}:")) not in ("schemas", "meta.location", "meta.resourceType")
    ]
    assert len(names) > 35
    for name in names:
        for descending in (False, True):
            expected = [one.id for one in ordered_in_python(devices, stored, name, descending, BASE)]
            assert ordered(database, devices, account, name, descending) == expected, (name, descending)
