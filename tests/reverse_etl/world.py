"""A small world for the engine's tests: a home, a build with outbound tables, a manifest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from reverse_etl.clock import Clock
from reverse_etl.settings import read_syncs
from reverse_etl.tables import DATASET, TABLES
from reverse_etl.targets import find_target
from warehouse.home import Home
from warehouse.raw_tables import prepare

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable
    from pathlib import Path

BUILD_COLUMNS = (
    "build_id varchar, started_at timestamp, finished_at timestamp, as_of timestamp, "
    "is_as_of_given boolean, target varchar, schema_prefix varchar, command varchar, "
    "selection varchar, is_whole boolean, is_passed boolean, models bigint, failures bigint"
)
OUTBOUND = pa.schema(
    [
        *(pa.field(n, pa.string()) for n in ("record_key", "person_id", "customer_id", "email")),
        *(pa.field(n, pa.string()) for n in ("cio_id", "label", "payload", "fingerprint")),
        *(pa.field(n, pa.string()) for n in ("metric", "audience", "profile_key")),
        *(pa.field(n, pa.string()) for n in ("meta_match_keys", "google_match_keys")),
        pa.field("occurred_at", pa.timestamp("us")),
    ]
)
NOW = datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def event(number: int, **values: object) -> dict[str, Any]:
    """A clicked message; `number` decides its key, person and time."""
    payload = values.pop("payload", json.dumps({"campaign_id": "7", "number": number}))
    label = values.pop("label", "Email Link Clicked")
    row = {
        "record_key": md5(f"event {number}"),
        "person_id": f"person-{number}",
        "customer_id": f"customer-{number}",
        "email": f"{number}@example.com",
        "cio_id": f"cio-{number}",
        "profile_key": f"id:customer-{number}",
        "label": label,
        "payload": payload,
        "fingerprint": md5(label + str(payload)),
        "metric": "clicked",
        "occurred_at": NOW - timedelta(hours=1) + timedelta(seconds=number % 1000),
    }
    return row | values


def member(number: int, audience: str = "clickers", **values: object) -> dict[str, Any]:
    """A member of an audience."""
    label = values.pop("label", f"CIO | {audience} | 0-7d")
    row = {
        "record_key": md5(f"person-{number}|{audience}"),
        "person_id": f"person-{number}",
        "customer_id": f"customer-{number}",
        "email": f"{number}@example.com",
        "cio_id": f"cio-{number}",
        "profile_key": f"id:customer-{number}",
        "label": label,
        "audience": audience,
        "payload": "{}",
        "fingerprint": md5(label),
    }
    return row | values


class FastClock:
    """A clock that sleeps without time passing; it remembers how long it slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.elapsed = 0.0

    def sleep(self, seconds: float, _halt: threading.Event) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds

    def clock(self) -> Clock:
        start = datetime.now(UTC).replace(tzinfo=None)
        return Clock(
            now=lambda: start + timedelta(seconds=self.elapsed),
            monotonic=lambda: self.elapsed,
            sleep=self.sleep,
            chance=lambda: 0.5,
        )


# who must not be reached, in a build where everybody may be
NOBODY_EXCLUDED = {
    "marts.person_consent": "select '' as person_id, false as is_opted_out where false",
    "marts.experiment_people": "select '' as person_id, false as is_held_out, '' as covers "
    "where false",
}


