"""Runs the `cio` command as a user's shell would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.conftest import ROOT

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
