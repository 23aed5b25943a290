"""Addresses that mail can be sent to and from; whatever else a userName holds, none of it becomes a command."""

from dataclasses import dataclass

from scim_server.account.addresses import DOMAIN, LOCAL_PART, LONGEST_ADDRESS, domain_of

LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as the mail system has it: the domain IDNA-encoded, the local part as it is."""

    local: str
    domain: str
    name: str = ""

    @property
    def address(self) -> str:
        """The address alone."""
        return f"{self.local}@{self.domain}"

    @property
    def is_international(self) -> bool:
        """Whether only a server with SMTPUTF8 can take mail for it (RFC 6531)."""
        return not self.local.isascii()


def mailbox(text: str, name: str = "") -> Mailbox | None:
    """Return the mailbox of an address, or None where the text is no address that mail can be sent to."""
    local, domain = text.rpartition("@")[0], domain_of(text)
    valid = text.isprintable() and LOCAL_PART.fullmatch(local) and DOMAIN.fullmatch(domain)
    return Mailbox(local, domain, name) if valid and len(text) <= LONGEST_ADDRESS else None


def read_sender(text: str) -> Mailbox:
    """Read ``no-reply@example.com`` or ``Secure Mail <no-reply@example.com>``; ValueError says what is wrong."""
    name, bracket, address = text.removesuffix(">").rpartition("<")
    if bool(bracket) != text.endswith(">"):
        raise ValueError("has one angle bracket only.")
    name = name.strip().strip('"').strip()
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(f"the name before the address must have at most {LONGEST_NAME} printable characters.")
    sender = mailbox(address.strip(), name)
    if sender is None or sender.is_international:
        raise ValueError("must be an address such as no-reply@example.com, or Secure Mail <no-reply@example.com>.")
    return sender