@dataclass
class World:
    """A home with builds, and the manifest that declares its syncs."""

    home: Home
    manifest: Path
    syncs: dict[str, dict[str, Any]] = field(default_factory=dict)
    builds: int = 0

    @classmethod
    def make(cls, folder: Path) -> World:
        home = Home(folder / "home")
        home.make()
        return cls(home, folder / "manifest.json")

    def declare(self, name: str, **config: object) -> None:
        """Declare a sync, as dbt's manifest would."""
        self.syncs[name] = config
        exposures = {
            f"exposure.customerio_warehouse.{name}": {
                "name": name,
                "original_file_path": f"syncs/{name}.yml",
                "owner": {"name": "Retention"},
                "config": {"meta": {"sync": config}},
            }
            for name, config in self.syncs.items()
        }
        self.manifest.write_text(json.dumps({"exposures": exposures}))

    def declare_events(self, name: str = "events", **config: object) -> None:
        self.declare(
            name,
            **{
                "destination": "mixpanel",
                "object": "message_events",
                "model": "outbound_events",
                "use": "analyse",
                "mode": "append",
                "identity": "customer_id",
            }
            | config,
        )

    def declare_members(self, name: str = "members", **config: object) -> None:
        self.declare(
            name,
            **{
                "destination": "mixpanel",
                "object": "audience_members",
                "model": "outbound_members",
                "use": "analyse",
                "mode": "mirror",
                "identity": "customer_id",
            }
            | config,
        )

    def build(
        self,
        *,
        target: str = "prod",
        as_of: datetime | None = None,
        tables: dict[str, str] | None = None,
        **outbound: Iterable[dict[str, Any]],
    ) -> None:
        """Make a build with these outbound rows: `events=[…]`; `tables` are SQL by name."""
        self.builds += 1
        prefix = "" if target == "prod" else f"{target}_"
        with duckdb.connect(self.home.warehouse) as connection:
            connection.execute(f"create schema if not exists {prefix}outbound")
            for name, rows in outbound.items():
                table = pa.Table.from_pylist(list(rows), schema=OUTBOUND)
                connection.register("rows_", table)
                connection.execute(
                    f"create or replace table {prefix}outbound.outbound_{name} as from rows_"
                )
                connection.unregister("rows_")
            for name, query in (NOBODY_EXCLUDED | (tables or {})).items():
                schema = prefix + name.split(".")[0]
                connection.execute(f"create schema if not exists {schema}")
                connection.execute(f"create or replace table {prefix}{name} as {query}")
            connection.execute("create schema if not exists raw_dbt")
            connection.execute(f"create table if not exists raw_dbt.builds ({BUILD_COLUMNS})")
            started = datetime.now(UTC).replace(tzinfo=None)
            connection.execute(
                "insert into raw_dbt.builds values "
                "(?, ?, ?, ?, ?, ?, ?, 'build', null, true, true, 1, 0)",
                [
                    f"build-{self.builds}",
                    started,
                    started,
                    as_of or started,
                    as_of is not None,
                    target,
                    prefix,
                ],
            )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.home.warehouse) as connection:
            return connection.execute(sql).fetchall()

    def receive(self, sync: str, run_id: str, *receipts: dict[str, Any]) -> None:
        """Land receipts of a run by hand, as if it had sent to where the sync now points.

        A receipt is `{"row": <outbound row>, "operation": …, "outcome": …}`.
        """
        (declared,) = read_syncs(self.manifest, select=[sync])
        with duckdb.connect(self.home.warehouse) as connection:
            prepare(connection, DATASET, TABLES)
            connection.execute(
                "insert into raw_reverse_etl._dlt_loads values (?, ?, 0, now(), 'x')",
                [run_id, DATASET],
            )
            for receipt in receipts:
                row = receipt["row"]
                connection.execute(
                    "insert into raw_reverse_etl.receipts by name select ? as sync, ? as run_id, "
                    "? as record_key, ? as operation, ? as identifier, ? as label, "
                    "? as fingerprint, ? as outcome, ? as person_id, ? as _dlt_load_id",
                    [
                        sync,
                        run_id,
                        row["record_key"],
                        receipt["operation"],
                        row[declared.identity],
                        row["label"],
                        row["fingerprint"],
                        receipt.get("outcome", "accepted"),
                        row["person_id"],
                        run_id,
                    ],
                )
            connection.execute(
                "insert into raw_reverse_etl.runs by name select ? as sync, ? as run_id, "
                "? as settings_fingerprint, 1 as accepted, 0 as unknown, ? as _dlt_load_id",
                [sync, run_id, find_target(declared).fingerprint(declared), run_id],
            )
