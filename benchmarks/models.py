"""Measures the models at volume: a whole build, a small one after it, and the same SQL by itself.

    python benchmarks/models.py --events 1000000 --new 100000

The seeded world is loaded once and multiplied in SQL: every copy has people, deliveries and orders
of its own, so a person has as many messages as in the world. The newest events are kept back and
come as a second load. Three processes are measured, one after the other, with their processor time
and the most memory they held: the whole build, the build after the second load, and one DuckDB
session that runs the SQL the whole build compiled, in the same order, over the same rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "models.json"
AS_OF = datetime(2026, 9, 1, tzinfo=UTC)
NEW_LOAD = "9999999999.0"
SETTINGS = "settings.json"
NEXT_TO_NOTHING_SECONDS = 0.5

# What makes a copy something else, by table: whose ids each copy makes its own, and whose only
# other people's copies do. A table without ids of its own has one row a person, whatever they did.
OCCURRENCES = {
    "raw_customerio.webhook_events": (
        *("event_id", "delivery_id", "journey_id", "trigger_id", "trigger_event_id"),
    ),
    "raw_commerce.orders": ("order_id",),
    "raw_commerce.refunds": ("refund_id", "order_id"),
}
PEOPLE = {
    "raw_customerio.webhook_events": ("cio_id", "customer_id"),
    "raw_commerce.orders": ("customer_id", "cio_id"),
    "raw_people.people": ("customer_id", "cio_id", "phone"),
    "raw_people.merges": ("primary_cio_id", "secondary_cio_id"),
}
MAILBOXES = {
    "raw_customerio.webhook_events": ("email", "recipient"),
    "raw_commerce.orders": ("email",),
    "raw_people.people": ("email",),
}
TIMES = {
    "raw_customerio.webhook_events": ("occurred_at",),
    "raw_commerce.orders": ("ordered_at", "updated_at"),
    "raw_commerce.refunds": ("refunded_at",),
}
PERIOD_DAYS = 90
"""What the world covers, and by how much a copy of the same people's lies before the last."""


@dataclass(frozen=True)
class Cost:
    """What a process took."""

    seconds: float
    cpu_seconds: float
    peak_gib: float
    nodes: dict[str, float] = field(default_factory=dict)
    """Seconds by model or test; of the SQL alone, processor seconds."""


