"""Runs checks one after the other; a server that is slow or wrong fails a check and never the run."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from conformance import cleaning
from conformance.capabilities import discovered
from conformance.evidence import redacted
from conformance.registry import MISSED, Check, NotApplicable, Outcome, Result, Unmet
from conformance.scim import Scim
from conformance.transport import Send


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a whole run."""

    base_url: str
    results: tuple[Result, ...]
    left: tuple[str, ...]
    """Resources that could not be removed."""
    interrupted: bool
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether a MUST is not met."""
        return any(one.outcome is Outcome.FAILED for one in self.results)


class Unusable(Exception):
    """The server cannot be tested at all: unreachable, or it refuses the token."""


def client(send: Send, base_url: str, token: str | None, domain: str) -> Scim:
    """A client with a prefix of its own for all that it makes."""
    return Scim(send, base_url.rstrip("/"), token, domain, f"ct{secrets.token_hex(4)}-")


def prepare(scim: Scim) -> None:
    """Find out what the server announces, and that it takes the token."""
    try:
        scim.begin()
        answer = scim.send("GET", "/Users?count=1")
        if answer.status in (401, 403):
            raise Unusable(f"the server refuses the token: GET /Users was answered {answer.status}")
        scim.capabilities = discovered(scim)
    except Unmet as problem:
        raise Unusable(f"{scim.base_url} cannot be reached: {problem}") from problem


def run(scim: Scim, checks: Sequence[Check], told: Callable[[Result], None] = lambda result: None) -> Run:
    """Run the checks, remove what they made, and tell what was found; Ctrl-C ends it early and in order."""
    results: list[Result] = []
    begun, interrupted = time.monotonic(), False
    try:
        for one in checks:
            results.append(outcome_of(scim, one))
            told(results[-1])
            cleaning.tidy(scim)
    except KeyboardInterrupt:
        interrupted = True
    left = cleaning.clear(scim)
    return Run(scim.base_url, tuple(results), tuple(left), interrupted, time.monotonic() - begun)


def outcome_of(scim: Scim, check: Check) -> Result:
    """Run one check."""
    begun = time.monotonic()
    scim.begin()
    lacks = [reason for need in check.needs if (reason := scim.capabilities.lacking(need))]
    outcome, reason = Outcome.PASSED, ""
    if lacks:
        outcome, reason = Outcome.NOT_APPLICABLE, lacks[0]
    else:
        try:
            check.run(scim)
        except NotApplicable as nothing:
            outcome, reason = Outcome.NOT_APPLICABLE, str(nothing)
        except Unmet as unmet:
            outcome, reason = MISSED[check.level], str(unmet)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as problem:
            missing = f"{type(problem).__name__}: {problem}"
            outcome, reason = MISSED[check.level], f"an answer has not the expected shape ({missing})"
    return Result(check, outcome, redacted(reason[:1000], scim.token), time.monotonic() - begun, tuple(scim.evidence))
