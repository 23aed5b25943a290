"""The server speaks TLS itself, with files that it looks at first (TLS-01)."""

import os
import signal
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from scim_server.cli import transport
from scim_server.setting_sources import SettingsError
from scim_server.settings import load
from tests.live import HOST, Server, check, free_port, serving, until

PASSWORD = BestAvailableEncryption(b"secret")


def write_key(file: Path, key: Any, encryption: KeySerializationEncryption | None = None) -> Path:
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    return file


def write_certificate(file: Path, key: Any, serial: int = 1, days: int = 2) -> Path:
    """A certificate for this machine that its own key has signed, good from three days ago."""
    name, begins = x509.Name.from_rfc4514_string("CN=scim"), datetime.now(UTC) - timedelta(days=3)
    builder = x509.CertificateBuilder(name, name, key.public_key(), serial, begins, begins + timedelta(days=3 + days))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
    file.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return file


def trusting(file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(file))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("tls")
    key = rsa.generate_private_key(65537, 2048)
    return write_certificate(directory / "own.pem", key), write_key(directory / "own.key", key)


@pytest.fixture(scope="module")
def server(
    files: tuple[Path, Path], make_url: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    certificate, key = files
    directory = tmp_path_factory.mktemp("server")
    settings = {"SCIM_TLS_CERTIFICATE": str(certificate), "SCIM_TLS_KEY": str(key)}
    with serving(make_url("sqlite"), directory, tls=trusting(certificate), **settings) as found:
        yield found


def test_answers_come_by_tls_and_tell_https(server: Server) -> None:
    """TLS-01, TLS-02: the external URL is https by itself, and clients are told to stay with it."""
    answer = server.ask("POST", "/Users", {"userName": "ava"})
    assert answer.status == 201
    assert answer.headers["location"].startswith(f"https://{HOST}:{server.port}/scim/v2/Users/")
    assert answer.headers.pop("strict-transport-security") == "max-age=31536000"
    check(answer)
    challenge = server.ask("GET", "/Users", Authorization="Bearer x").headers["www-authenticate"]
    assert f"https://{HOST}:{server.port}/.well-known/" in challenge


@pytest.mark.parametrize(
    ("version", "suite"),
    [
        ("TLSv1_2", "ECDHE-RSA-AES256-GCM-SHA384"),
        ("TLSv1_2", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("TLSv1_3", None),
    ],
)
def test_versions_and_suites_of_identity_providers_are_spoken(
    server: Server, files: tuple[Path, Path], version: str, suite: str | None
) -> None:
    """Those that Entra names, and what is newer."""
    context = trusting(files[0])
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    if suite:
        context.set_ciphers(suite)
    with server.connect() as plain, context.wrap_socket(plain, server_hostname=HOST) as client:
        assert client.version() == version.replace("_", ".")
        client.sendall(server.head("GET", "/Users", "Connection: close"))
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


def hello(version: bytes) -> bytes:
    """The first message of a client that speaks a version and no later one."""
    extensions = bytes.fromhex(
        "000a 0006 0004 0017 001d"  # groups
        "000b 0002 0100"  # uncompressed points
        "000d 0008 0006 0804 0401 0201"  # signatures: RSA-PSS, RSA with SHA-256 and with SHA-1
        "0017 0000"  # extended master secret
        "ff01 0001 00".replace(" ", "")
    )
    suites = bytes.fromhex("c02fc030c013c014002f0035")
    body = version + bytes(32) + b"\0" + struct.pack(">H", len(suites)) + suites + b"\1\0"
    body += struct.pack(">H", len(extensions)) + extensions
    message = b"\1" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\3\1" + struct.pack(">H", len(message)) + message


@pytest.mark.parametrize(("version", "is_spoken"), [("0303", True), ("0302", False), ("0301", False), ("0300", False)])
def test_earlier_versions_are_refused(server: Server, version: str, is_spoken: bool) -> None:
    """TLS-01: 1.1 and what was before; the same words with 1.2 in them are answered."""
    with server.connect() as client:
        client.sendall(hello(bytes.fromhex(version)))
        kind = client.recv(5)[0]
    handshake, alert = 22, 21
    assert kind == (handshake if is_spoken else alert)


def test_plain_http_is_not_answered(server: Server) -> None:
    """TLS-01: neither with data nor with a failure; the fixture looks for tracebacks, and the others are served."""
    with server.connect() as client:
        client.sendall(server.head("GET", "/Users"))
        said = b""
        try:
            while part := client.recv(65536):
                said += part
        except ConnectionError:
            pass
    assert b"HTTP" not in said
    assert server.ask("GET", "/Users").status == 200


def test_client_that_does_not_come_to_the_end_of_its_handshake_is_left(server: Server) -> None:
    """ROB-44: after ten seconds, while others are served."""
    with server.connect() as client:
        begun = time.monotonic()
        client.sendall(hello(bytes.fromhex("0303"))[:20])
        assert server.ask("GET", "/Users").status == 200
        assert client.recv(100) == b""
        assert time.monotonic() - begun < 25


def test_certificate_is_renewed_without_a_pause(
    tmp_path: Path, make_url: Callable[[str], str], files: tuple[Path, Path]
) -> None:
    """By SIGHUP, after both files were replaced."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, private = write_certificate(tmp_path / "c.pem", key, 7), write_key(tmp_path / "k.pem", key)
    settings = {"SCIM_TLS_CERTIFICATE": str(certificate), "SCIM_TLS_KEY": str(private), "SCIM_TLS_MINIMUM": "1.3"}
    with serving(make_url("sqlite"), tmp_path, tls=trusting(certificate), **settings) as server:
        refusing = trusting(certificate)
        refusing.maximum_version = ssl.TLSVersion.TLSv1_2
        with server.connect() as plain, pytest.raises(ssl.SSLError):
            refusing.wrap_socket(plain, server_hostname=HOST)
        later = ec.generate_private_key(ec.SECP256R1())
        write_certificate(certificate, later, 8)
        write_key(private, later)
        server.tls = trusting(certificate)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "Stopped old worker" in server.log())  # until then either of them takes a connection
        assert serial(server) == 8
        assert server.ask("GET", "/Users").status == 200


def test_files_that_cannot_be_used_leave_the_server_as_it_was(
    tmp_path: Path, make_url: Callable[[str], str], files: tuple[Path, Path]
) -> None:
    """By SIGHUP between the replacing of one file and the other, as a hook may send it."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, private = write_certificate(tmp_path / "c.pem", key, 7), write_key(tmp_path / "k.pem", key)
    settings = {"SCIM_TLS_CERTIFICATE": str(certificate), "SCIM_TLS_KEY": str(private)}
    with serving(make_url("sqlite"), tmp_path, tls=trusting(certificate), **settings) as server:
        write_certificate(certificate, ec.generate_private_key(ec.SECP256R1()), 8)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "The server goes on as it was." in server.log())
        assert f"'{private}' is not the key" in server.log()
        certificate.write_text("nonsense")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "is no PEM file" in server.log())
        assert serial(server) == 7
        assert server.ask("GET", "/Users").status == 200
        assert "Stopped old worker" not in server.log()


