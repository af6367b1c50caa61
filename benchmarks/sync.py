"""Measures syncs: rows a second to each stand-in, beside what a team would send them with instead.

    python benchmarks/sync.py --rows 1000000

Each sync has a warehouse, a process and a stand-in of its own; the stand-in runs beside it and is
not counted in its processor time. A build is published, as `cio build` leaves it; then a run is
planned, delivered, journalled, landed and read back, and the same sync is planned again, when every
row is there already. Of an audience one row in a hundred is changed then, and it runs once more.

The same rows go to a fresh stand-in by the vendors' own clients, if `make vendors` has installed
them, and by drt, which needs an environment of its own:

    python -m venv ~/drt && ~/drt/bin/pip install 'drt-core[duckdb]==1.2.1'
    python benchmarks/sync.py --drt ~/drt/bin/python

They send all there is; a plan against what is there already, and an outcome of each row on disk,
are not in what they take. `--other-rows` is how many rows the clients get, for they take long.
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
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import httpx

from reverse_etl import landing, run
from reverse_etl.credentials import variable
from reverse_etl.run import Room, plan_syncs, run_syncs
from warehouse.connection import publish_if_free
from warehouse.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "sync.json"
CASES = [
    (destination, name)
    for destination in ("mixpanel", "segment", "amplitude")
    for name in ("message_events", "audience_members")
]

OTHERS = [
    *(("mixpanel", name, "mixpanel") for name in ("message_events", "audience_members")),
    *(("segment", name, "segment") for name in ("message_events", "audience_members")),
    ("amplitude", "message_events", "amplitude"),
    ("mixpanel", "message_events", "drt"),
]
VENDORS = ROOT / ".venv-vendors" / "bin" / "python"
ARRIVED = {"mixpanel": "counts", "segment": "calls", "amplitude": "events"}

_BUILDS = """
create schema if not exists raw_dbt;
create or replace table raw_dbt.builds as
select
    gen_random_uuid()::varchar as build_id, now()::timestamp as started_at,
    now()::timestamp as finished_at, now()::timestamp as as_of, false as is_as_of_given,
    'prod' as target, '' as schema_prefix, 'build' as command, null::varchar as selection,
    true as is_whole, true as is_passed,
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


# one row in a hundred: half of them are other people than before
_CHANGED = """
update outbound.outbound_rows
set customer_id = 'another-' || customer_id, person_id = 'another-' || person_id,
    record_key = md5('another' || record_key)
where hash(record_key) % 200 = 0
"""
_ROWS = """
copy (
    select
        record_key, customer_id, label, epoch_ms(occurred_at) as occurred_ms,
        payload::json as payload
    from outbound.outbound_rows
) to '{path}' (format json)
"""


def main() -> None:
    """Measure every case, print the results and write them down."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--other-rows", type=int, default=100_000)
    parser.add_argument("--drt", type=Path, help="the Python that has drt; without it, skipped")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure)))  # noqa: T201 - read by the parent process
        return
    pythons = {"drt": options.drt} | dict.fromkeys(ARRIVED, VENDORS)
    results: list[dict[str, Any]] = []
    for destination, name in CASES:
        results.append(run_case(destination, name, options.rows))
        keep(results)
    for destination, name, way in OTHERS:
        python = pythons[way]
        if python is None or not python.expanduser().exists():
            print(f"{way}: skipped, not installed")  # noqa: T201 - said
            continue
        rows = options.rows if way == "drt" else options.other_rows
        results.append(run_other(destination, name, way, rows, python.expanduser()))
        keep(results)


def keep(results: list[dict[str, Any]]) -> None:
    """Print the last result, and write all of them down."""
    results[-1]["load"] = round(os.getloadavg()[0], 1)
    print(json.dumps(results[-1]), flush=True)  # noqa: T201 - the result
    body = {"cores": os.cpu_count(), "results": results}
    RESULTS.write_text(json.dumps(body, indent=2) + "\n", encoding="utf-8")


@contextmanager
def vendor(destination: str) -> Iterator[dict[str, str]]:
    """A stand-in in a process of its own while the block runs, and the settings that lead there."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve_vendor, args=(destination, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def run_case(destination: str, name: str, rows: int) -> dict[str, Any]:
    """Measure one sync against its stand-in, each in a process of its own.

    Args:
        destination: The vendor.
        name: The object.
        rows: How many rows are sent.

    Returns:
        Rows, seconds, processor time and memory.
    """
    with vendor(destination) as settings, tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), destination, name, rows)
        environment = {variable(destination, key): text for key, text in settings.items()}
        said = subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, __file__, "--measure", folder],
            env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            check=True,
        )
    measured: dict[str, Any] = json.loads(said.stdout)
    return {"destination": destination, "object": name, "way": "cio sync", "rows": rows} | measured


