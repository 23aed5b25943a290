"""Handing letters to a mail server: what is certain afterwards, and what is not."""

import datetime
import ipaddress
import ssl
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from scim_server.mail import post
from scim_server.mail.addresses import mailbox, read_sender
from scim_server.mail.letters import Occasion, compose
from scim_server.mail.post import Post
from scim_server.mail.relay import read_relay
from tests.mail.server import DROP, Server, raw_server, running

NOON = datetime.datetime(2026, 3, 4, 12, 0, tzinfo=datetime.UTC)
SENDER = read_sender("no-reply@mail.example")

# aiosmtpd does not see that a server which speaks TLS from the first byte on has TLS.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


def letter(to="ava@acme.example", name="Ava"):
    return compose(Occasion(f"id-{len(to)}", "licenseAssigned", "pro", "acme", name), SENDER, mailbox(to), NOON)


def send(url, *addresses):
    with Post(read_relay(url)) as open_post:
        return [open_post.send(letter(one)) for one in addresses or ("ava@acme.example",)]


def results(outcomes):
    return [one.result for one in outcomes]


def test_one_connection_carries_many_letters(server):
    outcomes = send(server.url, "ava@acme.example", "ben@acme.example", "cleo@acme.example")
    assert results(outcomes) == ["sent"] * 3
    assert server.connections == 1
    assert server.recipients == ["ava@acme.example", "ben@acme.example", "cleo@acme.example"]
    assert {one.mail_from for one in server.envelopes} == {"no-reply@mail.example"}


def test_letter_arrives_as_it_was_written(server):
    with Post(read_relay(server.url)) as open_post:
        open_post.send(letter(name=".Ava"))
    (message,) = server.messages
    assert message.get_content().splitlines()[0] == "Hello .Ava,"
    assert message["Message-ID"] == "<id-16@mail.example>"


def test_line_that_begins_with_a_dot_ends_nothing(server):
    dotted = post.Letter("no-reply@mail.example", mailbox("ava@acme.example"), b"Subject: x\r\n\r\n.\r\n..\r\nend\r\n")
    with Post(read_relay(server.url)) as open_post:
        assert open_post.send(dotted).result == "sent"
    assert server.envelopes[0].content == dotted.content


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_refusal_for_now_is_tried_again_and_hinders_no_other_letter(server, command):
    server.answer(command, "451 4.7.1 greylisted, come back")
    first, second = send(server.url, "ava@acme.example", "ben@acme.example")
    assert (first.result, first.ends_connection, second.result) == ("again", False, "sent")
    assert first.reason.endswith(": 451 4.7.1")
    assert server.recipients == ["ben@acme.example"]
    assert server.connections == 1


@pytest.mark.parametrize("command", ["RCPT", "DATA"])
def test_refusal_for_good_is_final_and_hinders_no_other_letter(server, command):
    server.answer(command, "550 5.1.1 <AVA@acme.example>: unknown\x1b[2J")
    first, second = send(server.url, "ava@acme.example", "ben@acme.example")
    assert results([first, second]) == ["failed", "sent"]
    assert first.reason.endswith(": 550 5.1.1")
    assert "ava" not in first.error.lower()
    assert first.error.isprintable()
    assert "unknown" in first.error


@pytest.mark.parametrize("answer", ["550 5.7.1 who are you", "530 5.7.0 authenticate first", "451 4.3.0 later"])
def test_refusal_of_the_sender_blames_no_letter(server, answer):
    server.answer("MAIL", answer, answer)
    (outcome,) = send(server.url)
    assert (outcome.result, outcome.ends_connection) == ("again", True)


def test_server_that_wants_a_login_blames_no_letter(server):
    server.answer("RCPT", "530 5.7.0 authenticate first")
    (outcome,) = send(server.url)
    assert (outcome.result, outcome.ends_connection) == ("again", True)


@pytest.mark.parametrize("answer", [DROP, "421 4.3.2 enough for this connection", "452 4.5.3 too many"])
def test_connection_that_has_carried_enough_is_followed_by_another(server, answer):
    server.answer("MAIL", "250 OK", answer)
    assert results(send(server.url, "ava@acme.example", "ben@acme.example")) == ["sent", "sent"]
    assert server.connections == 2
    assert server.recipients == ["ava@acme.example", "ben@acme.example"]


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_connection_lost_before_the_text_is_tried_again(server, command):
    server.answer(command, DROP)
    (outcome,) = send(server.url)
    assert (outcome.result, outcome.ends_connection) == ("again", True)
    assert server.envelopes == []


def test_connection_lost_after_the_text_is_unconfirmed(server):
    server.answer("DATA", DROP)
    (outcome,) = send(server.url)
    assert (outcome.result, outcome.ends_connection) == ("unconfirmed", True)
    assert len(server.envelopes) == 1


def scripted(*answers, last=None):
    """A talk that answers each line with the next answer, and the text with ``last``; None ends the connection."""

    def talk(connection):
        lines = connection.makefile("rb")
        connection.sendall(answers[0])
        for answer in answers[1:]:
            lines.readline()
            connection.sendall(answer)
        while answers[-1].startswith(b"354") and lines.readline() not in {b".\r\n", b""}:
            pass
        if last is not None:
            connection.sendall(last)
            lines.readline()

    return talk


