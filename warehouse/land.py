"""Landing: Arrow into raw tables through dlt, one load that counts whole or not at all."""

from __future__ import annotations

import functools
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pyarrow as pa

# before dlt is imported: without a network its usage statistics hang at the end of a run, and it
# decides then how much it tells; what goes wrong is said by our own errors
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ.setdefault("RUNTIME__LOG_LEVEL", "CRITICAL")

import dlt
from dlt.common.configuration import resolve
from dlt.common.configuration.providers import environ
from dlt.common.configuration.specs.base_configuration import is_secret_hint

from warehouse.failures import recoverable
from warehouse.home import Home
from warehouse.opening import open_warehouse
from warehouse.raw_tables import Columns, arrow_schema, prepare
from warehouse.settings import check_settings

if TYPE_CHECKING:
    import duckdb
    from dlt.common.destination import DestinationCapabilitiesContext
    from dlt.common.normalizers.naming import NamingConvention
    from dlt.common.schema.typing import TColumnSchema, TTableSchemaColumns
    from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration


# dlt asks eight hundred times a load whether one of some twenty types is a secret, and takes it
# apart anew each time: an eighth of what a small load costs
for _asking in (resolve, environ):
    vars(_asking)["is_secret_hint"] = functools.cache(is_secret_hint)

Batch: TypeAlias = "pa.Table | pa.RecordBatch"

_SETTINGS = {
    "normalize.parquet_normalizer.add_dlt_load_id": True,
    # one file a table: DuckDB reads it with every core, and two inserts at once only cost memory
    "load.workers": 1,
}


MEMORY_BYTES = 2**30
"""What DuckDB may use while it lands: three million events took 2.2 GB without a bound."""


@dataclass(frozen=True)
class LoadInfo:
    """What one load landed: its id, and rows by table."""

    load_id: str
    rows: Mapping[str, int]


def land(
    warehouse: Home | duckdb.DuckDBPyConnection,
    dataset: str,
    tables: Mapping[str, Iterable[Batch]] | Iterable[tuple[str, Batch]],
    columns: Mapping[str, Columns],
    *,
    purpose: str,
) -> LoadInfo:
    """Append batches to raw tables as one dlt load.

    Rows of a load that never completed are removed first, so a killed load is simply done again.
    Batches stream: they are taken one at a time, in order, and never held together.

    Args:
        warehouse: The home whose warehouse to open, or the warehouse, opened by the caller.
        dataset: The schema, `raw_commerce`.
        tables: Batches by table, or pairs of table and batch in the order they should be taken.
            A declared column that a batch lacks is null; one it has too many is an error.
        columns: The declared columns of every table of the dataset that may get rows.
        purpose: What for, in words: `load orders`.

    Returns:
        The load's id and the rows it landed; an empty id if there was nothing to land.

    Raises:
        WarehouseBusy: Another process kept the warehouse.
        UsageError: dlt's settings files cannot be read.
        CioError: The disk is full, or the load failed otherwise; nothing of it counts.
    """
    check_settings()
    opened = (
        open_warehouse(warehouse, purpose=purpose)
        if isinstance(warehouse, Home)
        else nullcontext(warehouse)
    )
    with opened as connection, recoverable(purpose):
        prepare(connection, dataset, columns)
        with _bounded(connection), _working_folder(_home(connection)) as folder:
            rows: dict[str, int] = {}
            resource = _resource(_pairs(tables), columns, rows)
            return LoadInfo(load_id=_run(connection, dataset, resource, folder), rows=rows)


def remove_leftovers(home: Home) -> None:
    """Remove the working folders of loads that were killed.

    For who holds the warehouse: only such a one lands, so every folder found is dead.
    """
    for left in home.dlt.glob("load-*"):
        shutil.rmtree(left, ignore_errors=True)


def _home(connection: duckdb.DuckDBPyConnection) -> Home:
    row = connection.execute(
        "select path from duckdb_databases() where database_name = current_database()"
    ).fetchone()
    if row is None or row[0] is None:
        message = "the warehouse has no file; land() needs one that open_warehouse() opened"
        raise ValueError(message)
    return Home(Path(row[0]).parent)