def run_other(destination: str, name: str, way: str, rows: int, python: Path) -> dict[str, Any]:
    """Measure another way of sending the same rows to such a stand-in.

    Raises:
        SystemExit: It failed, or not every row arrived.
    """
    with vendor(destination) as settings, tempfile.TemporaryDirectory() as folder:
        home = prepare(Path(folder), destination, name, rows)
        with duckdb.connect(home.warehouse, read_only=True) as warehouse:
            warehouse.execute(_ROWS.format(path=f"{folder}/rows.ndjson"))
        url = settings["base_url"]
        command = [str(python), str(ROOT / "benchmarks" / "sync_clients.py"), way, name, url]
        started = time.perf_counter()
        child = subprocess.Popen([*command, folder], stdout=subprocess.DEVNULL)  # noqa: S603 - as the caller named it
        _, status, usage = os.wait4(child.pid, 0)
        wall, cpu = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
        found = httpx.get(
            f"{url}/_fake/{ARRIVED[destination]}", timeout=600, trust_env=False
        ).json()
    arrived = found["events"] or found["profiles"] if isinstance(found, dict) else len(found)
    calls = 2 if (destination, name) == ("segment", "audience_members") else 1
    if status or arrived != rows * calls:
        message = f"{way} ended with {status}, and {arrived} of {rows * calls} arrived"
        raise SystemExit(message)
    return {
        "destination": destination,
        "object": name,
        "way": "drt" if way == "drt" else "the vendor's client",
        "rows": rows,
        "seconds": round(wall, 1),
        "core_seconds": round(cpu, 1),
        "rows_per_second": round(rows / wall),
        "rows_per_core_second": round(rows / cpu),
    }


def serve_vendor(destination: str, pipe: Connection) -> None:
    """Serve a stand-in until the process is ended; tells its settings when it is up."""
    from fakes.server import serve_in_thread  # noqa: PLC0415 - not in the measured process

    module = importlib.import_module(f"fakes.{destination}")
    with serve_in_thread(module.create_app()) as url:
        pipe.send(module.settings(url))
        pipe.poll(None)


def prepare(folder: Path, destination: str, name: str, rows: int) -> Home:
    """Make a home with one build, passed and published, and the manifest of its one sync."""
    home = Home(folder / "home")
    home.make()
    is_event = name == "message_events"
    with duckdb.connect(home.warehouse) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        warehouse.execute(_BUILDS)
        warehouse.execute(_OUTBOUND.format(rows=rows, **(_EVENT if is_event else _MEMBER)))
    publish_if_free(home)
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
    return home


def measure(folder: Path) -> dict[str, Any]:
    """Run the sync, plan it again, and run it once more; this process is measured.

    Raises:
        SystemExit: Not every row was accepted, or the second plan has something to do.
    """
    room = Room(home=Home(folder / "home"), manifest=folder / "manifest.json")
    phases = {
        "plan": timing(run, "plan_sync"),
        "deliver": timing(run, "deliver"),
        "land": timing(landing, "land_journals"),
    }
    (first,), wall, cpu = timed(lambda: run_syncs(room))
    whole = {name: spent.copy() for name, spent in phases.items()}
    (plan,), _, again_cpu = timed(lambda: plan_syncs(room))
    if first.state != "done" or plan.changes:
        problem = f"{first.state}: {first.error}; {plan.changes} rows still planned"
        raise SystemExit(problem)
    measured = {
        "accepted": first.accepted,
        "rejected": first.rejected,
        "seconds": round(wall, 1),
        "core_seconds": round(cpu, 1),
        **{f"{name}_core_seconds": round(spent[1], 1) for name, spent in whole.items()},
        "rows_per_second": round(first.accepted / wall),
        "rows_per_core_second": round(first.accepted / cpu),
        "delivered_per_second": round(first.accepted / whole["deliver"][0]),
        "delivered_per_core_second": round(first.accepted / whole["deliver"][1]),
        "plan_again_core_seconds": round(again_cpu, 1),
    }
    if plan.mode == "mirror":
        with duckdb.connect(room.home.warehouse) as warehouse:
            warehouse.execute("set TimeZone = 'UTC'")
            warehouse.execute(_CHANGED)
            warehouse.execute(_BUILDS)
        publish_if_free(room.home)
        (second,), _, small_cpu = timed(lambda: run_syncs(room))
        if second.state != "done":
            raise SystemExit(str(second.error))
        measured |= {
            "changed": second.accepted,
            "changed_core_seconds": round(small_cpu, 1),
        }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return measured | {"peak_mb": peak}


def timing(module: Any, name: str) -> list[float]:  # noqa: ANN401 - any module
    """The seconds, and seconds of a core, that a function of a module takes from here on."""
    function, spent = getattr(module, name), [0.0, 0.0]

    def timed_function(*arguments: object, **options: object) -> object:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return function(*arguments, **options)
        finally:
            spent[0] += time.perf_counter() - wall
            spent[1] += time.process_time() - cpu

    setattr(module, name, timed_function)
    return spent


def timed(call: Callable[[], list[Any]]) -> tuple[list[Any], float, float]:
    """What a call gives, the seconds it took, and the seconds of a core."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    main()
