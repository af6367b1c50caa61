"""Parquet files of the Data Warehouse exports, in both generations, whole and broken."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import fsspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from loaders.customerio.export_tables import EXPORT_TABLES
from loaders.customerio.exports import ExportName, read_name
from loaders.run import load
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home

    Select = Callable[[str], list[tuple[object, ...]]]

AT = datetime(2026, 8, 1, 12, 0, 0, tzinfo=UTC)


def write(folder: Path, kind: str, sequence: int, *, generation: int = 4, **columns: Any) -> Path:  # noqa: ANN401 - whatever Arrow takes
    folder.mkdir(exist_ok=True)
    path = folder / f"{kind}_v{generation}_111528_{sequence:018}.parquet"
    parquet.write_table(pa.table(columns), path)
    return path


def deliveries(*ids: str | None, seq_num: int = 1) -> dict[str, Any]:
    return {
        "workspace_id": [111528] * len(ids),
        "delivery_id": list(ids),
        "internal_customer_id": ["d9c1"] * len(ids),
        "delivery_type": ["email"] * len(ids),
        "campaign_id": [11] * len(ids),
        "created_at": [AT] * len(ids),
        "seq_num": [seq_num] * len(ids),
    }


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (
            "s3://bucket/x/attributes_v4_111528_241600000000311123.parquet",
            ExportName("attributes", 4, "111528", 241600000000311123),
        ),
        ("delivery_content_v5_1_2.parquet", ExportName("delivery_content", 5, "1", 2)),
        ("/a/delivery_contents_v4_1_2.parquet", ExportName("delivery_content", 4, "1", 2)),
        (
            "https://host/deliveries_v4_1_3.parquet?X-Amz-Signature=abc",
            ExportName("deliveries", 4, "1", 3),
        ),
        ("deliveries.parquet", None),
        ("deliveries_v4_1_2.csv", None),
        ("deliveries_v4_1_2.parquet.tmp", None),
    ],
)
def test_a_name_says_kind_schema_workspace_and_sequence(path: str, name: ExportName | None) -> None:
    assert read_name(path) == name


def test_a_file_of_the_first_generation_lacks_columns_and_one_of_a_later_has_more(
    home: Home, tmp_path: Path, select: Select
) -> None:
    folder = tmp_path / "bucket"
    old = {
        "event_id": ["e1"],
        "delivery_id": ["d1"],
        "metric": ["clicked"],
        "created_at": [AT],
        "link_id": pa.array([7.0], pa.float64()),
    }
    new = {
        **old,
        "event_id": ["e2"],
        "workspace_id": ["9"],
        "machine": [True],
        "sparkle": ["yes"],
        "seq_num": ["many"],
        "created_at": [1_785_585_600],
    }
    write(folder, "metrics", 1, **old)
    write(folder, "metrics", 2, generation=5, **new)
    load(home, "exports", [str(folder)])
    assert select(
        "select event_id, workspace_id, created_at, link_id, machine, seq_num, extra::json, "
        "schema_version, file_sequence, source_row from raw_customerio.export_metrics order by 1"
    ) == [
        ("e1", "111528", AT.replace(tzinfo=None), "7", None, None, None, 4, 1, 1),
        (
            *("e2", "9", AT.replace(tzinfo=None), "7", True, None),
            *('{"sparkle":"yes","seq_num":"many"}', 5, 2, 1),
        ),
    ]


def test_every_kind_of_file_lands_in_its_table(home: Home, tmp_path: Path, select: Select) -> None:
    for number, (kind, table) in enumerate(EXPORT_TABLES.items()):
        columns: dict[str, Any] = {}
        for column, source in table.sources.items():
            kept = table.columns[column]["data_type"]
            values = {"timestamp": AT, "bool": True, "bigint": 5, "text": column}
            columns[source] = [values[kept]]
        if "topic_names" in columns:
            columns["topic_names"] = [["News", "Deals"]]
        write(tmp_path / "all", kind, number, **columns)
    report = load(home, "exports", [str(tmp_path / "all" / "*.parquet")])
    assert (report.loaded, report.quarantined, report.left_out) == (len(EXPORT_TABLES), 0, {})
    for table in EXPORT_TABLES.values():
        (row,) = select(
            f"select {', '.join(table.sources)}, extra from raw_customerio.{table.name}"
        )
        assert None not in row[:-1]
        assert row[-1] is None
    assert select("select topic_names from raw_customerio.export_campaigns") == [
        ('["News","Deals"]',)
    ]
    assert select("select from_address, object_type from raw_customerio.export_delivery_content")


def test_files_are_read_by_sequence_and_once_and_versions_are_kept(
    home: Home, tmp_path: Path, select: Select
) -> None:
    said: list[str] = []
    folder = tmp_path / "bucket"
    write(folder, "deliveries", 30, **deliveries("d1", seq_num=3))
    write(folder, "deliveries", 4, generation=5, **deliveries("d1", "d2", seq_num=2))
    write(folder, "deliveries", 4_000, **deliveries("d1", seq_num=3))
    first = load(home, "exports", [str(folder)], on_progress=said.append)
    assert (first.files, first.records, first.duplicates) == (3, 4, 1)
    order = [sentence.split("_")[-1] for sentence in said if sentence.endswith("done")]
    assert [int(name.partition(".")[0]) for name in order] == [4, 30, 4000]
    again = load(home, "exports", [str(folder)])
    assert (again.files, again.files_skipped, again.records) == (0, 3, 0)
    assert select("select count(*), count(distinct seq_num) from raw_customerio.export_deliveries")[
        0
    ] == (4, 2)


def test_what_is_no_file_of_a_known_kind_is_named_and_looked_at_again(
    home: Home, tmp_path: Path
) -> None:
    folder = tmp_path / "bucket"
    write(folder, "deliveries", 1, **deliveries("d1"))
    write(folder, "holograms", 1, **deliveries("d1"))
    (folder / "report.parquet").write_bytes(b"PAR1")
    for loaded in (1, 0):
        report = load(home, "exports", [str(folder)])
        assert report.loaded == loaded
        assert report.left_out == {
            "holograms is no kind of file known here: holograms_v4_111528_000000000000000001."
            "parquet": 1,
            "not named <kind>_v<schema>_<workspace>_<sequence>.parquet: report.parquet": 1,
        }


def test_a_broken_file_is_quarantined_by_name_and_the_others_are_read(
    home: Home, tmp_path: Path, select: Select
) -> None:
    folder = tmp_path / "bucket"
    whole = write(folder, "deliveries", 1, **deliveries("d1", None, "d3"))
    (folder / "people_v4_1_2.parquet").write_bytes(b"<Error>AccessDenied</Error>")
    (folder / "outputs_v4_1_3.parquet").write_bytes(whole.read_bytes()[:-20])
    (folder / "subjects_v4_1_4.parquet").write_bytes(b"")
    write(folder, "metrics", 5, event_id=["e"], delivery_id=["d"])
    report = load(home, "exports", [str(folder)])
    assert (report.loaded, report.quarantined) == (2, 5)
    found = select(
        "select split_part(parse_filename(source_file), '_', 1), reason, source_line, "
        "decode(original_bytes) from raw_customerio.quarantine "
        "where reason not like 'not a parquet%' order by 1"
    )
    assert [row[:3] for row in found] == [
        ("deliveries", "delivery_id is missing", 2),
        ("metrics", "a file of metrics without the column metric", 1),
    ]
    assert json.loads(str(found[0][3]))["internal_customer_id"] == "d9c1"
    assert select(
        "select split_part(parse_filename(source_file), '_', 1) from raw_customerio.quarantine "
        "where reason like 'not a parquet file%' order by 1"
    ) == [("outputs",), ("people",), ("subjects",)]


def test_a_file_that_is_damaged_inside_is_read_as_far_as_it_goes(
    home: Home, tmp_path: Path, select: Select
) -> None:
    path = tmp_path / "deliveries_v4_1_1.parquet"
    rows = pa.table(deliveries(*(f"d{number}" for number in range(200_000))))
    parquet.write_table(rows, path, row_group_size=50_000, compression="snappy")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4_000] = b"\xff" * 4_000
    path.write_bytes(bytes(content))
    report = load(home, "exports", [str(path)])
    assert 0 < report.records < 200_000
    assert select(
        "select reason like 'the parquet file is damaged%' from raw_customerio.quarantine"
    )
    assert select("select source_line from raw_customerio.quarantine") == [(report.records + 1,)]


def test_files_are_read_from_a_bucket(home: Home, tmp_path: Path, select: Select) -> None:
    memory = fsspec.filesystem("memory")
    path = write(tmp_path / "local", "deliveries", 1, **deliveries("d1"))
    memory.pipe(f"/exports-bucket/2026/{path.name}", path.read_bytes())
    report = load(home, "exports", ["memory://exports-bucket"])
    assert report.loaded == 1
    assert select("select source_file from raw_customerio.export_deliveries") == [
        (f"memory:///exports-bucket/2026/{path.name}",)
    ]


KILLED = """
import sys
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob
from loaders import run
from warehouse.home import Home

original = DuckDbCopyJob.run
turns = []

def stopped(*args, **kwargs):
    result = original(*args, **kwargs)
    turns.append(1)
    if len(turns) == 2:
        print("stopped", flush=True)
        sys.stdin.read()
    return result

DuckDbCopyJob.run = stopped
run.load(Home.resolve(), "exports", [sys.argv[1]])
"""


@pytest.mark.slow
def test_a_load_that_is_killed_is_done_again_and_nothing_comes_twice(
    home: Home, tmp_path: Path, select: Select
) -> None:
    folder = tmp_path / "bucket"
    write(folder, "deliveries", 1, **deliveries("d1", "d2"))
    write(folder, "people", 2, internal_customer_id=["c1"], suppressed=[True])
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"CIO_HOME": str(home.root)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "stopped\n"
        process.kill()
    assert process.returncode == -signal.SIGKILL
    for loaded in (3, 0):
        assert load(home, "exports", [str(folder)]).loaded == loaded
    assert select("select count(*) from raw_customerio.export_deliveries") == [(2,)]
    assert select("select count(*) from raw_customerio.export_people") == [(1,)]
    assert select("select count(*) from raw_customerio.loaded_files") == [(2,)]
