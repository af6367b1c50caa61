# ruff: noqa: PLC0415 - each client is in an environment of its own
"""What a team would send the same rows with: the vendors' own clients, and drt.

Run by `sync.py`, each in an environment that has it:

    python benchmarks/sync_clients.py mixpanel message_events http://127.0.0.1:8801 FOLDER

In the folder are the rows as JSON lines (`rows.ndjson`) and the warehouse that they come from. Each
client sends requests as large as it can be told to. What it takes is bounded by what it keeps.

drt 1.2 sends to Mixpanel's own address alone, so the address is put in the place of that; its
`import_events` has no `strict`, so that what Mixpanel refuses is lost without a word, and its
`people_set` writes over a list where a membership is to be added, so members are not compared.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KEPT = 10_000
"""Rows that a client is given before it is told to send them all."""

_DRT = {
    "drt_project.yml": "name: benchmark\nversion: '0.1'\nprofile: local\n",
    "home/.drt/profiles.yml": "local:\n  type: duckdb\n  database: {warehouse}\n",
    "syncs/benchmark.yml": """
name: benchmark
model: |
  select
      customer_id, label as event_name, epoch_ms(occurred_at) as occurred_ms, record_key,
      payload->>'channel' as channel, payload->>'metric' as metric,
      payload->>'campaign_id' as campaign_id, payload->>'delivery_id' as delivery_id
  from outbound.outbound_rows
destination:
  type: mixpanel
  endpoint: import_events
  project_id: '1'
  service_account_username: fake-user
  service_account_secret: fake-mixpanel-secret
  distinct_id_field: customer_id
  event_name_field: event_name
  time_field: occurred_ms
  insert_id_field: record_key
sync:
  mode: full
  batch_size: 2000
  rate_limit: {{requests_per_second: 1000000}}
""",
}


def amplitude(_object: str, url: str, folder: Path) -> None:
    """Send events; there is no client for cohorts."""
    from amplitude import Amplitude, BaseEvent, Config

    settings = Config(server_url=f"{url}/batch", min_id_length=1, flush_queue_size=2_000)
    client = Amplitude("fake-amplitude-api-key", settings)
    for number, row in enumerate(_rows(folder), start=1):
        client.track(
            BaseEvent(
                row["label"],
                user_id=row["customer_id"],
                time=row["occurred_ms"],
                insert_id=row["record_key"],
                event_properties=row["payload"],
            )
        )
        if number % _KEPT == 0 and (sending := client.flush()) is not None:
            for future in sending:
                future.result()
    client.shutdown()


def mixpanel(object_name: str, url: str, folder: Path) -> None:
    """Send events, or memberships; fifty at a time is the most that it sends."""
    from mixpanel import BufferedConsumer, Mixpanel, ServiceAccountCredentials

    account = ServiceAccountCredentials("fake-user", "fake-mixpanel-secret", "1")
    consumer = BufferedConsumer(
        import_url=f"{url}/import", people_url=f"{url}/engage", credentials=account
    )
    client = Mixpanel("fake-mixpanel-token", consumer)
    for row in _rows(folder):
        if object_name == "message_events":
            properties = row["payload"] | {"$insert_id": row["record_key"]}
            seconds = row["occurred_ms"] // 1_000
            client.import_data(None, row["customer_id"], row["label"], seconds, properties)
        else:
            client.people_union(row["customer_id"], {"cio_audiences": [row["label"]]})
    consumer.flush()


def segment(object_name: str, url: str, folder: Path) -> None:
    """Send events, or memberships: two calls, as the sync sends them."""
    from segment.analytics.client import Client

    client = Client(
        "fakeSegmentWriteKey0123456789abc",
        host=url,
        max_queue_size=2 * _KEPT,
        upload_size=2_500,
        upload_interval=0.001,
    )
    for number, row in enumerate(_rows(folder), start=1):
        person, key = row["customer_id"], row["record_key"]
        if object_name == "message_events":
            instant = datetime.fromtimestamp(row["occurred_ms"] / 1_000, UTC)
            client.track(person, row["label"], row["payload"], timestamp=instant, message_id=key)
        else:
            client.identify(person, {"cio_clicked_0_7d": True}, message_id=f"{key}-i")
            traits = {"audience_key": "cio_clicked_0_7d", "cio_clicked_0_7d": True}
            more = {"audience_name": row["label"]}
            client.track(person, "Audience Entered", traits | more, message_id=f"{key}-t")
        if number % _KEPT == 0:
            client.flush()
    client.shutdown()


def drt(_object: str, url: str, folder: Path) -> None:
    """Run drt on the warehouse itself."""
    for name, text in _DRT.items():
        path = folder / "drt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.format(warehouse=folder / "home" / "warehouse.duckdb"))
    os.environ |= {"HOME": str(folder / "drt" / "home"), "DO_NOT_TRACK": "1"}
    os.chdir(folder / "drt")
    from drt.cli.main import app
    from drt.destinations import mixpanel as destination

    destination._MIXPANEL_HOSTS["default"] = url  # noqa: SLF001 - it has no setting for it
    app(["run"], standalone_mode=False)


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    with (folder / "rows.ndjson").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


WAYS: dict[str, Callable[[str, str, Path], None]] = {
    one.__name__: one for one in (amplitude, drt, mixpanel, segment)
}


if __name__ == "__main__":
    WAYS[sys.argv[1]](sys.argv[2], sys.argv[3], Path(sys.argv[4]))
