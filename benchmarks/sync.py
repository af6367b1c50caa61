"""Measures syncs: rows a second to each stand-in, and what a plan with nothing to do takes.

    python benchmarks/sync.py --rows 1000000

Each sync has a warehouse, a process and a stand-in of its own; the stand-in runs beside it and is
not counted in its processor time. A run is planned, delivered, journalled, landed and read back;
then the same sync is planned again, when every row is there already.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from reverse_etl.credentials import variable
from reverse_etl.run import Room, plan_syncs, run_syncs
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "sync.json"
CASES = [
    (destination, name)
    for destination in ("mixpanel", "segment", "amplitude")
    for name in ("message_events", "audience_members")
]

_BUILDS = """
create schema raw_dbt;
create table raw_dbt.builds as
select
    'benchmark' as build_id, now()::timestamp as started_at, now()::timestamp as finished_at,
    now()::timestamp as as_of, false as is_as_of_given, 'prod' as target, '' as schema_prefix,
    'build' as command, null::varchar as selection, true as is_whole, true as is_passed,
    1::bigint as models, 0::bigint as failures
"""
_OUTBOUND = """
create schema outbound;
create table outbound.outbound_rows as
select
    md5(n::varchar) as record_key,
    'person-' || n as person_id,
    'customer-' || n as customer_id,
    {label} as label,
    {occurred_at} as occurred_at,
    {payload} as payload,
    md5({label} || {payload}) as fingerprint
from range({rows}) as numbers(n)
"""
_EVENT = {
    "label": "'Email Link Clicked'",
    "occurred_at": "(now() - to_seconds(n % 86400))::timestamp",
    "payload": '\'{"channel":"email","metric":"clicked","campaign_id":"\' || n % 50 '
    "|| '\",\"delivery_id\":\"' || md5('d' || n) || '\"}'",
}
_MEMBER = {"label": "'CIO | Clicked | 0-7d'", "occurred_at": "null::timestamp", "payload": "'{}'"}


def main() -> None:
    """Measure every case, print the results and write them down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure)))  # noqa: T201 - read by the parent process
        return
    results = []
    for destination, name in CASES:
        results.append(run_case(destination, name, options.rows))
        print(json.dumps(results[-1]), flush=True)  # noqa: T201 - the result
        load = os.getloadavg()[0]
        body = {"cores": os.cpu_count(), "load": round(load, 1), "results": results}
        RESULTS.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


def run_case(destination: str, name: str, rows: int) -> dict[str, Any]:
    """Measure one sync against its stand-in, each in a process of its own.

    Args:
        destination: The vendor.
        name: The object.
        rows: How many rows are sent.

    Returns:
        Rows, seconds, processor time and memory.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    vendor = context.Process(target=serve_vendor, args=(destination, there), daemon=True)
    vendor.start()
    try:
        settings = here.recv()
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), destination, name, rows)
            environment = {variable(destination, key): text for key, text in settings.items()}
            said = subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, __file__, "--measure", folder],
                env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                check=True,
            )
        measured: dict[str, Any] = json.loads(said.stdout)
        return {"destination": destination, "object": name, "rows": rows} | measured
    finally:
        vendor.terminate()
        vendor.join()


def serve_vendor(destination: str, pipe: Connection) -> None:
    """Serve a stand-in until the process is ended; tells its settings when it is up."""
    from fakes.server import serve_in_thread  # noqa: PLC0415 - not in the measured process

    module = importlib.import_module(f"fakes.{destination}")
    with serve_in_thread(module.create_app()) as url:
        pipe.send(module.settings(url))
        pipe.poll(None)


def prepare(folder: Path, destination: str, name: str, rows: int) -> None:
    """Make a home with one passed build, and the manifest of its one sync."""
    home = Home(folder / "home")
    home.make()
    is_event = name == "message_events"
    with duckdb.connect(home.warehouse) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        warehouse.execute(_BUILDS)
        warehouse.execute(_OUTBOUND.format(rows=rows, **(_EVENT if is_event else _MEMBER)))
    sync = {
        "destination": destination,
        "object": name,
        "model": "outbound_rows",
        "use": "analyse",
        "mode": "append" if is_event else "mirror",
        "identity": "customer_id",
    }
    exposure = {"name": "benchmark", "config": {"meta": {"sync": sync}}}
    manifest = {"exposures": {"exposure.benchmark": exposure}}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def measure(folder: Path) -> dict[str, Any]:
    """Run the sync, then plan it again; this process is measured.

    Raises:
        SystemExit: Not every row was accepted, or the second plan has something to do.
    """
    room = Room(home=Home(folder / "home"), manifest=folder / "manifest.json")
    (run,), wall, cpu = timed(lambda: run_syncs(room))
    (plan,), again, again_cpu = timed(lambda: plan_syncs(room))
    if run.state != "done" or plan.changes:
        problem = f"{run.state}: {run.error}; {plan.changes} rows still planned"
        raise SystemExit(problem)
    return {
        "accepted": run.accepted,
        "rejected": run.rejected,
        "seconds": round(wall, 1),
        "core_seconds": round(cpu, 1),
        "rows_per_second": round(run.accepted / wall),
        "rows_per_core_second": round(run.accepted / cpu),
        "plan_again_seconds": round(again, 1),
        "plan_again_core_seconds": round(again_cpu, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def timed(call: Callable[[], list[Any]]) -> tuple[list[Any], float, float]:
    """What a call gives, the seconds it took, and the seconds of a core."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
