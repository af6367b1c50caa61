from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from warehouse.connection import open_warehouse
from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home

    Event = Callable[..., bytes]
    Select = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture
def inbox(tmp_path: Path, event: Event) -> Path:
    """Two files with the events a, b and b, c."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "1.jsonl").write_bytes(event("a") + event("b") + b"{}\n")
    (folder / "2.jsonl.gz").write_bytes(gzip.compress(event("b") + event("c")))
    return folder


def test_a_load_counts_what_is_new_what_came_before_and_what_is_refused(
    home: Home, inbox: Path, event: Event, select: Select
) -> None:
    report = load(home, "webhooks", [str(inbox)])
    assert (report.files, report.files_skipped) == (2, 0)
    assert (report.records, report.duplicates, report.loaded, report.quarantined) == (4, 1, 3, 1)
    (inbox / "3.jsonl").write_bytes(event("a") + event("d") + event("d"))
    report = load(home, "webhooks", [str(inbox)])
    assert (report.files, report.files_skipped) == (1, 2)
    assert (report.records, report.duplicates, report.loaded, report.quarantined) == (3, 2, 1, 0)
    # duplicates are landed: the marts hold each once
    assert select("select count(*) from raw_customerio.webhook_events") == [(7,)]
    assert select(
        "select files, records, duplicates, quarantined, complete_through "
        "from raw_customerio.feed_loads order by started_at"
    ) == [(2, 4, 1, 1, None), (1, 3, 2, 0, None)]
    assert select(
        "select feed, path, size_bytes > 0, records, quarantined "
        "from raw_customerio.loaded_files order by path"
    ) == [
        ("webhooks", str(inbox / "1.jsonl"), True, 2, 1),
        ("webhooks", str(inbox / "2.jsonl.gz"), True, 2, 0),
        ("webhooks", str(inbox / "3.jsonl"), True, 3, 0),
    ]


def test_one_load_has_one_id_in_all_its_tables(home: Home, inbox: Path, select: Select) -> None:
    load(home, "webhooks", [str(inbox)])
    ids = select(
        "select distinct _dlt_load_id from raw_customerio.webhook_events "
        "union select _dlt_load_id from raw_customerio.quarantine "
        "union select _dlt_load_id from raw_customerio.loaded_files "
        "union select _dlt_load_id from raw_customerio.feed_loads "
    )
    assert ids == select("select load_id from raw_customerio._dlt_loads where status = 0")
    assert len(ids) == 1


def test_a_file_is_loaded_once_and_again_when_it_changed(
    home: Home, inbox: Path, event: Event, select: Select
) -> None:
    load(home, "webhooks", [str(inbox)])
    report = load(home, "webhooks", [str(inbox)])
    assert (report.files, report.files_skipped, report.records) == (0, 2, 0)
    assert select("select count(*) from raw_customerio._dlt_loads") == [(1,)]
    with (inbox / "1.jsonl").open("ab") as file:
        file.write(event("e"))
    report = load(home, "webhooks", [str(inbox)])
    assert (report.files, report.records, report.duplicates) == (1, 3, 2)


def test_an_empty_warehouse_loads_everything_again(home: Home, inbox: Path) -> None:
    load(home, "webhooks", [str(inbox)])
    home.warehouse.unlink()
    report = load(home, "webhooks", [str(inbox)])
    assert (report.files, report.loaded) == (2, 3)


def test_a_load_that_never_completed_counts_for_nothing(
    home: Home, inbox: Path, select: Select
) -> None:
    load(home, "webhooks", [str(inbox)])
    with open_warehouse(home, purpose="undo") as connection:
        # as a load leaves it that is killed before its last statement
        connection.execute("delete from raw_customerio._dlt_loads")
    report = load(home, "webhooks", [str(inbox)])
    assert (report.files, report.records, report.duplicates) == (2, 4, 1)
    assert select("select count(*) from raw_customerio.webhook_events") == [(4,)]
    assert select("select count(*) from raw_customerio.loaded_files") == [(2,)]


def test_how_far_a_feed_is_whole_can_be_said_with_files_or_alone(
    home: Home, inbox: Path, select: Select
) -> None:
    auckland = timezone(timedelta(hours=13))
    load(home, "webhooks", [str(inbox)], complete_through=datetime(2026, 1, 1, 13, tzinfo=auckland))
    report = load(home, "webhooks", [str(inbox)], complete_through=datetime(2026, 1, 2, tzinfo=UTC))
    assert (report.files, report.files_skipped) == (0, 2)
    load(home, "webhooks", [], complete_through=datetime(2026, 1, 3))  # noqa: DTZ001 - means UTC
    assert select(
        "select complete_through::text, files from raw_customerio.feed_loads order by started_at"
    ) == [("2026-01-01 00:00:00", 2), ("2026-01-02 00:00:00", 0), ("2026-01-03 00:00:00", 0)]


def test_usage_errors_name_what_is_wrong(home: Home) -> None:
    feeds = "there is no feed clicks; there are webhooks, exports, orders"
    with pytest.raises(UsageError, match=feeds):
        load(home, "clicks", ["x"])
    with pytest.raises(UsageError, match="name files to load into orders"):
        load(home, "orders", [])
    with pytest.raises(UsageError, match="there is no file or folder nowhere"):
        load(home, "orders", ["nowhere"])


def test_a_file_that_vanishes_fails_the_load_and_nothing_counts(
    home: Home, inbox: Path, select: Select
) -> None:
    def vanish(message: str) -> None:
        if "1.jsonl" in message:
            (inbox / "2.jsonl.gz").unlink()

    with pytest.raises(CioError, match=r"cannot read .*2\.jsonl\.gz"):
        load(home, "webhooks", [str(inbox)], on_progress=vanish)
    assert select("select count(*) from raw_customerio.webhook_events") == [(0,)]
    assert load(home, "webhooks", [str(inbox / "1.jsonl")]).files == 1


def test_progress_names_each_file_as_it_is_done(home: Home, inbox: Path) -> None:
    told: list[str] = []
    load(home, "webhooks", [str(inbox)], on_progress=told.append)
    assert told == [
        f"webhooks: 2 records, {inbox}/1.jsonl done",
        f"webhooks: 4 records, {inbox}/2.jsonl.gz done",
    ]


def run_loaders(
    home: Home, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loaders", *arguments],
        env={**os.environ, "CIO_HOME": str(home.root), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_command_ends_with_counts_and_speaks_utc_in_any_zone(
    home: Home, inbox: Path, tmp_path: Path, select: Select
) -> None:
    result = run_loaders(home, "webhooks", str(inbox), TZ="Pacific/Auckland")
    assert result.stdout.splitlines() == [
        "webhooks: 3 loaded, 1 duplicate, 1 quarantined, from 2 files (0 loaded before)",
        "  quarantined 1: event_id is missing",
        "  they are in raw_customerio.quarantine, with source_file, source_line and original_bytes",
    ]
    orders = tmp_path / "orders.csv"
    orders.write_text("id,email,ordered_at,total_amount\n1,a@example.com,2026-01-01 10:00:00,5\n")
    result = run_loaders(
        home, "orders", str(orders), "--column", "order_id=id", "--json",
        "--complete-through", "2026-01-02", TZ="Pacific/Auckland",
    )  # fmt: skip
    assert json.loads(result.stdout) == {
        "feed": "orders",
        "files": 1,
        "files_skipped": 0,
        "records": 1,
        "loaded": 1,
        "duplicates": 0,
        "quarantined": 0,
        "reasons": {},
        "left_out": {},
        "erased": 0,
    }
    assert select("select distinct occurred_at::text from raw_customerio.webhook_events") == [
        ("2021-02-11 17:04:49",)
    ]
    assert select(
        "select ordered_at::text, complete_through::text, abs(epoch(started_at - "
        "timezone('UTC', now()))) < 600 from raw_commerce.orders cross join raw_commerce.feed_loads"
    ) == [("2026-01-01 10:00:00", "2026-01-02 00:00:00", True)]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["clicks", "x"], 2, "there is no feed clicks"),
        (["orders", "x.csv", "--column", "order_id"], 2, "write target=source"),
        (["orders", "--complete-through", "soon"], 2, "write it in ISO 8601"),
        (["orders", "nowhere.csv"], 2, "there is no file or folder nowhere.csv"),
    ],
)
def test_the_command_tells_a_mistake_without_a_traceback(
    home: Home, arguments: list[str], code: int, message: str
) -> None:
    result = run_loaders(home, *arguments)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_settings_that_are_not_toml_are_named_and_not_quoted(
    home: Home, inbox: Path, tmp_path: Path
) -> None:
    (tmp_path / ".dlt").mkdir()
    (tmp_path / ".dlt" / "secrets.toml").write_text('[reverse_etl.mixpanel]\nsecret = "s3cr3t\n')
    result = run_loaders(home, "webhooks", str(inbox))
    assert result.returncode == 2
    assert "secrets.toml is not valid TOML: see line 2" in result.stderr
    assert "s3cr3t" not in result.stderr + result.stdout
