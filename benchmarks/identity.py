"""Resolves a million profiles: `python benchmarks/identity.py [--people N]`.

Profiles, addresses, orders of guests and merges are made in SQL and land in the raw tables of a
warehouse of its own; then the project's own identity models run once, in one dbt process. Of a
hundred profiles one shares its address with another, one has an id that another profile has, and
one was merged into another; three orders in ten come with an address alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from loaders.commerce import tables as commerce
from loaders.people import tables as people_tables
from warehouse.connection import open_warehouse
from warehouse.home import Home
from warehouse.raw_tables import prepare

ROOT = Path(__file__).resolve().parents[1]
IDENTITY = ("+int_profile_people",)

_PEOPLE = """
insert into raw_people.people (cio_id, customer_id, email, created_at, updated_at, payload,
    _dlt_load_id)
select
    'c' || lpad(n::varchar, 9, '0'),
    case when n % 100 = 7 then (n - 1)::varchar when n % 5 > 0 then n::varchar end,
    'Person.' || case when n % 100 = 3 then n - 1 else n end || '@example'
        || (n % 7) || '.com',
    timestamp '2025-01-01' + to_seconds(n),
    timestamp '2026-01-01' + to_seconds(n),
    n::varchar,
    'load-1'
from range(?) as numbers(n)
"""
_MERGES = """
insert into raw_people.merges (primary_cio_id, secondary_cio_id, merged_at, payload, _dlt_load_id)
select
    'c' || lpad(n::varchar, 9, '0'), 'c' || lpad((n - 1)::varchar, 9, '0'),
    timestamp '2026-01-01', n::varchar, 'load-1'
from range(9, ?, 100) as numbers(n)
"""
_GUESTS = """
insert into raw_commerce.orders (order_id, customer_id, email, ordered_at, total_amount, payload,
    _dlt_load_id)
select
    n::varchar,
    case when n % 10 >= 3 then (n * 7 % ?)::varchar end,
    'person.' || (n * 7 % ?) || '@example' || ((n * 7 % ?) % 7) || '.com',
    timestamp '2026-01-01' + to_seconds(n), 10, n::varchar, 'load-1'
from range(?) as numbers(n)
"""


def main() -> None:
    """Measure, and print the models' seconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    people = parser.parse_args().people
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        home.make()
        with open_warehouse(home, purpose="benchmark") as warehouse:
            for source in (people_tables, commerce):
                prepare(warehouse, source.DATASET, source.TABLES)
                warehouse.execute(
                    f"insert into {source.DATASET}._dlt_loads "  # noqa: S608 - declared names
                    "values ('load-1', 'benchmark', 0, now(), '')"
                )
            warehouse.execute(_PEOPLE, [people])
            warehouse.execute(_MERGES, [people])
            warehouse.execute(_GUESTS, [people] * 4)
        print(json.dumps(_run(home, people), indent=2))  # noqa: T201 - the result


def _run(home: Home, people: int) -> dict[str, object]:
    target = home.root / "target"
    subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "dbt.cli.main", "--quiet", "--log-level-file", "none", "run"),
            *("--select", *IDENTITY, "--target-path", str(target), "--threads", "2"),
        ],
        cwd=ROOT,
        env=os.environ
        | {"CIO_HOME": str(home.root), "CIO_COMPANY": "fakes/company", "PYTHONPATH": str(ROOT)},
        check=True,
    )
    results = json.loads((target / "run_results.json").read_text())["results"]
    seconds = {
        each["unique_id"].rpartition(".")[2]: round(each["execution_time"], 2) for each in results
    }
    with open_warehouse(home, purpose="benchmark") as warehouse:
        row = warehouse.execute(
            "select count(*), count(distinct person_id), count(*) filter (where not is_settled) "
            "from dev_intermediate.int_profile_people"
        ).fetchone()
    keys, persons, unsettled = row or (0, 0, 0)
    return {
        "profiles": people,
        "profile_keys": keys,
        "people": persons,
        "unsettled": unsettled,
        "seconds": round(sum(seconds.values()), 1),
        "slowest": dict(sorted(seconds.items(), key=lambda each: -each[1])[:8]),
    }


if __name__ == "__main__":
    main()
