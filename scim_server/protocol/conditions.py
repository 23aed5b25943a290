"""Versions and conditional requests (RFC 7644 section 3.14, decisions A-10 and A-11)."""

from dataclasses import dataclass

from scim2_models import PreconditionFailedException


def etag(version: int) -> str:
    """Return the entity tag of a version: weak, as the resource's representations differ by projection."""
    return f'W/"{version}"'


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a request demands of the current version. Tags are compared by their opaque value, weak or strong (A-10)."""

    if_match: frozenset[str] | None = None
    """The opaque tags of If-Match; ``*`` matches every version; None when the header is absent."""
    if_none_match: frozenset[str] | None = None

    def check(self, version: int) -> None:
        """Refuse a write on a resource whose version the client did not mean: 412."""
        if self.if_match is not None and not _names(self.if_match, version):
            raise PreconditionFailedException(
                detail=f"If-Match: the resource is at version {etag(version)}; read it again, then retry"
            )
        if self.if_none_match is not None and _names(self.if_none_match, version):
            raise PreconditionFailedException(detail=f"If-None-Match: the resource is at version {etag(version)}")

    def is_known(self, version: int) -> bool:
        """Whether the client says that it has this version already, so that a read answers 304."""
        return self.if_none_match is not None and _names(self.if_none_match, version)


UNCONDITIONAL = Conditions()


def _names(tags: frozenset[str], version: int) -> bool:
    return "*" in tags or str(version) in tags
