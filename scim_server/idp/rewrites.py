"""What IdPs send that the RFC has another shape for: each function turns one wrong shape into the right one.

A body rewrite takes the JSON of a POST or PUT; a patch rewrite takes one operation with lower-cased member names; a
filter rewrite takes the text of a filter, a query rewrite the query of a URL as it came.
They are pure, touch nothing but their own shape and leave everything else as it is.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from scim2_models import InvalidValueException, ScimFilter

from scim_server.protocol.catalogue import ENTERPRISE, Endpoint
from scim_server.protocol.intake import MEMBERS

Json = dict[str, Any]


def enterprise_urn_without_colon(endpoint: Endpoint, body: Json) -> Json:
    """Entra's documents name the enterprise extension without its last colon.

    wrong: ``{"urn:ietf:params:scim:schemas:extension:enterprise:2.0User": {...}}``
    right: ``{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {...}}``
    """
    wrong = ENTERPRISE.replace(":2.0:User", ":2.0User")
    if wrong not in body or ENTERPRISE in body:
        return body
    return {ENTERPRISE if name == wrong else name: value for name, value in body.items()}


def role_in_json_text(endpoint: Endpoint, body: Json) -> Json:
    """Entra's AppRoleAssignmentsComplex writes a role as the JSON text of its assignment.

    wrong: ``{"roles": [{"value": "{\\"id\\": \\"7\\", \\"value\\": \\"standard\\", \\"displayName\\": \\"User\\"}"}]}``
    right: ``{"roles": [{"value": "standard", "display": "User"}]}``
    """
    key = next((name for name in body if name.lower() == "roles"), None)
    return {**body, key: _plain_roles(body[key])} if key else body


def role_value_in_json_text(endpoint: Endpoint, operation: Json) -> Json:
    """The same in a PATCH, with the path or without.

    wrong: ``{"path": "roles", "value": [{"value": "{\\"value\\": \\"standard\\"}"}]}``
    right: ``{"path": "roles", "value": [{"value": "standard"}]}``
    """
    path, value = operation.get("path"), operation.get("value")
    if isinstance(path, str) and path.lower() == "roles":
        return {**operation, "value": _plain_roles(value)} if "value" in operation else operation
    if not path and isinstance(value, dict):
        return {**operation, "value": role_in_json_text(endpoint, value)}
    return operation


def _plain_roles(roles: Any) -> Any:
    return [_plain_role(one) if isinstance(one, dict) else one for one in roles] if isinstance(roles, list) else roles


def _plain_role(role: Json) -> Json:
    text = role.get("value")
    if not isinstance(text, str) or not text.lstrip().startswith("{"):
        return role
    try:
        assignment = json.loads(text)
    except (ValueError, RecursionError):
        return role
    if not isinstance(assignment.get("value"), str):
        return role
    display = assignment.get("displayName")
    return {**({"display": display} if isinstance(display, str) else {}), **role, "value": assignment["value"]}


def dot_after_urn(endpoint: Endpoint, operation: Json) -> Json:
    """Entra jobs of before 2018 put a dot between a schema URN and its attribute.

    wrong: ``{"path": "urn:...:enterprise:2.0:User.department"}``
    right: ``{"path": "urn:...:enterprise:2.0:User:department"}``
    """
    path = operation.get("path")
    if not isinstance(path, str):
        return operation
    for urn in endpoint.extensions:
        if path.lower().startswith(f"{urn.lower()}."):
            return {**operation, "path": f"{urn}:{path[len(urn) + 1 :]}"}
    return operation


def bare_enterprise_name(endpoint: Endpoint, operation: Json) -> Json:
    """Entra and others name an enterprise attribute without its URN.

    wrong: ``{"path": "manager", "value": [{"value": "1"}]}``
    right: ``{"path": "urn:...:enterprise:2.0:User:manager", "value": [{"value": "1"}]}``
    """
    path = operation.get("path")
    if not isinstance(path, str) or ":" in path or ENTERPRISE not in endpoint.extensions:
        return operation
    head = re.split(r"[.\[]", path, maxsplit=1)[0].lower()
    if head in endpoint.attributes or head not in endpoint.attributes[ENTERPRISE.lower()].sub_attributes:
        return operation
    return {**operation, "path": f"{ENTERPRISE}:{path}"}


def members_in_value(endpoint: Endpoint, operation: Json) -> Json:
    """Salesforce's guide wraps the members to remove in an object of the same name.

    wrong: ``{"op": "remove", "path": "members", "value": {"members": [{"value": "1"}]}}``
    right: ``{"op": "remove", "path": "members", "value": [{"value": "1"}]}``
    """
    value = operation.get("value")
    if str(operation.get("path")).lower() != "members" or not isinstance(value, dict) or set(value) != {"members"}:
        return operation
    return {**operation, "value": value["members"]}


def value_of_removal(endpoint: Endpoint, operation: Json) -> Json:
    """Entra, JumpCloud, authentik and Rauthy select what to remove by a value.

    wrong: ``{"op": "Remove", "path": "emails", "value": [{"$ref": null, "value": "a@b.example"}]}``
    right: ``{"op": "remove", "path": "emails[value eq \\"a@b.example\\"]"}``

    The members of a group are left to the membership change, which takes their ids as they are. On an attribute
    that has one value, the value adds nothing and is dropped. A value that selects nothing is refused: without it
    the operation would remove everything.
    """
    path, value = operation.get("path"), operation.get("value")
    if str(operation.get("op")).lower() != "remove" or not isinstance(path, str) or value is None:
        return operation
    attribute = endpoint.named(path)
    if attribute is not None and attribute.urn == MEMBERS:
        return operation
    right = {name: one for name, one in operation.items() if name != "value"}
    if attribute is None or not attribute.multi_valued or not attribute.sub_attributes:
        return right
    selections = [_selection(one) for one in (value if isinstance(value, list) else [value])]
    if not selections or not all(selections):
        raise InvalidValueException(
            detail=f"the value of the remove of '{path[:200]}' selects nothing; leave it out to remove every value"
        )
    return {**right, "path": f"{path}[{' or '.join(selections)}]"}


def _selection(value: Any) -> str:
    terms = {"value": value} if isinstance(value, str) else value
    if not isinstance(terms, dict):
        return ""
    chosen = {name: one for name, one in terms.items() if one is not None and not isinstance(one, dict | list)}
    selection = " and ".join(f"{name} eq {ScimFilter.quote(one)}" for name, one in chosen.items() if name.isalnum())
    return f"({selection})" if selection else ""


def email_in_filter(endpoint: Endpoint, condition: str) -> str:
    """PingOne's documents ask for an attribute of SCIM 1.0's drafts, in the singular.

    wrong: ``email Co "ava@"``
    right: ``emails Co "ava@"``
    """
    if "email" not in condition.lower() or "emails" not in endpoint.attributes:
        return condition
    return _SINGULAR.sub(lambda found: found[0] if found[1] is None else f"{found[1]}s", condition)


_SINGULAR = re.compile(r'"(?:[^"\\]|\\.)*"|(?<![\w.:$-])(email)(?=[\s.\[])', re.IGNORECASE)
"""A text in quotes, which is left alone, or the name."""


def plus_beside_encoded_blanks(query: bytes) -> bytes:
    """Rauthy, and people with curl, encode the blanks of a filter but not the plus sign in an address.

    wrong: ``filter=userName%20eq%20%22ava+x@b.example%22``
    right: ``filter=userName%20eq%20%22ava%2Bx@b.example%22``

    Who writes blanks as plus signs, as forms do, writes none as ``%20``.
    """
    return query.replace(b"+", b"%2B") if b"+" in query and b"%20" in query else query


BODY_REWRITES: Mapping[str, Callable[[Endpoint, Json], Json]] = {
    "enterprise_urn_without_colon": enterprise_urn_without_colon,
    "role_in_json_text": role_in_json_text,
}
PATCH_REWRITES: Mapping[str, Callable[[Endpoint, Json], Json]] = {
    "dot_after_urn": dot_after_urn,
    "bare_enterprise_name": bare_enterprise_name,
    "role_value_in_json_text": role_value_in_json_text,
    "members_in_value": members_in_value,
    "value_of_removal": value_of_removal,
}
FILTER_REWRITES: Mapping[str, Callable[[Endpoint, str], str]] = {
    "email_in_filter": email_in_filter,
}
QUERY_REWRITES: Mapping[str, Callable[[bytes], bytes]] = {
    "plus_beside_encoded_blanks": plus_beside_encoded_blanks,
}
