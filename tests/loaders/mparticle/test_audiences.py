from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from loaders.run import load
from warehouse.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from warehouse.home import Home

    Select = Callable[[str], list[tuple[object, ...]]]

COLUMNS = "mpid, customer_id, email, audience_id, audience_name, change, changed_at"
MOMENT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - naive UTC


def row(**fields: object) -> dict[str, object]:
    return {
        "mpid": -8630670138662843433,
        "customer_id": "42",
        "audience_id": 11036,
        "audience_name": "New Users",
        "change": "entered",
        "changed_at": "2026-01-02T03:04:05Z",
    } | fields


def test_json_lines_and_csv_give_the_same_rows(home: Home, tmp_path: Path, select: Select) -> None:
    (tmp_path / "a.jsonl").write_text(
        json.dumps(row()) + "\n" + json.dumps(row(change="Removed", changed_at=1767323045)) + "\n"
    )
    (tmp_path / "b.csv").write_text(
        "mpid,customerid,audience_id,audience_name,change,changed_at\n"
        "-8630670138662843433,42,11036,New Users,add,1767323045000\n"
        "-8630670138662843433,42,11036,New Users,left,2026-01-02 03:04:05\n"
    )
    for name in ("a.jsonl", "b.csv"):
        assert load(home, "mparticle_audiences", [str(tmp_path / name)]).records == 2
    rows = select(f"select {COLUMNS} from raw_mparticle.audience_memberships order by change")
    person = ("-8630670138662843433", "42", None, "11036", "New Users")
    assert rows == [(*person, "entered", MOMENT)] * 2 + [(*person, "left", MOMENT)] * 2


REFUSED = [
    ({"audience_id": None}, "audience_id is missing"),
    ({"change": ""}, "change is missing"),
    ({"change": "maybe"}, "change is neither entered nor left"),
    ({"changed_at": None}, "changed_at is missing"),
    ({"changed_at": "noon"}, "changed_at is not an instant"),
    ({"mpid": None, "customer_id": " "}, "mpid, customer_id, email are all missing"),
]


@pytest.mark.parametrize(("bad", "reason"), REFUSED)
def test_a_row_that_lacks_something_is_quarantined(
    home: Home, tmp_path: Path, select: Select, bad: dict[str, object], reason: str
) -> None:
    line = json.dumps(row(**bad))
    (tmp_path / "a.jsonl").write_text(f"{json.dumps(row())}\n{line}\n")
    report = load(home, "mparticle_audiences", [str(tmp_path / "a.jsonl")])
    assert (report.records, report.quarantined) == (1, 1)
    ((found, number, original),) = select(
        "select reason, source_line, original_bytes from raw_mparticle.quarantine"
    )
    assert str(found).startswith(reason)
    assert (number, original) == (2, line.encode())


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"\xff", "not valid UTF-8"), (b"{", "not valid JSON"), (b"[]", "not a JSON object")],
)
def test_what_is_no_object_is_quarantined(
    home: Home, tmp_path: Path, select: Select, line: bytes, reason: str
) -> None:
    (tmp_path / "a.jsonl").write_bytes(json.dumps(row()).encode() + b"\n" + line + b"\n")
    load(home, "mparticle_audiences", [str(tmp_path / "a.jsonl")])
    assert select("select reason from raw_mparticle.quarantine") == [(reason,)]


def test_columns_can_be_named(home: Home, tmp_path: Path, select: Select) -> None:
    (tmp_path / "a.csv").write_text("user,aud,change,at\n7,11,entered,2026-01-02T03:04:05Z\n")
    names = {"customer_id": "user", "audience_id": "aud", "changed_at": "at"}
    load(home, "mparticle_audiences", [str(tmp_path / "a.csv")], columns=names)
    (tmp_path / "a.jsonl").write_text(
        '{"user": 7, "aud": 11, "change": "left", "at": "2026-01-02T03:04:05Z"}\n'
    )
    load(home, "mparticle_audiences", [str(tmp_path / "a.jsonl")], columns=names)
    assert select(
        "select customer_id, audience_id, change from raw_mparticle.audience_memberships order by 3"
    ) == [("7", "11", "entered"), ("7", "11", "left")]


@pytest.mark.parametrize(
    ("header", "lacks"),
    [
        ("customer_id,audience_id,change", "the column changed_at"),
        ("audience_id,change,changed_at", "the column any of mpid, customer_id, email"),
    ],
)
def test_a_csv_file_without_a_wanted_column_is_a_usage_error(
    home: Home, tmp_path: Path, header: str, lacks: str
) -> None:
    (tmp_path / "a.csv").write_text(header + "\n1,2,3\n")
    with pytest.raises(UsageError, match=lacks):
        load(home, "mparticle_audiences", [str(tmp_path / "a.csv")])
