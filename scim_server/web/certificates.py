"""The client's certificate of a request, as the TLS proxy passes it on in the header that the settings name.

Without the setting no header is looked at: whoever reaches the server could send one.
"""

import base64
import hashlib
from binascii import Error
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from flask import Flask, current_app, request

_HEADER = "scim_tls_client_header"
LONGEST = 16_384
"""Characters of a certificate that are read."""


def install(app: Flask, header: str | None) -> None:
    """Have the application read certificates out of a header, or out of none."""
    app.extensions[_HEADER] = header


def certificate_of_request() -> x509.Certificate | None:
    """Return the certificate with which the client of the current request proved itself to the proxy."""
    header = current_app.extensions[_HEADER]
    text = request.headers.get(header, "") if header else ""
    return read(text) if 0 < len(text) <= LONGEST else None


def thumbprint_of_request() -> str | None:
    """Return the thumbprint of the client's certificate, or None where it brings none."""
    certificate = certificate_of_request()
    return None if certificate is None else thumbprint(certificate)


def read(text: str) -> x509.Certificate | None:
    """Read a certificate as proxies pass it: percent-encoded PEM (nginx), or the DER between colons (RFC 9440)."""
    try:
        if text.startswith(":") and text.endswith(":"):
            return x509.load_der_x509_certificate(base64.b64decode(text.strip(":"), validate=True))
        return x509.load_pem_x509_certificate(unquote_to_bytes(text))
    except (ValueError, Error):
        return None


def thumbprint(certificate: x509.Certificate) -> str:
    """Return ``x5t#S256`` of a certificate (RFC 8705 section 3.1)."""
    from cryptography.hazmat.primitives.serialization import Encoding

    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_in_time(certificate: x509.Certificate) -> bool:
    """Whether a certificate is valid now."""
    return certificate.not_valid_before_utc <= datetime.now(UTC) <= certificate.not_valid_after_utc


def is_issued_by(certificate: x509.Certificate, authority: str) -> bool:
    """Whether an authority, given as PEM, has signed a certificate; the proxy's word is not taken for it."""
    issuer = x509.load_pem_x509_certificate(authority.encode())
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return is_in_time(certificate) and is_in_time(issuer)
