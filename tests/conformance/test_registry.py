"""What checks say of themselves, how they are chosen, and what conformance/ may import."""

import ast
from pathlib import Path

import pytest

from conformance.cli import everything
from conformance.dialogues.captures import DialogueSchema, dialogues
from conformance.dialogues.paths import at
from conformance.registry import AREAS, CHECKS, LEVELS, check, chosen

ROOT = Path(__file__).resolve().parents[2] / "conformance"
ALLOWED = {"conformance", "marshmallow", "werkzeug"}
IDPS = {"entra", "okta", "onelogin", "jumpcloud", "ping", "sailpoint", "google", "authentik"}


def test_checks_are_many_and_state_their_requirement() -> None:
    assert len([one for one in CHECKS if one.suite == "rfc"]) >= 200
    for one in everything():
        assert one.id.partition("-")[0] in AREAS
        assert one.level in LEVELS
        assert len(one.requirement) > 20, one.id
        assert one.source, one.id


def test_only_policies_are_policies() -> None:
    """A requirement that rests on no RFC fails nobody: it is a policy, or a matter of robustness."""
    for one in CHECKS:
        if one.suite == "rfc" and one.level == "MUST":
            assert "RFC" in one.source or "errat" in one.source or "3986" in one.source, one.id


@pytest.mark.parametrize("statement", ["", "no statement", "XX MUST: short", "CRT-99 COULD: x", "CRT-01 MUST: twice."])
def test_bad_statement_is_refused(statement: str) -> None:
    def run(scim: object) -> None: ...

    run.__doc__ = statement
    with pytest.raises(ValueError, match="state its requirement|there twice"):
        check("RFC 7644")(run)


def test_checks_are_chosen_by_id_area_and_suite() -> None:
    def ids(only: list[str], suites: list[str]) -> set[str]:
        return {one.id for one in chosen(everything(), only, suites)}

    assert ids(["crt-01"], []) == {"CRT-01"}
    assert ids(["ME"], []) == {"ME-01", "ME-02"}
    assert ids(["FLT-0*"], []) == {f"FLT-0{n}" for n in range(1, 10)}
    assert len(ids([], ["okta"])) == 5
    assert ids(["CRT"], ["okta"]) == set()


def test_every_idp_has_a_user_and_a_group() -> None:
    read = dict(dialogues())
    assert {one.idp for one in read.values()} == IDPS
    for idp in IDPS:
        names = [place for place in read if place.startswith(f"{idp}/")]
        assert any("user" in name for name in names)
        assert any("group" in name for name in names)
    assert all(place.partition("/")[0] == one.idp for place, one in read.items())


def test_captures_are_validated() -> None:
    step = {"title": "x", "method": "FETCH", "path": "Users", "status": [], "extra": 1}
    errors = DialogueSchema().validate({"idp": "x", "title": "x", "about": "x", "steps": [step, step]})
    assert set(errors["steps"][0]) == {"method", "path", "status", "extra"}


def test_values_are_found_by_path() -> None:
    user = {"emails": [{"type": "work", "value": "a"}], "urn:x:2.0:User": {"manager": {"value": "m"}}}
    assert at(user, "emails[type=work].value") == "a"
    assert at(user, "emails[0].type") == "work"
    assert at(user, "emails#") == 1
    assert at(user, "urn:x:2.0:User:manager.value") == "m"
    assert [at(user, path) for path in ("emails[type=home].value", "name.x", "urn:y:a", "emails[4]")] == [None] * 4


@pytest.mark.parametrize("file", sorted(ROOT.rglob("*.py")), ids=lambda file: str(file.relative_to(ROOT)))
def test_runner_speaks_http_alone(file: Path) -> None:
    """The suite looks at a server from without: it shares no code with ours, and keeps to the house's sizes."""
    tree = ast.parse(file.read_text("utf-8"))
    standard = __import__("sys").stdlib_module_names
    for node in ast.walk(tree):
        modules = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            assert module.partition(".")[0] in standard | ALLOWED, module
    assert len(file.read_text("utf-8").splitlines()) <= 300
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno <= 50, node.name
