"""The project as dbt parses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The manifest of this project alone, whatever company this machine is set up for."""
    folder = tmp_path_factory.mktemp("parsed")
    environment = {name: value for name, value in os.environ.items() if name != "CIO_COMPANY"}
    subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *("parse", "--quiet", "--no-partial-parse", "--warn-error"),
            *("--project-dir", str(ROOT), "--profiles-dir", str(ROOT)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "logs")),
        ],
        check=True,
        cwd=ROOT,
        env=environment | {"CIO_HOME": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
    parsed: Manifest = json.loads((folder / "target" / "manifest.json").read_text())
    return parsed
