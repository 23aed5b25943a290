"""The guides for identity providers name attributes, refusals, policies, profiles and commands that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click import Group

from scim_server.account.policies import POLICIES
from scim_server.account.refusals import DETAILS
from scim_server.cli import main
from scim_server.idp.profiles import profiles
from scim_server.protocol.catalogue import ACCOUNT_USER, Catalogue
from scim_server.web.errors import STATUSES

DIRECTORY = Path(__file__).resolve().parent.parent / "docs" / "idp"
PAGES = sorted(DIRECTORY.glob("*.md"))
GUIDES = [page for page in PAGES if page.name != "README.md"]
FILES = sorted(DIRECTORY.glob("*.json"))
CATALOGUE = Catalogue()
USERS = CATALOGUE.endpoints["/Users"]
MESSAGES = "urn:ietf:params:scim:api:messages:2.0:"
KNOWN = set(CATALOGUE.schemas) | {
    attribute.urn for endpoint in CATALOGUE.endpoints.values() for attribute in endpoint.by_urn.values()
}


def read(name: str) -> Any:
    return json.loads((DIRECTORY / name).read_text("utf-8"))


def named(page: Path) -> Any:
    return page.name


@pytest.mark.parametrize("page", [*PAGES, *FILES], ids=named)
def test_every_urn_is_that_of_a_schema_or_an_attribute(page: Path) -> None:
    found = set(re.findall(r"urn:ietf:params:scim:[A-Za-z0-9:.]+[A-Za-z0-9]", page.read_text("utf-8")))
    assert {urn for urn in found if not urn.startswith(MESSAGES)} <= KNOWN


@pytest.mark.parametrize("page", GUIDES, ids=named)
def test_every_mapped_attribute_is_one(page: Path) -> None:
    section = re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)
    (mapping,) = [one for one in section if one.startswith("Attribute mapping")]
    rows = [line.split("|") for line in mapping.splitlines() if line.startswith("| `")]
    assert len(rows) >= 4
    for row in rows:
        (namespace, *_) = re.findall(r"`(urn:[^`]+)`", row[2]) or [""]
        for name in re.findall(r"`([^`]+)`", row[1]):
            plain = re.sub(r"\[.*?\]", "", name)
            full = f"{namespace}:{plain}" if namespace else plain
            assert any(endpoint.named(full) for endpoint in CATALOGUE.endpoints.values()), full


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_refusal_has_the_status_that_is_told(page: Path) -> None:
    for line in page.read_text("utf-8").splitlines():
        cells = line.split("|")
        errors = [one for cell in cells[2:3] for one in _errors(cell)] if line.startswith("|") else []
        told = re.findall(r"\b[45][0-9]{2}\b", cells[1]) if errors else []
        for error in errors:
            assert error in DETAILS
            assert not told or int(told[0]) == STATUSES.get(error, (400, ""))[0], line
    assert set(re.findall(r"\bE[0-9]+\b", page.read_text("utf-8"))) <= set(DETAILS)


def _errors(cell: str) -> list[str]:
    """The refusals in a cell; E14-E17 are all of them."""
    spans = re.findall(r"\bE([0-9]+)(?:-E([0-9]+))?", cell)
    return [f"E{number}" for first, last in spans for number in range(int(first), int(last or first) + 1)]


@pytest.mark.parametrize("page", GUIDES, ids=named)
def test_every_guide_names_its_profile_and_answers_the_same_questions(page: Path) -> None:
    text = page.read_text("utf-8")
    assert f"\nProfile: `{page.stem}`." in text
    assert f"--connection {page.stem} --profile {page.stem}" in text
    assert page.stem in profiles()
    for heading in ("Set it up", "Attribute mapping", "When people leave", "What ", "Test it"):
        assert f"\n## {heading}" in text
    assert "`groupLicenses`" in text
    assert "`deactivation.licensePolicy`" in text
    assert f"({page.name})" in (DIRECTORY / "README.md").read_text("utf-8")


def test_every_profile_of_a_provider_has_its_guide() -> None:
    assert {page.stem for page in GUIDES} == set(profiles()) - {"default", "strict", "interop"}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_policies_commands_and_links_are_there(page: Path) -> None:
    text = page.read_text("utf-8")
    policies = r"\b(?:deactivation|deletion|defaults|licenseShortage|passwords|reactivation)\.[a-zA-Z]+"
    assert set(re.findall(policies, text)) <= set(POLICIES)
    for target in re.findall(r"\]\(([^)#:]+)", text):
        assert (DIRECTORY / target).is_file(), target
    for line in re.findall(r"scim-server ([a-z]+(?: [a-z]+)?)", text):
        command: object = main
        for word in line.split():
            command = command.commands.get(word, command) if isinstance(command, Group) else command
        assert command is not main, line


def test_schema_for_entra_has_the_names_and_types_of_ours() -> None:
    users, groups = read("entra-schema.json")["directories"][0]["objects"]
    names = {one["name"]: one for one in users["attributes"]}
    for name, one in names.items():
        attribute = USERS.named(re.sub(r"\[.*?\]", "", name))
        assert attribute is not None, name
        assert (one["type"] == "Boolean") is (attribute.type == "boolean"), name
        assert not one["multivalued"]
    assert [one["name"] for one in users["attributes"] if one["anchor"]] == ["id"]
    assert {one["targetAttributeName"] for one in read("entra-schema.json")["attributeMappings"]} <= set(names)
    assert all(CATALOGUE.endpoints["/Groups"].named(one["name"]) for one in groups["attributes"])


def test_attributes_for_okta_are_the_writable_ones_of_the_extension() -> None:
    given = read("okta-attributes.json")["definitions"]["custom"]["properties"]
    extension = USERS.attributes[ACCOUNT_USER.lower()].sub_attributes
    writable = {one.name for one in extension.values() if one.mutability in ("readWrite", "immutable")}
    assert set(given) == writable
    for name, one in given.items():
        attribute = extension[name.lower()]
        assert (one["externalName"], one["externalNamespace"], one["type"]) == (name, ACCOUNT_USER, attribute.type)
        allowed = [*attribute.canonical, *(["none"] if name == "licenseType" else [])]
        assert one.get("enum", []) == allowed
        assert [choice["const"] for choice in one.get("oneOf", [])] == allowed
