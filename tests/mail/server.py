"""A mail server on the loopback address that does as it is told, and keeps what it was given."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

DROP = "drop"
"""Ends the connection where an answer is due."""


class Server:
    """Answers each command as ``answers`` says for it, where the list is not used up; else as a server should."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}
        self.envelopes: list[Any] = []
        self.connections = 0
        self.logins: list[tuple[bytes, bytes]] = []
        self.held = threading.Event()
        """Set once a recipient was told while ``hold`` was."""
        self.hold = False
        self.port = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def messages(self) -> list[EmailMessage]:
        """What was accepted, parsed as a mail program would."""
        return [message_from_bytes(one.content, policy=SMTPUTF8) for one in self.envelopes]

    @property
    def recipients(self) -> list[str]:
        return [address for one in self.envelopes for address in one.rcpt_tos]

    def answer(self, command: str, *answers: str) -> None:
        """Answer a command once with each of these."""
        self.answers.setdefault(command, []).extend(answers)

    def _next(self, command: str, server: Any, usual: str) -> str:
        answers = self.answers.get(command)
        answer = answers.pop(0) if answers else usual
        if answer == DROP:
            server.transport.abort()
        return answer

    async def handle_EHLO(self, server: Any, session: Any, envelope: Any, name: str, lines: list[str]) -> list[str]:
        self.connections += 1
        session.host_name = name
        return lines

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        envelope.mail_from, envelope.mail_options = address, options
        return self._next("MAIL", server, "250 OK")

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.hold:
            self.held.set()
            await asyncio.sleep(30)
        answer = self._next("RCPT", server, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        answer = self._next("DATA", server, "250 2.0.0 accepted")
        if answer == DROP or answer.startswith("250"):
            self.envelopes.append(envelope)
        return answer

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"s3cret@/", handled=False)


@contextmanager
def running(server: Server, tls: ssl.SSLContext | None = None, **options: Any) -> Iterator[Server]:
    """Run the server; with ``tls`` it speaks nothing else from the first byte on."""
    options = {"hostname": "mail.example.com", "enable_SMTPUTF8": False, **options}
    server.port = _free_port()
    controller = _controller(server, tls, options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def _controller(server: Server, tls: ssl.SSLContext | None, options: dict[str, Any]) -> Controller:
    class Quiet(Controller):
        def factory(self) -> SMTP:
            return SMTP(server, **options)

    return Quiet(server, hostname="127.0.0.1", port=server.port, ssl_context=tls)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """Run a server that does with its only connection what ``talk`` does; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        thread.join(10)
