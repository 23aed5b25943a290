"""What was seen during the whole run; these come last."""

from conformance.names import ERROR
from conformance.registry import check, expect
from conformance.scim import Scim


@check("OWASP API8")
def no_server_error_was_seen(scim: Scim) -> None:
    """OBS-01 ROBUST: during the whole run the server never answered 5xx, 501 aside."""
    expect(not scim.faults, f"{len(scim.faults)} server errors: {'; '.join(scim.faults[:5])}")


@check("RFC 6585 §4; RFC 9110 §10.2.3")
def throttling_tells_when(scim: Scim) -> None:
    """OBS-02 POLICY: every 429 carries Retry-After in whole seconds, and a SCIM error."""
    scim.need(scim.throttled, "no request was throttled")
    for answer in scim.throttled:
        expect((answer.header("Retry-After") or "").isdigit(), "429 without Retry-After in whole seconds")
        expect(isinstance(answer.value, dict) and ERROR in answer.value.get("schemas", []), "no SCIM error")
