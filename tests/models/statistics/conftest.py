"""Queries over the macros, rendered once by dbt itself and run by DuckDB."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from dbt.cli.main import dbtRunner
from evidence import Compute, Row

_ROOT = Path(__file__).resolve().parents[3]
_QUERIES = Path(__file__).resolve().parent / "queries"

# A project of nothing but macros, so that the product's own models need not compile.
_PROJECT = f"""
name: statistics
version: 1.0.0
config-version: 2
profile: statistics
flags: {{send_anonymous_usage_stats: false}}
macro-paths: ['{_ROOT.as_posix()}/macros/experiments', '{_ROOT.as_posix()}/macros/engines']
"""

_PROFILE = """
statistics:
  target: dev
  outputs:
    dev: {type: duckdb, path: ':memory:', threads: 1}
"""


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL that each file of `queries/` compiles to, by its name."""
    folder = tmp_path_factory.mktemp("statistics")
    # A copy: given a folder outside the project, dbt writes what it compiled over the source.
    shutil.copytree(_QUERIES, folder / "models")
    (folder / "dbt_project.yml").write_text(_PROJECT)
    (folder / "profiles.yml").write_text(_PROFILE)
    places = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
    places += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
    outcome = dbtRunner().invoke(["--quiet", "compile", "--no-introspect", *places])
    assert outcome.success, outcome.exception
    return {one.node.name: one.node.compiled_code for one in outcome.result.results}


@pytest.fixture
def compute(compiled: dict[str, str]) -> Compute:
    """Runs a query over rows, which are the table `arguments`; `i` is their order."""

    def run(name: str, rows: Iterable[Row]) -> list[Row]:
        arguments = pa.Table.from_pylist([{"i": i, **row} for i, row in enumerate(rows)])
        with duckdb.connect() as connection:
            connection.register("arguments", arguments)
            answers: list[Row] = connection.execute(compiled[name]).to_arrow_table().to_pylist()
            return answers

    return run
