"""`python -m bench.prepare LICENCES`: a fresh database for our server; the last line printed has the token.

These are the commands that an operator would type, in one process, because every start of ours costs seconds.
"""

import sys

from bench.people import DOMAIN
from scim_server.cli import main

ACCOUNT = "bench"


def prepare(licences: str) -> None:
    """Run our command for each step on the database of SCIM_DATABASE_URL."""
    for command in (
        ("upgrade",),
        ("account", "create", ACCOUNT),
        ("domain", "approve", "--account", ACCOUNT, DOMAIN),
        ("licence", "add", "--account", ACCOUNT, "pro", licences),
        ("token", "issue", "--account", ACCOUNT, "--json"),
    ):
        main(command, prog_name="scim-server", standalone_mode=False)


if __name__ == "__main__":
    prepare(sys.argv[1])
