"""TLS that the server speaks itself: its files looked at before any worker is started with them.

A worker that cannot use them ends with the HTTP server's own words, and is started again and again.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from scim_server.setting_sources import PREFIX, SettingsError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from scim_server.settings import Settings

CERTIFICATE, KEY = f"{PREFIX}TLS_CERTIFICATE", f"{PREFIX}TLS_KEY"


def options(settings: "Settings") -> dict[str, Any]:
    """Return what the HTTP server is told of TLS: nothing where it speaks plain HTTP."""
    from granian.constants import SSLProtocols

    if settings.tls_certificate is None:
        return {}
    minimum = {"1.2": SSLProtocols.tls12, "1.3": SSLProtocols.tls13}[settings.tls_minimum]
    return {"ssl_cert": settings.tls_certificate, "ssl_key": settings.tls_key, "ssl_protocol_min": minimum}


def check(settings: "Settings") -> None:
    """Refuse files that are none, or do not belong together; SettingsError says which and why."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    certificate = _certificate(settings.tls_certificate)
    if certificate.public_key() != _public_key(settings.tls_key):
        _refuse(KEY, settings.tls_key, f"is not the key of the first certificate in {CERTIFICATE}")
    _warn_of_age(certificate)


def _certificate(path: Path) -> "Certificate":
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(_read(CERTIFICATE, path))[0]
    except ValueError:
        _refuse(CERTIFICATE, path, "is no PEM file with a certificate")


def _public_key(path: Path) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(_read(KEY, path), None).public_key()
    except TypeError:
        _refuse(KEY, path, "is encrypted; write it without a password, where only the server can read it")
    except ValueError:
        _refuse(KEY, path, "is no PEM file with a private key")


def _read(variable: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        _refuse(variable, path, f"cannot be read: {error.strerror}")


def _refuse(variable: str, path: Path, reason: str) -> NoReturn:
    raise SettingsError(f"the settings are not valid.\n  {variable}: '{path}' {reason}.") from None


def _warn_of_age(certificate: "Certificate") -> None:
    """Say that a certificate is out of time: clients refuse it, but a server that is down serves nobody either."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= datetime.now(UTC) <= ends:
        click.echo(f"Warning: the certificate of {CERTIFICATE} is valid from {begins} to {ends} only.", err=True)
