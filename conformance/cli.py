"""The `conformance` command: `conformance BASE_URL --token T`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import conformance.account
import conformance.rfc  # noqa: F401  it registers its checks
from conformance.dialogues import dialogue_checks
from conformance.registry import AREAS, CHECKS, Check, Result, chosen
from conformance.report.figures import as_json
from conformance.report.junit import as_junit
from conformance.report.page import as_page, written
from conformance.report.terminal import mark, summary
from conformance.runner import Run, Unusable, client, prepare, run
from conformance.transport import Send, application, in_process, over_http

IN_PROCESS = "http://localhost/scim/v2"
MET, NOT_MET, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    checks = everything()
    options = _parser(sorted({one.suite for one in checks})).parse_args(arguments)
    selected = chosen(checks, _names(options.only), _names(",".join(options.profile)))
    if options.list:
        print("\n".join(f"{one.id:8} {one.level:7} {one.requirement}" for one in selected))
        return MET
    if not selected:
        return _unusable(f"no check is called {options.only}")
    try:
        send, base_url = _target(options)
    except (ImportError, AttributeError, ValueError) as problem:
        return _unusable(str(problem))
    scim = client(send, base_url, options.token or os.environ.get("SCIM_TOKEN"), options.domain)
    signal.signal(signal.SIGTERM, _interrupt)
    begun = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    try:
        prepare(scim)
    except Unusable as problem:
        return _unusable(str(problem))
    except KeyboardInterrupt:
        return INTERRUPTED
    done = run(scim, selected, _Progress(len(selected)))
    print("\n".join(summary(done)))
    if options.report:
        _write(done, begun, options.report)
    return INTERRUPTED if done.interrupted else NOT_MET if done.failed else MET


def everything() -> list[Check]:
    """Every check, in the order of the areas: what looks back at the whole run comes last."""
    order = list(AREAS)
    return sorted([*CHECKS, *dialogue_checks()], key=lambda one: order.index(one.id.partition("-")[0]))


def _parser(suites: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="conformance", description="Test a SCIM 2.0 endpoint.")
    add = parser.add_argument
    add("base_url", nargs="?", help="such as https://scim.example.com/scim/v2")
    add("--token", help="the bearer token; SCIM_TOKEN in the environment keeps it out of the list of processes")
    add("--app", metavar="MODULE:FACTORY", help="test a WSGI application in this process instead of a URL")
    add("--profile", action="append", default=[], help=f"what to run, again for more: {', '.join(suites)}; else all")
    add("--only", default="", metavar="IDS", help="ids, or the beginning of ids, with commas: CRT-01,PAT,FLT-2*")
    add("--domain", default="example.com", help="the domain of the userNames that are made (example.com)")
    add("--report", type=Path, metavar="DIR", help="write report.html, report.json and junit.xml to a directory")
    add("--timeout", type=float, default=15.0, metavar="SECONDS", help="for one request (15)")
    add("--list", action="store_true", help="show the checks and run none")
    return parser


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _target(options: argparse.Namespace) -> tuple[Send, str]:
    if options.app:
        return in_process(application(options.app)), options.base_url or IN_PROCESS
    parts = urlsplit(options.base_url or "")
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ValueError("give the base URL of the server, such as https://scim.example.com/scim/v2, or --app")
    return over_http(options.base_url, options.timeout), options.base_url


class _Progress:
    """Shows a mark for each check as it ends."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0

    def __call__(self, result: Result) -> None:
        self.done += 1
        print(mark(self.done, self.total, result), end="", flush=True)


def _write(done: Run, begun: str, directory: Path) -> None:
    told: dict[str, Any] = as_json(done, begun)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (("report.json", written(told)), ("junit.xml", as_junit(done)), ("report.html", as_page(told))):
        (directory / name).write_text(text, "utf-8", "backslashreplace")
    print(f"Report: {directory / 'report.html'}")


def _unusable(problem: str) -> int:
    print(f"conformance: {problem}", file=sys.stderr)
    return UNUSABLE


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
