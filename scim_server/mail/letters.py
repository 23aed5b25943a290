"""How a message to a user reads: plain text, in which a name that came from outside is never more than a name."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from scim_server.account.notices import ACTIVATED
from scim_server.mail.addresses import Mailbox

LONGEST_NAME = 100
TITLES = {
    "eco": "Eco",
    "advanced": "Advanced",
    "pro": "Pro",
    "apiAdvanced": "API Advanced",
    "apiPro": "API Pro",
    "sharedMailbox": "Shared mailbox",
    "sesar": "SESAR",
}
"""The licence types as people know them."""

ASSIGNED_TEXT = """\
{greeting}

{account} has given you a licence of the secure e-mail service:

    Licence   {title}
    For       {address}

What to do next:

1. Install the software in your e-mail program.{where}
2. Activate the licence there, with the address above.
"""
ACTIVATED_TEXT = """\
{greeting}

{account} has activated your licence of the secure e-mail service:

    Licence   {title}
    For       {address}

You can use it at once. If you have not done so yet, install the software in your e-mail program.{where}
"""
FOOTER = """
A program sent this message, and nobody reads what is sent back to it. If you have
questions, ask the person who looks after {account} in your company.
"""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What one message is about."""

    id: str
    kind: str
    licence_type: str
    account: str
    name: str | None
    portal_url: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be handed in, with the addresses of its envelope."""

    sender: str
    recipient: Mailbox
    content: bytes


def compose(occasion: Occasion, sender: Mailbox, recipient: Mailbox, moment: datetime) -> Letter:
    """Write the message. Its Message-ID is the same however often it is tried."""
    policy = SMTPUTF8 if recipient.is_international else SMTP
    message = EmailMessage(policy=policy)
    message["From"] = Address(one_line(sender.name), sender.local, sender.domain)
    message["To"] = Address("", recipient.local, recipient.domain)
    message["Subject"] = _subject(occasion)
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = f"<{occasion.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # so that no absent person's program answers (RFC 3834)
    message.set_content(_text(occasion, recipient), cte="quoted-printable")
    return Letter(sender.address, recipient, message.as_bytes())


def one_line(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text from outside as a short line of printable characters: it can begin no header and no paragraph."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    line = line.replace("=?", "= ?")  # an encoded word would be decoded, and may hold the end of a line (RFC 2047)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _subject(occasion: Occasion) -> str:
    done = "is activated" if occasion.kind == ACTIVATED else f"from {one_line(occasion.account)}"
    return f"Your {_title(occasion)} licence {done}"


def _text(occasion: Occasion, recipient: Mailbox) -> str:
    name = one_line(occasion.name or "")
    template = ACTIVATED_TEXT if occasion.kind == ACTIVATED else ASSIGNED_TEXT
    return (template + FOOTER).format(
        greeting=f"Hello {name}," if name else "Hello,",
        account=one_line(occasion.account),
        title=_title(occasion),
        address=recipient.address,
        where=f" You find it at {occasion.portal_url}" if occasion.portal_url else "",
    )


def _title(occasion: Occasion) -> str:
    return TITLES.get(occasion.licence_type) or one_line(occasion.licence_type)
