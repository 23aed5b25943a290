"""The commands for resource types of one's own: judged before a server is given them, and indexed after a change."""

from pathlib import Path

import click

from scim_server.cli.telling import json_option, opened, table, tell, told_errors


@click.group()
def schemas() -> None:
    """Resource types of your own (SCIM_EXTRA_SCHEMAS)."""


@schemas.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
@json_option
def check(directory: Path, as_json: bool) -> None:
    """Tell what is wrong with the documents of a directory, or what would be served.

    Nothing is stored and no server is asked.
    """
    with told_errors():
        from scim_server.protocol.catalogue import Catalogue

        found = [one for one in Catalogue(extra=directory).endpoints.values() if one.is_generic]
    heads = ("type", "endpoint", "schema", "extensions", "attributes")
    rows = [(one.name, one.path, one.schema, list(one.extensions), len(one.by_urn)) for one in found]
    answer = {"resourceTypes": [dict(zip(heads, row, strict=True)) for row in rows]}
    shown = [(name, path, urn, ", ".join(extensions) or None, count) for name, path, urn, extensions, count in rows]
    tell(as_json, answer, table([head.upper() for head in heads], shown))


@schemas.command()
@json_option
def index(as_json: bool) -> None:
    """Read all resources of the types of SCIM_EXTRA_SCHEMAS anew, after a schema has changed.

    All of them or none; stop the servers before.
    """
    with opened() as portal:
        from scim_server.cli.texts import PortalError
        from scim_server.protocol.catalogue import Catalogue
        from scim_server.provisioning.indexing import CannotIndex
        from scim_server.provisioning.indexing import index as index_all
        from scim_server.settings import load

        directory = load().extra_schemas
        if directory is None:
            raise PortalError("SCIM_EXTRA_SCHEMAS names no directory, so that there is nothing to index.")
        try:
            counts = index_all(Catalogue(extra=directory), portal.database)
        except CannotIndex as error:
            raise PortalError(str(error)) from None
    tell(as_json, {"indexed": dict(counts)}, [f"{name}: {count} indexed." for name, count in counts.items()])
