"""`python -m bench`: the floor and our server side by side."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import report, running, servers
from bench.plot import svg
from bench.scenarios import MAIN, NAMES
from bench.side import Wrong

USERS, MANY = 1000, 120_000
"""The users of the scenarios, and those of the large groups, which need more."""
SHORT_MANY = 12_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 when an answer was wrong or a server failed."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended
    try:
        found = running.run(_plan(options))
    except (servers.ServerFailed, Wrong, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(report.markdown(found) if options.markdown else report.text(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    if options.plot:
        options.plot.write_text(svg(found), "utf-8")
    return 1 if found["wrong_total"] else 0


def _plan(options: argparse.Namespace) -> running.Plan:
    names = options.only or (MAIN if options.short else NAMES)
    kind = "postgresql" if options.postgresql else "sqlite"
    if options.growth:
        stages = [(users, 0) for users in options.growth]
    elif options.users:
        stages = [(options.users, 0)]
    else:
        stages = [(USERS, 0), (SHORT_MANY if options.short else MANY, 10_000)]
    seconds = options.seconds or (0.25 if options.short else 0.5)
    rounds = options.rounds or (3 if options.short else 5)
    return running.Plan(kind, tuple(names), tuple(stages), rounds, seconds, options.workers, options.connections)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=sys.modules["bench"].__doc__)
    parser.add_argument("--postgresql", action="store_true", help="on two PostgreSQL of our own instead of SQLite")
    parser.add_argument("--short", action="store_true", help="the main scenarios in less than two minutes")
    parser.add_argument("--only", type=_names, metavar="NAME,...", help=f"of: {', '.join(NAMES)}")
    parser.add_argument("--users", type=int, metavar="N", help=f"all scenarios with N users (not {USERS} and {MANY})")
    parser.add_argument("--growth", type=_sizes, metavar="N,...", help="all scenarios with N users each, compared")
    parser.add_argument("--seconds", type=_positive, help="for each scenario, server and round (0.5; short 0.25)")
    parser.add_argument("--rounds", type=int, help="rounds, of which the median counts (5; short 3)")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of each server (1)")
    parser.add_argument("--connections", type=int, default=2, help="connections that ask at the same time (2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything measured as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="also draw the cost against the number of users")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    options = parser.parse_args(arguments)
    sizes = [*(options.growth or ()), options.users or USERS]
    if min(sizes) < 2 * options.connections or min(options.connections, options.workers) < 1:
        parser.error("at least two users for each connection, and one worker")
    if max(sizes) > 4_000_000:
        parser.error("at most 4,000,000 users")
    if options.rounds is not None and options.rounds < 1:
        parser.error("at least one round")
    return options


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(NAMES):
        raise argparse.ArgumentTypeError(f"no such scenario: {', '.join(sorted(unknown))}")
    return names


def _sizes(text: str) -> list[int]:
    return sorted({int(one) for one in text.split(",")})


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 600:
        raise ValueError
    return value


if __name__ == "__main__":
    sys.exit(main())
