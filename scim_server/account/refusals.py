"""The refusals of the account's rules, with the words in which they are told (rules.md 2.0).

A refusal knows nothing of HTTP: `web/errors.py` gives each id its status and scimType.
"""

DETAILS = {
    "E1": "{attribute} must be a valid e-mail address.",
    "E2": "{attribute}: the e-mail domain '{domain}' is not approved for this account. "
    "Have it approved in the portal's domain management, then retry.",
    "E3": "userName '{value}' is already in use.",
    "E4": "licenseType '{value}' is not a licence type of this account. Known types: {known}.",
    "E5": "No '{type}' licence is available: {assigned} of {total} are assigned. "
    "Add licences to the account or withdraw one, then retry.",
    "E6": "licenseTransferTo: '{value}' is not a user of this account. Create the user first.",
    "E7": "licenseTransferTo: the target user already has a '{type}' licence. "
    "Only users without a licence can receive a transfer.",
    "E8": "licenseTransferTo: this user has no licence to transfer.",
    "E9": "licenseTransferTo: source and target are the same user.",
    "E10": "licenseTransferTo: the target user is not active.",
    "E11": "licenseTransferTo cannot be combined with another change of the same user's licence.",
    "E12": "This licence comes from group '{name}'. Change the group membership instead.",
    "E13": "licenseActivated: the user has no licence to activate.",
    "E14": "smsReturnsEnabled requires a Pro licence; the user's licence is '{type}'.",
    "E15": 'smsReturnsEnabled requires a mobile phone number (phoneNumbers[type eq "mobile"]).',
    "E16": "smsReturnsEnabled requires smsCountryCode.",
    "E17": "twoFactorEnabled requires a mobile phone number that can receive SMS (with country code).",
    "E18": "'{user_name}' is the account's only active administrator. "
    "Give another active user the administrator role first.",
    "E19": "role '{value}' is unknown. Use 'standard' or 'administrator'.",
    "E20": "timezone '{value}' is not an IANA time zone.",
    "E21": "smsCountryCode '{value}' is neither an international prefix (such as +1) nor a two-letter country code.",
    "E22": "'{path}' is read-only.",
    "E23": "User '{id}' not found. Deleted users cannot be restored; create the user again.",
    "E24": "{attribute} '{value}' cannot be given to a {kind}.",
    "E25": "The shared mailbox licence allows {allowed} activations and all are used.",
    "E26": "{pair} disagree.",
    "E27": "A group named '{name}' already exists.",
    "E28": "members: '{value}' is not a user of this account.",
    "E29": "{resource} is read-only over SCIM; it is managed in the portal.",
    "E30": "microsoftReturnsEnabled requires a Pro licence; the user's licence is '{type}'.",
    "E31": "Users must be deactivated before they are deleted.",
}


class Refused(Exception):
    """A rule of the account forbids the request.

    Several refusals may be told at once (R17 reports all that apply): the first gives rule and id.
    """

    def __init__(self, rule: str, error: str, *, hint: str = "", **values: object) -> None:
        super().__init__(rule, error)
        self.rule = rule
        self.error = error
        self.detail = DETAILS[error].format(**values) + (f" {hint}" if hint else "")

    def and_also(self, other: "Refused") -> "Refused":
        """Return this refusal, telling the other one too."""
        self.detail = f"{self.detail} {other.detail}"
        return self