def main() -> None:
    """Run, print what takes longest, write the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--new", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1, help="of dbt, and of DuckDB")
    parser.add_argument("--memory", default="3GB", help="that DuckDB may take for its buffers")
    parser.add_argument(
        "--only-models", action="store_true", help="no data tests, and not the SQL by itself"
    )
    parser.add_argument(
        "--periods",
        type=int,
        default=1,
        help=f"of {PERIOD_DAYS} days in everybody's past",
    )
    parser.add_argument("--people", type=int, default=12_000, help="of the world that is copied")
    parser.add_argument("--loaded", type=Path, help="a warehouse that has the world already")
    parser.add_argument("--folder", type=Path, help="where to work; a temporary one by default")
    parser.add_argument("--statements", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.statements:
        run_statements(asked.statements)
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        document = measure(asked, Path(folder))
    known = json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else []
    runs = [run for run in known if size(run) != size(document)]
    runs = sorted([*runs, worth_keeping(document)], key=size)
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    RESULTS.write_text(json.dumps(machine | {"runs": runs}, indent=2) + "\n")
    say(table(document))


def size(run: dict[str, Any]) -> tuple[int, int]:
    """What tells one run from another: hundred thousands of events, and periods of history."""
    return run["events"] // 10**5, run.get("periods", 1)


def worth_keeping(document: dict[str, Any]) -> dict[str, Any]:
    """The same without models and tests that took next to nothing."""
    return {
        name: value
        | {"nodes": {n: s for n, s in value["nodes"].items() if s >= NEXT_TO_NOTHING_SECONDS}}
        if isinstance(value, dict)
        else value
        for name, value in document.items()
    }


def measure(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Seed, build, add and build again, and run the SQL alone."""
    home = folder / "home"
    home.mkdir()
    loaded = asked.loaded or load_world(folder / "world", asked.people)
    events = apart(seed, loaded, home / "warehouse.duckdb", asked.events, asked.new, asked.periods)
    say(f"{events:,} events; {asked.new:,} of them come later")
    write_profile(home, asked)
    build(home, "seed")
    alone = folder / "alone"
    alone.mkdir()
    (alone / SETTINGS).write_text(json.dumps(settings(asked)))
    shutil.copyfile(home / "warehouse.duckdb", alone / "warehouse.duckdb")
    start = build(home, "run", "--select", "stg_customerio__webhook_events")
    command = "run" if asked.only_models else "build"
    full = build(home, command)
    written = statements(home / "target", alone)
    apart(later, home / "warehouse.duckdb")
    added = build(home, command)
    document = {
        "events": events,
        "periods": asked.periods,
        "new": asked.new,
        "threads": asked.threads,
        "memory": asked.memory,
        "load_average": round(os.getloadavg()[0], 1),
        "command": command,
        "added_over_full": ratio(models_of(added), models_of(full)),
        "added_over_full_cpu": ratio(
            added.cpu_seconds - start.cpu_seconds, full.cpu_seconds - start.cpu_seconds
        ),
        "dbt_start": asdict(start),
        "full": asdict(full),
        "added": asdict(added),
    }
    if asked.only_models:
        return document
    sql = measured(
        [sys.executable, __file__, "--statements", str(written)], {}, alone / "session.log"
    )
    sql = Cost(sql.seconds, sql.cpu_seconds, sql.peak_gib, json.loads(times(alone).read_text()))
    return document | {
        "full_over_sql": ratio(full.seconds - start.seconds, sql.seconds),
        "full_over_sql_cpu": ratio(full.cpu_seconds - start.cpu_seconds, sql.cpu_seconds),
        "sql": asdict(sql),
    }


def models_of(cost: Cost) -> float:
    """Seconds that the models of a build took, without its tests and hooks."""
    return sum(seconds for name, seconds in cost.nodes.items() if name.startswith("model."))


def ratio(one: float, other: float) -> float:
    """How many times the other, to three digits."""
    return round(one / other, 3)


