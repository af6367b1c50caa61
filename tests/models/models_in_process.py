"""Runs the project's models again and again, parsing it once.

A build in a process of its own spends most of its time starting and parsing; tests that build ten
times keep the parsed project and only run it. What was parsed is kept in `target/tests`, one folder
a company and set of variables: tests that agree on both share it, and dbt parses again only files
that changed since.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from filelock import FileLock

from cio.dbt import inside_project
from cio.dbt_release import keep_shortcuts, take_known_shortcuts
from tests.conftest import ROOT
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Models:
    """The parsed project of one company at one instant."""

    manifest: Any = field(repr=False)
    company: Path
    target_path: Path
    variables: dict[str, str]

    def run(self, home: Home, command: str = "run", arguments: Sequence[str] = ()) -> None:
        """Run `seed`, `run`, `build` or `test` against the warehouse of a home."""
        with _environment(home, self.company):
            result = dbtRunner(manifest=self.manifest).invoke(
                [command, *_options(self.target_path, self.variables), *arguments]
            )
            # dbt keeps the file open in its process; another process is to open it next
            DuckDBConnectionManager.close_all_connections()
        keep_shortcuts()
        if not result.success:
            failed = [r.message for r in (result.result or []) if r.status in ("error", "fail")]
            raise AssertionError(failed or result.exception)

    def write_manifest(self, home: Home) -> None:
        """Give a home the manifest that its commands would otherwise parse the project for."""
        self.manifest.write(str(home.root / "target" / "manifest.json"))


def parse(home: Home, company: Path, target_path: Path, variables: dict[str, str]) -> Models:
    """Parse the project, or take what was parsed of it before."""
    del home  # where the warehouse is belongs to what dbt compares: all parse for the same one
    about = json.dumps([inside_project(company), variables], sort_keys=True)
    folder = ROOT / "target" / "tests" / hashlib.sha256(about.encode()).hexdigest()[:12]
    shared = Home(folder / "home")
    shared.make()
    take_known_shortcuts()
    gc.disable()  # there is no garbage while dbt parses
    with FileLock(folder / "lock"), _environment(shared, company):
        result = dbtRunner().invoke(["parse", *_options(folder / "target", variables)])
        DuckDBConnectionManager.close_all_connections()
    keep_shortcuts()
    gc.freeze()  # or every collection of the tests walks the million objects of a manifest
    gc.enable()
    assert result.success, result.exception
    return Models(result.result, company, target_path, variables)


def _options(target_path: Path, variables: dict[str, str]) -> list[str]:
    return [
        *("--project-dir", str(ROOT), "--profiles-dir", str(ROOT)),
        # writing the manifest for each run took half of a run
        "--no-write-json",
        *("--target-path", str(target_path), "--log-level", "none", "--log-level-file", "none"),
        *("--vars", json.dumps(variables)),
    ]


@contextmanager
def _environment(home: Home, company: Path) -> Iterator[None]:
    here = os.getcwd()  # noqa: PTH109 - dbt changes the working directory of its process
    try:
        with patch.dict(
            os.environ, {"CIO_HOME": str(home.root), "CIO_COMPANY": inside_project(company)}
        ):
            yield
    finally:
        os.chdir(here)
