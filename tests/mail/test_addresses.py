"""What mail can be sent to and from, and where it is handed in."""

import pytest

from scim_server.mail.addresses import Mailbox, mailbox, read_sender
from scim_server.mail.relay import Relay, read_relay


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ava@acme.example", "ava@acme.example"),
        ("Ava+x@ACME.example", "Ava+x@acme.example"),
        ("ava@école.example", "ava@xn--cole-9oa.example"),
        ("émilie@acme.example", "émilie@acme.example"),
    ],
)
def test_address_is_kept_with_its_domain_as_the_mail_system_has_it(text, address):
    assert mailbox(text).address == address
    assert mailbox(text).is_international == text.startswith("é")


@pytest.mark.parametrize(
    "text",
    ["", "ava", "@acme.example", "ava@", "ava@localhost", "a b@acme.example", "ava@acme.example\r\nRCPT TO:<x@y.example>",
     "ava\n@acme.example", "<ava@acme.example>", "a>b@acme.example", '"a b"@acme.example', "a,b@acme.example",
     "ava@acme.example ", "ava@[127.0.0.1]", "ava\x00@acme.example", "ava\u202e@acme.example", "\ud800@acme.example",
     f"{'a' * 250}@acme.example"],
)  # fmt: skip
def test_what_is_no_address_gets_no_mail(text):
    assert mailbox(text) is None


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("no-reply@acme.example", Mailbox("no-reply", "acme.example")),
        ("Secure Mail <no-reply@acme.example>", Mailbox("no-reply", "acme.example", "Secure Mail")),
        ('"Acme, Inc." <n@école.example>', Mailbox("n", "xn--cole-9oa.example", "Acme, Inc.")),
    ],
)
def test_sender_may_have_a_name(text, sender):
    assert read_sender(text) == sender


@pytest.mark.parametrize("text", ["", "x", "x <", "n@a.example>", "<n@a.example", "a\nb <n@a.example>", "é@a.example"])
def test_sender_that_no_server_would_take_is_refused(text):
    with pytest.raises(ValueError):
        read_sender(text)


@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://mail.example.com", Relay("smtp", "mail.example.com", 25)),
        ("smtp://127.0.0.1:2525/", Relay("smtp", "127.0.0.1", 2525)),
        ("smtps://u:p@mail.example.com", Relay("smtps", "mail.example.com", 465, "u", "p")),
        (
            "smtp+starttls://u%40x:p%2F@mail.example.com",  # pragma: allowlist secret
            Relay("smtp+starttls", "mail.example.com", 587, "u@x", "p/"),
        ),
        ("smtps://[::1]:4650", Relay("smtps", "::1", 4650)),
    ],
)
def test_mail_server_is_read_from_its_url(url, relay):
    assert read_relay(url) == relay


@pytest.mark.parametrize(
    "url",
    ["", "mail.example.com", "http://mail.example.com", "smtp://", "smtp://:25", "smtp://h:99999", "smtp://h:x",
     "smtp://h/path", "smtp://h?x", "smtp://h#x", "smtps://secret@h", "smtps://:secret@h", "smtp://u:secret@h",
     "smtps://u:secret%0A@h", "smtps://u:sécret@h", "smtps://u:sec/ret@h"],  # pragma: allowlist secret
)  # fmt: skip
def test_url_of_another_kind_is_refused_without_its_password(url):
    with pytest.raises(ValueError) as refused:
        read_relay(url)
    assert "secret" not in str(refused.value)


def test_password_is_not_shown_with_its_server():
    assert "secret" not in repr(read_relay("smtps://u:secret@h"))
