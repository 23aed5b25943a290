"""Request bodies -> what they ask for. scim2-models judges them; `intake` has made them canonical before."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    InvalidValueException,
    MutabilityException,
    SCIMException,
)

from scim_server.protocol.catalogue import Attribute, Catalogue, Endpoint
from scim_server.protocol.folding import fold
from scim_server.protocol.intake import Notes, Tolerance, read_attributes

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass(frozen=True, slots=True)
class Body:
    """A resource as a client wrote it: canonical names, checked values, None where a value was taken away."""

    document: Mapping[str, Any]
    notes: Notes


def read_resource(endpoint: Endpoint, body: Any, tolerance: Tolerance, catalogue: Catalogue) -> Body:
    """Read the body of a POST or PUT.

    Raises invalidSyntax for a body that is no such resource, invalidValue for a value that does not fit; the models
    would take a blank userName (S20).
    """
    if not isinstance(body, dict):
        raise InvalidSyntaxException(detail="the body must be one JSON object")
    _check_schemas(endpoint, body, tolerance, catalogue)
    notes = Notes()
    document = read_attributes(endpoint.attributes, body, tolerance, notes)
    document.pop("schemas", None)
    for attribute in endpoint.attributes.values():
        value = document.get(attribute.name)
        if attribute.required and attribute.mutability != "readOnly" and (value is None or not str(value).strip()):
            raise InvalidValueException(detail=f"{attribute.name} is required and may not be blank; send it")
    return Body(document, notes)


def spoken(read: Body, extension: str) -> Body:
    """Return a body without what an extension says with empty values, which is silence (P3)."""
    block = read.document.get(extension)
    document = {name: value for name, value in read.document.items() if name != extension}
    if block is not None:
        heard = {name: value for name, value in block.items() if f"{extension}:{name}" not in read.notes.empty}
        document[extension] = heard
    return replace(read, document=document)


def _check_schemas(endpoint: Endpoint, body: Mapping[str, Any], tolerance: Tolerance, catalogue: Catalogue) -> None:
    """Refuse a body that says it is something else (CRT-07, CRT-08, A-13, A-14); the models do not all of it (S24)."""
    given = next((value for name, value in body.items() if name.lower() == "schemas"), None)
    if given is None and tolerance.missing_schemas:
        return
    if not isinstance(given, list) or not given or not all(isinstance(urn, str) for urn in given):
        raise InvalidSyntaxException(detail=f'schemas must be an array of schema URNs; send ["{endpoint.schema}"]')
    folded = {fold(urn) for urn in given}
    if not tolerance.unknown_attributes:
        known = {fold(urn) for urn in (endpoint.schema, *endpoint.extensions)}
        if unknown := next((urn for urn in given if fold(urn) not in known), None):
            raise InvalidSyntaxException(detail=f"schemas: '{unknown[:200]}' is not a schema of {endpoint.name}")
    if fold(endpoint.schema) in folded:
        return
    others = {fold(other.schema) for other in catalogue.endpoints.values()}
    if folded & others or not tolerance.missing_schemas:
        raise InvalidSyntaxException(detail=f"schemas must name '{endpoint.schema}' at {endpoint.path}")


def judged(endpoint: Endpoint, document: Mapping[str, Any], notes: Notes, context: Context) -> None:
    """Have the model judge a document that was read, where that has left it something to judge.

    To build the model costs more than all else that is done to a body, and most users have nothing but names, texts
    and booleans, which are settled (`tests/protocol/test_judged.py` holds that against the model).
    """
    if notes.leaves_to_model or endpoint.demands_parts:
        validated(endpoint, with_schemas(endpoint, document), context)


def validated(endpoint: Endpoint, document: Mapping[str, Any], context: Context) -> None:
    """Have the model judge a whole document; raises the SCIM error of what it finds."""
    with telling_scim_errors():
        endpoint.model.model_validate(
            {"schemas": [endpoint.schema, *(urn for urn in endpoint.extensions if urn in document)], **document},
            scim_ctx=context,
        )


@contextmanager
def telling_scim_errors() -> Iterator[None]:
    """Turn what the models raise into one SCIM error without their class names and addresses (S5)."""
    try:
        yield
    except ValidationError as error:
        raise _told(error) from error
    except InvalidValueException as error:
        if isinstance(error.__cause__, ValidationError):
            raise _told(error.__cause__) from error
        raise


def _told(error: ValidationError) -> SCIMException:
    told = Error.from_validation_errors(error)[0]
    told.detail = _PYTHON_NAME.sub(lambda found: found.group(1).upper(), told.detail or "")
    return SCIMException.from_error(told)


_PYTHON_NAME = re.compile("(?<=[a-z0-9])_([a-z])")


def with_schemas(endpoint: Endpoint, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document as it is stored: assigned values only (S29), ``schemas`` first, extensions last.

    The account's extension is the last of all: the store splices the account's state into its end.
    """
    assigned = {name: value for name, value in document.items() if value is not None and name != "schemas"}
    extensions = {urn: block for urn in endpoint.extensions if (block := _assigned(assigned.pop(urn, None)))}
    identifier = {"id": assigned.pop("id")} if "id" in assigned else {}
    return {"schemas": [endpoint.schema, *extensions], **identifier, **assigned, **extensions}


def _assigned(block: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (block or {}).items() if value is not None}


def replaced(
    endpoint: Endpoint, before: Mapping[str, Any], body: Mapping[str, Any], kept: Sequence[Attribute]
) -> dict[str, Any]:
    """Return what a PUT makes of a resource (RFC 7644 section 3.5.1, P3).

    An attribute that the body leaves out is cleared, but for those in ``kept``, the immutable and the readOnly
    ones, also of an extension that is left out (S12); null clears. Raises mutability when the body changes an
    immutable value.
    """
    return _replaced(endpoint.attributes, before, body, frozenset(attribute.urn for attribute in kept))


def _replaced(
    attributes: Mapping[str, Attribute], before: Mapping[str, Any], body: Mapping[str, Any], kept: frozenset[str]
) -> dict[str, Any]:
    after: dict[str, Any] = {}
    for attribute in attributes.values():
        name = attribute.name
        old, new = before.get(name), body.get(name)
        if attribute.is_extension:
            block = _replaced(attribute.sub_attributes, old or {}, new or {}, kept)
            after[name] = block or None
        elif attribute.mutability == "readOnly":
            after[name] = old
        elif name not in body:
            after[name] = old if attribute.urn in kept or attribute.mutability == "immutable" else None
        else:
            check_immutable(attribute, old, new)
            after[name] = old if attribute.mutability == "immutable" and new is None else new
    return {name: value for name, value in after.items() if value is not None or name in body}


def check_immutable(attribute: Attribute, old: Any, new: Any) -> None:
    """Refuse another value for an immutable attribute that has one already (RFC 7643 section 7, S13)."""
    if attribute.mutability != "immutable" or old is None or new is None:
        return
    if not _is_same(attribute, old, new):
        raise MutabilityException(
            attribute=attribute.name,
            detail=f"{attribute.name} is {_known(attribute, old)} and immutable; create another resource to have "
            "another value",
        )


def _is_same(attribute: Attribute, old: Any, new: Any) -> bool:
    """Whether two values say the same: texts by their folding, lists in any order."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(any(_is_same(attribute, one, other) for other in new) for one in old)
    if isinstance(old, str) and isinstance(new, str):
        return fold(old, attribute.case_exact) == fold(new, attribute.case_exact)
    return bool(old == new)


def _known(attribute: Attribute, value: Any) -> str:
    return "set" if attribute.returned == "never" else f"'{value}'"
