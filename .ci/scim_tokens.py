"""Has detect-secrets know the secrets of this server (docs/authentication.md)."""

import re

from detect_secrets.plugins.base import RegexBasedDetector


class ScimTokenDetector(RegexBasedDetector):
    """Finds tokens, secrets of OAuth clients and refresh tokens."""

    secret_type = "scim-server token"  # noqa: S105
    denylist = (re.compile(r"scim(?:cs|rt)?_[0-9A-Za-z]{49}"),)