def serial(server: Server) -> int:
    text = ssl.get_server_certificate((HOST, server.port))
    return x509.load_pem_x509_certificate(text.encode()).serial_number


# -- refused at start -------------------------------------------------------------------------------------------------


def test_files_that_cannot_be_used_are_refused(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """Each with the setting, the file and the reason."""
    certificate, key = files
    text, other = tmp_path / "text", ec.generate_private_key(ec.SECP256R1())
    text.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n")
    encrypted = write_key(tmp_path / "encrypted.key", other, PASSWORD)
    stranger = write_key(tmp_path / "other.key", other)
    for own, private, told in (
        (certificate, tmp_path / "nowhere", "SCIM_TLS_KEY: '{1}' cannot be read: No such file or directory"),
        (tmp_path, key, "SCIM_TLS_CERTIFICATE: '{0}' cannot be read: Is a directory"),
        (text, key, "SCIM_TLS_CERTIFICATE: '{0}' is no PEM file with a certificate"),
        (key, key, "SCIM_TLS_CERTIFICATE: '{0}' is no PEM file with a certificate"),
        (certificate, certificate, "SCIM_TLS_KEY: '{1}' is no PEM file with a private key"),
        (certificate, encrypted, "SCIM_TLS_KEY: '{1}' is encrypted; write it without a password"),
        (certificate, stranger, "SCIM_TLS_KEY: '{1}' is not the key of the first certificate in SCIM_TLS_CERTIFICATE"),
    ):
        with pytest.raises(SettingsError) as raised:
            transport.check(load({"SCIM_TLS_CERTIFICATE": str(own), "SCIM_TLS_KEY": str(private)}))
        assert told.format(own, private) in str(raised.value)


def test_server_does_not_start_with_files_that_it_cannot_use(tmp_path: Path, files: tuple[Path, Path]) -> None:
    """One message, before a worker is started."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCIM_")}
    done = subprocess.run(
        [sys.executable, "-m", "scim_server.cli", "serve", "--port", str(free_port())],
        cwd=tmp_path, env=kept | {"SCIM_TLS_CERTIFICATE": str(files[1]), "SCIM_TLS_KEY": str(files[1])},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert f"SCIM_TLS_CERTIFICATE: '{files[1]}' is no PEM file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"SCIM_TLS_CERTIFICATE": "c.pem"}, "SCIM_TLS_CERTIFICATE: needs SCIM_TLS_KEY"),
        ({"SCIM_TLS_KEY": "k.pem"}, "SCIM_TLS_KEY: needs SCIM_TLS_CERTIFICATE"),
        ({"SCIM_TLS_MINIMUM": "1.1"}, "SCIM_TLS_MINIMUM: must be 1.2 or 1.3"),
        (
            {"SCIM_TLS_CERTIFICATE": "c", "SCIM_TLS_KEY": "k", "SCIM_EXTERNAL_URL": "http://scim.example"},
            "SCIM_EXTERNAL_URL: must begin with https:",
        ),
    ],
)
def test_settings_of_tls_that_do_not_go_together_are_refused(settings: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(settings)
    assert load({"SCIM_TLS_CERTIFICATE": "c", "SCIM_TLS_KEY": "k"}).tls_minimum == "1.2"


def test_a_certificate_that_is_out_of_time_is_warned_of(
    tmp_path: Path, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate, private = write_certificate(tmp_path / "c", key, days=-1), write_key(tmp_path / "k", key)
    transport.check(load({"SCIM_TLS_CERTIFICATE": str(certificate), "SCIM_TLS_KEY": str(private)}))
    assert "Warning: the certificate of SCIM_TLS_CERTIFICATE is valid from" in capsys.readouterr().err
    transport.check(load({"SCIM_TLS_CERTIFICATE": str(files[0]), "SCIM_TLS_KEY": str(files[1])}))
    assert capsys.readouterr().err == ""
