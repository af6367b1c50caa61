"""Files have no requests to fail, so that what every destination must do is tested here."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow.parquet as pq
import pytest

from reverse_etl.clock import Clock
from reverse_etl.contract import Denied, Later, Refused, Stop, Taken
from reverse_etl.destinations.file_formats import COLUMNS
from reverse_etl.destinations.file_store import attempt
from reverse_etl.destinations.files import FILES, FilesSettings, RowOptions
from reverse_etl.http import Http, is_loopback
from reverse_etl.run import run_syncs
from warehouse.errors import UsageError

from ..world import World, event, member  # noqa: TID252 - the world of the folder above
from .changes import NOW, ROW, changes_like

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reverse_etl.contract import Channel
    from reverse_etl.run import Room


change = changes_like(
    ROW,
    label='CIO | "Grüße", 東京 | 0-3d',
)


@pytest.fixture
def http() -> Iterator[Http]:
    with Http("file:///nowhere", clock=Clock(now=lambda: NOW)) as http:
        yield http


def rows(http: Http, url: str, **options: str) -> Channel:
    given = RowOptions(**({"path": "lists/buyers"} | options))
    return FILES.objects["rows"].open(FilesSettings(url), given, http)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, whatever it is."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


EXPECTED = {
    "ndjson": ("2026-01-15T10:20:30.000Z", {"plan": None, "visits": 0}, None),
    "csv": ("2026-01-15T10:20:30.000Z", '{"plan":null,"visits":0}', ""),
    "parquet": (datetime(2026, 1, 15, 10, 20, 30), '{"plan":null,"visits":0}', None),  # noqa: DTZ001 - naive UTC
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_format_holds_the_rows_and_a_manifest_says_what_is_in_it(
    http: Http, tmp_path: Path, kind: str
) -> None:
    channel = rows(http, tmp_path.as_uri(), format=kind)
    changes = [change(), change(record_key="k2", operation="remove", occurred_ms=None)]
    assert channel.send(channel.route(changes[0]), [channel.encode(c) for c in changes]) == Taken()
    (file,) = (tmp_path / "lists" / "buyers").glob(f"*.{kind}")
    (manifest,) = (tmp_path / "lists" / "buyers").glob("*.json")
    instant, payload, nothing = EXPECTED[kind]
    first, second = read(file)
    assert first == {
        "operation": "add",
        "record_key": "k1",
        "identifier": "customer-1",
        "label": 'CIO | "Grüße", 東京 | 0-3d',
        "occurred_at": instant,
        "payload": payload,
        "fingerprint": "f",
    }
    assert (second["operation"], second["occurred_at"]) == ("remove", nothing)
    assert json.loads(manifest.read_bytes()) == {
        "file": file.name,
        "format": kind,
        "rows": 2,
        "bytes": file.stat().st_size,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "columns": list(COLUMNS),
        "run_started_at": "20260301T120000000Z",
    }


def test_a_batch_tried_again_replaces_its_file_and_files_sort_as_they_were_sent(
    http: Http, tmp_path: Path
) -> None:
    channel = rows(http, tmp_path.as_uri())
    batches = [[channel.encode(change(record_key=f"k{n}"))] for n in range(3)]
    for batch in (*batches, batches[1]):
        assert channel.send("x", batch) == Taken()
    found = sorted((tmp_path / "x").glob("*.ndjson"))
    assert [read(file)[0]["record_key"] for file in found] == ["k0", "k1", "k2"]


def test_any_store_that_fsspec_knows_will_do(http: Http) -> None:
    channel = rows(http, "memory://exports")
    assert channel.send("x", [channel.encode(change())]) == Taken()
    memory = fsspec.filesystem("memory")
    names = [path.rpartition(".")[2] for path in sorted(memory.ls("/exports/x", detail=False))]
    assert names == ["ndjson", "json"]
    with http:
        assert FILES.check(FilesSettings("memory://exports"), http).is_ok


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError("secret"), Denied),
        (FileNotFoundError("secret"), Later),
        (RuntimeError("secret"), Later),
        (ImportError("secret", name="s3fs"), Stop),
        (ValueError("Protocol not known: secret"), Stop),
    ],
)
def test_what_a_store_refuses_is_told_without_its_words(error: Exception, kind: type) -> None:
    def act(*_store: object) -> None:
        raise error

    reply = attempt("memory://x", act)
    assert isinstance(reply, kind)
    assert "secret" not in repr(reply)


def test_a_store_nobody_knows_stops_the_sync(http: Http) -> None:
    channel = rows(http, "nosuch://bucket/folder")
    assert isinstance(channel.send("x", [channel.encode(change())]), Stop)
    assert not FILES.check(FilesSettings("nosuch://bucket"), http).is_ok


def test_settings_tell_what_is_wrong(http: Http) -> None:
    assert FilesSettings().missing("rows") == ("base_url",)
    for given, words in (({"path": ""}, "path"), ({"path": "a/../b"}, "path")):
        with pytest.raises(UsageError, match=words):
            RowOptions(**given)
    with pytest.raises(UsageError, match="allowed: ndjson, csv, parquet"):
        RowOptions(path="x", format="xlsx")
    with pytest.raises(UsageError, match="file:///"):
        FilesSettings("exports")
    with pytest.raises(Refused):
        rows(http, "memory://x").encode(change(payload="[]"))


def test_files_of_this_machine_are_loopback_and_a_bucket_is_not() -> None:
    assert is_loopback("file:///srv/exports")
    assert not is_loopback("s3://localhost.example/x")
    assert not is_loopback("exports")


@pytest.mark.slow
def test_a_run_writes_what_entered_and_what_left(
    world: World, room: Callable[..., Room], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REVERSE_ETL__FILES__BASE_URL", (tmp_path / "out").as_uri())
    common = {"destination": "files", "object": "rows"}
    world.declare_events(**common, settings={"path": "events", "format": "parquet"})
    world.declare_members(**common, settings={"path": "members"})
    world.build(events=[event(n) for n in range(9)], members=[member(n) for n in range(5)])
    assert [(run.state, run.accepted) for run in run_syncs(room())] == [("done", 9), ("done", 5)]
    world.build(events=[event(n) for n in range(9)], members=[member(n) for n in range(3, 7)])
    assert [(run.state, run.accepted) for run in run_syncs(room())] == [("done", 0), ("done", 5)]

    kept: dict[str, str] = {}
    for file in sorted((tmp_path / "out" / "members").glob("*.ndjson")):
        for row in read(file):
            kept[row["record_key"]] = row["operation"]
    members = {member(n)["record_key"] for n in range(3, 7)}
    assert {key for key, operation in kept.items() if operation == "add"} == members
    (events,) = (tmp_path / "out" / "events").glob("*.parquet")
    assert {row["record_key"] for row in read(events)} == {event(n)["record_key"] for n in range(9)}
