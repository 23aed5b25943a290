"""How a message is handed to the mail server, and how sure it is afterwards that it was, or that it was not.

The commands are given one by one: what fails before the text is on its way was not accepted, and what fails after
that may have been. `smtplib` alone does not tell the two apart.
"""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass

from scim_server.mail.letters import Letter, one_line
from scim_server.mail.relay import STARTTLS, TLS, Relay

TIMEOUT = 30
"""How many seconds the server has for each step."""
LAST_TIMEOUT = 300
"""How many seconds it has to accept the text, which it may look through first (RFC 5321 section 4.5.3.2.6)."""
LONGEST_REPLY = 300
NOT_AUTHENTICATED = frozenset({530, 534, 535, 538})
CLOSING = 421
ENHANCED = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}")
"""The status that many servers begin their text with (RFC 3463)."""

SENT, AGAIN, FAILED, UNCONFIRMED = "sent", "again", "failed", "unconfirmed"
NO_SMTPUTF8 = "the address is international, and the mail server does not offer SMTPUTF8"
LOST = "the connection was lost before the mail server said whether it accepts the message"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a letter."""

    result: str
    reason: str | None = None
    """Why, in words that hold nothing of the address."""
    reply: str | None = None
    """What the server or the network said about it."""
    ends_connection: bool = False
    """Whether the server rather than the letter is to blame: the next one would fare no better."""
    begins: bool = False
    """Whether it was the first step that failed, which on a connection that was used before says nothing."""

    @property
    def error(self) -> str | None:
        """Why, with what the server said."""
        return f"{self.reason}: {self.reply}" if self.reason and self.reply else self.reason


class Post:
    """The way to one mail server: a connection that is opened when it is needed and carries many letters."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> "Post":
        return self

    def __exit__(self, *_error: object) -> None:
        if self._connection is not None:
            with suppress(OSError):
                self._connection.quit()
            self._close()

    def send(self, letter: Letter) -> Outcome:
        """Hand in a letter; servers end connections that are idle or have carried enough, then it gets another one."""
        was_used = self._connection is not None
        outcome = self._hand_in(letter)
        return self._hand_in(letter) if was_used and outcome.begins else outcome

    def _hand_in(self, letter: Letter) -> Outcome:
        try:
            self._connection = self._connection or connected(self._relay)
        except OSError as error:
            return Outcome(AGAIN, "the mail server cannot be used", _text(error), ends_connection=True)
        outcome = hand_in(self._connection, letter)
        if outcome.ends_connection:
            self._close()
        return outcome

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connected(relay: Relay) -> smtplib.SMTP:
    """Return a connection on which mail can be handed in; TLS is never gone without, and the server is verified."""
    context = ssl.create_default_context()
    if relay.scheme == TLS:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(relay.host, relay.port, timeout=TIMEOUT, context=context)
    else:
        connection = smtplib.SMTP(relay.host, relay.port, timeout=TIMEOUT)
    try:
        if relay.scheme == STARTTLS:
            connection.starttls(context=context)
        connection.ehlo_or_helo_if_needed()
        if relay.user and relay.password:
            connection.login(relay.user, relay.password)
    except BaseException:
        connection.close()
        raise
    return connection


def hand_in(connection: smtplib.SMTP, letter: Letter) -> Outcome:
    """Go through the steps of one letter (RFC 5321 section 3.3)."""
    international = letter.recipient.is_international
    if international and not connection.has_extn("smtputf8"):
        return Outcome(FAILED, NO_SMTPUTF8)
    connection.command_encoding = "utf-8" if international else "ascii"
    steps = (
        ("the sender", f"MAIL FROM:<{letter.sender}>{' BODY=8BITMIME SMTPUTF8' if international else ''}", 250),
        ("the recipient", f"RCPT TO:<{letter.recipient.address}>", 250),
        ("the message", "DATA", 354),
    )
    step = ""
    try:
        for step, command, expected in steps:
            code, reply = connection.docmd(command)
            if code // 10 != expected // 10:
                outcome = _refused(step, code, reply, letter)
                with suppress(OSError):  # a connection that is lost here shows it to the next letter
                    connection.rset()
                return outcome
    except OSError as error:
        begins = step == "the sender"
        return Outcome(AGAIN, f"the connection was lost at {step}", _text(error), ends_connection=True, begins=begins)
    return _transmit(connection, letter)


def _transmit(connection: smtplib.SMTP, letter: Letter) -> Outcome:
    """Send the text; from here on, only an answer tells that it was not accepted."""
    text = re.sub(rb"(?m)^\.", b"..", letter.content)
    try:
        connection.send(text + b".\r\n")
        if connection.sock:
            connection.sock.settimeout(LAST_TIMEOUT)
        code, reply = connection.getreply()
        if connection.sock:
            connection.sock.settimeout(TIMEOUT)
    except OSError as error:
        return Outcome(UNCONFIRMED, LOST, _text(error), ends_connection=True)
    if 200 <= code < 300:
        return Outcome(SENT)
    if 400 <= code < 600:
        return _refused("the message", code, reply, letter)
    return Outcome(UNCONFIRMED, "the mail server's answer is none", _told(reply, letter), ends_connection=True)


def _refused(step: str, code: int, reply: bytes, letter: Letter) -> Outcome:
    """Judge a refusal: for now or for good, of the letter or of everything that we would send."""
    of_us = step == "the sender" or code in NOT_AUTHENTICATED or code == CLOSING or not 400 <= code < 600
    result = AGAIN if of_us or code < 500 else FAILED
    status = ENHANCED.match(reply)
    said = f"{code} {status[0].decode()}" if status else str(code)
    reason = f"the mail server refused {step}: {said}"
    return Outcome(result, reason, _told(reply, letter), ends_connection=of_us, begins=step == "the sender")


def _told(reply: bytes, letter: Letter) -> str:
    """Return what the server said, without the address, which is kept nowhere but with its user."""
    text = one_line(reply.decode("utf-8", "replace"), LONGEST_REPLY)
    return re.sub(re.escape(letter.recipient.address), "the address", text, flags=re.IGNORECASE)


def _text(error: OSError) -> str:
    """Return what a failure of the network says, or the server where it greets with a refusal."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return one_line(f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}")
    return one_line(str(error), LONGEST_REPLY)
