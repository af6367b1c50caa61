"""Measures loading: webhook lines into the raw table, beside what a team would use instead.

    python benchmarks/ingest.py --events 1000000 --rounds 3

The same file goes, in turn and each time into a warehouse of its own, through `cio load webhooks`,
through DuckDB's own reader into the same typed table (the limit), and through dlt fed with dicts
and parquet files. Each is a process of its own, measured to the end of its checkpoint; ratios are
of medians, by wall clock and by processor time, which other work on the machine changes least.

ingestr needs an environment of its own, for it pins much of what is here:

    python -m venv ~/ingestr && ~/ingestr/bin/pip install 'ingestr>=0.14,<0.15'
    python benchmarks/ingest.py --ingestr ~/ingestr/bin/ingestr

From 0.15 on it is another program, which fetches its DuckDB driver from outside the registry.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
import duckdb

from loaders.customerio.tables import TABLES, WEBHOOK_EVENTS
from loaders.customerio.webhooks import _SQL as TYPED  # the limit is to do the very same work
from loaders.run import load
from warehouse.home import Home
from warehouse.raw_tables import prepare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "ingest.json"

# Six events a delivery, three deliveries a person, every id different, one open in three a machine.
_LINES = """
copy (
    select
        md5('event' || n) as event_id,
        'email' as object_type,
        ['sent', 'delivered', 'opened', 'clicked', 'converted', 'drafted'][1 + n % 6] as metric,
        1767225600 + n // 6 as timestamp,
        {
            'action_id': 40 + n % 7,
            'campaign_id': n % 23,
            'customer_id': (n // 18)::varchar,
            'delivery_id': md5('delivery' || (n // 6)),
            'identifiers': {
                'id': (n // 18)::varchar,
                'email': 'person' || (n // 18) || '@example.com',
                'cio_id': 'c' || lpad((n // 18)::varchar, 9, '0')
            },
            'recipient': 'person' || (n // 18) || '@example.com',
            'subject': 'Your order ' || (n % 1000) || ' is on its way',
            'href': case when n % 6 = 3 then 'https://shop.example.com/p/' || (n % 5000) end,
            'link_id': case when n % 6 = 3 then n % 9 end,
            'prefetched': case when n % 6 = 2 then n % 3 = 0 end,
            'machine': case when n % 6 = 3 then n % 10 = 0 end
        } as data
    from range(?) as numbers(n)
) to '{path}' (format json)
"""


@dataclass(frozen=True)
class Measured:
    """One run of one competitor: seconds, and the peak of its resident memory in MB."""

    name: str
    wall: float
    cpu: float
    peak_mb: float
    rows: int


def by_loader(path: Path, folder: Path) -> int:
    """`cio load webhooks`, without starting the command."""
    home = Home(folder / "home")
    home.make()
    report = load(home, "webhooks", [str(path)])
    return report.records


def by_duckdb(path: Path, folder: Path) -> int:
    """DuckDB's reader, the same expressions, the same columns, one insert."""
    with duckdb.connect(folder / "warehouse.duckdb") as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        warehouse.execute("set preserve_insertion_order = false")
        prepare(warehouse, "raw_customerio", TABLES)
        warehouse.execute(
            "create temp view lines as "  # noqa: S608 - a path of our own
            "select row_number() over () as source_line, json::varchar as payload "
            f"from read_ndjson_objects('{path}')"
        )
        warehouse.execute(
            f"insert into raw_customerio.{WEBHOOK_EVENTS} by name "  # noqa: S608 - our own text
            f"select * exclude (reason) from ({TYPED}) where reason is null"
        )
        warehouse.execute("checkpoint")
        return _rows(warehouse, f"raw_customerio.{WEBHOOK_EVENTS}")


def by_dlt(path: Path, folder: Path) -> int:
    """Feed dlt with dicts, as its documentation shows, at its fastest: parquet files between."""

    def events() -> Iterator[dict[str, Any]]:
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)

    pipeline = dlt.pipeline(
        "ingest",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.duckdb(str(folder / "warehouse.duckdb")),
        dataset_name="raw",
    )
    resource = dlt.resource(events, name="events", max_table_nesting=0)
    pipeline.run(resource(), loader_file_format="parquet")
    with duckdb.connect(folder / "warehouse.duckdb") as warehouse:
        warehouse.execute("checkpoint")
        return _rows(warehouse, "raw.events")


WAYS: dict[str, Callable[[Path, Path], int]] = {
    "duckdb": by_duckdb,
    "loader": by_loader,
    "dlt_dicts": by_dlt,
}


INGESTR = "ingestr"


class _Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and tells nobody."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Say nothing."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """A folder over HTTP on loopback, the only way in which ingestr reads JSON lines from here."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def by_ingestr(executable: Path, path: Path) -> Measured:
    """Run ingestr as its documentation shows; the server it reads from is not counted."""
    with tempfile.TemporaryDirectory() as folder, _served(path.parent) as url:
        file = Path(folder) / "warehouse.duckdb"
        command = [
            *(str(executable), "ingest", "--yes", "--progress", "log"),
            *("--source-uri", f"{url}/{path.name}", "--source-table", "events#jsonl"),
            *("--dest-uri", f"duckdb:///{file}", "--dest-table", "raw.events"),
            *("--incremental-strategy", "append"),
        ]
        measured = _measured(INGESTR, command, {"INGESTR_DISABLE_TELEMETRY": "true"})
        with duckdb.connect(file, read_only=True) as warehouse:
            return replace(measured, rows=_rows(warehouse, "raw.events"))


def _rows(warehouse: duckdb.DuckDBPyConnection, table: str) -> int:
    row = warehouse.execute(f"select count(*) from {table}").fetchone()  # noqa: S608 - our own name
    return 0 if row is None else int(row[0])


def measure(name: str, path: Path) -> Measured:
    """Run one way in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--way", name, "--path", str(path), "--folder", folder]
        settings = {"PYTHONPATH": str(ROOT), "RUNTIME__DLTHUB_TELEMETRY": "false"}
        return _measured(name, command, settings)


def _measured(name: str, command: list[str], settings: dict[str, str]) -> Measured:
    started = time.perf_counter()
    child = subprocess.Popen(  # noqa: S603 - our own interpreter, or what the caller named
        command, stdout=subprocess.PIPE, cwd=ROOT, env=os.environ | settings
    )
    assert child.stdout is not None  # noqa: S101 - it was asked for
    printed = child.stdout.read().split()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    if status:
        message = f"{name} failed"
        raise SystemExit(message)
    cpu = usage.ru_utime + usage.ru_stime
    rows = int(printed[-1]) if printed and printed[-1].isdigit() else 0
    return Measured(name, round(wall, 2), round(cpu, 2), usage.ru_maxrss / 1024, rows)


def main() -> None:
    """Run every way in turn, print a table, write the results."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    arguments.add_argument("--ingestr", type=Path, help="ingestr's executable; without it, skipped")
    arguments.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    arguments.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.way:
        print(WAYS[asked.way](asked.path, asked.folder))  # noqa: T201 - read by the parent
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.jsonl"
        duckdb.execute(_LINES.replace("{path}", str(path)), [asked.events])
        runs = []
        for _ in range(asked.rounds):
            runs += [measure(way, path) for way in asked.ways]
            if asked.ingestr is not None:
                runs.append(by_ingestr(asked.ingestr.expanduser().absolute(), path))
    if asked.ingestr is None:
        print("ingestr: skipped, name its executable with --ingestr")  # noqa: T201 - said
    if any(run.rows != asked.events for run in runs):
        raise SystemExit("not every event arrived: " + repr(runs))
    document = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "events": asked.events,
        "ways": {
            way: summarise([run for run in runs if run.name == way])
            for way in dict.fromkeys(run.name for run in runs)
        },
        "runs": [asdict(run) for run in runs],
    }
    RESULTS.write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document["ways"], indent=2))  # noqa: T201 - the result


def summarise(runs: list[Measured]) -> dict[str, float]:
    """Medians of the runs of one way."""
    return {
        "wall": statistics.median(run.wall for run in runs),
        "cpu": statistics.median(run.cpu for run in runs),
        "peak_mb": round(max(run.peak_mb for run in runs)),
    }


if __name__ == "__main__":
    main()
