"""Lists, filters, sorts and cursors are the same whether another account has things or not: protocol.md 4.23."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from scim_server.protocol.catalogue import Attribute, Catalogue, Endpoint
from tests.extra_types import EXTRA
from tests.web.conftest import SEARCH
from tests.web.isolation import Answer, World, isolated, nothing, settle, untouched

ENDPOINTS = Catalogue(extra=EXTRA).endpoints
PATHS = sorted(ENDPOINTS, key=lambda path: path != "/EventRecords")
"""The journal first: it tells of what was refused to the other questions."""
ATTRIBUTES = [(path, attribute) for path in PATHS for attribute in ENDPOINTS[path].by_urn.values()]
NAMES = [f"{path[1:]} {attribute.urn.rpartition(':')[2]}" for path, attribute in ATTRIBUTES]
CLOCK = ("periodStart", "periodEnd")
"""What the server's clock says, to all alike."""
COMPARED = {"string", "reference", "binary"}
"""The types that `co`, `sw` and `ew` are for."""
OTHER = {"integer": 987_654, "decimal": 987.5, "dateTime": "2019-01-01T00:00:00Z", "binary": "bm9i"}
"""A value of each type that nobody has."""


def questions() -> Iterator[tuple[str, str, Any]]:
    """What is asked without naming anything, as method, path and body."""
    for path in PATHS:
        for query in ("", "?count=0", "?startIndex=2&count=1", "?startIndex=9", "?cursor=&count=1", "?cursor="):
            yield "GET", f"{path}{query}", None
        for filter_ in (None, "id pr", 'not (id eq "x")', "externalId eq null or externalId ne null", "schemas pr"):
            given = {} if filter_ is None else {"filter": filter_}
            yield "POST", f"{path}/.search", {"schemas": [SEARCH], "count": 50, **given}
        for attribute in ENDPOINTS[path].by_urn.values():
            has = f"{attribute.urn} pr"
            yield "GET", f"{path}?{urlencode({'sortBy': attribute.urn, 'count': 20})}", None
            yield "GET", f"{path}?{urlencode({'filter': f'{has} or not ({has})', 'count': 0})}", None
            body = {"schemas": [SEARCH], "filter": has, "sortBy": attribute.urn, "sortOrder": "descending", "count": 20}
            yield "POST", f"{path}/.search", {**body, "attributes": [attribute.urn]}
    for filter_ in ("id pr", "userName pr", 'meta.resourceType eq "User"', "displayName pr or externalId pr"):
        for sort in ({}, {"sortBy": "id"}, {"sortBy": "displayName", "sortOrder": "descending"}):
            yield "GET", f"/?{urlencode({'filter': filter_, **sort})}", None
            yield "POST", "/.search", {"schemas": [SEARCH], "filter": filter_, **sort}
    yield "GET", "/", None
    yield "POST", "/.search", {"schemas": [SEARCH], "count": 0}


QUESTIONS = list(questions())


@pytest.fixture(scope="module")
def memory() -> dict[int, tuple[Answer, Answer]]:
    """The answers to each question before the owner had anything, and after."""
    return {}


@pytest.fixture(scope="module")
def world(database_url: str, memory: dict[int, tuple[Answer, Answer]]) -> Iterator[World]:
    with isolated(database_url) as made:
        before = [made.one(made.twin, *question) for question in QUESTIONS]
        settle(made)
        with untouched(made, begun=("", "")):
            after = [made.one(made.asker, *question) for question in QUESTIONS]
        memory |= dict(enumerate(zip(before, after, strict=True)))
        with untouched(made):
            yield made


@pytest.mark.parametrize("path", [*PATHS, "/"])
def test_answer_is_the_same_whether_another_account_has_things_or_not(
    world: World, memory: dict[int, tuple[Answer, Answer]], path: str
) -> None:
    """MTN-03: neither a resource, a count, a place in the order nor a page more."""
    asked = 0
    for number, (method, target, body) in enumerate(QUESTIONS):
        if target.partition("?")[0].removesuffix("/.search") == path.rstrip("/") or target.partition("?")[0] == path:
            before, after = memory[number]
            assert after == before, (method, target, body)
            world.check_silent(after)
            asked += 1
    assert asked > 20


