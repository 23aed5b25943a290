"""The `scim-server` command."""


def main() -> None:
    """Run the command."""
