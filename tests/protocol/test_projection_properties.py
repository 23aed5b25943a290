"""Projection against a naive reference: for each leaf of a document, whether the client sees it (RFC 7644 section 3.9)."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from scim_server.protocol.catalogue import ENTERPRISE, SCHEMAS, USER, Attribute, Catalogue, Endpoint
from scim_server.protocol.documents import projected, projection

RETURNED = {
    "user.json": {
        "title": "request", "nickName": "never", "locale": "always",
        "name": "default", "name.givenName": "always", "name.familyName": "request", "name.formatted": "never",
        "emails.value": "always", "emails.display": "never", "emails.type": "request",
        "ims": "always", "ims.display": "request", "phoneNumbers": "request", "addresses": "never",
    },
    "enterprise-user.json": {
        "department": "always", "costCenter": "request", "division": "never", "manager.value": "always",
    },
}  # fmt: skip
"""Every kind of ``returned`` at every depth."""


@cache
def users() -> Endpoint:
    with TemporaryDirectory() as place:
        directory = Path(copytree(SCHEMAS, Path(place) / "schemas"))
        for file, returned in RETURNED.items():
            document = orjson.loads((directory / file).read_bytes())
            for attribute in document["attributes"]:
                attribute["returned"] = returned.get(attribute["name"], attribute["returned"])
                for part in attribute.get("subAttributes", ()):
                    part["returned"] = returned.get(f"{attribute['name']}.{part['name']}", part["returned"])
            (directory / file).write_bytes(orjson.dumps(document))
        return Catalogue(directory).endpoint_of("User")


def parts(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), st.just("x"), min_size=1)


documents = st.fixed_dictionaries(
    {"schemas": st.just([USER]), "id": st.just("1"), "userName": st.just("ava")},
    optional={
        **{name: st.just("x") for name in ("title", "nickName", "locale", "displayName")},
        "name": parts("givenName", "familyName", "formatted", "middleName"),
        **{
            name: st.lists(parts("value", "type", "display"), min_size=1, max_size=2)
            for name in ("emails", "ims", "phoneNumbers")
        },
        "addresses": st.lists(parts("country"), min_size=1, max_size=1),
        ENTERPRISE: st.fixed_dictionaries(
            {},
            optional={
                **{name: st.just("x") for name in ("department", "costCenter", "division", "employeeNumber")},
                "manager": parts("value", "displayName", "$ref"),
            },
        ).filter(bool),
    },
)
names = st.lists(
    st.sampled_from(
        [
            "title", "nickName", "locale", "displayName", "id", "nonsense", "userName", "name", "addresses",
            *(f"name.{one}" for one in ("givenName", "familyName", "formatted", "middleName")),
            *(f"{name}{part}" for name in ("emails", "ims", "phoneNumbers") for part in ("", ".value", ".type", ".display")),
            ENTERPRISE,
            *(f"{ENTERPRISE}:{one}" for one in ("department", "costCenter", "division", "manager", "manager.value", "manager.$ref")),
        ]
    ),
    min_size=1,
    max_size=4,
)  # fmt: skip

Step = str | int


def leaves(
    attributes: Any, value: Any, steps: tuple[Step, ...] = (), chain: tuple[Attribute, ...] = ()
) -> Iterator[tuple[tuple[Step, ...], tuple[Attribute, ...], Any]]:
    """Every simple value of a document: where it is, the attributes on the way to it, and itself."""
    if isinstance(value, dict):
        for name, one in value.items():
            attribute = attributes[name.lower()]
            yield from leaves(attribute.sub_attributes, one, (*steps, name), (*chain, attribute))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, one in enumerate(value):
            yield from leaves(attributes, one, (*steps, number), chain)
    else:
        yield steps, chain, value


def is_seen(chain: tuple[Attribute, ...], asked: set[str], excluded: set[str]) -> bool:
    """Whether a client sees the value at the end of a chain of attributes."""
    urns = [one.urn.lower() for one in chain]
    if any(one.returned == "never" for one in chain):
        return False
    for number, one in enumerate(chain):
        if one.returned == "request" and not asked & set(urns[number:]):
            return False
    last_always = max((number for number, one in enumerate(chain) if one.returned == "always"), default=-1)
    if asked:
        return last_always >= 0 or bool(asked & set(urns))
    return not any(urn in excluded and number > last_always for number, urn in enumerate(urns))


def rebuilt(seen: list[tuple[tuple[Step, ...], Any]]) -> Any:
    """The document that has these values where they are; elements without one are gone."""
    if len(seen) == 1 and not seen[0][0]:
        return seen[0][1]
    heads = dict.fromkeys(steps[0] for steps, _ in seen)
    inner = {head: rebuilt([(steps[1:], one) for steps, one in seen if steps[0] == head]) for head in heads}
    return list(inner.values()) if all(isinstance(head, int) for head in heads) else inner


def by_the_reference(document: Any, asked: list[str], excluded: list[str]) -> Any:
    endpoint = users()
    urns = [
        {attribute.urn.lower() for name in chosen if (attribute := endpoint.named(name))}
        for chosen in (asked, excluded)
    ]
    if asked and not urns[0]:
        urns[0] = {"nothing"}
    every = list(leaves(endpoint.attributes, document))
    return rebuilt([(steps, value) for steps, chain, value in every if is_seen(chain, *urns)])


def without_empty_elements(document: Any) -> Any:
    """Elements of which nothing is seen may stay as empty objects where their list is seen; they tell nothing."""
    kept = {
        name: [one for one in value if one != {}] if isinstance(value, list) else value
        for name, value in document.items()
    }
    return {name: value for name, value in kept.items() if value not in ([], {})}


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(document=documents, asked=names)
def test_asked_for_attributes_are_what_the_reference_sees(document: Any, asked: list[str]) -> None:
    shown = projected(users(), document, projection(users(), asked, []))
    assert without_empty_elements(shown) == by_the_reference(document, asked, [])


@settings(max_examples=400, derandomize=True, deadline=None, database=None)
@given(document=documents, excluded=names)
def test_excluded_attributes_leave_what_the_reference_sees(document: Any, excluded: list[str]) -> None:
    shown = projected(users(), document, projection(users(), [], excluded))
    assert without_empty_elements(shown) == by_the_reference(document, [], excluded)
