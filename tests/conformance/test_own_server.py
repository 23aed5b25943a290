"""The runner against the server of this repository, in process and on both databases."""

from collections.abc import Callable

from conformance.cli import everything
from conformance.registry import Outcome
from conformance.runner import client, prepare, run
from conformance.scim import Scim
from conformance.transport import in_process
from tests.web.conftest import Api
from tests.web.test_rate_limits import worker

from .conftest import BASE

EXCUSED = {
    "DSC-26", "DSC-27", "DSC-29", "CRT-24", "LST-12", "PAT-45", "CUR-08", "OBS-02",
}  # fmt: skip
"""What our server has nothing for: security events, the interop profile, required extensions and the like."""


def users(api: Api) -> list[str]:
    return sorted(one["userName"] for one in api.get("/Users?count=1000")["Resources"])


def test_every_check_passes_and_nothing_is_left(provider: Api, scim: Scim) -> None:
    before = users(provider)
    done = run(scim, everything())
    assert [(one.check.id, one.reason) for one in done.results if one.outcome is not Outcome.PASSED] == [
        (one.check.id, one.reason) for one in done.results if one.check.id in EXCUSED
    ]
    assert {one.outcome for one in done.results if one.check.id in EXCUSED} == {Outcome.NOT_APPLICABLE}
    assert (users(provider), provider.get("/Groups")["totalResults"], done.left) == (before, 0, ())


def test_strict_profile_fails_no_requirement(provider: Api) -> None:
    strict = provider.token_for(profile="strict")
    scim = client(in_process(strict.app), BASE, strict.token, strict.domain)
    prepare(scim)
    done = run(scim, [one for one in everything() if one.suite == "rfc"])
    assert [(one.check.id, one.reason) for one in done.results if one.outcome is Outcome.FAILED] == []


def test_interrupted_run_leaves_nothing(new_account: Callable[..., Api]) -> None:
    api = new_account()
    scim = client(in_process(api.app), BASE, api.token, api.domain)
    prepare(scim)

    def interrupt(result: object) -> None:
        if len(seen) == 40:
            raise KeyboardInterrupt
        seen.append(result)

    seen: list[object] = []
    done = run(scim, [one for one in everything() if one.id.startswith(("CRT", "LST"))], interrupt)
    assert done.interrupted
    assert (users(api), done.left) == ([], ())


def test_throttled_run_waits_and_fails_nothing(provider: Api) -> None:
    """OBS-02: every 429 says when to come again, and the runner does."""
    with worker(provider, rate_limit=60, rate_burst=10) as throttled:
        scim = client(in_process(throttled.app), BASE, provider.token, provider.domain)
        prepare(scim)
        done = run(scim, [one for one in everything() if one.id.startswith(("GET", "PUT", "OBS"))])
    assert scim.throttled
    assert {one.check.id for one in done.results} >= {"OBS-01", "OBS-02"}
    assert [(one.check.id, one.reason) for one in done.results if one.outcome is not Outcome.PASSED] == []
