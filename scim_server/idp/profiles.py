"""What one IdP does differently, as data: `profiles/<name>.json`, read once at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate
from scim2_models import ScimPolicy

from scim_server.idp.rewrites import BODY_REWRITES, FILTER_REWRITES, PATCH_REWRITES, QUERY_REWRITES
from scim_server.protocol.catalogue import Endpoint
from scim_server.protocol.intake import Tolerance

REWRITES = sorted({*BODY_REWRITES, *PATCH_REWRITES, *FILTER_REWRITES, *QUERY_REWRITES})
"""The names that a profile may state."""
DIRECTORY = Path(__file__).parent / "profiles"


@dataclass(frozen=True, slots=True)
class Profile:
    """How the requests of a connection are read."""

    name: str
    description: str
    tolerance: Tolerance
    rewrites: tuple[str, ...]
    """The rewrites of `rewrites.py` that run, in order."""
    unknown_members: str = "skip"
    """``skip`` unknown members while others are known, or ``refuse`` the request (A-33)."""
    group_patch_limit: int = 100
    """A PATCH of a group answers with the resource up to this many members, with 204 above; 0 is always 204 (A-27)."""

    @property
    def policy(self) -> ScimPolicy:
        """What scim2-models is told to tolerate."""
        return _policy(self.tolerance)

    def shows_group(self, member_count: int) -> bool:
        """Whether a PATCH of a group of so many members is answered with the resource."""
        return 0 < self.group_patch_limit >= member_count

    def rewrite_body(self, endpoint: Endpoint, body: Any) -> Any:
        """Return the body of a POST or PUT in the shape that the RFC has for it."""
        for name in self.rewrites:
            if isinstance(body, dict) and name in BODY_REWRITES:
                body = BODY_REWRITES[name](endpoint, body)
        return body

    def rewrite_patch(self, endpoint: Endpoint, body: Any) -> Any:
        """Return the body of a PATCH with every operation in the shape that the RFC has for it."""
        if not isinstance(body, dict):
            return body
        key = next((name for name in body if name.lower() == "operations"), None)
        operations = body.get(key) if key else None
        if not isinstance(operations, list):
            return body
        return {**body, key: [self._rewritten(endpoint, one) for one in operations]}

    def rewrite_filter(self, endpoint: Endpoint, condition: str) -> str:
        """Return the text of a filter with the names that the schemas have."""
        for name in self.rewrites:
            if name in FILTER_REWRITES:
                condition = FILTER_REWRITES[name](endpoint, condition)
        return condition

    def rewrite_query(self, query: bytes) -> bytes:
        """Return the query of a URL as the standard reading of it needs it."""
        for name in self.rewrites:
            if name in QUERY_REWRITES:
                query = QUERY_REWRITES[name](query)
        return query

    def _rewritten(self, endpoint: Endpoint, operation: Any) -> Any:
        if not isinstance(operation, dict):
            return operation
        operation = {name.lower(): value for name, value in operation.items()}
        for name in self.rewrites:
            if name in PATCH_REWRITES:
                operation = PATCH_REWRITES[name](endpoint, operation)
        return operation


@lru_cache
def _policy(tolerance: Tolerance) -> ScimPolicy:
    return ScimPolicy(
        unknown=ScimPolicy.Unknown.ignore,  # intake has refused or dropped what is unknown before
        unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create
        if tolerance.create_described
        else ScimPolicy.UnmatchedPathFilter.forbid,
    )


class ToleranceSchema(Schema):
    """The shape of a profile's tolerance; every switch must be stated."""

    class Meta:
        unknown = RAISE

    unknown_attributes = fields.Boolean(required=True)
    missing_schemas = fields.Boolean(required=True)
    text_booleans = fields.Boolean(required=True)
    bare_values = fields.Boolean(required=True)
    empty_text = fields.Boolean(required=True)
    create_described = fields.Boolean(required=True)
    free_formats = fields.Boolean(required=True)
    pathless_operations = fields.Boolean(required=True)
    empty_patch = fields.Boolean(required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Tolerance:
        """Return the tolerance."""
        return Tolerance(**data)


class ProfileSchema(Schema):
    """The shape of a profile document."""

    class Meta:
        unknown = RAISE

    name = fields.String(required=True)
    description = fields.String(required=True)
    tolerance = fields.Nested(ToleranceSchema, required=True)
    rewrites = fields.List(
        fields.String(validate=validate.OneOf(REWRITES)),
        required=True,
    )
    unknown_members = fields.String(validate=validate.OneOf(("skip", "refuse")), required=True)
    group_patch_limit = fields.Integer(validate=validate.Range(min=0), required=True)

    @post_load
    def build(self, data: dict[str, Any], **_: Any) -> Profile:
        """Return the profile."""
        return Profile(**{**data, "rewrites": tuple(data["rewrites"])})


@lru_cache
def profiles() -> Mapping[str, Profile]:
    """Return the profiles by name; ValueError names the file and what is wrong in it."""
    return {profile.name: profile for profile in map(_load, sorted(DIRECTORY.glob("*.json")))}


def _load(file: Path) -> Profile:
    try:
        profile: Profile = ProfileSchema().loads(file.read_text("utf-8"))
    except ValidationError as error:
        raise ValueError(f"{file.name}: {error.messages}") from error
    return profile