def _pairs(
    tables: Mapping[str, Iterable[Batch]] | Iterable[tuple[str, Batch]],
) -> Iterator[tuple[str, Batch]]:
    if isinstance(tables, Mapping):
        for name, batches in tables.items():
            for batch in batches:
                yield name, batch
    else:
        yield from tables


class _Warehouse(dlt.destinations.duckdb):
    """dlt's DuckDB destination, configured once.

    dlt asks for its capabilities thirty times a load and reads every source of configuration anew
    each time: more than half of what a small load costs.
    """

    @functools.cached_property
    def _own(self) -> DuckDbClientConfiguration:
        return self.configuration(self.spec(), accept_partial=True)

    def capabilities(
        self,
        config: DuckDbClientConfiguration | None = None,
        naming: NamingConvention | None = None,
    ) -> DestinationCapabilitiesContext:
        """What the warehouse can do."""
        return super().capabilities(config or self._own, naming)


def _resource(
    pairs: Iterable[tuple[str, Batch]],
    columns: Mapping[str, Columns],
    rows: dict[str, int],
) -> Any:  # noqa: ANN401 - dlt's resource is generic over what it yields
    schemas = {name: arrow_schema(declared) for name, declared in columns.items()}

    def batches() -> Iterator[object]:
        for name, batch in pairs:
            if batch.num_rows == 0:
                continue
            item = _conform(batch, schemas[name])
            if name in rows:
                yield dlt.mark.with_table_name(item, name)
            else:
                hints = dlt.mark.make_hints(
                    table_name=name, columns=_hints(columns[name]), write_disposition="append"
                )
                yield dlt.mark.with_hints(item, hints, create_table_variant=True)
            rows[name] = rows.get(name, 0) + batch.num_rows

    return dlt.resource(batches, name="records")


def _hints(columns: Columns) -> TTableSchemaColumns:
    return {name: cast("TColumnSchema", {"name": name, **spec}) for name, spec in columns.items()}


def _conform(batch: Batch, schema: pa.Schema) -> pa.Table:
    """The batch in the declared order and types; a column it lacks is null."""
    table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
    if unknown := sorted(set(table.column_names) - set(schema.names)):
        message = f"columns that are not declared: {', '.join(unknown)}"
        raise ValueError(message)
    arrays = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(arrays, schema=schema)


def _run(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    resource: Any,  # noqa: ANN401 - dlt's resource is generic over what it yields
    folder: Path,
) -> str:
    for key, value in _SETTINGS.items():
        dlt.config[key] = value
    pipeline = dlt.pipeline(
        pipeline_name=dataset,
        pipelines_dir=str(folder),
        destination=_Warehouse(connection, destination_name="duckdb"),
        dataset_name=dataset,
    )
    # what is loaded is a table in the warehouse; dlt's own state neither travels nor decides
    pipeline.config.restore_from_destination = False
    try:
        pipeline.extract(resource, schema=dlt.Schema(dataset), loader_file_format="parquet")
        pipeline.normalize()
        info = pipeline.load()
    finally:
        pipeline.deactivate()
    return str(info.loads_ids[0]) if info.loads_ids else ""


@contextmanager
def _bounded(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Bound the memory of a load, and let DuckDB write rows in any order: a third less work."""
    connection.execute("set global preserve_insertion_order = false")
    connection.execute(
        "set variable landing_memory = (select least(parse_formatted_bytes("
        "current_setting('memory_limit')), ?))",
        [MEMORY_BYTES],
    )
    connection.execute("set global memory_limit = (getvariable('landing_memory') || ' bytes')")
    try:
        yield
    finally:
        connection.execute("reset global preserve_insertion_order")
        connection.execute("reset global memory_limit")


@contextmanager
def _working_folder(home: Home) -> Iterator[Path]:
    """A folder for this load alone."""
    remove_leftovers(home)
    home.dlt.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = home.dlt / f"load-{uuid.uuid4().hex}"
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
