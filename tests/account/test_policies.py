"""The policies: their table, their words, their defaults (rules.md 4.4)."""

from dataclasses import fields

import pytest

from scim_server.account.policies import POLICIES, Policies, policies_from, read_policy

RULES_TABLE = {
    "deactivation.licensePolicy": ("deactivation_licence_policy", "suspend"),
    "deactivation.graceDays": ("deactivation_grace_days", 30),
    "reactivation.restoreLicense": ("reactivation_restore_licence", True),
    "withdrawal.logPolicy": ("withdrawal_log_policy", "retain"),
    "licenseShortage.direct": ("licence_shortage_direct", "reject"),
    "licenseShortage.group": ("licence_shortage_group", "pend"),
    "domains.enforcement": ("domains_enforcement", "strict"),
    "domains.allowPublicProviders": ("domains_allow_public_providers", False),
    "timezone.enforcement": ("timezone_enforcement", "strict"),
    "deletion.requireDeactivated": ("deletion_require_deactivated", False),
    "deletion.auditIdentity": ("deletion_audit_identity", "masked"),
    "filters.inUrl": ("filters_in_url", "allowed"),
    "passwords.store": ("passwords_store", "off"),
    "notifications.onLicenseAssigned": ("notifications_on_licence_assigned", True),
    "guard.window": ("guard_window", 60),
    "guard.deactivations": ("guard_deactivations", "20% min 20 max 500"),
    "guard.deletions": ("guard_deletions", "20% min 20 max 500"),
    "guard.licenseWithdrawals": ("guard_licence_withdrawals", "20% min 20 max 500"),
    "guard.groupClears": ("guard_group_clears", "20% min 10 max 100"),
    "defaults.licenseType": ("defaults_licence_type", None),
    "defaults.timezone": ("defaults_timezone", None),
    "groupLicenses": ("group_licences", {}),
}


def test_every_policy_has_the_default_of_the_rules():
    policies = Policies()
    assert {key: (field, getattr(policies, field)) for key, (field, _) in POLICIES.items()} == RULES_TABLE


def test_every_field_is_a_policy_that_can_be_set():
    assert {field.name for field in fields(Policies)} == {field for field, _ in POLICIES.values()}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("deactivation.licensePolicy", "releaseAfterGrace", "releaseAfterGrace"),
        ("deactivation.licensePolicy", " releaseaftergrace ", "releaseAfterGrace"),
        ("deactivation.graceDays", "1", 1),
        ("deactivation.graceDays", "365", 365),
        ("reactivation.restoreLicense", "False", False),
        ("domains.allowPublicProviders", "true", True),
        ("deletion.auditIdentity", "idOnly", "idOnly"),
        ("guard.window", "1440", 1440),
        ("guard.deletions", " OFF ", "off"),
        ("guard.deletions", "20%  Min 5", "20% min 5"),
        ("defaults.licenseType", "pro", "pro"),
        ("defaults.licenseType", "none", None),
        ("defaults.timezone", "America/Toronto", "America/Toronto"),
        ("defaults.timezone", "unset", None),
        ("groupLicenses", '{"Lawyers": "pro"}', {"Lawyers": "pro"}),
    ],
)
def test_a_policy_is_read_from_its_text(key, text, value):
    assert read_policy(key, text) == value


@pytest.mark.parametrize(
    ("key", "text", "allowed"),
    [
        ("deactivation.licensePolicy", "delete", "suspend, release, releaseAfterGrace"),
        ("deactivation.graceDays", "0", "a whole number from 1 to 365"),
        ("deactivation.graceDays", "366", "a whole number from 1 to 365"),
        ("deactivation.graceDays", "soon", "a whole number from 1 to 365"),
        ("withdrawal.logPolicy", "", "retain, purge"),
        ("domains.allowPublicProviders", "yes", "true, false"),
        ("defaults.timezone", "Eastern", "an IANA time zone or unset"),
        ("defaults.licenseType", "", "a licence type or none"),
        ("groupLicenses", "Lawyers", "a JSON object of group names and licence types"),
        ("groupLicenses", '{"Lawyers": 3}', "a JSON object of group names and licence types"),
        ("groupLicenses", '["Lawyers"]', "a JSON object of group names and licence types"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(key, text, allowed):
    with pytest.raises(ValueError) as caught:
        read_policy(key, text)
    assert str(caught.value) == f"{key}: '{text}' is not allowed. Allowed: {allowed}."


def test_an_unknown_policy_is_refused_with_all_that_are_known():
    with pytest.raises(ValueError) as caught:
        read_policy("deactivation.licencePolicy", "suspend")
    assert "deactivation.licencePolicy" in str(caught.value)
    assert all(key in str(caught.value) for key in POLICIES)


def test_stored_settings_replace_the_defaults():
    policies = policies_from({"deactivation.graceDays": 7, "groupLicenses": {"Lawyers": "pro"}})
    assert policies == Policies(deactivation_grace_days=7, group_licences={"Lawyers": "pro"})


def test_settings_that_are_no_policies_are_left_to_others():
    assert policies_from({"displayName": "Acme"}) == Policies()
