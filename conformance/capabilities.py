"""What a server announces of itself: its configuration, its resource types, its schemas."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.names import ACCOUNT, ENTERPRISE, GROUP, USER

if TYPE_CHECKING:
    from conformance.scim import Scim

FEATURES = ("patch", "bulk", "filter", "sort", "etag", "changePassword")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The discovery documents as they were read, empty where they could not be."""

    config: Mapping[str, Any] = field(default_factory=dict)
    types: tuple[Mapping[str, Any], ...] = ()
    schemas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def lacking(self, need: str) -> str | None:
        """Why a check that needs something cannot run here, or None where it is there."""
        if need in FEATURES:
            return None if self.supports(need) else f"the server does not announce {need}"
        if need == "cursor":
            found = _object(self.config.get("pagination")).get("cursor")
            return None if found is True else "the server does not announce cursor pagination"
        if need == "groups":
            known = not self.types or any(one.get("schema") == GROUP for one in self.types)
            return None if known else "the server has no groups"
        if need == "enterprise":
            return None if self.extends(ENTERPRISE) else "users have no enterprise extension here"
        if need == "account":
            return None if ACCOUNT in self.schemas else "the server has no business-account extension"
        urn, _, path = need.partition(".")
        known = self.attribute({"User": USER, "Group": GROUP}[urn], path) is not None
        return None if known else f"the schema of {urn} has no {path}"

    def supports(self, feature: str) -> bool:
        """Whether the configuration says that a feature is supported; an unreadable one promises nothing."""
        return _object(self.config.get(feature)).get("supported") is True

    def extends(self, urn: str) -> bool:
        """Whether users have an extension."""
        named = [_object(one).get("schema") for type_ in self.types for one in _objects(type_.get("schemaExtensions"))]
        return urn in named or (not self.types and urn in self.schemas)

    def attribute(self, urn: str, path: str) -> Mapping[str, Any] | None:
        """The definition of an attribute, ``name.givenName`` for a sub-attribute; assumed where no schema is known."""
        if urn not in self.schemas:
            return {}
        here = _objects(self.schemas[urn].get("attributes"))
        found: Mapping[str, Any] | None = None
        for name in path.split("."):
            found = next((one for one in here if str(one.get("name")).lower() == name.lower()), None)
            if found is None:
                return None
            here = _objects(found.get("subAttributes"))
        return found


def discovered(scim: "Scim") -> Capabilities:
    """Read the three discovery endpoints, and take what can be read."""
    config = scim.send("GET", "/ServiceProviderConfig").value
    types = _listed(scim, "/ResourceTypes")
    schemas = {str(one.get("id")): one for one in _listed(scim, "/Schemas")}
    return Capabilities(_object(config), tuple(types), schemas)


def _listed(scim: "Scim", path: str) -> list[Mapping[str, Any]]:
    answer = scim.send("GET", path)
    return _objects(_object(answer.value).get("Resources")) if answer.status == 200 else []


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
