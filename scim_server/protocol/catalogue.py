"""The schema documents of `schemas/`, and what is made of them: models, attribute trees, endpoints.

The documents are the single truth: `/Schemas`, `/ResourceTypes`, validation, filters and projection all read
the catalogue. The models are built by scim2-models from the same text: its own want a manager's address (S1) and
rewrite e-mail addresses (S2).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any

import orjson
from scim2_models import Extension, InvalidPathException, Path, Resource, ResourceType, Schema, ScimProvider

from scim_server.protocol.configured import BadDocuments, Configured, read_directory

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ACCOUNT_USER = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:User"
ACCOUNT_GROUP = "urn:ietf:params:scim:schemas:extension:secureexchanges:2.0:Group"
EVENT_RECORD = "urn:ietf:params:scim:schemas:secureexchanges:2.0:EventRecord"
USER_LOG_ENTRY = "urn:ietf:params:scim:schemas:secureexchanges:2.0:UserLogEntry"
USER_STATISTICS = "urn:ietf:params:scim:schemas:secureexchanges:2.0:UserStatistics"

MAX_NAME = 300
"""Characters of a name in attribute notation; no schema has one nearly as long, and what is looked up is cached."""

_HERE = FilePath(__file__).resolve().parent.parent
SCHEMAS = next(place for place in (_HERE / "schemas", _HERE.parent / "schemas") if place.is_dir())
"""The schema documents: inside the package when it is installed, beside it in a checkout."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute and its characteristics (RFC 7643 section 7). An extension is a complex one named by its URN."""

    name: str
    urn: str
    """The fully qualified name: ``urn:...:User:emails.type``."""
    type: str = "string"
    multi_valued: bool = False
    required: bool = False
    case_exact: bool = False
    mutability: str = "readWrite"
    returned: str = "default"
    uniqueness: str = "none"
    reference_types: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()
    sub_attributes: "Mapping[str, Attribute]" = field(default_factory=dict)
    """By lower-cased name."""

    @property
    def is_extension(self) -> bool:
        """Whether this is the block of a schema extension."""
        return self.name == self.urn


@dataclass(frozen=True)
class Endpoint:
    """A served resource type: its path, model and attribute tree."""

    name: str
    path: str
    schema: str
    extensions: tuple[str, ...]
    model: type[Resource[Any]]
    attributes: Mapping[str, Attribute]
    """The top-level attributes and the extension blocks, by lower-cased name."""
    is_read_only: bool = False
    """Whether no client may write its resources: the schema says so of every attribute (R32)."""
    is_generic: bool = False
    """Whether it comes from configuration: its resources are kept as they are sent, without rules of the account."""

    @cached_property
    def by_urn(self) -> Mapping[str, Attribute]:
        """Every attribute and sub-attribute by its lower-cased fully qualified name."""
        return {attribute.urn.lower(): attribute for attribute in _walk(self.attributes)}

    @cached_property
    def heads(self) -> Mapping[str, str]:
        """The name of the top-level attribute or extension that each attribute is in, by fully qualified name."""
        return {one.urn: head.name for head in self.attributes.values() for one in _walk({"": head})}

    @cached_property
    def required(self) -> frozenset[str]:
        """The names of the top-level attributes that a document must have."""
        return frozenset(head.name for head in self.attributes.values() if head.required)

    @cached_property
    def hides(self) -> bool:
        """Whether a stored document may hold what is not shown unless it is asked for, or never."""
        return self.is_generic and any(one.returned in ("never", "request") for one in self.by_urn.values())

    def named(self, text: str) -> Attribute | None:
        """Return the attribute that a path in attribute notation names, or None (RFC 7644 section 3.10)."""
        return _named(self, text) if len(text) <= MAX_NAME else None

    def bound(self, path: Path[Any]) -> Attribute | None:
        """Return the attribute that a parsed path ends at, or None."""
        binding = path.resolve() if path.model is None else None
        urn = binding.urn if binding else str(getattr(path.model, "__schema__", ""))
        attribute = self.by_urn.get(urn.lower())
        # The library knows the names that attributes have in Python as well (S21).
        return attribute if attribute and attribute.urn.lower().endswith(f":{path.attr.lower()}") else None

    @cached_property
    def demands_parts(self) -> bool:
        """Whether a complex attribute or an extension has a required part."""
        return any(one.required for head in self.attributes.values() for one in _walk(head.sub_attributes))

    def parent(self, attribute: Attribute) -> Attribute | None:
        """Return the complex attribute that a sub-attribute belongs to, or None at the top level of a schema."""
        head, dot, _ = attribute.urn[len(attribute.urn) - len(_tail(attribute.urn)) :].partition(".")
        return self.by_urn.get(f"{attribute.urn[: -len(_tail(attribute.urn))]}{head}".lower()) if dot else None

    def __hash__(self) -> int:
        return hash(self.path)


