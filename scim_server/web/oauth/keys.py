"""The public keys of clients, as they were registered."""

import json

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey


class BadKeys(Exception):
    """A key set is none; the message says why."""


def read_keys(text: str | bytes) -> tuple[Key, ...]:
    """Read the public keys of a JSON Web Key Set; BadKeys where it has none that can verify a signature."""
    try:
        document = json.loads(text)
        keys = KeySet.import_key_set(document).keys
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, JoseError) as error:
        raise BadKeys(f"not a JSON Web Key Set ({type(error).__name__})") from None
    usable = tuple(key for key in keys if isinstance(key, RSAKey | ECKey | OKPKey))
    if not usable:
        raise BadKeys("the set has no RSA, EC or OKP key")
    return usable
