"""The conformance runner: what identity teams run against any SCIM endpoint."""