def apart(do: Callable[..., T], *given: object) -> T:
    """Do it in a process of its own: a child's peak counts what its parent held when it began."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(do, *given).result()


def load_world(folder: Path, people: int) -> Path:
    """Generate the world and load its feeds as any company would."""
    from fakes.population import WorldSettings, generate  # noqa: PLC0415 - slow; not for children
    from loaders.run import load  # noqa: PLC0415 - as above
    from warehouse.home import Home  # noqa: PLC0415 - as above

    world = generate(WorldSettings(people=people), folder).folder
    home = Home(folder / "home")
    home.make()
    load(home, "webhooks", [str(world / "webhooks")], complete_through=AS_OF)
    for feed in ("orders", "refunds", "people", "merges"):
        load(home, feed, [str(world / f"{feed}.csv")], complete_through=AS_OF)
    return home.warehouse


def seed(loaded: Path, warehouse: Path, events: int, new: int, periods: int) -> int:
    """Fill a warehouse with copies of a loaded world; the newest events wait in a table aside.

    Args:
        loaded: A warehouse that has the world.
        warehouse: Where to.
        events: At least so many.
        new: How many of them come later.
        periods: How often each person is there, each time a period earlier: many make a company
            with years behind it, one makes a company of many people.

    Returns:
        How many events there are, those that wait included.
    """
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "set memory_limit = '3GB'; set preserve_insertion_order = false; "
            "set enable_progress_bar = false"
        )
        connection.execute(f"attach '{loaded}' as world (read_only)")
        one = _count(connection, "world.raw_customerio.webhook_events")
        people = -(-events // (one * periods))
        for schema, name in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'world' "
            "and schema_name similar to 'raw_(customerio|commerce|people)'"
        ).fetchall():
            connection.execute(f"create schema if not exists {schema}")
            _copy(connection, f"{schema}.{name}", people, periods)
        connection.execute("detach world")
        raw = "raw_customerio.webhook_events"
        connection.execute(
            f"create table kept_back as from {raw} order by occurred_at desc, event_id limit {new}"
        )
        # at the instant of the last of them some more may come later
        connection.execute(
            f"delete from {raw} "  # noqa: S608 - a constant of ours
            "where event_id in (select event_id from kept_back)"
        )
        connection.execute("checkpoint")
        return _count(connection, raw) + _count(connection, "kept_back")


def _copy(connection: duckdb.DuckDBPyConnection, name: str, people: int, periods: int) -> None:
    own = [f"{c} || 'x' || person || 'x' || period as {c}" for c in OCCURRENCES.get(name, ())]
    shared = [f"{c} || 'x' || person as {c}" for c in PEOPLE.get(name, ())]
    shared += [f"'x' || person || '.' || {c} as {c}" for c in MAILBOXES.get(name, ())]
    times = [f"{c} - to_days({PERIOD_DAYS} * period::int) as {c}" for c in TIMES.get(name, ())]
    connection.execute(f"create table {name} as from world.{name} limit 0")
    if not own and not shared:
        connection.execute(f"insert into {name} from world.{name}")
        return
    # what was told first lies first, as it does where it was loaded when it was told
    ordered = f"order by {TIMES[name][0]}" if name in TIMES else ""
    for period in reversed(range(periods if own else 1)):
        connection.execute(
            f"insert into {name} "  # noqa: S608 - names of our own
            f"select * exclude (person, period) replace ({', '.join([*own, *shared, *times])}) "
            f"from world.{name}, range({people}) as copies(person), "
            f"(select {period} as period) {ordered}"
        )


def later(warehouse: Path) -> None:
    """The second load: the events that were kept back, under an id of their own."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "insert into raw_customerio.webhook_events "  # noqa: S608 - a constant of ours
            f"select * replace ('{NEW_LOAD}' as _dlt_load_id) from kept_back"
        )
        connection.execute(
            "insert into raw_customerio._dlt_loads "  # noqa: S608 - a constant of ours
            f"select * replace ('{NEW_LOAD}' as load_id) "
            "from raw_customerio._dlt_loads limit 1"
        )


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    row = connection.execute(f"select count(*) from {name}").fetchone()  # noqa: S608 - as above
    return int(row[0]) if row else 0


def settings(asked: argparse.Namespace) -> dict[str, Any]:
    """What DuckDB is told: what the project's profile says, and the limits."""
    profile = yaml.safe_load((ROOT / "profiles.yml").read_text())["customerio_warehouse"]
    told = profile["outputs"][profile["target"]]["settings"]
    return {**told, "threads": asked.threads, "memory_limit": asked.memory}


def write_profile(home: Path, asked: argparse.Namespace) -> None:
    """The project's profile with these settings; JSON is YAML."""
    output = {
        "type": "duckdb",
        "path": str(home / "warehouse.duckdb"),
        "threads": asked.threads,
        "settings": settings(asked),
    }
    profile = {"customerio_warehouse": {"target": "dev", "outputs": {"dev": output}}}
    (home / "profiles.yml").write_text(json.dumps(profile))


def build(home: Path, command: str, *arguments: str) -> Cost:
    """One command of dbt in a process of its own, as `cio build` runs it."""
    without = ("unit_test", "seed") if command == "build" else ()
    leave_out = [a for kind in without for a in ("--exclude-resource-type", kind)]
    cost = measured(
        [
            *(sys.executable, "-m", "cio.dbt_process", command),
            *("--project-dir", str(ROOT), "--profiles-dir", str(home)),
            *("--target-path", str(home / "target")),
            *("--vars", json.dumps({"as_of": AS_OF.isoformat()})),
            *(*leave_out, *arguments),
        ],
        {"CIO_HOME": str(home), "CIO_COMPANY": "fakes/company"},
        home / f"{command}.log",
    )
    results = json.loads((home / "target" / "run_results.json").read_text())["results"]
    nodes = {r["unique_id"]: round(r["execution_time"], 3) for r in results}
    say(
        f"{command} {' '.join(arguments)}: {cost.seconds:.1f} s, "
        f"{cost.cpu_seconds:.1f} s of CPU, {cost.peak_gib:.2f} GiB"
    )
    return Cost(cost.seconds, cost.cpu_seconds, cost.peak_gib, nodes)


