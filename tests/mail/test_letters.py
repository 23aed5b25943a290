"""How messages read, and that no name from outside is more than a name."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTPUTF8

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scim_server.mail.addresses import mailbox, read_sender
from scim_server.mail.letters import Occasion, compose, one_line

SENDER = read_sender("Secure Mail <no-reply@mail.example>")
NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"]
CONTENT_HEADERS = ["Content-Type", "Content-Transfer-Encoding", "MIME-Version"]


def written(kind="licenseAssigned", licence_type="pro", account="acme", name="Ava", portal=None, to="ava@acme.example"):
    occasion = Occasion("0190-id", kind, licence_type, account, name, portal)
    letter = compose(occasion, SENDER, mailbox(to), NOON)
    return letter, message_from_bytes(letter.content, policy=SMTPUTF8)


def text(message):
    return message.get_content().replace("\r\n", "\n")


def test_message_says_who_gave_what_and_what_to_do_next():
    letter, message = written(portal="https://portal.example.com/start")
    assert (letter.sender, letter.recipient.address) == ("no-reply@mail.example", "ava@acme.example")
    assert message["Subject"] == "Your Pro licence from acme"
    assert message.get_content().splitlines() == [
        "Hello Ava,",
        "",
        "acme has given you a licence of the secure e-mail service:",
        "",
        "    Licence   Pro",
        "    For       ava@acme.example",
        "",
        "What to do next:",
        "",
        "1. Install the software in your e-mail program. You find it at https://portal.example.com/start",
        "2. Activate the licence there, with the address above.",
        "",
        "A program sent this message, and nobody reads what is sent back to it. If you have",
        "questions, ask the person who looks after acme in your company.",
    ]


def test_message_about_an_activation_asks_for_no_activation():
    _, message = written("licenseActivated", "eco", name=None)
    assert message["Subject"] == "Your Eco licence is activated"
    assert text(message).startswith("Hello,\n\nacme has activated your licence")
    assert "Activate the licence" not in message.get_content()


def test_headers_are_those_of_a_program():
    letter, message = written()
    assert message.keys() == HEADERS + CONTENT_HEADERS
    assert message["From"] == "Secure Mail <no-reply@mail.example>"
    assert message["To"] == "ava@acme.example"
    assert message["Date"] == "Wed, 04 Mar 2026 12:00:00 +0000"
    assert message["Message-ID"] == "<0190-id@mail.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert letter.content.isascii()
    assert not message.defects


def test_words_of_any_language_are_kept():
    _, message = written(account="Société Générale 日本", name="Zoë Ÿ")
    assert message["Subject"] == "Your Pro licence from Société Générale 日本"
    assert text(message).startswith("Hello Zoë Ÿ,")


def test_message_to_an_international_address_names_it():
    letter, message = written(to="émilie@école.example")
    assert letter.recipient.is_international
    assert message["To"] == "émilie@xn--cole-9oa.example"


@pytest.mark.parametrize(
    "name",
    ["Ava\r\nBcc: eve@evil.example", "Ava\nBcc: eve@evil.example\n\nClick", "Ava\x0b\x0cBcc: x", "Ava\u2028Bcc: x",
     "Ava\x85Bcc: x", "\r\n.\r\nMAIL FROM:<x@y>", "=?utf-8?q?a=0D=0ABcc:_x?=", "Ava\u202eBcc: x", "\ud800", "\x00"],
)  # fmt: skip
def test_name_with_commands_in_it_is_a_name(name):
    _, message = written(name=name, account=name)
    assert message.keys() == HEADERS + CONTENT_HEADERS
    assert message["Bcc"] is None
    first = text(message).split("\n")
    assert first[1] == ""
    assert first[2].endswith("has given you a licence of the secure e-mail service:")


NAMES = (
    some.text() | some.text("=?utf-8?q?=0D=0A B:x_?=\r\n") | some.sampled_from(["=?utf-8?b?YQ0KQmNjOiB4?=", "==??q"])
)


@given(NAMES, NAMES, NAMES)
def test_whatever_the_names_are_the_message_is_whole(name, account, licence_type):
    letter, message = written(name=name, account=account, licence_type=licence_type)
    assert message.keys() == HEADERS + CONTENT_HEADERS
    assert letter.content.isascii()
    assert text(message).count("\n\n") == 5
    assert max(map(len, letter.content.split(b"\r\n"))) <= 998
    assert b"\n" not in letter.content.replace(b"\r\n", b"")


def test_long_name_is_cut():
    assert one_line("x" * 500, 10) == "xxxxxxxxx…"
    assert one_line("  a \n b ") == "a b"
