"""`python -m bench`: the floor and our server side by side."""

import argparse
import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench import report, servers
from bench.measure import machine_busy, measure
from bench.scenarios import LANES, Side, Wrong, load


def main() -> int:
    """Run the benchmark; 1 when an answer was wrong or a server failed."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are ended
    try:
        found = _found(options)
    except (servers.ServerFailed, Wrong, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(report.table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    return 1 if found["wrong_total"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=sys.modules["bench"].__doc__)
    parser.add_argument("--seconds", type=_positive, default=0.5, help="for each scenario, server and round (0.5)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts (5)")
    parser.add_argument("--users", type=int, default=1000, help="users that both servers begin with (1000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything measured as JSON")
    options = parser.parse_args()
    if options.users < LANES or options.rounds < 1:
        parser.error(f"at least {LANES} users and one round")
    return options


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 600:
        raise ValueError
    return value


def _found(options: argparse.Namespace) -> dict[str, Any]:
    """Start both servers, load them, measure, end them; raises ServerFailed, Wrong, OSError."""
    with tempfile.TemporaryDirectory(prefix="scim-bench-") as name, ExitStack() as stack:
        directory = Path(name)
        floor = Side(stack.enter_context(servers.floor(directory)))
        ours = Side(stack.enter_context(servers.ours(directory, options.users)))
        for side in (floor, ours):
            side.server.wait_until_ready()
            load(side, options.users)
        begun, other = time.monotonic(), _other(floor, ours)
        results = measure(floor, ours, options.rounds, options.seconds)
        other_cores = (_other(floor, ours) - other) / (time.monotonic() - begun)
    settings = {name: getattr(options, name) for name in ("seconds", "rounds", "users")}
    return report.summary(results, settings, max(other_cores, 0.0))


def _other(floor: Side, ours: Side) -> float:
    """Return the CPU seconds that the machine has spent on neither the servers nor this client."""
    return machine_busy() - floor.server.cpu_seconds() - ours.server.cpu_seconds() - time.process_time()


if __name__ == "__main__":
    sys.exit(main())
