"""What the guides show of requests and answers is what happens; the template for OneLogin is taken as it is."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import ENTERPRISE, EXT, Api

DIRECTORY = Path(__file__).resolve().parents[2] / "docs" / "idp"
SEQUENCES = ("entra", "okta")


def exchanges(guide: str) -> Iterator[tuple[str, str, str, int]]:
    """The requests that a guide shows: method, path, body, the status of the answer."""
    for block in re.findall(r"^```http\n(.*?)^```", (DIRECTORY / f"{guide}.md").read_text("utf-8"), re.M | re.S):
        for exchange in block.strip().split("\n\n"):
            first, *body, status = exchange.splitlines()
            method, _, path = first.partition(" ")
            yield method, path, "\n".join(body), int(status)


@pytest.mark.parametrize("guide", SEQUENCES)
def test_sequence_in_a_guide_is_answered_as_it_says(api: Api, guide: str) -> None:
    side = api.token_for(profile=guide)
    made: dict[str, str] = {"acme.example": api.domain}
    shown = list(exchanges(guide))
    assert len(shown) >= 10
    for method, path, body, status in shown:
        for name, value in made.items():
            path, body = path.replace(name, value), body.replace(name, value)
        answer = side.call(method, path, json.loads(body) if body else None, status=status)
        if status == 201:
            made["{user}" if path == "/Users" else "{group}"] = answer["id"]


def test_no_other_guide_shows_a_sequence() -> None:
    assert [page.stem for page in sorted(DIRECTORY.glob("*.md")) if "```http" in page.read_text("utf-8")] == [
        *SEQUENCES
    ]


def filled(value: Any, macros: dict[str, str]) -> Any:
    """The template as OneLogin sends it: a macro without a value is an empty text."""
    if isinstance(value, dict):
        return {name: filled(one, macros) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, macros) for one in value]
    return (
        re.sub(r"\{\$([a-z_.]+)\}", lambda found: macros.get(found[1], ""), value) if isinstance(value, str) else value
    )


def test_onelogin_template_is_taken_full_and_nearly_empty(api: Api) -> None:
    api.user("boss", ext={"role": "administrator"})
    side = api.token_for(profile="onelogin")
    template = json.loads((DIRECTORY / "onelogin-template.json").read_text("utf-8"))
    few = {"parameters.scimusername": api.mail("ava"), "user.email": api.mail("ava"), "user.firstname": "Ava"}
    full = few | {
        "user.lastname": "Lee",
        "parameters.title": "Clerk",
        "parameters.mobile": "+15145550100",
        "parameters.department": "Sales",
        "parameters.licensetype": "pro",
        "parameters.role": "administrator",
        "parameters.timezone": "America/Toronto",
        "parameters.smscountrycode": "+1",
        "parameters.twofactor": "true",
    }
    ava = side.post("/Users", filled(template, full))
    expected = {"licenseType": "pro", "role": "administrator", "timeZone": "America/Toronto", "twoFactorEnabled": True}
    assert {name: ava[EXT][name] for name in expected} == expected
    assert (ava["title"], ava[ENTERPRISE]) == ("Clerk", {"department": "Sales"})
    with api.unchanged(f"/Users/{ava['id']}"):  # two-factor authentication needs the number
        assert "twoFactorEnabled" in side.refuse(
            "PUT", f"/Users/{ava['id']}", filled(template, few), kind="invalidValue"
        )
    after = side.put(f"/Users/{ava['id']}", filled(template, few | {"parameters.mobile": "+15145550100"}))
    assert {name: after[EXT][name] for name in expected} == expected
    assert ("title" in after, after["active"]) == (False, True)
    bob = few | {"parameters.scimusername": api.mail("bob"), "user.email": api.mail("bob")}
    assert side.post("/Users", filled(template, bob))["name"] == {"givenName": "Ava"}