ACCEPTS = (b"220 hi\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n")


@pytest.mark.parametrize(
    ("talk", "result"),
    [
        (scripted(*ACCEPTS, last=b"250 ok\r\n"), "sent"),
        (scripted(*ACCEPTS, last=b"251 ok, elsewhere\r\n"), "sent"),
        (scripted(*ACCEPTS, last=b"421 4.3.0 closing\r\n"), "again"),
        (scripted(*ACCEPTS, last=b"what?\r\n"), "unconfirmed"),
        (scripted(*ACCEPTS, last=b"354 more\r\n"), "unconfirmed"),
        (scripted(*ACCEPTS, last=b"250 " + b"x" * 9000 + b"\r\n"), "unconfirmed"),
        (scripted(*ACCEPTS), "unconfirmed"),
        (scripted(*ACCEPTS[:4], last=b"451 later\r\n"), "again"),
        (scripted(*ACCEPTS[:4], b"554 5.5.1 no valid recipients\r\n", last=b""), "failed"),
        (scripted(*ACCEPTS[:3]), "again"),
        (scripted(b"554 no service here\r\n"), "again"),
        (scripted(b"HTTP/1.1 400 Bad Request\r\n"), "again"),
        (scripted(b""), "again"),
    ],
)
def test_only_what_the_server_cannot_have_accepted_is_tried_again(talk, result):
    with raw_server(talk) as port:
        (outcome,) = send(f"smtp://127.0.0.1:{port}")
    assert outcome.result == result


def test_server_that_is_not_there_blames_no_letter():
    with running(Server()) as gone:
        url = gone.url
    (outcome,) = send(url)
    assert (outcome.result, outcome.ends_connection) == ("again", True)
    assert "refused" in outcome.error


@pytest.mark.parametrize(("steps", "result"), [(3, "again"), (5, "unconfirmed")])
def test_server_that_falls_silent_is_not_waited_for_for_ever(monkeypatch, steps, result):
    monkeypatch.setattr(post, "TIMEOUT", 0.3)
    monkeypatch.setattr(post, "LAST_TIMEOUT", 0.3)

    def talk(connection):
        scripted(*ACCEPTS[:steps])(connection)
        time.sleep(1)

    with raw_server(talk) as port:
        (outcome,) = send(f"smtp://127.0.0.1:{port}")
    assert (outcome.result, outcome.ends_connection) == (result, True)


def test_international_address_fails_where_the_server_cannot_take_it(server):
    first, second = send(server.url, "émilie@acme.example", "ben@acme.example")
    assert (first.result, second.result) == ("failed", "sent")
    assert "SMTPUTF8" in first.error


def test_international_address_is_reached_where_the_server_can_take_it():
    with running(Server(), enable_SMTPUTF8=True) as server:
        assert results(send(server.url, "émilie@école.example", "ben@acme.example")) == ["sent", "sent"]
        assert server.recipients == ["émilie@xn--cole-9oa.example", "ben@acme.example"]
        assert "SMTPUTF8" in server.envelopes[0].mail_options
        assert server.messages[0]["To"] == "émilie@xn--cole-9oa.example"
        assert server.envelopes[1].mail_options == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The file of a key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail server of a test")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    file.write_bytes(private + signed.public_bytes(pem))
    return file


@pytest.fixture(params=["smtps", "smtp+starttls"])
def secured(request, certificate):
    """A mail server with TLS that wants a login; gives the server and the beginning of its URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Server()
    login = {"authenticator": server.authenticate, "auth_required": True}
    if request.param == "smtps":
        started = running(server, context, auth_require_tls=False, **login)
    else:
        started = running(server, tls_context=context, require_starttls=True, **login)
    with started:
        yield server, f"{request.param}://u:{{}}@127.0.0.1:{server.port}"


def test_letter_goes_over_tls_to_a_server_that_is_trusted(secured, certificate, monkeypatch):
    server, url = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert results(send(url.format("s3cret%40%2F"))) == ["sent"]
    assert server.logins == [(b"u", b"s3cret@/")]
    assert server.recipients == ["ava@acme.example"]


def test_wrong_password_blames_no_letter_and_is_not_told(secured, certificate, monkeypatch):
    _, url = secured
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    (outcome,) = send(url.format("wrong-one"))
    assert (outcome.result, outcome.ends_connection) == ("again", True)
    assert "535" in outcome.error
    assert "wrong-one" not in outcome.error


def test_server_that_is_not_trusted_gets_no_password(secured):
    server, url = secured
    (outcome,) = send(url.format("s3cret%40%2F"))
    assert (outcome.result, outcome.ends_connection) == ("again", True)
    assert "certificate" in outcome.error.lower()
    assert server.logins == []


def test_server_without_starttls_gets_no_password(server):
    (outcome,) = send(f"smtp+starttls://u:s3cret@127.0.0.1:{server.port}")
    assert outcome.result == "again"
    assert "STARTTLS" in outcome.error
    assert server.logins == []
