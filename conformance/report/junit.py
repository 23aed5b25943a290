"""JUnit XML, as continuous integration reads it."""

import re
from xml.sax.saxutils import escape, quoteattr

from conformance.registry import Outcome, Result
from conformance.runner import Run

NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """The text with what XML cannot hold shown as its number."""
    return NO_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def as_junit(run: Run) -> str:
    """The run as one test suite; warnings and notes are told as output, since they fail nothing."""
    failures = sum(one.outcome is Outcome.FAILED for one in run.results)
    skipped = sum(one.outcome is Outcome.NOT_APPLICABLE for one in run.results)
    head = f'tests="{len(run.results)}" failures="{failures}" errors="0" skipped="{skipped}" time="{run.seconds:.2f}"'
    cases = "\n".join(_case(one) for one in run.results)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="conformance" {head}>\n{cases}\n</testsuite>\n'


def _case(result: Result) -> str:
    check = result.check
    name = quoteattr(legal(f"{check.id} {check.requirement}"))
    group = quoteattr(f"{check.suite}.{check.area}")
    return f'<testcase classname={group} name={name} time="{result.seconds:.3f}">{_inside(result)}</testcase>'


def _inside(result: Result) -> str:
    reason = legal(result.reason)
    match result.outcome:
        case Outcome.PASSED:
            return ""
        case Outcome.FAILED:
            return f"<failure message={quoteattr(reason)}/>"
        case Outcome.NOT_APPLICABLE:
            return f"<skipped message={quoteattr(reason)}/>"
        case _:
            return f"<system-out>{escape(f'{result.outcome.value}: {reason}')}</system-out>"
