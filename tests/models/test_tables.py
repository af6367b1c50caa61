"""How a table of a model is replaced: whole or not at all."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
name: counting
profile: counting
macro-paths: [macros]
"""
PROFILE = """
counting:
  target: dev
  outputs:
    dev: {type: duckdb, path: counting.duckdb}
"""
CONTRACT = """
models:
  - name: numbers
    config: {contract: {enforced: true}}
    columns:
      - {name: number, data_type: integer, constraints: [{type: not_null}]}
      - {name: word, data_type: varchar}
"""


def run(project: Path, sql: str, materialized: str = "table") -> str:
    """Make the model; what went wrong."""
    config = f"materialized='{materialized}', on_schema_change='fail'"
    model = f"{{{{ config({config}) }}}}\n{sql}\n"
    (project / "models" / "numbers.sql").write_text(model)
    result = dbtRunner().invoke(["run", "--quiet", "--log-level-file", "none"])
    DuckDBConnectionManager.close_all_connections()
    return "" if result.success else str([each.message for each in result.result])


def read(project: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Its rows, and everything there is in the warehouse."""
    with duckdb.connect(str(project / "counting.duckdb"), read_only=True) as connection:
        return (
            connection.execute("select * from numbers").fetchall(),
            connection.execute(
                "select table_name, table_type from information_schema.tables"
            ).fetchall(),
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one model, whose way of making tables is ours."""
    for name, text in {"dbt_project.yml": PROJECT, "profiles.yml": PROFILE}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "models").mkdir()
    shutil.copytree(
        ROOT / "macros" / "materializations",
        tmp_path / "macros",
        ignore=shutil.ignore_patterns("*.yml"),
    )
    (tmp_path / "models" / "numbers.yml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_a_table_or_view_is_replaced_whole_or_not_at_all(project: Path) -> None:
    assert run(project, "select 0 as number, 'none' as word", materialized="view") == ""
    # a view too has what its contract says, or it stays the one that it was
    assert "contract" in run(project, "select 0 as number", materialized="view")
    assert "none.such" in run(project, "select * from none.such", materialized="view")
    assert read(project) == ([(0, "none")], [("numbers", "VIEW")])
    assert run(project, "select 1 as number, 'one' as word", materialized="view") == ""
    assert read(project) == ([(1, "one")], [("numbers", "VIEW")])
    # columns as the contract has them, whatever order the model has them in
    assert run(project, "select 'two' as word, 2 as number") == ""
    assert read(project) == ([(2, "two")], [("numbers", "BASE TABLE")])
    assert "NOT NULL" in run(project, "select null::integer as number, 'three' as word")
    assert read(project) == ([(2, "two")], [("numbers", "BASE TABLE")])
    assert run(project, "select 4 as number, 'four' as word", materialized="view") == ""
    assert read(project) == ([(4, "four")], [("numbers", "VIEW")])


@pytest.mark.slow
def test_rows_are_added_to_a_table_by_the_names_of_its_columns(project: Path) -> None:
    assert run(project, "select 1 as number, 'one' as word", materialized="incremental") == ""
    assert run(project, "select 'two' as word, 2 as number", materialized="incremental") == ""
    assert "NOT NULL" in run(
        project, "select null::integer as number, 'three' as word", materialized="incremental"
    )
    assert read(project) == ([(1, "one"), (2, "two")], [("numbers", "BASE TABLE")])

    # one that reads what only its new version has says so, too, and nothing of DuckDB's
    (project / "models" / "numbers.yml").write_text(CONTRACT + "      - {name: added}\n")
    added = "select number, word, added from {{ this if is_incremental() else 'numbers' }}"
    assert "--full-refresh" in run(project, added, materialized="incremental")

    (project / "models" / "numbers.yml").unlink()
    changed = run(project, "select 3 as number, 'three' as name", materialized="incremental")
    assert "--full-refresh" in changed
    assert run(project, "select 4 as number", materialized="view") == ""
    assert read(project) == ([(4,)], [("numbers", "VIEW")])
