"""`python -m scim_server.cli`: the command where it is not installed as a script."""

from scim_server.cli import main

main(prog_name="scim-server")
