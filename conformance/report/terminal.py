"""What the terminal shows: one mark per check while it runs, and a summary."""

from collections.abc import Iterator

from conformance.registry import Outcome, Result
from conformance.report.figures import totals, totals_by, whose
from conformance.runner import Run

MARKS = {
    Outcome.PASSED: ".",
    Outcome.FAILED: "F",
    Outcome.WARNING: "w",
    Outcome.NOTE: "n",
    Outcome.NOT_APPLICABLE: "-",
}
WIDTH = 60


def mark(done: int, total: int, result: Result) -> str:
    """The mark of one check, with the progress at the end of each line."""
    ends = done % WIDTH == 0 or done == total
    return MARKS[result.outcome] + (f"  {done}/{total}\n" if ends else "")


def summary(run: Run) -> Iterator[str]:
    """The lines of the summary: what is not met, the totals, and what was left behind."""
    for outcome in (Outcome.FAILED, Outcome.WARNING, Outcome.NOTE):
        for one in run.results:
            if one.outcome is outcome:
                yield f"{outcome.value:8} {one.check.id:8} {one.check.requirement}"
                yield f"{'':17} {one.reason}"
    yield ""
    for name, some in totals_by(run.results, whose).items():
        yield f"{name:24} {_told(some)}"
    yield f"{'in all':24} {_told(totals(run.results))}  in {run.seconds:.1f} s"
    if run.interrupted:
        yield "Interrupted: the checks after this were not run."
    for path in run.left:
        yield f"Could not be removed: {path}"


def _told(counted: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counted.items() if number) or "nothing"
