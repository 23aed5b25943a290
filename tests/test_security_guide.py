"""docs/security.md names for each threat what meets it, and tests that are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "security.md").read_text("utf-8")
LINES = [line for line in GUIDE.splitlines() if line.startswith("|")]
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in LINES]
THREATS = [row for row in ROWS if row[0] not in ("threat", "---|---|---")]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def functions_of(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_table_has_a_threat_what_meets_it_and_its_test() -> None:
    assert len(THREATS) > 40
    assert {tuple(row) for row in ROWS if row[0] == "threat"} == {("threat", "what meets it", "test")}
    assert len({row[0] for row in THREATS}) == len(THREATS)


@pytest.mark.parametrize("row", THREATS, ids=lambda row: row[0])
def test_every_threat_is_met_and_tested(row: list[str]) -> None:
    threat, control, tests = row
    assert threat
    assert control
    assert NAMED.sub("", tests).replace(",", "").strip() == ""
    found = NAMED.findall(tests)
    assert found
    assert [name for file, name in found if not name.startswith("test_") or name not in functions_of(file)] == []


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/security.md"])
def test_links_lead_to_files(document: str) -> None:
    file = ROOT / document
    for target in re.findall(r"\]\(([^)#:]+)[^)]*\)", file.read_text("utf-8")):
        assert (file.parent / target).is_file(), target


def test_weaknesses_are_reported_in_private() -> None:
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    assert "Report a vulnerability" in text
    assert "@" not in text  # no address that nobody reads
