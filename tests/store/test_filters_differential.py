"""Random filters: SQL must find exactly what scim2-models' own ``ScimFilter.match`` finds in the same resources.

Left out, with their ids in libraries.md A.4, is only what the library gets wrong: S29 (``[]`` and missing, see
`completed_user`), S30 (``schemas`` that are not stored: ours are), S31 (comparisons with a complex attribute: refused).
S28 (times without an offset) needs no exception, as `parse_filter` writes the offset into the filter.
Two differences are meant: ``schemas`` is case-exact with us, and ``licenseResetRequired`` has the value false where it
is not sent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from scim_server.protocol.catalogue import ACCOUNT_USER, ENTERPRISE, Attribute, Catalogue, Endpoint
from scim_server.protocol.folding import TOLERANT
from scim_server.store.database import Database
from scim_server.store.filters import parse_filter
from scim_server.store.terms import is_hidden

from .population import TEXTS, completed_group, completed_user, insert_population
from .rows import BASE, found, sent

USERS, OTHERS, FILTERS = 160, 60, 550
"""Users of the account, users of another account with the same ids, filters on each endpoint."""
QUOTED = str.maketrans({'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n"})
OPERATORS = {
    "string": ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"),
    "reference": ("eq", "ne", "co", "sw", "ew", "gt"),
    "boolean": ("eq", "ne"),
    "binary": ("eq", "ne"),
    "integer": ("eq", "ne", "gt", "ge", "lt", "le"),
    "decimal": ("eq", "ne", "gt", "ge", "lt", "le"),
    "dateTime": ("eq", "ne", "gt", "ge", "lt", "le"),
}


@dataclass
class Reference:
    """The resources of the account as models, and what filters find among them."""

    endpoint: Endpoint
    documents: Mapping[str, Mapping[str, Any]]
    models: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.models = {one: self.endpoint.model.model_validate(document) for one, document in self.documents.items()}

    def found(self, text: str) -> set[str]:
        if text not in self.answers:
            scim_filter = parse_filter(self.endpoint, text)
            with TOLERANT:
                self.answers[text] = {one for one, model in self.models.items() if scim_filter.match(model)}
        return self.answers[text]


@pytest.fixture(scope="module")
def population(database: Database, new_account: Callable[[], str], catalogue: Catalogue) -> tuple[str, dict[str, Any]]:
    """An account of users and groups, and beside it another one with the same ids and other values."""
    users, groups = catalogue.endpoints["/Users"], catalogue.endpoints["/Groups"]
    account_id, other = new_account(), new_account()
    with database.transaction(None):
        beyond = insert_population(account_id, users, groups, seed=1, size=USERS)
        insert_population(other, users, groups, seed=2, size=OTHERS)
    sent_users = sent(database, users, account_id)
    for document in sent_users.values():
        document.get("groups", []).sort(key=lambda one: one["value"])
    completed = {one: completed_user(document, beyond["logs"][one]) for one, document in sent_users.items()}
    sent_groups = sent(database, groups, account_id)
    members = {
        one: completed_group(document, beyond["members"][one], completed) for one, document in sent_groups.items()
    }
    return account_id, {"/Users": completed, "/Groups": members}


_references: dict[str, Reference] = {}


@pytest.mark.parametrize("path", ["/Users", "/Groups"])
def test_sql_finds_what_the_library_matches(
    path: str, database: Database, population: tuple[str, dict[str, Any]], catalogue: Catalogue
) -> None:
    account_id, documents = population
    endpoint = catalogue.endpoints[path]
    reference = _references.setdefault(path, Reference(endpoint, documents[path]))
    assert reference.documents == documents[path]  # so that one reference serves both databases
    wrong, hits = {}, 0
    for text in Filters(endpoint, documents[path], seed=3).some(FILTERS):
        expected = reference.found(text)
        hits += 0 < len(expected) < len(documents[path])
        if (got := found(database, endpoint, account_id, text)) != expected:
            wrong[text] = {"extra": sorted(got - expected)[:3], "lacking": sorted(expected - got)[:3]}
    assert not wrong, "\n".join(f"{text}: {wrong[text]}" for text in sorted(wrong, key=len)[:10])
    assert hits > FILTERS / 3  # filters that find everybody or nobody prove little


class Filters:
    """Random filters over all attributes of an endpoint, with literals taken from its resources."""

    def __init__(self, endpoint: Endpoint, documents: Mapping[str, Mapping[str, Any]], seed: int) -> None:
        self.endpoint, self.random = endpoint, Random(seed)
        self.literals: dict[str, list[Any]] = {}
        for document in documents.values():
            for urn, value in _values(endpoint.attributes, document):
                self.literals.setdefault(urn, []).append(value)
        attributes = [
            one
            for one in endpoint.by_urn.values()
            if not is_hidden(endpoint, one) and not one.is_extension and one.name != "licenseResetRequired"
        ]
        self.compared = [one for one in attributes if one.type != "complex"]
        self.attributes = attributes
        self.lists = [one for one in attributes if one.multi_valued]

    def some(self, number: int) -> Iterator[str]:
        """Yield filters, short ones first."""
        for position in range(number):
            yield self.expression(self.term, depth=position * 4 // number)

    def expression(self, term: Callable[[], str], depth: int) -> str:
        if depth == 0:
            return term()
        choice = self.random.random()
        if choice < 0.25:
            return f"not ({self.expression(term, depth - 1)})"
        joiner = self.random.choice((" and ", " or ", " AND "))
        parts = [self.expression(term, self.random.randrange(depth)) for _ in range(self.random.choice((2, 2, 3)))]
        return f"({joiner.join(parts)})"

    def term(self) -> str:
        choice = self.random.random()
        if choice < 0.15:
            return f"{self.path(self.random.choice(self.attributes))} pr"
        if choice < 0.4:
            return self.selection(self.random.choice(self.lists))
        return self.comparison(attribute := self.random.choice(self.compared), self.path(attribute))

    def selection(self, attribute: Attribute) -> str:
        subs = list(attribute.sub_attributes.values()) or [attribute]

        def term() -> str:
            sub = self.random.choice(subs)
            name = "value" if sub is attribute else sub.name
            return f"{name} pr" if self.random.random() < 0.15 else self.comparison(sub, name)

        return f"{self.path(attribute)}[{self.expression(term, self.random.choice((0, 1, 1, 2)))}]"

    def comparison(self, attribute: Attribute, path: str) -> str:
        if self.random.random() < 0.06:
            return f"{path} {self.random.choice(('eq', 'ne'))} null"
        operators = ("eq", "ne") if _is_computed_url(attribute) else OPERATORS[attribute.type]
        return f"{path} {self.cased(self.random.choice(operators))} {self.written(self.literal(attribute))}"

    def literal(self, attribute: Attribute) -> Any:
        known = self.literals.get(attribute.urn.lower())
        value = self.random.choice(known) if known and self.random.random() < 0.9 else _DEFAULTS[attribute.type]
        if attribute.type != "string":
            return value
        start, end = sorted((self.random.randrange(len(value) + 1), self.random.randrange(len(value) + 1)))
        variants = (value, value, value[:end], value[start:])
        if attribute.name != "schemas":
            variants += (value.upper(), value.lower(), self.random.choice(TEXTS))
        return self.random.choice(variants)

    def path(self, attribute: Attribute) -> str:
        core = attribute.urn.removeprefix(f"{self.endpoint.schema}:")
        bare = attribute.urn.removeprefix(f"{ENTERPRISE}:")
        return self.cased(self.random.choice((core, core, attribute.urn, bare if ":" not in bare else core)))

    def cased(self, text: str) -> str:
        return self.random.choice((text, text, text.lower(), text.upper()))

    def written(self, literal: Any) -> str:
        if isinstance(literal, bool):
            return self.random.choice((str(literal).lower(), f'"{literal}"'))
        return f'"{literal.translate(QUOTED)}"' if isinstance(literal, str) else str(literal)


_DEFAULTS = {
    "string": "anna",
    "reference": f"{BASE}/Users/user-00003",
    "boolean": True,
    "binary": "QUJD",
    "integer": 3,
    "decimal": 0.25,
    "dateTime": "2019-05-13T04:42:34+05:30",
}


def _is_computed_url(attribute: Attribute) -> bool:
    return attribute.urn.endswith((":meta.location", ":groups.$ref", ":members.$ref"))


def _values(attributes: Mapping[str, Attribute], value: Any) -> Iterator[tuple[str, Any]]:
    """Yield all values of a document with the lower-cased names of their attributes."""
    for name, one in value.items():
        attribute = attributes[name.lower()]
        for element in one if isinstance(one, list) else [one]:
            if isinstance(element, dict):
                yield from _values(attribute.sub_attributes, element)
            else:
                yield attribute.urn.lower(), element


def test_every_attribute_is_asked_about(
    population: tuple[str, dict[str, Any]], catalogue: Catalogue, database: Database
) -> None:
    """The generator reaches all that a filter can name, the account's extension included."""
    _, documents = population
    users = catalogue.endpoints["/Users"]
    asked = " ".join(Filters(users, documents["/Users"], seed=3).some(FILTERS)).lower()
    names = [one.name for one in users.by_urn.values() if one.urn.startswith((f"{ENTERPRISE}:", f"{ACCOUNT_USER}:"))]
    assert {name for name in names if name.lower() not in asked} == {"licenseTransferTo", "licenseResetRequired"}
