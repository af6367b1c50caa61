"""The project as dbt parses it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def manifest(manifest_file: Path) -> Manifest:
    """The manifest of this project alone."""
    parsed: Manifest = json.loads(manifest_file.read_text())
    return parsed
