"""How the texts of settings are read: numbers within bounds, and what a reader of its own understands."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError, validate
from marshmallow import fields as kinds

OFF = "off"


def read_by(reader: Callable[[str], object]) -> Callable[[str], None]:
    """Check a text by reading it."""

    def check(text: str) -> None:
        try:
            reader(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    return check


class Number(kinds.Integer):
    """A whole number within bounds, in a message that says which."""

    def __init__(self, low: int, high: int, about: str, otherwise: str = "") -> None:
        words = f"must be a whole number from {low} to {high}{otherwise}."
        bounds = validate.Range(min=low, max=high, error=words)
        super().__init__(validate=bounds, error_messages={"invalid": words}, metadata={"about": about})


class NumberOrOff(Number):
    """A whole number within bounds, or ``off``, which is None."""

    def __init__(self, low: int, high: int, about: str) -> None:
        super().__init__(low, high, about, f", or '{OFF}'")
        self.allow_none = True

    def deserialize(
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> Any:
        """Read the text."""
        is_off = isinstance(value, str) and value.strip().lower() == OFF
        return None if is_off else super().deserialize(value, attr, data, **kwargs)