def _tail(urn: str) -> str:
    return urn.rsplit(":", 1)[1]


@lru_cache(maxsize=4096)
def _named(endpoint: Endpoint, text: str) -> Attribute | None:
    try:
        path = Path.__class_getitem__(endpoint.model)(text)
        return endpoint.bound(path) if path.value_filter is None else None
    except InvalidPathException:
        return None


def _walk(attributes: Mapping[str, Attribute]) -> Iterator[Attribute]:
    for attribute in attributes.values():
        yield attribute
        yield from _walk(attribute.sub_attributes)


class Catalogue:
    """Everything that is served, read from the schema documents once at start."""

    def __init__(self, directory: FilePath = SCHEMAS, extra: FilePath | None = None) -> None:
        """Read our own documents, and those of the directory of configured ones; raises BadDocuments for these."""
        self.schemas = {doc["id"]: doc for doc in _documents(directory)}
        """The published schema documents by URN, in the order of their file names."""
        self.resource_types = {doc["name"]: doc for doc in _documents(directory / "resource-types")}
        self.endpoints = {doc["endpoint"]: self._endpoint(doc) for doc in self.resource_types.values()}
        if extra is not None:
            self._add(extra, read_directory(extra, self.schemas.values(), self.resource_types.values()))

    def _add(self, directory: FilePath, configured: Configured) -> None:
        """Serve configured resource types beside our own."""
        self.schemas |= {doc["id"]: doc for doc in configured.schemas.values()}
        problems = []
        for file, doc in configured.resource_types.items():
            try:
                self.endpoints[doc["endpoint"]] = self._endpoint(doc, is_generic=True)
                self.resource_types[doc["name"]] = doc
            except (ValueError, TypeError, NameError) as error:
                problems.append(f"{file}: no model can be made of it: {error}")
        if problems:
            raise BadDocuments(directory, problems)

    def endpoint_at(self, path: str) -> Endpoint | None:
        """Return the endpoint served at ``path``, such as ``/Users``."""
        return self.endpoints.get(path)

    def endpoint_of(self, name: str) -> Endpoint:
        """Return the endpoint of the resource type called ``name``; KeyError when there is none."""
        return self.endpoints[self.resource_types[name]["endpoint"]]

    def _endpoint(self, resource_type: dict[str, Any], *, is_generic: bool = False) -> Endpoint:
        core = self.schemas[resource_type["schema"]]
        required = {ext["schema"]: ext["required"] for ext in resource_type.get("schemaExtensions", [])}
        extensions = [self.schemas[urn] for urn in required]
        attributes = {**_common(core["id"]), **_tree(core["attributes"], f"{core['id']}:")}
        for extension in extensions:
            attributes[extension["id"].lower()] = Attribute(
                extension["id"],
                extension["id"],
                "complex",
                required=required[extension["id"]],
                sub_attributes=MappingProxyType(_tree(extension["attributes"], f"{extension['id']}:")),
            )
        return Endpoint(
            name=resource_type["name"],
            path=resource_type["endpoint"],
            schema=core["id"],
            extensions=tuple(extension["id"] for extension in extensions),
            model=_model(resource_type, core, extensions),
            attributes=MappingProxyType(attributes),
            is_read_only=all(one["mutability"] == "readOnly" for one in core["attributes"]),
            is_generic=is_generic,
        )


