"""The figures of a run, and its JSON form, from which the other forms are made."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from conformance.registry import Check, Outcome, Result
from conformance.runner import Run

ORDER = tuple(one.value for one in Outcome)


def totals(results: Iterable[Result]) -> dict[str, int]:
    """How many checks ended in each way."""
    counted = Counter(one.outcome.value for one in results)
    return {name: counted[name] for name in ORDER}


def totals_by(results: Iterable[Result], part: Callable[[Check], str]) -> dict[str, dict[str, int]]:
    """The totals of each part of the results, in the order in which the parts appear."""
    parts: dict[str, list[Result]] = {}
    for one in results:
        parts.setdefault(part(one.check), []).append(one)
    return {name: totals(some) for name, some in parts.items()}


def whose(check: Check) -> str:
    """The identity provider that a check stands for, or the RFCs, or the account's rules."""
    return {"rfc": "RFC", "account": "account rules"}.get(check.suite, check.suite)


def as_json(run: Run, begun: str) -> dict[str, Any]:
    """The whole run as one JSON object."""
    return {
        "baseUrl": run.base_url,
        "begun": begun,
        "seconds": round(run.seconds, 2),
        "interrupted": run.interrupted,
        "leftBehind": list(run.left),
        "totals": totals(run.results),
        "byArea": totals_by(run.results, lambda check: check.area),
        "bySection": dict(sorted(totals_by(run.results, lambda check: check.section).items())),
        "bySuite": totals_by(run.results, whose),
        "checks": [_check(one) for one in run.results],
    }


def _check(result: Result) -> dict[str, Any]:
    check = result.check
    return {
        "id": check.id,
        "level": check.level,
        "requirement": check.requirement,
        "source": check.source,
        "area": check.area,
        "section": check.section,
        "suite": whose(check),
        "outcome": result.outcome.value,
        "reason": result.reason,
        "seconds": round(result.seconds, 3),
        "evidence": list(result.evidence),
    }
