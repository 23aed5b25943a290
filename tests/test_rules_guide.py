"""docs/rules.md tells every rule, refusal and policy as the code has them, and every one of them has its tests."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scim_server.account.policies import POLICIES, Policies
from scim_server.account.refusals import DETAILS
from scim_server.account.rules import DELETION_RULES, RULES
from scim_server.web.errors import STATUSES

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "docs" / "rules.md").read_text("utf-8")
RULE_IDS = [f"R{number}" for number in range(1, 36)]
SOURCES = [file.read_text("utf-8") for file in sorted((ROOT / "scim_server").rglob("*.py"))]
TESTS = {file: ast.parse(file.read_text("utf-8")) for file in sorted((ROOT / "tests").rglob("test_*.py"))}


def rows(*heads: str) -> list[list[str]]:
    """The cells of the table of the guide that has these heads."""
    table = GUIDE.split(f"| {' | '.join(heads)} |\n", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_every_rule_is_told_with_what_is_seen_and_what_to_do() -> None:
    told = rows("rule", "what it is", "what the IdP sees", "what to do")
    assert [row[0] for row in told] == RULE_IDS
    assert all(len(row) == 4 and all(row) for row in told)


def test_every_refusal_is_told_with_its_status_and_words() -> None:
    expected = [
        [error, str(status), scim_type or "", detail]
        for error, detail in DETAILS.items()
        for status, scim_type in [STATUSES.get(error, (400, "invalidValue"))]
    ]
    assert rows("id", "status", "scimType", "detail") == expected


def test_every_policy_is_told_with_its_values_and_default() -> None:
    def shown(value: object) -> str:
        return {None: "none", True: "true", False: "false"}.get(value, str(value))

    defaults = {key: getattr(Policies(), field) for key, (field, _) in POLICIES.items()} | {"groupLicenses": "{}"}
    expected = [[f"`{key}`", reader.allowed, shown(defaults[key])] for key, (_, reader) in POLICIES.items()]
    assert rows("policy", "values", "default") == expected


@pytest.mark.parametrize("error", DETAILS)
def test_every_refusal_is_told_by_a_rule_of_the_guide(error: str) -> None:
    named = {f"E{number}" for number in range(1, 32) for row in rows("rule", "what it is", "what the IdP sees", "what to do")
             if number in _numbers(row[2])}  # fmt: skip
    assert error in named


def _numbers(text: str) -> set[int]:
    """The numbers of the refusals that a text names: ``E4, E6-E12``."""
    spans = re.findall(r"E(\d+)(?:-E(\d+))?", text)
    return {number for first, last in spans for number in range(int(first), int(last or first) + 1)}


def test_the_code_cites_rules_and_refusals_that_exist() -> None:
    cited = {pair for source in SOURCES for pair in re.findall(r'Refused\(\s*"(\w+)",\s*"?(\w+)', source)}
    assert {rule for rule, _ in cited} <= {*RULE_IDS, "P7"}
    assert {error for _, error in cited if error.startswith("E")} <= {*DETAILS}
    used = {error for source in SOURCES for error in re.findall(r'"(E\d+)"', source.partition("DETAILS = {")[0])}
    assert used == {*DETAILS}


def test_every_rule_function_is_a_sentence_that_cites_its_rule() -> None:
    for rule in (*RULES, *DELETION_RULES):
        sentence = (rule.__doc__ or "").splitlines()[0]
        assert re.search(r"\((R\d+|P\d)(, (R\d+|P\d))*\)\.$|\(R\d+.*\)\.?$", sentence), rule.__name__


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for file, tree in TESTS.items():
        yield from ((file, node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("error", DETAILS)
def test_every_refusal_has_a_test(error: str) -> None:
    """A test that expects the id, or the first words of its detail, in its code."""
    words = re.split(r"[{}]", DETAILS[error])
    longest = max(words, key=len).strip(" '.:")
    found = [
        node.name
        for file, node in functions()
        if file.name != "test_rules_guide.py"
        for one in ast.walk(node)
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and (one.value == error or longest in one.value)
    ]
    assert found


@pytest.mark.parametrize("rule", RULE_IDS)
def test_every_rule_has_a_test(rule: str) -> None:
    """A test that cites the rule in its name, its docstring or its module's first words."""
    cited = re.compile(rf"\b{rule}\b|_{rule.lower()}_")
    ranges = [
        (int(first), int(last))
        for tree in TESTS.values()
        for first, last in re.findall(r"R(\d+)-R(\d+)", ast.get_docstring(tree) or "")
    ]
    named = any(cited.search(f"{node.name} {ast.get_docstring(node) or ''}") for _, node in functions())
    headed = any(cited.search(ast.get_docstring(tree) or "") for tree in TESTS.values())
    assert named or headed or any(first <= int(rule[1:]) <= last for first, last in ranges)
