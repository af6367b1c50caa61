"""Secrets and addresses of destinations, from dlt's configuration."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from warehouse.errors import UsageError

SECTION = "reverse_etl"
SECRETS_FILE = ".dlt/secrets.toml"

T = TypeVar("T")


class Secret:
    """A text that does not show itself: not printed, not formatted, not put into JSON."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        """Keep `text` out of sight."""
        self._text = text

    def reveal(self) -> str:
        """The text, to be put into a request and nowhere else."""
        return self._text

    def __repr__(self) -> str:
        """The same for every secret."""
        return "Secret(***)"

    def __bool__(self) -> bool:
        """Whether there is a text at all."""
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        """Whether both hide the same text."""
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        """A hash of the text."""
        return hash(self._text)


def variable(destination: str, key: str) -> str:
    """The environment variable of a key: `REVERSE_ETL__MIXPANEL__PROJECT_TOKEN`."""
    return f"{SECTION}__{destination}__{key}".upper()


def read_settings(declared: type[T], destination: str) -> T:
    """Read a destination's settings from the environment and dlt's files.

    Args:
        declared: The frozen dataclass of the settings: `str` and `Secret` fields with defaults.
        destination: The destination's name, which is the section.

    Returns:
        The settings; what is not configured has its default.

    Raises:
        UsageError: A file is not TOML, or has a key in this section that nobody reads.
    """
    names = [field.name for field in fields(declared)]  # type: ignore[arg-type]
    _check_keys(destination, names)
    hints = get_type_hints(declared)
    values: dict[str, Any] = {}
    for name in names:
        text = _configured(destination, name)
        if text is not None:
            is_secret = Secret in (hints[name], *get_args(hints[name]))
            values[name] = Secret(text) if is_secret else text
    return declared(**values)


def _configured(destination: str, key: str) -> str | None:
    # an environment variable is read as it stands: dlt would make a number of a numeric token
    text = os.environ.get(variable(destination, key))
    if text is None:
        import dlt  # noqa: PLC0415 - a second and a half, needed only if there are files

        found: object = dlt.secrets.get(f"{SECTION}.{destination}.{key}")
        text = None if found is None else str(found)
    return text.strip() or None if text is not None else None


def _check_keys(destination: str, names: list[str]) -> None:
    from warehouse.settings import check_settings  # noqa: PLC0415 - with what loads dlt

    check_settings()
    for file in ("secrets.toml", "config.toml"):
        path = Path(os.environ.get("DLT_PROJECT_DIR", ".")) / ".dlt" / file
        if not path.is_file():
            continue
        section = tomllib.loads(path.read_text(encoding="utf-8")).get(SECTION, {})
        keys = section.get(destination, {}) if isinstance(section, dict) else {}
        place = f"[{SECTION}.{destination}] of {path}"
        if not isinstance(keys, dict):
            message = f"{place} is not a section: write its keys below that line"
            raise UsageError(message)
        for key in keys:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
                message = f"{place} has an unknown key {key!r}; {hint}"
                raise UsageError(message)
