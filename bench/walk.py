"""`python -m bench.walk`: the most memory that a worker has held, after it has shown all users and a large group."""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from bench import processes, servers
from bench.client import Connection
from bench.databases import database
from bench.side import Side, Wrong, expect, parsed

GROUP = 100_000
PAGE = 1000


def main() -> int:
    """Walk through all users page by page, read a whole group, tell the peaks; 1 when an answer was wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.walk", description=__doc__)
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL of our own instead of SQLite")
    parser.add_argument("--users", type=int, default=1_000_000, help="users to walk through (1,000,000)")
    options = parser.parse_args()
    kind = "postgresql" if options.postgresql else "sqlite"
    with (
        tempfile.TemporaryDirectory(prefix="scim-bench-") as name,
        database(kind, Path(name), "ours") as place,
    ):
        server, loaded = servers.ours(Path(name), place, options.users, 1)
        with server:
            server.wait_until_ready()
            side = Side.of(server, loaded, 1)
            try:
                _show(side, options.users)
            except Wrong as error:
                print(f"bench: {error}", file=sys.stderr)
                return 1
    return 0


def _show(side: Side, users: int) -> None:
    print(f"at rest: {_peak(side)}")
    with Connection(side.server.port) as connection:
        cursor, seen, begun = "", 0, time.monotonic()
        while cursor is not None:
            path = f"/Users?count={PAGE}&cursor={cursor}"
            page = parsed(connection.exchange(side.request("GET", path)), 200)
            seen += len(page["Resources"])
            cursor = page.get("nextCursor")
        expect("the users seen", seen, users)
        print(f"after a walk through {seen:,} users in {time.monotonic() - begun:.0f} s: {_peak(side)}")
        if identifier := side.groups.get(str(GROUP)):
            answer = connection.exchange(side.request("GET", f"/Groups/{identifier}"))
            expect("the members", len(json.loads(answer.body)["members"]), GROUP)
            print(f"after a group of {GROUP:,} members, {len(answer.body) / 1e6:.1f} MB: {_peak(side)}")


def _peak(side: Side) -> str:
    """Return the most memory that each process of the server has held, without the database's own."""
    return ", ".join(f"{peak:.0f} MB" for peak in processes.peaks_mb(side.server.pid))


if __name__ == "__main__":
    sys.exit(main())
