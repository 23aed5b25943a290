"""Documents of configured resource types for tests: those of `extra/`, and directories made on the way."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EXTRA = Path(__file__).parent / "extra"
"""A type with attributes of every kind and an extension (Device), and one with a required extension (Place)."""

DEVICE = "urn:example:params:scim:schemas:2.0:Device"
WARRANTY = "urn:example:params:scim:schemas:extension:2.0:Warranty"
PLACE = "urn:example:params:scim:schemas:2.0:Place"
RENT = "urn:example:params:scim:schemas:extension:2.0:Rent"
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"


def attribute(name: str = "label", kind: str = "string", **others: Any) -> dict[str, Any]:
    """A whole definition of an attribute, with these characteristics."""
    definition: dict[str, Any] = {"name": name, "type": kind, "multiValued": False, "description": "A value."}
    definition |= {"required": False, "mutability": "readWrite", "returned": "default"}
    if kind in ("string", "reference", "binary"):
        definition["caseExact"] = False
    if kind == "reference":
        definition["referenceTypes"] = ["external"]
    definition |= {"subAttributes": [attribute("value")]} if kind == "complex" else {"uniqueness": "none"}
    return definition | others


def schema(urn: str = "urn:example:2.0:Thing", *attributes: Any, **others: Any) -> dict[str, Any]:
    """A schema document."""
    name = urn.rpartition(":")[2]
    document = {"schemas": [SCHEMA], "id": urn, "name": name, "description": "A thing."}
    return document | {"attributes": list(attributes) or [attribute()]} | others


def resource_type(name: str = "Thing", urn: str = "urn:example:2.0:Thing", **others: Any) -> dict[str, Any]:
    """A resource type document."""
    document = {"schemas": [RESOURCE_TYPE], "id": name, "name": name, "endpoint": f"/{name}s", "schema": urn}
    return document | {"description": "The things of the account."} | others


def written(directory: Path, documents: Mapping[str, Any]) -> Path:
    """Write documents by the names of their files, texts as they are; gives the directory."""
    (directory / "resource-types").mkdir(exist_ok=True)
    for name, document in documents.items():
        text = document if isinstance(document, str) else json.dumps(document)
        (directory / f"{name}.json").write_text(text, "utf-8")
    return directory
