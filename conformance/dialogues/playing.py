"""Plays captures against a server, a check for each."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from conformance.dialogues.captures import Dialogue, Step, dialogues
from conformance.dialogues.paths import at
from conformance.registry import Check, Unmet, expect
from conformance.scim import Scim

VARIABLE = re.compile(r"\{\{(\w+)\}\}")


def dialogue_checks() -> list[Check]:
    """A check for each capture."""
    return [_check(place, one) for place, one in dialogues()]


def _check(place: str, dialogue: Dialogue) -> Check:
    def run(scim: Scim) -> None:
        play(scim, dialogue)

    statement = f"{dialogue.title}: {dialogue.about}"
    name = f"IDP-{place.replace('/', '-')}"
    return Check(name, "MUST", statement, f"dialogues/{place}", dialogue.idp, dialogue.needs, run)


def play(scim: Scim, dialogue: Dialogue) -> None:
    """Send each step and look at its answer; a step that is answered otherwise ends the dialogue."""
    variables: dict[str, Any] = {
        "user": scim.mail("ava"), "other": scim.mail("bob"), "renamed": scim.mail("eva"), "nobody": scim.mail("nobody"),
        "group": scim.name("Sales "), "regrouped": scim.name("Marketing "), "external": scim.name("ext"),
        "domain": scim.domain, "base": scim.base_url,
    }  # fmt: skip
    variables |= {"shouted": variables["user"].upper(), "grouped": variables["group"].swapcase()}
    for number, step in enumerate(dialogue.steps, 1):
        try:
            _take(scim, step, variables)
        except (Unmet, KeyError) as problem:
            raise Unmet(f"step {number}, {step.title}: {problem}") from problem


def _take(scim: Scim, step: Step, variables: dict[str, Any]) -> None:
    query = f"?{urlencode(filled(step.query, variables))}" if step.query else ""
    answer = scim.send(
        step.method, filled(step.path, variables) + query, filled(step.body, variables), headers=step.headers
    )
    wanted = " or ".join(map(str, step.status))
    expect(answer.status in step.status, f"{step.method} {step.path} was answered {answer.status}, expected {wanted}")
    looked = (
        scim.read(filled(step.path, variables)) if answer.status == 204 and step.method == "PATCH" else answer.value
    )
    for path, value in step.fields.items():
        found = at(looked, filled(path, variables))
        expect(found == filled(value, variables), f"{path} is {found!r}, expected {filled(value, variables)!r}")
    for path in step.absent:
        found = at(looked, filled(path, variables))
        expect(found in (None, "", [], {}), f"{path} is {found!r}, expected none")
    for name, path in step.capture.items():
        variables[name] = at(looked, path)
        expect(variables[name] is not None, f"the answer has no {path}")


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """The value with its variables filled in."""
    if isinstance(value, str):
        return VARIABLE.sub(lambda found: str(variables[found[1]]), value)
    if isinstance(value, list):
        return [filled(one, variables) for one in value]
    if isinstance(value, Mapping):
        return {filled(key, variables): filled(one, variables) for key, one in value.items()}
    return value
