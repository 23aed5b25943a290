"""What an administrator types, read into what is stored; a PortalError says what is allowed."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import idna

from scim_server.account.addresses import DOMAIN, LONGEST_DOMAIN, PUBLIC_PROVIDERS
from scim_server.account.policies import read_policy
from scim_server.idp.profiles import profiles
from scim_server.protocol.catalogue import ACCOUNT_GROUP, Catalogue
from scim_server.store.accounts import LICENCE_TYPES
from scim_server.store.credentials import SCOPES

LONGEST_NAME = 100


class PortalError(Exception):
    """What was asked cannot be done; the message names the thing and the way out."""


def name_of(what: str, text: str) -> str:
    """Return the name of an account or a connection."""
    name = text.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise PortalError(f"the name of the {what} must have 1 to {LONGEST_NAME} printable characters.")
    return name


def domain_name(text: str) -> str:
    """Return a domain as the rules compare it: lower-cased and IDNA-encoded (R2)."""
    try:
        name = idna.encode(text.strip(), uts46=True).decode("ascii")
    except idna.IDNAError:
        name = ""
    if not DOMAIN.fullmatch(name) or len(name) > LONGEST_DOMAIN:
        raise PortalError(f"'{text}' is not a domain name. Write it like example.com, without @ and without https://.")
    if name in PUBLIC_PROVIDERS:
        way_out = "To let its users in: scim-server account set NAME domains.allowPublicProviders=true"
        raise PortalError(f"'{name}' is a public e-mail provider, which no account can have approved. {way_out}")
    return name


def licence_type(text: str) -> str:
    """Return the key of a licence type that is sold."""
    for known in LICENCE_TYPES:
        if known.lower() == text.strip().lower():
            return known
    raise PortalError(f"'{text}' is not a licence type. Known types: {', '.join(LICENCE_TYPES)}.")


def policies(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of policies by their keys; everything that is wrong is told at once."""
    read, problems = {}, []
    for key, text in texts.items():
        try:
            read[key] = _policy(key, text)
        except (PortalError, ValueError) as error:
            problems.append(str(error))
    if problems:
        raise PortalError("\n  ".join(problems))
    return read


def _policy(key: str, text: str) -> Any:
    value = read_policy(key, text)
    if key == "defaults.licenseType" and isinstance(value, str):
        return licence_type(value)
    if key == "groupLicenses":
        given = {group: licence_type(kind) for group, kind in json.loads(text).items()}
        for group, kind in given.items():
            if LICENCE_TYPES[kind]["family"] == "shared":
                raise PortalError(f"groupLicenses: '{kind}' is for mailboxes; the group '{group}' cannot give it.")
        return given
    return value


def permissions(texts: Iterable[str]) -> list[str]:
    """Return the permissions of a role group, in the words and the order of its schema (R31)."""
    known = Catalogue().endpoint_of("Group").by_urn[f"{ACCOUNT_GROUP}:permissions".lower()].canonical
    by_key = {one.lower(): one for one in known}
    asked = [text.strip() for text in texts]
    for text in asked:
        if text.lower() not in by_key:
            raise PortalError(f"'{text}' is not a permission. Known permissions: {', '.join(known)}.")
    return [one for one in known if one.lower() in {text.lower() for text in asked}]


def profile_name(text: str | None) -> str | None:
    """Return the name of a profile that exists."""
    if text is not None and text not in profiles():
        raise PortalError(f"'{text}' is not a profile. Known profiles: {', '.join(profiles())}.")
    return text


def scopes(texts: Iterable[str]) -> list[str]:
    """Return the scopes of a token: all where none is named; blanks and commas separate them."""
    asked = [scope for text in texts for scope in text.replace(",", " ").split()]
    for scope in asked:
        if scope not in SCOPES:
            raise PortalError(f"'{scope}' is not a scope. Known scopes: {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in asked or not asked]
