"""Where settings come from, and in which words it is told what is wrong with them."""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from marshmallow import ValidationError

PREFIX = "SCIM_"
FILE_VARIABLE = "SCIM_SETTINGS_FILE"
OTHER_VARIABLES = frozenset({FILE_VARIABLE, "SCIM_TEST_DATABASE_URL"})
"""Variables that carry the prefix and are no settings."""


class SettingsError(Exception):
    """The settings are wrong; the message names each one that is, and the way out."""


def gathered(environ: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the texts of the settings, each with the place where it was found: the environment's over its file's."""
    return dict(_from_file(environ)) | dict(_from_environment(environ))


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give the settings of the environment: name, then text with the place where it was found."""
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in OTHER_VARIABLES:
            yield variable.removeprefix(PREFIX).lower(), (environ[variable], variable)


def _from_file(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Give the settings of the TOML file that the environment names, if it names one."""
    path = environ.get(FILE_VARIABLE)
    if path is None:
        return
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{FILE_VARIABLE}: '{path}' cannot be read: {error.strerror}.") from None
    except ValueError as error:  # TOML and UTF-8
        raise SettingsError(f"{FILE_VARIABLE}: '{path}' is not a TOML file: {error}.") from None
    for name, value in document.items():
        yield name, (str(value), f"{name} in {path}")


def message(error: ValidationError, sources: Mapping[str, str], known: Collection[str]) -> str:
    """Tell everything that is wrong, each on a line of its own with the place where it stands."""
    lines = ["the settings are not valid."]
    for name, problems in sorted(error.messages_dict.items()):
        text = " ".join(problems) if name in known else _unknown(name, known)
        lines.append(f"  {sources.get(name, name)}: {text}")
    return "\n".join(lines)


def _unknown(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name.lower(), known, n=1)
    if near:
        return f"is not a setting. Did you mean {PREFIX}{near[0].upper()} ({near[0]} in the file)?"
    return f"is not a setting. Known settings: {', '.join(known)}."
