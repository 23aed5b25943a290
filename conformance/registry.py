"""Checks: what they are, how they register, how they end."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.scim import Scim

AREAS = {
    "DSC": "Discovery",
    "AUT": "Authentication",
    "HTP": "HTTP binding",
    "ERR": "Errors",
    "CRT": "Create",
    "GET": "Read",
    "PRJ": "Projection",
    "LST": "Lists and paging",
    "FLT": "Filters",
    "SRT": "Sorting",
    "SEA": "Search by POST",
    "PUT": "Replace",
    "PAT": "PATCH",
    "DEL": "Delete",
    "BLK": "Bulk",
    "ETG": "Entity tags",
    "ME": "/Me",
    "GRP": "Groups",
    "USR": "Users and values",
    "EXT": "Extensions",
    "CUR": "Cursor pagination",
    "EVT": "Prefer",
    "SEC": "API security",
    "ROB": "Hostile input",
    "CON": "Races",
    "ACC": "Account rules",
    "IDP": "Identity providers",
    "OBS": "The whole run",
}
"""What the first letters of a requirement's id stand for."""
LEVELS = ("MUST", "SHOULD", "POLICY", "ROBUST")
STATEMENT = re.compile(r"(?P<id>[A-Z]{2,3}-\d+) (?P<level>MUST|SHOULD|POLICY|ROBUST): (?P<requirement>.+)", re.DOTALL)


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    NOTE = "note"
    NOT_APPLICABLE = "not applicable"


MISSED = {
    "MUST": Outcome.FAILED,
    "SHOULD": Outcome.WARNING,
    "ROBUST": Outcome.WARNING,
    "POLICY": Outcome.NOTE,
}
"""The outcome of a requirement of each level that is not met."""


class Unmet(Exception):
    """The requirement is not met; the message says what was seen."""


class NotApplicable(Exception):
    """The check has nothing to look at here; the message says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement and the function that asks whether it is met."""

    id: str
    level: str
    requirement: str
    source: str
    suite: str
    needs: tuple[str, ...]
    run: "Callable[[Scim], None]"

    @property
    def area(self) -> str:
        """The part of the protocol that the check belongs to."""
        return AREAS[self.id.partition("-")[0]]

    @property
    def section(self) -> str:
        """The RFC section that the requirement rests on, or the source that stands for it."""
        return self.source.partition(";")[0].strip()


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended, and what was sent and answered."""

    check: Check
    outcome: Outcome
    reason: str
    seconds: float
    evidence: tuple[dict[str, Any], ...]


CHECKS: list[Check] = []
"""Every check of the RFCs and of the account's rules, in the order in which they run."""


def check(source: str, *needs: str, suite: str = "rfc") -> "Callable[[Callable[[Scim], None]], Callable[[Scim], None]]":
    """Register a function whose docstring states a requirement: its id, its level, and what is required."""

    def register(run: "Callable[[Scim], None]") -> "Callable[[Scim], None]":
        stated = STATEMENT.match(" ".join((run.__doc__ or "").split()))
        if stated is None:
            raise ValueError(f"{run.__name__} does not state its requirement")
        if any(one.id == stated["id"] for one in CHECKS):
            raise ValueError(f"{stated['id']} is there twice")
        CHECKS.append(Check(stated["id"], stated["level"], stated["requirement"], source, suite, needs, run))
        return run

    return register


def chosen(checks: Iterable[Check], only: Iterable[str], suites: Iterable[str]) -> list[Check]:
    """The checks whose id fits one of the patterns and whose suite is wanted; no pattern fits all, as does no suite."""
    patterns, wanted = [one.upper() for one in only], set(suites)
    return [
        one
        for one in checks
        if (not wanted or one.suite in wanted)
        and (not patterns or any(_fits(one.id.upper(), pattern) for pattern in patterns))
    ]


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or name.startswith(f"{pattern}-")


def expect(condition: object, seen: str) -> None:
    """Go on if the condition holds; else the requirement is not met for the reason given."""
    if not condition:
        raise Unmet(seen)


def equal(found: object, wanted: object, what: str) -> None:
    """Go on if the value is the wanted one."""
    expect(found == wanted, f"{what} is {found!r}, expected {wanted!r}")
