"""Secrets and addresses of vendors, from the environment and dlt's settings files."""

from __future__ import annotations

import difflib
import os
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from warehouse.errors import UsageError
from warehouse.settings import check_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

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


NO_SECRET = Secret("")
"""What a secret is until it is configured."""


def variable(section: str, name: str, key: str) -> str:
    """The environment variable of a key: `REVERSE_ETL__MIXPANEL__PROJECT_TOKEN`."""
    return f"{section}__{name}__{key}".upper()


def read_section(declared: type[T], section: str, name: str, *, others: Sequence[str] = ()) -> T:
    """Read a vendor's settings from the environment and dlt's files.

    Args:
        declared: The frozen dataclass of the settings: `str` and `Secret` fields with defaults.
        section: The part that reads them: `reverse_etl`, `loaders`.
        name: The vendor's name; `[section.name]` is where the keys stand.
        others: Keys of that section that another part reads.

    Returns:
        The settings; what is not configured has its default.

    Raises:
        UsageError: A file is not TOML, or has a key in this section that nobody reads.
    """
    names = [field.name for field in fields(declared)]  # type: ignore[arg-type]
    read = _read_files(section, name, [*names, *others])
    configured = {key: text for key, text in read.items() if key in names}
    for key in names:
        # an environment variable is taken as it stands: a token of digits is not a number
        text = os.environ.get(variable(section, name, key))
        if text is not None:
            configured[key] = text
    hints = get_type_hints(declared)
    values: dict[str, Any] = {}
    for key, text in configured.items():
        if text.strip():
            is_secret = Secret in (hints[key], *get_args(hints[key]))
            values[key] = Secret(text.strip()) if is_secret else text.strip()
    return declared(**values)


def _read_files(section: str, name: str, names: list[str]) -> dict[str, str]:
    """What dlt's files say of a vendor, in dlt's order, last the one that wins.

    They are read here rather than through dlt, which takes over a second to import, reads them
    once a process, and passes over a key that is misspelt.
    """
    check_settings()
    found: dict[str, str] = {}
    project = Path(os.environ.get("DLT_PROJECT_DIR", "."))
    for folder in (Path.home(), project):
        for file in ("config.toml", "secrets.toml"):
            path = folder / ".dlt" / file
            if path.is_file():
                keys = _keys(path, section, name)
                _check_keys(keys, names, f"[{section}.{name}] of {path}")
                found |= {key: str(value) for key, value in keys.items()}
    return found


def _keys(path: Path, section: str, name: str) -> dict[str, Any]:
    found = tomllib.loads(path.read_text(encoding="utf-8")).get(section, {})
    keys = found.get(name, {}) if isinstance(found, dict) else {}
    if not isinstance(keys, dict):
        place = f"[{section}.{name}] of {path}"
        message = f"{place} is not a section: write its keys below that line"
        raise UsageError(message)
    return keys


def _check_keys(keys: dict[str, Any], names: list[str], place: str) -> None:
    for key in keys:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
            message = f"{place} has an unknown key {key!r}; {hint}"
            raise UsageError(message)
