"""The dbt sources and the tables that Python lands are the same tables."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from warehouse import builds
from warehouse.raw_tables import LOAD_ID, LOADS, sql_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.project.conftest import Manifest
    from warehouse.raw_tables import Columns

pytestmark = pytest.mark.slow

DECLARATIONS = (
    *sorted(
        f"loaders.{path.parent.name}.tables" for path in (ROOT / "loaders").glob("*/tables.py")
    ),
    "reverse_etl.tables",
    "warehouse.draws",
    "warehouse.observations",
)

# What dlt itself writes for each load.
LOAD_COLUMNS = {
    "load_id": "varchar",
    "schema_name": "varchar",
    "status": "bigint",
    "inserted_at": "timestamptz",
    "schema_version_hash": "varchar",
}


def sources(manifest: Manifest, schema: str) -> dict[str, dict[str, str]]:
    """Tables of a raw schema as dbt declares them: type by column, in order."""
    return {
        source["identifier"]: {
            name: column["data_type"] for name, column in source["columns"].items()
        }
        for source in manifest["sources"].values()
        if source["schema"] == schema
    }


def declared(tables: Mapping[str, Columns]) -> dict[str, dict[str, str]]:
    """The same tables as Python declares them."""
    return {
        name: {column: sql_type(spec) for column, spec in columns.items()} | {LOAD_ID: "varchar"}
        for name, columns in tables.items()
    } | {LOADS: LOAD_COLUMNS}


@pytest.mark.parametrize("module", DECLARATIONS)
def test_sources_agree_with_what_is_landed_column_by_column(
    manifest: Manifest, module: str
) -> None:
    tables = importlib.import_module(module)
    assert sources(manifest, tables.DATASET) == declared(tables.TABLES)


def test_every_raw_schema_has_its_declaration(manifest: Manifest) -> None:
    landed = {importlib.import_module(module).DATASET for module in DECLARATIONS}
    written_by_dbt = {"raw_dbt"}
    assert {s["schema"] for s in manifest["sources"].values()} == landed | written_by_dbt


def test_builds_are_read_in_columns_that_dbt_declares(manifest: Manifest) -> None:
    assert set(builds.COLUMNS) <= set(sources(manifest, "raw_dbt")["builds"])