def _documents(directory: FilePath) -> Iterator[dict[str, Any]]:
    for file in sorted(directory.glob("*.json")):
        yield orjson.loads(file.read_bytes())


def _model(
    resource_type: dict[str, Any], core: dict[str, Any], extensions: list[dict[str, Any]]
) -> type[Resource[Any]]:
    """Compose the model of a resource type, extensions included, out of the schema documents."""
    provider = ScimProvider(
        models=[
            Resource.from_schema(Schema.model_validate(_modelled(core))),
            *(Extension.from_schema(Schema.model_validate(_modelled(extension))) for extension in extensions),
        ],
        resource_types=[ResourceType.model_validate(resource_type)],
    )
    model = provider.model_for(resource_type["name"])
    assert model is not None
    assert issubclass(model, Resource)
    return model


def _modelled(definition: dict[str, Any]) -> dict[str, Any]:
    """Return a schema, or an attribute of one, with what the library would rewrite as the texts that intake judges.

    It refuses relative addresses of web pages (S23), which are as good (RFC 7643 section 2.3.7), and it writes base64
    and times in another form than they were sent in (S18, S19), also where a PATCH is about something else.
    """
    plain: dict[str, Any] = {}
    if {"external", "uri"} & {*definition.get("referenceTypes", ())}:
        plain = {"type": "string"}
    elif definition.get("type") in ("binary", "dateTime") and definition["mutability"] != "readOnly":
        plain = {"type": "string", "caseExact": True}
    parts = ("attributes", "subAttributes")
    inner = {part: [_modelled(one) for one in definition[part]] for part in parts if part in definition}
    return {**definition, **inner, **plain}


def _tree(definitions: list[dict[str, Any]], prefix: str) -> dict[str, Attribute]:
    return {definition["name"].lower(): _attribute(definition, prefix) for definition in definitions}


def _attribute(definition: dict[str, Any], prefix: str) -> Attribute:
    urn = f"{prefix}{definition['name']}"
    return Attribute(
        name=definition["name"],
        urn=urn,
        type=definition["type"],
        multi_valued=definition["multiValued"],
        required=definition["required"],
        case_exact=definition.get("caseExact", definition["type"] in ("reference", "binary")),
        mutability=definition["mutability"],
        returned=definition["returned"],
        uniqueness=definition.get("uniqueness", "none"),
        reference_types=tuple(definition.get("referenceTypes", ())),
        canonical=tuple(definition.get("canonicalValues", ())),
        sub_attributes=MappingProxyType(_tree(definition.get("subAttributes", []), f"{urn}.")),
    )


def _common(schema: str) -> dict[str, Attribute]:
    """The attributes that every resource has without its schema naming them (RFC 7643 section 3.1)."""

    def common(name: str, mutability: str = "readOnly", **characteristics: Any) -> Attribute:
        urn = f"{schema}:{name}"
        return Attribute(name.rpartition(".")[2], urn, case_exact=True, mutability=mutability, **characteristics)

    meta = (
        common("meta.resourceType"),
        common("meta.created", type="dateTime"),
        common("meta.lastModified", type="dateTime"),
        common("meta.location", type="reference"),
        common("meta.version"),
    )
    by_name = MappingProxyType({attribute.name.lower(): attribute for attribute in meta})
    return {
        "schemas": common("schemas", "readWrite", multi_valued=True, returned="always"),
        "id": common("id", returned="always"),
        "externalid": common("externalId", "readWrite"),
        "meta": common("meta", type="complex", sub_attributes=by_name),
    }
