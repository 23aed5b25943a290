"""Which addresses a user may have (R2, R12)."""

import re
import unicodedata

from scim_server.account.case import Case
from scim_server.account.effects import UserRenamed
from scim_server.account.model import Member
from scim_server.account.refusals import Refused

PUBLIC_PROVIDERS = frozenset(
    {
        "aol.com", "gmail.com", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.ca", "hotmail.com",
        "hotmail.fr", "icloud.com", "laposte.net", "live.ca", "live.com", "mac.com", "mail.com", "me.com", "msn.com",
        "orange.fr", "outlook.com", "outlook.fr", "proton.me", "protonmail.com", "videotron.ca", "web.de", "yahoo.ca",
        "yahoo.com", "yahoo.fr", "ymail.com", "zoho.com",
    }
)  # fmt: skip
"""The e-mail domains that belong to everybody, so that no account can have them approved (Q2)."""

LONGEST_DOMAIN = 253
LONGEST_ADDRESS = 254
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
LOCAL_PART = re.compile(r'[^\s@"(),:;<>\[\\\].]+(?:\.[^\s@"(),:;<>\[\\\].]+)*')


def domain_of(address: str) -> str:
    """Return the e-mail domain of the address, lower-cased and IDNA-encoded; empty where it has none.

    A label is encoded as it stands: letters that older IDNA folded together (such as the German sharp s)
    stay apart, so that nobody's approved domain covers somebody else's.
    """
    _, at, domain = address.rpartition("@")
    if not at or len(domain) > LONGEST_DOMAIN:
        return ""
    return ".".join(_encoded(label) for label in unicodedata.normalize("NFC", domain.lower()).split("."))


def _encoded(label: str) -> str:
    """Return the label as the domain name system has it (RFC 5891 section 4.4)."""
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def domains_in_question(before: Member | None, after: Member | None) -> frozenset[str]:
    """Return the domains of the addresses that the request adds: the only ones that must be approved (R2)."""
    if after is None:
        return frozenset()
    return frozenset(domain_of(address) for _, address in _new_addresses(before, after)) - {""}


def _new_addresses(before: Member | None, after: Member) -> list[tuple[str, str]]:
    """Return the addresses that the user did not have before, each with the name of its attribute."""
    names = {before.user_name.lower()} if before else set()
    work = {address.lower() for address in before.work_addresses} if before else set()
    new = [("userName", after.user_name)] if after.user_name.lower() not in names else []
    return new + [("emails", address) for address in after.work_addresses if address.lower() not in names | work]


def _is_address(text: str) -> bool:
    """Tell whether the text can be an e-mail address: a dot-atom, perhaps international, at a domain name."""
    if len(text) > LONGEST_ADDRESS or not text.isprintable():
        return False
    local = text.rpartition("@")[0]
    return bool(LOCAL_PART.fullmatch(local) and DOMAIN.fullmatch(domain_of(text)))


def domain_is_approved(case: Case) -> None:
    """A user's e-mail domain must be approved first (R2)."""
    if case.policies.domains_enforcement == "off":
        return
    public = PUBLIC_PROVIDERS if case.policies.domains_allow_public_providers else frozenset()
    for attribute, address in _new_addresses(case.before, case.after):
        if not _is_address(address):
            raise Refused("R2", "E1", attribute=attribute if attribute == "userName" else f"{attribute}: '{address}'")
        domain = domain_of(address)
        if domain not in case.facts.approved_domains | public:
            raise Refused("R2", "E2", attribute=attribute, domain=domain)


def new_address_keeps_everything(case: Case) -> None:
    """Same person, new address: id, licence, activation, role, settings, logs are kept (R12)."""
    if case.before and case.before.user_name.lower() != case.after.user_name.lower():
        case.happens(UserRenamed())
