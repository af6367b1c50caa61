"""From the spool into the warehouse, and on into the archive."""

from __future__ import annotations

import gzip
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from loaders.receiver import archive, loading
from loaders.receiver.archive import archive_folder
from loaders.receiver.envelope import to_line
from loaders.receiver.loading import load_feed, load_spool
from loaders.receiver.spool import Limits, Spool, spool_folder
from warehouse.errors import CioError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home

    Select = Callable[[str], list[tuple[Any, ...]]]

LOADED = "select event_id from raw_customerio.webhook_events order by event_id"


@pytest.fixture
def fill(home: Home, event: Callable[..., bytes]) -> Callable[..., Path]:
    """Put events into a finished file of the spool."""

    def make(*event_ids: str) -> Path:
        spool = Spool(spool_folder(home), worker=0, limits=Limits())
        spool.append([event(event_id) for event_id in event_ids])
        before = set(spool_folder(home).glob("*.jsonl"))
        spool.finish()
        (path,) = set(spool_folder(home).glob("*.jsonl")) - before
        return path

    return make


def test_a_load_without_files_takes_the_spool_and_packs_it_away(
    home: Home, fill: Callable[..., Path], select: Select
) -> None:
    path = fill("a", "b")
    content = path.read_bytes()
    report = load_feed(home, "webhooks", [])
    assert (report.loaded, report.files) == (2, 1)
    assert select(LOADED) == [("a",), ("b",)]
    day = f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}"
    packed = archive_folder(home) / day / f"{path.name}.gz"
    assert gzip.decompress(packed.read_bytes()) == content
    assert packed.stat().st_mode & 0o777 == 0o600
    assert list(spool_folder(home).iterdir()) == []


def test_with_an_empty_spool_there_is_nothing_to_do(home: Home) -> None:
    report = load_spool(home)
    assert (report.files, report.records) == (0, 0)


def test_named_files_are_loaded_and_left_where_they_are(
    home: Home, fill: Callable[..., Path], select: Select
) -> None:
    path = fill("a")
    load_feed(home, "webhooks", [str(path)])
    assert path.exists()
    assert select(LOADED) == [("a",)]


def test_other_feeds_still_need_a_file(home: Home) -> None:
    with pytest.raises(UsageError, match="name files to load into orders"):
        load_feed(home, "orders", [])


def test_a_crash_between_load_and_archive_loads_nothing_twice(
    home: Home,
    fill: Callable[..., Path],
    select: Select,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = fill("a")

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loading, "archive", crash)
        with pytest.raises(KeyboardInterrupt):
            load_spool(home)
    assert path.exists()
    fill("b")
    report = load_spool(home)
    assert (report.files, report.files_skipped, report.duplicates) == (1, 1, 0)
    assert select(LOADED) == [("a",), ("b",)]
    assert not path.exists()


def test_a_crash_while_packing_leaves_the_file_to_be_packed_again(
    home: Home, fill: Callable[..., Path], select: Select, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fill("a")
    content = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28), "a.gz")

    with monkeypatch.context() as patch:
        patch.setattr(archive.shutil, "copyfileobj", fail)
        with pytest.raises(CioError, match="loaded, but"):
            load_spool(home)
    assert path.read_bytes() == content
    assert load_spool(home).files == 0
    (packed,) = archive_folder(home).rglob("*.gz")
    assert gzip.decompress(packed.read_bytes()) == content
    assert select(LOADED) == [("a",)]


def test_a_load_that_fails_packs_nothing(
    home: Home, fill: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fill("a")

    def fail(*_: object, **__: object) -> None:
        message = "no"
        raise CioError(message)

    monkeypatch.setattr(loading, "load", fail)
    with pytest.raises(CioError, match="no"):
        load_spool(home)
    assert path.exists()


def test_what_a_killed_receiver_left_open_is_loaded_too(
    home: Home, event: Callable[..., bytes], select: Select
) -> None:
    leftover = spool_folder(home) / "20260101T000000.000000Z-0-1.jsonl.open"
    leftover.write_bytes(event("a") + event("b")[:-1] + b"\n" + event("torn")[:40])
    report = load_spool(home)
    assert (report.loaded, report.quarantined) == (2, 1)
    assert select(LOADED) == [("a",), ("b",)]


def test_the_vendor_sends_an_event_again_and_it_counts_once(
    home: Home, fill: Callable[..., Path]
) -> None:
    fill("a")
    load_spool(home)
    fill("a", "b")
    report = load_spool(home)
    assert (report.loaded, report.duplicates) == (1, 1)


def test_bodies_that_are_no_events_come_out_of_their_envelopes(home: Home, select: Select) -> None:
    spool = Spool(spool_folder(home), worker=0, limits=Limits())
    spool.append([to_line(b""), to_line(b"[1,\n2]"), to_line(b"{oops}")])
    spool.finish()
    assert load_spool(home).quarantined == 3
    rows = select("select reason, original_bytes from raw_customerio.quarantine order by 1")
    assert rows == [
        ("not a JSON object", b"[1,\n2]"),
        ("not valid JSON", b"{oops}"),
        ("the body is empty", b""),
    ]


def test_packed_files_are_removed_after_their_days(
    home: Home, fill: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOADERS__CUSTOMERIO__WEBHOOK_ARCHIVE_DAYS", "7")
    fill("a")
    load_spool(home)
    (old,) = archive_folder(home).rglob("*.gz")
    os.utime(old, (time.time() - 8 * 86_400,) * 2)
    fill("b")
    load_spool(home)
    (kept,) = archive_folder(home).rglob("*.gz")
    assert kept != old
    monkeypatch.setenv("LOADERS__CUSTOMERIO__WEBHOOK_ARCHIVE_DAYS", "0")
    load_spool(home)
    assert list(archive_folder(home).iterdir()) == []


def test_days_that_are_no_number_are_refused_before_anything_is_loaded(
    home: Home, fill: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOADERS__CUSTOMERIO__WEBHOOK_ARCHIVE_DAYS", "a month")
    path = fill("a")
    with pytest.raises(UsageError, match="webhook_archive_days"):
        load_spool(home)
    assert path.exists()
    assert not home.warehouse.exists()
