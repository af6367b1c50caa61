"""Secrets and addresses of destinations, from the environment and dlt's settings files."""

from __future__ import annotations

import base64
from typing import TypeVar

from warehouse import secrets
from warehouse.secrets import NO_SECRET, SECRETS_FILE, Secret

__all__ = [
    "NO_SECRET",
    "SECRETS_FILE",
    "SECTION",
    "Secret",
    "basic_authorization",
    "read_settings",
    "variable",
]

SECTION = "reverse_etl"

T = TypeVar("T")


def variable(destination: str, key: str) -> str:
    """The environment variable of a key: `REVERSE_ETL__MIXPANEL__PROJECT_TOKEN`."""
    return secrets.variable(SECTION, destination, key)


def read_settings(declared: type[T], destination: str) -> T:
    """Read a destination's settings from the environment and dlt's files.

    Args:
        declared: The frozen dataclass of the settings: `str` and `Secret` fields with defaults.
        destination: The destination's name; its keys stand in `[reverse_etl.<name>]`.

    Returns:
        The settings; what is not configured has its default.

    Raises:
        UsageError: A file is not TOML, or has a key in this section that nobody reads.
    """
    return secrets.read_section(declared, SECTION, destination)


def basic_authorization(user: str, password: str = "") -> str:
    """The header `Authorization` of HTTP's basic scheme, https://www.rfc-editor.org/rfc/rfc7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
