"""docs/protocol.md states every requirement once, and what it states is cited by a test and announced by the server."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scim_server.protocol.catalogue import ACCOUNT_GROUP, ACCOUNT_USER, Catalogue
from scim_server.provisioning import Limits
from scim_server.web.discovery import service_provider_config

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| ([A-Z]{2,3}-\d\d) \| (.+) \| (.+) \|$", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs" / "protocol.md").read_text("utf-8").partition("## The requirements")[2])
HERE = {identifier: here for identifier, _, here in ROWS}
FAMILIES = {identifier.partition("-")[0] for identifier in HERE}
HELD = ("held", "held in strict")
ANNOUNCED: dict[str, Any] = service_provider_config(Limits())
CATALOGUE = Catalogue()


def prose(source: str) -> Iterator[str]:
    """The docstrings and comments of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def cited(text: str) -> Iterator[str]:
    """The ids of requirements in a text, and those between: ``CON-01 to CON-09``."""
    for family, first, last in re.findall(r"\b([A-Z]{2,3})-(\d\d)\b(?: to \1-(\d\d)\b)?", text):
        if family != "UTF":
            yield from (f"{family}-{number:02}" for number in range(int(first), int(last or first) + 1))


CITED = {
    identifier: file.name
    for file in sorted((ROOT / "tests").rglob("*.py"))
    for text in prose(file.read_text("utf-8"))
    for identifier in cited(text)
}


def in_family(*families: str) -> dict[str, str]:
    return {identifier: here for identifier, here in HERE.items() if identifier.partition("-")[0] in families}


def test_every_requirement_is_stated_once() -> None:
    """In the order of its family, without a gap, in a row that can be read."""
    assert len(ROWS) == len(HERE) == 473
    for family in FAMILIES:
        numbers = [int(identifier[-2:]) for identifier in in_family(family)]
        assert numbers == list(range(1, len(numbers) + 1)), family
    table = re.findall(r"^\| [A-Z]+-.*$", (ROOT / "docs" / "protocol.md").read_text("utf-8"), re.MULTILINE)
    assert len(table) == len(ROWS)


def test_every_statement_is_one_of_four_and_an_exception_has_its_reason() -> None:
    allowed = re.compile(r"held|held in strict|not (applicable|supported): [^\s:][^|]{9,}")
    assert {identifier: here for identifier, here in HERE.items() if not allowed.fullmatch(here)} == {}


def test_every_requirement_that_is_held_is_cited_by_a_test() -> None:
    assert [identifier for identifier, here in HERE.items() if here in HELD and identifier not in CITED] == []


def test_every_cited_requirement_is_stated() -> None:
    assert {identifier: file for identifier, file in CITED.items() if identifier not in HERE} == {}


def test_what_is_held_by_the_strict_profile_alone_is_cited_where_that_profile_is_asked() -> None:
    """Each in the docstring of a test that speaks with a token of the profile."""
    asked = {
        identifier
        for file in sorted((ROOT / "tests" / "web").glob("test_*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and "strict" in ast.unparse(node.body[1:] or node.body)
        for identifier in cited(ast.get_docstring(node) or "")
    }
    assert {identifier for identifier, here in HERE.items() if here == "held in strict"} <= asked


@pytest.mark.parametrize(
    ("is_announced", "statements"),
    [
        (ANNOUNCED["bulk"]["supported"], in_family("BLK")),
        (ANNOUNCED["patch"]["supported"], in_family("PAT")),
        (ANNOUNCED["sort"]["supported"], in_family("SRT")),
        (ANNOUNCED["etag"]["supported"], in_family("ETG")),
        (ANNOUNCED["filter"]["supported"], in_family("FLT")),
        (ANNOUNCED["pagination"]["index"], in_family("LST")),
        (
            ANNOUNCED["pagination"]["cursor"],
            {one: here for one, here in in_family("CUR").items() if one != "CUR-08"} | {"MTN-09": HERE["MTN-09"]},
        ),
        ("securityEvents" in ANNOUNCED, in_family("EVS") | {"DSC-26": HERE["DSC-26"]}),
        ("interopProfileConformant" in ANNOUNCED, {"DSC-27": HERE["DSC-27"]}),
    ],
    ids=["bulk", "patch", "sort", "etag", "filter", "index", "cursor", "events", "interop"],
)
def test_statement_says_what_is_announced(is_announced: bool, statements: dict[str, str]) -> None:
    """What is announced is held; nothing of what is not announced is."""
    held = [identifier for identifier, here in statements.items() if here in HELD]
    if is_announced:
        assert len(held) > len(statements) * 0.9
    else:
        assert held == []


def test_what_is_not_applicable_is_not_there() -> None:
    """CRT-24, EXT-04, EXT-07: the reasons are those that the published schemas give."""
    extensions = [one for kind in CATALOGUE.resource_types.values() for one in kind.get("schemaExtensions", ())]
    required = [one["schema"] for one in extensions if one["required"]]
    assert bool(required) is (HERE["CRT-24"] in HELD)
    own = [one for urn in (ACCOUNT_USER, ACCOUNT_GROUP) for one in CATALOGUE.schemas[urn]["attributes"]]
    assert bool([one["name"] for one in own if one["required"]]) is (HERE["EXT-04"] in HELD)
    times = [
        one["name"]
        for endpoint in CATALOGUE.endpoints.values()
        for urn in (endpoint.schema, *endpoint.extensions)
        for one in CATALOGUE.schemas[urn]["attributes"]
        if one["type"] == "dateTime" and one["mutability"] != "readOnly"
    ]
    assert bool(times) is (HERE["EXT-07"] in HELD)
