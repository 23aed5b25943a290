"""Resource types from configuration: a directory of schema documents and of `resource-types/*.json` documents.

They have the form of our own in `schemas/`. What cannot be served is refused at start, all that is wrong at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from scim_server.protocol.definitions import Problem, resource_type_problems, schema_problems

BUILT_IN = ("User", "Group")
TAKEN = frozenset(
    {"/me", "/bulk", "/.search", "/schemas", "/resourcetypes", "/serviceproviderconfig", "/serviceproviderconfigs"}
)
"""The paths of the protocol itself."""
PROTOCOL = frozenset({"schema", "resourcetype", "serviceproviderconfig"})
"""The names of the resource types of the protocol itself."""

Document = dict[str, Any]
Documents = Mapping[str, Document]
"""Documents by the name of their file."""


class BadDocuments(ValueError):
    """Documents that cannot be served; the message names the file, the place and what is wrong, one to a line."""

    def __init__(self, directory: Path, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n  ".join((f"the resource types of '{directory}' cannot be served.", *self.problems)))


@dataclass(frozen=True, slots=True)
class Configured:
    """The documents of a directory, good to be served."""

    schemas: Documents
    resource_types: Documents


def read_directory(
    directory: Path, own_schemas: Iterable[Document], own_resource_types: Iterable[Document]
) -> Configured:
    """Read a directory beside our own documents; raises BadDocuments."""
    problems: list[str] = []
    schemas = _read(directory, "", schema_problems, problems)
    types = _read(directory, "resource-types/", resource_type_problems, problems)
    if not problems:
        problems += _told(_urns(schemas, [doc["id"] for doc in own_schemas]))
        problems += _told(_names(types, list(own_resource_types)))
        problems += _told(_links(schemas, types))
    if not types and not problems:
        problems.append("resource-types/: has no *.json document, so that nothing would be served")
    if problems:
        raise BadDocuments(directory, problems)
    return Configured(schemas, types)


def _read(
    directory: Path, folder: str, check: Callable[[Any], Iterator[Problem]], problems: list[str]
) -> dict[str, Document]:
    """Read the documents of a folder, noting what is wrong with each by itself."""
    documents: dict[str, Document] = {}
    for path in sorted((directory / folder).glob("*.json")):
        file = f"{folder}{path.name}"
        try:
            document = orjson.loads(path.read_bytes())
        except OSError as error:
            problems.append(f"{file}: cannot be read: {error.strerror}")
        except orjson.JSONDecodeError as error:
            problems.append(f"{file}: is not JSON: {error.msg} (line {error.lineno}, column {error.colno})")
        else:
            found = _told((file, *problem) for problem in check(document))
            problems += found
            if not found:
                documents[file] = document
    return documents


def _told(problems: Iterable[tuple[str, str, str]]) -> list[str]:
    return [f"{file}: {f'{where} ' if where else ''}{text}" for file, where, text in problems]


def _urns(schemas: Documents, own: list[str]) -> Iterator[tuple[str, str, str]]:
    """Give the URNs that are taken, or that could not be told from another one in front of an attribute."""
    seen = {urn.lower(): "the product" for urn in own}
    for file, document in schemas.items():
        urn = document["id"].lower()
        for other, owner in seen.items():
            if urn == other:
                yield file, "id", f"is the URN of a schema of {owner}"
            elif urn.startswith(f"{other}:") or other.startswith(f"{urn}:"):
                yield file, "id", f"begins as a schema of {owner} does: '{other}'"
        seen[urn] = file


def _names(types: Documents, own: list[Document]) -> Iterator[tuple[str, str, str]]:
    names = {doc["name"].lower(): "the product" for doc in own} | dict.fromkeys(PROTOCOL, "the protocol")
    endpoints = {doc["endpoint"].lower(): "the product" for doc in own} | dict.fromkeys(TAKEN, "the protocol")
    for file, document in types.items():
        name, endpoint = document["name"], document["endpoint"]
        if name in BUILT_IN:
            yield file, "name", f"is {name}, which is built in: it can neither be redefined nor be given extensions"
        elif name.lower() in names:
            yield file, "name", f"is that of a resource type of {names[name.lower()]}"
        if endpoint.lower() in endpoints:
            yield file, "endpoint", f"is that of a resource type of {endpoints[endpoint.lower()]}"
        names.setdefault(name.lower(), file)
        endpoints.setdefault(endpoint.lower(), file)


def _links(schemas: Documents, types: Documents) -> Iterator[tuple[str, str, str]]:
    """Give what resource types name and is not there, and what is there and no resource type names."""
    known = {document["id"] for document in schemas.values()}
    core: dict[str, str] = {}
    extensions: set[str] = set()
    for file, document in types.items():
        named = {"schema": document["schema"]}
        for number, one in enumerate(document.get("schemaExtensions", [])):
            named[f"schemaExtensions[{number}].schema"] = one["schema"]
            extensions.add(one["schema"])
        for where, urn in named.items():
            if urn not in known:
                yield file, where, f"names '{urn}', which no schema document of the directory has as its id"
        if (other := core.setdefault(document["schema"], file)) != file:
            yield file, "schema", f"is that of {other} already; each resource type has a schema of its own"
    for file, document in schemas.items():
        if document["id"] not in {*core, *extensions}:
            yield file, "id", "is named by no resource type, so that the schema would not be served"
        if document["id"] in core and document["id"] in extensions:
            yield file, "id", "is named as an extension too; a schema is one or the other"
