"""How a table or view of a model is replaced: whole or not at all."""

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
    model = f"{{{{ config(materialized='{materialized}') }}}}\n{sql}\n"
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


@pytest.mark.slow
def test_a_table_or_view_is_replaced_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"dbt_project.yml": PROJECT, "profiles.yml": PROFILE}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "models").mkdir()
    shutil.copytree(ROOT / "macros" / "materializations", tmp_path / "macros")
    (tmp_path / "models" / "numbers.yml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)

    assert run(tmp_path, "select 0 as number, 'none' as word", materialized="view") == ""
    # a view too has what its contract says, or it stays the one that it was
    assert "contract" in run(tmp_path, "select 0 as number", materialized="view")
    assert "none.such" in run(tmp_path, "select * from none.such", materialized="view")
    assert read(tmp_path) == ([(0, "none")], [("numbers", "VIEW")])
    assert run(tmp_path, "select 1 as number, 'one' as word", materialized="view") == ""
    assert read(tmp_path) == ([(1, "one")], [("numbers", "VIEW")])
    # columns as the contract has them, whatever order the model has them in
    assert run(tmp_path, "select 'two' as word, 2 as number") == ""
    assert read(tmp_path) == ([(2, "two")], [("numbers", "BASE TABLE")])
    assert "NOT NULL" in run(tmp_path, "select null::integer as number, 'three' as word")
    assert read(tmp_path) == ([(2, "two")], [("numbers", "BASE TABLE")])
    assert run(tmp_path, "select 4 as number, 'four' as word", materialized="view") == ""
    assert read(tmp_path) == ([(4, "four")], [("numbers", "VIEW")])