def value_in(resource: Any, endpoint: Endpoint, attribute: Attribute) -> Any:
    """A simple value that a resource has at an attribute, or None."""
    head = endpoint.heads[attribute.urn]
    found = resource.get(head)
    names = attribute.urn.removeprefix(f"{head}:").removeprefix(f"{endpoint.schema}:").split(".")
    for name in names[0 if head == attribute.urn.rpartition(":")[0] else 1 :]:
        found = found[0] if isinstance(found, list) and found else found
        found = found.get(name) if isinstance(found, dict) else None
    found = found[0] if isinstance(found, list) and found else found
    return None if isinstance(found, dict | list) else found


@pytest.fixture(scope="module")
def told(world: World) -> Mapping[str, tuple[list[Any], list[Any]]]:
    """By endpoint, the resources of the owner, and those of the two."""
    two = (world.asker.api, world.twin.api)
    return {
        path: (
            world.owner.get(f"{path}?count=50")["Resources"],
            [one for api in two for one in api.get(f"{path}?count=1000")["Resources"]],
        )
        for path in PATHS
    }


def test_owner_has_values_of_its_own_in_most_attributes(told: Mapping[str, tuple[list[Any], list[Any]]]) -> None:
    """Else the filters would ask for little."""
    own = 0
    for path, attribute in ATTRIBUTES:
        of_owner, of_two = ([value_in(one, ENDPOINTS[path], attribute) for one in found] for found in told[path])
        own += any(one not in (None, *of_two) for one in of_owner)
    assert own > 150


def unlike(attribute: Attribute, value: Any) -> Any:
    """A value of the same kind that nobody has; of two truths there is none."""
    if isinstance(value, str) and attribute.type in ("string", "reference"):
        other = nothing("value", value)
        return other if other != value else re.sub(r"\w", "q", value)
    return OTHER.get(attribute.type, value)


@pytest.mark.parametrize(("path", "attribute"), ATTRIBUTES, ids=NAMES)
def test_value_of_another_account_is_found_by_no_filter(
    world: World, told: Mapping[str, tuple[list[Any], list[Any]]], path: str, attribute: Attribute
) -> None:
    """MTN-03: as a value that nobody has, whatever compares with it."""
    endpoint = ENDPOINTS[path]
    of_owner, of_two = ([value_in(one, endpoint, attribute) for one in found] for found in told[path])
    theirs = [one for one in of_owner if one not in (None, *of_two) and attribute.name not in CLOCK]
    value = theirs[0] if theirs else unlike(attribute, "x" * 9)
    nobodys = unlike(attribute, value) if theirs else value
    world.asker.words["value"], world.twin.words["value"] = (orjson.dumps(one).decode() for one in (value, nobodys))
    try:
        world.both("GET", f"{path}?filter={attribute.urn}+eq+{{value}}&count=0")
        for condition in conditions(attribute):
            answer = world.both("POST", f"{path}/.search", {"filter": condition, "count": 20, "schemas": [SEARCH]})
            if answer.status == 200:
                page = answer.json
                assert len(page["Resources"]) == min(page["totalResults"], 20)
                if condition.endswith(" eq {value}") and theirs:
                    assert page["totalResults"] == 0
            else:
                assert answer.status in (400, 403)
    finally:
        del world.asker.words["value"], world.twin.words["value"]


def conditions(attribute: Attribute) -> Iterator[str]:
    """Filters that compare an attribute with a value."""
    name = attribute.urn
    yield f"{name} eq {{value}}"
    yield f"{name} ne {{value}}"
    yield f"not ({name} eq {{value}}) and id pr"
    if attribute.type in COMPARED:
        yield " or ".join(f"{name} {compared} {{value}}" for compared in ("eq", "co", "sw", "ew"))
    if attribute.type not in ("boolean", "complex", "binary"):
        yield f"{name} ge {{value}} and {name} le {{value}}"