def measured(command: list[str], environment: dict[str, str], log: Path) -> Cost:
    """Run a process to its end, and say what it took; what it writes goes to the log."""
    began = time.monotonic()
    with log.open("w") as written:
        process = subprocess.Popen(  # noqa: S603 - ours
            command, cwd=ROOT, env=os.environ | environment, stdout=written
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{' '.join(command[:3])} failed: {log.read_text()[-2000:]}"
        raise SystemExit(message)
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(round(seconds, 1), round(cpu, 1), round(usage.ru_maxrss / 2**20, 2))


def statements(target: Path, folder: Path) -> Path:
    """Write the SQL a whole build compiled, in the order it ran."""
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    results = json.loads((target / "run_results.json").read_text())["results"]
    ran = sorted(
        (r["timing"][-1]["started_at"], r["unique_id"], r["compiled_code"])
        for r in results
        if r["compiled_code"] and r["timing"] and r["unique_id"].startswith(("model.", "test."))
    )
    found = []
    for _, unique_id, code in ran:
        node = nodes[unique_id]
        kind = node["config"]["materialized"]
        if node["resource_type"] == "test":
            sql = f"select count(*) from ({code}\n)"  # noqa: S608 - dbt compiled it
        elif node["config"]["pre-hook"] and kind == "table":
            # its hook makes what it reads, and is not among what was compiled
            made = f"{node['schema']}.{node['alias']}"
            sql = f"create or replace table {made} as from built.{made}"
        else:
            made = "view" if kind == "view" else "table"
            sql = f"create or replace {made} {node['relation_name']} as (\n{code}\n)"
        schema = f'"{node["schema"]}"' if node["resource_type"] == "model" else ""
        found.append({"node": unique_id, "schema": schema, "sql": sql})
    path = folder / "statements.json"
    path.write_text(json.dumps(found))
    return path


def times(folder: Path) -> Path:
    """Where the session leaves what each statement took."""
    return folder / "times.json"


def run_statements(path: Path) -> None:
    """One DuckDB session that runs every statement; the child's part."""
    took = {}
    with duckdb.connect(str(path.parent / "warehouse.duckdb")) as connection:
        built = path.parent.parent / "home" / "warehouse.duckdb"
        connection.execute(f"attach '{built}' as built (read_only)")
        for name, value in json.loads((path.parent / SETTINGS).read_text()).items():
            connection.execute(f"set {name} = '{value}'")
        for statement in json.loads(path.read_text()):
            if statement["schema"]:
                connection.execute(f"create schema if not exists {statement['schema']}")
            began = time.process_time()
            connection.execute(statement["sql"]).fetchall()
            took[statement["node"]] = round(time.process_time() - began, 3)
    times(path.parent).write_text(json.dumps(took))


def table(document: dict[str, Any]) -> str:
    """The ratios, and the models and tests that take longest."""
    sql, full, added = (
        document.get(part, {}).get("nodes", {}) for part in ("sql", "full", "added")
    )
    lines = [f"{name}: {value}" for name, value in document.items() if "_over_" in name]
    lines.append(f"{'':60} CPU alone    full   added")
    lines += [
        f"{name.split('.', 2)[2][:58]:60} {sql.get(name, 0):9.2f} "
        f"{full[name]:7.2f} {added.get(name, 0):7.2f}"
        for name in sorted(full, key=lambda name: -full[name])[:30]
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
