"""Runs the `cio` command as a user's shell would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from typer.testing import CliRunner

from cio.main import app
from tests.conftest import ROOT
from warehouse.errors import CioError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - whatever the command printed
        """Standard output as JSON."""
        return json.loads(self.out)


def cio(
    *arguments: str,
    home: Path | None = None,
    environment: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
) -> Said:
    """Run one command to its end."""
    clean = {name: value for name, value in os.environ.items() if "REVERSE_ETL" not in name}
    places = {} if home is None else {"CIO_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "cio.main", *arguments],
        env=clean | places | dict(environment or {}),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def cio_here(
    *arguments: str, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> Said:
    """Run one command in this process, which costs a second less than one of its own.

    What a user can mend ends as `cio.main.main` ends it; any other exception is the test's.
    """
    places = {} if home is None else {"CIO_HOME": str(home)}
    with patch.dict(os.environ, places | dict(environment or {})):
        result = CliRunner().invoke(app, list(arguments))
    error = result.exception
    if isinstance(error, CioError):
        return Said(error.exit_code, result.stdout, f"{result.stderr}cio: {error}\n")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Said(result.exit_code, result.stdout, result.stderr)
